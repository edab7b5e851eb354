"""What is left of the rate budgets, noted in the database: so `status` can show it from there alone."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

from sync.engine.hub import Connected, Hub
from sync.store.tables import budgets
from sync.store.upsert import upsert

_NOTED = ("next_free", "blocked_until", "limit", "remaining", "read_at")


def note(conn: Connection, hub: Hub, connected: Connected) -> None:
    """Note the account-wide budgets of one connection. For people only: the daemon goes by what it has in memory."""
    now = hub.clock.now()
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
        for room in hub.budgets.room(connected.id)
    ]
    if found:
        conn.execute(
            upsert(conn, budgets, ["connection_id", "name", "record"], dict.fromkeys(_NOTED, "excluded")), found
        )


def is_closed(hub: Hub, connected: Connected) -> bool:
    """Whether the remote asked for patience, so that a budget is closed for now."""
    return any(room.blocked_for for room in hub.budgets.room(connected.id))
