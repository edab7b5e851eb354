"""The marker of a create: by it a record that the hub made is known again, whatever has become of the database.

It is made of what the create is for and of nothing that the database alone knows. So a hub that has lost its memory
since, after a restore or with a new database, makes the same marker and finds its record instead of making another.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, func, select

from sync.core.reasons import HoldReason
from sync.engine.hub import Connected
from sync.store.contract import RESTORED_AT, RESTORED_READ
from sync.store.tables import connections, holds, meta

INDEX_LAG = timedelta(minutes=5)
"""How late a remote's lists may be: what was made just before the restore is seen by then."""

_SKEW = timedelta(minutes=10)
"""By how much the clock of a remote, which dates its records, may differ from ours."""


def of(origin: Connected, source: Any, target: Connected) -> str:
    """The marker of the record on `target` that is created for `source`, a row of `records` of `origin`.

    The account stands for the connection: it is the same after a rename, and in another database.
    """
    account = origin.name if origin.capabilities is None else origin.capabilities.account
    names = [origin.system, account, source.kind, source.remote_id, target.name]
    return "c" + sha256(msgspec.json.encode(names)).hexdigest()[:24]


_RESTORED = select(meta.c.value).where(meta.c.key == RESTORED_AT)


def restored_at(conn: Connection) -> datetime | None:
    """When this database was last restored from a backup, by the clock of that time, or None."""
    text = conn.execute(_RESTORED).scalar()
    return None if text is None else datetime.fromisoformat(text)


_HELD_SINCE = select(func.max(holds.c.since)).where(
    holds.c.connection_id == bindparam("of"), holds.c.reason == HoldReason.RESTORED.value
)


def caught_up(conn: Connection, connection_id: int) -> datetime | None:
    """From when on the lists of a connection show all that was made before the last restore; None without one."""
    since: datetime | None = conn.execute(_HELD_SINCE, {"of": connection_id}).scalar()
    return None if since is None else since + INDEX_LAG


_FIRST_READ = select(meta.c.value).where(meta.c.key == RESTORED_READ)


def first_read(conn: Connection) -> int | None:
    """The number of the first read after the last restore, or None. Clocks may be set back, numbers are not."""
    text = conn.execute(_FIRST_READ).scalar()
    return None if text is None else int(text)


def memory(conn: Connection) -> str:
    """Which memory the database has: named by the restore it stems from, empty without one."""
    text: str | None = conn.execute(_RESTORED).scalar()
    return text or ""


def older_than_we(conn: Connection, source: Any, looked: str | None) -> datetime | None:
    """Since when a record for `source` may exist of which this database knows nothing; None when there can be none.

    looked: with which memory the marker was last looked for, and not found.
    """
    if looked == memory(conn):
        return None
    restored = restored_at(conn)
    created: datetime = source.created_at
    if restored is not None and created < restored + _SKEW:
        return min(created, restored)
    begun = conn.execute(select(connections.c.created_at).where(connections.c.id == source.connection_id)).scalar_one()
    return created if created < begun else None
