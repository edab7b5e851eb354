"""The brake and the breaker in effect: a connection, or one field of one record, is held and a person asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, distinct, func, select, update

from connectors.contract import Act
from connectors.errors import RemoteError
from sync.core import brake
from sync.core.reasons import HoldReason
from sync.engine import down, rows
from sync.engine.hub import Connected, Hub
from sync.engine.parking import TRIED_AGAIN
from sync.model import Snapshot
from sync.store.tables import deliveries, holds, links, parked, records, writes

_SAMPLES = 10

BY_PLAN = "plan "
"""How the cause of writes begins that a person asked for by applying a plan."""

# Built once: building a statement costs several times its execution.
_OF_ONE_CAUSE = (
    deliveries.c.connection_id == bindparam("to"),
    deliveries.c.cause == bindparam("why"),
    deliveries.c.made_at > bindparam("after"),
    deliveries.c.kind == rows.WRITE,
)
_PLANNED = select(func.count(distinct(deliveries.c.link_id))).where(*_OF_ONE_CAUSE)
_ASKED_FOR = (
    deliveries.c.connection_id == bindparam("to"),
    deliveries.c.cause == bindparam("why"),
    deliveries.c.made_at > bindparam("after"),
    deliveries.c.kind == rows.CREATE,
)
_CREATES = select(func.count()).select_from(deliveries).where(*_ASKED_FOR)
_SOURCES = (
    select(records.c.key, records.c.remote_id)
    .select_from(
        deliveries.join(links, deliveries.c.item_id == links.c.item_id).join(records, links.c.record_id == records.c.id)
    )
    .where(*_ASKED_FOR, links.c.ended_at.is_(None))
    .order_by(records.c.id)
    .limit(_SAMPLES)
)
_WRITTEN = select(func.count()).where(
    writes.c.link_id == bindparam("of"),
    writes.c.field == bindparam("name"),
    writes.c.value == bindparam("said"),
    writes.c.at > bindparam("after"),
)


def mass_missing(conn: Connection, hub: Hub, connected: Connected, newly: int) -> None:
    """Hold a connection when too many of its linked records went missing within an hour. newly: how many just now.

    Memory counts at least as many as the tables do, so nearly always nothing is asked of them.
    """
    now, health = hub.clock.now(), connected.health
    at_least, share = hub.settings.brake_missing
    since = _since_release(conn, connected, HoldReason.MASS_MISSING, now) if health.missed is None else None
    lost = and_(rows.of_linked(connected.id), links.c.ended_at.is_(None), records.c.missing_since > bindparam("after"))
    joined = records.join(links, links.c.record_id == records.c.id)
    if health.missed is None:
        when = select(records.c.missing_since).select_from(joined).where(lost)
        health.missed = list(conn.execute(when, {"after": since}).scalars())
    else:
        health.missed = [at for at in health.missed if at > now - brake.WINDOW] + [now] * newly
    if len(health.missed) <= at_least or is_held(conn, connected, HoldReason.MASS_MISSING):
        return
    after = {"after": _since_release(conn, connected, HoldReason.MASS_MISSING, now)}
    gone = conn.execute(select(func.count()).select_from(joined).where(lost), after).scalar_one()
    if gone <= at_least:
        return
    known = linked_count(conn, hub, connected)
    if not brake.too_many(gone, known, at_least=at_least, share=share):
        return
    samples = [
        row.key or row.remote_id
        for row in conn.execute(
            select(records.c.key, records.c.remote_id).select_from(joined).where(lost).limit(_SAMPLES), after
        )
    ]
    detail = f"{gone} of {known} linked records went missing within an hour"
    _hold(conn, hub, connected, HoldReason.MASS_MISSING, detail, gone, samples)


def mass_writes(conn: Connection, hub: Hub, connected: Connected, cause: str) -> None:
    """Hold a connection when one cause has planned writes to too many of its records within an hour."""
    if cause.startswith(BY_PLAN):
        return  # a person has seen how many they are, and asked for them
    now = hub.clock.now()
    at_least, share = hub.settings.brake_writes
    same: dict[str, Any] = {"to": connected.id, "why": cause[:128], "after": now - brake.WINDOW}
    # Nearly always this is the end: what was released can only make it fewer.
    if conn.execute(_PLANNED, same).scalar_one() <= at_least or is_held(conn, connected, HoldReason.MASS_WRITES):
        return
    same["after"] = _since_release(conn, connected, HoldReason.MASS_WRITES, now)
    planned = conn.execute(_PLANNED, same).scalar_one()
    if planned <= at_least:
        return
    known = linked_count(conn, hub, connected)
    if not brake.too_many(planned, known, at_least=at_least, share=share):
        return
    samples = list(
        conn.execute(
            select(records.c.key)
            .distinct()
            .select_from(
                deliveries.join(links, deliveries.c.link_id == links.c.id).join(
                    records, links.c.record_id == records.c.id
                )
            )
            .where(*_OF_ONE_CAUSE)
            .limit(_SAMPLES),
            same,
        ).scalars()
    )
    detail = f"writes to {planned} records were planned within an hour from one cause ({cause}); {known} are linked"
    _hold(conn, hub, connected, HoldReason.MASS_WRITES, detail, planned, samples)


def cause_of_create(route: str, created_at: datetime, now: datetime) -> str:
    """What a create is counted under: one for a record that is new is a cause of its own, as any new work is.

    A record that was there before gets its counterpart because something else happened: the routes were edited, a
    restored database reads anew, somebody edited many records at once, a connection was started for the past.
    """
    return f"route {route}" if created_at > now - brake.WINDOW else f"{_OLDER}{route}"[:128]


_OLDER = "records from before, by route "


def mass_creates(conn: Connection, hub: Hub, connected: Connected, cause: str) -> None:
    """Hold a connection when too many records from before were to get a counterpart on it within an hour."""
    if not cause.startswith(_OLDER):
        return
    at_least, share = hub.settings.brake_writes
    since = _since_release(conn, connected, HoldReason.MASS_WRITES, hub.clock.now())
    same: dict[str, Any] = {"to": connected.id, "why": cause, "after": since}
    planned = conn.execute(_CREATES, same).scalar_one()
    if planned <= at_least:
        return
    known = linked_count(conn, hub, connected)
    if not brake.too_many(planned, known, at_least=at_least, share=share):
        return
    samples = [row.key or row.remote_id for row in conn.execute(_SOURCES, same)]
    detail = f"{planned} records were to be created within an hour from one cause ({cause}); {known} are linked"
    _hold(conn, hub, connected, HoldReason.MASS_WRITES, detail, planned, samples)


def fight(conn: Connection, hub: Hub, connected: Connected, link_id: int, field: str, value: str) -> bool:
    """True when the same value was written to one field so often within an hour that somebody writes against us.

    What was written before a person released such a hold, or had the field tried again, counts no more.
    """
    now = hub.clock.now()
    same: dict[str, Any] = {"of": link_id, "name": field, "said": value, "after": now - brake.WINDOW}
    # Nearly always this is the end: what was released can only make it fewer.
    if not brake.fighting(conn.execute(_WRITTEN, same).scalar_one(), hub.settings.fight_writes):
        return False
    since = _since_release(conn, connected, HoldReason.FIGHT, now, link_id=link_id, field=field)
    retried = conn.execute(
        select(func.max(parked.c.ended_at)).where(
            parked.c.link_id == link_id, parked.c.field == field, parked.c.ended_how == TRIED_AGAIN
        )
    ).scalar()
    same["after"] = since if retried is None else max(since, retried)
    return brake.fighting(conn.execute(_WRITTEN, same).scalar_one(), hub.settings.fight_writes)


_COUNTED = 60.0
"""Seconds for which a count of the linked records is good enough: it is a share of them that is looked at."""


def linked_count(conn: Connection, hub: Hub, connected: Connected) -> int:
    """How many records of a connection are linked, as of a minute ago at most."""
    now, known = hub.clock.monotonic(), connected.health.linked
    if known is not None and now < known[1] + _COUNTED:
        return known[0]
    count = conn.execute(
        select(func.count())
        .select_from(links.join(records, links.c.record_id == records.c.id))
        .where(rows.of_linked(connected.id), links.c.ended_at.is_(None))
    ).scalar_one()
    connected.health.linked = (count, now)
    return count


def is_held(conn: Connection, connected: Connected, reason: HoldReason) -> bool:
    """Whether a connection is held whole for that reason."""
    return reason.value in rows.held_connections(conn).get(connected.id, ())


def name_other(hub: Hub, connected: Connected, snap: Snapshot) -> None:
    """Name the other writer of a field that is fought over, from the record's own change history.

    When the history cannot be asked for just now, for lack of budget, the record is read for it once more, later.
    """
    with hub.store.read() as conn:
        row = rows.find_record(conn, connected.id, snap.ref.id)
        link = rows.active_link(conn, row.id) if row is not None else None
        fought = () if link is None else conn.execute(_open_fights(connected, link.id)).all()
    if not fought:
        return
    wait = hub.budgets.take(connected.id, connected.draws(Act.HISTORY))
    if wait:
        now, asked = hub.clock.now(), [(connected.kind, snap.ref.id)]
        later = now + timedelta(seconds=wait)
        hub.store.step(lambda conn: rows.ask(conn, connected.id, asked, now, "fight", not_before=later))
        return
    try:
        history = connected.remote().history(snap.ref, "")
    except RemoteError as error:
        down.failed(hub, connected, error)
        return
    mapping = connected.mapping
    for hold in fought:
        name = mapping.status_field if hold.field == "status" else mapping.tags_field
        edits = [entry for entry in history if any(edit.field == name for edit in entry.edits)]
        first = next((place for place, entry in enumerate(edits) if entry.ours), len(edits))
        theirs = [entry for entry in edits[first:] if not entry.ours]
        if not theirs:
            continue
        last = theirs[-1]
        whom = f"{last.actor or 'a rule'} ({'an automation' if last.automatic else 'a person or an app'})"
        hub.store.step(partial(_add_to_detail, hold_id=hold.id, text=f"; the other writer is {whom}"))
        hub.tell("fight_named", connection=connected.name, record=snap.ref.key or snap.ref.id, other=last.actor)


def _open_fights(connected: Connected, link_id: int) -> Select[Any]:
    return select(holds).where(
        holds.c.connection_id == connected.id,
        holds.c.link_id == link_id,
        holds.c.reason == HoldReason.FIGHT.value,
        holds.c.released_at.is_(None),
        holds.c.detail.not_like("%; the other writer is %"),
    )


def _add_to_detail(conn: Connection, hold_id: int, text: str) -> None:
    conn.execute(update(holds).where(holds.c.id == hold_id).values(detail=holds.c.detail + text))


def _since_release(
    conn: Connection,
    connected: Connected,
    reason: HoldReason,
    now: datetime,
    *,
    link_id: int | None = None,
    field: str = "",
) -> datetime:
    """An hour ago, or when a person last released such a hold: what was looked at counts no more."""
    hour = now - brake.WINDOW
    same = [holds.c.connection_id == connected.id, holds.c.reason == reason.value]
    if link_id is not None:
        same += [holds.c.link_id == link_id, holds.c.field == field]
    released = conn.execute(select(func.max(holds.c.released_at)).where(*same)).scalar()
    return hour if released is None else max(hour, released)


def _hold(
    conn: Connection, hub: Hub, connected: Connected, reason: HoldReason, detail: str, count: int, samples: list[str]
) -> None:
    if rows.open_hold(conn, connected.id, reason.value, hub.clock.now(), detail, count=count, samples=samples):
        hub.tell("connection_held", connection=connected.name, reason=reason.value, detail=detail)
