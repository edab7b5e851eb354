"""Zendesk's calls to us: is it believed, and which tickets does it name. Pure: no network, no clock.

Both kinds arrive at one address: webhooks subscribed to ticket events, and webhooks that a trigger or an automation
calls with a body its administrator wrote. A call is a hint: the tickets it names are read anew, nothing in it is taken
as true.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from connectors.contract import Hint, WebhookRequest
from connectors.errors import WebhookRejected
from sync.model import Json

KIND = "ticket"

WINDOW = timedelta(minutes=5)
"""How far a call's signed time may be from ours (Standard Webhooks' tolerance).

Zendesk does not say whether a repeated attempt carries its first time or a new one; its repeats end within minutes
(three to five tries, each within a minute), so both fit. What is refused as too old, the poll finds.
"""

SIGNATURE = "x-zendesk-webhook-signature"
SIGNED_AT = "x-zendesk-webhook-signature-timestamp"

_SUBJECT = re.compile(r"zen:ticket:(\d{1,19})")
_ID = re.compile(r"#?(\d{1,19})")


class ZendeskWebhook:
    """`contract.Webhook` for both kinds of call."""

    def verify(self, request: WebhookRequest, secrets: Sequence[str], now: datetime) -> str:
        """Check signature and time; give a digest of what is signed.

        Not Zendesk's invocation id: it is not signed, so a recorded call could be sent again under many of them. An
        attempt that is signed anew counts as another call, and costs a look at what is known already.

        The signature is base64 of HMAC-SHA256 over the time's text followed by the raw body, under the secret exactly
        as Zendesk shows it (it looks like base64 and is not decoded).
        """
        if not secrets:
            raise WebhookRejected("this connection has no webhook_secret, so no call can be believed: set it")
        signature = request.headers.get(SIGNATURE, "").strip()
        stamp = request.headers.get(SIGNED_AT, "").strip()
        if not signature or not stamp:
            raise WebhookRejected("the call is not signed")
        signed = stamp.encode("utf-8", "replace") + request.body
        good = False
        for secret in secrets:  # every secret is tried, so that time tells nothing about which one fits
            digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
            good |= hmac.compare_digest(base64.b64encode(digest), signature.encode("utf-8", "replace"))
        if not good:
            raise WebhookRejected("the signature does not fit the body: is webhook_secret this webhook's?")
        signed_at = _time(stamp)
        if signed_at is None:
            raise WebhookRejected("the signed time cannot be read")
        if abs(now - signed_at) > WINDOW:
            raise WebhookRejected(
                f"the call was signed at {stamp}, more than {WINDOW.seconds // 60} minutes from our clock"
            )
        return hashlib.sha256(signed).hexdigest()

    def keys(self, request: WebhookRequest) -> tuple[Hint, ...]:
        """The tickets a call names: an event's subject (and both tickets of a merge), or a trigger's `ticket_id`.

        An unknown event type is no error as long as it is about a ticket. Other subjects (users, articles) name none.
        """
        try:
            body = msgspec.json.decode(request.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
            raise WebhookRejected("the body is not JSON", status=400) from None
        if not isinstance(body, dict):
            raise WebhookRejected("the body is not an object", status=400)
        if "zendesk_event_version" in body or str(body.get("type", "")).startswith("zen:event-type:"):
            return _of_event(body)
        return _of_trigger(body)


def _of_event(body: dict[str, Json]) -> tuple[Hint, ...]:
    subject = str(body.get("subject", ""))
    found = _SUBJECT.fullmatch(subject)
    detail = _object(body, "detail")
    if found is None:
        if subject.startswith("zen:") and not subject.startswith("zen:ticket:"):
            return ()
        raise WebhookRejected("the event names no ticket", status=400)
    ids = [found.group(1)]
    event = _object(body, "event")
    # A merge names the other ticket inside the event; its key differs between sources, so every likely one is read.
    for name, value in event.items():
        other = _ID.fullmatch(str(value)) if "ticket_id" in name else None
        if other:
            ids.append(other.group(1))
    version = _version(detail.get("updated_at")) if str(detail.get("id", "")) == ids[0] else ""
    shows = _shows(detail) if version else ()
    return tuple(
        Hint(kind=KIND, id=one, version=version, coarse=True, shows=shows)
        if position == 0
        else Hint(kind=KIND, id=one, coarse=True)
        for position, one in enumerate(dict.fromkeys(ids))
    )


def _shows(detail: dict[str, Json]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Status and tags, as a ticket shows them; the call spells the status in capital letters."""
    status, tags = detail.get("status"), detail.get("tags")
    if not isinstance(status, str) or not isinstance(tags, list):
        return ()
    return (("status", (status.lower(),)), ("tags", tuple(sorted(str(tag) for tag in tags))))


def _of_trigger(body: dict[str, Json]) -> tuple[Hint, ...]:
    ticket = _object(body, "ticket")
    for value in (body.get("ticket_id"), ticket.get("id"), body.get("id")):
        if value is None or isinstance(value, (bool, float)):
            continue
        found = _ID.fullmatch(str(value).strip())
        if found:
            return (Hint(kind=KIND, id=found.group(1), version=_version(body.get("updated_at")), coarse=True),)
    raise WebhookRejected(
        'the body names no ticket: let the trigger send {"ticket_id": "{{ticket.id}}", '
        '"updated_at": "{{ticket.updated_at_with_timestamp}}"}',
        status=400,
    )


def _object(body: dict[str, Json], name: str) -> dict[str, Json]:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _version(value: Json) -> str:
    """A time of the body as a version of ours, where it is one; else nothing, and the ticket is read in any case."""
    at = _time(value) if isinstance(value, str) else None
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""


def _time(text: str) -> datetime | None:
    # Events carry nanoseconds; more than six digits of a second are cut, since no rule needs them.
    text = re.sub(r"(\.\d{6})\d+", r"\1", text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else None
