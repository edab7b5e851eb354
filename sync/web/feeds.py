"""`POST /feeds/{connection}`: log lines that a gateway pushes. Kept on disk, answered at once, folded by others.

The sender may have neither patience nor a second try: Apinto blocks requests of its own clients once 25 entries wait,
and drops an entry on any answer but 200. So nothing here waits for more than the disk, and that not for long.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import anyio
import anyio.to_thread
from starlette.types import Receive, Scope, Send

from connectors.contract import Intake, WebhookRequest
from connectors.errors import IntakeFull, WebhookRejected
from sync.web.hooks import Gone, TooLarge, read_body
from sync.web.limits import Doorkeeper

PREFIX = "/feeds/"
RETRY_AFTER = "2"
"""Seconds a sender is asked to wait where there is no room; most do not ask again."""


@dataclass(eq=False)
class FeedEndpoint:
    """One connection that takes pushed lines. full: it refused the last call for want of room, and said so."""

    name: str
    intake: Intake
    full: bool = False
    turn: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(1))
    busy: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, body: bytes) -> None:
        """Keep a body, one at a time. Raises as the intake, and IntakeFull while an earlier call hangs."""
        if not self.busy.acquire(blocking=False):
            raise IntakeFull("the disk has not taken an earlier call yet")
        try:
            self.intake.keep(body)
        finally:
            self.busy.release()


@dataclass(frozen=True, kw_only=True)
class Feeds:
    """The ASGI application below `PREFIX`. find: the endpoint of that name. seconds: how long the disk may take.

    count: as in `Metrics`.
    """

    find: Callable[[str], FeedEndpoint | None]
    door: Doorkeeper
    seconds: float
    tell: Callable[..., None]
    count: Callable[[str, int], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        endpoint = self.find(scope["path"][len(PREFIX) :])
        known = endpoint.name if endpoint is not None else ""  # labels never take what a request says
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        peer = scope["client"][0] if scope["client"] else ""
        sender = self.door.sender(peer, headers.get("x-forwarded-for", ""))
        # Connections are counted by address at the socket; behind a proxy of ours, calls are, by who sent them.
        counted = sender if self.door.trusts(peer) and not self.door.trusts(sender) else ""
        try:
            if counted and not self.door.enter(counted):
                await self._answer(send, known, 503, "too many calls at once from this address")
            elif endpoint is None:
                text = "no connection of this name receives logs; see `receiver_token` in docs/settings.md"
                await self._answer(send, known, 404, text)
            elif scope["method"] != "POST":
                await self._answer(send, known, 405, "logs are POSTed here")
            else:
                await self._take(endpoint, headers, sender, receive, send)
        except Gone:
            return
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, the sender is answered, and quickly
            self.tell("internal_error", where="feed", connection=known, error=error)
            await self._answer(send, known, 500, "internal error; nothing was kept")
        finally:
            if counted:
                self.door.leave(counted)

    async def _take(
        self, endpoint: FeedEndpoint, headers: Mapping[str, str], sender: str, receive: Receive, send: Send
    ) -> None:
        try:
            endpoint.intake.admit(WebhookRequest(headers=headers, body=b""), sender)
            body = await read_body(receive, headers.get("content-length", ""), self.door.settings.body_limit)
            with anyio.fail_after(self.seconds):
                await anyio.to_thread.run_sync(endpoint.keep, body, abandon_on_cancel=True, limiter=endpoint.turn)
        except TooLarge:
            text = f"the body is larger than {self.door.settings.body_limit} bytes"
            await self._answer(send, endpoint.name, 413, text)
        except WebhookRejected as error:
            self.tell("feed_refused", connection=endpoint.name, status=error.status, why=error.message)
            await self._answer(send, endpoint.name, error.status, error.message)
        except TimeoutError:
            await self._full(endpoint, send, f"the disk did not take the call within {self.seconds:g} s")
        except IntakeFull as error:
            await self._full(endpoint, send, error.message)
        else:
            if endpoint.full:
                endpoint.full = False
                self.tell("feed_back", connection=endpoint.name)
            await self._answer(send, endpoint.name, 200, "")

    async def _full(self, endpoint: FeedEndpoint, send: Send, why: str) -> None:
        """Told once, until there is room again; counted each time."""
        if not endpoint.full:
            endpoint.full = True
            self.tell("feed_full", connection=endpoint.name, why=why)
        await self._answer(send, endpoint.name, 503, "there is no room for more lines now")

    async def _answer(self, send: Send, name: str, status: int, text: str) -> None:
        self.count(name, status)
        body = f"{text[:300]}\n".encode() if text else b""
        # Apinto never closes the body of an answer, so the connection is ours to close.
        headers = [(b"content-length", str(len(body)).encode()), (b"connection", b"close")]
        if body:
            headers.append((b"content-type", b"text/plain; charset=utf-8"))
        if status == 503:
            headers.append((b"retry-after", RETRY_AFTER.encode()))
        if status == 405:
            headers.append((b"allow", b"POST"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
