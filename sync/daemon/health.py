"""Whether the daemon does its work: what `/health` says."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sync.daemon.frame import Condition, Frame
from sync.daemon.lease import LeaseKeeper
from sync.store.lock import LEASE_SECONDS
from sync.web.app import ConnectionHealth, Health

UNWRITTEN_SECONDS = LEASE_SECONDS * 2 / 3
"""Two renewals of the lease missed: the store does not take writes."""


def health(
    frame: Frame, lease: LeaseKeeper | None, connections: Callable[[], Mapping[str, ConnectionHealth]]
) -> Health:
    """The daemon's health at this moment. Asks neither the store nor a remote system, so that anyone may ask often.

    A worker that fails is shown, and repeated; one that ended or is stuck makes the daemon unwell, and so does a store
    that takes no writes. A remote system that is down does not.
    """
    conditions = frame.conditions()
    store = "writable"
    if frame.store_fails():
        store = "unavailable"
    elif lease is not None and (seconds := lease.unwritten_for()) > UNWRITTEN_SECONDS:
        store = f"no write for {seconds:.0f} s"
    bad = {Condition.ENDED, Condition.STUCK}
    return Health(
        ok=store == "writable" and not frame.stopping and not bad & set(conditions.values()),
        store=store,
        workers={name: condition.value for name, condition in conditions.items()},
        connections=dict(connections()),
    )
