"""The Jira stand-in as a client meets it: `handle(request) -> response`, over the rules of `model`.

Each route's line in `ROUTES` says where its shape comes from: D documentation, S specification, C recording, G guess,
3 somebody else's observation.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from connectors.jira.sandbox import (
    acts,
    attachment_calls,
    catalogue_calls,
    history_calls,
    hook_calls,
    issue_calls,
    search_calls,
)
from connectors.jira.sandbox.call import Call
from connectors.jira.sandbox.faults import Limits, Refused, unauthorised, vendor_refusal
from connectors.jira.sandbox.model import (
    Issue,
    Site,
    User,
    known_graph,
)
from connectors.jira.sandbox.settings import Deployment, Settings, with_switches
from connectors.jira.sandbox.shapes import Reader
from connectors.jira.sandbox.webhooks import Sender
from connectors.sandbox.control import ControlFace, Mistaken
from connectors.sandbox.wire import OutgoingHook, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connectors.contract import Rng
    from connectors.sandbox.wire import TimeSource

Json: TypeAlias = Any


class Route(Struct, frozen=True, kw_only=True):
    """One operation: which requests it takes, what answers, and the marks of its shape's sources."""

    name: str
    method: str
    path: re.Pattern[str]
    answer: Callable[[JiraSandbox, Call], Response]
    marks: str
    only: Deployment | None = None


class JiraSandbox:
    """A Jira site behind its REST API: `StandIn` for a server or a simulation, `Ruled` for the control face.

    time: seconds since the epoch. deployment: Cloud, or Server for Data Center.
    """

    def __init__(
        self,
        time: TimeSource,
        rng: Rng,
        *,
        deployment: str = Deployment.CLOUD,
        settings: Settings | Mapping[str, Json] | None = None,
        cloud_id: str = "11111111-2222-3333-4444-555555555555",
        base_url: str = "http://127.0.0.1",
    ) -> None:
        self.deployment = Deployment(deployment)
        switches = settings if isinstance(settings, Settings) else with_switches(Settings(), dict(settings or {}))
        self.site = Site(time, switches, self.deployment)
        self.sender = Sender(self.site, rng)
        self.control = ControlFace(self, time, rng)
        self.limits = Limits()
        self.cloud_id = cloud_id
        self.requests: Counter[str] = Counter()
        self._base = base_url
        self._failed_logins: Counter[str] = Counter()

    # --- StandIn ---------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Answer one request, of the API or of the control face, and queue the webhook calls it causes."""
        response = self.control.handle(request)
        self._base = request.base
        self.sender.tell(self._base + self.site.settings.context)
        return response

    def due_hooks(self, now: float) -> list[OutgoingHook]:
        """Take the webhook calls that are due."""
        self.sender.tell(self._base + self.site.settings.context)
        return self.sender.due(now)

    def hook_answered(self, hook: OutgoingHook, status: int | None, now: float) -> None:
        """Hear how a webhook call ended."""
        self.sender.answered_with(hook, status, now)

    def seed(self, count: int, project: str = "OPS", *, spread: float = 86_400.0) -> None:
        """Put `count` plain issues into a project, without history or webhooks, times spread over the last seconds."""
        self.site.seed(count, project, spread=spread)

    # --- Ruled -----------------------------------------------------------------------------------------------------

    def operation(self, request: Request) -> str:
        """The name of what a request asks, "" for an unknown path."""
        found = self._route(request.method, self._path(request.path))
        return found[0].name if found else ""

    def caller(self, request: Request) -> str:
        """The name of the user a request comes from, "" if unknown."""
        user = self._known(request.headers.get("authorization", ""))
        return user.name if user is not None else ""

    def state(self) -> Json:
        """The whole site as it really is, whatever the API shows: see the README for its form."""
        return acts.state(self)

    def act(self, command: Mapping[str, Json]) -> Json:
        """Carry out a user's or an administrator's edit behind the API's back. Raises Mistaken."""
        result = acts.act(self, command)
        self.sender.tell(self._base + self.site.settings.context)
        return result

    def settings(self) -> Json:
        """The switches."""
        return msgspec.to_builtins(self.site.settings)

    def change_settings(self, changes: Mapping[str, Json]) -> None:
        """Move some switches. Raises Mistaken, and then moves none."""
        try:
            moved = with_switches(self.site.settings, dict(changes))
        except ValueError as error:
            raise Mistaken(str(error)) from error
        for graph in (moved.workflow, *moved.workflows.values()):
            if not known_graph(graph):
                raise Mistaken(f"no workflow graph is called {graph!r}; there are: stock, global, long, locked")
        self.site.settings = moved
        for name, zone in (("hub", moved.hub_zone), ("engineer", moved.engineer_zone)):
            user = self.site.user(name)
            if user is not None:
                user.zone = zone
        hub = self.site.user("hub")
        if hub is not None:
            hub.is_admin = moved.hub_is_admin

    def refusal(self, status: int, headers: Mapping[str, str]) -> Response:
        """Jira's own error answer for a status."""
        return vendor_refusal(status, headers, self.site.settings, self.deployment)

    def ignored(self, request: Request) -> Response:
        """Answer a write as done and take it back at once."""
        named = re.search(r"/issue/([^/]+)", request.path)
        touched = self.site.peek(named[1]) if named else None
        kept = msgspec.convert(msgspec.to_builtins(touched), Issue) if touched is not None else None
        saved = self.site.saved()
        response = self.answer(request)
        self.site.undo(saved, touched, kept)
        if response.status == 200 and request.method == "PUT" and touched is not None:
            shown = Request(method="GET", path=request.path, headers=request.headers, base=request.base)
            return self.answer(shown)
        return response

    def answer(self, request: Request, *, stale: bool = False) -> Response:
        """Apply and answer a request of the API. stale: a read shows records as before their latest change."""
        try:
            return self._answered(request, stale=stale)
        except Refused as refused:
            return refused.response()

    # --- finding the way -------------------------------------------------------------------------------------------

    def _path(self, path: str) -> str:
        """The path below the context, or below the gateway for scoped tokens (`/ex/jira/{cloudId}`)."""
        gateway = f"/ex/jira/{self.cloud_id}/"
        if self.deployment is Deployment.CLOUD and path.startswith(gateway):
            path = path[len(gateway) - 1 :]
        context = self.site.settings.context
        if context:
            if not path.startswith(context + "/"):
                return ""
            path = path[len(context) :]
        return path.rstrip("/")

    def _route(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        for route in ROUTES_BY_METHOD.get(method, ()):
            if route.only is not None and route.only is not self.deployment:
                continue
            match = route.path.fullmatch(path)
            if match is not None:
                return route, match.groupdict()
        return None

    def _version(self, named: Mapping[str, str]) -> str:
        version = named.get("version", "2")
        if version == "latest":
            return "3" if self.deployment is Deployment.CLOUD else "2"
        return version

    def _known(self, authorization: str) -> User | None:
        scheme, _, credentials = authorization.partition(" ")
        is_cloud = self.deployment is Deployment.CLOUD
        if scheme.lower() == "bearer":
            for user in self.site.users.values():
                # Cloud takes Bearer from OAuth apps, and scoped tokens of users through the gateway; DC takes PATs.
                if user.active and (credentials in user.bearers or (is_cloud and credentials in user.tokens)):
                    return user
            return None
        pair = _pair(scheme, credentials)
        if pair is None:
            return None
        name, secret = pair
        for user in self.site.users.values():
            if name == (user.email if is_cloud else user.name) and secret in user.tokens and user.active:
                return user
        return None

    def _answered(self, request: Request, *, stale: bool) -> Response:
        path = self._path(request.path)
        found = self._route(request.method, path)
        settings = self.site.settings
        authorization = request.headers.get("authorization", "")
        user = self._known(authorization)
        login = _login(authorization)
        needs_captcha = login != "" and 0 < settings.captcha_after <= self._failed_logins[login]
        if found is not None and found[0].name == "serverInfo" and not authorization:
            user = self.site.users[next(iter(self.site.users))]  # serverInfo needs no login
        elif user is None or needs_captcha:
            self._failed_logins[login] += 1
            return unauthorised(settings.auth_body, captcha=needs_captcha, deployment=self.deployment)
        else:
            self._failed_logins.pop(login, None)
        if found is None:
            raise Refused(404, f"null for uri: {request.base}{request.path}")
        route, named = found
        version = self._version(named)
        if version == "3" and self.deployment is Deployment.SERVER:
            raise Refused(404, f"null for uri: {request.base}{request.path}")
        headers = self.limits.admit(request.method, route.name, user.name, self.site.now(), settings, self.deployment)
        if request.method not in ("GET", "HEAD"):
            kind = request.headers.get("content-type", "application/json")
            if request.body and "json" not in kind:
                raise Refused(415, f"Content type '{kind}' is not supported.")
            if "issue" in named:
                issue = self.site.peek(named["issue"])
                if issue is not None:
                    self.limits.admit_write(issue.id, self.site.now(), settings, self.deployment)
        self.requests[route.name] += 1
        reader = Reader(self.site, request.base + settings.context, version, user)
        call = Call(request=request, user=user, version=version, named=named, reader=reader, stale=stale)
        response = route.answer(self, call)
        if not headers:
            return response
        return msgspec.structs.replace(response, headers={**response.headers, **headers})

    def find(self, call: Call) -> Issue:
        """The issue a call names, as it is (or, stale, as it was)."""
        return self.site.find(call.named["issue"], call.user, stale=call.stale and call.request.method == "GET")


def _pair(scheme: str, credentials: str) -> tuple[str, str] | None:
    """The name and secret of a Basic login; None for anything else."""
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, secret


def _login(authorization: str) -> str:
    """Whose failed logins a call counts among: a captcha is demanded of a user, whatever password comes next [G]."""
    scheme, _, credentials = authorization.partition(" ")
    pair = _pair(scheme, credentials)
    return pair[0] if pair is not None else ""


# --- routes --------------------------------------------------------------------------------------------------------


API = r"/rest/api/(?P<version>2|3|latest)"
ISSUE = API + r"/issue/(?P<issue>[^/]+)"
CLOUD, SERVER = Deployment.CLOUD, Deployment.SERVER


def _routes(
    *rows: tuple[str, str, str, Callable[[JiraSandbox, Call], Response], str, Deployment | None],
) -> tuple[Route, ...]:
    return tuple(
        Route(name=name, method=method, path=re.compile(path), answer=answer, marks=marks, only=only)
        for name, methods, path, answer, marks, only in rows
        for method in methods.split("|")
    )


ROUTES: Final = _routes(
    ("search.jql", "GET|POST", API + "/search/jql", search_calls.search_jql, "S", CLOUD),
    ("search", "GET|POST", API + "/search", search_calls.search_gone, "3", CLOUD),
    ("search", "GET|POST", API + "/search", search_calls.search_server, "C", SERVER),
    ("search.count", "POST", API + "/search/approximate-count", search_calls.approximate_count, "S", CLOUD),
    ("issue.bulkfetch", "POST", API + "/issue/bulkfetch", search_calls.bulk_fetch, "S", CLOUD),
    ("changelog.bulkfetch", "POST", API + "/changelog/bulkfetch", history_calls.bulk_changelog, "S", CLOUD),
    ("issue.bulkcreate", "POST", API + "/issue/bulk", issue_calls.issue_bulk_create, "S", None),
    ("createmeta", "GET", API + "/issue/createmeta", catalogue_calls.create_meta, "S", None),
    (
        "createmeta.types",
        "GET",
        API + "/issue/createmeta/(?P<project>[^/]+)/issuetypes",
        catalogue_calls.create_meta_types,
        "S G",
        None,
    ),
    (
        "createmeta.fields",
        "GET",
        API + "/issue/createmeta/(?P<project>[^/]+)/issuetypes/(?P<type>[^/]+)",
        catalogue_calls.create_meta_fields,
        "S G",
        None,
    ),
    ("issue.create", "POST", API + "/issue", issue_calls.issue_create, "S", None),
    ("issue.get", "GET", ISSUE, issue_calls.issue_get, "S C", None),
    ("issue.edit", "PUT", ISSUE, issue_calls.issue_edit, "S", None),
    ("issue.delete", "DELETE", ISSUE, issue_calls.issue_delete, "S", None),
    ("issue.changelog", "GET", ISSUE + "/changelog", history_calls.changelog, "S", CLOUD),
    ("transitions.list", "GET", ISSUE + "/transitions", issue_calls.transitions, "S", None),
    ("transitions.do", "POST", ISSUE + "/transitions", issue_calls.transition, "S", None),
    ("comments.list", "GET", ISSUE + "/comment", attachment_calls.comments, "S", None),
    ("comments.create", "POST", ISSUE + "/comment", attachment_calls.comment_add, "S", None),
    ("comments.get", "GET", ISSUE + "/comment/(?P<comment>[^/]+)", attachment_calls.comment, "S", None),
    ("comments.update", "PUT", ISSUE + "/comment/(?P<comment>[^/]+)", attachment_calls.comment_edit, "S", None),
    ("comments.delete", "DELETE", ISSUE + "/comment/(?P<comment>[^/]+)", attachment_calls.comment_delete, "S", None),
    ("comments.bulk", "POST", API + "/comment/list", attachment_calls.comment_list, "S", CLOUD),
    (
        "comments.property",
        "GET",
        API + "/comment/(?P<comment>[^/]+)/properties/(?P<key>.+)",
        attachment_calls.comment_property,
        "S",
        None,
    ),
    (
        "comments.property.put",
        "PUT",
        API + "/comment/(?P<comment>[^/]+)/properties/(?P<key>.+)",
        attachment_calls.comment_property_put,
        "S",
        None,
    ),
    ("properties.list", "GET", ISSUE + "/properties", attachment_calls.properties, "S", None),
    ("properties.get", "GET", ISSUE + "/properties/(?P<key>.+)", attachment_calls.property_get, "S", None),
    ("properties.put", "PUT", ISSUE + "/properties/(?P<key>.+)", attachment_calls.property_put, "S", None),
    ("properties.delete", "DELETE", ISSUE + "/properties/(?P<key>.+)", attachment_calls.property_delete, "S", None),
    ("remotelinks.list", "GET", ISSUE + "/remotelink", attachment_calls.remote_links, "S", None),
    ("remotelinks.put", "POST", ISSUE + "/remotelink", attachment_calls.remote_link_put, "S", None),
    ("remotelinks.delete", "DELETE", ISSUE + "/remotelink", attachment_calls.remote_link_delete_by_id, "S", None),
    (
        "remotelinks.one",
        "GET|PUT|DELETE",
        ISSUE + "/remotelink/(?P<link>[^/]+)",
        attachment_calls.remote_link,
        "S",
        None,
    ),
    ("issuelinks.create", "POST", API + "/issueLink", attachment_calls.issue_link_add, "S", None),
    ("issuelinks.one", "GET|DELETE", API + "/issueLink/(?P<link>[^/]+)", attachment_calls.issue_link, "S", None),
    ("issuelinks.types", "GET", API + "/issueLinkType", catalogue_calls.link_types, "S", None),
    ("serverInfo", "GET", API + "/serverInfo", catalogue_calls.server_info, "C", None),
    ("myself", "GET", API + "/myself", catalogue_calls.myself, "S", None),
    ("mypermissions", "GET", API + "/mypermissions", catalogue_calls.my_permissions, "S", None),
    ("field", "GET", API + "/field", catalogue_calls.fields, "C", None),
    ("status", "GET", API + "/status", catalogue_calls.statuses, "S", None),
    ("statuscategory", "GET", API + "/statuscategory", catalogue_calls.status_categories, "S", None),
    ("priority", "GET", API + "/priority", catalogue_calls.priorities, "S", None),
    ("resolution", "GET", API + "/resolution", catalogue_calls.resolutions, "S", None),
    ("issuetype", "GET", API + "/issuetype", catalogue_calls.types, "S", None),
    ("project.list", "GET", API + "/project", catalogue_calls.projects, "S", None),
    ("project.search", "GET", API + "/project/search", catalogue_calls.project_search, "S", CLOUD),
    (
        "project.statuses",
        "GET",
        API + "/project/(?P<project>[^/]+)/statuses",
        catalogue_calls.project_statuses,
        "S",
        None,
    ),
    ("project.get", "GET", API + "/project/(?P<project>[^/]+)", catalogue_calls.project, "S", None),
    ("user.search", "GET", API + "/user/search", catalogue_calls.user_search, "S", None),
    ("user", "GET", API + "/user", catalogue_calls.user, "S", None),
    ("webhook.list", "GET", API + "/webhook", hook_calls.dynamic_hooks, "S", CLOUD),
    ("webhook.create", "POST", API + "/webhook", hook_calls.dynamic_hook_add, "S", CLOUD),
    ("webhook.delete", "DELETE", API + "/webhook", hook_calls.dynamic_hook_delete, "S", CLOUD),
    ("webhook.refresh", "PUT", API + "/webhook/refresh", hook_calls.dynamic_hook_refresh, "S", CLOUD),
    ("webhook.failed", "GET", API + "/webhook/failed", hook_calls.dynamic_hook_failed, "S", CLOUD),
    ("adminhook.list", "GET", "/rest/webhooks/1.0/webhook", hook_calls.hooks, "D", None),
    ("adminhook.create", "POST", "/rest/webhooks/1.0/webhook", hook_calls.hook_add, "D", None),
    ("adminhook.one", "GET|PUT|DELETE", "/rest/webhooks/1.0/webhook/(?P<hook>[^/]+)", hook_calls.hook, "D", None),
    ("adminhook.list", "GET", "/rest/jira-webhook/1.0/webhooks", hook_calls.hooks, "D G", SERVER),
    ("adminhook.create", "POST", "/rest/jira-webhook/1.0/webhooks", hook_calls.hook_add, "D G", SERVER),
    (
        "adminhook.one",
        "GET|PUT|DELETE",
        "/rest/jira-webhook/1.0/webhooks/(?P<hook>[^/]+)",
        hook_calls.hook,
        "D G",
        SERVER,
    ),
    ("applinks", "GET", r"/rest/applinks/[^/]+/listApplicationlinks", catalogue_calls.applinks, "3", None),
)
ROUTES_BY_METHOD: Final[dict[str, tuple[Route, ...]]] = {
    method: tuple(route for route in ROUTES if route.method == method) for method in ("GET", "POST", "PUT", "DELETE")
}
