"""Checklist line 6: the webhook sender: headers, signature, both styles, repeats, order, the breaker (A8)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.sandbox.wire import OutgoingHook
from connectors.zendesk.sandbox.tickets import AGENT, HUB
from connectors.zendesk.sandbox.webhooks import TEST_SECRET, signature
from tests.connectors.sandbox.receiver import Receiver, until
from tests.connectors.zendesk.sandbox.site import AGENT as AGENT_LOGIN
from tests.connectors.zendesk.sandbox.site import START, Site

TICKET = "zen:event-type:ticket."
EVENTS = [TICKET + name for name in ("created", "status_changed", "tags_changed", "comment_added", "merged")]


@pytest.fixture
def site() -> Iterator[Site]:
    """A stand-in whose webhook calls are taken by the test instead of being sent."""
    site = Site(sends=False)
    yield site
    site.close()


def register(site: Site, *subscriptions: str, **more: Any) -> Any:
    wanted = {
        "name": "hypercare",
        "endpoint": "http://127.0.0.1:9/hooks/support",
        "http_method": "POST",
        "request_format": "json",
        "status": "active",
        "subscriptions": list(subscriptions or EVENTS),
        **more,
    }
    answer = site.call("POST", "/api/v2/webhooks", {"webhook": wanted})
    assert answer.status_code == 201, answer.text
    return answer.json()["webhook"]


def bodies(calls: list[OutgoingHook]) -> list[Any]:
    return [json.loads(call.body) for call in calls]


def test_a8_the_signature_is_the_published_vector() -> None:
    body = b'{"event":"ticket.updated","id":123}'
    assert signature(TEST_SECRET, "2021-03-25T05:09:27Z", body) == "S/RDdU2ERmj7LHDDoWJ2onPYH+t7/f2+LTM4dL7UiLM="


def test_line_6_a_call_carries_the_vendors_headers_and_verifies(site: Site) -> None:
    hook = register(site)
    secret = site.get(f"/api/v2/webhooks/{hook['id']}/signing_secret")["signing_secret"]
    assert secret["algorithm"] == "SHA256"
    site.ticket()
    (call,) = site.hooks()
    headers = call.headers
    assert headers["User-Agent"] == "Zendesk Webhook"
    assert headers["X-Zendesk-Account-Id"] == "18525119"
    assert headers["X-Zendesk-Webhook-Id"] == hook["id"]
    assert headers["X-Zendesk-Webhook-Signature-Timestamp"] == "2026-01-02T03:04:05Z"
    assert len(headers["X-Zendesk-Webhook-Invocation-Id"]) == 26
    signed = signature(secret["secret"], headers["X-Zendesk-Webhook-Signature-Timestamp"], call.body)
    assert headers["X-Zendesk-Webhook-Signature"] == signed


def test_line_6_event_bodies_have_text_ids_and_upper_case_enumerations(site: Site) -> None:
    register(site)
    number = site.ticket(priority="high", type="incident")
    site.hooks()
    site.act("status", ticket=number, status="solved")
    (body,) = bodies(site.hooks())
    assert body["type"] == TICKET + "status_changed"
    assert body["subject"] == f"zen:ticket:{number}"
    assert body["zendesk_event_version"] == "2022-11-06"
    assert (body["event"]["previous"], body["event"]["current"]) == ("NEW", "SOLVED")
    assert body["event"]["meta"]["sequence"]["position"] >= 1
    detail = body["detail"]
    assert (detail["id"], detail["status"], detail["priority"], detail["type"]) == (
        str(number), "SOLVED", "HIGH", "INCIDENT"
    )  # fmt: skip
    assert (detail["actor_id"], detail["requester_id"]) == (str(AGENT.id), str(HUB.id))


def test_line_6_one_audit_may_be_several_events_in_a_sequence(site: Site) -> None:
    register(site)
    number = site.ticket()
    site.hooks()
    site.put(number, status="open", tags=["a"], comment={"body": "note", "public": False})
    told = bodies(site.hooks())
    assert [body["type"].removeprefix(TICKET) for body in told] == ["comment_added", "status_changed", "tags_changed"]
    assert told[0]["event"]["comment"]["is_public"] is False
    assert told[2]["event"]["tags_added"] == ["a"]
    assert len({body["event"]["meta"]["sequence"]["id"] for body in told}) == 1


@pytest.mark.parametrize(
    ("act", "event"),
    [("delete", "soft_deleted"), ("restore", "undeleted"), ("erase", "permanently_deleted")],
)
def test_a8_deleting_and_restoring_are_events(site: Site, act: str, event: str) -> None:
    register(site, TICKET + event)
    number = site.ticket()
    if act != "delete":
        site.act("delete", ticket=number)
    site.act(act, ticket=number)
    assert [body["type"] for body in bodies(site.hooks())] == [TICKET + event]


def test_a8_a_merge_names_its_target(site: Site) -> None:
    register(site, TICKET + "merged")
    target, source = site.ticket(), site.ticket()
    site.act("merge", ticket=target, **{"from": [source]})
    (body,) = bodies(site.hooks())
    assert (body["detail"]["id"], body["event"]["target_ticket_id"]) == (str(source), str(target))


def test_line_6_trigger_style_fills_a_template_without_escaping(site: Site) -> None:
    register(site, "conditional_ticket_events")
    number = site.ticket(subject='a "quoted" title')
    (call,) = site.hooks()
    assert json.loads(call.body) == {"ticket_id": str(number), "updated_at": "2026-01-02T03:04:05Z"}
    site.switch(trigger_template='{"title":"{{ticket.title}}","status":"{{ticket.status}}"}')
    site.put(number, status="open")
    (call,) = site.hooks()
    assert call.body == b'{"title":"a "quoted" title","status":"Open"}'


def test_line_6_a_repeat_has_the_same_invocation_id(site: Site) -> None:
    register(site)
    site.ticket()
    (first,) = site.hooks()
    site.sandbox.hook_answered(first, 503, site.now)
    assert site.hooks() == []
    site.now += 5
    (again,) = site.hooks()
    assert again.headers == first.headers
    assert (again.body, again.attempt) == (first.body, 1)


def test_line_6_a_repeat_may_be_stamped_anew(site: Site) -> None:
    site.switch(hook_retry_fresh_stamp=True)
    register(site)
    site.ticket()
    (first,) = site.hooks()
    site.sandbox.hook_answered(first, None, site.now)
    site.now += 5
    (again,) = site.hooks()
    name = "X-Zendesk-Webhook-Signature-Timestamp"
    assert (first.headers[name], again.headers[name]) == ("2026-01-02T03:04:05Z", "2026-01-02T03:04:10Z")


@pytest.mark.parametrize(("status", "calls"), [(200, 1), (500, 1), (404, 1), (409, 4), (429, 4), (503, 4), (None, 6)])
def test_a8_only_some_answers_are_repeated(site: Site, status: int | None, calls: int) -> None:
    hook = register(site)
    site.ticket()
    made = 0
    for _ in range(10):
        for call in site.hooks():
            made += 1
            site.sandbox.hook_answered(call, status, site.now)
        site.now += 200
    assert made == calls
    (invocation,) = site.get(f"/api/v2/webhooks/{hook['id']}/invocations")["invocations"]
    assert invocation["status"] == ("success" if status == 200 else "terminated")
    attempts = site.get(f"/api/v2/webhooks/{hook['id']}/invocations/{invocation['id']}/attempts")["attempts"]
    assert len(attempts) == calls


def test_line_6_the_time_factor_shortens_the_waits(site: Site) -> None:
    site.switch(time_factor=50)
    register(site)
    site.ticket()
    (first,) = site.hooks()
    site.sandbox.hook_answered(first, 503, site.now)
    site.now += 0.11
    assert len(site.hooks()) == 1


def test_line_6_calls_may_come_twice(site: Site) -> None:
    site.switch(hook_duplicates=1.0)
    register(site)
    site.ticket()
    site.now += 5
    one, two = site.hooks()
    assert one.headers["X-Zendesk-Webhook-Invocation-Id"] == two.headers["X-Zendesk-Webhook-Invocation-Id"]


def test_line_6_calls_may_overtake_one_another(site: Site) -> None:
    site.switch(hook_shuffle=30)
    register(site, TICKET + "created")
    numbers = [site.ticket() for _ in range(8)]
    site.now += 30
    order = [int(body["detail"]["id"]) for body in bodies(site.hooks())]
    assert sorted(order) == numbers
    assert order != numbers


def test_line_6_calls_may_be_lost_or_late(site: Site) -> None:
    site.switch(hook_drops=1.0)
    register(site)
    site.ticket()
    assert site.hooks() == []
    assert site.state()["hooks"]["dropped"] == 1
    site.switch(hook_drops=0.0, hook_delay=20)
    site.ticket()
    assert site.hooks() == []
    site.now += 20
    assert len(site.hooks()) == 1


def test_a8_the_breaker_opens_at_seventy_per_cent_and_rests(site: Site) -> None:
    site.switch(hook_breaker_least=10, limits=False)
    hook = register(site, TICKET + "created")
    for place in range(10):
        site.ticket()
        (call,) = site.hooks()
        site.sandbox.hook_answered(call, 200 if place < 3 else 500, site.now)
    site.ticket()
    assert site.hooks() == []
    assert site.get(f"/api/v2/webhooks/{hook['id']}/invocations")["invocations"][0]["status"] == "circuit broken"
    site.now += 300
    site.ticket()
    assert len(site.hooks()) == 1


def test_a8_webhooks_are_made_read_changed_and_deleted(site: Site) -> None:
    authentication = {"type": "basic_auth", "data": {"username": "u", "password": "p"}, "add_position": "header"}
    hook = register(site, description="d", authentication=authentication)
    assert hook["authentication"]["data"] == {"username": "u"}
    assert site.get(f"/api/v2/webhooks/{hook['id']}")["webhook"] == hook
    assert site.call("PATCH", f"/api/v2/webhooks/{hook['id']}", {"webhook": {"status": "inactive"}}).status_code == 204
    site.ticket()
    assert site.hooks() == []
    whole = {"name": "n", "endpoint": "http://127.0.0.1:9/", "http_method": "POST", "request_format": "json"}
    body = {"webhook": {**whole, "status": "active"}}
    assert site.call("PUT", f"/api/v2/webhooks/{hook['id']}", body).status_code == 204
    site.ticket()
    (call,) = site.hooks()
    assert call.headers["Authorization"] == "Basic dTpw"
    listed = site.get("/api/v2/webhooks?filter[name_contains]=n")
    assert ([row["name"] for row in listed["webhooks"]], listed["meta"]["has_more"]) == (["n"], False)
    assert site.call("DELETE", f"/api/v2/webhooks/{hook['id']}").status_code == 204
    assert site.call("GET", f"/api/v2/webhooks/{hook['id']}").status_code == 404


def test_a8_resetting_the_secret_changes_signatures(site: Site) -> None:
    path = f"/api/v2/webhooks/{register(site)['id']}/signing_secret"
    old = site.get(path)["signing_secret"]["secret"]
    reset = site.call("POST", path)
    assert reset.status_code == 201
    assert reset.json()["signing_secret"]["secret"] != old
    site.ticket()
    (call,) = site.hooks()
    assert call.headers["X-Zendesk-Webhook-Signature"] != signature(old, "2026-01-02T03:04:05Z", call.body)


def test_a8_the_test_button_signs_with_the_published_secret(site: Site) -> None:
    hook = register(site)
    assert site.call("POST", f"/api/v2/webhooks/test?webhook_id={hook['id']}").status_code == 200
    (call,) = site.hooks()
    assert call.headers["X-Zendesk-Webhook-Signature"] == signature(TEST_SECRET, "2026-01-02T03:04:05Z", call.body)


def test_a8_events_and_triggers_cannot_be_mixed_or_switched(site: Site) -> None:
    wanted = {"name": "n", "endpoint": "http://127.0.0.1:9/", "http_method": "POST", "request_format": "json"}
    mixed = {"webhook": {**wanted, "subscriptions": ["conditional_ticket_events", EVENTS[0]]}}
    assert site.call("POST", "/api/v2/webhooks", mixed).status_code == 400
    hook = register(site)
    change = {"webhook": {"subscriptions": ["conditional_ticket_events"]}}
    assert site.call("PATCH", f"/api/v2/webhooks/{hook['id']}", change).status_code == 400


def test_a8_webhooks_need_an_administrator(site: Site) -> None:
    assert site.call("GET", "/api/v2/webhooks", auth=AGENT_LOGIN).status_code == 403


def test_a_person_registers_a_webhook_by_hand_with_a_known_secret(site: Site) -> None:
    made = site.act("webhook", endpoint="http://127.0.0.1:9/hooks/support", secret="s3cret")
    site.ticket()
    (call,) = site.hooks()
    assert call.headers["X-Zendesk-Webhook-Id"] == made["id"]
    assert call.headers["X-Zendesk-Webhook-Signature"] == signature("s3cret", "2026-01-02T03:04:05Z", call.body)
    assert call.not_before == START


def test_line_6_the_server_makes_the_calls_and_repeats_them() -> None:
    receiver = Receiver([503])
    site = Site()
    try:
        site.act("webhook", endpoint=receiver.url, secret="s3cret")
        site.ticket()
        until(lambda: len(receiver.bodies) == 1)
        until(lambda: site.state()["hooks"]["waiting"] == 1)
        site.now += 5
        until(lambda: len(receiver.bodies) == 2)
    finally:
        site.close()
        receiver.close()
    first, again = receiver.headers
    name = "X-Zendesk-Webhook-Invocation-Id"
    assert first[name] == again[name]
    stamped = first["X-Zendesk-Webhook-Signature-Timestamp"]
    assert first["X-Zendesk-Webhook-Signature"] == signature("s3cret", stamped, receiver.bodies[0])
