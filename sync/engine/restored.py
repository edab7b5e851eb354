"""After a restore: what the hub itself had put on a record since the backup is no user's edit.

The database has forgotten it; the record's own change history tells who added a tag. It is asked once, at the first
reading of a record that shows tags which the backup does not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs
from sqlalchemy import Connection, bindparam, select, update

from connectors.contract import Act
from connectors.errors import RateLimited
from sync.engine import columns, marker, outcome, reread
from sync.engine.hub import Connected, Hub
from sync.engine.rows import chunks
from sync.model import HistoryRow, Snapshot
from sync.store.tables import links, records

# Built once: building a statement costs several times its execution.
_UNREAD = (
    select(records.c.remote_id, records.c.version, links.c.id.label("link_id"), links.c.base)
    .select_from(records.join(links, (links.c.record_id == records.c.id) & links.c.ended_at.is_(None)))
    .where(
        records.c.connection_id == bindparam("of"),
        records.c.kind == bindparam("sort"),
        records.c.remote_id.in_(bindparam("named", expanding=True)),
        records.c.seen_at < bindparam("restored"),
    )
)


def forgotten(hub: Hub, connected: Connected, snapshots: Mapping[str, Snapshot]) -> list[Any]:
    """Of records that have just been read: those read for the first time since a restore, with tags new to it."""
    if connected.capabilities is not None and not connected.capabilities.history:
        return []
    with hub.store.read() as conn:
        restored = marker.restored_at(conn)
        if restored is None:
            return []
        known = {"of": connected.id, "sort": connected.kind, "restored": restored}
        found = [row for piece in chunks(list(snapshots)) for row in conn.execute(_UNREAD, {**known, "named": piece})]
    return [row for row in found if _new_tags(connected, row.base, snapshots[row.remote_id])]


def recognise(hub: Hub, connected: Connected, row: Any, snap: Snapshot) -> None:
    """Take the tags that the hub added to a record since the backup for known: nobody has just added them.

    They are not counted as the item's: whoever brought them shows them still, or has gone with what was brought, and
    nothing that is missing removes anything. Raises RemoteError; RateLimited when the budget of histories is used up.
    """
    wait = hub.budgets.take(connected.id, connected.draws(Act.HISTORY))
    if wait:
        raise RateLimited("the budget of histories is used up", retry_after=wait)
    history = connected.remote().history(snap.ref, row.version)
    ours = _new_tags(connected, row.base, snap) & _added_by_us(connected, history)
    if not ours:
        return

    def step(conn: Connection) -> None:
        base = columns.base(conn.execute(select(links.c.base).where(links.c.id == row.link_id)).scalar_one())
        if base.tags is not None:
            known = structs.replace(base, tags=structs.replace(base.tags, keys=base.tags.keys | ours))
            new = {"base": columns.encode(reread.moved(base, known)), "version": links.c.version + 1}
            conn.execute(update(links).where(links.c.id == row.link_id).values(**new))

    hub.store.step(step)


def _new_tags(connected: Connected, encoded: bytes, snap: Snapshot) -> frozenset[str]:
    tags = columns.base(encoded).tags
    return frozenset() if tags is None else connected.mapping.shown(snap).tags - tags.keys


def _added_by_us(connected: Connected, history: Sequence[HistoryRow]) -> frozenset[str]:
    """The tags that the hub was the last to add."""
    ours: frozenset[str] = frozenset()
    for row in history:
        for own in outcome.own_rows(connected, (row,)):
            ours = ours | own.add if row.ours else ours - own.add
    return ours
