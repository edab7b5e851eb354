"""Links made with Zendesk's own "Jira for Zendesk" app: followed when agents make or remove them, and written there."""

from __future__ import annotations

import pytest

from tests.support.launch import ROUTES, Launch
from tests.sync.engine.conftest import Make
from tests.sync.mapping.records import shipped_texts

AS_APP = {"zendesk.yaml": shipped_texts()["zendesk.yaml"].replace("    show: note ", "    show: app ")}


def app_links(day: Launch, ticket: int) -> list[str]:
    """The issues that a ticket shows in the app."""
    return [each["issue_key"] for each in day.ticket_now(ticket)["links"]]


def link_in_app(day: Launch, ticket: int, issue: str) -> None:
    """An agent links a ticket in the app."""
    day.zendesk.act(
        {
            "act": "link",
            "ticket": ticket,
            "issue_id": day.issue_now(issue)["id"],
            "issue_key": day.issue_now(issue)["key"],
        }
    )


def unlink_in_app(day: Launch, ticket: int, issue: str) -> None:
    """An agent removes the link in the app."""
    day.zendesk.act({"act": "unlink", "ticket": ticket, "issue_id": day.issue_now(issue)["id"]})


def done(day: Launch, issue: str) -> None:
    """Engineers finish an issue."""
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(90)


@pytest.mark.parametrize("jira_app", [True, "auto"])
def test_a_link_made_in_the_app_joins_ticket_and_issue(make: Make, jira_app: object) -> None:
    day = make(zendesk_config={"jira_app": jira_app})
    day.world.start()
    ticket, issue = day.ticket(), day.issue()
    day.world.wait(120)
    link_in_app(day, ticket, issue)
    day.world.wait(720, step=60)
    assert day.item(f"support:{ticket}") == day.item(issue)
    done(day, issue)
    assert day.ticket_now(ticket)["status"] == "solved"


def test_links_that_were_there_before_the_hub_are_followed_from_the_import_on(make: Make) -> None:
    day = make(hooks=False)
    pairs = [(day.ticket(), day.issue()) for _ in range(3)]
    for ticket, issue in pairs:
        link_in_app(day, ticket, issue)
    day.world.wait(120)
    day.world.start()
    day.world.wait(120)
    for ticket, issue in pairs:
        assert day.item(f"support:{ticket}") == day.item(issue)
    assert day.writes() == 0


def test_one_issue_linked_on_several_tickets_has_them_all(make: Make) -> None:
    day = make(zendesk_config={"jira_app": True})
    day.world.start()
    tickets, issue = [day.ticket() for _ in range(4)], day.issue()
    day.world.wait(120)
    for ticket in tickets:
        link_in_app(day, ticket, issue)
    day.world.wait(180)
    done(day, issue)
    assert [day.ticket_now(each)["status"] for each in tickets] == ["solved"] * 4


@pytest.mark.parametrize("texts", [AS_APP, None], ids=["app", "note"])
@pytest.mark.parametrize("jira_app", [True, "auto"])
def test_a_link_removed_in_the_app_detaches_the_ticket(make: Make, jira_app: object, texts: object) -> None:
    day = make(zendesk_config={"jira_app": jira_app}, texts=texts)
    day.world.start()
    ticket, issue = day.ticket(), day.issue()
    day.world.wait(120)
    link_in_app(day, ticket, issue)
    day.world.wait(720, step=60)
    assert day.item(f"support:{ticket}") == day.item(issue)
    unlink_in_app(day, ticket, issue)
    day.world.sweep()
    done(day, issue)
    assert day.ticket_now(ticket)["status"] == "new"
    assert app_links(day, ticket) == []
    assert day.links_on(issue) == []


@pytest.mark.parametrize("jira_app", [True, "auto"])
def test_our_own_links_appear_in_the_app_and_no_note_is_written(make: Make, jira_app: object) -> None:
    day = make(routes=ROUTES, zendesk_config={"jira_app": jira_app}, texts=AS_APP)
    day.world.start()
    day.world.wait(60)
    ticket = day.ticket(tags=["outage"])
    day.world.wait(180)
    key = day.issues()[0]["key"]
    assert app_links(day, ticket) == [key]
    assert day.notes_on(ticket) == []
    day.world.sweep()
    assert app_links(day, ticket) == [key]
    assert day.item(f"support:{ticket}") == day.item(key)


def test_where_notes_show_links_a_link_of_the_app_gets_one_too(make: Make) -> None:
    day = make(zendesk_config={"jira_app": True})
    day.world.start()
    ticket, issue = day.ticket(), day.issue()
    day.world.wait(60)
    link_in_app(day, ticket, issue)
    day.world.wait(180)
    assert len(day.notes_on(ticket)) <= 1
    assert app_links(day, ticket) == [issue]


def test_a_link_of_the_app_on_a_ticket_that_is_linked_already_changes_nothing(make: Make) -> None:
    day = make(zendesk_config={"jira_app": True}, texts=AS_APP)
    ticket, issue = day.linked_pair()
    day.world.wait(120)
    assert app_links(day, ticket) == [issue]
    before, item = day.writes(), day.item(issue)
    day.world.sweep()
    assert (day.writes(), day.item(issue)) == (before, item)


def test_a_link_of_the_app_to_a_second_issue_relates_the_two_and_joins_neither(make: Make) -> None:
    day = make(zendesk_config={"jira_app": True}, texts=AS_APP)
    ticket, issue = day.linked_pair()
    other = day.issue(summary="Another matter")
    day.world.wait(120)
    link_in_app(day, ticket, other)
    day.world.sweep()
    assert day.item(f"support:{ticket}") == day.item(issue)
    done(day, other)
    assert day.ticket_now(ticket)["status"] == "new"
    assert sorted(app_links(day, ticket)) == sorted([issue, other])


@pytest.mark.parametrize("project", ["OPS2", "WEB"])
def test_a_key_that_changes_in_the_app_first_keeps_the_link(make: Make, project: str) -> None:
    """The app shows the new key before the hub has read the moved issue, also in a project the hub does not read."""
    day = make(zendesk_config={"jira_app": True}, jira_config={"projects": ["OPS", "OPS2"]}, hooks=False, texts=AS_APP)
    day.jira.act({"act": "project", "key": "OPS2"})
    ticket, issue = day.linked_pair()
    day.world.wait(120)
    assert app_links(day, ticket) == [issue]
    number = day.issue_now(issue)["id"]
    day.jira.act({"act": "move", "issue": issue, "project": project})
    moved = day.issue_now(issue)["key"]
    day.zendesk.act({"act": "move_issue", "issue_id": number, "issue_key": moved})
    day.tag(ticket, add=("checkout",))
    day.world.sweep()
    assert app_links(day, ticket) == [moved]
    assert day.item(f"support:{ticket}") == day.item(issue)
    done(day, moved)
    day.world.sweep()
    assert day.ticket_now(ticket)["status"] == "solved"


def test_an_account_without_the_app_syncs_as_well(make: Make) -> None:
    day = make(zendesk_settings={"jira_app": False})
    ticket, issue = day.linked_pair()
    done(day, issue)
    assert day.ticket_now(ticket)["status"] == "solved"


@pytest.mark.parametrize("path", ["/api/v2/jira/links", "/api/services/jira/links"])
def test_both_spellings_of_the_endpoint_name_the_same_links(make: Make, path: str) -> None:
    from connectors.sandbox.wire import Request

    day = make(routes=ROUTES, zendesk_config={"jira_app": True}, texts=AS_APP)
    day.world.start()
    day.world.wait(60)
    ticket = day.ticket(tags=["outage"])
    day.world.wait(180)
    bearer = {"authorization": "Basic aHViQGV4YW1wbGUuY29tL3Rva2VuOnNhbmRib3gtYXBpLXRva2Vu"}
    answer = day.zendesk.handle(Request(method="GET", path=path, headers=bearer))
    assert answer.status == 200
    assert f'"ticket_id":"{ticket}"'.encode() in answer.body.replace(b" ", b"")
