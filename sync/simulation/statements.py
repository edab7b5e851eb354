"""Compiled statements, kept for all the databases that one process of the simulation opens.

Each history opens databases of its own, and again after each crash. SQLAlchemy keeps what it compiled for one engine
and its dialect: without this a fifth of a history's time goes into compiling the same statements again.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from sync.store.sqlite import SqliteStore

_KEPT: dict[Any, Any] = {}
_DIALECTS: list[Any] = []


def share(store: SqliteStore) -> None:
    """Let a store that runs inline use what others before it compiled."""
    # The store itself has no use for this: a daemon opens one database once.
    store._writing = _sharing(store._writing)  # noqa: SLF001
    store._reading = _sharing(store._reading)  # noqa: SLF001


def _sharing(engine: Engine) -> Engine:
    # The dialect is part of the key of a compiled statement; it holds nothing of one database.
    if not _DIALECTS:
        _DIALECTS.append(engine.dialect)
    engine.dialect = _DIALECTS[0]
    shared: Engine = engine.execution_options(compiled_cache=_KEPT)
    return shared
