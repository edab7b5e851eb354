from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from connectors.contract import Hint, WebhookRequest
from connectors.errors import WebhookRejected
from connectors.jira import CONNECTOR
from connectors.jira.webhook import AHEAD, WINDOW, keys, verify, verify_jwt
from tests.connectors.jira.made import NOW, issue, signed, token

EVENT = {
    "timestamp": int(NOW.timestamp() * 1000),
    "webhookEvent": "jira:issue_updated",
    "issue_event_type_name": "issue_generic",
    "user": {"accountId": "abc:1"},
    "issue": issue(),
    "changelog": {"id": "10124", "items": []},
}


def at(minutes: float, **more: Any) -> Any:
    return {**EVENT, "timestamp": int((NOW + timedelta(minutes=minutes)).timestamp() * 1000), **more}


def bare(body: Any, query: Any = None, **headers: str) -> WebhookRequest:
    return WebhookRequest(headers=headers, body=json.dumps(body).encode(), query=query or {})


# --- genuine ---------------------------------------------------------------------------------------------------------


def test_the_published_vector_of_the_signature_is_believed() -> None:
    # The body is no JSON, so the signature is good and the body is what is refused.
    request = WebhookRequest(
        headers={"x-hub-signature": "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"},
        body=b"Hello World!",
    )
    with pytest.raises(WebhookRejected, match="not JSON") as caught:
        verify(request, ["It's a Secret to Everybody"], NOW)
    assert caught.value.status == 400


def test_a_recorded_call_stays_the_same_call_under_whatever_identifier_it_is_sent_again() -> None:
    requests = [signed(EVENT, **{"x-atlassian-webhook-identifier": name}) for name in ("abc-1", "abc-2")]
    assert len({verify(request, ["s3cret"], NOW) for request in (*requests, signed(EVENT))}) == 1


def test_the_body_is_the_delivery_id() -> None:
    first, again, other = (verify(signed(body), ["s3cret"], NOW) for body in (EVENT, EVENT, at(1)))
    assert first == again
    assert first != other


def test_any_of_several_secrets_is_good_while_one_replaces_another() -> None:
    assert verify(signed(EVENT, "new"), ["old", "new"], NOW)
    assert verify(signed(EVENT, "old"), ["old", "new"], NOW)


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "not signed"),
        ({"x-hub-signature": "sha256=" + "0" * 64}, "does not fit"),
        ({"x-hub-signature": "sha256="}, "does not fit"),
        ({"x-hub-signature": "sha256=é"}, "does not fit"),
        ({"x-hub-signature": "sha1=" + "0" * 40}, "not made with sha256"),
        ({"x-hub-signature": "0" * 64}, "not made with sha256"),
        ({"x-hub-signature": ""}, "not made with sha256"),
        ({"authorization": "Basic aHViOnM="}, "not signed"),
    ],
)
def test_a_call_that_is_not_signed_well_is_refused(headers: dict[str, str], words: str) -> None:
    with pytest.raises(WebhookRejected, match=words) as caught:
        verify(bare(EVENT, **headers), ["s3cret"], NOW)
    assert caught.value.status == 401


def test_a_changed_body_is_refused() -> None:
    request = signed(EVENT)
    forged = WebhookRequest(headers=request.headers, body=request.body.replace(b"10001", b"10002"))
    with pytest.raises(WebhookRejected, match="does not fit"):
        verify(forged, ["s3cret"], NOW)


@pytest.mark.parametrize("secrets", [[], [""]])
def test_without_a_secret_no_call_is_believed(secrets: list[str]) -> None:
    with pytest.raises(WebhookRejected, match="No webhook secret"):
        verify(signed(EVENT, ""), secrets, NOW)


def test_a_wrong_signature_is_not_saved_by_a_good_secret_in_the_address() -> None:
    request = bare(EVENT, {"secret": "s3cret"}, **{"x-hub-signature": "sha256=" + "0" * 64})
    with pytest.raises(WebhookRejected, match="does not fit"):
        verify(request, ["s3cret"], NOW)


def test_data_center_may_carry_the_secret_in_the_address() -> None:
    assert verify(bare(EVENT, {"secret": "s3cret"}), ["s3cret"], NOW).startswith("body-")
    with pytest.raises(WebhookRejected, match="secret in the address is wrong"):
        verify(bare(EVENT, {"secret": "guess"}), ["s3cret"], NOW)


# --- tokens of dynamic webhooks --------------------------------------------------------------------------------------

ENDS = int(NOW.timestamp()) + 180


@pytest.mark.parametrize("scheme", ["JWT", "Bearer", "bearer"])
def test_a_dynamic_webhook_is_believed_by_its_token(scheme: str) -> None:
    request = bare(EVENT, authorization=f"{scheme} {token({'iss': 'app', 'exp': ENDS})}")
    assert verify(request, ["s3cret"], NOW)


def test_the_vector_of_rfc_7515_is_computed_alike() -> None:
    # RFC 7515, A.1: the key is given as base64url; its token ended in 2011.
    key = bytes.fromhex(
        "0323354b2b0fa5bc837e0665777ba68f5ab328e6f054c928a90f84b2d2502ebf"
        "d3fb5a92d20647ef968ab4c377623d223d2e2172052e4f08c0cd9af567d080a3"
    )
    text = (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )
    then = NOW.fromtimestamp(1300819370, NOW.tzinfo)
    assert verify_jwt(text, [key], then)["iss"] == "joe"
    with pytest.raises(WebhookRejected, match="has ended"):
        verify_jwt(text, [key], NOW)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (token({"exp": ENDS}, "wrong"), "signature is wrong"),
        (token({"exp": ENDS}, header={"alg": "none"}), "not signed with HS256"),
        (token({"exp": ENDS}, header={"alg": "HS512"}), "not signed with HS256"),
        (token({"exp": ENDS}, header={"alg": ["HS256"]}), "not signed with HS256"),
        (token({}), "does not say when it ends"),
        (token({"exp": True}), "does not say when it ends"),
        (token({"exp": ENDS - 300}), "has ended"),
        (token({"exp": ENDS, "nbf": ENDS}), "not valid yet"),
        (token([1]), "not a JSON Web Token"),
        ("a.b", "not a JSON Web Token"),
        ("a.b.c.d", "not a JSON Web Token"),
        ("é.é.é", "not a JSON Web Token"),
        ("", "not a JSON Web Token"),
        (token({"exp": ENDS}).rpartition(".")[0] + ".", "signature is wrong"),
    ],
)
def test_a_token_that_is_not_good_is_refused(text: str, words: str) -> None:
    with pytest.raises(WebhookRejected, match=words):
        verify_jwt(text, [b"s3cret"], NOW)


# --- fresh -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("age", [timedelta(0), timedelta(minutes=90), WINDOW, -AHEAD])
def test_a_call_within_the_window_of_all_retries_is_believed(age: timedelta) -> None:
    assert verify(signed(at(-age.total_seconds() / 60)), ["s3cret"], NOW)


@pytest.mark.parametrize(
    ("age", "words"),
    [(WINDOW + timedelta(seconds=1), "older than 100 minutes"), (-AHEAD - timedelta(seconds=1), "future")],
)
def test_a_call_outside_of_the_window_is_refused(age: timedelta, words: str) -> None:
    with pytest.raises(WebhookRejected, match=words) as caught:
        verify(signed(at(-age.total_seconds() / 60)), ["s3cret"], NOW)
    assert caught.value.status == 401


def test_a_call_without_a_time_is_told_apart_by_its_delivery_id() -> None:
    body = {key: value for key, value in EVENT.items() if key != "timestamp"}
    assert verify(signed(body), ["s3cret"], NOW)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{", b"\xff", b"[" * 100_000, json.dumps({"timestamp": "noon"}).encode()]
)
def test_a_signed_body_that_is_no_event_is_malformed(body: bytes) -> None:
    with pytest.raises(WebhookRejected) as caught:
        verify(signed(body), ["s3cret"], NOW)
    assert caught.value.status == 400


# --- which issues ----------------------------------------------------------------------------------------------------


def test_an_issue_event_names_the_issue_and_its_version() -> None:
    assert keys(bare(EVENT)) == (Hint(kind="issue", id="10001", version="2026-01-02T03:04:05.678Z"),)


def test_a_deleted_issue_is_named_without_a_version_so_that_it_is_looked_for() -> None:
    assert keys(bare(at(0, webhookEvent="jira:issue_deleted"))) == (Hint(kind="issue", id="10001"),)


def test_a_comment_event_names_its_issue() -> None:
    body = {
        "webhookEvent": "comment_created",
        "comment": {"id": "5"},
        "issue": {"id": "10002", "key": "A-2", "fields": {"summary": "s"}},
    }
    assert keys(bare(body)) == (Hint(kind="issue", id="10002"),)


def test_an_issue_link_event_names_both_ends() -> None:
    body = {
        "webhookEvent": "issuelink_created",
        "issueLink": {"id": 1, "sourceIssueId": 10001, "destinationIssueId": 10002},
    }
    assert keys(bare(body)) == (Hint(kind="issue", id="10001"), Hint(kind="issue", id="10002"))


def test_a_worklog_event_names_its_issue() -> None:
    assert keys(bare({"webhookEvent": "worklog_created", "worklog": {"issueId": "10003"}})) == (
        Hint(kind="issue", id="10003"),
    )


@pytest.mark.parametrize("event", ["sprint_started", "jira:version_released", "user_created", "project_deleted"])
def test_an_event_about_something_else_names_no_issue(event: str) -> None:
    assert keys(bare({"webhookEvent": event, "timestamp": 1})) == ()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"webhookEvent": 5},
        {"webhookEvent": "jira:issue_updated"},
        {"webhookEvent": "jira:issue_updated", "issue": {"id": "../../x"}},
        {"webhookEvent": "jira:issue_updated", "issue": {"id": True}},
        {"webhookEvent": "comment_created", "comment": {}},
        {"webhookEvent": "issuelink_created", "issueLink": {}},
    ],
)
def test_a_body_that_names_nothing_is_malformed(body: Any) -> None:
    with pytest.raises(WebhookRejected) as caught:
        keys(bare(body))
    assert caught.value.status == 400


def test_a_version_that_cannot_be_read_is_left_out() -> None:
    assert keys(bare(at(0, issue=issue(updated="soon")))) == (Hint(kind="issue", id="10001"),)


def test_the_connector_offers_them_as_the_contract_asks() -> None:
    assert CONNECTOR.webhook is not None
    assert CONNECTOR.webhook.verify(signed(EVENT), ["s3cret"], NOW)
    assert CONNECTOR.webhook.keys(bare(EVENT))
