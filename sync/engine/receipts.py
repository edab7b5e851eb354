"""The receipt of a delivery: the read-back becomes the snapshot, what landed becomes the base, all in one step."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import structs
from sqlalchemy import Connection, bindparam, insert, select, update

from connectors.errors import RemoteError
from sync.core.receipt import receive
from sync.core.state import Change, ItemState, Member, TagBase, Want
from sync.core.values import get
from sync.engine import adopt, columns, doubt, ingest, load, outcome, overwritten, parking, reread, rows
from sync.engine.columns import Base, Errand
from sync.engine.hub import Connected, Hub
from sync.engine.load import Linked
from sync.engine.outcome import Outcome
from sync.model import Snapshot
from sync.store.tables import deliveries, items, links, writes

if TYPE_CHECKING:
    from sync.engine.deliver import Sending


# Built once: building a statement costs several times its execution.
_LINK = select(links).where(links.c.id == bindparam("of"))
_BASE = update(links).where(links.c.id == bindparam("of")).values(base=bindparam("new"), version=links.c.version + 1)
_SETTLED = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("of"))
    .values(state="settled", settled_at=bindparam("at"), outcome=bindparam("how"), error="", want=bindparam("kept"))
)
_WRITES = insert(writes)


def take(hub: Hub, connected: Connected, sending: Sending, answer: Snapshot | None, read_no: int) -> None:
    """Take the answer of a write. An answer that does not show the record leaves its status and tags in doubt."""
    errand = sending.errand
    wants = errand.want is not None and bool(
        errand.want.status or errand.want.add or errand.want.remove or errand.want.set
    )
    if answer is None and wants:
        doubt.enter(hub, connected, sending.id, "the answer did not show the record", answered=True)
        return
    found: Outcome | None = None
    if answer is not None:
        try:
            found = outcome.of_answer(hub, connected, sending.ref, errand, answer, sending.id)
        except RemoteError as error:
            doubt.enter(hub, connected, sending.id, error.message)
            return
        if found is None:
            doubt.enter(hub, connected, sending.id, "the answer is older than the write", answered=True)
            return
    hub.store.step(lambda conn: _store(conn, hub, connected, sending, answer, found, read_no))


def _store(
    conn: Connection,
    hub: Hub,
    connected: Connected,
    sending: Sending,
    answer: Snapshot | None,
    found: Outcome | None,
    read_no: int,
) -> None:
    now, errand = hub.clock.now(), sending.errand
    if answer is not None:
        ingest.take(conn, hub, connected, [answer], read_no, why="receipt")
    link = conn.execute(_LINK, {"of": sending.link_id}).one()
    missed = found.missed if found is not None else ()
    if link.ended_at is None:
        item = load.whole(conn, hub, sending.item_id)
        one = item.by_link(sending.link_id)
        state, base, changes = land(item.state, one, load.member_of(hub, item, one), errand, found)
        if answer is not None and answer.overwrote:
            state, base, heard = overwritten.merge_again(conn, hub, item, one, answer, state, base)
            changes = (*changes, *heard)
        missed = _still_missed(errand, base, missed)
        note_changes(conn, hub, item.id, sending.record_id, changes)
        base = _count_misses(conn, hub, connected, sending, one, base, found, missed)
        base = reread.moved(one.base, base)
        if state != item.state:
            conn.execute(update(items).where(items.c.id == item.id).values(state=columns.encode(state)))
    else:
        base = columns.base(link.base)
        if not errand.farewell:
            # After a farewell it stands: a read that shows the link still, or again, makes nobody join anew.
            base = structs.replace(base, links=_links_after(base, errand))
        else:
            forget_shown(conn, now, sending.record_id, errand)
            base = _count_farewell(conn, hub, link, base, errand)
    conn.execute(_BASE, {"of": link.id, "new": columns.encode(base)})
    how, kept = "not shown" if missed else "delivered", columns.encode(columns.bare(errand))
    conn.execute(_SETTLED, {"of": sending.id, "at": now, "how": how, "kept": kept})
    note_writes(
        conn, hub, connected, sending.item_id, sending.link_id, sending.record_id, errand, sending.id, sending.cause
    )
    for name in errand.fields:
        # A link ends its park when a read shows it, a tag when the item is decided anew: each is parked for itself.
        if name not in missed and name != "tags" and not (name == "links" and errand.shows):
            parking.end(conn, hub, sending.link_id, name, "delivered")
    if link.ended_at is None:
        rows.mark(conn, [sending.item_id], now, sending.cause)
    else:
        adopt.plan_farewell(conn, hub, link.id)
    if (errand.changes.add_links or errand.changes.remove_links) and (answer is None or answer.links is None):
        rows.ask(conn, connected.id, [(sending.ref.kind, sending.ref.id)], now, "member")


def land(
    state: ItemState, one: Linked, member: Member, errand: Errand, found: Outcome | None
) -> tuple[ItemState, Base, tuple[Change, ...]]:
    """Move the bases by what took effect; what the remote made of a missed write is the base, never a user's edit."""
    base = structs.replace(one.base, links=_links_after(one.base, errand))
    if found is None:
        return state, base, ()
    received = receive(state, member, errand.want or Want(), found.landed)
    return (
        received.item,
        structs.replace(
            base,
            status=received.status_base,
            tags=kept(state, errand, received.tag_base),
            values=received.value_bases,
        ),
        received.changes,
    )


def kept(state: ItemState, errand: Errand, tags: TagBase | None) -> TagBase | None:
    """A tag that a plan took from a record although its item has it still: the record is not told it once more."""
    if tags is None or not errand.planned or errand.want is None:
        return tags
    still = errand.want.remove & state.tags.keys()
    return structs.replace(tags, had=tags.had | still, waived=tags.waived | still)


def forget_shown(conn: Connection, now: datetime, record_id: int, errand: Errand) -> None:
    """A record that was linked again while its farewell was under way: what we took away nobody removed by hand."""
    again = rows.active_link(conn, record_id)
    if again is None:
        return
    base = columns.base(again.base)
    known = structs.replace(base.links, shown=base.links.shown - errand.hides)
    conn.execute(_BASE, {"of": again.id, "new": columns.encode(structs.replace(base, links=known))})
    rows.mark(conn, [again.item_id], now)


def _count_farewell(conn: Connection, hub: Hub, link: Any, base: Base, errand: Errand) -> Base:
    """A last write that was answered well and is not kept is made again a few times, then left."""
    left = adopt.farewell(conn, hub, link)
    kept = frozenset[str]() if left is None else left.hides & errand.hides
    names = {adopt.farewell_of(each): base.misses.get(adopt.farewell_of(each), 0) + 1 for each in sorted(kept)}
    return structs.replace(base, misses={**base.misses, **names})


def _links_after(base: Base, errand: Errand) -> columns.LinksBase:
    known = base.links
    return structs.replace(
        known,
        shown=known.shown - errand.hides,
        hoped=(known.hoped | (errand.shows - known.shown)) - errand.hides,
        hiding=(known.hiding | errand.hides) - errand.shows,
        noted=known.noted | errand.noted,
    )


def _still_missed(errand: Errand, base: Base, missed: tuple[str, ...]) -> tuple[str, ...]:
    """A status that landed elsewhere and may rest there has been heard: nothing is missing."""
    want, status = errand.want, base.status
    if want is None or status is None or not want.final or status.heard < want.said:
        return missed
    return tuple(name for name in missed if name != "status")


def note_changes(conn: Connection, hub: Hub, item_id: int, record_id: int, changes: tuple[Change, ...]) -> None:
    """Journal what a receipt changed about the item."""
    rows.note_journal(
        conn,
        [
            {
                "at": hub.clock.now(),
                "item_id": item_id,
                "field": change.field,
                "old": change.old,
                "new": change.new,
                "record_id": record_id,
                "rule": change.rule,
            }
            for change in changes
        ],
    )


def _count_misses(
    conn: Connection,
    hub: Hub,
    connected: Connected,
    sending: Sending,
    one: Linked,
    base: Base,
    found: Outcome | None,
    missed: tuple[str, ...],
) -> Base:
    """A write that is answered well and not shown is tried a few times, then parked with both values."""
    told = (*sending.errand.fields, "conflict")
    misses = {name: count for name, count in base.misses.items() if name not in told}
    if "links" in base.misses:  # told by the read that follows, never by the answer
        misses["links"] = base.misses["links"]
    for name in missed:
        count = base.misses.get(name, 0) + 1
        if count < hub.settings.miss_limit:
            misses[name] = count
            continue
        assert found is not None  # only a found outcome has missed fields
        base = parking.park_ignored(
            conn,
            hub,
            connected,
            base,
            sending.errand,
            name,
            count,
            item_id=sending.item_id,
            link_id=sending.link_id,
            delivery_id=sending.id,
            snap=one.snap,
            landed=found.landed,
        )
    return structs.replace(base, misses=misses, put_off=None, solo=False if not missed else base.solo)


def values_of(errand: Errand) -> Iterator[tuple[str, str]]:
    """What a delivery writes, value by value, as the breaker counts it."""
    want = errand.want or Want()
    if want.status is not None:
        yield "status", want.status
    for key in sorted(want.add):
        yield "tags", f"+{key}"
    for key in sorted(want.remove):
        yield "tags", f"-{key}"
    yield from sorted(want.set.items())


def note_writes(
    conn: Connection,
    hub: Hub,
    connected: Connected,
    item_id: int,
    link_id: int,
    record_id: int,
    errand: Errand,
    delivery_id: str,
    cause: str,
) -> None:
    """Record what was written: for the breaker, and for "why did this change?"."""
    now = hub.clock.now()
    values = list(values_of(errand))
    if values:
        conn.execute(
            _WRITES,
            [
                {
                    "at": now,
                    "connection_id": connected.id,
                    "link_id": link_id,
                    "field": name,
                    "value": value,
                    "cause": cause,
                    "delivery_id": delivery_id,
                }
                for name, value in values
            ],
        )
    told = [(name, _for_people(connected, name, value)) for name, value in values]
    told = [*told, *(("links", text) for text in [parking.wanted_text(errand, "links")] if text)]
    rows.note_journal(
        conn,
        [
            {
                "at": now,
                "item_id": item_id,
                "field": name,
                "new": value,
                "record_id": record_id,
                "actor": "hypercare",
                "rule": f"written: {cause}" if cause else "written",
                "delivery_id": delivery_id,
            }
            for name, value in told
        ],
    )


def _for_people(connected: Connected, name: str, value: str) -> str:
    """A written value as the journal keeps it: of an owner the key, since a journal holds nothing personal."""
    if name != "owner":
        return value
    return get(connected.mapping.value_rules[name], value) or "somebody"
