"""The questions that every turn asks are compiled once by SQLite, and not anew for each value that is bound."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sync.engine import brakes, deliver, doubt, load, settle
from sync.store.memory import MemoryStore
from tests.sync.store.clocks import RunningClock

AT = datetime(2026, 3, 1, tzinfo=UTC)
OF_ONE_CAUSE = {"to": 1, "why": "item", "after": AT}
QUESTIONS: dict[str, tuple[Any, dict[str, Any]]] = {
    "writes that are due": (deliver._DUE["write"], {"to": 1, "now": AT}),
    "creates that are due": (deliver._DUE["create"], {"to": 1, "now": AT}),
    "the next write": (deliver._NEXT, {"to": 1, "now": AT}),
    "the next doubt": (doubt._DOUBT, {"to": 1, "now": AT}),
    "writes of one cause": (brakes._PLANNED, OF_ONE_CAUSE),
    "creates of one cause": (brakes._CREATES, OF_ONE_CAUSE),
    "an item's members": (load._MEMBERS, {"item": 1}),
    "the parks of an item": (settle._OPEN_PARKS, {"of": 1}),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_frequent_question_is_compiled_once_whatever_is_bound(name: str) -> None:
    statement, values = QUESTIONS[name]
    store = MemoryStore(clock=RunningClock(AT))
    compiled: list[int] = []

    def note(*_what: Any) -> int:
        compiled.append(1)
        return sqlite3.SQLITE_OK

    store._driver.set_authorizer(note)  # called for whatever is compiled
    with store.read() as conn:
        conn.execute(statement, values).all()
        assert compiled
        for number in range(2, 5):
            compiled.clear()
            other = {
                key: value + timedelta(seconds=number) if isinstance(value, datetime) else value
                for key, value in values.items()
            }
            conn.execute(statement, {**other, **{key: number for key, value in values.items() if value == 1}}).all()
            assert not compiled
    store._driver.set_authorizer(None)
