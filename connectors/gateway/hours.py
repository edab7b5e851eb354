"""The calls of each route in a whole hour, out of stored aggregates: what the totals of others are compared with. Pure.

The hour ends where the minute begins that is being counted: of that one only a part is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from connectors.gateway.signature import OTHER
from connectors.gateway.taken import FoldRow
from connectors.gateway.tally import Route
from connectors.gateway.windows import total

MINUTES = 60


class RouteHour(Struct, frozen=True, kw_only=True, order=True):
    """One route's calls, of all methods, in the hour that ended at `until`."""

    service: str
    route: str
    until: datetime
    calls: int


class _State(Struct, array_like=True):
    minute: int


_decoder = msgspec.msgpack.Decoder(_State)


def of(rows: Iterable[FoldRow]) -> tuple[RouteHour, ...]:
    """The routes that the gateway names and that had calls, the busiest first. Raises ValueError for a spoilt row."""
    minute, calls = 0, dict[tuple[str, str], int]()
    rows = tuple(rows)
    for row in rows:
        if row.kind == "state":
            minute = _decoder.decode(row.body).minute
    for row in rows:
        if row.kind == "route":
            service, name, minutes = Route.traffic(row.body)
            many = total(minutes, minute - 1, MINUTES)
            if many and name != OTHER and not name.startswith("/"):
                calls[service, name] = calls.get((service, name), 0) + many
    until = datetime.fromtimestamp(minute * 60, UTC)
    found = [RouteHour(service=one[0], route=one[1], until=until, calls=many) for one, many in calls.items()]
    return tuple(sorted(found, key=lambda one: (-one.calls, one.service, one.route)))
