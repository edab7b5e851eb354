"""A signature's figures out of its counts and those of its route. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from connectors.gateway.rules import FoldRules
from connectors.gateway.signature import Figures, Kind
from connectors.gateway.sketch import Bins, merge, quantiles
from connectors.gateway.tally import Tally
from connectors.gateway.windows import fullest, since, total, usual
from sync.model import Severity

_TOP = 5


def figures_of(tally: Tally, rules: FoldRules, minute: int) -> Figures:
    """The figures as of a minute (its number since the epoch). Settles the samples: nothing secret is in them."""
    route, hour = tally.route, minute // 60
    window = fullest(
        tally.minutes, route.minutes, minute, rules.window_minutes, rules.lateness_minutes, rules.min_count
    )
    bins: Bins = tally.bins
    if tally.signature.kind is Kind.LATENCY:
        bins = {}
        for pane in route.panes.values():
            merge(bins, pane)
    p50, p95, p99 = quantiles(bins, 0.5, 0.95, 0.99)
    tally.samples.settle(rules.sample_body_bytes if tally.kept else rules.sample_body_bytes // 4)
    top = sorted(tally.consumers.top.items(), key=lambda pair: (-pair[1], pair[0]))[:_TOP]
    consumers = tally.consumers.count()
    last_minute = tally.last_ms // 60_000
    return Figures(
        id=tally.signature.id,
        at=_moment(minute * 60_000),
        first_seen_at=_moment(tally.first_ms),
        last_seen_at=_moment(tally.last_ms),
        count=tally.count,
        count_1h=total(tally.minutes, minute, 60),
        count_24h=total(tally.hours, hour, 24),
        window_count=window[0],
        window_total=window[1],
        route_1h=total(route.minutes, minute, 60),
        route_since_last=since(route.minutes, route.hours, last_minute, minute),
        recent=tuple((_moment(at), tally.versions.get(at, "")) for at in reversed(tally.recent)),
        hour_count=tally.hours.get(hour, 0),
        hour_median=usual(tally.hours, hour, tally.first_ms // 3_600_000),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        consumers=consumers,
        consumers_top=tuple(top),
        severity=severity(window, consumers, rules),
        samples=tally.samples.shown(),
        llm=tally.llm_figures(),
        at_least=rules.at_least,
    )


def severity(window: tuple[int, int], consumers: int, rules: FoldRules) -> Severity:
    """How bad it is: the window's share of the route's calls times the consumers affected (at least one)."""
    impact = window[0] / window[1] * max(1, consumers) if window[1] else 0.0
    if impact >= rules.critical_impact:
        return Severity.CRITICAL
    if impact >= rules.high_impact:
        return Severity.HIGH
    return Severity.MEDIUM if impact >= rules.medium_impact else Severity.LOW


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1_000, UTC)
