"""Every item and record that is known, read in bulk: what the engine asks for each item is asked once for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, String, func, select, type_coerce

from sync.engine import adopt, columns
from sync.engine.hub import Connected, Hub
from sync.engine.load import Linked, Open, Whole, graph_of
from sync.model import LinkShown, Move, RecordRef, Snapshot
from sync.store.tables import aliases, deliveries, holds, items, links, records, refreshes, workflows

_PORTION = 2_000
_OPEN = ("waiting", "sending", "in_doubt")


@dataclass(frozen=True, kw_only=True)
class Lone:
    """A record without an item. ended: it was a member once."""

    id: int
    connected: Connected
    ref: RecordRef
    snap: Snapshot
    version: str
    created_at: datetime
    ended: bool


@dataclass(kw_only=True)
class Known:
    """What one snapshot of the database knows. Everything but the records' bodies is read at once and kept."""

    conn: Connection
    hub: Hub
    records: int = 0
    oldest_at: datetime | None = None
    newest_at: datetime | None = None
    _names: dict[tuple[int, str], int] = field(default_factory=dict)
    _open: dict[int, Open] = field(default_factory=dict)
    _asked: frozenset[tuple[int, str, str]] = frozenset()
    _held: dict[int, frozenset[str]] = field(default_factory=dict)
    _moves: dict[tuple[int, str], dict[str, tuple[Move, ...]]] = field(default_factory=dict)
    _graphs: dict[tuple[int, str], dict[str, tuple[str, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        conn = self.conn
        seen = type_coerce(records.c.seen_at, String)
        here = records.c.connection_id.in_(sorted(self.hub.connections))
        self.records, oldest, newest = conn.execute(
            select(func.count(), func.min(seen), func.max(seen)).where(here)
        ).one()
        self.oldest_at, self.newest_at = _time(oldest), _time(newest)
        for alias in conn.execute(select(aliases.c.connection_id, aliases.c.alias, aliases.c.record_id)):
            self._names[alias.connection_id, alias.alias] = alias.record_id
        named = conn.execute(select(records.c.id, records.c.connection_id, records.c.key, records.c.remote_id)).all()
        self._names.update(((row.connection_id, row.key), row.id) for row in named if row.key)
        self._names.update(((row.connection_id, row.remote_id), row.id) for row in named)
        for row in conn.execute(select(deliveries).where(deliveries.c.state.in_(_OPEN))):
            if row.link_id is not None:
                self._open[row.link_id] = Open(
                    id=row.id, state=row.state, errand=columns.errand(row.want), doubtful=row.in_doubt_since is not None
                )
        asked = select(refreshes.c.connection_id, refreshes.c.kind, refreshes.c.remote_id)
        waiting = conn.execute(asked.where(refreshes.c.why.not_in(("sweep", "history"))))
        self._asked = frozenset((row.connection_id, row.kind, row.remote_id) for row in waiting)
        for held in conn.execute(select(holds.c.link_id, holds.c.field).where(holds.c.released_at.is_(None))):
            if held.link_id is not None:
                self._held[held.link_id] = self._held.get(held.link_id, frozenset()) | {held.field}
        for step in conn.execute(select(workflows)):
            self._moves.setdefault((step.connection_id, step.workflow), {})[step.raw] = columns.moves(step.moves)

    # --- items ---------------------------------------------------------------------------------------------------

    def items(self) -> Iterator[tuple[Whole, bool]]:
        """Every item with members, in the order of their ids, and whether it is settled."""
        statement = (
            select(
                items.c.id.label("item_id"), items.c.gen, items.c.done_gen, items.c.attempts, items.c.cause,
                items.c.state, items.c.tag_texts, links.c.id.label("link_id"), links.c.version.label("link_version"),
                links.c.base, links.c.fingerprint, links.c.made_by, records.c.id.label("record_id"),
                records.c.connection_id, records.c.kind, records.c.remote_id, records.c.key, records.c.url,
                records.c.presence, records.c.body,
            )
            .select_from(
                items.join(links, links.c.item_id == items.c.id).join(records, links.c.record_id == records.c.id)
            )
            .where(links.c.ended_at.is_(None))
            .order_by(items.c.id, links.c.id)
            .execution_options(yield_per=_PORTION)
        )  # fmt: skip
        for _, group in groupby(self.conn.execute(statement), key=lambda row: row.item_id):
            found = list(group)
            first = found[0]
            ours = [row for row in found if row.connection_id in self.hub.connections]
            yield (
                Whole(
                    id=first.item_id,
                    gen=first.gen,
                    attempts=first.attempts,
                    cause=first.cause,
                    state=columns.item_state(first.state),
                    tag_texts=columns.texts(first.tag_texts),
                    linked=tuple(self._linked(row) for row in ours),
                    strangers=len(found) - len(ours),
                ),
                first.gen == first.done_gen,
            )

    def _linked(self, row: Any) -> Linked:
        connected = self.hub.connections[row.connection_id]
        snap = columns.snapshot(row.body)
        shown = connected.mapping.shown(snap)
        moves, graph = self._workflow(connected, snap, shown.raw)
        return Linked(
            link_id=row.link_id,
            link_version=row.link_version,
            record_id=row.record_id,
            connected=connected,
            ref=RecordRef(kind=row.kind, id=row.remote_id, key=row.key, url=row.url),
            snap=snap,
            shown=shown,
            rules=connected.mapping.rules_for(snap, [move for steps in moves.values() for move in steps]),
            presence=row.presence,
            base=columns.base(row.base),
            fingerprint=row.fingerprint,
            made_by=row.made_by,
            open=self._open.get(row.link_id),
            asked=(row.connection_id, row.kind, row.remote_id) in self._asked,
            held=self._held.get(row.link_id, frozenset()),
            references=self.references(connected, snap),
            graph=graph,
            moves=moves,
        )

    def references(
        self, connected: Connected, snap: Snapshot
    ) -> tuple[tuple[LinkShown, int | None, Connected, str], ...]:
        """What a snapshot names, with the record it is where that is known."""
        return tuple(
            (link, self._names.get((there.id, text)), there, text)
            for link, there, text in adopt.references(self.hub, connected, snap)
        )

    def record(self, there: Connected, name: str) -> int | None:
        """The record of a connection that a key, an id or an address names."""
        return self._names.get((there.id, there.parse_reference(name) or name))

    def _workflow(
        self, connected: Connected, snap: Snapshot, raw: str
    ) -> tuple[Mapping[str, tuple[Move, ...]], Mapping[str, tuple[str, ...]] | None]:
        if connected.capabilities is None or not connected.capabilities.workflows:
            return {}, None
        place = connected.id, snap.workflow
        known = self._moves.get(place, {})
        if snap.moves is not None and known.get(raw) != snap.moves:
            own = {**known, raw: snap.moves}
            return own, graph_of(connected, own)
        graph = self._graphs.get(place)
        if graph is None:
            graph = self._graphs[place] = graph_of(connected, known)
        return known, graph

    # --- records without an item ---------------------------------------------------------------------------------

    def lone(self) -> Iterator[Lone]:
        """Every record that belongs to no item and is there."""
        active = select(links.c.record_id).where(links.c.ended_at.is_(None))
        former = frozenset(self.conn.execute(select(links.c.record_id).distinct()).scalars())
        statement = (
            select(
                records.c.id, records.c.connection_id, records.c.kind, records.c.remote_id, records.c.key,
                records.c.url, records.c.version, records.c.body, records.c.created_at,
            )
            .where(records.c.presence == "present", records.c.id.not_in(active))
            .order_by(records.c.id)
            .execution_options(yield_per=_PORTION)
        )  # fmt: skip
        for row in self.conn.execute(statement):
            connected = self.hub.connections.get(row.connection_id)
            if connected is not None:
                yield Lone(
                    id=row.id,
                    connected=connected,
                    ref=RecordRef(kind=row.kind, id=row.remote_id, key=row.key, url=row.url),
                    snap=columns.snapshot(row.body),
                    version=row.version,
                    created_at=row.created_at,
                    ended=row.id in former,
                )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
