"""Deliveries out: claim, send once, take the receipt. What became of a lost answer is found out in `doubt`.

A delivery is stored with its intent before the request leaves, and is `sending` while it is under way. Nothing here
repeats a write: a new attempt is a new claim, and only when it is certain that the last one did nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from msgspec import structs
from sqlalchemy import Connection, bindparam, or_, select, update

from connectors.contract import Act
from connectors.errors import (
    AuthRejected,
    Forbidden,
    RateLimited,
    RecordMissing,
    RemoteError,
    VersionConflict,
    WriteRejected,
)
from sync.core.backoff import next_attempt
from sync.core.reasons import HoldReason, ParkReason
from sync.engine import adopt, brakes, columns, doubt, down, ingest, load, parking, receipts, rows
from sync.engine.columns import Errand
from sync.engine.decide import still_wants
from sync.engine.hub import Connected, Hub, Mode
from sync.model import Expect, RecordRef, Snapshot
from sync.store.tables import deliveries, links, records


@dataclass(frozen=True, kw_only=True)
class Sending:
    """A claimed delivery. doubtful: an earlier attempt of it may have taken effect."""

    id: str
    item_id: int
    link_id: int
    record_id: int
    ref: RecordRef
    snap: Snapshot
    errand: Errand
    attempts: int
    cause: str
    doubtful: bool


# Built once: building a statement costs several times its execution.
_OPEN = (
    rows.of_open(bindparam("to")),
    or_(deliveries.c.not_before.is_(None), deliveries.c.not_before <= bindparam("now")),
)
CONFLICTS = 5
"""So often in a row a write is planned anew at once when its record has moved; after that it waits longer each time."""
_DUE = {
    kind: select(deliveries.c.state)
    .where(deliveries.c.state.in_(("waiting", "in_doubt")), deliveries.c.kind == spelled, *_OPEN)
    .distinct()
    for kind, spelled in (("write", rows.WRITE), ("create", rows.CREATE))
}
_NEXT = (
    select(deliveries.c.id, records.c.remote_id)
    .select_from(
        deliveries.join(links, deliveries.c.link_id == links.c.id).join(records, links.c.record_id == records.c.id)
    )
    .where(deliveries.c.state == "waiting", deliveries.c.kind == rows.WRITE, *_OPEN)
    .order_by(deliveries.c.made_at, deliveries.c.id)
    .limit(1)
)
_WAITING = select(deliveries).where(deliveries.c.id == bindparam("of"), deliveries.c.state == "waiting")
_LINK = select(links).where(links.c.id == bindparam("of"))
_SENDING = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("of"))
    .values(state="sending", sent_at=bindparam("at"), attempts=bindparam("count"))
)

_ENDED = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("of"))
    .values(
        state=bindparam("now_state"),
        settled_at=bindparam("at"),
        outcome=bindparam("how"),
        error=bindparam("why"),
        want=bindparam("kept"),
    )
)
_DELIVERY = select(deliveries).where(deliveries.c.id == bindparam("of"))
_MISSED = (
    update(links).where(links.c.id == bindparam("of")).values(base=bindparam("now_base"), version=links.c.version + 1)
)


def deliver(hub: Hub, connected: Connected) -> bool:
    """Settle one doubt or send one delivery. True when there was one."""
    doubt.take_up(hub, connected)
    states = due(hub, connected, "write")
    if not states or not may_write(hub, connected):
        return False
    if "in_doubt" in states and doubt.settle(hub, connected):
        return True
    waiting = _next(hub, connected) if "waiting" in states else None
    if waiting is None:
        return False
    sending = _claim(hub, connected, *waiting)
    if sending is not None:
        try:
            _send(hub, connected, sending)
        except Exception:
            connected.left_behind[sending.id] = sending.attempts
            raise
        hub.signals.ring("inbox")  # calls about this record have waited
    return True


def due(hub: Hub, connected: Connected, kind: str) -> frozenset[str]:
    """The states (waiting, in_doubt) of deliveries of that kind whose time has come: one look before any other."""
    with hub.store.read() as conn:
        return frozenset(conn.execute(_DUE[kind], {"to": connected.id, "now": hub.clock.now()}).scalars())


def may_write(hub: Hub, connected: Connected) -> bool:
    """A connection is written to when it is live, answers, has been recognised as the same account, and is not held."""
    if connected.mode is not Mode.LIVE or not connected.account_checked or down.unreachable(hub, connected):
        return False
    with hub.store.read() as conn:
        connected.health.held = frozenset(rows.held_connections(conn).get(connected.id, ()))
    return not connected.health.held


def _next(hub: Hub, connected: Connected) -> tuple[str, str] | None:
    """The delivery whose turn it is, with its record's remote id."""
    now = hub.clock.now()
    with hub.store.read() as conn:
        first = conn.execute(_NEXT, {"to": connected.id, "now": now}).first()
    return None if first is None else (first.id, first.remote_id)


def _claim(hub: Hub, connected: Connected, delivery_id: str, remote_id: str) -> Sending | None:
    """Take a delivery for this worker; put it off when the budget has no room for it now."""
    wait = hub.budgets.take(connected.id, connected.draws(Act.WRITE), record=remote_id)
    if not wait:
        return hub.store.step(lambda conn: _take(conn, hub, connected, delivery_id))
    later = hub.clock.now() + timedelta(seconds=wait)
    hub.store.step(
        lambda conn: conn.execute(
            update(deliveries)
            .where(deliveries.c.id == delivery_id, deliveries.c.state == "waiting")
            .values(not_before=later)
        ).close()
    )
    return None


def _take(conn: Connection, hub: Hub, connected: Connected, delivery_id: str) -> Sending | None:
    row = conn.execute(_WAITING, {"of": delivery_id}).first()
    if row is None:
        return None
    link = conn.execute(_LINK, {"of": row.link_id}).one()
    record = rows.record_row(conn, link.record_id)
    errand = columns.errand(row.want)
    if (link.ended_at is not None and not errand.farewell) or record.presence != "present":
        _end(
            conn,
            hub,
            row,
            "superseded",
            "the record left the item" if link.ended_at else f"the record is {record.presence}",
        )
        adopt.plan_farewell(conn, hub, link.id)
        return None
    if errand.farewell:
        renewed = adopt.farewell(conn, hub, link)
        if renewed is None and row.in_doubt_since is not None:
            # It may have taken effect, so what is stored may show a link that is not there.
            receipts.forget_shown(conn, hub.clock.now(), record.id, errand)
            rows.ask(conn, connected.id, [(record.kind, record.remote_id)], hub.clock.now(), "member")
        if renewed is None and row.in_doubt_since is not None:
            _give_up_doubtful(conn, hub, row)
            return None
        if renewed is None:
            _end(conn, hub, row, "superseded", "there is nothing to take away")
            return None
        if renewed != errand and row.in_doubt_since is None:
            errand = renewed
            new = {"want": columns.encode(errand), "version": errand.expect}
            conn.execute(update(deliveries).where(deliveries.c.id == row.id).values(**new))
    if row.in_doubt_since is not None and link.ended_at is None:
        item = load.whole(conn, hub, row.item_id)
        if not still_wants(hub, item, link.id, errand):
            _give_up_doubtful(conn, hub, row)
            return None
    put_off = columns.base(link.base).put_off
    if put_off is not None and put_off > hub.clock.now() and link.ended_at is None:
        conn.execute(update(deliveries).where(deliveries.c.id == row.id).values(not_before=put_off))
        return None
    doubted = rows.doubted_until(conn, connected.id, record.remote_id, hub.clock.now())
    if doubted is not None:  # somebody may have taken our last write back: a further one would be on top of that
        conn.execute(update(deliveries).where(deliveries.c.id == row.id).values(not_before=doubted))
        return None
    fought = _fought_over(conn, hub, connected, link.id, errand)
    if fought:
        _end(conn, hub, row, "superseded", f"{fought} is fought over")
        rows.open_hold(
            conn,
            connected.id,
            HoldReason.FIGHT.value,
            hub.clock.now(),
            _fight_detail(errand, fought, record, hub),
            link_id=link.id,
            field=fought,
        )
        rows.ask(conn, connected.id, [(record.kind, record.remote_id)], hub.clock.now(), "fight")
        hub.tell("field_held", connection=connected.name, record=record.key or record.remote_id, field=fought)
        rows.mark(conn, [row.item_id], hub.clock.now(), row.cause)
        return None
    conn.execute(_SENDING, {"of": row.id, "at": hub.clock.now(), "count": row.attempts + 1})
    return Sending(
        id=row.id,
        item_id=row.item_id,
        link_id=link.id,
        record_id=record.id,
        ref=rows.ref_of(record),
        snap=columns.snapshot(record.body),
        errand=errand,
        attempts=row.attempts + 1,
        cause=row.cause,
        doubtful=row.in_doubt_since is not None,
    )


def _give_up_doubtful(conn: Connection, hub: Hub, row: Any) -> None:
    """A doubtful write that the item would not ask for any more is not sent again.

    It is given up once its first attempt cannot arrive late any more; until then the record stays in doubt.
    """
    over = row.in_doubt_since + doubt.LATE
    if hub.clock.now() < over:
        conn.execute(update(deliveries).where(deliveries.c.id == row.id).values(state="in_doubt", not_before=over))
        return
    _end(conn, hub, row, "superseded", "never applied; outdated")
    rows.mark(conn, [row.item_id], hub.clock.now(), row.cause)


def _fought_over(conn: Connection, hub: Hub, connected: Connected, link_id: int, errand: Errand) -> str:
    """The field that would be written once too often with one value, or ""."""
    for name, value in receipts.values_of(errand):
        if brakes.fight(conn, hub, connected, link_id, name, value):
            return name
    return ""


def _fight_detail(errand: Errand, field: str, record: Any, hub: Hub) -> str:
    values = ", ".join(value for name, value in receipts.values_of(errand) if name == field)
    return (
        f"{record.key or record.remote_id}: {field} was set to {values} {hub.settings.fight_writes} times in an hour "
        "by hypercare, and did not stay so"
    )


def _end(conn: Connection, hub: Hub, row: Any, state: str, outcome: str) -> None:
    kept = columns.encode(columns.bare(columns.errand(row.want)))
    what = {"now_state": state, "at": hub.clock.now(), "how": outcome[:32], "why": outcome, "kept": kept}
    conn.execute(_ENDED, {"of": row.id, **what})


# --- sending ---------------------------------------------------------------------------------------------------


def _send(hub: Hub, connected: Connected, sending: Sending) -> None:
    read_no = hub.reads.next()
    expect = Expect(version=sending.errand.expect, op=sending.id, snapshot=sending.snap)
    try:
        answer = connected.remote().write(sending.ref, sending.errand.changes, expect)
    except RemoteError as error:
        _refused(hub, connected, sending, error, read_no)
        return
    down.answered(hub, connected)
    hub.tell("answered", connection=connected.name, record=sending.ref.key or sending.ref.id, delivery=sending.id)
    receipts.take(hub, connected, sending, answer, read_no)
    hub.signals.ring("settle")


def _refused(hub: Hub, connected: Connected, sending: Sending, error: RemoteError, read_no: int) -> None:
    down.failed(hub, connected, error)
    if isinstance(error, VersionConflict):
        _conflicted(hub, connected, sending, error, read_no)
    elif error.applied:
        doubt.enter(hub, connected, sending.id, error.message)
    elif isinstance(error, RateLimited):
        _wait(hub, sending, error, attempts=sending.attempts - 1, retry_after=error.retry_after)
    elif isinstance(error, AuthRejected):
        _wait(hub, sending, error, attempts=sending.attempts - 1)
    elif isinstance(error, Forbidden):
        _unreachable(hub, connected, sending, error)
    elif isinstance(error, RecordMissing):
        _drop(
            hub,
            connected,
            sending,
            "record missing",
            lambda conn: rows.ask(conn, connected.id, [(sending.ref.kind, sending.ref.id)], hub.clock.now(), "confirm"),
        )
    elif isinstance(error, WriteRejected):
        _rejected(hub, connected, sending, error)
    else:
        _wait(hub, sending, error, attempts=sending.attempts)


def _conflicted(hub: Hub, connected: Connected, sending: Sending, error: VersionConflict, read_no: int) -> None:
    """The record moved: what we decided on is old. After a doubtful attempt it may be our own write that moved it."""
    if sending.doubtful:
        doubt.enter(hub, connected, sending.id, error.message)
        return

    def more(conn: Connection) -> None:
        if error.snapshot is not None:
            ingest.take(conn, hub, connected, [error.snapshot], read_no, why="conflict")
        else:
            rows.ask(conn, connected.id, [(sending.ref.kind, sending.ref.id)], hub.clock.now(), "member")
        _count_conflict(conn, hub, sending.link_id)

    if sending.errand.farewell:
        # No item plans it anew: it waits, and is made of what the record shows by then.
        hub.store.step(more)
        _wait(hub, sending, error, attempts=sending.attempts)
        return
    _drop(hub, connected, sending, "the record moved", more)
    hub.tell("write_conflict", connection=connected.name)


def _count_conflict(conn: Connection, hub: Hub, link_id: int) -> None:
    """Somebody changes the record without a pause: the next plans are put off, longer each time, until one lands."""
    link = conn.execute(_LINK, {"of": link_id}).one()
    base = columns.base(link.base)
    count = base.misses.get("conflict", 0) + 1
    base = structs.replace(base, misses={**base.misses, "conflict": count})
    if count >= CONFLICTS:
        at = next_attempt(count - CONFLICTS + 1, "write", None, hub.clock.now(), hub.rng.random())
        base = structs.replace(base, put_off=at)
    conn.execute(_MISSED, {"of": link_id, "now_base": columns.encode(base)})


def _drop(hub: Hub, connected: Connected, sending: Sending, outcome: str, more: Callable[[Connection], object]) -> None:
    def step(conn: Connection) -> None:
        row = conn.execute(_DELIVERY, {"of": sending.id}).one()
        _end(conn, hub, row, "superseded", outcome)
        more(conn)
        if not sending.errand.farewell:
            adopt.plan_farewell(conn, hub, sending.link_id)
        rows.mark(conn, [sending.item_id], hub.clock.now(), sending.cause)

    hub.store.step(step)
    hub.tell("superseded", connection=connected.name, delivery=sending.id, why=outcome)
    hub.signals.ring("settle")
    hub.signals.ring(f"refresh:{connected.id}")


def _wait(hub: Hub, sending: Sending, error: RemoteError, *, attempts: int, retry_after: float | None = None) -> None:
    """Nothing was applied: the same delivery goes out again later."""
    at = next_attempt(max(1, attempts), "write", retry_after, hub.clock.now(), hub.rng.random())
    hub.store.step(
        lambda conn: conn.execute(
            update(deliveries)
            .where(deliveries.c.id == sending.id)
            .values(state="waiting", not_before=at, attempts=max(0, attempts), error=error.message)
        ).close()
    )


def _unreachable(hub: Hub, connected: Connected, sending: Sending, error: RemoteError) -> None:
    def more(conn: Connection) -> None:
        now = hub.clock.now()
        conn.execute(
            update(records).where(records.c.id == sending.record_id).values(presence="unreachable", missing_since=now)
        )
        parking.park(
            conn,
            hub,
            connected,
            sending.item_id,
            sending.link_id,
            "record",
            ParkReason.RECORD_UNREACHABLE,
            wanted=", ".join(sending.errand.fields),
            shown="",
            detail=error.message,
            delivery_id=sending.id,
        )

    _drop(hub, connected, sending, "forbidden", more)


def _rejected(hub: Hub, connected: Connected, sending: Sending, error: WriteRejected) -> None:
    """The remote will refuse it again. Several fields in one request go out one by one; a single one is parked."""
    fields = sending.errand.fields

    def more(conn: Connection) -> None:
        link = conn.execute(select(links).where(links.c.id == sending.link_id)).one()
        base = columns.base(link.base)
        if len(fields) > 1 and not base.solo:
            base = structs.replace(base, solo=True)
        else:
            name = fields[0] if fields else "links"
            base = parking.settle_base(base, sending.errand, name, ParkReason.WRITE_REJECTED, sending.snap, connected)
            parking.park(
                conn,
                hub,
                connected,
                sending.item_id,
                sending.link_id,
                name,
                ParkReason.WRITE_REJECTED,
                wanted=parking.wanted_text(sending.errand, name),
                shown=parking.shown_text(connected, sending.snap, name),
                detail=error.message,
                delivery_id=sending.id,
            )
        conn.execute(
            update(links)
            .where(links.c.id == sending.link_id)
            .values(base=columns.encode(base), version=links.c.version + 1)
        )

    _drop(hub, connected, sending, "refused by the remote", more)
