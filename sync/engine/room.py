"""What is left of the rate budgets, noted in the database: so `status` can show it from there alone."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

from sync.engine.hub import Connected, Hub
from sync.store.tables import budgets
from sync.store.upsert import upsert

_MOMENT = 60.0
"""Seconds for which a note is new enough while it would say the same."""

_NOTED = ("next_free", "blocked_until", "limit", "remaining", "read_at")


def note(conn: Connection, hub: Hub, connected: Connected) -> None:
    """Note the account-wide budgets of one connection. For people only: the daemon goes by what it has in memory.

    What would show them the same as a moment ago is not written again.
    """
    now, passed, health = hub.clock.now(), hub.clock.monotonic(), connected.health
    rooms = hub.budgets.room(connected.id)
    shown = [(room.budget, room.limit, room.left, room.blocked_for > 0) for room in rooms]
    if health.noted is not None and health.noted[0] == shown and passed < health.noted[1] + _MOMENT:
        return
    health.noted = (shown, passed)
    found = [
        {
            "connection_id": connected.id,
            "name": room.budget,
            "record": "",
            "next_free": now.timestamp() + room.full_in,
            "blocked_until": now + timedelta(seconds=room.blocked_for) if room.blocked_for else None,
            "limit": room.limit,
            "remaining": room.left,
            "read_at": now if room.told_ago is None else now - timedelta(seconds=room.told_ago),
        }
        for room in rooms
    ]
    if found:
        conn.execute(
            upsert(conn, budgets, ["connection_id", "name", "record"], dict.fromkeys(_NOTED, "excluded")), found
        )


def is_closed(hub: Hub, connected: Connected) -> bool:
    """Whether the remote asked for patience, so that a budget is closed for now."""
    return any(room.blocked_for for room in hub.budgets.room(connected.id))
