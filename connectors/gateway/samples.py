"""A few calls of a signature as evidence: the first, the last, the slowest, and some by chance.

Chance is a hash of the request id, so that the choice is the same in whatever order the calls came, and the same that
an error tracker's connection makes among its events (`sync.core.traces.draw`).
"""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import structs

from connectors.gateway.calls import Call
from connectors.gateway.discriminator import seen
from connectors.gateway.scrub import scrub
from connectors.gateway.signature import Sample
from sync.core.traces import draw

_FIXED = ("first", "last", "slowest")


class _Held:
    """One call that is held as a sample; its body is scrubbed when it is first given out or stored."""

    __slots__ = ("at_ms", "call", "chance", "latency_ms", "request_id", "sample")

    def __init__(self, chance: int, call: Call | None, sample: Sample | None) -> None:
        self.chance, self.call, self.sample = chance, call, sample
        if call is not None:
            self.at_ms, self.request_id, self.latency_ms = call.at_ms, call.request_id, call.latency_ms or 0.0
        else:
            assert sample is not None
            self.at_ms = round(sample.at.timestamp() * 1_000)
            self.request_id, self.latency_ms = sample.request_id, sample.latency_ms

    def settle(self, body_bytes: int) -> Sample:
        """As a sample without anything secret."""
        if self.sample is None:
            call = self.call
            assert call is not None
            self.sample = Sample(
                why="",
                request_id=scrub_id(call.request_id),
                at=datetime.fromtimestamp(call.at_ms / 1_000, UTC),
                status=call.status,
                latency_ms=self.latency_ms,
                trace_id=scrub_id(call.trace_id),
                consumer=call.consumer,
                node=call.node,
                version=seen(call.version, 80),
                body=scrub(call.body or call.error, body_bytes),
                attempts=tuple(
                    seen(f"{one.provider}/{one.model}: {one.status or 'normal'}", 200) for one in call.attempts
                ),
            )
            self.call = None
        return self.sample


def scrub_id(text: str) -> str:
    """An id as it is, unless it is none: then nothing of it is kept."""
    return text if len(text) <= 128 and text.isascii() and text.isprintable() and "@" not in text else ""


def _chance(call: Call) -> int:
    name = call.request_id or f"{call.at_ms}/{call.node}/{call.consumer}"
    return draw(name)


class Samples:
    """The samples of one signature."""

    __slots__ = ("_first", "_last", "_random", "_slowest")

    def __init__(self, rows: list[tuple[int, Sample]] | None = None) -> None:
        self._first: _Held | None = None
        self._last: _Held | None = None
        self._slowest: _Held | None = None
        self._random: list[_Held] = []  # rising by chance
        for chance, sample in rows or ():
            held = _Held(chance, None, sample)
            match sample.why:
                case "first":
                    self._first = held
                case "last":
                    self._last = held
                case "slowest":
                    self._slowest = held
                case _:
                    self._random.append(held)

    def offer(self, call: Call, random: int) -> None:
        """Keep a call if it is one of the three, or by chance one of `random` more."""
        first, last, slowest = self._first, self._last, self._slowest
        at, name, latency = call.at_ms, call.request_id, call.latency_ms or 0.0
        held: _Held | None = None
        if first is None or (at, name) < (first.at_ms, first.request_id):
            self._first = held = _Held(0, call, None)
        if last is None or (at, name) > (last.at_ms, last.request_id):
            self._last = held = held or _Held(0, call, None)
        if slowest is None or (latency, name) > (slowest.latency_ms, slowest.request_id):
            self._slowest = held or _Held(0, call, None)
        if random > 0:
            chance = _chance(call)
            drawn = self._random
            if len(drawn) < random or chance < drawn[-1].chance:
                drawn.append(_Held(chance, call, None))
                drawn.sort(key=lambda one: one.chance)
                del drawn[random:]

    def settle(self, body_bytes: int) -> None:
        """Scrub what was not scrubbed yet. After this nothing of a call's own text is held."""
        for held in (self._first, self._last, self._slowest, *self._random):
            if held is not None:
                held.settle(body_bytes)

    def rows(self) -> list[tuple[int, Sample]]:
        """All, with their chance, as they are stored. Only after `settle`."""
        made: list[tuple[int, Sample]] = []
        for why, held in (
            *zip(_FIXED, (self._first, self._last, self._slowest), strict=True),
            *(("random", one) for one in self._random),
        ):
            if held is not None and held.sample is not None:
                made.append((held.chance, _with(held.sample, why)))
        return made

    def shown(self) -> tuple[Sample, ...]:
        """All, each call once, under the first reason it was kept for. Only after `settle`."""
        found: dict[tuple[str, datetime], Sample] = {}
        for _, sample in self.rows():
            found.setdefault((sample.request_id, sample.at), sample)
        return tuple(found.values())


def _with(sample: Sample, why: str) -> Sample:
    if sample.why == why:
        return sample
    return structs.replace(sample, why=why)
