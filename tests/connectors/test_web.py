"""What calls through httpx may do, on real sockets, and what their failures mean."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime

import httpx
import pytest
import respx

from connectors.errors import RemoteError, Unavailable, UnexpectedAnswer
from connectors.http import Limits
from connectors.web import Web, wire_error

DEAD = "http://127.0.0.1:9"


class RealClock:
    def now(self) -> datetime:
        return datetime(2026, 1, 2, tzinfo=UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here sleeps")


Talk = Callable[[socket.socket, threading.Event], None]


def _request(connection: socket.socket) -> bytes:
    heard = b""
    while b"\r\n\r\n" not in heard:
        heard += connection.recv(65_536)
    head, _, body = heard.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    while length and len(body) < int(length[1]):
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


@contextlib.contextmanager
def server(talk: Talk) -> Generator[tuple[str, list[bytes]]]:
    """A loopback server that hears one request on each connection and then talks as it is told."""
    heard: list[bytes] = []
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                heard.append(_request(connection))
                talk(connection, over)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@contextlib.contextmanager
def web(url: str, **limits: float) -> Generator[Web]:
    made = Web(url, clock=RealClock(), limits=Limits(**{"connect": 1.0, "read": 1.0, "total": 2.0} | limits))  # type: ignore[arg-type]  # numbers all
    try:
        yield made
    finally:
        made.close()


def says(answer: bytes) -> Talk:
    return lambda connection, over: connection.sendall(answer)


def test_an_answer_is_read_whole_whatever_its_status() -> None:
    answer = b"HTTP/1.1 418 Teapot\r\nContent-Length: 2\r\n\r\n{}"
    with server(says(answer)) as (url, heard), web(url) as client:
        response = client.call("PUT", "/x/", params=[("id", "1"), ("id", "2")], json={"a": [1]})
    assert (response.status_code, response.content) == (418, b"{}")
    assert heard[0].startswith(b"PUT /x/?id=1&id=2 HTTP/1.1\r\n")
    assert heard[0].endswith(b'\r\n\r\n{"a":[1]}')
    assert b"user-agent: hypercare\r\n" in heard[0].lower()


def say_nothing(connection: socket.socket, over: threading.Event) -> None:
    over.wait(5)


def drip_body(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
    while not over.wait(0.05):
        connection.sendall(b"x")


def drip_headers(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not over.wait(0.05):
        connection.sendall(b"x")


@pytest.mark.parametrize("talk", [drip_body, drip_headers])
def test_an_answer_that_drips_ends_with_the_deadline_of_the_call(talk: Talk) -> None:
    with server(talk) as (url, _), web(url, total=0.4) as client:
        started = time.monotonic()
        with pytest.raises(Unavailable, match="time allowed") as slow:
            client.call("PUT", "/x/")
        assert time.monotonic() - started < 1.5
    assert slow.value.applied


def test_silence_ends_with_the_read_limit() -> None:
    with (
        server(say_nothing) as (url, _),
        web(url, read=0.2) as client,
        pytest.raises(Unavailable) as silent,
    ):
        client.call("POST", "/x/")
    assert silent.value.applied


def test_a_body_beyond_the_limit_is_not_read_to_its_end() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n" + b"x" * 500_000
    with (
        server(says(answer)) as (url, _),
        web(url, body=1000) as client,
        pytest.raises(UnexpectedAnswer, match="larger than 1000"),
    ):
        client.call("GET", "/x/")


def test_a_redirect_is_not_followed_and_its_address_is_told_without_the_path() -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: https://login.example/sso?token=CANARY\r\nContent-Length: 0\r\n\r\n"
    with (
        server(says(answer)) as (url, heard),
        web(url) as client,
        pytest.raises(UnexpectedAnswer, match=r"https://login\.example") as told,
    ):
        client.call("GET", "/x/")
    assert "CANARY" not in told.value.message
    assert len(heard) == 1


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", b"SSH-2.0-OpenSSH\r\n"])
def test_a_broken_answer_to_a_write_is_in_doubt_and_the_write_is_sent_once(answer: bytes) -> None:
    with server(says(answer)) as (url, heard), web(url) as client, pytest.raises(Unavailable) as broken:
        client.call("PUT", "/x/", json={})
    assert broken.value.applied
    assert len(heard) == 1


def test_a_write_that_found_nobody_was_not_applied() -> None:
    with web(DEAD) as client, pytest.raises(Unavailable, match="cannot be reached") as refused:
        client.call("PUT", "/x/", json={})
    assert not refused.value.applied


def test_no_proxy_of_the_environment_is_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", DEAD)
    with server(says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")) as (url, _), web(url) as client:
        assert client.call("GET", "/x/").status_code == 200


@pytest.mark.parametrize(
    ("raised", "kind", "applied"),
    [
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"), Unavailable, False),
        (httpx.ConnectError("[Errno -2] Name or service not known"), Unavailable, False),
        (httpx.ConnectTimeout(""), Unavailable, False),
        (httpx.ProxyError("403 Forbidden"), Unavailable, False),
        (httpx.ReadTimeout(""), Unavailable, True),
        (httpx.WriteError(""), Unavailable, True),
        (httpx.ReadError(""), Unavailable, True),
        (httpx.RemoteProtocolError(""), Unavailable, True),
        (httpx.DecodingError(""), Unavailable, True),
        (httpx.UnsupportedProtocol(""), UnexpectedAnswer, False),
    ],
)
@respx.mock
def test_what_the_library_raises_is_put_into_our_words(
    raised: httpx.HTTPError, kind: type[RemoteError], applied: bool
) -> None:
    respx.put("https://sentry.example/x/").mock(side_effect=raised)
    with web("https://sentry.example") as client, pytest.raises(kind) as told:
        client.call("PUT", "/x/")
    assert (type(told.value), told.value.applied) == (kind, applied)
    assert told.value.message.startswith("PUT /x/: ")
    assert not wire_error(raised, where="GET /x/", writing=False).applied
