"""Figures of the present for `/metrics`: what waits, what is held, how old the oldest is. Read at each scrape.

Every statement goes by an index over the rows that are open, so a scrape costs the same with ten records or a million.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, func, select

from connectors.contract import Clock, Feed
from sync.daemon.frame import Condition, Frame
from sync.engine import drift, in_force
from sync.store.contract import Store
from sync.store.errors import StoreError
from sync.store.tables import connections, cursors, deliveries, holds, inbox, items, parked, refreshes
from sync.web.metrics import Gauge

OPEN_STATES = ("waiting", "sending", "in_doubt", "parked")


def of_store(store: Store, clock: Clock) -> list[Gauge]:
    """What the database holds. Empty, but for `store_readable 0`, when it cannot be read."""
    try:
        with store.read() as conn:
            return [_readable(1), *of_connection(conn, clock.now())]
    except StoreError:
        return [_readable(0)]


def of_connection(conn: Connection, now: datetime) -> list[Gauge]:
    """What one snapshot of the database holds."""
    return [*_waiting(conn, now), *_by_connection(conn, now)]


def of_frame(frame: Frame) -> list[Gauge]:
    """One figure a worker: 1 while it works or waits, 0 while it fails, is stuck or has ended."""
    well = {Condition.WAITING, Condition.WORKING}
    return [
        Gauge(name="worker_well", about="1: the worker does its work", value=condition in well, labels={"worker": name})
        for name, condition in frame.conditions().items()
    ]


def of_feeds(feeds: Iterable[tuple[str, Feed]]) -> list[Gauge]:
    """What the feeds, by their connection, have brought since the start, and what waits."""
    return [
        Gauge(
            name="feed",
            about="Call logs: lines by what became of them since the start, bytes that wait, signatures",
            value=value,
            labels={"connection": name, "what": what},
        )
        for name, feed in feeds
        for what, value in feed.figures().items()
    ]


def _readable(value: int) -> Gauge:
    return Gauge(name="store_readable", about="1: the database can be read", value=value)


def _waiting(conn: Connection, now: datetime) -> Iterable[Gauge]:
    dirty = conn.execute(select(func.count()).select_from(items).where(items.c.gen > items.c.done_gen)).scalar_one()
    wrong = in_force.refused(conn)
    yield Gauge(
        name="mappings_refused", about="Problems of mapping files that were saved and are not in force",
        value=0 if wrong is None else wrong.count,
    )  # fmt: skip
    yield Gauge(name="items_waiting", about="Items with a change that is not settled yet", value=dirty)
    calls, oldest = conn.execute(
        select(func.count(), func.min(inbox.c.received_at)).where(inbox.c.done_at.is_(None))
    ).one()
    yield Gauge(name="webhooks_waiting", about="Webhook calls that are stored and not read yet", value=calls)
    yield Gauge(name="webhooks_oldest_seconds", about="Age of the oldest of them", value=_age(oldest, now))


def _by_connection(conn: Connection, now: datetime) -> Iterable[Gauge]:
    names = {row.id: row.name for row in conn.execute(select(connections.c.id, connections.c.name))}

    def labels(connection_id: int, **more: str) -> dict[str, str]:
        return {"connection": names.get(connection_id, str(connection_id)), **more}

    counted = conn.execute(
        select(deliveries.c.connection_id, deliveries.c.state, func.count())
        .where(deliveries.c.state.in_(OPEN_STATES))
        .group_by(deliveries.c.connection_id, deliveries.c.state)
    ).all()
    open_now = {(connection_id, state): count for connection_id, state, count in counted}
    for connection_id in names:
        for state in OPEN_STATES:
            yield Gauge(
                name="deliveries", about="Deliveries that are not settled, by state",
                value=open_now.get((connection_id, state), 0), labels=labels(connection_id, state=state),
            )  # fmt: skip
    for table, name, about, is_open in (
        (refreshes, "reads_waiting", "Records to be read directly", None),
        (parked, "parked", "Fields that wait for a person", parked.c.ended_at.is_(None)),
        (holds, "holds", "Open holds", holds.c.released_at.is_(None)),
    ):
        statement = select(table.c.connection_id, func.count()).group_by(table.c.connection_id)
        found = {row[0]: row[1] for row in conn.execute(statement if is_open is None else statement.where(is_open))}
        for connection_id in names:
            yield Gauge(name=name, about=about, value=found.get(connection_id, 0), labels=labels(connection_id))
    for connection_id in names:
        found_drift = drift.of_connection(conn, connection_id)
        yield Gauge(
            name="drift", about="Places where a mapping and its live system do not agree",
            value=0 if found_drift is None else len(found_drift.open), labels=labels(connection_id),
        )  # fmt: skip
    for row in conn.execute(select(cursors.c.connection_id, cursors.c.moved_at).where(cursors.c.feed == "live")):
        yield Gauge(
            name="poll_age_seconds", about="Since the change feed was last read to its end",
            value=_age(row.moved_at, now), labels=labels(row.connection_id),
        )  # fmt: skip


def _age(since: datetime | None, now: datetime) -> float:
    # A clock that was set back must not show a negative age.
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
