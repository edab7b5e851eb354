"""What is parked: why, in which words, what goes on beside it, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import Connection, select

from connectors.sandbox.faults import FaultKind, FaultRule
from sync.core.state import TagBase
from sync.engine import columns, parking
from sync.mapping.load import load
from sync.store.tables import links, parked
from tests.support.launch import ROUTES, Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.views import conflicts_now, holds_now, parked_now, presence, waiting
from tests.sync.mapping.records import shipped_texts


def only(day: Launch) -> Any:
    """The one thing that is parked."""
    found = parked_now(day)
    assert len(found) == 1, found
    return found[0]


def remap(day: Launch, changes: Mapping[str, tuple[str, str]]) -> None:
    """An administrator edits mapping files and restarts the daemon."""
    texts = shipped_texts()
    for name, (old, new) in changes.items():
        assert old in texts[name], f"{name} has no {old!r}"
        texts[name] = texts[name].replace(old, new)
    day.world.mappings = load({**texts, "routes.yaml": "routes: []\n"}, {"support": "zendesk", "tracker": "jira"})
    day.world.restart()
    day.world.wait(120)


# --- workflows -------------------------------------------------------------------------------------------------


def hops(day: Launch, key: str) -> list[str]:
    return [
        item["new"]
        for row in day.issue_now(key)["changelog"]
        if row["by"] == "hub"
        for item in row["items"]
        if item["field"] == "status"
    ]


def test_the_shortest_path_is_walked_hop_by_hop(make: Make) -> None:
    day = make(jira_settings={"workflow": "long"})
    ticket, key = day.linked_pair()
    day.agent(ticket, "solved")
    day.world.wait(300)
    assert hops(day, key) == ["In Progress", "In Review", "Done"]
    assert parked_now(day) == []


def test_a_workflow_without_a_way_is_parked_and_names_both_ends(make: Make) -> None:
    day = make(jira_settings={"workflow": "locked"})
    ticket, _ = day.linked_pair()
    day.agent(ticket, "solved")
    day.world.wait(300)
    found = only(day)
    assert (found.reason, found.field, found.wanted, found.shown) == ("no_path", "status", "Done", "In Review")
    assert found.detail == "no step of the workflow leads from In Review to Done"
    assert day.ticket_now(ticket)["status"] == "solved"


def test_tags_go_on_beside_a_parked_status(make: Make) -> None:
    day = make(jira_settings={"workflow": "locked"})
    ticket, key = day.linked_pair()
    day.agent(ticket, "solved")
    day.tag(ticket, add=("still-here",))
    day.world.wait(300)
    assert only(day).reason == "no_path"
    assert "still-here" in day.issue_now(key)["labels"]


def test_a_parked_status_ends_when_a_person_moves_the_issue_there(make: Make) -> None:
    day = make(jira_settings={"workflow": "locked"})
    ticket, key = day.linked_pair()
    day.agent(ticket, "solved")
    day.world.wait(300)
    day.engineer(key, "Done", force=True)
    day.world.wait(300)
    assert parked_now(day) == []
    assert day.statuses(ticket, key) == ("solved", "Done")


def test_a_workflow_that_got_its_step_is_walked_after_a_retry(make: Make) -> None:
    day = make(jira_settings={"workflow": "locked"})
    ticket, key = day.linked_pair()
    day.agent(ticket, "solved")
    day.world.wait(300)
    day.jira.change_settings({"workflow": "stock"})
    assert day.world.command("retry", parked=only(day).id).ok
    day.world.wait(300)
    assert day.issue_now(key)["status"] == "Done"
    assert parked_now(day) == []


def test_a_skipped_park_stays_as_it_is_and_is_not_tried_again(make: Make) -> None:
    day = make(jira_settings={"workflow": "locked"})
    ticket, key = day.linked_pair()
    day.agent(ticket, "solved")
    day.world.wait(300)
    answer = day.world.command("skip", parked=only(day).id, why="the project is closed")
    assert answer.ok
    day.jira.change_settings({"workflow": "stock"})
    day.tag(ticket, add=("again",))
    day.world.wait(600)
    day.world.sweep()
    assert parked_now(day) == []
    assert day.issue_now(key)["status"] == "In Review"
    assert day.ticket_now(ticket)["status"] == "solved"


NEEDS_A_FIELD = ("    resolution: Done           # sent where the step's screen requires a resolution\n", "    {}\n")


def test_a_screen_field_is_filled_in_from_the_mapping(make: Make) -> None:
    day = make(jira_settings={"resolution_required": True})
    ticket, key = day.linked_pair()
    day.agent(ticket, "solved")
    day.world.wait(300)
    issue = day.issue_now(key)
    assert (issue["status"], issue["resolution"]) == ("Done", "Done")


def test_a_screen_field_that_nobody_fills_in_is_parked_and_named(make: Make) -> None:
    texts = shipped_texts()
    assert NEEDS_A_FIELD[0] in texts["jira.yaml"]
    day = make(
        jira_settings={"resolution_required": True}, texts={"jira.yaml": texts["jira.yaml"].replace(*NEEDS_A_FIELD)}
    )
    ticket, key = day.linked_pair()
    day.agent(ticket, "solved")
    day.world.wait(300)
    found = only(day)
    assert (found.reason, found.wanted) == ("required_field", "Done")
    assert "asks for resolution" in found.detail
    assert "`transitions`" in found.detail
    remap(day, {})
    day.world.wait(300)
    assert day.issue_now(key)["status"] == "Done"
    assert parked_now(day) == []


# --- values that no mapping names ------------------------------------------------------------------------------


def unknown_status(make: Make) -> tuple[Launch, int, str]:
    """A Jira whose review status is of a category that nobody documents, and whose mapping does not name it."""
    text = shipped_texts()["jira.yaml"]
    assert "      In Review: in_progress\n" in text
    day = make(
        texts={"jira.yaml": text.replace("      In Review: in_progress\n", "")},
        jira_settings={"unknown_categories": {"In Review": "reviewing"}},
    )
    ticket, key = day.linked_pair(status="open")
    day.engineer(key, "In Progress")
    day.world.wait(120)
    day.engineer(key, "In Review")
    day.world.wait(120)
    return day, ticket, key


def test_a_status_that_no_mapping_names_is_parked_and_moves_nobody(make: Make) -> None:
    day, ticket, key = unknown_status(make)
    found = only(day)
    assert (found.reason, found.field, found.shown) == ("unmapped_value", "status", "In Review")
    assert day.ticket_now(ticket)["status"] == "open"
    day.agent(ticket, "solved")
    day.world.wait(300)
    assert day.issue_now(key)["status"] == "In Review", "what is not understood is not written over"


def test_tags_go_on_beside_a_status_that_no_mapping_names(make: Make) -> None:
    day, ticket, key = unknown_status(make)
    day.tag(ticket, add=("to-jira",))
    day.label(key, add="to-zendesk")
    day.world.wait(300)
    assert "to-jira" in day.issue_now(key)["labels"]
    assert "to-zendesk" in day.ticket_now(ticket)["tags"]


def test_a_status_that_was_mapped_by_now_is_taken_up(make: Make) -> None:
    day, ticket, key = unknown_status(make)
    day.agent(ticket, "solved")
    day.world.wait(120)
    remap(day, {})
    day.world.wait(300)
    assert parked_now(day) == []
    assert day.issue_now(key)["status"] == "Done"


def test_a_status_that_moved_on_to_a_known_one_ends_its_park(make: Make) -> None:
    day, ticket, key = unknown_status(make)
    day.engineer(key, "Done")
    day.world.wait(120)
    assert parked_now(day) == []
    assert day.ticket_now(ticket)["status"] == "solved"


# --- refused, ignored, not understood --------------------------------------------------------------------------


def test_a_refused_write_is_parked_with_the_remotes_words_and_the_rest_goes_out(make: Make) -> None:
    day = make(zendesk_settings={"required_to_solve": [360001]})
    ticket, key = day.linked_pair()
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.label(key, add="shipped")
    day.world.wait(300)
    found = only(day)
    assert (found.connection, found.field, found.reason, found.wanted) == (
        "support",
        "status",
        "write_rejected",
        "solved",
    )
    assert "422" in found.detail or "required" in found.detail.lower()
    assert "shipped" in day.ticket_now(ticket)["tags"]


def test_a_refused_write_goes_out_when_it_is_tried_again(make: Make) -> None:
    day = make(zendesk_settings={"required_to_solve": [360001]})
    ticket, key = day.linked_pair()
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.world.wait(300)
    writes = day.writes()
    day.world.wait(3600, step=300)
    assert day.writes() == writes, "nobody knocks at a door that stays shut"
    day.zendesk.change_settings({"required_to_solve": []})
    assert day.world.command("retry", parked=only(day).id).ok
    day.world.wait(300)
    assert day.ticket_now(ticket)["status"] == "solved"
    assert parked_now(day) == []


def test_a_write_that_is_answered_well_and_not_kept_is_parked_with_both_values(day: Launch) -> None:
    ticket, key = day.linked_pair()
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.IGNORE_WRITE, operation="tickets.update"))
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.world.wait(300)
    found = only(day)
    assert (found.reason, found.wanted, found.shown) == ("write_ignored", "solved", "new")
    assert "3 times" in found.detail
    assert day.issue_now(key)["status"] == "Done", "a write that did not take is no user's edit"
    day.zendesk.control.faults.clear()
    assert day.world.command("retry", parked=found.id).ok
    day.world.wait(300)
    assert day.ticket_now(ticket)["status"] == "solved"


@pytest.mark.parametrize("way", ["add", "remove"])
def test_a_tag_that_zendesk_never_keeps_is_parked_although_its_answer_shows_no_ticket(day: Launch, way: str) -> None:
    """Deltas that were ignored once go out by the tags' own endpoints, whose answers do not show the ticket."""
    ticket, key = day.linked_pair()
    if way == "remove":
        day.label(key, add="payments")
    day.world.wait(600)
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.IGNORE_WRITE, method="write"))
    before = tag_writes(day)
    day.label(key, **{way: "payments"})
    day.world.wait(600)
    found = only(day)
    sign, shown = ("+", "") if way == "add" else ("-", "payments")
    assert (found.field, found.reason, found.wanted, found.shown) == ("tags", "write_ignored", f"{sign}payments", shown)
    asked = tag_writes(day) - before
    assert asked <= 4
    assert waiting(day, "support") == 0
    day.world.wait(3600, step=300)
    assert tag_writes(day) - before == asked, "nobody knocks at a door that stays shut"
    assert ("payments" in day.issue_now(key)["labels"]) is (way == "add"), "a write that did not take is no user's edit"
    day.zendesk.control.faults.clear()
    assert day.world.command("retry", parked=found.id).ok
    day.world.wait(300)
    assert ("payments" in day.ticket_now(ticket)["tags"]) is (way == "add")
    assert parked_now(day) == []


def tag_writes(day: Launch) -> int:
    """Requests to the ticket that could change its tags, whether they did or not."""
    calls = day.calls("support")
    return sum(calls.get(name, 0) for name in ("tickets.update", "tags.add", "tags.remove", "tags.set"))


def test_a_tag_write_that_is_ignored_once_is_made_again_and_not_parked(day: Launch) -> None:
    ticket, key = day.linked_pair()
    day.world.wait(600)
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.IGNORE_WRITE, method="write", count=3))
    day.label(key, add="payments")
    day.world.wait(600)
    assert "payments" in day.ticket_now(ticket)["tags"]
    assert parked_now(day) == []


def test_a_record_whose_answer_is_not_understood_is_parked_and_ends_by_itself(day: Launch) -> None:
    ticket, key = day.linked_pair()
    other, other_key = day.linked_pair()
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.NULL, path=f"/tickets/{ticket}(\\.json)?$"))
    day.tag(ticket, add=("unread",))
    day.world.wait(300)
    found = only(day)
    assert (found.connection, found.field, found.reason) == ("support", "record", "not_understood")
    day.engineer(other_key, "In Progress")
    day.engineer(other_key, "Done")
    day.world.wait(120)
    assert day.ticket_now(other)["status"] == "solved", "the others go on"
    day.zendesk.control.faults.clear()
    day.world.wait(600)
    assert parked_now(day) == []
    assert "unread" in day.issue_now(key)["labels"]


def test_a_ticket_that_may_not_be_seen_is_parked_and_ends_by_itself(day: Launch) -> None:
    ticket, key = day.linked_pair()
    day.zendesk.act({"act": "forbid", "ticket": ticket})
    day.world.command("refresh", item=key)
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.world.wait(300)
    found = only(day)
    assert (found.field, found.reason) == ("record", "record_unreachable")
    assert presence(day, "support", str(ticket)) == "unreachable"
    assert day.issue_now(key)["remote_links"] != []
    day.zendesk.act({"act": "allow", "ticket": ticket})
    assert day.world.command("retry", parked=found.id).ok
    day.world.wait(300)
    assert parked_now(day) == []
    assert day.ticket_now(ticket)["status"] == "solved"


def test_a_parked_record_that_leaves_its_item_waits_for_nobody(day: Launch) -> None:
    ticket, key = day.linked_pair()
    day.zendesk.act({"act": "forbid", "ticket": ticket})
    day.world.command("refresh", item=key)
    day.world.wait(120)
    assert only(day).reason == "record_unreachable"
    assert day.world.command("unlink", record=f"support:{ticket}").ok
    day.world.wait(120)
    assert parked_now(day) == []


# --- creates ---------------------------------------------------------------------------------------------------


def routed(make: Make) -> Launch:
    day = make(routes=ROUTES)
    day.world.start()
    day.world.wait(60)
    return day


def test_a_refused_create_is_parked_with_the_remotes_words_and_made_once_when_tried_again(make: Make) -> None:
    day = routed(make)
    day.jira.act({"act": "permission", "by": "hub", "project": "OPS", "permission": "CREATE_ISSUES"})
    day.ticket(tags=["outage"])
    day.world.wait(300)
    found = only(day)
    assert (found.connection, found.reason) == ("tracker", "create_rejected")
    assert "route outage" in found.wanted
    assert found.detail
    day.jira.act({"act": "permission", "by": "hub", "project": "OPS", "permission": "CREATE_ISSUES", "allowed": True})
    assert day.world.command("retry", parked=found.id).ok
    day.world.wait(300)
    assert len(day.issues()) == 1
    assert parked_now(day) == []


def test_a_skipped_create_is_never_made(make: Make) -> None:
    day = routed(make)
    day.jira.act({"act": "permission", "by": "hub", "project": "OPS", "permission": "CREATE_ISSUES"})
    ticket = day.ticket(tags=["outage"])
    day.world.wait(300)
    assert day.world.command("skip", parked=only(day).id, why="handled by phone").ok
    day.jira.act({"act": "permission", "by": "hub", "project": "OPS", "permission": "CREATE_ISSUES", "allowed": True})
    day.tag(ticket, add=("again",))
    day.world.wait(600)
    assert day.issues() == []


def test_a_create_that_took_place_twice_is_reported_and_not_hidden(make: Make) -> None:
    day = routed(make)
    day.jira.control.faults.add(FaultRule(kind=FaultKind.DROP_AFTER, operation="issue.create", count=1))
    day.jira.control.faults.add(FaultRule(kind=FaultKind.UNAVAILABLE, method="read", count=40))
    day.ticket(tags=["outage"])
    for _ in range(20):
        day.world.wait(10, step=1)
        if day.issues():
            break
    (issue,) = day.issues()
    day.jira.act({"act": "create", "summary": "The same once more", "by": "hub", "properties": issue["properties"]})
    day.world.wait(1800)
    found = [each for each in parked_now(day) if each.reason == "create_duplicated"]
    assert len(found) == 1
    assert "OPS-1" in found[0].detail
    assert "OPS-2" in found[0].detail
    assert holds_now(day) == []


@pytest.mark.parametrize("kind", [FaultKind.HTML, FaultKind.SERVER_ERROR, FaultKind.EMPTY])
def test_a_write_whose_answer_is_of_no_use_is_made_once(make: Make, kind: FaultKind) -> None:
    day = make()
    ticket, key = day.linked_pair()
    day.zendesk.control.faults.add(FaultRule(kind=kind, operation="tickets.update", count=1, applied=True))
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.world.wait(300)
    assert day.ticket_now(ticket)["status"] == "solved"
    solved = [
        edit
        for row in day.ticket_now(ticket)["history"]
        if row["author"] == "hub@example.com"
        for edit in row["edits"]
        if edit["new"] == "solved"
    ]
    assert len(solved) == 1


def test_an_issue_whose_ticket_reopens_while_it_is_walked_to_done_stays_where_it_is_and_open(day: Launch) -> None:
    ticket, key = day.linked_pair()
    day.world.wait(60)
    rate_limited = FaultRule(kind=FaultKind.RATE_LIMITED, operation="transitions.do", skip=1, count=1, seconds=60)
    day.jira.control.faults.add(rate_limited)
    day.agent(ticket, "solved")
    day.world.wait(20)
    half_way = day.issue_now(key)["status"]
    assert half_way not in ("To Do", "Done")
    day.agent(ticket, "open")
    day.world.wait(600)
    assert day.issue_now(key)["status"] == half_way
    assert parked_now(day) == []
    assert conflicts_now(day) == []
    day.agent(ticket, "solved")
    day.world.wait(120)
    assert day.statuses(ticket, key) == ("solved", "Done")


TIDY = {"name": "Keep it tidy", "on_tag": "new", "by": "hub", "remove_tags": ["new"], "times": 3}
"""A rule in Zendesk that takes a tag off again in the very update that brings it."""


def test_a_tag_that_is_parked_stays_parked_when_another_tag_is_written(make: Make) -> None:
    """Found by simulation: the park ended as delivered, and the tag was on no record and parked nowhere."""
    day = make(zendesk_settings={"triggers": [TIDY]})
    ticket, key = day.linked_pair(tags=["old"])
    day.world.wait(120)
    day.label(key, add="new")
    day.world.wait(600)
    assert [(each.field, each.wanted) for each in parked_now(day)] == [("tags", "+new")]
    day.label(key, remove="old")
    day.world.wait(600)
    assert day.ticket_now(ticket)["tags"] == []
    assert [(each.field, each.wanted) for each in parked_now(day)] == [("tags", "+new")]
    assert day.world.command("retry", parked=parked_now(day)[0].id).ok
    day.world.wait(300)
    assert day.ticket_now(ticket)["tags"] == ["new"]
    assert parked_now(day) == []


def test_a_tag_that_is_parked_is_parked_no_more_when_nobody_wants_it(make: Make) -> None:
    day = make(zendesk_settings={"triggers": [TIDY]})
    _, key = day.linked_pair()
    day.world.wait(120)
    day.label(key, add="new")
    day.world.wait(600)
    assert len(parked_now(day)) == 1
    day.label(key, remove="new")
    day.world.wait(300)
    assert parked_now(day) == []


def test_a_retry_puts_no_other_tag_back_that_an_agent_took_off(day: Launch) -> None:
    ticket, key = day.linked_pair()
    other = day.ticket()
    day.world.wait(60)
    assert day.world.command("link", one=f"support:{other}", two=key).ok
    day.label(key, add="off")
    day.world.wait(120)
    day.tag(ticket, remove=("off",))
    day.world.wait(120)
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.IGNORE_WRITE, method="write"))
    day.label(key, add="new")
    day.world.wait(600)
    assert [(each.field, each.wanted) for each in parked_now(day)] == [("tags", "+new"), ("tags", "+new")]
    day.zendesk.control.faults.clear()
    for each in parked_now(day):
        assert day.world.command("retry", parked=each.id).ok
    day.world.wait(300)
    assert (day.ticket_now(ticket)["tags"], day.ticket_now(other)["tags"]) == (["new"], ["new", "off"])


def test_a_tag_that_is_tried_again_is_owed_so_that_no_edit_of_the_mapping_waives_it(make: Make) -> None:
    day = make(zendesk_settings={"triggers": [TIDY]})
    _, key = day.linked_pair()
    day.world.wait(120)
    day.label(key, add="new")
    day.world.wait(600)
    assert only(day).wanted == "+new"

    def retried(conn: Connection) -> TagBase | None:
        link = conn.execute(select(parked.c.link_id)).scalar_one()
        parking.try_again(conn, day.world.hub, link, "tags")
        return columns.base(conn.execute(select(links.c.base).where(links.c.id == link)).scalar_one()).tags

    tags = day.world.store.step(retried)
    assert tags is not None
    assert ("new" in tags.owed, "new" in tags.had) == (True, False)
