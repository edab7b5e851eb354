"""Limits of time, size and number, met by raw sockets."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Generator

import pytest

from sync.ports import RealClock
from sync.web.limits import Doorkeeper
from sync.web.settings import WebSettings
from tests.sync.web.face import HOOK, DecidedStore, Face, read_all, running, sign

HEAD = b"POST /hooks/support HTTP/1.1\r\nhost: x\r\n"


def drip(sock: socket.socket, piece: bytes, most: int = 400) -> tuple[bytes, float]:
    """Send one piece after the other, 10 ms apart, until the other side ends it: what it said, and after how long."""
    clock = RealClock()
    began = clock.monotonic()
    sock.settimeout(0.01)
    for _ in range(most):
        with contextlib.suppress(TimeoutError):
            heard = sock.recv(4096)
            return heard, clock.monotonic() - began
        try:
            sock.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            return b"", clock.monotonic() - began
    raise AssertionError("the sender was never cut off")


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        (b"", b""),  # connects and says nothing
        (b"", b"\r\n"),  # empty lines before a request are legal, and endless
        (b"POST /hooks/", b"a"),  # an endless address
        (HEAD, b"x: y\r\n"),  # endless headers
        (HEAD + b"content-length: 100000\r\n\r\n", b"x"),  # a body that never ends
        (HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
)
def test_a_request_that_is_not_complete_in_time_is_cut_off_however_it_drips(first: bytes, piece: bytes) -> None:
    store = DecidedStore()
    with running(store, request_seconds=0.3) as face, face.connect() as sock:
        sock.sendall(first)
        heard, after = drip(sock, piece)
        assert heard == b"" or heard.startswith(b"HTTP/1.1 408 ")
        assert 0.25 < after < 3
    assert store.rows == []


def test_a_second_request_on_the_same_connection_has_its_own_deadline() -> None:
    call = f"POST {HOOK} HTTP/1.1\r\nhost: x\r\nx-signature: {sign(b'{}')}\r\nx-call-id: a\r\ncontent-length: 2\r\n\r\n"
    with running(DecidedStore(), request_seconds=0.3) as face, face.connect() as sock:
        for _ in range(3):
            sock.sendall(call.encode() + b"{}")
            assert sock.recv(4096).startswith(b"HTTP/1.1 202 ")
        heard, after = drip(sock, b"\r\n")
        assert heard.startswith(b"HTTP/1.1 408 ")
        assert 0.25 < after < 3


def test_a_complete_request_is_not_cut_off_while_it_waits_for_its_commit() -> None:
    store = DecidedStore(commit_at_once=False)
    with running(store, request_seconds=0.05, answer_seconds=30, store_seconds=30) as face, face.connect() as sock:
        body = b"{}"
        sock.sendall(HEAD + f"x-signature: {sign(body)}\r\nx-call-id: a\r\ncontent-length: 2\r\n\r\n".encode() + body)
        assert store.arrived.wait(10)
        sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        store.commit()
        sock.settimeout(10)
        assert sock.recv(4096).startswith(b"HTTP/1.1 202 ")


def test_an_answer_that_does_not_come_or_is_not_read_costs_the_connection() -> None:
    store = DecidedStore(commit_at_once=False)
    with running(store, answer_seconds=0.1, store_seconds=30) as face, face.connect() as sock:
        body = b"{}"
        sock.sendall(HEAD + f"x-signature: {sign(body)}\r\nx-call-id: a\r\ncontent-length: 2\r\n\r\n".encode() + body)
        assert store.arrived.wait(10)
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(4096) == b""
        store.commit()


def test_headers_without_end_are_refused() -> None:
    with running(DecidedStore(), head_limit=4096) as face, face.connect() as sock:
        sock.sendall(HEAD + b"x: " + b"y" * 5000)
        assert read_all(sock).startswith(b"HTTP/1.1 431 ")


def test_trailers_without_end_are_refused() -> None:
    with running(DecidedStore(), head_limit=2048, body_limit=2048) as face, face.connect() as sock:
        sock.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nt: " + b"y" * 1000)
        heard = b""
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                sock.sendall(b"y" * 1000)
        with contextlib.suppress(ConnectionError):
            heard = read_all(sock)
        assert heard == b"" or heard.startswith(b"HTTP/1.1 413 ")
        assert face.hook()[0] == 202


def test_what_is_not_http_is_answered_400() -> None:
    with running(DecidedStore()) as face, face.connect() as sock:
        sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello")
        assert read_all(sock).startswith(b"HTTP/1.1 400 ")


@contextlib.contextmanager
def occupied(face: Face, count: int, source: str) -> Generator[list[socket.socket]]:
    """So many connections from one address, each in the middle of a request."""
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(face.connect(source)) for _ in range(count)]
        for sock in socks:
            sock.sendall(HEAD)
        yield socks


def test_one_address_over_its_cap_is_answered_503_and_others_are_served() -> None:
    with running(DecidedStore(), per_address=3) as face, occupied(face, 3, "127.0.0.2"):
        with face.connect("127.0.0.2") as sock:
            sock.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
            answer = read_all(sock)
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after: 2" in answer
        assert face.refused == ["per_address"]
        assert face.hook()[0] == 202  # from 127.0.0.1


def test_an_address_under_its_cap_again_is_served_again() -> None:
    with running(DecidedStore(), per_address=1) as face:
        with occupied(face, 1, "127.0.0.1") as (sock,):
            assert face.hook()[0] == 503
            sock.sendall(b"content-length: 0\r\nconnection: close\r\n\r\n")
            assert read_all(sock).startswith(b"HTTP/1.1 401 ")
        assert face.hook()[0] == 202


def test_connections_over_the_cap_in_all_are_closed_unanswered() -> None:
    with running(DecidedStore(), connections=4) as face, occupied(face, 4, "127.0.0.2"):
        with face.connect() as sock, contextlib.suppress(ConnectionResetError, BrokenPipeError):
            sock.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
            assert read_all(sock) == b""
        assert face.refused == ["connections"]


def test_behind_a_trusted_proxy_calls_are_counted_by_the_sender_it_names() -> None:
    store = DecidedStore(commit_at_once=False)
    body = b"{}"
    with (
        running(store, per_address=1, trusted_proxies=("127.0.0.0/8",), store_seconds=30) as face,
        face.connect() as first,
    ):
        first.sendall(
            HEAD + b"x-forwarded-for: 9.9.9.9, 203.0.113.5\r\ncontent-length: 2\r\n"
            b"x-call-id: a\r\nx-signature: " + sign(body).encode() + b"\r\n\r\n" + body
        )
        assert store.arrived.wait(10)
        store.commit_at_once = True
        assert face.hook(body, **{"x-forwarded-for": "203.0.113.5"})[0] == 503
        # What a sender writes into the header itself stands further left and counts for nothing.
        assert face.hook(body, **{"x-forwarded-for": "203.0.113.77, 203.0.113.6"})[0] == 202
        store.commit()
        assert first.recv(4096).startswith(b"HTTP/1.1 202 ")


def test_without_a_trusted_proxy_the_header_is_not_believed() -> None:
    door = Doorkeeper(WebSettings())
    assert door.sender("198.51.100.1", "203.0.113.5") == "198.51.100.1"


@pytest.mark.parametrize(
    ("forwarded", "sender"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("1.1.1.1, 203.0.113.5", "203.0.113.5"),
        ("203.0.113.5, 10.0.0.2", "203.0.113.5"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("", "10.0.0.1"),
        ("not an address", "not an address"),
    ],
)
def test_the_sender_is_the_last_hop_that_is_no_proxy_of_ours(forwarded: str, sender: str) -> None:
    door = Doorkeeper(WebSettings(trusted_proxies=("10.0.0.0/8",)))
    assert door.sender("10.0.0.1", forwarded) == sender


def test_an_ipv4_address_inside_ipv6_is_the_same_proxy() -> None:
    assert Doorkeeper(WebSettings(trusted_proxies=("10.0.0.0/8",))).trusts("::ffff:10.1.2.3")
