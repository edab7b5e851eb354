"""Checklist: what a PUT does and does not do, the activity log, merges, deletions, events, time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.connectors.sentry.sandbox.site import ENGINEER, HUB, START, Site

Make = Callable[..., Site]
DAY = 86_400


def test_resolving_what_is_resolved_is_done_again(site: Site) -> None:
    site.hooked()
    issue = site.issue()
    for _ in range(2):
        answer = site.put(issue, status="resolved")
        assert (answer.status_code, answer.json()["status"], answer.json()["substatus"]) == (200, "resolved", None)
    assert site.kinds(issue) == ["first_seen", "set_resolved", "set_resolved"]
    assert site.names() == ["issue.created", "issue.resolved", "issue.resolved"]


@pytest.mark.parametrize(
    ("first", "again"),
    [("unresolved", {"status": "unresolved"}), ("ignored", {"status": "ignored", "substatus": "archived_forever"})],
)
def test_other_statuses_set_again_change_nothing(site: Site, first: str, again: dict[str, Any]) -> None:
    issue = site.issue()
    if first == "ignored":
        site.put(issue, status="ignored", substatus="archived_until_escalating")
    site.hooked()
    before = site.record(issue)
    assert site.put(issue, **again).status_code == 200
    after = site.record(issue)
    assert (after["activity"], after["substatus"]) == (before["activity"], before["substatus"])
    assert site.names() == []


def test_reopening_clears_the_resolution_and_infers_a_substatus(make: Make) -> None:
    site = make()
    issue = site.issue(release="backend@1.0")
    site.put(issue, status="resolved", statusDetails={"inRelease": "backend@1.0"})
    shown = site.put(issue, status="unresolved").json()
    assert (shown["status"], shown["substatus"], shown["statusDetails"]) == ("unresolved", "regressed", {})
    site.put(issue, status="resolved")
    assert site.put(issue, status="unresolved", substatus="ongoing").json()["substatus"] == "ongoing"
    site.switch(reopen_substatus="ongoing")
    site.put(issue, status="resolved")
    assert site.put(issue, status="unresolved").json()["substatus"] == "ongoing"
    site.put(issue, status="ignored")
    assert site.put(issue, status="unresolved").json()["substatus"] == "new"
    site.put(issue, status="ignored")
    site.now += 8 * DAY
    assert site.put(issue, status="unresolved").json()["substatus"] == "ongoing"


def test_a_substatus_of_the_wrong_family_is_dropped_and_one_alone_does_nothing(site: Site) -> None:
    issue = site.issue()
    assert site.put(issue, substatus="ongoing").json()["substatus"] == "new"
    assert site.kinds(issue) == ["first_seen"]
    shown = site.put(issue, status="ignored", substatus="ongoing").json()
    assert (shown["status"], shown["substatus"]) == ("ignored", "archived_forever")
    assert site.put(issue, status="ignored", substatus="dreaming").status_code == 400


@pytest.mark.parametrize(
    ("body", "substatus", "details"),
    [
        ({}, "archived_forever", {}),
        ({"substatus": "archived_until_escalating"}, "archived_until_escalating", {}),
        ({"statusDetails": {"ignoreCount": 5, "ignoreWindow": 60}}, "archived_until_condition_met", {"ignoreCount": 5}),
        ({"ignoreDuration": 30}, "archived_until_condition_met", {"ignoreUntil": "2026-09-21T14:43:20Z"}),
        ({"statusDetails": {"ignoreUserCount": 2}}, "archived_until_condition_met", {"ignoreUserCount": 2}),
    ],
)
def test_archiving_has_forms(site: Site, body: dict[str, Any], substatus: str, details: dict[str, Any]) -> None:
    issue = site.issue()
    shown = site.put(issue, status="ignored", **body).json()
    assert (shown["status"], shown["substatus"]) == ("ignored", substatus)
    assert {name: shown["statusDetails"].get(name) for name in details} == details
    assert site.ids("is:archived") == [issue]
    refused = site.put(issue, status="ignored", statusDetails={"ignoreCount": 1, "ignoreWindow": 99_999})
    assert refused.status_code == 400


def test_archiving_anew_changes_what_wakes_and_not_the_substatus(site: Site) -> None:
    issue = site.issue()
    site.put(issue, status="ignored", ignoreCount=5)
    shown = site.put(issue, status="ignored").json()
    assert (shown["substatus"], shown["statusDetails"]) == ("archived_until_condition_met", {})
    site.put(issue, status="unresolved")
    shown = site.put(issue, status="ignored", statusDetails={"untilEscalating": True}).json()
    assert shown["substatus"] == "archived_until_escalating"
    site.put(issue, status="unresolved")
    assert site.put(issue, status="ignored", ignoreCount=0).json()["substatus"] == "archived_forever"


def test_an_archived_issue_wakes_when_its_condition_is_met(site: Site) -> None:
    one, two, three = (site.issue(title, user={"id": 1}) for title in ("E1", "E2", "E3"))
    site.put(one, status="ignored", statusDetails={"ignoreCount": 2})
    site.put(two, status="ignored", statusDetails={"ignoreUserCount": 1})
    site.put(three, status="ignored", ignoreDuration=10)
    site.hooked()
    site.issue("E1")
    site.issue("E2", user={"id": 1})
    assert {site.record(issue)["status"] for issue in (one, two, three)} == {"ignored"}
    site.issue("E1")
    site.issue("E2", user={"id": 2})
    assert [site.record(issue)["substatus"] for issue in (one, two)] == ["escalating", "escalating"]
    assert site.names() == ["issue.unresolved", "issue.unresolved"]
    site.now += 600
    assert (site.record(three)["status"], site.record(three)["substatus"]) == ("unresolved", "ongoing")
    assert site.names() == []


def test_a_release_must_exist_in_the_project(site: Site) -> None:
    issue, other = site.issue(), site.issue("other", project="frontend", release="frontend@1")
    for details in ({"inRelease": "frontend@1"}, {"inRelease": "latest"}, {"inNextRelease": True}):
        answer = site.put(issue, status="resolved", statusDetails=details)
        assert answer.status_code == 400
        assert list(answer.json()["statusDetails"]) == list(details)
    assert site.put(issue, status="resolvedInNextRelease").status_code == 400
    assert site.record(issue)["status"] == "unresolved"
    bulk = site.call(
        "PUT",
        "issues/",
        {"status": "resolved", "statusDetails": {"inRelease": "frontend@1"}},
        params={"id": [issue, other]},
    )
    assert bulk.status_code == 400


def test_resolving_in_a_release_reads_back_so(site: Site) -> None:
    site.hooked()
    issue = site.issue(release="backend@1.0")
    site.act("release", version="backend@1.1")
    site.told()
    shown = site.put(issue, status="resolved", statusDetails={"inRelease": "latest"}).json()
    assert shown["statusDetails"]["inRelease"] == "backend@1.1"
    assert shown["statusDetails"]["actor"]["id"] == "1"
    ((_, body),) = site.told()
    assert body["data"]["resolution_type"] == "in_release"
    row = site.get(f"issues/{issue}/activities/")["activity"][0]
    assert (row["type"], row["data"]) == ("set_resolved_in_release", {"version": "backend@1.1"})


def test_the_next_release_is_the_first_made_after_the_resolve(site: Site) -> None:
    issue = site.issue(release="backend@1.0")
    assert site.put(issue, status="resolvedInNextRelease").json()["statusDetails"]["inNextRelease"] is True
    site.now += 60
    site.act("release", version="frontend@9", project="frontend")
    assert "inNextRelease" in site.get(f"issues/{issue}/")["statusDetails"]
    site.act("release", version="backend@1.1")
    assert site.get(f"issues/{issue}/")["statusDetails"]["inRelease"] == "backend@1.1"


def test_the_next_release_may_be_out_already(site: Site) -> None:
    issue = site.issue(release="backend@1.0")
    site.now += 1
    site.act("release", version="backend@1.1")
    site.now += 1
    site.act("release", version="backend@1.2")
    shown = site.put(issue, status="resolvedInNextRelease").json()
    assert shown["statusDetails"]["inRelease"] == "backend@1.1"


def test_a_row_of_the_log_changes_when_the_next_release_is_made(site: Site) -> None:
    issue = site.issue(release="backend@1.0")
    site.put(issue, status="resolvedInNextRelease")
    before = site.get(f"issues/{issue}/activities/")["activity"][0]
    assert (before["type"], before["data"]) == ("set_resolved_in_release", {"version": ""})
    site.now += 1
    site.act("release", version="backend@1.1")
    after = site.get(f"issues/{issue}/activities/")["activity"][0]
    assert (after["id"], after["data"]) == (before["id"], {"version": "backend@1.1"})


def test_a_resolution_in_a_release_stays_through_another_resolve(site: Site) -> None:
    site.hooked()
    issue = site.issue(release="backend@1.0")
    site.act("release", version="backend@1.1")
    site.hooks()
    site.put(issue, status="resolved", statusDetails={"inRelease": "backend@1.0"})
    assert site.put(issue, status="resolved").json()["statusDetails"]["inRelease"] == "backend@1.0"
    again = site.put(issue, status="resolved", statusDetails={"inRelease": "backend@1.1"}).json()
    assert again["statusDetails"]["inRelease"] == "backend@1.1"
    assert site.kinds(issue) == ["first_seen", "set_resolved_in_release", "set_resolved"]  # the third left no row
    assert site.names() == ["issue.resolved"] * 3
    assert site.put(issue, status="unresolved").json()["statusDetails"] == {}


def test_semantic_versions_read_back_as_in_the_current_release(make: Make) -> None:
    site = make(reads_semver=True)
    issue = site.issue(release="backend@1.0")
    assert site.put(issue, status="resolvedInNextRelease").json()["statusDetails"]["inRelease"] == "backend@1.0"
    log = site.get(f"issues/{issue}/activities/")["activity"]
    assert [row["data"] for row in log if row["type"] == "set_resolved_in_release"] == [
        {"version": "", "current_release_version": "backend@1.0"}
    ]


def test_resolving_in_a_commit_becomes_in_its_release(site: Site) -> None:
    site.hooked()
    one, two = site.issue("E1", release="backend@1.0"), site.issue("E2")
    site.act("commit", sha="abc", repository="acme/backend")
    wanted = {"inCommit": {"commit": "abc", "repository": "acme/backend"}}
    site.told()
    assert site.put(one, status="resolved", statusDetails=wanted).json()["statusDetails"]["inCommit"]["id"] == "abc"
    assert [body["data"]["resolution_type"] for _, body in site.told()] == ["in_commit"]
    site.now += 1
    site.act("release", version="backend@1.1", commits=["abc"])
    assert site.get(f"issues/{one}/")["statusDetails"]["inRelease"] == "backend@1.1"
    shown = site.put(two, status="resolved", statusDetails=wanted).json()
    assert shown["statusDetails"]["inRelease"] == "backend@1.1"
    unknown = {"inCommit": {"commit": "def", "repository": "acme/backend"}}
    assert site.put(two, status="resolved", statusDetails=unknown).status_code == 400


def test_assigning_takes_members_and_teams_of_the_project(site: Site) -> None:
    issue = site.issue()
    for told, name in (("user:2", "Engineer"), ("reviewer@example.com", "Reviewer"), ("team:1", "payments")):
        assert site.put(issue, assignedTo=told).json()["assignedTo"]["name"] == name
    assert site.put(issue, assignedTo="").json()["assignedTo"] is None
    for told in ("user:4", "user:1", "team:2", "team:9", "nobody@example.com"):
        answer = site.put(issue, assignedTo=told, status="resolved")
        assert (answer.status_code, list(answer.json())) == (400, ["assignedTo"])
    assert site.record(issue)["status"] == "unresolved"  # refused whole
    site.act("member", user="engineer", active=False)
    assert site.put(issue, assignedTo="user:2").status_code == 400
    assert [row["kind"] for row in site.record(issue)["activity"]][1:] == ["assigned"] * 3 + ["unassigned"]


def test_a_priority_set_by_a_user_is_locked_and_not_told(site: Site) -> None:
    site.hooked()
    issue = site.issue()
    site.told()
    shown = site.put(issue, priority="low").json()
    assert shown["priority"] == "low"
    assert shown["priorityLockedAt"]
    assert site.put(issue, priority="urgent").status_code == 400
    assert site.told() == []


def test_seen_and_bookmarked_are_of_the_asking_user(site: Site) -> None:
    issue = site.issue()
    assert site.put(issue, hasSeen=True, isBookmarked=True, isSubscribed=True).json()["hasSeen"] is True
    assert site.call("GET", f"issues/{issue}/", auth=ENGINEER).json()["hasSeen"] is False
    assert site.put(issue, hasSeen="maybe").status_code == 400
    assert site.put(issue, isPublic=True, inbox=False).json()["shareId"]


def test_the_activity_names_who_did_what_and_only_grows(site: Site) -> None:
    issue = site.issue()
    site.put(issue, status="resolved")
    site.act("reopen", issue=issue, by="engineer")
    site.act("event", issue=issue)
    rows = site.get(f"issues/{issue}/activities/")["activity"]
    assert [row["type"] for row in rows] == ["set_unresolved", "set_resolved", "first_seen"]
    assert [int(row["id"]) for row in rows] == sorted((int(row["id"]) for row in rows), reverse=True)
    assert rows[0]["user"]["email"] == "engineer@example.com"
    assert rows[0]["sentry_app"] is None
    assert rows[1]["sentry_app"]["slug"] == "hypercare"
    assert rows[1]["user"]["name"] == "hypercare"  # an app acts through a user of its own
    assert (rows[2]["user"], rows[2]["id"]) == (None, "0")


def test_the_log_shows_neighbours_that_say_the_same_once_and_is_cut(site: Site) -> None:
    issue = site.issue()
    for auth in (HUB, HUB, ENGINEER, HUB):
        site.now += 1
        site.call("PUT", f"issues/{issue}/", {"status": "resolved"}, auth=auth)
    assert site.kinds(issue).count("set_resolved") == 4
    rows = site.get(f"issues/{issue}/activities/")["activity"]
    assert [row["user"]["id"] if row["user"] else None for row in rows] == ["1", "2", "1", None]
    assert rows[2]["dateCreated"] == "2026-09-21T14:13:22Z"  # the newer of the two
    site.switch(activity_cut=2)
    assert site.get(f"issues/{issue}/activities/")["activity"] == rows[:2]


# --- bulk, merge, delete ---------------------------------------------------------------------------------------------


def test_a_bulk_call_without_ids_updates_all_that_is_unresolved(site: Site) -> None:
    one, two, archived = (site.issue(f"E{number}") for number in range(3))
    site.act("archive", issue=archived)
    answer = site.call("PUT", "issues/", {"status": "resolved"})
    assert answer.json() == {"status": "resolved", "statusDetails": {}, "substatus": None}
    assert [site.record(issue)["status"] for issue in (one, two, archived)] == ["resolved", "resolved", "ignored"]
    assert site.call("PUT", "issues/", {"status": "resolved"}).status_code == 204


def test_ids_that_match_nothing_fall_through_to_the_search(site: Site) -> None:
    issue = site.issue(project="frontend")
    asked = {"id": "12345"}
    assert site.call("PUT", "issues/", {"priority": "low"}, params=asked).status_code == 200
    assert site.record(issue)["priority"] == "low"
    site.switch(bulk_falls_through=False)
    assert site.call("PUT", "issues/", {"priority": "high"}, params=asked).status_code == 204
    assert site.record(issue)["priority"] == "low"


def test_a_bulk_call_with_ids_touches_only_them(site: Site) -> None:
    one, two = site.issue("E1"), site.issue("E2")
    site.call("PUT", "issues/", {"status": "resolved"}, params={"id": [one]})
    assert [site.record(issue)["status"] for issue in (one, two)] == ["resolved", "unresolved"]


def test_several_reopened_at_once_are_ongoing(site: Site) -> None:
    made = [site.issue(f"E{number}") for number in range(2)]
    site.call("PUT", "issues/", {"status": "resolved"}, params={"id": made})
    site.call("PUT", "issues/", {"status": "unresolved"}, params={"id": made})
    assert [site.record(issue)["substatus"] for issue in made] == ["ongoing", "ongoing"]


def test_a_merged_id_is_pending_and_then_the_survivor_inline(site: Site) -> None:
    site.hooked()
    parent, child = site.issue("E1", times=5), site.issue("E2")
    site.told()
    answer = site.call("PUT", "issues/", {"merge": 1}, params={"id": [parent, child]})
    assert answer.json()["merge"] == {"parent": parent, "children": [child]}
    assert site.call("GET", f"issues/{child}/").status_code == 404
    assert site.ids("") == [parent]
    site.now += 2
    answer = site.call("GET", f"issues/{child}/")
    assert (answer.status_code, answer.json()["id"], answer.json()["count"]) == (200, parent, "6")
    assert site.kinds(parent)[-1] == "merge"
    assert site.told() == []
    assert site.issue("E2") == parent
    other = site.issue("E3", project="frontend")
    assert site.call("PUT", "issues/", {"merge": 1}, params={"id": [parent, other]}).status_code == 400


def test_a_deleted_issue_is_pending_and_then_gone_and_its_next_event_makes_another(site: Site) -> None:
    site.hooked()
    issue = site.issue()
    site.told()
    assert site.call("DELETE", f"issues/{issue}/").status_code == 202
    assert site.call("GET", f"issues/{issue}/").status_code == 404
    assert site.record(issue)["status"] == "deletion"
    site.now += 2
    assert site.record(issue)["status"] == "deleted"
    assert site.call("GET", f"issues/{issue}/").status_code == 404
    assert site.told() == []
    assert site.issue() != issue
    assert site.call("DELETE", "issues/", params={"id": site.ids()}).status_code == 204


def test_a_discard_goes_alone_and_drops_later_events(site: Site) -> None:
    issue = site.issue()
    assert site.put(issue, discard=True, status="resolved").status_code == 400
    assert site.call("PUT", f"issues/{issue}/", {"discard": True}, auth=ENGINEER).status_code == 403
    assert site.put(issue, discard=True).status_code == 204
    assert site.act("event", title="KeyError: cart")["issue"] is None


# --- events and time -------------------------------------------------------------------------------------------------


def test_an_event_on_a_resolved_issue_reopens_it_as_a_regression(site: Site) -> None:
    site.hooked()
    issue = site.issue()
    site.put(issue, status="resolved")
    site.told()
    site.now += 6
    site.issue()
    assert (site.record(issue)["status"], site.record(issue)["substatus"]) == ("unresolved", "regressed")
    assert site.kinds(issue)[-1] == "set_regression"
    ((resource, body),) = site.told()
    assert (resource, body["action"], body["data"]["issue"]["substatus"]) == ("issue", "unresolved", "regressed")


def test_within_the_guard_after_a_sighting_or_a_regression_nothing_regresses(site: Site) -> None:
    issue = site.issue()
    site.put(issue, status="resolved")
    site.now += 5
    site.issue()
    assert site.record(issue)["status"] == "resolved"
    site.now += 1
    site.issue()
    assert site.record(issue)["status"] == "unresolved"
    site.put(issue, status="resolved")
    site.now += 5
    site.issue()
    assert site.record(issue)["status"] == "resolved"


def test_an_event_from_before_the_resolve_that_comes_late_reopens_all_the_same(site: Site) -> None:
    issue = site.issue()
    site.now += 100
    site.issue()
    site.put(issue, status="resolved")
    site.now += 1
    site.issue(at=START + 50)
    assert site.record(issue)["substatus"] == "regressed"
    assert site.get(f"issues/{issue}/")["lastSeen"] == "2026-09-21T14:15:00Z"  # not even a later sighting


@pytest.mark.parametrize(
    ("details", "quiet", "loud"),
    [
        ({"inRelease": "backend@2"}, ["backend@1", None], "backend@2"),
        ({"inNextRelease": True}, ["backend@1", None], "backend@2"),
        ({"inUpcomingRelease": True}, ["backend@1", "backend@2", None], "backend@3"),
        ({"inCommit": {"commit": "abc", "repository": "acme/backend"}}, ["backend@1", "backend@2"], ""),
        ({}, [], "backend@1"),
    ],
)
def test_only_a_release_that_should_be_fixed_regresses(
    site: Site, details: dict[str, Any], quiet: list[str | None], loud: str
) -> None:
    issue = site.issue(release="backend@1")
    site.now += 1
    site.act("release", version="backend@2")
    site.act("commit", sha="abc")
    site.put(issue, status="resolved", statusDetails=details)
    site.now += 60
    for release in quiet:
        site.issue(release=release)
        assert site.record(issue)["status"] == "resolved", release
    if loud:
        site.issue(release=loud)
        assert site.record(issue)["status"] == "unresolved"


def test_an_issue_follows_its_latest_event(site: Site) -> None:
    issue = site.issue("KeyError: a", fingerprint="f", culprit="cart.add", level="warning")
    assert site.record(issue)["priority"] == "medium"
    site.issue("KeyError: b", fingerprint="f", culprit="cart.pay", at=START - 60)
    shown = site.get(f"issues/{issue}/")
    assert (shown["title"], shown["culprit"], shown["level"]) == ("KeyError: b", "cart.pay", "error")
    assert shown["metadata"]["value"] == "b"
    assert shown["firstSeen"] == "2026-09-21T14:12:20Z"


def test_a_new_issue_is_ongoing_after_a_week_and_nobody_is_told(site: Site) -> None:
    site.hooked()
    issue = site.issue()
    site.told()
    site.now += 7 * DAY
    assert site.record(issue)["substatus"] == "ongoing"
    assert site.kinds(issue)[-1] == "auto_set_ongoing"
    assert site.told() == []


@pytest.mark.parametrize(("form", "hooks"), [("told", ["issue.resolved"]), ("silent", []), ("lazy", [])])
def test_age_resolves_with_a_call_without_one_or_only_in_what_is_shown(make: Make, form: str, hooks: list[str]) -> None:
    site = make(resolve_age=24, age_resolution=form).hooked()
    issue = site.issue()
    site.told()
    site.now += DAY - 1
    site.issue()
    site.now += 2
    assert site.get(f"issues/{issue}/")["status"] == "unresolved"
    site.now += DAY
    shown = site.get(f"issues/{issue}/")
    assert shown["status"] == "resolved"
    assert site.names() == hooks
    assert site.ids("is:resolved") == [issue]
    if form == "lazy":
        assert shown["statusDetails"] == {"autoResolved": True}
        assert site.record(issue)["status"] == "unresolved"
    else:
        row = site.get(f"issues/{issue}/activities/")["activity"][0]
        assert (row["type"], row["user"], row["data"]) == ("set_resolved_by_age", None, {"age": 24})


def test_a_project_has_its_own_age_and_the_time_factor_shortens_it(make: Make) -> None:
    site = make(time_factor=3600.0)
    issue = site.issue()
    site.act("project", slug="backend", resolve_age=5)
    site.now += 5
    assert site.record(issue)["status"] == "resolved"


# --- comments --------------------------------------------------------------------------------------------------------


def test_the_same_comment_within_the_hour_is_refused(site: Site) -> None:
    issue = site.issue()
    made = site.call("POST", f"issues/{issue}/notes/", {"text": "hello"})
    assert (made.status_code, made.json()["type"], made.json()["data"]) == (201, "note", {"text": "hello"})
    again = site.call("POST", f"issues/{issue}/comments/", {"text": "hello"})
    assert (again.status_code, again.json()) == (400, {"detail": "You have already posted that comment."})
    assert site.call("POST", f"issues/{issue}/notes/", {"text": "hello"}, auth=ENGINEER).status_code == 201
    site.now += 3601
    assert site.call("POST", f"issues/{issue}/notes/", {"text": "hello"}).status_code == 201
    assert len(site.get(f"issues/{issue}/notes/")) == 3
    assert site.get("issues/")[0]["numComments"] == 3


def test_comments_are_edited_in_place_by_who_wrote_them(site: Site) -> None:
    site.hooked()
    issue = site.issue()
    note = site.call("POST", f"issues/{issue}/notes/", {"text": "one"}).json()["id"]
    assert site.call("PUT", f"issues/{issue}/notes/{note}/", {"text": "two"}).json()["data"] == {"text": "two"}
    assert site.call("PUT", f"issues/{issue}/notes/{note}/", {"text": "x"}, auth=ENGINEER).status_code == 404
    assert site.call("DELETE", f"issues/{issue}/notes/{note}/").status_code == 204
    assert site.get(f"issues/{issue}/notes/") == []
    assert site.names() == ["issue.created", "comment.created", "comment.updated", "comment.deleted"]
    assert site.call("POST", f"issues/{issue}/notes/", {"text": ""}).status_code == 400


def test_a_principal_without_a_user_posts_no_comment(site: Site) -> None:
    issue = site.issue()
    key = "Basic bGVnYWN5LWtleTo="
    assert site.call("POST", f"issues/{issue}/notes/", {"text": "x"}, auth=key).status_code == 403


def test_a_comment_is_pushed_to_the_linked_ticket_too(site: Site) -> None:
    issue = site.issue()
    site.act("link", issue=issue, key="OPS-1")
    site.call("POST", f"issues/{issue}/notes/", {"text": "hello"}, auth=HUB)
    assert site.record(issue)["integrations"][0]["comments"] == ["hello"]
