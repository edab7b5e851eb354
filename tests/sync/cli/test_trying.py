"""`mappings try`: a record of a live or a known system through a mapping, both ways."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.sync.cli.served import Served, served

ROUTES = """\
routes:
  - name: low ones
    when: {severity: [low]}
    create: {connection: tracker, fields: {project: OPS}}
  - name: launch
    when: {tags: {any: [launch]}}
    create: {connection: tracker, fields: {project: OPS, issuetype: Bug}}
"""


@pytest.fixture
def between(tmp_path: Path) -> Generator[Served]:
    with served(tmp_path) as place:
        yield place


def rows(values: list[dict[str, Any]], field: str) -> list[tuple[str, str, str, str]]:
    """What was given and what came out, with the place and the words, for one field."""
    found = []
    for one in values:
        if one["field"] == field:
            rule = one["rule"]
            place = f"{Path(rule['file']).name}:{rule['path']}" if rule else ""
            found.append((one["given"], one["result"], place, one["why"]))
    return found


def test_a_stored_record_is_tried_both_ways_with_the_rule_behind_each_value(between: Served) -> None:
    ticket = between.ticket(status="open", priority="urgent", tags=["launch", "hub-x"])
    between.mapping("routes.yaml", ROUTES)
    between.read_all()
    shown = between.run("mappings", "try", "mappings/zendesk.yaml", "--record", f"support:{ticket}", "--json").json
    tried = shown["tried"]
    assert rows(tried["values"], "status") == [("open", "in_progress", "zendesk.yaml:fields.status.values.open", "")]
    assert rows(tried["values"], "severity") == [
        ("urgent", "critical", "zendesk.yaml:fields.severity.values.urgent", "")
    ]
    assert rows(tried["values"], "tags") == [
        ("hub-x", "", "zendesk.yaml:fields.tags.exclude[0]", "stays where it is: excluded"),
        ("launch", "launch", "zendesk.yaml:fields.tags.include[0]", ""),
    ]
    assert "brand_id" in tried["not_named"]
    assert [(one["name"], one["takes"], one["why"]) for one in tried["routes"]] == [
        ("low ones", False, "severity"),
        ("launch", True, ""),
    ]
    (target,) = tried["targets"]
    assert target["created_by"] == "launch"
    assert rows(target["values"], "status") == [
        ("in_progress", "In Progress", "jira.yaml:fields.status.write.in_progress", "")
    ]
    assert rows(target["values"], "tags") == [("launch", "launch", "jira.yaml:fields.tags.include[0]", "")]
    assert rows(target["values"], "severity") == [
        ("critical", "Highest", "jira.yaml:fields.severity.write.critical", "")
    ]


def test_a_page_for_people_fits_80_columns(between: Served) -> None:
    ticket = between.ticket(subject="Cannot log in " * 20, description="word " * 400, tags=["a" * 60, "sla_gold"])
    between.read_all()
    shown = between.run("mappings", "try", "mappings/zendesk.yaml", "--record", f"support:{ticket}", COLUMNS="80")
    assert shown.code == 0
    assert max(len(line) for line in shown.out.splitlines()) <= 80
    assert "zendesk.yaml:" in shown.out
    assert "\x1b" not in shown.out


def test_a_record_nobody_has_read_is_asked_for_online(between: Served) -> None:
    issue = between.issue(labels=["launch"])
    offline = between.run("mappings", "try", "mappings/jira.yaml", "--record", issue)
    assert offline.code == 1
    assert "`--online` asks its system" in offline.err
    online = between.run("mappings", "try", "mappings/jira.yaml", "--record", issue, "--online", "--json")
    assert online.code == 0, online.err
    assert rows(online.json["tried"]["values"], "tags") == [
        ("launch", "launch", "jira.yaml:fields.tags.include[0]", "")
    ]
    assert not (between.folder / "var" / "hypercare.db").exists()


def test_the_file_that_is_tried_stands_in_for_the_one_in_use(between: Served) -> None:
    issue = between.issue()
    between.read_all()
    mine = between.folder / "mine.yaml"
    text = (between.folder / "mappings" / "jira.yaml").read_text(encoding="utf-8")
    mine.write_text(text.replace("To Do: new", "To Do: waiting"), encoding="utf-8")
    shown = between.run("mappings", "try", str(mine), "--record", f"tracker:{issue}", "--json").json
    (status,) = rows(shown["tried"]["values"], "status")
    assert status[:3] == ("To Do", "waiting", "mine.yaml:fields.status.values.To Do")
    kept = between.run("mappings", "try", "mappings", "--record", f"tracker:{issue}", "--json").json
    assert rows(kept["tried"]["values"], "status")[0][1] == "new"


def test_a_wrong_file_is_told_and_nothing_is_tried(between: Served) -> None:
    wrong = between.folder / "mine.yaml"
    wrong.write_text("system: jira\nkind: issue\nfields:\n  status: {field: status, values: {Done: resolvd}}\n")
    shown = between.run("mappings", "try", str(wrong), "--record", "tracker:OPS-1")
    assert shown.code == 2
    assert "mine.yaml:4:" in shown.err
    assert "did you mean" in shown.err
    gone = between.run("mappings", "try", "nowhere.yaml", "--record", "tracker:OPS-1")
    assert gone.code == 2
    assert "nowhere.yaml: cannot be read" in gone.err


def test_a_record_that_its_system_does_not_show_ends_in_words(between: Served) -> None:
    shown = between.run("mappings", "try", "mappings", "--record", "tracker:OPS-99", "--online")
    assert shown.code == 1
    assert "tracker shows no record OPS-99" in shown.err


def test_a_member_s_counterparts_are_shown_with_what_they_show_now(between: Served) -> None:
    ticket, issue = between.ticket(status="new"), between.issue()
    between.read_all()
    assert between.run("link", f"support:{ticket}", f"tracker:{issue}").code == 0
    between.jira.act({"act": "transition", "issue": issue, "to": "In Progress"})
    shown = between.run("mappings", "try", "mappings", "--record", f"tracker:{issue}", "--online", "--json").json
    assert shown["item"] == "hc-1"
    (target,) = shown["tried"]["targets"]
    assert target["record"] == f"#{ticket}"
    assert rows(target["values"], "status") == [
        ("in_progress", "open", "zendesk.yaml:fields.status.write.in_progress", "instead of `new`")
    ]
