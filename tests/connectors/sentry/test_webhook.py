"""Calls of Sentry's integration platform: which are believed, and what they name."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from connectors.contract import Hint, WebhookRequest
from connectors.errors import WebhookRejected
from connectors.sentry.webhook import SentryWebhook
from tests.connectors.sandbox.receiver import Receiver
from tests.connectors.sentry.organisation import Organisation

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HOOK = SentryWebhook()
SECRET = "client-secret"


def call(body: Any, *, resource: str = "issue", secret: str = SECRET, **headers: str) -> WebhookRequest:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    signed = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    sent = {"sentry-hook-resource": resource, "sentry-hook-signature": signed, "request-id": "a" * 32}
    return WebhookRequest(headers=sent | headers, body=raw)


def issue(number: object = "6000000001") -> dict[str, Any]:
    return {"action": "resolved", "installation": {"uuid": "u"}, "data": {"issue": {"id": number}}, "actor": {}}


def test_a_signed_call_is_believed_and_known_by_its_body() -> None:
    once = HOOK.verify(call(issue()), [SECRET], NOW)
    again = HOOK.verify(call(issue(), **{"request-id": "b" * 32, "sentry-hook-timestamp": "1"}), [SECRET], NOW)
    assert once == again
    assert HOOK.verify(call(issue("7")), [SECRET], NOW) != once


def test_a_call_is_believed_by_any_of_several_secrets() -> None:
    assert HOOK.verify(call(issue()), ["another", SECRET], NOW)


@pytest.mark.parametrize(
    ("request_", "secrets"),
    [
        (call(issue()), []),
        (call(issue(), secret="wrong"), [SECRET]),
        (call(issue(), **{"sentry-hook-signature": ""}), [SECRET]),
        (call(issue(), **{"sentry-hook-signature": "é" * 64}), [SECRET]),
        (WebhookRequest(headers={}, body=b"{}"), [SECRET]),
        (msgspec.structs.replace(call(issue()), body=msgspec.json.encode(issue("8"))), [SECRET]),
    ],
)
def test_a_call_that_is_not_signed_with_our_secret_is_refused(request_: WebhookRequest, secrets: list[str]) -> None:
    with pytest.raises(WebhookRejected) as refused:
        HOOK.verify(request_, secrets, NOW)
    assert refused.value.status == 401


@pytest.mark.parametrize(
    ("resource", "data", "named"),
    [
        ("issue", {"issue": {"id": "6000000001", "status": "ignored"}}, "6000000001"),
        ("issue", {"issue": {"id": 6000000001}}, "6000000001"),
        ("comment", {"comment_id": "3", "issue_id": 6000000001, "comment": "x"}, "6000000001"),
        ("error", {"error": {"issue_id": "6000000001", "tags": [["a", "b"]]}}, "6000000001"),
        ("event_alert", {"event": {"issue_id": "6000000001"}, "triggered_rule": "x"}, "6000000001"),
    ],
)
def test_a_call_names_the_issue_to_read(resource: str, data: dict[str, Any], named: str) -> None:
    assert HOOK.keys(call({"action": "x", "data": data}, resource=resource)) == (Hint(kind="issue", id=named),)


@pytest.mark.parametrize("resource", ["installation", "metric_alert", "seer", "of_a_later_version"])
def test_a_call_about_something_else_names_nothing(resource: str) -> None:
    assert HOOK.keys(call({"action": "created", "data": {"installation": {"uuid": "u"}}}, resource=resource)) == ()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, {"data": {}}, issue("x"), issue(None)]
)
def test_a_call_without_an_issue_is_malformed(body: Any) -> None:
    with pytest.raises(WebhookRejected) as refused:
        HOOK.keys(call(body))
    assert refused.value.status == 400


def test_the_calls_that_sentry_makes_are_believed_and_name_their_issue(sentry: Organisation) -> None:
    receiver = Receiver([])
    try:
        sentry.act("webhook", url=receiver.url, resources=["issue", "comment"], secret=SECRET)
        number = sentry.event()
        sentry.act("resolve", issue=number)
        sentry.act("comment", issue=number, text="Fixed?")
        for _ in range(3):
            assert receiver.arrived.acquire(timeout=5)
    finally:
        receiver.close()
    calls = [
        WebhookRequest(headers={name.lower(): value for name, value in sent.items()}, body=body)
        for sent, body in zip(receiver.headers, receiver.bodies, strict=True)
    ]
    assert len({HOOK.verify(each, [SECRET], NOW) for each in calls}) == 3
    assert {hint.id for each in calls for hint in HOOK.keys(each)} == {number}
