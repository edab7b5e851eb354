"""What is deleted with time, so that the database stays as small as its work. Periods from the design, section 7.

Never deleted: a call that was not worked off yet, a delivery that is open or parked, and a create that took place or
may have, however old: its row is what stops a second one. Nor the links that ended and the notes of related items: they
tell which record is, or was, which item, and grow only with the items themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct, structs
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    Table,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)

from sync.model import Snapshot
from sync.store.contract import Store
from sync.store.tables import (
    Moment,
    aliases,
    commands,
    conflicts,
    deliveries,
    gateway_changes,
    holds,
    inbox,
    journal,
    links,
    parked,
    people,
    plan_rows,
    plans,
    proposals,
    records,
    refreshes,
    shadows,
    traces,
    writes,
)

_NOT_KEPT = "not kept"
"""The digest of a record whose raw values were dropped: no snapshot has it, so the next read counts as news."""

_PIECE = 500

_snapshots = msgspec.json.Decoder(Snapshot)
_encoder = msgspec.json.Encoder(order="deterministic")


class Retention(Struct, frozen=True, kw_only=True):
    """How many days things are kept.

    inbox: webhook calls that were worked off. deliveries: settled or superseded ones, what they wrote, plans and what
    was noted in shadow mode.
    journal: the journal, the conflicts, the histories of signatures, released holds, ended parks, and people who were
    not seen for so long. records: raw values of records without item, after they were last seen. commands: answered
    requests of the command line.
    """

    inbox: int = 7
    deliveries: int = 90
    journal: int = 400
    records: int = 30
    commands: int = 7


class Overdue(Struct, frozen=True, kw_only=True):
    """Ids of rows to delete. bodies: records that stay, since they had an item once, but lose their raw values.

    people: (connection, remote id) each.
    """

    inbox: tuple[int, ...] = ()
    deliveries: tuple[str, ...] = ()
    writes: tuple[int, ...] = ()
    journal: tuple[int, ...] = ()
    conflicts: tuple[int, ...] = ()
    records: tuple[int, ...] = ()
    bodies: tuple[int, ...] = ()
    commands: tuple[int, ...] = ()
    holds: tuple[int, ...] = ()
    parked: tuple[int, ...] = ()
    people: tuple[tuple[int, str], ...] = ()
    plans: tuple[int, ...] = ()
    shadows: tuple[int, ...] = ()
    gateway_changes: tuple[int, ...] = ()


def tidy(conn: Connection, now: datetime, keep: Retention | None = None, *, portion: int = _PIECE) -> dict[str, int]:
    """A step: delete at most `portion` rows of each table that are past their time. Gives the counts by table.

    Call it again while any count is above zero. `tidy_all` does so, and looks for the rows outside the writer.
    """
    keep = keep or Retention()
    return remove(conn, overdue(conn, now, keep, portion=portion), now, keep)


def tidy_all(store: Store, now: datetime, keep: Retention | None = None, *, portion: int = _PIECE) -> dict[str, int]:
    """Delete everything that is past its time, in portions that hold up nobody. Gives the counts by table."""
    keep = keep or Retention()
    total: dict[str, int] = {}
    while True:
        with store.read() as conn:
            found = overdue(conn, now, keep, portion=portion)
        if found == Overdue():
            return total
        counts = store.step(lambda conn, found=found: remove(conn, found, now, keep))  # type: ignore[misc]
        if not any(counts.values()):
            return total  # what was found has been used again meanwhile
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count


def overdue(conn: Connection, now: datetime, keep: Retention, *, portion: int = _PIECE) -> Overdue:
    """At most `portion` rows of each table that are past their time. Only reads."""

    def ids(name: str, days: int) -> tuple[Any, ...]:
        asked = {"before": _before(now, days), "most": portion}
        return tuple(conn.execute(_PAST[name], asked).scalars())

    unseen = conn.execute(_UNSEEN, {"before": _before(now, keep.journal), "most": portion})
    return Overdue(
        inbox=ids("inbox", keep.inbox),
        deliveries=ids("deliveries", keep.deliveries),
        writes=ids("writes", keep.deliveries),
        journal=ids("journal", keep.journal),
        conflicts=ids("conflicts", keep.journal),
        records=ids("records", keep.records),
        bodies=ids("bodies", keep.records),
        commands=ids("commands", keep.commands),
        holds=ids("holds", keep.journal),
        parked=ids("parked", keep.journal),
        people=tuple((row.connection_id, row.remote_id) for row in unseen),
        plans=ids("plans", keep.deliveries),
        shadows=ids("shadows", keep.deliveries),
        gateway_changes=ids("gateway_changes", keep.journal),
    )


def remove(conn: Connection, found: Overdue, now: datetime, keep: Retention) -> dict[str, int]:
    """A step: delete what `overdue` found, except rows that have been used again since. Gives the counts by table."""
    return {
        "inbox": _delete(conn, inbox, found.inbox),
        "deliveries": _delete(conn, deliveries, found.deliveries),
        "writes": _delete(conn, writes, found.writes),
        "journal": _delete(conn, journal, found.journal),
        "conflicts": _delete(conn, conflicts, found.conflicts),
        "records": _delete_records(conn, found.records, now, keep),
        "bodies": _empty_bodies(conn, found.bodies, now, keep),
        "commands": _delete(conn, commands, found.commands),
        "holds": _delete(conn, holds, found.holds),
        "parked": _delete(conn, parked, found.parked),
        "people": _forget_people(conn, found.people, _before(now, keep.journal)),
        "plans": _delete_plans(conn, found.plans),
        "shadows": _delete(conn, shadows, found.shadows),
        "gateway_changes": _delete(conn, gateway_changes, found.gateway_changes),
    }


_UNDER_WAY = ("applying", "stopping")


def _delete_plans(conn: Connection, ids: Sequence[int]) -> int:
    """Plans with their rows."""
    for piece in _pieces(ids):
        conn.execute(delete(plan_rows).where(plan_rows.c.plan_id.in_(piece)))
    return _delete(conn, plans, ids)


def _before(now: datetime, days: int) -> datetime:
    return now - timedelta(days=days)


def _unused_records(before: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """Records without item that nobody is about to read, or to be told about."""
    active = exists().where(links.c.record_id == records.c.id, links.c.ended_at.is_(None))
    asking = exists().where(refreshes.c.askers.like("%," + cast(records.c.id, String) + ",%"))
    return and_(records.c.seen_at < before, ~active, ~asking)


def _some(table: Table, *conditions: ColumnElement[bool]) -> Select[Any]:
    return select(table.c.id).where(*conditions).order_by(table.c.id).limit(bindparam("most"))


def _oldest(table: Table) -> Select[Any]:
    """The first rows of an append-only table: ids grow with time, so nothing else has to be looked at."""
    first = select(table.c.id, table.c.at).order_by(table.c.id).limit(bindparam("most")).subquery()
    return select(first.c.id).where(first.c.at < _BEFORE).order_by(first.c.id)


_BEFORE: ColumnElement[datetime] = bindparam("before", type_=Moment())
_LINKED = exists().where(links.c.record_id == records.c.id)
_ENDED = or_(
    and_(deliveries.c.state == "settled", deliveries.c.kind != "create"),
    deliveries.c.state == "superseded",
)
# Built once: building a statement costs several times its execution.
_PAST: dict[str, Select[Any]] = {
    "inbox": _some(inbox, inbox.c.done_at.is_not(None), inbox.c.received_at < _BEFORE),
    "deliveries": _some(deliveries, _ENDED, func.coalesce(deliveries.c.settled_at, deliveries.c.made_at) < _BEFORE),
    "writes": _oldest(writes),
    "journal": _oldest(journal),
    "conflicts": _oldest(conflicts),
    "records": _some(records, _unused_records(_BEFORE), ~_LINKED),
    "bodies": _some(records, _unused_records(_BEFORE), _LINKED, records.c.digest != _NOT_KEPT),
    "commands": _some(commands, commands.c.done_at < _BEFORE),
    "holds": _some(holds, holds.c.released_at < _BEFORE),
    "parked": _some(parked, parked.c.ended_at < _BEFORE),
    "plans": _some(plans, plans.c.made_at < _BEFORE, plans.c.state.not_in(_UNDER_WAY)),
    "shadows": _oldest(shadows),
    "gateway_changes": _oldest(gateway_changes),
}
"""By what it finds: the ids of at most `most` rows from before a time."""

_UNSEEN = (
    select(people.c.connection_id, people.c.remote_id)
    .where(people.c.seen_at < _BEFORE)
    .order_by(people.c.connection_id, people.c.remote_id)
    .limit(bindparam("most"))
)


def _pieces(ids: Sequence[int] | Sequence[str]) -> Iterable[Sequence[int] | Sequence[str]]:
    for start in range(0, len(ids), _PIECE):
        yield ids[start : start + _PIECE]


def _delete(conn: Connection, table: Table, ids: Sequence[int] | Sequence[str]) -> int:
    return sum(conn.execute(delete(table).where(table.c.id.in_(piece))).rowcount for piece in _pieces(ids))


def _forget_people(conn: Connection, named: Sequence[tuple[int, str]], before: datetime) -> int:
    """Whoever has been seen again since stays."""
    return sum(
        conn.execute(
            delete(people).where(
                people.c.connection_id == connection_id, people.c.remote_id == remote_id, people.c.seen_at < before
            )
        ).rowcount
        for connection_id, remote_id in named
    )


def _delete_records(conn: Connection, ids: Sequence[int], now: datetime, keep: Retention) -> int:
    count = 0
    for piece in _pieces(ids):
        linked = exists().where(links.c.record_id == records.c.id)
        unused = _unused_records(_before(now, keep.records))
        still = select(records.c.id).where(records.c.id.in_(piece), unused, ~linked)
        gone = list(conn.execute(still).scalars())
        conn.execute(delete(aliases).where(aliases.c.record_id.in_(gone)))
        conn.execute(delete(traces).where(traces.c.record_id.in_(gone)))
        conn.execute(delete(proposals).where(or_(proposals.c.one_id.in_(gone), proposals.c.other_id.in_(gone))))
        count += conn.execute(delete(records).where(records.c.id.in_(gone))).rowcount
    return count


def _empty_bodies(conn: Connection, ids: Sequence[int], now: datetime, keep: Retention) -> int:
    count = 0
    for piece in _pieces(ids):
        unused = _unused_records(_before(now, keep.records))
        still = select(records.c.id, records.c.body).where(records.c.id.in_(piece), unused)
        for row in conn.execute(still).all():
            bare = structs.replace(_snapshots.decode(row.body), fields={}, links=None, moves=None)
            conn.execute(
                update(records).where(records.c.id == row.id).values(body=_encoder.encode(bare), digest=_NOT_KEPT)
            )
            count += 1
    return count
