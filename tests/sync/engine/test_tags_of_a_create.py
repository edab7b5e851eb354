"""The tags of a record that a route creates: those that pass the filters of both systems, from its first moment on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.launch import ROUTES, Launch
from tests.sync.mapping.records import shipped_texts

Make = Callable[..., Launch]


def created(day: Launch, **ticket: Any) -> dict[str, Any]:
    """The issue that a new ticket gets, once all is quiet."""
    day.world.start()
    day.world.wait(120)
    for name in ("support", "tracker"):
        assert day.world.command("start", connection=name).ok
    day.ticket(**ticket)
    day.world.wait(300)
    (issue,) = day.issues()
    return issue


def labelled(issue: dict[str, Any]) -> list[Any]:
    """Every later change of its labels."""
    return [row for row in issue["changelog"] if any(item["field"] == "labels" for item in row["items"])]


def test_a_tag_that_its_own_system_keeps_back_is_never_on_the_issue(make: Make) -> None:
    issue = created(make(routes=ROUTES), tags=["outage", "sla_gold", "vip"])
    assert sorted(issue["labels"]) == ["outage", "vip"]
    assert labelled(issue) == []


def test_a_system_whose_tags_have_no_say_gives_none(make: Make) -> None:
    text = shipped_texts()["zendesk.yaml"]
    assert "    field: tags\n    direction: both" in text
    text = text.replace("    field: tags\n    direction: both", "    field: tags\n    direction: out")
    issue = created(make(routes=ROUTES, texts={"zendesk.yaml": text}), tags=["outage"])
    assert issue["labels"] == []
    assert labelled(issue) == []


def test_a_field_that_is_shown_as_tags_of_a_dimension_gives_none(make: Make) -> None:
    text = shipped_texts()["zendesk.yaml"] + "\n"
    text = text.replace("  owner:\n", "  dimensions:\n    area: {field: custom_fields.360001}\n  owner:\n")
    fields = [{"id": 360001, "value": "area_login"}]
    issue = created(make(routes=ROUTES, texts={"zendesk.yaml": text}), tags=["outage"], custom_fields=fields)
    assert issue["labels"] == ["outage"]
    assert labelled(issue) == []
