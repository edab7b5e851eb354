"""The embedded store: SQLite, one writer, any number of readers. Opened by `sync.store.migrate.open_store`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection

from connectors.contract import Clock
from sync.store.copies import copy_database
from sync.store.driver import reading_engine, translate, writes_on_reader, writing_engine
from sync.store.errors import StoreUnavailable
from sync.store.group import Group
from sync.store.inline import Inline
from sync.store.writer import Limits, Writer

if TYPE_CHECKING:
    from concurrent.futures import Future  # noqa: TID251  the type only

T = TypeVar("T")


class SqliteStore:
    """A database file that exists and has the newest schema. Implements `sync.store.contract.Store`.

    inline: no thread; a step runs in its caller (the simulation). crash: called inline with `before commit` and
    `after commit`; it may raise to end the process there.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        inline: bool = False,
        crash: Callable[[str], None] | None = None,
        busy_seconds: float = 5.0,
        limits: Limits | None = None,
    ) -> None:
        self.path = path
        self._clock = clock
        self._closed = False
        self._writing = writing_engine(path, busy_seconds)
        self._reading = reading_engine(path, busy_seconds)
        self._writer: Writer | Inline
        if inline:
            self._writer = Inline(self._begin, crash)
        else:
            self._writer = Writer(self._begin, clock, limits or Limits())

    def _begin(self) -> Group:
        return Group(self._writing, self.path)

    def step(self, fn: Callable[[Connection], T]) -> T:
        """See the contract."""
        return self._writer.step(fn)

    def submit(self, fn: Callable[[Connection], T]) -> Future[T]:
        """See the contract."""
        return self._writer.submit(fn)

    def receipts(self, rows: Sequence[Mapping[str, Any]]) -> Future[int]:
        """See the contract."""
        return self._writer.receive(rows)

    def read(self) -> AbstractContextManager[Connection]:
        """See the contract."""
        return self._read()

    @contextmanager
    def _read(self) -> Generator[Connection]:
        if self._closed:
            raise StoreUnavailable("the store is closed: the daemon is stopping")
        try:
            with self._reading.connect() as conn, conn.begin():
                yield conn
        except Exception as error:
            meaning = translate(error, self.path)
            if meaning is None or writes_on_reader(error):
                raise
            raise meaning from error

    def backup(self, path: Path) -> None:
        """See the contract."""
        copy_database(self.path, path, self._clock.now())

    def close(self) -> None:
        """See the contract."""
        if self._closed:
            return
        self._closed = True
        self._writer.close()
        self._reading.dispose()
        self._writing.dispose()
