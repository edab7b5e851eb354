"""`POST /hooks/{connection}`: read within limits, verify, store, and only then acknowledge.

A call is a hint. Nothing here looks at a record, and nothing is answered 2xx before its commit is durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from connectors.contract import Clock, WebhookRequest
from connectors.errors import WebhookRejected
from sync.store.errors import StoreError
from sync.web.limits import Doorkeeper
from sync.web.receipts import ReceiptDesk

PREFIX = "/hooks/"
RETRY_AFTER = "5"
"""Seconds a sender is asked to wait when the store is not available; Zendesk repeats after at most 60."""


@dataclass(frozen=True, kw_only=True)
class HookEndpoint:
    """One connection that receives calls. verify: the connector's, secrets bound; raises WebhookRejected."""

    connection_id: int
    name: str
    verify: Callable[[WebhookRequest, datetime], str]


class TooLarge(Exception):
    """The body is over the limit."""


class Gone(Exception):
    """The sender hung up, or was cut off, before the request was complete."""


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """The ASGI application below `PREFIX`.

    find: the endpoint of that name, asked for each call, so that a rename shows. pack: a verified call as it is kept.
    ring: wakes the reader of the inbox. count, time_ack: as in `Metrics`.
    """

    find: Callable[[str], HookEndpoint | None]
    desk: ReceiptDesk
    clock: Clock
    door: Doorkeeper
    pack: Callable[[WebhookRequest], bytes]
    ring: Callable[[str], None]
    tell: Callable[..., None]
    count: Callable[[str, int], None]
    time_ack: Callable[[float], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        endpoint = self.find(scope["path"][len(PREFIX) :])
        known = endpoint.name if endpoint is not None else ""  # labels never take what a request says
        sender = ""
        try:
            headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
            peer = scope["client"][0] if scope["client"] else ""
            if self.door.trusts(peer):
                sender = self.door.sender(peer, headers.get("x-forwarded-for", ""))
                if sender == peer or self.door.trusts(sender):
                    sender = ""
                elif not self.door.enter(sender):
                    await self._answer(send, known, 503, "too many calls at once from this address", retry=True)
                    return
            if endpoint is None:
                text = "no connection of this name receives webhooks; see `hypercare check` for the address"
                await self._answer(send, known, 404, text)
            elif scope["method"] != "POST":
                await self._answer(send, known, 405, "webhooks are POSTed here", allow="POST")
            else:
                await self._take(endpoint, headers, scope, receive, send)
        except Gone:
            return
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, the sender must learn that nothing was stored
            self.tell("internal_error", where="webhook", connection=known, error=error)
            await self._answer(send, known, 500, "internal error; nothing was stored, please send it again")
        finally:
            if sender:
                self.door.leave(sender)

    async def _take(
        self, endpoint: HookEndpoint, headers: Mapping[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        try:
            body = await read_body(receive, headers.get("content-length", ""), self.door.settings.body_limit)
        except TooLarge:
            text = f"the body is larger than {self.door.settings.body_limit} bytes"
            await self._answer(send, endpoint.name, 413, text)
            return
        query = scope["query_string"]
        request = WebhookRequest(
            headers=headers, body=body, query=dict(parse_qsl(query.decode("latin-1"))) if query else {}
        )
        now = self.clock.now()
        try:
            call_id = endpoint.verify(request, now)
        except WebhookRejected as error:
            self.tell("webhook_rejected", connection=endpoint.name, status=error.status, why=error.message)
            await self._answer(send, endpoint.name, error.status, error.message)
            return
        began = self.clock.monotonic()
        row = {
            "connection_id": endpoint.connection_id,
            "call_id": call_id,
            "received_at": now,
            "body": self.pack(request),
        }
        try:
            await self.desk.keep(row)
        except StoreError as error:
            self.tell("webhook_not_stored", connection=endpoint.name, why=error.message)
            await self._answer(send, endpoint.name, 503, "the store is not available; please send it again", retry=True)
            return
        self.time_ack(self.clock.monotonic() - began)
        self.ring("inbox")
        await self._answer(send, endpoint.name, 202, "")

    async def _answer(
        self, send: Send, name: str, status: int, text: str, *, retry: bool = False, allow: str = ""
    ) -> None:
        self.count(name, status)
        body = f"{text[:300]}\n".encode() if text else b""
        headers = [(b"content-length", str(len(body)).encode())]
        if body:
            headers.append((b"content-type", b"text/plain; charset=utf-8"))
        if retry:
            headers.append((b"retry-after", RETRY_AFTER.encode()))
        if allow:
            headers.append((b"allow", allow.encode()))
        if status == 413:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def read_body(receive: Receive, declared: str, limit: int) -> bytes:
    """The whole body. Raises TooLarge over `limit` bytes (at once, if the sender declares more), Gone if it hung up."""
    if declared.isdecimal() and int(declared) > limit:
        raise TooLarge
    message: Any = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        if len(message["body"]) > limit:
            raise TooLarge
        return bytes(message["body"])
    pieces: list[bytes] = []
    size = 0
    while message["type"] == "http.request":
        size += len(message["body"])
        if size > limit:
            raise TooLarge
        pieces.append(message["body"])
        if not message.get("more_body"):
            return b"".join(pieces)
        message = await receive()
    raise Gone
