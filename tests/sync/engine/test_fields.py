"""Severity kept in step: each side's priority follows the other's, and a rule settles what both were set to."""

from __future__ import annotations

import pytest

from connectors.sandbox.faults import FaultKind, FaultRule
from tests.support.launch import Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.test_routes_that_ask import waiting
from tests.sync.engine.views import conflicts_now
from tests.sync.mapping.records import shipped_texts


def pair(make: Make, rule: str = "{}", zendesk: tuple[str, str] = ("", ""), **given: object) -> tuple[Launch, int, str]:
    """A linked pair of normal severity, where the rules keep severity in step."""
    shipped = shipped_texts()
    texts = {
        "rules.yaml": f"{shipped['rules.yaml']}\nfields:\n  severity: {rule}\n",
        "zendesk.yaml": shipped["zendesk.yaml"].replace(*zendesk) if zendesk[0] else shipped["zendesk.yaml"],
    }
    day = make(texts=texts, **given)
    ticket, key = day.linked_pair(status="open", priority="normal")
    day.world.wait(60)
    return day, ticket, key


def set_ticket(day: Launch, ticket: int, priority: str | None) -> None:
    day.zendesk.act({"act": "update", "ticket": ticket, "set": {"priority": priority}})


def set_issue(day: Launch, key: str, priority: str) -> None:
    day.jira.act({"act": "edit", "issue": key, "priority": priority})


def both(day: Launch, ticket: int, key: str) -> tuple[str | None, str]:
    return day.ticket_now(ticket)["priority"], day.issue_now(key)["priority"]


def told(day: Launch) -> list[tuple[str, str, str, str]]:
    return [(row.kind, row.field, row.kept, row.lost) for row in conflicts_now(day)]


def test_a_priority_set_on_one_side_reaches_the_other_and_comes_to_rest(make: Make) -> None:
    day, ticket, key = pair(make)
    assert both(day, ticket, key) == ("normal", "Medium")
    set_ticket(day, ticket, "urgent")
    day.world.wait(300)
    assert both(day, ticket, key) == ("urgent", "Highest")
    set_issue(day, key, "Low")
    day.world.wait(300)
    assert both(day, ticket, key) == ("low", "Low")
    writes = day.writes()
    day.world.wait(1200)
    assert day.writes() == writes
    assert told(day) == []


def test_without_a_rule_nothing_of_it_travels(make: Make) -> None:
    day = make()
    ticket, key = day.linked_pair(status="open", priority="normal")
    set_ticket(day, ticket, "urgent")
    day.world.wait(300)
    assert both(day, ticket, key) == ("urgent", "Medium")


def test_records_that_join_differing_stay_as_they_are(make: Make) -> None:
    texts = {"rules.yaml": "fields: {severity: {}}\n"}
    day = make(texts=texts)
    ticket, key = day.linked_pair(status="open", priority="urgent")
    day.world.wait(300)
    assert both(day, ticket, key) == ("urgent", "Medium")
    set_issue(day, key, "Low")
    day.world.wait(300)
    assert both(day, ticket, key) == ("low", "Low")


@pytest.mark.parametrize(
    ("rule", "holds", "kept", "lost"),
    [
        ("{}", ("low", "Low"), "low", "critical"),
        ("{order: [helpdesk, tracker]}", ("urgent", "Highest"), "critical", "low"),
        ("{conflict: owner, owner: helpdesk}", ("urgent", "Highest"), "critical", "low"),
        ("{conflict: owner, owner: tracker}", ("low", "Low"), "low", "critical"),
    ],
)
def test_of_two_priorities_the_rule_s_holds_and_the_other_is_named(
    make: Make, rule: str, holds: tuple[str, str], kept: str, lost: str
) -> None:
    """The conflict is `field_rule`."""
    day, ticket, key = pair(make, rule, hooks=False)
    set_ticket(day, ticket, "urgent")
    set_issue(day, key, "Low")
    day.world.wait(600)
    assert both(day, ticket, key) == holds
    assert told(day) == [("field_rule", "severity", kept, lost)]


def test_where_the_rule_is_hold_neither_is_taken_until_one_is_set_again(make: Make) -> None:
    """The conflict is `field_held`."""
    day, ticket, key = pair(make, "{conflict: hold}", hooks=False)
    set_ticket(day, ticket, "urgent")
    set_issue(day, key, "Low")
    day.world.wait(600)
    assert both(day, ticket, key) == ("urgent", "Low")
    assert {(kind, field) for kind, field, _, _ in told(day)} == {("field_held", "severity")}
    assert "critical" in {lost for _, _, _, lost in told(day)}
    set_ticket(day, ticket, "high")
    day.world.wait(600)
    assert both(day, ticket, key) == ("high", "High")


def test_the_latest_is_the_one_the_hub_saw_last(make: Make) -> None:
    day, ticket, key = pair(make, "{conflict: latest}", hooks=False)
    set_ticket(day, ticket, "urgent")
    set_issue(day, key, "Low")
    day.world.wait(600)
    assert len({*both(day, ticket, key)} & {"urgent", "Low", "low", "Highest"}) == 2
    assert both(day, ticket, key) in (("urgent", "Highest"), ("low", "Low"))
    assert [kind for kind, *_ in told(day)] in (["field_rule"], [])


def test_a_priority_that_is_cleared_clears_nobody(make: Make) -> None:
    day, ticket, key = pair(make)
    set_ticket(day, ticket, None)
    day.world.wait(300)
    assert both(day, ticket, key) == (None, "Medium")


@pytest.mark.parametrize("fault", [FaultKind.DROP_AFTER, FaultKind.DROP_BEFORE])
def test_an_answer_that_is_lost_is_settled_from_the_history(make: Make, fault: FaultKind) -> None:
    day, ticket, key = pair(make)
    day.jira.control.faults.add(FaultRule(kind=fault, operation="issue.edit", count=1))
    set_ticket(day, ticket, "urgent")
    day.world.wait(900)
    assert both(day, ticket, key) == ("urgent", "Highest")
    set_issue(day, key, "Low")
    day.world.wait(600)
    assert both(day, ticket, key) == ("low", "Low")
    assert told(day) == []


def test_where_it_is_enforced_what_a_user_sets_is_put_back_and_named(make: Make) -> None:
    field = "    field: priority\n    values: {urgent: critical, high"
    day, ticket, key = pair(make, zendesk=(field, field.replace("\n", "\n    direction: enforce\n", 1)))
    set_issue(day, key, "High")
    day.world.wait(300)
    assert both(day, ticket, key) == ("high", "High")
    set_ticket(day, ticket, "low")
    day.world.wait(300)
    assert both(day, ticket, key) == ("high", "High")
    assert told(day) == [("mirror_replaced", "severity", "high", "low")]


def test_a_write_that_is_not_kept_is_parked_with_both_values(make: Make) -> None:
    day, ticket, key = pair(make)
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.IGNORE_WRITE, operation="tickets.update"))
    set_issue(day, key, "Highest")
    day.world.wait(3600)
    [(reason, detail, _)] = waiting(day)
    assert reason == "write_ignored"
    assert "did not keep the value" in detail
    assert both(day, ticket, key) == ("normal", "Highest")


@pytest.mark.parametrize(
    ("rule", "holds"),
    [("{}", ("high", "High")), ("{order: [helpdesk]}", ("low", "Low")), ("{conflict: hold}", ("high", "High"))],
)
def test_a_priority_set_in_the_second_of_our_write_is_named_and_merged_by_the_rule(
    make: Make, rule: str, holds: tuple[str, str]
) -> None:
    day, ticket, key = pair(make, rule)
    # The agent's edit and our write fall into one second: the version alone cannot tell them apart.
    day.zendesk.act({"act": "tag", "ticket": ticket, "add": ["seen"]})
    day.at_write["support"].acts.append({"act": "update", "ticket": ticket, "set": {"priority": "low"}})
    set_issue(day, key, "High")
    day.world.quiet()
    day.world.wait(300)
    assert ("overwritten_edit", "severity", "high", "low") in told(day)
    assert both(day, ticket, key) == holds
