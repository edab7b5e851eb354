"""A reading that differs from the one before it under the same version: newer than that one, or older?

Where versions are seconds, the states before and after an edit may share one, whether we made it or a user did. A
reading of that version that shows something else may come from a replica or a cache that is behind. The record's change
history tells: it ends with what is shown. Without it the reading proves nothing for a while.
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


def takes_back(
    conn: Connection, connected: Connected, row: Any, snap: Snapshot, now: datetime, *, again: bool
) -> datetime | None:
    """When to read a record again whose reading may be older than the stored one; None when it is to be believed.

    row: the stored record with its link, of the same version as `snap`, which was read directly. again: this reading
    was made to settle such a doubt. Asked again soon, and less and less often: what is still shown when `BEHIND` is
    over, after the edit and at a second look, is what the record shows.
    """
    before = connected.mapping.shown(columns.snapshot(conn.execute(_BODY, {"of": row.id}).scalar_one()))
    shown = connected.mapping.shown(snap)
    written = conn.execute(_WRITTEN, {"of": row.link_id, "after": now - BEHIND}).all()
    lacking: list[datetime] = [each.at for each in written if _shows(before, each) and not _shows(shown, each)]
    if lacking:
        at = max(lacking)
    elif _is_coarse(connected) and (before.raw != shown.raw or before.tags != shown.tags):
        at = min(now, snap.updated_at)
    else:
        return None
    if now >= at + BEHIND:
        return None if again else now + _SOON
    return min(now + max(_SOON, now - at), at + BEHIND)


def _is_coarse(connected: Connected) -> bool:
    return connected.capabilities is not None and connected.capabilities.coarse_versions


def bears_out(connected: Connected, snap: Snapshot, history: Sequence[HistoryRow]) -> bool:
    """Whether a record's history ends with what this reading of it shows: then the reading is not older.

    history: oldest first, from the second of the reading on, asked for after the reading. A field's last row must end
    with the shown value, or the reading is older than the history; one field at least must have a row.
    """
    mapping = connected.mapping
    last: dict[str, FieldEdit] = {}
    for row in history:
        last.update({edit.field: edit for edit in row.edits})
    shown = {
        mapping.status_field: str(snap.fields.get(mapping.status_field) or "").casefold(),
        mapping.tags_field: _folded(snap.fields.get(mapping.tags_field)),
    }
    found = False
    for field, value in shown.items():
        if field not in last:
            continue
        new = last[field].new
        ends = _folded(new) if field == mapping.tags_field else str(new or "").casefold()
        if ends != value:
            return False
        found = True
    return found


def _folded(tags: Json) -> frozenset[str]:
    return frozenset(str(tag).casefold() for tag in tags) if isinstance(tags, list | tuple) else frozenset()


def _shows(shown: Shown, written: Any) -> bool:
    """Whether a record shows one value that was written, as `sync.engine.receipts.values_of` spells it."""
    value: str = written.value
    if written.field == "status":
        return shown.raw == value
    return (value[1:] in shown.tags) is value.startswith("+")
