"""PURE: Jira's webhook calls. Is a call genuine and fresh, and which issues does it name?

Three ways to sign exist, and a call must satisfy the one it uses:
- `X-Hub-Signature: sha256=<hex>`, HMAC over the raw body: admin webhooks with a secret, Cloud and Data Center 10.
- `Authorization: JWT|Bearer <token>`, HS256 with the app's client secret: dynamic webhooks of OAuth apps.
- `?secret=` in the address: Data Center versions that cannot sign. A header that is there is always what counts.

The body is a hint: whatever it says, the issue is read anew.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from connectors.contract import Hint, WebhookRequest
from connectors.errors import UnexpectedAnswer, WebhookRejected
from connectors.jira.records import KIND, moment, version_of
from sync.model import Json

WINDOW = timedelta(minutes=100)
"""How old a call may be. Jira repeats one up to 5 times, 5 to 15 minutes apart, with the first attempt's time in it,
after up to 15 minutes in its slow queue. Within it, the same call is known by its delivery id.
[Atlassian, "Webhooks"]"""

AHEAD = timedelta(minutes=5)
"""How far Jira's clock may be ahead of ours."""

_JWT_LEEWAY = 60.0
"""Seconds two clocks may differ by when a token's times are judged."""


def verify(request: WebhookRequest, secrets: Sequence[str], now: datetime) -> str:
    """The call's delivery id: a digest of the body, which is the same on every attempt.

    Not Jira's own identifier: it is not signed, so a recorded call could be sent again under many of them.

    Raises WebhookRejected: 401 for a signature that is missing, wrong or made with another method, for a time outside
    the window, or when no secret is configured; 400 for a body that is not a JSON object.
    """
    keys = [secret.encode() for secret in secrets if secret]
    if not keys:
        raise WebhookRejected("No webhook secret is configured for this connection, so no call is believed.")
    _check_genuine(request, keys, now)
    _check_fresh(_body(request), now)
    return "body-" + hashlib.sha256(request.body).hexdigest()


def keys(request: WebhookRequest) -> tuple[Hint, ...]:
    """The issues to read anew: that of an issue, comment, worklog or property event, both ends of an issue link.

    Empty for events about other things (sprints, versions, users). Raises WebhookRejected(400) for a body that is
    not an event, or an issue event that names no issue.
    """
    body = _body(request)
    event = body.get("webhookEvent")
    if not isinstance(event, str) or not event:
        raise WebhookRejected("The body is not a Jira event: it has no webhookEvent.", status=400)
    found = dict.fromkeys(_named(body))
    if not found and event.startswith(("jira:issue", "comment_", "issuelink_")):
        raise WebhookRejected(f"The event {event[:60]} names no issue.", status=400)
    return tuple(found)


def _named(body: Mapping[str, Json]) -> list[Hint]:
    hints: list[Hint] = []
    issue = body.get("issue")
    if isinstance(issue, dict) and (number := _id(issue.get("id"))):
        hints.append(Hint(kind=KIND, id=number, version=_version(body, issue)))
    link = body.get("issueLink")
    if isinstance(link, dict):
        ends = (_id(link.get("sourceIssueId")), _id(link.get("destinationIssueId")))
        hints += [Hint(kind=KIND, id=end) for end in ends if end]
    worklog = body.get("worklog")
    if isinstance(worklog, dict) and (number := _id(worklog.get("issueId"))):
        hints.append(Hint(kind=KIND, id=number))
    return hints


def _version(body: Mapping[str, Json], issue: Mapping[str, Json]) -> str:
    """The version an event speaks of; "" where it names none, or the issue is gone and must be looked for."""
    if body.get("webhookEvent") == "jira:issue_deleted":
        return ""
    fields = issue.get("fields")
    if not isinstance(fields, dict) or not fields.get("updated"):
        return ""
    try:
        return version_of(moment(fields["updated"]))
    except UnexpectedAnswer:
        return ""


def _id(value: Json) -> str:
    """An immutable id, a number or its text; anything else names nothing."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if text.isascii() and text.isdigit() and len(text) <= 19 else ""


def _body(request: WebhookRequest) -> dict[str, Json]:
    try:
        body = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        raise WebhookRejected("The body is not JSON.", status=400) from None
    if not isinstance(body, dict):
        raise WebhookRejected("The body is not a JSON object.", status=400)
    return body


# --- genuine ---------------------------------------------------------------------------------------------------------


def _check_genuine(request: WebhookRequest, keys: Sequence[bytes], now: datetime) -> None:
    signature = request.headers.get("x-hub-signature")
    if signature is not None:
        _check_signature(signature, request.body, keys)
        return
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() in {"jwt", "bearer"}:
        verify_jwt(token.strip(), keys, now)
        return
    given = request.query.get("secret")
    if given is None:
        raise WebhookRejected("The call is not signed: set the same secret in the webhook and in the settings.")
    if not _among(given.encode("utf-8", "replace"), keys):
        raise WebhookRejected("The secret in the address is wrong.")


def _check_signature(header: str, body: bytes, keys: Sequence[bytes]) -> None:
    method, equals, given = header.strip().partition("=")
    if not equals or method.lower() != "sha256":
        raise WebhookRejected("The signature is not made with sha256.")
    made = [hmac.new(key, body, hashlib.sha256).hexdigest().encode() for key in keys]
    if not _among(given.strip().lower().encode("utf-8", "replace"), made):
        raise WebhookRejected("The signature does not fit the body: is the secret the one in the settings?")


def _among(given: bytes, expected: Sequence[bytes]) -> bool:
    """Whether `given` is one of `expected`; each is compared, so that time tells nothing."""
    return sum(hmac.compare_digest(given, one) for one in expected) > 0


def verify_jwt(token: str, keys: Sequence[bytes], now: datetime) -> dict[str, Json]:
    """The claims of a token signed with HS256 and one of `keys`, and valid at `now`. Raises WebhookRejected.

    The method is pinned: a token that names another one, `none` included, is refused before anything else is looked at.
    A token must say when it ends. [RFC 7515, RFC 7519]
    """
    parts = token.split(".")
    if len(parts) != 3:
        raise WebhookRejected("The token is not a JSON Web Token.")
    header, claims = _segment(parts[0]), _segment(parts[1])
    if header.get("alg") != "HS256":
        raise WebhookRejected("The token is not signed with HS256.")
    signed = f"{parts[0]}.{parts[1]}".encode("utf-8", "replace")
    made = [hmac.new(key, signed, hashlib.sha256).digest() for key in keys]
    if not _among(_unpadded(parts[2]), made):
        raise WebhookRejected("The token's signature is wrong: is the secret the app's client secret?")
    at = now.timestamp()
    ends, begins = claims.get("exp"), claims.get("nbf")
    if not isinstance(ends, int | float) or isinstance(ends, bool) or at >= ends + _JWT_LEEWAY:
        raise WebhookRejected("The token has ended, or does not say when it ends.")
    if isinstance(begins, int | float) and at < begins - _JWT_LEEWAY:
        raise WebhookRejected("The token is not valid yet.")
    return claims


def _segment(text: str) -> dict[str, Json]:
    try:
        value = msgspec.json.decode(_unpadded(text))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        raise WebhookRejected("The token is not a JSON Web Token.") from None
    if not isinstance(value, dict):
        raise WebhookRejected("The token is not a JSON Web Token.")
    return value


def _unpadded(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raise WebhookRejected("The token is not a JSON Web Token.") from None


# --- fresh -----------------------------------------------------------------------------------------------------------


def _check_fresh(body: Mapping[str, Json], now: datetime) -> None:
    """Refuse a call whose time lies outside the window. One without a time is told apart by its delivery id alone."""
    stamp = body.get("timestamp")
    if stamp is None:
        return
    try:
        at = moment(stamp)
    except UnexpectedAnswer:
        raise WebhookRejected("The body's timestamp is not a time.", status=400) from None
    if now - at > WINDOW:
        raise WebhookRejected(f"The call is older than {WINDOW.total_seconds() / 60:.0f} minutes: a replay?")
    if at - now > AHEAD:
        raise WebhookRejected("The call comes from the future: compare this machine's clock with Jira's.")
