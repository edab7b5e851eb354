"""The reference model says what people's edits must lead to, and nothing where the order of seeing decides."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from sync import simulation
from sync.simulation.ledger import HUB, USER, Ledger, Membership, Shape, Sight, What
from sync.simulation.reference import Reference

PLAIN = frozenset[str]()


def show(ledger: Ledger, record: str, status: str, by: str, *tags: str) -> None:
    ledger.see(record, Shape(status=status, tags=frozenset(tags)), by)


class Item:
    """An issue with two tickets, at rest."""

    def __init__(self, issue: str = "In Progress", one: str = "open", other: str = "open", *tags: str) -> None:
        self.ledger = Ledger()
        self.held: dict[str, frozenset[str]] = {}
        self.told: dict[str, int] = {}
        for record, status in (("T1", issue), ("Z1", one), ("Z2", other)):
            show(self.ledger, record, status, USER, *tags)
            self.ledger.note(record, What.JOINED, HUB, new="hc-1")
        self.reference = Reference(self.ledger)
        assert self.wrong() == []

    def wrong(self) -> list[str]:
        members = tuple(
            Membership(record=each, aside=False, parked=self.held.get(each, PLAIN), held=PLAIN)
            for each in ("T1", "Z1", "Z2")
        )
        sight = Sight(item="hc-1", status="in_progress", tags={}, members=members)
        return [line.split(": ", 2)[2] for line in self.reference.rest(sight, self.told)]


def test_the_model_imports_nothing_of_the_hub_but_its_nouns() -> None:
    tree = ast.parse((Path(next(iter(simulation.__path__))) / "reference.py").read_text(encoding="utf-8"))
    found = {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    ours = {name for name in found if name.startswith(("sync", "connectors", "config"))}
    assert ours == {"sync.model", "sync.simulation.ledger", "sync.simulation.meaning"}


def test_where_nobody_did_anything_nothing_may_change() -> None:
    item = Item()
    show(item.ledger, "Z1", "hold", HUB)
    assert item.wrong() == ["Z1 should show open and shows hold"]


def test_what_a_ticket_s_own_agent_sets_stays() -> None:
    item = Item()
    show(item.ledger, "Z1", "pending", USER)
    assert item.wrong() == []
    show(item.ledger, "Z1", "hold", USER)
    show(item.ledger, "Z1", "open", HUB)
    assert item.wrong() == ["Z1 should show hold and shows open"]


def test_the_tracker_resolves_every_ticket() -> None:
    item = Item()
    show(item.ledger, "T1", "Done", USER)
    show(item.ledger, "Z1", "solved", HUB)
    assert item.wrong() == ["T1 went Done, and Z2 shows open"]


def test_the_tracker_reopens_those_that_were_resolved_with_it() -> None:
    item = Item("Done", "solved", "open")
    show(item.ledger, "T1", "In Progress", USER)
    assert item.wrong() == ["T1 went In Progress, and Z1 shows solved"]


def test_one_solved_ticket_of_two_resolves_nothing() -> None:
    item = Item()
    show(item.ledger, "Z1", "solved", USER)
    assert item.wrong() == []
    item = Item()
    show(item.ledger, "Z1", "solved", USER)
    show(item.ledger, "T1", "Done", HUB)
    assert item.wrong() == ["Z1 went done, so T1 should be active and is done"]


def test_the_last_solved_ticket_resolves_the_item() -> None:
    item = Item(one="solved")
    show(item.ledger, "Z2", "solved", USER)
    assert item.wrong() == ["Z2 went done, so T1 should be done and is active"]


def test_a_reopened_ticket_reopens_the_tracker_and_no_sibling() -> None:
    item = Item("Done", "solved", "solved")
    show(item.ledger, "Z1", "open", USER)
    assert item.wrong() == ["Z1 went active, so T1 should be active and is done"]
    item = Item("Done", "solved", "solved")
    show(item.ledger, "Z1", "open", USER)
    show(item.ledger, "T1", "To Do", HUB)
    show(item.ledger, "Z2", "open", HUB)
    assert item.wrong() == ["Z2 went from solved to open although only others moved"]


def test_where_both_sides_crossed_the_order_of_seeing_decides() -> None:
    item = Item()
    show(item.ledger, "Z1", "solved", USER)
    show(item.ledger, "T1", "Done", USER)
    show(item.ledger, "T1", "In Progress", HUB)
    assert item.wrong() == []


@pytest.mark.parametrize("excuse", ["parked", "told"])
def test_what_is_parked_or_told_as_a_conflict_is_excused(excuse: str) -> None:
    item = Item()
    show(item.ledger, "Z1", "hold", HUB)
    if excuse == "parked":
        item.held["Z1"] = frozenset({"status"})
    else:
        item.told["status"] = 1
    assert item.wrong() == []


def test_a_tag_of_the_tracker_reaches_all_and_one_of_a_ticket_the_tracker_alone() -> None:
    item = Item()
    show(item.ledger, "T1", "In Progress", USER, "vip")
    assert item.wrong() == ["Z1, Z2 should show the tag vip"]
    item = Item()
    show(item.ledger, "Z1", "open", USER, "vip")
    show(item.ledger, "Z2", "open", HUB, "vip")
    assert item.wrong() == ["T1 should show the tag vip", "Z2 should not show the tag vip"]


def test_a_tag_goes_with_the_tracker_or_with_the_last_ticket() -> None:
    item = Item("In Progress", "open", "open", "vip")
    show(item.ledger, "T1", "In Progress", USER)
    assert item.wrong() == ["Z1, Z2 should not show the tag vip"]
    item = Item("In Progress", "open", "open", "vip")
    show(item.ledger, "Z1", "open", USER)
    assert item.wrong() == []
    show(item.ledger, "Z2", "open", USER)
    assert item.wrong() == ["T1 should not show the tag vip"]


def test_a_tag_that_nobody_touched_stays_as_it_is() -> None:
    item = Item("In Progress", "open", "open", "vip")
    show(item.ledger, "Z2", "open", HUB)
    assert item.wrong() == ["Z2 should show the tag vip"]


def test_nobody_leaves_by_itself() -> None:
    item = Item()
    item.ledger.note("Z1", What.LEFT, HUB, new="hc-1")
    assert [line.split(": ", 1)[1] for line in item.reference.end()] == ["Z1 left hc-1 although nobody took it out"]
    item = Item()
    item.ledger.note("T1", What.LEFT, USER, new="http://desk/agent/tickets/1")
    item.ledger.note("Z1", What.LEFT, HUB, new="hc-1")
    assert list(item.reference.end()) == []


def test_what_a_record_brought_that_came_and_went_between_two_rests_is_not_judged() -> None:
    """Leaving never removes: its tags stay, although nobody who is a member was seen to add them."""
    item = Item()
    show(item.ledger, "Z3", "open", USER, "vip")
    item.ledger.note("Z3", What.JOINED, HUB, new="hc-1")
    show(item.ledger, "T1", "In Progress", HUB, "vip")
    item.ledger.note("Z3", What.LEFT, HUB, new="hc-1")
    assert item.wrong() == []
    show(item.ledger, "T1", "In Progress", HUB)
    assert item.wrong() == ["T1 should show the tag vip"], "from this rest on it is judged again"
