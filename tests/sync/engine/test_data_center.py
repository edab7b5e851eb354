"""Jira Data Center with a personal access token: the same promises as Cloud, over another wire."""

from __future__ import annotations

import pytest

from connectors.sandbox.faults import FaultKind, FaultRule
from tests.support.launch import JIRA_SECRET, ROUTES, Launch
from tests.sync.engine.conftest import Make

SIGNED: dict[str, str] = {}
IN_THE_ADDRESS = {"url": f"http://127.0.0.1/hooks/tracker?secret={JIRA_SECRET}", "secret": ""}
WRONG = {"url": "http://127.0.0.1/hooks/tracker?secret=guessed", "secret": ""}


@pytest.fixture
def site(make: Make) -> Launch:
    """A launch with Jira Data Center and a route, live."""
    day = make(routes=ROUTES, deployment="Server")
    day.world.start()
    day.world.wait(60)
    return day


def test_the_hub_knows_that_it_talks_to_data_center(site: Launch) -> None:
    capabilities = site.world.hub.named("tracker").capabilities
    assert capabilities is not None
    assert capabilities.version.startswith("Server")
    assert "search.jql" not in site.calls("tracker")


def test_status_travels_both_ways(site: Launch) -> None:
    ticket, issue = site.linked_pair()
    site.engineer(issue, "In Progress")
    site.engineer(issue, "Done")
    site.world.wait(90)
    assert site.statuses(ticket, issue) == ("solved", "Done")
    site.agent(ticket, "open")
    site.world.wait(90)
    assert site.statuses(ticket, issue) == ("open", "To Do")
    site.agent(ticket, "solved")
    site.world.wait(120)
    assert site.statuses(ticket, issue) == ("solved", "Done")


def test_labels_travel_both_ways(site: Launch) -> None:
    ticket, issue = site.linked_pair()
    site.tag(ticket, add=("checkout",))
    site.label(issue, add="Regression")
    site.world.wait(120)
    assert sorted(site.issue_now(issue)["labels"]) == ["Regression", "checkout"]
    assert sorted(site.ticket_now(ticket)["tags"]) == ["checkout", "regression"]
    site.label(issue, remove="checkout")
    site.world.wait(120)
    assert site.ticket_now(ticket)["tags"] == ["regression"]


def test_a_route_creates_one_issue_with_a_remote_link(site: Launch) -> None:
    ticket = site.ticket(tags=["outage"])
    site.world.wait(180)
    key = site.issues()[0]["key"]
    assert site.links_on(key) == [f"http://127.0.0.1:8101/agent/tickets/{ticket}"]
    assert len(site.notes_on(ticket)) == 1


@pytest.mark.parametrize("fault", [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER])
def test_a_create_whose_answer_is_lost_happens_once(site: Launch, fault: FaultKind) -> None:
    site.jira.control.faults.add(FaultRule(kind=fault, operation="issue.create", count=1))
    ticket = site.ticket(tags=["outage"])
    site.world.wait(1800)
    assert site.jira.state()["creates"].get("hub", 0) == 1
    assert site.item(f"support:{ticket}") == site.item(site.issues()[0]["key"])


def test_a_write_whose_answer_is_lost_happens_once(site: Launch) -> None:
    ticket, issue = site.linked_pair()
    site.jira.control.faults.add(FaultRule(kind=FaultKind.DROP_AFTER, operation="issue.edit", count=1))
    site.tag(ticket, add=("checkout",))
    site.world.wait(300)
    assert site.issue_now(issue)["labels"] == ["checkout"]
    edits = [each for each in site.issue_now(issue)["changelog"] if each["items"][0]["field"] == "labels"]
    assert len(edits) == 1


def test_a_moved_issue_keeps_its_ticket(site: Launch) -> None:
    ticket, issue = site.linked_pair()
    site.jira.act({"act": "move", "issue": issue, "project": "WEB"})
    site.world.sweep()
    moved = site.issues()[0]["key"]
    assert moved.startswith("WEB-")
    assert site.item(moved) == site.item(issue) == site.item(f"support:{ticket}")
    site.engineer(moved, "In Progress")
    site.engineer(moved, "Done")
    site.world.wait(60)
    site.world.sweep()
    assert site.ticket_now(ticket)["status"] == "solved"


def test_a_deleted_issue_leaves_and_its_ticket_stays_as_it_is(site: Launch) -> None:
    ticket, issue = site.linked_pair()
    site.tag(ticket, add=("checkout",))
    site.world.wait(90)
    site.jira.act({"act": "delete", "issue": issue})
    site.world.wait(120)
    assert site.ticket_now(ticket)["status"] == "new"
    assert site.ticket_now(ticket)["tags"] == ["checkout"]


@pytest.mark.parametrize("hook", [SIGNED, IN_THE_ADDRESS])
def test_a_call_is_believed_by_its_signature_or_by_the_secret_in_its_address(make: Make, hook: dict[str, str]) -> None:
    day = make(deployment="Server", jira_hook=hook)
    ticket, issue = day.linked_pair()
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.quiet(polls=False)
    assert day.jira.state()["hooks"]["answered"].get("202", 0) > 0
    assert day.ticket_now(ticket)["status"] == "solved"


def test_a_call_with_a_wrong_secret_is_refused_and_the_poll_finds_the_change(make: Make) -> None:
    day = make(deployment="Server", jira_hook=WRONG)
    ticket, issue = day.linked_pair()
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.quiet(polls=False)
    assert set(day.jira.state()["hooks"]["answered"]) == {"401"}
    assert day.ticket_now(ticket)["status"] == "new"
    day.world.wait(120)
    assert day.ticket_now(ticket)["status"] == "solved"


def test_polling_alone_finds_everything(make: Make) -> None:
    day = make(deployment="Server", hooks=False, routes=ROUTES)
    day.world.start()
    day.world.wait(60)
    ticket = day.ticket(tags=["outage"])
    day.world.wait(240)
    key = day.issues()[0]["key"]
    day.label(key, add="regression")
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.world.wait(240)
    assert day.ticket_now(ticket)["status"] == "solved"
    assert sorted(day.ticket_now(ticket)["tags"]) == ["outage", "regression"]


def test_search_in_another_time_zone_misses_nothing(make: Make) -> None:
    day = make(deployment="Server", hooks=False, jira_settings={"hub_zone": "America/St_Johns"})
    ticket, issue = day.linked_pair()
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(240)
    assert day.ticket_now(ticket)["status"] == "solved"


def test_a_context_path_is_part_of_the_address(make: Make) -> None:
    day = make(
        deployment="Server", jira_settings={"context": "/jira"}, jira_config={"url": "http://127.0.0.1:8102/jira"}
    )
    ticket, issue = day.linked_pair()
    day.world.wait(60)
    assert f"http://127.0.0.1:8102/jira/browse/{issue}" in day.notes_on(ticket)[0]


def test_a_day_at_rest_writes_nothing(site: Launch) -> None:
    ticket, issue = site.linked_pair()
    site.engineer(issue, "In Progress")
    site.tag(ticket, add=("checkout",))
    site.world.wait(300)
    before = site.writes()
    site.world.wait(1800, step=60)
    site.world.sweep()
    assert site.writes() == before
