"""Hands receipts of webhook calls to the store and waits for their commit.

Calls that arrive in one turn of the loop go over together: one hand-over, one wake-up. A receipt counts as kept only
when the store says that its commit is durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from sync.store.errors import StoreUnavailable


class ReceiptStore(Protocol):
    """What the web face needs of the store: see `sync.store.contract.Store.receipts`."""

    def receipts(self, rows: Sequence[Mapping[str, Any]]) -> Future[Any]: ...


@dataclass(eq=False)
class _Batch:
    rows: list[Mapping[str, Any]]
    waiting: list[asyncio.Future[None]]


class ReceiptDesk:
    """Keeps receipts. Used by the web face's loop only.

    patience: seconds a receipt waits for its commit. While one hand-over is overdue, further ones are refused at once,
    so that a store that hangs fills neither memory nor the senders' time.
    """

    def __init__(self, store: ReceiptStore, patience: float) -> None:
        self._store = store
        self._patience = patience
        self._gathering: _Batch | None = None
        self._overdue: set[_Batch] = set()

    async def keep(self, row: Mapping[str, Any]) -> None:
        """Return when the receipt is durable. Raises StoreUnavailable, within `patience`."""
        if self._overdue:
            raise StoreUnavailable("the store has not answered an earlier receipt yet")
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        batch = self._gathering
        if batch is None:
            batch = self._gathering = _Batch([], [])
            loop.call_soon(self._hand_over, loop, batch)
        batch.rows.append(row)
        batch.waiting.append(waiter)
        await waiter

    def _hand_over(self, loop: asyncio.AbstractEventLoop, batch: _Batch) -> None:
        self._gathering = None
        try:
            kept = self._store.receipts(batch.rows)
        except Exception as error:  # noqa: BLE001  told to the callers, who must not wait for ever
            _fail(batch, error)
            return
        timer = loop.call_later(self._patience, self._give_up, batch)

        def done(future: Future[Any]) -> None:
            try:
                loop.call_soon_threadsafe(self._settle, batch, timer, future)
            except RuntimeError:
                # The loop has been closed: nobody waits for the answer any more.
                return

        kept.add_done_callback(done)

    def _settle(self, batch: _Batch, timer: asyncio.TimerHandle, future: Future[Any]) -> None:
        timer.cancel()
        self._overdue.discard(batch)
        if future.cancelled():
            _fail(batch, StoreUnavailable("the store is closing"))
            return
        error = future.exception()
        if error is not None:
            _fail(batch, error)
            return
        for waiter in batch.waiting:
            if not waiter.done():
                waiter.set_result(None)

    def _give_up(self, batch: _Batch) -> None:
        # It may still be committed; the sender repeats the call, and the repetition is a duplicate.
        self._overdue.add(batch)
        _fail(batch, StoreUnavailable(f"no commit within {self._patience:g} s"))


def _fail(batch: _Batch, error: BaseException) -> None:
    for waiter in batch.waiting:
        if not waiter.done():
            waiter.set_exception(error)
