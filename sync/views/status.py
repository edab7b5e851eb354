"""How everything is doing, from the database alone: it works with the daemon and every remote system down."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, func, select

from sync.engine.drift import of_connection as drift_of
from sync.engine.in_force import InForce, WrongFiles, in_force, refused
from sync.planning.stored import Progress, under_way
from sync.store.lock import Lease, lease
from sync.store.tables import (
    budgets,
    conflicts,
    connections,
    cursors,
    deliveries,
    inbox,
    items,
    links,
    parked,
    records,
    refreshes,
)
from sync.views.lists import HoldView, open_holds
from sync.views.proposals import open_proposals

_DAY = timedelta(hours=24)


class ImportView(Struct, frozen=True, kw_only=True):
    """How far the reading of the past has come. rate: records a second. seconds_left: None where it cannot be told."""

    since: datetime
    records: int
    pages: int
    total: int | None
    started_at: datetime
    finished_at: datetime | None
    rate: float
    seconds_left: float | None


class BudgetView(Struct, frozen=True, kw_only=True):
    """What was last known of one rate budget, as of the last poll.

    blocked_until: only while that is still to come. read_at: when the system last told, or else when it was noted.
    """

    name: str
    limit: int | None
    remaining: int | None
    blocked_until: datetime | None
    read_at: datetime | None


class DriftView(Struct, frozen=True, kw_only=True):
    """One thing in which a mapping and its live system do not agree. level: `error` or `warning`."""

    level: str
    what: str
    do: str
    since: datetime


class ConnectionView(Struct, frozen=True, kw_only=True):
    """One connection. polled_at: when a page of its change feed was last stored. reads: direct reads that wait.

    deliveries: open ones by state. oldest_unswept_at: when the linked record that waits longest was last read.
    drift_at: when the mapping was last held against the system; drift: what does not agree.
    """

    name: str
    system: str
    role: str
    mode: str
    account: str
    live_since: datetime | None
    down_since: datetime | None
    down_why: str
    holds: tuple[HoldView, ...]
    polled_at: datetime | None
    import_: ImportView | None
    records: int
    linked: int
    reads: int
    webhooks: int
    deliveries: dict[str, int]
    parked: int
    oldest_unswept_at: datetime | None
    drift_at: datetime | None = None
    drift: tuple[DriftView, ...] = ()
    budgets: tuple[BudgetView, ...] = ()


class StatusView(Struct, frozen=True, kw_only=True):
    """Everything at one moment. daemon: who works on the database, empty when nobody does.

    mappings: what the daemon works by. wrong_files: what was saved since and cannot be used. plan: that is being
    applied. proposals: those that wait
    for a person.
    """

    at: datetime
    daemon: str
    items: int
    items_waiting: int
    in_doubt: int
    parked: int
    conflicts_day: int
    connections: tuple[ConnectionView, ...]
    unasked: tuple[str, ...] = ()
    mappings: InForce | None = None
    wrong_files: WrongFiles | None = None
    plan: Progress | None = None
    proposals: int = 0


def status(conn: Connection, now: datetime, daemon: str = "") -> StatusView:
    """Read it. daemon: who runs on this machine, where that is known. `unasked`: what only the daemon knows."""
    held = lease(conn)
    shown = tuple(
        _connection(conn, row, now) for row in conn.execute(select(connections).order_by(connections.c.id)).all()
    )
    return StatusView(
        at=now,
        daemon=daemon or _elsewhere(held, now),
        items=_count(conn, items),
        items_waiting=_count(conn, items, items.c.gen > items.c.done_gen),
        in_doubt=_count(conn, deliveries, deliveries.c.state == "in_doubt"),
        parked=_count(conn, parked, parked.c.ended_at.is_(None)),
        conflicts_day=_count(conn, conflicts, conflicts.c.at > now - _DAY),
        connections=shown,
        mappings=in_force(conn),
        wrong_files=refused(conn),
        plan=under_way(conn),
        proposals=len(open_proposals(conn)),
        unasked=() if any(one.budgets for one in shown) else ("rate budgets: they are noted with the first poll",),
    )


def _elsewhere(held: Lease | None, now: datetime) -> str:
    """A daemon of another machine; the lock file knows better about one of this machine."""
    if held is None or held.until <= now or held.owner.host == os.uname().nodename:
        return ""
    return str(held.owner)


def _connection(conn: Connection, row: Any, now: datetime) -> ConnectionView:
    mine = records.c.connection_id == row.id
    member = links.c.ended_at.is_(None)
    joined = records.join(links, links.c.record_id == records.c.id)
    live = conn.execute(select(cursors).where(cursors.c.connection_id == row.id, cursors.c.feed == "live")).first()
    past = conn.execute(select(cursors).where(cursors.c.connection_id == row.id, cursors.c.feed == "import")).first()
    states = conn.execute(
        select(deliveries.c.state, func.count().label("count_of"))
        .where(deliveries.c.connection_id == row.id, deliveries.c.state.in_(("waiting", "sending", "in_doubt")))
        .group_by(deliveries.c.state)
    ).all()
    unswept = conn.execute(
        select(func.min(func.coalesce(records.c.swept_at, links.c.made_at)))
        .select_from(joined)
        .where(mine, member, records.c.presence == "present")
    ).scalar()
    drift = drift_of(conn, row.id)
    return ConnectionView(
        name=row.name,
        system=row.system,
        role=row.role,
        mode=row.mode,
        account=row.account,
        live_since=row.live_since,
        down_since=row.down_since,
        down_why=row.down_why if row.down_since is not None else "",
        holds=tuple(hold for hold in open_holds(conn) if hold.connection == row.name),
        polled_at=live.moved_at if live is not None and live.pages else None,
        import_=None if past is None else _import(past, now),
        records=_count(conn, records, mine),
        linked=conn.execute(select(func.count()).select_from(joined).where(mine, member)).scalar_one(),
        reads=_count(conn, refreshes, refreshes.c.connection_id == row.id),
        webhooks=_count(conn, inbox, inbox.c.connection_id == row.id, inbox.c.done_at.is_(None)),
        deliveries={row.state: row.count_of for row in states},
        parked=_count(conn, parked, parked.c.connection_id == row.id, parked.c.ended_at.is_(None)),
        oldest_unswept_at=datetime.fromisoformat(unswept) if isinstance(unswept, str) else unswept,
        drift_at=drift.at if drift is not None else None,
        drift=tuple(
            DriftView(level=one.level.value, what=one.what, do=one.do, since=one.since)
            for one in (drift.open if drift is not None else ())
        ),
        budgets=tuple(
            BudgetView(
                name=budget.name,
                limit=budget.limit,
                remaining=budget.remaining,
                blocked_until=None if (until := budget.blocked_until) is None or until <= now else until,
                read_at=budget.read_at,
            )
            for budget in conn.execute(
                select(budgets)
                .where(budgets.c.connection_id == row.id, budgets.c.record == "")
                .order_by(budgets.c.name)
            )
        ),
    )


def _import(row: Any, now: datetime) -> ImportView:
    seconds = ((row.finished_at or now) - row.started_at).total_seconds()
    rate = row.records / seconds if seconds > 0 else 0.0
    left = None
    if row.finished_at is None and row.total is not None and rate > 0:
        left = max(0.0, (row.total - row.records) / rate)
    return ImportView(
        since=row.since,
        records=row.records,
        pages=row.pages,
        total=row.total,
        started_at=row.started_at,
        finished_at=row.finished_at,
        rate=round(rate, 1),
        seconds_left=left,
    )


def _count(conn: Connection, table: Any, *where: Any) -> int:
    return int(conn.execute(select(func.count()).select_from(table).where(*where)).scalar_one())
