"""Direct reads: the records somebody asked for, in bulk; one alone is read with its links and workflow steps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import structs
from sqlalchemy import Connection, bindparam, delete, or_, select, update

from connectors.contract import Act
from connectors.errors import RateLimited, RemoteError, UnexpectedAnswer
from sync.core import lens
from sync.core.backoff import next_attempt
from sync.core.reasons import ParkReason
from sync.engine import adopt, brakes, columns, down, ingest, membership, own_writes, parking, restored, rows
from sync.engine.budgets import Priority
from sync.engine.columns import Attribution
from sync.engine.hub import Connected, Hub
from sync.engine.ingest import Membership
from sync.model import FieldEdit, Missing, Origin, Snapshot
from sync.store.errors import StoreError
from sync.store.tables import links, records, refreshes

_ALONE = frozenset({"sweep", "history", "member", "fight", "follow"})
"""Reasons that need what only a read of one record shows: its links, its history."""

_TOO_OLD = 3
"""How often a record is read once more whose reading does not show what a list has shown; then its next change is
waited for."""

_SOON = timedelta(seconds=5)
"""Until it is read once more; each time twice as long."""

_ODD_ANSWERS = 3
"""Answers not understood in a row for one record, before a person is told."""


_PATIENT = 0.999
"""No chance in the wait after a defect of ours: a wait of no time at all would try it again at once."""

_NAMED = 5
"""Records that an event names at most."""


# Built once: building a statement costs several times its execution.
_DUE = (
    select(refreshes)
    .where(
        refreshes.c.connection_id == bindparam("of"),
        (refreshes.c.not_before.is_(None)) | (refreshes.c.not_before <= bindparam("now")),
    )
    .order_by(refreshes.c.why == "sweep", refreshes.c.asked_at)
    .limit(bindparam("most"))
)
_READ = delete(refreshes).where(
    refreshes.c.connection_id == bindparam("of"),
    refreshes.c.kind == bindparam("sort"),
    refreshes.c.remote_id == bindparam("named"),
    refreshes.c.gen == bindparam("seen"),
)
_READ_ANEW = (
    update(refreshes)
    .where(
        refreshes.c.connection_id == bindparam("of"),
        refreshes.c.kind == bindparam("sort"),
        refreshes.c.remote_id == bindparam("named"),
        refreshes.c.gen == bindparam("seen"),
    )
    .values(not_before=bindparam("at"), attempts=refreshes.c.attempts + 1)
)


def refresh(hub: Hub, connected: Connected) -> bool:
    """Read what was asked for. True when something was read, or had to be put off."""
    if down.unreachable(hub, connected):
        return False
    asked = _due(hub, connected)
    if not asked:
        return False
    batch = [asked[0]] if asked[0].why in _ALONE else [row for row in asked if row.why not in _ALONE]
    try:
        return _read(hub, connected, batch)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001  one record that we stumble over must not hold up those behind it
        _stumbled(hub, connected, batch, error)
        return True


def _read(hub: Hub, connected: Connected, batch: Sequence[Any]) -> bool:
    if batch[0].why == "history" and _asked_of_history(hub, connected, batch[0]):
        return True
    priority = Priority.BACKFILL if batch[0].why == "sweep" else Priority.LIVE
    wait = hub.budgets.take(connected.id, connected.draws(Act.FETCH), priority=priority)
    if wait:
        _put_off(hub, batch, wait)
        return False
    read_no = hub.reads.next()
    try:
        found = connected.remote().fetch([row.remote_id for row in batch], whole=_whole(hub, connected, batch))
    except RemoteError as error:
        down.failed(hub, connected, error)
        _retry(hub, connected, batch, error)
        return True
    down.answered(hub, connected)
    snapshots = {key: value for key, value in found.items() if isinstance(value, Snapshot)}
    missing = {key: value for key, value in found.items() if isinstance(value, Missing)}
    for forgotten in restored.forgotten(hub, connected, snapshots):
        try:
            restored.recognise(hub, connected, forgotten, snapshots[forgotten.remote_id])
        except RemoteError as error:
            down.failed(hub, connected, error)
            _retry(hub, connected, [row for row in batch if row.remote_id == forgotten.remote_id], error)
            batch = [row for row in batch if row.remote_id != forgotten.remote_id]
            del snapshots[forgotten.remote_id]
    if not batch:
        return True
    doubted: set[str] = set()
    stored = _store_all(hub, connected, batch, snapshots, missing, read_no, doubted, bulk=len(batch) > 1)
    for remote_id in sorted(doubted):
        _ask_history_of_doubted(hub, connected, snapshots[remote_id], read_no)
    for row in stored:
        if row.why == "history" and isinstance(snap := found.get(row.remote_id), Snapshot):
            attribute(hub, connected, snap)
        if row.why == "fight" and isinstance(snap := found.get(row.remote_id), Snapshot):
            brakes.name_other(hub, connected, snap)
    hub.signals.ring("settle")
    return True


def _whole(hub: Hub, connected: Connected, batch: Sequence[Any]) -> bool | None:
    """Whether to read links and workflow steps too, which costs further calls.

    Always when they may be the point. A record that a webhook or a poll named is read with them when that was last
    done some time ago: so a link made by hand is found with the next edit, and a busy record costs one call a change.
    """
    if len(batch) > 1:
        return None
    if batch[0].why not in ("hook", "list", rows.DOUBTED):
        return True
    with hub.store.read() as conn:
        row = rows.find_record(conn, connected.id, batch[0].remote_id)
    return row is None or row.swept_at is None or row.swept_at < hub.clock.now() - hub.settings.links_every


def _due(hub: Hub, connected: Connected) -> Sequence[Any]:
    now = hub.clock.now()
    with hub.store.read() as conn:
        return conn.execute(_DUE, {"of": connected.id, "now": now, "most": hub.settings.refresh_batch}).all()


def _same(row: Any) -> Any:
    return (
        (refreshes.c.connection_id == row.connection_id)
        & (refreshes.c.kind == row.kind)
        & (refreshes.c.remote_id == row.remote_id)
    )


def _store_all(
    hub: Hub,
    connected: Connected,
    batch: Sequence[Any],
    snapshots: dict[str, Snapshot],
    missing: dict[str, Missing],
    read_no: int,
    doubted: set[str],
    *,
    bulk: bool,
) -> Sequence[Any]:
    """Store what was read. What we stumble over is found by halves and put off alone; the rows that were stored.

    doubted: takes up the records whose reading takes back what we wrote just before.
    """
    named = {row.remote_id for row in batch}
    some = {key: value for key, value in snapshots.items() if key in named}
    lost = {key: value for key, value in missing.items() if key in named}
    try:
        doubted |= hub.store.step(lambda conn: _store(conn, hub, connected, batch, some, lost, read_no, bulk=bulk))
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001  told with its trace; the other records go on
        if len(batch) == 1:
            _stumbled(hub, connected, batch, error)
            return ()
        middle = len(batch) // 2
        return [
            *_store_all(hub, connected, batch[:middle], some, lost, read_no, doubted, bulk=bulk),
            *_store_all(hub, connected, batch[middle:], some, lost, read_no, doubted, bulk=bulk),
        ]
    return batch


def _store(
    conn: Connection,
    hub: Hub,
    connected: Connected,
    batch: Sequence[Any],
    snapshots: dict[str, Snapshot],
    missing: dict[str, Missing],
    read_no: int,
    *,
    bulk: bool,
) -> set[str]:
    doubted: set[str] = set()
    touched: set[int] = set()
    members: dict[str, Membership] = {}
    by_why: dict[str, list[Snapshot]] = {}
    for row in batch:
        if row.remote_id in snapshots:
            by_why.setdefault(row.why, []).append(snapshots[row.remote_id])
    for why, some in by_why.items():
        taken = ingest.take(conn, hub, connected, some, read_no, why=why)
        touched |= taken.touched
        members |= taken.members
        doubted |= taken.doubted.keys()
    if missing:
        ingest.take_missing(conn, hub, connected, missing)
    done: list[dict[str, Any]] = []
    for row in batch:
        same = {"of": row.connection_id, "sort": row.kind, "named": row.remote_id, "seen": row.gen}
        if _is_too_old(row, snapshots.get(row.remote_id)):
            conn.execute(_READ_ANEW, {**same, "at": hub.clock.now() + _SOON * 2**row.attempts})
        else:
            done.append(same)
    if done:
        conn.execute(_READ, done)
    for row in batch:
        if row.why == "sweep":
            _forget_unknown(conn, hub, connected, row.remote_id)
        if row.askers and rows.find_record(conn, connected.id, row.remote_id) is not None:
            for asker_id in map(int, row.askers.strip(",").split(",")):
                _tell_asker(conn, hub, row, asker_id)
    # A member that was read again may be the one its group is waiting for.
    read = [members[snap.ref.id] for snap in snapshots.values() if snap.ref.id in members]
    for each in read:
        parking.end(conn, hub, each.link_id, "record", "it was read again")
    rows.mark(conn, {each.item_id for each in read} - touched, hub.clock.now())
    if bulk:
        _look_at_links(conn, hub, connected, list(snapshots))
    return doubted


def _is_too_old(row: Any, snap: Snapshot | None) -> bool:
    """Whether a reading is from before what a list has shown, a change or an end: the feed names it no more."""
    return snap is not None and snap.version < row.shown and row.attempts < _TOO_OLD


def _ask_history_of_doubted(hub: Hub, connected: Connected, snap: Snapshot, read_no: int) -> None:
    """Believe a reading that takes back our own write, if the record's history shows that somebody did so after us.

    Otherwise it is read again, as asked for when it was doubted.
    """
    if connected.capabilities is not None and not connected.capabilities.history:
        return
    if hub.budgets.take(connected.id, connected.draws(Act.HISTORY)):
        return
    try:
        history = connected.remote().history(snap.ref, snap.version)
    except RemoteError as error:
        down.failed(hub, connected, error)
        return
    if not own_writes.bears_out(connected, snap, history):
        return

    def step(conn: Connection) -> None:
        taken = ingest.take(conn, hub, connected, [snap], read_no, why="history", borne_out=True)
        rows.mark(conn, taken.touched, hub.clock.now())
        rows.not_asked(conn, connected.id, connected.kind, snap.ref.id)

    hub.store.step(step)


_UNSEEN = (
    select(records.c.kind, records.c.remote_id)
    .select_from(records.join(links, links.c.record_id == records.c.id))
    .where(
        records.c.connection_id == bindparam("of"),
        records.c.remote_id.in_(bindparam("named", expanding=True)),
        links.c.ended_at.is_(None),
        or_(records.c.swept_at.is_(None), records.c.swept_at < bindparam("before")),
    )
)


def _look_at_links(conn: Connection, hub: Hub, connected: Connected, remote_ids: Sequence[str]) -> None:
    """Members read in bulk came without their links. Where nobody has looked at them lately, they are read again.

    Alone, with all they show, and behind all live work: as the sweep does, only sooner.
    """
    now = hub.clock.now()
    for piece in rows.chunks(remote_ids):
        asked = {"of": connected.id, "named": piece, "before": now - hub.settings.links_every}
        unseen = conn.execute(_UNSEEN, asked).all()
        rows.ask(conn, connected.id, [(row.kind, row.remote_id) for row in unseen], now, "sweep")


def _forget_unknown(conn: Connection, hub: Hub, connected: Connected, remote_id: str) -> None:
    """References that named nothing, or a record of another item, are looked up again once a sweep."""
    row = rows.find_record(conn, connected.id, remote_id)
    link = rows.active_link(conn, row.id) if row is not None else None
    if link is None:
        return
    base = columns.base(link.base)
    if not base.links.unknown and not base.links.elsewhere:
        return
    known = structs.replace(base.links, unknown=frozenset(), elsewhere=frozenset())
    base = structs.replace(base, links=known)
    conn.execute(
        update(links).where(links.c.id == link.id).values(base=columns.encode(base), version=links.c.version + 1)
    )
    rows.mark(conn, [link.item_id], hub.clock.now())


def _tell_asker(conn: Connection, hub: Hub, row: Any, asker_id: int) -> None:
    """The record whose reference made us read this one, or which waits for the steps that it shows, looks again."""
    asker = rows.record_row(conn, asker_id)
    link = rows.active_link(conn, asker.id)
    now = hub.clock.now()
    if link is not None:
        rows.mark(conn, [link.item_id], now)
    elif asker.presence == "merged":
        read = rows.find_record(conn, row.connection_id, row.remote_id)
        if read is not None and read.presence == "present":
            rows.mark(conn, membership.take_place(conn, hub, asker, read.id), now)
    elif asker.connection_id in hub.connections and asker.presence == "present":
        touched = adopt.adopt(conn, hub, hub.connections[asker.connection_id], asker.id, columns.snapshot(asker.body))
        rows.mark(conn, touched, now)


def _park_unread(conn: Connection, hub: Hub, connected: Connected, remote_id: str, why: str) -> None:
    """Tell that a record's answer is not understood. It is asked for again all the same, with the usual patience."""
    row = rows.find_record(conn, connected.id, remote_id)
    link = rows.active_link(conn, row.id) if row is not None else None
    if link is not None:
        parking.cannot_be_read(conn, hub, connected, link, ParkReason.NOT_UNDERSTOOD, why)


def _put_off(hub: Hub, batch: Sequence[Any], seconds: float) -> None:
    later = hub.clock.now() + timedelta(seconds=seconds)

    def step(conn: Connection) -> None:
        for row in batch:
            conn.execute(update(refreshes).where(_same(row)).values(not_before=later))

    hub.store.step(step)


def _retry(hub: Hub, connected: Connected, batch: Sequence[Any], error: RemoteError) -> None:
    """Ask again later. Of several in an answer that is not understood, each is asked for alone: one may be at fault."""
    now = hub.clock.now()
    patience = error.retry_after if isinstance(error, RateLimited) else None
    odd = isinstance(error, UnexpectedAnswer)

    def step(conn: Connection) -> None:
        for row in batch:
            at = next_attempt(row.attempts + 1, "read", patience, now, hub.rng.random())
            attempts = row.attempts if isinstance(error, RateLimited) else row.attempts + 1
            why = "member" if odd and len(batch) > 1 else row.why
            conn.execute(update(refreshes).where(_same(row)).values(not_before=at, attempts=attempts, why=why))
            if odd and len(batch) == 1 and attempts >= _ODD_ANSWERS:
                _park_unread(conn, hub, connected, row.remote_id, error.message)

    hub.store.step(step)


def _stumbled(hub: Hub, connected: Connected, batch: Sequence[Any], error: Exception) -> None:
    """A defect of ours met some records: told, and each is asked for again alone, ever more patiently."""
    now = hub.clock.now()

    def step(conn: Connection) -> None:
        for row in batch:
            at = next_attempt(row.attempts + 1, "read", None, now, _PATIENT)
            why = "member" if len(batch) > 1 else row.why
            values = {"not_before": at, "attempts": row.attempts + 1, "why": why}
            conn.execute(update(refreshes).where(_same(row)).values(**values))

    hub.store.step(step)
    where = f"reading {', '.join(row.remote_id for row in batch[:_NAMED])}"
    hub.tell("internal_error", where=where, connection=connected.name, records=len(batch), error=error)


def _asked_of_history(hub: Hub, connected: Connected, asked: Any) -> bool:
    """Ask the history alone about a record that has been read directly. False: it must be read anew first."""
    with hub.store.read() as conn:
        row = rows.find_record(conn, connected.id, asked.remote_id)
    if row is None or row.origin != Origin.DIRECT.value or row.presence != "present":
        return False
    if not attribute(hub, connected, columns.snapshot(row.body), doubted=True):
        return False
    done = {"of": asked.connection_id, "sort": asked.kind, "named": asked.remote_id, "seen": asked.gen}
    hub.store.step(lambda conn: conn.execute(_READ, done).close())
    hub.signals.ring("settle")
    return True


def attribute(hub: Hub, connected: Connected, snap: Snapshot, *, doubted: bool = False) -> bool:
    """Ask the record's own history who brought it to the status it shows, and remember it at its link.

    doubted: the snapshot was not read just now. Then a history that ends with another status proves it old: False, and
    nothing is remembered. (Just after a read it proves nothing: a renamed status stands in a history by its old name.)
    """
    with hub.store.read() as conn:
        row = rows.find_record(conn, connected.id, snap.ref.id)
        link = rows.active_link(conn, row.id) if row is not None else None
    if link is None:
        return True
    raw = connected.mapping.shown(snap).raw
    found = Attribution(version=snap.version, raw=raw, automatic=snap.automatic, actor="")
    if connected.capabilities is None or connected.capabilities.history:
        wait = hub.budgets.take(connected.id, connected.draws(Act.HISTORY))
        if wait:
            _ask_history_later(hub, connected, snap, hub.clock.now() + timedelta(seconds=wait))
            return True
        try:
            history = connected.remote().history(snap.ref, "")
        except RemoteError as error:
            down.failed(hub, connected, error)
            patience = error.retry_after if isinstance(error, RateLimited) else None
            at = next_attempt(1, "read", patience, hub.clock.now(), hub.rng.random())
            _ask_history_later(hub, connected, snap, at)
            return True
        moves = [
            (entry, edits)
            for entry in reversed(history)
            if (edits := [edit for edit in entry.edits if edit.field == connected.mapping.status_field])
        ]
        if doubted and moves and str(moves[0][1][-1].new).casefold() != raw.casefold():
            return False
        # Not whoever moved it last: an automation closes what a person has solved.
        crossings = (entry for entry, edits in moves if _crosses(connected, snap, edits))
        by = next(crossings, moves[0][0] if moves else None)
        if by is not None:
            found = Attribution(version=snap.version, raw=raw, automatic=by.automatic, actor=by.actor, at=by.at)

    def step(conn: Connection) -> None:
        fresh = conn.execute(select(links).where(links.c.id == link.id)).one()
        base = columns.base(fresh.base)
        conn.execute(
            update(links)
            .where(links.c.id == link.id)
            .values(base=columns.encode(_with_attribution(base, found)), version=links.c.version + 1)
        )
        rows.mark(conn, [fresh.item_id], hub.clock.now())

    hub.store.step(step)
    return True


def _crosses(connected: Connected, snap: Snapshot, edits: Sequence[FieldEdit]) -> bool:
    """Whether a row's edits of the status lead over the line; a value that the mapping does not know does."""
    rules = connected.mapping.rules_for(snap)
    before, after = (lens.get(rules, str(value)) for value in (edits[0].old, edits[-1].new))
    return before is None or after is None or before.side is not after.side


def _ask_history_later(hub: Hub, connected: Connected, snap: Snapshot, at: datetime) -> None:
    """The question stays, and is not put before then: a remote that asked for patience gets it."""
    asked = [(connected.kind, snap.ref.id)]
    hub.store.step(lambda conn: rows.ask(conn, connected.id, asked, hub.clock.now(), "history", not_before=at))


def _with_attribution(base: columns.Base, found: Attribution) -> columns.Base:
    return structs.replace(base, attribution=found)
