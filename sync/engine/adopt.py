"""Which item a record belongs to: links found in records, routes, and what a person asks for.

A record gets an item only when a link, a route or a person asks for one. All functions run inside one step.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from msgspec import structs
from sqlalchemy import Connection, bindparam, insert, select, update

from sync.core.reasons import ConflictKind, ParkReason
from sync.core.state import ItemState
from sync.engine import brakes, columns, parking, rows, shadow
from sync.engine.columns import Base, Errand, LinksBase
from sync.engine.hub import Connected, Hub, Mode
from sync.mapping.routes import Act, Route
from sync.model import Changes, LinkShown, LinkVia, Role, Snapshot
from sync.store.tables import conflicts, deliveries, items, links, parked, records, related


def adopt(
    conn: Connection,
    hub: Hub,
    connected: Connected,
    record_id: int,
    snap: Snapshot,
    *,
    waited: bool = False,
    cause: str = "",
) -> set[int]:
    """Give a record without an item one, if a link it shows or a route asks for it. Returns the items touched.

    waited: the record that it goes on from was asked for before; if it is not known by now, it cannot be read.
    cause: of what is created, where a person asked for it.
    """
    if rows.active_link(conn, record_id) is not None:
        return set()
    touched: set[int] = set()
    before = former_links(conn, record_id)
    for _, other_connection, reference in references(hub, connected, snap):
        other = rows.find_record(conn, other_connection.id, reference)
        if other is None:
            rows.ask(
                conn,
                other_connection.id,
                [(other_connection.kind, reference)],
                hub.clock.now(),
                "member",
                asker=record_id,
            )
        elif str(other.id) not in before and other.presence == "present":
            touched |= join(conn, hub, record_id, other.id, made_by="shown")
    if not touched and snap.follows and rows.last_link(conn, record_id) is None:
        source = rows.find_record(conn, connected.id, snap.follows)
        lost = waited and not _is_asked_for(conn, connected, snap.follows)
        if source is None and _is_new(connected, snap) and not lost:
            _wait_for_source(conn, hub, connected, snap)
            return set()
        home = rows.active_link(conn, source.id) if source is not None else None
        if home is not None:
            add_link(conn, hub, home.item_id, record_id, "follow-up")
            touched.add(home.item_id)
    if not touched and rows.last_link(conn, record_id) is None:
        # Once only: a record that somebody took out of its item had its counterpart, and gets no second one.
        touched |= _route(conn, hub, connected, record_id, snap, cause)
    return touched


def _wait_for_source(conn: Connection, hub: Hub, connected: Connected, snap: Snapshot) -> None:
    """The closed record that a follow-up goes on from is read first: its item is the follow-up's, and no route is."""
    now = hub.clock.now()
    if not _is_asked_for(conn, connected, snap.follows):
        rows.ask(conn, connected.id, [(connected.kind, snap.follows)], now, "member")
    rows.ask(conn, connected.id, [(connected.kind, snap.ref.id)], now, "follow", not_before=now + _PATIENCE)


def _is_asked_for(conn: Connection, connected: Connected, remote_id: str) -> bool:
    return rows.is_asked_for(conn, connected.id, remote_id)


def former_links(conn: Connection, record_id: int) -> frozenset[str]:
    """What the record showed when it last left an item: showing it still is not a new link."""
    row = rows.last_link(conn, record_id)
    if row is None:
        return frozenset()
    known = columns.base(row.base).links
    return known.shown | known.hoped


def references(hub: Hub, connected: Connected, snap: Snapshot) -> Iterator[tuple[LinkShown, Connected, str]]:
    """The records of other connections that a snapshot names: (as shown, connection, key or id).

    Where the remote tells the immutable id too, that is what counts: a moved record's key changes, perhaps to one that
    we do not know yet, or of a place that we do not read.
    """
    wanted = (Role.HELPDESK, Role.SIGNAL) if connected.role is Role.TRACKER else (Role.TRACKER,)
    others = [other for other in hub.connections.values() if other.role in wanted]
    for shown, text in connected.mapping.references(snap):
        for other in others:
            if reference := other.parse_reference(text) or (shown.id if len(others) == 1 else ""):
                yield shown, other, shown.id or reference
                break


# Built once: building a statement costs several times its execution.
_ITEM = insert(items)
_MEMBER = insert(links)
_LINK = select(links).where(links.c.id == bindparam("of"))
_UNCERTAIN = (
    select(deliveries.c.id)
    .where(
        rows.of_open(bindparam("to")),
        deliveries.c.kind == rows.CREATE,
        deliveries.c.state.in_(("sending", "in_doubt")),
    )
    .limit(1)
)
_TRACKER = (
    select(records.c.id)
    .select_from(records.join(links, links.c.record_id == records.c.id))
    .where(
        links.c.item_id == bindparam("of"),
        links.c.ended_at.is_(None),
        records.c.connection_id.in_(bindparam("trackers", expanding=True)),
    )
)


def new_item(conn: Connection, hub: Hub) -> int:
    """An item with nothing in it yet."""
    now = hub.clock.now()
    values = {"state": columns.encode(ItemState()), "tag_texts": columns.encode({}), "gen": 1, "done_gen": 0}
    result = conn.execute(_ITEM, {**values, "created_at": now, "updated_at": now})
    return rows.new_id(result)


def add_link(
    conn: Connection, hub: Hub, item_id: int, record_id: int, made_by: str, *, carried: frozenset[str] | None = None
) -> int:
    """Make a record a member. Its base is empty: `reconcile` sees a join. A former link's knowledge of links stays.

    carried: the tags that it was created with, if a route had it created.
    """
    now = hub.clock.now()
    former = rows.last_link(conn, record_id)
    known = structs.replace(columns.base(former.base).links, asked=False) if former is not None else LinksBase()
    if former is not None:
        known = structs.replace(known, shown=known.shown - _being_hidden(conn, former.id))
    reopens = former is None and _is_follow_up(conn, hub, item_id, record_id)
    base = Base(links=known, routed=carried is not None, carried=carried or frozenset(), follow_up=reopens)
    values = {"item_id": item_id, "record_id": record_id, "made_by": made_by, "made_at": now}
    result = conn.execute(_MEMBER, {**values, "base": columns.encode(base)})
    rows.note_journal(
        conn,
        [
            {
                "at": now,
                "item_id": item_id,
                "field": "links",
                "new": _name(conn, record_id),
                "record_id": record_id,
                "rule": f"joined: {made_by}",
            }
        ],
    )
    return rows.new_id(result)


def _is_follow_up(conn: Connection, hub: Hub, item_id: int, record_id: int) -> bool:
    """Whether a record that joins goes on from a member, and was opened since its connection went live.

    Older ones are taken as they stand, like all that differed before the start.
    """
    row = rows.record_row(conn, record_id)
    snap, connected = columns.snapshot(row.body), hub.connections.get(row.connection_id)
    if not snap.follows or connected is None or not _is_new(connected, snap):
        return False
    source = rows.find_record(conn, row.connection_id, snap.follows)
    home = rows.active_link(conn, source.id) if source is not None else None
    return home is not None and home.item_id == item_id


def _is_new(connected: Connected, snap: Snapshot) -> bool:
    return connected.writes and connected.live_since is not None and snap.created_at >= connected.live_since


def end_link(conn: Connection, hub: Hub, link: Any, why: str) -> None:
    """Let a record leave. Nobody's status or tags move."""
    now = hub.clock.now()
    conn.execute(
        update(links)
        .where(links.c.id == link.id, links.c.ended_at.is_(None))
        .values(ended_at=now, ended_why=why, version=links.c.version + 1)
    )
    planned = (deliveries.c.link_id == link.id, deliveries.c.state == "waiting")
    for row in conn.execute(select(deliveries.c.id, deliveries.c.want).where(*planned)).all():
        kept = columns.encode(columns.bare(columns.errand(row.want)))
        conn.execute(
            update(deliveries)
            .where(deliveries.c.id == row.id)
            .values(state="superseded", settled_at=now, outcome=why, want=kept)
        )
    conn.execute(
        update(parked)
        .where(parked.c.link_id == link.id, parked.c.ended_at.is_(None))
        .values(ended_at=now, ended_how=why)
    )
    rows.note_journal(
        conn,
        [
            {
                "at": now,
                "item_id": link.item_id,
                "field": "links",
                "old": _name(conn, link.record_id),
                "record_id": link.record_id,
                "rule": f"left: {why}",
            }
        ],
    )
    rows.mark(conn, [link.item_id], now)
    plan_farewell(conn, hub, link.id)


UNLINKED = "unlinked"
"""How the reason begins for which a person's hand took a record out of its item."""


def plan_farewell(conn: Connection, hub: Hub, link_id: int) -> None:
    """Ask for the next last write to a record that a person took out of its item, so that it shows the item no more.

    Called when it leaves, and whenever a write to it that was under way then has ended. Nothing where none is needed.
    """
    link = conn.execute(_LINK, {"of": link_id}).one()
    if link.ended_at is None or not link.ended_why.startswith(UNLINKED) or _is_open(conn, link.id):
        return
    errand = farewell(conn, hub, link)
    if errand is None:
        return
    record = rows.record_row(conn, link.record_id)
    conn.execute(
        insert(deliveries).values(
            id=f"d{hub.rng.token()[:24]}",
            item_id=link.item_id,
            link_id=link.id,
            connection_id=record.connection_id,
            kind="write",
            state="waiting",
            want=columns.encode(errand),
            version=errand.expect,
            cause=link.ended_why,
            made_at=hub.clock.now(),
        )
    )


def farewell_of(record_id: str) -> str:
    """Under which name `Base.misses` counts last writes about one record that were answered well and not kept."""
    return f"farewell {record_id}"


def _being_hidden(conn: Connection, link_id: int) -> frozenset[str]:
    """What a last write under way takes away: when a read shows that, nobody has removed it by hand."""
    open_now = deliveries.c.state.in_(("waiting", "sending", "in_doubt"))
    row = conn.execute(select(deliveries.c.want).where(deliveries.c.link_id == link_id, open_now)).first()
    return frozenset() if row is None else columns.errand(row.want).hides


def _is_open(conn: Connection, link_id: int) -> bool:
    """At most one delivery of a link is open: what is being sent now leaves no room for a farewell."""
    open_now = deliveries.c.state.in_(("waiting", "sending", "in_doubt"))
    return conn.execute(select(deliveries.c.id).where(deliveries.c.link_id == link_id, open_now)).first() is not None


def farewell(conn: Connection, hub: Hub, link: Any) -> Errand | None:
    """The write that makes a record which was taken out of its item show the item's issue no more, as it stands now.

    None when there is nothing to write: it shows no record of that item, shows it in a note only, cannot be written, or
    is a member of an item again. An issue that is taken out of its item shows the tickets no more, one write for each;
    what it did not let go in several attempts is left there, and the others are still taken away.
    """
    record = rows.record_row(conn, link.record_id)
    connected = hub.connections.get(record.connection_id)
    if connected is None or connected.mode is not Mode.LIVE:
        return None
    if record.presence != "present" or rows.active_link(conn, record.id) is not None:
        return None
    base = columns.base(link.base)
    snap, known = columns.snapshot(record.body), base.links
    tracker = tracker_of(conn, hub, link.item_id)
    theirs = (known.shown | known.hoped | ({str(tracker)} if tracker is not None else set())) - known.elsewhere
    found = [
        (shown, str(other.id))
        for shown, there, reference in references(hub, connected, snap)
        if (other := rows.find_record(conn, there.id, reference)) is not None
        and str(other.id) in theirs
        and base.misses.get(farewell_of(str(other.id)), 0) < hub.settings.miss_limit
    ]
    show, name = connected.mapping.links_show, connected.mapping.links_field
    if show == "field":
        named = {str(other) for shown, other in found if shown.via is LinkVia.FIELD and shown.handle == name}
        if not named:
            return None
        return Errand(changes=Changes(set={name: None}), expect=snap.version, hides=frozenset(named), farewell=True)
    if show in ("app", "remote_link"):
        for shown, other in found:
            if shown.handle and shown.via is not LinkVia.FIELD:
                changes = Changes(remove_links=(shown,))
                return Errand(changes=changes, expect=snap.version, hides=frozenset({other}), farewell=True)
    return None


def join(conn: Connection, hub: Hub, record_id: int, other_id: int, *, made_by: str) -> set[int]:
    """Bring two records into one item. Two items that each have a tracker issue become related instead.

    Returns the items touched; empty when they were one item already, or only became related.
    """
    mine, theirs = rows.active_link(conn, record_id), rows.active_link(conn, other_id)
    if mine is not None and theirs is not None:
        if mine.item_id == theirs.item_id:
            return set()
        return _merge_items(conn, hub, mine.item_id, theirs.item_id, made_by)
    if mine is None and theirs is None:
        item_id = new_item(conn, hub)
        for record in sorted((record_id, other_id)):
            add_link(conn, hub, item_id, record, made_by)
        return {item_id}
    home, newcomer = (mine, other_id) if mine is not None else (theirs, record_id)
    assert home is not None  # one of the two is linked: the other cases have returned
    if _role(conn, hub, newcomer) is Role.TRACKER and tracker_of(conn, hub, home.item_id) is not None:
        # A second tracker issue for one item: the newcomer gets an item of its own and both are shown to a person.
        item_id = new_item(conn, hub)
        add_link(conn, hub, item_id, newcomer, made_by)
        _relate(conn, hub, home.item_id, item_id, home.record_id, newcomer)
        return {item_id}
    add_link(conn, hub, home.item_id, newcomer, made_by)
    return {home.item_id}


def tracker_of(conn: Connection, hub: Hub, item_id: int) -> int | None:
    """The row id of the item's tracker record, or None."""
    trackers = [connected.id for connected in hub.of_role(Role.TRACKER)]
    found: int | None = conn.execute(_TRACKER, {"of": item_id, "trackers": trackers}).scalar()
    return found


def _merge_items(conn: Connection, hub: Hub, a: int, b: int, made_by: str) -> set[int]:
    tracker_a, tracker_b = tracker_of(conn, hub, a), tracker_of(conn, hub, b)
    if tracker_a is not None and tracker_b is not None:
        _relate(conn, hub, a, b, tracker_a, tracker_b)
        return set()
    home, guest = (b, a) if tracker_b is not None else (a, b) if tracker_a is not None else (min(a, b), max(a, b))
    for link in conn.execute(select(links).where(links.c.item_id == guest, links.c.ended_at.is_(None))).all():
        end_link(conn, hub, link, "moved")
        add_link(conn, hub, home, link.record_id, made_by)
    bring_creates(conn, hub, guest, home)
    return {home, guest}


def bring_creates(conn: Connection, hub: Hub, guest: int, home: int) -> None:
    """The creates that an emptied item has open belong to the item which its members went to.

    One that was never sent is dropped where home has its record, or asks for one. One that may have been made comes
    home and is joined or related there, and takes the place of one that was never sent.
    """
    for row in _open_creates(conn, guest):
        target = hub.connections.get(row.connection_id)
        if target is None:
            continue
        own = conn.execute(
            select(deliveries).where(
                deliveries.c.item_id == home,
                deliveries.c.connection_id == row.connection_id,
                deliveries.c.kind == rows.CREATE,
                deliveries.c.state != "superseded",
            )
        ).first()
        has_issue = target.role is Role.TRACKER and tracker_of(conn, hub, home) is not None
        if _never_sent(row) and (has_issue or own is not None):
            _drop_create(conn, hub, row, f"hc-{home} has one already" if has_issue else f"hc-{home} asks for one")
            continue
        if own is not None:
            if not _never_sent(own):
                continue  # both may have been made: this one is related to home when it is found
            _drop_create(conn, hub, own, f"the one of hc-{guest} may have been made")
        conn.execute(update(deliveries).where(deliveries.c.id == row.id).values(item_id=home))
        conn.execute(
            update(parked).where(parked.c.delivery_id == row.id, parked.c.ended_at.is_(None)).values(item_id=home)
        )
        _tell_of_create(conn, hub, row, guest, f"create moved to hc-{home}")
        _tell_of_create(conn, hub, row, home, f"create came from hc-{guest}")


def _open_creates(conn: Connection, item_id: int) -> list[Any]:
    return list(
        conn.execute(
            select(deliveries)
            .where(
                deliveries.c.item_id == item_id,
                deliveries.c.kind == rows.CREATE,
                deliveries.c.state.in_(("waiting", "sending", "in_doubt", "parked")),
            )
            .order_by(deliveries.c.id)
        ).all()
    )


def _never_sent(row: Any) -> bool:
    """It is certain that nothing was created for it."""
    return row.state in ("waiting", "parked") and row.in_doubt_since is None


def _drop_create(conn: Connection, hub: Hub, row: Any, why: str) -> None:
    now = hub.clock.now()
    conn.execute(
        update(deliveries)
        .where(deliveries.c.id == row.id)
        .values(
            state="superseded",
            settled_at=now,
            outcome=why[:32],
            error=why,
            want=columns.encode(columns.bare(columns.errand(row.want))),
        )
    )
    conn.execute(
        update(parked)
        .where(parked.c.delivery_id == row.id, parked.c.ended_at.is_(None))
        .values(ended_at=now, ended_how=why[:64])
    )
    _tell_of_create(conn, hub, row, row.item_id, f"create dropped: {why}")


def _tell_of_create(conn: Connection, hub: Hub, row: Any, item_id: int, rule: str) -> None:
    rows.note_journal(
        conn,
        [
            {
                "at": hub.clock.now(),
                "item_id": item_id,
                "field": "record",
                "actor": "hypercare",
                "rule": rule,
                "delivery_id": row.id,
            }
        ],
    )


def _relate(conn: Connection, hub: Hub, a: int, b: int, record_a: int, record_b: int) -> None:
    first, second = sorted((a, b))
    if conn.execute(select(related).where(related.c.item_a == first, related.c.item_b == second)).first() is not None:
        return
    now = hub.clock.now()
    why = f"{_name(conn, record_a)} and {_name(conn, record_b)} are both tracker issues"
    conn.execute(insert(related).values(item_a=first, item_b=second, at=now, why=why))
    conn.execute(
        insert(conflicts).values(
            at=now,
            item_id=first,
            record_id=record_a,
            other_record_id=record_b,
            kind=ConflictKind.TWO_TRACKERS.value,
            field="links",
            kept="related",
            lost="joined",
        )
    )


def _role(conn: Connection, hub: Hub, record_id: int) -> Role | None:
    row = rows.record_row(conn, record_id)
    connected = hub.connections.get(row.connection_id)
    return connected.role if connected else None


def _name(conn: Connection, record_id: int) -> str:
    row = rows.record_row(conn, record_id)
    return str(row.key or row.remote_id)


# --- routes ----------------------------------------------------------------------------------------------------


def _route(conn: Connection, hub: Hub, connected: Connected, record_id: int, snap: Snapshot, cause: str) -> set[int]:
    """The first route that matches gives the record an item and asks for its counterpart."""
    if connected.mode is Mode.SHADOW:
        shadow.note_route(conn, hub, connected, record_id, snap)
    if not _is_new(connected, snap) or not hub.routes:
        return set()
    if _may_be_our_own(conn, connected):
        now = hub.clock.now()
        rows.ask(conn, connected.id, [(connected.kind, snap.ref.id)], now, "member", not_before=now + _PATIENCE)
        return set()
    view = connected.mapping.feedback(snap)
    for route in hub.routes:
        if not route.matches(view, connected.name, snap.created_at):
            continue
        target = hub.named(route.target.connection)
        if route.act is Act.ATTACH:
            return _attach(conn, hub, connected, (record_id, snap.ref.id), target, route)
        item_id = new_item(conn, hub)
        add_link(conn, hub, item_id, record_id, f"route {route.name}")
        proposed = route.act is Act.PROPOSE
        # What is proposed waits for a person one by one: it needs no brake.
        created_at = hub.clock.now() if proposed else snap.created_at
        cause = cause or brakes.cause_of_create(route.name, created_at, hub.clock.now())
        plan_create(conn, hub, item_id, target, record_id, route.name, cause, proposed=proposed)
        return {item_id}
    return set()


def _attach(
    conn: Connection, hub: Hub, connected: Connected, record: tuple[int, str], target: Connected, route: Route
) -> set[int]:
    """Join the record that a route names. One that is not known yet is read first, and then this is tried again."""
    record_id, remote_id = record
    reference = target.parse_reference(route.target.record) or route.target.record
    other = rows.find_record(conn, target.id, reference)
    if other is not None:
        present = other.presence == "present"
        return join(conn, hub, record_id, other.id, made_by=f"route {route.name}") if present else set()
    now = hub.clock.now()
    if _is_asked_for(conn, target, reference):  # for another record, which will be told; this one looks again later
        rows.ask(conn, connected.id, [(connected.kind, remote_id)], now, "member", not_before=now + _PATIENCE)
    else:
        rows.ask(conn, target.id, [(target.kind, reference)], now, "member", asker=record_id)
    return set()


_PATIENCE = timedelta(seconds=30)


def _may_be_our_own(conn: Connection, connected: Connected) -> bool:
    """While a create on this connection is in doubt, a new record may be its fruit: no route takes it yet."""
    return conn.execute(_UNCERTAIN, {"to": connected.id}).first() is not None


def plan_create(
    conn: Connection,
    hub: Hub,
    item_id: int,
    target: Connected,
    source_record: int,
    route: str,
    cause: str,
    *,
    proposed: bool = False,
) -> None:
    """Ask for one record to be created on `target` for the item. At most one per item and connection, ever.

    proposed: it waits, parked, until a person says yes.
    """
    open_already = conn.execute(
        select(deliveries.c.id).where(
            deliveries.c.item_id == item_id,
            deliveries.c.connection_id == target.id,
            deliveries.c.kind == rows.CREATE,
            deliveries.c.state != "superseded",
        )
    ).first()
    if open_already is not None:
        return
    delivery_id = f"c{hub.rng.token()[:24]}"
    conn.execute(
        insert(deliveries).values(
            id=delivery_id,
            item_id=item_id,
            link_id=None,
            connection_id=target.id,
            kind="create",
            state="parked" if proposed else "waiting",
            want=columns.encode(Errand(source_record=source_record)),
            route=route,
            cause=cause,
            made_at=hub.clock.now(),
        )
    )
    brakes.mass_creates(conn, hub, target, cause)
    if proposed:
        parking.park(
            conn,
            hub,
            target,
            item_id,
            None,
            "record",
            ParkReason.PROPOSED,
            wanted=f"a record on {target.name} (route {route})",
            shown="",
            detail=f"the route {route} proposes it",
            delivery_id=delivery_id,
        )
