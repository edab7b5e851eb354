"""PURE: the calls of Sentry's integration platform. Is a call genuine, and which issues does it name?

`Sentry-Hook-Signature` is the lower-case hexadecimal HMAC-SHA256 of the raw body under the integration's client secret.
The time in `Sentry-Hook-Timestamp` is not signed, so it proves nothing. A call sent again is known by its body;
whatever it says, the issue is read anew. Calls come at most once, in any order, and many changes are never told:
polling finds them all.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from connectors.contract import Hint, WebhookRequest
from connectors.errors import WebhookRejected
from connectors.sentry.records import KIND
from sync.model import Json

SIGNATURE = "sentry-hook-signature"
RESOURCE = "sentry-hook-resource"


class SentryWebhook:
    """`contract.Webhook` for all resources."""

    def verify(self, request: WebhookRequest, secrets: Sequence[str], now: datetime) -> str:
        """Check the signature; give a digest of the body, which is the same for every attempt of one call.

        Not the `Request-ID`: it is new for each attempt, and not signed.
        """
        del now
        if not secrets:
            raise WebhookRejected("no webhook_secret is set for this connection, so no call is believed")
        signature = request.headers.get(SIGNATURE, "").strip().lower()
        if not signature:
            raise WebhookRejected("the call is not signed")
        good = False
        for secret in secrets:  # every secret is tried, so that time tells nothing about which one fits
            digest = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
            good |= hmac.compare_digest(digest.encode(), signature.encode("utf-8", "replace"))
        if not good:
            raise WebhookRejected("the signature does not fit the body: is webhook_secret the integration's?")
        return hashlib.sha256(request.body).hexdigest()

    def keys(self, request: WebhookRequest) -> tuple[Hint, ...]:
        """The issue that a call names; nothing for calls about other things (installations, metric alerts, new kinds).

        `issue`: data.issue.id. `comment`: data.issue_id. `error` and `event_alert`: issue_id of the error or event.
        """
        body = _body(request)
        resource = request.headers.get(RESOURCE, "").strip().lower()
        data = _object(body, "data")
        issue, event = _object(data, "issue"), _object(data, "event") or _object(data, "error")
        for value in (issue.get("id"), data.get("issue_id"), event.get("issue_id"), event.get("groupID")):
            number = _id(value)
            if number:
                return (Hint(kind=KIND, id=number),)
        if resource in {"issue", "comment"}:
            raise WebhookRejected("the call names no issue", status=400)
        return ()


def _body(request: WebhookRequest) -> dict[str, Json]:
    try:
        body = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        raise WebhookRejected("the body is not JSON", status=400) from None
    if not isinstance(body, dict):
        raise WebhookRejected("the body is not a JSON object", status=400)
    return body


def _object(body: Mapping[str, Json], name: str) -> dict[str, Json]:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _id(value: Json) -> str:
    """An immutable id, a number or its text; anything else names nothing."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if text.isascii() and text.isdigit() and len(text) <= 19 else ""
