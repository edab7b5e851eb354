"""Jira's webhook sender: who is told of what, how a call is signed, and when it is tried again. Pure, given the time.

Bodies and headers [D]; link events with ids only [3]; JWT of dynamic webhooks [3]; whether a comment also fires
`jira:issue_updated` differs between sites and is a switch.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import deque
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from connectors.jira.sandbox import jql
from connectors.jira.sandbox.faults import Refused
from connectors.jira.sandbox.model import LINK_TYPES, Event, Issue, Site
from connectors.jira.sandbox.settings import Deployment
from connectors.jira.sandbox.shapes import Reader
from connectors.sandbox.wire import OutgoingHook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.contract import Rng

Json: TypeAlias = Any

RETRIED: Final = frozenset((408, 409, 425, 429))
AGENT: Final = "Atlassian Webhook HTTP Client"
DYNAMIC_LIFE: Final = 30 * 86_400.0
FAILED_KEPT: Final = 72 * 3600.0
JWT_LIFE: Final = 180
ISSUE_FILTER: Final = "issue-related-events-section"


class Hook(Struct, kw_only=True):
    """A registered webhook. secret signs an admin webhook; a dynamic one has the app's and expires."""

    id: int
    name: str
    url: str
    events: tuple[str, ...]
    filter: str = ""
    secret: str = ""
    exclude_body: bool = False
    enabled: bool = True
    owner: str = ""
    is_dynamic: bool = False
    expires: float | None = None
    updated: int = 0
    failing_since: float | None = None


class Failed(Struct, frozen=True, kw_only=True):
    """A call that was given up."""

    identifier: str
    url: str
    body: str
    at: float


class Sender:
    """The outbox of webhook calls of one site."""

    def __init__(self, site: Site, rng: Rng) -> None:
        self._site = site
        self._rng = rng
        self.hooks: dict[int, Hook] = {}
        self.failed: deque[Failed] = deque(maxlen=1000)
        self.sent = 0
        self.answered: dict[str, int] = {}
        self._outbox: list[OutgoingHook] = []
        self._last = 0

    @property
    def waiting(self) -> int:
        """Calls that have not been taken yet."""
        return len(self._outbox)

    # --- registering -------------------------------------------------------------------------------------------------

    def register(self, hook: Hook) -> Hook:
        """Register a webhook; its id is given here. Raises Refused(400) where the site wants https and gets none."""
        if self._site.settings.hook_https_only and not hook.url.startswith("https://"):
            raise Refused(400, "Webhook URLs must be HTTPS.")
        self._last += 1
        hook = replace(hook, id=self._last if not hook.is_dynamic else 999 + self._last)
        self.hooks[hook.id] = hook
        return hook

    def refresh(self, numbers: Sequence[int]) -> float:
        """Give dynamic webhooks another 30 days: when they end now, seconds since the epoch."""
        end = self._site.now() + self._site.settings.scaled(DYNAMIC_LIFE)
        for number in numbers:
            if number in self.hooks and self.hooks[number].is_dynamic:
                self.hooks[number].expires = end
        return end

    # --- sending -----------------------------------------------------------------------------------------------------

    def tell(self, base: str) -> None:
        """Turn the site's new events into calls. base: the address the issues are shown under."""
        events = self._site.events
        if not self.hooks:
            events.clear()
            return
        while events:
            event = events.popleft()
            for hook in list(self.hooks.values()):
                if self._is_wanted(hook, event):
                    self._put(hook, event, base)

    def _is_wanted(self, hook: Hook, event: Event) -> bool:
        if not hook.enabled or event.name not in hook.events:
            return False
        if hook.expires is not None and self._site.now() >= hook.expires:
            return False
        if not hook.filter or event.issue is None:
            return True
        owner = self._site.users[hook.owner]
        try:
            return jql.compiled(hook.filter, self._site, owner).test(event.issue)
        except Refused:
            return False  # a filter that has become invalid matches nothing

    def _put(self, hook: Hook, event: Event, base: str) -> None:
        settings = self._site.settings
        if settings.hook_drops and self._rng.random() < settings.hook_drops:
            return
        body = b"" if hook.exclude_body else msgspec.json.encode(self.body(hook, event, base))
        if len(body) > settings.hook_body_limit:
            return
        now = self._site.now()
        delay = settings.hook_delay + (settings.hook_secondary_delay if event.is_secondary else 0.0)
        if settings.hook_reorder and self._rng.random() < settings.hook_reorder:
            delay += self._rng.random() * settings.hook_reorder_within
        call = OutgoingHook(
            url=hook.url,
            headers=self._headers(hook, body, event),
            body=body,
            not_before=now + settings.scaled(delay),
            label=f"{hook.id}",
        )
        self._outbox.append(call)
        if settings.hook_duplicates and self._rng.random() < settings.hook_duplicates:
            self._outbox.append(replace(call, not_before=call.not_before + settings.scaled(1.0)))

    def _headers(self, hook: Hook, body: bytes, event: Event) -> dict[str, str]:
        headers = {"content-type": "application/json; charset=UTF-8", "user-agent": AGENT}
        if self._site.deployment is Deployment.CLOUD:
            headers["x-atlassian-webhook-identifier"] = self._rng.token()
            headers["x-atlassian-webhook-flow"] = "Secondary" if event.is_secondary else "Primary"
        if hook.is_dynamic:
            headers["authorization"] = f"Bearer {jwt(hook.secret, int(self._site.now()))}"
        elif hook.secret:
            headers["x-hub-signature"] = signature(hook.secret, body)
        return headers

    def due(self, now: float) -> list[OutgoingHook]:
        """Take the calls that are due, oldest first."""
        if not self._outbox:
            return []
        due = [call for call in self._outbox if call.not_before <= now]
        if due:
            self._outbox = [call for call in self._outbox if call.not_before > now]
            due.sort(key=lambda call: call.not_before)
            self.sent += len(due)
        return due

    def answered_with(self, call: OutgoingHook, status: int | None, now: float) -> None:
        """Plan a retry: only after 408, 409, 425, 429, 5xx or no answer, at most 5, 5 to 15 minutes apart [D].

        After half an hour of nothing but failures a webhook gets single attempts [D]. Data Center never retries.
        """
        self.answered[str(status)] = self.answered.get(str(status), 0) + 1
        settings = self._site.settings
        hook = self.hooks.get(int(call.label))
        if status is not None and status < 300:
            if hook is not None:
                hook.failing_since = None
            return
        if hook is None or self._site.deployment is Deployment.SERVER:
            return
        if hook.failing_since is None:
            hook.failing_since = now
        is_lost = now - hook.failing_since >= settings.scaled(settings.hook_failing_after)
        is_retried = status is None or status in RETRIED or status >= 500
        if not is_retried or is_lost or call.attempt >= settings.hook_retries:
            identifier = call.headers.get("x-atlassian-webhook-identifier", "")
            text = call.body.decode("utf-8", "replace")
            self.failed.append(Failed(identifier=identifier, url=call.url, body=text, at=now))
            return
        spread = settings.hook_retry_max - settings.hook_retry_min
        wait = settings.hook_retry_min + self._rng.random() * spread
        attempt = call.attempt + 1
        self._outbox.append(
            replace(
                call,
                attempt=attempt,
                not_before=now + settings.scaled(wait),
                headers={**call.headers, "x-atlassian-webhook-retry": str(attempt)},
            )
        )

    # --- bodies ------------------------------------------------------------------------------------------------------

    def body(self, hook: Hook, event: Event, base: str) -> Json:
        """The body of a call; texts in it are wiki or plain, never ADF [G]."""
        site = self._site
        reader = Reader(site, base, "2", site.users[hook.owner])
        shape: dict[str, Json] = {"timestamp": event.at, "webhookEvent": event.name}
        if event.link is not None:
            shape["issueLink"] = self._link(event)
            return shape
        issue = event.issue
        assert issue is not None
        if event.name.startswith("jira:"):
            shape["issue_event_type_name"] = event.kind
            shape["user"] = reader.person(event.user)
            shape["issue"] = reader.issue(issue, reader.asked(["*navigable"]))
            if event.history is not None:
                shape["changelog"] = {"id": str(event.history.id), "items": reader.items(event.history)}
            if event.comment is not None:
                shape["comment"] = reader.comment(event.comment, issue)
        elif event.comment is not None:
            shape["comment"] = reader.comment(event.comment, issue)
            shape["issue"] = self._brief(issue, reader)
        else:
            shape["user"] = reader.person(event.user)
            shape["property"] = {"key": event.property_key}
            shape["issue"] = self._brief(issue, reader)
        if hook.is_dynamic:
            shape["matchedWebhookIds"] = [hook.id]
        return shape

    def _brief(self, issue: Issue, reader: Reader) -> Json:
        return reader.issue(issue, ["summary", "issuetype", "project", "priority", "status"])

    def _link(self, event: Event) -> Json:
        """Ids only, no keys, as captured [3]."""
        link = event.link
        assert link is not None
        name, inward, outward = LINK_TYPES[link.type]
        return {
            "id": link.id,
            "sourceIssueId": link.inward,
            "destinationIssueId": link.outward,
            "issueLinkType": {
                "id": int(link.type),
                "name": name,
                "outwardName": outward,
                "inwardName": inward,
                "isSubTaskLinkType": False,
                "isSystemLinkType": False,
            },
            "systemLink": False,
        }


def signature(secret: str, body: bytes) -> str:
    """X-Hub-Signature: `sha256=` and the hexadecimal HMAC of the raw body under the secret [D]."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def jwt(secret: str, now: int) -> str:
    """The bearer token of a dynamic webhook: HS256 under the app's secret, good for three minutes [3][G]."""
    parts = ({"typ": "JWT", "alg": "HS256"}, {"iss": "jira", "iat": now, "exp": now + JWT_LIFE})
    text = ".".join(_packed(msgspec.json.encode(part)) for part in parts)
    return f"{text}.{_packed(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())}"


def _packed(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
