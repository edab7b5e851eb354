"""What the hub itself says it did and why: its journal, conflicts and parked fields, read from its database.

For the view and the figures only. The verdict never looks here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Select, Table, func, select
from sqlalchemy.exc import SQLAlchemyError

from sync.core.reasons import CONFLICT, ConflictKind
from sync.core.why import EXPLAIN, Why
from sync.store.driver import reading_engine
from sync.store.tables import conflicts, connections, journal, parked, records

_SHORT = {
    Why.FIRST_MEMBER: "the item begins with it",
    Why.JOIN_TRACKER: "the item takes its issue's value",
    Why.TRACKER_DETAIL: "an engineer moved it",
    Why.TRACKER_CROSSED: "an engineer crossed open/done",
    Why.GROUP_RESOLVED: "all its tickets are done",
    Why.GROUP_REOPENED: "a ticket was opened again",
    Why.TAG_ADDED: "somebody tagged it",
    Why.TAG_BROUGHT: "somebody else tagged it too",
    Why.TAG_REMOVED: "nobody keeps the tag",
}
"""The reasons of this day in few words; `hypercare explain` has the whole sentences."""


_SETTLED = {
    ConflictKind.OPEN_WINS: "open beats done",
    ConflictKind.CROSSING_WINS: "open/done beats a detail",
    ConflictKind.TRACKER_WINS: "the tracker wins",
    ConflictKind.ADD_WINS: "adding beats removing",
}


class Turn(StrEnum):
    """What a line is about: the hub saw something there, wrote there, or settled a conflict."""

    HEARD = "heard"
    WROTE = "wrote"
    CLASH = "clash"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that the hub noted about one record."""

    turn: Turn
    record: str
    what: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Of one connection, until now."""

    conflicts: int = 0
    parked: int = 0


class Ledger:
    """The database of a daemon, which may be running, dead, or not there yet; it is only read."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._engine: Engine | None = None

    def latest(self, limit: int) -> list[Entry]:
        """The newest lines of the journal and the newest conflicts, oldest first."""
        if (engine := self._opened()) is None:
            return []
        try:
            with engine.connect() as conn:
                noted = conn.execute(_newest(journal, limit)).all()
                fought = conn.execute(_newest(conflicts, limit)).all()
        except SQLAlchemyError:
            return []  # being made, or its writer was just killed: the next look will tell
        found = [(row.at, 1, row.id, _noted(row)) for row in noted]
        found += [(row.at, 0, row.id, _fought(row)) for row in fought]
        return [entry for *_, entry in sorted(found, key=lambda one: one[:3])][-limit:]

    def counts(self) -> dict[str, Counts]:
        """Conflicts, and what is parked now, by connection name."""
        if (engine := self._opened()) is None:
            return {}
        with engine.connect() as conn:
            names = conn.execute(select(connections.c.id, connections.c.name)).all()
            fought = conn.execute(
                select(records.c.connection_id, func.count())
                .select_from(conflicts.join(records, conflicts.c.record_id == records.c.id))
                .group_by(records.c.connection_id)
            ).all()
            waiting = conn.execute(
                select(parked.c.connection_id, func.count())
                .where(parked.c.ended_at.is_(None))
                .group_by(parked.c.connection_id)
            ).all()
        conflict_counts: dict[int, int] = {row[0]: row[1] for row in fought}
        parked_counts: dict[int, int] = {row[0]: row[1] for row in waiting}
        return {
            row.name: Counts(conflicts=conflict_counts.get(row.id, 0), parked=parked_counts.get(row.id, 0))
            for row in names
        }

    def signatures(self) -> int:
        """The kinds of failing calls that became records: they live in the hub's own database."""
        if (engine := self._opened()) is None:
            return 0
        with engine.connect() as conn:
            kept = records.join(connections, records.c.connection_id == connections.c.id)
            found = select(func.count()).select_from(kept).where(connections.c.system == "gateway")
            return int(conn.execute(found).scalar_one())

    def close(self) -> None:
        """Let go of the file."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def _opened(self) -> Engine | None:
        if self._engine is None and self._database.exists():
            self._engine = reading_engine(self._database, busy_seconds=2.0)
        return self._engine


def _newest(table: Table, limit: int) -> Select[Any]:
    return (
        select(table, records.c.key, records.c.remote_id)
        .select_from(table.outerjoin(records, table.c.record_id == records.c.id))
        .order_by(table.c.id.desc())
        .limit(limit)
    )


def _noted(row: Any) -> Entry:
    return Entry(
        turn=Turn.HEARD if row.delivery_id is None else Turn.WROTE,
        record=row.key or row.remote_id or "",
        what=_what(row.field, row.old, row.new),
        why=_why(row.rule),
    )


def _fought(row: Any) -> Entry:
    kind = ConflictKind(row.kind)
    return Entry(
        turn=Turn.CLASH,
        record=row.key or row.remote_id or "",
        what=f"{row.field}: {_spaced(row.kept)}, not {_spaced(row.lost)}",
        why=_SETTLED.get(kind, CONFLICT[kind].means),
    )


def _what(field: str, old: str | None, new: str | None) -> str:
    if field == "status":
        return f"status {_spaced(old)} → {_spaced(new)}" if old and new else f"status {_spaced(new)}"
    if field == "tags":
        tag = new if new is not None else f"-{old}"
        return f"tag {tag}" if tag[:1] in "+-" else f"tag +{tag}"
    if field == "record":
        return f"created {new}"
    if field == "links":
        return f"link {new}" if new is not None else f"link -{old}"
    if field == "facts":
        return f"is {new}" if new is not None else f"is not {old} any more"
    return f"{field} {new if new is not None else f'-{old}'}"


def _why(rule: str) -> str:
    kind, _, rest = rule.partition(": ")
    if kind == "written":
        where, _, changed = rest.partition(": ")
        return f"{where} showed {_spaced(changed)}" if changed else f"by {rest}" if rest else "the item has it"
    if kind == "joined":
        return "linked by a person" if rest == "shown" else f"joined by {rest}"
    try:
        known = Why(rule)
    except ValueError:
        return rule
    return _SHORT.get(known, EXPLAIN[known])


def _spaced(value: str | None) -> str:
    return (value or "").replace("_", " ")
