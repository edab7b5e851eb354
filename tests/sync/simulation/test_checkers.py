"""The checkers judge by the ledger alone: what they share with the hub could be wrong in both."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sync import simulation
from sync.simulation import endstate
from sync.simulation.ledger import HUB, USER, Hidden, Ledger, Made, Membership, Shape, Sight, What
from sync.simulation.online import Watch

FOLDER = Path(next(iter(simulation.__path__)))
ALLOWED = {"sync.model", "sync.simulation.ledger", "sync.simulation.meaning"}


def imported(module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield str(node.module)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


@pytest.mark.parametrize("module", ["ledger", "meaning", "endstate", "online", "reference", "replay"])
def test_a_checker_imports_nothing_of_the_hub_but_its_nouns(module: str) -> None:
    ours = {name for name in imported(module) if name.split(".")[0] in ("sync", "connectors", "config", "mappings")}
    assert ours <= ALLOWED


def pair(ticket: str = "open", issue: str = "In Progress") -> tuple[Ledger, Sight]:
    """A ticket and an issue of one item, at rest and in step."""
    ledger = Ledger()
    ledger.see("T1", Shape(status=issue, tags=frozenset()), USER)
    ledger.see("Z1", Shape(status=ticket, tags=frozenset()), USER)
    ledger.note("T1", What.JOINED, HUB)
    ledger.note("Z1", What.JOINED, HUB)
    ledger.links = {"T1": ["Z1"]}
    members = tuple(Membership(record=name, aside=False, parked=frozenset(), held=frozenset()) for name in ("T1", "Z1"))
    return ledger, Sight(item="hc-1", status="in_progress", tags={}, members=members)


def judged(ledger: Ledger, sight: Sight) -> list[str]:
    return [line.split(":")[0] for line in endstate.faults_of(ledger, [sight], ())]


def test_a_pair_in_step_is_right() -> None:
    assert judged(*pair()) == []


def test_an_issue_on_the_other_side_is_wrong() -> None:
    assert "H1 tracker-diverged" in judged(*pair(issue="Done"))


def test_a_ticket_that_neither_agrees_nor_stands_aside_is_wrong() -> None:
    assert judged(*pair(ticket="hold")) == ["H1 ticket-neither-agrees-nor-aside"]


def after_a_loss(*, rested: bool, lost_first: bool, aside: bool = True) -> list[str]:
    """What is wrong where the hub put a ticket, an issue's base was lost, and its people resolved the issue."""
    ledger, sight = pair(ticket="new")
    ledger.see("Z1", Shape(status="open", tags=frozenset()), HUB)
    ledger.decided = {"hc-1": [len(ledger.events)]}

    def lose() -> None:
        ledger.note("T1", What.JOINED, HUB, new="hc-1")
        ledger.lost["T1"] += 1

    def resolve() -> None:
        ledger.see("T1", Shape(status="Done", tags=frozenset()), USER)

    first, second = (lose, resolve) if lost_first else (resolve, lose)
    first()
    if rested:
        ledger.decided["hc-1"].append(len(ledger.events))
    second()
    tracker, ticket = sight.members
    ticket = replace(ticket, aside=aside)
    return judged(ledger, replace(sight, status="resolved", members=(tracker, ticket)))


@pytest.mark.parametrize("lost_first", [True, False])
def test_a_ticket_may_stand_aside_of_what_its_issue_was_set_to_unheard_about_a_loss(lost_first: bool) -> None:
    assert after_a_loss(rested=False, lost_first=lost_first) == []
    assert "H1 ticket-diverged" in after_a_loss(rested=False, lost_first=lost_first, aside=False)
    assert "H1 ticket-diverged" in after_a_loss(rested=True, lost_first=lost_first)


def test_a_tag_that_nobody_removed_and_nobody_has_is_lost() -> None:
    ledger, sight = pair()
    ledger.see("Z1", Shape(status="open", tags=frozenset({"vip"})), USER)
    assert judged(ledger, sight) == ["H6 tag-lost"]


def test_a_tag_that_the_tracker_removed_and_a_ticket_has_is_resurrected() -> None:
    ledger, sight = pair()
    ledger.see("T1", Shape(status="In Progress", tags=frozenset({"vip"})), USER)
    ledger.see("Z1", Shape(status="open", tags=frozenset({"vip"})), HUB)
    ledger.see("T1", Shape(status="In Progress", tags=frozenset()), USER)
    assert "H5 tag-resurrected" in judged(ledger, sight)


def test_what_is_wrong_comes_in_one_order_whatever_the_hash_seed() -> None:
    ledger, _ = pair()
    names = [f"Z{number}" for number in range(10, 20)]
    ledger.see("T1", Shape(status="In Progress", tags=frozenset({"vip"})), USER)
    for name in names:
        ledger.see(name, Shape(status="open", tags=frozenset()), USER)
    members = tuple(
        Membership(record=name, aside=False, parked=frozenset(), held=frozenset()) for name in ("T1", *names)
    )
    ledger.links = {"T1": names}
    tags = {"vip": frozenset({"tracker"})}
    sight = Sight(item="hc-1", status="in_progress", tags=tags, members=members)
    lost = list(endstate.faults_of(ledger, [sight], ()))
    assert lost == [f"H6 tag-lost-on-ticket: vip of T1 is not on {name}" for name in names]
    for name in names:
        ledger.see(name, Shape(status="open", tags=frozenset({"vip"})), HUB)
    ledger.see("T1", Shape(status="In Progress", tags=frozenset()), USER)
    left = [line for line in endstate.faults_of(ledger, [sight], ()) if line.startswith("H5 tag-resurrected")]
    assert left == [f"H5 tag-resurrected: vip was removed on the tracker and is on {name}" for name in names]


def test_two_issues_for_one_ticket_are_one_too_many() -> None:
    ledger, sight = pair()
    ledger.routed = ["Z1"]
    ledger.made = {"T1": Made(marker="c1", source="Z1"), "T2": Made(marker="c2", source="Z1")}
    assert judged(ledger, sight) == ["H7 created-for"]


@pytest.mark.parametrize(("made_before", "found"), [(False, []), (True, ["H7 created-for"])])
def test_an_issue_for_a_survivor_is_right_only_if_its_merged_ticket_had_none(
    made_before: bool, found: list[str]
) -> None:
    ledger, sight = pair()
    ledger.see("Z0", Shape(status="open", tags=frozenset()), USER)
    ledger.see("Z0", Shape(status="closed", tags=frozenset(), merged_into="Z1"), USER)
    ledger.made = {"T1": Made(marker="c1", source="Z1")}
    assert judged(ledger, sight) == ["H7 created-for"]  # nobody asked for one
    ledger.routed = ["Z0"]
    if made_before:
        ledger.made["T0"] = Made(marker="c0", source="Z0")
    assert judged(ledger, sight) == found


def test_two_notes_about_one_issue_and_two_links_to_one_ticket_are_one_too_many() -> None:
    ledger, sight = pair()
    ledger.notes, ledger.own_links = {("Z1", "T1"): 2}, {"T1": ["a", "a"]}
    assert judged(ledger, sight) == ["H7 noted-twice", "H7 linked-twice"]


def test_a_ticket_that_an_issue_does_not_show_is_wrong() -> None:
    ledger, sight = pair()
    ledger.links = {"T1": []}
    assert judged(ledger, sight) == ["link-not-shown"]


@pytest.mark.parametrize(("record", "lost", "by"), [("Z1", "pending", "solved"), ("T1", "Blocked", "Done")])
def test_an_edit_that_was_replaced_and_not_named_is_lost(record: str, lost: str, by: str) -> None:
    ledger, sight = pair()
    ledger.hidden = [Hidden(record=record, lost=lost, by=by)]
    assert judged(ledger, sight) == ["H4 lost-edit-not-named"]
    assert endstate.faults_of(ledger, [sight], {(record, lost)}) == []


def test_a_deleted_record_is_no_member() -> None:
    ledger, sight = pair()
    ledger.see("Z1", Shape(status="open", tags=frozenset(), gone=True), USER)
    assert "gone-member" in judged(ledger, sight)


def test_a_resolve_that_nobody_asked_for_is_seen_at_once() -> None:
    ledger, _ = pair()
    ledger.see("Z1", Shape(status="solved", tags=frozenset()), HUB)
    assert [line.split(":")[0] for line in Watch(ledger).look({})] == ["resolved-unasked"]


def test_a_resolve_that_the_tracker_asked_for_is_right_once() -> None:
    ledger, _ = pair()
    ledger.see("T1", Shape(status="Done", tags=frozenset()), USER)
    ledger.see("Z1", Shape(status="solved", tags=frozenset()), HUB)
    watch = Watch(ledger)
    assert list(watch.look({})) == []
    ledger.see("Z1", Shape(status="open", tags=frozenset()), USER)
    ledger.see("Z1", Shape(status="solved", tags=frozenset()), HUB)
    assert [line.split(":")[0] for line in watch.look({})] == ["resolved-unasked"]


def test_what_the_hub_must_never_write_is_seen_at_once() -> None:
    ledger, _ = pair()
    ledger.see("Z1", Shape(status="pending", tags=frozenset({"vip"})), HUB)
    assert [line.split(":")[0] for line in Watch(ledger).look({})] == ["hub-wrote-pending", "tag-added-unasked"]


def test_a_stored_version_that_goes_back_is_seen_at_once() -> None:
    watch = Watch(Ledger())
    assert list(watch.look({"Z1": ("2", 5)})) == []
    assert [line.split(":")[0] for line in watch.look({"Z1": ("1", 6)})] == ["H10 version-went-back"]
