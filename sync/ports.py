"""The real world's ports: time, chance, threads and bells. Everything else is given these instead of reaching out.

A simulation gives its own: a clock that it moves, chance from a seed, workers as greenlets, bells that switch.
"""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

LONGEST_SLEEP = 5.0
"""Seconds. Whatever takes longer is a row's `not_before`, never a sleeping thread."""


class RealClock:
    """The machine's clocks. Wall time may jump; intervals are taken from `monotonic`, which does not."""

    def now(self) -> datetime:
        """Wall time, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, at most `LONGEST_SLEEP` seconds. Raises ValueError for more."""
        if seconds > LONGEST_SLEEP:
            raise ValueError(
                f"a sleep of {seconds:g} s: at most {LONGEST_SLEEP:g} s; put the time into the row instead"
            )
        if seconds > 0:
            time.sleep(seconds)


class RealRng:
    """The operating system's chance."""

    def __init__(self) -> None:
        self._random = random.SystemRandom()

    def random(self) -> float:
        """A number in [0, 1)."""
        return self._random.random()

    def token(self) -> str:
        """128 unguessable bits as 32 hexadecimal digits."""
        return secrets.token_hex(16)


class Running(Protocol):
    """A worker's thread. `join` waits at most `seconds` for its end and tells whether it has ended."""

    name: str

    def alive(self) -> bool: ...
    def join(self, seconds: float) -> bool: ...


class Spawn(Protocol):
    """Starts workers."""

    def __call__(self, name: str, run: Callable[[], None]) -> Running: ...


class _Thread:
    def __init__(self, name: str, run: Callable[[], None]) -> None:
        self.name = name
        # A daemon thread: the end of the process never waits for a call that hangs. Every step is safe to lose.
        self._thread = threading.Thread(target=run, name=name, daemon=True)
        self._thread.start()

    def alive(self) -> bool:
        return self._thread.is_alive()

    def join(self, seconds: float) -> bool:
        self._thread.join(max(0.0, seconds))
        return not self._thread.is_alive()


def spawn_thread(name: str, run: Callable[[], None]) -> Running:
    """Start `run` in a thread of that name: the real `Spawn`."""
    return _Thread(name, run)


class Bell(Protocol):
    """Wakes workers by topic. A ring before the wait is not lost: take `count`, look at the tables, then `wait`."""

    def ring(self, topic: str) -> None: ...
    def count(self, topic: str) -> int: ...
    def wait(self, topic: str, heard: int, seconds: float) -> bool: ...


class _Topic:
    __slots__ = ("changed", "rings")

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.Lock())
        self.rings = 0


class Bells:
    """The real `Bell`, and the engine's `Signals`. A waiting worker costs nothing until its topic rings."""

    def __init__(self) -> None:
        self._topics: dict[str, _Topic] = {}
        self._making = threading.Lock()

    def ring(self, topic: str) -> None:
        """Wake every worker that waits on the topic, and let the next wait of the others return at once."""
        bell = self._topic(topic)
        with bell.changed:
            bell.rings += 1
            bell.changed.notify_all()

    def count(self, topic: str) -> int:
        """How often the topic rang so far."""
        return self._topic(topic).rings

    def wait(self, topic: str, heard: int, seconds: float) -> bool:
        """Wait until the topic has rung more often than `heard`, at most `seconds`. True: it rang."""
        bell = self._topic(topic)
        with bell.changed:
            return bell.changed.wait_for(lambda: bell.rings > heard, seconds)

    def _topic(self, topic: str) -> _Topic:
        found = self._topics.get(topic)
        if found is None:
            with self._making:
                found = self._topics.setdefault(topic, _Topic())
        return found
