"""Copies of the embedded database: complete, consistent, checked, and marked as copies."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sync.store.contract import RESTORE_MARK
from sync.store.driver import file_uri, translate
from sync.store.errors import Damaged, StoreError
from sync.store.lock import LEASE_KEY


def copy_database(source: Path, target: Path, taken_at: datetime) -> None:
    """Copy the database while others write to it. `target` appears whole or not at all, readable by its owner only.

    Raises StoreError when `target` exists, or its folder does not; StoreUnavailable when it cannot be written.
    """
    if target.exists():
        raise StoreError(f"{target} exists already: a backup never overwrites one; choose another name or remove it")
    if not target.parent.is_dir():
        raise StoreError(f"{target.parent} is not a folder: make it first, or choose another place for the backup")
    part = target.with_name(target.name + ".part")
    try:
        create_private(part)
        _copy(source, part, taken_at)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise StoreError(
            f"{target} cannot be written ({error.strerror}): choose another place for the backup"
        ) from error
    except sqlite3.Error as error:
        raise translate(error, target) or StoreError(f"{target} cannot be written ({error})") from error
    finally:
        part.unlink(missing_ok=True)


def _copy(source: Path, part: Path, taken_at: datetime) -> None:
    with (
        closing(sqlite3.connect(file_uri(source, "rw"), uri=True)) as old,
        closing(sqlite3.connect(file_uri(part, "rw"), uri=True, isolation_level=None)) as new,
    ):
        old.execute("PRAGMA busy_timeout=5000")
        old.backup(new)  # in one go: one snapshot, however much is written meanwhile
        new.execute("PRAGMA journal_mode=DELETE")  # a single file, without a log beside it
        mark_copy(new, taken_at)
        verdict = str(new.execute("PRAGMA quick_check(1)").fetchone()[0])
    if verdict != "ok":
        raise Damaged(f"the copy of {source} is not intact ({verdict}): the database itself is damaged; keep it aside")


def mark_copy(new: sqlite3.Connection, taken_at: datetime) -> None:
    """Write into a copy that it is one. new: its connection, outside a transaction."""
    has_meta = new.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'meta'").fetchone()
    if has_meta:
        mark = (RESTORE_MARK, taken_at.isoformat())
        new.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", mark)
        new.execute("DELETE FROM meta WHERE key = ?", (LEASE_KEY,))  # nobody works on the copy


def create_private(path: Path) -> None:
    """Make an empty file that only its owner can read; SQLite gives its log files the same mode."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
