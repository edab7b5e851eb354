"""The breaker: a value written three times in an hour and changed back each time is a fight, and is left to people."""

from __future__ import annotations

from tests.support.launch import Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.views import holds_now, parked_now
from tests.sync.mapping.records import shipped_texts


def round_of(day: Launch, ticket: int, key: str) -> None:
    """The engineers finish the issue, and somebody on the other side opens the ticket again."""
    while day.issue_now(key)["status"] != "Done":
        day.engineer(key, "Done" if day.issue_now(key)["status"] == "In Progress" else "In Progress")
    day.world.wait(60)
    day.agent(ticket, "open")
    day.world.wait(60)


def solved_by_us(day: Launch, ticket: int) -> int:
    return sum(
        edit["new"] == "solved"
        for row in day.ticket_now(ticket)["history"]
        if row["author"] == "hub@example.com"
        for edit in row["edits"]
    )


def test_a_value_may_be_written_three_times_in_an_hour(day: Launch) -> None:
    ticket, key = day.linked_pair()
    for _ in range(3):
        round_of(day, ticket, key)
    assert solved_by_us(day, ticket) == 3
    assert [each for each in holds_now(day) if each.connection == "support"] == []


def test_the_fourth_time_the_field_is_held_and_both_writers_are_named(day: Launch) -> None:
    ticket, key = day.linked_pair()
    for _ in range(4):
        round_of(day, ticket, key)
    assert solved_by_us(day, ticket) == 3
    held = [each for each in holds_now(day) if each.connection == "support"]
    assert [(each.reason, each.field) for each in held] == [("fight", "status")]
    assert "hypercare" in held[0].detail
    assert "the other writer is" in held[0].detail
    assert "solved 3 times" in held[0].detail


def test_the_other_fields_of_a_record_in_a_fight_go_on(day: Launch) -> None:
    ticket, key = day.linked_pair()
    for _ in range(4):
        round_of(day, ticket, key)
    day.label(key, add="still-here")
    day.world.wait(120)
    assert "still-here" in day.ticket_now(ticket)["tags"]


def test_other_records_of_the_connection_go_on_during_a_fight(day: Launch) -> None:
    ticket, key = day.linked_pair()
    other, other_key = day.linked_pair()
    for _ in range(4):
        round_of(day, ticket, key)
    day.engineer(other_key, "In Progress")
    day.engineer(other_key, "Done")
    day.world.wait(120)
    assert day.ticket_now(other)["status"] == "solved"


def test_the_same_value_an_hour_later_is_no_fight(day: Launch) -> None:
    ticket, key = day.linked_pair()
    for _ in range(5):
        round_of(day, ticket, key)
        day.world.wait(1500, step=300)
    assert solved_by_us(day, ticket) == 5
    assert holds_now(day) == []


def test_a_released_fight_is_written_again(day: Launch) -> None:
    ticket, key = day.linked_pair()
    for _ in range(3):
        round_of(day, ticket, key)
    while day.issue_now(key)["status"] != "Done":
        day.engineer(key, "Done" if day.issue_now(key)["status"] == "In Progress" else "In Progress")
    day.world.wait(120)
    assert day.ticket_now(ticket)["status"] == "open"
    held = [each for each in holds_now(day) if each.connection == "support"]
    assert day.world.command("resume", hold=held[0].id).ok
    day.world.wait(120)
    assert day.ticket_now(ticket)["status"] == "solved"


def enforcing(make: Make) -> Launch:
    """A launch whose mapping makes Jira's status follow the item, whatever anybody sets there."""
    old = "    direction: both\n    values:                    # what an issue"
    text = shipped_texts()["jira.yaml"]
    assert old in text
    return make(
        texts={"jira.yaml": text.replace(old, old.replace("both", "enforce"))}, jira_settings={"workflow": "global"}
    )


def test_an_automation_that_keeps_setting_a_status_back_is_named(make: Make) -> None:
    day = enforcing(make)
    ticket, key = day.linked_pair(status="open")
    day.agent(ticket, "solved")
    for _ in range(6):
        day.world.wait(120)
        if day.issue_now(key)["status"] == "Done":
            day.engineer(key, "In Progress", by="automation")
    held = [each for each in holds_now(day) if each.connection == "tracker"]
    assert [(each.reason, each.field) for each in held] == [("fight", "status")]
    assert f"{key}: status was set to Done 3 times in an hour by hypercare" in held[0].detail
    assert "the other writer is" in held[0].detail
    assert "(an automation)" in held[0].detail
    writes = day.writes()
    day.world.wait(7200, step=300)
    day.world.sweep()
    assert day.writes() == writes, "a held field is not written, however often it is looked at"


def test_a_rule_that_sets_our_status_back_at_once_is_left_alone_after_three_writes(make: Make) -> None:
    day = enforcing(make)
    ticket, key = day.linked_pair(status="open")
    day.jira.change_settings({"rewrite_status": [{"when": "Done", "then": "In Progress", "by": "hub"}]})
    day.agent(ticket, "solved")
    day.world.wait(900)
    ours = [row for row in day.issue_now(key)["changelog"] if row["by"] == "hub"]
    assert sum(item["new"] == "Done" for row in ours for item in row["items"] if item["field"] == "status") == 3
    assert [(each.reason, each.wanted, each.shown) for each in parked_now(day)] == [
        ("write_ignored", "Done", "In Progress")
    ]
    writes = day.writes()
    day.world.wait(7200, step=300)
    assert day.writes() == writes
