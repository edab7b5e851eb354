"""What the `requests` sessions of the vendor libraries may do, and what their failures mean.

`tame` mounts one adapter on a session. Through it no request is ever sent twice, no redirect is followed, TLS is always
verified, a call has one deadline for everything (an answer that drips in byte by byte included), a body has a size
limit, and a judge sees each answer first, so that no vendor's loop ever sleeps on a 429. Nothing here knows a vendor.
"""

from __future__ import annotations

import http.client
import io
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_network
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

import msgspec
import requests
from msgspec import Struct
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, InvalidHeader, InvalidURL, MissingSchema
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from connectors.contract import Clock
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
from sync.model import Json

USER_AGENT = "hypercare"
"""Distinct, because Zendesk keeps it in each audit: a person sees there which program wrote."""

SHORTEST_WAIT = 1.0
LONGEST_WAIT = 86_400.0
"""Bounds of a Retry-After, in seconds: zero would spin, a garbage value would park a connection for years."""


class Limits(Struct, frozen=True, kw_only=True):
    """What one call may take. connect, read: seconds for one wait. total: seconds for the call. body: bytes."""

    connect: float = 3.05
    read: float = 20.0
    total: float = 30.0
    body: int = 50 * 1024 * 1024


class Answer(Protocol):
    """What is read of an answer here, whichever library brought it; its body has been read to its end."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def content(self) -> bytes: ...


class BodyTooLarge(requests.RequestException):
    """An answer that exceeds the size limit; it was not read to its end."""


class Redirected(requests.RequestException):
    """An answer that points elsewhere; it is not followed, since credentials would travel with it."""


Judge = Callable[[requests.Response], None]
"""Sees every answer before the vendor's library does: reads budgets, and raises for what must not reach its loops."""


# --- one deadline for everything --------------------------------------------------------------------------------------


class _Call:
    """The call under way on one adapter. A session belongs to one thread, so there is one at a time."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._ends = 0.0

    def start(self) -> None:
        self._ends = self._clock.monotonic() + self._limits.total

    def seconds_left(self) -> float:
        """How long the next read may take; raises TimeoutError when the call's time is over."""
        left = self._ends - self._clock.monotonic()
        if left <= 0:
            raise TimeoutError(f"the answer took longer than {self._limits.total:g} s in all")
        return min(left, self._limits.read)


class _BoundedReader(io.RawIOBase):
    """The receiving end of a socket on which every single read is bounded by what is left of the call's time.

    A read timeout alone starts anew with each byte, so a remote that drips could hold a thread for ever.
    """

    def __init__(self, sock: Any, call: _Call) -> None:
        super().__init__()
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._call = call

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        self._sock.settimeout(self._call.seconds_left())
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Receiving:
    """What `http.client` asks of a socket to read an answer: a file to read from."""

    def __init__(self, sock: Any, call: _Call) -> None:
        self._sock = sock
        self._call = call

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_BoundedReader(self._sock, self._call))


def _bounded(call: _Call) -> dict[str, type[HTTPConnectionPool]]:
    """Connection pools by scheme whose connections read within the deadline of `call`."""

    def answer(sock: Any, **kwargs: Any) -> http.client.HTTPResponse:
        receiving: Any = _Receiving(sock, call)
        return http.client.HTTPResponse(receiving, **kwargs)

    class Plain(HTTPConnection):
        response_class: Any = staticmethod(answer)

    class Secure(HTTPSConnection):
        response_class: Any = staticmethod(answer)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls: Any = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls: Any = Secure

    return {"http": PlainPool, "https": SecurePool}


class _Network(HTTPAdapter):
    """The real network: no retries, connections of one call bounded in time."""

    def __init__(self, call: _Call) -> None:
        self._pools = _bounded(call)
        super().__init__(max_retries=0, pool_connections=2, pool_maxsize=2)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


class Wire(BaseAdapter):
    """The adapter through which every call of a tamed session goes, on the network or on a simulated transport."""

    def __init__(self, clock: Clock, *, judge: Judge | None, limits: Limits, transport: BaseAdapter | None) -> None:
        super().__init__()
        self._call = _Call(clock, limits)
        self._judge = judge
        self._limits = limits
        self._inner = transport if transport is not None else _Network(self._call)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """One request, one answer, read to its end. Raises exceptions of `requests`, and what the judge raises."""
        self._call.start()
        response = self._inner.send(
            request,
            stream=True,
            timeout=(self._limits.connect, self._limits.read),
            verify=verify or True,  # a setting of the environment may name another bundle, never switch checking off
            cert=cert,
            proxies=dict(proxies or {}),
        )
        try:
            response._content = self._body(response)  # noqa: SLF001  as requests does it itself
            response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001
        except BaseException:
            response.close()  # half an answer is left in it: the connection is of no further use
            raise
        if 300 <= response.status_code < 400:
            raise Redirected(_whither(response), request=request, response=response)
        if self._judge is not None:
            self._judge(response)
        return response

    def close(self) -> None:
        self._inner.close()

    def _body(self, response: requests.Response) -> bytes:
        if response.raw is None:  # made in memory by a transport
            return response.content or b""
        parts: list[bytes] = []
        size = 0
        for part in response.iter_content(1 << 18):
            size += len(part)
            if size > self._limits.body:
                raise BodyTooLarge(f"the answer is larger than {self._limits.body} bytes", response=response)
            parts.append(part)
        return b"".join(parts)


def _whither(response: requests.Response) -> str:
    """Where an answer sends us, without the path: there may be a token in it."""
    try:
        target = urlsplit(response.headers.get("location", ""))
    except ValueError:
        target = urlsplit("")
    if not target.netloc:
        return f"answered {response.status_code}, which names no other address"
    return "redirected to " + excerpt(f"{target.scheme}://{target.netloc}")


def tame(
    session: requests.Session,
    *,
    base_url: str,
    clock: Clock,
    judge: Judge | None = None,
    limits: Limits | None = None,
    transport: Any = None,
) -> requests.Session:
    """Make `session` (its own, or a vendor library's) behave as this module promises, and give it back.

    base_url: the remote's address; on loopback no proxy of the environment is used. transport: `Ports.transport`.
    """
    wire = Wire(clock, judge=judge, limits=limits or Limits(), transport=transport)
    for scheme in list(session.adapters):
        if scheme not in {"http://", "https://"}:
            del session.adapters[scheme]  # a longer prefix, mounted by a library, would win over ours
    session.mount("https://", wire)
    session.mount("http://", wire)
    session.verify = True
    session.max_redirects = 0
    session.headers["User-Agent"] = USER_AGENT
    if is_loopback(base_url):
        session.trust_env = False
    return session


def address_parts(url: str) -> SplitResult | None:
    """A web address taken apart; None for what is none: another scheme, no host, brackets that do not close."""
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return None
    return parts if is_one else None


def checked_networks(given: tuple[str, ...]) -> tuple[str, ...]:
    """The same, each an address or a network. Raises ValueError with the one that is neither."""
    for network in given:
        try:
            ip_network(network, strict=False)
        except ValueError:
            raise ValueError(f"`{network}` is no address and no network; write it as 10.0.0.0/8") from None
    return given


def is_loopback(url: str) -> bool:
    """Whether `url` names this very machine."""
    host = (urlsplit(url).hostname or "").lower()
    return host in {"localhost", "::1"} or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None


# --- what failures mean -----------------------------------------------------------------------------------------------


def wire_error(error: requests.RequestException, *, where: str, writing: bool) -> RemoteError:
    """What an exception of `requests` means. where: method and address. writing: the call could change something.

    A write that may have left this machine is in doubt (`applied`); one whose connection was never made is not.
    """
    doubt = writing and not _never_sent(error)
    if isinstance(error, Redirected):
        return UnexpectedAnswer(f"{where}: {error}. Set the address at which it really answers.", applied=doubt)
    if isinstance(error, BodyTooLarge):
        return UnexpectedAnswer(f"{where}: {error}; it was not read to its end.", applied=doubt)
    if isinstance(error, (InvalidURL, MissingSchema, InvalidHeader)):
        return UnexpectedAnswer(f"{where}: not an address that can be called. Correct the address in the settings.")
    if isinstance(error, requests.exceptions.SSLError):
        return Unavailable(
            f"{where}: the server's TLS certificate is not trusted ({_cause(error)}). Nothing was sent unprotected.",
            applied=doubt,
        )
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return Unavailable(f"{where}: no connection within the time allowed. Is the address right and reachable?")
    if isinstance(error, requests.Timeout):
        return Unavailable(f"{where}: no answer within the time allowed.", applied=doubt)
    if isinstance(error, (ChunkedEncodingError, ContentDecodingError)):
        return Unavailable(f"{where}: the answer broke off before its end.", applied=doubt)
    if isinstance(error, requests.ConnectionError):
        if _never_sent(error):
            return Unavailable(f"{where}: cannot be reached ({_cause(error)}). Is the address right?")
        return Unavailable(f"{where}: the connection was lost before the answer was complete.", applied=doubt)
    return Unavailable(f"{where}: the call failed ({type(error).__name__}).", applied=doubt)


def status_error(response: Answer, *, where: str, words: str, writing: bool, now: datetime) -> RemoteError:
    """What an HTTP status of 400 or more means. words: the remote's own explanation, already safe to show."""
    status = response.status_code
    said = f"{where} answered {status}" + (f": {words}" if words else "")
    if status == 401:
        return AuthRejected(f"{said}. The credentials are refused: renew them.", status=status)
    if status == 403:
        return Forbidden(f"{said}. The account we use lacks the permission for this.", status=status)
    if status in {404, 410}:
        return RecordMissing(said, status=status)
    if status in {409, 412}:
        return VersionConflict(said)
    if status == 429:
        return RateLimited(said, retry_after=retry_after(response.headers.get("Retry-After"), now))
    if status >= 500 or status in {408, 425}:
        wait = response.headers.get("Retry-After")
        return Unavailable(
            said, applied=writing, status=status, retry_after=None if wait is None else retry_after(wait, now)
        )
    if writing:
        return WriteRejected(said, status=status)
    return UnexpectedAnswer(said, status=status)


def retry_after(value: str | None, now: datetime) -> float | None:
    """The seconds a Retry-After asks for: a number, or an HTTP date (RFC 9110, 10.2.3), clamped to 1 s to 24 h.

    None when it is absent or cannot be read; the caller then waits as its own backoff says.
    """
    if value is None:
        return None
    text = value.strip()
    if re.fullmatch(r"\d{1,30}(\.\d{1,9})?", text):
        seconds = float(text)
    else:
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    return min(LONGEST_WAIT, max(SHORTEST_WAIT, seconds))


def _never_sent(error: requests.RequestException) -> bool:
    """Whether the connection failed before a byte of the request could leave."""
    if isinstance(
        error,
        (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError, InvalidURL, MissingSchema, InvalidHeader),
    ):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.exceptions.SSLError):
        # Only a failed handshake is certain; a broken record in the middle of a call is not.
        return "certificate" in str(error).lower()
    return isinstance(reason, (NewConnectionError, ConnectTimeoutError))


def _cause(error: requests.RequestException) -> str:
    """The innermost reason in a few words: the library's own text nests pools, addresses and object names."""
    text = str(error)
    found = re.search(r"\[Errno -?\d+\] ([^'\")\]]+)|\[SSL: [A-Z_]+\] ([^'(]+)|Failed to resolve '([^']+)'", text)
    if found is None:
        return "no connection"
    return next(part for part in found.groups() if part).strip()


# --- JSON ----------------------------------------------------------------------------------------------------------


def decode(response: Answer, *, where: str) -> dict[str, Json]:
    """The JSON object in an answer. Raises UnexpectedAnswer, with a short excerpt, for everything else.

    Refused: HTML and other text, an empty body, `null`, lists, a cut body, numbers JSON does not have, nesting meant to
    exhaust the stack, lone surrogates and invalid UTF-8.
    """
    value = decode_any(response, where=where)
    if not isinstance(value, dict):
        raise UnexpectedAnswer(
            f"{where} answered {response.status_code} with {_kind(value)} where an object was expected: "
            f"{excerpt(response.content)}",
            status=response.status_code,
        )
    return value


def rows_of(body: Mapping[str, Json], name: str, *, where: str) -> list[dict[str, Json]]:
    """A list of objects in an answer. Raises UnexpectedAnswer where it is missing or is something else.

    A list that is not there is not an empty one: what the hub knew would count as taken away.
    """
    rows = body.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnexpectedAnswer(f"{where} answered without a list of objects named {name}.")
    return rows


def decode_any(response: Answer, *, where: str) -> Json:
    """The JSON value in an answer, whichever it is. Raises UnexpectedAnswer as `decode` does."""
    body = response.content
    if not body.strip():
        raise UnexpectedAnswer(
            f"{where} answered {response.status_code} with an empty body.", status=response.status_code
        )
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, OverflowError):
        what = "HTML" if looks_like_html(response) else "a body that is not complete JSON"
        raise UnexpectedAnswer(
            f"{where} answered {response.status_code} with {what} where JSON was expected "
            f"(a proxy or a login page in between?): {excerpt(body)}",
            status=response.status_code,
        ) from None


def looks_like_html(response: Answer) -> bool:
    """Whether an answer is a page for people."""
    if "html" in response.headers.get("Content-Type", "").lower():
        return True
    return response.content[:64].lstrip().lower().startswith((b"<!doctype", b"<html"))


def excerpt(body: bytes | str, length: int = 120) -> str:
    """The beginning of a text on one line, without control characters and whatever looks like a credential."""
    text = body[: length * 8].decode("utf-8", "replace") if isinstance(body, bytes) else body[: length * 8]
    text = re.sub(r"(?is)<(script|style)\b.*?(</\1>|$)|<[^>]*>", " ", text)
    text = re.sub(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+", r"\1 ***", text)
    text = re.sub(r"(?i)((?:token|secret|password|api_?key)\"?\s*[:=]\s*\"?)[^\s\",&]+", r"\1***", text)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= length else text[:length] + "…"


def _kind(value: Json) -> str:
    if value is None:
        return "null"
    return {list: "a list", str: "a text", bool: "true or false"}.get(type(value), "a number")
