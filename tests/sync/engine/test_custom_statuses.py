"""Zendesk's custom statuses: the mapping goes by what agents see, with the category behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from msgspec import structs

from tests.support.launch import Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.views import parked_now
from tests.sync.mapping.records import shipped_texts

STATUS = """  status:
    field: custom_status
    values: {new: new, open: in_progress, with engineering: waiting, pending: waiting, on-hold: waiting,
             solved: resolved, closed: resolved}
    write: {new: open, in_progress: open, waiting: with engineering, resolved: solved, closed: solved}
    collapses: true
    accept: {new: [open]}
    keep: [pending]
    frozen: [closed]
"""


def by_label(status: str = STATUS) -> Mapping[str, str]:
    """The shipped Zendesk mapping with its statuses by the agents' labels."""
    text = shipped_texts()["zendesk.yaml"]
    changed = re.sub(r"  status:\n.*?\n\n", status + "\n", text, count=1, flags=re.DOTALL)
    assert changed != text
    return {"zendesk.yaml": changed}


@pytest.fixture
def desk(make: Make) -> Launch:
    """A launch whose Zendesk has the status `With Engineering` (a kind of hold), and a mapping that goes by it."""
    day = make(texts=by_label())
    day.zendesk.act({"act": "custom_status", "category": "hold", "label": "With Engineering"})
    return day


def label_of(day: Launch, ticket: int) -> str:
    """What agents see of a ticket."""
    number = day.ticket_now(ticket)["custom_status_id"]
    return next(each.agent_label for each in day.zendesk.model.statuses.values() if each.id == number)


def put(day: Launch, ticket: int, label: str) -> None:
    """An agent sets a custom status."""
    number = next(each.id for each in day.zendesk.model.statuses.values() if each.agent_label == label)
    day.zendesk.act({"act": "update", "ticket": ticket, "set": {"custom_status_id": number}})


def test_a_blocked_issue_shows_as_the_status_the_agents_have_for_it(desk: Launch) -> None:
    ticket, issue = desk.linked_pair(status="open")
    desk.engineer(issue, "In Progress")
    desk.engineer(issue, "Blocked")
    desk.world.wait(90)
    assert (label_of(desk, ticket), desk.ticket_now(ticket)["status"]) == ("With Engineering", "hold")
    desk.engineer(issue, "In Progress")
    desk.world.wait(90)
    assert (label_of(desk, ticket), desk.ticket_now(ticket)["status"]) == ("Open", "open")
    desk.engineer(issue, "Done")
    desk.world.wait(90)
    assert desk.ticket_now(ticket)["status"] == "solved"


def test_an_agents_solve_and_reopen_reach_the_issue(desk: Launch) -> None:
    ticket, issue = desk.linked_pair(status="open")
    put(desk, ticket, "Solved")
    desk.world.wait(120)
    assert desk.issue_now(issue)["status"] == "Done"
    put(desk, ticket, "With Engineering")
    desk.world.wait(90)
    assert desk.issue_now(issue)["status"] == "To Do"


def test_an_agents_own_label_stays_and_writes_nothing(desk: Launch) -> None:
    ticket, issue = desk.linked_pair(status="open")
    desk.world.wait(60)
    before = desk.writes()
    put(desk, ticket, "With Engineering")
    desk.world.wait(120)
    assert label_of(desk, ticket) == "With Engineering"
    assert desk.issue_now(issue)["status"] == "To Do"
    assert desk.writes() == before


def test_a_status_nobody_mapped_is_shown_and_the_rest_of_the_ticket_goes_on(desk: Launch) -> None:
    ticket, issue = desk.linked_pair(status="open")
    desk.zendesk.act({"act": "custom_status", "category": "solved", "label": "Refunded"})
    put(desk, ticket, "Refunded")
    desk.tag(ticket, add=("checkout",))
    desk.world.wait(120)
    assert desk.issue_now(issue)["status"] == "To Do"
    assert desk.issue_now(issue)["labels"] == ["checkout"]
    desk.engineer(issue, "In Progress")
    desk.engineer(issue, "Done")
    desk.world.wait(120)
    assert label_of(desk, ticket) == "Refunded"
    assert [(each.reason, each.shown) for each in parked_now(desk)] == [("unmapped_value", "refunded")]
    put(desk, ticket, "Solved")
    desk.world.wait(120)
    assert parked_now(desk) == []


def test_a_category_speaks_for_a_status_nobody_mapped_where_the_mapping_says_so(make: Make) -> None:
    by_category = (
        "    by_category:\n      field: status\n      values: {new: new, open: in_progress, pending: waiting, "
        "hold: waiting, solved: resolved, closed: resolved}\n"
    )
    day = make(texts=by_label(STATUS + by_category))
    day.zendesk.act({"act": "custom_status", "category": "hold", "label": "With Engineering"})
    day.zendesk.act({"act": "custom_status", "category": "solved", "label": "Refunded"})
    ticket, issue = day.linked_pair(status="open")
    put(day, ticket, "Refunded")
    day.world.wait(120)
    assert day.issue_now(issue)["status"] == "Done"
    assert label_of(day, ticket) == "Refunded"


def test_a_label_that_was_renamed_is_shown_and_never_guessed(desk: Launch) -> None:
    ticket, issue = desk.linked_pair(status="open")
    put(desk, ticket, "With Engineering")
    desk.world.wait(60)
    known = next(each for each in desk.zendesk.model.statuses.values() if each.agent_label == "With Engineering")
    desk.zendesk.model.statuses[known.id] = structs.replace(known, agent_label="With Development")
    desk.world.restart()
    desk.engineer(issue, "In Progress")
    desk.engineer(issue, "Blocked")
    desk.world.wait(120)
    desk.tag(ticket, add=("checkout",))
    desk.world.wait(120)
    assert label_of(desk, ticket) == "With Development"
    assert desk.issue_now(issue)["labels"] == ["checkout"]
    assert desk.issue_now(issue)["status"] == "Blocked"


def test_the_category_alone_serves_an_account_with_custom_statuses(make: Make) -> None:
    day = make()
    day.zendesk.act({"act": "custom_status", "category": "solved", "label": "Refunded"})
    ticket, issue = day.linked_pair(status="open")
    put(day, ticket, "Refunded")
    day.world.wait(120)
    assert day.issue_now(issue)["status"] == "Done"
    day.engineer(issue, "To Do")
    day.world.wait(90)
    assert day.ticket_now(ticket)["status"] == "open"
