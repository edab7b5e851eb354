"""What the hub says about its items, as plain values for the checkers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import func, select

from sync.engine import columns
from sync.engine.hub import Hub, Mode
from sync.model import Role
from sync.simulation.ledger import Membership, Sight
from sync.simulation.replay import Told
from sync.store.tables import conflicts, deliveries, holds, items, journal, links, parked, records

_KEPT = 2048
"""Stored bodies of each kind that are kept as they read."""

# Asked often, so built once.
MEMBERS = (
    select(links.c.item_id, records.c.connection_id, records.c.remote_id)
    .select_from(links.join(records, links.c.record_id == records.c.id))
    .where(links.c.ended_at.is_(None))
)
VERSIONS = select(records.c.connection_id, records.c.remote_id, records.c.version, records.c.read_no)
BODIES = (
    select(records.c.connection_id, records.c.remote_id, records.c.body)
    .select_from(links.join(records, links.c.record_id == records.c.id))
    .where(links.c.ended_at.is_(None))
)
SIGHTS = (
    select(
        links.c.id.label("link_id"),
        links.c.item_id,
        links.c.base,
        records.c.connection_id,
        records.c.remote_id,
        records.c.presence,
    )
    .select_from(links.join(records, links.c.record_id == records.c.id))
    .where(links.c.ended_at.is_(None))
    .order_by(links.c.id)
)
PARKED = select(parked.c.link_id, parked.c.field).where(parked.c.ended_at.is_(None))
FIELDS_HELD = select(holds.c.link_id, holds.c.field).where(holds.c.released_at.is_(None), holds.c.link_id.is_not(None))
STATES = select(items.c.id, items.c.state)
_LAST = select(
    *(
        select(func.coalesce(func.max(table.c.id), 0)).scalar_subquery()
        for table in (records, journal, deliveries, conflicts, parked, holds)
    )
)
_BASES = select(links.c.id, links.c.ended_at, links.c.base).order_by(links.c.id)
_RESTORING = select(holds.c.id).where(holds.c.released_at.is_(None), holds.c.reason == "restored").limit(1)
HELD = select(holds.c.id).where(holds.c.released_at.is_(None), holds.c.link_id.is_(None)).limit(1)

_JOURNALS = (
    select(journal.c.item_id, journal.c.field, journal.c.old, journal.c.new)
    .where(journal.c.field.in_(("status", "tags")), journal.c.delivery_id.is_(None))
    .order_by(journal.c.id)
)
_UNSENT = select(deliveries.c.id, deliveries.c.kind, deliveries.c.state, deliveries.c.error).where(
    deliveries.c.state.in_(("waiting", "sending", "in_doubt"))
)
_DIRTY = select(items.c.id).where(items.c.gen > items.c.done_gen)
_PARKS = select(parked.c.id, parked.c.reason).where(parked.c.ended_at.is_(None)).order_by(parked.c.id)
_HOLDS = select(holds.c.id).where(holds.c.released_at.is_(None), holds.c.reason != "restored").order_by(holds.c.id)
_LOSERS = (
    select(records.c.connection_id, records.c.remote_id, conflicts.c.lost)
    .select_from(conflicts.join(records, conflicts.c.record_id == records.c.id))
    .where(conflicts.c.field == "status")
)
_COUNTS = {
    name: select(column, func.count()).group_by(column)
    for name, column in (("conflicts", conflicts.c.kind), ("parks", parked.c.reason), ("holds", holds.c.reason))
}


def name_of(hub: Hub, row: Any) -> str:
    """A record as the ledger names it."""
    return named(hub, row.connection_id, row.remote_id)


def named(hub: Hub, connection_id: int, remote_id: str) -> str:
    """The same from its parts."""
    return f"{'T' if hub.connections[connection_id].role is Role.TRACKER else 'Z'}{remote_id}"


def sights(hub: Hub) -> list[Sight]:
    """Every item that has members."""
    with hub.store.read() as conn:
        return of_rows(hub, *(conn.execute(asked).all() for asked in (SIGHTS, PARKED, FIELDS_HELD, STATES)))


def of_rows(
    hub: Hub, members: Sequence[Any], parks: Sequence[Any], fields_held: Sequence[Any], states: Sequence[Any]
) -> list[Sight]:
    """The same from the rows of `SIGHTS`, `PARKED`, `FIELDS_HELD` and `STATES`."""
    found: dict[int, list[Membership]] = {}
    for link_id, item_id, base, connection_id, remote_id, presence in members:
        status, tags = _of_base(base)
        found.setdefault(item_id, []).append(
            Membership(
                record=named(hub, connection_id, remote_id),
                aside=status,
                parked=frozenset(name for of, name in parks if of == link_id),
                held=frozenset(name for of, name in fields_held if of == link_id),
                present=presence == "present",
                waived=tags,
            )
        )
    state = dict(states)
    return [
        Sight(
            item=f"hc-{item_id}",
            status=_of_state(state[item_id])[0],
            tags=dict(_of_state(state[item_id])[1]),
            members=tuple(mine),
        )
        for item_id, mine in sorted(found.items())
    ]


@lru_cache(maxsize=_KEPT)
def _of_base(body: bytes) -> tuple[bool, frozenset[str]]:
    """Whether a member is aside, and the tags that are waived."""
    base = columns.base(body)
    return base.status is not None and base.status.aside, frozenset() if base.tags is None else base.tags.waived


@lru_cache(maxsize=_KEPT)
def _of_state(body: bytes) -> tuple[str, Mapping[str, frozenset[str]]]:
    """An item's status, and its tags with the roles that brought them."""
    state = columns.item_state(body)
    tags = {key: frozenset(str(role) for role in roles) for key, roles in state.tags.items()}
    return "" if state.status is None else str(state.status), tags


@lru_cache(maxsize=_KEPT)
def shown(body: bytes) -> tuple[str, frozenset[str]]:
    """The raw status and the tags, lower-cased, that a stored body shows."""
    fields = columns.snapshot(body).fields
    tags = fields["labels"] if "labels" in fields else fields["tags"]
    return str(fields["status"]), frozenset(str(tag).casefold() for tag in tags)


def memberships(hub: Hub) -> dict[str, str]:
    """The item of each record that has one."""
    with hub.store.read() as conn:
        return {name_of(hub, row): f"hc-{row.item_id}" for row in conn.execute(MEMBERS)}


def versions(hub: Hub) -> dict[str, tuple[str, int]]:
    """The stored (version, read number) of each record."""
    with hub.store.read() as conn:
        return {name_of(hub, row): (row.version, row.read_no) for row in conn.execute(VERSIONS)}


def known(hub: Hub) -> dict[str, tuple[str, frozenset[str]]]:
    """The raw status and the tags, lower-cased, that the hub knows of each linked record."""
    with hub.store.read() as conn:
        return {name_of(hub, row): shown(row.body) for row in conn.execute(BODIES)}


def journals(hub: Hub) -> dict[str, list[Told]]:
    """What the journal tells of each item's status and tags, oldest first; what was written to records is left out."""
    found: dict[str, list[Told]] = {}
    with hub.store.read() as conn:
        for row in conn.execute(_JOURNALS):
            found.setdefault(f"hc-{row.item_id}", []).append(Told(row.field, row.old, row.new))
    return found


def is_held(hub: Hub) -> bool:
    """Whether a whole connection is held or paused: then nothing comes to rest."""
    if any(each.mode is not Mode.LIVE for each in hub.connections.values()):
        return True
    with hub.store.read() as conn:
        return conn.execute(HELD).first() is not None


def waiting(hub: Hub) -> list[str]:
    """What is not finished: open deliveries and dirty items, for a message."""
    with hub.store.read() as conn:
        unsent = conn.execute(_UNSENT).all()
        dirty = conn.execute(_DIRTY).scalars().all()
    return [f"{row.kind} {row.id} {row.state} {row.error}" for row in unsent] + [
        f"hc-{each} is dirty" for each in dirty
    ]


def waiting_for(hub: Hub, name: str) -> list[str]:
    """The open deliveries to one connection, for a message."""
    with hub.store.read() as conn:
        found = conn.execute(
            select(deliveries.c.id, deliveries.c.kind, deliveries.c.state, deliveries.c.error).where(
                deliveries.c.state.in_(("waiting", "sending", "in_doubt")),
                deliveries.c.connection_id == hub.named(name).id,
            )
        ).all()
    return [f"{row.kind} {row.id} {row.state} {row.error}" for row in found]


def statuses(hub: Hub, name: str) -> dict[str, str]:
    """The raw status that the hub knows of each linked record of one connection that is there."""
    connected = hub.named(name)
    with hub.store.read() as conn:
        found = conn.execute(
            select(records.c.connection_id, records.c.remote_id, records.c.body)
            .select_from(links.join(records, links.c.record_id == records.c.id))
            .where(links.c.ended_at.is_(None), records.c.connection_id == connected.id, records.c.presence == "present")
        ).all()
    return {name_of(hub, row): connected.mapping.shown(columns.snapshot(row.body)).raw for row in found}


def open_parks(hub: Hub, but: str) -> list[int]:
    """The numbers of what is parked, but for one reason."""
    with hub.store.read() as conn:
        return [row.id for row in conn.execute(_PARKS) if row.reason != but]


def open_holds(hub: Hub) -> list[int]:
    """The numbers of the holds that a person may release: all but that of a restore, which ends by itself."""
    with hub.store.read() as conn:
        return list(conn.execute(_HOLDS).scalars())


def marks(hub: Hub) -> list[Any]:
    """What the hub knows of its items, and the last number of whatever it writes down. Equal: nothing happened."""
    with hub.store.read() as conn:
        last, bases, states = (conn.execute(asked).all() for asked in (_LAST, _BASES, STATES))
    return [*last, *bases, *states]


def is_restoring(hub: Hub) -> bool:
    """Whether a restored database still has to read its records anew."""
    with hub.store.read() as conn:
        return conn.execute(_RESTORING).scalar() is not None


def losers(hub: Hub) -> frozenset[tuple[str, str]]:
    """(record, value) of what each conflict about a status says was lost."""
    with hub.store.read() as conn:
        return frozenset((name_of(hub, row), row.lost) for row in conn.execute(_LOSERS))


def counts(hub: Hub) -> dict[str, dict[str, int]]:
    """How many conflicts, parks and holds there have been, by kind."""
    with hub.store.read() as conn:
        return {name: {str(key): int(count) for key, count in conn.execute(asked)} for name, asked in _COUNTS.items()}
