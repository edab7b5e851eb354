"""The application of the web face: webhooks first and bare, then Starlette for what people and machines look at."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import anyio.to_thread
from msgspec import Struct, to_builtins
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sync.web import feeds as pushed
from sync.web.feeds import Feeds
from sync.web.hooks import PREFIX, Hooks
from sync.web.metrics import CONTENT_TYPE, Metrics

FORWARDED = ("forwarded", "x-forwarded-for")


class ConnectionHealth(Struct, frozen=True, kw_only=True):
    """How one connection is doing. state: up, down, held or paused. mode: observe, live or paused."""

    state: str
    mode: str
    detail: str = ""


class Health(Struct, frozen=True, kw_only=True):
    """How the daemon is doing. workers: condition by name.

    ok: it does its work. A remote system that is down does not make the daemon unwell; it is shown all the same.
    """

    ok: bool
    store: str
    workers: dict[str, str] = {}
    connections: dict[str, ConnectionHealth] = {}


def application(hooks: Hooks, health: Callable[[], Health], metrics: Metrics, feeds: Feeds | None = None) -> ASGIApp:
    """Everything the web face answers. `health` may block for a second: it runs in a thread of its own."""

    async def show_health(request: Request) -> Response:
        present = await anyio.to_thread.run_sync(health)
        shown = {"status": "ok" if present.ok else "failing"}
        if not _through_a_proxy(request):
            shown |= {key: value for key, value in to_builtins(present).items() if key != "ok"}
        return Response(
            json.dumps(shown, indent=2) + "\n",
            status_code=200 if present.ok else 503,
            media_type="application/json",
            headers={"cache-control": "no-store"},
        )

    async def show_metrics(request: Request) -> Response:
        if _through_a_proxy(request):
            return PlainTextResponse("not found\n", status_code=404)
        text = await anyio.to_thread.run_sync(metrics.text)
        return Response(text, headers={"content-type": CONTENT_TYPE})

    rest = Starlette(routes=[Route("/health", show_health), Route("/metrics", show_metrics)])
    return _Front(hooks, rest, feeds)


class _Front:
    """Webhooks skip the router: they are nearly all of the traffic, and each has a second to be answered in."""

    def __init__(
        self, hooks: Hooks, rest: Callable[[Scope, Receive, Send], Awaitable[None]], feeds: Feeds | None
    ) -> None:
        self._hooks = hooks
        self._rest = rest
        self._feeds = feeds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self._hooks(scope, receive, send)
        elif self._feeds is not None and scope["type"] == "http" and scope["path"].startswith(pushed.PREFIX):
            await self._feeds(scope, receive, send)
        else:
            await self._rest(scope, receive, send)


def _through_a_proxy(request: Request) -> bool:
    """The call came in from outside, through the proxy that publishes the webhooks: names and figures are not its."""
    return any(name in request.headers for name in FORWARDED)
