"""The sender of the integration platform's webhooks: who is told of what, how a call is signed, when it is repeated.

Bodies and headers [V S-app, docs]. A call's issue is shown as it is when the call is sent, not as it was when the thing
happened. An internal app has no second try [V]. GlitchTip sends alerts in Slack's form only, unsigned [R]. Pure.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from connectors.sandbox.wire import OutgoingHook
from connectors.sentry.sandbox.settings import ArchivedAction
from connectors.sentry.sandbox.shapes import Shower, iso

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.contract import Rng
    from connectors.sentry.sandbox.model import App, Event, Happening, Issue, Organisation, Who

Json: TypeAlias = Any

TIMEOUT_WINDOW: Final = 86_400.0


class Pending(Struct, kw_only=True):
    """A call that is yet to be made to an app; its body is made when it is sent."""

    app: str
    happening: Happening
    action: str
    not_before: float
    attempt: int = 0


class Sender:
    """The outbox of webhook calls of one organisation.

    alerts: addresses that get alerts of GlitchTip. legacy: addresses of the old WebHooks plugin. Both are unsigned.
    """

    def __init__(self, org: Organisation, rng: Rng) -> None:
        self._org = org
        self._rng = rng
        self._pending: list[Pending] = []
        self._plain: list[OutgoingHook] = []
        self._sent: dict[str, Pending] = {}
        self.alerts: list[str] = []
        self.legacy: list[str] = []
        self.sent = 0
        self.dropped = 0
        self.answered: dict[str, int] = {}

    @property
    def waiting(self) -> int:
        """Calls that have not been taken yet."""
        return len(self._pending) + len(self._plain)

    # --- planning ----------------------------------------------------------------------------------------------------

    def tell(self) -> None:
        """Turn what happened into calls to be made."""
        happenings = self._org.happenings
        while happenings:
            happening = happenings.popleft()
            if self._org.settings.is_glitchtip:
                continue  # no webhook but alerts
            for app in self._org.apps.values():
                if self._is_wanted(app, happening):
                    for action in self._actions(happening):
                        self._put(app, happening, action)

    def _is_wanted(self, app: App, happening: Happening) -> bool:
        if happening.resource == "installation":
            return bool(app.url) and app.slug == happening.data.get("app")
        if happening.action == "unresolved" and not self._org.settings.unresolved_hooks:
            return False
        is_heard = bool(app.url) and app.is_installed and not app.is_unsubscribed
        return is_heard and happening.resource in app.resources

    def _actions(self, happening: Happening) -> tuple[str, ...]:
        if happening.action != "ignored":
            return (happening.action,)
        match self._org.settings.archived_action:
            case ArchivedAction.BOTH:
                return ("ignored", "archived")
            case action:
                return (action.value,)

    def _put(self, app: App, happening: Happening, action: str) -> None:
        settings, now = self._org.settings, self._org.now()
        if settings.hook_breaker and now < app.rests_until:
            self.dropped += 1
            return
        if settings.hook_drops and self._rng.random() < settings.hook_drops:
            self.dropped += 1
            return
        delay = settings.hook_delay
        if settings.hook_reorder and self._rng.random() < settings.hook_reorder:
            delay += self._rng.random() * settings.hook_reorder_within
        call = Pending(app=app.slug, happening=happening, action=action, not_before=now + settings.scaled(delay))
        self._pending.append(call)
        if settings.hook_duplicates and self._rng.random() < settings.hook_duplicates:
            self._pending.append(replace(call, not_before=call.not_before + settings.scaled(1.0)))

    # --- sending -----------------------------------------------------------------------------------------------------

    def due(self, now: float, base: str) -> list[OutgoingHook]:
        """Take the calls that are due, oldest first; now they are written and signed. base: our own address."""
        taken = [call for call in self._pending if call.not_before <= now]
        plain, self._plain = self._plain, []
        if taken:
            self._pending = [call for call in self._pending if call.not_before > now]
            taken.sort(key=lambda call: call.not_before)
        calls = [*plain, *(self._written(call, now, base) for call in taken)]
        self.sent += len(calls)
        return calls

    def _written(self, call: Pending, now: float, base: str) -> OutgoingHook:
        app = self._org.apps[call.app]
        body = msgspec.json.encode(self.body(app, call.happening, call.action, base))
        request = self._rng.token()
        headers = {
            "content-type": "application/json",
            "request-id": request,
            "sentry-hook-resource": call.happening.resource,
            "sentry-hook-timestamp": str(int(now)),
            "sentry-hook-signature": signature(app.secret, body),
            **app.headers,
        }
        self._sent[request] = call
        return OutgoingHook(
            url=app.url,
            headers=headers,
            body=body,
            not_before=call.not_before,
            attempt=call.attempt,
            label=request,
            timeout=self._org.settings.hook_timeout,
        )

    def answered_with(self, hook: OutgoingHook, status: int | None, now: float) -> None:
        """Hear how a call ended. A published app gets up to three more tries, never after 4xx; others none [V]."""
        self.answered[str(status)] = self.answered.get(str(status), 0) + 1
        call = self._sent.pop(hook.label, None)
        if call is None:
            return
        settings, app = self._org.settings, self._org.apps[call.app]
        if status is not None and status < 400:
            app.trips = 0
            return
        app.trips += 1
        if app.trips >= settings.hook_breaker_failures:
            app.rests_until = now + settings.scaled(settings.hook_breaker_rest)
        if status is None:
            window = settings.scaled(TIMEOUT_WINDOW)
            app.timeouts = [at for at in app.timeouts if at > now - window] + [now]
            if len(app.timeouts) >= settings.hook_timeouts_allowed:
                app.is_unsubscribed = True
        is_retried = app.is_published and (status is None or status >= 500)
        if is_retried and call.attempt < settings.hook_retries and not app.is_unsubscribed:
            later = now + settings.scaled(settings.hook_retry_spacing)
            self._pending.append(replace(call, attempt=call.attempt + 1, not_before=later))

    # --- bodies ------------------------------------------------------------------------------------------------------

    def body(self, app: App, happening: Happening, action: str, base: str) -> Json:
        """The body of a call to an app, as things are now."""
        shower = Shower(self._org, base)
        issue = self._org.issues.get(happening.issue or -1)
        data: dict[str, Json]
        match happening.resource:
            case "issue":
                assert issue is not None
                data = self._issue(shower, issue, happening, base)
            case "error":
                assert issue is not None
                event = next(one for one in issue.events if one.id == happening.data["event"])
                data = {"error": self._event(shower, issue, event, base)}
            case "comment":
                assert issue is not None
                data = {
                    "comment_id": happening.data["comment_id"],
                    "issue_id": issue.id,
                    "project_slug": self._org.projects[issue.project].slug,
                    "timestamp": _micro(happening.data["timestamp"]),
                    "comment": happening.data["comment"],
                }
            case "event_alert":
                assert issue is not None
                rule = happening.data["rule"]
                data = {
                    "event": self._event(shower, issue, issue.events[-1], base),
                    "triggered_rule": rule,
                    "issue_alert": {"id": 1, "title": rule, "sentry_app_id": 1, "settings": []},
                }
            case "installation":
                status = "installed" if action == "created" else "pending_deletion"
                data = {"installation": {**shower.installation(app), "status": status, "code": None}}
            case _:
                data = dict(happening.data)
        return {
            "action": action,
            "installation": {"uuid": app.installation},
            "data": data,
            "actor": self.actor(app, happening.who),
        }

    def actor(self, app: App, who: Who) -> Json:
        """Who acted. Whenever an app did, the app that is told is named, whichever it was [V]."""
        if who.app is not None:
            return {"type": "application", "id": app.uuid, "name": app.name}
        user = self._org.users.get(who.user or 0)
        if user is not None:
            return {"type": "user", "id": user.id, "name": user.name}
        return {"type": "application", "id": "sentry", "name": "Sentry"}

    def _issue(self, shower: Shower, issue: Issue, happening: Happening, base: str) -> dict[str, Json]:
        shown = shower.issue(issue, collapse=("stats", "lifetime", "filtered"))
        # a call about a new issue writes its times otherwise than all others [S]
        written = _plus if happening.action == "created" else _micro
        shown |= {"firstSeen": written(issue.first_seen), "lastSeen": written(issue.last_seen)}
        if happening.action == "created" or self._org.settings.links_in_hooks:
            organization, project = self._org.settings.organization, self._org.projects[issue.project]
            shown |= {
                "url": f"{base}/api/0/organizations/{organization}/issues/{issue.id}/",
                "web_url": f"{base}/organizations/{organization}/issues/{issue.id}/",
                "project_url": f"{base}/organizations/{organization}/issues/?project={project.id}",
            }
        data: dict[str, Json] = {"issue": shown}
        if happening.action == "resolved":
            data["resolution_type"] = happening.data["resolution_type"]
        if happening.action == "assigned":
            data["assignee"] = shower.actor(happening.data["assignee"])
            if self._org.settings.hook_hides_email:
                data["assignee"].pop("email", None)
        return data

    def _event(self, shower: Shower, issue: Issue, event: Event, base: str) -> dict[str, Json]:
        organization, project = self._org.settings.organization, self._org.projects[issue.project]
        api = f"{base}/api/0"
        return {
            "event_id": event.id,
            "project": project.id,
            "release": event.release,
            "platform": project.platform,
            "message": event.message,
            "datetime": _micro(event.at),
            "timestamp": event.at,
            "received": event.received,
            "environment": event.environment,
            "level": event.level,
            "title": event.title,
            "culprit": issue.culprit,
            "type": issue.kind,
            "metadata": issue.metadata,
            "user": event.user,
            "contexts": event.contexts,
            "exception": {"values": [event.exception]} if event.exception is not None else None,
            "tags": [[name, value] for name, value in event.tags.items()],
            "url": f"{api}/projects/{organization}/{project.slug}/events/{event.id}/",
            "web_url": f"{base}/organizations/{organization}/issues/{issue.id}/events/{event.id}/",
            "issue_url": f"{api}/organizations/{organization}/issues/{issue.id}/",
            "issue_id": str(issue.id),
        }

    # --- older and other channels ------------------------------------------------------------------------------------

    def alert(self, issue: Issue, rule: str, base: str) -> None:
        """A rule fired: the apps, the old plugin, and GlitchTip's recipients are told in their own forms."""
        for url in self.alerts if self._org.settings.is_glitchtip else ():
            self._plain.append(_plain(url, self._slack(issue, base), self._org))
        if self._org.settings.is_glitchtip:
            return
        for url in self.legacy:
            self._plain.append(_plain(url, self._plugin(issue, rule, base), self._org))

    def _slack(self, issue: Issue, base: str) -> Json:
        project = self._org.projects[issue.project]
        link = f"{base}/{self._org.settings.organization}/issues/{issue.id}"
        fields = [{"title": "Project", "value": project.name, "short": True}]
        attachment = {
            "title": issue.title,
            "title_link": link,
            "text": issue.culprit,
            "image_url": None,
            "color": "#e52b50",
            "fields": fields,
            "mrkdown_in": None,
        }
        section = {"activityTitle": issue.title, "activitySubtitle": f"[View Issue {self._short(issue)}]({link})"}
        return {
            "alias": "GlitchTip",
            "text": "GlitchTip Alert",
            "attachments": [attachment],
            "sections": [section],
        }

    def _short(self, issue: Issue) -> str:
        return self._org.short_id(issue)

    def _plugin(self, issue: Issue, rule: str, base: str) -> Json:
        project, event = self._org.projects[issue.project], issue.events[-1]
        return {
            "id": str(issue.id),
            "project": project.slug,
            "project_name": project.name,
            "project_slug": project.slug,
            "logger": None,
            "level": issue.level,
            "culprit": issue.culprit,
            "message": event.message,
            "url": f"{base}/organizations/{self._org.settings.organization}/issues/{issue.id}/",
            "triggering_rules": [rule],
            "event": {
                "event_id": event.id,
                "id": event.id,
                "title": event.title,
                "tags": [[name, value] for name, value in event.tags.items()],
                "timestamp": event.at,
            },
        }

    def pending(self) -> Iterator[Json]:
        """The calls that wait, for the state."""
        for call in self._pending:
            yield {"app": call.app, "resource": call.happening.resource, "action": call.action, "attempt": call.attempt}


def _plain(url: str, body: Json, org: Organisation) -> OutgoingHook:
    headers = {"content-type": "application/json"}
    return OutgoingHook(
        url=url,
        headers=headers,
        body=msgspec.json.encode(body),
        not_before=org.now(),
        timeout=org.settings.hook_timeout,
    )


def signature(secret: str, body: bytes) -> str:
    """Sentry-Hook-Signature: the hexadecimal HMAC-SHA256 of the raw body under the client secret [V docs]."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _micro(at: float) -> str:
    """An ISO time that always has its microseconds."""
    text = str(iso(at))
    return text if "." in text else text.replace("Z", ".000000Z")


def _plus(at: float) -> str:
    """An ISO time with `+00:00`."""
    return str(iso(at)).replace("Z", "+00:00")
