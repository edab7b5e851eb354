"""Counts by event time: minutes for the windows, hours for the day and the week. Values and pure functions.

A minute or an hour is its number since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import TypeAlias

Buckets: TypeAlias = dict[int, int]

MINUTES_KEPT = 130
"""More than the longest window and the longest allowed lateness together."""

HOURS_KEPT = 7 * 24 + 2
ROUTE_HOURS_KEPT = 50
"""Of a route only whether it was used lately is asked for, of a signature also what is usual in a week."""


def count(buckets: Buckets, at: int, many: int = 1) -> None:
    """Add to a bucket."""
    buckets[at] = buckets.get(at, 0) + many


def prune(buckets: Buckets, before: int) -> None:
    """Forget the buckets before this one."""
    if buckets and min(buckets) < before:
        for at in [one for one in buckets if one < before]:
            del buckets[at]


def total(buckets: Mapping[int, int], last: int, length: int) -> int:
    """The sum of `length` buckets of which `last` is the newest."""
    return sum(buckets.get(at, 0) for at in range(last - length + 1, last + 1))


def fullest(
    own: Mapping[int, int], route: Mapping[int, int], last: int, length: int, lateness: int, enough: int
) -> tuple[int, int]:
    """The window that says most: (own calls, all calls of the route).

    Of the windows of `length` minutes that ended in the last `lateness` minutes: of those with at least `enough` calls
    the one with the largest share, else the one with most calls.
    """
    best, found = (-1, 0.0), (0, 0)
    for end in range(last - lateness, last + 1):
        mine = total(own, end, length)
        if mine:
            all_calls = max(total(route, end, length), mine)
            rank = (min(mine, enough), mine / all_calls if mine >= enough else float(mine))
            if rank > best:
                best, found = rank, (mine, all_calls)
    return found


def since(minutes: Mapping[int, int], hours: Mapping[int, int], minute: int, last: int) -> int:
    """Calls after a minute. Exact within the minutes that are kept; before that, whole hours after its own."""
    if last - minute <= MINUTES_KEPT:
        return sum(many for at, many in minutes.items() if at > minute)
    return sum(many for at, many in hours.items() if at > minute // 60)


def usual(hours: Mapping[int, int], hour: int, first: int) -> float | None:
    """The median of this hour of the day on the last seven days; None while the signature is younger than a day.

    Days before it was first seen are not looked at. first: the hour in which it was.
    """
    days = [hours.get(hour - 24 * back, 0) for back in range(1, 8) if hour - 24 * back >= first]
    return float(median(days)) if days else None
