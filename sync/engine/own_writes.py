"""A reading of the second of our own write that does not show it: older than the write, or a user's edit after it?

Where versions are seconds, the state before a write and the state after it may share one. A reading of that version
that lacks what was written may come from a replica or a cache that is behind. The record's change history tells: it
ends with that reading where somebody edited after us. Without it the reading proves nothing for a while.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select

from sync.core.state import Shown
from sync.engine import columns
from sync.engine.hub import Connected
from sync.model import FieldEdit, HistoryRow, Json, Snapshot
from sync.store.tables import records, writes

BEHIND = timedelta(seconds=60)
"""How long a remote may go on showing what was before a write that it has answered."""

_SOON = timedelta(seconds=2)

# Built once: building a statement costs several times its execution.
_WRITTEN = (
    select(writes.c.field, writes.c.value, writes.c.at)
    .where(
        writes.c.link_id == bindparam("of"),
        writes.c.field.in_(("status", "tags")),
        writes.c.at > bindparam("after"),
    )
    .order_by(writes.c.id)
)
_BODY = select(records.c.body).where(records.c.id == bindparam("of"))


def takes_back(conn: Connection, connected: Connected, row: Any, snap: Snapshot, now: datetime) -> datetime | None:
    """When to read a record again whose reading takes back what we wrote just before; None when it is to be believed.

    row: the stored record with its link, of the same version as `snap`, which was read directly. Asked again soon, and
    less and less often: what is still shown when `BEHIND` is over is what the record shows.
    """
    written = conn.execute(_WRITTEN, {"of": row.link_id, "after": now - BEHIND}).all()
    if not written:
        return None
    shown = connected.mapping.shown(snap)
    before = connected.mapping.shown(columns.snapshot(conn.execute(_BODY, {"of": row.id}).scalar_one()))
    lacking = [each.at for each in written if _shows(before, each) and not _shows(shown, each)]
    if not lacking:
        return None
    at: datetime = max(lacking)
    return min(now + max(_SOON, now - at), at + BEHIND)


def bears_out(connected: Connected, snap: Snapshot, history: Sequence[HistoryRow]) -> bool:
    """Whether somebody else's edit after our last write brought a record to what this reading of it shows.

    history: oldest first, from the second of the reading on. Only a field whose last row is not ours and ends with the
    shown value counts; and no field's last row may end with another value, or the reading is older than the history.
    """
    mapping = connected.mapping
    last: dict[str, tuple[HistoryRow, FieldEdit]] = {}
    for row in history:
        last.update({edit.field: (row, edit) for edit in row.edits})
    shown = {
        mapping.status_field: str(snap.fields.get(mapping.status_field) or "").casefold(),
        mapping.tags_field: _folded(snap.fields.get(mapping.tags_field)),
    }
    found = False
    for field, value in shown.items():
        if field not in last:
            continue
        row, edit = last[field]
        ends = _folded(edit.new) if field == mapping.tags_field else str(edit.new or "").casefold()
        if ends != value:
            return False
        found = found or not row.ours
    return found


def _folded(tags: Json) -> frozenset[str]:
    return frozenset(str(tag).casefold() for tag in tags) if isinstance(tags, list | tuple) else frozenset()


def _shows(shown: Shown, written: Any) -> bool:
    """Whether a record shows one value that was written, as `sync.engine.receipts.values_of` spells it."""
    value: str = written.value
    if written.field == "status":
        return shown.raw == value
    return (value[1:] in shown.tags) is value.startswith("+")
