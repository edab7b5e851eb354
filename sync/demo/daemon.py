"""The daemon of a demo: `hypercare run` as a process of its own, its log in a file; asked, killed and started again."""

from __future__ import annotations

import http.client
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from sqlalchemy import insert, select

from sync.demo.place import Place
from sync.ports import RealClock
from sync.store.migrate import open_store
from sync.store.tables import commands

START_SECONDS = 20.0
STOP_SECONDS = 12.0
ANSWER_SECONDS = 10.0
COMMAND_SECONDS = 60.0
"""A command is a process of its own: on a machine that is busy with other things it may take long to start."""

PORTS = range(20_000, 32_000)
"""Below the ports that systems give to callers: while the daemon is down nobody else is given its port by chance."""

_RUN = "import sys; from sync.cli.main import main; sys.exit(main())"


class DaemonError(Exception):
    """The daemon did not do what was asked. The message says what, and what it said last."""


class Daemon:
    """The process. port: where its web face listens; the same after each start. patience: seconds for a command."""

    def __init__(self, place: Place, patience: float = COMMAND_SECONDS) -> None:
        self.place = place
        self._patience = patience
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id; 0 before the first start."""
        return self._process.pid if self._process else 0

    @property
    def runs(self) -> bool:
        """It is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it answers. Raises DaemonError."""
        command = [sys.executable, "-P", "-c", _RUN, "--config", str(self.place.settings), "run"]
        with self.place.log.open("ab") as log:
            # A session of its own: Ctrl-C on the terminal is for us, and we stop it in order.
            self._process = subprocess.Popen(  # noqa: S603  our own command, no shell
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        if not _until(lambda: self._answers() or not self.runs, START_SECONDS) or not self.runs:
            raise DaemonError(f"the daemon did not start: {self.last_words()}")

    def kill(self) -> None:
        """End it with SIGKILL: nothing in it gets to say good-bye."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int | None:
        """Ask it to stop, and see that it does. Returns its exit code, None when it never ran."""
        if self._process is None:
            return None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        return self._process.returncode

    def make_live(self, connection: str) -> str:
        """What `hypercare start CONNECTION` asks of it. Returns its answer; raises DaemonError."""
        clock = RealClock()
        store = open_store(self.place.database, clock=clock, check=False)
        try:
            values = {"at": clock.now(), "verb": "start", "args": msgspec.json.encode({"connection": connection})}
            key = store.step(lambda conn: conn.execute(insert(commands).values(**values)).inserted_primary_key)
            assert key is not None

            def answer() -> bytes | None:
                with store.read() as conn:
                    found: bytes | None = conn.execute(
                        select(commands.c.answer).where(commands.c.id == key[0])
                    ).scalar()
                return found

            if not (found := _until(answer, ANSWER_SECONDS)):
                raise DaemonError(f"the daemon did not answer `start {connection}`: {self.last_words()}")
        finally:
            store.close()
        told = msgspec.json.decode(found)
        if not told["ok"]:
            raise DaemonError(f"`start {connection}`: {told['message']}")
        return str(told["message"])

    def facts(self, item: str) -> frozenset[str]:
        """What is known of an item beside its status, as `hypercare explain` tells a person; empty where it cannot."""
        told = self.command("explain", item)
        return frozenset(told["facts"]) if told else frozenset()

    def command(self, *words: str) -> Any:
        """What a person gets from `hypercare WORDS --json`; None when it could not be done."""
        asked = [sys.executable, "-P", "-c", _RUN, "--config", str(self.place.settings), *words, "--json"]
        try:
            told = subprocess.run(asked, capture_output=True, check=False, timeout=self._patience)  # noqa: S603  our own
        except subprocess.TimeoutExpired:
            raise DaemonError(
                f"`hypercare {' '.join(words)}` took more than {self._patience:g} s: {self.last_words()}"
            ) from None
        return msgspec.json.decode(told.stdout) if told.returncode == 0 else None

    def last_words(self) -> str:
        """The end of its log, in one line."""
        try:
            lines = self.place.log.read_text("utf-8", "replace").splitlines()
        except OSError:
            lines = []
        return lines[-1][:300] if lines else "it said nothing"

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status > 0
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def free_port() -> int:
    """A port that nobody listens on. Raises DaemonError when there is none."""
    for port in random.sample(PORTS, 50):  # any free one will do
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise DaemonError("no free port was found between 20000 and 32000")


_T = TypeVar("_T")


def _until(look: Callable[[], _T], seconds: float) -> _T:
    """What `look` gives, as soon as it gives something; its last answer when the time is over."""
    end = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.02)
    return found
