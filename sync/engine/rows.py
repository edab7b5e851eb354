"""Reading and marking rows: the small statements that several parts of the engine share. All take a connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Insert,
    String,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from sync.engine import columns
from sync.model import RecordRef
from sync.store.tables import aliases, deliveries, holds, items, journal, links, records, refreshes
from sync.store.upsert import upsert_of

IN_LIMIT = 500
"""Values in one IN list: both databases take more, plans get worse."""


# Statements of the hot paths are built once: building one costs several times its execution.
_MARK = (
    update(items)
    .where(items.c.id == bindparam("of_item"))
    .values(gen=items.c.gen + 1, not_before=None, updated_at=bindparam("at"), cause=bindparam("why"))
)
# One look-up a name, each by its index and only while none before it has found anything: for "this id or that key"
# SQLite reads every record of the connection.
_WHERE: ColumnElement[Any] = bindparam("of")
_WHAT: ColumnElement[Any] = bindparam("name")
_NAMED_SO = func.coalesce(
    select(records.c.id)
    .where(records.c.connection_id == _WHERE, records.c.remote_id == _WHAT)
    .limit(1)
    .scalar_subquery(),
    select(records.c.id).where(records.c.connection_id == _WHERE, records.c.key == _WHAT).limit(1).scalar_subquery(),
    select(aliases.c.record_id)
    .where(aliases.c.connection_id == _WHERE, aliases.c.alias == _WHAT)
    .limit(1)
    .scalar_subquery(),
)
_FIND = select(records).where(records.c.id == _NAMED_SO)
_FIND_ID = select(_NAMED_SO)
_RECORD = select(records).where(records.c.id == bindparam("of"))
_ACTIVE_LINK = select(links).where(links.c.record_id == bindparam("of"), links.c.ended_at.is_(None))
_LAST_LINK = select(links).where(links.c.record_id == bindparam("of")).order_by(links.c.id.desc()).limit(1)
_JOURNAL = insert(journal)
_DOUBTED = select(refreshes.c.not_before).where(
    refreshes.c.connection_id == bindparam("of"),
    refreshes.c.remote_id == bindparam("name"),
    refreshes.c.why == bindparam("because"),
    refreshes.c.not_before > bindparam("now"),
)
_HELD = select(holds.c.connection_id, holds.c.reason).where(holds.c.released_at.is_(None), holds.c.link_id.is_(None))


def chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """Pieces of at most `IN_LIMIT`."""
    for start in range(0, len(values), IN_LIMIT):
        yield values[start : start + IN_LIMIT]


def new_id(result: CursorResult[Any]) -> int:
    """The id of the row just inserted."""
    key = result.inserted_primary_key
    assert key is not None  # every table here has a key
    return int(key[0])


def mark(conn: Connection, item_ids: Iterable[int], now: datetime, cause: str = "") -> None:
    """Make items dirty: each will be decided again."""
    marked = [{"of_item": item_id, "at": now, "why": cause} for item_id in sorted(set(item_ids))]
    if marked:
        conn.execute(_MARK, marked)


def ask(
    conn: Connection,
    connection_id: int,
    refs: Iterable[tuple[str, str]],
    now: datetime,
    why: str,
    *,
    asker: int | None = None,
    not_before: datetime | None = None,
    shown: Mapping[str, str] | None = None,
) -> None:
    """Ask for a direct read of records, each (kind, id or key). shown: the versions that a list has shown, by id.

    A read that is waiting for somebody (a reference to follow, a person) stays theirs when the record is merely named
    once more by a call, a list or the sweep. asker: the record that waits for it; several may.
    """
    rows = [
        {
            "connection_id": connection_id,
            "kind": kind,
            "remote_id": remote_id,
            "gen": 1,
            "asked_at": now,
            "why": why,
            "askers": "" if asker is None else f",{asker},",
            "not_before": not_before,
            "attempts": 0,
            "shown": "" if shown is None else shown.get(remote_id, ""),
        }
        for kind, remote_id in sorted(set(refs))
    ]
    if rows:
        conn.execute(_asking(conn.dialect.name), rows)


def is_asked_for(conn: Connection, connection_id: int, remote_id: str) -> bool:
    """Whether a direct read of a record is waiting."""
    asked = (refreshes.c.connection_id == connection_id, refreshes.c.remote_id == remote_id)
    return conn.execute(select(refreshes.c.remote_id).where(*asked)).first() is not None


def read_now(conn: Connection, connection_id: int, kind: str, remote_id: str) -> None:
    """Let a read that was asked for and put off take place at once."""
    conn.execute(
        update(refreshes)
        .where(refreshes.c.connection_id == connection_id, refreshes.c.kind == kind, refreshes.c.remote_id == remote_id)
        .values(not_before=None)
    )


def doubted_until(conn: Connection, connection_id: int, remote_id: str, now: datetime) -> datetime | None:
    """When a record whose last reading is doubted will be read again; None when none is."""
    found: datetime | None = conn.execute(
        _DOUBTED, {"of": connection_id, "name": remote_id, "because": DOUBTED, "now": now}
    ).scalar()
    return found


def not_asked(conn: Connection, connection_id: int, kind: str, remote_id: str) -> None:
    """A read that was put off is not needed any more; one that somebody asked for at once stays."""
    conn.execute(
        delete(refreshes).where(
            refreshes.c.connection_id == connection_id,
            refreshes.c.kind == kind,
            refreshes.c.remote_id == remote_id,
            refreshes.c.not_before.is_not(None),
            refreshes.c.why.in_(_NAMED),
        )
    )


WRITE: ColumnElement[str] = literal_column("'write'", String)
CREATE: ColumnElement[str] = literal_column("'create'", String)
"""The kinds of deliveries, spelled out in a question: an index is of creates alone, so for a bound kind SQLite compiles
the question anew each time that it is asked (sqlite.org/c3ref/prepare.html, \"recompiled\")."""

_NEW_WHY = literal_column("excluded.why", String)
_NEW_SHOWN = literal_column("excluded.shown", String)
_NEW_ASKERS = literal_column("excluded.askers", String)
DOUBTED = "doubted"
"""A reading of the record takes back our own write, and nothing bears it out yet."""

BEYOND = " "
"""Behind a version in `shown`: that version itself is no answer either. Of two changes in one second a reading may show
the first alone, and a record that was brought back has a later version."""

_NAMED = ("hook", "list", "sweep", DOUBTED)
"""Reasons of a read that nobody waits for."""


@cache
def _asking(dialect: str) -> Insert:
    return upsert_of(
        dialect,
        refreshes,
        ["connection_id", "kind", "remote_id"],
        {
            "gen": refreshes.c.gen + 1,
            "why": case(
                (
                    and_(
                        # No IN list: several rows in one statement cannot have one.
                        or_(*(_NEW_WHY.is_not_distinct_from(each) for each in _NAMED)),
                        *(refreshes.c.why != each for each in (*_NAMED, "history")),
                    ),
                    refreshes.c.why,
                ),
                else_=_NEW_WHY,
            ),
            "not_before": "excluded",
            "shown": case((refreshes.c.shown < _NEW_SHOWN, _NEW_SHOWN), else_=refreshes.c.shown),
            "askers": case(
                (_NEW_ASKERS == "", refreshes.c.askers),
                (refreshes.c.askers == "", _NEW_ASKERS),
                (refreshes.c.askers.like("%" + _NEW_ASKERS + "%"), refreshes.c.askers),
                else_=refreshes.c.askers + func.substr(_NEW_ASKERS, 2),
            ),
        },
    )


def find_record(conn: Connection, connection_id: int, reference: str) -> Any | None:
    """The record that a key, an id or an alias names, or None."""
    return conn.execute(_FIND, {"of": connection_id, "name": reference}).first()


def find_id(conn: Connection, connection_id: int, reference: str) -> int | None:
    """The row id of the record that `find_record` finds."""
    found: int | None = conn.execute(_FIND_ID, {"of": connection_id, "name": reference}).scalar()
    return found


def record_row(conn: Connection, record_id: int) -> Any:
    """One record by its row id. Raises NoResultFound."""
    return conn.execute(_RECORD, {"of": record_id}).one()


def of_linked(connection_id: int) -> ColumnElement[bool]:
    """The condition that a record joined with its link is of this connection.

    Spelled so that no index on the connection fits: a connection has a hundred thousand records and links a few of
    them, and SQLite, asked plainly, begins with all the records.
    """
    return records.c.connection_id + 0 == connection_id


def of_open(connection_id: int | ColumnElement[int]) -> ColumnElement[bool]:
    """The condition that a delivery, of which a question names the open states too, is to this connection.

    Spelled so that no index on the connection fits: few deliveries are open, and SQLite, asked plainly, looks at every
    one that was ever made to the connection.
    """
    return deliveries.c.connection_id + 0 == connection_id


def ref_of(row: Any) -> RecordRef:
    """A record row's identity."""
    return RecordRef(kind=row.kind, id=row.remote_id, key=row.key, url=row.url)


def active_link(conn: Connection, record_id: int) -> Any | None:
    """The record's present link, or None."""
    return conn.execute(_ACTIVE_LINK, {"of": record_id}).first()


def last_link(conn: Connection, record_id: int) -> Any | None:
    """The record's newest link, ended or not."""
    return conn.execute(_LAST_LINK, {"of": record_id}).first()


def note_journal(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Append to the journal."""
    if rows:
        defaults = {
            "old": None,
            "new": None,
            "record_id": None,
            "actor": "",
            "remote_at": None,
            "rule": "",
            "delivery_id": None,
        }
        conn.execute(_JOURNAL, [{**defaults, **row} for row in rows])


def open_hold(conn: Connection, connection_id: int, reason: str, now: datetime, detail: str, **more: Any) -> bool:
    """Hold a connection, or one field of one link. False if that hold is open already."""
    same = and_(
        holds.c.connection_id == connection_id,
        holds.c.reason == reason,
        holds.c.released_at.is_(None),
        holds.c.link_id.is_(None) if more.get("link_id") is None else holds.c.link_id == more["link_id"],
        holds.c.field == more.get("field", ""),
    )
    if conn.execute(select(func.count()).select_from(holds).where(same)).scalar():
        return False
    samples = more.pop("samples", None)
    conn.execute(
        insert(holds).values(
            connection_id=connection_id,
            reason=reason,
            since=now,
            detail=detail,
            samples=columns.encode(samples) if samples is not None else None,
            **more,
        )
    )
    return True


def held_connections(conn: Connection) -> dict[int, set[str]]:
    """The connections that are held whole, with the reasons."""
    found: dict[int, set[str]] = {}
    for row in conn.execute(_HELD):
        found.setdefault(row.connection_id, set()).add(row.reason)
    return found
