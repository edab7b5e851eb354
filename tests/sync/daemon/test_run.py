"""The whole daemon without connections, as a process of its own: start, health, commands, lock, stop."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from sync.daemon import roster
from sync.engine.budgets import Budgets
from sync.engine.hub import Connected, Hub, ReadCounter
from sync.model import Role
from sync.ports import Bells, RealClock, RealRng
from sync.store.errors import AlreadyRunning
from sync.store.lock import lease, lock, this_process
from sync.store.migrate import open_store
from sync.store.tables import commands
from tests.sync.daemon.child import Daemon


def test_the_daemon_starts_works_and_stops(tmp_path: Path) -> None:
    database = tmp_path / "hypercare.db"
    daemon = Daemon(database)
    status, text = daemon.get("/health")
    assert status == 200
    shown = json.loads(text)
    assert shown["store"] == "writable"
    assert set(shown["workers"]) == {"lease", "inbox", "settle", "commands", "plans", "tidy"}
    status, text = daemon.get("/metrics")
    assert status == 200
    assert "hypercare_store_readable 1.0" in text
    assert 'hypercare_worker_well{worker="settle"} 1.0' in text
    assert 'hypercare_events_total{connection="",event="started"} 1.0' in text
    assert daemon.end() == 0
    assert [line["event"] for line in daemon.lines] == ["listening", "started", "stopping", "stopped"]
    store = open_store(database, clock=RealClock())
    with store.read() as conn:
        assert lease(conn) is None  # given back: the next one starts at once
    store.close()
    lock(database, this_process("test")).release()


def test_a_command_is_answered_by_the_running_daemon(tmp_path: Path) -> None:
    database, clock = tmp_path / "hypercare.db", RealClock()
    daemon = Daemon(database)
    store = open_store(database, clock=clock)
    command = {"at": clock.now(), "verb": "pause", "args": b'{"connection": "support"}'}
    store.step(lambda conn: conn.execute(insert(commands).values(**command)).close())
    store.close()
    assert daemon.until("command")["ok"] is False
    assert daemon.end() == 0
    store = open_store(database, clock=clock)
    with store.read() as conn:
        answer = conn.execute(select(commands.c.answer)).scalar_one()
    store.close()
    assert json.loads(answer)["message"].startswith("there is no connection 'support'")


def test_a_second_daemon_on_the_same_database_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "hypercare.db"
    daemon = Daemon(database)
    with pytest.raises(AlreadyRunning, match="only one daemon may work on a database"):
        lock(database, this_process("second"))
    assert daemon.end() == 0


def test_a_killed_daemon_is_followed_by_another_at_once(tmp_path: Path) -> None:
    database = tmp_path / "hypercare.db"
    assert Daemon(database).end(signal.SIGKILL) == -signal.SIGKILL
    daemon = Daemon(database)
    assert daemon.get("/health")[0] == 200
    assert daemon.end() == 0


def hub() -> Hub:
    clock = RealClock()
    nothing: Any = None  # the roster calls none of it
    support = Connected(
        id=1,
        name="support",
        system="zendesk",
        role=Role.HELPDESK,
        kind="ticket",
        mapping=nothing,
        remote=nothing,
        poll_seconds=20.0,
    )
    return Hub(
        store=nothing,
        clock=clock,
        rng=RealRng(),
        connections={1: support},
        budgets=Budgets(clock),
        reads=ReadCounter(0),
        signals=Bells(),
    )


def test_each_connection_has_its_workers_and_their_bells() -> None:
    found = {worker.name: worker.topic for worker in roster.workers(hub())}
    assert found == {
        "inbox": "inbox",
        "settle": "settle",
        "commands": "commands",
        "plans": "plans",
        "tidy": "tidy",
        "greet support": "greet:1",
        "poll support": "poll:1",
        "import support": "poll:1",
        "refresh support": "refresh:1",
        "create support": "deliver:1",
        "sweep support": "sweep:1",
        "drift support": "drift:1",
        "deliver 1 support": "deliver:1",
        "deliver 2 support": "deliver:1",
    }


def test_a_poll_without_ticks_still_happens() -> None:
    (poll,) = [worker for worker in roster.workers(hub()) if worker.name == "poll support"]
    assert poll.idle_seconds == 40.0
