"""Received webhook calls: each is a hint that names records to read anew, never a command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from connectors.contract import Hint, WebhookRequest
from connectors.errors import WebhookRejected
from sync.engine import columns, rows
from sync.engine.hub import Hub
from sync.model import Json
from sync.store.tables import deliveries, inbox, links, records

_WAITING = (
    select(inbox.c.id, inbox.c.connection_id, inbox.c.body)
    .where(inbox.c.done_at.is_(None))
    .order_by(inbox.c.id)
    .limit(bindparam("most"))
)
_DONE = update(inbox).where(inbox.c.id == bindparam("call")).values(done_at=bindparam("at"))
_BEING_WRITTEN = (
    select(links.c.record_id)
    .select_from(deliveries.join(links, deliveries.c.link_id == links.c.id))
    .where(deliveries.c.state == "sending")
)

_NAMED = select(records.c.id, records.c.remote_id, records.c.version, records.c.origin, records.c.body).where(
    records.c.connection_id == bindparam("of"),
    records.c.kind == bindparam("sort"),
    records.c.remote_id.in_(bindparam("named", expanding=True)),
)


def pack(request: WebhookRequest) -> bytes:
    """A verified call as it is kept: its headers without credentials, its body."""
    safe = {name: value for name, value in request.headers.items() if name not in ("authorization", "cookie")}
    return columns.encode({"headers": safe, "body": request.body.decode("utf-8", "replace"), "query": {}})


def _unpack(body: bytes) -> WebhookRequest:
    kept: Json = columns.plain(body)
    return WebhookRequest(headers=kept["headers"], body=kept["body"].encode(), query=kept["query"])


def read_inbox(hub: Hub) -> bool:
    """Turn waiting calls into reads to do. A call that speaks of a version we have read already costs no read.

    A call about a record that is being written at this moment waits for the write's end: most likely it is the echo of
    that write, and its answer will have shown the record. True when some call did not have to wait.
    """
    with hub.store.read() as conn:
        waiting = conn.execute(_WAITING, {"most": hub.settings.batch * 5}).all()
    if not waiting:
        return False
    # Looked up before the step: the writer is for what must be written. What is out of date by then costs a read.
    named = [(row, hint) for row in waiting for hint in _hints(hub, row.connection_id, row.body)]
    with hub.store.read() as conn:
        written = frozenset(conn.execute(_BEING_WRITTEN).scalars())
        known = {
            of: _records(conn, hub, of, [hint.id for row, hint in named if row.connection_id == of])
            for of in {row.connection_id for row, _ in named}
        }
    early: set[int] = set()
    wanted: dict[int, set[str]] = {}
    for call, hint in named:
        row = known[call.connection_id].get(hint.id)
        if row is not None and row.origin == "direct" and _known(row, hint):
            continue
        if row is not None and row.id in written:
            early.add(call.id)
        else:
            wanted.setdefault(call.connection_id, set()).add(hint.id)
    done = [row.id for row in waiting if row.id not in early]

    def step(conn: Connection) -> None:
        now = hub.clock.now()
        for connection_id, ids in sorted(wanted.items()):
            kind = hub.connections[connection_id].kind
            rows.ask(conn, connection_id, [(kind, remote_id) for remote_id in ids], now, "hook")
        if done:
            conn.execute(_DONE, [{"call": call_id, "at": now} for call_id in done])

    if done or wanted:
        hub.store.step(step)
    for connection_id in sorted(wanted):
        hub.signals.ring(f"refresh:{connection_id}")
    return bool(done)


def _records(conn: Connection, hub: Hub, connection_id: int, ids: Sequence[str]) -> dict[str, Any]:
    """Those of the named records that we have, by id."""
    kind = hub.connections[connection_id].kind
    return {
        row.remote_id: row
        for piece in rows.chunks(sorted(set(ids)))
        for row in conn.execute(_NAMED, {"of": connection_id, "sort": kind, "named": piece})
    }


def _hints(hub: Hub, connection_id: int, body: bytes) -> tuple[Hint, ...]:
    """The records that a stored call names; none for a call that is not understood, or of a connection that is gone.

    A call that our own code stumbles over is told as a defect and done with: the next poll finds what it spoke of.
    """
    connected = hub.connections.get(connection_id)
    if connected is None or connected.hints is None:
        return ()
    try:
        return connected.hints(_unpack(body))
    except WebhookRejected as error:
        hub.tell("webhook_not_understood", connection=connected.name, why=error.message)
        return ()
    except Exception as error:  # noqa: BLE001  one call that we stumble over must not hold up those behind it
        hub.tell("internal_error", where="reading a webhook call", connection=connected.name, error=error)
        return ()


def _known(row: Any, hint: Hint) -> bool:
    """True when a call speaks of nothing that a direct read has not shown us already.

    Where two edits may share a version, an equal one proves nothing: the call's own values must be those read.
    """
    if not hint.version or row.version < hint.version:
        return False
    if row.version > hint.version or not hint.coarse:
        return True
    if not hint.shows:
        return False
    fields = columns.snapshot(row.body).fields
    return all(_texts(fields.get(name)) == said for name, said in hint.shows)


def _texts(value: Json) -> tuple[str, ...]:
    """A raw value as a call would spell it."""
    return tuple(sorted(str(each) for each in value)) if isinstance(value, list) else (str(value),)
