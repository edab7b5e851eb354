"""A page of a feed that our own code stumbles over: told, shown, and read again ever more rarely.

The feed cannot go past it, so changes are not seen by polling until the defect is gone. Webhooks, single reads and
writes go on: the connection is not down, though it is shown with the reason, since a person has to know.
"""

from __future__ import annotations

from sqlalchemy import update

from sync.core.backoff import next_attempt
from sync.engine.hub import Connected, Hub
from sync.store.tables import connections

SHOWN = 3
"""Stumbles in a row before a person is told: one may have been a moment's bad luck."""
_PATIENT = 0.999
"""No chance in the wait: one of no time at all would stumble again at once."""


def resting(hub: Hub, connected: Connected, feed: str) -> bool:
    """Whether a feed is left alone for now."""
    known = connected.health.stuck.get(feed)
    return known is not None and hub.clock.monotonic() < known[1]


def stumbled(hub: Hub, connected: Connected, feed: str, error: Exception) -> None:
    """Take note that our own code stumbled over the next page of a feed."""
    count, now = connected.health.stuck.get(feed, (0, 0.0))[0] + 1, hub.clock.now()
    seconds = (next_attempt(count, "write", None, now, _PATIENT) - now).total_seconds()
    connected.health.stuck[feed] = (count, hub.clock.monotonic() + seconds)
    where = f"reading the {feed} feed (tried {count} times, again in {seconds:.0f} s)"
    hub.tell("internal_error", where=where, connection=connected.name, error=error)
    if count < SHOWN:
        return
    why = (
        f"its {feed} feed cannot be read: a defect of hypercare ({type(error).__name__}), see the log; "
        "webhooks, single reads and writes go on"
    )
    hub.store.step(
        lambda conn: conn.execute(
            update(connections)
            .where(connections.c.id == connected.id, connections.c.down_since.is_(None))
            .values(down_since=now, down_why=why)
        ).close()
    )


def went_on(hub: Hub, connected: Connected, feed: str) -> None:
    """Take note that a page of a feed was read."""
    if connected.health.stuck.pop(feed, None) is None or connected.health.stuck or connected.health.reported_down:
        return
    hub.store.step(
        lambda conn: conn.execute(
            update(connections).where(connections.c.id == connected.id).values(down_since=None, down_why="")
        ).close()
    )
