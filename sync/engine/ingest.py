"""Snapshots into the database: versions, dirty items, absences, and records that ask for an item.

Every function here runs inside one step of the store. A snapshot is refused when a newer one is stored; a copy (list,
export, search) of a linked record's newer version asks for a direct read instead of being believed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from msgspec import structs
from sqlalchemy import Connection, bindparam, case, insert, select, update

from sync.core.reasons import ParkReason
from sync.core.versions import Verdict, accept
from sync.engine import adopt, brakes, columns, own_writes, parking, proposals, rows
from sync.engine.hub import Connected, Hub
from sync.model import Missing, MissingKind, Origin, Snapshot
from sync.store.tables import aliases, links, people, records, workflows
from sync.store.upsert import upsert

_ASKED_FOR = frozenset({"member", "command", "follow", "linked"})
"""Reasons of a read after which a record without an item is looked at again, whatever it shows."""


class Membership(NamedTuple):
    """Where a linked record belongs."""

    item_id: int
    link_id: int


@dataclass
class Taken:
    """What became of a batch. ids, members: record row and item by remote id. touched: items made dirty.

    reread: the records to be read directly. doubted: those that were, and that are read again, at the times given,
    unless their history tells at once.
    stored: record row and snapshot of those whose raw values are new.
    """

    new: int = 0
    updated: int = 0
    ignored: int = 0
    ids: dict[str, int] = field(default_factory=dict)
    members: dict[str, Membership] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    reread: set[str] = field(default_factory=set)
    doubted: dict[str, datetime] = field(default_factory=dict)
    stored: list[tuple[int, Snapshot]] = field(default_factory=list)


# Built once: building a statement costs several times its execution.
_KNOWN = (
    select(
        records.c.id,
        records.c.remote_id,
        records.c.version,
        records.c.read_no,
        records.c.origin,
        records.c.digest,
        records.c.presence,
        records.c.key,
        links.c.item_id,
        links.c.id.label("link_id"),
        case((links.c.id.is_not(None), records.c.body)).label("body"),  # a stranger's is seldom wanted
    )
    .select_from(records.outerjoin(links, (links.c.record_id == records.c.id) & links.c.ended_at.is_(None)))
    .where(
        records.c.connection_id == bindparam("of"),
        records.c.kind == bindparam("sort"),
        records.c.remote_id.in_(bindparam("named", expanding=True)),
    )
)
_IDS = select(records.c.id, records.c.remote_id).where(
    records.c.connection_id == bindparam("of"),
    records.c.kind == bindparam("sort"),
    records.c.remote_id.in_(bindparam("named", expanding=True)),
)
_BODY = select(records.c.body).where(records.c.id == bindparam("of"))
_SEEN = (
    update(records)
    .where(records.c.id == bindparam("of"))
    .values(
        key=bindparam("new_key"),
        url=bindparam("new_url"),
        version=bindparam("new_version"),
        read_no=bindparam("new_read_no"),
        origin=bindparam("new_origin"),
        digest=bindparam("new_digest"),
        body=bindparam("new_body"),
        updated_at=bindparam("new_updated_at"),
        seen_at=bindparam("now"),
        presence="present",
        missing_since=None,
    )
)
_SEEN_WHOLE = _SEEN.values(swept_at=bindparam("now"))
_AGAIN = (
    update(records)
    .where(records.c.id == bindparam("of"))
    .values(read_no=bindparam("new_read_no"), seen_at=bindparam("now"))
)
_AGAIN_WHOLE = _AGAIN.values(body=bindparam("new_body"))
_SWEPT = update(records).where(records.c.id == bindparam("of")).values(swept_at=bindparam("now"))
_INSERT = insert(records)


def take(
    conn: Connection,
    hub: Hub,
    connected: Connected,
    snapshots: Sequence[Snapshot],
    read_no: int,
    *,
    why: str = "poll",
    borne_out: bool = False,
) -> Taken:
    """Store snapshots of one read, newest wins, and mark the items of records that changed.

    borne_out: the records' own histories show what was read as newer than anything of ours.
    """
    taken, now = Taken(), hub.clock.now()
    latest = {snap.ref.id: snap for snap in snapshots}
    known = _known(conn, connected, list(latest))
    fresh: list[Snapshot] = []
    for remote_id, snap in latest.items():
        row = known.get(remote_id)
        if row is None:
            fresh.append(snap)
        else:
            _take_known(conn, hub, connected, row, snap, read_no, why, taken, borne_out=borne_out)
    _insert(conn, hub, connected, fresh, read_no, why, taken)
    if why != "created":  # it was made of its item's own words
        taken.touched |= proposals.note(conn, hub, connected, taken.stored)
    _remember_workflows(conn, connected, latest.values(), now)
    _remember_people(conn, connected, latest.values(), now)
    rows.mark(conn, taken.touched, now)
    reread = [(connected.kind, remote_id) for remote_id in taken.reread]
    shown = {remote_id: latest[remote_id].version for remote_id in taken.reread}
    rows.ask(conn, connected.id, reread, now, "list", shown=shown)
    for remote_id, at in taken.doubted.items():
        rows.ask(conn, connected.id, [(connected.kind, remote_id)], now, rows.DOUBTED, not_before=at)
    return taken


def _known(conn: Connection, connected: Connected, ids: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for piece in rows.chunks(ids):
        for row in conn.execute(_KNOWN, {"of": connected.id, "sort": connected.kind, "named": piece}):
            found[row.remote_id] = row
    return found


def _take_known(
    conn: Connection,
    hub: Hub,
    connected: Connected,
    row: Any,
    snap: Snapshot,
    read_no: int,
    why: str,
    taken: Taken,
    *,
    borne_out: bool,
) -> None:
    taken.ids[snap.ref.id] = row.id
    linked = row.item_id is not None
    if linked:
        taken.members[snap.ref.id] = Membership(row.item_id, row.link_id)
    now = hub.clock.now()
    whole = snap.origin is Origin.DIRECT and snap.links is not None
    if snap.links is None and (linked or why != "poll"):
        known = row.body if linked else conn.execute(_BODY, {"of": row.id}).scalar_one()
        before = columns.snapshot(known)
        snap = structs.replace(snap, links=before.links)
    digest = connected.mapping.watched(snap)
    verdict = accept(
        (row.version, row.read_no, Origin(row.origin)),
        (snap.version, read_no, snap.origin),
        same_content=digest == row.digest,
    )
    if verdict is Verdict.REREAD or (
        verdict is Verdict.TAKE and linked and snap.origin is Origin.LIST and digest != row.digest
    ):
        taken.reread.add(snap.ref.id)
        return
    if verdict is Verdict.TAKE and linked and snap.version == row.version and why != "receipt" and not borne_out:
        again_at = own_writes.takes_back(conn, connected, row, snap, now, again=why == rows.DOUBTED)
        if again_at is not None:
            taken.doubted[snap.ref.id] = again_at
            return
    first_direct = snap.origin is Origin.DIRECT and row.origin != Origin.DIRECT.value
    if verdict is Verdict.IGNORE and first_direct and snap.version == row.version:
        verdict = Verdict.TAKE  # the same content, now read directly: it is believed, and later copies are not
    if verdict is Verdict.IGNORE:
        taken.ignored += 1
        _note_swept(conn, row, now, whole=whole)
        if row.presence != "present" and snap.origin is Origin.DIRECT:
            _present_again(conn, row, taken)
        elif linked and snap.origin is Origin.DIRECT and why != "poll":
            again: dict[str, Any] = {"of": row.id, "new_read_no": read_no, "now": now}
            if snap.moves is not None and snap.version == row.version:
                # A workflow may change while its issues stand still.
                conn.execute(_AGAIN_WHOLE, {**again, "new_body": columns.encode(snap)})
            else:
                conn.execute(_AGAIN, again)
            taken.touched.add(row.item_id)
        elif not linked and why in _ASKED_FOR:
            taken.touched.update(adopt.adopt(conn, hub, connected, row.id, snap, waited=why == "follow"))
        return
    values: dict[str, Any] = {
        "of": row.id,
        "new_key": snap.ref.key,
        "new_url": snap.ref.url,
        "new_version": snap.version,
        "new_read_no": read_no,
        "new_origin": snap.origin.value,
        "new_digest": digest,
        "new_body": columns.encode(snap),
        "new_updated_at": snap.updated_at,
        "now": now,
    }
    conn.execute(_SEEN_WHOLE if whole else _SEEN, values)
    taken.updated += 1
    taken.stored.append((row.id, snap))
    _remember_aliases(conn, connected, row.id, (*snap.aliases, *((row.key,) if row.key != snap.ref.key else ())))
    if linked:
        if digest != row.digest or row.presence != "present" or why not in ("poll", "hook", "sweep"):
            taken.touched.add(row.item_id)
    elif digest != row.digest or why in _ASKED_FOR:
        taken.touched.update(adopt.adopt(conn, hub, connected, row.id, snap, waited=why == "follow"))


def _insert(
    conn: Connection, hub: Hub, connected: Connected, fresh: Sequence[Snapshot], read_no: int, why: str, taken: Taken
) -> None:
    if not fresh:
        return
    now = hub.clock.now()
    conn.execute(
        _INSERT,
        [
            {
                "connection_id": connected.id,
                "kind": connected.kind,
                "remote_id": snap.ref.id,
                "key": snap.ref.key,
                "url": snap.ref.url,
                "version": snap.version,
                "read_no": read_no,
                "origin": snap.origin.value,
                "presence": "present",
                "digest": connected.mapping.watched(snap),
                "body": columns.encode(snap),
                "created_at": snap.created_at,
                "updated_at": snap.updated_at,
                "seen_at": now,
                "swept_at": now if snap.origin is Origin.DIRECT and snap.links is not None else None,
            }
            for snap in fresh
        ],
    )
    taken.new += len(fresh)
    for piece in rows.chunks([snap.ref.id for snap in fresh]):
        for row in conn.execute(_IDS, {"of": connected.id, "sort": connected.kind, "named": piece}):
            taken.ids[row.remote_id] = row.id
    for snap in fresh:
        taken.stored.append((taken.ids[snap.ref.id], snap))
        if snap.aliases:
            _remember_aliases(conn, connected, taken.ids[snap.ref.id], snap.aliases)
        if why != "created" and (connected.mapping.link_fields or hub.routes or snap.links or snap.follows):
            taken.touched.update(adopt.adopt(conn, hub, connected, taken.ids[snap.ref.id], snap))


def _note_swept(conn: Connection, row: Any, now: datetime, *, whole: bool) -> None:
    """A direct read that shows links counts as a sweep of the record, whatever it was made for."""
    if whole and row.item_id is not None:
        conn.execute(_SWEPT, {"of": row.id, "now": now})


def _present_again(conn: Connection, row: Any, taken: Taken) -> None:
    conn.execute(update(records).where(records.c.id == row.id).values(presence="present", missing_since=None))
    if row.item_id is not None:
        taken.touched.add(row.item_id)


def _remember_aliases(conn: Connection, connected: Connected, record_id: int, names: Sequence[str]) -> None:
    if names:
        conn.execute(
            upsert(conn, aliases, ["connection_id", "alias"], {"record_id": "excluded"}),
            [
                {"connection_id": connected.id, "alias": name, "record_id": record_id}
                for name in sorted(set(names))
                if name
            ],
        )


def _remember_workflows(conn: Connection, connected: Connected, snapshots: Any, now: datetime) -> None:
    """Every direct read shows the steps out of one status: together they are the workflow's graph."""
    seen = {
        (snap.workflow, connected.mapping.shown(snap).raw): snap.moves for snap in snapshots if snap.moves is not None
    }
    if seen:
        conn.execute(
            upsert(conn, workflows, ["connection_id", "workflow", "raw"], {"moves": "excluded", "seen_at": "excluded"}),
            [
                {
                    "connection_id": connected.id,
                    "workflow": workflow,
                    "raw": raw,
                    "moves": columns.encode(moves),
                    "seen_at": now,
                }
                for (workflow, raw), moves in sorted(seen.items())
            ],
        )


def _remember_people(conn: Connection, connected: Connected, snapshots: Any, now: datetime) -> None:
    found: dict[str, dict[str, Any]] = {}
    for snap in snapshots:
        for name in connected.personal:
            person = snap.fields.get(name)
            if isinstance(person, dict) and person.get("id"):
                found[str(person["id"])] = {
                    "connection_id": connected.id,
                    "remote_id": str(person["id"]),
                    "name": str(person.get("name") or ""),
                    "email": str(person.get("email") or ""),
                    "seen_at": now,
                }
    if found:
        conn.execute(
            upsert(
                conn,
                people,
                ["connection_id", "remote_id"],
                {"name": "excluded", "email": "excluded", "seen_at": "excluded"},
            ),
            [found[key] for key in sorted(found)],
        )


# --- absence ---------------------------------------------------------------------------------------------------

_PRESENCE = {
    MissingKind.FORBIDDEN: "unreachable",
    MissingKind.NOT_FOUND: "unreachable",
    MissingKind.MERGED: "merged",
    MissingKind.DELETED: "gone",
}


def take_missing(conn: Connection, hub: Hub, connected: Connected, missing: Mapping[str, Missing]) -> set[int]:
    """Store that records could not be read. Only `merged` and `deleted` are facts; the brake looks at all of them.

    The items of merged and deleted records are marked; `settle` lets them go, unless the connection is held.
    """
    now, touched, newly = hub.clock.now(), set[int](), 0
    for reference, gone in missing.items():
        row = rows.find_record(conn, connected.id, reference)
        if row is None:
            continue
        link = rows.active_link(conn, row.id)
        presence = _PRESENCE[gone.kind]
        if row.presence == presence:
            conn.execute(update(records).where(records.c.id == row.id).values(seen_at=now))
            continue
        since = row.missing_since or now
        conn.execute(
            update(records).where(records.c.id == row.id).values(presence=presence, missing_since=since, seen_at=now)
        )
        if gone.kind is MissingKind.MERGED and gone.into:
            rows.ask(conn, connected.id, [(connected.kind, gone.into)], now, "member", asker=row.id)
            conn.execute(
                upsert(conn, aliases, ["connection_id", "alias"], {"record_id": "excluded"}),
                [{"connection_id": connected.id, "alias": f"merged:{row.remote_id}", "record_id": row.id}],
            )
            _remember_merge(conn, row.id, gone.into)
        if link is not None:
            touched.add(link.item_id)
            newly += row.missing_since is None
            if presence == "unreachable":
                reason = ParkReason.RECORD_UNREACHABLE
                parking.cannot_be_read(conn, hub, connected, link, reason, gone.detail or f"it is {gone.kind.value}")
    if touched:
        rows.mark(conn, touched, now)
        brakes.mass_missing(conn, hub, connected, newly)
    return touched


def _remember_merge(conn: Connection, record_id: int, into: str) -> None:
    body = columns.snapshot(conn.execute(select(records.c.body).where(records.c.id == record_id)).scalar_one())
    survivor = structs.replace(body, aliases=(*body.aliases, f"into:{into}"))
    conn.execute(update(records).where(records.c.id == record_id).values(body=columns.encode(survivor)))


def merged_into(snap: Snapshot) -> str:
    """The remote id of the record that a merged record lives on in, or ""."""
    return next((alias.removeprefix("into:") for alias in reversed(snap.aliases) if alias.startswith("into:")), "")
