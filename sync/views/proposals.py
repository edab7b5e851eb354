"""Pairs of records that name the same call, and wait for a person to say whether they belong together."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, or_, select

from sync.engine.find import item_name
from sync.store.tables import connections, links, proposals, records

LIMIT = 500
"""Rows of one listing."""


class ProposedView(Struct, frozen=True, kw_only=True):
    """One record of a proposal. name: as `hypercare link` takes it. item: "" where it has none."""

    name: str
    system: str
    key: str
    url: str
    item: str


class ProposalView(Struct, frozen=True, kw_only=True):
    """One proposal: open, accepted or refused. kind: `request_id` or `trace_id`. evidence: the id that both name."""

    id: int
    kind: str
    evidence: str
    one: ProposedView
    other: ProposedView
    made_at: datetime
    state: str = "open"
    ended_at: datetime | None = None
    ended_by: str = ""

    @property
    def says(self) -> str:
        """Why they may belong together, as a sentence."""
        what = "request" if self.kind == "request_id" else "trace"
        return f"both name the {what} {self.evidence}"


def open_proposals(conn: Connection) -> list[ProposalView]:
    """What waits for an answer, oldest first.

    Pairs that have become one item meanwhile need none, and two items are
    named once.
    """
    return _read(conn, everything=False)


def all_proposals(conn: Connection) -> list[ProposalView]:
    """The answered ones too, oldest first."""
    return _read(conn, everything=True)


def of_records(conn: Connection, record_ids: Collection[int]) -> list[ProposalView]:
    """The open proposals about these records, to others."""
    return _read(conn, everything=False, about=record_ids)


def _read(conn: Connection, *, everything: bool, about: Collection[int] | None = None) -> list[ProposalView]:
    statement = select(proposals).order_by(proposals.c.id)
    if not everything:
        statement = statement.where(proposals.c.ended_at.is_(None))
    if about is not None:
        statement = statement.where(or_(proposals.c.one_id.in_(about), proposals.c.other_id.in_(about)))
    found = conn.execute(statement.limit(LIMIT)).all()
    named = _named(conn, {number for row in found for number in (row.one_id, row.other_id)})
    views, spoken_for = [], set[frozenset[str]]()
    for row in found:
        one, other = named[row.one_id], named[row.other_id]
        if row.ended_at is None:
            sides = frozenset({one.item or one.name, other.item or other.name})
            if len(sides) == 1 or sides in spoken_for:
                continue
            spoken_for.add(sides)
        views.append(
            ProposalView(
                id=row.id,
                kind=row.kind,
                evidence=row.evidence,
                one=one,
                other=other,
                made_at=row.made_at,
                state=row.ended_how or "open",
                ended_at=row.ended_at,
                ended_by=row.ended_by,
            )
        )
    return views


def _named(conn: Connection, ids: set[int]) -> dict[int, ProposedView]:
    statement = (
        select(
            records.c.id,
            records.c.remote_id,
            records.c.key,
            records.c.url,
            connections.c.name,
            connections.c.system,
            links.c.item_id,
        )
        .select_from(
            records.join(connections, records.c.connection_id == connections.c.id).outerjoin(
                links, (links.c.record_id == records.c.id) & links.c.ended_at.is_(None)
            )
        )
        .where(records.c.id.in_(sorted(ids)))
    )
    return {row.id: _view(row) for row in conn.execute(statement)}


def _view(row: Any) -> ProposedView:
    return ProposedView(
        name=f"{row.name}:{row.key or row.remote_id}",
        system=row.system,
        key=row.key or row.remote_id,
        url=row.url,
        item=item_name(row.item_id) if row.item_id is not None else "",
    )
