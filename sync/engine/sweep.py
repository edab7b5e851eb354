"""The sweep: every linked record is read again once in a while, spread evenly, for what no change feed shows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import case, func, or_, select

from sync.engine import down, rows
from sync.engine.hub import Connected, Hub
from sync.store.tables import links, records, refreshes

_WAITING = 20
"""Sweep reads that may wait at once: a slow connection is not buried."""


def sweep(hub: Hub, connected: Connected) -> bool:
    """Ask for the next records of the sweep. False always: the next ones are not due before the next tick.

    As many as the time since the last tick has earned: all linked records in `sweep_every`, oldest first.
    """
    if down.unreachable(hub, connected):
        return False
    now, tick = hub.clock.now(), hub.clock.monotonic()
    since = connected.health.swept_until
    connected.health.swept_until = tick
    if since is None:
        return False
    with hub.store.read() as conn:
        joined = records.join(links, links.c.record_id == records.c.id)
        mine = (records.c.connection_id == connected.id, links.c.ended_at.is_(None), records.c.presence != "gone")
        linked = conn.execute(select(func.count()).select_from(joined).where(*mine)).scalar_one()
        if not linked:
            return False
        connected.health.sweep_earned += linked * (tick - since) / hub.settings.sweep_every.total_seconds()
        earned = int(connected.health.sweep_earned)
        if earned < 1:
            return False
        waiting = conn.execute(
            select(func.count()).where(refreshes.c.connection_id == connected.id, refreshes.c.why == "sweep")
        ).scalar_one()
        if waiting >= _WAITING:
            return False
        # A record that cannot be read is not swept by the attempt: when it was last missed counts instead.
        looked_at = case((records.c.presence == "present", records.c.swept_at), else_=records.c.seen_at)
        due = conn.execute(
            select(records.c.kind, records.c.remote_id)
            .select_from(joined)
            .where(*mine, or_(looked_at.is_(None), looked_at < now - hub.settings.sweep_every / 2))
            .order_by(looked_at.is_not(None), looked_at, records.c.id)
            .limit(min(earned, _WAITING - waiting))
        ).all()
    # What could not be asked for yet stays earned, up to one round; where nothing is due, nothing is owed.
    connected.health.sweep_earned = min(connected.health.sweep_earned - len(due), float(linked)) if due else 0.0
    if due:
        hub.store.step(
            lambda conn: rows.ask(conn, connected.id, [(row.kind, row.remote_id) for row in due], now, "sweep")
        )
        hub.signals.ring(f"refresh:{connected.id}")
    return False


def oldest_unswept(hub: Hub, connected: Connected) -> datetime | None:
    """When the linked record that was read longest ago was read, or linked if never; None when nothing is linked."""
    with hub.store.read() as conn:
        row = conn.execute(
            select(func.min(func.coalesce(records.c.swept_at, links.c.made_at)))
            .select_from(records.join(links, links.c.record_id == records.c.id))
            .where(records.c.connection_id == connected.id, links.c.ended_at.is_(None), records.c.presence == "present")
        ).scalar()
    return row if row is None or isinstance(row, datetime) else datetime.fromisoformat(row)
