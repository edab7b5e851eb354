"""A process is killed while it writes: every acknowledged row is there, and the file is intact."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sync.store.migrate import open_store
from tests.sync.store.clocks import RunningClock
from tests.sync.store.rows import facts, verdict

_CHILD = """
import sys, threading
from pathlib import Path
from sync.store.migrate import open_store
from tests.sync.store.clocks import RunningClock
from tests.sync.store.rows import START, fact

store = open_store(Path(sys.argv[1]), clock=RunningClock(START))
speak = threading.Lock()

def write(worker):
    number = 0
    while True:
        key = store.step(fact(f"{worker}-{number}", "x" * 500))
        with speak:
            sys.stdout.write(key + "\\n")
            sys.stdout.flush()
        number += 1

for worker in range(6):
    threading.Thread(target=write, args=(worker,)).start()
"""


@pytest.mark.parametrize("acknowledged_first", [1, 40, 250])
def test_a_killed_writer_loses_no_acknowledged_step(path: Path, clock: RunningClock, acknowledged_first: int) -> None:
    child = subprocess.Popen([sys.executable, "-c", _CHILD, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    told = [child.stdout.readline().strip() for _ in range(acknowledged_first)]
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read()
    told += [line.strip() for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    child.stdout.close()
    assert child.wait(timeout=30) == -signal.SIGKILL

    store = open_store(path, clock=clock)
    stored = facts(store)
    store.close()
    assert set(told) <= set(stored)
    assert len(told) >= acknowledged_first
    # A worker waits for each step: at most its last one may be stored without having been told.
    assert len(stored) - len(told) <= 6
    assert verdict(path) == "ok"
