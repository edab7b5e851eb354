"""Who belongs to an item: records that were merged or deleted leave, links made or removed by hand are followed.

Leaving and joining move nobody's status and remove nobody's tags; that is the core's law. Here only rows move.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from msgspec import structs
from sqlalchemy import Connection, bindparam, select, update

from sync.core.reasons import ParkReason
from sync.engine import adopt, columns, ingest, parking, rows
from sync.engine.columns import Base
from sync.engine.hub import Hub
from sync.engine.load import Linked, Whole
from sync.model import Direction, Role
from sync.store.tables import holds, links

if TYPE_CHECKING:
    from sync.mapping.compiled import Mapping as CompiledMapping


@dataclass(frozen=True)
class Movement:
    """What must move before the item can be decided. Rows by link id; joins as (member, record row id).

    kept, unkept: of the records that a member was made to show, those that a read has shown since, and those it lacks.
    hidden, unhidden: of those that it was made to show no more, those that are gone, and those that are still there.
    """

    gone: tuple[Linked, ...] = ()
    unlinked: tuple[tuple[Linked, str], ...] = ()
    joins: tuple[tuple[Linked, int], ...] = ()
    unknown: tuple[tuple[Linked, int, str, str], ...] = ()
    forget: tuple[Linked, ...] = ()
    kept: tuple[tuple[Linked, frozenset[str]], ...] = ()
    unkept: tuple[tuple[Linked, frozenset[str]], ...] = ()
    hidden: tuple[tuple[Linked, frozenset[str]], ...] = ()
    unhidden: tuple[tuple[Linked, frozenset[str]], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing moves."""
        told = self.gone or self.unlinked or self.joins or self.unknown or self.forget
        return not (told or self.kept or self.unkept or self.hidden or self.unhidden)


def movement(item: Whole, braked: frozenset[int]) -> Movement:
    """What the members' own records say about who belongs together. `braked`: whose absences are doubted."""
    gone = tuple(one for one in item.linked if one.presence in ("merged", "gone") and one.connected.id not in braked)
    staying = [one for one in item.linked if one not in gone]
    members = {str(one.record_id) for one in item.linked}
    unlinked: list[tuple[Linked, str]] = []
    joins: list[tuple[Linked, int]] = []
    unknown: list[tuple[Linked, int, str, str]] = []
    kept: list[tuple[Linked, frozenset[str]]] = []
    unkept: list[tuple[Linked, frozenset[str]]] = []
    hidden: list[tuple[Linked, frozenset[str]]] = []
    unhidden: list[tuple[Linked, frozenset[str]]] = []
    for one in staying:
        if not one.fresh or not shows_links(one):
            continue
        known = one.base.links
        # Read or shown in another way since: what it does not show any more was taken away by the edit, by no hand.
        unseen = known.way not in ("", way(one)) or not reads_links(one)
        for record in () if unseen else sorted(known.shown - one.shows, key=int):
            left = _leaver(staying, one, record)
            if left is not None and not _being_written(one, record) and record in members:
                unlinked.append((left, f"unlinked on {one.connected.name}"))
        for _, record_id, there, text in one.references:
            if record_id is None and text not in known.unknown:
                unknown.append((one, there.id, there.kind, text))
            elif record_id is not None and str(record_id) not in _known(one) | members:
                joins.append((one, record_id))
        if unseen:
            continue
        if seen := _awaited(one) & one.shows & members - known.shown:
            kept.append((one, seen))
        if lacking := frozenset(each for each in known.hoped - one.shows if not _being_written(one, each)):
            unkept.append((one, lacking))
        left_over = known.hiding & one.shows - members
        if gone_now := known.hiding - left_over:
            hidden.append((one, gone_now))
        if still := frozenset(each for each in left_over if not _being_written(one, each)):
            unhidden.append((one, still))
    forget = tuple(one for one in staying if one.base.links.unknown and not _names_unknown(one))
    return Movement(
        gone=gone,
        unlinked=tuple(dict(unlinked_by(unlinked)).values()),
        joins=tuple(joins),
        unknown=tuple(unknown),
        forget=forget,
        kept=tuple(kept),
        unkept=tuple(unkept),
        hidden=tuple(hidden),
        unhidden=tuple(unhidden),
    )


def _known(one: Linked) -> frozenset[str]:
    """The records of which it is no news that a member shows them."""
    known = one.base.links
    return known.shown | known.hoped | known.hiding | known.elsewhere


def _awaited(one: Linked) -> frozenset[str]:
    """What a read may show at last: what we wrote, and what was given up because writing it never helped."""
    known = one.base.links
    if one.connected.mapping.links_show == "note" or one.connected.only_looks:
        return known.hoped
    return known.hoped | known.noted


def shows_links(one: Linked) -> bool:
    """The stored snapshot tells which links the record shows: it was read with them, or they stand in a field."""
    return one.snap.links is not None or one.connected.mapping.links_show == "field"


def reads_links(one: Linked) -> bool:
    """The mapping reads links from this record; where it only shows them, what is shown is known from our writes."""
    return one.connected.mapping.links_direction not in (Direction.OUT, Direction.OFF)


def way(one: Linked) -> str:
    """How the mapping has links shown, and where it reads them."""
    return _way(one.connected.mapping)


@lru_cache(maxsize=64)
def _way(mapping: CompiledMapping) -> str:
    read = (*mapping.link_fields, *(pattern.text for pattern in mapping.link_patterns))
    parts = (mapping.links_show, mapping.links_field, mapping.links_direction.value, *read)
    return " ".join(part for part in parts if part)[:500]


def unlinked_by(found: Sequence[tuple[Linked, str]]) -> list[tuple[int, tuple[Linked, str]]]:
    """One departure a member, whichever side said so first."""
    return [(one.link_id, (one, why)) for one, why in reversed(found)]


def _leaver(staying: Sequence[Linked], one: Linked, record: str) -> Linked | None:
    """Which of two records leaves when the link between them is removed by hand: never the tracker's issue."""
    other = next((each for each in staying if str(each.record_id) == record), None)
    if other is None:
        return None
    return other if one.connected.role is Role.TRACKER else one


def _being_written(one: Linked, record: str) -> bool:
    """True while our own write that shows or hides the record is under way."""
    return one.open is not None and record in one.open.errand.shows | one.open.errand.hides


def _names_unknown(one: Linked) -> bool:
    texts = {text for _, record_id, _, text in one.references if record_id is None}
    return bool(texts & one.base.links.unknown)


def move(conn: Connection, hub: Hub, item: Whole, moved: Movement) -> None:
    """Carry a movement out, inside one step. The items touched are marked and decided again."""
    now = hub.clock.now()
    touched = {item.id}
    for one in moved.gone:
        row = rows.active_link(conn, one.record_id)
        if row is None or row.id != one.link_id:
            continue
        adopt.end_link(conn, hub, row, one.presence)
        into = ingest.merged_into(one.snap)
        survivor = rows.find_record(conn, one.connected.id, into) if into else None
        if survivor is not None and survivor.presence == "present":
            touched |= _join_survivor(conn, hub, item, survivor.id)
    for one, why in moved.unlinked:
        row = rows.active_link(conn, one.record_id)
        if row is not None and row.id == one.link_id:
            adopt.end_link(conn, hub, row, why)
    for one, record_id in moved.joins:
        if rows.active_link(conn, one.record_id) is None:
            continue
        other = rows.record_row(conn, record_id)
        if other.presence == "present":
            touched |= adopt.join(conn, hub, one.record_id, record_id, made_by="shown")
        if _together(conn, one.record_id, record_id):
            _remember(conn, one, shown=str(record_id))
        else:
            _remember(conn, one, elsewhere=str(record_id))
    for one, connection_id, kind, text in moved.unknown:
        rows.ask(conn, connection_id, [(kind, text)], now, "member", asker=one.record_id)
        _remember(conn, one, unknown=text)
    for one in moved.forget:
        _remember(conn, one, forget=True)
    for one, seen in moved.kept:
        _keep(conn, hub, one, seen)
    for one, lacking in moved.unkept:
        _miss(conn, hub, item, one, lacking)
    for one, gone in moved.hidden:
        known = _base(conn, one).links
        _store(conn, one, structs.replace(_base(conn, one), links=structs.replace(known, hiding=known.hiding - gone)))
    for one, still in moved.unhidden:
        _not_hidden(conn, hub, item, one, still)
    rows.mark(conn, touched, now, item.cause)


def _keep(conn: Connection, hub: Hub, one: Linked, seen: frozenset[str]) -> None:
    """What a member was made to show is shown: from now on it is missed when somebody removes it."""
    base = _base(conn, one)
    known = structs.replace(base.links, shown=base.links.shown | seen, hoped=base.links.hoped - seen)
    misses = {name: count for name, count in base.misses.items() if name != "links"}
    _store(conn, one, structs.replace(base, links=known, misses=misses))
    parking.end(conn, hub, one.link_id, "links", "shown")


def _miss(conn: Connection, hub: Hub, item: Whole, one: Linked, lacking: frozenset[str]) -> None:
    """A link that was answered well and is not there is written again a few times, then left to a person."""
    base = _base(conn, one)
    known = structs.replace(base.links, hoped=base.links.hoped - lacking)
    others = [each for each in item.linked if str(each.record_id) in lacking]
    misses = dict(base.misses)
    if others and not one.connected.only_looks:
        misses["links"] = misses.get("links", 0) + 1
        if misses["links"] >= hub.settings.miss_limit:
            count = misses.pop("links")
            known = structs.replace(known, noted=known.noted | {str(each.record_id) for each in others})
            names = [each.ref.key or each.ref.id for each in others]
            field = one.connected.mapping.links_field if one.connected.mapping.links_show == "field" else ""
            parking.park(
                conn,
                hub,
                one.connected,
                item.id,
                one.link_id,
                "links",
                ParkReason.WRITE_IGNORED,
                wanted="; ".join(f"{field}={name}" if field else f"show {name}" for name in names),
                shown=" ".join(text for _, _, _, text in one.references),
                detail=f"{one.connected.name} answered well {count} times and did not keep the link",
            )
    _store(conn, one, structs.replace(base, links=known, misses=misses))


def _not_hidden(conn: Connection, hub: Hub, item: Whole, one: Linked, still: frozenset[str]) -> None:
    """A link that was taken away, answered well, and is still there: taken away again a few times, then left."""
    base = _base(conn, one)
    known = structs.replace(base.links, hiding=base.links.hiding - still)
    misses = {**base.misses, "links": base.misses.get("links", 0) + 1}
    if misses["links"] < hub.settings.miss_limit:
        _store(conn, one, structs.replace(base, links=structs.replace(known, shown=known.shown | still), misses=misses))
        return
    count = misses.pop("links")
    known = structs.replace(known, elsewhere=known.elsewhere | still)
    there = [shown.target for shown, record_id, _, _ in one.references if str(record_id) in still]
    parking.park(
        conn,
        hub,
        one.connected,
        item.id,
        one.link_id,
        "links",
        ParkReason.WRITE_IGNORED,
        wanted="; ".join(f"hide {each}" for each in there),
        shown=" ".join(there),
        detail=f"{one.connected.name} answered well {count} times and kept the link",
    )
    _store(conn, one, structs.replace(base, links=known, misses=misses))


_BASE = select(links.c.base).where(links.c.id == bindparam("of"))
_STORE = (
    update(links).where(links.c.id == bindparam("of")).values(base=bindparam("now_base"), version=links.c.version + 1)
)


def _base(conn: Connection, one: Linked) -> Base:
    return columns.base(conn.execute(_BASE, {"of": one.link_id}).scalar_one())


def _store(conn: Connection, one: Linked, base: Base) -> None:
    conn.execute(_STORE, {"of": one.link_id, "now_base": columns.encode(base)})


def _together(conn: Connection, record_id: int, other_id: int) -> bool:
    mine, theirs = rows.active_link(conn, record_id), rows.active_link(conn, other_id)
    return mine is not None and theirs is not None and mine.item_id == theirs.item_id


def take_place(conn: Connection, hub: Hub, merged: Any, survivor_id: int) -> set[int]:
    """Let the survivor of a merge, read only now, into the item that the merged record has left. The items touched."""
    last = rows.last_link(conn, merged.id)
    if last is None or last.ended_at is None or last.ended_why != "merged":
        return set()
    link = rows.active_link(conn, survivor_id)
    if link is None:
        adopt.add_link(conn, hub, last.item_id, survivor_id, "merge")
        return {last.item_id}
    if link.item_id == last.item_id:
        return set()
    anchor = conn.execute(
        select(links.c.record_id).where(links.c.item_id == last.item_id, links.c.ended_at.is_(None)).limit(1)
    ).scalar()
    if anchor is None:
        adopt.bring_creates(conn, hub, last.item_id, link.item_id)
        return {last.item_id, link.item_id}
    return adopt.join(conn, hub, anchor, survivor_id, made_by="merge")


def _join_survivor(conn: Connection, hub: Hub, item: Whole, record_id: int) -> set[int]:
    """The survivor of a merge joins, unless it is a member already. It never brings a second tracker issue in."""
    link = rows.active_link(conn, record_id)
    if link is None:
        adopt.add_link(conn, hub, item.id, record_id, "merge")
        return {item.id}
    if link.item_id == item.id:
        return {item.id}
    anchor = next((one for one in item.linked if one.presence == "present"), None)
    if anchor is None:
        adopt.bring_creates(conn, hub, item.id, link.item_id)
        return {item.id, link.item_id}
    return {item.id} | adopt.join(conn, hub, anchor.record_id, record_id, made_by="merge")


def _remember(
    conn: Connection,
    one: Linked,
    *,
    shown: str | None = None,
    elsewhere: str | None = None,
    unknown: str | None = None,
    forget: bool = False,
) -> None:
    base = _base(conn, one)
    known = base.links
    if shown is not None:
        known = structs.replace(known, shown=known.shown | {shown})
    if elsewhere is not None:
        known = structs.replace(known, elsewhere=known.elsewhere | {elsewhere})
    if unknown is not None:
        known = structs.replace(known, unknown=known.unknown | {unknown})
    if forget:
        known = structs.replace(known, unknown=frozenset())
    _store(conn, one, structs.replace(base, links=known))


_BRAKED = select(holds.c.connection_id).where(holds.c.reason == "mass_missing", holds.c.released_at.is_(None))


def braked(conn: Connection) -> frozenset[int]:
    """The connections whose missing records are not believed until a person has looked."""
    return frozenset(conn.execute(_BRAKED).scalars())
