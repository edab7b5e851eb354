"""Rows that several tests of the store need."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select

from sync.store.contract import Store
from sync.store.tables import connections, inbox, meta

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def fact(key: str, value: str = "x") -> Callable[[Connection], str]:
    """A step that stores one fact and returns its key."""

    def step(conn: Connection) -> str:
        conn.execute(insert(meta).values(key=key, value=value))
        return key

    return step


def facts(store: Store) -> dict[str, str]:
    with store.read() as conn:
        return {row.key: row.value for row in conn.execute(select(meta).order_by(meta.c.key))}


def add_connection(conn: Connection, number: int = 1) -> None:
    row = {"id": number, "name": f"c{number}", "system": "zendesk", "role": "helpdesk", "created_at": START}
    conn.execute(insert(connections).values(**row))


def call(number: int, connection_id: int = 1, body: bytes = b"{}") -> dict[str, Any]:
    return {"connection_id": connection_id, "call_id": f"call-{number}", "received_at": START, "body": body}


def calls(store: Store) -> int:
    with store.read() as conn:
        return conn.execute(select(func.count()).select_from(inbox)).scalar_one()


def verdict(path: Path) -> str:
    """What SQLite itself says of the whole file."""
    with closing(sqlite3.connect(path)) as database:
        return str(database.execute("PRAGMA integrity_check").fetchone()[0])
