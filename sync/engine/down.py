"""A connection that does not answer: told once when it goes, once when it is back, probed with patience in between.

The breaker: after five failures in a row calls wait, 1 s doubling to 30 s; one call then probes. A 429 is no failure,
it blocks its own budget. Refused credentials hold the connection until a person acts.
"""

from __future__ import annotations

from sqlalchemy import Connection, update

from connectors.errors import AuthRejected, RateLimited, RemoteError, Unavailable, UnexpectedAnswer
from sync.engine import rows
from sync.engine.hub import Connected, Hub, Mode
from sync.store.tables import connections

FAILURES = 5
PROBE = (1.0, 30.0)
PATIENCE = 5.0
"""Seconds to wait after a 429 that names no time."""


def unreachable(hub: Hub, connected: Connected) -> bool:
    """True while no call may go out: paused, or down and not yet time for a probe."""
    return connected.mode is Mode.PAUSED or hub.clock.monotonic() < connected.health.try_at


def failed(hub: Hub, connected: Connected, error: RemoteError) -> None:
    """Take note of a failed call."""
    if isinstance(error, RateLimited):
        hub.budgets.block(connected.id, error.scope, PATIENCE if error.retry_after is None else error.retry_after)
        hub.tell("rate_limited", connection=connected.name, scope=error.scope, retry_after=error.retry_after)
        return
    if isinstance(error, AuthRejected):
        hold_for_credentials(hub, connected, error)
        connected.health.try_at = hub.clock.monotonic() + PROBE[1]
        return
    if not isinstance(error, Unavailable | UnexpectedAnswer):
        return
    health = connected.health
    health.failures += 1
    if health.failures < FAILURES:
        return
    first, most = PROBE
    health.try_at = hub.clock.monotonic() + min(most, first * 2 ** (health.failures - FAILURES))
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
    """Hold a connection whose credentials are refused."""

    def step(conn: Connection) -> bool:
        return rows.open_hold(conn, connected.id, "auth_rejected", hub.clock.now(), error.message)

    if hub.store.step(step):
        hub.tell("connection_held", connection=connected.name, reason="auth_rejected", why=error.message)
