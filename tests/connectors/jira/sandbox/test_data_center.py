"""Checklist Jira 7: Data Center's differences."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.jira.sandbox.site import Site


def center(**switches: Any) -> Site:
    return Site(deployment="Server", **switches)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/rest/api/3/myself"),
        ("POST", "/rest/api/2/search/jql"),
        ("POST", "/rest/api/2/search/approximate-count"),
        ("POST", "/rest/api/2/issue/bulkfetch"),
        ("POST", "/rest/api/2/changelog/bulkfetch"),
        ("GET", "/rest/api/2/issue/OPS-1/changelog"),
        ("POST", "/rest/api/2/webhook"),
    ],
)
def test_what_only_cloud_has_is_not_there(method: str, path: str) -> None:
    site = center()
    site.create()
    assert site.call(method, path, {} if method == "POST" else None).status == 404


def test_users_have_name_and_key_and_no_account_id() -> None:
    site = center()
    key = site.create(reporter={"name": "engineer"})
    reporter = site.get(f"issue/{key}").json["fields"]["reporter"]
    assert reporter["name"] == "engineer"
    assert reporter["key"].startswith("JIRAUSER")
    assert "accountId" not in reporter
    assert site.get("user", username="engineer").json["key"] == reporter["key"]


def test_search_pages_by_offset_with_a_total() -> None:
    site = center(rate_limits=False)
    site.sandbox.seed(25)
    seen: list[str] = []
    while True:
        page = site.get("search", jql="project = OPS ORDER BY updated ASC, id ASC", startAt=len(seen), maxResults=10)
        assert page.json["total"] == 25
        seen += [issue["key"] for issue in page.json["issues"]]
        if len(seen) >= page.json["total"]:
            break
    assert seen == [f"OPS-{number}" for number in range(1, 26)]


def test_rows_shift_under_paging() -> None:
    site = center()
    site.sandbox.seed(4)
    first = site.get("search", jql="project = OPS ORDER BY updated ASC", maxResults=2).json["issues"]
    site.act("add_label", issue=first[0]["key"], label="moved")
    second = site.get("search", jql="project = OPS ORDER BY updated ASC", startAt=2, maxResults=2).json["issues"]
    # OPS-3 has slipped onto the page already read: an offset loses it.
    assert [issue["key"] for issue in first + second] == ["OPS-1", "OPS-2", "OPS-4", "OPS-1"]


def test_the_changelog_comes_whole_with_the_issue() -> None:
    site = center(changelog_cut=1)
    key = site.create()
    for label in "ab":
        site.put(f"issue/{key}", {"update": {"labels": [{"add": label}]}})
    log = site.get(f"issue/{key}", expand="changelog").json["changelog"]
    assert [row["items"][0]["toString"] for row in log["histories"]] == ["a", "a b"]
    assert "fieldId" not in log["histories"][0]["items"][0]


def test_an_edit_never_answers_with_the_issue() -> None:
    site = center()
    key = site.create()
    assert site.put(f"issue/{key}", {"fields": {"summary": "New"}}, returnIssue="true").status == 204


def test_the_bucket_is_told_in_its_own_headers() -> None:
    site = center(dc_rate_limit=2, dc_fill_rate=1)
    answer = site.get("myself")
    told = {name: answer.headers[f"x-ratelimit-{name}"] for name in ("limit", "remaining", "fillrate")}
    assert told == {"limit": "2", "remaining": "1", "fillrate": "1"}
    assert answer.headers["x-ratelimit-interval-seconds"] == "1"
    assert answer.headers["retry-after"] == "0"
    site.get("myself")
    refused = site.get("myself")
    assert (refused.status, refused.headers["retry-after"]) == (429, "1")
    assert "ratelimit-reason" not in refused.headers


def test_a_context_path_is_part_of_every_address() -> None:
    site = center(context="/jira")
    assert site.get("myself").status == 404
    answer = site.get("/jira/rest/api/2/myself")
    assert answer.status == 200
    assert answer.json["self"].startswith("http://127.0.0.1/jira/rest/api/2/user")


def test_webhooks_are_registered_on_both_paths() -> None:
    site = center()
    body = {"name": "hub", "url": "http://127.0.0.1:1/hook", "events": ["jira:issue_updated"], "filters": {}}
    old = site.post("/rest/webhooks/1.0/webhook", body)
    new = site.post("/rest/jira-webhook/1.0/webhooks", body | {"configuration": {"SECRET": "s"}})
    assert (old.status, new.status) == (201, 201)
    assert site.get(f"/rest/jira-webhook/1.0/webhooks/{new.json['id']}").json["name"] == "hub"
    assert len(site.get("/rest/webhooks/1.0/webhook").json) == 2
    key = site.create()
    site.act("add_label", issue=key, label="a")
    calls = site.hooks()
    assert ["x-hub-signature" in call.headers for call in calls] == [False, True]
    assert all("x-atlassian-webhook-identifier" not in call.headers for call in calls)


def test_a_failed_webhook_is_not_tried_again() -> None:
    site = center()
    site.act("webhook", url="http://127.0.0.1:1/hook")
    site.create()
    (call,) = site.hooks()
    site.sandbox.hook_answered(call, 503, site.clock())
    site.clock.pass_by(86_400)
    assert site.hooks() == []
