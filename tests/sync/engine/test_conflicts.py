"""Two sides change the same thing between two looks: one rule settles it, both values are kept for people to see."""

from __future__ import annotations

from tests.support.launch import Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.views import conflicts_now
from tests.sync.mapping.records import shipped_texts


def kinds(day: Launch) -> list[tuple[str, str, str, str]]:
    return [(row.kind, row.field, row.kept, row.lost) for row in conflicts_now(day)]


def test_open_wins_when_the_issue_is_finished_while_a_ticket_is_opened_again(day: Launch) -> None:
    first, key = day.linked_pair(status="open")
    second = day.ticket(subject="Me too", status="open")
    day.world.wait(60)
    assert day.world.command("link", one=f"support:{second}", two=key).ok
    day.world.wait(60)
    day.engineer(key, "In Progress")
    day.agent(first, "solved")
    day.world.wait(120)
    assert day.issue_now(key)["status"] == "In Progress", "one of two tickets resolves nothing"
    day.agent(first, "open")
    day.engineer(key, "Done")
    day.world.wait(300)
    assert [(kind, lost) for kind, _, _, lost in kinds(day)] == [("open_wins", "Done")]
    assert day.issue_now(key)["status"] in ("To Do", "In Progress")
    assert day.ticket_now(first)["status"] == "open"
    assert day.ticket_now(second)["status"] == "open"


def test_a_crossing_beats_a_detail_and_the_detail_is_named(day: Launch) -> None:
    ticket, key = day.linked_pair(status="open")
    day.engineer(key, "In Progress")
    day.world.wait(120)
    day.agent(ticket, "hold")
    day.engineer(key, "Done")
    day.world.wait(300)
    assert day.statuses(ticket, key) == ("solved", "Done")
    assert kinds(day) == [("crossing_wins", "status", "solved", "hold")]


def test_the_tracker_beats_a_lone_ticket_that_says_something_else(make: Make) -> None:
    rules, old = shipped_texts()["rules.yaml"], "    detail: tracker            # sole"
    assert old in rules
    day = make(texts={"rules.yaml": rules.replace(old, old.replace("tracker", "sole", 1), 1)})
    ticket, key = day.linked_pair(status="open")
    day.agent(ticket, "hold")
    day.engineer(key, "In Progress")
    day.world.wait(300)
    assert kinds(day) == [("tracker_wins", "status", "In Progress", "hold")]
    assert day.issue_now(key)["status"] == "In Progress", "the ticket's detail did not travel"


def test_a_tag_added_here_and_removed_there_stays(day: Launch) -> None:
    ticket, key = day.linked_pair(tags=["vip"])
    other = day.ticket(subject="Me too")
    day.world.wait(60)
    day.world.command("link", one=f"support:{other}", two=key)
    day.world.wait(120)
    assert "vip" in day.issue_now(key)["labels"]
    day.label(key, remove="vip")
    day.tag(other, add=("vip",))
    day.world.wait(300)
    assert "vip" in day.issue_now(key)["labels"]
    assert ("add_wins", "tags") in [(kind, field) for kind, field, *_ in kinds(day)]
    assert "vip" in day.ticket_now(ticket)["tags"]


def test_what_a_user_sets_where_the_hub_only_writes_is_replaced_and_named(make: Make) -> None:
    old = "    direction: both\n    values:                    # what an issue"
    day = make(
        texts={"jira.yaml": shipped_texts()["jira.yaml"].replace(old, old.replace("both", "enforce"))},
        jira_settings={"workflow": "global"},
    )
    ticket, key = day.linked_pair(status="open")
    day.agent(ticket, "solved")
    day.world.wait(120)
    day.engineer(key, "In Progress")
    day.world.wait(120)
    assert day.issue_now(key)["status"] == "Done"
    assert ("mirror_replaced", "status", "Done", "In Progress") in kinds(day)


def test_two_issues_that_one_ticket_names_are_shown_to_a_person_and_not_joined(day: Launch) -> None:
    ticket, key = day.linked_pair()
    second, other = day.linked_pair()
    day.jira.act({"act": "remote_link", "issue": other, "url": f"http://127.0.0.1:8101/agent/tickets/{ticket}"})
    day.world.sweep()
    assert day.item(key) == day.item(f"support:{ticket}")
    assert day.item(other) == day.item(f"support:{second}") != day.item(key)
    assert "two_trackers" in [kind for kind, *_ in kinds(day)]
