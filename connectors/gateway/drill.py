"""What APIPark itself knows of calls: one call in full, and how many there were, beside what was folded from the log.

Nothing of it is stored. Bodies are scrubbed before they are shown: a terminal has a history, and people paste.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from connectors.contract import Ports
from connectors.errors import RecordMissing
from connectors.gateway.apipark import ApiPark
from connectors.gateway.entries import Row
from connectors.gateway.hours import MINUTES, RouteHour
from connectors.gateway.interfaces import ApiParkAccess
from connectors.gateway.scrub import scrub

SHOWN = 4096
"""Bytes of each body."""

HOUR = timedelta(minutes=MINUTES)


class CallDetail(Struct, frozen=True, kw_only=True):
    """One call. request, response: scrubbed, the beginnings."""

    request_id: str
    service: str
    route: str
    status: int
    at: datetime
    consumer: str
    provider: str
    model: str
    request: str
    response: str


class Compared(Struct, frozen=True, kw_only=True):
    """The calls of one route in an hour that ended at `until`: as folded, and as APIPark counts."""

    service: str
    route: str
    until: datetime
    folded: int
    counted: int
    failed: int

    @property
    def missing(self) -> int:
        """How many of APIPark's calls the log did not bring; negative: it brought more."""
        return self.counted - self.folded


def service_of(rows: Iterable[Row], request_id: str) -> str | None:
    """The service whose signature has the call among its samples; None: none has."""
    for row in rows:
        if any(sample.request_id.casefold() == request_id.casefold() for sample in row.entry.figures.samples):
            return row.entry.signature.service
    return None


def call(access: ApiParkAccess, ports: Ports, service: str, request_id: str) -> CallDetail:
    """One call. Raises RecordMissing where APIPark's log, which is lossy, does not have it, or has it no more."""
    park = ApiPark(access, ports)
    try:
        found = park.find(service, request_id)
    except RecordMissing as error:
        raise RecordMissing(
            f"APIPark's log has no call {request_id} of {service}: it keeps at most 100 lines of ten seconds, and "
            "bodies for 30 days",
            status=error.status,
        ) from None
    finally:
        park.close()
    row = found.row
    return CallDetail(
        request_id=row.id,
        service=service,
        route=row.api,
        status=row.status,
        at=row.at,
        consumer=row.consumer,
        provider=row.provider,
        model=row.model,
        request=scrub(found.request, SHOWN),
        response=scrub(found.response, SHOWN),
    )


def compare(access: ApiParkAccess, ports: Ports, hours: Iterable[RouteHour]) -> tuple[Compared, ...]:
    """For each route its calls in an hour, as folded, beside APIPark's total of that hour."""
    park = ApiPark(access, ports)
    try:
        found = []
        for one in hours:
            totals = park.totals(one.until - HOUR, one.until - timedelta(seconds=1), apis=[one.route])
            found.append(
                Compared(
                    service=one.service,
                    route=one.route,
                    until=one.until,
                    folded=one.calls,
                    counted=totals.total,
                    failed=totals.status_5xx,
                )
            )
        return tuple(found)
    finally:
        park.close()
