"""The worker that renews the database's lease, and gives it back at the end."""

from __future__ import annotations

from connectors.contract import Clock
from sync.daemon.frame import Worker
from sync.store.contract import Store
from sync.store.lock import LEASE_SECONDS, Owner, end_lease, renew_lease, take_lease

TOPIC = "lease"


class LeaseKeeper:
    """Holds the lease of one store for one owner. Its renewal is also the proof that the store can be written."""

    def __init__(self, store: Store, owner: Owner, clock: Clock) -> None:
        self._store = store
        self._owner = owner
        self._clock = clock
        self._renewed = clock.monotonic()

    def take(self) -> None:
        """Take it before anything else is written. Raises AlreadyRunning, StoreUnavailable."""
        self._store.step(lambda conn: take_lease(conn, self._owner, self._clock.now()))
        self._renewed = self._clock.monotonic()

    def worker(self) -> Worker:
        """Renews it three times as often as it would end. Its AlreadyRunning ends the daemon."""
        return Worker(name="lease", topic=TOPIC, run=self.renew, idle_seconds=LEASE_SECONDS / 3)

    def renew(self) -> bool:
        """Renew it once."""
        self._store.step(lambda conn: renew_lease(conn, self._owner, self._clock.now()))
        self._renewed = self._clock.monotonic()
        return False

    def unwritten_for(self) -> float:
        """Seconds since the store last took a write of ours."""
        return self._clock.monotonic() - self._renewed

    def give_back(self) -> None:
        """Let the next daemon start at once."""
        self._store.step(lambda conn: end_lease(conn, self._owner))
