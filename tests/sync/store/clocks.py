"""Clocks for the tests of the store."""

from __future__ import annotations

import time
from datetime import datetime, timedelta


class SetClock:
    """Stands still until it is moved. `sleep` moves it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class RunningClock(SetClock):
    """A set wall clock beside real intervals, as the writer's groups need them."""

    def monotonic(self) -> float:
        return time.monotonic()
