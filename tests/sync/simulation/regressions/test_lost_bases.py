"""Found by rare histories: what becomes of tickets when the base of their issue is lost."""

from __future__ import annotations

from sync.simulation.history import play
from sync.simulation.stage import Depth


def test_a_ticket_in_doubt_stands_aside_of_the_value_that_its_issue_gives_anew() -> None:
    # H1 ticket-neither-agrees-nor-aside: Z1 shows open, hc-1 is resolved
    only = (1, 4, 16, 20, 22, 25, 30)
    outcome = play(320034, "rare", depth=Depth.CONTRACT, only=only, at_rest=("hook_duplicates", "race"))
    assert outcome.violations == []


def test_an_issue_resolved_unheard_about_the_loss_of_its_base_moves_no_ticket() -> None:
    # H1 ticket-diverged: Z1 shows open (by the hub), hc-1 is resolved
    only = (9, 11, 19, 32, 39)
    outcome = play(320111, "rare", depth=Depth.CONTRACT, only=only, at_rest=("hook_duplicates", "deciders"))
    assert outcome.violations == []


def test_what_was_under_way_to_tickets_may_land_after_the_loss_and_stays() -> None:
    # H1 ticket-diverged: Z1 shows hold (by the hub), hc-1 is closed
    at_rest = ("hook_drops", "hook_duplicates", "deciders", "feuds")
    outcome = play(320157, "rare", depth=Depth.CONTRACT, only=(34, 35, 38, 39), at_rest=at_rest)
    assert outcome.violations == []
