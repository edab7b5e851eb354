"""The sweep: every linked record is read again once in a while, spread evenly, for what no change feed shows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import case, func, select

from sync.engine import down, rows
from sync.engine.hub import Connected, Hub
from sync.store.tables import links, records, refreshes

_WAITING = 20
"""Sweep reads that may wait at once: a slow connection is not buried."""


def sweep(hub: Hub, connected: Connected) -> bool:
    """Ask for the next records of the sweep. False always: the next ones are not due before the next tick.

    A record is due when half of `sweep_every` has passed since it was read. Each tick asks for as many of the due ones,
    oldest first, as bring the last of them home when the oldest's time is over: so all are read in time, and evenly.
    """
    if down.unreachable(hub, connected):
        return False
    now, tick = hub.clock.now(), hub.clock.monotonic()
    health = connected.health
    since, health.swept_until = health.swept_until, tick
    if since is None:
        return False
    every = hub.settings.sweep_every
    joined = records.join(links, links.c.record_id == records.c.id)
    # A record that cannot be read is not swept by the attempt: when it was last missed counts instead.
    swept_at = func.coalesce(records.c.swept_at, links.c.made_at)
    looked_at = case((records.c.presence == "present", swept_at), else_=records.c.seen_at)
    due = (
        rows.of_linked(connected.id),
        links.c.ended_at.is_(None),
        records.c.presence != "gone",
        looked_at < now - every / 2,
    )
    with hub.store.read() as conn:
        oldest, count = conn.execute(select(func.min(looked_at), func.count()).select_from(joined).where(*due)).one()
        if not count:
            health.sweep_earned = 0.0
            return False
        left = max((_time(oldest) + every - now).total_seconds(), tick - since, 1.0)
        health.sweep_earned = min(float(count), health.sweep_earned + count * (tick - since) / left)
        waiting = conn.execute(
            select(func.count()).where(refreshes.c.connection_id == connected.id, refreshes.c.why == "sweep")
        ).scalar_one()
        asked = conn.execute(
            select(records.c.kind, records.c.remote_id)
            .select_from(joined)
            .where(*due)
            .order_by(looked_at, records.c.id)
            .limit(max(0, min(int(health.sweep_earned), _WAITING - waiting)))
        ).all()
    if asked:
        health.sweep_earned -= len(asked)
        hub.store.step(
            lambda conn: rows.ask(conn, connected.id, [(row.kind, row.remote_id) for row in asked], now, "sweep")
        )
        hub.signals.ring(f"refresh:{connected.id}")
    return False


def _time(value: datetime | str) -> datetime:
    """A time that went through a function of SQL comes back as text."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def oldest_unswept(hub: Hub, connected: Connected) -> datetime | None:
    """When the linked record that was read longest ago was read, or linked if never; None when nothing is linked."""
    with hub.store.read() as conn:
        row = conn.execute(
            select(func.min(func.coalesce(records.c.swept_at, links.c.made_at)))
            .select_from(records.join(links, links.c.record_id == records.c.id))
            .where(rows.of_linked(connected.id), links.c.ended_at.is_(None), records.c.presence == "present")
        ).scalar()
    return None if row is None else _time(row)
