"""Every threshold by which calls become signatures and signatures become records. Values only.

Durations are in the unit that the name ends with; rates are shares in [0, 1] of all calls of the route.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Group(StrEnum):
    """The families of classes that can be switched off. `llm` stands for every `llm_*` class."""

    LLM = "llm"
    POLICY_BLOCK = "policy_block"
    AUTH = "auth"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    UPSTREAM_UNREACHABLE = "upstream_unreachable"
    UPSTREAM_5XX = "upstream_5xx"
    CLIENT_4XX = "client_4xx"
    LATENCY = "latency"


def named(names: frozenset[str], service: str, route: str) -> bool:
    """Whether a route is among the names: by its own, or as `service/route`."""
    return route in names or f"{service}/{route}" in names


class FoldRules(Struct, frozen=True, kw_only=True):
    """The rules of one gateway connection. Routes are named by their id, or as `service/route`.

    Opening: at least `min_count` calls of a signature within `window_minutes` and a share of at least `min_rate` of the
    route's calls (`client_min_rate` for client errors); upstream and LLM failures need the count only. One call is
    enough on `single_hit_routes`.
    lateness_minutes: a line older than the newest one by more than this counts, but opens nothing.
    Quiet: resolved by itself after `quiet_minutes` without a call, if the route had `quiet_requests` others meanwhile.
    Regression: `regress_hits` calls whose event time is after the resolve by more than `grace_seconds`.
    Escalation: the calls of an hour exceed `escalate_factor` times the median of the same hour of the last seven days
    and `escalate_min_count`.
    off: families that make no signatures. client_codes: the client errors that do (None: all of them).
    slo_ms: a success slower than this is a call of class `latency`, which opens once more than `slow_share` of a
    route's calls are (0.05: the 95th percentile is over the objective). None: no objective. route_slo_ms: by route.
    silent_routes: routes that make no signatures (health checks).
    Severity: the window's rate times the consumers affected; at least `critical_impact`, `high_impact`,
    `medium_impact`, else low.
    max_*: bounds of memory; what is over them falls into the signature or the route `other`.
    dedup_ids: how many request ids are remembered; 0 switches the search for repeated lines off.
    at_least: the feed can drop lines, so counts are lower bounds.
    """

    min_count: int = 10
    min_rate: float = 0.01
    client_min_rate: float = 0.2
    window_minutes: int = 5
    lateness_minutes: int = 5
    single_hit_routes: frozenset[str] = frozenset()
    quiet_minutes: int = 60
    quiet_requests: int = 100
    grace_seconds: float = 60.0
    regress_hits: int = 3
    escalate_factor: float = 3.0
    escalate_min_count: int = 100
    off: frozenset[Group] = frozenset()
    client_codes: frozenset[int] | None = frozenset({404, 409, 422, 429})
    slo_ms: float | None = None
    route_slo_ms: dict[str, float] = {}
    slow_share: float = 0.05
    silent_routes: frozenset[str] = frozenset()
    critical_impact: float = 50.0
    high_impact: float = 10.0
    medium_impact: float = 1.0
    max_signatures_per_route: int = 50
    max_signatures: int = 10_000
    max_routes: int = 10_000
    exact_consumers: int = 1_000
    samples: int = 10
    sample_body_bytes: int = 2_048
    dedup_ids: int = 400_000
    at_least: bool = False
