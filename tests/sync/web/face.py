"""A web face on a loopback port, with a store whose commits a test decides, or any other store."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import socket
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.contract import WebhookRequest
from connectors.errors import WebhookRejected
from sync.ports import RealClock, spawn_thread
from sync.store.errors import StoreUnavailable
from sync.web.app import Health, application
from sync.web.hooks import HookEndpoint, Hooks
from sync.web.limits import Doorkeeper
from sync.web.metrics import Metrics
from sync.web.receipts import ReceiptDesk, ReceiptStore
from sync.web.server import WebFace
from sync.web.settings import WebSettings

SECRET = b"canary-secret-of-the-hook"
HOOK = "/hooks/support"


def sign(body: bytes) -> str:
    return hmac.new(SECRET, body, hashlib.sha256).hexdigest()


def verify(request: WebhookRequest, now: datetime) -> str:
    """A connector's check in small: a signature over the raw body, a call id in the headers."""
    if not hmac.compare_digest(request.headers.get("x-signature", ""), sign(request.body)):
        raise WebhookRejected("the signature does not match the body")
    if not request.body:
        raise WebhookRejected("the body is empty", status=400)
    return request.headers["x-call-id"]


class DecidedStore:
    """Commits when the test says so. `rows`: what was handed over; `stored`: what was committed."""

    def __init__(self, *, commit_at_once: bool = True) -> None:
        self.commit_at_once = commit_at_once
        self.rows: list[Mapping[str, Any]] = []
        self.stored: list[Mapping[str, Any]] = []
        self.refuse: Exception | None = None
        self.arrived = threading.Event()
        self._open: list[tuple[Sequence[Mapping[str, Any]], Future[int]]] = []

    def receipts(self, rows: Sequence[Mapping[str, Any]]) -> Future[int]:
        if self.refuse is not None:
            raise self.refuse
        future: Future[int] = Future()
        self.rows.extend(rows)
        self._open.append((list(rows), future))
        if self.commit_at_once:
            self.commit()
        self.arrived.set()
        return future

    def commit(self) -> None:
        waiting, self._open = self._open, []
        for rows, future in waiting:
            self.stored.extend(rows)
            future.set_result(len(rows))

    def fail(self, error: Exception) -> None:
        waiting, self._open = self._open, []
        for _, future in waiting:
            future.set_exception(error)


@dataclass
class Face:
    """A running web face and what it told."""

    web: WebFace
    door: Doorkeeper
    metrics: Metrics
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    rings: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def call(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, str, Mapping[str, str]]:
        """One call on a connection of its own: status, text, headers."""
        connection = http.client.HTTPConnection(*self.web.address, timeout=10)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), {k.lower(): v for k, v in answer.getheaders()}
        finally:
            connection.close()

    def hook(self, body: bytes = b'{"id": 1}', call_id: str = "call-1", **headers: str) -> tuple[int, str]:
        """A signed call."""
        status, text, _ = self.call("POST", HOOK, body, {"x-signature": sign(body), "x-call-id": call_id, **headers})
        return status, text

    def connect(self, source: str = "") -> socket.socket:
        """A raw socket to the face."""
        return socket.create_connection(self.web.address, timeout=10, source_address=(source, 0) if source else None)


def hooks_of(endpoints: Mapping[str, HookEndpoint], store: ReceiptStore, door: Doorkeeper) -> Hooks:
    """The webhooks of a face that is tried for something else."""
    return Hooks(
        find=endpoints.get,
        desk=ReceiptDesk(store, 1.0),
        clock=RealClock(),
        door=door,
        pack=lambda request: request.body,
        ring=lambda topic: None,
        tell=lambda event, **facts: None,
        count=lambda name, status: None,
        time_ack=lambda seconds: None,
    )


@contextmanager
def running(
    store: ReceiptStore, *, health: Callable[[], Health] = lambda: Health(ok=True, store="writable"), **settings: Any
) -> Generator[Face]:
    """Run a face with one endpoint, `support`."""
    chosen = WebSettings(port=0, **settings)
    web = WebFace(chosen)
    refused: list[str] = []
    door = Doorkeeper(chosen, refused.append)
    face = Face(web, door, Metrics(), refused=refused)
    endpoints = {"support": HookEndpoint(connection_id=1, name="support", verify=verify)}
    hooks = Hooks(
        find=endpoints.get,
        desk=ReceiptDesk(store, chosen.store_seconds),
        clock=RealClock(),
        door=door,
        pack=lambda request: json.dumps({"body": request.body.decode()}).encode(),
        ring=face.rings.append,
        tell=lambda event, **facts: face.events.append((event, facts)),
        count=face.metrics.count_hook,
        time_ack=face.metrics.time_ack,
    )
    web.start(application(hooks, health, face.metrics), door, spawn_thread)
    try:
        yield face
    finally:
        web.stop()
        assert web.join(10)


def unavailable() -> StoreUnavailable:
    return StoreUnavailable("the disk is full")


def read_all(sock: socket.socket) -> bytes:
    """Everything until the other side closes."""
    pieces = []
    while piece := sock.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)
