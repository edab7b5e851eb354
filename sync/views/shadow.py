"""Shadow mode, looked back on: what would have been written, and what people did by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, select

from sync.engine import shadow
from sync.store.tables import connections, links, records, shadows

EXAMPLES = 5


class Became(StrEnum):
    """What became of a value that would have been written."""

    SAME = "same"
    """People gave the record the same value, within the time asked for."""
    LATER = "later"
    """The same, after that time."""
    OTHER = "other"
    """They gave it another value and left it there."""
    NEVER = "never"
    """Nobody touched it, and the time is over."""
    WAITING = "waiting"
    """Nobody touched it yet, and the time is not over."""
    OVERTAKEN = "overtaken"
    """The item asked for something else before anybody did anything."""


class Example(Struct, frozen=True, kw_only=True):
    """One value. shown: what its people gave it instead. hours: until they reached the same."""

    record: str
    item: str
    at: datetime
    field: str
    before: str
    wanted: str
    why: str
    shown: str = ""
    hours: float | None = None


class FieldReport(Struct, frozen=True, kw_only=True):
    """One field of one connection. median_hours: until people did by hand what would have been written."""

    connection: str
    field: str
    total: int
    counts: Mapping[str, int]
    median_hours: float | None
    examples: Mapping[str, tuple[Example, ...]]


class ShadowReport(Struct, frozen=True, kw_only=True):
    """All of it. since: of the connections that are in shadow now. within_hours: what counts as reached in time."""

    at: datetime
    within_hours: float
    since: Mapping[str, datetime]
    fields: tuple[FieldReport, ...]


def report(conn: Connection, now: datetime, within: timedelta, connection: str | None = None) -> ShadowReport:
    """Read it; all connections, or one."""
    names = {row.id: row.name for row in conn.execute(select(connections.c.id, connections.c.name))}
    wanted = [number for number, name in names.items() if connection in (None, name)]
    found = conn.execute(
        select(shadows, records.c.key, records.c.remote_id)
        .select_from(shadows.join(records, shadows.c.record_id == records.c.id))
        .where(shadows.c.connection_id.in_(wanted))
        .order_by(shadows.c.id)
    ).all()
    joined = _joined(conn, [row.record_id for row in found if row.field == shadow.RECORD])
    parts: dict[tuple[str, str], list[tuple[Any, Became, datetime | None]]] = {}
    for row in found:
        reached = joined.get(row.record_id) if row.field == shadow.RECORD else row.reached_at
        became = _became(row, reached, now, within)
        parts.setdefault((names[row.connection_id], row.field), []).append((row, became, reached))
    began = {name: shadow.since(conn, number) for number, name in names.items() if number in wanted}
    return ShadowReport(
        at=now,
        within_hours=within / timedelta(hours=1),
        since={name: at for name, at in sorted(began.items()) if at is not None},
        fields=tuple(_field(name, field, parts[name, field]) for name, field in sorted(parts)),
    )


def _joined(conn: Connection, record_ids: Sequence[int]) -> dict[int, datetime]:
    """When records came into an item: somebody made their counterpart by hand."""
    found: dict[int, datetime] = {}
    for start in range(0, len(record_ids), 500):
        piece = record_ids[start : start + 500]
        rows = conn.execute(select(links.c.record_id, links.c.made_at).where(links.c.record_id.in_(piece)))
        for row in rows:
            found[row.record_id] = min(row.made_at, found.get(row.record_id, row.made_at))
    return found


def _became(row: Any, reached: datetime | None, now: datetime, within: timedelta) -> Became:
    if reached is not None:
        return Became.SAME if reached - row.at <= within else Became.LATER
    if row.other:
        return Became.OTHER
    if row.ended_at is not None and row.ended_at - row.at < within:
        return Became.OVERTAKEN
    return Became.WAITING if now - row.at < within else Became.NEVER


def _field(connection: str, field: str, rows: Sequence[tuple[Any, Became, datetime | None]]) -> FieldReport:
    counts = {became.value: 0 for became in Became}
    examples: dict[str, list[Example]] = {}
    hours: list[float] = []
    for row, became, reached in rows:
        counts[became] += 1
        spent = None if reached is None else round((reached - row.at) / timedelta(hours=1), 2)
        if spent is not None:
            hours.append(spent)
        few = examples.setdefault(became.value, [])
        few.append(
            Example(
                record=row.key or row.remote_id,
                item=f"hc-{row.item_id}" if row.item_id else "",
                at=row.at,
                field=row.field,
                before=row.before,
                wanted=row.wanted,
                why=row.why,
                shown=row.other,
                hours=spent,
            )
        )
        del few[:-EXAMPLES]  # the newest
    return FieldReport(
        connection=connection,
        field=field,
        total=len(rows),
        counts=counts,
        median_hours=round(median(hours), 2) if hours else None,
        examples={became: tuple(reversed(few)) for became, few in examples.items()},
    )
