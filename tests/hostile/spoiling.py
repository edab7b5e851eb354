"""Transports that spoil answers on their way, in the sort that each connector's library takes."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from typing import Any, Protocol

import httpx
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse

from sync.simulation.virtual import InProcess, InProcessWeb
from tests.hostile.corpus import Answer, spoil


class Spoils(Protocol):
    """A transport that spoils some answers. `armed`: how many good answers come before the first that may be bad."""

    rng: random.Random
    armed: int | None
    rate: float
    spoilt: list[tuple[str, tuple[str, ...]]]


def _drawn(transport: Spoils, method: str | None, where: str, answer: Answer) -> Answer:
    """The answer, spoilt where its turn has come."""
    if transport.armed is None:
        return answer
    transport.armed -= 1
    if transport.armed >= 0 or transport.rng.random() >= transport.rate:
        return answer
    bad = spoil(transport.rng, answer)
    transport.spoilt.append((f"{method} {where[:80]}", bad.kinds))
    return bad


class Spoiling(BaseAdapter):
    """For requests."""

    def __init__(self, stand_in: Any) -> None:
        super().__init__()
        self._through = InProcess(stand_in)
        self.rng = random.Random(0)
        self.armed: int | None = None
        self.rate = 1.0
        self.spoilt: list[tuple[str, tuple[str, ...]]] = []

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        good = self._through.send(request)
        answer = Answer(good.status_code, dict(good.headers), good.content)
        return as_response(request, _drawn(self, request.method, request.path_url, answer))

    def close(self) -> None:
        """Nothing is open."""


def as_response(request: requests.PreparedRequest, answer: Answer) -> requests.Response:
    """An answer as it would come off a socket: undecoded, to be read in pieces."""
    response = requests.Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(answer.headers)
    response.raw = HTTPResponse(
        body=io.BytesIO(answer.body),
        headers=answer.headers,
        status=answer.status,
        preload_content=False,
        decode_content=False,
        enforce_content_length=False,
    )
    response.url = request.url or ""
    response.request = request
    return response


class SpoilingWeb(httpx.BaseTransport):
    """For httpx."""

    def __init__(self, stand_in: Any) -> None:
        self._through = InProcessWeb(stand_in)
        self.rng = random.Random(0)
        self.armed: int | None = None
        self.rate = 1.0
        self.spoilt: list[tuple[str, tuple[str, ...]]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        good = self._through.handle_request(request)
        answer = Answer(good.status_code, dict(good.headers), good.content)
        answer = _drawn(self, request.method, request.url.raw_path.decode(), answer)
        headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in answer.headers.items()]
        return httpx.Response(answer.status, headers=headers, stream=_Undecoded(answer.body), request=request)


class _Undecoded(httpx.SyncByteStream):
    """A body as it comes off a socket."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self._body
