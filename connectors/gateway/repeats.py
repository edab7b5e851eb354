"""Which request ids were seen lately: a replayed line is counted once. Bounded; two generations, the older one goes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import chain, islice

STORED = 8_192
"""How many of the newest ids are stored, so that a line repeated around a restart is known too."""


class Repeats:
    """The memory of ids, as 64-bit hashes. most: how many; 0: nothing is ever repeated."""

    def __init__(self, most: int) -> None:
        self._half = max(1, most // 2)
        self._on = most > 0
        self._now: set[int] = set()
        self._before: set[int] = set()
        self._newest: deque[list[str]] = deque()
        self._held = 0

    def all_new(self, ids: list[str]) -> bool:
        """Whether every line of a block is new; if so they are remembered. A line without an id always is.

        When one is repeated nothing is remembered, and each line is to be asked about alone.
        """
        if not self._on:
            return True
        fresh = set(map(hash, ids))
        if 0 in fresh:  # the hash of an empty text
            ids = [one for one in ids if one]
            fresh.discard(0)
        if len(fresh) != len(ids) or not (self._now.isdisjoint(fresh) and self._before.isdisjoint(fresh)):
            return False
        if ids:
            self._now |= fresh
            self._remember(ids)
        return True

    def is_new(self, request_id: str) -> bool:
        """Whether one line is new; then it is remembered. A line without an id always is."""
        if not self._on or not request_id:
            return True
        name = hash(request_id)
        if name in self._now or name in self._before:
            return False
        self._now.add(name)
        self._remember([request_id])
        return True

    def _remember(self, ids: list[str]) -> None:
        if len(self._now) >= self._half:
            self._before, self._now = self._now, set()
        self._newest.append(ids)
        self._held += len(ids)
        while self._held - len(self._newest[0]) >= STORED:
            self._held -= len(self._newest.popleft())

    def newest(self) -> list[str]:
        """The newest ids, oldest first, as they are stored."""
        most = min(STORED, 2 * self._half) if self._on else 0
        return list(islice(chain.from_iterable(self._newest), max(0, self._held - most), None))

    def restore(self, ids: Iterable[str]) -> None:
        """Remember stored ids."""
        known = [one for one in ids if one]
        if known and self._on:
            self._now.update(map(hash, known))
            self._remember(known)
