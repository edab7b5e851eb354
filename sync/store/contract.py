"""What the engine, the web face and the commands ask of the store, whichever database is below.

A *step* is a function of a connection. Its statements happen together or not at all, and it is acknowledged only when
they are durable. A step may run beside others in one transaction, so it never commits, rolls back, sleeps, calls a
remote system, or asks for another step; `conn.begin_nested()` is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future  # noqa: TID251  the type only: the futures are made by the store

    from sqlalchemy import Connection

T = TypeVar("T")


class Store(Protocol):
    """One open database. Every method may be called from any thread."""

    def step(self, fn: Callable[[Connection], T]) -> T:
        """Run a step and return its value once it is durable.

        What the step raises undoes that step alone and is raised here. Raises StoreUnavailable when nothing was
        acknowledged: disk full, I/O error, locked by another process, or too much work waiting.
        """
        ...

    def submit(self, fn: Callable[[Connection], T]) -> Future[T]:
        """Hand over a step without waiting for it. The future resolves, or fails, as `step` would.

        Raises StoreUnavailable at once when too much work is waiting. A cancelled future's step is not run, if it
        had not begun.
        """
        ...

    def receipts(self, rows: Sequence[Mapping[str, Any]]) -> Future[int]:
        """Store received webhook calls; the fast path of the web face. Rows have the columns of `inbox`, without `id`.

        A call that is stored already (same connection, same `call_id`) is left as it is. The future gives the number
        of rows asked for, once all of them are durable. Raises StoreUnavailable at once when too much is waiting.
        """
        ...

    def read(self) -> AbstractContextManager[Connection]:
        """A connection that only reads, with one consistent snapshot from its first statement on.

        Keep it short: while it is open, the database cannot reuse what others have changed since. Raises
        StoreUnavailable, inside the block too.
        """
        ...

    def backup(self, path: Path) -> None:
        """Write a complete, consistent copy into a new file while work goes on.

        The copy carries a mark, so that a daemon started on it knows that it was restored (`meta`, `RESTORE_MARK`).
        Raises StoreError when the file exists or cannot be written.
        """
        ...

    def close(self) -> None:
        """Finish the steps that are waiting, then let go of the database. May be called twice."""
        ...


RESTORE_MARK = "restored"
"""The key in `meta` that only copies have: when the copy was taken, as ISO text. A daemon that finds it holds every
connection and deletes the mark in one step; it re-reads everything before it writes anything."""

RESTORED_AT = "restored_at"
"""The key in `meta` of the moment at which a daemon took up a restored database last, as ISO text."""

RESTORED_READ = "restored_read"
"""The key in `meta` of the number under which the first read after that was made: what has a smaller one is as the
backup had it."""
