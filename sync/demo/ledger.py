"""What the hub itself says it did and why: its journal, conflicts and parked fields, read from its database.

For the view and the figures only. The verdict never looks here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

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


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the journal. is_write: the hub wrote it there; else it was seen there."""

    id: int
    record: str
    what: str
    why: str
    is_write: bool


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
        """The newest lines of the journal, oldest first."""
        statement = (
            select(journal, records.c.key, records.c.remote_id)
            .select_from(journal.outerjoin(records, journal.c.record_id == records.c.id))
            .order_by(journal.c.id.desc())
            .limit(limit)
        )
        if (engine := self._opened()) is None:
            return []
        try:
            with engine.connect() as conn:
                rows = conn.execute(statement).all()
        except SQLAlchemyError:
            return []  # being made, or its writer was just killed: the next look will tell
        return [
            Entry(
                id=row.id,
                record=row.key or row.remote_id or "",
                what=_what(row.field, row.old, row.new),
                why=_why(row.rule),
                is_write=row.delivery_id is not None,
            )
            for row in reversed(rows)
        ]

    def counts(self) -> dict[str, Counts]:
        """Conflicts, and what is parked now, by connection name."""
        if (engine := self._opened()) is None:
            return {}
        with engine.connect() as conn:
            names = conn.execute(select(connections.c.id, connections.c.name)).all()
            fought: dict[int, int] = dict(
                conn.execute(
                    select(records.c.connection_id, func.count())
                    .select_from(conflicts.join(records, conflicts.c.record_id == records.c.id))
                    .group_by(records.c.connection_id)
                )
                .tuples()
                .all()
            )
            waiting: dict[int, int] = dict(
                conn.execute(
                    select(parked.c.connection_id, func.count())
                    .where(parked.c.ended_at.is_(None))
                    .group_by(parked.c.connection_id)
                )
                .tuples()
                .all()
            )
        return {row.name: Counts(conflicts=fought.get(row.id, 0), parked=waiting.get(row.id, 0)) for row in names}

    def close(self) -> None:
        """Let go of the file."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def _opened(self) -> Engine | None:
        if self._engine is None and self._database.exists():
            self._engine = reading_engine(self._database, busy_seconds=2.0)
        return self._engine


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
    return f"{field} {new if new is not None else f'-{old}'}"


def _why(rule: str) -> str:
    kind, _, rest = rule.partition(": ")
    if kind == "written":
        where, _, changed = rest.partition(": ")
        return f"{where} showed {_spaced(changed)}" if changed else f"by {rest}" if rest else "so that it shows it"
    if kind == "joined":
        return "linked by a person" if rest == "shown" else f"by {rest}"
    try:
        known = Why(rule)
    except ValueError:
        return rule
    return _SHORT.get(known, EXPLAIN[known])


def _spaced(value: str | None) -> str:
    return (value or "").replace("_", " ")
