"""One item with all that a decision needs, read in one snapshot of the database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field, structs
from sqlalchemy import Connection, bindparam, exists, select, text

from sync.core.state import ItemState, Member, Shown, StatusRules
from sync.engine import adopt, columns, rows
from sync.engine.columns import Base, Errand
from sync.engine.hub import Connected, Hub, Mode
from sync.model import Direction, LinkShown, Move, RecordRef, Role, Snapshot
from sync.store.tables import deliveries, holds, items, links, records, refreshes, workflows

if TYPE_CHECKING:
    from sync.mapping.compiled import Mapping as CompiledMapping

# Built once: building a statement costs several times its execution.
_DUE = (
    select(items.c.id)
    .where(items.c.gen > items.c.done_gen, (items.c.not_before.is_(None)) | (items.c.not_before <= bindparam("now")))
    .order_by(items.c.updated_at, items.c.id)
    .limit(bindparam("most"))
)
_ITEM = select(items).where(items.c.id == bindparam("item"))
# A sweep or a question about history does not make a snapshot old.
_WANTED = exists().where(
    refreshes.c.connection_id == records.c.connection_id,
    refreshes.c.kind == records.c.kind,
    refreshes.c.remote_id == records.c.remote_id,
    refreshes.c.why.not_in(("sweep", "history")),
)
_HELD_ONE = exists().where(
    holds.c.connection_id == records.c.connection_id, holds.c.released_at.is_(None), holds.c.link_id == links.c.id
)
_MEMBERS = (
    select(
        links.c.id.label("link_id"),
        links.c.version.label("link_version"),
        links.c.base,
        links.c.fingerprint,
        links.c.made_by,
        deliveries.c.id.label("open_id"),
        deliveries.c.state.label("open_state"),
        deliveries.c.want.label("open_want"),
        deliveries.c.in_doubt_since.label("open_doubt"),
        _WANTED.label("asked"),
        _HELD_ONE.label("is_held"),
        records,
    )
    .select_from(
        links.join(records, links.c.record_id == records.c.id).outerjoin(
            deliveries,
            # Spelled out, and not with bound values: only so SQLite sees that the index of open deliveries fits.
            (deliveries.c.link_id == links.c.id) & text("deliveries.state IN ('waiting', 'sending', 'in_doubt')"),
        )
    )
    .where(links.c.item_id == bindparam("item"), links.c.ended_at.is_(None))
    .order_by(links.c.id)
)
_HELD_FIELDS = select(holds.c.link_id, holds.c.field).where(
    holds.c.link_id.in_(bindparam("of", expanding=True)), holds.c.released_at.is_(None)
)
_MOVES = select(workflows.c.raw, workflows.c.moves).where(
    workflows.c.connection_id == bindparam("of"), workflows.c.workflow == bindparam("named")
)


class Open(Struct, frozen=True, kw_only=True):
    """The delivery that is open for a link."""

    id: str
    state: str
    errand: Errand
    doubtful: bool


class Linked(Struct, frozen=True, kw_only=True):
    """One member of an item, with its record, its base and what is under way for it.

    names: what its snapshot's references resolve to (record row id by reference), None where nobody has read it yet.
    asked: a direct read of it is wanted, so what is stored may be old. read_no: the number of the read it was seen by.
    shows: the records that this one shows, as `LinksBase` names them; found out from its references.
    """

    link_id: int
    link_version: int
    record_id: int
    connected: Connected
    ref: RecordRef
    snap: Snapshot
    shown: Shown
    rules: StatusRules
    presence: str
    base: Base
    fingerprint: str
    made_by: str
    open: Open | None
    asked: bool
    held: frozenset[str]
    references: tuple[tuple[LinkShown, int | None, Connected, str], ...]
    graph: Mapping[str, tuple[str, ...]] | None
    moves: Mapping[str, tuple[Move, ...]] = field(default_factory=dict)
    read_no: int = 0
    shows: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Find out which records this one shows, from its references."""
        structs.force_setattr(
            self, "shows", frozenset([str(known) for _, known, _, _ in self.references if known is not None])
        )

    @property
    def fresh(self) -> bool:
        """What is stored is what the record shows, as far as anybody knows."""
        return self.presence == "present" and not self.asked and self.connected.mode is not Mode.PAUSED


class Whole(Struct, frozen=True, kw_only=True):
    """One item, whole. strangers: members whose connection is not configured any more."""

    id: int
    gen: int
    done_gen: int = 0
    attempts: int
    cause: str
    state: ItemState
    tag_texts: Mapping[str, str]
    linked: tuple[Linked, ...]
    strangers: int = 0

    def by_link(self, link_id: int) -> Linked:
        """The member of that link. Raises KeyError."""
        for one in self.linked:
            if one.link_id == link_id:
                return one
        raise KeyError(link_id)

    @property
    def tracker(self) -> Linked | None:
        """The item's tracker issue, if it has one."""
        return next((one for one in self.linked if one.connected.role is Role.TRACKER), None)


def due(conn: Connection, now: datetime, limit: int) -> list[int]:
    """The dirty items whose time has come, longest waiting first."""
    return list(conn.execute(_DUE, {"now": now, "most": limit}).scalars())


def whole(conn: Connection, hub: Hub, item_id: int) -> Whole:
    """Read an item. Raises NoResultFound."""
    row = conn.execute(_ITEM, {"item": item_id}).one()
    found = conn.execute(_MEMBERS, {"item": item_id}).all()
    ours = [one for one in found if one.connection_id in hub.connections]
    held = _held_fields(conn, [one.link_id for one in ours if one.is_held])
    here = {(one.connection_id, one.remote_id): one.id for one in found}
    return Whole(
        id=item_id,
        gen=row.gen,
        done_gen=row.done_gen,
        attempts=row.attempts,
        cause=row.cause,
        state=columns.item_state(row.state),
        tag_texts=columns.texts(row.tag_texts),
        linked=tuple([_linked(conn, hub, one, held.get(one.link_id, frozenset()), here) for one in ours]),
        strangers=len(found) - len(ours),
    )


def _linked(conn: Connection, hub: Hub, row: Any, held: frozenset[str], here: Mapping[tuple[int, str], int]) -> Linked:
    """One member. here: the row ids of the item's own records, which are those that most references name."""
    connected = hub.connections[row.connection_id]
    mapping = connected.mapping
    snap, shown = _meaning(mapping, row.body)
    known = tuple(
        (link, here.get((there.id, text)) or rows.find_id(conn, there.id, text), there, text)
        for link, there, text in adopt.references(hub, connected, snap)
    )
    steps = _steps(conn, connected, snap)
    moves, graph, rules = _workflow(mapping, row.body, steps)
    return Linked(
        link_id=row.link_id,
        link_version=row.link_version,
        record_id=row.id,
        connected=connected,
        ref=rows.ref_of(row),
        snap=snap,
        shown=shown,
        rules=rules,
        presence=row.presence,
        base=columns.base(row.base),
        fingerprint=row.fingerprint,
        made_by=row.made_by,
        open=_open(row),
        asked=bool(row.asked),
        held=held,
        references=known,
        graph=graph,
        moves=moves,
        read_no=row.read_no,
    )


def _open(row: Any) -> Open | None:
    if row.open_id is None:
        return None
    return Open(
        id=row.open_id,
        state=row.open_state,
        errand=columns.errand(row.open_want),
        doubtful=row.open_doubt is not None,
    )


def _held_fields(conn: Connection, link_ids: list[int]) -> dict[int, frozenset[str]]:
    """The fields of links that are held one by one (a fight)."""
    found: dict[int, frozenset[str]] = {}
    if not link_ids:
        return found
    for row in conn.execute(_HELD_FIELDS, {"of": link_ids}):
        found[row.link_id] = found.get(row.link_id, frozenset()) | {row.field}
    return found


# An item is decided again and again while most of its records stay as they are: what follows from a stored record and
# its mapping alone is kept for the last few hundred of them.
@lru_cache(maxsize=256)
def _meaning(mapping: CompiledMapping, body: bytes) -> tuple[Snapshot, Shown]:
    snap = columns.snapshot(body)
    return snap, mapping.shown(snap)


@lru_cache(maxsize=256)
def _workflow(
    mapping: CompiledMapping, body: bytes, steps: tuple[tuple[str, bytes], ...] | None
) -> tuple[Mapping[str, tuple[Move, ...]], Mapping[str, tuple[str, ...]] | None, StatusRules]:
    """The known steps of a record's workflow by status, where each leads (None: no workflow), and its status rules."""
    snap, shown = _meaning(mapping, body)
    if steps is None:
        return {}, None, mapping.rules_for(snap)
    moves = {raw: columns.moves(known) for raw, known in steps}
    if snap.moves is not None:
        moves[shown.raw] = snap.moves
    return moves, _graph(mapping, moves), mapping.rules_for(snap, [move for each in moves.values() for move in each])


def _steps(conn: Connection, connected: Connected, snap: Snapshot) -> tuple[tuple[str, bytes], ...] | None:
    """The stored steps of a record's workflow by status; None where the system has no workflows."""
    if connected.capabilities is None or not connected.capabilities.workflows:
        return None
    return tuple([(row.raw, row.moves) for row in conn.execute(_MOVES, {"of": connected.id, "named": snap.workflow})])


def graph_of(connected: Connected, moves: Mapping[str, tuple[Move, ...]]) -> dict[str, tuple[str, ...]]:
    """Where each status leads, by the steps whose screens the mapping can fill in and that it does not forbid."""
    return _graph(connected.mapping, moves)


def _graph(mapping: CompiledMapping, moves: Mapping[str, tuple[Move, ...]]) -> dict[str, tuple[str, ...]]:
    return {
        raw: tuple(
            dict.fromkeys(
                move.to
                for move in steps
                if mapping.transition_fields(move) is not None and not mapping.forbids(raw, move)
            )
        )
        for raw, steps in sorted(moves.items())
    }


def member_of(hub: Hub, item: Whole, one: Linked) -> Member:
    """A member as the pure core sees it.

    While a connection only observes, its records vote and are not written: what the item says counts as heard, so that
    pairs which differ when it goes live stay as they are until one side changes.
    """
    mapping = one.connected.mapping
    doubt = one.open is not None and (one.open.state in ("sending", "in_doubt") or one.open.doubtful)
    # Every tag of every member: what one of them brings in this pass may be owed to this one at once.
    keys = set(item.state.tags).union(one.base.carried, *(each.shown.tags for each in item.linked))
    if one.base.tags is not None:
        keys |= one.base.tags.keys | one.base.tags.had
    return Member(
        link=one.link_id,
        role=one.connected.role,
        rules=one.rules,
        shown=one.shown,
        fresh=one.fresh,
        status_direction=quiet(one.connected, mapping.status_direction),
        tag_direction=quiet(one.connected, mapping.tag_direction),
        status_base=one.base.status,
        tag_base=one.base.tags,
        in_doubt=one.open.errand.intent if doubt and one.open is not None else None,
        accepts=frozenset(key for key in keys if mapping.accepts(key)),
        held=one.held,
        graph=one.graph,
        automatic=automatic(hub, one),
        created_by_route=one.base.routed,
        carried=one.base.carried,
        follow_up=one.base.follow_up,
        values={
            name: structs.replace(values, direction=quiet(one.connected, values.direction))
            for name, values in mapping.value_rules.items()
            if name in hub.rules.fields
        },
        value_bases=one.base.values,
        seen=one.read_no,
    )


def quiet(connected: Connected, direction: Direction) -> Direction:
    """The direction of a field as far as the connection may write at all."""
    if not connected.only_looks:
        return direction
    return Direction.IN if direction is Direction.BOTH else Direction.OFF if direction in _OUTWARD else direction


_OUTWARD = (Direction.OUT, Direction.ENFORCE)


def automatic(hub: Hub, one: Linked) -> bool | None:
    """Who made the record's present crossing: True the remote itself, False a person, None not asked yet."""
    del hub
    if one.snap.automatic:
        return True
    asked = one.base.attribution
    if asked is not None and asked.raw == one.shown.raw:
        return asked.automatic
    if one.connected.capabilities is not None and not one.connected.capabilities.history:
        return False
    return None
