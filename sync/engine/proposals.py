"""Records that name the same call or trace are proposed to a person as belonging together, or joined by rule.

Looked for while records are stored, inside that step, and only where there is a connection that machines speak through.
A pair is proposed once: what was refused stays refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from msgspec import Struct
from sqlalchemy import Connection, Select, and_, delete, func, insert, or_, select, update

from sync.core.traces import Answer, Trace, TraceKind, of_record
from sync.engine import adopt, rows
from sync.engine.hub import Connected, Hub
from sync.model import Role, Snapshot
from sync.store.tables import links, proposals, records, traces
from sync.store.upsert import upsert

COMMON = 8
"""An id that more records name than this names no single moment (a template, a tenant): it proposes nothing."""

KEPT_PER_RECORD = 60
"""Ids remembered of one record: a signature's samples change, and a ticket may name one that was there an hour ago."""

OPEN_PER_RECORD = 20
"""Open proposals of one record; more are noise."""

MADE_BY = "proposal"


class _Holder(NamedTuple):
    """A record that names an id."""

    record_id: int
    connection_id: int
    kind: str


class Pair(Struct, frozen=True, kw_only=True, order=True):
    """Two records, the smaller row id first, and what they share."""

    one: int
    other: int
    kind: TraceKind
    evidence: str


def note(conn: Connection, hub: Hub, connected: Connected, stored: Iterable[tuple[int, Snapshot]]) -> set[int]:
    """Remember the ids that records name, and look who names them too. Returns the items touched by a rule's joins."""
    if not hub.of_role(Role.SIGNAL) or all(hub.rules.answer(kind) is Answer.OFF for kind in TraceKind):
        return set()
    named = {record_id: found for record_id, snap in stored if (found := _named(connected, snap))}
    if not named:
        return set()
    now = hub.clock.now()
    _remember(conn, named, now)
    touched: set[int] = set()
    for pair in _pairs(conn, named):
        answer = hub.rules.answer(pair.kind)
        if answer is Answer.OFF or _is_known(conn, pair):
            continue
        made = conn.execute(
            insert(proposals).values(
                one_id=pair.one, other_id=pair.other, kind=pair.kind.value, evidence=pair.evidence, made_at=now
            )
        )
        number = rows.new_id(made)
        if answer is Answer.ACCEPT:
            touched |= accept(conn, hub, _row(conn, number), by="rule")
        else:
            hub.tell("link_proposed", proposal=number, connection=connected.name, kind=pair.kind.value)
    return touched


def _named(connected: Connected, snap: Snapshot) -> tuple[Trace, ...]:
    mapping, fields = connected.mapping, snap.fields
    return of_record(connected.role, fields, (mapping.title.of(fields), mapping.body.of(fields)))


def _remember(conn: Connection, named: Mapping[int, Sequence[Trace]], now: datetime) -> None:
    """Store the ids, except of those that are common already: such a one is in a whole helpdesk's tickets."""
    common = _common(conn, sorted({trace.digest for found in named.values() for trace in found}))
    fresh = [
        {"record_id": record_id, "digest": trace.digest, "kind": trace.kind or "", "seen_at": now}
        for record_id, found in sorted(named.items())
        for trace in sorted(found, key=lambda one: one.digest)
        if trace.digest not in common
    ]
    if not fresh:
        return
    conn.execute(
        upsert(conn, traces, ["record_id", "digest"], {"kind": "excluded", "seen_at": "excluded"}),
        fresh,
    )
    for record_id in named:
        kept = (
            select(traces.c.digest)
            .where(traces.c.record_id == record_id)
            .order_by(traces.c.seen_at.desc(), traces.c.digest)
            .limit(KEPT_PER_RECORD)
        )
        conn.execute(delete(traces).where(traces.c.record_id == record_id, traces.c.digest.not_in(kept)))


def _common(conn: Connection, digests: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for piece in rows.chunks(digests):
        statement = select(traces.c.digest).where(traces.c.digest.in_(piece)).group_by(traces.c.digest)
        found.update(conn.execute(statement.having(func.count() > COMMON)).scalars())
    return found


def _pairs(conn: Connection, named: Mapping[int, Sequence[Trace]]) -> list[Pair]:
    """The pairs that have something new: of two connections, one of which *has* the id."""
    texts = {trace.digest: trace.text for found in named.values() for trace in found}
    holders: dict[str, list[_Holder]] = {}
    for piece in rows.chunks(sorted(texts)):
        for row in conn.execute(
            select(traces.c.digest, traces.c.record_id, traces.c.kind, records.c.connection_id)
            .select_from(traces.join(records, traces.c.record_id == records.c.id))
            .where(traces.c.digest.in_(piece), records.c.presence == "present")
        ):
            holders.setdefault(row.digest, []).append(_Holder(row.record_id, row.connection_id, row.kind))
    found: dict[tuple[int, int], Pair] = {}
    for digest, those in sorted(holders.items()):
        if not 1 < len(those) <= COMMON:
            continue
        for a in those:
            for b in those:
                kind = a.kind or b.kind
                if (
                    a.record_id < b.record_id
                    and a.connection_id != b.connection_id
                    and kind
                    and (a.record_id in named or b.record_id in named)
                ):
                    pair = Pair(one=a.record_id, other=b.record_id, kind=TraceKind(kind), evidence=texts[digest][:128])
                    found[pair.one, pair.other] = min(pair, found.get((pair.one, pair.other), pair))
    return sorted(found.values())


def _is_known(conn: Connection, pair: Pair) -> bool:
    """They are one item, were proposed before (or members of their items are, at present), or one has too many."""
    ones, others = _siblings(conn, pair.one), _siblings(conn, pair.other)
    if ones & others:
        return True
    asked = select(proposals.c.id).where(proposals.c.one_id == pair.one, proposals.c.other_id == pair.other)
    if conn.execute(asked).first() is not None or conn.execute(_between(ones, others).limit(1)).first() is not None:
        return True
    for record_id in (pair.one, pair.other):
        of_it = or_(proposals.c.one_id == record_id, proposals.c.other_id == record_id)
        waiting = select(proposals.c.id).where(of_it, proposals.c.ended_at.is_(None)).limit(OPEN_PER_RECORD)
        if len(conn.execute(waiting).all()) >= OPEN_PER_RECORD:
            return True
    return False


def _between(ones: Collection[int], others: Collection[int]) -> Select[tuple[int]]:
    """The open proposals between two groups of records."""
    return select(proposals.c.id).where(
        proposals.c.ended_at.is_(None),
        or_(
            and_(proposals.c.one_id.in_(ones), proposals.c.other_id.in_(others)),
            and_(proposals.c.one_id.in_(others), proposals.c.other_id.in_(ones)),
        ),
    )


def _siblings(conn: Connection, record_id: int) -> set[int]:
    """A record, and the members of its item."""
    link = rows.active_link(conn, record_id)
    if link is None:
        return {record_id}
    of_item = select(links.c.record_id).where(links.c.item_id == link.item_id, links.c.ended_at.is_(None))
    return set(conn.execute(of_item).scalars())


def _row(conn: Connection, number: int) -> Any:
    return conn.execute(select(proposals).where(proposals.c.id == number)).one()


def accept(conn: Connection, hub: Hub, row: Any, *, by: str) -> set[int]:
    """Bring the two records of a proposal into one item. Returns the items touched; they are marked by the caller.

    Two items that each have a tracker issue become related, as with every other link.
    """
    _end(conn, row.id, "accepted", by, hub.clock.now())
    return adopt.join(conn, hub, row.one_id, row.other_id, made_by=MADE_BY)


def refuse(conn: Connection, hub: Hub, row: Any, *, by: str) -> None:
    """They do not belong together: they are not proposed again, nor what else speaks for the same two items now."""
    now = hub.clock.now()
    _end(conn, row.id, "refused", by, now)
    for other in conn.execute(_between(_siblings(conn, row.one_id), _siblings(conn, row.other_id))).all():
        _end(conn, other.id, "refused", by, now)


def _end(conn: Connection, number: int, how: str, by: str, now: datetime) -> None:
    conn.execute(
        update(proposals)
        .where(proposals.c.id == number, proposals.c.ended_at.is_(None))
        .values(ended_at=now, ended_how=how, ended_by=by[:64])
    )
