"""Versions, backoff, brake and breaker: both sides of each threshold."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from sync.core.backoff import LONGEST_SECONDS, Kind, next_attempt
from sync.core.brake import WINDOW, fighting, too_many
from sync.core.versions import Verdict, Version, accept
from sync.model import Origin

DIRECT, LIST = Origin.DIRECT, Origin.LIST
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stored", "new", "same", "verdict"),
    [
        (("2", 5, LIST), ("1", 9, DIRECT), False, Verdict.IGNORE),
        (("1", 5, DIRECT), ("2", 4, LIST), False, Verdict.TAKE),
        (("1", 5, LIST), ("1", 6, DIRECT), True, Verdict.IGNORE),
        (("1", 5, DIRECT), ("1", 6, DIRECT), False, Verdict.TAKE),
        (("1", 5, DIRECT), ("1", 5, DIRECT), False, Verdict.IGNORE),
        (("1", 5, DIRECT), ("1", 4, DIRECT), False, Verdict.IGNORE),
        (("1", 5, LIST), ("1", 6, DIRECT), False, Verdict.TAKE),
        (("1", 5, LIST), ("1", 4, DIRECT), False, Verdict.REREAD),
        (("1", 5, DIRECT), ("1", 6, LIST), False, Verdict.REREAD),
        (("1", 5, LIST), ("1", 6, LIST), False, Verdict.REREAD),
    ],
)
def test_a_reading_is_judged_by_version_then_by_how_it_was_read(
    stored: Version, new: Version, same: bool, verdict: Verdict
) -> None:
    assert accept(stored, new, same_content=same) is verdict


@pytest.mark.parametrize("kind", ["read", "write"])
def test_waits_double_and_are_capped(kind: Kind) -> None:
    waits = [(next_attempt(n, kind, None, NOW, 1.0) - NOW).total_seconds() for n in range(1, 40)]
    assert waits[1] == 2 * waits[0]
    assert waits == sorted(waits)
    assert max(waits) == LONGEST_SECONDS[kind]
    assert next_attempt(0, kind, None, NOW, 1.0) == next_attempt(1, kind, None, NOW, 1.0)


def test_chance_spreads_the_whole_wait() -> None:
    assert next_attempt(3, "read", None, NOW, 0.0) == NOW
    assert next_attempt(3, "read", None, NOW, 0.5) == NOW + timedelta(seconds=2)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [(0.2, 1), (-5, 1), (1, 1), (90, 90), (86_400, 86_400), (86_401, 86_400), (math.inf, 86_400), (math.nan, 1)],
)
def test_a_remotes_own_wait_is_honoured_within_bounds(asked: float, seconds: float) -> None:
    assert next_attempt(7, "write", asked, NOW, 0.3) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("count", "known", "held"),
    [(20, 10, False), (21, 10, True), (50, 1000, False), (51, 1000, True), (20, 400, False), (21, 400, True)],
)
def test_the_brake_holds_above_the_larger_of_number_and_share(count: int, known: int, held: bool) -> None:
    assert too_many(count, known, at_least=20, share=0.05) is held


@pytest.mark.parametrize(("made", "held"), [(0, False), (2, False), (3, True), (4, True)])
def test_the_third_write_of_one_value_in_an_hour_is_made_and_the_fourth_held(made: int, held: bool) -> None:
    assert fighting(made) is held


def test_the_limit_of_a_fight_is_a_setting() -> None:
    assert (fighting(4, 5), fighting(5, 5)) == (False, True)
    assert timedelta(hours=1) == WINDOW
