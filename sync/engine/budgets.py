"""Rate budgets: how long a call must wait. A generic cell rate (GCRA) per budget, corrected by the vendors' headers.

Live work may use a budget whole; backfill (import, sweep) leaves half of each untouched, so that it always yields.
Nothing here sleeps: a wait is told to the caller, who puts it into the row's `not_before`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connectors.contract import Budget, BudgetReading, Clock

_IMPATIENCE = 0.5
"""The share of a budget that backfill may use."""

_FEW = 1_000
"""Buckets that are kept without a look at whether they still say anything."""

_AT_ONCE = 0.001
"""Seconds: what is shorter is no wait, but the rounding of a sum."""


class Priority(StrEnum):
    """Live work goes first; backfill is import and sweep."""

    LIVE = "live"
    BACKFILL = "backfill"


@dataclass
class _Bucket:
    budget: Budget
    free_at: float = 0.0  # the theoretical arrival time, monotonic seconds
    blocked_until: float = 0.0
    limit: int | None = None
    remaining: int | None = None
    read_at: float | None = None


@dataclass(frozen=True)
class Room:
    """What is left of one budget, for people: calls left of the limit, seconds until a blocked one opens again.

    full_in: seconds until it is whole again. told_ago: seconds since the remote last told its own count, if it did.
    """

    budget: str
    limit: int
    left: int
    blocked_for: float
    full_in: float = 0.0
    told_ago: float | None = None


class Budgets:
    """The buckets of all connections. lock: guards them where several threads use them."""

    def __init__(self, clock: Clock, lock: AbstractContextManager[Any] | None = None) -> None:
        self._clock = clock
        self._lock = lock or nullcontext()
        self._budgets: dict[int, dict[str, Budget]] = {}
        self._buckets: dict[tuple[int, str, str], _Bucket] = {}
        self._look_at = _FEW

    def __len__(self) -> int:
        """How many buckets are kept: one for each account-wide budget, and one for each record written lately."""
        return len(self._buckets)

    def declare(self, connection: int, budgets: tuple[Budget, ...]) -> None:
        """Set the published limits of one connection."""
        with self._lock:
            self._budgets[connection] = {budget.name: budget for budget in budgets}

    def take(
        self, connection: int, names: tuple[str, ...], *, record: str = "", priority: Priority = Priority.LIVE
    ) -> float:
        """Take one call from every named budget: 0.0 when it may go now, else the seconds to wait."""
        now = self._clock.monotonic()
        with self._lock:
            self._drop_full(now)
            found = [self._bucket(connection, name, record) for name in ("account", *names)]
            buckets = [bucket for bucket in found if bucket is not None]
            wait = max([self._wait(bucket, now, priority) for bucket in buckets], default=0.0)
            if wait > _AT_ONCE:
                return wait
            for bucket in buckets:
                bucket.free_at = max(bucket.free_at, now) + bucket.budget.seconds / max(1, self._limit(bucket))
                if bucket.remaining is not None:
                    bucket.remaining = max(0, bucket.remaining - 1)
            return 0.0

    def observe(self, connection: int, reading: BudgetReading) -> None:
        """Correct a budget by a response's headers: the vendor's own count is believed over ours.

        Only downwards: what others use up of the same budget is seen there first, and answers overtake one another.
        """
        now = self._clock.monotonic()
        with self._lock:
            bucket = self._bucket(connection, reading.budget, reading.record)
            if bucket is None:
                return
            bucket.read_at = now
            if reading.limit is not None and reading.limit > 0:
                bucket.limit = reading.limit
            if reading.remaining is not None:
                bucket.remaining = reading.remaining
                used = max(0, self._limit(bucket) - reading.remaining)
                spacing = bucket.budget.seconds / max(1, self._limit(bucket))
                bucket.free_at = max(bucket.free_at, now + used * spacing)
                if reading.remaining == 0 and reading.resets_in:
                    bucket.blocked_until = max(bucket.blocked_until, now + reading.resets_in)

    def block(self, connection: int, scope: str, seconds: float) -> None:
        """The remote asked for patience: nothing of that scope goes out for so long. `record:<id>` names one record."""
        name, _, record = scope.partition(":")
        with self._lock:
            bucket = self._bucket(connection, name, record) or self._buckets.setdefault(
                (connection, name, record), _Bucket(Budget(name=name, limit=1_000_000, seconds=1.0))
            )
            bucket.blocked_until = max(bucket.blocked_until, self._clock.monotonic() + seconds)

    def room(self, connection: int) -> list[Room]:
        """What is left of each account-wide budget, for `status`."""
        now = self._clock.monotonic()
        with self._lock:
            return [
                Room(
                    budget=name,
                    limit=self._limit(bucket),
                    left=self._left(bucket, now),
                    blocked_for=max(0.0, bucket.blocked_until - now),
                    full_in=max(0.0, bucket.free_at - now),
                    told_ago=None if bucket.read_at is None else now - bucket.read_at,
                )
                for name, bucket in sorted(
                    (name, bucket)
                    for (owner, name, record), bucket in self._buckets.items()
                    if owner == connection and not record
                )
            ]

    # ----------------------------------------------------------------------------------------------------------

    def _drop_full(self, now: float) -> None:
        """Forget the buckets of single records that are whole again: a new one would say the same.

        Looked at only when there are twice as many as were left last time, so it costs next to nothing a call.
        """
        if len(self._buckets) < self._look_at:
            return
        self._buckets = {
            key: bucket
            for key, bucket in self._buckets.items()
            if not key[2] or bucket.free_at > now or bucket.blocked_until > now
        }
        self._look_at = max(_FEW, 2 * len(self._buckets))

    def _bucket(self, connection: int, name: str, record: str) -> _Bucket | None:
        known: Mapping[str, Budget] = self._budgets.get(connection, {})
        budget = known.get(name)
        if budget is None:
            return self._buckets.get((connection, name, record)) or self._buckets.get((connection, name, ""))
        if budget.per_record and not record:
            return None
        key = (connection, name, record if budget.per_record else "")
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(budget)
        return bucket

    def _limit(self, bucket: _Bucket) -> int:
        return bucket.limit or bucket.budget.limit

    def _wait(self, bucket: _Bucket, now: float, priority: Priority) -> float:
        if bucket.blocked_until > now:
            return bucket.blocked_until - now
        span = bucket.budget.seconds
        allowed = span if priority is Priority.LIVE else span * _IMPATIENCE
        spacing = span / max(1, self._limit(bucket))
        return max(0.0, bucket.free_at + spacing - (now + max(allowed, spacing)))

    def _left(self, bucket: _Bucket, now: float) -> int:
        spacing = bucket.budget.seconds / max(1, self._limit(bucket))
        return max(0, int(self._limit(bucket) - max(0.0, bucket.free_at - now) / spacing))
