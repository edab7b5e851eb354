"""The daemon as a process of its own, and what it logs."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

NOTHING_CONNECTED = """
def make_hub(store, signals):
    return Hub(store=store, clock=clock, rng=rng, connections={}, budgets=Budgets(clock), reads=ReadCounter(0),
               signals=signals, tell=log.tell)
"""

DAEMON = """
import sys
from pathlib import Path
from sync.daemon.run import run
from sync.engine.budgets import Budgets
from sync.engine.hub import Hub, ReadCounter
from sync.log import Redactor, to_stderr, Style
from sync.ports import RealClock, RealRng
from sync.web.metrics import Metrics
from sync.web.settings import WebSettings

clock, rng, metrics = RealClock(), RealRng(), Metrics()
log = to_stderr(clock, Redactor(), style=Style.JSON, count=metrics.count_event)
log.take_over_libraries()

@MAKE@

sys.exit(run(Path(sys.argv[1]), make_hub, web=WebSettings(port=0), clock=clock, rng=rng, tell=log.tell,
             metrics=metrics))
"""


class Daemon:
    """A running daemon. `lines`: its log so far."""

    def __init__(self, database: Path, *args: str, make: str = NOTHING_CONNECTED) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", DAEMON.replace("@MAKE@", make), str(database), *args],
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        self.lines: list[dict[str, Any]] = []
        self.address = self.until("listening")["url"].removeprefix("http://")
        self.until("started")

    def until(self, event: str) -> dict[str, Any]:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.lines.append(json.loads(line))
            if self.lines[-1]["event"] == event:
                return self.lines[-1]
        raise AssertionError(self.lines)

    def get(self, path: str) -> tuple[int, str]:
        with closing(http.client.HTTPConnection(self.address, timeout=10)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end: the exit code."""
        if (ended := self._process.poll()) is not None:
            return ended
        self._process.send_signal(number)
        _, rest = self._process.communicate(timeout=30)
        self.lines.extend(json.loads(line) for line in rest.splitlines())
        return self._process.returncode
