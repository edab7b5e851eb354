"""What is counted of one signature, and of one route. Mutable, bounded, and written as rows."""

from __future__ import annotations

from array import array
from bisect import insort

import msgspec
from msgspec import Struct

from connectors.gateway.calls import Call
from connectors.gateway.consumers import Consumers
from connectors.gateway.samples import Samples
from connectors.gateway.signature import RECENT, LlmFigures, Sample, Signature
from connectors.gateway.sketch import Bins, bin_of
from connectors.gateway.windows import HOURS_KEPT, MINUTES_KEPT, ROUTE_HOURS_KEPT, Buckets, count, prune

_ATTEMPT_KINDS = 32
_PANES = 2


class _TallyRow(Struct, array_like=True):
    signature: Signature
    minutes: Buckets
    hours: Buckets
    count: int
    first_ms: int
    last_ms: int
    recent: list[int]
    versions: dict[int, str]
    bins: Bins
    consumers: bytes
    top: dict[str, int]
    samples: list[tuple[int, Sample]]
    llm: tuple[int, int, int, float]
    attempts: dict[str, int]


_row_decoder = msgspec.msgpack.Decoder(_TallyRow)
_encoder = msgspec.msgpack.Encoder()


class Tally:
    """The counts of one signature. kept: it is a record, so it is never forgotten and keeps more samples."""

    __slots__ = (
        "attempts", "bins", "consumers", "count", "dirty", "first_ms", "hours", "kept", "last_ms", "llm", "minutes",
        "recent", "route", "samples", "signature", "versions",
    )  # fmt: skip

    def __init__(self, signature: Signature, route: Route, most_consumers: int) -> None:
        self.signature = signature
        self.route = route
        self.minutes: Buckets = {}
        self.hours: Buckets = {}
        self.count = 0
        self.first_ms = self.last_ms = 0
        self.recent: array[int] = array("q")  # rising
        self.versions: dict[int, str] = {}  # of the recent calls whose lines name one, by time
        self.bins: Bins = {}
        self.consumers = Consumers(most_consumers)
        self.samples = Samples()
        self.llm: tuple[int, int, int, float] = (0, 0, 0, 0.0)
        self.attempts: dict[str, int] = {}
        self.kept = False
        self.dirty = True

    def add(self, call: Call, digest: int, random_samples: int) -> None:
        """Count one call. digest: the hash of its consumer. random_samples: how many samples beside the three."""
        at = call.at_ms
        count(self.minutes, at // 60_000)
        count(self.hours, at // 3_600_000)
        if not self.count or at < self.first_ms:
            self.first_ms = at
        self.last_ms = max(self.last_ms, at)
        self.count += 1
        self._add_recent(at, call.version)
        if call.latency_ms is not None and (key := bin_of(call.latency_ms)) is not None:
            count(self.bins, key)
        if call.consumer:
            self.consumers.add(call.consumer, digest)
        if self.signature.fault is not None:
            self._add_llm(call)
        self.samples.offer(call, random_samples if self.kept else 0)
        self.dirty = True

    def _add_recent(self, at: int, version: str) -> None:
        recent = self.recent
        if len(recent) >= RECENT and at < recent[0]:
            return
        insort(recent, at)
        if version:
            self.versions[at] = max(version, self.versions.get(at, ""))
        if len(recent) > RECENT:
            gone = recent.pop(0)
            if self.versions and gone != recent[0]:
                self.versions.pop(gone, None)

    def _add_llm(self, call: Call) -> None:
        tokens_in, tokens_out, tokens, cost = self.llm
        all_tokens = call.total_tokens or call.input_tokens + call.output_tokens
        self.llm = (
            tokens_in + call.input_tokens,
            tokens_out + call.output_tokens,
            tokens + all_tokens,
            cost + call.cost,
        )
        for one in call.attempts:
            name = f"{one.provider}/{one.model}: {one.status or 'normal'}"
            if name in self.attempts or len(self.attempts) < _ATTEMPT_KINDS:
                count(self.attempts, name)  # type: ignore[arg-type]  # the same shape, by name

    def llm_figures(self) -> LlmFigures | None:
        """What the calls used, of an LLM signature."""
        if self.signature.fault is None:
            return None
        tokens_in, tokens_out, tokens, cost = self.llm
        return LlmFigures(
            input_tokens=tokens_in,
            output_tokens=tokens_out,
            total_tokens=tokens,
            cost=round(cost, 9),
            attempts=dict(sorted(self.attempts.items())),
        )

    def encode(self, minute: int, body_bytes: int) -> bytes:
        """As a row. minute: the newest one seen; what is too old for any window is left out."""
        prune(self.minutes, minute - MINUTES_KEPT)
        prune(self.hours, minute // 60 - HOURS_KEPT)
        self.samples.settle(body_bytes if self.kept else body_bytes // 4)
        return _encoder.encode(
            _TallyRow(
                self.signature,
                self.minutes,
                self.hours,
                self.count,
                self.first_ms,
                self.last_ms,
                self.recent.tolist(),
                self.versions,
                self.bins,
                self.consumers.kept(),
                self.consumers.top,
                self.samples.rows(),
                self.llm,
                self.attempts,
            )
        )

    @staticmethod
    def signature_of(body: bytes) -> Signature:
        """The signature in a row. Raises ValueError."""
        return _row_decoder.decode(body).signature

    @staticmethod
    def decode(body: bytes, route: Route, most_consumers: int) -> Tally:
        """A tally from its row. Raises ValueError."""
        row = _row_decoder.decode(body)
        tally = Tally(row.signature, route, most_consumers)
        tally.minutes, tally.hours = row.minutes, row.hours
        tally.count, tally.first_ms, tally.last_ms = row.count, row.first_ms, row.last_ms
        tally.recent, tally.versions, tally.bins = array("q", row.recent), row.versions, row.bins
        tally.consumers = Consumers(most_consumers, row.consumers, row.top)
        tally.samples = Samples(row.samples)
        tally.llm, tally.attempts = row.llm, row.attempts
        tally.dirty = False
        return tally


class _RouteRow(Struct, array_like=True):
    service: str
    route: str
    method: str
    minutes: Buckets
    hours: Buckets
    count: int
    panes: dict[int, Bins]


_route_decoder = msgspec.msgpack.Decoder(_RouteRow)


class Route:
    """All traffic of one route and method: what rates are of, and whether silence means anything.

    panes: latencies by hour, the two newest hours.
    """

    __slots__ = ("count", "dirty", "hours", "key", "method", "minutes", "panes", "route", "service", "slo_ms")

    def __init__(self, key: str, service: str, route: str, method: str, slo_ms: float | None) -> None:
        self.key = key
        self.service, self.route, self.method = service, route, method
        self.slo_ms = slo_ms
        self.minutes: Buckets = {}
        self.hours: Buckets = {}
        self.count = 0
        self.panes: dict[int, Bins] = {}
        self.dirty = True

    def pane(self, hour: int) -> Bins | None:
        """The latencies of an hour; None for one that is too old to be kept."""
        bins = self.panes.get(hour)
        if bins is None:
            if len(self.panes) >= _PANES:
                oldest = min(self.panes)
                if hour < oldest:
                    return None
                del self.panes[oldest]
            bins = self.panes[hour] = {}
        return bins

    def encode(self, minute: int) -> bytes:
        """As a row. minute: the newest one seen."""
        prune(self.minutes, minute - MINUTES_KEPT)
        prune(self.hours, minute // 60 - ROUTE_HOURS_KEPT)
        return _encoder.encode(
            _RouteRow(self.service, self.route, self.method, self.minutes, self.hours, self.count, self.panes)
        )

    def restore(self, body: bytes) -> None:
        """Take over a row's counts. Raises ValueError."""
        row = _route_decoder.decode(body)
        self.minutes, self.hours, self.count, self.panes = row.minutes, row.hours, row.count, row.panes
        self.dirty = False

    @staticmethod
    def names(body: bytes) -> tuple[str, str, str]:
        """Service, route and method in a row. Raises ValueError."""
        row = _route_decoder.decode(body)
        return row.service, row.route, row.method

    @staticmethod
    def traffic(body: bytes) -> tuple[str, str, Buckets]:
        """Service, route and calls by minute in a row. Raises ValueError."""
        row = _route_decoder.decode(body)
        return row.service, row.route, row.minutes
