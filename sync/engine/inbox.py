"""Received webhook calls: each is a hint that names records to read anew, never a command."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from connectors.contract import WebhookRequest
from connectors.errors import WebhookRejected
from sync.engine import columns, rows
from sync.engine.hub import Connected, Hub
from sync.model import Json
from sync.store.tables import inbox


def pack(request: WebhookRequest) -> bytes:
    """A verified call as it is kept: its headers without credentials, its body."""
    safe = {name: value for name, value in request.headers.items() if name not in ("authorization", "cookie")}
    return columns.encode({"headers": safe, "body": request.body.decode("utf-8", "replace"), "query": {}})


def _unpack(body: bytes) -> WebhookRequest:
    kept: Json = columns.plain(body)
    return WebhookRequest(headers=kept["headers"], body=kept["body"].encode(), query=kept["query"])


def read_inbox(hub: Hub) -> bool:
    """Turn waiting calls into reads to do. A call that speaks of a version we have read already costs no read."""
    with hub.store.read() as conn:
        waiting = conn.execute(
            select(inbox.c.id, inbox.c.connection_id, inbox.c.body)
            .where(inbox.c.done_at.is_(None))
            .order_by(inbox.c.id)
            .limit(hub.settings.batch * 5)
        ).all()
    if not waiting:
        return False
    woken: set[int] = set()

    def step(conn: Connection) -> None:
        now = hub.clock.now()
        for row in waiting:
            connected = hub.connections.get(row.connection_id)
            if connected is not None and _hint(conn, hub, connected, row.body):
                woken.add(connected.id)
        for piece in rows.chunks([row.id for row in waiting]):
            conn.execute(update(inbox).where(inbox.c.id.in_(piece)).values(done_at=now))

    hub.store.step(step)
    for connection_id in sorted(woken):
        hub.signals.ring(f"refresh:{connection_id}")
    return True


def _hint(conn: Connection, hub: Hub, connected: Connected, body: bytes) -> bool:
    if connected.hints is None:
        return False
    try:
        hints = connected.hints(_unpack(body))
    except WebhookRejected as error:
        hub.tell("webhook_not_understood", connection=connected.name, why=error.message)
        return False
    wanted = []
    for hint in hints:
        row = rows.find_record(conn, connected.id, hint.id)
        if row is not None and hint.version and row.version >= hint.version and row.origin == "direct":
            continue
        wanted.append((connected.kind, hint.id))
    rows.ask(conn, connected.id, wanted, hub.clock.now(), "hook")
    return bool(wanted)
