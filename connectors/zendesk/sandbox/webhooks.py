"""Webhooks of the stand-in: their management, the calls they make, repeats, the circuit breaker (reference A8).

Signature, headers, event bodies: D, checked with a published vector and with recorded calls (C). Retry numbers and
breaker: G. Names and bodies of the less usual events: G.
"""

from __future__ import annotations

import base64
import hashlib
import heapq
import hmac
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from connectors.sandbox.wire import OutgoingHook
from connectors.zendesk.sandbox import faults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.zendesk.sandbox.model import Happened, Model
    from connectors.zendesk.sandbox.tickets import Ticket
    from sync.model import Json

TEST_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="  # noqa: S105  # published: the test button's secret (D)
CONDITIONAL = "conditional_ticket_events"
EVENT_VERSION = "2022-11-06"
INVOCATIONS_KEPT = 2_000
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

FIELD_EVENTS = {
    "status": "status_changed",
    "custom_status_id": "custom_status_changed",
    "priority": "priority_changed",
    "type": "type_changed",
    "subject": "subject_changed",
    "tags": "tags_changed",
    "assignee_id": "agent_assignment_changed",
    "group_id": "group_assignment_changed",
    "organization_id": "organization_changed",
    "external_id": "external_id_changed",
    "requester_id": "requester_changed",
    "problem_id": "problem_link_changed",
    "due_at": "task_due_at_changed",
    "brand_id": "brand_changed",
    "ticket_form_id": "form_changed",
}
KIND_EVENTS = {
    "soft_deleted": "soft_deleted",
    "undeleted": "undeleted",
    "permanently_deleted": "permanently_deleted",
}


class Attempt(Struct, kw_only=True):
    """One call of an invocation, as it was made and as it ended (None: no answer)."""

    at: float
    status: int | None
    headers: dict[str, str]


class Invocation(Struct, kw_only=True):
    """One thing told to one webhook; repeated under the same id until it succeeds or is given up."""

    id: str
    webhook_id: str
    event: str
    body: bytes
    stamped: str
    status: str = "pending"
    attempts: list[Attempt] = []
    ended_at: float = 0.0


class Hook(Struct, kw_only=True):
    """A webhook and how its calls have gone."""

    id: str
    shown: dict[str, Any]
    secret: str
    password: dict[str, Any]
    outcomes: deque[tuple[float, bool]]
    open_until: float = 0.0

    @property
    def is_active(self) -> bool:
        """Whether calls are made at all."""
        return bool(self.shown["status"] == "active")

    def wants(self, event: str) -> bool:
        """Whether it subscribes to an event type."""
        return event in self.shown["subscriptions"]


class Webhooks:
    """The account's webhooks, and the calls waiting to be made."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.hooks: dict[str, Hook] = {}
        self.invocations: dict[str, Invocation] = {}
        self._waiting: list[tuple[float, int, str, int]] = []
        self._counted = 0
        self.dropped = 0

    # --- management --------------------------------------------------------------------------------------------------

    def create(self, wanted: Mapping[str, Json], created_by: int) -> Hook:
        """Register a webhook (C). Raises Refusal (400) for what is missing or does not fit together."""
        for name in ("name", "endpoint", "http_method", "request_format"):
            if not wanted.get(name):
                raise _invalid(f"{name} is required")
        subscriptions = wanted.get("subscriptions") or []
        if not isinstance(subscriptions, list) or not all(isinstance(each, str) for each in subscriptions):
            raise _invalid("subscriptions must be a list of event types")
        if CONDITIONAL in subscriptions and len(subscriptions) > 1:
            raise _invalid("a webhook is either event-subscribed or connected to triggers, never both")
        authentication = wanted.get("authentication")
        now = self._model.now()
        shown: dict[str, Any] = {
            "id": self._ulid(),
            "name": str(wanted["name"]),
            **({"description": str(wanted["description"])} if wanted.get("description") else {}),
            "status": str(wanted.get("status") or "active"),
            "subscriptions": subscriptions,
            "created_at": _precise(now),
            "created_by": str(created_by),
            "endpoint": str(wanted["endpoint"]),
            "http_method": str(wanted["http_method"]).upper(),
            "request_format": str(wanted["request_format"]),
        }
        if wanted.get("custom_headers"):
            shown["custom_headers"] = wanted["custom_headers"]
        hook = Hook(id=shown["id"], shown=shown, secret=self._secret(), password={}, outcomes=deque(maxlen=5_000))
        self._keep_password(hook, authentication)
        self.hooks[hook.id] = hook
        return hook

    def get(self, hook_id: str) -> Hook:
        """A webhook by id. Raises Refusal (404)."""
        hook = self.hooks.get(hook_id)
        if hook is None:
            told = {"code": "WebhookNotFound", "title": "Webhook not found", "detail": f"No webhook {hook_id}"}
            raise faults.Refusal(404, {"errors": [told]})
        return hook

    def change(self, hook: Hook, wanted: Mapping[str, Json], changed_by: int, *, whole: bool) -> None:
        """PUT (whole) or PATCH a webhook (C). The kind of subscription cannot be switched (D). Raises Refusal."""
        subscriptions = wanted.get("subscriptions")
        if subscriptions is not None and not isinstance(subscriptions, list):
            raise _invalid("subscriptions must be a list of event types")
        if subscriptions is not None and (CONDITIONAL in subscriptions) != hook.wants(CONDITIONAL):
            raise _invalid("a webhook cannot be switched between events and triggers")
        if whole:
            for name in ("name", "endpoint", "http_method", "request_format"):
                if not wanted.get(name):
                    raise _invalid(f"{name} is required")
        for name in ("name", "description", "status", "subscriptions", "endpoint", "http_method", "custom_headers"):
            if name in wanted:
                hook.shown[name] = wanted[name]
        if "authentication" in wanted:
            self._keep_password(hook, wanted["authentication"])
        hook.shown["updated_at"] = _precise(self._model.now())
        hook.shown["updated_by"] = str(changed_by)

    def remove(self, hook_id: str) -> None:
        """Delete a webhook; waiting calls are not made. Raises Refusal (404)."""
        self.get(hook_id)
        del self.hooks[hook_id]

    def reset_secret(self, hook: Hook) -> None:
        """Give the webhook a new signing secret (C)."""
        hook.secret = self._secret()

    def shown_invocation(self, invocation: Invocation) -> Json:
        """An invocation as the API lists it (C)."""
        told: dict[str, Any] = {"id": invocation.id, "status": invocation.status}
        if invocation.attempts and invocation.attempts[-1].status is not None:
            told["status_code"] = invocation.attempts[-1].status
        return {**told, "latest_completed_at": _seconds(invocation.ended_at or self._model.now())}

    def shown_attempts(self, invocation: Invocation) -> Json:
        """The attempts of an invocation (C)."""
        return [
            {
                "id": invocation.webhook_id,
                "invocation_id": invocation.id,
                **({"status_code": attempt.status} if attempt.status is not None else {}),
                "status": "success" if _good(attempt.status) else "failed",
                "request": {
                    "headers": [{"key": name, "value": value} for name, value in attempt.headers.items()],
                    "payload": invocation.body.decode("utf-8", "replace"),
                },
                "completed_at": _seconds(attempt.at),
            }
            for attempt in invocation.attempts
        ]

    def test(self, hook: Hook) -> None:
        """The test button: a call signed with the published secret (D)."""
        body = msgspec.json.encode({"account_id": self._model.switches.account_id, "event": {}, "type": "test"})
        self._invoke(hook, "test", body)

    # --- what is told ------------------------------------------------------------------------------------------------

    def announce(self, happened: Happened) -> None:
        """Tell the webhooks of a change."""
        if not self.hooks:
            return
        ticket = happened.entry.ticket
        for hook in self.hooks.values():
            if hook.wants(CONDITIONAL) and happened.kind in {"created", "updated", "merged"}:
                self._invoke(hook, "trigger", self._template(ticket))
        told = _events(happened)
        sequence = self._model.rng.token()[:26]
        for place, (name, event) in enumerate(told, start=1):
            kind = f"zen:event-type:ticket.{name}"
            listening = [hook for hook in self.hooks.values() if hook.wants(kind)]
            if not listening:
                continue
            body = msgspec.json.encode(
                {
                    "type": kind,
                    "account_id": self._model.switches.account_id,
                    "id": _uuid(self._model.rng.token()),
                    "time": _precise(self._model.now()),
                    "zendesk_event_version": EVENT_VERSION,
                    "subject": f"zen:ticket:{ticket.id}",
                    "detail": _detail(ticket, happened.audit["author_id"]),
                    "event": {**event, "meta": {"sequence": {"id": sequence, "position": place}}},
                }
            )
            for hook in listening:
                self._invoke(hook, kind, body)

    def due(self, now: float) -> list[OutgoingHook]:
        """The calls to make now, each with its headers and signature."""
        calls: list[OutgoingHook] = []
        while self._waiting and self._waiting[0][0] <= now:
            not_before, _, invocation_id, attempt = heapq.heappop(self._waiting)
            invocation = self.invocations.get(invocation_id)
            hook = self.hooks.get(invocation.webhook_id) if invocation else None
            if invocation is None or hook is None:
                continue
            calls.append(self._call(hook, invocation, not_before, attempt))
        return calls

    def answered(self, call: OutgoingHook, status: int | None, now: float) -> None:
        """Take in how a call ended; plan its repeat by the vendor's rules (G)."""
        invocation = self.invocations.get(call.label)
        hook = self.hooks.get(invocation.webhook_id) if invocation else None
        if invocation is None or hook is None:
            return
        invocation.attempts = [
            *invocation.attempts, Attempt(at=now, status=status, headers=dict(call.headers))
        ]  # fmt: skip
        invocation.ended_at = now
        good = _good(status)
        hook.outcomes.append((now, good))
        if good:
            invocation.status = "success"
            return
        if invocation.status == "success":
            return
        repeats = 5 if status is None else 3 if status in {409, 429, 503} else 0
        spacing = self._model.switches.hook_retry_spacing
        if call.attempt < repeats and spacing:
            wait = self._model.scaled(spacing[min(call.attempt, len(spacing) - 1)])
            self._wait(invocation.id, now + wait, call.attempt + 1)
        else:
            invocation.status = "terminated"
        self._look_at_breaker(hook, now)

    def state(self) -> Json:
        """Every webhook with its secret, and the latest calls, for the control face."""
        return {
            "webhooks": [
                {**hook.shown, "secret": hook.secret, "breaker_open": hook.open_until > self._model.now()}
                for hook in self.hooks.values()
            ],
            "waiting": len(self._waiting),
            "dropped": self.dropped,
            "invocations": [
                {
                    "id": each.id,
                    "webhook_id": each.webhook_id,
                    "event": each.event,
                    "status": each.status,
                    "answers": [attempt.status for attempt in each.attempts],
                }
                for each in list(self.invocations.values())[-200:]
            ],
        }

    # --- inside ------------------------------------------------------------------------------------------------------

    def _invoke(self, hook: Hook, event: str, body: bytes) -> None:
        if not hook.is_active:
            return
        now = self._model.now()
        switches = self._model.switches
        invocation = Invocation(id=self._ulid(), webhook_id=hook.id, event=event, body=body, stamped=_seconds(now))
        self.invocations[invocation.id] = invocation
        while len(self.invocations) > INVOCATIONS_KEPT:
            self.invocations.pop(next(iter(self.invocations)))
        if hook.open_until > now:
            invocation.status, invocation.ended_at = "circuit broken", now
            return
        if switches.hook_drops and self._model.rng.random() < switches.hook_drops:
            self.dropped += 1
            return
        wait = switches.hook_delay
        if switches.hook_shuffle:
            wait += self._model.rng.random() * switches.hook_shuffle
        self._wait(invocation.id, now + self._model.scaled(wait), 0)
        if switches.hook_duplicates and self._model.rng.random() < switches.hook_duplicates:
            again = self._model.rng.random() * max(1.0, switches.hook_shuffle)
            self._wait(invocation.id, now + self._model.scaled(wait + again), 0)

    def _wait(self, invocation_id: str, not_before: float, attempt: int) -> None:
        self._counted += 1
        heapq.heappush(self._waiting, (not_before, self._counted, invocation_id, attempt))

    def _call(self, hook: Hook, invocation: Invocation, not_before: float, attempt: int) -> OutgoingHook:
        switches = self._model.switches
        stamped = invocation.stamped
        if attempt and switches.hook_retry_fresh_stamp:
            stamped = _seconds(self._model.now())
        secret = TEST_SECRET if invocation.event == "test" else hook.secret
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Zendesk Webhook",
            "X-Zendesk-Account-Id": str(switches.account_id),
            "X-Zendesk-Webhook-Id": hook.id,
            "X-Zendesk-Webhook-Invocation-Id": invocation.id,
            "X-Zendesk-Webhook-Signature": signature(secret, stamped, invocation.body),
            "X-Zendesk-Webhook-Signature-Timestamp": stamped,
            **(hook.shown.get("custom_headers") or {}),
            **_authentication(hook),
        }
        return OutgoingHook(
            url=hook.shown["endpoint"],
            method=hook.shown["http_method"],
            headers=headers,
            body=invocation.body,
            not_before=not_before,
            attempt=attempt,
            label=invocation.id,
            timeout=switches.hook_timeout,
        )

    def _look_at_breaker(self, hook: Hook, now: float) -> None:
        switches = self._model.switches
        if not switches.hook_breaker:
            return
        window = self._model.scaled(switches.hook_breaker_window)
        recent = [good for at, good in hook.outcomes if at > now - window]
        bad = len(recent) - sum(recent)
        share = bad >= len(recent) * switches.hook_breaker_share and len(recent) >= switches.hook_breaker_least
        if share or bad > switches.hook_breaker_errors:
            hook.open_until = now + self._model.scaled(switches.hook_breaker_rest)
            hook.outcomes.clear()

    def _template(self, ticket: Ticket) -> bytes:
        """A trigger's body: placeholders are put in as they are, without JSON escaping (D)."""
        text = self._model.switches.trigger_template
        values = {
            "ticket.id": str(ticket.id),
            "ticket.title": ticket.subject,
            "ticket.status": ticket.status.capitalize(),
            "ticket.tags": " ".join(ticket.tags),
            "ticket.external_id": ticket.external_id or "",
            "ticket.description": ticket.description,
            "ticket.updated_at_with_timestamp": ticket.updated_at,
            "ticket.created_at_with_timestamp": ticket.created_at,
        }
        for name, value in values.items():
            text = text.replace("{{" + name + "}}", value)
        return text.encode()

    def _keep_password(self, hook: Hook, authentication: Json) -> None:
        """Keep the credentials; the API never shows them again (C). Raises Refusal (400)."""
        if not authentication:
            return
        if not isinstance(authentication, dict) or not isinstance(authentication.get("data") or {}, dict):
            raise _invalid("authentication must be an object with type and data")
        data = dict(authentication.get("data") or {})
        hook.password = {"type": authentication.get("type"), "data": data}
        hidden = {name: value for name, value in data.items() if name in {"username", "name"}}
        hook.shown["authentication"] = {
            "type": authentication.get("type"),
            "data": hidden,
            "add_position": authentication.get("add_position", "header"),
        }

    def _secret(self) -> str:
        token = bytes.fromhex((self._model.rng.token() * 4)[:64])
        return base64.b64encode(token).decode()

    def _ulid(self) -> str:
        """An id as Zendesk gives webhooks: 26 characters, sortable by time."""
        millis = int(self._model.now() * 1000)
        number = (millis << 80) | int((self._model.rng.token() * 2)[:20], 16)
        return "".join(CROCKFORD[(number >> (5 * place)) & 31] for place in reversed(range(26)))


def signature(secret: str, stamped: str, body: bytes) -> str:
    """The signature of a call (D): base64 of HMAC-SHA256 over timestamp and body, the secret's text as the key."""
    digest = hmac.new(secret.encode(), stamped.encode() + body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _events(happened: Happened) -> list[tuple[str, dict[str, Any]]]:
    """The event types of one audit with their bodies, in order."""
    if happened.kind == "created":
        return [("created", {})]
    if happened.kind in KIND_EVENTS:
        return [(KIND_EVENTS[happened.kind], {})]
    told: list[tuple[str, dict[str, Any]]] = []
    if happened.kind == "merged":
        told.append(("merged", {"target_ticket_id": str(happened.entry.merged_into)}))
    for event in happened.audit["events"]:
        if event["type"] == "Comment":
            author = {"id": str(event["author_id"])}
            comment = {"id": str(event["id"]), "body": event["body"], "is_public": event["public"], "author": author}
            told.append(("comment_added", {"comment": comment}))
        elif event["type"] == "Change":
            told.append(_field_event(event))
    return told


def _field_event(event: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    name, old, new = event["field_name"], event["previous_value"], event["value"]
    if name == "tags":
        olds, news = set(old or ()), set(new or ())
        return "tags_changed", {"tags_added": sorted(news - olds), "tags_removed": sorted(olds - news)}
    if name in FIELD_EVENTS:
        upper = name in {"status", "priority", "type"}
        return FIELD_EVENTS[name], {"previous": _shout(old, upper=upper), "current": _shout(new, upper=upper)}
    return "custom_field_changed", {"field": {"id": name}, "previous": old, "current": new}


def _shout(value: Json, *, upper: bool) -> Json:
    return value.upper() if upper and isinstance(value, str) else value


def _detail(ticket: Ticket, actor: int) -> Json:
    """The ticket as event bodies show it: ids as text, enumerations in upper case (D/3)."""

    def text(value: int | None) -> str | None:
        return None if value is None else str(value)

    return {
        "id": str(ticket.id),
        "status": ticket.status.upper(),
        "priority": _shout(ticket.priority, upper=True),
        "type": _shout(ticket.type, upper=True),
        "subject": ticket.subject,
        "description": ticket.description,
        "tags": ticket.tags,
        "requester_id": text(ticket.requester_id),
        "submitter_id": text(ticket.submitter_id),
        "assignee_id": text(ticket.assignee_id),
        "group_id": text(ticket.group_id),
        "organization_id": text(ticket.organization_id),
        "external_id": ticket.external_id,
        "custom_status": text(ticket.custom_status_id),
        "form_id": text(ticket.ticket_form_id),
        "brand_id": text(ticket.brand_id),
        "actor_id": str(actor),
        "is_public": ticket.is_public,
        "via": {"channel": ticket.via["channel"].upper()},
        "created_at": ticket.created_at,
        "updated_at": ticket.updated_at,
    }


def _authentication(hook: Hook) -> dict[str, str]:
    data = hook.password.get("data") or {}
    match hook.password.get("type"):
        case "basic_auth":
            pair = f"{data.get('username', '')}:{data.get('password', '')}"
            return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        case "bearer_token":
            return {"Authorization": f"Bearer {data.get('token', '')}"}
        case "api_key":
            return {str(data.get("name", "X-Api-Key")): str(data.get("value", ""))}
        case _:
            return {}


def _good(status: int | None) -> bool:
    return status is not None and 200 <= status < 300


def _seconds(now: float) -> str:
    return datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _precise(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "789Z"


def _uuid(token: str) -> str:
    return f"{token[:8]}-{token[8:12]}-{token[12:16]}-{token[16:20]}-{token[20:32]}"


def _invalid(words: str) -> faults.Refusal:
    told = {"code": "InvalidWebhook", "title": "Invalid webhook", "detail": words}
    return faults.Refusal(400, {"errors": [told]})
