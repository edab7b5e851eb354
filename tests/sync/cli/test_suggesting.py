"""`mappings suggest` against stand-ins on real sockets: what is special about them ends up in the file, rightly."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.mapping.compiled import Mapping
from sync.mapping.load import load
from sync.model import Status
from tests.sync.cli.served import Served, served

GERMAN = {
    "To Do": "Zu prüfen",
    "In Progress": "In Arbeit",
    "In Review": "Im Review",
    "Blocked": "Wartet auf Kunde",
    "Done": "Erledigt",
    "Won't Do": "Wird nicht gemacht",
}


def mapping_in(place: Served, name: str, connection: str, system: str) -> Mapping:
    text = (place.folder / name).read_text(encoding="utf-8")
    return load({name: text}, {connection: system}).for_connection(connection, system)


@pytest.mark.parametrize("deployment", ["Cloud", "Server"])
def test_a_site_in_another_language_is_understood(tmp_path: Path, deployment: str) -> None:
    switches = {"renamed_statuses": GERMAN, "resolution_required": True}
    with served(tmp_path, jira=switches, deployment=deployment) as place:
        if deployment == "Server":
            text = place.file.read_text(encoding="utf-8")
            text = text.replace("kind: cloud_token\n      email: hub@example.com\n      api_token: hub-token",
                                "kind: personal_token\n      token: hub-pat")  # fmt: skip
            place.file.write_text(text, encoding="utf-8")
        for number in range(5):
            place.issue(labels=["launch"], status="In Progress" if number else "To Do")
        done = place.run("mappings", "suggest", "tracker", "--output", "jira.yaml")
        assert done.code == 0, done.err
        assert "jira.yaml is a first mapping for tracker; look for `unsure`: " in done.out
        mapping = mapping_in(place, "jira.yaml", "tracker", "jira")
        assert dict(mapping.status.values) == {
            "Zu prüfen": Status.NEW,
            "In Arbeit": Status.IN_PROGRESS,
            "Im Review": Status.IN_PROGRESS,
            "Wartet auf Kunde": Status.WAITING,
            "Erledigt": Status.RESOLVED,
            "Wird nicht gemacht": Status.CLOSED,
        }
        assert mapping.status.write[Status.IN_PROGRESS] == "In Arbeit"
        assert mapping.status.write[Status.RESOLVED] == "Erledigt"
        assert mapping.transitions["*"].required == {"resolution": {"name": "Done"}}
        text = (place.folder / "jira.yaml").read_text(encoding="utf-8")
        assert "In Arbeit: in_progress" in text
        assert "# 4 records" in text
        assert "most used: launch (5)" in text


def test_custom_statuses_and_fields_of_an_account_are_taken_in(tmp_path: Path) -> None:
    with served(tmp_path) as place:
        place.ticket(tags=["launch"], status="open")
        place.ahead += 2.0
        shown = place.run("mappings", "suggest", "support")
        assert shown.code == 0, shown.err
        (place.folder / "z.yaml").write_text(shown.out, encoding="utf-8")
        mapping = mapping_in(place, "z.yaml", "support", "zendesk")
        assert mapping.status_field == "custom_status"
        assert mapping.status.values["fixed, not yet released"] is Status.RESOLVED
        assert mapping.status.values["waiting for engineering"] is Status.IN_PROGRESS
        assert mapping.link_fields == ("custom_fields.360002",)
        assert not mapping.accepts("escalated")
        assert {one.value for one, _ in mapping.dimension_fields} == {"area", "platform"}


def test_without_custom_statuses_the_plain_status_is_used(tmp_path: Path) -> None:
    with served(tmp_path, zendesk={"custom_statuses": False, "jira_app": False}) as place:
        done = place.run("mappings", "suggest", "support", "-o", "z.yaml")
        assert done.code == 0, done.err
        mapping = mapping_in(place, "z.yaml", "support", "zendesk")
        assert mapping.status_field == "status"
        assert mapping.status.frozen == {"closed"}


def test_a_suggestion_passes_the_check_and_works_in_place_of_the_shipped_file(tmp_path: Path) -> None:
    with served(tmp_path, jira={"renamed_statuses": GERMAN}) as place:
        issue = place.issue(status="In Review")
        for connection, name in (("tracker", "jira.yaml"), ("support", "zendesk.yaml")):
            (place.folder / "mappings" / name).unlink()
            done = place.run("mappings", "suggest", connection, "-o", f"mappings/{name}")
            assert done.code == 0, done.err
        checked = place.run("mappings", "check")
        assert checked.code == 0, checked.err
        tried = place.run("mappings", "try", "mappings", "--record", issue, "--online", "--json").json
        status = next(one for one in tried["tried"]["values"] if one["field"] == "status")
        assert (status["given"], status["result"]) == ("Im Review", "in_progress")


def test_no_more_records_are_read_than_asked_for_and_a_file_is_never_overwritten(tmp_path: Path) -> None:
    with served(tmp_path) as place:
        for _ in range(12):
            place.issue()
        few = place.run("mappings", "suggest", "tracker", "--records", "3")
        assert "3 records looked at" in few.out
        before = place.jira.requests.copy()
        none = place.run("mappings", "suggest", "tracker", "--records", "0")
        assert "0 records looked at" in none.out
        asked = place.jira.requests - before
        assert not {name for name in asked if "search" in name}, asked
        taken = place.folder / "mine.yaml"
        taken.write_text("mine", encoding="utf-8")
        refused = place.run("mappings", "suggest", "tracker", "-o", "mine.yaml")
        assert refused.code == 1
        assert "mine.yaml is there already" in refused.err
        assert taken.read_text(encoding="utf-8") == "mine"


def test_a_system_that_does_not_answer_and_a_name_that_is_none_end_in_words(tmp_path: Path) -> None:
    with served(tmp_path) as place:
        place.point_at(zendesk="http://127.0.0.1:8101", jira="http://127.0.0.1:8102")
        gone = place.run("mappings", "suggest", "support")
        assert gone.code == 1
        assert gone.err.startswith("support: ")
        other = place.run("mappings", "suggest", "sport")
        assert other.code == 1
        assert "there is no connection `sport`" in other.err
