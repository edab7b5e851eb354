"""Checklist Jira 5 and the ways in: credentials, captcha, rate limits, refused corners."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.jira.sandbox.site import ENGINEER, PAT, Site, basic


@pytest.mark.parametrize("auth", [None, basic("hub@example.com", "wrong"), "Basic !!", "Digest x", "Bearer nothing"])
def test_a_call_without_good_credentials_is_a_401(auth: str | None) -> None:
    answer = Site().get("myself", auth=auth)
    assert answer.status == 401
    assert answer.json == {"message": "Client must be authenticated to access this resource.", "status-code": 401}


@pytest.mark.parametrize(("form", "kind"), [("json", "json"), ("text", "text/plain"), ("html", "text/html")])
def test_a_401_comes_in_the_forms_seen(form: str, kind: str) -> None:
    answer = Site(auth_body=form).get("myself", auth=None)
    assert answer.status == 401
    assert kind in answer.headers["content-type"]


def test_cloud_takes_mail_and_token_or_a_token_through_the_gateway() -> None:
    site = Site()
    assert site.get("myself").json["displayName"] == "Hypercare Hub"
    gateway = f"/ex/jira/{site.sandbox.cloud_id}/rest/api/3/myself"
    assert site.get(gateway, auth="Bearer hub-token").json["displayName"] == "Hypercare Hub"
    assert site.get("myself", auth=basic("hub", "hub-token")).status == 401


def test_data_center_takes_a_personal_access_token_or_a_password() -> None:
    site = Site(deployment="Server")
    assert site.get("myself", auth=PAT).json["name"] == "hub"
    assert site.get("myself", auth=basic("hub", "hub-token")).json["name"] == "hub"
    assert site.get("myself", auth=basic("hub@example.com", "hub-token")).status == 401


def test_a_revoked_token_is_refused_at_once() -> None:
    site = Site()
    site.act("token", by="hub", tokens=["second"])
    assert site.get("myself").status == 401
    assert site.get("myself", auth=basic("hub@example.com", "second")).status == 200


def test_too_many_failed_logins_demand_a_captcha() -> None:
    site = Site(deployment="Server", captcha_after=2)
    wrong = basic("hub", "wrong")
    answers = [site.get("myself", auth=wrong) for _ in range(3)]
    assert [answer.status for answer in answers] == [401, 401, 403]
    assert site.get("myself", auth=basic("hub", "hub-token")).status == 403
    assert site.get("myself", auth=basic("engineer", "engineer-token")).status == 200
    assert answers[2].headers["x-seraph-loginreason"] == "AUTHENTICATION_DENIED"
    site.switch(captcha_after=0)
    assert site.get("myself", auth=wrong).status == 401


def test_mail_addresses_of_others_are_hidden_in_cloud() -> None:
    site = Site()
    key = site.create(assignee={"accountId": "712020:engineer"})
    read = site.get(f"issue/{key}").json["fields"]
    assert "emailAddress" not in read["assignee"]
    assert read["reporter"]["emailAddress"] == "hub@example.com"
    site.switch(hide_emails=False)
    assert site.get("user", accountId="712020:engineer").json["emailAddress"] == "engineer@example.com"
    assert site.get("user/search", query="edda").json[0]["accountId"] == "712020:engineer"
    assert site.get("user", accountId="nobody").status == 404


def test_application_links_are_refused() -> None:
    assert Site().get("/rest/applinks/latest/listApplicationlinks").status == 403


def test_an_unknown_path_is_a_404() -> None:
    assert Site().get("dreams").status == 404
    assert Site().get("/elsewhere").status == 404


# --- line 5 ----------------------------------------------------------------------------------------------------


def test_a_burst_is_limited_by_endpoint_and_refills_within_a_second() -> None:
    site = Site(burst_get=3)
    answers = [site.get("priority") for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert site.get("status").status == 200
    refused = answers[3]
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["ratelimit-reason"] == "jira-burst-based"
    assert refused.headers["x-ratelimit-limit"] == "3"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert refused.headers["x-ratelimit-reset"].endswith("Z")
    site.clock.pass_by(1)
    assert site.get("priority").status == 200


def test_the_last_fifth_of_a_budget_is_announced() -> None:
    site = Site(burst_get=10)
    near = [site.get("priority").headers.get("x-ratelimit-nearlimit") for _ in range(10)]
    assert near == [None] * 8 + ["true", "true"]


def test_one_issue_takes_twenty_writes_in_two_seconds() -> None:
    site = Site()
    one, two = site.create(), site.create()

    def write(key: str, number: int) -> Any:
        return site.put(f"issue/{key}/properties/p", number)

    assert [write(one, number).status for number in range(20)] == [201] + [200] * 19
    refused = write(one, 20)
    assert (refused.status, refused.headers["ratelimit-reason"]) == (429, "jira-per-issue-on-write")
    assert write(two, 1).status == 201
    assert site.get(f"issue/{one}").status == 200
    site.clock.pass_by(2.1)
    assert write(one, 21).status == 200


def test_one_issue_takes_a_hundred_writes_in_thirty_seconds() -> None:
    site = Site()
    key = site.create()
    statuses: list[int] = []
    for _ in range(5):
        statuses += [site.put(f"issue/{key}/properties/p", 1).status for _ in range(20)]
        site.clock.pass_by(2.1)
    assert 429 not in statuses
    refused = site.put(f"issue/{key}/properties/p", 1)
    assert refused.status == 429
    assert int(refused.headers["retry-after"]) > 2


def test_a_used_up_quota_asks_for_a_long_wait() -> None:
    site = Site(quota_retry_after=1800)
    refused = site.get("myself")
    assert (refused.status, refused.headers["retry-after"]) == (429, "1800")
    assert refused.headers["ratelimit-reason"] == "jira-quota-tenant-based"
    assert refused.headers["beta-ratelimit"] == '"global-app-quota";r=0;t=1800'


def test_a_limit_may_come_without_a_time_to_wait() -> None:
    site = Site(burst_get=0, retry_after_missing=True)
    refused = site.get("myself")
    assert refused.status == 429
    assert "retry-after" not in refused.headers


def test_limits_can_be_switched_off() -> None:
    site = Site(rate_limits=False, burst_get=0)
    answer = site.get("myself")
    assert answer.status == 200
    assert not [name for name in answer.headers if "ratelimit" in name]


def test_another_users_calls_draw_on_the_same_burst() -> None:
    site = Site(burst_get=1)
    assert site.get("priority").status == 200
    assert site.get("priority", auth=ENGINEER).status == 429
