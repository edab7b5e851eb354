"""Found by operators' histories: statuses that the hub had set between a backup and its restore."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sync.simulation.history import play
from sync.simulation.stage import Depth

_SOLVED_AGAIN = (0, 1, 2, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 20, 21, 25, 26, 30, 31, 32)
_LEFT_OPEN = (1, 2, 6, 7, 8, 9, 12, 16, 26)


@pytest.mark.parametrize(
    ("seed", "profile", "only", "at_rest"),
    [
        # resolved-unasked: the hub resolved Z5 (solved) 2 times, people asked 1 times
        pytest.param(300265, "mixed", _SOLVED_AGAIN, (), id="a reopen behind our own resolve"),
        # H1 tracker-detail-diverged: T10000 shows In Review, hc-1 is new
        pytest.param(300412, "mixed", (2, 18, 19, 28, 29), ("restarts",), id="an issue left half way"),
        # H1 ticket-diverged: Z3 shows hold (by the hub), hc-1 is new
        pytest.param(300926, "mixed", (11, 13, 18, 19, 31), ("restarts", "pauses"), id="a detail whose issue has left"),
        # H1 ticket-diverged: Z3 shows open (by the hub), hc-1 is resolved
        pytest.param(62899, "operators", _LEFT_OPEN, ("restarts",), id="a reopen whose issue has left"),
        # resolved-unasked: the hub resolved Z1 (solved) 1 times, people asked 0 times
        pytest.param(310219, "operators", (0, 1, 2, 24, 26), ("restarts",), id="solved and opened again"),
    ],
)
def test_the_history_that_showed_it_ends_well(
    seed: int, profile: str, only: Sequence[int], at_rest: Sequence[str]
) -> None:
    outcome = play(seed, profile, depth=Depth.CONTRACT, only=only, at_rest=at_rest)
    assert outcome.violations == []
