"""The real receiver over real sockets: web face, all connectors' checks, the store on disk; at one moment of time."""

from __future__ import annotations

import socket
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection, func, insert, select

from connectors import jira, sentry, zendesk
from connectors.contract import Connector, WebhookRequest
from sync.engine import inbox as engine_inbox
from sync.ports import RealClock, spawn_thread
from sync.store.contract import Store
from sync.store.migrate import open_store
from sync.store.tables import connections, inbox
from sync.web.app import Health, application
from sync.web.hooks import HookEndpoint, Hooks
from sync.web.limits import Doorkeeper
from sync.web.metrics import Metrics
from sync.web.receipts import ReceiptDesk
from sync.web.server import WebFace
from sync.web.settings import WebSettings
from tests.hostile.calls import NOW, SECRETS, Call

CONNECTORS: dict[str, Connector] = {
    "zendesk": zendesk.CONNECTOR,
    "jira": jira.CONNECTOR,
    "sentry": sentry.CONNECTOR,
}


class Moment(RealClock):
    """Wall time stands still, so that a call's age is what its seed says; intervals are real."""

    def now(self) -> datetime:
        return NOW


def verify(system: str, secrets: Sequence[str], request: WebhookRequest, now: datetime) -> str:
    """As the daemon binds it."""
    webhook = CONNECTORS[system].webhook
    assert webhook is not None
    return webhook.verify(request, secrets, now)


def _add(row: dict[str, Any], conn: Connection) -> None:
    conn.execute(insert(connections).values(created_at=NOW, **row))


@dataclass
class Receiver:
    """A running receiver. told: every event it told of."""

    web: WebFace
    store: Store
    door: Doorkeeper
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def stored(self) -> int:
        """How many calls are in the inbox."""
        with self.store.read() as conn:
            return int(conn.execute(select(func.count()).select_from(inbox)).scalar_one())

    def connect(self, timeout: float = 10.0) -> socket.socket:
        return socket.create_connection(self.web.address, timeout=timeout)


@contextmanager
def receiving(folder: Path, **limits: Any) -> Generator[Receiver]:
    """Run one with an endpoint for each system, named like it."""
    store = open_store(folder / "hypercare.db", clock=RealClock())
    chosen = WebSettings(port=0, **limits)
    web, door, metrics = WebFace(chosen), Doorkeeper(chosen), Metrics()
    receiver = Receiver(web, store, door)
    endpoints = {}
    for number, (system, connector) in enumerate(sorted(CONNECTORS.items()), 1):
        row = {"id": number, "name": system, "system": system, "role": connector.role.value, "mode": "live"}
        store.step(partial(_add, row))
        endpoints[system] = HookEndpoint(connection_id=number, name=system, verify=partial(verify, system, SECRETS))
    hooks = Hooks(
        find=endpoints.get,
        desk=ReceiptDesk(store, 5.0),
        clock=Moment(),
        door=door,
        pack=engine_inbox.pack,
        ring=lambda topic: None,
        tell=lambda event, **facts: receiver.told.append((event, facts)),
        count=metrics.count_hook,
        time_ack=metrics.time_ack,
    )
    web.start(application(hooks, lambda: Health(ok=True, store="writable"), metrics), door, spawn_thread)
    try:
        yield receiver
    finally:
        web.stop()
        assert web.join(10)
        store.close()


def as_bytes(call: Call, system: str) -> bytes:
    """A call as it stands on the wire."""
    query = urlencode(call.query, errors="surrogatepass") if call.query else ""
    lines = [f"POST /hooks/{system}{'?' + query if query else ''} HTTP/1.1", "host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in call.headers.items()]
    lines += [f"content-length: {len(call.body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace") + call.body


def exchange(receiver: Receiver, sent: bytes, kept: list[socket.socket] | None = None) -> int:
    """Send one call: the status of the answer, 0 when there is none. kept: connections that may be used again."""
    sock = kept.pop() if kept else receiver.connect()
    try:
        sock.sendall(sent)
        heard = b""
        while b"\r\n\r\n" not in heard:
            piece = sock.recv(65536)
            if not piece:
                sock.close()
                return int(heard[9:12] or 0)
            heard += piece
        head, _, body = heard.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        while len(body) < length and (piece := sock.recv(65536)):
            body += piece
        if kept is None or b"connection: close" in head.lower() or len(body) < length:
            sock.close()
        else:
            kept.append(sock)
        return int(head[9:12])
    except ConnectionError:
        sock.close()
        return 0
