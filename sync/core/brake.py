"""Two thresholds that stop the hub: too much at once (brake), and a fight with somebody's automation (breaker)."""

from __future__ import annotations

from datetime import timedelta

WINDOW = timedelta(hours=1)
"""Both are counted over the last hour."""


def too_many(count: int, known: int, *, at_least: int, share: float) -> bool:
    """Whether `count` records, of `known` linked ones, are more than a person would expect in one window.

    True above the larger of a fixed number and a share (0.05 is 5 %): exactly at the threshold is still allowed.
    """
    return count > max(at_least, share * known)


def fighting(writes_in_hour: int, limit: int = 3) -> bool:
    """Whether one more write of the same (record, field, value) would be a fight.

    writes_in_hour: those already made within the window. The `limit`-th is still made, the next one is held.
    """
    return writes_in_hour >= limit
