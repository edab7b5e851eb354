"""Creates out: at most one record per (item, connection), whatever crashes or is retried.

The intent, with what was known just before, is stored before the request leaves, and the target carries the marker. An
answer that was lost is settled by looking for the marker, never by asking again. So is a create that this database may
have forgotten: one for a record from before it was restored, or from before it was made.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec import structs
from sqlalchemy import Connection, or_, select, update

from connectors.contract import Act
from connectors.errors import AuthRejected, RateLimited, RemoteError, WriteRejected
from sync.core.backoff import next_attempt
from sync.core.reasons import HoldReason, ParkReason
from sync.engine import adopt, columns, doubt, down, ingest, marker, parking, rows
from sync.engine.columns import Errand
from sync.engine.deliver import due, may_write
from sync.engine.hub import Connected, Hub, Mode
from sync.mapping.routes import Route
from sync.model import (
    Absent,
    CreateIntent,
    Direction,
    Draft,
    Duplicated,
    LinkView,
    NotYetCertain,
    RecordRef,
    Role,
    Snapshot,
)
from sync.store.tables import deliveries, links, parked


def create(hub: Hub, connected: Connected) -> bool:
    """Settle one create in doubt, or send one. True when there was one whose time had come."""
    doubt.take_up(hub, connected)
    if not due(hub, connected, "create"):
        return False
    states = _states(hub, connected)
    if not states:
        return False
    now = hub.clock.now()
    with hub.store.read() as conn:
        row = conn.execute(
            select(deliveries)
            .where(
                rows.of_open(connected.id),
                deliveries.c.kind == rows.CREATE,
                deliveries.c.state.in_(states),
                or_(deliveries.c.not_before.is_(None), deliveries.c.not_before <= now),
            )
            .order_by(deliveries.c.state, deliveries.c.made_at, deliveries.c.id)
            .limit(1)
        ).first()
    if row is None:
        return False
    try:
        if row.state == "in_doubt":
            _look(hub, connected, row)
        else:
            _send(hub, connected, row)
    except RemoteError as error:
        _failed(hub, connected, row, error)
    return True


def _states(hub: Hub, connected: Connected) -> tuple[str, ...]:
    """The states of creates that may be taken up now.

    To look for a record writes nothing: while a restored connection is held until what it made is known, it must look.
    """
    if may_write(hub, connected):
        return ("waiting", "in_doubt")
    answers = connected.mode is Mode.LIVE and connected.account_checked and not down.unreachable(hub, connected)
    return ("in_doubt",) if answers and connected.health.held == frozenset({HoldReason.RESTORED.value}) else ()


def _send(hub: Hub, connected: Connected, row: Any) -> None:
    route = next((each for each in hub.routes if each.name == row.route), None)
    with hub.store.read() as conn:
        linked = adopt.tracker_of(conn, hub, row.item_id) if connected.role == "tracker" else None
        errand = columns.errand(row.want)
        source = _source(conn, row, errand)
        waits = _waits_for_survivor(conn, source)
        still = rows.active_link(conn, source.id)
        since = marker.older_than_we(conn, source, errand.looked)
    if waits:
        _later(hub, row, _SURVIVOR_SECONDS)
        return
    gone = (
        f"the route {row.route} is not there any more"
        if route is None
        else "the item has an issue already"
        if linked is not None
        else "the record left the item"
        if still is None or still.item_id != row.item_id or source.presence != "present"
        else ""
    )
    if gone or route is None:
        _close(hub, row, "superseded", gone)
        return
    wait = hub.budgets.take(connected.id, connected.draws(Act.CREATE))
    if wait:
        _later(hub, row, wait)
        return
    name = marker.of(hub.connections[source.connection_id], source, connected)
    draft, carried = _draft(hub, connected, route, source, name)
    lacking = connected.mapping.lacks(draft, route)
    if lacking:
        named = f"no value for {', '.join(lacking)}, which the mapping or the route {route.name} requires"
        hub.store.step(lambda conn: _park(conn, hub, connected, row, ParkReason.REQUIRED_FIELD, named))
        return
    probe = connected.remote().probe(draft)
    # A source is dated by its remote: by our clock, if that was set back, it may come from the future.
    at = hub.clock.now() if since is None else min(since, hub.clock.now())
    intent = CreateIntent(marker=name, at=at, probe=probe, draft=draft)
    # What is stored of it is what it is found by; the customer's words are in the request alone.
    found_by = structs.replace(intent, draft=Draft(kind=draft.kind, fields={}))
    errand = structs.replace(errand, create=found_by, carried=carried, source_record=source.id)
    if since is not None:
        # What such a record was created with is not known: as after any join, its tags only ever add.
        errand = structs.replace(errand, carried=frozenset())
        why = "it may have been created in a time of which this database knows nothing"
        _enter_doubt(hub, connected, row, errand, why, not_before=at + marker.INDEX_LAG)
        return
    if not hub.store.step(lambda conn: _claim(conn, hub, row, errand)):
        return
    try:
        _ask_for(hub, connected, row, errand, intent)
    except Exception:
        connected.left_behind[row.id] = row.attempts + 1
        raise


_SURVIVOR_SECONDS = 10.0
"""How soon a create is looked at again whose source was merged into a record that is being read."""


def _source(conn: Connection, row: Any, errand: Errand) -> Any:
    """The record that the create is for: where its source was merged away, the survivor that took its place."""
    source = rows.record_row(conn, errand.source_record or 0)
    survivor = _survivor(conn, source)
    if survivor is None:
        return source
    home = rows.active_link(conn, survivor.id)
    return survivor if home is not None and home.item_id == row.item_id else source


def _survivor(conn: Connection, source: Any) -> Any | None:
    if source.presence != "merged":
        return None
    into = ingest.merged_into(columns.snapshot(source.body))
    return rows.find_record(conn, source.connection_id, into) if into else None


def _waits_for_survivor(conn: Connection, source: Any) -> bool:
    """Whether it is still being found out what takes the place of a source that was merged away."""
    if source.presence != "merged":
        return False
    if rows.active_link(conn, source.id) is not None:
        return True  # its item has not been decided since
    into = ingest.merged_into(columns.snapshot(source.body))
    return bool(into) and rows.is_asked_for(conn, source.connection_id, into)


def _ask_for(hub: Hub, connected: Connected, row: Any, errand: Errand, intent: CreateIntent) -> None:
    """Send a claimed create once."""
    try:
        ref = connected.remote().create(intent.draft, intent.marker)
    except RemoteError as error:
        _answered_badly(hub, connected, row, errand, error)
        return
    down.answered(hub, connected)
    _created(hub, connected, row, errand, ref)


def _draft(hub: Hub, connected: Connected, route: Route, source: Any, marker: str) -> tuple[Draft, frozenset[str]]:
    """The record to ask for, and the keys of the tags that it carries."""
    origin = hub.connections[source.connection_id]
    snap = columns.snapshot(source.body)
    view = origin.mapping.feedback(snap)
    # A tag passes the filters of both systems: what its own keeps back never crosses, not even for a moment.
    speaks = origin.mapping.tag_direction in (Direction.BOTH, Direction.IN)
    told = origin.mapping.shown(snap).tags if speaks else frozenset[str]()
    tags = tuple(tag for tag in view.tags if tag.key in told and origin.mapping.accepts(tag.key))
    view = structs.replace(view, tags=tags)
    shown = LinkView(
        system=origin.system,
        connection=origin.name,
        kind=source.kind,
        id=source.remote_id,
        key=source.key,
        url=source.url,
        title=view.title,
    )
    draft = connected.mapping.draft(view, route, marker, shown)
    keys = (tag.key for tag in view.tags if connected.mapping.accepts(tag.key))
    return draft, frozenset(keys) if draft.tags else frozenset()


def _claim(conn: Connection, hub: Hub, row: Any, errand: Errand) -> bool:
    """The intent is durable before the request leaves."""
    return bool(
        conn.execute(
            update(deliveries)
            .where(
                deliveries.c.id == row.id,
                deliveries.c.state == "waiting",
                deliveries.c.item_id == row.item_id,  # items may have merged since it was looked at
            )
            .values(
                state="sending",
                sent_at=hub.clock.now(),
                attempts=row.attempts + 1,
                want=columns.encode(errand),
                error="",
            )
        ).rowcount
    )


def _answered_badly(hub: Hub, connected: Connected, row: Any, errand: Errand, error: RemoteError) -> None:
    down.failed(hub, connected, error)
    if error.applied:
        _enter_doubt(hub, connected, row, errand, error.message)
    elif isinstance(error, WriteRejected):
        hub.store.step(lambda conn: _park(conn, hub, connected, row, ParkReason.CREATE_REJECTED, error.message))
    else:
        patience = error.retry_after if isinstance(error, RateLimited) else None
        counted = not isinstance(error, RateLimited | AuthRejected)
        at = next_attempt(row.attempts + 1, "write", patience, hub.clock.now(), hub.rng.random())
        hub.store.step(
            lambda conn: conn.execute(
                update(deliveries)
                .where(deliveries.c.id == row.id)
                .values(state="waiting", not_before=at, attempts=row.attempts + int(counted), error=error.message)
            ).close()
        )


def _enter_doubt(
    hub: Hub, connected: Connected, row: Any, errand: Errand, why: str, *, not_before: datetime | None = None
) -> None:
    now = hub.clock.now()
    hub.store.step(
        lambda conn: conn.execute(
            update(deliveries)
            .where(deliveries.c.id == row.id)
            .values(
                state="in_doubt",
                in_doubt_since=row.in_doubt_since or now,
                not_before=not_before,
                error=why,
                want=columns.encode(errand),
            )
        ).close()
    )
    hub.tell("create_in_doubt", connection=connected.name, item=row.item_id, why=why)


def _failed(hub: Hub, connected: Connected, row: Any, error: RemoteError) -> None:
    """A read around a create failed: nothing was sent, or it is still in doubt; look again later."""
    down.failed(hub, connected, error)
    if isinstance(error, WriteRejected):
        hub.store.step(lambda conn: _park(conn, hub, connected, row, ParkReason.CREATE_REJECTED, error.message))
        return
    patience = error.retry_after if isinstance(error, RateLimited) else None
    at = next_attempt(row.attempts + 1, "read", patience, hub.clock.now(), hub.rng.random())
    hub.store.step(
        lambda conn: conn.execute(
            update(deliveries).where(deliveries.c.id == row.id).values(not_before=at, attempts=row.attempts + 1)
        ).close()
    )


# --- in doubt --------------------------------------------------------------------------------------------------


def _look(hub: Hub, connected: Connected, row: Any) -> None:
    """Look for the record of a create whose answer was lost, by its marker."""
    errand = columns.errand(row.want)
    if errand.created is None and errand.create is None:
        _close(hub, row, "waiting", "nothing was sent")
        return
    act = Act.LOOKUP if errand.created is None else Act.FETCH
    wait = hub.budgets.take(connected.id, connected.draws(act))
    if wait:
        _later(hub, row, wait)
        return
    if errand.created is not None:
        _created(hub, connected, row, errand, errand.created)
        return
    assert errand.create is not None  # one of the two is known
    found = connected.remote().find_created(errand.create)
    down.answered(hub, connected)
    match found:
        case RecordRef():
            _created(hub, connected, row, errand, found)
        case NotYetCertain():
            _later(hub, row, found.seconds)
        case Duplicated():
            names = ", ".join(ref.key or ref.id for ref in found.refs)
            mark = errand.create.marker
            detail = f"{names} carry one marker ({mark}): keep one, link it with `hypercare link`, delete the others"
            hub.store.step(lambda conn: _park(conn, hub, connected, row, ParkReason.CREATE_DUPLICATED, detail))
        case Absent():
            with hub.store.read() as conn:
                caught_up, memory = marker.caught_up(conn, connected.id), marker.memory(conn)
            if caught_up is not None and hub.clock.now() < caught_up:
                # It may have been sent again after the backup, as late as just before the restore.
                _later(hub, row, (caught_up - hub.clock.now()).total_seconds())
                return
            anew = columns.encode(structs.replace(columns.bare(errand), looked=memory))
            hub.store.step(
                lambda conn: conn.execute(
                    update(deliveries)
                    .where(deliveries.c.id == row.id)
                    .values(state="waiting", not_before=None, in_doubt_since=None, error="", want=anew)
                ).close()
            )


def _created(hub: Hub, connected: Connected, row: Any, errand: Errand, ref: RecordRef) -> None:
    """The record exists. It is read, stored and made a member in one step; until it can be read, it is remembered."""
    errand = structs.replace(errand, created=ref)
    read_no = hub.reads.next()
    try:
        found = connected.remote().fetch([ref.id])[ref.id]
    except RemoteError as error:
        down.failed(hub, connected, error)
        found = None
    if not isinstance(found, Snapshot):
        _enter_doubt(hub, connected, row, errand, f"{ref.key or ref.id} was created and cannot be read yet")
        _later(hub, row, None)
        return
    snap = found
    hub.store.step(lambda conn: _join(conn, hub, connected, row, errand, snap, read_no))
    hub.signals.ring(f"refresh:{connected.id}")
    hub.signals.ring("settle")
    hub.tell("created", connection=connected.name, item=row.item_id, record=ref.key or ref.id, route=row.route)


def _join(
    conn: Connection, hub: Hub, connected: Connected, row: Any, errand: Errand, snap: Snapshot, read_no: int
) -> None:
    now = hub.clock.now()
    taken = ingest.take(conn, hub, connected, [snap], read_no, why="created")
    record_id = taken.ids[snap.ref.id]
    home = _home(conn, row, errand)
    late = connected.role is Role.TRACKER and adopt.tracker_of(conn, hub, home) is not None
    if rows.active_link(conn, record_id) is None and not late:
        adopt.add_link(conn, hub, home, record_id, f"route {row.route}", carried=errand.carried)
    elif errand.source_record is not None:
        adopt.join(conn, hub, errand.source_record, record_id, made_by=f"route {row.route}")
    conn.execute(
        update(deliveries)
        .where(deliveries.c.id == row.id)
        .values(state="settled", settled_at=now, outcome="created", error="", want=columns.encode(columns.bare(errand)))
    )
    rows.note_journal(
        conn,
        [
            {
                "at": now,
                "item_id": home,
                "field": "record",
                "new": snap.ref.key or snap.ref.id,
                "record_id": record_id,
                "actor": "hypercare",
                "rule": f"created by route {row.route}",
                "delivery_id": row.id,
            }
        ],
    )
    # Its webhook may have come before this, and its read been put off because it might be our own: now it is known.
    rows.read_now(conn, connected.id, connected.kind, snap.ref.id)
    # A cause of its own: what is written because of it is as much as anybody's linking two records by hand.
    rows.mark(conn, [home], now, f"link of hc-{home}")


def _home(conn: Connection, row: Any, errand: Errand) -> int:
    """The item the record is for: the delivery's as it stands now, or where its source is when that one is empty."""
    item_id = _item_of(conn, row)
    mine = conn.execute(select(links.c.id).where(links.c.item_id == item_id, links.c.ended_at.is_(None)).limit(1))
    if mine.first() is not None or errand.source_record is None:
        return item_id
    source = rows.active_link(conn, errand.source_record)
    return item_id if source is None else int(source.item_id)


def _item_of(conn: Connection, row: Any) -> int:
    """The delivery's item: items may have merged while it was under way."""
    return int(conn.execute(select(deliveries.c.item_id).where(deliveries.c.id == row.id)).scalar_one())


def _later(hub: Hub, row: Any, seconds: float | None) -> None:
    now = hub.clock.now()
    at = (
        now + timedelta(seconds=seconds)
        if seconds is not None
        else next_attempt(row.attempts + 1, "read", None, now, hub.rng.random())
    )
    hub.store.step(
        lambda conn: conn.execute(update(deliveries).where(deliveries.c.id == row.id).values(not_before=at)).close()
    )


def _close(hub: Hub, row: Any, state: str, why: str) -> None:
    now = hub.clock.now()
    hub.store.step(
        lambda conn: conn.execute(
            update(deliveries)
            .where(deliveries.c.id == row.id)
            .values(state=state, settled_at=now if state == "superseded" else None, outcome=why[:32])
        ).close()
    )


def _park(conn: Connection, hub: Hub, connected: Connected, row: Any, reason: ParkReason, detail: str) -> None:
    conn.execute(update(deliveries).where(deliveries.c.id == row.id).values(state="parked", error=detail))
    parking.park(
        conn,
        hub,
        connected,
        _item_of(conn, row),
        None,
        "record",
        reason,
        wanted=f"a record on {connected.name} (route {row.route})",
        shown="",
        detail=detail,
        delivery_id=row.id,
    )


def try_again(conn: Connection, hub: Hub, delivery_id: str) -> None:
    """Send a parked create again; after a doubt the look-up comes first."""
    row = conn.execute(select(deliveries).where(deliveries.c.id == delivery_id)).one()
    state = "in_doubt" if row.in_doubt_since is not None else "waiting"
    conn.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery_id, deliveries.c.state == "parked")
        .values(state=state, not_before=None, error="")
    )
    conn.execute(
        update(parked)
        .where(parked.c.delivery_id == delivery_id, parked.c.ended_at.is_(None))
        .values(ended_at=hub.clock.now(), ended_how="tried again")
    )
