"""What is counted, in the words of Prometheus. One registry a process, made here and passed on; nothing is global."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ACK_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class Gauge(Struct, frozen=True, kw_only=True):
    """One figure of the present: `hypercare_<name>{labels} value`. about: what it is, with its unit."""

    name: str
    about: str
    value: float
    labels: dict[str, str] = {}


class Metrics:
    """The counters of the daemon. Labels take their values from code and configuration only, never from a request."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._events = Counter(
            "hypercare_events",
            "What happened, by event and connection",
            ["event", "connection"],
            registry=self.registry,
        )
        self._hooks = Counter(
            "hypercare_webhooks",
            "Webhook calls, by connection and how they were answered",
            ["connection", "answer"],
            registry=self.registry,
        )
        self._feeds = Counter(
            "hypercare_feed_calls",
            "Calls that pushed log lines, by connection and how they were answered",
            ["connection", "answer"],
            registry=self.registry,
        )
        self._acks = Histogram(
            "hypercare_webhook_ack_seconds",
            "From a complete, verified webhook call to its durable commit",
            registry=self.registry,
            buckets=_ACK_BUCKETS,
        )

    def count_event(self, event: str, connection: str) -> None:
        """One event of the log, shown or not."""
        self._events.labels(event, connection).inc()

    def count_hook(self, connection: str, answer: int) -> None:
        """One answered webhook call. connection: a configured name, or empty."""
        self._hooks.labels(connection, str(answer)).inc()

    def count_feed(self, connection: str, answer: int) -> None:
        """One answered call that pushed log lines. connection: a configured name, or empty."""
        self._feeds.labels(connection, str(answer)).inc()

    def time_ack(self, seconds: float) -> None:
        """How long one receipt took to become durable."""
        self._acks.observe(seconds)

    def add(self, read: Callable[[], Iterable[Gauge]]) -> None:
        """Ask `read` for figures at every scrape."""
        self.registry.register(_Present(read))

    def text(self) -> bytes:
        """Everything, as a scrape wants it."""
        return generate_latest(self.registry)


class _Present(Collector):
    def __init__(self, read: Callable[[], Iterable[Gauge]]) -> None:
        self._read = read

    def describe(self) -> Iterable[GaugeMetricFamily]:
        # Nothing is asked when it is registered: the parts it reads may not run yet.
        return []

    def collect(self) -> Iterable[GaugeMetricFamily]:
        families: dict[str, GaugeMetricFamily] = {}
        for gauge in self._read():
            family = families.get(gauge.name)
            if family is None:
                family = GaugeMetricFamily(f"hypercare_{gauge.name}", gauge.about, labels=sorted(gauge.labels))
                families[gauge.name] = family
            family.add_metric([gauge.labels[label] for label in sorted(gauge.labels)], gauge.value)
        return families.values()
