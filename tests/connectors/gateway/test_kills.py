"""`kill -9` of a process that folds a log while it is written, rotated and pushed to: every line counts once."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from sync.ports import RealClock
from sync.store.migrate import open_store
from sync.store.tables import connections, gateway_feeds
from tests.connectors.gateway.apinto_log import call
from tests.connectors.gateway.folding import CONNECTION, feed_of

ROOT = Path(__file__).parents[3]
KILLS = 5


class Writer:
    """A gateway that writes its log without a pause, and has it rotated now and then."""

    def __init__(self, log: Path, rotation: str) -> None:
        self.log = log
        self.rotation = rotation
        self.written = 0
        self._file = log.open("ab", buffering=0)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(30)
        self._file.close()

    def _run(self) -> None:
        while not self._stop.wait(0.005):
            for _ in range(20):
                self.written += 1
                line = json.dumps(call(datetime.now(UTC), self.written, 500, provider="filed")).encode() + b"\n"
                middle = len(line) // 2
                self._file.write(line[:middle])  # a line is seen half-written, too
                self._file.write(line[middle:])
            if self.written % 3000 == 0:
                self._rotate()

    def _rotate(self) -> None:
        for number in range(20, 0, -1):
            old = self.log.with_name(f"access.log.{number}")
            if old.exists():
                old.rename(self.log.with_name(f"access.log.{number + 1}"))
        aside = self.log.with_name("access.log.1")
        if self.rotation == "copied":
            shutil.copyfile(self.log, aside)
            os.ftruncate(self._file.fileno(), 0)
        else:
            self.log.rename(aside)
            self._file.close()
            self._file = self.log.open("ab", buffering=0)


@pytest.mark.parametrize("rotation", ["renamed", "copied"])
def test_every_line_counts_exactly_once_whenever_the_process_is_killed(tmp_path: Path, rotation: str) -> None:
    chance = random.Random(rotation)
    database, log, folder = tmp_path / "hub.db", tmp_path / "access.log", tmp_path / "feeds"
    store = open_store(database, clock=RealClock())
    row = {"id": CONNECTION, "name": "gateway", "system": "gateway", "role": "signal"}
    store.step(lambda conn: conn.execute(insert(connections).values(**row, created_at=datetime.now(UTC))).close())
    log.touch()
    feed = feed_of(store, log, folder)
    feed.turn()  # what is rotated before anybody has looked is nobody's loss
    feed.close()
    store.close()
    writer = Writer(log, rotation)
    kept = 0
    for _ in range(KILLS):
        kept += _one_life(database, log, folder, kept, chance)
    writer.stop()
    store = open_store(database, clock=RealClock())
    feed = feed_of(store, log, folder)
    began = time.monotonic()
    lines: dict[str, int] = {}
    while sum(lines.values()) < writer.written + kept and time.monotonic() - began < 30:
        feed.turn()
        with store.read() as conn:
            lines = {each.feed: each.lines for each in conn.execute(select(gateway_feeds))}
    feed.turn()
    with store.read() as conn:
        lines = {each.feed: each.lines for each in conn.execute(select(gateway_feeds))}
    counted = _counted(feed)
    feed.close()
    store.close()
    assert lines[str(log)] == writer.written
    assert counted["filed"] == writer.written
    # The process may have died between keeping a line and saying so.
    assert kept <= counted["pushed"] <= kept + KILLS
    assert lines["received"] == counted["pushed"]


def _one_life(database: Path, log: Path, folder: Path, first: int, chance: random.Random) -> int:
    """Run a process and kill it at some moment after its first turns. How many pushed lines it acknowledged."""
    arguments = [sys.executable, "-m", "tests.connectors.gateway.folding", str(database), str(log), str(folder)]
    process = subprocess.Popen([*arguments, str(first)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    acknowledged = turns = 0
    until = chance.randrange(3, 40)
    for line in process.stdout:
        acknowledged += line.startswith("kept")
        turns += line.startswith("stored")
        if turns == until:
            process.send_signal(signal.SIGKILL)
            until = -1
    assert process.wait(30) == -signal.SIGKILL
    process.stdout.close()
    return acknowledged


def _counted(feed: object) -> dict[str, int]:
    """The calls of each service's signature, as the fold has them."""
    fold = feed._fold  # type: ignore[attr-defined]
    return {one.service: fold.figures(one.id).count for one in fold.signatures().values()}
