"""What calls through httpx may do, and what their failures mean: the counterpart of `connectors.http`, same promises.

No request is ever sent twice, no redirect is followed, TLS is always verified, a call has one deadline for everything
(an answer that drips in byte by byte included), and a body has a size limit. Nothing here knows a vendor.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import httpcore
import httpx
import msgspec

from connectors.contract import Clock
from connectors.errors import RemoteError, Unavailable, UnexpectedAnswer
from connectors.http import USER_AGENT, Limits, excerpt, is_loopback
from sync.model import Json

_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ProxyError,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    httpx.LocalProtocolError,
)


class _Call:
    """The call under way on one client. A client belongs to one thread, so there is one at a time."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._total = limits.total
        self._ends = float("inf")

    def start(self) -> None:
        self._ends = self._clock.monotonic() + self._total

    def seconds_left(self, most: float | None) -> float:
        """How long the next wait may take, at most `most`; raises httpx.ReadTimeout when the call's time is over."""
        left = self._ends - self._clock.monotonic()
        if left <= 0:
            raise httpx.ReadTimeout(f"the answer took longer than {self._total:g} s in all")
        return left if most is None else min(left, most)


class _BoundedStream(httpcore.NetworkStream):
    """A connection on which every single wait is bounded by what is left of the call's time."""

    def __init__(self, inner: httpcore.NetworkStream, call: _Call) -> None:
        self._inner = inner
        self._call = call

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._call.seconds_left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._call.seconds_left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _BoundedStream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._call)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _BoundedNetwork(httpcore.NetworkBackend):
    """The real network, its connections bounded in time."""

    def __init__(self, inner: httpcore.NetworkBackend, call: _Call) -> None:
        self._inner = inner
        self._call = call

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        inner = self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        return _BoundedStream(inner, self._call)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Any = None
    ) -> httpcore.NetworkStream:
        return _BoundedStream(self._inner.connect_unix_socket(path, timeout, socket_options), self._call)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class Web:
    """A client for one remote, for one thread. base_url: without a slash at its end. transport: `Ports.transport`."""

    def __init__(
        self,
        base_url: str,
        *,
        clock: Clock,
        headers: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._call = _Call(clock, self._limits)
        self._base_url = base_url
        self._client = httpx.Client(
            headers={"User-Agent": USER_AGENT, "Accept": "application/json", **(headers or {})},
            timeout=httpx.Timeout(self._limits.read, connect=self._limits.connect),
            follow_redirects=False,
            verify=_trusted(),
            trust_env=not is_loopback(base_url),  # no proxy of the environment is asked for this very machine
            transport=transport,
        )
        # The library lets nobody in between itself and the network, and a read timeout starts anew with each byte.
        for each in (self._client._transport, *self._client._mounts.values()):  # noqa: SLF001
            if isinstance(each, httpx.HTTPTransport):
                pool = each._pool  # noqa: SLF001
                pool._network_backend = _BoundedNetwork(pool._network_backend, self._call)  # noqa: SLF001

    def call(
        self, method: str, path: str, *, params: Sequence[tuple[str, str]] = (), json: Json = None, where: str = ""
    ) -> httpx.Response:
        """One request, one answer, read to its end, whatever its status; redirects and broken answers are raised.

        Raises `connectors.errors`: of a call that is no GET, `applied` tells whether it may have taken effect.
        """
        where = where or f"{method} {path}"
        writing = method != "GET"
        self._call.start()
        try:
            return self._read(method, path, params, json, where=where, writing=writing)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise wire_error(error, where=where, writing=writing) from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _read(
        self, method: str, path: str, params: Sequence[tuple[str, str]], json: Json, *, where: str, writing: bool
    ) -> httpx.Response:
        content = None if json is None else msgspec.json.encode(json)
        headers = {} if content is None else {"Content-Type": "application/json"}
        with self._client.stream(
            method, self._base_url + path, params=list(params) or None, content=content, headers=headers
        ) as response:
            parts: list[bytes] = []
            size = 0
            for part in response.iter_bytes(1 << 18):
                self._call.seconds_left(None)
                size += len(part)
                if size > self._limits.body:
                    raise UnexpectedAnswer(
                        f"{where}: the answer is larger than {self._limits.body} bytes; it was not read to its end.",
                        applied=writing,
                    )
                parts.append(part)
        if 300 <= response.status_code < 400:
            raise UnexpectedAnswer(
                f"{where}: {_whither(response)}. Set the address at which it really answers.", applied=writing
            )
        # The body is handed on as it was read and decoded: a stream cannot be read twice.
        response._content = b"".join(parts)  # noqa: SLF001
        return response


@cache
def _trusted() -> ssl.SSLContext:
    """Whom to trust: reading all certificate authorities takes longer than a call, so it is done once."""
    return httpx.create_ssl_context()


def wire_error(error: Exception, *, where: str, writing: bool) -> RemoteError:
    """What an exception of httpx means. A write that may have left this machine is in doubt (`applied`)."""
    doubt = writing and not isinstance(error, _NEVER_SENT)
    if isinstance(error, (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError)):
        return UnexpectedAnswer(f"{where}: not an address that can be called. Correct the address in the settings.")
    if isinstance(error, httpx.ConnectTimeout):
        return Unavailable(f"{where}: no connection within the time allowed. Is the address right and reachable?")
    if isinstance(error, httpx.TimeoutException):
        return Unavailable(f"{where}: no answer within the time allowed.", applied=doubt)
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE" in str(error).upper():
        return Unavailable(f"{where}: the server's TLS certificate is not trusted. Nothing was sent unprotected.")
    if isinstance(error, _NEVER_SENT):
        return Unavailable(f"{where}: cannot be reached ({_cause(error)}). Is the address right?")
    if isinstance(error, (httpx.RemoteProtocolError, httpx.DecodingError)):
        return Unavailable(f"{where}: the answer broke off before its end.", applied=doubt)
    if isinstance(error, httpx.NetworkError):
        return Unavailable(f"{where}: the connection was lost before the answer was complete.", applied=doubt)
    return Unavailable(f"{where}: the call failed ({type(error).__name__}).", applied=doubt)


def _whither(response: httpx.Response) -> str:
    """Where an answer sends us, without the path: there may be a token in it."""
    try:
        target = httpx.URL(response.headers.get("location", ""))
    except httpx.InvalidURL:
        target = httpx.URL("")
    if not target.host:
        return f"answered {response.status_code}, which names no other address"
    return "redirected to " + excerpt(f"{target.scheme}://{target.netloc.decode('ascii', 'replace')}")


def _cause(error: Exception) -> str:
    """The innermost reason in a few words."""
    found = re.search(r"\[Errno -?\d+\] ([^'\")\]]+)", str(error))
    return found.group(1).strip() if found else "no connection"
