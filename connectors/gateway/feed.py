"""From lines to the ledger: reads the feeds, folds, and stores what was folded together with how far it was read.

One step of the store holds the aggregates, the places in the files and what the rules made of them. So a process that
dies at any moment has counted each line once, or not yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from connectors.contract import Home, Intake, Ports, Turn
from connectors.gateway import ledger
from connectors.gateway.fold import Fold, FoldRow
from connectors.gateway.intake import GatewayIntake
from connectors.gateway.judging import Rounds, carry_out, is_news
from connectors.gateway.lifecycle import State
from connectors.gateway.notes import Notes
from connectors.gateway.places import Source
from connectors.gateway.settings import GatewaySettings
from connectors.gateway.spool import SpoolReader
from connectors.gateway.tail import Tail

TURN_SECONDS = (1.0, 10.0)
"""How long one turn reads before it stores: at least, so that what was read shows within a second or two; and at most,
where storing takes long because very many signatures change at once. Storing then takes a third of the time.
"""

TURN_BYTES = 512 * 1024 * 1024
"""Bytes after which it stores all the same: bounds what is read again after a crash."""

FORGET_AFTER = timedelta(days=30)
"""So long after its resolve the figures of a signature are kept whatever comes; later they may make room."""

RECEIVED = "received"
"""The name of the feed of pushed lines."""


@dataclass
class _Progress:
    """What one feed has brought and is not stored yet."""

    place: bytes = b""
    lines: int = 0
    poisoned: int = 0


@dataclass
class _Unstored:
    """What was folded and is not stored yet. A step that failed is made again with all that came since."""

    rows: dict[tuple[str, str], FoldRow | None] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    progress: dict[str, _Progress] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.rows or self.touched or self.progress)


class GatewayFeed:
    """`contract.Feed` for one gateway: one worker's. Nothing is read before its first turn."""

    def __init__(self, settings: GatewaySettings, ports: Ports) -> None:
        self._settings = settings
        self._ports = ports
        self._rules = settings.fold_rules()
        self._home = _home(ports)
        self._fold: Fold | None = None
        self._sources: list[Source] = []
        self._unstored = _Unstored()
        self._rounds = Rounds(self._all_records)
        self._turn_seconds = TURN_SECONDS[0]
        self._counts = dict.fromkeys(("lines", "folded", "failed", "poisoned", "repeated", "late", "overlong"), 0)
        self._signatures = 0
        self._records: set[str] = set()
        self._told_poisoned_at: float | None = None
        self._untold_poisoned = 0
        folder = self._home.folder
        self._notes = Notes()
        self._intake = GatewayIntake(settings, folder) if settings.receiver_tokens and folder is not None else None

    @property
    def intake(self) -> Intake | None:
        """Where pushed lines are taken; None when none are."""
        return self._intake

    def turn(self) -> Turn:
        """Read for about a second, fold, store. Raises StoreUnavailable; nothing is lost then."""
        if self._fold is None:
            self._fold = self._begin()
        if self._unstored and self._unstored.progress:
            self._store(self._fold, ())  # an earlier step failed: first that, before more is read
        # The last turn may be an hour ago: what came since then is not of the future.
        self._fold.tick(self._ports.clock.now())
        more, samples = self._read(self._fold)
        self._fold.tick(self._ports.clock.now(), caught_up=not more)
        due = self._rounds.due(self._ports.clock.monotonic())
        changed = False
        if due or self._unstored.progress:
            self._gather(self._fold)
            changed = self._store(self._fold, due)
        self._tell_poisoned(samples)
        events = [note for notes in (self._notes, *(one.notes for one in self._sources)) for note in notes.taken()]
        return Turn(more=more, changed=changed, events=tuple(events))

    def figures(self) -> Mapping[str, float]:
        """Lines by what became of them since the start, signatures now, and what waits in the spool."""
        found: dict[str, float] = {**self._counts, "signatures": self._signatures}
        if self._intake is not None:
            found["received_bytes"] = self._intake.kept
            found["received_refused"] = self._intake.refused
            found["received_malformed"] = self._intake.malformed
        for source in tuple(self._sources):
            if isinstance(source, SpoolReader):
                found["spool_bytes"] = source.held()
        return found

    def close(self) -> None:
        """Let go of the files."""
        for source in self._sources:
            source.close()
        if self._intake is not None:
            self._intake.close()

    # --- beginning ------------------------------------------------------------------------------------------------

    def _begin(self) -> Fold:
        """Take up what is stored."""
        of = self._home.connection_id
        with self._home.store.read() as conn:
            rows = ledger.folded(conn, of)
            places = ledger.places(conn, of)
            records = ledger.all_states(conn, of)
        fold = Fold(self._rules, self._settings.read_as())
        try:
            fold.restore(rows)
        except ValueError as error:
            # Aggregates of another version: counting begins anew, the ledger and the places stay.
            self._notes.tell("feed_restarted", why=str(error))
            fold = Fold(self._rules, self._settings.read_as())
            self._home.store.step(lambda conn: ledger.forget_folded(conn, of))
        self._records = set(self._kept(records))
        fold.keep(self._records)
        self._sources = self._open(places)
        return fold

    def _open(self, places: Mapping[str, bytes]) -> list[Source]:
        found: list[Source] = [
            Tail(
                str(path),
                path,
                self._ports.clock,
                stored=places.get(str(path)),
                begin=self._settings.begin,
                rotated=self._settings.rotated,
                linger=self._settings.rotation_seconds,
            )
            for path in self._settings.log_files
        ]
        # What was received before the receiver was switched off is folded all the same.
        if self._home.folder is not None and (self._intake is not None or self._home.folder.is_dir()):
            found.append(SpoolReader(RECEIVED, self._home.folder, stored=places.get(RECEIVED)))
        return found

    def _kept(self, records: Mapping[str, tuple[str, datetime]]) -> list[str]:
        """The records whose figures must stay: all but those long resolved."""
        old = self._ports.clock.now() - FORGET_AFTER
        return [one for one, (state, at) in records.items() if state != State.RESOLVED.value or at > old]

    # --- reading --------------------------------------------------------------------------------------------------

    def _read(self, fold: Fold) -> tuple[bool, list[str]]:
        """Read blocks of every feed in turn. (Whether there is more, samples of lines that were not understood.)"""
        clock, most = self._ports.clock, self._settings.longest_line_kb * 1024
        until = clock.monotonic() + self._turn_seconds
        size, samples = 0, []
        waiting = list(self._sources)
        while waiting and clock.monotonic() < until and size < TURN_BYTES:
            for source in tuple(waiting):
                block = source.read(most)
                if block is None:
                    waiting.remove(source)
                    continue
                size += len(block.data)
                progress = self._unstored.progress.setdefault(source.name, _Progress())
                progress.place = block.place
                self._counts["overlong"] += block.overlong
                if block.overlong:
                    progress.poisoned += block.overlong
                    self._untold_poisoned += block.overlong
                    samples.append(f"a line longer than {most} bytes was left out")
                if block.data:
                    taken = fold.take(block.data)
                    progress.lines += taken.lines
                    progress.poisoned += taken.poisoned
                    for name in ("lines", "folded", "failed", "poisoned", "repeated", "late"):
                        self._counts[name] += getattr(taken, name)
                    self._untold_poisoned += taken.poisoned
                    samples += taken.samples
        return bool(waiting), samples

    def _tell_poisoned(self, samples: Sequence[str]) -> None:
        """Lines that are not understood are told once a minute at most, with one of them."""
        at = self._ports.clock.monotonic()
        silent = self._told_poisoned_at is not None and at - self._told_poisoned_at < 60.0
        if self._untold_poisoned and samples and not silent:
            self._notes.tell("feed_poisoned", lines=self._untold_poisoned, sample=samples[0])
            self._told_poisoned_at, self._untold_poisoned = at, 0

    # --- storing --------------------------------------------------------------------------------------------------

    def _gather(self, fold: Fold) -> None:
        """Take from the fold what is to be stored."""
        self._unstored.touched.update(fold.touched())
        for row in fold.changed():
            self._unstored.rows[row.kind, row.key] = row
        for key in fold.dropped():
            self._unstored.rows[key] = None

    def _all_records(self) -> list[str]:
        """The ids of all records; what the fold is to keep is looked up on the way."""
        with self._home.store.read() as conn:
            states = ledger.all_states(conn, self._home.connection_id)
        self._records = set(self._kept(states))
        if self._fold is not None:
            self._fold.keep(self._records)
        return list(states)

    def _store(self, fold: Fold, due: Sequence[str]) -> bool:
        """One step: aggregates, places, and what the rules say. True when the ledger changed.

        due: records whose turn has come in the round. Without anything else to store, and without news of them, nothing
        is written.
        """
        home, now, unstored = self._home, self._ports.clock.now(), self._unstored
        began = self._ports.clock.monotonic()
        known = fold.signatures()
        self._signatures = len(known)
        with home.store.read() as conn:
            wakeable = ledger.asleep(conn, home.connection_id)
        touched = {one for one in unstored.touched if one not in self._records or one in wakeable}
        judged = [(known[one], fold.figures(one)) for one in sorted(touched.union(due)) if one in known]
        if not unstored:
            with home.store.read() as conn:
                if not is_news(conn, home.connection_id, judged, self._rules, now):
                    self._rounds.looked(due)
                    return False

        def step(conn: Connection) -> list[str]:
            rows = [row for row in unstored.rows.values() if row is not None]
            gone = [key for key, row in unstored.rows.items() if row is None]
            ledger.keep_folded(conn, home.connection_id, rows, gone)
            for name, progress in unstored.progress.items():
                ledger.keep_place(
                    conn,
                    home.connection_id,
                    name,
                    progress.place,
                    lines=progress.lines,
                    poisoned=progress.poisoned,
                    now=now,
                )
            return carry_out(conn, home.connection_id, judged, self._rules, now)

        changed = home.store.step(step)
        for source in self._sources:
            if source.name in unstored.progress:
                source.stored(unstored.progress[source.name].place)
        self._unstored = _Unstored()
        self._rounds.looked(due)
        least, most = TURN_SECONDS
        self._turn_seconds = min(most, max(least, 2 * (self._ports.clock.monotonic() - began)))
        if not self._records.issuperset(changed):
            self._records.update(changed)
            fold.keep(self._records)
        return bool(changed)


def _home(ports: Ports) -> Home:
    if ports.home is None:
        raise ValueError("a feed needs the hub's database")
    return ports.home
