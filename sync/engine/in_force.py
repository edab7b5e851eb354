"""Which mappings the daemon works by, and whether others were saved that it cannot use: two facts in `meta`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select

from sync.engine import contact, rows
from sync.engine.hub import Hub
from sync.store.tables import items, meta

IN_FORCE = "mappings_in_force"
"""The key in `meta` of the mappings that the daemon works by."""
REFUSED = "mappings_refused"
"""The key in `meta` of files that were saved and cannot be used; only there while that is so."""
_TOLD = 20


class InForce(Struct, frozen=True, kw_only=True):
    """The mappings that the daemon works by. at: since when. fields: with one value that are kept in step, as
    `CONNECTION:FIELD`."""

    fingerprint: str
    at: datetime
    fields: tuple[str, ...] = ()


class WrongFiles(Struct, frozen=True, kw_only=True):
    """Files that were saved and are not in force. problems: the first of `count`, as `mappings check` shows them."""

    at: datetime
    count: int
    problems: tuple[str, ...]


def note(conn: Connection, hub: Hub, *, edited: bool) -> None:
    """The mappings of the hub are in force from now on.

    edited: they have just replaced others. What waited for a value in its mapping is decided again: it may stand there
    by now. Where a field is kept in step for the first time every item is: what its records show is noted before
    somebody changes one, or that change would count as what they always showed.
    """
    now = hub.clock.now()
    known, fields = in_force(conn), _fields(hub)
    _put(conn, IN_FORCE, InForce(fingerprint=hub.fingerprint, at=now, fields=fields))
    if set(fields) - set(known.fields if known is not None else ()):
        rows.mark(conn, conn.execute(select(items.c.id)).scalars(), now)
    forget_refused(conn)
    if edited:
        for connected in hub.connections.values():
            contact.mark_unmapped(conn, connected, now)


def _fields(hub: Hub) -> tuple[str, ...]:
    return tuple(
        sorted(
            f"{connected.name}:{name}"
            for connected in hub.connections.values()
            for name in connected.mapping.value_rules
            if name in hub.rules.fields
        )
    )


def note_refused(conn: Connection, problems: Sequence[str], now: datetime) -> None:
    """Others were saved, and are wrong."""
    _put(conn, REFUSED, WrongFiles(at=now, count=len(problems), problems=tuple(problems[:_TOLD])))


def forget_refused(conn: Connection) -> None:
    """What is saved is what is in force."""
    conn.execute(delete(meta).where(meta.c.key == REFUSED))


def in_force(conn: Connection) -> InForce | None:
    """The mappings that the daemon works by, or last did."""
    found = conn.execute(select(meta.c.value).where(meta.c.key == IN_FORCE)).scalar()
    return None if found is None else msgspec.json.decode(found, type=InForce)


def refused(conn: Connection) -> WrongFiles | None:
    """Files that were saved and cannot be used."""
    found = conn.execute(select(meta.c.value).where(meta.c.key == REFUSED)).scalar()
    return None if found is None else msgspec.json.decode(found, type=WrongFiles)


def _put(conn: Connection, key: str, value: Struct) -> None:
    conn.execute(delete(meta).where(meta.c.key == key))
    conn.execute(insert(meta).values(key=key, value=msgspec.json.encode(value).decode()))
