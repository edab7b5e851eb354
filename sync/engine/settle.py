"""Dirty items into decisions: load, decide, store the plan in one step that fails if anything moved meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from sync.core.backoff import next_attempt
from sync.core.reasons import ParkReason
from sync.core.state import Change, Park
from sync.engine import brakes, columns, load, membership, parking, reread, rows, shadow, workflow
from sync.engine.columns import Errand
from sync.engine.decide import Decided, Decision, decide
from sync.engine.hub import Hub, Mode
from sync.engine.load import Linked, Whole
from sync.store.errors import Stale, StoreUnavailable
from sync.store.tables import conflicts, deliveries, items, links, parked

_PASSES = 8
"""How often one item may move its members before it is put off: each pass is a movement of its own."""


# Built once: building a statement costs several times its execution.
_NOW = (
    select(items.c.gen, items.c.done_gen, links.c.id, links.c.version)
    .select_from(items.outerjoin(links, (links.c.item_id == items.c.id) & links.c.ended_at.is_(None)))
    .where(items.c.id == bindparam("of"))
)
_DONE = (
    update(items)
    .where(items.c.id == bindparam("of"))
    .values(done_gen=bindparam("seen"), attempts=0, not_before=None, cause="")
)
_CHANGED = _DONE.values(state=bindparam("now_state"), tag_texts=bindparam("texts"), updated_at=bindparam("at"))
_OPEN_PARKS = select(parked).where(
    parked.c.link_id.in_(select(links.c.id).where(links.c.item_id == bindparam("of"), links.c.ended_at.is_(None))),
    parked.c.field.in_(("status", "tags")),
    parked.c.ended_at.is_(None),
)
_BASE = (
    update(links)
    .where(links.c.id == bindparam("of"))
    .values(base=bindparam("now_base"), fingerprint=bindparam("mapping"), version=links.c.version + 1)
)
_DELIVERY = insert(deliveries)


def settle(hub: Hub) -> bool:
    """Decide the items that are due. True when there were any.

    The steps of one batch are handed over together, so that they share their commits.
    """
    with hub.store.read() as conn:
        waiting = load.due(conn, hub.clock.now(), hub.settings.batch)
    begun: list[tuple[int, Callable[[], None]]] = []
    moved: list[int] = []
    for item_id in waiting:
        try:
            begun.append((item_id, _begin(hub, item_id)))
        except Stale:
            moved.append(item_id)  # alone, after the others: they do not wait for one that will not hold still
        except StoreUnavailable:
            raise
        except Exception:
            # A defect of ours, or a damaged row: told by the worker's frame. The others must not wait behind it.
            _put_off(hub, item_id)
            raise
    for item_id, finish in begun:
        try:
            finish()
        except Stale:
            moved.append(item_id)
    for item_id in moved:
        settle_one(hub, item_id)
    return bool(waiting)


def settle_one(hub: Hub, item_id: int) -> None:
    """Decide one item; when it moves under us, load it and decide again, then put it off."""
    for _ in range(hub.settings.stale_limit):
        try:
            _begin(hub, item_id)()
        except Stale:
            continue
        return
    _put_off(hub, item_id)


def _begin(hub: Hub, item_id: int) -> Callable[[], None]:
    """Decide one item and hand its step to the store. The returned call waits for it; it raises Stale."""
    for _ in range(_PASSES):
        with hub.store.read() as conn:
            item = load.whole(conn, hub, item_id)
            doubted = membership.braked(conn)
        moved = membership.movement(item, doubted)
        if moved.is_empty:
            decision = decide(hub, item)
            future = hub.store.submit(partial(_commit, hub=hub, decision=decision))
            return partial(_finish, hub, decision, future)
        hub.store.step(partial(_move, hub=hub, item=item, moved=moved))
    return partial(_put_off, hub, item_id)


def _move(conn: Connection, hub: Hub, item: Whole, moved: membership.Movement) -> None:
    _check(conn, item)
    membership.move(conn, hub, item, moved)


def _finish(hub: Hub, decision: Decision, future: Any) -> None:
    future.result()
    wanted = {each.one.connected.id for each in decision.members if each.errand is not None}
    if hub.routes:
        # A connection without a record in the item may have one to create for it.
        wanted |= hub.connections.keys() - {one.connected.id for one in decision.item.linked}
    for connection_id in sorted(wanted):
        hub.signals.ring(f"deliver:{connection_id}")
    for one in (*decision.ask, *decision.read):
        hub.signals.ring(f"refresh:{one.connected.id}")


def _put_off(hub: Hub, item_id: int) -> None:
    """An item that will not hold still waits a little longer each time; it is never dropped."""

    def step(conn: Connection) -> None:
        row = conn.execute(select(items.c.attempts).where(items.c.id == item_id)).one()
        at = next_attempt(row.attempts + 1, "read", None, hub.clock.now(), hub.rng.random())
        conn.execute(update(items).where(items.c.id == item_id).values(attempts=row.attempts + 1, not_before=at))

    hub.store.step(step)
    hub.tell("item_put_off", item=item_id)


# --- the step --------------------------------------------------------------------------------------------------


def _check(conn: Connection, item: Whole) -> None:
    """Raise Stale unless the item and every link are as they were loaded, and nobody has decided it since."""
    found = conn.execute(_NOW, {"of": item.id}).all()
    if any(row.gen != item.gen for row in found):
        raise Stale(f"item hc-{item.id} moved while it was decided")
    if any(row.done_gen != item.done_gen for row in found):
        raise Stale(f"item hc-{item.id} was decided by somebody else meanwhile")
    versions = {row.id: row.version for row in found}
    for one in item.linked:
        if versions.get(one.link_id) != one.link_version:
            raise Stale(f"a link of item hc-{item.id} moved while it was decided")


def _commit(conn: Connection, hub: Hub, decision: Decision) -> None:
    item, now = decision.item, hub.clock.now()
    _check(conn, item)
    done = {"of": item.id, "seen": item.gen}
    if decision.state != item.state or decision.tag_texts != item.tag_texts:
        state, texts = columns.encode(decision.state), columns.encode(dict(decision.tag_texts))
        conn.execute(_CHANGED, {**done, "now_state": state, "texts": texts, "at": now})
    else:
        conn.execute(_DONE, done)
    open_parks = conn.execute(_OPEN_PARKS, {"of": item.id}).all()
    for each in decision.members:
        mine = [row for row in open_parks if row.link_id == each.one.link_id]
        _store_member(conn, hub, item, each, [row for row in mine if row.field == "status"])
        for row in mine:
            if row.field == "tags" and each.one.fresh:
                parking.settle_tags(conn, row, frozenset(decision.state.tags), each.one.shown.tags, now)
    _store_changes(conn, hub, decision)
    _store_conflicts(conn, hub, decision)
    if any(one.connected.mode is Mode.SHADOW for one in item.linked):
        shadow.note(conn, item.id, item.linked, decision.shadowed, now)
    for one in decision.ask:
        rows.ask(conn, one.connected.id, [(one.connected.kind, one.ref.id)], now, "history")
    for one in decision.read:
        if not one.asked and one.presence == "present":
            rows.ask(conn, one.connected.id, [(one.connected.kind, one.ref.id)], now, "member")
    if decision.again:
        rows.mark(conn, [item.id], now)
    planned = {
        (each.one.connected.id, each.cause) for each in decision.members if each.errand is not None and each.cause
    }
    for connection_id, cause in sorted(planned):
        brakes.mass_writes(conn, hub, hub.connections[connection_id], cause)


def _store_member(conn: Connection, hub: Hub, item: Whole, each: Decided, open_parks: Sequence[Any]) -> None:
    one, now = each.one, hub.clock.now()
    fingerprint = reread.fingerprint(hub, one.connected.mapping)
    if each.base != one.base or fingerprint != one.fingerprint:
        conn.execute(_BASE, {"of": one.link_id, "now_base": columns.encode(each.base), "mapping": fingerprint})
    _store_park(conn, hub, item, each, open_parks)
    if one.open is not None and one.open.state == "waiting":
        if each.errand is not None and _same(one.open.errand, each.errand):
            return
        if one.open.doubtful or (one.open.errand.planned and each.errand is None):
            return
        superseded = conn.execute(
            update(deliveries)
            .where(deliveries.c.id == one.open.id, deliveries.c.state == "waiting")
            .values(
                state="superseded",
                settled_at=now,
                outcome="superseded by a newer plan",
                want=columns.encode(columns.bare(one.open.errand)),
            )
        )
        if not superseded.rowcount:
            raise Stale("the delivery that waited has just been claimed")
    elif one.open is not None:
        return
    if each.errand is not None and not workflow.learn_first(conn, hub, one, each.errand):
        conn.execute(
            _DELIVERY,
            {
                "id": f"d{hub.rng.token()[:24]}",
                "item_id": item.id,
                "link_id": one.link_id,
                "connection_id": one.connected.id,
                "kind": "write",
                "state": "waiting",
                "want": columns.encode(each.errand),
                "version": each.errand.expect,
                "cause": each.cause[:128],
                "made_at": now,
            },
        )


def _same(old: Errand, new: Errand) -> bool:
    """True when a waiting delivery already asks for this, decided on this version."""
    return old == new


def _store_park(conn: Connection, hub: Hub, item: Whole, each: Decided, open_now: Sequence[Any]) -> None:
    """Open, change or close the park of one member's status, so that what people see is what holds now."""
    one, now = each.one, hub.clock.now()
    park, base = each.park, each.base.status
    still = base is not None and base.parked is not None
    if park is None and still:
        return
    reason, detail = ("", "") if park is None else _why_parked(one, park)
    keep = [row for row in open_now if park is not None and row.reason == reason and row.wanted == park.wanted]
    for row in open_now:
        if row not in keep:
            conn.execute(
                update(parked).where(parked.c.id == row.id).values(ended_at=now, ended_how="settled by a newer plan")
            )
    if park is None or keep:
        return
    conn.execute(
        insert(parked).values(
            item_id=item.id,
            link_id=one.link_id,
            connection_id=one.connected.id,
            field=park.field,
            reason=reason,
            wanted=park.wanted,
            shown=park.shown,
            detail=detail,
            since=now,
        )
    )
    hub.tell(
        "parked",
        connection=one.connected.name,
        record=one.ref.key or one.ref.id,
        field=park.field,
        reason=reason,
    )


def _why_parked(one: Linked, park: Park) -> tuple[str, str]:
    """The reason and its words; a way that only a screen field bars is named by that field."""
    if park.reason is not ParkReason.NO_PATH:
        return park.reason.value, ""
    reason, detail = parking.no_way(one, park.wanted)
    return reason.value, detail


def _store_changes(conn: Connection, hub: Hub, decision: Decision) -> None:
    now = hub.clock.now()
    by_link = {one.link_id: one for one in decision.item.linked}
    rows.note_journal(
        conn,
        [
            {
                "at": now,
                "item_id": decision.item.id,
                "field": change.field,
                "old": change.old,
                "new": change.new,
                "record_id": by_link[change.link].record_id if change.link in by_link else None,
                "actor": _actor(by_link, change),
                "remote_at": by_link[change.link].snap.updated_at if change.link in by_link else None,
                "rule": change.rule,
            }
            for change in decision.changes
        ],
    )


def _actor(by_link: dict[int, Linked], change: Change) -> str:
    one = by_link.get(change.link) if change.link is not None else None
    known = one.base.attribution if one is not None else None
    return known.actor if known is not None and one is not None and known.raw == one.shown.raw else ""


def _store_conflicts(conn: Connection, hub: Hub, decision: Decision) -> None:
    now = hub.clock.now()
    records_by_link = {one.link_id: one.record_id for one in decision.item.linked}
    for conflict in decision.conflicts:
        conn.execute(
            insert(conflicts).values(
                at=now,
                item_id=decision.item.id,
                record_id=records_by_link.get(conflict.link),
                other_record_id=None if conflict.other is None else records_by_link.get(conflict.other),
                kind=conflict.kind.value,
                field=conflict.field,
                kept=conflict.kept,
                lost=conflict.lost,
            )
        )
        hub.tell("conflict", item=decision.item.id, kind=conflict.kind.value, kept=conflict.kept, lost=conflict.lost)
