"""SQLite as we open it: settings of every connection, how a transaction begins, and what its errors mean.

Each rule here is from a failure that was reproduced: with the driver's own transaction handling a SAVEPOINT can run
without a transaction, and after a full disk SQLite rolls back by itself and accepts further statements one by one.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, QueuePool

from sync.store import direct
from sync.store.errors import Damaged, StoreError, StoreUnavailable

_WRITER_CACHE = 16_000
_READER_CACHE = 2_000
"""Kibibytes of page cache per connection. There are several readers, and the operating system keeps the file too."""

_STATEMENTS, _QUESTIONS = 512, 128
"""Prepared statements that the writer and each reader keep: as many as the engine has of each kind. Lists of other
lengths are other statements, so that whatever is allowed is filled in time; one takes some kilobytes."""

_WAL_KEPT = 64 * 1024 * 1024
"""Bytes to which the write-ahead log is cut back after a burst."""


def raw(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection under a SQLAlchemy connection."""
    if isinstance(connection, direct.Direct):
        return connection.driver
    found = connection.connection.driver_connection
    assert isinstance(found, sqlite3.Connection)
    return found


def writing_engine(path: Path, busy_seconds: float) -> Engine:
    """An engine with one connection, whose transactions take the write lock when they begin.

    No statement is let through outside a transaction: after SQLite has rolled back by itself, the rest of a step
    would otherwise be committed statement by statement.
    """
    engine = _engine(path, "BEGIN IMMEDIATE", QueuePool, _STATEMENTS, pool_size=1, max_overflow=0)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        settings(connection, busy_seconds)
        connection.execute("PRAGMA journal_mode=WAL")  # a copy that was put back comes without
        connection.execute("PRAGMA synchronous=FULL")  # an acknowledged commit survives a power cut
        connection.execute(f"PRAGMA cache_size=-{_WRITER_CACHE}")
        connection.execute(f"PRAGMA journal_size_limit={_WAL_KEPT}")

    @event.listens_for(engine, "before_cursor_execute")
    def _refuse_outside(_connection: Connection, cursor: sqlite3.Cursor, *_rest: Any) -> None:
        if not cursor.connection.in_transaction:
            raise StoreUnavailable("the transaction was rolled back by the database: nothing of it was stored")

    return engine


def reading_engine(path: Path, busy_seconds: float, *, pooled: bool = True) -> Engine:
    """An engine whose connections refuse to write. It never makes a thread wait for another one's connection."""
    if pooled:
        # The last one used is the next one taken: the others' caches stay as small as the load lets them.
        engine = _engine(path, "BEGIN", QueuePool, _QUESTIONS, pool_size=8, max_overflow=-1, pool_use_lifo=True)
    else:
        engine = _engine(path, "BEGIN", NullPool, _QUESTIONS)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        settings(connection, busy_seconds)
        connection.execute("PRAGMA query_only=ON")
        connection.execute(f"PRAGMA cache_size=-{_READER_CACHE}")

    return engine


def _engine(path: Path, begin: str, pool: type[QueuePool | NullPool], kept: int, **more: Any) -> Engine:
    # sqlite3's own transaction handling is off (isolation_level None); our connections begin theirs.
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(
            file_uri(path, "rw"),
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=kept,
        ),
        poolclass=pool,
        **more,
    )
    return direct.through(engine, begin)


def file_uri(path: Path, mode: str) -> str:
    """The file as a URI. mode: `rw` never creates it (a deleted database is noticed), `rwc` may, `ro` only reads."""
    return f"{path.absolute().as_uri()}?mode={mode}"


def settings(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """What every connection has in common. No memory mapping: a file cut short under it would kill the process."""
    connection.execute(f"PRAGMA busy_timeout={int(busy_seconds * 1000)}")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA temp_store=MEMORY")


_PLAIN = {
    sqlite3.SQLITE_FULL: (
        "no room is left to write {path}: nothing was stored; free space on its disk (or raise the quota), "
        "work goes on by itself"
    ),
    sqlite3.SQLITE_IOERR: (
        "the disk under {path} gave an input/output error: nothing was stored; look at the disk and its quota"
    ),
    sqlite3.SQLITE_BUSY: (
        "{path} is locked by another process: nothing was stored; find it with `fuser {path}`, work goes on by itself"
    ),
    sqlite3.SQLITE_LOCKED: "{path} is locked: nothing was stored",
    sqlite3.SQLITE_NOMEM: "no memory was left to write {path}: nothing was stored",
    sqlite3.SQLITE_READONLY: "{path} cannot be written: nothing was stored; look at its owner, its mode and the mount",
    sqlite3.SQLITE_CANTOPEN: "{path} cannot be opened: look at whether it is there, its owner and the folder's mode",
    sqlite3.SQLITE_PERM: "{path} may not be opened: look at its owner and its mode",
    sqlite3.SQLITE_INTERRUPT: "work on {path} was interrupted: nothing was stored",
    sqlite3.SQLITE_PROTOCOL: "{path} could not be locked: it must be on a local disk, not on a network share",
}

RESTORE = "stop the daemon, keep this file aside, and put a backup in its place (docs/operations.md, Restore)"


def translate(error: BaseException, path: Path) -> StoreError | None:
    """What a driver's error means to the caller, or None when it is about the statement and not about the database."""
    driver = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(driver, sqlite3.Error):
        return None
    code = getattr(driver, "sqlite_errorcode", None)
    if code is None:
        return None
    primary = code & 0xFF  # the extended codes keep the primary one in their low byte (sqlite.org/rescode.html)
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Damaged(f"{path} is damaged ({driver}): {RESTORE}")
    if primary in _PLAIN:
        return StoreUnavailable(f"{_PLAIN[primary].format(path=path)} ({driver})")
    return None


def writes_on_reader(error: BaseException) -> bool:
    """True for an attempt to write on a connection that only reads: a defect of the caller, not of the database."""
    driver = error.orig if isinstance(error, DBAPIError) else error
    return getattr(driver, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY
