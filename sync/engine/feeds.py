"""What a connector reads by itself into the hub's database, beside the change feed: one turn at a time."""

from __future__ import annotations

from sync.engine.hub import Connected, Hub


def read(hub: Hub, connected: Connected) -> bool:
    """One turn of a connection's feed. True when there is more to read at once.

    What it changed is found by the next poll of the change feed, which is woken. Raises StoreUnavailable; the turn is
    made again then, and nothing is lost.
    """
    if connected.feed is None:
        return False
    turn = connected.feed.turn()
    for event, facts in turn.events:
        hub.tell(event, connection=connected.name, **facts)
    if turn.changed:
        hub.signals.ring(f"poll:{connected.id}")
    return turn.more
