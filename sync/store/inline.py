"""The writer without a thread: a step runs in its caller. For the simulation, whose scheduler decides who goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future  # noqa: TID251  resolved before it is returned: nothing waits on it
from typing import Any, TypeVar

from sqlalchemy import Connection

from sync.store.errors import StoreUnavailable
from sync.store.group import Group, GroupLost

T = TypeVar("T")


class Inline:
    """Steps one by one. crash: called with `before commit` and `after commit`; it may raise to end the process."""

    def __init__(self, begin: Callable[[], Group], crash: Callable[[str], None] | None) -> None:
        self._begin = begin
        self._crash = crash or (lambda _where: None)
        self._busy = False
        self._closed = False

    @property
    def is_busy(self) -> bool:
        """Whether a step is running."""
        return self._busy

    def step(self, fn: Callable[[Connection], T]) -> T:
        """Run a step. Raises RuntimeError when one is running already: steps must not be interleaved."""
        return self._carry_out(lambda group: group.run_alone(fn))

    def submit(self, fn: Callable[[Connection], T]) -> Future[T]:
        """Run a step; the future is resolved already."""
        return _resolved(lambda: self.step(fn))

    def receive(self, rows: Sequence[Mapping[str, Any]]) -> Future[int]:
        """Store receipts; the future is resolved already."""

        def store(group: Group) -> int:
            group.receive(rows)
            return len(rows)

        return _resolved(lambda: self._carry_out(store))

    def close(self) -> None:
        """Take nothing more."""
        self._closed = True

    def _carry_out(self, work: Callable[[Group], T]) -> T:
        if self._closed:
            raise StoreUnavailable("the store is closed: the daemon is stopping")
        if self._busy:
            raise RuntimeError("a step began inside another one: a step calls no port and asks for no step")
        self._busy = True
        try:
            group = self._begin()
            try:
                value = work(group)
                self._crash("before commit")
                group.commit()
            finally:
                group.close()
        except GroupLost as lost:
            raise lost.error from lost
        finally:
            self._busy = False
        self._crash("after commit")
        return value


def _resolved(work: Callable[[], T]) -> Future[T]:
    future: Future[T] = Future()
    try:
        value = work()
    except Exception as error:  # noqa: BLE001  a future carries what its work raised; a crash is no Exception
        future.set_exception(error)
    else:
        future.set_result(value)
    return future
