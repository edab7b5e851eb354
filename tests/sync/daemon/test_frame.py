"""Workers: turns, bells, errors and the stop. Real threads; nothing waits but for bells and events."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest

from sync.daemon.frame import Condition, End, Frame, Worker, patience
from sync.ports import Bells, RealClock, spawn_thread
from sync.store.errors import AlreadyRunning, StoreUnavailable

LONG = 60.0
"""Seconds: an idle wait that a test never sits out."""


class Told:
    """Events, and a way to wait for one."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._changed = threading.Condition()

    def __call__(self, event: str, /, **facts: object) -> None:
        with self._changed:
            self.events.append((event, facts))
            self._changed.notify_all()

    @property
    def names(self) -> list[str]:
        return [event for event, _ in self.events]

    def wait_for(self, event: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: event in self.names, 10), self.names


class Steps:
    """A worker's function that does what the test lists, then nothing; counts its calls."""

    def __init__(self, *steps: Callable[[], bool] | bool | BaseException) -> None:
        self._steps = list(steps)
        self.calls = 0
        self._changed = threading.Condition()

    def __call__(self) -> bool:
        with self._changed:
            self.calls += 1
            self._changed.notify_all()
        if not self._steps:
            return False
        step = self._steps.pop(0)
        if isinstance(step, BaseException):
            raise step
        return step() if callable(step) else step

    def wait_for(self, calls: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.calls >= calls, 10), self.calls


@contextmanager
def running(*workers: Worker, **options: Any) -> Generator[tuple[Frame, Told, Bells]]:
    told, bells = Told(), Bells()
    frame = Frame(
        workers=workers,
        clock=RealClock(),
        bells=bells,
        spawn=spawn_thread,
        tell=told,
        store_patience=(0.001, 0.001),
        error_patience=(0.001, 0.001),
        **options,
    )
    frame.start()
    try:
        yield frame, told, bells
    finally:
        frame.stop()
        assert frame.drain(10) == []


def worker(name: str, run: Callable[[], bool], idle: float = LONG) -> Worker:
    return Worker(name=name, topic=name, run=run, idle_seconds=idle)


def test_a_worker_is_called_until_there_is_nothing_to_do() -> None:
    run = Steps(True, True, False)
    with running(worker("settle", run)):
        run.wait_for(3)
    assert run.calls == 3


def test_a_bell_wakes_a_waiting_worker() -> None:
    run = Steps()
    with running(worker("settle", run)) as (_, _, bells):
        run.wait_for(1)
        bells.ring("settle")
        run.wait_for(2)


def test_a_bell_that_rings_during_a_turn_is_not_slept_over() -> None:
    bells_ready = threading.Event()
    holder: list[Bells] = []

    def ring_while_working() -> bool:
        assert bells_ready.wait(10)
        holder[0].ring("settle")
        return False

    run = Steps(ring_while_working)
    with running(worker("settle", run)) as (_, _, bells):
        holder.append(bells)
        bells_ready.set()
        run.wait_for(2)


def test_the_bell_of_another_topic_wakes_nobody() -> None:
    run, other = Steps(), Steps()
    with running(worker("settle", run), worker("deliver:1", other)) as (_, _, bells):
        run.wait_for(1)
        other.wait_for(1)
        bells.ring("deliver:1")
        other.wait_for(2)
        assert run.calls == 1


def test_a_bell_wakes_every_worker_of_its_topic() -> None:
    one, two = Steps(), Steps()
    first = Worker(name="deliver:1/1", topic="deliver:1", run=one, idle_seconds=LONG)
    second = Worker(name="deliver:1/2", topic="deliver:1", run=two, idle_seconds=LONG)
    with running(first, second) as (_, _, bells):
        one.wait_for(1)
        two.wait_for(1)
        bells.ring("deliver:1")
        one.wait_for(2)
        two.wait_for(2)


def test_without_a_bell_a_worker_looks_again_by_itself() -> None:
    run = Steps()
    with running(worker("sweep", run, idle=0.001)):
        run.wait_for(3)


def test_an_error_ends_a_call_and_never_a_worker() -> None:
    run = Steps(KeyError("status"), ZeroDivisionError(), True)
    with running(worker("settle", run)) as (frame, told, _):
        run.wait_for(4)
        assert [(name, facts["failures"]) for name, facts in told.events] == [
            ("worker_failed", 1),
            ("worker_failed", 2),
        ]
        assert isinstance(told.events[0][1]["error"], KeyError)
        assert frame.states["settle"].errors == 2


def test_a_failing_worker_is_deaf_to_its_bell() -> None:
    run = Steps(KeyError("status"))
    told, bells = Told(), Bells()
    frame = Frame(
        workers=[worker("settle", run)],
        clock=RealClock(),
        bells=bells,
        spawn=spawn_thread,
        tell=told,
        error_patience=(LONG, LONG),
    )
    frame.start()
    told.wait_for("worker_failed")
    for _ in range(100):
        bells.ring("settle")
    assert frame.conditions() == {"settle": Condition.FAILING}
    frame.stop()
    assert frame.drain(10) == []  # and yet it stops at once
    assert run.calls == 1


def test_a_store_that_is_away_is_told_once_and_once_when_it_is_back() -> None:
    away = StoreUnavailable("the disk is full")
    run, other = Steps(away, away, away), Steps(away, away)
    with running(worker("settle", run), worker("inbox", other)) as (frame, told, _):
        run.wait_for(4)
        other.wait_for(3)
        told.wait_for("store_back")
        shown = [name for name in told.names if name != "worker_waits_for_store"]
        assert shown.count("store_unavailable") == shown.count("store_back")
        assert set(shown) == {"store_unavailable", "store_back"}
        assert not frame.store_fails()


def test_the_end_of_a_worker_ends_the_daemon() -> None:
    ended: list[tuple[End, str]] = []
    run = Steps(SystemExit("a library called exit"))
    with running(worker("settle", run), on_end=lambda end, why: ended.append((end, why))) as (frame, told, _):
        told.wait_for("worker_ended")
        assert frame.drain(10) == []
        assert ended == [(End.BROKEN, "worker settle ended")]
        assert frame.conditions() == {"settle": Condition.ENDED}


def test_a_lost_lease_stops_every_worker() -> None:
    ended: list[End] = []
    lease = Steps(AlreadyRunning("the database was taken over by process 7 on other"))
    settle = Steps()
    with running(worker("lease", lease), worker("settle", settle), on_end=lambda end, why: ended.append(end)) as (
        frame,
        told,
        _,
    ):
        told.wait_for("lease_lost")
        assert frame.drain(10) == []
        assert frame.stopping
        assert ended == [End.LEASE_LOST]


def test_a_stop_lets_the_present_call_finish_and_begins_no_other() -> None:
    inside, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def long_call() -> bool:
        inside.set()
        assert go_on.wait(10)
        done.set()
        return True

    run = Steps(long_call, True)
    with running(worker("deliver:1", run)) as (frame, _, _):
        assert inside.wait(10)
        frame.stop()
        assert frame.drain(0) == ["deliver:1"]
        go_on.set()
        assert frame.drain(10) == []
        assert done.is_set()
    assert run.calls == 1


def test_a_call_that_lasts_too_long_is_shown_as_stuck() -> None:
    class Fast(RealClock):
        ahead = 0.0

        def monotonic(self) -> float:
            return super().monotonic() + self.ahead

    clock, inside, go_on = Fast(), threading.Event(), threading.Event()

    def long_call() -> bool:
        inside.set()
        return go_on.wait(10) and False

    frame = Frame(workers=[worker("poll:1", long_call)], clock=clock, bells=Bells(), spawn=spawn_thread, tell=Told())
    frame.start()
    assert inside.wait(10)
    assert frame.conditions() == {"poll:1": Condition.WORKING}
    clock.ahead = 301.0
    assert frame.conditions() == {"poll:1": Condition.STUCK}
    go_on.set()
    frame.stop()
    assert frame.drain(10) == []


def test_two_workers_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two workers of one name"):
        Frame(
            workers=[worker("a", Steps()), worker("a", Steps())],
            clock=RealClock(),
            bells=Bells(),
            spawn=spawn_thread,
            tell=Told(),
        )


def test_patience_doubles_up_to_its_most() -> None:
    assert [patience(failures, 1.0, 30.0) for failures in (1, 2, 3, 5, 6, 10_000)] == [1, 2, 4, 16, 30, 30]
