"""One row of a plan: is the record still as it was planned, and what is the next request. All inside one step."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, structs
from sqlalchemy import Connection, insert, select, update

from sync.core import paths
from sync.core.standing import ear_of
from sync.core.state import ItemState, ItemValue, Want
from sync.engine import adopt, columns, load, rows
from sync.engine.columns import Errand
from sync.engine.decide import errand_of, member, waived_links
from sync.engine.hub import Hub, Mode
from sync.engine.load import Linked, Whole
from sync.model import Snapshot
from sync.planning.build import state_of
from sync.planning.row import CREATE, ITEM, JOIN, Row
from sync.store.tables import deliveries, items, parked


class Wait(Exception):
    """Something about the item is under way: look again."""


class NotAsPlanned(Exception):
    """The row is not carried out. state: `refused`, `failed`, or `left` where there is nothing to do."""

    def __init__(self, why: str, state: str = "refused") -> None:
        super().__init__(why)
        self.state = state


class Step(Struct, frozen=True, kw_only=True):
    """Where a row stands now. rings: connections that have something to send."""

    state: str
    detail: str = ""
    delivery: str = ""
    rings: tuple[int, ...] = ()


def begin(conn: Connection, hub: Hub, row: Any, what: Row, cause: str) -> Step:
    """Compare what was planned with what is, and plan the first request. Raises NotAsPlanned, Wait."""
    if what.kind in (CREATE, JOIN):
        with conn.begin_nested():  # nothing is left of a row that turns out otherwise
            return (_create if what.kind == CREATE else _join)(conn, hub, row, what, cause)
    item, one = _loaded(conn, hub, row)
    _compare(item, one, what)
    if what.kind == ITEM:
        _take_value(conn, hub, item, what, cause)
        return Step(state="done")
    errand = _next(hub, item, one, what)
    if errand is None:
        raise NotAsPlanned("it shows what was planned already", "left")
    _take_value(conn, hub, item, what, cause)
    return Step(state="sent", delivery=_send(conn, hub, item, one, errand, cause))


def go_on(conn: Connection, hub: Hub, row: Any, what: Row, cause: str) -> Step:
    """Look what became of the last request of a row, and plan the next one. Raises NotAsPlanned, Wait."""
    delivery = conn.execute(select(deliveries).where(deliveries.c.id == row.delivery_id)).first()
    if delivery is None:
        raise NotAsPlanned("its delivery is not known any more", "failed")
    if delivery.state in ("waiting", "sending", "in_doubt"):
        raise Wait
    if what.kind == CREATE:
        if delivery.state == "settled":
            return Step(state="done")
        raise NotAsPlanned(_words(conn, delivery), "failed" if delivery.state == "parked" else "refused")
    if delivery.state != "settled":
        refused = delivery.outcome == "refused by the remote"
        if not (refused and len(columns.errand(delivery.want).fields) > 1):
            raise NotAsPlanned(_words(conn, delivery), "failed" if refused else "refused")
    elif delivery.outcome == "not shown":
        raise NotAsPlanned("the remote answered well and does not show it", "failed")
    item, one = _loaded(conn, hub, row)
    errand = _next(hub, item, one, what)
    if errand is None:
        return Step(state="done")
    return Step(state="sent", delivery=_send(conn, hub, item, one, errand, cause))


def _words(conn: Connection, delivery: Any) -> str:
    """Why a delivery was given up, in the remote's own words where it has any."""
    told = conn.execute(select(parked.c.detail).where(parked.c.delivery_id == delivery.id)).scalars().first()
    return str(told or delivery.error or delivery.outcome or delivery.state)


# --- writes --------------------------------------------------------------------------------------------------------


def _loaded(conn: Connection, hub: Hub, row: Any) -> tuple[Whole, Linked]:
    item = load.whole(conn, hub, row.item_id)
    gen, done = conn.execute(select(items.c.gen, items.c.done_gen).where(items.c.id == row.item_id)).one()
    try:
        one = item.by_link(row.link_id)
    except KeyError:
        raise NotAsPlanned("it has left its item since") from None
    if one.presence != "present":
        raise NotAsPlanned(f"it is {one.presence} on its system")
    if one.connected.mode is not Mode.LIVE:
        raise NotAsPlanned(f"{one.connected.name} is in mode {one.connected.mode.value}: nothing is written to it")
    if gen != done or one.open is not None or not one.fresh:
        raise Wait
    return item, one


def _compare(item: Whole, one: Linked, what: Row) -> None:
    aim, shown = what.aim, one.shown
    if (aim.status is not None or aim.item_status is not None) and shown.raw != aim.raw:
        if shown.raw == aim.status and not aim.add and not aim.remove and not aim.shows and not aim.set:
            raise NotAsPlanned("it shows what was planned already", "left")
        raise NotAsPlanned(f"its status is {shown.raw} now, and was {aim.raw}")
    if shown.frozen:
        raise NotAsPlanned("it is closed for good now")
    wrong = sorted((shown.tags & set(aim.add)) | (set(aim.remove) - shown.tags))
    if wrong and len(wrong) < len(aim.add) + len(aim.remove):
        raise NotAsPlanned(f"its tags were changed since: {', '.join(wrong)}")
    for name, raw in aim.set.items():
        if (now := shown.values.get(name, "")) not in (raw, aim.had.get(name, now)):
            raise NotAsPlanned(f"its {name} is {now or 'empty'} now, and was {aim.had[name] or 'empty'}")
    if item.state.status not in (aim.was, aim.item_status or aim.was):
        was, now = (value.value if value is not None else "without one" for value in (aim.was, item.state.status))
        raise NotAsPlanned(f"its item's status is {now} now, and was {was}")
    if state_of(item.state, one, (*aim.add, *aim.remove), aim.set or aim.item_values) != aim.state:
        raise NotAsPlanned("somebody changed its item since")


def _next(hub: Hub, item: Whole, one: Linked, what: Row) -> Errand | None:
    """The next request towards what a row is to reach; None when the record shows it."""
    aim = what.aim
    want = Want(
        final=False,
        said=item.state.said.get(ear_of(member(hub, item, one)), 0),
        add=frozenset(aim.add) - one.shown.tags,
        remove=frozenset(aim.remove) & one.shown.tags,
        set={name: raw for name, raw in aim.set.items() if one.shown.values.get(name) != raw},
        set_said={name: value.said for name, value in item.state.values.items() if name in aim.set},
    )
    if aim.status is not None and one.shown.raw != aim.status:
        want = structs.replace(want, status=_hop(item, one, what), target=aim.status)
    _, links = waived_links(item, one) if aim.shows else ((), None)
    if links is not None and not links.noted | links.shows <= set(aim.shows):
        links = None
    empty = want.status is None and not want.add and not want.remove and not want.set
    errand = errand_of(one, None if empty else want, links, item.tag_texts, solo=one.base.solo)
    return None if errand is None else structs.replace(errand, planned=True)


def _hop(item: Whole, one: Linked, what: Row) -> str:
    aim = what.aim
    status = aim.item_status or item.state.status
    reads = one.rules.values.get(aim.status or "", status)
    if reads is None:
        raise NotAsPlanned("its item has no status any more")
    way = paths.find(one.rules, one.graph, one.shown.raw, aim.status or "", reads, one.shown.status)
    if isinstance(way, paths.Path) and way.target == aim.status and way.course is paths.Course.WANTED:
        return way.hop
    raise NotAsPlanned(f"no known step of its workflow leads from {one.shown.raw} to {aim.status}", "failed")


def _take_value(conn: Connection, hub: Hub, item: Whole, what: Row, cause: str) -> None:
    """Give the item the values that its records read as now. Nobody is told: the rows of the plan are all there is."""
    old = item.state
    status = what.aim.item_status or old.status
    values = {
        name: value
        for name, value in what.aim.item_values.items()
        if old.values.get(name, ItemValue()).value == what.aim.item_had.get(name)
    }
    if status is old.status and not values:
        return
    after = {name: structs.replace(old.values[name], value=value) for name, value in values.items()}
    state: ItemState = structs.replace(old, status=status, values={**old.values, **after})
    now = hub.clock.now()
    conn.execute(update(items).where(items.c.id == item.id).values(state=columns.encode(state), updated_at=now))
    tracker = item.tracker
    changed = {name: (old.values[name].value, value) for name, value in values.items()}
    if status is not None and status is not old.status:
        changed["status"] = (None if old.status is None else old.status.value, status.value)
    rows.note_journal(
        conn,
        [
            {
                "at": now,
                "item_id": item.id,
                "field": name,
                "old": before,
                "new": value,
                "record_id": None if tracker is None else tracker.record_id,
                "rule": f"read anew: {cause}",
            }
            for name, (before, value) in sorted(changed.items())
        ],
    )
    rows.mark(conn, [item.id], now, cause)


def _send(conn: Connection, hub: Hub, item: Whole, one: Linked, errand: Errand, cause: str) -> str:
    now, name = hub.clock.now(), f"d{hub.rng.token()[:24]}"
    conn.execute(
        insert(deliveries).values(
            id=name,
            item_id=item.id,
            link_id=one.link_id,
            connection_id=one.connected.id,
            kind="write",
            state="waiting",
            want=columns.encode(errand),
            version=errand.expect,
            cause=cause,
            made_at=now,
        )
    )
    # Whoever decides the item at this moment decides it again, and sees that this one is open.
    rows.mark(conn, [item.id], now, cause)
    return name


# --- records without an item -----------------------------------------------------------------------------------------


def _lone(conn: Connection, row: Any, what: Row) -> tuple[Any, Snapshot]:
    record = rows.record_row(conn, row.record_id)
    if record.presence != "present":
        raise NotAsPlanned(f"it is {record.presence} on its system")
    if rows.last_link(conn, record.id) is not None:
        raise NotAsPlanned("it belongs to an item by now", "left")
    if record.version != what.version:
        raise NotAsPlanned("it was changed since")
    return record, columns.snapshot(record.body)


def _join(conn: Connection, hub: Hub, row: Any, what: Row, cause: str) -> Step:
    item_id = _adopted(conn, hub, row, what, cause)
    if rows.active_link(conn, what.aim.other or 0) is None or _home(conn, what.aim.other or 0) != item_id:
        raise NotAsPlanned("it joined no item: each record belongs to an item with an issue of its own")
    rows.mark(conn, [item_id], hub.clock.now(), cause)
    return Step(state="done", rings=tuple(hub.connections))


def _create(conn: Connection, hub: Hub, row: Any, what: Row, cause: str) -> Step:
    item_id = _adopted(conn, hub, row, what, cause)
    asked = (deliveries.c.item_id == item_id, deliveries.c.kind == "create", deliveries.c.state != "superseded")
    made = conn.execute(select(deliveries).where(*asked)).first()
    if made is None:
        raise NotAsPlanned("no route takes it any more")
    if made.route != what.aim.route:
        raise NotAsPlanned(f"the route {made.route} takes it, not {what.aim.route}")
    if made.state == "parked":
        return Step(state="done", detail="it waits for a person's yes", delivery=made.id)
    return Step(state="sent", delivery=made.id, rings=(made.connection_id,))


def _adopted(conn: Connection, hub: Hub, row: Any, what: Row, cause: str) -> int:
    """Let links and routes find an item for a record, as they would at its next change. The item."""
    record, snap = _lone(conn, row, what)
    connected = hub.connections[row.connection_id]
    if not adopt.adopt(conn, hub, connected, record.id, snap, cause=cause):
        raise NotAsPlanned("no link and no route takes it any more")
    return _home(conn, record.id)


def _home(conn: Connection, record_id: int) -> int:
    link = rows.active_link(conn, record_id)
    if link is None:
        raise NotAsPlanned("it belongs to no item")
    return int(link.item_id)
