"""`hypercare mappings try`: one record, from the database or read anew, through a mapping in both directions."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from config.load import Loaded as Configuration
from config.mappings import compile_texts, read_with
from connectors.contract import Act
from connectors.errors import RemoteError
from sync.cli import opening
from sync.cli.asking import asked
from sync.cli.ending import Ended
from sync.engine import columns, find, load, rows
from sync.engine.hub import Hub
from sync.mapping.load import Loaded
from sync.mapping.trace import sources
from sync.mapping.trial import Counterpart, Tried, tried
from sync.model import Missing, Snapshot
from sync.ports import RealClock


class Trial(Struct, frozen=True, kw_only=True):
    """What was tried. item: the record's item, empty for none. read_at: when what is shown was read."""

    item: str
    read_at: datetime
    tried: Tried


class _Found(Struct, frozen=True, kw_only=True):
    connection: str
    snap: Snapshot
    read_at: datetime
    item: str = ""
    others: tuple[Counterpart, ...] = ()


def try_record(configured: Configuration, file: Path, record: str, *, online: bool) -> Trial:
    """Try it. Raises SettingsErrors for files that are wrong, Ended, NotFound."""
    texts = read_with(configured.mappings_dir, file)
    loaded = compile_texts(configured, texts)
    found: _Found | None = None
    try:
        if configured.database.exists():
            found = _stored(configured, loaded, record)
    except find.NotFound as error:
        if not online:
            raise Ended(f"{error}; `--online` asks its system") from None
    if online:
        found = _anew(configured, record, found)
    if found is None:
        raise Ended(
            f"{record} is not known here: there is no database at {configured.database} yet; `--online` asks its system"
        )
    return Trial(
        item=found.item,
        read_at=found.read_at,
        tried=tried(loaded, sources(texts), configured.systems, found.connection, found.snap, found.others),
    )


def _stored(configured: Configuration, loaded: Loaded, record: str) -> _Found:
    with ExitStack() as stack:
        here = stack.enter_context(opening.looking(configured, loaded))
        conn = stack.enter_context(here.store.read())
        return _found(conn, here.hub, find.record_of(conn, here.hub, record))


def _found(conn: Connection, hub: Hub, row: Any) -> _Found:
    connected = hub.connections[row.connection_id]
    link = rows.active_link(conn, row.id)
    others: tuple[Counterpart, ...] = ()
    if link is not None:
        item = load.whole(conn, hub, link.item_id)
        others = tuple(
            Counterpart(connection=one.connected.name, snap=one.snap)
            for one in item.linked
            if one.record_id != row.id and one.presence == "present"
        )
    return _Found(
        connection=connected.name,
        snap=columns.snapshot(row.body),
        read_at=row.seen_at,
        item=find.item_name(link.item_id) if link is not None else "",
        others=others,
    )


def _anew(configured: Configuration, record: str, stored: _Found | None) -> _Found:
    """The record as its system shows it now."""
    name, key = (stored.connection, stored.snap.ref.id) if stored is not None else _named(configured, record)
    try:
        with asked(configured, name) as live:
            live.room(Act.FETCH)
            answer = live.remote.fetch([key], whole=True)[key]
    except RemoteError as error:
        raise Ended(f"{name}: {error.message}") from None
    if isinstance(answer, Missing):
        raise Ended(f"{name} shows no record {key}: {answer.detail or answer.kind.value}")
    return _Found(
        connection=name,
        snap=answer,
        read_at=RealClock().now(),
        item=stored.item if stored is not None else "",
        others=stored.others if stored is not None else (),
    )


def _named(configured: Configuration, record: str) -> tuple[str, str]:
    """The connection and the key that a text names, by the settings alone."""
    name, colon, rest = record.partition(":")
    if colon and not rest.startswith("//"):
        if name not in configured.connections:
            raise Ended(f"there is no connection `{name}`; known are {', '.join(configured.connections) or 'none'}")
        return name, configured.connector(name).parse_reference(configured.connections[name], rest) or rest
    found = [
        (one, key)
        for one, settings in configured.connections.items()
        if (key := configured.connector(one).parse_reference(settings, record)) is not None
    ]
    if len(found) != 1:
        example = next(iter(configured.connections), "support")
        raise Ended(f"{record} does not say which record: give CONNECTION:ID, such as {example}:42")
    return found[0]
