"""The writer of the embedded database: one thread, which lets waiting steps share one COMMIT.

The only place with a thread in the store. A future resolves after the COMMIT that made its step durable, never before.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from msgspec import Struct
from sqlalchemy import Connection

from connectors.contract import Clock
from sync.store.errors import StoreError, StoreUnavailable
from sync.store.group import Group, GroupLost

T = TypeVar("T")


class Limits(Struct, frozen=True, kw_only=True):
    """How much may wait, and how much may share one COMMIT.

    steps, receipt_bytes: waiting at most; more is refused at once. group_steps, group_rows: in one COMMIT at most.
    group_seconds: after so long no further step joins a group, so that nobody waits long for slow ones.
    """

    steps: int = 1_000
    receipt_bytes: int = 64 * 1024 * 1024
    group_steps: int = 64
    group_rows: int = 2_000
    group_seconds: float = 0.02


class _Step(Struct, Generic[T], eq=False):
    fn: Callable[[Connection], T]
    future: Future[T]


class _Receipts(Struct, eq=False):
    rows: Sequence[Mapping[str, Any]]
    weight: int
    future: Future[int]


class Writer:
    """Takes steps and receipts from any thread and carries them out in one. begin: opens a group (see `Group`)."""

    def __init__(self, begin: Callable[[], Group], clock: Clock, limits: Limits) -> None:
        self._begin = begin
        self._clock = clock
        self._limits = limits
        self._steps: deque[_Step[Any]] = deque()
        self._receipts: deque[_Receipts] = deque()
        self._weight = 0
        self._closing = False
        self._work = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def step(self, fn: Callable[[Connection], T]) -> T:
        """Run a step and wait for it."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("a step asked for another step: it would wait for itself for ever")
        return self.submit(fn).result()

    def submit(self, fn: Callable[[Connection], T]) -> Future[T]:
        """Queue a step. Raises StoreUnavailable when too many wait, or after `close`."""
        future: Future[T] = Future()
        with self._work:
            self._refuse_when_closing()
            if len(self._steps) >= self._limits.steps:
                raise StoreUnavailable(f"{len(self._steps)} steps wait for the database already: try again later")
            self._steps.append(_Step(fn, future))
            self._work.notify()
        return future

    def receive(self, rows: Sequence[Mapping[str, Any]]) -> Future[int]:
        """Queue webhook receipts. Raises StoreUnavailable when too many bytes wait, or after `close`."""
        future: Future[int] = Future()
        weight = sum(len(row["body"]) + 512 for row in rows)
        with self._work:
            self._refuse_when_closing()
            if self._weight + weight > self._limits.receipt_bytes:
                raise StoreUnavailable(f"{self._weight} bytes of webhook calls wait for the database: try again later")
            self._weight += weight
            self._receipts.append(_Receipts(rows, weight, future))
            self._work.notify()
        return future

    def close(self) -> None:
        """Take nothing more, finish what waits, end the thread."""
        with self._work:
            self._closing = True
            self._work.notify()
        self._thread.join()

    def _refuse_when_closing(self) -> None:
        if self._closing:
            raise StoreUnavailable("the store is closed: the daemon is stopping")

    # --- in the writer's thread -----------------------------------------------------------------------------------

    def _run(self) -> None:
        while self._wait():
            try:
                group = self._begin()
            except GroupLost as lost:
                self._refuse_waiting(lost.error)
            except Exception as error:  # noqa: BLE001  the thread must live on; the waiting ones are told
                self._refuse_waiting(StoreError(f"the database could not be opened: {error}"))
            else:
                self._carry_out(group)

    def _wait(self) -> bool:
        with self._work:
            while not self._steps and not self._receipts:
                if self._closing:
                    return False
                self._work.wait()
            return True

    def _carry_out(self, group: Group) -> None:
        done: list[tuple[Future[Any], Any]] = []
        received: list[_Receipts] = []
        running: list[Future[Any]] = []
        try:
            began = self._clock.monotonic()
            while len(done) < self._limits.group_steps and (step := self._next_step()) is not None:
                running.append(step.future)
                try:
                    value = group.run(step.fn)
                except GroupLost:
                    raise
                except BaseException as error:  # noqa: BLE001  whatever a step raises belongs to its caller
                    running.pop().set_exception(error)
                else:
                    done.append((step.future, value))
                if self._clock.monotonic() - began > self._limits.group_seconds:
                    break
            received = self._next_receipts()
            running.extend(entry.future for entry in received)
            done.extend(self._receive(group, received, running))
            group.commit()
        except GroupLost as lost:
            _fail(running, lost.error)
            return
        except BaseException as error:  # noqa: BLE001  a defect of ours: nothing is acknowledged, the thread lives on
            _fail(running, StoreError(f"the group of steps failed: {error!r}"))
            return
        finally:
            group.close()
        for future, value in done:
            future.set_result(value)

    def _receive(
        self, group: Group, received: Sequence[_Receipts], running: list[Future[Any]]
    ) -> list[tuple[Future[Any], Any]]:
        if not received:
            return []
        try:
            group.receive([row for entry in received for row in entry.rows])
        except GroupLost:
            raise
        except Exception:  # noqa: BLE001  told to its caller below
            # One of them is bad, say of a connection that is not there: find out which, the others are good.
            return self._receive_apart(group, received, running)
        return [(entry.future, len(entry.rows)) for entry in received]

    def _receive_apart(
        self, group: Group, received: Sequence[_Receipts], running: list[Future[Any]]
    ) -> list[tuple[Future[Any], Any]]:
        kept: list[tuple[Future[Any], Any]] = []
        for entry in received:
            rows = entry.rows
            try:
                group.run(lambda _conn, rows=rows: group.receive(rows))  # type: ignore[misc]
            except GroupLost:
                raise
            except Exception as error:  # noqa: BLE001  it belongs to its caller
                running.remove(entry.future)
                entry.future.set_exception(error)
            else:
                kept.append((entry.future, len(rows)))
        return kept

    def _next_step(self) -> _Step[Any] | None:
        with self._work:
            while self._steps:
                step = self._steps.popleft()
                if step.future.set_running_or_notify_cancel():
                    return step
        return None

    def _next_receipts(self) -> list[_Receipts]:
        taken: list[_Receipts] = []
        rows = 0
        with self._work:
            while self._receipts and rows < self._limits.group_rows:
                entry = self._receipts.popleft()
                self._weight -= entry.weight
                if entry.future.set_running_or_notify_cancel():
                    taken.append(entry)
                    rows += len(entry.rows)
        return taken

    def _refuse_waiting(self, error: StoreError) -> None:
        with self._work:
            futures: list[Future[Any]] = [step.future for step in self._steps]
            futures.extend(entry.future for entry in self._receipts)
            self._steps.clear()
            self._receipts.clear()
            self._weight = 0
        _fail([future for future in futures if future.set_running_or_notify_cancel()], error)


def _fail(futures: Sequence[Future[Any]], error: StoreError) -> None:
    # One exception each: raised in several threads, a shared one would mix up their tracebacks.
    for future in futures:
        future.set_exception(type(error)(error.message))
