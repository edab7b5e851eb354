"""After a restore: what the hub itself did to a record since the backup is no user's edit.

The database has forgotten it; the record's own change history tells who did what. It is asked once, at the first
reading of a record that differs from the backup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, structs
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
        records.c.read_no < bindparam("first"),
    )
)


def forgotten(hub: Hub, connected: Connected, snapshots: Mapping[str, Snapshot]) -> list[Any]:
    """Of records that have just been read: those that the backup knows otherwise."""
    if connected.capabilities is not None and not connected.capabilities.history:
        return []
    with hub.store.read() as conn:
        first = marker.first_read(conn)
        if first is None:
            return []
        known = {"of": connected.id, "sort": connected.kind, "first": first}
        found = [row for piece in chunks(list(snapshots)) for row in conn.execute(_UNREAD, {**known, "named": piece})]
    return [row for row in found if _differs(connected, row, snapshots[row.remote_id])]


def recognise(hub: Hub, connected: Connected, row: Any, snap: Snapshot) -> None:
    """Take what the hub did to a record since the backup for known: nobody has just done it.

    Tags that it added are not counted as the item's: whoever brought them shows them still, or has gone with what was
    brought, and nothing that is missing removes anything. What users took off, and a status that the hub set, are for
    the decision (`sync.engine.recalled`). Raises RemoteError; RateLimited when the budget of histories is used up.
    """
    wait = hub.budgets.take(connected.id, connected.draws(Act.HISTORY))
    if wait:
        raise RateLimited("the budget of histories is used up", retry_after=wait)
    done = _done(connected, connected.remote().history(snap.ref, row.version))
    shown = connected.mapping.shown(snap)

    def step(conn: Connection) -> None:
        base = before = columns.base(conn.execute(select(links.c.base).where(links.c.id == row.link_id)).scalar_one())
        if base.tags is not None:
            tags = base.tags
            ours = (done.added & shown.tags) - tags.keys
            base = structs.replace(
                base,
                tags=structs.replace(tags, keys=tags.keys | ours),
                put_on=base.put_on | ours,
                taken_off=done.taken_off - shown.tags - tags.keys,
                went=done.went - shown.tags,
            )
        if base.status is not None and done.status.casefold() == shown.raw.casefold() != base.status.raw.casefold():
            base = structs.replace(base, put_there=shown.raw)
        if base.status is not None and done.since and done.since.casefold() == shown.raw.casefold():
            base = structs.replace(base, moved_from=done.moved_from)
        if base.status is not None and done.been:
            base = structs.replace(base, been=done.been | {base.status.raw})
        if base != before:
            new = {"base": columns.encode(reread.moved(before, base)), "version": links.c.version + 1}
            conn.execute(update(links).where(links.c.id == row.link_id).values(**new))

    hub.store.step(step)


def _differs(connected: Connected, row: Any, snap: Snapshot) -> bool:
    tags = columns.base(row.base).tags
    return row.version != snap.version or (tags is not None and connected.mapping.shown(snap).tags != tags.keys)


class _Done(Struct, frozen=True, kw_only=True):
    """What the hub was the last to do. added: tags. taken_off: those that it had added and a user removed since.

    status: the raw value that it set, empty where it did not. moved_from: one that it set before its users set another
    one, since; both empty where they did not. been: every value set. went: tags that a user was the last to remove.
    """

    added: frozenset[str] = frozenset()
    taken_off: frozenset[str] = frozenset()
    went: frozenset[str] = frozenset()
    status: str = ""
    moved_from: str = ""
    since: str = ""
    been: frozenset[str] = frozenset()


def _done(connected: Connected, history: Sequence[HistoryRow]) -> _Done:
    done = _Done()
    for row in history:
        for own in outcome.own_rows(connected, (row,)):
            gone = frozenset[str]() if row.ours else own.remove
            done = _Done(
                added=done.added | own.add if row.ours else done.added - own.add - own.remove,
                taken_off=(done.taken_off | (done.added & gone)) - own.add,
                went=(done.went | gone) - own.add,
                status=done.status,
                moved_from=done.moved_from,
                since=done.since,
                been=done.been,
            )
            if own.status is not None:
                done = _set(done, own.status, ours=row.ours)
    return done


def _set(done: _Done, status: str, *, ours: bool) -> _Done:
    been = done.been | {status}
    if ours:
        return structs.replace(done, status=status, moved_from="", since="", been=been)
    before = done.status or done.moved_from
    return structs.replace(done, status="", moved_from=before, since=status if before else "", been=been)
