"""The control face on Sentry: state, acts, switches, and the shared faults in Sentry's shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.connectors.sentry.sandbox.site import ORG, Site

Make = Callable[..., Site]


def test_the_state_shows_everything_behind_the_api(site: Site) -> None:
    site.hooked()
    issue = site.issue(release="backend@1", user={"id": 1})
    site.put(issue, status="resolved", statusDetails={"inRelease": "backend@1"}, assignedTo="user:2")
    site.act("comment", issue=issue, text="hello", by="reviewer")
    site.act("deploy", version="backend@1")
    state = site.state()
    (record,) = state["issues"]
    assert {name: record[name] for name in ("key", "status", "count", "users", "priority", "version")} == {
        "key": "BACKEND-1",
        "status": "resolved",
        "count": 1,
        "users": 1,
        "priority": "high",
        "version": 4,
    }
    assert record["details"]["inRelease"] == "backend@1"
    assert record["assignee"]["email"] == "engineer@example.com"
    assert [(row["kind"], row["by"]) for row in record["activity"]] == [
        ("first_seen", "system"),
        ("set_resolved_in_release", "hypercare"),
        ("assigned", "hypercare"),
        ("note", "reviewer"),
    ]
    assert state["releases"][0]["deploys"][0]["environment"] == "production"
    assert state["writes"] == {"hypercare update": 1}
    assert state["requests"] == {"issue.update": 1}
    assert (state["system"], state["edition"], state["hooks"]["waiting"]) == ("sentry", "saas", 4)


@pytest.mark.parametrize(
    "command",
    [
        {"act": "dream"},
        {"act": "event"},
        {"act": "event", "title": "x", "project": "nope"},
        {"act": "resolve", "issue": "BACKEND-9"},
        {"act": "resolve", "issue": "BACKEND-1", "by": "nobody"},
        {"act": "resolve", "issue": "BACKEND-1", "inRelease": "none"},
        {"act": "escalate", "issue": "BACKEND-1"},
        {"act": "edit_comment", "issue": "BACKEND-1", "comment": "1", "text": "x"},
        {"act": "delete_comment", "issue": "BACKEND-1", "comment": "1"},
        {"act": "merge", "issues": ["BACKEND-1"]},
        {"act": "deploy", "version": "none"},
        {"act": "webhook", "url": "https://x.example", "resources": ["weather"]},
        {"act": "token", "user": "nobody"},
    ],
)
def test_a_command_that_cannot_be_done_says_why(site: Site, command: dict[str, Any]) -> None:
    issue = site.issue()
    before = site.record(issue)
    answer = site.call("POST", "/_sandbox/act", command, auth=None)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert site.record(issue) == before


def test_a_wrong_switch_moves_nothing(site: Site) -> None:
    for wrong in ({"page_capp": 1}, {"page_cap": "many"}, {"edition": "glitchtip"}, {"time_factor": 0}):
        assert site.call("POST", "/_sandbox/settings", wrong, auth=None).status_code == 400, wrong
    assert site.call("GET", "/_sandbox/settings", auth=None).json()["page_cap"] == 100


def test_acts_edit_behind_the_apis_back(site: Site) -> None:
    issue = site.issue()
    note = site.act("comment", issue=issue, text="one")["id"]
    site.act("edit_comment", issue=issue, comment=note, text="two")
    site.act("delete_comment", issue=issue, comment=note)
    site.act("archive", issue=issue, ignoreCount=5)
    site.act("escalate", issue=issue)
    site.act("reopen", issue=issue, substatus="ongoing")
    site.act("assign", issue=issue, to="team:1")
    site.act("priority", issue=issue, priority="low")
    assert site.act("unlink", issue=issue)["removed"] == 0
    assert site.act("member", user="newcomer")["id"] == "5"
    site.act("assign", issue=issue, to="newcomer@example.com")
    site.act("project", slug="mobile", resolve_age=1)
    assert site.issue("E1", project="mobile") != issue
    site.act("token", user="engineer", tokens=["other"])
    site.act("seed", count=3, project="frontend")
    assert site.state()["projects"] == {"backend": 1, "frontend": 3, "mobile": 1}


@pytest.mark.parametrize(("kind", "status"), [("unauthorised", 401), ("forbidden", 403), ("rate_limited_bare", 429)])
def test_a_fault_answers_in_sentrys_shape(site: Site, kind: str, status: int) -> None:
    site.fault(kind=kind, operation="issues.*", count=1)
    answer = site.call("GET", "issues/")
    assert answer.status_code == status
    assert set(answer.json()) == {"detail"}


def test_a_stale_read_shows_the_issue_before_its_latest_change(site: Site) -> None:
    issue = site.issue()
    site.put(issue, priority="low")
    site.put(issue, status="resolved")
    site.fault(kind="stale_read", operation="issue.get", count=1)
    site.fault(kind="stale_read", operation="issues.list", count=1)
    stale, fresh = (site.get(f"issues/{issue}/") for _ in range(2))
    assert (stale["status"], stale["priority"], len(stale["activity"])) == ("unresolved", "low", 2)
    assert fresh["status"] == "resolved"
    assert site.get("issues/", query="")[0]["status"] == "unresolved"


@pytest.mark.parametrize("edition", ["saas", "glitchtip"])
def test_a_write_may_be_answered_200_and_change_nothing(make: Make, edition: str) -> None:
    site = make(edition=edition).hooked()
    issue = site.issue()
    site.hooks()
    before = [site.state()[name] for name in ("issues", "writes", "projects", "releases")]
    site.fault(kind="ignore_write", method="write", path="/api/0/", count=4)
    shown = site.put(issue, status="resolved")
    assert (shown.status_code, shown.json()["status"]) == (200, "unresolved")
    site.call("DELETE", f"/api/0/issues/{issue}/")
    site.call("POST", f"/api/0/issues/{issue}/comments/", {"text": "x", "data": {"text": "x"}})
    site.call("POST", "releases/", {"version": "x", "projects": ["backend"]})
    assert [site.state()[name] for name in ("issues", "writes", "projects", "releases")] == before
    assert site.hooks() == []
    assert site.put(issue, status="resolved").json()["status"] == "resolved"


@pytest.mark.parametrize(("kind", "status"), [("drop_before", "unresolved"), ("drop_after", "resolved")])
def test_a_dropped_write_was_applied_or_not(site: Site, kind: str, status: str) -> None:
    issue = site.issue()
    site.fault(kind=kind, operation="issue.update", count=1)
    with pytest.raises(httpx.HTTPError):
        site.put(issue, status="resolved")
    assert site.record(issue)["status"] == status


def test_calls_are_logged_by_operation_and_caller(site: Site) -> None:
    issue = site.issue()
    site.get(f"issues/{issue}/")
    site.get(f"/api/0/issues/{issue}/")
    site.call("GET", f"{ORG}/dreams/", auth=None)
    logged = site.call("GET", "/_sandbox/requests", auth=None).json()
    assert logged["counts"] == {"issue.get": 1, "unscoped.issue.get": 1, "unknown": 1}
    assert [row["caller"] for row in logged["requests"]] == ["hypercare", "hypercare", ""]


def test_twenty_thousand_issues_are_seeded_without_a_call_and_paged(site: Site) -> None:
    site.hooked()
    site.act("seed", count=20_000, spread=86_400)
    assert site.told() == []
    page = site.get("issues/", query="lastSeen:-1h", limit=100, collapse=["stats", "filtered", "lifetime"])
    assert len(page) == 100
    assert page[0]["title"] == "SeededError: number 19999"
