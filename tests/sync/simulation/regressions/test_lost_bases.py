"""Found by rare histories: what becomes of tickets when the base of their issue is lost."""

from __future__ import annotations

from sync.simulation.history import play
from sync.simulation.stage import Depth


def test_a_ticket_in_doubt_stands_aside_of_the_value_that_its_issue_gives_anew() -> None:
    # H1 ticket-neither-agrees-nor-aside: Z1 shows open, hc-1 is resolved
    only = (1, 4, 16, 20, 22, 25, 30)
    outcome = play(320034, "rare", depth=Depth.CONTRACT, only=only, at_rest=("hook_duplicates", "race"))
    assert outcome.violations == []
