"""Plans in the database: written once, read whole, their rows moved one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct, structs
from sqlalchemy import Connection, delete, func, insert, select, update

from sync.planning.row import Plan, Row, Summary
from sync.store.tables import plan_rows, plans

MADE, APPLYING, STOPPING, STOPPED, DONE = "made", "applying", "stopping", "stopped", "done"
"""The states of a plan. stopping: only what is under way goes on. stopped: a person, a limit or an edit ended it."""

OPEN = ("planned", "asked", "sent")
"""The states of a row that is not over."""
ENDED = ("done", "left", "refused", "failed")
"""left: nothing had to be written. refused: not as planned any more. failed: the remote system refused it."""

_encoder = msgspec.json.Encoder(order="deterministic")
_row = msgspec.json.Decoder(Row)
_summary = msgspec.json.Decoder(Summary)
_PORTION = 500
_KEPT = 20


class Progress(Struct, frozen=True, kw_only=True):
    """How far a plan has come. counts: rows by state. refused: (record, why) of those that were not done."""

    id: int
    kind: str
    state: str
    made_at: datetime
    mappings: str
    fingerprint: str
    digest: str
    max_writes: int | None
    began_at: datetime | None
    ended_at: datetime | None
    undoes: int | None
    counts: Mapping[str, int]
    refused: tuple[tuple[str, str], ...] = ()

    @property
    def total(self) -> int:
        """Rows in all."""
        return sum(self.counts.values())

    @property
    def ended(self) -> int:
        """Rows that are over."""
        return sum(self.counts.get(state, 0) for state in ENDED)


def store(conn: Connection, plan: Plan, by: str) -> Plan:
    """Keep a plan. The plan with its id. Of those that nobody applied only the newest stay."""
    forgotten = select(plans.c.id).where(plans.c.state == MADE).order_by(plans.c.id.desc()).offset(_KEPT - 1)
    for old in conn.execute(forgotten).scalars().all():
        conn.execute(delete(plan_rows).where(plan_rows.c.plan_id == old))
        conn.execute(delete(plans).where(plans.c.id == old))
    key = conn.execute(
        insert(plans).values(
            made_at=plan.made_at,
            kind=plan.kind,
            undoes=plan.undoes,
            mappings=plan.mappings,
            fingerprint=plan.fingerprint,
            digest=plan.digest,
            summary=_encoder.encode(plan.summary),
            state=MADE,
            by=by,
        )
    ).inserted_primary_key
    assert key is not None  # the table has one
    plan_id = int(key[0])
    rows = [
        {
            "plan_id": plan_id,
            "no": number,
            "kind": row.kind,
            "item_id": row.item_id,
            "link_id": row.link_id,
            "record_id": row.record_id,
            "connection_id": row.connection_id,
            "body": _encoder.encode(row),
            "state": "planned",
            "at": plan.made_at,
        }
        for number, row in enumerate(plan.rows, 1)
    ]
    for start in range(0, len(rows), _PORTION):
        conn.execute(insert(plan_rows), rows[start : start + _PORTION])
    return structs.replace(plan, id=plan_id)


def load(conn: Connection, plan_id: int) -> Plan | None:
    """A stored plan, whole."""
    head = conn.execute(select(plans).where(plans.c.id == plan_id)).first()
    if head is None:
        return None
    bodies = conn.execute(select(plan_rows.c.body).where(plan_rows.c.plan_id == plan_id).order_by(plan_rows.c.no))
    return Plan(
        id=head.id,
        kind=head.kind,
        made_at=head.made_at,
        mappings=head.mappings,
        fingerprint=head.fingerprint,
        rows=tuple(_row.decode(body) for body in bodies.scalars()),
        summary=_summary.decode(head.summary),
        undoes=head.undoes,
    )


def fingerprint(conn: Connection, plan_id: int) -> str:
    """Of the mappings that a plan was made with."""
    return str(conn.execute(select(plans.c.fingerprint).where(plans.c.id == plan_id)).scalar_one())


def bodies(conn: Connection, plan_id: int) -> list[bytes]:
    """The encoded rows, in their order."""
    statement = select(plan_rows.c.body).where(plan_rows.c.plan_id == plan_id).order_by(plan_rows.c.no)
    return list(conn.execute(statement).scalars())


def row_of(body: bytes) -> Row:
    """A `plan_rows.body`."""
    return _row.decode(body)


def find(conn: Connection, name: str) -> int | None:
    """The plan that a number, or the beginning of a digest, names."""
    text = name.strip().lower().removeprefix("#")
    if text.isascii() and text.isdecimal() and len(text) < 10:
        known = conn.execute(select(plans.c.id).where(plans.c.id == int(text))).scalar()
        if known is not None:
            return int(known)
    if len(text) < 4 or not all(letter in "0123456789abcdef" for letter in text):
        return None
    found = conn.execute(
        select(plans.c.id).where(plans.c.digest.startswith(text)).order_by(plans.c.id.desc())
    ).scalars()
    return next(iter(found), None)


def progress(conn: Connection, plan_id: int) -> Progress:
    """How far a plan has come. Raises NoResultFound."""
    head = conn.execute(select(plans).where(plans.c.id == plan_id)).one()
    counted = conn.execute(
        select(plan_rows.c.state, func.count().label("count_of"))
        .where(plan_rows.c.plan_id == plan_id)
        .group_by(plan_rows.c.state)
    )
    undone = conn.execute(
        select(plan_rows.c.body, plan_rows.c.detail)
        .where(plan_rows.c.plan_id == plan_id, plan_rows.c.state.in_(("refused", "failed")))
        .order_by(plan_rows.c.no)
        .limit(1000)
    ).all()
    named = [(_row.decode(each.body), each.detail) for each in undone]
    return Progress(
        id=head.id,
        kind=head.kind,
        state=head.state,
        made_at=head.made_at,
        mappings=head.mappings,
        fingerprint=head.fingerprint,
        digest=head.digest,
        max_writes=head.max_writes,
        began_at=head.began_at,
        ended_at=head.ended_at,
        undoes=head.undoes,
        counts={str(row.state): int(row.count_of) for row in counted},
        refused=tuple((f"{row.connection} {row.record}", detail) for row, detail in named),
    )


def under_way(conn: Connection) -> Progress | None:
    """The plan that is being applied."""
    found = conn.execute(select(plans.c.id).where(plans.c.state.in_((APPLYING, STOPPING)))).scalar()
    return None if found is None else progress(conn, found)


def recent(conn: Connection, limit: int = 20) -> list[Progress]:
    """The newest plans, newest first."""
    ids = conn.execute(select(plans.c.id).order_by(plans.c.id.desc()).limit(limit)).scalars().all()
    return [progress(conn, plan_id) for plan_id in ids]


def move(conn: Connection, plan_id: int, no: int, now: datetime, **values: Any) -> None:
    """Change one row."""
    conn.execute(update(plan_rows).where(plan_rows.c.plan_id == plan_id, plan_rows.c.no == no).values(at=now, **values))
