"""What a connector does by itself beside change feed and deliveries, one turn at a time: it reads logs into the hub's
database, and shows on its remote what the hub knows of them.
"""

from __future__ import annotations

from connectors.errors import AuthRejected
from sync.engine import down, rows
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


def annotate(hub: Hub, connected: Connected) -> bool:
    """One turn of a connection's annotator: nothing unless it is live, checked, and not held. True when there is more.

    Refused credentials hold the connection, until its check passes.
    """
    if connected.annotator is None or not connected.writes or down.unreachable(hub, connected):
        return False
    with hub.store.read() as conn:
        if connected.id in rows.held_connections(conn):
            return False
    try:
        turn = connected.annotator.turn()
    except AuthRejected as error:
        down.hold_for_credentials(hub, connected, error)
        return False
    for event, facts in turn.events:
        hub.tell(event, connection=connected.name, **facts)
    return turn.more
