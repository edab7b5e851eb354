"""Lines in, signatures with figures out. No clock and no chance inside: time comes from the lines.

The order of lines, and how they are cut into blocks, changes no count. Memory is bounded by signatures and routes.

A good call does almost nothing: its latency is appended to the list of its minute and route (a *lane*), and lanes are
counted in bulk. Only failed calls, and the first one of each lane, are looked at as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct

from connectors.gateway.book import Book
from connectors.gateway.calls import Call, Poisoned
from connectors.gateway.classify import QUIET_HANDLERS, classify
from connectors.gateway.discriminator import seen
from connectors.gateway.figures import figures_of
from connectors.gateway.lines import Cut, as_lines, block_reader
from connectors.gateway.picking import EARLIEST_MS, LATEST_MS, Picker
from connectors.gateway.presets import UNITS, Preset
from connectors.gateway.repeats import Repeats
from connectors.gateway.rules import FoldRules, Group, named
from connectors.gateway.scrub import scrub
from connectors.gateway.signature import Figures, Kind, Signature
from connectors.gateway.sketch import Binning
from connectors.gateway.taken import Counting, FoldRow, Taken
from connectors.gateway.windows import HOURS_KEPT, MINUTES_KEPT, count, total

__all__ = ["Fold", "FoldRow", "Taken"]

_SAMPLES = 3
_FLUSH_AT = 100_000
_SMALL = 16_384
_MOST_GOOD = 50_000
_FIRST, _LAST = EARLIEST_MS // 60_000, LATEST_MS // 60_000

Key = tuple[str, str, str]
Lanes = dict[Key, list[float]]

_NORMAL = ("", "normal")
_NOTHING = (None, "", "-", False, "false")

_NOWHERE: Lanes = {}
"""The lanes of a minute that cannot be: never filled."""


class _State(Struct, array_like=True):
    minute: int
    ids: list[str]


_state_decoder = msgspec.msgpack.Decoder(_State)
_encoder = msgspec.msgpack.Encoder()


class Fold:
    """Folds the lines of one connection. One thread at a time."""

    def __init__(self, rules: FoldRules, preset: Preset) -> None:
        self._rules = rules
        self._book = Book(rules, preset.name)
        self._picker = Picker(preset)
        self._read = block_reader(preset.mapping)
        self._by_path = not preset.mapping.routed
        self._repeats = Repeats(rules.dedup_ids)
        unit = UNITS[preset.mapping.units.get("latency", "ms")]
        # Finer than a hundredth of a millisecond is told by nobody's eyes, and fewer values are counted faster.
        self._coarse = {0.001: 10, 0.000_001: 10_000}.get(unit, 1)
        self._to_ms = unit
        self._binning = Binning(unit * self._coarse)
        objectives = [one for one in (rules.slo_ms, *rules.route_slo_ms.values()) if one is not None]
        latency_on = bool(objectives) and Group.LATENCY not in rules.off
        self._slow = min(objectives) / unit if latency_on else math.inf
        # The handler that nearly every call has; what has another one is looked at.
        self._usual = "proxy" if preset.mapping.fields.get("handler") else ""
        self._minute = 0
        self._limit: int | None = None
        self._lanes: dict[int, Lanes] = {}
        self._good: set[Key] = set()
        self._pending = 0
        self._forgotten = 0
        self._changed = False
        self._touched: set[str] = set()
        self._taken = Counting()

    # --- lines in -------------------------------------------------------------------------------------------------

    def take(self, block: bytes) -> Taken:
        """Fold complete lines, separated by newlines; the last one may lack its newline. Never raises for a line."""
        self._taken = Counting()
        if self._read is None:
            self._pick_all(block)
        else:
            self._take_block(block)
        if self._pending >= _FLUSH_AT:
            self._flush()
        taken = self._taken.result()
        self._changed = self._changed or taken.folded > 0
        return taken

    def take_document(self, body: bytes) -> Taken:
        """Fold what a gateway posted: an object, an array of objects, or an object a line. Never raises for it."""
        return self.take(as_lines(body))

    def _take_block(self, block: bytes) -> None:
        assert self._read is not None
        try:
            lines: list[Any] = self._read(block)
        except (ValueError, RecursionError, OverflowError):
            # One line does not fit: halve the block until only its neighbourhood has to be read line by line.
            if len(block) > _SMALL and (middle := block.rfind(b"\n", 0, len(block) // 2)) > 0:
                self._take_block(block[:middle])
                self._take_block(block[middle + 1 :])
            else:
                self._pick_all(block)
            return
        if not self._repeats.all_new([line.request_id for line in lines]):
            self._pick_all(block)
            return
        self._pending += len(lines)
        self._taken.lines += len(lines)
        cut = Cut(block, len(lines))
        if self._by_path:
            self._fold_by_path(lines, cut)
        else:
            self._fold_by_route(lines, cut)

    def _fold_by_route(self, lines: list[Any], cut: Cut) -> None:
        # Written for speed: each line of this loop is paid for with every call that a gateway answers.
        begin = end = 0
        lanes, slow, usual = _NOWHERE, self._slow, self._usual
        late, since = False, 0
        for number, line in enumerate(lines):
            at = line.at
            if at >= end or at < begin:
                if late:
                    self._taken.late += number - since
                minute = at // 60_000
                begin, end = minute * 60_000, minute * 60_000 + 60_000
                lanes, late, since = self._open(minute), minute < self._minute - self._rules.lateness_minutes, number
            if (
                99 < line.status < 400
                and line.handler == usual
                and line.ai_status in _NORMAL
                and line.suspect in _NOTHING
                and line.hint in _NOTHING
                and (latency := line.latency) <= slow
                and (values := lanes.get((line.service, line.route, line.method))) is not None
            ):
                values.append(latency)
            else:
                self._look(line, line.route, lanes, cut, number)
        if late:
            self._taken.late += len(lines) - since

    def _fold_by_path(self, lines: list[Any], cut: Cut) -> None:
        # The same for lines that may name no route.
        begin = end = 0
        lanes, slow, usual, path = _NOWHERE, self._slow, self._usual, self._book.path
        late, since = False, 0
        for number, line in enumerate(lines):
            at = line.at
            if at >= end or at < begin:
                if late:
                    self._taken.late += number - since
                minute = at // 60_000
                begin, end = minute * 60_000, minute * 60_000 + 60_000
                lanes, late, since = self._open(minute), minute < self._minute - self._rules.lateness_minutes, number
            route = line.route or path(line.path)
            if (
                99 < line.status < 400
                and line.handler == usual
                and line.ai_status in _NORMAL
                and line.suspect in _NOTHING
                and line.hint in _NOTHING
                and (latency := line.latency) <= slow
                and (values := lanes.get((line.service, route, line.method))) is not None
            ):
                values.append(latency)
            else:
                self._look(line, route, lanes, cut, number)
        if late:
            self._taken.late += len(lines) - since

    def _open(self, minute: int) -> Lanes:
        """The lanes of a minute. Moves the watermark."""
        if not _FIRST <= minute < _LAST or (self._limit is not None and minute > self._limit):
            return _NOWHERE
        self._minute = max(self._minute, minute)
        lanes = self._lanes.get(minute)
        if lanes is None:
            lanes = self._lanes[minute] = {}
        return lanes

    def _look(self, line: Any, route: str, lanes: Lanes, cut: Cut, number: int) -> None:
        """Fold one line of a block that is not certainly good, or is the first of its lane."""
        key = (line.service, route, line.method)
        plain = (
            (99 < line.status < 400 or line.status == 0)
            and line.latency <= self._slow
            and line.ai_status in _NORMAL
            and line.suspect in _NOTHING
            and line.hint in _NOTHING
        )
        if plain and line.handler in QUIET_HANDLERS and lanes is not _NOWHERE and key in self._good:
            values = lanes.get(key)
            if values is None:
                values = lanes[key] = []
            values.append(line.latency)
            return
        try:
            call = self._picked(line, cut, number)
            self._fold(call)
        except Poisoned as poisoned:
            self._poison(str(poisoned), cut[number])
            return
        same = (call.service, call.route or self._book.path(call.path), call.method)
        if plain and route and same == key and _is_same(call, line):
            if len(self._good) >= _MOST_GOOD:
                self._good.clear()
            self._good.add(key)

    def _picked(self, line: Any, cut: Cut, number: int) -> Call:
        """The call that was read quickly as `line`, read carefully. Raises Poisoned."""
        try:
            call = self._picker.call(cut[number])
        except Poisoned:
            if not cut.carefully():
                raise
        else:
            if _is_same(call, line) or not cut.carefully():
                return call
        return self._picker.call(cut[number])

    # --- line by line ---------------------------------------------------------------------------------------------

    def _pick_all(self, block: bytes) -> None:
        for raw in block.split(b"\n"):
            if raw.strip():
                self._pick(raw)

    def _pick(self, raw: bytes) -> None:
        self._taken.lines += 1
        self._pending += 1
        try:
            call = self._picker.call(raw)
            if not self._repeats.is_new(call.request_id):
                self._taken.repeated += 1
                return
            minute = call.at_ms // 60_000
            self._fold(call)
        except Poisoned as poisoned:
            self._poison(str(poisoned), raw)
            return
        if minute < self._minute - self._rules.lateness_minutes:
            self._taken.late += 1

    def _poison(self, why: str, raw: bytes) -> None:
        self._taken.poisoned += 1
        if len(self._taken.samples) < _SAMPLES:
            self._taken.samples.append(f"{why}: {seen(scrub(raw[:400].decode('utf-8', 'replace'), 200), 200)}")

    def _fold(self, call: Call) -> None:
        """Fold one call. Raises Poisoned for one out of the future."""
        lanes = self._open(call.at_ms // 60_000)
        if lanes is _NOWHERE:
            raise Poisoned("its time is in the future")
        route = self._book.route(call.service, call.route or self._book.path(call.path), call.method)
        key = (route.service, route.route, route.method)
        latency = call.latency_ms
        lanes.setdefault(key, []).append(-1 if latency is None else latency / self._to_ms)
        if named(self._rules.silent_routes, route.service, route.route):
            return
        found = classify(call, self._rules)
        if found is None:
            slow = latency is not None and route.slo_ms is not None and latency > route.slo_ms
            if call.status >= 400 or not slow or Group.LATENCY in self._rules.off:
                return
            cause, kind = Group.LATENCY.value, Kind.LATENCY
        else:
            cause, kind = found[0], Kind.LLM if found[1] is Group.LLM else Kind.ERROR
        self._touched.add(self._book.add(call, route, cause, kind))
        self._taken.failed += 1

    # --- lanes into counts ----------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Count the lanes into their routes."""
        oldest = self._minute - MINUTES_KEPT
        coarse = self._coarse
        for minute, lanes in self._lanes.items():
            hour = minute // 60
            for key, values in lanes.items():
                if not values:
                    continue
                route = self._book.route(*key)
                many = len(values)
                route.count += many
                route.dirty = True
                if minute >= oldest:
                    count(route.minutes, minute, many)
                if hour >= self._minute // 60 - HOURS_KEPT:
                    count(route.hours, hour, many)
                bins = route.pane(hour)
                if bins is not None:
                    self._binning.count(values if coarse == 1 else [one // coarse for one in values], bins)
        self._lanes.clear()
        self._pending = 0

    # --- time -----------------------------------------------------------------------------------------------------

    def tick(self, now: datetime, *, caught_up: bool = False) -> None:
        """Tell the wall time: lines from its future are poisoned. caught_up: nothing is left to read just now, so
        the event time moves on to `now` less the allowed lateness even without lines.
        """
        minute = int(now.timestamp()) // 60
        # At least the next minute: it may begin before the time is told again.
        self._limit = minute + max(1, self._rules.lateness_minutes)
        if self._minute > self._limit:  # of a line that was read before anybody told the time
            self._minute, self._changed = minute, True
        if caught_up and self._minute and minute - self._rules.lateness_minutes > self._minute:
            self._minute = minute - self._rules.lateness_minutes
            self._changed = True

    @property
    def watermark(self) -> datetime | None:
        """The newest event time seen, to the minute; None before the first line."""
        return datetime.fromtimestamp(self._minute * 60, UTC) if self._minute else None

    # --- rows -----------------------------------------------------------------------------------------------------

    def touched(self) -> frozenset[str]:
        """The ids of the signatures that had calls since the last `changed` and that a rule may have something to say
        about: records, and those with calls enough to open.
        """
        return frozenset(name for name in self._touched if self._is_worth_judging(name))

    def _is_worth_judging(self, name: str) -> bool:
        tally = self._book.tallies.get(name)
        if tally is None:
            return False
        rules, one = self._rules, tally.signature
        if tally.kept or named(rules.single_hit_routes, one.service, one.route):
            return True
        # No window is fuller than all minutes that windows are judged in.
        lately = total(tally.minutes, self._minute, rules.window_minutes + rules.lateness_minutes)
        return tally.count >= rules.min_count and lately >= rules.min_count

    def changed(self) -> tuple[FoldRow, ...]:
        """The rows that differ from what was last given out or restored. To be stored in one transaction with the
        feed's position and with `dropped`, which is asked for right after it.
        """
        self._flush()
        hour = self._minute // 60
        if hour != self._forgotten:
            self._forgotten = hour
            self._book.forget(self._minute)
        rows = [FoldRow(*row) for row in self._book.rows(self._minute)]
        if self._changed:
            rows.append(FoldRow("state", "state", _encoder.encode(_State(self._minute, self._repeats.newest()))))
            self._changed = False
        self._touched.clear()
        return tuple(rows)

    def dropped(self) -> tuple[tuple[str, str], ...]:
        """(kind, key) of the rows to delete since the last time."""
        gone, self._book.dropped = self._book.dropped, []
        return tuple(gone)

    def restore(self, rows: Iterable[FoldRow]) -> None:
        """Go on from stored rows. Only for a fresh fold. Raises ValueError for a row that is none of ours."""
        for row in sorted(rows, key=lambda row: row.kind != "route"):
            try:
                self._restore(row)
            except ValueError as bad:
                raise ValueError(f"a stored row of the fold ({row.kind}/{row.key}) is not readable: {bad}") from bad

    def _restore(self, row: FoldRow) -> None:
        match row.kind:
            case "route":
                self._book.restore_route(row.body)
            case "signature":
                self._book.restore_tally(row.body)
            case "state":
                state = _state_decoder.decode(row.body)
                self._minute = state.minute
                self._forgotten = state.minute // 60
                self._repeats.restore(state.ids)
            case _:
                raise ValueError("its kind is not known")

    # --- what is known --------------------------------------------------------------------------------------------

    def signatures(self) -> Mapping[str, Signature]:
        """Every signature known, by id."""
        return MappingProxyType({name: tally.signature for name, tally in self._book.tallies.items()})

    def figures(self, signature_id: str) -> Figures:
        """What is known of one signature as of the watermark. Raises KeyError for one that is not known."""
        if self._pending:
            self._flush()
        return figures_of(self._book.tallies[signature_id], self._rules, self._minute)

    def keep(self, signature_ids: Iterable[str]) -> None:
        """Signatures that are records: never dropped for being old, and with more and longer samples."""
        self._book.keep(signature_ids)


def _is_same(call: Call, line: Any) -> bool:
    """Whether a call that was picked is the line that was read quickly."""
    return bool(call.at_ms == line.at and call.status == line.status and call.request_id == line.request_id)
