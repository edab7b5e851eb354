"""A tamed session over real sockets, against a server that misbehaves byte by byte."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from connectors.errors import (
    AuthRejected,
    Forbidden,
    RateLimited,
    RecordMissing,
    RemoteError,
    Unavailable,
    UnexpectedAnswer,
    VersionConflict,
    WriteRejected,
)
from connectors.http import (
    Limits,
    decode,
    decode_any,
    excerpt,
    is_loopback,
    retry_after,
    status_error,
    tame,
    wire_error,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        raise AssertionError("an adapter never sleeps")


class RawServer:
    """Accepts connections on loopback and lets `behave` do with each request whatever it likes."""

    def __init__(self, behave: Callable[[socket.socket, bytes], None]) -> None:
        self.requests: list[bytes] = []
        self._behave = behave
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            try:
                received = b""
                while b"\r\n\r\n" not in received:
                    part = connection.recv(65536)
                    if not part:
                        return
                    received += part
                self.requests.append(received)
                self._behave(connection, received)
            except OSError:
                return

    def close(self) -> None:
        self._listening.close()


Serve = Callable[[Callable[[socket.socket, bytes], None]], RawServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    running: list[RawServer] = []

    def start(behave: Callable[[socket.socket, bytes], None]) -> RawServer:
        running.append(RawServer(behave))
        return running[-1]

    yield start
    for server in running:
        server.close()


def tamed(url: str, **more: Any) -> requests.Session:
    limits = Limits(connect=1.0, read=0.5, total=1.0, body=100_000)
    return tame(requests.Session(), base_url=url, clock=RealClock(), limits=limits, **more)


def answering(head: bytes, body: bytes = b"") -> Callable[[socket.socket, bytes], None]:
    def behave(connection: socket.socket, _: bytes) -> None:
        connection.sendall(head + b"\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body)

    return behave


def failure(session: requests.Session, method: str, url: str) -> RemoteError:
    with session, pytest.raises(requests.RequestException) as raised:
        session.request(method, url)
    return wire_error(raised.value, where=f"{method} /x", writing=method != "GET")


def test_a_body_that_drips_in_ends_at_the_deadline(serve: Serve) -> None:
    def drip(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        for _byte in range(100):
            connection.sendall(b" ")
            time.sleep(0.1)

    server = serve(drip)
    started = time.monotonic()
    error = failure(tamed(server.url), "GET", server.url)
    assert isinstance(error, Unavailable)
    assert time.monotonic() - started < 3


def test_headers_that_drip_in_end_at_the_deadline(serve: Serve) -> None:
    def drip(connection: socket.socket, _: bytes) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 100:
            connection.sendall(bytes([byte]))
            time.sleep(0.1)

    server = serve(drip)
    started = time.monotonic()
    error = failure(tamed(server.url), "PUT", server.url)
    assert isinstance(error, Unavailable)
    assert error.applied
    assert time.monotonic() - started < 3


def test_a_body_over_the_limit_is_not_read_to_its_end(serve: Serve) -> None:
    def flood(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n")
        for _part in range(500):
            connection.sendall(b" " * 100_000)

    server = serve(flood)
    assert isinstance(failure(tamed(server.url), "GET", server.url), UnexpectedAnswer)


def test_the_limit_holds_for_the_unpacked_body(serve: Serve) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    server = serve(answering(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip", bomb))
    assert len(bomb) < 100_000
    assert isinstance(failure(tamed(server.url), "GET", server.url), UnexpectedAnswer)


def test_a_redirect_is_not_followed(serve: Serve) -> None:
    elsewhere = serve(answering(b"HTTP/1.1 200 OK", b"{}"))
    server = serve(answering(b"HTTP/1.1 302 Found\r\nLocation: " + elsewhere.url.encode() + b"/secret-path"))
    error = failure(tamed(server.url), "GET", server.url)
    assert isinstance(error, UnexpectedAnswer)
    assert elsewhere.url in error.message
    assert "secret-path" not in error.message
    assert elsewhere.requests == []


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_a_lost_connection_is_never_sent_again_and_leaves_a_write_in_doubt(serve: Serve, method: str) -> None:
    server = serve(lambda connection, _: connection.close())
    error = failure(tamed(server.url), method, server.url)
    assert isinstance(error, Unavailable)
    assert error.applied is (method != "GET")
    assert len(server.requests) == 1


def test_a_body_cut_in_the_middle_is_no_answer(serve: Serve) -> None:
    def cut(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"tickets": [')

    server = serve(cut)
    error = failure(tamed(server.url), "PUT", server.url)
    assert isinstance(error, Unavailable)
    assert error.applied


def test_a_write_whose_connection_was_refused_certainly_did_not_happen() -> None:
    error = failure(tamed("http://127.0.0.1:9"), "PUT", "http://127.0.0.1:9/x")
    assert isinstance(error, Unavailable)
    assert not error.applied
    assert "refused" in error.message


def test_an_unknown_host_is_unavailable_and_named(serve: Serve) -> None:
    error = failure(tamed("http://nowhere.invalid"), "PUT", "http://nowhere.invalid/x")
    assert isinstance(error, Unavailable)
    assert not error.applied


def test_plain_http_behind_an_https_address_sends_nothing(serve: Serve) -> None:
    server = serve(answering(b"HTTP/1.1 200 OK", b"{}"))
    error = failure(tamed(server.url), "GET", server.url.replace("http://", "https://"))
    assert isinstance(error, Unavailable)


def test_the_user_agent_names_the_program(serve: Serve) -> None:
    server = serve(answering(b"HTTP/1.1 200 OK", b"{}"))
    with tamed(server.url) as session:
        session.get(server.url)
    assert b"User-Agent: hypercare\r\n" in server.requests[0]


def test_the_judge_stops_an_answer_before_the_caller_sees_it(serve: Serve) -> None:
    server = serve(answering(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1800", b"slow down"))

    def judge(response: requests.Response) -> None:
        raise status_error(response, where="GET /x", words=response.text, writing=False, now=NOW)

    with tamed(server.url, judge=judge) as session, pytest.raises(RateLimited) as raised:
        session.get(server.url)
    assert raised.value.retry_after == 1800
    assert len(server.requests) == 1


def test_a_connection_is_used_again_after_a_complete_answer(serve: Serve) -> None:
    ports: list[int] = []

    def twice(connection: socket.socket, _: bytes) -> None:
        for _turn in range(2):
            ports.append(connection.getpeername()[1])
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            connection.recv(65536)

    server = serve(twice)
    with tamed(server.url) as session:
        assert [session.get(server.url).json() for _ in range(2)] == [{}, {}]
    assert len(set(ports)) == 1
    assert len(ports) == 2


def test_a_given_transport_replaces_the_network() -> None:
    class Canned(BaseAdapter):
        def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
            response = requests.Response()
            response.status_code = 200
            response.url = str(request.url)
            response._content = b'{"from": "memory"}'
            response.request = request
            return response

        def close(self) -> None: ...

    with tamed("https://x.zendesk.com", transport=Canned()) as session:
        assert decode(session.get("https://x.zendesk.com/api"), where="GET /api") == {"from": "memory"}


# --- statuses ---------------------------------------------------------------------------------------------------------


def response(status: int = 200, body: bytes = b"", **headers: str) -> requests.Response:
    made = requests.Response()
    made.status_code = status
    made._content = body
    made.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return made


@pytest.mark.parametrize(
    ("status", "reading", "writing"),
    [
        (400, UnexpectedAnswer, WriteRejected),
        (401, AuthRejected, AuthRejected),
        (403, Forbidden, Forbidden),
        (404, RecordMissing, RecordMissing),
        (410, RecordMissing, RecordMissing),
        (409, VersionConflict, VersionConflict),
        (412, VersionConflict, VersionConflict),
        (413, UnexpectedAnswer, WriteRejected),
        (422, UnexpectedAnswer, WriteRejected),
        (429, RateLimited, RateLimited),
        (500, Unavailable, Unavailable),
        (502, Unavailable, Unavailable),
        (503, Unavailable, Unavailable),
        (504, Unavailable, Unavailable),
    ],
)
def test_a_status_means_what_the_hub_does_next(status: int, reading: type, writing: type) -> None:
    for write, kind in ((False, reading), (True, writing)):
        error = status_error(response(status), where="GET /x", words="words", writing=write, now=NOW)
        assert type(error) is kind
        assert "words" in error.message
        assert error.applied is (write and status >= 500)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30.0),
        ("0", 1.0),
        ("2.5", 2.5),
        ("1000000000", 86400.0),
        ("Fri, 02 Jan 2026 03:06:05 GMT", 120.0),
        ("Fri, 02 Jan 2026 03:06:05 -0000", 120.0),
        ("Thu, 01 Jan 2026 00:00:00 GMT", 1.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86400.0),
        (None, None),
        ("soon", None),
        ("-5", None),
        ("٣", 3.0),
        ("", None),
        ("9" * 5000, None),
    ],
)
def test_a_retry_after_is_read_and_clamped(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


# --- JSON -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"<!DOCTYPE html><html><body>Log in</body></html>",
        b"null",
        b"[]",
        b"true",
        b'"text"',
        b"12",
        b'{"tickets": [',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e400}',
        b'{"a": "\\ud800"}',
        b'{"a": "\xff\xfe"}',
        b'\xef\xbb\xbf{"a": 1}',
        '{"a": 1}'.encode("utf-16"),
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a": 1} trailing',
    ],
)
def test_what_is_not_a_json_object_is_an_unexpected_answer(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer) as raised:
        decode(response(200, body), where="GET /api/v2/tickets")
    assert "GET /api/v2/tickets" in raised.value.message
    assert len(raised.value.message) < 400


def test_any_json_value_can_be_decoded_where_lists_are_expected() -> None:
    assert decode_any(response(200, b"[1, null]"), where="GET /x") == [1, None]


def test_an_excerpt_is_one_short_line_without_markup_and_credentials() -> None:
    text = excerpt(
        b'<p>\x1b[31mno</p>\n<script>steal()</script> Authorization: Bearer abc.def {"access_token":"s3cret"} '
        + b"x" * 999
    )
    assert "\n" not in text
    assert "\x1b" not in text
    assert "steal" not in text
    assert "abc.def" not in text
    assert "s3cret" not in text
    assert len(text) <= 121


def test_loopback_is_recognised() -> None:
    assert is_loopback("http://127.0.0.1:8101")
    assert is_loopback("http://localhost")
    assert is_loopback("http://[::1]:80/x")
    assert not is_loopback("http://127.0.0.1.example.com")
    assert not is_loopback("https://acme.zendesk.com")
