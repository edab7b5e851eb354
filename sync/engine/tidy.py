"""Housekeeping: retention, and what ends by itself."""

from __future__ import annotations

from sync.engine import contact, rows
from sync.engine.hub import Hub
from sync.store.retention import Retention, tidy_all


def tidy(hub: Hub) -> bool:
    """Forget what is past its time, and end restores whose re-reading is done. Nothing is left for the next tick."""
    with hub.store.read() as conn:
        held = rows.held_connections(conn)
    for connected in hub.connections.values():
        connected.health.held = frozenset(held.get(connected.id, ()))
        contact.end_of_restore(hub, connected)
    settings = hub.settings
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
