"""One call through the gateway, under canonical names, whichever gateway wrote the line. Values only."""

from __future__ import annotations

from msgspec import Struct


class Poisoned(Exception):
    """A line that cannot be understood. The text says why, without quoting it."""


class Attempt(Struct, frozen=True):
    """One attempt of an LLM call at a provider."""

    provider: str
    model: str
    status: str


class Call(Struct, kw_only=True, gc=False):
    """One call. at_ms: epoch milliseconds; latency_ms, upstream_ms: milliseconds, None where the line does not tell.

    service: the owner's id (APIPark's service is the label `provider`). route: the route's id; `path` serves without.
    upstream_status: what the last attempt at the upstream answered; None: there was none, or none is told.
    attempted: whether an upstream was tried; None: the line does not tell.
    by_gateway: the line says itself that the gateway made the answer. flags: Envoy's response flags and the like.
    blocked: a policy stopped the call.
    """

    at_ms: int
    status: int
    service: str = ""
    route: str = ""
    path: str = ""
    method: str = ""
    request_id: str = ""
    trace_id: str = ""
    node: str = ""
    consumer: str = ""
    latency_ms: float | None = None
    upstream_ms: float | None = None
    upstream_status: int | None = None
    attempted: bool | None = None
    by_gateway: bool = False
    blocked: bool = False
    handler: str = ""
    flags: str = ""
    body: str = ""
    error: str = ""
    version: str = ""
    provider: str = ""
    model: str = ""
    ai_status: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    cost: float = 0.0
    attempts: tuple[Attempt, ...] = ()
