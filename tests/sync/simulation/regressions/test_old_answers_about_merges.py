"""Found by the histories mixed 300662 and race 300983: an old reading was the answer to whether a ticket is gone."""

from __future__ import annotations

import pytest

from sync.simulation.history import play
from sync.simulation.stage import Depth


@pytest.mark.parametrize(
    ("seed", "profile", "only"),
    [(300662, "mixed", (2, 11, 13, 14, 15, 17, 19)), (300983, "race", (0, 1, 2, 3, 4))],
)
def test_a_merge_that_the_feed_has_passed_is_asked_for_until_it_is_read(
    seed: int, profile: str, only: tuple[int, ...]
) -> None:
    # H11 passed-a-deletion
    outcome = play(seed, profile, depth=Depth.CONTRACT, only=only, at_rest=())
    assert outcome.violations == []
