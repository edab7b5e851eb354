"""A loopback HTTP/1.1 server over a stand-in: the only place of the sandboxes with sockets, threads and real time.

Keep-alive, exact Content-Length, one thread a connection, one lock around the model. A thread of its own sends the
webhook calls that are due and tells the model how each ended; what is repeated, and when, is the model's rule.
"""

from __future__ import annotations

import contextlib
import http.client
import queue
import socket
import threading
import time
from email.utils import formatdate
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Self, cast
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from connectors.sandbox.wire import Cut, OutgoingHook, Request, Response

if TYPE_CHECKING:
    from types import TracebackType

    from connectors.sandbox.wire import StandIn, TimeSource

LINE_LIMIT = 65_536
HEADERS_LIMIT = 200
BODY_LIMIT = 100_000_000
HOOK_SENDERS = 4
HOOK_TICK = 0.05
"""Seconds between two looks for webhook calls that have become due by time alone."""


class _Malformed(Exception):
    """Bytes that are no HTTP request; the connection is closed after a 400."""


class RunningSandbox:
    """A stand-in that is being served; a context manager that closes itself. url: `http://host:port`, no slash."""

    def __init__(self, stand_in: StandIn, *, host: str, port: int, time_source: TimeSource) -> None:
        self.stand_in = stand_in
        self._time = time_source
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._outgoing: queue.SimpleQueue[OutgoingHook | None] = queue.SimpleQueue()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((host, port), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._host = host
        self.url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '') else host}:{self.port}"  # noqa: S104  # only named
        self._start(self._accept)
        self._start(self._plan_hooks)
        for _ in range(HOOK_SENDERS):
            self._start(self._send_hooks)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def lock(self) -> threading.RLock:
        """Held around every call of the model; hold it to look at the model from outside while it is served."""
        return self._lock

    def close(self) -> None:
        """Stop listening, end every connection, wait for the threads. May be called again."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._wake.set()
        for _ in range(HOOK_SENDERS):
            self._outgoing.put(None)
        with contextlib.suppress(OSError):  # closing the listener does not wake accept() everywhere; a caller does
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        with self._lock:
            for connection in self._open:
                _shut(connection)
        for thread in self._threads:
            thread.join(timeout=2)
        self._listener.close()

    # --- requests ------------------------------------------------------------------------------------------------

    def _start(self, work: object, *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        thread.start()
        if work != self._serve:
            self._threads.append(thread)
        return thread

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._closing.is_set():
                    connection.close()
                    return
                self._open.add(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with cast("IO[bytes]", connection.makefile("rb", buffering=65_536)) as reader:
                while not self._closing.is_set() and self._exchange(connection, reader):
                    pass
        except OSError:
            pass  # the caller went away; nothing to tell anybody
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _exchange(self, connection: socket.socket, reader: IO[bytes]) -> bool:
        """One request and its answer. True when the connection may carry another."""
        try:
            taken = _read_request(connection, reader, f"127.0.0.1:{self.port}")
        except (_Malformed, ValueError) as error:
            body = msgspec.json.encode({"error": f"not an HTTP request: {error}"})
            self._send(connection, Response(status=400, body=body), with_body=True, keep=False)
            return False
        if taken is None:
            return False
        request, keep = taken
        response = self._handled(request)
        if request.method not in ("GET", "HEAD"):
            self._wake.set()
        return self._send(connection, response, with_body=request.method != "HEAD", keep=keep)

    def _handled(self, request: Request) -> Response:
        try:
            with self._lock:
                return self.stand_in.handle(request)
        except Exception as error:  # noqa: BLE001  # a fault of the stand-in must reach the tester, not kill the thread
            told = {"error": "the stand-in itself failed", "description": f"{type(error).__name__}: {error}"}
            headers = {"content-type": "application/json", "x-sandbox-bug": "1"}
            return Response(status=500, body=msgspec.json.encode(told), headers=headers)

    def _send(self, connection: socket.socket, response: Response, *, with_body: bool, keep: bool) -> bool:
        if response.delay and self._closing.wait(response.delay):
            return False
        if response.cut is Cut.NO_ANSWER:
            return False
        bare = response.status in {204, 304}
        lines = [f"HTTP/1.1 {response.status} {_phrase(response.status)}"]
        lines.extend(f"{name}: {value}" for name, value in response.headers.items())
        lines.append(f"date: {formatdate(self._time(), usegmt=True)}")
        if not bare:
            lines.append(f"content-length: {len(response.body)}")
        if not keep:
            lines.append("connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        body = b"" if bare or not with_body else response.body
        if response.cut is Cut.MID_BODY:
            connection.sendall(head + body[: len(body) // 2])
            return False
        if response.drip:
            connection.sendall(head)
            for place in range(len(body)):
                if self._closing.wait(response.drip):
                    return False
                connection.sendall(body[place : place + 1])
            return keep
        if len(body) > 65_536:
            connection.sendall(head)
            connection.sendall(body)
        else:
            connection.sendall(head + body)
        return keep

    # --- webhook calls -------------------------------------------------------------------------------------------

    def _plan_hooks(self) -> None:
        """Hand the webhook calls that are due to the senders."""
        while not self._closing.is_set():
            self._wake.wait(HOOK_TICK)
            self._wake.clear()
            with self._lock:
                due = self.stand_in.due_hooks(self._time())
            for hook in due:
                self._outgoing.put(hook)

    def _send_hooks(self) -> None:
        connections: dict[str, http.client.HTTPConnection] = {}
        try:
            while (hook := self._outgoing.get()) is not None:
                status = _call(hook, connections)
                if self._closing.is_set():
                    return
                with self._lock:
                    self.stand_in.hook_answered(hook, status, self._time())
                self._wake.set()
        finally:
            for connection in connections.values():
                connection.close()


def serve(
    stand_in: StandIn, *, host: str = "127.0.0.1", port: int = 0, time_source: TimeSource = time.time
) -> RunningSandbox:
    """Serve a stand-in until closed. Port 0 takes a free one. Raises OSError when the port is taken.

    host: loopback unless told otherwise; a stand-in has no secrets to keep, so think before showing it to a network.
    time_source: the same clock the stand-in was made with, so that webhook calls fall due together with its rules.
    """
    return RunningSandbox(stand_in, host=host, port=port, time_source=time_source)


def _call(hook: OutgoingHook, connections: dict[str, http.client.HTTPConnection]) -> int | None:
    """Make one webhook call: the status of the answer, None when there was none in time."""
    target = urlsplit(hook.url)
    key = f"{target.scheme}://{target.netloc}"
    kept = connections.get(key)
    for fresh in (False, True):  # a kept connection may have been closed by the other side: then once more, anew
        if kept is None or fresh:
            kind = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
            kept = kind(target.netloc, timeout=hook.timeout)
            reused = False
        else:
            reused = True
        connections[key] = kept
        try:
            path = (target.path or "/") + (f"?{target.query}" if target.query else "")
            kept.request(hook.method, path, body=hook.body, headers=dict(hook.headers))
            answer = kept.getresponse()
            answer.read(65_536)
            if answer.length or answer.will_close:
                kept.close()
                connections.pop(key, None)
            return answer.status
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            kept.close()
            connections.pop(key, None)
            if not reused:
                return None
        except (OSError, http.client.HTTPException, ValueError):
            kept.close()
            connections.pop(key, None)
            return None
    return None


def _read_request(connection: socket.socket, reader: IO[bytes], own: str) -> tuple[Request, bool] | None:
    """Read one request: (request, whether the connection may be kept); None at the end of the connection."""
    line = reader.readline(LINE_LIMIT)
    if line in (b"\r\n", b"\n"):  # a stray line end between two requests is allowed
        line = reader.readline(LINE_LIMIT)
    if not line:
        return None
    parts = line.decode("latin-1").split()
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise _Malformed("the first line is not METHOD TARGET HTTP/1.1")
    method, target, version = parts
    headers: dict[str, str] = {}
    while (line := reader.readline(LINE_LIMIT)) not in (b"\r\n", b"\n"):
        if not line:
            return None
        if len(headers) >= HEADERS_LIMIT:
            raise _Malformed("too many headers")
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise _Malformed("a header line without a colon")
        headers[name.strip().lower()] = value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = _read_body(reader, headers)
    if body is None:
        return None
    split = urlsplit(target)
    request = Request(
        method=method.upper(),
        path=unquote(split.path) or "/",
        query=parse_qs(split.query, keep_blank_values=True),
        headers=headers,
        body=body,
        base=f"http://{headers.get('host') or own}",
    )
    wish = headers.get("connection", "").lower()
    return request, (wish == "keep-alive" if version == "HTTP/1.0" else wish != "close")


def _read_body(reader: IO[bytes], headers: dict[str, str]) -> bytes | None:
    """The body; None when the connection ends before it does."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        chunks: list[bytes] = []
        taken = 0
        while size := int(reader.readline(LINE_LIMIT).split(b";")[0] or b"0", 16):
            taken += size
            if taken > BODY_LIMIT:
                raise _Malformed("the body is too large")
            chunks.append(reader.read(size))
            reader.readline(LINE_LIMIT)
        while reader.readline(LINE_LIMIT) not in (b"\r\n", b"\n", b""):
            pass
        return b"".join(chunks)
    length = int(headers.get("content-length") or 0)
    if length < 0 or length > BODY_LIMIT:
        raise _Malformed("a Content-Length out of bounds")
    body = reader.read(length) if length else b""
    return body if len(body) == length else None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
