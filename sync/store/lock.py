"""One daemon per database: a lock file beside it, and a lease inside it for where files cannot be locked.

The lock file settles it on one machine, at once, and goes with its process however that ends. The lease is for a
database that two machines can reach: it names its owner and ends by itself when it is not renewed.
"""

from __future__ import annotations

import errno
import fcntl
import os
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, select

from sync.store.errors import AlreadyRunning, StoreError
from sync.store.tables import meta
from sync.store.upsert import upsert

LEASE_KEY = "lease"
LEASE_SECONDS = 15.0
"""A lease that was not renewed for so long is void; renew it three times as often."""


class Owner(Struct, frozen=True, kw_only=True):
    """A daemon as others are told of it. boot: this start of it, an unguessable text."""

    host: str
    pid: int
    boot: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


class Lease(Struct, frozen=True, kw_only=True):
    """The lease row. until: aware UTC."""

    owner: Owner
    until: datetime


def this_process(boot: str) -> Owner:
    """The running process as an owner. boot: from the injected Rng."""
    return Owner(host=os.uname().nodename, pid=os.getpid(), boot=boot)


class Lock:
    """The held lock file of one database. Released with `release`, as a context manager, or when the process ends."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle: int | None = handle

    def release(self) -> None:
        """Let go. The file stays: removing it would let two daemons lock two files of one name."""
        if self._handle is None:
            return
        os.ftruncate(self._handle, 0)
        os.close(self._handle)
        self._handle = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def lock_path(database: Path) -> Path:
    """Where the lock file of a database is."""
    return database.with_name(database.name + ".lock")


def lock(database: Path, owner: Owner) -> Lock:
    """Take the lock file of a database, without waiting. Raises AlreadyRunning, StoreError."""
    path = lock_path(database)
    try:
        handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"{path} cannot be opened ({error.strerror}): look at the folder and its mode") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(handle, 0)
        os.pwrite(handle, msgspec.json.encode(owner), 0)
    except OSError as error:
        os.close(handle)
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            holder = holder_of(database)
            raise AlreadyRunning(
                f"{database} is in use by {holder or 'another process'}: only one daemon may work on a database; "
                "stop that one first, or give this one a database of its own",
                holder=holder,
            ) from error
        raise StoreError(f"{path} cannot be locked ({error.strerror}): the database must be on a local disk") from error
    return Lock(path, handle)


def holder_of(database: Path) -> str:
    """Who says to hold the lock file, in words; empty when nobody does. For messages: only `lock` decides."""
    try:
        return str(msgspec.json.decode(lock_path(database).read_bytes(), type=Owner))
    except (OSError, msgspec.DecodeError):
        return ""


def take_lease(conn: Connection, owner: Owner, now: datetime, seconds: float = LEASE_SECONDS) -> None:
    """A step: take or renew the lease. Raises AlreadyRunning while another machine's lease lasts.

    A lease of this machine, of another start, is a dead one's: its lock file is ours by now.
    """
    held = lease(conn)
    if held is not None and held.owner.host != owner.host and held.until > now:
        raise AlreadyRunning(
            f"the database is in use by {held.owner}: only one daemon may work on a database; stop that one first, "
            f"or if it is gone, try again after {held.until:%Y-%m-%d %H:%M:%S} UTC, when its lease ends",
            holder=str(held.owner),
            until=held.until,
        )
    value = msgspec.json.encode(Lease(owner=owner, until=now + timedelta(seconds=seconds))).decode()
    conn.execute(upsert(conn, meta, ["key"], {"value": "excluded"}), {"key": LEASE_KEY, "value": value})


def renew_lease(conn: Connection, owner: Owner, now: datetime, seconds: float = LEASE_SECONDS) -> None:
    """A step: renew the lease. Raises AlreadyRunning when another start has it: then stop, without writing anything."""
    held = lease(conn)
    if held is not None and held.owner != owner:
        raise AlreadyRunning(
            f"the database was taken over by {held.owner}: this daemon stops; look for two daemons on one database",
            holder=str(held.owner),
            until=held.until,
        )
    take_lease(conn, owner, now, seconds)


def end_lease(conn: Connection, owner: Owner) -> None:
    """A step: give the lease back, if it is ours."""
    held = lease(conn)
    if held is not None and held.owner == owner:
        conn.execute(delete(meta).where(meta.c.key == LEASE_KEY))


def lease(conn: Connection) -> Lease | None:
    """The lease row, or None. Also for `status`: a daemon is alive while `until` is ahead."""
    value = conn.execute(select(meta.c.value).where(meta.c.key == LEASE_KEY)).scalar()
    return None if value is None else msgspec.json.decode(value, type=Lease)
