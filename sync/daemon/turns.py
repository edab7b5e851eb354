"""Who works, and who changes what all work by: many at once, or one alone.

Workers take their calls in shared turns. An edit of the mappings takes the one turn in which no call is under way, so
that no item is decided half by the old files and half by the new ones.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from connectors.contract import Clock


class Turns:
    """Shared turns for calls of workers, and a lone turn between them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._shared = 0
        self._alone = False

    def taking(self, run: Callable[[], bool]) -> Callable[[], bool]:
        """`run`, in a shared turn each time."""

        def in_turn() -> bool:
            with self._changed:
                while self._alone:
                    self._changed.wait()
                self._shared += 1
            try:
                return run()
            finally:
                with self._changed:
                    self._shared -= 1
                    self._changed.notify_all()

        return in_turn

    @contextmanager
    def alone(self, patience: float) -> Generator[bool]:
        """Hold off new calls and wait for those under way, at most so many seconds. Gives whether they have ended.

        A call may wait long for a remote system; then the others go on, and it is tried again later.
        """
        until = self._clock.monotonic() + patience
        with self._changed:
            self._alone = True
            while self._shared and (left := until - self._clock.monotonic()) > 0:
                self._changed.wait(left)
            free = not self._shared
        try:
            yield free
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()
