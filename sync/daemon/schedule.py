"""Ticks: at each, a bell rings and a poll is due. The only import of APScheduler.

A tick does no work itself, so it is never late, and a poll that lasts longer than its interval is not run twice: the
bell has rung, once or five times. APScheduler goes by wall time, which may jump: a worker's own `idle_seconds`, which
goes by monotonic time, is what polls through a clock that was set back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC

from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.background import BackgroundScheduler


class Schedule:
    """Rings bells at intervals, in one thread of its own."""

    def __init__(self, ring: Callable[[str], None]) -> None:
        self._ring = ring
        # DebugExecutor runs a job in the scheduler's own thread: to ring a bell needs no pool of threads.
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": DebugExecutor()},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
            daemon=True,
        )

    def every(self, seconds: float, topic: str) -> None:
        """Ring `topic` each so many seconds, with a tenth of jitter, so that connections do not poll in step.

        The first ring comes after one interval: at the start every worker looks by itself.
        """
        self._scheduler.add_job(
            self._ring, "interval", seconds=seconds, jitter=seconds / 10, args=[topic], id=topic, replace_existing=True
        )

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()

    def stop(self) -> None:
        """End. Returns when the last ring is over."""
        if self._scheduler.running:
            self._scheduler.shutdown()
