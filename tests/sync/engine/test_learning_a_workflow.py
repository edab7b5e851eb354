"""The way through a workflow is learned by looking at other issues, not by moving this one about."""

from __future__ import annotations

from tests.sync.engine.conftest import Make


def test_an_issue_is_not_walked_through_a_status_where_another_one_can_be_looked_at(make: Make) -> None:
    day = make(jira_settings={"workflow": "stock"})
    elsewhere = {}
    for status in ("Blocked", "In Progress", "In Review"):
        elsewhere[status] = day.issue(summary=f"Stands in {status}", status=status)
    ticket, issue = day.linked_pair()
    day.agent(ticket, "solved")
    day.world.wait(300)
    assert day.statuses(ticket, issue) == ("solved", "Done")
    walked = [
        item["new"] for row in day.issue_now(issue)["changelog"] for item in row["items"] if item["field"] == "status"
    ]
    assert walked == ["In Progress", "Done"]
    for status, key in elsewhere.items():
        assert day.issue_now(key)["status"] == status


def test_several_issues_that_wait_for_one_look_all_go_on_after_it(make: Make) -> None:
    day = make(jira_settings={"workflow": "stock"})
    for status in ("Blocked", "In Progress", "In Review"):
        day.issue(summary=f"Stands in {status}", status=status)
    pairs = [day.linked_pair() for _ in range(3)]
    for ticket, _ in pairs:
        day.agent(ticket, "solved")
    day.world.wait(300)
    assert [day.statuses(ticket, issue) for ticket, issue in pairs] == [("solved", "Done")] * 3
