"""Requests and answers of a stand-in, independent of sockets, so that one model serves tests, demo and simulation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Protocol, TypeAlias

from msgspec import Struct, field


class Request(Struct, frozen=True, kw_only=True):
    """One HTTP request.

    headers: lower-case names. path: without query, percent-decoded. base: scheme and host as called.
    """

    method: str
    path: str
    query: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base: str = "http://127.0.0.1"

    def arg(self, name: str, default: str = "") -> str:
        """The first value of a query argument."""
        values = self.query.get(name)
        return values[0] if values else default


class Cut(StrEnum):
    """How an answer fails to arrive."""

    NO_ANSWER = "no_answer"
    """The connection is closed before any byte of the answer."""
    MID_BODY = "mid_body"
    """The connection is closed in the middle of the body."""


class Response(Struct, frozen=True, kw_only=True):
    """One HTTP answer.

    delay: seconds to wait before it. cut: how it fails to arrive. drip: seconds between body bytes.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: Cut | None = None
    drip: float = 0.0


class OutgoingHook(Struct, frozen=True, kw_only=True):
    """One webhook call to make. not_before: model time in seconds. attempt: 0 for the first.

    timeout: real seconds the sender waits for the answer before it counts as none.
    """

    url: str
    headers: Mapping[str, str]
    body: bytes
    not_before: float
    attempt: int = 0
    label: str = ""
    timeout: float = 12.0
    method: str = "POST"


class StandIn(Protocol):
    """A stand-in of one system: pure given its clock.

    handle: answers a request, applying it to the model. due_hooks: takes the webhook calls that are due.
    hook_answered: tells how a call ended (None: no answer), so that the model may plan a retry.
    """

    def handle(self, request: Request) -> Response: ...
    def due_hooks(self, now: float) -> list[OutgoingHook]: ...
    def hook_answered(self, hook: OutgoingHook, status: int | None, now: float) -> None: ...


TimeSource: TypeAlias = Callable[[], float]
"""Seconds since the epoch, injected: wall time on a server, virtual time in a simulation."""
