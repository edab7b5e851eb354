"""What is known of one signature: its identity, which never changes, and its figures, which do. Values only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field

from sync.model import Severity

VERSION = "v1"
"""The version of the signature key. A new one never re-keys old records."""

OTHER = "other"
"""The discriminator of the signature that takes what is over a route's cap, and the name of the route over the cap."""


RECENT = 32
"""How many of the newest calls' times are kept: the most that `regress_hits` asks for."""


class Kind(StrEnum):
    """The kinds of record that a gateway has."""

    ERROR = "gateway_error"
    LATENCY = "gateway_latency"
    LLM = "llm_error"


class Fault(StrEnum):
    """Whose fault a failed LLM call is, as far as the statuses of its attempts tell."""

    PROMPT = "prompt"
    MODEL = "model"
    GATEWAY = "gateway"


class Signature(Struct, frozen=True, kw_only=True):
    """The identity of a kind of failing call. id: SHA-256 (hexadecimal) of the versioned key.

    route: the route's id, else the normalised path. code: the HTTP status to the client. cause: the class, such as
    `upstream_5xx` or `llm_timeout`. fault: of LLM failures. provider, model: of the first call seen, empty elsewhere.
    """

    id: str
    version: str
    source: str
    service: str
    route: str
    method: str
    cause: str
    code: int
    discriminator: str
    kind: Kind
    fault: Fault | None = None
    provider: str = ""
    model: str = ""

    @property
    def title(self) -> str:
        """`METHOD route -> code class: discriminator`, for people."""
        tail = f": {self.discriminator}" if self.discriminator else ""
        return f"{self.method or '*'} {self.route} \N{RIGHTWARDS ARROW} {self.code} {self.cause}{tail}"

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags that a record of this signature carries, sorted."""
        pairs = {
            "service": self.service,
            "route": self.route,
            "class": self.cause,
            "provider": self.provider,
            "model": self.model,
            "fault": self.fault or "",
        }
        return tuple(sorted(f"{name}:{value}" for name, value in pairs.items() if value))


def signature_id(
    *, source: str, service: str, route: str, method: str, cause: str, code: int, discriminator: str
) -> str:
    """SHA-256 of the versioned key. Never in it: client address, consumer, query, host, request id, node."""
    parts = (VERSION, source, service, route, method, cause, str(code), discriminator)
    # Lengths before the parts: no value of one part can look like the end of it and the start of the next.
    key = "|".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


class Sample(Struct, frozen=True, kw_only=True):
    """One call as evidence. body: scrubbed, at most 2 KB. why: first, last, slowest or random."""

    why: str
    request_id: str
    at: datetime
    status: int
    latency_ms: float
    trace_id: str = ""
    consumer: str = ""
    node: str = ""
    version: str = ""
    body: str = ""
    attempts: tuple[str, ...] = ()


class LlmFigures(Struct, frozen=True, kw_only=True):
    """What the failed LLM calls of a signature used. attempts: how often each `provider/model: status` was met."""

    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    cost: float = 0.0
    attempts: Mapping[str, int] = field(default_factory=dict)


class Figures(Struct, frozen=True, kw_only=True):
    """What the lines say about one signature, as of `at` (event time).

    count, count_1h, count_24h: its calls. window_count, window_total: the fullest window that ended within the allowed
    lateness, its own calls and all of the route; window_rate their quotient. route_1h: all calls of the route in the
    last hour. route_since_last: calls of the route after this signature's last one. recent: event times (with the
    upstream's version where the lines have one) of its newest calls, newest first.
    hour_median: the median of its calls in this hour of the day on the last seven days; None before it is a day old.
    hour_count: its calls in the current hour. p50_ms...: of its own calls; of all calls of the route for `latency`.
    consumers: exact up to 1,000, then an estimate. at_least: the feed can drop, so counts are lower bounds.
    """

    id: str
    at: datetime
    first_seen_at: datetime
    last_seen_at: datetime
    count: int
    count_1h: int
    count_24h: int
    window_count: int
    window_total: int
    route_1h: int
    route_since_last: int
    recent: tuple[tuple[datetime, str], ...]
    hour_count: int
    hour_median: float | None
    p50_ms: float
    p95_ms: float
    p99_ms: float
    consumers: int
    consumers_top: tuple[tuple[str, int], ...]
    severity: Severity
    samples: tuple[Sample, ...]
    llm: LlmFigures | None = None
    at_least: bool = False

    @property
    def window_rate(self) -> float:
        """The share of the route's calls in the fullest window."""
        return self.window_count / self.window_total if self.window_total else 0.0

    @property
    def rate_1h(self) -> float:
        """The share of the route's calls in the last hour."""
        return self.count_1h / self.route_1h if self.route_1h else 0.0
