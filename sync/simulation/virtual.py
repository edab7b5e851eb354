"""Virtual time and seeded chance, and a transport that reaches a stand-in without a socket."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from connectors.sandbox.wire import Cut, Request, Response, StandIn


class VirtualClock:
    """A clock that stands still until it is moved. It starts on a day without meaning."""

    def __init__(self, start: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._elapsed = 0.0
        self._wrong = 0.0
        self._epoch: float | None = None  # asked many times between two moves

    def now(self) -> datetime:
        """Wall time, aware, UTC."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        """Waiting costs nothing here: time moves on."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += timedelta(seconds=seconds)
        self._elapsed += seconds
        self._epoch = None

    def jump(self, seconds: float) -> None:
        """Let this machine's wall clock alone jump, as after a correction; the stand-ins' clocks do not."""
        self._now += timedelta(seconds=seconds)
        self._wrong += seconds
        self._epoch = None

    def epoch(self) -> float:
        """Seconds since the epoch, as the stand-ins take them."""
        if self._epoch is None:
            self._epoch = self._now.timestamp() - self._wrong
        return self._epoch


class SeededRng:
    """Chance from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  repeatable on purpose
        self._from = ""

    def begin(self, at: str) -> None:
        """Start anew from a named place, whatever was drawn before."""
        self._from = at

    def _drawn_on(self) -> random.Random:
        if self._from:  # sown only now: seldom is anything drawn before it begins anew
            self._random.seed(self._from)
            self._from = ""
        return self._random

    def random(self) -> float:
        """A number in [0, 1)."""
        return self._drawn_on().random()

    def token(self) -> str:
        """32 hexadecimal digits."""
        return f"{self._drawn_on().getrandbits(128):032x}"


class InProcess(BaseAdapter):
    """A `requests` adapter that hands each request to a stand-in: the real client code, no socket."""

    def __init__(self, stand_in: StandIn) -> None:
        super().__init__()
        self._stand_in = stand_in

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """Raises the errors of `requests` for an answer that does not arrive."""
        del kwargs
        address = urlsplit(request.url or "")
        body = request.body or b""
        taken = Request(
            method=request.method or "GET",
            path=unquote(address.path),
            query=parse_qs(address.query, keep_blank_values=True),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body.encode() if isinstance(body, str) else bytes(body),
            base=f"{address.scheme}://{address.netloc}",
        )
        return _response(request, self._stand_in.handle(taken))

    def close(self) -> None:
        """Nothing is open."""


def _response(request: requests.PreparedRequest, answer: Response) -> requests.Response:
    if answer.cut is Cut.NO_ANSWER:
        raise requests.ConnectionError("Connection aborted.", request=request)
    if answer.cut is Cut.MID_BODY:
        raise requests.exceptions.ChunkedEncodingError("Connection broken", request=request)
    response = requests.Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(answer.headers)
    response._content = answer.body  # noqa: SLF001  as `requests` fills it in itself
    response.url = request.url or ""
    response.request = request
    return response


class InProcessWeb(httpx.BaseTransport):
    """The same for the clients on httpx."""

    def __init__(self, stand_in: StandIn) -> None:
        self._stand_in = stand_in

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._stand_in.handle(
            Request(
                method=request.method,
                path=request.url.path,
                query=parse_qs(request.url.query.decode(), keep_blank_values=True),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=request.read(),
                base=f"{request.url.scheme}://{request.url.netloc.decode()}",
            )
        )
        if answer.cut is Cut.NO_ANSWER:
            raise httpx.ReadError("connection reset", request=request)
        if answer.cut is not None:
            raise httpx.RemoteProtocolError("incomplete", request=request)
        return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body, request=request)
