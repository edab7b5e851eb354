"""Limits of time, size and number, kept at the socket: uvicorn has none that a slow or greedy sender would meet.

Uvicorn's keep-alive timer starts anew with each byte and middleware runs only once the headers are complete, so the
deadline of a complete request, the cap by address and the cap on headers live in the protocol.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from sync.web.settings import WebSettings

REFUSED_SECONDS = 1.0
"""How long a connection over the cap may take to send the head to which 503 is the answer."""


class Doorkeeper:
    """Counts who is connected, and from where. Used by the web face's thread only."""

    def __init__(self, settings: WebSettings, refused: Callable[[str], None] = lambda why: None) -> None:
        self.settings = settings
        self._refused = refused
        self._proxies = tuple(ip_network(text, strict=False) for text in settings.trusted_proxies)
        self._trusted: dict[str, bool] = {}
        self.open: Counter[str] = Counter()
        self.total = 0

    def trusts(self, address: str) -> bool:
        """The address is a proxy of ours: what it says about the sender is believed."""
        if not self._proxies:
            return False
        known = self._trusted.get(address)
        if known is None:
            known = _within(address, self._proxies)
            if len(self._trusted) < 1024:
                self._trusted[address] = known
        return known

    def sender(self, address: str, forwarded: str) -> str:
        """The address that a call comes from: the last in `X-Forwarded-For` that is no proxy of ours."""
        if not self.trusts(address):
            return address
        for hop in reversed(forwarded.split(",")):
            named = hop.strip()
            if not named:
                break
            address = named[:64]
            if not self.trusts(address):
                break
        return address

    def enter(self, address: str) -> bool:
        """Count a connection or call in. False: it is over the cap of its address and is to be refused."""
        self.open[address] += 1
        if self.open[address] > self.settings.per_address:
            self._refused("per_address")
            return False
        return True

    def leave(self, address: str) -> None:
        """Count it out."""
        self.open[address] -= 1
        if self.open[address] <= 0:
            del self.open[address]

    def overflows(self) -> bool:
        """More connections are open than the process allows in all."""
        if self.total > self.settings.connections:
            self._refused("connections")
            return True
        return False


def _within(address: str, networks: tuple[Any, ...]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in networks)


async def busy(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001  an ASGI application's signature
    """Answer 503: too many connections from this address."""
    text = b"too many connections from this address; try again shortly\n"
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(text)).encode()),
        (b"retry-after", b"2"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": text})


class LimitedProtocol(HttpToolsProtocol):
    """Uvicorn's protocol with an absolute deadline for each request and answer, and caps by address and in all.

    One timer a connection: it is never cancelled but, when it fires early, set again for the deadline that holds then.
    """

    door: Doorkeeper
    """Set on the subclass that a server uses."""

    def connection_made(  # type: ignore[override]  # uvicorn's own signature
        self, transport: asyncio.Transport
    ) -> None:
        """Count it in, and give it its deadline."""
        super().connection_made(transport)
        settings = self.door.settings
        self._room = settings.head_limit  # bytes that may still arrive in this part of the request
        self._in_head = True
        self._receiving = True  # a request is awaited or incomplete: its deadline runs
        self._due: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._counted = ""
        self.door.total += 1
        if self.door.overflows():
            transport.abort()
            return
        address = self.client[0] if self.client else ""
        seconds = settings.request_seconds
        if address and not self.door.trusts(address):
            self._counted = address
            if not self.door.enter(address):
                self.app: ASGIApp = busy
                seconds = min(seconds, REFUSED_SECONDS)
        self._allow(seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it out."""
        super().connection_lost(exc)
        self.door.total -= 1
        if self._counted:
            self.door.leave(self._counted)
            self._counted = ""
        self._due = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def data_received(self, data: bytes) -> None:
        """Count bytes against what may still be sent; the deadline runs from the first byte, whatever it is."""
        if self._due is None:
            self._receiving = True
            self._allow(self.door.settings.request_seconds)
        self._room -= len(data)
        super().data_received(data)
        if self._room < 0 and not self.transport.is_closing():
            if self._in_head:
                self._refuse(431, "Request Header Fields Too Large", "the headers are too large")
            else:
                self._refuse(413, "Content Too Large", "the request is too large")

    def on_message_begin(self) -> None:
        """A request begins, perhaps behind one that is still being answered."""
        self._receiving = self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole. The body's limit is kept by whoever reads it; this one bounds chunk marks and trailers."""
        self._in_head = False
        self._room = 2 * self.door.settings.body_limit + self.door.settings.head_limit
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole: from here the answer's deadline runs."""
        self._receiving, self._in_head = False, True
        self._room = self.door.settings.head_limit
        if not self.cycle.response_complete:
            self._allow(self.door.settings.answer_seconds)
        else:
            self._due = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is whole. A request that was answered before it was complete costs the connection."""
        self._due = None
        if not self.pipeline and self.cycle.more_body:
            self.transport.close()
        super().on_response_complete()
        if not self.cycle.response_complete:  # the next one, that was waiting behind it
            self._allow(self.door.settings.answer_seconds)
        elif self._receiving and not self.transport.is_closing():  # the next one has begun to arrive
            self._allow(self.door.settings.request_seconds)

    def _allow(self, seconds: float) -> None:
        self._due = self.loop.time() + seconds
        if self._timer is None:
            self._timer = self.loop.call_at(self._due, self._look)
        elif self._timer.when() > self._due:
            self._timer.cancel()
            self._timer = self.loop.call_at(self._due, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._due is None or self.transport.is_closing():
            return
        if self.loop.time() < self._due:
            self._timer = self.loop.call_at(self._due, self._look)
        elif self._receiving and not self._answering():
            self._refuse(408, "Request Timeout", "the request was not complete in time")
        else:
            self.transport.abort()

    def _answering(self) -> bool:
        """An answer has begun and is not complete: nothing else may be written."""
        cycle = self._newest_cycle()
        return cycle is not None and cycle.response_started and not cycle.response_complete

    def _newest_cycle(self) -> RequestResponseCycle | None:
        return self.cycle  # None until the first head is complete, whatever uvicorn's annotation says

    def _refuse(self, status: int, phrase: str, text: str) -> None:
        body = f"{text}\n"
        self.transport.write(
            f"HTTP/1.1 {status} {phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n{body}".encode()
        )
        # A peer that does not read must not keep the socket for the sake of this answer.
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()
