"""The life of the daemon's process: start, signals, stop, exit code.

Start: what is opened already (lock, store, socket) comes in; the web face answers first, then the workers run, then
the schedule ticks. Stop: no new calls and no new turns; present ones may end; then everything is closed in reverse.
What does not end in time is left behind: every step of the engine is safe to lose.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from types import FrameType
from typing import Protocol

from sync.daemon.frame import Condition, End, Frame, Tell
from sync.daemon.supervisor import Supervisor

DRAIN_SECONDS = 8.0
"""How long present calls may last after the stop was asked for."""
EXIT_SECONDS = 10.0
"""When the process is gone, whatever still hangs."""
_LOOK_SECONDS = 5.0
"""How often the process looks whether its workers live."""


class ExitCode(IntEnum):
    """How the process ends; as sysexits.h where that has a word."""

    STOPPED = 0
    """Asked to stop, and stopped."""
    BROKEN = 70
    """A defect of ours: start it again, and report the log's last lines."""
    LEASE_LOST = 75
    """Another daemon works on this database."""


class Face(Protocol):
    """The web face, as far as its life goes. `start` answers calls; `on_end` is told if it ends by itself."""

    def start(self, on_end: Callable[[str], None]) -> None: ...
    def alive(self) -> bool: ...
    def stop(self) -> None: ...
    def join(self, seconds: float) -> bool: ...


class Ticks(Protocol):
    """The schedule."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


class _Wake:
    """A pipe: signal handlers and other threads wake the main thread without a lock that they could meet held."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._open = True

    def wake(self) -> None:
        if not self._open:
            return
        try:
            os.write(self._write, b"!")
        except BlockingIOError:
            return  # full: it will wake anyway

    def wait(self, seconds: float) -> None:
        ready, _, _ = select.select([self._read], [], [], seconds)
        if ready:
            os.read(self._read, 4096)

    def close(self) -> None:
        self._open = False
        os.close(self._read)
        os.close(self._write)


@dataclass(kw_only=True)
class Process:
    """Runs a frame until a signal or an end of its own.

    closing: what to close after the drain, in this order, by name (clients, store, lease, lock). leave: ends the
    process at once, for what hangs and for a second signal.
    """

    frame: Frame
    tell: Tell
    face: Face | None = None
    schedule: Ticks | None = None
    closing: Sequence[tuple[str, Callable[[], None]]] = ()
    supervisor: Supervisor = field(default_factory=Supervisor)
    drain_seconds: float = DRAIN_SECONDS
    exit_seconds: float = EXIT_SECONDS
    leave: Callable[[int], None] = os._exit
    _wake: _Wake = field(default_factory=_Wake)
    _asked: str = ""
    _code: ExitCode = ExitCode.STOPPED

    def run(self) -> ExitCode:
        """Start everything, and return when everything has ended. Called by the main thread."""
        with self._signals():
            self.frame.on_end = self._ended
            if self.face is not None:
                self.face.start(lambda why: self._ended(End.BROKEN, why))
            self.frame.start()
            if self.schedule is not None:
                self.schedule.start()
            self.supervisor.ready()
            self.tell("started", workers=len(self.frame.workers))
            self._watch()
            self._stop()
        return self._code

    def ask(self, why: str) -> None:
        """Ask it to stop, from any thread or a signal handler."""
        if not self._asked:
            self._asked = why
        self._wake.wake()

    def _ended(self, end: End, why: str) -> None:
        if not self._asked:
            self._code = ExitCode.LEASE_LOST if end is End.LEASE_LOST else ExitCode.BROKEN
        self.ask(why)

    def _watch(self) -> None:
        watchdog = self.supervisor.watchdog_seconds
        seconds = _LOOK_SECONDS if watchdog is None else min(_LOOK_SECONDS, watchdog / 3)
        while not self._asked:
            conditions = self.frame.conditions()
            if not {Condition.ENDED, Condition.STUCK} & set(conditions.values()):
                self.supervisor.alive()
            self._wake.wait(seconds)

    def _stop(self) -> None:
        self.supervisor.stopping()
        self.tell("stopping", why=self._asked)
        # Whatever hangs below, in a driver or a library: the process is gone in time.
        last = threading.Timer(self.exit_seconds, self.leave, [int(self._code)])
        last.daemon = True
        last.start()
        self.frame.stop()
        if self.face is not None:
            self.face.stop()
        if self.schedule is not None:
            self.schedule.stop()
        left = self.frame.drain(self.drain_seconds)
        if self.face is not None and not self.face.join(self.drain_seconds / 4):
            left.append("web")
        if left:
            self.tell("drain_cut_short", workers=", ".join(left))
        for name, close in self.closing:
            try:
                close()
            except Exception as error:  # noqa: BLE001  the next one is closed all the same
                self.tell("internal_error", where=f"closing {name}", error=error)
        self.tell("stopped", code=int(self._code))
        last.cancel()

    @contextmanager
    def _signals(self) -> Generator[None]:
        """SIGTERM and SIGINT ask for a stop; a second one ends the process at once."""
        seen = 0

        def handle(number: int, _frame: FrameType | None) -> None:
            nonlocal seen
            seen += 1
            if seen > 1:
                self.leave(128 + number)
            self.ask(signal.Signals(number).name)

        before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._wake.close()
