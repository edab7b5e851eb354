"""Found by the history odd-no_creates 300005: the checker called an issue wrong that a survivor had inherited."""

from __future__ import annotations

from sync.simulation.history import play
from sync.simulation.stage import Depth


def test_a_survivor_gets_the_issue_that_its_merged_ticket_was_refused() -> None:
    # H7 created-for: 1 issues were created for Z3
    outcome = play(300005, "odd-no_creates", depth=Depth.CONTRACT, only=(17, 26, 29, 31, 33, 37), at_rest=())
    assert outcome.violations == []
