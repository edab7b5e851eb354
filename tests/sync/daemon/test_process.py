"""The process: start order, signals, drain and exit codes. Signals go to real processes of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sync.daemon.frame import Frame, Worker
from sync.daemon.process import ExitCode, Process
from sync.daemon.supervisor import Supervisor
from sync.ports import Bells, RealClock, spawn_thread
from sync.store.errors import AlreadyRunning

PROGRAM = """
import sys, threading
from sync.daemon.frame import Frame, Worker
from sync.daemon.process import Process
from sync.ports import Bells, RealClock, spawn_thread

def say(event, **facts):
    sys.stdout.write(" ".join([event, *map(str, facts.values())]) + "\\n")  # one write: two threads say things
    sys.stdout.flush()

release = threading.Event()

def hang():
    say("hanging")
    release.wait()
    return False

runs = {"idle": lambda: False, "hang": hang}
frame = Frame(workers=[Worker(name=sys.argv[1], topic="t", run=runs[sys.argv[1]], idle_seconds=60)],
              clock=RealClock(), bells=Bells(), spawn=spawn_thread, tell=say)
process = Process(frame=frame, tell=say, drain_seconds=float(sys.argv[2]), exit_seconds=float(sys.argv[3]),
                  closing=[("store", release.wait if "stuck" in sys.argv else lambda: say("store closed"))])
sys.exit(process.run())
"""


class Child:
    """The program above as a process of its own."""

    def __init__(self, *args: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        self.said: list[str] = []

    def until(self, start: str) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line.strip())
            if line.startswith(start):
                return
        raise AssertionError((self.said, self._process.stderr.read() if self._process.stderr else ""))

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def end(self) -> int:
        out, error = self._process.communicate(timeout=30)
        self.said.extend(out.splitlines())
        assert error == ""
        return self._process.returncode


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_daemon_in_order(number: int) -> None:
    child = Child("idle", "5", "20")
    child.until("started")
    child.signal(number)
    assert child.end() == 0
    assert child.said == ["started 1", f"stopping {signal.Signals(number).name}", "store closed", "stopped 0"]


def test_a_worker_that_hangs_is_left_behind_and_named() -> None:
    child = Child("hang", "0.1", "20")
    child.until("started")
    child.signal(signal.SIGTERM)
    assert child.end() == 0
    assert child.said[-3:] == ["drain_cut_short hang", "store closed", "stopped 0"]


def test_a_second_signal_ends_it_at_once() -> None:
    child = Child("hang", "60", "60")
    child.until("started")
    child.signal(signal.SIGTERM)
    child.until("stopping")
    child.signal(signal.SIGTERM)
    assert child.end() == 128 + signal.SIGTERM
    assert "store closed" not in child.said


def test_what_hangs_while_it_is_closed_does_not_outlast_the_exit_time() -> None:
    child = Child("idle", "0.1", "0.3", "stuck")
    child.until("started")
    child.signal(signal.SIGTERM)
    assert child.end() == 0
    assert child.said[-1] == "stopping SIGTERM"


class Asking:
    """A worker's function that asks its process to stop."""

    process: Process | None = None

    def __call__(self) -> bool:
        assert self.process is not None
        self.process.ask("asked")
        return False


class Part:
    """A web face or a schedule that notes what is asked of it."""

    def __init__(self, name: str, log: list[str]) -> None:
        self._name = name
        self._log = log
        self.on_end: Any = None

    def start(self, on_end: Any = None) -> None:
        self._log.append(f"{self._name} starts")
        self.on_end = on_end

    def alive(self) -> bool:
        return True

    def stop(self) -> None:
        self._log.append(f"{self._name} stops")

    def join(self, seconds: float) -> bool:
        self._log.append(f"{self._name} ended")
        return True


def process(log: list[str], run: Any, **options: Any) -> Process:
    def tell(event: str, /, **facts: object) -> None:
        log.append(event)

    frame = Frame(
        workers=[Worker(name="worker", topic="t", run=run)],
        clock=RealClock(),
        bells=Bells(),
        spawn=spawn_thread,
        tell=tell,
    )
    return Process(
        frame=frame,
        tell=tell,
        face=Part("web", log),
        schedule=Part("schedule", log),
        closing=[("store", lambda: log.append("store closed"))],
        **options,
    )


def test_everything_starts_and_stops_in_order() -> None:
    log: list[str] = []
    ask = Asking()
    ask.process = process(log, ask)
    assert ask.process.run() is ExitCode.STOPPED
    assert log == [
        "web starts",
        "schedule starts",
        "started",
        "stopping",
        "web stops",
        "schedule stops",
        "web ended",
        "store closed",
        "stopped",
    ]


def test_a_worker_that_ends_stops_the_daemon_with_a_code_of_its_own() -> None:
    def end() -> bool:
        raise SystemExit

    log: list[str] = []
    assert process(log, end).run() is ExitCode.BROKEN
    assert "worker_ended" in log
    assert log[-2:] == ["store closed", "stopped"]


def test_a_lost_lease_stops_the_daemon_with_a_code_of_its_own() -> None:
    def lose() -> bool:
        raise AlreadyRunning("taken over")

    assert process([], lose).run() is ExitCode.LEASE_LOST


def test_an_ending_web_face_stops_the_daemon() -> None:
    log: list[str] = []
    made: list[Process] = []

    def end_the_face() -> bool:
        made[0].face.on_end("the web face ended")  # type: ignore[union-attr]
        return False

    made.append(process(log, end_the_face))
    assert made[0].run() is ExitCode.BROKEN


def test_an_error_while_closing_does_not_keep_the_rest_open() -> None:
    def fail() -> None:
        raise OSError("no space")

    log: list[str] = []
    ask = Asking()
    ask.process = process(log, ask)
    ask.process.closing = [("clients", fail), ("store", lambda: log.append("store closed"))]
    assert ask.process.run() is ExitCode.STOPPED
    assert log[-3:] == ["internal_error", "store closed", "stopped"]


def test_the_service_manager_is_told(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(10)
        supervisor = Supervisor({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000"})
        assert supervisor.watchdog_seconds == 30
        ask = Asking()
        ask.process = process([], ask, supervisor=supervisor)
        assert ask.process.run() is ExitCode.STOPPED
        told = [manager.recv(100).decode()]
        while told[-1] != "STOPPING=1":
            told.append(manager.recv(100).decode())
        assert told[0] == "READY=1"
        assert set(told) <= {"READY=1", "WATCHDOG=1", "STOPPING=1"}


def test_without_a_service_manager_nothing_is_told() -> None:
    supervisor = Supervisor({"WATCHDOG_USEC": "5", "WATCHDOG_PID": str(os.getpid() + 1)})
    supervisor.ready()
    assert supervisor.watchdog_seconds is None
