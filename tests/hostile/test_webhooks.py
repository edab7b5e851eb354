"""Forged and replayed calls: none is believed, nothing is stored, and slow senders keep nobody waiting."""

from __future__ import annotations

import random
import socket
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors.contract import WebhookRequest
from connectors.errors import WebhookRejected
from tests.hostile.calls import GENUINE, NOW, SECRETS, Call, forge
from tests.hostile.receiver import Receiver, as_bytes, exchange, receiving, verify

IN_PROCESS = 12_000
OVER_SOCKETS = 2_000


def system_of(way: str) -> str:
    return way.partition(" ")[0]


def believed(way: str, call: Call) -> str:
    """The delivery id of a call that is believed, or ""."""
    request = WebhookRequest(headers=call.headers, body=call.body, query=call.query)
    try:
        return verify(system_of(way), SECRETS, request, NOW)
    except WebhookRejected as error:
        return "" if error.status in (400, 401) else f"answered {error.status}"


def forged(count: int, seed: int = 1) -> Generator[tuple[str, Call]]:
    rng = random.Random(seed)
    ways = sorted(GENUINE)
    for number in range(count):
        way = ways[number % len(ways)]
        yield way, forge(rng, way)


@pytest.mark.parametrize("way", sorted(GENUINE))
def test_genuine_calls_are_believed_under_either_secret(way: str) -> None:
    rng = random.Random(3)
    for secret in SECRETS:
        assert believed(way, GENUINE[way](rng, secret=secret))


def test_no_forged_or_outdated_call_is_believed() -> None:
    kinds: Counter[str] = Counter()
    for way, call in forged(IN_PROCESS):
        kinds[f"{way}: {call.kind}"] += 1
        assert not believed(way, call), (way, call)
    assert len(kinds) > 35
    assert min(kinds.values()) > IN_PROCESS / 400


@pytest.mark.parametrize("way", ["zendesk", "jira hmac", "sentry"])
def test_a_recorded_call_sent_again_under_new_names_is_one_call(way: str) -> None:
    rng = random.Random(4)
    call = GENUINE[way](rng)
    ids = set()
    for _ in range(500):
        unsigned = {name: f"{rng.random()}" for name in ("x-zendesk-webhook-invocation-id", "x-zendesk-webhook-id")}
        unsigned["x-atlassian-webhook-identifier"] = f"{rng.random()}"
        unsigned["request-id"] = unsigned["sentry-hook-timestamp"] = f"{rng.random()}"
        ids.add(believed(way, call._replace(headers={**call.headers, **unsigned})))
    assert len(ids) == 1


def test_over_sockets_nothing_forged_is_accepted_or_stored(tmp_path: Path) -> None:
    kept: list[socket.socket] = []
    with receiving(tmp_path) as receiver:
        statuses: Counter[int] = Counter()
        for way, call in forged(OVER_SOCKETS, seed=2):
            status = exchange(receiver, as_bytes(call, system_of(way)), kept)
            statuses[status] += 1
            assert status in (400, 401, 408, 413, 431), (way, call, status)
        assert receiver.stored() == 0
        assert [event for event, _ in receiver.told if event == "internal_error"] == []
        assert statuses[401] > OVER_SOCKETS // 2
        rng = random.Random(5)
        for way in sorted(GENUINE):
            call = GENUINE[way](rng)
            for _ in range(20):  # a replay within the window is the same call
                assert exchange(receiver, as_bytes(call, system_of(way)), kept) == 202
        assert receiver.stored() == len(GENUINE)
    for sock in kept:
        sock.close()


HEAD = b"POST /hooks/zendesk HTTP/1.1\r\nhost: x\r\n"

ODD_REQUESTS: dict[str, bytes] = {
    "another method": b"PUT /hooks/zendesk HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n",
    "an unknown name": b"POST /hooks/%2e%2e%2fzendesk HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n",
    "a name with a nul": b"POST /hooks/zendesk%00 HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n",
    "a length that is none": HEAD + b"content-length: -1\r\n\r\n",
    "two lengths": HEAD + b"content-length: 1\r\ncontent-length: 2\r\n\r\nab",
    "length and chunks": HEAD + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk of another size": HEAD + b"transfer-encoding: chunked\r\n\r\nZZ\r\nab\r\n0\r\n\r\n",
    "a body that is too large": HEAD + b"content-length: 99999999\r\n\r\n",
    "a number without end": HEAD + b"content-length: " + b"9" * 5000 + b"\r\n\r\n",
    "no http": b"\x00\x01\x02\x03\r\n\r\n",
    "an endless line": b"POST /hooks/zendesk?"
    + b"a=b&" * 20_000
    + b" HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n",
    "many arguments": b"POST /hooks/jira?" + b"a=b&" * 6000 + b" HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}",
    "many headers": HEAD + b"" + b"a: b\r\n" * 10_000 + b"content-length: 0\r\n\r\n",
    "bytes beyond latin-1": HEAD + b"x-zendesk-webhook-signature: \xff\xfe\r\ncontent-length: 2\r\n\r\n{}",
    "http 0.9": b"GET /hooks/zendesk\r\n\r\n",
    "http 9": b"POST /hooks/zendesk HTTP/9.9\r\nhost: x\r\ncontent-length: 0\r\n\r\n",
    "a smuggled second request": HEAD + b"content-length: 4\r\n\r\nabcdGET /metrics HTTP/1.1\r\n\r\n",
}


def test_odd_requests_are_refused_and_the_receiver_goes_on(tmp_path: Path) -> None:
    with receiving(tmp_path, request_seconds=1.0) as receiver:
        for name, sent in ODD_REQUESTS.items():
            status = exchange(receiver, sent)
            assert status == 0 or 400 <= status < 500, (name, status)
        assert [facts for event, facts in receiver.told if event == "internal_error"] == []
        assert receiver.stored() == 0
        assert exchange(receiver, as_bytes(GENUINE["zendesk"](random.Random(1)), "zendesk")) == 202


@contextmanager
def dripping(receiver: Receiver, count: int) -> Generator[list[socket.socket]]:
    """So many senders in the middle of a request of which they send a byte now and then."""
    senders = [receiver.connect() for _ in range(count)]
    for sock in senders:
        sock.sendall(b"POST /hooks/zendesk HTTP/1.1\r\nhost: x\r\nx: ")
    try:
        yield senders
    finally:
        for sock in senders:
            sock.close()


def drip(senders: list[socket.socket]) -> int:
    """A byte from each; how many are still let in."""
    open_ = 0
    for sock in senders:
        try:
            sock.send(b"y")
            open_ += 1
        except OSError:
            continue
    return open_


def test_a_hundred_slow_senders_delay_no_genuine_call(tmp_path: Path) -> None:
    rng = random.Random(6)
    with receiving(tmp_path, per_address=10_000, connections=10_000, request_seconds=2.0) as receiver:
        with dripping(receiver, 100) as senders:
            slowest = 0.0
            for _ in range(20):
                drip(senders)
                began = time.perf_counter()
                assert exchange(receiver, as_bytes(GENUINE["zendesk"](rng), "zendesk")) == 202
                slowest = max(slowest, time.perf_counter() - began)
            assert slowest < 2.0
            ends = time.perf_counter() + 10
            while receiver.door.total > 0 and time.perf_counter() < ends:
                drip(senders)
            assert receiver.door.total == 0  # none outlives the deadline of a request, however it drips
        assert receiver.stored() == 20
