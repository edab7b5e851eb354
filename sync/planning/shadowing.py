"""Putting a connection into shadow mode, and taking it out again."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from sync.engine import contact
from sync.engine import shadow as shadows
from sync.engine.commands import Answer, Refused
from sync.engine.find import NotFound
from sync.engine.hub import Hub, Mode
from sync.model import Json


def shadow(conn: Connection, hub: Hub, args: Mapping[str, Json]) -> Answer:
    """Put a connection into shadow, or (`on` false) back to where it only observes."""
    name, now = str(args.get("connection") or ""), hub.clock.now()
    connected = next((each for each in hub.connections.values() if each.name == name), None)
    if connected is None:
        known = ", ".join(sorted(each.name for each in hub.connections.values()))
        raise NotFound(f"there is no connection {name!r}; known: {known}")
    if args.get("on") is False:
        if connected.mode is not Mode.SHADOW:
            raise Refused(f"{name} is not in shadow mode; it is {connected.mode.value}")
        shadows.leave(conn, connected, now)
        contact.set_mode(conn, connected, Mode.OBSERVE, now)
        return Answer(
            ok=True, message=f"{name} only observes from now on; `hypercare shadow report` keeps what was noted"
        )
    if connected.mode is Mode.SHADOW:
        return Answer(ok=True, message=f"{name} is in shadow mode already")
    was_live = connected.mode is Mode.LIVE
    shadows.begin(conn, connected, now)
    contact.set_mode(conn, connected, Mode.SHADOW, now)
    stopped = ": nothing is written to it any more" if was_live else ""
    return Answer(
        ok=True,
        message=f"{name} is in shadow mode{stopped}; what would be written is noted, see `hypercare shadow report`",
    )
