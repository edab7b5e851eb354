"""Checklist line 7: fault rules on the Zendesk API, and the control face."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.connectors.zendesk.sandbox.site import Site


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("rate_limited", 429, "APIRateLimitExceeded"),
        ("rate_limited_bare", 429, "APIRateLimitExceeded"),
        ("rate_limited_date", 429, "APIRateLimitExceeded"),
        ("unauthorised", 401, "Couldn't authenticate you"),
        ("forbidden", 403, "Forbidden"),
        ("unavailable", 503, "maintenance"),
        ("server_error", 502, "502"),
    ],
)
def test_line_7_refusals_have_the_vendors_shape_and_change_nothing(
    site: Site, kind: str, status: int, body: str
) -> None:
    number = site.ticket()
    site.fault(kind=kind, operation="tickets.update", count=1)
    answer = site.put(number, status="open")
    assert answer.status_code == status
    assert body in answer.text
    assert site.record(number)["status"] == "new"
    assert site.put(number, status="open").status_code == 200


@pytest.mark.parametrize(("kind", "status"), [("drop_before", "new"), ("drop_after", "open"), ("cut_body", "open")])
def test_line_7_a_lost_answer_may_hide_an_applied_write(site: Site, kind: str, status: str) -> None:
    number = site.ticket()
    site.fault(kind=kind, method="PUT", count=1)
    with pytest.raises(requests.exceptions.RequestException):
        site.put(number, status="open").json()
    assert site.record(number)["status"] == status


@pytest.mark.parametrize("kind", ["html", "truncated", "empty", "null"])
def test_line_7_a_200_may_carry_no_answer(site: Site, kind: str) -> None:
    site.ticket()
    site.fault(kind=kind, operation="export.*")
    answer = site.call("GET", "/api/v2/incremental/tickets/cursor?start_time=0")
    assert answer.status_code == 200
    assert not answer.text.startswith("{") or not answer.text.endswith("}")


def test_line_7_a_stale_read_shows_the_version_before(site: Site) -> None:
    number = site.ticket()
    site.put(number, status="open")
    site.fault(kind="stale_read", count=2)
    assert site.get(f"/api/v2/tickets/{number}")["ticket"]["status"] == "new"
    assert site.get(f"/api/v2/tickets/show_many?ids={number}")["tickets"][0]["status"] == "new"
    assert site.get(f"/api/v2/tickets/{number}")["ticket"]["status"] == "open"


def test_line_7_an_ignored_write_answers_the_unchanged_ticket(site: Site) -> None:
    number = site.ticket(tags=["a"])
    site.fault(kind="ignore_write", count=2)
    answer = site.put(number, status="open")
    assert (answer.status_code, answer.json()["ticket"]["status"], answer.json()["audit"]) == (200, "new", None)
    assert site.call("PUT", f"/api/v2/tickets/{number}/tags", {"tags": ["b"]}).json() == {"tags": ["a"]}


def test_the_requests_can_be_counted_by_operation_and_caller(site: Site) -> None:
    number = site.ticket()
    site.put(number, status="open")
    log = site.get("/_sandbox/requests?operation=tickets.update")
    assert log["counts"] == {"tickets.create": 1, "tickets.update": 1}
    (row,) = log["requests"]
    assert (row["method"], row["path"], row["caller"], row["user_agent"]) == (
        "PUT", f"/api/v2/tickets/{number}.json", "hub@example.com", "hypercare-test/1"
    )  # fmt: skip


# --- the control face -------------------------------------------------------------------------------------------------


def test_the_state_tells_status_tags_links_comments_and_history(site: Site) -> None:
    number = site.ticket(tags=["a"], external_id="hc-1")
    site.act("link", ticket=number, issue_id="10001", issue_key="OPS-1")
    site.act("tag", ticket=number, add=["B"], remove=["a"])
    site.act("comment", ticket=number, body="note", public=False)
    state = site.state()
    (record,) = state["records"]
    assert (record["id"], record["status"], record["tags"], record["external_id"]) == (
        str(number),
        "new",
        ["b"],
        "hc-1",
    )
    assert [link["issue_key"] for link in record["links"]] == ["OPS-1"]
    assert [comment["author"] for comment in record["comments"]] == ["hub@example.com", "agent@example.com"]
    tagged = [edit for row in record["history"] for edit in row["edits"] if edit["field"] == "tags"]
    assert [(edit["old"], edit["new"]) for edit in tagged] == [(None, ["a"]), (["a"], ["b"])]
    assert record["version"] == 3
    assert state["writes"] == {"hub@example.com": 1, "agent@example.com": 2}
    assert state["creates"] == {"hub@example.com": 1}
    assert state["system"] == "zendesk"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ({"act": "dance"}, "the acts are"),
        ({"act": "status", "status": "open"}, "'ticket' is missing"),
        ({"act": "status", "ticket": 9, "status": "open"}, "does not exist"),
        ({"act": "status", "ticket": 1, "status": "done"}, "refuses"),
        ({"act": "status", "ticket": 1, "status": "open", "as": "ghost"}, "nobody here"),
    ],
)
def test_a_mistaken_act_is_explained(site: Site, command: Any, words: str) -> None:
    site.ticket()
    answer = site.call("POST", "/_sandbox/act", command)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"colour": 1}, "colour"), ({"time_factor": "fast"}, "time_factor"), ({"email": "x"}, "email")],
)
def test_a_mistaken_setting_is_explained_and_changes_nothing(site: Site, settings: Any, words: str) -> None:
    before = site.get("/_sandbox/settings")
    answer = site.call("POST", "/_sandbox/settings", settings)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert site.get("/_sandbox/settings") == before


def test_seeded_tickets_are_counted_until_they_change_and_have_a_history(site: Site) -> None:
    assert site.act("seed", count=1000) == {"tickets": 1000}
    assert (site.state()["records"], site.state()["untouched"]) == ([], 1000)
    answer = site.put(1, tags=["x"])
    assert answer.status_code == 200
    state = site.state()
    assert (len(state["records"]), state["untouched"]) == (1, 999)
    audits = site.get("/api/v2/tickets/1/audits")["audits"]
    assert [audit["id"] for audit in audits] == sorted(audit["id"] for audit in audits)
    first = {event["field_name"]: event["value"] for event in audits[0]["events"] if event["type"] == "Create"}
    assert (first["tags"], first["status"]) == (["checkout"], "open")


def test_an_account_whose_clock_is_wrong_stamps_its_own_time(site: Site) -> None:
    site.switch(clock_skew=3600)
    number = site.ticket()
    assert site.get(f"/api/v2/tickets/{number}")["ticket"]["created_at"] == "2026-01-02T04:04:05Z"
