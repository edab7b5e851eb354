"""A failing history is made small, and handed over as a test."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from sync.simulation.shrink import Search, Smallest, law_of, shrink


def test_only_the_steps_and_faults_that_are_needed_are_left() -> None:
    def tried(only: Sequence[int], at_rest: Sequence[str]) -> Sequence[str]:
        return ["H6 tag-lost: x"] if {3, 17, 31} <= set(only) and "race" not in at_rest else []

    search = Search(tried, {"H6 tag-lost"}, 500)
    assert search.smallest(tuple(range(40)), ("race", "stale")) == ((3, 17, 31), ("stale",))
    assert search.last == ["H6 tag-lost: x"]


def test_another_law_broken_on_the_way_is_not_the_one_that_is_looked_for() -> None:
    def tried(only: Sequence[int], at_rest: Sequence[str]) -> Sequence[str]:
        del at_rest
        return ["H6 tag-lost: x"] if 5 in only else ["H2 unfinished: y"]

    assert Search(tried, {"H6 tag-lost"}, 500).smallest(tuple(range(8)), ()) == ((5,), ())


def test_the_search_ends_when_it_has_played_enough() -> None:
    search = Search(lambda only, at_rest: ["H1 x: y"] if len(only) > 2 else [], {"H1 x"}, 3)
    search.smallest(tuple(range(40)), ())
    assert search.played == 3


def test_a_seed_that_ends_well_cannot_be_shrunk() -> None:
    assert shrink(3, profile="calm", steps=2) is None


def test_the_smallest_history_is_printed_as_a_test_that_plays_it() -> None:
    found = Smallest(
        seed=7,
        profile="swarm",
        mode="liveness",
        steps=40,
        only=(3, 17),
        at_rest=("race",),
        violations=("H6 tag-lost: tag1 is gone",),
        plays=20,
    )
    text = found.as_test()
    ast.parse(text)
    assert "def test_h6_tag_lost_of_seed_7() -> None:" in text
    assert 'play(7, "swarm", mode=Mode.LIVENESS, only=(3, 17), at_rest=("race",))' in text
    assert law_of(found.violations[0]) == "H6 tag-lost"
