"""Checklist: GlitchTip, where it answers otherwise than Sentry."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.connectors.sentry.sandbox.site import START, Site, links


@pytest.fixture
def tip(make: Any) -> Site:
    site: Site = make(edition="glitchtip")
    return site


def bare(site: Site, method: str, path: str, body: Any = None) -> Any:
    return site.call(method, f"/api/0/{path}", body)


def test_a_list_without_a_query_shows_every_status(tip: Site) -> None:
    one, two = tip.issue("E1"), tip.issue("E2")
    bare(tip, "PUT", f"issues/{one}/", {"status": "resolved"})
    assert set(tip.ids()) == {one, two}
    assert tip.ids("is:unresolved") == [two]
    assert tip.ids("issue:BACKEND-1") == []  # a token it does not know is an event tag
    assert tip.ids(id=one) == [one]


def test_the_link_header_is_the_text_of_a_set(tip: Site) -> None:
    made = [tip.issue(f"E{number}", at=START - number) for number in range(5)]
    answer = tip.call("GET", "issues/", params={"limit": "2"})
    text = answer.headers["link"]
    assert text.startswith("{'<")
    assert text.endswith("'}")
    assert 'rel="previous"; results="false", <' in text  # an end has no cursor
    seen = [issue["id"] for issue in answer.json()]
    cursor = links(answer)["next"][2]
    assert ":" not in cursor
    while cursor:
        answer = tip.call("GET", "issues/", params={"limit": "2", "cursor": cursor})
        seen += [issue["id"] for issue in answer.json()]
        cursor = links(answer)["next"][2]
    assert seen == made
    assert answer.headers["x-hits"] == "5"
    assert tip.call("GET", "issues/", params={"cursor": "0:100:0"}).status_code == 422


def test_start_and_end_are_about_the_first_seen_and_sorts_have_other_names(tip: Site) -> None:
    old = tip.issue("old", at=START - 7200)
    tip.act("event", issue=old)
    new = tip.issue("new")
    assert tip.ids(start="2026-09-21T13:30:00Z") == [new]
    assert tip.ids(end="2026-09-21T13:30:00Z") == [old]
    assert tip.ids(sort="first_seen") == [old, new]
    assert tip.ids(sort="-count") == [old, new]
    assert set(tip.ids(statsPeriod="1h", expand="sentryAppIssues", collapse="stats")) == {old, new}
    assert tip.call("GET", "issues/", params={"sort": "date"}).status_code == 422


def test_one_issue_is_read_without_the_organisation_only(tip: Site) -> None:
    issue = tip.issue()
    assert tip.call("GET", f"issues/{issue}/").status_code == 405
    shown = bare(tip, "GET", f"issues/{issue}/").json()
    assert shown["id"] == issue
    assert {"substatus", "assignedTo", "priority", "activity", "annotations"} & set(shown) == set()
    assert bare(tip, "GET", "issues/BACKEND-1/").status_code == 404


def test_a_write_answers_some_keys_in_another_spelling(tip: Site) -> None:
    issue = tip.issue()
    for path in (f"issues/{issue}/", f"organizations/acme/issues/{issue}/"):
        answer = bare(tip, "PUT", path, {"status": "resolved"})
        assert (answer.status_code, answer.json()["status"]) == (200, "resolved")
        assert {"share_id", "status_details", "user_count", "shortId", "firstSeen"} <= set(answer.json())
    shown = bare(tip, "GET", f"issues/{issue}/").json()
    assert {"shareId", "statusDetails", "userCount"} <= set(shown)


def test_what_it_does_not_know_changes_nothing_and_is_a_200(tip: Site) -> None:
    issue = tip.issue()
    body = {"status": "unresolved", "assignedTo": "user:2", "priority": "low", "substatus": "ongoing"}
    assert bare(tip, "PUT", f"issues/{issue}/", body).status_code == 200
    record = tip.record(issue)
    assert (record["assignee"], record["substatus"]) == (None, None)
    assert bare(tip, "PUT", f"issues/{issue}/", {"status": "muted"}).status_code == 422
    assert bare(tip, "PUT", f"issues/{issue}/", {"priority": "low"}).status_code == 500


def test_a_bulk_call_without_arguments_is_about_every_issue(tip: Site) -> None:
    one, two = tip.issue("E1"), tip.issue("E2")
    assert tip.call("PUT", "issues/", {"status": "ignored"}).json() == {"status": "ignored", "merge": None}
    assert [tip.record(issue)["status"] for issue in (one, two)] == ["ignored", "ignored"]
    tip.call("PUT", "issues/", {"merge": 1}, params={"id": [one, two]})
    assert tip.ids() == [two]
    assert bare(tip, "GET", f"issues/{one}/").status_code == 404


def test_comments_take_another_body_under_another_path(tip: Site) -> None:
    issue = tip.issue()
    assert bare(tip, "POST", f"issues/{issue}/comments/", {"text": "hello"}).status_code == 422
    made = bare(tip, "POST", f"issues/{issue}/comments/", {"data": {"text": "hello"}})
    assert (made.status_code, made.json()["data"], made.json()["type"]) == (201, {"text": "hello"}, "note")
    assert bare(tip, "POST", f"issues/{issue}/comments/", {"data": {"text": "hello"}}).status_code == 201
    assert tip.call("GET", f"issues/{issue}/comments/").status_code == 403
    path = f"issues/{issue}/comments/{made.json()['id']}/"
    assert bare(tip, "PUT", path, {"data": {"text": "two"}}).json()["data"] == {"text": "two"}
    assert bare(tip, "DELETE", path).status_code == 204
    assert [one["data"]["text"] for one in bare(tip, "GET", f"issues/{issue}/comments/").json()] == ["hello"]
    assert bare(tip, "PUT", path, {"data": {"text": "x"}}).status_code == 400


def test_events_and_tags_are_under_the_bare_path_only(tip: Site) -> None:
    issue = tip.issue(tags={"customer": "a"}, event_id="1" * 32)
    assert tip.call("GET", f"issues/{issue}/events/").status_code == 500
    assert tip.call("GET", f"issues/{issue}/events/latest/").status_code == 500
    assert bare(tip, "GET", f"issues/{issue}/events/").json()[0]["eventID"] == "1" * 32
    assert bare(tip, "GET", f"issues/{issue}/events/latest/").json()["groupID"] == issue
    tags = bare(tip, "GET", f"issues/{issue}/tags/?key=customer").json()
    assert [(tag["key"], tag["topValues"][0]["value"]) for tag in tags] == [("customer", "a")]


def test_errors_have_words_of_their_own(tip: Site) -> None:
    assert tip.call("GET", "issues/", auth=None).json() == {"detail": "Unauthorized"}
    assert bare(tip, "GET", "issues/99/").json() == {"detail": "Not Found: "}
    tip.act("token", scopes=["event:read"])
    issue = tip.issue()
    answer = bare(tip, "PUT", f"issues/{issue}/", {"status": "resolved"})
    assert (answer.status_code, answer.json()) == (403, {"detail": "Permission denied"})
    for path in (f"issues/{issue}/activities/", "sentry-app-installations/", f"issues/{issue}/external-issues/"):
        assert tip.call("GET", path).status_code == 404


def test_any_new_event_reopens_what_is_resolved(tip: Site) -> None:
    issue = tip.issue()
    bare(tip, "PUT", f"issues/{issue}/", {"status": "resolved"})
    tip.issue()
    assert tip.record(issue)["status"] == "unresolved"


def test_it_calls_out_for_alerts_only_and_signs_nothing(tip: Site) -> None:
    tip.hooked()
    tip.act("webhook", kind="alert", url="https://hub.example/alert")
    issue = tip.issue()
    bare(tip, "PUT", f"issues/{issue}/", {"status": "resolved"})
    assert tip.hooks() == []
    tip.act("alert", issue=issue)
    (call,) = tip.hooks()
    body = msgspec.json.decode(call.body)
    assert call.url == "https://hub.example/alert"
    assert set(call.headers) == {"content-type"}
    assert set(body) == {"alias", "text", "attachments", "sections"}
    assert body["attachments"][0]["title_link"].endswith(f"/issues/{issue}")


def test_deleting_is_at_once(tip: Site) -> None:
    issue = tip.issue()
    assert bare(tip, "DELETE", f"issues/{issue}/").status_code == 204
    assert bare(tip, "GET", f"issues/{issue}/").status_code == 404
    tip.issue("E2")
    assert tip.call("DELETE", "issues/").status_code == 200
    assert tip.ids() == []
