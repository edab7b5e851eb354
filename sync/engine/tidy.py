"""Housekeeping: retention, and what ends by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import structs
from sqlalchemy import Connection, bindparam, or_, select, update

from sync.core.backoff import LONGEST_SECONDS
from sync.core.reasons import HoldReason
from sync.engine import columns, contact, rows
from sync.engine.hub import Hub
from sync.store.retention import Retention, tidy_all
from sync.store.tables import deliveries, holds, items, refreshes

_FARTHEST = timedelta(seconds=max(LONGEST_SECONDS.values()))
"""No wait of our own is longer. A remote's own that is, is asked for again at the first try."""
_OPEN = ("waiting", "sending", "in_doubt", "parked")
_JUMP = 60.0
"""Seconds by which the wall clock may drift between two looks before it counts as a jump."""


def tidy(hub: Hub) -> bool:
    """Forget what is past its time, and end restores whose re-reading is done. Nothing is left for the next tick."""
    notice_jump(hub)
    with hub.store.read() as conn:
        held = rows.held_connections(conn)
    for connected in hub.connections.values():
        connected.health.held = frozenset(held.get(connected.id, ()))
        contact.end_of_restore(hub, connected)
    settings = hub.settings
    if not _is_time_to_forget(hub):
        return False
    keep = Retention(
        inbox=settings.webhook_days,
        deliveries=settings.delivery_days,
        journal=settings.journal_days,
        records=settings.raw_days,
    )
    forgotten = tidy_all(hub.store, hub.clock.now(), keep)
    if forgotten:
        hub.tell("forgotten", **forgotten)
    return False


_OFTEN = 3600.0
"""Seconds after which what is past its time is looked for again: every record is looked at for that."""
_PART = 24
"""Into so many parts the shortest period is divided where that makes for shorter times."""


def _is_time_to_forget(hub: Hub) -> bool:
    settings, now = hub.settings, hub.clock.monotonic()
    shortest = min(settings.webhook_days, settings.delivery_days, settings.journal_days, settings.raw_days)
    if hub.forgot_at is not None and now < hub.forgot_at + min(_OFTEN, shortest * 86400.0 / _PART):
        return False
    hub.forgot_at = now
    return True


def notice_jump(hub: Hub) -> float:
    """Seconds by which the wall clock jumped since the last look. After a jump nothing waits for a time of before.

    Stored times to try again are of the wall clock: set back by a day, it would reach them a day late. What must not
    go out yet is kept by the budgets all the same, which go by monotonic time.
    """
    now = hub.clock.now()
    offset = now.timestamp() - hub.clock.monotonic()
    before, hub.clock_offset = hub.clock_offset, offset
    if before is None:  # it may have been set back while no process was there to see it
        hub.store.step(lambda conn: _try_at_once(conn, now, later_than=now + _FARTHEST))
        return 0.0
    jumped = offset - before
    if abs(jumped) <= _JUMP:
        return 0.0
    hub.store.step(lambda conn: _try_at_once(conn, now))
    hub.tell("clock_jumped", seconds=round(jumped, 1))
    for topic in ("settle", *(f"{work}:{each}" for each in hub.connections for work in ("deliver", "refresh"))):
        hub.signals.ring(topic)
    return jumped


# Built once: building a statement costs several times its execution.
_PUT_OFF = tuple(
    (
        update(table).where(table.c.not_before.is_not(None)).values(not_before=None),
        update(table).where(table.c.not_before > bindparam("later_than")).values(not_before=None),
    )
    for table in (items, deliveries, refreshes)
)
_DOUBTED = select(deliveries).where(deliveries.c.in_doubt_since > bindparam("now"), deliveries.c.state.in_(_OPEN))
_LASTING = or_(holds.c.released_at.is_(None), holds.c.reason == HoldReason.RESTORED.value)
_HELD = update(holds).where(holds.c.since > bindparam("now"), _LASTING).values(since=bindparam("now"))


def _try_at_once(conn: Connection, now: datetime, *, later_than: datetime | None = None) -> None:
    """Nothing waits for a time later than that (None: for any), and no doubt and no hold begins later than now."""
    for at_any, at_far in _PUT_OFF:
        if later_than is None:
            conn.execute(at_any)
        else:
            conn.execute(at_far, {"later_than": later_than})
    for row in conn.execute(_DOUBTED, {"now": now}).all():
        errand, mine = columns.errand(row.want), deliveries.c.id == row.id
        if errand.create is not None and errand.create.at > now:  # until when its record may be unseen counts from it
            errand = structs.replace(errand, create=structs.replace(errand.create, at=now))
        conn.execute(update(deliveries).where(mine).values(in_doubt_since=now, want=columns.encode(errand)))
    # What was made before a restore may be unseen for a while after it, also where a person let the connection go.
    conn.execute(_HELD, {"now": now})
