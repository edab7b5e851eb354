"""Webhooks durably acknowledged per second at sixteen connections, up to a kill -9 in the middle of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

from benchmarks.figures import Figure, Result, WrongResult, of_runs, percentile
from benchmarks.stage import DAEMON_CORE, ZENDESK_SECRET, Stage, stage, until

CONNECTIONS = 16
BODY = 4096
"""Bytes of one call, about what Zendesk sends."""
TICKETS = 1000


def acks(folder: Path, *, quick: bool) -> Result:
    """Measure."""
    runs, seconds = (2, 1.5) if quick else (5, 4.0)
    result = Result(
        name="acks",
        definition=f"signed calls of {BODY} bytes over {CONNECTIONS} connections, one at a time on each, answered 202 "
        "by the whole daemon after a durable commit, while it also works through what it has taken; the calls speak of "
        f"versions of {TICKETS} known tickets that it has read already. p99: from sending a call to its answer.",
    )
    with stage(folder, hooks=False) as on:
        on.zendesk(act="seed", count=TICKETS, spread=80 * 86400)
        on.configure(poll_seconds=3600)
        daemon = on.start()
        until(lambda: on.ask("select count(*) from records")[0][0] == TICKETS, 120, "the tickets")
        measured = []
        for _ in range(runs):
            measured.append(Load(daemon.url, ZENDESK_SECRET).run(seconds))
            until(lambda: not on.ask("select 1 from inbox where done_at is null limit 1"), 120, "an empty inbox")
        if problems := daemon.problems():
            raise WrongResult(f"the daemon's log: {problems[:3]}")
        last = Load(daemon.url, ZENDESK_SECRET)
        killer = threading.Timer(seconds / 2, daemon.end, [signal.SIGKILL])
        killer.start()
        last.run(seconds, until_cut=True)
        killer.join()
        _all_there(on, [*measured, last])
        result.checked.append(
            f"every one of {sum(len(each.acked) for each in (*measured, last)):,} calls that were answered 202 is in "
            f"the table after a kill -9 in the middle of the last {len(last.acked):,}"
        )
        on.daemon = None
        floor = [_floor(seconds) for _ in range(runs)]
        syncs = [_syncs(folder / "sync", min(seconds, 2.0)) for _ in range(runs)]
    rates = [each.rate for each in measured]
    result.figures += [
        Figure(
            name="rate",
            unit="acks/s",
            value=of_runs(rates),
            aim=3000,
            more_is_better=True,
            floor=of_runs([each.rate for each in floor]),
            floor_is="same server, no store",
            runs=tuple(rates),
        ),
        Figure(
            name="p99",
            unit="ms",
            value=of_runs([percentile(each.times, 0.99) * 1000 for each in measured]),
            aim=50,
            floor=of_runs([percentile(each.times, 0.99) * 1000 for each in floor]),
            floor_is="same server, no store",
        ),
        Figure(name="raw loop of write and fdatasync", unit="syncs/s", value=of_runs(syncs)),
    ]
    return result


class Load:
    """Sixteen connections in one thread. acked: ids of the calls answered 202. times: seconds for each."""

    def __init__(self, url: str, secret: str) -> None:
        self._address = urlsplit(url)
        self._secret = secret.encode()
        self.acked: list[str] = []
        self.times: list[float] = []
        self.rate = 0.0
        self._count = 0
        self._prefix = os.urandom(6).hex()

    def _call(self) -> tuple[str, bytes]:
        self._count += 1
        number = f"{self._prefix}-{self._count}"
        event = {
            "type": "zen:event-type:ticket.status_changed",
            "subject": f"zen:ticket:{self._count % TICKETS + 1}",
            "zendesk_event_version": "2022-11-06",
            "id": number,
            "detail": {"id": str(self._count % TICKETS + 1), "updated_at": "2020-01-01T00:00:00Z", "description": ""},
        }
        text = json.dumps(event)
        body = text.replace('"description": ""', f'"description": "{"x" * (BODY - len(text))}"').encode()
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        signed = base64.b64encode(hmac.new(self._secret, stamp.encode() + body, hashlib.sha256).digest()).decode()
        head = (
            f"POST /hooks/support HTTP/1.1\r\nhost: {self._address.netloc}\r\ncontent-type: application/json\r\n"
            f"x-zendesk-webhook-id: bench\r\nx-zendesk-webhook-invocation-id: {number}\r\n"
            f"x-zendesk-webhook-signature: {signed}\r\nx-zendesk-webhook-signature-timestamp: {stamp}\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        return hashlib.sha256(stamp.encode() + body).hexdigest(), head.encode() + body  # the id it is stored under

    def run(self, seconds: float, *, until_cut: bool = False) -> Load:
        """Send for so long. until_cut: the server's end ends it, and is no mistake."""
        waiting = selectors.DefaultSelector()
        began = perf_counter()
        try:
            for _ in range(CONNECTIONS):
                conn = socket.create_connection((self._address.hostname or "", self._address.port or 80), timeout=10)
                conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                waiting.register(conn, selectors.EVENT_READ, self._send(conn))
            while waiting.get_map():
                for key, _ in waiting.select(10):
                    assert isinstance(key.fileobj, socket.socket)
                    number, sent = key.data
                    answer = key.fileobj.recv(65536)
                    if not answer:
                        raise ConnectionResetError("the server closed")
                    if not answer.startswith(b"HTTP/1.1 202"):
                        raise WrongResult(f"a call was answered {answer[:120]!r}")
                    now = perf_counter()
                    self.acked.append(number)
                    self.times.append(now - sent)
                    if now - began < seconds:
                        waiting.modify(key.fileobj, selectors.EVENT_READ, self._send(key.fileobj))
                    else:
                        waiting.unregister(key.fileobj)
                        key.fileobj.close()
        except (ConnectionError, TimeoutError):
            if not until_cut:
                raise
        finally:
            waiting.close()
        self.rate = len(self.acked) / (perf_counter() - began)
        return self

    def _send(self, conn: socket.socket) -> tuple[str, float]:
        number, call = self._call()
        sent = perf_counter()
        conn.sendall(call)
        return number, sent


def _all_there(on: Stage, loads: list[Load]) -> None:
    there = {row[0].rpartition(":")[2] for row in on.ask("select call_id from inbox")}
    lost = [number for each in loads for number in each.acked if number not in there]
    if lost:
        raise WrongResult(f"{len(lost)} calls were answered 202 and are not in the table, such as {lost[:3]}")


def _floor(seconds: float) -> Load:
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.acker", str(DAEMON_CORE)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        return Load(server.stdout.readline().strip(), ZENDESK_SECRET).run(seconds)
    finally:
        server.kill()
        server.wait()


def _syncs(path: Path, seconds: float) -> float:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)
    count, end = 0, time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            os.write(handle, b"x" * BODY)
            sync(handle)
            count += 1
    finally:
        os.close(handle)
    return count / seconds
