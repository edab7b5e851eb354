"""What a person sees: both sides and the journal, within the width of the terminal."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import insert

from sync.demo.daemon import Daemon
from sync.demo.ledger import Counts, Ledger, Turn
from sync.demo.place import Place
from sync.demo.stand_ins import stand_ins
from sync.demo.view import LiveView
from sync.engine import columns
from sync.model import RecordRef, Snapshot
from sync.ports import RealClock
from sync.store.migrate import open_store
from sync.store.tables import conflicts, connections, journal, parked, records

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def rows(*entries: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"at": NOW, "item_id": 1, "record_id": 1, **each} for each in entries]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with one record, one conflict, one parked field, and a few lines of journal."""
    path = tmp_path / "hypercare.db"
    store = open_store(path, clock=RealClock())
    ref = RecordRef(kind="issue", id="10000", key="OPS-1")
    body = columns.encode(Snapshot(ref=ref, version="1", created_at=NOW, updated_at=NOW, fields={}))
    record = {
        "connection_id": 1, "kind": "issue", "remote_id": "10000", "key": "OPS-1", "version": "1", "read_no": 1,
        "origin": "direct", "digest": "d", "body": body, "created_at": NOW, "updated_at": NOW, "seen_at": NOW,
    }  # fmt: skip
    lines = rows(
        {"field": "status", "old": "new", "new": "in_progress", "rule": "tracker_detail"},
        {"field": "status", "new": "open", "rule": "written: tracker: status in_progress", "delivery_id": "d1"},
        {"field": "tags", "old": "web", "rule": "tag_removed"},
        {"field": "facts", "old": "reopened", "rule": "tracker_crossed"},
    )

    def step(conn: Any) -> None:
        conn.execute(
            insert(connections), [{"id": 1, "name": "tracker", "system": "jira", "role": "tracker", "created_at": NOW}]
        )
        conn.execute(insert(records), [record])
        for line in lines:
            conn.execute(insert(journal), [line])
        conn.execute(
            insert(conflicts), rows({"kind": "crossing_wins", "field": "status", "kept": "Done", "lost": "Blocked"})
        )
        waiting = {"item_id": 1, "connection_id": 1, "field": "tags", "reason": "skipped", "wanted": "", "shown": ""}
        conn.execute(insert(parked), [{**waiting, "since": NOW}])

    store.step(step)
    store.close()
    return path


def test_the_journal_and_the_conflicts_are_told_in_few_words(database: Path) -> None:
    ledger = Ledger(database)
    told = [(each.turn, each.record, each.what, each.why) for each in ledger.latest(10)]
    assert told == [
        (Turn.CLASH, "OPS-1", "status: Done, not Blocked", "open/done beats a detail"),
        (Turn.HEARD, "OPS-1", "status new → in progress", "an engineer moved it"),
        (Turn.WROTE, "OPS-1", "status open", "tracker showed status in progress"),
        (Turn.HEARD, "OPS-1", "tag -web", "nobody keeps the tag"),
        (Turn.HEARD, "OPS-1", "is not reopened any more", "an engineer crossed open/done"),
    ]
    assert ledger.counts() == {"tracker": Counts(conflicts=1, parked=1)}
    ledger.close()


def test_a_database_that_is_not_there_yet_has_nothing_to_tell(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "hypercare.db")
    assert (ledger.latest(3), ledger.counts()) == ([], {})


@pytest.mark.parametrize("width", [80, 120])
def test_both_sides_fit_the_terminal(database: Path, width: int) -> None:
    with stand_ins() as both:
        subject = "A subject that is far too long for a terminal of that width, and goes on and on and on"
        both.desk.act("create", subject=subject, tags=[f"tag-number-{each}" for each in range(12)])
        both.tracker.act("create", summary=subject, labels=["web"])
        out = StringIO()
        console = Console(file=out, width=width, height=24, force_terminal=True, no_color=True, color_system="standard")
        ledger = Ledger(database)
        view = LiveView(console, both, Daemon(Place(folder=database.parent)), ledger)
        with console.capture() as caught:
            console.print(view._drawn())
        ledger.close()
    text = caught.get()
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    lines = plain.splitlines()
    assert max(len(line) for line in lines) <= width
    assert len(lines) <= 14
    assert "#1 new" in plain
    assert "OPS-1 To Do" in plain
    assert "killed" in plain
    assert "…" in plain
    assert "\x1b[3" not in text  # no colour
