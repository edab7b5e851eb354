"""The web face of a hub on a real database: what was acknowledged is there, however the process ends."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from sqlalchemy import func, insert, select

from sync.ports import RealClock
from sync.store.migrate import open_store
from sync.store.tables import connections, inbox

SERVER = """
import sys, threading
from pathlib import Path
from connectors.errors import WebhookRejected
from sync.daemon.face import HubFace
from sync.engine.budgets import Budgets
from sync.engine.hub import Connected, Hub, ReadCounter
from sync.model import Role
from sync.ports import RealClock, RealRng, spawn_thread
from sync.store.migrate import open_store
from sync.web.app import Health
from sync.web.metrics import Metrics
from sync.web.settings import WebSettings
import hashlib, hmac

def verify(request, now):
    if request.headers.get("x-signature") != hmac.new(b"secret", request.body, hashlib.sha256).hexdigest():
        raise WebhookRejected("the signature does not match the body")
    return request.headers["x-call-id"]

clock = RealClock()
store = open_store(Path(sys.argv[1]), clock=clock)
support = Connected(id=1, name="support", system="zendesk", role=Role.HELPDESK, kind="ticket", mapping=None,
                    remote=None, verify=verify)
dev = Connected(id=2, name="dev", system="jira", role=Role.TRACKER, kind="issue", mapping=None, remote=None)
hub = Hub(store=store, clock=clock, rng=RealRng(), connections={1: support, 2: dev}, budgets=Budgets(clock),
          reads=ReadCounter(0))
face = HubFace(hub, WebSettings(port=0), health=lambda: Health(ok=True, store="writable"), metrics=Metrics(),
               spawn=spawn_thread)
face.start(lambda why: None)
print(face.url, flush=True)
threading.Event().wait()
"""


def prepared(path: Path) -> Path:
    """A database with the two connections of the server above."""
    clock = RealClock()
    store = open_store(path, clock=clock)
    rows = [
        {"id": 1, "name": "support", "system": "zendesk", "role": "helpdesk", "created_at": clock.now()},
        {"id": 2, "name": "dev", "system": "jira", "role": "tracker", "created_at": clock.now()},
    ]
    store.step(lambda conn: conn.execute(insert(connections), rows).close())
    store.close()
    return path


class Server:
    """The face in a process of its own."""

    def __init__(self, database: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(database)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        assert self._process.stdout is not None
        self._address = self._process.stdout.readline().strip().removeprefix("http://")
        assert self._address

    def hook(self, name: str, call_id: str, body: bytes = b"{}") -> tuple[int, str | None]:
        connection = http.client.HTTPConnection(self._address, timeout=10)
        with closing(connection):
            sign = hmac.new(b"secret", body, hashlib.sha256).hexdigest()
            connection.request("POST", f"/hooks/{name}", body, {"x-call-id": call_id, "x-signature": sign})
            answer = connection.getresponse()
            return answer.status, answer.headers["retry-after"]

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate(timeout=10)


def stored(database: Path) -> list[tuple[int, str]]:
    store = open_store(database, clock=RealClock())
    try:
        with store.read() as conn:
            return [(row.connection_id, row.call_id) for row in conn.execute(select(inbox).order_by(inbox.c.id))]
    finally:
        store.close()


def test_an_acknowledged_call_survives_sigkill(tmp_path: Path) -> None:
    database = prepared(tmp_path / "hypercare.db")
    server = Server(database)
    assert [server.hook("support", f"call-{number}")[0] for number in range(20)] == [202] * 20
    server.kill()
    assert stored(database) == [(1, f"call-{number}") for number in range(20)]


def test_a_repeated_call_is_stored_once_also_after_a_restart(tmp_path: Path) -> None:
    database = prepared(tmp_path / "hypercare.db")
    server = Server(database)
    assert [server.hook("support", "call-1")[0] for _ in range(3)] == [202] * 3
    server.kill()
    server = Server(database)
    assert server.hook("support", "call-1")[0] == 202
    server.kill()
    assert stored(database) == [(1, "call-1")]


def test_a_connection_that_takes_no_webhooks_is_not_found(tmp_path: Path) -> None:
    server = Server(prepared(tmp_path / "hypercare.db"))
    assert server.hook("dev", "call-1")[0] == 404
    server.kill()


def test_a_locked_database_is_answered_503_within_a_second(tmp_path: Path) -> None:
    database = prepared(tmp_path / "hypercare.db")
    server = Server(database)
    clock = RealClock()
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = clock.monotonic()
        assert server.hook("support", "call-1") == (503, "5")
        assert clock.monotonic() - began < 1.5  # the face waits 0.9 s; the rest is this machine's load
        other.execute("ROLLBACK")
    # The writer had it all along: it is committed by now or soon, and the repetition is no second row.
    while server.hook("support", "call-1")[0] != 202:
        pass
    server.kill()
    with closing(sqlite3.connect(database)) as other:
        assert other.execute(str(select(func.count()).select_from(inbox))).fetchone() == (1,)
