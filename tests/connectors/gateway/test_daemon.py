"""The daemon as a process: pushed lines come through the receiver, the spool and the ledger, over a restart."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.connectors.gateway.apinto_log import call
from tests.sync.cli.command import COMMAND, Place, environment
from tests.sync.cli.test_with_daemon import until

TOKEN = "a-long-random-token-of-ours"
SETTINGS = f"""\
connections:
  gateway:
    system: gateway
    console_url: https://apipark.example.com
    receiver_token: {TOKEN}
    poll_seconds: 0.5
web: {{port: 0}}
log: {{format: json}}
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.file.write_text(SETTINGS, encoding="utf-8")
    return made


@contextmanager
def running(place: Place, end: signal.Signals) -> Generator[tuple[subprocess.Popen[bytes], str]]:
    """The daemon and its address; ended by a signal."""
    log = place.folder / "log.txt"
    with log.open("wb") as file:
        process = subprocess.Popen([COMMAND, "run"], cwd=place.folder, env=environment(), stderr=file)
    try:
        until(lambda: '"event":"started"' in log.read_text(), process)
        told = [json.loads(line) for line in log.read_text().splitlines()]
        yield process, next(one["url"] for one in told if one["event"] == "listening").removeprefix("http://")
    finally:
        process.send_signal(end)
        process.wait(30)


def push(address: str, first: int, count: int) -> None:
    for number in range(first, first + count):
        connection = http.client.HTTPConnection(address, timeout=10)
        body = json.dumps(call(datetime.now(UTC), number, 500))
        connection.request("POST", "/feeds/gateway", body, {"authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
        connection.close()


def metrics(address: str) -> str:
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def counts(place: Place) -> list[int]:
    found = place.run("signatures", "--json")
    return [one["figures"]["count"] for one in found.json] if found.code == 0 else []


def test_pushed_lines_become_a_signature_and_survive_a_kill(place: Place) -> None:
    with running(place, signal.SIGKILL) as (_, address):
        push(address, 0, 9)
    with running(place, signal.SIGTERM) as (process, address):
        push(address, 9, 3)
        until(lambda: len(counts(place)) == 1, process)
        shown = metrics(address)
    assert counts(place)[0] >= 10
    assert 'hypercare_feed_calls_total{answer="200",connection="gateway"} 3.0' in shown
    assert 'hypercare_feed{connection="gateway",what="poisoned"} 0.0' in shown
