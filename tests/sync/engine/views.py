"""What a person would be shown of a hub: its open holds, what is parked, its conflicts, its connections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from sync.engine import columns, poll
from sync.store.tables import conflicts, connections, deliveries, holds, items, links, parked, records
from tests.support.launch import Launch


@dataclass(frozen=True)
class Held:
    """One open hold."""

    id: int
    connection: str
    reason: str
    field: str
    count: int
    samples: list[str]
    detail: str


@dataclass(frozen=True)
class Parked:
    """One open park."""

    id: int
    connection: str
    field: str
    reason: str
    wanted: str
    shown: str
    detail: str


def holds_now(day: Launch) -> list[Held]:
    """The open holds, oldest first."""
    names = {each.id: each.name for each in day.world.hub.connections.values()}
    with day.world.store.read() as conn:
        rows = conn.execute(select(holds).where(holds.c.released_at.is_(None)).order_by(holds.c.id)).all()
    return [
        Held(
            row.id,
            names[row.connection_id],
            row.reason,
            row.field,
            row._mapping["count"],
            columns.plain(row.samples) if row.samples else [],
            row.detail,
        )
        for row in rows
    ]


def parked_now(day: Launch) -> list[Parked]:
    """What is parked, oldest first."""
    names = {each.id: each.name for each in day.world.hub.connections.values()}
    with day.world.store.read() as conn:
        rows = conn.execute(select(parked).where(parked.c.ended_at.is_(None)).order_by(parked.c.id)).all()
    return [
        Parked(row.id, names[row.connection_id], row.field, row.reason, row.wanted, row.shown, row.detail)
        for row in rows
    ]


def conflicts_now(day: Launch) -> list[Any]:
    """Every conflict so far."""
    with day.world.store.read() as conn:
        return list(conn.execute(select(conflicts).order_by(conflicts.c.id)).all())


def waiting(day: Launch, name: str) -> int:
    """Deliveries to a connection that are not settled."""
    connection = day.world.hub.named(name).id
    with day.world.store.read() as conn:
        return len(
            conn.execute(
                select(deliveries.c.id).where(
                    deliveries.c.connection_id == connection,
                    deliveries.c.state.in_(("waiting", "sending", "in_doubt")),
                )
            ).all()
        )


def members(day: Launch, item: int) -> int:
    """How many records an item has."""
    with day.world.store.read() as conn:
        return len(conn.execute(select(links.c.id).where(links.c.item_id == item, links.c.ended_at.is_(None))).all())


def presence(day: Launch, connection: str, remote_id: str) -> str:
    """What is believed of a record."""
    with day.world.store.read() as conn:
        return str(
            conn.execute(
                select(records.c.presence).where(
                    records.c.connection_id == day.world.hub.named(connection).id, records.c.remote_id == remote_id
                )
            ).scalar_one()
        )


def known(day: Launch, name: str) -> list[str]:
    """The remote ids of a connection's records, each as often as it is stored."""
    with day.world.store.read() as conn:
        return list(
            conn.execute(
                select(records.c.remote_id).where(records.c.connection_id == day.world.hub.named(name).id)
            ).scalars()
        )


def feed(day: Launch, name: str, which: str = poll.LIVE) -> Any:
    """One feed's row."""
    with day.world.store.read() as conn:
        return poll.feed(conn, day.world.hub.named(name), which)


def row_of(day: Launch, name: str) -> Any:
    """A connection's row."""
    with day.world.store.read() as conn:
        return conn.execute(select(connections).where(connections.c.name == name)).one()


def item_count(day: Launch) -> int:
    """How many items there are."""
    with day.world.store.read() as conn:
        return len(conn.execute(select(items.c.id)).all())


def calls(day: Launch, side: str, operation: str = "", since: datetime | None = None) -> list[dict[str, Any]]:
    """The latest calls to one side's API, of one operation, since a time."""
    rows = (day.zendesk if side == "support" else day.jira).control._requests
    return [
        row
        for row in rows
        if (not operation or row["operation"] == operation) and (since is None or row["at"] >= since.timestamp())
    ]


def many(day: Launch, count: int) -> tuple[str, list[int]]:
    """One issue and many tickets that belong to it, at rest, both sides live."""
    key = day.issue()
    tickets = [day.ticket(subject=f"Ticket {number}") for number in range(count)]
    for ticket in tickets:
        day.jira.act({"act": "remote_link", "issue": key, "url": f"http://127.0.0.1:8101/agent/tickets/{ticket}"})
    day.world.wait(120)
    day.world.start()
    answer = day.world.command("link", one=key, two=f"support:{tickets[0]}")
    assert answer.ok
    day.world.wait(300)
    assert members(day, day.item(key)) == count + 1
    return key, tickets
