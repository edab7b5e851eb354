"""Which signatures the rules look at, and what becomes of them in the ledger.

A call can open a signature, reopen a resolved one or wake a muted one: those are looked at when they had calls. What
else rules do to a record takes time to come about: every record is looked at once in a while, some each turn.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import structs
from sqlalchemy import Connection

from connectors.gateway import ledger
from connectors.gateway.entries import RULE, Edit, Entry
from connectors.gateway.lifecycle import Transition, judge
from connectors.gateway.rules import FoldRules
from connectors.gateway.signature import Figures, Signature

LOOK_SECONDS = 30.0
"""How often every record is looked at, whether it had calls or not: quiet periods and mutes end by themselves."""

AT_ONCE = 500
"""Records that one turn looks at in its round, at most."""


class Rounds:
    """Goes round all records, some each turn. records: reads their ids, once a round."""

    def __init__(self, records: Callable[[], Iterable[str]]) -> None:
        self._records = records
        self._waiting: list[str] = []
        self._began_at: float | None = None

    def due(self, at: float) -> list[str]:
        """The records to look at now (monotonic seconds)."""
        if not self._waiting and (self._began_at is None or at - self._began_at >= LOOK_SECONDS):
            self._began_at = at
            self._waiting = sorted(self._records())
        return self._waiting[:AT_ONCE]

    def looked(self, ids: Collection[str]) -> None:
        """These were looked at, and what became of them is stored."""
        self._waiting = self._waiting[len(ids) :]


def carry_out(
    conn: Connection,
    connection_id: int,
    judged: Sequence[tuple[Signature, Figures]],
    rules: FoldRules,
    now: datetime,
) -> list[str]:
    """Let the rules judge signatures in the state they are in now, inside a step. The ids of those that changed."""
    rows = ledger.some(conn, connection_id, [signature.id for signature, _ in judged])
    kept: list[tuple[Entry, Sequence[Edit]]] = []
    for signature, figures in judged:
        row = rows.get(signature.id)
        entry = row.entry if row is not None else None
        moved = judge(entry.state if entry is not None else None, signature, figures, rules, now)
        if moved is not None:
            kept.append(_moved(entry, signature, figures, moved, now))
        elif entry is not None and _is_news(entry, figures, rules, now):
            kept.append((structs.replace(entry, figures=figures, published_at=now), ()))
    ledger.keep(conn, connection_id, kept, now)
    return [entry.signature.id for entry, _ in kept]


def is_news(
    conn: Connection,
    connection_id: int,
    judged: Sequence[tuple[Signature, Figures]],
    rules: FoldRules,
    now: datetime,
) -> bool:
    """Whether anything would become of these signatures; on a connection that only reads."""
    rows = ledger.some(conn, connection_id, [signature.id for signature, _ in judged])
    for signature, figures in judged:
        entry = rows[signature.id].entry if signature.id in rows else None
        if judge(entry.state if entry is not None else None, signature, figures, rules, now) is not None:
            return True
        if entry is not None and _is_news(entry, figures, rules, now):
            return True
    return False


def _moved(
    entry: Entry | None, signature: Signature, figures: Figures, moved: Transition, now: datetime
) -> tuple[Entry, Sequence[Edit]]:
    old = entry.state.state.value if entry is not None else None
    if entry is None:
        entry = Entry(signature=signature, figures=figures, state=moved.state, published_at=now)
    entry = structs.replace(entry, figures=figures, state=moved.state, published_at=now)
    new = moved.state.state.value
    edit = Edit(at=now, by=RULE, actor=moved.change.value, field="status", old=old, new=new, why=moved.why)
    if old == new:  # it escalated: the same state, and worth a line
        edit = structs.replace(edit, field=moved.change.value, old=None, new=moved.why)
    return entry, [edit]


def _is_news(entry: Entry, figures: Figures, rules: FoldRules, now: datetime) -> bool:
    """Counts are published once a window, so that nobody is flooded with them."""
    if figures.count == entry.figures.count and figures.severity == entry.figures.severity:
        return False
    return now - entry.published_at >= timedelta(minutes=rules.window_minutes)
