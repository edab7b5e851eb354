"""What a person asks to be done to a record whose home is the hub itself, and which has no other screen."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from sync.engine.commands import Answer, Refused
from sync.engine.hub import Connected, Hub
from sync.model import Json


def by_hand(conn: Connection, hub: Hub, args: Mapping[str, Json]) -> Answer:
    """Do `deed` to `record` (a key, an id, an address, with its connection before it where several would do)."""
    text = str(args.get("record") or "")
    connected, reference = _of(hub, text)
    assert connected.by_hand is not None
    try:
        done = connected.by_hand(conn, reference, str(args.get("deed") or ""), args, hub.clock.now())
    except ValueError as error:
        raise Refused(str(error)) from None
    return Answer(ok=True, message=done)


def _of(hub: Hub, text: str) -> tuple[Connected, str]:
    name, colon, rest = text.partition(":")
    own = [each for each in hub.connections.values() if each.by_hand is not None]
    if not own:
        raise Refused("no connection has records of the hub's own; a gateway has")
    named = [each for each in own if colon and each.name == name]
    if named:
        return named[0], named[0].parse_reference(rest) or rest
    found = [(each, reference) for each in own if (reference := each.parse_reference(text))]
    if len(found) > 1 or (not found and len(own) > 1):
        raise Refused(f"say which connection is meant: {own[0].name}:{text or 'KEY'}")
    return found[0] if found else (own[0], text)
