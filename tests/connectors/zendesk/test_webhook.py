"""Calls from Zendesk: which are believed, and which tickets they name."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from connectors.contract import Hint, WebhookRequest
from connectors.errors import WebhookRejected
from connectors.zendesk.sandbox import ZendeskSandbox
from connectors.zendesk.webhook import ZendeskWebhook
from tests.connectors.zendesk.account import START, AccountTime, Chance

WEBHOOK = ZendeskWebhook()
SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="
STAMP = "2021-03-25T05:09:27Z"
BODY = b'{"event":"ticket.updated","id":123}'
SIGNATURE = "S/RDdU2ERmj7LHDDoWJ2onPYH+t7/f2+LTM4dL7UiLM="
NOW = datetime(2021, 3, 25, 5, 9, 30, tzinfo=UTC)


def call(
    body: bytes = BODY,
    *,
    stamp: str = STAMP,
    signature: str | None = None,
    secret: str = SECRET,
    invocation: str = "01F",
) -> WebhookRequest:
    if signature is None:
        digest = hmac.new(secret.encode(), stamp.encode() + body, hashlib.sha256).digest()
        signature = base64.b64encode(digest).decode()
    headers = {
        "x-zendesk-webhook-signature": signature,
        "x-zendesk-webhook-signature-timestamp": stamp,
        "x-zendesk-webhook-id": "WH1",
    }
    if invocation:
        headers["x-zendesk-webhook-invocation-id"] = invocation
    return WebhookRequest(headers=headers, body=body)


def event(**more: object) -> bytes:
    body = {
        "type": "zen:event-type:ticket.status_changed",
        "zendesk_event_version": "2022-11-06",
        "subject": "zen:ticket:5158",
        "time": "2026-01-02T03:04:05.678901234Z",
        "detail": {"id": "5158", "status": "SOLVED", "updated_at": "2026-01-02T03:04:05Z"},
        "event": {"previous": "OPEN", "current": "SOLVED"},
    }
    return msgspec.json.encode(body | more)


def test_the_documented_vector_is_believed() -> None:
    assert len(WEBHOOK.verify(call(signature=SIGNATURE), [SECRET], NOW)) == 64


def test_a_recorded_call_stays_the_same_call_under_whatever_invocation_id_it_is_sent_again() -> None:
    ids = {WEBHOOK.verify(call(invocation=name), [SECRET], NOW) for name in ("01F", "01G", "")}
    assert len(ids) == 1


def test_the_signed_bytes_tell_calls_apart() -> None:
    one = WEBHOOK.verify(call(), [SECRET], NOW)
    assert one != WEBHOOK.verify(call(BODY + b" "), [SECRET], NOW)
    assert one != WEBHOOK.verify(call(stamp="2021-03-25T05:10:00Z"), [SECRET], NOW)


def test_while_a_secret_is_replaced_both_are_good() -> None:
    for secret in ("old", "new"):
        assert WEBHOOK.verify(call(secret=secret), ["old", "new"], NOW)


@pytest.mark.parametrize(
    "request_",
    [
        call(signature="S/RDdU2ERmj7LHDDoWJ2onPYH+t7/f2+LTM4dL7UiLN="),
        call(signature=SIGNATURE.lower()),
        call(BODY + b" ", signature=SIGNATURE),
        call(stamp="2021-03-25T05:09:28Z", signature=SIGNATURE),
        call(secret="other"),
        call(signature=""),
        call(stamp=""),
        call(signature="é" * 44),
        WebhookRequest(headers={}, body=BODY),
    ],
)
def test_a_call_whose_signature_does_not_fit_is_refused(request_: WebhookRequest) -> None:
    with pytest.raises(WebhookRejected) as raised:
        WEBHOOK.verify(request_, [SECRET], NOW)
    assert raised.value.status == 401


def test_without_a_secret_nothing_is_believed() -> None:
    with pytest.raises(WebhookRejected, match="webhook_secret"):
        WEBHOOK.verify(call(secret=""), [], NOW)


@pytest.mark.parametrize(
    ("seconds", "good"), [(0, True), (299, True), (300, True), (301, False), (-300, True), (-301, False)]
)
def test_the_signed_time_is_believed_for_five_minutes_either_way(seconds: int, good: bool) -> None:
    now = datetime(2021, 3, 25, 5, 9, 27, tzinfo=UTC) + timedelta(seconds=seconds)
    if good:
        WEBHOOK.verify(call(), [SECRET], now)
    else:
        with pytest.raises(WebhookRejected, match="minutes"):
            WEBHOOK.verify(call(), [SECRET], now)


@pytest.mark.parametrize("stamp", ["yesterday", "2021-03-25T05:09:27", "1616648967"])
def test_a_signed_time_that_cannot_be_read_is_refused(stamp: str) -> None:
    with pytest.raises(WebhookRejected):
        WEBHOOK.verify(call(stamp=stamp), [SECRET], NOW)


def test_an_event_names_its_ticket_and_version() -> None:
    hints = WEBHOOK.keys(call(event()))
    assert hints == (Hint(kind="ticket", id="5158", version="2026-01-02T03:04:05Z", coarse=True),)


def test_an_unknown_event_of_a_ticket_is_read_all_the_same() -> None:
    hints = WEBHOOK.keys(call(event(type="zen:event-type:ticket.something_new", detail=None, event=None)))
    assert hints == (Hint(kind="ticket", id="5158", coarse=True),)


def test_a_merge_names_both_tickets() -> None:
    hints = WEBHOOK.keys(call(event(type="zen:event-type:ticket.merged", event={"target_ticket_id": "77"})))
    assert [hint.id for hint in hints] == ["5158", "77"]


def test_an_event_about_something_else_names_nothing() -> None:
    assert WEBHOOK.keys(call(event(type="zen:event-type:user.created", subject="zen:user:1"))) == ()


def test_a_trigger_names_its_ticket() -> None:
    body = b'{"ticket_id": "123", "updated_at": "2026-01-02T03:04:05+00:00"}'
    assert WEBHOOK.keys(call(body)) == (Hint(kind="ticket", id="123", version="2026-01-02T03:04:05Z", coarse=True),)


@pytest.mark.parametrize("body", [b'{"ticket_id": 123}', b'{"ticket": {"id": 123}}', b'{"id": "#123"}'])
def test_likely_spellings_of_a_trigger_are_understood(body: bytes) -> None:
    assert WEBHOOK.keys(call(body)) == (Hint(kind="ticket", id="123", coarse=True),)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[1]",
        b"{}",
        b'{"ticket_id": "{{ticket.id}}"}',
        b'{"ticket_id": true}',
        b'{"ticket_id": 12.5}',
        b'{"ticket_id": "1' + b"0" * 40 + b'"}',
        b'{"ticket_id": "\\ud800"}',
        b'{"type": "zen:event-type:ticket.created", "subject": "zen:ticket:abc"}',
        b'{"type": "zen:event-type:ticket.created"}',
        b'{"a":' * 100_000,
    ],
)
def test_a_body_that_names_no_ticket_is_malformed(body: bytes) -> None:
    with pytest.raises(WebhookRejected) as raised:
        WEBHOOK.keys(call(body))
    assert raised.value.status == 400


# --- calls that the stand-in makes, which shares no code with the connector ------------------------------------------


def calls_of(subscriptions: list[str], *acts: dict[str, Any]) -> list[WebhookRequest]:
    clock = AccountTime()
    stand_in = ZendeskSandbox(clock.epoch, Chance(4))
    hook = {
        "act": "webhook",
        "endpoint": "http://127.0.0.1:9/hooks/x",
        "secret": SECRET,
        "subscriptions": subscriptions,
    }
    tickets = [stand_in.act({"act": "create"})["ticket"] for _ in range(2)]
    stand_in.act(hook)
    for act in acts:
        stand_in.act({"ticket": tickets[0], **act, **({"from": tickets[1:]} if act["act"] == "merge" else {})})
    sent = stand_in.due_hooks(clock.epoch())
    return [
        WebhookRequest(headers={name.lower(): value for name, value in one.headers.items()}, body=one.body)
        for one in sent
    ]


@pytest.mark.parametrize("kind", ["zen:event-type:ticket.status_changed", "conditional_ticket_events"])
def test_calls_of_both_kinds_are_believed_and_name_their_ticket(kind: str) -> None:
    made = calls_of([kind], {"act": "status", "status": "hold"})
    assert made
    for one in made:
        assert WEBHOOK.verify(one, [SECRET], START)
        (hint,) = WEBHOOK.keys(one)
        assert hint.version


def test_a_merge_that_happened_names_source_and_survivor() -> None:
    made = calls_of(["zen:event-type:ticket.merged"], {"act": "merge"})
    named = {hint.id for one in made for hint in WEBHOOK.keys(one)}
    assert len(named) == 2
