"""Checklist: lists, the search, sorting, cursors, and what reads show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.connectors.sentry.sandbox.site import START, Site, links

Make = Callable[..., Site]


def test_ids_are_texts_above_two_to_the_32_and_answer_to_short_ids_too(site: Site) -> None:
    issue = site.issue()
    (shown,) = site.get("issues/")
    assert int(shown["id"]) > 2**32
    assert (shown["shortId"], shown["count"], shown["userCount"]) == ("BACKEND-1", "1", 0)
    assert site.get("issues/backend-1/")["id"] == issue
    told = site.get("shortids/BACKEND-1/")
    assert (told["groupId"], told["projectSlug"], told["group"]["id"]) == (issue, "backend", issue)
    for number in range(2, 34):
        site.issue(f"E{number}")
    assert site.get("shortids/BACKEND-11/")["group"]["title"] == "E33"  # base 32


def test_no_read_says_when_an_issue_was_edited(site: Site) -> None:
    issue = site.issue()
    before = site.get(f"issues/{issue}/")
    site.now += 60
    site.put(issue, status="resolved", priority="low", assignedTo="user:2")
    after = site.get(f"issues/{issue}/")
    assert before["lastSeen"] == after["lastSeen"]
    assert {"updatedAt", "dateUpdated", "lastModified"} & set(after) == set()


def test_a_list_without_a_query_shows_what_is_unresolved(site: Site) -> None:
    done, archived, opened = (site.issue(f"E{number}") for number in range(3))
    site.act("resolve", issue=done)
    site.act("archive", issue=archived)
    assert site.ids() == [opened]
    assert set(site.ids("")) == {done, archived, opened}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("is:unresolved", "bc"),
        ("is:resolved", "a"),
        ("!is:resolved", "bc"),
        ("is:archived", ""),
        ("is:assigned", "b"),
        ("is:unassigned", "ac"),
        ("is:linked", "b"),
        ("is:unlinked", "ac"),
        ("is:for_review", "bc"),
        ("is:new", "bc"),
        ("assigned:engineer@example.com", "b"),
        ("assigned:none", "ac"),
        ("assigned:#web", "c"),
        ("issue:BACKEND-1", "a"),
        ("issue:[BACKEND-1,BACKEND-2]", "ab"),
        ("issue:[BACKEND-1, FRONTEND-1]", "ac"),
        ("issue.category:feedback", ""),
        ("issue.type:error", "abc"),
        ("lastSeen:-1h", "bc"),
        ("lastSeen:+1h", "a"),
        ("age:-24h", "bc"),
        ("firstSeen:>=2026-09-21T14:13:20", "bc"),
        ("timesSeen:>1", "b"),
        ("timesSeen:1", "ac"),
        ("level:warning", "c"),
        ("release:backend@1.0", "b"),
        ("firstRelease:latest project:backend", "b"),
        ("has:customer", "b"),
        ('customer:"A B"', "b"),
        ("!has:customer", "ac"),
        ("project:[backend,web]", "ab"),
        ("timeout", "c"),
        ("is:unresolved customer:[X,Y]", ""),
    ],
)
def test_the_search_finds_what_it_names(site: Site, query: str, found: str) -> None:
    a = site.issue("KeyError: a", at=START - 90_000)
    b = site.issue("KeyError: b", times=3, release="backend@1.0", tags={"customer": "A B"})
    c = site.issue("Timeout: c", project="frontend", level="warning")
    site.act("resolve", issue=a)
    site.act("assign", issue=b, to="user:2")
    site.act("link", issue=b, name="OPS#1", url="https://jira.example/OPS-1")
    query, wanted = (
        query.replace("assigned:#web", "assigned:#web is:unresolved"),
        dict(zip("abc", (a, b, c), strict=True)),
    )
    if "#web" in query:
        site.act("assign", issue=c, to="team:2")
    assert set(site.ids(query)) == {wanted[name] for name in found}


@pytest.mark.parametrize(
    "query", ["is:happy", "lastSeen:yesterday", "timesSeen:many", 'title:"open', "level:", "issue:[A", "age:>=never"]
)
def test_a_query_that_is_not_understood_is_refused(site: Site, query: str) -> None:
    answer = site.call("GET", "issues/", params={"query": query})
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_what_is_not_documented_may_be_missing(make: Make) -> None:
    site = make(issue_lists=False, group_filter=False, unknown_short_ids_refused=True)
    one, two = site.issue("E1"), site.issue("E2")
    assert site.call("GET", "issues/", params={"query": "issue:[BACKEND-1,BACKEND-2]"}).status_code == 400
    assert site.call("GET", "issues/", params={"query": "issue:BACKEND-9"}).status_code == 400
    assert set(site.ids(group=one)) == {one, two}
    site.switch(group_filter=True, unknown_short_ids_refused=False)
    assert site.ids(group=one) == [one]
    assert site.ids("issue:BACKEND-9") == []


def test_a_period_is_about_the_last_event_and_beats_start_and_end(site: Site) -> None:
    old = site.issue("old", at=START - 3 * 86_400)
    new = site.issue("new")
    assert site.ids(statsPeriod="24h", start="2020-01-01T00:00:00", end="2020-01-02T00:00:00") == [new]
    assert site.ids(start="2026-09-18T00:00:00", end="2026-09-19T00:00:00") == [old]
    assert site.call("GET", "issues/", params={"statsPeriod": "a while"}).status_code == 400


def test_projects_and_environments_select(site: Site) -> None:
    one = site.issue("one", environment="staging")
    two = site.issue("two", project="frontend")
    assert site.ids(project="1") == site.ids(project="backend") == site.ids(environment="staging") == [one]
    assert set(site.ids(project="-1")) == set(site.ids(project=["1", "2"])) == {one, two}
    assert site.call("GET", "issues/", params={"project": "99"}).status_code == 403
    assert [issue["id"] for issue in site.get("/api/0/projects/acme/frontend/issues/")] == [two]
    refused = site.call("GET", "/api/0/projects/acme/frontend/issues/", params={"statsPeriod": "7d"})
    assert refused.status_code == 400


@pytest.mark.parametrize(("sort", "order"), [("date", "bca"), ("new", "bac"), ("freq", "cab"), ("user", "acb")])
def test_lists_are_sorted_as_asked(site: Site, sort: str, order: str) -> None:
    a = site.issue("a", at=START - 50, user={"id": 1}, times=2)
    b = site.issue("b", at=START)
    c = site.issue("c", at=START - 100, times=4, user={"id": 1})
    site.issue("c", at=START - 10)
    site.issue("a", at=START - 40, user={"id": 2}, times=1)
    named = {a: "a", b: "b", c: "c"}
    assert "".join(named[issue] for issue in site.ids(sort=sort)) == order
    assert site.call("GET", "issues/", params={"sort": "mood"}).status_code == 400


def test_pages_follow_their_cursor_without_gap_or_repeat(site: Site) -> None:
    made = [site.issue(f"E{number}", at=START - (number // 3)) for number in range(10)]
    seen: list[str] = []
    cursor = ""
    while True:
        answer = site.call("GET", "issues/", params={"limit": "4", **({"cursor": cursor} if cursor else {})})
        seen += [issue["id"] for issue in answer.json()]
        told = links(answer)
        assert set(told) == {"previous", "next"}
        assert told["previous"][1] is bool(cursor)
        assert answer.headers["x-hits"] == "10"
        url, more, cursor = told["next"]
        assert url.startswith(f"{site.url}/api/0/organizations/acme/issues/?limit=4&cursor=")
        assert len(cursor.split(":")) == 3
        if not more:
            break
    assert sorted(seen) == sorted(made)
    back = site.client.get(told["previous"][0], headers={"authorization": "Bearer hub-token"})
    assert [issue["id"] for issue in back.json()] == seen[4:8]
    first = site.client.get(links(back)["previous"][0], headers={"authorization": "Bearer hub-token"})
    assert [issue["id"] for issue in first.json()] == seen[:4]
    assert links(first)["previous"][1] is False
    assert links(first)["next"][1] is True


def test_an_issue_seen_again_moves_up_and_shifts_no_later_page(site: Site) -> None:
    made = [site.issue(f"E{number}", at=START - number * 10) for number in range(6)]
    answer = site.call("GET", "issues/", params={"limit": "3"})
    site.now += 5
    site.issue("E1")
    site.issue("fresh")
    following = site.client.get(links(answer)["next"][0], headers={"authorization": "Bearer hub-token"})
    assert [issue["id"] for issue in following.json()] == made[3:]


def test_a_cursor_is_of_three_numbers_and_a_limit_of_a_hundred(site: Site) -> None:
    assert site.call("GET", "issues/", params={"cursor": "abc"}).status_code == 400
    assert site.call("GET", "issues/", params={"limit": "101"}).status_code == 400
    assert site.call("GET", "issues/", params={"limit": "0"}).status_code == 400


def test_the_list_lags_behind_events_by_switch(make: Make) -> None:
    site = make(index_lag=10.0)
    issue = site.issue()
    assert site.ids() == []
    assert site.get(f"issues/{issue}/")["id"] == issue
    site.now += 10
    assert site.ids() == [issue]


def test_keys_are_collapsed_and_expanded(site: Site) -> None:
    issue = site.issue()
    site.act("link", issue=issue, name="OPS#1", url="https://jira.example/OPS-1")
    site.act("link", issue=issue, key="OPS-2")
    plain = site.get("issues/")[0]
    assert {"stats", "lifetime", "filtered"} <= set(plain)
    assert len(plain["stats"]["24h"]) == 24
    assert len(site.get("issues/", groupStatsPeriod="14d")[0]["stats"]["14d"]) == 14
    asked = {"collapse": ["stats", "filtered", "lifetime"], "expand": ["integrationIssues", "sentryAppIssues"]}
    slim = site.get("issues/", **asked)[0]
    assert {"stats", "lifetime", "filtered"} & set(slim) == set()
    assert [link["displayName"] for link in slim["sentryAppIssues"]] == ["OPS#1"]
    assert [link["key"] for link in slim["integrationIssues"]] == ["OPS-2"]


def test_annotations_have_two_shapes(make: Make) -> None:
    site = make()
    issue = site.issue()
    site.act("link", issue=issue, name="A & B#1", url="https://jira.example/OPS-1")
    site.act("link", issue=issue, key="OPS-2")
    assert site.get("issues/")[0]["annotations"] == [
        {"displayName": "A & B#1", "url": "https://jira.example/OPS-1"},
        {"displayName": "OPS-2", "url": "https://acme.atlassian.net/browse/OPS-2"},
    ]
    site.switch(annotations="anchors", integrations=False)
    assert site.get("issues/")[0]["annotations"] == ['<a href="https://jira.example/OPS-1">A &amp; B#1</a>']


def test_keys_may_be_new_or_missing(make: Make) -> None:
    site = make(extra_issue_keys={"derivedData": {"x": 1}}, missing_issue_keys=["culprit"], substatuses=False)
    issue = site.issue()
    for shown in (site.get("issues/")[0], site.get(f"issues/{issue}/")):
        assert shown["derivedData"] == {"x": 1}
        assert {"culprit", "substatus"} & set(shown) == set()


# --- one issue, events, tags -----------------------------------------------------------------------------------------


def test_the_detail_adds_to_the_list_item(site: Site) -> None:
    issue = site.issue(release="backend@1.0", user={"id": 7})
    site.act("resolve", issue=issue)
    whole = site.get(f"issues/{issue}/")
    assert [row["type"] for row in whole["activity"]] == ["set_resolved", "first_seen"]
    assert whole["firstRelease"]["version"] == "backend@1.0"
    assert [(period["isOpen"], bool(period["end"])) for period in whole["openPeriods"]] == [(False, True)]
    assert (len(whole["stats"]["24h"]), len(whole["stats"]["30d"])) == (24, 30)
    assert sum(count for _, count in whole["stats"]["24h"]) == 1
    slim = site.get(f"issues/{issue}/", collapse=["release", "stats", "tags"])
    assert {"firstRelease", "stats", "tags"} & set(slim) == set()


def test_a_short_lookup_by_title_hits_directly(site: Site) -> None:
    issue = site.issue()
    site.act("resolve", issue=issue)
    answer = site.call("GET", "issues/", params={"query": "BACKEND-1", "shortIdLookup": "1"})
    assert [one["id"] for one in answer.json()] == [issue]
    assert answer.headers["x-sentry-direct-hit"] == "1"


def test_events_are_paged_and_read_one_by_one(site: Site) -> None:
    exception: dict[str, Any] = {"type": "KeyError", "value": "cart", "stacktrace": {"frames": []}}
    issue = site.issue(tags={"request_id": "r0"}, exception=exception, event_id="0" * 32)
    for number in (1, 2):
        site.now += 1
        site.act(
            "event", issue=issue, tags={"request_id": f"r{number}"}, exception=exception, event_id=str(number) * 32
        )
    rows = site.get(f"issues/{issue}/events/", per_page=2)
    assert [row["eventID"][0] for row in rows] == ["2", "1"]
    assert {"key": "request_id", "value": "r2"} in rows[0]["tags"]
    latest, oldest = (site.get(f"issues/{issue}/events/{name}/") for name in ("latest", "oldest"))
    assert (latest["previousEventID"], latest["nextEventID"]) == ("1" * 32, None)
    assert oldest["eventID"] == "0" * 32
    assert latest["entries"][0]["data"]["values"][0]["type"] == "KeyError"
    assert site.get(f"issues/{issue}/events/{'1' * 32}/")["eventID"] == "1" * 32
    assert site.call("GET", f"issues/{issue}/events/{'9' * 32}/").status_code == 404
    assert site.get(f"issues/{issue}/hashes/")[0]["latestEvent"]["eventID"] == "2" * 32


def test_event_tags_are_aggregated_and_never_written(site: Site) -> None:
    issue = site.issue(tags={"customer": "a"})
    for _ in range(2):
        site.act("event", issue=issue, tags={"customer": "b"})
    tags = {tag["key"]: tag for tag in site.get(f"issues/{issue}/tags/")}
    assert set(tags) == {"customer", "environment", "level"}
    assert (tags["customer"]["uniqueValues"], tags["customer"]["totalValues"]) == (2, 3)
    assert [(row["value"], row["count"]) for row in tags["customer"]["topValues"]] == [("b", 2), ("a", 1)]
    assert site.get(f"issues/{issue}/tags/customer/")["topValues"] == tags["customer"]["topValues"]
    assert [row["value"] for row in site.get(f"issues/{issue}/tags/customer/values/")] == ["b", "a"]
    assert site.call("GET", f"issues/{issue}/tags/nothing/").status_code == 404
    for method in ("POST", "PUT", "DELETE"):
        assert site.call(method, f"issues/{issue}/tags/", {"customer": "c"}).status_code == 404
        assert site.call(method, f"issues/{issue}/tags/customer/", {"value": "c"}).status_code == 404


def test_feedback_is_an_issue_of_its_own_category(site: Site) -> None:
    error = site.issue()
    made = site.act("feedback", message="The cart is empty", email="ann@example.com")
    (shown,) = site.get("issues/", query="issue.category:feedback", sort="new")
    assert (shown["id"], shown["issueType"], shown["level"]) == (made["issue"], "feedback", "info")
    assert shown["metadata"]["value"] == "The cart is empty"
    assert shown["metadata"]["contact_email"] == "ann@example.com"
    assert "/feedback/" in shown["permalink"]
    latest = site.get(f"issues/{made['issue']}/events/latest/")
    assert latest["contexts"]["feedback"]["contact_email"] == "ann@example.com"
    assert site.put(made["issue"], status="ignored").json()["status"] == "ignored"
    site.act("report", issue=error, comments="It broke")
    (report,) = site.get(f"issues/{error}/user-reports/")
    assert (report["comments"], report["user"]["id"]) == ("It broke", "None")
    assert site.get("/api/0/projects/acme/backend/user-feedback/")[0]["issue"]["id"] == error


def test_people_and_places_are_listed(site: Site) -> None:
    site.issue(environment="staging")
    assert [one["slug"] for one in site.get("/api/0/organizations/")] == ["acme"]
    assert [one["slug"] for one in site.get("projects/")] == ["backend", "frontend"]
    assert site.get("/api/0/projects/acme/backend/")["id"] == "1"
    assert [one["email"] for one in site.get("members/")] == ["engineer@example.com", "reviewer@example.com"]
    assert [one["user"]["id"] for one in site.get("members/")] == ["2", "3"]
    assert [one["slug"] for one in site.get("teams/")] == ["payments", "web"]
    assert [one["name"] for one in site.get("environments/")] == ["staging"]
