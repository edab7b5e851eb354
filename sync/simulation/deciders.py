"""Two deciders at once (H15): of two decisions about one item only one is kept, and none is carried out twice.

Each decider is a worker of the crew. What its steps do to the tables is counted within the step itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, text

from sync.engine import settle

if TYPE_CHECKING:
    from concurrent.futures import Future

    from sync.engine.hub import Hub

T = TypeVar("T")

_ITEMS = text("SELECT id, gen, done_gen FROM items")
_ROWS = text(
    "SELECT (SELECT COUNT(*) FROM journal), (SELECT COUNT(*) FROM conflicts), (SELECT COUNT(*) FROM deliveries)"
)
_ITEM = re.compile(r"\bhc-(\d+)\b")


class Deciders:
    """Watches those who decide at the same time.

    refused: decisions that were not kept since another decider had just kept one about the same item. wrong: what was
    kept although the item was decided already.
    """

    def __init__(self) -> None:
        self.refused = 0
        self.wrong: list[str] = []
        self._at_work: dict[int, set[int]] = {}
        self._anew: set[int] = set()
        self._next = 0

    def decide(self, hub: Hub) -> object:
        """One decider at work, until nothing that is due is left for it."""
        me, self._next = self._next, self._next + 1
        self._at_work[me] = set()
        try:
            seen: Any = _Seen(hub, self, me)
            return settle.settle(seen)
        finally:
            self._at_work.pop(me, None)

    def forget(self) -> None:
        """The process has died, and its deciders with it."""
        self._at_work.clear()

    def watched(self, me: int, step: Callable[[Connection], T], conn: Connection) -> T:
        """Carry out a decider's step and judge what it did. Raises what the step raises."""
        items, rows = self._found(conn)
        try:
            value = step(conn)
        except Exception as error:
            found = _ITEM.search(str(error))
            if found is not None and int(found[1]) in self._at_work.get(me, ()):
                self.refused += 1
            self._anew.add(me)  # it loads the item as the other has left it, and may find more to do by now
            raise
        now, more = self._found(conn)
        decided = {number for number, (_, done) in now.items() if number in items and done > items[number][1]}
        if more != rows and not decided and me not in self._anew:
            told = ", ".join(f"{after - before:+d}" for before, after in zip(rows, more, strict=True))
            self.wrong.append(f"H15 decided-twice: journal, conflicts, deliveries {told} with no item left to decide")
        for other in self._at_work.keys() - {me}:
            self._at_work[other].update(decided)
        return value

    @staticmethod
    def _found(conn: Connection) -> tuple[dict[int, tuple[int, int]], tuple[int, ...]]:
        items = {row.id: (row.gen, row.done_gen) for row in conn.execute(_ITEMS)}
        return items, tuple(conn.execute(_ROWS).one())


class _Seen:
    """A hub as one decider sees it: all is the hub's own, and what it decides is watched."""

    def __init__(self, hub: Hub, deciders: Deciders, me: int) -> None:
        self._hub = hub
        self.store = _Watched(hub.store, deciders, me)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hub, name)


class _Watched:
    """A store whose decisions (the steps that are handed over) are watched."""

    def __init__(self, store: Any, deciders: Deciders, me: int) -> None:
        self._store = store
        self._deciders = deciders
        self._me = me

    def submit(self, fn: Callable[[Connection], T]) -> Future[T]:
        """See the contract."""
        found: Future[T] = self._store.submit(lambda conn: self._deciders.watched(self._me, fn, conn))
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
