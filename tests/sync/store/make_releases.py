"""Writes the database of this version as SQL, empty and filled: `python -m tests.sync.store.make_releases`.

The files of a version are made again until it is released, and never touched after that. With `--first-revision` the
first migration script is written anew from the tables as well; that ends with the first release, too.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Connection, Float, Integer, LargeBinary, Table, create_engine, insert

from sync.core.state import Ear, ItemState
from sync.model import RecordRef, Role, Snapshot, Status
from sync.store.migrate import SCRIPTS, open_store
from sync.store.tables import Moment, metadata
from tests.sync.store.clocks import SetClock

RELEASES = Path(__file__).parent / "releases"
VERSION = "0.1.0"
START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def main() -> None:
    if "--first-revision" in sys.argv[1:]:
        write_first_revision()
    with tempfile.TemporaryDirectory() as folder:
        for name, filled in (("empty", False), ("filled", True)):
            path = Path(folder) / f"{name}.db"
            make(path, filled=filled)
            with closing(sqlite3.connect(path)) as database:
                dump = "\n".join(database.iterdump())
            (RELEASES / f"{VERSION}-{name}.sql").write_text(dump + "\n", encoding="utf-8")


def make(path: Path, *, filled: bool) -> None:
    """A database of this version at `path`; filled: with three rows in each table, the same at every call."""
    store = open_store(path, clock=SetClock(START), inline=True)
    if filled:
        store.step(fill)
    store.close()


def fill(conn: Connection) -> None:
    for table in metadata.sorted_tables:
        conn.execute(insert(table), [row_of(table, number) for number in (1, 2, 3)])


_ENCODED: dict[tuple[str, str], object] = {
    ("items", "state"): ItemState(
        status=Status.WAITING, said={Ear.TRACKER: 2, Ear.HELPDESK: 1}, tags={"sso": frozenset({Role.HELPDESK})}
    ),
    ("items", "tag_texts"): {"sso": "SSO"},
    ("records", "body"): Snapshot(
        ref=RecordRef(kind="ticket", id="7", key="7", url="https://example.zendesk.test/agent/tickets/7"),
        version="2026-01-02T03:04:05Z",
        created_at=START,
        updated_at=START,
        fields={"status": "open", "tags": ["sso"], "subject": "Can't log in – 登录"},
    ),
}

_PLAIN: dict[tuple[str, str], Any] = {
    ("connections", "mode"): "live",
    ("connections", "role"): "helpdesk",
    ("records", "presence"): "present",
    ("records", "origin"): "direct",
    ("deliveries", "kind"): "write",
    ("deliveries", "state"): "settled",
}


def row_of(table: Table, number: int) -> dict[str, Any]:
    return {column.name: value_of(table, column.name, number) for column in table.columns}


def value_of(table: Table, name: str, number: int) -> Any:
    column = table.columns[name]
    place = (table.name, name)
    if place in _ENCODED:
        return msgspec.json.Encoder(order="deterministic").encode(_ENCODED[place])
    if place in _PLAIN:
        return _PLAIN[place]
    if table.name == "related" and name == "item_b":
        return number % 3 + 1
    if isinstance(column.type, Moment):
        return START + timedelta(days=number)
    if isinstance(column.type, Integer | BigInteger):
        return number
    if isinstance(column.type, Float):
        return number + 0.5
    if isinstance(column.type, LargeBinary):
        return msgspec.json.encode({"number": number})
    return f"{table.name} {name} {number}"[: getattr(column.type, "length", None) or 1000]


_FIRST = '''"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# SQLite gives automatic ids to INTEGER keys only.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.String(length=27)


def upgrade() -> None:
    """Go from nothing to 0001."""
'''


def write_first_revision() -> None:
    from alembic.autogenerate import produce_migrations, render_python_code
    from alembic.migration import MigrationContext

    engine = create_engine("sqlite://")
    with engine.connect() as conn:
        found = MigrationContext.configure(conn, opts={"target_metadata": metadata})
        script = produce_migrations(found, metadata)
        assert script.upgrade_ops is not None
        code = render_python_code(script.upgrade_ops, migration_context=found)
    engine.dispose()
    lines = [line for line in code.splitlines() if not line.strip().startswith("#")]
    body = "\n".join("    " + line.strip() for line in lines)
    body = body.replace("sa.BigInteger().with_variant(sa.Integer(), 'sqlite')", "ID")
    body = body.replace("sync.store.tables.Moment(length=27)", "MOMENT")
    target = SCRIPTS / "versions" / "rev_0001.py"
    target.write_text(_FIRST + body + "\n", encoding="utf-8")
    subprocess.run([Path(sys.executable).with_name("ruff"), "format", "--quiet", target], check=True)


if __name__ == "__main__":
    main()
