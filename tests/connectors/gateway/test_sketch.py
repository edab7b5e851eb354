"""Percentiles, consumers and windows: bounded, mergeable, the same in any order."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.gateway.consumers import Consumers, Hashes
from connectors.gateway.sketch import ACCURACY, Binning, Bins, bin_of, merge, quantiles
from connectors.gateway.windows import fullest, prune, since, total, usual

latencies = st.lists(st.floats(0.02, 80_000_000), min_size=1, max_size=200)


def bins_of(values: list[float]) -> Bins:
    bins: Bins = {}
    Binning(1.0).count(values, bins)
    return bins


@given(latencies, st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]))
def test_a_quantile_is_within_one_per_cent(values: list[float], share: float) -> None:
    exact = sorted(values)[math.floor(share * (len(values) - 1))]
    above = sorted(values)[math.ceil(share * (len(values) - 1))]
    [found] = quantiles(bins_of(values), share)
    assert exact * (1 - ACCURACY) - 1e-9 <= found <= above * (1 + ACCURACY) + 1e-9


@given(latencies, latencies)
def test_merging_is_counting_together_in_any_order(one: list[float], two: list[float]) -> None:
    first, second = bins_of(one), bins_of(two)
    merge(first, bins_of(two))
    merge(second, bins_of(one))
    assert first == second == bins_of([*two, *one])


def test_what_is_no_latency_is_not_counted() -> None:
    assert bins_of([-1.0, math.nan]) == {}
    assert bin_of(-0.5) is None
    assert quantiles({}, 0.5) == (0.0,)
    assert quantiles(bins_of([0.0, 0.001]), 0.5) == (0.0,)


def test_the_number_of_bins_has_a_bound() -> None:
    rng = Random(1)
    bins = bins_of([10 ** rng.uniform(-5, 30) for _ in range(50_000)] + [math.inf])
    assert len(bins) < 1_300


def consumers_of(names: list[str], most: int = 1_000) -> Consumers:
    hashes, found = Hashes(), Consumers(most)
    for name in names:
        found.add(*hashes(name))
    return found


@given(st.lists(st.text(max_size=8), max_size=60))
def test_consumers_are_counted_exactly_below_the_bound(names: list[str]) -> None:
    assert consumers_of(names).count() == len(set(names))


@pytest.mark.parametrize("many", [1_000, 5_000, 50_000])
def test_consumers_are_estimated_within_a_tenth_beyond_it(many: int) -> None:
    found = consumers_of([f"app-{at}" for at in range(many)])
    assert found.count() == pytest.approx(many, rel=0.1)
    assert len(found.kept()) == 8_000


@given(st.lists(st.integers(0, 200)), st.lists(st.integers(0, 200)))
def test_merging_consumers_is_counting_them_together_in_any_order(one: list[int], two: list[int]) -> None:
    first, second = consumers_of([str(at) for at in one], 20), consumers_of([str(at) for at in two], 20)
    both = consumers_of([str(at) for at in [*two, *one]], 20)
    first.merge(second)
    assert (first.kept(), first.count()) == (both.kept(), both.count())


def test_consumers_come_back_from_their_bytes() -> None:
    found = consumers_of([f"app-{at % 40}" for at in range(400)], 30)
    again = Consumers(30, found.kept(), found.top)
    assert (again.count(), again.kept(), again.top) == (found.count(), found.kept(), found.top)
    assert len(found.top) == 16


def test_the_fullest_window_is_the_one_with_the_largest_share_of_those_with_enough_calls() -> None:
    own, route = {100: 10, 108: 20}, {100: 20, 108: 2_000}
    assert fullest(own, route, 109, 5, 9, 10) == (10, 20)
    assert fullest(own, route, 109, 5, 9, 15) == (20, 2_000)
    assert fullest(own, route, 120, 5, 5, 10) == (0, 0)


def test_buckets_before_the_oldest_are_forgotten() -> None:
    buckets = {1: 1, 5: 2, 9: 3}
    prune(buckets, 5)
    assert buckets == {5: 2, 9: 3}
    assert total(buckets, 9, 5) == 5


def test_traffic_since_is_exact_within_the_hour_and_in_whole_hours_before() -> None:
    minutes, hours = {100: 7, 130: 5}, {0: 1_000, 1: 100, 2: 12}
    assert since(minutes, hours, 100, 130) == 5
    assert since(minutes, hours, 50, 200) == 112


def test_the_usual_count_is_the_median_of_the_same_hour_of_the_days_it_was_known() -> None:
    hours = {200 - 24 * back: count for back, count in enumerate([999, 10, 30, 20])}
    assert usual(hours, 200, 200 - 72) == 20.0
    assert usual(hours, 200, 0) == 0.0  # four of the seven days had none
    assert usual(hours, 200, 190) is None
