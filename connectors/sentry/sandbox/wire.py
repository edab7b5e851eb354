"""The Sentry stand-in as a client meets it: `handle(request) -> response`, over the rules of `model`.

Each route's line says where its shape comes from: D documentation or the official OpenAPI text, S the source, R seen in
a run, C somebody's recording (the official client's fixtures), G a guess.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from connectors.sandbox.control import ControlFace, Mistaken
from connectors.sandbox.wire import OutgoingHook, Request, Response
from connectors.sentry.sandbox import acts, glitchtip, issue_calls, link_calls, organisation_calls
from connectors.sentry.sandbox.call import Call, Caller, answer_json
from connectors.sentry.sandbox.faults import (
    BAD_TOKEN,
    NO_CREDENTIALS,
    Limits,
    Refused,
    forbidden,
    unseen,
    vendor_refusal,
)
from connectors.sentry.sandbox.model import ALL_SCOPES, Organisation, Who
from connectors.sentry.sandbox.settings import FIXED, Settings, with_switches
from connectors.sentry.sandbox.shapes import Shower
from connectors.sentry.sandbox.webhooks import Sender

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connectors.contract import Rng
    from connectors.sandbox.wire import TimeSource

Json: TypeAlias = Any

MEMBER_SCOPES: Final = frozenset(ALL_SCOPES) - {"event:admin"}
ORGANISATION_SCOPES: Final = frozenset({"org:ci", "project:releases", "project:read", "org:read", "event:read"})


class Route(Struct, frozen=True, kw_only=True):
    """One operation: which requests it takes, which scopes let it in (any of them), what answers, where it is from.

    bucket: the endpoint whose rate limit it counts for.
    """

    name: str
    method: str
    path: re.Pattern[str]
    scopes: frozenset[str]
    answer: Callable[[Call], Response]
    marks: str


class SentrySandbox:
    """A Sentry behind its REST API: `StandIn` for a server or a simulation, `Ruled` for the control face.

    time: seconds since the epoch. settings: switches by name, or whole.
    """

    def __init__(self, time: TimeSource, rng: Rng, *, settings: Settings | Mapping[str, Json] | None = None) -> None:
        switches = settings if isinstance(settings, Settings) else with_switches(Settings(), dict(settings or {}))
        self.org = Organisation(time, rng, switches)
        self.sender = Sender(self.org, rng)
        self.limits = Limits()
        self.control = ControlFace(self, time, rng)
        self.requests: Counter[str] = Counter()
        self.base = "http://127.0.0.1"
        self._routes = GLITCHTIP if switches.is_glitchtip else SENTRY

    # --- StandIn -----------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Answer one request, of the API or of the control face, and queue the webhook calls it causes."""
        self.base = request.base
        self.org.advance()
        response = self.control.handle(request)
        self.sender.tell()
        return response

    def due_hooks(self, now: float) -> list[OutgoingHook]:
        """Take the webhook calls that are due; also carries out what is due by time alone."""
        self.org.advance()
        self.sender.tell()
        return self.sender.due(now + self.org.settings.clock_skew, self.base)

    def hook_answered(self, hook: OutgoingHook, status: int | None, now: float) -> None:
        """Hear how a webhook call ended."""
        self.sender.answered_with(hook, status, now + self.org.settings.clock_skew)

    # --- Ruled -------------------------------------------------------------------------------------------------------

    def operation(self, request: Request) -> str:
        """The name of what a request asks (`issue.update`), "" for an unknown path."""
        found = self._route(request)
        return found[0].name if found is not None else ""

    def caller(self, request: Request) -> str:
        """The name of who calls, "" if unknown."""
        caller = self._known(request)
        return caller.name if caller is not None else ""

    def state(self) -> Json:
        """The whole organisation as it really is, whatever the API shows: see the README for its form."""
        self.org.advance()
        self.sender.tell()
        return acts.state(self)

    def act(self, command: Mapping[str, Json]) -> Json:
        """Carry out an edit of a user or of Sentry itself behind the API's back. Raises Mistaken."""
        self.org.advance()
        result = acts.act(self, command)
        self.sender.tell()
        return result

    def settings(self) -> Json:
        """The switches."""
        return msgspec.to_builtins(self.org.settings)

    def change_settings(self, changes: Mapping[str, Json]) -> None:
        """Move some switches. Raises Mistaken, and then moves none."""
        fixed = sorted(FIXED & set(changes))
        if fixed:
            raise Mistaken(f"{', '.join(fixed)} can only be set when the stand-in is made")
        try:
            self.org.settings = with_switches(self.org.settings, dict(changes))
        except ValueError as error:
            raise Mistaken(str(error)) from error
        if "resolve_age" in changes or "age_resolution" in changes:
            self.org.watch_ages()

    def refusal(self, status: int, headers: Mapping[str, str]) -> Response:
        """The product's own error answer for a status."""
        return vendor_refusal(status, headers, self.org.settings)

    def ignored(self, request: Request) -> Response:
        """Answer a write as done and take it back at once; a PUT of an issue shows it unchanged."""
        saved = self.org.saved()
        response = self.answer(request)
        self.org.undo(saved)
        found = self._route(request)
        if response.status != 200 or found is None or not found[0].name.endswith("issue.update"):
            return response
        issue = self.org.peek(found[1]["issue"])
        call = self._call(request, found[1], self._known(request))
        if issue is None or call is None:
            return response
        shown = glitchtip.shape(call, issue) if self.org.settings.is_glitchtip else call.shower.issue(issue)
        return answer_json(shown)

    def answer(self, request: Request, *, stale: bool = False) -> Response:
        """Apply and answer a request of the API. stale: a read shows issues as before their latest change."""
        headers: dict[str, str] = {}
        try:
            response = self._answered(request, headers, stale=stale)
        except Refused as refused:
            response = refused.response()
        if not headers:
            return response
        return msgspec.structs.replace(response, headers={**response.headers, **headers})

    # --- finding the way ---------------------------------------------------------------------------------------------

    def _route(self, request: Request) -> tuple[Route, Mapping[str, str]] | None:
        for route in self._routes.get(request.method, ()):
            match = route.path.fullmatch(request.path)
            if match is not None:
                return route, match.groupdict()
        return None

    def _known(self, request: Request) -> Caller | None:
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            return self._by_legacy_key(credentials)
        if scheme.lower() != "bearer":
            return None
        org = self.org
        for app in org.apps.values():
            if credentials in app.tokens and app.is_installed:
                bucket = f"org:{org.settings.organization}"
                who = Who(user=app.proxy, app=None if org.settings.is_glitchtip else app.slug)
                return Caller(who=who, scopes=frozenset(app.scopes), name=app.slug, bucket=bucket, app=app)
        for user in org.users.values():
            if credentials in user.tokens and user.is_active:
                name = user.name.lower()
                scopes = MEMBER_SCOPES if user.is_member else frozenset()
                return Caller(who=Who(user=user.id), scopes=scopes, name=name, bucket=f"user:{user.id}")
        if credentials in org.org_tokens:
            return Caller(who=Who(), scopes=ORGANISATION_SCOPES, name="organization token", bucket="ip:127.0.0.1")
        return None

    def _by_legacy_key(self, credentials: str) -> Caller | None:
        """The legacy API key: user of a Basic login, with an empty password [V docs]."""
        try:
            key = base64.b64decode(credentials, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return None
        if key not in self.org.legacy_keys or self.org.settings.is_glitchtip:
            return None
        return Caller(who=Who(), scopes=frozenset(ALL_SCOPES), name="legacy key", bucket="ip:127.0.0.1")

    def _call(
        self, request: Request, named: Mapping[str, str], caller: Caller | None, *, stale: bool = False
    ) -> Call | None:
        if caller is None:
            return None
        shower = Shower(self.org, request.base, caller.who)
        return Call(request=request, caller=caller, named=named, org=self.org, shower=shower, stale=stale)

    def _answered(self, request: Request, headers: dict[str, str], *, stale: bool) -> Response:
        settings = self.org.settings
        if request.path.startswith("/api/0/") and not request.path.endswith("/"):
            query = "&".join(f"{name}={value}" for name, values in request.query.items() for value in values)
            target = f"{request.path}/" + (f"?{query}" if query else "")
            return Response(status=301, headers={"location": target})  # a body is lost on the way [G]
        found = self._route(request)
        caller = self._known(request)
        if found is None:
            raise self._missing()
        route, named = found
        bucket = caller.bucket if caller is not None else "ip:127.0.0.1"
        counted = route.name.removeprefix("unscoped.")
        try:
            headers |= self.limits.admit(counted, request.method, bucket, self.org.now(), settings)
        except Refused as refused:
            headers |= refused.headers
            raise
        if route.name == "index" and caller is None:
            caller = Caller(who=Who(), scopes=frozenset(), name="", bucket=bucket)
        call = self._call(request, named, caller, stale=stale)
        if call is None:
            if settings.is_glitchtip:
                raise Refused(401, "Unauthorized")
            raise Refused(401, BAD_TOKEN if request.headers.get("authorization") else NO_CREDENTIALS)
        if "organization" in named and named["organization"] not in {settings.organization, "1"}:
            raise self._missing()
        if route.scopes and not route.scopes & call.caller.scopes:
            raise Refused(403, "Permission denied") if settings.is_glitchtip else forbidden()
        if settings.unscoped_gone and route.name.startswith("unscoped."):
            raise Refused(410, {"message": "This API no longer exists."})
        self.requests[route.name] += 1
        return route.answer(call)

    def _missing(self) -> Refused:
        return glitchtip.missing() if self.org.settings.is_glitchtip else unseen()


# --- routes ----------------------------------------------------------------------------------------------------------

API = "/api/0"
ORGANISATION = API + "/organizations/(?P<organization>[^/]+)"
PROJECT = API + "/projects/(?P<organization>[^/]+)/(?P<project>[^/]+)"
ISSUE = ORGANISATION + "/issues/(?P<issue>[^/]+)"
UNSCOPED = API + "/issues/(?P<issue>[^/]+)"
RELEASE = ORGANISATION + "/releases/(?P<version>.+?)"
INSTALLATION = API + "/sentry-app-installations/(?P<installation>[^/]+)/external-issues"
INTEGRATION = ISSUE + "/integrations/(?P<integration>[^/]+)"
EVENT = "/events/(?P<event>[^/]+)"
NOTES, NOTE = "/(?:notes|comments)", "/(?:notes|comments)/(?P<note>[^/]+)"

READ = "event:read|event:write|event:admin"
WRITE = "event:write|event:admin"
ADMIN = "event:admin"
ORG = "org:read|org:integrations|org:write|org:admin"
PROJECTS = "project:read|project:write|project:admin|project:releases"
RELEASES = "project:releases|project:read|org:ci"
RELEASES_WRITE = "project:releases|project:write|org:ci"

Row: TypeAlias = tuple[str, str, str, str, "Callable[[Call], Response]", str]


def _routes(*rows: Row) -> dict[str, tuple[Route, ...]]:
    routes = [
        Route(
            name=name,
            method=method,
            path=re.compile(f"{path}/"),
            scopes=frozenset(scopes.split("|")) - {""},
            answer=answer,
            marks=marks,
        )
        for name, methods, path, scopes, answer, marks in rows
        for method in methods.split("|")
    ]
    return {method: tuple(route for route in routes if route.method == method) for method in METHODS}


METHODS: Final = ("GET", "POST", "PUT", "DELETE")


def _both(name: str, methods: str, path: str, scopes: str, answer: Callable[[Call], Response], marks: str) -> list[Row]:
    """A route of one issue, below the organisation and in the deprecated form without it."""
    return [
        (name, methods, ISSUE + path, scopes, answer, marks),
        (f"unscoped.{name}", methods, UNSCOPED + path, scopes, answer, marks),
    ]


ABOUT_PEOPLE_AND_RELEASES: Final[tuple[Row, ...]] = (
    ("index", "GET", API, "", organisation_calls.index, "S"),
    ("organizations", "GET", API + "/organizations", ORG, organisation_calls.organisations, "D"),
    ("organization", "GET", ORGANISATION, ORG, organisation_calls.organisation, "D"),
    ("projects", "GET", ORGANISATION + "/projects", f"{PROJECTS}|{ORG}", organisation_calls.projects, "D"),
    ("project", "GET", PROJECT, PROJECTS, organisation_calls.project, "D"),
    (
        "members",
        "GET",
        ORGANISATION + "/members",
        "member:read|member:write|member:admin",
        organisation_calls.members,
        "D",
    ),
    ("teams", "GET", ORGANISATION + "/teams", f"team:read|team:write|{ORG}", organisation_calls.teams, "D"),
    ("environments", "GET", ORGANISATION + "/environments", f"{PROJECTS}|{ORG}", organisation_calls.environments, "D"),
    ("releases.list", "GET", ORGANISATION + "/releases", RELEASES, organisation_calls.releases, "D C"),
    ("releases.create", "POST", ORGANISATION + "/releases", RELEASES_WRITE, organisation_calls.release_add, "D"),
    ("deploys.list", "GET", RELEASE + "/deploys", RELEASES, organisation_calls.deploys, "D C"),
    ("deploys.create", "POST", RELEASE + "/deploys", RELEASES_WRITE, organisation_calls.deploy_add, "D"),
    ("release.commits", "GET", RELEASE + "/commits", RELEASES, organisation_calls.release_commits, "D"),
    ("release.get", "GET", RELEASE, RELEASES, organisation_calls.release, "D"),
    ("release.update", "PUT", RELEASE, RELEASES_WRITE, organisation_calls.release_edit, "D"),
)

SENTRY: Final = _routes(
    ("issues.list", "GET", ORGANISATION + "/issues", READ, issue_calls.organisation_list, "D C"),
    ("issues.update", "PUT", ORGANISATION + "/issues", WRITE, issue_calls.bulk_update, "D S"),
    ("issues.delete", "DELETE", ORGANISATION + "/issues", ADMIN, issue_calls.bulk_delete, "D S"),
    ("project.issues", "GET", PROJECT + "/issues", READ, issue_calls.project_list, "D"),
    ("project.issues.update", "PUT", PROJECT + "/issues", WRITE, issue_calls.bulk_update, "D S"),
    ("project.issues.delete", "DELETE", PROJECT + "/issues", ADMIN, issue_calls.bulk_delete, "D S"),
    *_both("issue.get", "GET", "", READ, issue_calls.get, "D C"),
    *_both("issue.update", "PUT", "", WRITE, issue_calls.update, "S C"),
    *_both("issue.delete", "DELETE", "", ADMIN, issue_calls.delete, "D S"),
    *_both("activities", "GET", "/activities", READ, issue_calls.activities, "C"),
    *_both("events.list", "GET", "/events", READ, issue_calls.events, "D C"),
    *_both("event.get", "GET", EVENT, READ, issue_calls.event, "D C"),
    *_both("tags.list", "GET", "/tags", READ, issue_calls.tags, "G"),
    *_both("tags.get", "GET", "/tags/(?P<key>[^/]+)", READ, issue_calls.tag, "D"),
    *_both("tags.values", "GET", "/tags/(?P<key>[^/]+)/values", READ, issue_calls.tag_values, "D C"),
    *_both("hashes", "GET", "/hashes", READ, issue_calls.hashes, "D"),
    *_both("user_reports", "GET", "/user-reports", READ, issue_calls.issue_reports, "C"),
    *_both("notes.list", "GET", NOTES, READ, issue_calls.notes, "S C"),
    *_both("notes.create", "POST", NOTES, WRITE, issue_calls.note_add, "S C"),
    *_both("notes.update", "PUT", NOTE, WRITE, issue_calls.note_edit, "G"),
    *_both("notes.delete", "DELETE", NOTE, WRITE, issue_calls.note_delete, "G"),
    *_both("external_issues.list", "GET", "/external-issues", READ, link_calls.external_issues, "D"),
    ("external_issues.create", "POST", INSTALLATION, WRITE, link_calls.external_issue_add, "D S"),
    (
        "external_issues.delete",
        "DELETE",
        INSTALLATION + "/(?P<link>[^/]+)",
        ADMIN,
        link_calls.external_issue_delete,
        "D S",
    ),
    ("integrations.list", "GET", ISSUE + "/integrations", READ, link_calls.integrations, "S"),
    ("integrations.form", "GET", INTEGRATION, READ, link_calls.integration, "S"),
    ("integrations.link", "PUT|POST", INTEGRATION, WRITE, link_calls.integration_link, "S"),
    ("integrations.unlink", "DELETE", INTEGRATION, WRITE, link_calls.integration_unlink, "S"),
    ("short_id", "GET", ORGANISATION + "/shortids/(?P<issue>[^/]+)", READ, issue_calls.short_id, "D"),
    ("installations", "GET", ORGANISATION + "/sentry-app-installations", ORG, organisation_calls.installations, "D C"),
    ("apps", "GET", ORGANISATION + "/sentry-apps", ORG, organisation_calls.apps, "D"),
    ("app", "GET", API + "/sentry-apps/(?P<app>[^/]+)", ORG, organisation_calls.app, "D"),
    ("user_feedback", "GET", PROJECT + "/user-feedback", PROJECTS, issue_calls.project_reports, "D C"),
    ("service_hooks", "GET|POST", PROJECT + "/hooks", PROJECTS, organisation_calls.service_hooks, "D"),
    *ABOUT_PEOPLE_AND_RELEASES,
)

GLITCHTIP: Final = _routes(
    ("issues.list", "GET", ORGANISATION + "/issues", READ, glitchtip.listed, "R S"),
    ("issues.update", "PUT", ORGANISATION + "/issues", WRITE, glitchtip.bulk_update, "R S"),
    ("issues.delete", "DELETE", ORGANISATION + "/issues", WRITE, glitchtip.bulk_delete, "S"),
    ("project.issues", "GET", PROJECT + "/issues", READ, glitchtip.listed, "R S"),
    ("issue.get", "GET", UNSCOPED, READ, glitchtip.get, "R S"),
    ("issue.update", "PUT", UNSCOPED, WRITE, glitchtip.update, "R S"),
    ("issue.update", "PUT", ISSUE, WRITE, glitchtip.update, "R S"),
    ("issue.get", "GET|DELETE", ISSUE, "", glitchtip.not_allowed, "R"),
    ("issue.delete", "DELETE", UNSCOPED, WRITE, glitchtip.delete, "S"),
    ("events.list", "GET", UNSCOPED + "/events", READ, glitchtip.events, "R S"),
    ("event.get", "GET", UNSCOPED + EVENT, READ, glitchtip.event, "R S"),
    ("events.list", "GET", ISSUE + "/events(?:/[^/]+)?", READ, glitchtip.broken, "R"),
    ("tags.list", "GET", UNSCOPED + "/tags", READ, glitchtip.tags, "S"),
    ("notes.list", "GET", UNSCOPED + "/comments", READ, glitchtip.comments, "R S"),
    ("notes.create", "POST", UNSCOPED + "/comments", WRITE, glitchtip.comment_add, "R S"),
    ("notes.update", "PUT", UNSCOPED + "/comments/(?P<note>[^/]+)", WRITE, glitchtip.comment_edit, "S"),
    ("notes.delete", "DELETE", UNSCOPED + "/comments/(?P<note>[^/]+)", ADMIN, glitchtip.comment_delete, "S"),
    ("notes.list", "GET|POST", ISSUE + "/comments", "", glitchtip.hidden, "R"),
    *ABOUT_PEOPLE_AND_RELEASES,
)
