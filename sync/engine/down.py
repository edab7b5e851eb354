"""A connection that does not answer: told once when it goes, once when it is back, probed with patience in between.

The breaker: after five failures in a row calls wait, 1 s doubling to 30 s; one call then probes. A 429 is no failure,
it blocks its own budget. Refused credentials hold the connection: nothing is asked but the check, which releases it.
"""

from __future__ import annotations

from sqlalchemy import Connection, update

from connectors.errors import AuthRejected, RateLimited, RemoteError, Unavailable, UnexpectedAnswer
from sync.core.backoff import LONGEST_RETRY_AFTER, SHORTEST_RETRY_AFTER
from sync.core.reasons import HoldReason
from sync.engine import rows
from sync.engine.hub import Connected, Hub, Mode
from sync.store.tables import connections

FAILURES = 5
PROBE = (1.0, 30.0)
PATIENCE = 5.0
"""Seconds to wait after a 429 that names no time."""
REFUSED = (30.0, 900.0)
"""Seconds between checks of refused credentials, doubling: more failed logins than these get an account locked."""


def resting(hub: Hub, connected: Connected) -> bool:
    """True while not even a check may go out: paused, or down and not yet time for a probe."""
    return connected.mode is Mode.PAUSED or hub.clock.monotonic() < connected.health.try_at


def unreachable(hub: Hub, connected: Connected) -> bool:
    """True while no call may go out but the check: what another account shows must not be taken for ours."""
    return not connected.account_checked or resting(hub, connected)


def patience(seconds: float | None) -> float:
    """How long a remote is left alone that asked for it: as it said, between the limits of `core.backoff`."""
    if seconds is None:
        return PATIENCE
    return min(LONGEST_RETRY_AFTER, max(SHORTEST_RETRY_AFTER, seconds))


def failed(hub: Hub, connected: Connected, error: RemoteError) -> None:
    """Take note of a failed call."""
    if isinstance(error, RateLimited):
        hub.budgets.block(connected.id, error.scope, patience(error.retry_after))
        hub.tell("rate_limited", connection=connected.name, scope=error.scope, retry_after=error.retry_after)
        return
    if isinstance(error, AuthRejected):
        hold_for_credentials(hub, connected, error)
        return
    if not isinstance(error, Unavailable | UnexpectedAnswer):
        return
    health = connected.health
    health.failures += 1
    if isinstance(error, Unavailable) and error.retry_after is not None:
        health.try_at = hub.clock.monotonic() + patience(error.retry_after)
    if health.failures < FAILURES:
        return
    first, most = PROBE
    probe = min(most, first * 2.0 ** min(health.failures - FAILURES, 32))
    health.try_at = max(health.try_at, hub.clock.monotonic() + probe)
    if not health.reported_down:
        health.reported_down = True
        hub.tell("connection_down", connection=connected.name, why=error.message)
        now = hub.clock.now()
        hub.store.step(
            lambda conn: conn.execute(
                update(connections)
                .where(connections.c.id == connected.id)
                .values(down_since=now, down_why=error.message)
            ).close()
        )


def answered(hub: Hub, connected: Connected) -> None:
    """Take note of a call that worked."""
    health = connected.health
    if health.failures == 0 and not health.reported_down:
        return
    health.failures, health.try_at = 0, 0.0
    if health.reported_down:
        health.reported_down = False
        hub.tell("connection_back", connection=connected.name)
        hub.store.step(
            lambda conn: conn.execute(
                update(connections).where(connections.c.id == connected.id).values(down_since=None, down_why="")
            ).close()
        )


def hold_for_credentials(hub: Hub, connected: Connected, error: RemoteError) -> None:
    """Hold a connection whose credentials are refused. The check is tried again, and releases it when it passes."""
    first, most = REFUSED
    health = connected.health
    health.try_at = hub.clock.monotonic() + min(most, first * 2.0 ** min(health.failures, 32))
    health.failures += 1
    connected.account_checked = False

    def step(conn: Connection) -> bool:
        return rows.open_hold(conn, connected.id, HoldReason.AUTH_REJECTED.value, hub.clock.now(), error.message)

    if hub.store.step(step):
        hub.tell("connection_held", connection=connected.name, reason=HoldReason.AUTH_REJECTED.value, why=error.message)
