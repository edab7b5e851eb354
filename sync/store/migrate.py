"""Opening a store: creates the database, or brings an older one to the newest version of the schema.

A file that is not an intact database of hypercare, or was written by a newer version, is refused and left as it is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from connectors.contract import Clock
from sync.store.contract import Store
from sync.store.copies import copy_database, create_private, sync_folder
from sync.store.driver import RESTORE, file_uri, translate, writing_engine
from sync.store.errors import Damaged, NewerSchema, StoreError
from sync.store.lock import Lock, lock, this_process
from sync.store.migrations import NEWEST, REVISIONS
from sync.store.sqlite import SqliteStore
from sync.store.tables import metadata
from sync.store.writer import Limits

SCRIPTS = Path(__file__).parent / "migrations"

# As Alembic itself makes it; a test compares a created database with a migrated one.
VERSION_TABLE = (
    "CREATE TABLE alembic_version (\n\tversion_num VARCHAR(32) NOT NULL, \n\t"
    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)\n)"
)


def open_store(
    place: str | Path,
    *,
    clock: Clock,
    inline: bool = False,
    crash: Callable[[str], None] | None = None,
    held: Lock | None = None,
    check: bool = True,
    busy_seconds: float = 5.0,
    limits: Limits | None = None,
) -> Store:
    """Open the database at a path or `sqlite:///` URL; make it or upgrade it first where that is needed.

    inline, crash: see `SqliteStore`. held: the daemon's lock; without it the lock is taken for as long as creating or
    upgrading takes, and AlreadyRunning raised when a daemon is running. check: look through the whole file for damage
    first (some milliseconds a megabyte). busy_seconds: how long another process's lock is waited for.
    Raises NewerSchema, Damaged, AlreadyRunning, StoreUnavailable, StoreError.
    """
    path = _path(place)
    stored = _stored_revision(path, busy_seconds, check=check)
    if stored != NEWEST:
        with nullcontext() if held is not None else lock(path, this_process("opening")):
            # Somebody else may have done it while we waited for nothing: look again under the lock.
            stored = _stored_revision(path, busy_seconds, check=False)
            if stored is None:
                _create(path, busy_seconds)
            elif stored != NEWEST:
                upgrade(path, stored, clock, busy_seconds)
    return SqliteStore(path, clock=clock, inline=inline, crash=crash, busy_seconds=busy_seconds, limits=limits)


def _path(place: str | Path) -> Path:
    if isinstance(place, Path):
        path = place
    elif place.startswith("sqlite:///"):
        path = Path(place.removeprefix("sqlite:///"))
    elif "://" in place:
        scheme = place.split("://", 1)[0]
        raise StoreError(f"a database of kind {scheme!r} is not supported: give a path, or sqlite:///PATH")
    else:
        path = Path(place)
    if path.is_dir():
        raise StoreError(f"{path} is a folder: the database is a file in it, such as {path / 'hypercare.db'}")
    if not path.parent.is_dir():
        raise StoreError(f"the folder {path.parent} of the database is not there: make it, or run `hypercare init`")
    return path


def _stored_revision(path: Path, busy_seconds: float, *, check: bool) -> str | None:
    """The version of the stored schema, None when there is no database yet."""
    if not path.exists():
        log = path.with_name(path.name + "-wal")
        if log.exists():
            raise Damaged(
                f"{path} is gone, but its log {log.name} is still there and holds its newest changes: put the database "
                "back beside it, or move the log away to begin with an empty one"
            )
        return None
    if path.stat().st_size == 0:
        raise Damaged(f"{path} is empty, which a database never is: {RESTORE}, or remove it to begin anew")
    try:
        with closing(sqlite3.connect(file_uri(path, "ro"), uri=True)) as connection:
            # Only reading: closing it must not bring a log into a file that is refused and left as it is.
            connection.execute(f"PRAGMA busy_timeout={int(busy_seconds * 1000)}")
            if check:
                _check(connection, path)
            tables = {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not {"alembic_version", "meta"} <= tables:
                raise Damaged(f"{path} is a database, but not one of hypercare: give another path for the database")
            rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.Error as error:
        raise translate(error, path) or StoreError(f"{path} cannot be read ({error})") from error
    revision = str(rows[0][0]) if len(rows) == 1 else ""
    if not revision:
        raise Damaged(f"{path} does not say which version it has: {RESTORE}")
    if revision not in REVISIONS:
        raise NewerSchema(
            f"{path} was written by a newer hypercare (its schema is {revision}, this version knows up to {NEWEST}): "
            f"install that version again, or restore the backup made before the upgrade ({path.name}.before-*.bak)"
        )
    return revision


def _check(connection: sqlite3.Connection, path: Path) -> None:
    verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if verdict != "ok":
        raise Damaged(f"{path} is damaged ({verdict}): {RESTORE}")


def _create(path: Path, busy_seconds: float) -> None:
    """Make a database under another name and give it its own when it is complete."""
    new = path.with_name(path.name + ".new")
    for old in (new, new.with_name(new.name + "-wal"), new.with_name(new.name + "-shm")):
        old.unlink(missing_ok=True)
    try:
        create_private(new)
        engine = writing_engine(new, busy_seconds)
        try:
            with engine.begin() as conn:
                metadata.create_all(conn)
                conn.execute(text(VERSION_TABLE))
                conn.execute(text("INSERT INTO alembic_version (version_num) VALUES (:version)"), {"version": NEWEST})
        finally:
            engine.dispose()  # closes the last connection, which brings the log into the file and removes it
        new.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise StoreError(f"{path} cannot be made ({error.strerror}): look at its folder, its mode, the disk") from error
    except SQLAlchemyError as error:
        raise translate(error, path) or StoreError(f"{path} cannot be made ({error})") from error


def upgrade(path: Path, stored: str, clock: Clock, busy_seconds: float, *, scripts: Path = SCRIPTS) -> None:
    """Bring a database to the newest version, all or nothing, after a copy of it was written beside it.

    The caller holds the lock. Raises StoreError, with the database as it was.
    """
    copy_database(path, _free_name(path), clock.now())
    engine = writing_engine(path, busy_seconds)
    try:
        with engine.connect() as conn:
            # Rebuilding a table drops the old one: with this on, the rows that point to it would stop that. It has
            # no effect inside a transaction, so it comes first.
            _off(conn)
            with conn.begin():
                _run(conn, scripts)
                broken = conn.execute(text("PRAGMA foreign_key_check")).first()
                if broken is not None:
                    raise StoreError(f"the upgrade of {path} from {stored} would break a reference ({tuple(broken)})")
            conn.invalidate()
    except SQLAlchemyError as error:
        raise translate(error, path) or StoreError(
            f"the upgrade of {path} from {stored} failed and was undone: {error}; go back to the former version and "
            "report this"
        ) from error
    finally:
        engine.dispose()


def _off(conn: Connection) -> None:
    driver: Any = conn.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")


def _run(conn: Connection, scripts: Path) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = conn
    command.upgrade(config, "head")


def _free_name(path: Path) -> Path:
    """`<name>.before-<revision>.bak`; with a number when an earlier upgrade left one."""
    first = path.with_name(f"{path.name}.before-{NEWEST}.bak")
    number = 2
    free = first
    while free.exists():
        free = first.with_name(f"{first.name}.{number}")
        number += 1
    return free
