"""Which calls an issue's events name: request and trace ids, by which other systems' records find it. Pure.

Of very many events a few are kept, and not any few: those whose ids draw the lowest numbers (`sync.core.traces.draw`).
A gateway keeps its samples by the same draw, so that both keep the same calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sync.core.traces import draw, is_id
from sync.model import Json

DRAWN = 7
"""Events kept by draw, of all that were read."""

NEWEST = 3
"""Events kept because nothing newer was read."""

Pair = list[str]
"""[request id, trace id] of one event; one of them may be empty."""


def pairs_in(events: Iterable[Mapping[str, Json]], keys: Sequence[str]) -> list[Pair]:
    """The ids of events, in their order, each pair once. keys: the tags that hold ids; `trace…` is a trace's."""
    found: list[Pair] = []
    for event in events:
        tags = _tags(event)
        held = {_is_trace(key): tags[key] for key in reversed(keys) if is_id(tags.get(key, ""))}
        pair = [held.get(False, ""), held.get(True, "")]
        if any(pair) and pair not in found:
            found.append(pair)
    return found


def chosen(fresh: Sequence[Pair], before: Sequence[Pair]) -> list[Pair]:
    """The pairs to keep. fresh: of the events just read, the newest first. before: what was kept until now."""
    known = [*fresh, *(pair for pair in before if pair not in fresh)]
    drawn = sorted(known, key=lambda pair: draw(pair[0] or pair[1]))[:DRAWN]
    return [*drawn, *[pair for pair in known if pair not in drawn][:NEWEST]]


def fields(pairs: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    """The raw fields `request_ids` and `trace_ids`; a field without a value is absent."""
    columns = {"request_ids": [pair[0] for pair in pairs], "trace_ids": [pair[1] for pair in pairs]}
    return {name: kept for name, ids in columns.items() if (kept := list(dict.fromkeys(one for one in ids if one)))}


def _is_trace(key: str) -> bool:
    return "trace" in key.casefold()


def _tags(event: Mapping[str, Json]) -> dict[str, str]:
    rows = event.get("tags")
    shown = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return {str(row.get("key")): value for row in shown if isinstance(value := row.get("value"), str)}
