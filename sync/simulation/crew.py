"""The workers of one simulated process, interleaved: at every port call the seed decides who goes on.

Each worker is a greenlet. It goes on alone until it calls a remote system or asks for a step or a read; there it stops,
and any of the others may come first. When the process dies, all of them are dropped where they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sync.simulation.between import Crashed
from sync.store.memory import MemoryStore

if TYPE_CHECKING:
    import random
    from concurrent.futures import Future

    from sqlalchemy import Connection

    from connectors.contract import Remote

T = TypeVar("T")


def is_there() -> bool:
    """Whether workers can be interleaved here: greenlet is a development dependency."""
    return find_spec("greenlet") is not None


class Crew:
    """Runs workers side by side. switches: how often one gave way to another."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._greenlet: Any = import_module("greenlet")
        self._among: list[Any] = []
        self._main: Any = None
        self._places: dict[Any, int] = {}
        self._is_over = False
        self.switches = 0

    def run(self, works: Sequence[Callable[[], object]]) -> None:
        """Run each once, interleaved. Raises what one of them raises: then the others are dropped where they stand."""
        self._main = self._greenlet.getcurrent()
        self._among = [self._greenlet.greenlet(work) for work in works]
        self._places = {each: place for place, each in enumerate(self._among)}
        try:
            while self._among:
                chosen = self._rng.choice(self._among)
                chosen.switch()
                if chosen.dead:
                    self._among.remove(chosen)
        finally:
            left, self._among = self._among, []
            self._places = {}
            self._is_over = True
            try:
                for each in left:
                    each.throw(self._greenlet.GreenletExit)
            finally:
                self._is_over = False

    def clients(self, open_one: Callable[[], Remote]) -> Callable[[], Remote]:
        """One client for each of those who work side by side, as the daemon has one for each thread."""
        opened: dict[int, Remote] = {}

        def mine() -> Remote:
            place = self._places.get(self._greenlet.getcurrent(), -1)
            if place not in opened:
                opened[place] = open_one()
            return opened[place]

        return mine

    def give_way(self) -> None:
        """Let the seed decide who goes on; outside `run` nothing happens.

        Raises Crashed for a dropped worker that would still do something while it is cleared away: its process is gone.
        """
        if self._is_over:
            raise Crashed("dropped")
        if self._among and self._greenlet.getcurrent() in self._among:
            self.switches += 1
            self._main.switch()


class Switching:
    """A store whose every use is a place where another worker may go on. Implements `sync.store.contract.Store`."""

    def __init__(self, store: MemoryStore, crew: Crew) -> None:
        self._store = store
        self._crew = crew

    def step(self, fn: Callable[[Connection], T]) -> T:
        """See the contract."""
        self._crew.give_way()
        value = self._store.step(fn)
        self._crew.give_way()
        return value

    def submit(self, fn: Callable[[Connection], T]) -> Future[T]:
        """See the contract."""
        self._crew.give_way()
        return self._store.submit(fn)

    def receipts(self, rows: Sequence[Mapping[str, Any]]) -> Future[int]:
        """See the contract."""
        self._crew.give_way()
        return self._store.receipts(rows)

    def read(self) -> AbstractContextManager[Connection]:
        """See the contract."""
        self._crew.give_way()
        return self._store.read()

    def backup(self, path: Path) -> None:
        """See the contract."""
        self._store.backup(path)

    def close(self) -> None:
        """See the contract."""
        self._store.close()
