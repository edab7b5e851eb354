"""The look-ups of every call and every reference go by an index, however many records there are."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sync.store.migrate import open_store
from tests.sync.store.clocks import RunningClock


@pytest.mark.parametrize(
    ("statement", "by"),
    [
        ("SELECT * FROM records WHERE connection_id = 1 AND remote_id = 'x'", "remote_id=?"),
        ("SELECT * FROM records WHERE connection_id = 1 AND key = 'x'", "key=?"),
        ("SELECT * FROM records WHERE connection_id = 1 AND kind = 'k' AND remote_id IN ('x', 'y')", "remote_id=?"),
        ("SELECT * FROM links WHERE record_id = 1 ORDER BY id DESC LIMIT 1", "record_id=?"),
        ("SELECT * FROM links WHERE record_id = 1 AND ended_at IS NULL", "record_id=?"),
    ],
)
def test_a_record_and_its_links_are_found_without_looking_at_others(tmp_path: Path, statement: str, by: str) -> None:
    path = tmp_path / "hypercare.db"
    open_store(path, clock=RunningClock(datetime(2026, 3, 1, tzinfo=UTC))).close()
    with closing(sqlite3.connect(path)) as database:
        plan = " ".join(row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}"))
    assert by in plan
    assert "SCAN" not in plan
