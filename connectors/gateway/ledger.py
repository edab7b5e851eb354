"""The signatures that are records, in the hub's own database: their state, what they show, and who changed what.

Functions of a connection of the store, to be run inside one step; each leaves the ledger whole. Whoever changes a
signature gives it the next version of its connection, by which the change feed goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import structs
from sqlalchemy import Connection, bindparam, delete, func, insert, select

from connectors.gateway.entries import Edit, Entry, Row
from connectors.gateway.fold import FoldRow
from connectors.gateway.lifecycle import State
from sync.store.tables import gateway_changes, gateway_feeds, gateway_folds, gateway_signatures
from sync.store.upsert import upsert

_CHUNK = 400


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Entry).decode

_ENTRIES = select(gateway_signatures).where(gateway_signatures.c.connection_id == bindparam("of"))
_STATES = select(gateway_signatures.c.signature, gateway_signatures.c.state, gateway_signatures.c.updated_at).where(
    gateway_signatures.c.connection_id == bindparam("of")
)
_ASLEEP = select(gateway_signatures.c.signature).where(
    gateway_signatures.c.connection_id == bindparam("of"),
    gateway_signatures.c.state.in_((State.RESOLVED.value, State.MUTED.value)),
)
_SOME = _ENTRIES.where(gateway_signatures.c.signature.in_(bindparam("named", expanding=True)))
_AFTER = (
    _ENTRIES.where(gateway_signatures.c.version > bindparam("after"))
    .order_by(gateway_signatures.c.version)
    .limit(bindparam("most"))
)
_NEWEST = select(func.max(gateway_signatures.c.version)).where(gateway_signatures.c.connection_id == bindparam("of"))
_HISTORY = (
    select(gateway_changes)
    .where(
        gateway_changes.c.connection_id == bindparam("of"),
        gateway_changes.c.signature == bindparam("named"),
        gateway_changes.c.version > bindparam("after"),
    )
    .order_by(gateway_changes.c.id)
)


def some(conn: Connection, connection_id: int, ids: Sequence[str]) -> dict[str, Row]:
    """Those of the named signatures that are in the ledger."""
    found: dict[str, Row] = {}
    for start in range(0, len(ids), _CHUNK):
        for row in conn.execute(_SOME, {"of": connection_id, "named": list(ids[start : start + _CHUNK])}):
            found[row.signature] = _row(row)
    return found


def after(conn: Connection, connection_id: int, version: int, most: int) -> list[Row]:
    """The signatures that changed after a version, the earliest change first."""
    return [_row(row) for row in conn.execute(_AFTER, {"of": connection_id, "after": version, "most": most})]


def all_states(conn: Connection, connection_id: int) -> dict[str, tuple[str, datetime]]:
    """The state of every signature, and when it last changed."""
    found = conn.execute(_STATES, {"of": connection_id})
    return {row.signature: (row.state, row.updated_at) for row in found}


def asleep(conn: Connection, connection_id: int) -> frozenset[str]:
    """The signatures that a call can wake: those resolved or muted."""
    return frozenset(conn.execute(_ASLEEP, {"of": connection_id}).scalars())


def every(conn: Connection, connection_id: int) -> list[Row]:
    """The whole ledger of a connection."""
    return [_row(row) for row in conn.execute(_ENTRIES, {"of": connection_id})]


def begins_with(conn: Connection, connection_id: int, start: str) -> list[str]:
    """The ids that begin so, at most two."""
    statement = select(gateway_signatures.c.signature).where(
        gateway_signatures.c.connection_id == connection_id,
        gateway_signatures.c.signature >= start,
        gateway_signatures.c.signature < start + "g",  # ids are hexadecimal
    )
    return list(conn.execute(statement.limit(2)).scalars())


def history(conn: Connection, connection_id: int, signature: str, version: int) -> list[Edit]:
    """The changes of a signature after a version, oldest first."""
    found = conn.execute(_HISTORY, {"of": connection_id, "named": signature, "after": version})
    return [
        Edit(
            at=row.at,
            by=row.by,
            field=row.field,
            old=row.old,
            new=row.new,
            actor=row.actor,
            op=row.op,
            why=row.why,
            version=row.version,
        )
        for row in found
    ]


def keep(conn: Connection, connection_id: int, entries: Sequence[tuple[Entry, Sequence[Edit]]], now: datetime) -> None:
    """Store entries that are new or changed, each with what changed; each gets a version of its own."""
    if not entries:
        return
    newest = int(conn.execute(_NEWEST, {"of": connection_id}).scalar() or 0)
    rows: list[dict[str, Any]] = []
    edits: list[dict[str, Any]] = []
    for version, (entry, changes) in enumerate(entries, newest + 1):
        rows.append(
            {
                "connection_id": connection_id,
                "signature": entry.signature.id,
                "version": version,
                "state": entry.state.state.value,
                "entry": _encode(entry),
                "opened_at": now,
                "updated_at": now,
            }
        )
        edits.extend(
            {
                "connection_id": connection_id,
                "signature": entry.signature.id,
                "version": version,
                **structs.asdict(structs.replace(edit, version=version)),
            }
            for edit in changes
        )
    changed: dict[str, str] = dict.fromkeys(("version", "state", "entry", "updated_at"), "excluded")
    conn.execute(upsert(conn, gateway_signatures, ["connection_id", "signature"], changed), rows)
    if edits:
        conn.execute(insert(gateway_changes), edits)


# --- what was folded ----------------------------------------------------------------------------------------------


def folded(conn: Connection, connection_id: int) -> list[FoldRow]:
    """The stored aggregates."""
    statement = select(gateway_folds).where(gateway_folds.c.connection_id == connection_id)
    return [FoldRow(row.kind, row.key, row.body) for row in conn.execute(statement)]


def keep_folded(
    conn: Connection, connection_id: int, rows: Iterable[FoldRow], dropped: Iterable[tuple[str, str]]
) -> None:
    """Store aggregates that changed and remove those that are gone."""
    values = [{"connection_id": connection_id, "kind": row.kind, "key": row.key, "body": row.body} for row in rows]
    if values:
        conn.execute(upsert(conn, gateway_folds, ["connection_id", "kind", "key"], {"body": "excluded"}), values)
    gone = [{"of": connection_id, "sort": kind, "named": key} for kind, key in dropped]
    if gone:
        conn.execute(
            delete(gateway_folds).where(
                gateway_folds.c.connection_id == bindparam("of"),
                gateway_folds.c.kind == bindparam("sort"),
                gateway_folds.c.key == bindparam("named"),
            ),
            gone,
        )


def forget_folded(conn: Connection, connection_id: int) -> None:
    """Remove every aggregate."""
    conn.execute(delete(gateway_folds).where(gateway_folds.c.connection_id == connection_id))


def places(conn: Connection, connection_id: int) -> dict[str, bytes]:
    """How far each feed was folded, by its name."""
    statement = select(gateway_feeds.c.feed, gateway_feeds.c.place).where(
        gateway_feeds.c.connection_id == connection_id
    )
    return {row.feed: row.place for row in conn.execute(statement)}


def keep_place(
    conn: Connection, connection_id: int, feed: str, place: bytes, *, lines: int, poisoned: int, now: datetime
) -> None:
    """Store how far a feed was folded, and count its lines."""
    table = gateway_feeds
    counts = {"lines": table.c.lines + lines, "poisoned": table.c.poisoned + poisoned}
    conn.execute(
        upsert(conn, table, ["connection_id", "feed"], {"place": "excluded", "moved_at": "excluded", **counts}),
        [
            {
                "connection_id": connection_id,
                "feed": feed,
                "place": place,
                "lines": lines,
                "poisoned": poisoned,
                "moved_at": now,
            }
        ],
    )


def _row(row: Any) -> Row:
    return Row(
        id=row.signature,
        version=row.version,
        entry=_decode(row.entry),
        opened_at=row.opened_at,
        updated_at=row.updated_at,
    )
