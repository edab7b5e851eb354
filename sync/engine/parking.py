"""What waits for a person: one row of `parked` a field, and the base that keeps it from being tried for ever."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import structs
from sqlalchemy import Connection, bindparam, insert, select, update

from sync.core.reasons import ParkReason
from sync.core.state import Shown, StatusBase, TagBase, ValueBase
from sync.engine import columns
from sync.engine.columns import Base, Errand
from sync.engine.hub import Connected, Hub
from sync.model import Move, Snapshot
from sync.store.tables import links, parked

if TYPE_CHECKING:
    from sync.engine.load import Linked

TRIED_AGAIN = "tried again"
"""How a park ended that a person had tried once more."""


def park(
    conn: Connection,
    hub: Hub,
    connected: Connected,
    item_id: int,
    link_id: int | None,
    field: str,
    reason: ParkReason,
    *,
    wanted: str,
    shown: str,
    detail: str,
    delivery_id: str | None = None,
) -> None:
    """Park one field of one record, or a create (no link). Parking the same again changes nothing but the words."""
    now = hub.clock.now()
    same = (parked.c.item_id == item_id, parked.c.field == field, parked.c.ended_at.is_(None))
    where = (*same, parked.c.link_id.is_(None) if link_id is None else parked.c.link_id == link_id)
    known = conn.execute(select(parked).where(*where)).first()
    values = {
        "reason": reason.value,
        "wanted": wanted,
        "shown": shown,
        "detail": detail,
        "delivery_id": delivery_id,
        "connection_id": connected.id,
    }
    if known is not None:
        if field == "tags":  # each tag is parked for itself
            values["wanted"] = " ".join(dict.fromkeys([*known.wanted.split(), *wanted.split()]))
        conn.execute(update(parked).where(parked.c.id == known.id).values(**values))
        return
    conn.execute(insert(parked).values(item_id=item_id, link_id=link_id, field=field, since=now, **values))
    hub.tell("parked", connection=connected.name, item=item_id, field=field, reason=reason.value)


def settle_tags(conn: Connection, row: Any, tags: frozenset[str], shown: frozenset[str], now: datetime) -> None:
    """Keep of an open park of tags what the record still lacks, or shows too much; end one of which nothing is left.

    row: of `parked`; its `wanted` is spelled as in `wanted_text`.
    """
    words = row.wanted.split()
    still = [
        word
        for word in words
        if (word[1:] in tags) is word.startswith("+") and (word[1:] in shown) is word.startswith("-")
    ]
    if still == words:
        return
    values = {"wanted": " ".join(still)} if still else {"ended_at": now, "ended_how": "settled by a newer plan"}
    conn.execute(update(parked).where(parked.c.id == row.id).values(**values))


_END = (
    update(parked)
    .where(parked.c.link_id == bindparam("of"), parked.c.field == bindparam("name"), parked.c.ended_at.is_(None))
    .values(ended_at=bindparam("at"), ended_how=bindparam("how"))
)


def end(conn: Connection, hub: Hub, link_id: int, field: str, how: str) -> None:
    """What was parked is not any more."""
    conn.execute(_END, {"of": link_id, "name": field, "at": hub.clock.now(), "how": how})


def park_ignored(
    conn: Connection,
    hub: Hub,
    connected: Connected,
    base: Base,
    errand: Errand,
    field: str,
    count: int,
    *,
    item_id: int,
    link_id: int,
    delivery_id: str,
    snap: Snapshot,
    landed: Shown,
) -> Base:
    """Park a field whose write was answered well `count` times and not kept; the base that rests on that.

    snap: the record as it was decided on, or as read since. landed: what it showed after the last write.
    """
    base = settle_base(base, errand, field, ParkReason.WRITE_IGNORED, snap, connected)
    if field == "status" and base.status is not None and errand.want is not None:
        resting = structs.replace(
            base.status, parked=(errand.want.said, landed.raw), park_reason=ParkReason.WRITE_IGNORED
        )
        base = structs.replace(base, status=resting)
    park(
        conn,
        hub,
        connected,
        item_id,
        link_id,
        field,
        ParkReason.WRITE_IGNORED,
        wanted=wanted_text(errand, field),
        shown=_of(landed, field),
        detail=f"{connected.name} answered well {count} times and did not keep the value",
        delivery_id=delivery_id,
    )
    return base


def settle_base(
    base: Base, errand: Errand, field: str, reason: ParkReason, snap: Snapshot, connected: Connected
) -> Base:
    """A base that rests on what the record shows: the same write is not planned again until something changes."""
    want = errand.want
    if field == "status" and base.status is not None and want is not None:
        raw = connected.mapping.shown(snap).raw
        status = structs.replace(base.status, parked=(want.said, raw), park_reason=reason)
        return structs.replace(base, status=status)
    if field == "tags" and base.tags is not None and want is not None:
        return structs.replace(base, tags=structs.replace(base.tags, had=(base.tags.had | want.add) - want.remove))
    if want is not None and field in want.set:
        shown = connected.mapping.shown(snap).values.get(field, "")
        heard = want.set_said.get(field, 0)
        return structs.replace(base, values={**base.values, field: ValueBase(raw=shown, heard=heard)})
    if field == "links":
        known = base.links
        return structs.replace(
            base,
            links=structs.replace(
                # What was refused is not shown, so a read without it is no link that somebody removed.
                known,
                shown=known.shown - errand.hides,
                noted=known.noted | errand.noted | errand.shows,
            ),
        )
    return base


def try_again(conn: Connection, hub: Hub, link_id: int, field: str) -> None:
    """Forget that a field was parked: the next pass plans it anew."""
    row = conn.execute(select(links).where(links.c.id == link_id)).one()
    base = columns.base(row.base)
    status, tags = base.status, base.tags
    if field == "status" and status is not None:
        status = structs.replace(status, parked=None, park_reason=None)
    if field == "tags" and tags is not None:
        open_now = (parked.c.link_id == link_id, parked.c.field == field, parked.c.ended_at.is_(None))
        words = (conn.execute(select(parked.c.wanted).where(*open_now)).scalar() or "").split()
        lacks = frozenset(word[1:] for word in words if word.startswith("+"))
        keeps = frozenset(word[1:] for word in words if word.startswith("-"))  # it has taken those in and shows them
        # No other tag is touched: what its user took off, or an edit of the mapping waived, stays off.
        tags = TagBase(
            keys=tags.keys,
            had=(tags.had - lacks) | (keeps & tags.keys),
            waived=tags.waived - lacks,
            owed=tags.owed | lacks,  # also when the mapping is edited before it is planned
        )
    values = dict(base.values)
    if field in values:
        values[field] = structs.replace(values[field], heard=-1)
    links_base = structs.replace(base.links, noted=frozenset()) if field == "links" else base.links
    renewed = structs.replace(base, status=status, tags=tags, values=values, links=links_base, misses={}, solo=False)
    conn.execute(
        update(links).where(links.c.id == link_id).values(base=columns.encode(renewed), version=links.c.version + 1)
    )
    end(conn, hub, link_id, field, TRIED_AGAIN)


def skip(conn: Connection, hub: Hub, link_id: int, field: str, why: str) -> None:
    """Leave the record as it is: what the item said counts as heard."""
    row = conn.execute(select(links).where(links.c.id == link_id)).one()
    base = columns.base(row.base)
    status = base.status
    if field == "status" and status is not None and status.parked is not None:
        status = StatusBase(
            raw=status.raw, heard=status.parked[0], side=status.side, aside=True, parked=None, park_reason=None
        )
        base = structs.replace(base, status=status, misses={})
        conn.execute(
            update(links).where(links.c.id == link_id).values(base=columns.encode(base), version=links.c.version + 1)
        )
    end(conn, hub, link_id, field, f"skipped: {why}"[:64])


def no_way(one: Linked, wanted: str) -> tuple[ParkReason, str]:
    """Why no step leads to a status: a screen field that nobody fills in, named with its step, or nothing at all."""
    mapping = one.connected.mapping
    ways: dict[str, tuple[Move, ...]] = {one.shown.raw: ()}
    queue = [one.shown.raw]
    while queue:
        at = queue.pop(0)
        for move in one.moves.get(at, ()):
            if move.to not in ways and not mapping.forbids(at, move):
                ways[move.to] = (*ways[at], move)
                queue.append(move.to)
    for move in ways.get(wanted, ()):
        missing = mapping.missing_fields(move)
        if missing:
            names = ", ".join(missing)
            detail = f"the step {move.name!r} asks for {names}: give a value under `transitions` in the mapping"
            return ParkReason.REQUIRED_FIELD, detail
    return ParkReason.NO_PATH, f"no step of the workflow leads from {one.shown.raw} to {wanted}"


def cannot_be_read(
    conn: Connection, hub: Hub, connected: Connected, link: Any, reason: ParkReason, detail: str
) -> None:
    """Park a whole record: what is to be written to it waits until it can be read. Ends by itself then."""
    park(conn, hub, connected, link.item_id, link.id, "record", reason, wanted="", shown="", detail=detail)


def wanted_text(errand: Errand, field: str) -> str:
    """What a delivery wanted of one field, for people."""
    want = errand.want
    if field == "status" and want is not None:
        return want.target or want.status or ""
    if field == "tags" and want is not None:
        return " ".join([*(f"+{key}" for key in sorted(want.add)), *(f"-{key}" for key in sorted(want.remove))])
    if want is not None and field in want.set:
        return want.set[field]
    changes = errand.changes
    kept = set(want.set.values()) if want is not None else set()  # fields of their own, told under their names
    return "; ".join(
        [
            *(f"show {link.key or link.id}" for link in changes.add_links),
            *(f"hide {link.target}" for link in changes.remove_links),
            *(f"{name}={value}" for name, value in sorted(changes.set.items()) if value not in kept),
            *(["a note"] if changes.note else []),
        ]
    )


def shown_text(connected: Connected, snap: Snapshot, field: str) -> str:
    """What a record shows of one field, for people."""
    return _of(connected.mapping.shown(snap), field)


def _of(shown: Shown, field: str) -> str:
    if field == "status":
        return shown.raw
    if field == "tags":
        return " ".join(sorted(shown.tags))
    return shown.values.get(field, "")
