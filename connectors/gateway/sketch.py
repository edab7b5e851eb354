"""Latencies as a mergeable sketch: how many values fell into each bin of DDSketch's logarithmic mapping.

The library gives the bins and the quantiles; the counts are kept as a plain dictionary, since most signatures have a
few dozen bins. Nothing depends on the order of the values, so blocks may be cut and merged anywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from ddsketch.ddsketch import BaseDDSketch
from ddsketch.mapping import LogarithmicMapping
from ddsketch.store import DenseStore

Bins: TypeAlias = dict[int, int]
"""Count by bin. The bin `ZERO` holds what is shorter than a hundredth of a millisecond."""

ACCURACY = 0.01
"""The relative error of every quantile."""

ZERO = -1_000
_SHORTEST, _LONGEST = 0.01, 86_400_000.0
_MEMO = 65_536

_mapping = LogarithmicMapping(ACCURACY)


class Binning:
    """Bins of values in a source's own unit, remembered: the same few thousand values come again and again."""

    def __init__(self, to_ms: float) -> None:
        self._to_ms = to_ms
        self._memo: dict[float, int | None] = {}

    def count(self, values: Iterable[float], into: Bins) -> None:
        """Add the values to the bins; negative ones are none."""
        memo = self._memo
        counted = Counter(values)
        for value, count in counted.items():
            try:
                key = memo[value]
            except KeyError:
                if len(memo) >= _MEMO:
                    memo.clear()
                key = memo[value] = bin_of(value * self._to_ms)
            if key is not None:
                into[key] = into.get(key, 0) + count


def bin_of(ms: float) -> int | None:
    """The bin of a latency in milliseconds; None for one that is none. Whatever is over a day falls into one bin."""
    if not ms >= 0:  # also "not a number"
        return None
    return ZERO if ms < _SHORTEST else int(_mapping.key(min(ms, _LONGEST)))


def merge(into: Bins, more: Mapping[int, int]) -> None:
    """Add the counts of another sketch."""
    for key, count in more.items():
        into[key] = into.get(key, 0) + count


def quantiles(bins: Mapping[int, int], *shares: float) -> tuple[float, ...]:
    """The latencies in milliseconds that these shares (0 to 1) of the values do not exceed; zeros for no values."""
    if not bins:
        return tuple(0.0 for _ in shares)
    store = DenseStore()
    for key in sorted(bins):
        if key != ZERO:
            store.add(key, bins[key])
    sketch = BaseDDSketch(_mapping, store, DenseStore(), float(bins.get(ZERO, 0)))
    return tuple(float(sketch.get_quantile_value(share) or 0.0) for share in shares)
