"""Who works on it, kept in step: an assignee follows whoever was set elsewhere, where `people.yaml` knows both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from connectors.jira.sandbox.model import ENGINEER, REVIEWER
from sync.store.tables import items, journal
from tests.sync.engine.four import Four, launch
from tests.sync.mapping.records import shipped_texts

PEOPLE = f"""
people:
  - name: Ada Reed
    ids: {{jira: "{ENGINEER}", sentry: "2"}}
  - name: Grace Hill
    ids: {{jira: "{REVIEWER}", sentry: "3"}}
"""


def texts(direction: str = "both") -> dict[str, str]:
    shipped = shipped_texts()
    given = {"rules.yaml": f"{shipped['rules.yaml']}\nfields:\n  owner: {{}}\n", "people.yaml": PEOPLE}
    for name in ("jira.yaml", "sentry.yaml"):
        before = "  owner:\n    field: assignee\n    direction: in\n"
        assert before in shipped[name]
        given[name] = shipped[name].replace(before, before.replace("in\n", f"{direction}\n"))
    return given


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Four]:
    made = launch(tmp_path, texts=texts())
    yield made
    made.close()


def pair(day: Four) -> tuple[str, str]:
    """An issue and an error in one item: the issue's key and the error's id."""
    issue, error = day.issue(), day.error()
    day.quiet()
    ok, said = day.ask("link", one=f"tracker:{issue}", two=error)
    assert ok, said
    return issue, error.partition(":")[2]


def engineer_assigns(day: Four, issue: str, to: str | None) -> None:
    day.sides["tracker"].act({"act": "edit", "issue": issue, "assignee": to})
    day.quiet()


def assigns_error(day: Four, error: str, to: str) -> None:
    day.sides["errors"].act({"act": "assign", "issue": error, "to": to})
    day.quiet()


def shown(day: Four, issue: str, error: str) -> tuple[str | None, str | None]:
    site = next(one for one in day.sides["tracker"].state()["issues"] if one["key"] == issue)
    found = next(one for one in day.sides["errors"].state()["issues"] if one["id"] == error)
    holder = found["assignee"]
    return site["assignee"], f"{holder['type']}:{holder['id']}" if holder else None


def test_an_assignee_set_on_one_side_reaches_the_other_and_comes_to_rest(day: Four) -> None:
    issue, error = pair(day)
    engineer_assigns(day, issue, ENGINEER)
    first = shown(day, issue, error)
    assert first[1] == "user:2"
    assigns_error(day, error, "user:3")
    second = shown(day, issue, error)
    assert second[1] == "user:3"
    assert None not in (first[0], second[0])
    assert first[0] != second[0]
    writes = dict(day.sides["errors"].state()["writes"])
    day.quiet(1200)
    assert day.sides["errors"].state()["writes"] == writes


def test_nobody_is_unassigned_and_a_stranger_says_nothing(day: Four) -> None:
    issue, error = pair(day)
    engineer_assigns(day, issue, ENGINEER)
    engineer_assigns(day, issue, None)
    assert shown(day, issue, error) == (None, "user:2")
    assigns_error(day, error, "team:1")
    assert shown(day, issue, error) == (None, "team:1")


def test_an_item_holds_no_name_and_no_id_of_a_person(day: Four) -> None:
    issue, _error = pair(day)
    engineer_assigns(day, issue, ENGINEER)
    with day.world.store.read() as conn:
        kept = [bytes(row.state) for row in conn.execute(select(items.c.state))]
        told = [row.new for row in conn.execute(select(journal.c.new).where(journal.c.field == "owner"))]
    assert kept
    assert not any(ENGINEER.encode() in state or b"Ada" in state for state in kept)
    assert len(told) == 2  # what an engineer did, and what was written
    assert len(set(told)) == 1
    assert told[0].startswith("person-")


def test_without_a_rule_no_assignee_travels(tmp_path: Path) -> None:
    given = texts()
    del given["rules.yaml"]
    day = launch(tmp_path, texts=given)
    issue, error = pair(day)
    engineer_assigns(day, issue, ENGINEER)
    assert shown(day, issue, error)[1] is None
    day.close()
