"""One item and its records: the state that people, hub and verdict share."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

from sync.core.state import ItemState, Rules
from sync.model import Direction
from sync.simulation.pure.records import Link, Record, passes
from sync.simulation.pure.systems import FLOWS, HELPDESK, SIGNAL, TRACKER, System

T = TypeVar("T")

SHARED = 3
"""Tags with numbers up to this one are put on by anybody; the others have one bringer each."""


class World:
    """One item, its records, and what their users did. wrong: what went wrong, by name. trace: what happened.

    added: by whom and when each tag was put on first. killed: who took it off. known, passing: all tags there are, and
    those that pass a filter. joined: somebody joined in this pass. tracker: its link, which never goes.
    """

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311  repeatable on purpose
        self.item = ItemState()
        self.rules = Rules()
        self.links: list[Link] = []
        self.loose: list[Record] = []
        self.now = 0
        self.writes = 0
        self.edits = 0
        self.conflicts = 0
        self.faulty = True
        self.joined = False
        self.wrong: set[str] = set()
        self.trace: list[str] = []
        self.added: dict[str, tuple[Record, int]] = {}
        self.killed: dict[str, set[Record]] = {}
        self.killed_by_tracker: set[str] = set()
        self.tracker_reopened = -1
        self.known = frozenset(str(number) for number in range(1, SHARED + 1))
        self.passing = frozenset(key for key in self.known if passes(key))
        self._records = 0
        self._tags = 9
        self._cast()

    def _cast(self) -> None:
        self.join(self._record(TRACKER, ("todo",), FLOWS[self.pick(("free", "stock", "stock", "locked"))]))
        self.tracker = self.links[0]
        for _ in range(self.pick(range(6))):
            self.join(self._record(HELPDESK, ("new", "open")))
        for _ in range(self.pick(range(4))):
            self.join(self._record(SIGNAL, ("unresolved",)))
        self.loose = [self._record(HELPDESK, ("new", "open", "solved")) for _ in range(2)]
        self.loose.append(self._record(SIGNAL, ("unresolved", "resolved")))

    def _record(
        self, system: System, raws: tuple[str, ...], graph: Mapping[str, tuple[str, ...]] | None = None
    ) -> Record:
        self._records += 1
        roll = self.rng.random()
        direction = Direction.BOTH
        if system is not TRACKER and roll > 0.8:
            direction = Direction.IN if roll < 0.9 else Direction.OUT
        made = Record(
            id=self._records,
            system=system,
            raw=self.pick(raws),
            direction=direction,
            graph=graph,
            filtered=self.rng.random() < 0.25,
        )
        made.keep()
        return made

    def pick(self, choices: Sequence[T]) -> T:
        """One of some, as likely as any other (`Random.choice` is exact, and slow)."""
        return choices[int(self.rng.random() * len(choices))]

    def mix(self) -> None:
        """Put the links in another order, in which any two may have changed places: cut them, and turn them round."""
        rng, links = self.rng, self.links
        cut = int(rng.random() * len(links))
        self.links = links[cut:] + links[:cut]
        if rng.random() < 0.5:
            self.links.reverse()

    def join(self, record: Record) -> None:
        """Link a record; a join is a union, so what was removed may come back through it."""
        for removers in self.killed.values():
            removers.discard(record)
        for key in record.tags:
            self.killed[key] = set()
            self.killed_by_tracker.discard(key)
        record.by_hub = False
        self.links.append(Link(record=record, since=self.now, seen=record.states[-1]))
        self.joined = True
        self.trace.append(f"{self.now} join {record.id} {record.direction} {record.raw}")

    def new_tag(self) -> str:
        """A tag that nobody has seen before."""
        self._tags += 1
        key = str(self._tags)
        self.known |= {key}
        if passes(key):
            self.passing |= {key}
        return key
