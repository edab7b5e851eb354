"""Why an item is as it is: its value in each system, who set it, when, by which rule, what was written where.

Reads the database alone. The rule behind each record is the pure decision itself, made once more on what is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, or_, select

from sync.core import values
from sync.core.reconcile import reconcile
from sync.core.state import Change, MemberPlan
from sync.core.why import EXPLAIN, Why
from sync.engine import columns, find, load
from sync.engine.hub import Hub
from sync.engine.load import Linked, Whole
from sync.model import Fact, Side, StateOwner
from sync.store.tables import conflicts, connections, deliveries, holds, items, journal, links, parked, records, related
from sync.views.lists import ConflictView, HoldView, ParkedView, open_holds, open_parked, recent_conflicts
from sync.views.proposals import ProposalView, of_records

JOURNAL_LIMIT = 200
_OWNER = "owner"
"""It is known by a key alone, which says nothing to a reader."""


class TagView(Struct, frozen=True, kw_only=True):
    """A tag of the item. brought_by: the roles whose users brought it."""

    text: str
    brought_by: tuple[str, ...]


class ValueView(Struct, frozen=True, kw_only=True):
    """One record's value of a field that is kept in step. means: empty where its mapping does not name it.

    wants: the value it will be made to show, empty when it is left as it is.
    """

    field: str
    shown: str
    means: str
    wants: str = ""


class MemberView(Struct, frozen=True, kw_only=True):
    """One record of the item.

    shown: the status it shows, in its system's words; means: in ours. wants: the status it will be made to show, empty
    when it is left as it is; rule, tag_rule: why, as a sentence. tags_to_add, tags_to_remove: what it will be told.
    set_by, set_at: who brought its status, from the journal. read_at: when what is shown here was read.
    evidence: what a record of the hub's own rests on (which calls failed), line by line; no other system shows it.
    """

    connection: str
    system: str
    role: str
    key: str
    id: str
    url: str
    presence: str
    shown: str
    means: str
    wants: str
    rule: str
    tags: tuple[str, ...]
    tags_to_add: tuple[str, ...]
    tags_to_remove: tuple[str, ...]
    tag_rule: str
    aside: bool
    in_doubt: bool
    waits_for_read: bool
    held: tuple[str, ...]
    made_by: str
    set_by: str
    set_at: datetime | None
    read_at: datetime
    evidence: tuple[str, ...] = ()
    values: tuple[ValueView, ...] = ()


class JournalView(Struct, frozen=True, kw_only=True):
    """One change or write. rule: as stored; means: in words, where it is one of the core's rules."""

    at: datetime
    field: str
    old: str | None
    new: str | None
    record: str
    actor: str
    remote_at: datetime | None
    rule: str
    means: str
    delivery: str


class DeliveryView(Struct, frozen=True, kw_only=True):
    """One write that is not settled, or that was settled last."""

    id: str
    connection: str
    record: str
    kind: str
    state: str
    fields: tuple[str, ...]
    attempts: int
    made_at: datetime
    not_before: datetime | None
    in_doubt_since: datetime | None
    outcome: str
    error: str
    cause: str


class ItemView(Struct, frozen=True, kw_only=True):
    """One item, explained. unasked: what could not be asked, and so may be older than it looks.

    values: of the fields with one value that are kept in step.
    """

    item: str
    status: str
    facts: tuple[str, ...]
    tags: tuple[TagView, ...]
    settled: bool
    waits_until: datetime | None
    created_at: datetime
    updated_at: datetime
    members: tuple[MemberView, ...]
    related: tuple[str, ...]
    proposals: tuple[ProposalView, ...]
    deliveries: tuple[DeliveryView, ...]
    parked: tuple[ParkedView, ...]
    holds: tuple[HoldView, ...]
    conflicts: tuple[ConflictView, ...]
    journal: tuple[JournalView, ...]
    unasked: tuple[str, ...]
    values: Mapping[str, str] = {}


def explain(conn: Connection, hub: Hub, text: str, now: datetime) -> ItemView:
    """The item that `text` names. Raises `sync.engine.find.NotFound`."""
    item_id = find.item_of(conn, hub, text)
    item = load.whole(conn, hub, item_id)
    row = conn.execute(select(items).where(items.c.id == item_id)).one()
    plan = reconcile(item.state, [load.member_of(hub, item, one) for one in item.linked], hub.rules)
    plans = {each.link: each for each in plan.members}
    names = _names(conn, item_id)
    history = _journal(conn, item_id, names)
    link_ids = [one.link_id for one in item.linked]
    return ItemView(
        item=find.item_name(item_id),
        status=item.state.status.value if item.state.status is not None else "",
        facts=_facts(item),
        tags=tuple(
            TagView(text=item.tag_texts.get(key, key), brought_by=tuple(sorted(role.value for role in roles)))
            for key, roles in sorted(item.state.tags.items())
        ),
        settled=row.gen <= row.done_gen,
        waits_until=row.not_before,
        created_at=row.created_at,
        updated_at=row.updated_at,
        members=tuple(_member(conn, hub, item, one, plans[one.link_id]) for one in item.linked),
        related=_related(conn, item_id),
        proposals=tuple(of_records(conn, [one.record_id for one in item.linked])),
        deliveries=_deliveries(conn, item_id, names),
        parked=tuple(open_parked(conn, parked.c.item_id == item_id)),
        holds=tuple(
            open_holds(
                conn,
                or_(
                    holds.c.link_id.in_(link_ids),
                    holds.c.link_id.is_(None) & holds.c.connection_id.in_([one.connected.id for one in item.linked]),
                ),
            )
        ),
        conflicts=tuple(recent_conflicts(conn, conflicts.c.item_id == item_id)),
        journal=history,
        unasked=_unasked(conn, item, now, plan.changes),
        values={
            name: value.value
            for name, value in sorted(item.state.values.items())
            if value.value is not None and name in hub.rules.fields and name != _OWNER
        },
    )


def _facts(item: Whole) -> tuple[str, ...]:
    """What is known beside the status; `deployed` while the item is done and a record shows that its fix is out."""
    known = {fact.value for fact in item.state.facts}
    if item.state.status is not None and item.state.status.side is Side.DONE:
        known |= {
            Fact.DEPLOYED.value
            for one in item.linked
            if Fact.DEPLOYED in one.connected.mapping.feedback(one.snap).facts
        }
    return tuple(sorted(known))


def _member(conn: Connection, hub: Hub, item: Whole, one: Linked, plan: MemberPlan) -> MemberView:
    status, want = one.base.status, plan.want
    setter = _setter(conn, item.id, one)
    return MemberView(
        connection=one.connected.name,
        system=one.connected.system,
        role=one.connected.role.value,
        key=one.ref.key or one.ref.id,
        id=one.ref.id,
        url=one.ref.url,
        presence=one.presence,
        shown=one.shown.raw,
        means="archived" if one.shown.archived else one.shown.status.value if one.shown.status is not None else "",
        wants=(want.target or want.status or "") if want is not None else "",
        rule=_sentence(plan.why),
        tags=tuple(sorted(one.shown.tags)),
        tags_to_add=tuple(sorted(want.add)) if want is not None else (),
        tags_to_remove=tuple(sorted(want.remove)) if want is not None else (),
        tag_rule=_sentence(plan.why_tags),
        aside=status is not None and status.aside,
        in_doubt=one.open is not None and one.open.doubtful,
        waits_for_read=one.asked,
        held=tuple(sorted(one.held)),
        made_by=one.made_by,
        set_by=setter[0],
        set_at=setter[1],
        read_at=_read_at(conn, one),
        evidence=_evidence(one),
        values=_values(hub, one, plan),
    )


def _values(hub: Hub, one: Linked, plan: MemberPlan) -> tuple[ValueView, ...]:
    """The fields that the rules keep in step and this record has, beside status and tags."""
    rules = {name: each for name, each in one.connected.mapping.value_rules.items() if name in hub.rules.fields}
    return tuple(
        ValueView(
            field=name,
            shown=one.shown.values[name],
            means=values.get(rules[name], one.shown.values[name]) or "",
            wants=plan.want.set.get(name, "") if plan.want is not None else "",
        )
        for name in sorted((rules.keys() & one.shown.values.keys()) - {_OWNER})
    )


def _setter(conn: Connection, item_id: int, one: Linked) -> tuple[str, datetime | None]:
    """Who brought the record to the status it shows: its own change history, else the newest line of the journal."""
    told = one.base.attribution
    if told is not None and told.raw == one.shown.raw:
        return told.actor, told.at
    row = conn.execute(
        select(journal.c.actor, journal.c.remote_at, journal.c.at)
        .where(journal.c.item_id == item_id, journal.c.record_id == one.record_id, journal.c.field == "status")
        .order_by(journal.c.id.desc())
        .limit(1)
    ).first()
    return ("", None) if row is None else (row.actor, row.remote_at or row.at)


def _evidence(one: Linked) -> tuple[str, ...]:
    if one.snap.state_owner is not StateOwner.HUB:
        return ()
    return tuple(one.connected.mapping.feedback(one.snap).body.splitlines())


def _read_at(conn: Connection, one: Linked) -> datetime:
    found: datetime = conn.execute(select(records.c.seen_at).where(records.c.id == one.record_id)).scalar_one()
    return found


def _sentence(why: str) -> str:
    return EXPLAIN[Why(why)] if why in set(Why) else why


def _names(conn: Connection, item_id: int) -> dict[int, str]:
    """The records that were ever members, as people say them."""
    found = conn.execute(
        select(records.c.id, records.c.key, records.c.remote_id, connections.c.name)
        .select_from(
            links.join(records, links.c.record_id == records.c.id).join(
                connections, records.c.connection_id == connections.c.id
            )
        )
        .where(links.c.item_id == item_id)
    )
    return {row.id: f"{row.name}:{row.key or row.remote_id}" for row in found}


def _journal(conn: Connection, item_id: int, names: dict[int, str]) -> tuple[JournalView, ...]:
    found = conn.execute(
        select(journal).where(journal.c.item_id == item_id).order_by(journal.c.id.desc()).limit(JOURNAL_LIMIT)
    )
    return tuple(
        JournalView(
            at=row.at,
            field=row.field,
            old=row.old,
            new=row.new,
            record=names.get(row.record_id, ""),
            actor=row.actor,
            remote_at=row.remote_at,
            rule=row.rule,
            means=EXPLAIN[Why(row.rule)] if row.rule in set(Why) else "",
            delivery=row.delivery_id or "",
        )
        for row in found
    )


def _deliveries(conn: Connection, item_id: int, names: dict[int, str]) -> tuple[DeliveryView, ...]:
    """Those that are open or parked, and the last ones that are settled."""
    joined = deliveries.join(connections, deliveries.c.connection_id == connections.c.id).outerjoin(
        links, deliveries.c.link_id == links.c.id
    )
    found = conn.execute(
        select(deliveries, connections.c.name, links.c.record_id)
        .select_from(joined)
        .where(deliveries.c.item_id == item_id)
        .order_by(deliveries.c.made_at.desc())
        .limit(JOURNAL_LIMIT)
    ).all()
    open_ones = [row for row in found if row.state not in ("settled", "superseded")]
    ended = [row for row in found if row.state in ("settled", "superseded")][:5]
    return tuple(_delivery(row, names) for row in (*open_ones, *ended))


def _delivery(row: Any, names: dict[int, str]) -> DeliveryView:
    return DeliveryView(
        id=row.id,
        connection=row.name,
        record=names.get(row.record_id, ""),
        kind=row.kind,
        state=row.state,
        fields=columns.errand(row.want).fields,
        attempts=row.attempts,
        made_at=row.made_at,
        not_before=row.not_before,
        in_doubt_since=row.in_doubt_since,
        outcome=row.outcome,
        error=row.error,
        cause=row.cause,
    )


def _related(conn: Connection, item_id: int) -> tuple[str, ...]:
    found = conn.execute(
        select(related.c.item_a, related.c.item_b).where(or_(related.c.item_a == item_id, related.c.item_b == item_id))
    )
    return tuple(sorted(find.item_name(row.item_b if row.item_a == item_id else row.item_a) for row in found))


def _unasked(conn: Connection, item: Whole, now: datetime, changes: tuple[Change, ...]) -> tuple[str, ...]:
    """What this page rests on and could not be asked of anybody now."""
    found = [f"no remote system was asked: what each record shows is what was read last (by {now:%Y-%m-%d %H:%M} UTC)"]
    if item.strangers:
        found.append(f"{item.strangers} records belong to connections that are not configured any more")
    found += [
        f"{row.name} has not answered since {row.down_since:%Y-%m-%d %H:%M} UTC: {row.down_why}"
        for row in conn.execute(
            select(connections.c.name, connections.c.down_since, connections.c.down_why).where(
                connections.c.id.in_([one.connected.id for one in item.linked]), connections.c.down_since.is_not(None)
            )
        )
    ]
    if changes:
        found.append("a change was read and is not settled yet: the item is about to move")
    return tuple(found)
