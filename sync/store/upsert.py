"""Insert or update: the one statement that both databases spell alike and SQLAlchemy spells apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(conn: Connection, table: Table, keys: Sequence[str], changes: Mapping[str, Any]) -> Insert:
    """An insert that changes the row which already has these keys.

    keys: the columns of one unique index. changes: by column, what the existing row gets: the text "excluded" means
    the value that was to be inserted; anything else is a value or an expression over the existing row
    (`table.c.gen + 1`). No changes: the existing row stays as it is. Give the rows to `execute`.
    """
    if all(map(_is_excluded, changes.values())):
        return _plain(conn.dialect.name, table, tuple(keys), tuple(changes))
    return upsert_of(conn.dialect.name, table, keys, changes)


@cache
def _plain(dialect: str, table: Table, keys: tuple[str, ...], changes: tuple[str, ...]) -> Insert:
    # Built once: `excluded` copies every column of the table each time.
    return upsert_of(dialect, table, keys, dict.fromkeys(changes, "excluded"))


def upsert_of(dialect: str, table: Table, keys: Sequence[str], changes: Mapping[str, Any]) -> Insert:
    """The same for a database by name, to be built once and kept."""
    statement = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    if not changes:
        return statement.on_conflict_do_nothing(index_elements=list(keys))
    taken = statement.excluded
    new = {column: taken[column] if _is_excluded(value) else value for column, value in changes.items()}
    return statement.on_conflict_do_update(index_elements=list(keys), set_=new)


def _is_excluded(value: object) -> bool:
    # An expression compared with == gives another expression, never a truth.
    return isinstance(value, str) and value == "excluded"
