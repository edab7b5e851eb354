"""The change feed: one page a call, stored with its cursor in one step. Two feeds: `live`, and `import` of the past."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import structs
from sqlalchemy import Connection, bindparam, func, insert, select, update

from connectors.contract import Act, Page
from connectors.errors import CursorExpired, RemoteError
from sync.core.reasons import HoldReason
from sync.engine import down, ingest, room, rows, stuck
from sync.engine.budgets import Priority
from sync.engine.hub import Connected, Hub
from sync.model import Missing, MissingKind, Snapshot
from sync.store.errors import StoreError
from sync.store.tables import cursors, records

if TYPE_CHECKING:
    from concurrent.futures import Future  # noqa: TID251  the type only: the futures are made by the store

LIVE, IMPORT = "live", "import"
_AHEAD = 20
"""Pages that one call of `read_ahead` reads at most: then the worker looks whether it is to stop."""

# Built once: building a statement costs several times its execution.
_FEED = select(cursors).where(cursors.c.connection_id == bindparam("of"), cursors.c.feed == bindparam("named"))
_BEGUN = insert(cursors)
_MOVED = (
    update(cursors)
    .where(
        cursors.c.connection_id == bindparam("of"),
        cursors.c.feed == bindparam("named"),
        cursors.c.started_at == bindparam("run"),
    )
    .values(
        cursor=bindparam("to"),
        records=cursors.c.records + bindparam("more"),
        pages=cursors.c.pages + 1,
        total=bindparam("in_all"),
        moved_at=bindparam("at"),
        finished_at=bindparam("finished"),
    )
)


def open_feeds(conn: Connection, hub: Hub, connected: Connected, import_since: datetime | None = None) -> None:
    """At first contact: the live feed begins a moment ago, the import at a chosen date."""
    now = hub.clock.now()
    if feed(conn, connected, LIVE) is None:
        start = now - hub.settings.poll_overlap
        _begin(conn, connected, LIVE, start, now)
        _begin(conn, connected, IMPORT, import_since or now - timedelta(days=hub.settings.import_days), now)


def _begin(conn: Connection, connected: Connected, name: str, since: datetime, now: datetime) -> None:
    values = {"feed": name, "cursor": None, "since": since, "started_at": now, "moved_at": now}
    conn.execute(_BEGUN, {"connection_id": connected.id, **values})


def feed(conn: Connection, connected: Connected, name: str) -> Any | None:
    """One feed's row, or None."""
    return conn.execute(_FEED, {"of": connected.id, "named": name}).first()


_NEWEST = select(func.max(records.c.updated_at)).where(records.c.connection_id == bindparam("of"))


def known_until(conn: Connection, connected: Connected, since: datetime, moved_at: datetime) -> datetime:
    """Until when all is known of a feed, by the remote's clock. since, moved_at: of its row, which are by ours.

    Ours may have been ahead when the feed was last at its end: it is never later than the newest change that was seen.
    """
    newest: datetime | None = conn.execute(_NEWEST, {"of": connected.id}).scalar()
    return min(moved_at, since if newest is None else newest)


def restart(conn: Connection, connected: Connected, name: str, since: datetime, now: datetime) -> None:
    """Begin a feed anew from a time; nothing is lost or doubled, since versions decide."""
    values = {
        "cursor": None,
        "since": since,
        "records": 0,
        "pages": 0,
        "total": None,
        "started_at": now,
        "moved_at": since if name == LIVE else now,
        "finished_at": None,
    }
    changed = conn.execute(
        update(cursors).where(cursors.c.connection_id == connected.id, cursors.c.feed == name).values(**values)
    )
    if not changed.rowcount:
        conn.execute(insert(cursors).values(connection_id=connected.id, feed=name, **values))


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a feed has come to. started_at: of this run of it; a feed that is begun anew has another one.

    moved_at: for the live feed, when it was last read to its end: all before is known, should its cursor be lost in the
    middle of catching up. For the import, when its last page was stored.
    """

    cursor: str | None
    since: datetime
    started_at: datetime
    moved_at: datetime
    total: int | None
    records: int


def poll(hub: Hub, connected: Connected, name: str = LIVE) -> bool:
    """Read one page of a feed. True when there is more to read at once."""
    return _read(hub, connected, name, pages=1)


def read_ahead(hub: Hub, connected: Connected) -> bool:
    """Read the import's next pages, each while the one before is being stored. True when there are more.

    A page is handed to the store only once the one before it is durable, so the cursor never runs ahead of the records.
    """
    return _read(hub, connected, IMPORT, pages=_AHEAD)


def _read(hub: Hub, connected: Connected, name: str, *, pages: int) -> bool:
    with hub.store.read() as conn:
        state = feed(conn, connected, name)
    if state is None or (name == IMPORT and state.finished_at is not None):
        return False
    place = Place(
        cursor=state.cursor,
        since=state.since,
        started_at=state.started_at,
        moved_at=state.moved_at,
        total=state.total,
        records=state.records,
    )
    storing: _Storing | None = None
    more = False
    for _ in range(pages):
        read_no = hub.reads.next()
        page = _page(hub, connected, name, place)
        if storing is not None and not _stored(hub, connected, storing):
            return True
        storing = None
        if not isinstance(page, Page):
            return page
        storing = _submit(hub, connected, name, place, page, read_no)
        more = page.more
        if more and page.cursor == place.cursor:
            # The same place again: asking at once would go on for ever. The next poll asks there once more.
            hub.tell("feed_repeats", connection=connected.name, feed=name)
            more = False
        if not more:
            break
        place = replace(
            place,
            cursor=page.cursor,
            moved_at=hub.clock.now(),
            total=page.total if page.total is not None else place.total,
            records=place.records + len(page.snapshots),
        )
    if storing is not None and not _stored(hub, connected, storing):
        return True
    return more


def _page(hub: Hub, connected: Connected, name: str, place: Place) -> Page | bool:
    """The page at a place. Without one, whether to look again at once."""
    if down.unreachable(hub, connected) or stuck.resting(hub, connected, name):
        return False
    priority = Priority.LIVE if name == LIVE else Priority.BACKFILL
    if hub.budgets.take(connected.id, connected.draws(Act.PAGE), priority=priority):
        if name == LIVE and room.is_closed(hub, connected):
            hub.store.step(lambda conn: room.note(conn, hub, connected))  # no page will tell it now
        return False
    try:
        page = connected.remote().page(place.cursor, place.since)
    except CursorExpired:
        _restart_from_safe(hub, connected, name, place)
        return True
    except RemoteError as error:
        down.failed(hub, connected, error)
        return False
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001  told with its trace; all but this feed goes on
        stuck.stumbled(hub, connected, name, error)
        return False
    down.answered(hub, connected)
    stuck.went_on(hub, connected, name)
    return page


@dataclass(frozen=True, kw_only=True)
class _Storing:
    """A page that is being stored, and how to store it without some of its records."""

    page: Page
    read_no: int
    future: Future[tuple[bool, bool]]
    without: Callable[[Mapping[str, Exception]], tuple[bool, bool]]


def _submit(hub: Hub, connected: Connected, name: str, place: Place, page: Page, read_no: int) -> _Storing:
    step = partial(_store, hub=hub, connected=connected, name=name, place=place, page=page, read_no=read_no)
    return _Storing(
        page=page,
        read_no=read_no,
        future=hub.store.submit(step),
        without=lambda odd: hub.store.step(partial(step, odd=frozenset(odd))),
    )


def _stored(hub: Hub, connected: Connected, storing: _Storing) -> bool:
    """Wait until a page is durable. False when the feed was begun anew meanwhile. Raises StoreUnavailable.

    A record that our own code stumbles over is told as a defect and asked for by a direct read; the feed goes on.
    """
    try:
        went_on, brought = storing.future.result()
    except StoreError:
        raise
    except Exception:  # noqa: BLE001  told below, record by record
        odd = _odd_ones(hub, connected, storing.page.snapshots, storing.read_no)
        went_on, brought = storing.without(odd)  # raises what lies in no single record
        for remote_id, error in odd.items():
            where = f"storing {remote_id} from the feed"
            hub.tell("internal_error", where=where, connection=connected.name, error=error)
    if brought:
        hub.signals.ring("settle")
        hub.signals.ring(f"refresh:{connected.id}")
    return went_on


def _odd_ones(hub: Hub, connected: Connected, snapshots: Sequence[Snapshot], read_no: int) -> dict[str, Exception]:
    """The records of a page that cannot be stored, with why, found by halves; the others are stored on the way."""
    if not snapshots:
        return {}
    try:
        hub.store.step(lambda conn: ingest.take(conn, hub, connected, snapshots, read_no))
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001  told by the caller
        if len(snapshots) == 1:
            return {snapshots[0].ref.id: error}
        middle = len(snapshots) // 2
        first = _odd_ones(hub, connected, snapshots[:middle], read_no)
        return first | _odd_ones(hub, connected, snapshots[middle:], read_no)
    return {}


def _store(
    conn: Connection,
    *,
    hub: Hub,
    connected: Connected,
    name: str,
    place: Place,
    page: Page,
    read_no: int,
    odd: frozenset[str] = frozenset(),
) -> tuple[bool, bool]:
    """Store a page with its cursor: (whether the cursor moved, whether the page brought anything).

    odd: the records that cannot be taken from the page; each is asked for by a direct read instead.
    The cursor stays when the feed was begun anew since the page was asked for.
    """
    now = hub.clock.now()
    unknown = _unknown(conn, connected, page)
    if odd:
        page = structs.replace(page, snapshots=tuple(snap for snap in page.snapshots if snap.ref.id not in odd))
        rows.ask(conn, connected.id, [(connected.kind, remote_id) for remote_id in odd], now, "list")
    taken = ingest.take(conn, hub, connected, page.snapshots, read_no)
    # A feed's word that a record is gone is confirmed by a direct read before it is believed: by one from after it.
    gone = _newly_gone(conn, connected, page.missing)
    rows.ask(conn, connected.id, [(connected.kind, key) for key in gone], now, "confirm", shown=gone)
    if unknown:
        # What was made since the backup may be our own creates: read whole, they show what they belong to.
        rows.ask(conn, connected.id, [(connected.kind, remote_id) for remote_id in unknown], now, "member")
    newly = _newly_linked(conn, connected, page, place.since)
    rows.ask(conn, connected.id, [(connected.kind, remote_id) for remote_id in newly], now, "linked")
    finished = None if page.more else now
    moved = conn.execute(
        _MOVED,
        {
            "of": connected.id,
            "named": name,
            "run": place.started_at,
            "to": page.cursor,
            "more": taken.new + taken.updated + taken.ignored,
            "in_all": page.total if page.total is not None else place.total,
            "at": place.moved_at if page.more and name == LIVE else now,
            "finished": finished,
        },
    )
    brought = bool(page.snapshots or page.missing or odd)
    room.note(conn, hub, connected)
    if not moved.rowcount:
        return False, brought
    if finished is not None and name == IMPORT:
        hub.tell("import_finished", connection=connected.name, records=place.records + len(page.snapshots))
    return True, brought


def _newly_linked(conn: Connection, connected: Connected, page: Page, since: datetime) -> list[str]:
    """The records to read with their links: those we know, and others whose link was made since the feed began."""
    known: set[str] = set()
    for piece in rows.chunks(sorted(page.linked)):
        found = select(records.c.remote_id).where(records.c.connection_id == connected.id)
        known.update(conn.execute(found.where(records.c.remote_id.in_(piece))).scalars())
    return [remote_id for remote_id, made_at in page.linked.items() if made_at >= since or remote_id in known]


def _unknown(conn: Connection, connected: Connected, page: Page) -> list[str]:
    """The records of a page that a restored database has never seen; nothing while no restore is under way."""
    if not page.snapshots or HoldReason.RESTORED.value not in rows.held_connections(conn).get(connected.id, set()):
        return []
    return [snap.ref.id for snap in page.snapshots if rows.find_record(conn, connected.id, snap.ref.id) is None]


def _newly_gone(conn: Connection, connected: Connected, missing: Mapping[str, Missing]) -> dict[str, str]:
    """The records that a page shows as gone and that are present here, with the version to be read beyond, by id."""
    found = {}
    for key, value in missing.items():
        if value.kind not in (MissingKind.DELETED, MissingKind.MERGED):
            continue
        row = rows.find_record(conn, connected.id, key)
        if row is not None and row.presence == "present":
            found[key] = (value.version or row.version) + rows.BEYOND
    return found


def _restart_from_safe(hub: Hub, connected: Connected, name: str, place: Place) -> None:
    """The remote no longer knows our place: read again from when the feed was last at its end, and a little before."""
    since = place.since
    if name == LIVE:
        with hub.store.read() as conn:
            end = known_until(conn, connected, place.since, place.moved_at)
        since = max(since, end - 2 * hub.settings.poll_overlap)
    hub.tell("cursor_expired", connection=connected.name, feed=name, from_=since.isoformat())
    hub.store.step(lambda conn: restart(conn, connected, name, since, hub.clock.now()))
