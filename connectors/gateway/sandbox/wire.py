"""The gateway stand-in as a client meets it: APIPark, Apinto's admin, Kong's admin and Loki behind one address.

Paths do not meet: `/api/v1/...` and `/openapi/v1/...` are APIPark's, `/api/{profession}` and `/hash/...` Apinto's,
`/services`, `/routes`, `/consumers`, `/plugins` Kong's, `/loki/...` Loki's. Each route's line says where its
shape comes from: V read in the source, K Kong's documentation as it was remembered, G a guess.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from connectors.gateway.sandbox import acts, admin_calls, apipark_calls, log_calls
from connectors.gateway.sandbox.answers import Refused, failed, plain_json, text
from connectors.gateway.sandbox.emitter import Emitter
from connectors.gateway.sandbox.model import Gateway
from connectors.gateway.sandbox.settings import Settings, with_switches
from connectors.gateway.sandbox.traffic import Traffic
from connectors.sandbox.control import ControlFace, Mistaken
from connectors.sandbox.wire import OutgoingHook, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connectors.contract import Rng
    from connectors.sandbox.wire import TimeSource

Json: TypeAlias = Any


class Route(Struct, frozen=True, kw_only=True):
    """One operation. face: whose it is, which decides who is let in: `open`, `session`, `edit`, `key`, `none`."""

    name: str
    methods: frozenset[str]
    path: re.Pattern[str]
    face: str
    answer: Callable[..., Response]
    marks: str


class GatewaySandbox:
    """A gateway behind its interfaces: `StandIn` for a server or a simulation, `Ruled` for the control face.

    time: seconds since the epoch. settings: switches by name, or whole.
    """

    def __init__(self, time: TimeSource, rng: Rng, *, settings: Settings | Mapping[str, Json] | None = None) -> None:
        switches = settings if isinstance(settings, Settings) else with_switches(Settings(), dict(settings or {}))
        self.gateway = Gateway(time, rng, switches)
        self.traffic = Traffic(self.gateway)
        self.emitter = Emitter(self.gateway)
        self.control = ControlFace(self, time, rng)
        self.requests: Counter[str] = Counter()

    def advance(self) -> None:
        """Let the traffic since the last look pass, and be logged."""
        for call in self.traffic.flow():
            self.gateway.passed(call)
            self.emitter.emit(call)
        self.emitter.advance()
        self.gateway.copy_logs()

    # --- StandIn -----------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Answer one request, of an interface or of the control face."""
        self.advance()
        return self.control.handle(request)

    def due_hooks(self, now: float) -> list[OutgoingHook]:
        """Take the log entries that are to be posted now."""
        self.advance()
        return self.emitter.due(now)

    def hook_answered(self, hook: OutgoingHook, status: int | None, now: float) -> None:
        """Hear how a POST ended."""
        self.emitter.answered(hook, status)

    # --- Ruled -------------------------------------------------------------------------------------------------------

    def operation(self, request: Request) -> str:
        """The name of what a request asks (`service.update`), "" for an unknown path."""
        found = self._route(request)
        return found[0].name if found is not None else ""

    def caller(self, request: Request) -> str:
        """The account that asks, "" if unknown."""
        user = self.gateway.session(apipark_calls.session_of(request))
        return user.name if user is not None else ""

    def state(self) -> Json:
        """Everything as it really is: see the README for its form."""
        self.advance()
        return acts.state(self)

    def act(self, command: Mapping[str, Json]) -> Json:
        """Carry out an edit, or let something happen, behind the interfaces' backs. Raises Mistaken."""
        self.advance()
        return acts.act(self, command)

    def settings(self) -> Json:
        """The switches."""
        return msgspec.to_builtins(self.gateway.settings)

    def change_settings(self, changes: Mapping[str, Json]) -> None:
        """Move some switches. Raises Mistaken, and then moves none."""
        try:
            self.gateway.settings = with_switches(self.gateway.settings, dict(changes))
        except ValueError as error:
            raise Mistaken(str(error)) from error

    def refusal(self, status: int, headers: Mapping[str, str]) -> Response:
        """APIPark's own error answer for a status."""
        words = {401: "not login", 403: "no permission"}.get(status, f"error {status}")
        answer = failed(words, code=status, status=status).response
        return msgspec.structs.replace(answer, headers={**answer.headers, **headers})

    def ignored(self, request: Request) -> Response:
        """Answer a write as done and take it back at once."""
        gateway = self.gateway
        kept = copy.deepcopy((gateway.services, gateway.routers, gateway.hashes, gateway.workers, gateway.tags))
        response = self.answer(request)
        gateway.services, gateway.routers, gateway.hashes, gateway.workers, gateway.tags = kept
        return response

    def answer(self, request: Request, *, stale: bool = False) -> Response:
        """Apply and answer a request. Nothing is known to show older states, so `stale` changes nothing."""
        found = self._route(request)
        try:
            if found is None:
                return _missing(request)
            route, named = found
            self._admit(route, request)
            self.requests[route.name] += 1
            return route.answer(self.gateway, request, **named)
        except Refused as refused:
            return refused.response

    def _admit(self, route: Route, request: Request) -> None:
        if route.face in {"session", "edit"}:
            user = apipark_calls.user_of(self.gateway, request)
            if route.face == "edit" and not user.may_edit:
                raise failed("no permission", code=403, status=403)
        elif route.face == "key":
            given = request.headers.get("authorization", "").removeprefix("Bearer ") or request.arg("apikey")
            if given != self.gateway.settings.api_key:
                raise failed("invalid token", code=-8, status=403)

    def _route(self, request: Request) -> tuple[Route, Mapping[str, str]] | None:
        for route in ROUTES:
            if request.method in route.methods and (match := route.path.fullmatch(request.path)) is not None:
                return route, match.groupdict()
        return None


def _missing(request: Request) -> Response:
    if request.path.startswith(("/api/v1/", "/openapi/")):
        return Response(status=404, body=b"404 page not found", headers={"content-type": "text/plain"})
    if request.path.startswith(("/api/", "/hash/")):
        return text("not found", 404).response
    return plain_json({"message": "no Route matched with those values"}, 404)


def mcp(_gateway: Gateway, _request: Request) -> Response:
    """POST /openapi/v1/global/mcp: what an API key opens at all, besides consumers' credentials [V]."""
    return plain_json({"jsonrpc": "2.0", "id": 1, "result": {"tools": [{"name": "service_list"}]}})


def _routes(*rows: tuple[str, str, str, str, Callable[..., Response], str]) -> tuple[Route, ...]:
    return tuple(
        Route(
            name=name,
            methods=frozenset(methods.split("|")),
            path=re.compile(path),
            face=face,
            answer=answer,
            marks=marks,
        )
        for name, methods, path, face, answer, marks in rows
    )


V1: Final = "/api/v1"
DYNAMIC: Final = V1 + "/dynamic/(?:http|file)-access-log"
KONG: Final = "/(?P<kind>services|routes|consumers)"

ROUTES: Final = _routes(
    ("login", "POST", V1 + "/account/login/username", "open", apipark_calls.login, "V"),
    ("logged_in", "GET", V1 + "/account/login", "open", apipark_calls.logged_in, "V"),
    ("logout", "GET", V1 + "/account/logout", "open", apipark_calls.logout, "V"),
    ("version", "GET", V1 + "/common/version", "open", apipark_calls.version, "V"),
    ("services", "GET", V1 + "/(?:my_|simple/)?services", "session", apipark_calls.services, "V"),
    ("service.get", "GET", V1 + "/service/info", "session", apipark_calls.service_info, "V"),
    ("service.update", "PUT", V1 + "/service/info", "edit", apipark_calls.edit_service, "V"),
    ("routers", "GET", V1 + "/service/(?:ai-)?routers", "session", apipark_calls.routers, "V"),
    ("router.get", "GET", V1 + "/service/router/detail", "session", apipark_calls.router_detail, "V"),
    ("apps", "GET", V1 + "/(?:simple/)?apps", "session", apipark_calls.apps, "V"),
    ("teams", "GET", V1 + "/manager/teams", "session", apipark_calls.teams, "V"),
    ("catalogues", "GET", V1 + "/catalogues", "session", apipark_calls.catalogues, "V"),
    ("nodes", "GET", V1 + "/cluster/nodes", "session", apipark_calls.nodes, "V; fields G"),
    ("providers", "GET", V1 + "/ai/providers/configured", "session", apipark_calls.providers, "V"),
    ("logs", "GET", V1 + "/service/logs/(?:rest|ai)", "session", log_calls.logs, "V"),
    ("log.get", "GET", V1 + "/service/log/(?:rest|ai)", "session", log_calls.log_detail, "V"),
    ("summary", "POST", V1 + "/monitor/overview/summary", "session", log_calls.summary, "V"),
    ("statistics", "POST", V1 + "/monitor/(?:api|provider|subscriber)", "session", log_calls.statistics, "V; key G"),
    ("output.create", "POST", DYNAMIC, "edit", apipark_calls.dynamic_create, "V"),
    ("output.online", "PUT", DYNAMIC + "/(?:on|off)line", "edit", apipark_calls.dynamic_online, "V"),
    ("mcp", "POST", "/openapi/v1/(?:global|app|service)/mcp", "key", mcp, "V; body G"),
    ("loki", "GET", "/loki/api/v1/query_range", "none", log_calls.loki, "V G"),
    ("apinto.list", "GET", "/api/(?P<profession>(?!v1$)[^/]+)", "none", admin_calls.workers, "V"),
    ("apinto.create", "POST", "/api/(?P<profession>(?!v1$)[^/]+)", "none", admin_calls.worker_create, "V"),
    (
        "apinto.worker",
        "GET|PUT|POST|PATCH|DELETE",
        "/api/(?P<profession>(?!v1/)[^/]+)/(?P<name>[^/]+)",
        "none",
        admin_calls.worker,
        "V",
    ),
    (
        "apinto.hash",
        "GET|PUT|POST|DELETE",
        "/hash/(?P<key>[^/]+)(?:/(?P<field>[^/]+))?",
        "none",
        admin_calls.hashes,
        "V",
    ),
    ("kong.status", "GET", "/status", "none", admin_calls.kong_status, "K"),
    ("kong.plugins", "GET|POST", "/plugins", "none", admin_calls.kong_plugins, "K"),
    ("kong.list", "GET", KONG, "none", admin_calls.kong_list, "K"),
    ("kong.entity", "GET|PATCH", KONG + "/(?P<name>[^/]+)", "none", admin_calls.kong_entity, "K"),
)
