"""What waits for a person, and what was settled without one: holds, parked fields, conflicts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, select

from sync.core.reasons import CONFLICT, HOLD, PARK, ConflictKind, HoldReason, ParkReason, Reason
from sync.engine import columns
from sync.engine.find import item_name
from sync.store.tables import conflicts, connections, holds, links, parked, records

LIMIT = 500
"""Rows of one listing."""


class HoldView(Struct, frozen=True, kw_only=True):
    """One open hold. field, record: empty where the whole connection is held. do: what a person can do."""

    id: int
    connection: str
    reason: str
    since: datetime
    detail: str
    means: str
    do: str
    field: str = ""
    record: str = ""
    item: str = ""
    count: int = 0
    samples: tuple[str, ...] = ()


class ParkedView(Struct, frozen=True, kw_only=True):
    """One parked field of one record, or a create that is parked (no record)."""

    id: int
    item: str
    connection: str
    record: str
    field: str
    reason: str
    wanted: str
    shown: str
    detail: str
    since: datetime
    means: str
    do: str


class ConflictView(Struct, frozen=True, kw_only=True):
    """One disagreement and how it was settled. record: the side that did not prevail."""

    id: int
    at: datetime
    item: str
    kind: str
    field: str
    kept: str
    lost: str
    record: str
    other: str
    means: str
    do: str


def open_holds(conn: Connection, *where: ColumnElement[bool]) -> list[HoldView]:
    """The holds that are open, oldest first."""
    found = conn.execute(
        select(holds, connections.c.name, links.c.item_id, records.c.key, records.c.remote_id)
        .select_from(
            holds.join(connections, holds.c.connection_id == connections.c.id)
            .outerjoin(links, holds.c.link_id == links.c.id)
            .outerjoin(records, links.c.record_id == records.c.id)
        )
        .where(holds.c.released_at.is_(None), *where)
        .order_by(holds.c.id)
    )
    return [_hold(row) for row in found]


def _hold(row: Any) -> HoldView:
    reason = _text(HOLD, HoldReason, row.reason)
    return HoldView(
        id=row.id,
        connection=row.name,
        reason=row.reason,
        since=row.since,
        detail=row.detail,
        means=reason.means,
        do=reason.do,
        field=row.field,
        record=row.key or row.remote_id or "",
        item=item_name(row.item_id) if row.item_id else "",
        count=row.count,
        samples=tuple(columns.plain(row.samples)) if row.samples else (),
    )


def open_parked(conn: Connection, *where: ColumnElement[bool]) -> list[ParkedView]:
    """What is parked, oldest first."""
    found = conn.execute(
        select(parked, connections.c.name, records.c.key, records.c.remote_id)
        .select_from(
            parked.join(connections, parked.c.connection_id == connections.c.id)
            .outerjoin(links, parked.c.link_id == links.c.id)
            .outerjoin(records, links.c.record_id == records.c.id)
        )
        .where(parked.c.ended_at.is_(None), *where)
        .order_by(parked.c.id)
        .limit(LIMIT)
    )
    return [_parked(row) for row in found]


def _parked(row: Any) -> ParkedView:
    reason = _text(PARK, ParkReason, row.reason)
    return ParkedView(
        id=row.id,
        item=item_name(row.item_id),
        connection=row.name,
        record=row.key or row.remote_id or "",
        field=row.field,
        reason=row.reason,
        wanted=row.wanted,
        shown=row.shown,
        detail=row.detail,
        since=row.since,
        means=reason.means,
        do=reason.do,
    )


def recent_conflicts(conn: Connection, *where: ColumnElement[bool], limit: int = LIMIT) -> list[ConflictView]:
    """Conflicts, newest first."""
    loser, winner = records.alias(), records.alias()
    found = conn.execute(
        select(
            conflicts,
            loser.c.key.label("lost_key"),
            loser.c.remote_id.label("lost_id"),
            winner.c.key.label("kept_key"),
            winner.c.remote_id.label("kept_id"),
        )
        .select_from(
            conflicts.outerjoin(loser, conflicts.c.record_id == loser.c.id).outerjoin(
                winner, conflicts.c.other_record_id == winner.c.id
            )
        )
        .where(*where)
        .order_by(conflicts.c.id.desc())
        .limit(limit)
    )
    return [_conflict(row) for row in found]


def _conflict(row: Any) -> ConflictView:
    reason = _text(CONFLICT, ConflictKind, row.kind)
    return ConflictView(
        id=row.id,
        at=row.at,
        item=item_name(row.item_id),
        kind=row.kind,
        field=row.field,
        kept=row.kept,
        lost=row.lost,
        record=row.lost_key or row.lost_id or "",
        other=row.kept_key or row.kept_id or "",
        means=reason.means,
        do=reason.do,
    )


def _text(texts: Any, kinds: Any, stored: str) -> Reason:
    """The words of a stored reason; none for one that a newer version has stored."""
    found: Sequence[Any] = [kind for kind in kinds if kind.value == stored]
    return texts[found[0]] if found else Reason(means="", do="", switch="", test="")
