"""What a person means by ITEM: `hc-1042`, `CONNECTION:ID`, an issue key, a ticket number or a pasted address."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from sync.engine import rows
from sync.engine.hub import Hub
from sync.store.tables import connections, items, links

_BY_NAME = select(connections.c.id).where(connections.c.name == bindparam("named"))
_ITEM = re.compile(r"hc-(\d{1,18})", re.IGNORECASE)


class NotFound(Exception):
    """Nothing goes by that name. The message says what was tried and what would work."""


def item_of(conn: Connection, hub: Hub, text: str) -> int:
    """The item that `text` names. Raises NotFound."""
    named = _ITEM.fullmatch(text.strip())
    if named:
        number = int(named[1])
        if conn.execute(select(items.c.id).where(items.c.id == number)).first() is None:
            newest = conn.execute(select(func.max(items.c.id))).scalar()
            raise NotFound(f"there is no item hc-{number}" + (f"; the newest is hc-{newest}" if newest else " yet"))
        return number
    record = record_of(conn, hub, text)
    link = rows.last_link(conn, record.id)
    if link is None:
        raise NotFound(
            f"{text} is known and belongs to no item: no link, no route and nobody has asked for one "
            f"(`hypercare link {text} OTHER` would)"
        )
    return int(link.item_id)


def record_of(conn: Connection, hub: Hub, text: str) -> Any:
    """The row of the record that `text` names. Raises NotFound."""
    text = text.strip()
    name, _, rest = text.partition(":")
    if rest and not rest.startswith("//"):
        known = conn.execute(_BY_NAME, {"named": name}).scalar()
        if known is None:
            names = sorted(conn.execute(select(connections.c.name)).scalars())
            raise NotFound(f"there is no connection {name!r}; known: {', '.join(names) or 'none'}")
        connected = hub.connections.get(known)
        reference = (connected.parse_reference(rest) if connected else None) or rest
        row = rows.find_record(conn, known, reference)
        if row is None:
            raise NotFound(
                f"{name} has shown no record {rest!r} so far; one that was made just now is known after the next poll"
            )
        return row
    found = _candidates(conn, hub, text)
    if not found:
        raise NotFound(
            f"nothing known goes by {text!r}: give an item (hc-1042), CONNECTION:ID, an issue key or an address"
        )
    if len(found) > 1:
        choices = ", ".join(f"{hub.connections[row.connection_id].name}:{row.remote_id}" for row in found)
        raise NotFound(f"{text!r} names several records: {choices}")
    return found[0]


def _candidates(conn: Connection, hub: Hub, text: str) -> Sequence[Any]:
    found = {}
    for connected in hub.connections.values():
        # A moved issue may carry the key of a project that is not configured: it is known by it all the same.
        row = rows.find_record(conn, connected.id, connected.parse_reference(text) or text)
        if row is not None:
            found[row.id] = row
    return list(found.values())


def item_name(item_id: int) -> str:
    """How an item is shown."""
    return f"hc-{item_id}"


def members(conn: Connection, item_id: int) -> list[Any]:
    """The active links of an item."""
    return list(conn.execute(select(links).where(links.c.item_id == item_id, links.c.ended_at.is_(None))).all())
