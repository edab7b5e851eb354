"""Checklist Jira 6: the webhook sender."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import msgspec
import pytest

from connectors.jira.sandbox.webhooks import signature
from connectors.sandbox.wire import OutgoingHook
from tests.connectors.jira.sandbox.site import ENGINEER, CountingRng, Site

SECRET = "It's a Secret to Everybody"
URL = "https://hub.example/hooks/jira"


def hooked(rng: CountingRng | None = None, **switches: Any) -> Site:
    site = Site(rng=rng, **switches)
    body = {
        "name": "hub",
        "url": URL,
        "events": [
            "jira:issue_created",
            "jira:issue_updated",
            "jira:issue_deleted",
            "comment_created",
            "comment_deleted",
            "issuelink_created",
            "issuelink_deleted",
        ],
        "filters": {"issue-related-events-section": "project = OPS"},
        "secret": SECRET,
    }
    assert site.post("/rest/webhooks/1.0/webhook", body).status == 201
    return site


def told(calls: list[OutgoingHook]) -> list[Any]:
    return [msgspec.json.decode(call.body) for call in calls]


def names(calls: list[OutgoingHook]) -> list[str]:
    return [body["webhookEvent"] for body in told(calls)]


def test_the_signature_is_the_vendors_published_one() -> None:
    wanted = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    assert signature(SECRET, b"Hello World!") == wanted


def test_an_admin_webhook_is_signed_and_identified() -> None:
    site = hooked()
    site.create()
    (call,) = site.hooks()
    wanted = "sha256=" + hmac.new(SECRET.encode(), call.body, hashlib.sha256).hexdigest()
    assert call.headers["x-hub-signature"] == wanted
    assert call.headers["x-atlassian-webhook-flow"] == "Primary"
    assert call.headers["user-agent"] == "Atlassian Webhook HTTP Client"
    assert len(call.headers["x-atlassian-webhook-identifier"]) == 32
    assert "x-atlassian-webhook-retry" not in call.headers
    assert call.url == URL


def test_an_update_tells_who_changed_what() -> None:
    site = hooked()
    key = site.create()
    site.hooks()
    site.act("transition", issue=key, to="In Progress")
    (body,) = told(site.hooks())
    assert body["webhookEvent"] == "jira:issue_updated"
    assert body["issue_event_type_name"] == "issue_generic"
    assert body["user"]["accountId"] == "712020:engineer"
    assert body["issue"]["key"] == key
    assert body["issue"]["fields"]["status"]["name"] == "In Progress"
    assert [(item["field"], item["toString"]) for item in body["changelog"]["items"]] == [("status", "In Progress")]
    assert body["timestamp"] == site.issue(key)["updated"]


def test_a_comment_fires_two_events_and_by_switch_one() -> None:
    site = hooked()
    key = site.create()
    site.hooks()
    site.act("comment", issue=key, body="hello")
    both = told(site.hooks())
    assert [body["webhookEvent"] for body in both] == ["jira:issue_updated", "comment_created"]
    assert both[0]["issue_event_type_name"] == "issue_commented"
    assert both[0]["comment"]["id"] == both[1]["comment"]["id"]
    assert set(both[1]["issue"]["fields"]) == {"summary", "issuetype", "project", "priority", "status"}
    assert both[1]["comment"]["body"] == "hello"
    site.switch(comment_fires_update=False)
    site.act("comment", issue=key, body="again")
    assert names(site.hooks()) == ["comment_created"]


def test_a_link_event_has_ids_and_no_keys() -> None:
    site = hooked()
    one, two = site.create(), site.create()
    site.hooks()
    site.act("link", issue=one, other=two, type="Blocks")
    link = next(body for body in told(site.hooks()) if body["webhookEvent"] == "issuelink_created")["issueLink"]
    assert (link["sourceIssueId"], link["destinationIssueId"]) == (10000, 10001)
    assert link["issueLinkType"]["name"] == "Blocks"
    assert one not in msgspec.json.encode(link).decode()


def test_a_deletion_is_told_first_and_what_hung_on_it_later() -> None:
    site = hooked()
    one, two = site.create(), site.create()
    site.act("comment", issue=one, body="hello")
    site.act("link", issue=one, other=two)
    site.hooks()
    site.delete(f"issue/{one}")
    now = site.hooks()
    assert names(now) == ["jira:issue_updated", "jira:issue_updated", "jira:issue_deleted"]
    site.clock.pass_by(6)
    later = site.hooks()
    assert sorted(names(later)) == ["comment_deleted", "issuelink_deleted"]
    assert {call.headers["x-atlassian-webhook-flow"] for call in later} == {"Secondary"}


def test_a_move_is_told_as_an_update_of_key_and_project() -> None:
    site = hooked()
    site.act("webhook", url="https://all.example", name="all")
    key = site.create()
    site.hooks()
    site.act("move", issue=key, project="WEB")
    (body,) = told(site.hooks())
    assert body["issue_event_type_name"] == "issue_moved"
    assert [item["field"] for item in body["changelog"]["items"]] == ["project", "Key"]


def test_remote_links_and_properties_are_not_told() -> None:
    site = hooked()
    key = site.create()
    site.hooks()
    site.act("remote_link", issue=key, url="https://z.example/1")
    site.act("property", issue=key, key="hub", value=1)
    assert site.hooks() == []


def test_the_filter_and_the_list_of_events_decide() -> None:
    site = hooked()
    site.act("create", summary="x", project="WEB")
    assert site.hooks() == []
    site.create()
    assert names(site.hooks()) == ["jira:issue_created"]


# --- delivery --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 503, None])
def test_a_call_is_tried_again_only_for_the_listed_answers(status: int | None) -> None:
    site = hooked()
    site.create()
    (call,) = site.hooks()
    site.sandbox.hook_answered(call, status, site.clock())
    site.clock.pass_by(299)
    assert site.hooks() == []
    site.clock.pass_by(602)
    (again,) = site.hooks()
    assert again.body == call.body
    assert again.headers["x-atlassian-webhook-retry"] == "1"
    same = "x-atlassian-webhook-identifier"
    assert again.headers[same] == call.headers[same]
    assert again.headers["x-hub-signature"] == call.headers["x-hub-signature"]


@pytest.mark.parametrize("status", [200, 202, 301, 400, 401, 403, 404, 410, 413])
def test_a_call_is_not_tried_again_for_other_answers(status: int) -> None:
    site = hooked()
    site.create()
    (call,) = site.hooks()
    site.sandbox.hook_answered(call, status, site.clock())
    site.clock.pass_by(86_400)
    assert site.hooks() == []


def test_five_retries_are_the_end() -> None:
    site = hooked(hook_failing_after=1e9)
    site.create()
    seen: list[str | None] = []
    for _ in range(8):
        for call in site.hooks():
            seen.append(call.headers.get("x-atlassian-webhook-retry"))
            site.sandbox.hook_answered(call, 503, site.clock())
        site.clock.pass_by(901)
    assert seen == [None, "1", "2", "3", "4", "5"]
    assert len(site.sandbox.sender.failed) == 1


def test_after_half_an_hour_of_failures_calls_are_single_attempts() -> None:
    site = hooked()
    key = site.create()
    for _ in range(4):
        for call in site.hooks():
            site.sandbox.hook_answered(call, 503, site.clock())
        site.clock.pass_by(901)
    site.act("add_label", issue=key, label="a")
    fresh = [call for call in site.hooks() if call.attempt == 0]
    assert len(fresh) == 1
    site.sandbox.hook_answered(fresh[0], 503, site.clock())
    site.clock.pass_by(86_400)
    assert [call for call in site.hooks() if call.body == fresh[0].body] == []


def test_retries_are_shortened_by_the_time_factor() -> None:
    site = hooked(time_factor=300.0)
    site.create()
    (call,) = site.hooks()
    site.sandbox.hook_answered(call, 503, site.clock())
    site.clock.pass_by(3.1)
    assert len(site.hooks()) == 1


def test_calls_may_come_twice_under_one_identifier() -> None:
    site = hooked(hook_duplicates=1.0)
    site.create()
    first = site.hooks()
    site.clock.pass_by(1.1)
    second = site.hooks()
    assert len(first) == len(second) == 1
    assert first[0].headers == second[0].headers


def test_calls_may_be_dropped_delayed_or_out_of_order() -> None:
    site = hooked(hook_drops=1.0)
    key = site.create()
    assert site.hooks() == []
    site.switch(hook_drops=0.0, hook_delay=30.0)
    site.act("add_label", issue=key, label="a")
    assert site.hooks() == []
    site.clock.pass_by(30.1)
    assert len(site.hooks()) == 1
    shuffled = hooked(CountingRng(0.0, 0.9, 0.9), hook_reorder=0.5, hook_reorder_within=30.0)
    key = shuffled.create()
    shuffled.act("add_label", issue=key, label="a")
    shuffled.clock.pass_by(60)
    assert names(shuffled.hooks()) == ["jira:issue_updated", "jira:issue_created"]


def test_a_body_over_the_limit_is_never_sent() -> None:
    site = hooked(hook_body_limit=100)
    site.create()
    assert site.hooks() == []


# --- registering -----------------------------------------------------------------------------------------------


def test_only_an_administrator_registers_a_webhook() -> None:
    site = Site()
    body = {"name": "x", "url": URL, "events": []}
    assert site.post("/rest/webhooks/1.0/webhook", body, auth=ENGINEER).status == 403
    assert site.get("/rest/webhooks/1.0/webhook", auth=ENGINEER).status == 403


def test_an_admin_webhook_is_listed_changed_and_removed_and_its_secret_never_shown() -> None:
    site = hooked()
    (shown,) = site.get("/rest/webhooks/1.0/webhook").json
    assert shown["filters"] == {"issue-related-events-section": "project = OPS"}
    assert SECRET not in msgspec.json.encode(shown).decode()
    path = "/rest/webhooks/1.0/webhook/" + shown["self"].rsplit("/", 1)[1]
    assert site.put(path, {"enabled": False}).json["enabled"] is False
    site.create()
    assert site.hooks() == []
    assert site.put(path, {"enabled": True}).status == 200
    site.create()
    (call,) = site.hooks()
    assert call.headers["x-hub-signature"] == signature(SECRET, call.body)
    assert site.delete(path).status == 204
    assert site.get(path).status == 404


def test_a_webhook_with_a_broken_filter_or_without_https_is_refused() -> None:
    site = Site(hook_https_only=True)
    body = {"name": "x", "url": URL, "events": [], "filters": {"issue-related-events-section": "colour = red"}}
    assert site.post("/rest/webhooks/1.0/webhook", body).status == 400
    assert site.post("/rest/webhooks/1.0/webhook", body | {"filters": {}, "url": "http://x.example"}).status == 400
    assert site.post("/rest/webhooks/1.0/webhook", {"name": "x"}).status == 400


def test_dynamic_webhooks_are_refused_to_a_token() -> None:
    site = Site()
    for method, path in (
        ("POST", "webhook"),
        ("GET", "webhook"),
        ("PUT", "webhook/refresh"),
        ("GET", "webhook/failed"),
    ):
        assert site.call(method, path, {} if method != "GET" else None).status == 403


def test_a_dynamic_webhook_carries_a_jwt_and_dies_after_thirty_days() -> None:
    site = Site()
    app = "Bearer app-access-token"
    wanted = [
        {"events": ["jira:issue_created"], "jqlFilter": "project = OPS"},
        {"events": [], "jqlFilter": "colour = 1"},
    ]
    answer = site.post("webhook", {"url": URL, "webhooks": wanted}, auth=app).json["webhookRegistrationResult"]
    assert list(answer[0]) == ["createdWebhookId"]
    assert list(answer[1]) == ["errors"]
    number = answer[0]["createdWebhookId"]
    site.create()
    (call,) = site.hooks()
    assert "x-hub-signature" not in call.headers
    assert msgspec.json.decode(call.body)["matchedWebhookIds"] == [number]
    head, claims, mac = call.headers["authorization"].removeprefix("Bearer ").split(".")
    made = hmac.new(b"app-client-secret", f"{head}.{claims}".encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64encode(made).rstrip(b"=").decode() == mac
    site.clock.pass_by(29 * 86_400)
    assert site.put("webhook/refresh", {"webhookIds": [number]}, auth=app).status == 200
    site.clock.pass_by(29 * 86_400)
    site.create()
    assert len(site.hooks()) == 1
    site.clock.pass_by(2 * 86_400)
    site.create()
    assert site.hooks() == []
    assert site.get("webhook", auth=app).json["total"] == 1
    assert site.delete("webhook", {"webhookIds": [number]}, auth=app).status == 202
    assert site.get("webhook", auth=app).json["total"] == 0
