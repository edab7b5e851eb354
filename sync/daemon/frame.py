"""The workers of the daemon: each calls its function until there is nothing to do, then waits for its bell.

The frame knows nothing of what the workers do. An error ends one call, never a worker; the end of a worker ends the
daemon, so that whoever supervises it starts a whole one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from connectors.contract import Clock
from sync.ports import Bell, Running, Spawn
from sync.store.errors import AlreadyRunning, StoreUnavailable

STOP = "stop"
"""The topic that rings when the daemon is to stop; whoever waits out a failure listens to it."""

STORE_PATIENCE = (0.5, 5.0)
"""Seconds a worker waits after the store was unavailable: at first, at most."""
ERROR_PATIENCE = (1.0, 30.0)
"""Seconds a worker waits after an internal error: at first, at most."""
STUCK_SECONDS = 300.0
"""A single call that lasts longer is shown as stuck. Every remote call has a total deadline far below."""


class Tell(Protocol):
    """Where events go: `tell("worker_failed", worker="settle", error=...)`."""

    def __call__(self, event: str, /, **facts: object) -> None: ...


class End(StrEnum):
    """Why a daemon ends by itself."""

    BROKEN = "broken"
    """A worker or the web face ended: a defect. Whoever supervises it starts it again."""
    LEASE_LOST = "lease_lost"
    """Another daemon has taken the database over."""


@dataclass(frozen=True, kw_only=True)
class Worker:
    """One worker. run: True when it did something and is to be called again at once.

    topic: the bell that wakes it. idle_seconds: how long it waits without one; a lost ring costs no more than that.
    """

    name: str
    topic: str
    run: Callable[[], bool]
    idle_seconds: float = 30.0


class Condition(StrEnum):
    """How a worker is doing."""

    WAITING = "waiting"
    WORKING = "working"
    STUCK = "stuck"
    FAILING = "failing"
    ENDED = "ended"


@dataclass
class WorkerState:
    """What is known of a worker. failures: calls in a row that raised. began_at: monotonic; None while waiting."""

    worker: Worker
    running: Running | None = None
    began_at: float | None = None
    failures: int = 0
    errors: int = 0
    last_error: str = ""


def patience(failures: int, first: float, most: float) -> float:
    """Seconds to wait after so many failures in a row: doubling from `first` up to `most`."""
    return min(most, first * 2.0 ** min(failures - 1, 16))


@dataclass(kw_only=True)
class Frame:
    """Runs workers. `on_end` is called, from any thread, when the daemon must stop because a worker ended."""

    workers: Sequence[Worker]
    clock: Clock
    bells: Bell
    spawn: Spawn
    tell: Tell
    on_end: Callable[[End, str], None] = lambda end, why: None
    store_patience: tuple[float, float] = STORE_PATIENCE
    error_patience: tuple[float, float] = ERROR_PATIENCE
    states: dict[str, WorkerState] = field(default_factory=dict)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _waiting_for_store: set[str] = field(default_factory=set)
    _store_lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        names = [worker.name for worker in self.workers]
        if len(set(names)) != len(names):
            raise ValueError(f"two workers of one name: {sorted(names)}")

    def start(self) -> None:
        """Start every worker."""
        for worker in self.workers:
            state = self.states[worker.name] = WorkerState(worker)
            state.running = self.spawn(worker.name, lambda state=state: self._live(state))  # type: ignore[misc]

    def stop(self) -> None:
        """Ask every worker to finish its present call and end. Returns at once."""
        self._stopping.set()
        self.bells.ring(STOP)
        for topic in {worker.topic for worker in self.workers}:
            self.bells.ring(topic)

    def drain(self, seconds: float) -> list[str]:
        """Wait at most so long until all workers have ended. Returns the names of those that have not."""
        until = self.clock.monotonic() + seconds
        return [
            name
            for name, state in self.states.items()
            if state.running is not None and not state.running.join(until - self.clock.monotonic())
        ]

    @property
    def stopping(self) -> bool:
        """It was asked to stop."""
        return self._stopping.is_set()

    def conditions(self) -> Mapping[str, Condition]:
        """How each worker is doing."""
        now = self.clock.monotonic()
        return {name: _condition(state, now) for name, state in self.states.items()}

    def store_fails(self) -> bool:
        """A worker waits for the store."""
        return bool(self._waiting_for_store)

    def _live(self, state: WorkerState) -> None:
        try:
            self._turn_until_stopped(state)
        except (SystemExit, KeyboardInterrupt) as error:
            # Only the main thread may end the process; here it is told and the daemon stops in order.
            state.last_error = f"{type(error).__name__}: {error}"
        finally:
            if not self.stopping:
                self.tell("worker_ended", worker=state.worker.name, why=state.last_error)
                self.on_end(End.BROKEN, f"worker {state.worker.name} ended")

    def _turn_until_stopped(self, state: WorkerState) -> None:
        worker = state.worker
        while not self.stopping:
            # Counted before the call: what rings while it runs is not slept over.
            heard = self.bells.count(worker.topic)
            state.began_at = self.clock.monotonic()
            try:
                more = worker.run()
            except StoreUnavailable as error:
                state.failures += 1
                state.last_error = str(error)
                self._store_failed(worker.name, error)
                self._wait_out(state, *self.store_patience)
                continue
            except AlreadyRunning as error:
                # Another daemon works on this database: stop at once, and write nothing more.
                self.tell("lease_lost", why=error.message)
                self.stop()
                self.on_end(End.LEASE_LOST, error.message)
                return
            except Exception as error:  # noqa: BLE001  an error of one call must not end the worker
                state.failures += 1
                state.errors += 1
                state.last_error = f"{type(error).__name__}: {error}"
                self._store_worked(worker.name)
                self.tell("worker_failed", worker=worker.name, failures=state.failures, error=error)
                self._wait_out(state, *self.error_patience)
                continue
            state.began_at = None
            if state.failures:
                state.failures = 0
                self._store_worked(worker.name)
            if not more:
                self.bells.wait(worker.topic, heard, worker.idle_seconds)

    def _store_failed(self, name: str, error: StoreUnavailable) -> None:
        """Every worker meets it; it is told once, and once more when the last of them has got through."""
        self.tell("worker_waits_for_store", worker=name)
        with self._store_lock:
            first = not self._waiting_for_store
            self._waiting_for_store.add(name)
        if first:
            self.tell("store_unavailable", why=error.message)

    def _store_worked(self, name: str) -> None:
        with self._store_lock:
            last = self._waiting_for_store == {name}
            self._waiting_for_store.discard(name)
        if last:
            self.tell("store_back")

    def _wait_out(self, state: WorkerState, first: float, most: float) -> None:
        """Wait after a failure, deaf to the worker's own bell: it would ring through a fault that lasts."""
        state.began_at = None
        heard = self.bells.count(STOP)
        if not self.stopping:
            self.bells.wait(STOP, heard, patience(state.failures, first, most))


def _condition(state: WorkerState, now: float) -> Condition:
    if state.running is None or not state.running.alive():
        return Condition.ENDED
    if state.began_at is not None and now - state.began_at > STUCK_SECONDS:
        return Condition.STUCK
    if state.failures:
        return Condition.FAILING
    return Condition.WAITING if state.began_at is None else Condition.WORKING
