"""A plan carried out: each row read afresh, compared with what was shown, and sent through the outbox as planned.

What is to be written stands in the row and nowhere else: no item is decided because of it, and nothing is owed to a
record when its row is refused. Every move of a row is one step of the store, so a daemon that was killed goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from sync.engine import rows
from sync.engine.brakes import BY_PLAN
from sync.engine.commands import Answer, Refused
from sync.engine.find import NotFound
from sync.engine.hub import Hub
from sync.model import Json
from sync.planning import acts, stored
from sync.planning.row import ITEM, WRITE, digest_of
from sync.planning.stored import APPLYING, DONE, OPEN, STOPPED, STOPPING
from sync.store.tables import plan_rows, plans, refreshes

AT_ONCE = 50
"""Rows under way at a time."""


def execute(hub: Hub) -> bool:
    """Take the plan that is applied a few rows further. True when any row moved."""
    with hub.store.read() as conn:
        under = plans.c.state.in_((APPLYING, STOPPING))
        head = conn.execute(select(plans).where(under).order_by(plans.c.id).limit(1)).first()
    if head is None:
        return False
    if head.state == APPLYING and head.fingerprint != hub.fingerprint:
        _stop(hub, head, "the mappings were changed while it was applied")
        return True
    with hub.store.read() as conn:
        under_way = _rows(conn, head, ("asked", "sent"), AT_ONCE)
        room = 0 if head.state == STOPPING else AT_ONCE - len(under_way)
        allowed = _allowed(conn, head)
        waiting = _rows(conn, head, ("planned",), room if allowed is None else min(room, allowed))
    if not under_way and not waiting:
        _end(hub, head)
        return False
    rung: set[str] = set()
    moved = False
    for row in (*under_way, *waiting):
        moved = hub.store.step(lambda conn, row=row: _move(conn, hub, head.id, row, rung)) or moved  # type: ignore[misc]
    for topic in sorted(rung):
        hub.signals.ring(topic)
    return moved


def _rows(conn: Connection, head: Any, states: tuple[str, ...], most: int) -> Sequence[Any]:
    if most <= 0:
        return []
    mine = (plan_rows.c.plan_id == head.id, plan_rows.c.state.in_(states))
    return conn.execute(select(plan_rows).where(*mine).order_by(plan_rows.c.no).limit(most)).all()


def _allowed(conn: Connection, head: Any) -> int | None:
    """How many more rows may be begun under `--max-writes`; None: all."""
    return None if head.max_writes is None else max(0, int(head.max_writes) - _begun(conn, head.id))


def _begun(conn: Connection, plan_id: int) -> int:
    """How many rows were begun so far, or are read for it now."""
    begun = (plan_rows.c.plan_id == plan_id, plan_rows.c.kind != ITEM, plan_rows.c.state.in_(_BEGUN))
    return int(conn.execute(select(func.count()).where(*begun)).scalar_one())


_BEGUN = ("asked", "sent", "done", "failed")


def _move(conn: Connection, hub: Hub, plan_id: int, seen: Any, rung: set[str]) -> bool:
    """Take one row one step further."""
    row = conn.execute(select(plan_rows).where(plan_rows.c.plan_id == plan_id, plan_rows.c.no == seen.no)).one()
    now, what = hub.clock.now(), stored.row_of(row.body)
    if row.state not in OPEN or row.state != seen.state:
        return False
    connected = hub.connections.get(row.connection_id)
    if connected is None:
        stored.move(conn, plan_id, row.no, now, state="refused", detail=f"{what.connection} is not configured any more")
        return True
    if row.state == "planned" and what.kind == WRITE:
        record = rows.record_row(conn, row.record_id)
        rows.ask(conn, connected.id, [(record.kind, record.remote_id)], now, "member")
        stored.move(conn, plan_id, row.no, now, state="asked", read_no=record.read_no)
        rung.add(f"refresh:{connected.id}")
        return True
    if row.state == "asked" and _is_awaited(conn, row):
        return False
    try:
        end = (
            acts.go_on(conn, hub, row, what, f"{BY_PLAN}{plan_id}")
            if row.state == "sent"
            else acts.begin(conn, hub, row, what, f"{BY_PLAN}{plan_id}")
        )
    except acts.Wait:
        return False
    except acts.NotAsPlanned as why:
        end = acts.Step(state=why.state, detail=str(why))
    stored.move(
        conn, plan_id, row.no, now, state=end.state, detail=end.detail, delivery_id=end.delivery or row.delivery_id
    )
    rung.update((f"deliver:{connected.id}", "settle", *(f"deliver:{each}" for each in end.rings)))
    return True


def _is_awaited(conn: Connection, row: Any) -> bool:
    """The read that a row asked for has not come yet."""
    record = rows.record_row(conn, row.record_id)
    if record.read_no != row.read_no:
        return False
    return (
        conn.execute(
            select(refreshes.c.gen).where(
                refreshes.c.connection_id == record.connection_id,
                refreshes.c.kind == record.kind,
                refreshes.c.remote_id == record.remote_id,
            )
        ).first()
        is not None
    )


def _stop(hub: Hub, head: Any, why: str) -> None:
    """Begin nothing more; what is under way is finished first."""
    hub.store.step(lambda conn: _stopping(conn, head.id, hub.clock.now()))
    hub.tell("plan_stopped", plan=head.id, why=why)


def _stopping(conn: Connection, plan_id: int, now: datetime) -> None:
    # What was only read for has not begun.
    asked = (plan_rows.c.plan_id == plan_id, plan_rows.c.state == "asked")
    conn.execute(update(plan_rows).where(*asked).values(state="planned"))
    applying = (plans.c.id == plan_id, plans.c.state == APPLYING)
    conn.execute(update(plans).where(*applying).values(state=STOPPING, ended_at=now))


def _end(hub: Hub, head: Any) -> None:
    """Nothing is under way and nothing may be begun: the plan is done, or has been stopped."""
    with hub.store.read() as conn:
        counts = stored.progress(conn, head.id).counts
    state = STOPPED if counts.get("planned") else DONE

    def step(conn: Connection) -> None:
        mine = (plans.c.id == head.id, plans.c.state == head.state)
        conn.execute(update(plans).where(*mine).values(state=state, ended_at=hub.clock.now()))

    hub.store.step(step)
    if state == DONE:
        hub.tell("plan_applied", plan=head.id, **dict(sorted(counts.items())))
    elif head.state == APPLYING:
        hub.tell("plan_stopped", plan=head.id, why="its limit of writes is reached")


# --- what people ask for -------------------------------------------------------------------------------------------


def apply(conn: Connection, hub: Hub, args: Mapping[str, Json]) -> Answer:
    """Begin to carry out a plan, or go on with one that was stopped."""
    name = str(args.get("plan") or "")
    plan_id = stored.find(conn, name)
    if plan_id is None:
        raise NotFound(f"there is no plan {name!r}; `hypercare plan --list` lists them, `hypercare plan` makes one")
    head = conn.execute(select(plans).where(plans.c.id == plan_id)).one()
    limit = _limit(args)
    if head.state == DONE:
        raise Refused(f"plan {plan_id} was applied already; make a new one with `hypercare plan`")
    if head.state in (APPLYING, STOPPING):
        return Answer(ok=True, message=f"plan {plan_id} is being applied already", data={"plan": plan_id})
    other = stored.under_way(conn)
    if other is not None:
        raise Refused(
            f"plan {other.id} is being applied: wait for its end, or stop it with `hypercare apply {other.id} --stop`"
        )
    if head.fingerprint != hub.fingerprint:
        raise Refused(
            f"plan {plan_id} was made with other mappings ({head.mappings}) than those in force: save the files that "
            "it was made with into `mappings_dir`, or make a new plan with `hypercare plan`"
        )
    if digest_of(head.fingerprint, stored.bodies(conn, plan_id)) != head.digest:
        raise Refused(f"plan {plan_id} is not the one that was shown: make a new one with `hypercare plan`")
    most = None if limit is None else _begun(conn, plan_id) + limit
    conn.execute(
        update(plans)
        .where(plans.c.id == plan_id)
        .values(state=APPLYING, began_at=hub.clock.now(), ended_at=None, max_writes=most)
    )
    return Answer(ok=True, message=f"plan {plan_id} is applied from now on", data={"plan": plan_id})


def stop(conn: Connection, hub: Hub, args: Mapping[str, Json]) -> Answer:
    """Begin no further row of a plan. What is under way is finished."""
    plan_id = stored.find(conn, str(args.get("plan") or ""))
    state = conn.execute(select(plans.c.state).where(plans.c.id == plan_id)).scalar() if plan_id is not None else None
    if plan_id is None or state != APPLYING:
        raise Refused("that plan is not being applied; `hypercare plan --list` lists the plans")
    _stopping(conn, plan_id, hub.clock.now())
    return Answer(
        ok=True, message=f"plan {plan_id} is stopped; `hypercare apply {plan_id}` goes on", data={"plan": plan_id}
    )


def _limit(args: Mapping[str, Json]) -> int | None:
    value = args.get("max_writes")
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise Refused(f"--max-writes {value}: give a whole number from 1 on")
    return value
