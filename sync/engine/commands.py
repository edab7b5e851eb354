"""What people ask of the running daemon: taken from the `commands` table, carried out in one step each, answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, select, update

from sync.core.reasons import HoldReason
from sync.engine import adopt, columns, contact, create, find, parking, poll, proposals, rows, shadow
from sync.engine.find import NotFound
from sync.engine.hub import Connected, Hub, Mode
from sync.model import Json
from sync.store.errors import StoreError
from sync.store.tables import commands, deliveries, holds, links, parked, records
from sync.store.tables import proposals as proposed


class Answer(Struct, frozen=True, kw_only=True):
    """The answer to one command. message: for people. data: for programs."""

    ok: bool
    message: str
    data: dict[str, Json] = {}


class Refused(Exception):
    """A command that cannot be carried out. The message says why and what would work."""


_Verb = Callable[[Connection, Hub, Mapping[str, Json]], Answer]


def carry_out(hub: Hub, more: Mapping[str, _Verb] | None = None) -> bool:
    """Carry out the commands that wait. True when there were any. more: verbs of the layers above."""
    verbs = {**VERBS, **(more or {})}
    with hub.store.read() as conn:
        waiting = (
            conn.execute(select(commands.c.id).where(commands.c.done_at.is_(None)).order_by(commands.c.id))
            .scalars()
            .all()
        )
    for command_id in waiting:
        before = contact.remembered(hub)
        try:
            hub.store.step(partial(_one, hub=hub, command_id=command_id, verbs=verbs))
        except StoreError:
            before()  # nothing was stored: what is in memory must not be ahead of it
            raise
        except Exception as error:  # noqa: BLE001  answered and told; the commands behind it go on
            before()
            hub.store.step(partial(_answer, hub=hub, command_id=command_id, answer=_DEFECT))
            hub.tell("internal_error", where=f"command {command_id}", error=error)
    if waiting:
        for topic in _TOPICS:
            hub.signals.ring(topic)
        for connection_id in hub.connections:
            for topic in ("poll", "refresh", "deliver"):
                hub.signals.ring(f"{topic}:{connection_id}")
    return bool(waiting)


_TOPICS = ("settle", "inbox", "plans")


def _one(conn: Connection, hub: Hub, command_id: int, verbs: Mapping[str, _Verb]) -> None:
    row = conn.execute(select(commands).where(commands.c.id == command_id)).one()
    args = columns.plain(row.args)
    args = args if isinstance(args, dict) else {}
    verb = verbs.get(row.verb)
    try:
        with conn.begin_nested():
            answer = _unknown(row.verb) if verb is None else verb(conn, hub, args)
    except (NotFound, Refused) as error:
        answer = Answer(ok=False, message=str(error))
    _answer(conn, hub, command_id, answer)
    hub.tell("command", verb=row.verb, ok=answer.ok)


_DEFECT = Answer(ok=False, message="nothing was done: this is a defect of hypercare, see the daemon's log")


def _answer(conn: Connection, hub: Hub, command_id: int, answer: Answer) -> None:
    conn.execute(
        update(commands)
        .where(commands.c.id == command_id)
        .values(answer=columns.encode(answer), done_at=hub.clock.now())
    )


def _unknown(verb: str) -> Answer:
    return Answer(ok=False, message=f"this daemon does not know {verb!r}: it may be older than the command line")


def _text(args: Mapping[str, Json], name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Refused(f"say which {name} is meant")
    return value.strip()


def _number(args: Mapping[str, Json], name: str, listed_by: str) -> int:
    value = args.get(name)
    text = str(value).strip() if isinstance(value, int | str) else ""
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise Refused(f"{value!r} is not the number of anything; `{listed_by}` lists the numbers")
    return int(text)


def _moment(args: Mapping[str, Json], name: str, now: datetime) -> datetime | None:
    """A time given as ISO text; None where none is given. Raises Refused unless it is aware and past."""
    value = args.get(name)
    if value is None or value == "":
        return None
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        raise Refused(f"{value!r} is not a time: write it like 2026-03-01T09:00:00+00:00") from None
    if at.tzinfo is None:
        raise Refused(f"{value!r} names no time zone: write it like {value}+00:00")
    if at > now:
        raise Refused(f"{_time(at)} is in the future")
    return at


def _connection(hub: Hub, args: Mapping[str, Json]) -> Connected:
    name = _text(args, "connection")
    try:
        return hub.named(name)
    except KeyError:
        names = ", ".join(sorted(each.name for each in hub.connections.values()))
        raise NotFound(f"there is no connection {name!r}; known: {names}") from None


def start(conn: Connection, hub: Hub, args: Mapping[str, Json]) -> Answer:
    """Make a connection live. `since` widens which records routes apply to."""
    connected, now = _connection(hub, args), hub.clock.now()
    if connected.mode is Mode.LIVE:
        return Answer(ok=True, message=f"{connected.name} is live already, since {_time(connected.live_since)}")
    if connected.mode is Mode.PAUSED and connected.live_since is not None:
        contact.set_mode(conn, connected, Mode.LIVE, now)
        return Answer(ok=True, message=f"{connected.name} goes on")
    since = _moment(args, "since", now) or now
    shadow.leave(conn, connected, now)
    contact.go_live(conn, connected, since)
    routed = _route_past(conn, hub, connected, since) if since < now else 0
    more = f"; {routed} records created since {_time(since)} were taken up by routes" if routed else ""
    return Answer(
        ok=True, message=f"{connected.name} is live: it is written to from now on{more}", data={"routed": routed}
    )


def _route_past(conn: Connection, hub: Hub, connected: Connected, since: datetime) -> int:
    found = conn.execute(
        select(records.c.id, records.c.body)
        .select_from(records.outerjoin(links, (links.c.record_id == records.c.id) & links.c.ended_at.is_(None)))
        .where(records.c.connection_id == connected.id, links.c.id.is_(None), records.c.created_at >= since)
        .order_by(records.c.id)
    ).all()
    count = 0
    for row in found:
        touched = adopt.adopt(conn, hub, connected, row.id, columns.snapshot(row.body))
        rows.mark(conn, touched, hub.clock.now(), "started")
        count += bool(touched)
    return count


def pause(conn: Connection, hub: Hub, args: Mapping[str, Json]) -> Answer:
    """Neither read nor write a connection until it is started again."""
    connected = _connection(hub, args)
    if connected.mode is Mode.PAUSED:
        return Answer(ok=True, message=f"{connected.name} is paused already")
    if connected.only_looks:
        raise Refused(f"{connected.name} only observes: nothing is written to it anyway")
    contact.set_mode(conn, connected, Mode.PAUSED, hub.clock.now())
    return Answer(ok=True, message=f"{connected.name} is paused; `hypercare start {connected.name}` lets it go on")


def resume(conn: Connection, hub: Hub, args: Mapping[str, Json]) -> Answer:
    """Release one hold."""
    number = _number(args, "hold", "hypercare holds")
    row = conn.execute(select(holds).where(holds.c.id == number)).first()
    if row is None:
        raise NotFound(f"there is no hold {number}; `hypercare holds` lists them")
    if row.released_at is not None:
        return Answer(ok=True, message=f"hold {row.id} was released already, at {_time(row.released_at)}")
    connected = hub.connections.get(row.connection_id)
    if row.reason in _BY_CHECK:
        # Only the check knows whether it may go: it releases the hold itself when it passes.
        if connected is not None:
            connected.account_checked = False
            connected.health.try_at = 0.0
        return Answer(ok=True, message=f"hold {row.id} ({row.reason}) is released as soon as the check passes")
    conn.execute(
        update(holds)
        .where(holds.c.id == row.id)
        .values(released_at=hub.clock.now(), released_by=str(args.get("by") or "command")[:64])
    )
    _decide_again(conn, hub, row)
    return Answer(ok=True, message=f"hold {row.id} ({row.reason}) is released")


_BY_CHECK = (HoldReason.AUTH_REJECTED.value, HoldReason.ACCOUNT_MISMATCH.value)


def _decide_again(conn: Connection, hub: Hub, hold: Any) -> None:
    where = links.c.id == hold.link_id if hold.link_id is not None else records.c.connection_id == hold.connection_id
    found = conn.execute(
        select(links.c.item_id)
        .distinct()
        .select_from(links.join(records, links.c.record_id == records.c.id))
        .where(where, links.c.ended_at.is_(None))
    ).scalars()
    rows.mark(conn, found, hub.clock.now())


def retry(conn: Connection, hub: Hub, args: Mapping[str, Json]) -> Answer:
    """Try what is parked once more."""
    row = _parked(conn, args)
    if row.link_id is None and row.delivery_id is not None:
        create.try_again(conn, hub, row.delivery_id)
    elif row.link_id is not None:
        parking.try_again(conn, hub, row.link_id, row.field)
        if row.field in ("record", "status"):
            # Read anew: it may be there again, and its workflow may have got the step that was missing.
            link = conn.execute(select(links).where(links.c.id == row.link_id)).one()
            record = rows.record_row(conn, link.record_id)
            rows.ask(conn, record.connection_id, [(record.kind, record.remote_id)], hub.clock.now(), "member")
    rows.mark(conn, [row.item_id], hub.clock.now(), "retry")
    return Answer(ok=True, message=f"parked {row.id} is tried again")


def skip(conn: Connection, hub: Hub, args: Mapping[str, Json]) -> Answer:
    """Leave what is parked as it is, with a reason that `explain` shows."""
    row, why = _parked(conn, args), str(args.get("why") or "").strip()
    if not why:
        raise Refused('say why: `hypercare parked skip ID --why "..."`; it is shown by `explain`')
    if row.link_id is None:
        if row.delivery_id is not None:
            conn.execute(
                update(deliveries)
                .where(deliveries.c.id == row.delivery_id)
                .values(state="settled", settled_at=hub.clock.now(), outcome="skipped")
            )
        conn.execute(
            update(parked)
            .where(parked.c.id == row.id)
            .values(ended_at=hub.clock.now(), ended_how=f"skipped: {why}"[:64])
        )
    else:
        parking.skip(conn, hub, row.link_id, row.field, why)
    rows.note_journal(
        conn,
        [
            {
                "at": hub.clock.now(),
                "item_id": row.item_id,
                "field": row.field,
                "old": row.wanted,
                "new": row.shown,
                "actor": str(args.get("by") or "command"),
                "rule": f"skipped: {why}"[:128],
            }
        ],
    )
    rows.mark(conn, [row.item_id], hub.clock.now())
    return Answer(ok=True, message=f"parked {row.id} is left as it is")


def _parked(conn: Connection, args: Mapping[str, Json]) -> Any:
    number = _number(args, "parked", "hypercare parked")
    row = conn.execute(select(parked).where(parked.c.id == number)).first()
    if row is None:
        raise NotFound(f"nothing is parked as {number}; `hypercare parked` lists what is")
    if row.ended_at is not None:
        raise Refused(f"parked {row.id} has ended already: {row.ended_how}")
    return row


def link(conn: Connection, hub: Hub, args: Mapping[str, Json]) -> Answer:
    """Bring two records into one item."""
    named, other = _text(args, "one"), _text(args, "two")
    one, two = find.record_of(conn, hub, named), find.record_of(conn, hub, other)
    if one.id == two.id:
        raise Refused(f"{named} and {other} are the same record")
    for row, text in ((one, named), (two, other)):
        if row.presence != "present":
            raise Refused(f"{text} is {row.presence} on its system: it cannot be linked")
    touched = adopt.join(conn, hub, one.id, two.id, made_by="command")
    # Each command is a cause of its own: many links made one by one are no mass change.
    rows.mark(conn, touched, hub.clock.now(), f"link {named} {other}"[:128])
    first, second = rows.active_link(conn, one.id), rows.active_link(conn, two.id)
    if first is not None and second is not None and first.item_id == second.item_id:
        return Answer(ok=True, message=f"both belong to {find.item_name(first.item_id)}", data={"item": first.item_id})
    raise Refused(
        "each of them belongs to an item with a tracker issue of its own: they are noted as related and not joined; "
        "unlink one issue first if they are the same thing"
    )


def unlink(conn: Connection, hub: Hub, args: Mapping[str, Json]) -> Answer:
    """Let a record leave its item. Nobody's status or tags move."""
    named = _text(args, "record")
    record = find.record_of(conn, hub, named)
    active = rows.active_link(conn, record.id)
    if active is None:
        raise Refused(f"{named} belongs to no item")
    adopt.end_link(conn, hub, active, "unlinked by command")
    return Answer(ok=True, message=f"{named} has left {find.item_name(active.item_id)}")


def accept(conn: Connection, hub: Hub, args: Mapping[str, Json]) -> Answer:
    """Bring the two records of a proposal into one item."""
    row = _proposal(conn, args)
    for record_id in (row.one_id, row.other_id):
        record = rows.record_row(conn, record_id)
        if record.presence != "present":
            raise Refused(f"{record.key or record.remote_id} is {record.presence} on its system: it cannot be linked")
    touched = proposals.accept(conn, hub, row, by=str(args.get("by") or "command"))
    rows.mark(conn, touched, hub.clock.now(), f"proposal {row.id}")
    first, second = rows.active_link(conn, row.one_id), rows.active_link(conn, row.other_id)
    if first is not None and second is not None and first.item_id == second.item_id:
        return Answer(ok=True, message=f"both belong to {find.item_name(first.item_id)}", data={"item": first.item_id})
    return Answer(
        ok=True,
        message="each of them belongs to an item with a tracker issue of its own: they are noted as related and not "
        "joined; unlink one issue first if they are the same thing, and link them",
    )


def refuse(conn: Connection, hub: Hub, args: Mapping[str, Json]) -> Answer:
    """Say that the two records of a proposal do not belong together."""
    row = _proposal(conn, args)
    proposals.refuse(conn, hub, row, by=str(args.get("by") or "command"))
    return Answer(ok=True, message=f"proposal {row.id} is refused: these two are not proposed again")


def _proposal(conn: Connection, args: Mapping[str, Json]) -> Any:
    number = _number(args, "proposal", "hypercare proposals")
    row = conn.execute(select(proposed).where(proposed.c.id == number)).first()
    if row is None:
        raise NotFound(f"there is no proposal {number}; `hypercare proposals` lists them")
    if row.ended_at is not None:
        raise Refused(f"proposal {row.id} was {row.ended_how} already, at {_time(row.ended_at)}")
    return row


def import_(conn: Connection, hub: Hub, args: Mapping[str, Json]) -> Answer:
    """Read a connection's records from a date on, once."""
    connected = _connection(hub, args)
    since = _moment(args, "since", hub.clock.now())
    if since is None:
        since = hub.clock.now() - timedelta(days=hub.settings.import_days)
    poll.restart(conn, connected, poll.IMPORT, since, hub.clock.now())
    return Answer(ok=True, message=f"{connected.name} is read from {_time(since)} on")


def refresh(conn: Connection, hub: Hub, args: Mapping[str, Json]) -> Answer:
    """Read every record of an item anew."""
    item_id = find.item_of(conn, hub, _text(args, "item"))
    for member in find.members(conn, item_id):
        record = rows.record_row(conn, member.record_id)
        rows.ask(conn, record.connection_id, [(record.kind, record.remote_id)], hub.clock.now(), "command")
    return Answer(ok=True, message=f"the records of {find.item_name(item_id)} are read anew")


def _time(value: datetime | None) -> str:
    return "an unknown time" if value is None else value.isoformat(timespec="seconds")


VERBS: Mapping[str, _Verb] = {
    "start": start,
    "pause": pause,
    "resume": resume,
    "retry": retry,
    "skip": skip,
    "link": link,
    "unlink": unlink,
    "accept": accept,
    "refuse": refuse,
    "import": import_,
    "refresh": refresh,
}
