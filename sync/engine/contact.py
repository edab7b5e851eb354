"""First contact and every later start: is this the account we know, what may we do there, from when on do we write?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from connectors.contract import Act, Capabilities, Level
from connectors.errors import AuthRejected, RemoteError
from sync.core.reasons import HoldReason, ParkReason
from sync.engine import columns, down, load, marker, poll, rows
from sync.engine.hub import Connected, Hub, Mode
from sync.store.contract import RESTORE_MARK, RESTORED_AT, RESTORED_READ
from sync.store.tables import connections, holds, items, links, meta, parked, records, refreshes

# Built once: building a statement costs several times its execution. The first contact comes after every start.
_OURS = connections.c.id == bindparam("of")
_BY_NAME = select(connections.c.id).where(connections.c.name == bindparam("named"))
_ROW = select(connections).where(_OURS)
_ROLE = update(connections).where(_OURS).values(system=bindparam("what"), role=bindparam("as_role"))
_ACCOUNT = select(connections.c.account).where(_OURS)
_FOUND = update(connections).where(_OURS).values(account=bindparam("now_account"), capabilities=bindparam("can"))
_LIVE = update(connections).where(_OURS).values(mode=bindparam("mode_of"), live_since=bindparam("since"))
_FACT = select(meta.c.value).where(meta.c.key == bindparam("named"))
_LET_GO = (
    update(holds)
    .where(
        holds.c.connection_id == bindparam("of"),
        holds.c.reason.in_(bindparam("reasons", expanding=True)),
        holds.c.released_at.is_(None),
    )
    .values(released_at=bindparam("at"), released_by=bindparam("by"))
)
_UNSETTLED = (
    select(links.c.item_id)
    .distinct()
    .select_from(links.join(records, links.c.record_id == records.c.id).join(items, links.c.item_id == items.c.id))
    .where(records.c.connection_id == bindparam("of"), links.c.ended_at.is_(None), items.c.not_before.is_not(None))
)
_PARKED = (
    select(parked.c.item_id)
    .distinct()
    .where(
        parked.c.connection_id == bindparam("of"),
        parked.c.reason.in_(bindparam("reasons", expanding=True)),
        parked.c.ended_at.is_(None),
    )
)
_RESTORING = select(holds.c.since).where(
    holds.c.connection_id == bindparam("of"),
    holds.c.reason == HoldReason.RESTORED.value,
    holds.c.released_at.is_(None),
)


def register(conn: Connection, name: str, system: str, role: str, now: datetime) -> int:
    """The id of a configured connection; a new one starts in `observe`."""
    known = conn.execute(_BY_NAME, {"named": name}).scalar()
    if known is not None:
        conn.execute(_ROLE, {"of": known, "what": system, "as_role": role})
        return int(known)
    result = conn.execute(insert(connections).values(name=name, system=system, role=role, created_at=now))
    return rows.new_id(result)


def known_connections(conn: Connection) -> dict[str, int]:
    """The ids of the connections that the database knows, by name."""
    return {row.name: row.id for row in conn.execute(select(connections.c.name, connections.c.id))}


def restore_state(conn: Connection, connected: Connected) -> None:
    """Take what the database knows of a connection: its mode, since when it is live, what it can do."""
    row = conn.execute(_ROW, {"of": connected.id}).one()
    connected.mode = Mode(row.mode)
    connected.live_since = row.live_since
    connected.health.reported_down = row.down_since is not None
    if row.capabilities is not None:
        connected.capabilities = columns.capabilities(row.capabilities)


def remembered(hub: Hub) -> Callable[[], None]:
    """Note every connection's mode in memory. Calling the answer puts it back: for a command that was not stored."""
    before = [(each, each.mode, each.live_since) for each in hub.connections.values()]

    def put_back() -> None:
        for each, mode, live_since in before:
            each.mode, each.live_since = mode, live_since

    return put_back


def greet(hub: Hub, connected: Connected) -> bool:
    """Check a connection once after every start, and again until it works. True when something was asked.

    Nothing is written before the account has been compared with the recorded one.
    """
    if connected.account_checked or down.resting(hub, connected):
        return False
    if hub.budgets.take(connected.id, connected.draws(Act.CHECK)):
        return False
    try:
        found = connected.remote().check()
    except RemoteError as error:
        down.failed(hub, connected, error)
        if not isinstance(error, AuthRejected):
            hub.tell("check_failed", connection=connected.name, why=error.message)
        return False
    down.answered(hub, connected)
    before = connected.capabilities
    try:
        hub.store.step(lambda conn: _store(conn, hub, connected, found))
    except Exception:
        # Nothing was stored: the account is compared, and kept, once more.
        connected.capabilities, connected.account_checked = before, False
        raise
    hub.signals.ring(f"poll:{connected.id}")
    hub.signals.ring(f"deliver:{connected.id}")
    hub.signals.ring("settle")
    return True


def _store(conn: Connection, hub: Hub, connected: Connected, found: Capabilities) -> None:
    now = hub.clock.now()
    recorded = conn.execute(_ACCOUNT, {"of": connected.id}).scalar_one()
    if recorded and recorded != found.account:
        detail = (
            f"this connection belongs to {recorded}, and its settings now lead to {found.account}: correct the "
            f"settings, or give the new account a connection of its own"
        )
        if rows.open_hold(conn, connected.id, HoldReason.ACCOUNT_MISMATCH.value, now, detail):
            hub.tell("connection_held", connection=connected.name, reason="account_mismatch", why=detail)
        return
    conn.execute(_FOUND, {"of": connected.id, "now_account": found.account, "can": columns.encode(found)})
    _release(conn, connected, now, (HoldReason.AUTH_REJECTED, HoldReason.ACCOUNT_MISMATCH), "the check passed")
    connected.capabilities = found
    connected.account_checked = True
    poll.open_feeds(conn, hub, connected)
    for finding in found.findings:
        if finding.level is not Level.INFO:
            hub.tell("finding", connection=connected.name, level=finding.level.value, what=finding.what, do=finding.do)
    _mark_members(conn, connected, now)
    mark_unmapped(conn, connected, now)


def _release(conn: Connection, connected: Connected, now: datetime, reasons: tuple[HoldReason, ...], by: str) -> None:
    named = [reason.value for reason in reasons]
    conn.execute(_LET_GO, {"of": connected.id, "reasons": named, "at": now, "by": by})


def _mark_members(conn: Connection, connected: Connected, now: datetime) -> None:
    """Decide every item again that has a member here and was not settled."""
    rows.mark(conn, conn.execute(_UNSETTLED, {"of": connected.id}).scalars(), now)


_BY_MAPPING = (ParkReason.UNMAPPED_VALUE, ParkReason.REQUIRED_FIELD, ParkReason.NO_PATH)
"""What an edit of the mapping may have ended by the next start."""


def mark_unmapped(conn: Connection, connected: Connected, now: datetime) -> None:
    """Decide every item again that waits for a value in its mapping: it may stand there by now."""
    reasons = [reason.value for reason in _BY_MAPPING]
    rows.mark(conn, conn.execute(_PARKED, {"of": connected.id, "reasons": reasons}).scalars(), now)


def go_live(conn: Connection, connected: Connected, since: datetime) -> None:
    """Let a connection be written to, from now on. Pairs that differ stay as they are until one side changes.

    The start is the beginning of its second: some systems tell when a record was created in whole seconds, and a record
    of this very second must not count as one from before.
    """
    since = since.replace(microsecond=0)
    conn.execute(_LIVE, {"of": connected.id, "mode_of": Mode.LIVE.value, "since": since})
    connected.mode, connected.live_since = Mode.LIVE, since


def set_mode(conn: Connection, connected: Connected, mode: Mode, now: datetime) -> None:
    """Pause a connection, or let it go on. What changed meanwhile is read and decided then."""
    conn.execute(update(connections).where(connections.c.id == connected.id).values(mode=mode.value))
    connected.mode = mode
    everyone = conn.execute(
        select(links.c.item_id)
        .distinct()
        .select_from(links.join(records, links.c.record_id == records.c.id))
        .where(records.c.connection_id == connected.id, links.c.ended_at.is_(None))
    ).scalars()
    rows.mark(conn, everyone, now)


def would_create(conn: Connection, hub: Hub, connected: Connected, since: datetime) -> int:
    """How many records without an item the routes would match, if the connection were live since then."""
    found = conn.execute(
        select(records.c.body, records.c.created_at)
        .select_from(records.outerjoin(links, (links.c.record_id == records.c.id) & links.c.ended_at.is_(None)))
        .where(records.c.connection_id == connected.id, links.c.id.is_(None), records.c.created_at >= since)
    )
    count = 0
    for row in found:
        view = connected.mapping.feedback(columns.snapshot(row.body))
        if any(route.matches(view, connected.name, row.created_at) for route in hub.routes):
            count += 1
    return count


# --- after a restore -------------------------------------------------------------------------------------------


def after_restore(hub: Hub) -> bool:
    """A restored database is old: hold every connection, read every linked record anew, then let go.

    The mark in `meta` that a backup carries tells that a database was restored. What was planned when the backup was
    made and not sent is planned anew with what is read.
    Returns True when this database was restored and the re-reading has just begun.
    """
    now = hub.clock.now()

    def step(conn: Connection) -> bool:
        if conn.execute(_FACT, {"named": RESTORE_MARK}).scalar() is None:
            return False
        conn.execute(delete(meta).where(meta.c.key.in_((RESTORE_MARK, RESTORED_AT, RESTORED_READ))))
        conn.execute(insert(meta).values(key=RESTORED_AT, value=now.isoformat()))
        conn.execute(insert(meta).values(key=RESTORED_READ, value=str(hub.reads.next())))
        for connected in hub.connections.values():
            rows.open_hold(
                conn,
                connected.id,
                HoldReason.RESTORED.value,
                now,
                "the database was restored from a backup: every linked record is read anew before anything is written",
            )
            conn.execute(
                update(records)
                .where(records.c.connection_id == connected.id, records.c.presence != "gone")
                .values(swept_at=None)
            )
            for row in _linked_records(conn, connected):
                rows.ask(conn, connected.id, [(row.kind, row.remote_id)], now, "restore")
            state = poll.feed(conn, connected, poll.LIVE)
            if state is not None:
                end = poll.known_until(conn, connected, state.since, state.moved_at)
                poll.restart(conn, connected, poll.LIVE, end - 2 * hub.settings.poll_overlap, now)
        return True

    return hub.store.step(step)


def end_of_restore(hub: Hub, connected: Connected) -> bool:
    """Release the hold of a restore once all was read anew. True when it was released now.

    All: every linked record, whatever is asked for by then, and the feed up to its end as it was after the lag of the
    remote's lists, so that what this hub itself created after the backup is known before anything is created. What
    does not show its link yet is found by its marker (`sync.engine.marker`).
    """
    with hub.store.read() as conn:
        since = conn.execute(_RESTORING, {"of": connected.id}).scalar()
        if since is None:
            return False
        feed = poll.feed(conn, connected, poll.LIVE)
        if feed is not None and (feed.finished_at is None or feed.finished_at < since + marker.INDEX_LAG):
            return False
        if conn.execute(
            select(func.count()).where(refreshes.c.connection_id == connected.id, refreshes.c.why != "sweep")
        ).scalar_one():
            return False
        if load.due(conn, hub.clock.now(), 1):
            return False  # what was read is not decided yet

    def step(conn: Connection) -> None:
        _release(conn, connected, hub.clock.now(), (HoldReason.RESTORED,), "every linked record was read")

    hub.store.step(step)
    hub.tell("connection_released", connection=connected.name, reason="restored")
    hub.signals.ring(f"deliver:{connected.id}")
    hub.signals.ring("settle")
    return True


def _linked_records(conn: Connection, connected: Connected) -> list[Any]:
    return list(
        conn.execute(
            select(records.c.kind, records.c.remote_id)
            .select_from(records.join(links, links.c.record_id == records.c.id))
            .where(records.c.connection_id == connected.id, links.c.ended_at.is_(None))
        ).all()
    )
