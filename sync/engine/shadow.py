"""Shadow mode: what would have been written to a connection is noted, nothing is written, and people are watched.

A connection in shadow is read as one that observes: its records vote, and what the item says counts as heard. Beside
that each decision is made once more as if it were live; what it would have written is kept with the value before. What
its own people do to that field afterwards, by hand, is noted at the next look: the same, something else, or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import structs
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from sync.core.reconcile import reconcile
from sync.core.state import ItemState, Member, MemberPlan, Rules, Want
from sync.core.why import Why
from sync.engine.hub import Connected, Hub, Mode
from sync.model import Snapshot
from sync.store.tables import meta, shadows

if TYPE_CHECKING:
    from sync.engine.load import Linked

RECORD = "record"
"""The field of a record that a route would have created."""


@dataclass(frozen=True, kw_only=True)
class Shadowed:
    """What a live connection would have been written in one decision."""

    one: Linked
    want: Want
    why: str


def wanted(item: ItemState, linked: Sequence[Linked], members: Sequence[Member], rules: Rules) -> tuple[Shadowed, ...]:
    """What would be written to the records of connections in shadow, were these live. Pure."""
    in_shadow = {one.link_id: one for one in linked if one.connected.mode is Mode.SHADOW}
    if not in_shadow:
        return ()
    loud = [_loud(each, in_shadow[each.link]) if each.link in in_shadow else each for each in members]
    found: list[MemberPlan] = [each for each in reconcile(item, loud, rules).members if each.link in in_shadow]
    return tuple(
        Shadowed(one=in_shadow[each.link], want=each.want, why=each.why) for each in found if each.want is not None
    )


def _loud(member: Member, one: Linked) -> Member:
    mapping = one.connected.mapping
    return structs.replace(
        member,
        status_direction=mapping.status_direction,
        tag_direction=mapping.tag_direction,
        values={name: mapping.value_rules[name] for name in member.values},
    )


# --- in the step of a decision -----------------------------------------------------------------------------------


def note(conn: Connection, item_id: int, linked: Sequence[Linked], found: Sequence[Shadowed], now: datetime) -> None:
    """Look what became of what was noted before, and note what this decision would have written."""
    for one in linked:
        if one.connected.mode is Mode.SHADOW:
            _watch(conn, one, now)
    for each in found:
        want, one = each.want, each.one
        if want.target is not None:
            _add(conn, item_id, one, "status", one.shown.raw, want.target, each.why, now)
        for name, raw in sorted(want.set.items()):
            if name == "owner":
                continue  # what is noted is kept, and keeps nobody's name
            _add(conn, item_id, one, name, one.shown.values.get(name, ""), raw, Why.VALUE_SET.value, now)
        for key in sorted(want.add):
            _add(conn, item_id, one, "tags", "", f"+{key}", "tags_told", now)
        for key in sorted(want.remove):
            _add(conn, item_id, one, "tags", key, f"-{key}", "tags_told", now)


def _add(
    conn: Connection, item_id: int, one: Linked, field: str, before: str, after: str, why: str, now: datetime
) -> None:
    for row in _open(conn, one.link_id):
        if row.field != field:
            continue
        if row.wanted == after:
            return
        if field != "tags" or row.wanted[1:] == after[1:]:
            conn.execute(update(shadows).where(shadows.c.id == row.id).values(ended_at=now))
    conn.execute(
        insert(shadows).values(
            at=now,
            connection_id=one.connected.id,
            item_id=item_id,
            link_id=one.link_id,
            record_id=one.record_id,
            field=field,
            before=before,
            wanted=after,
            why=why,
        )
    )


def _open(conn: Connection, link_id: int) -> Sequence[Any]:
    return conn.execute(select(shadows).where(shadows.c.link_id == link_id, shadows.c.ended_at.is_(None))).all()


def _watch(conn: Connection, one: Linked, now: datetime) -> None:
    """What its people did since: reached what would have been written, or gave it another value."""
    for row in _open(conn, one.link_id):
        at = max(row.at, one.snap.updated_at) if one.snap.updated_at <= now else now
        shown = _shown(one, row.field, row.wanted)
        if shown == row.wanted:
            done = update(shadows).where(shadows.c.id == row.id)
            conn.execute(done.values(reached_at=at, ended_at=now))
        elif row.field not in ("tags", RECORD) and shown != row.before and not row.other:
            conn.execute(update(shadows).where(shadows.c.id == row.id).values(other=shown, other_at=at))


def _shown(one: Linked, field: str, wanted_value: str) -> str:
    if field == "status":
        return one.shown.raw
    if field != "tags":
        return one.shown.values.get(field, "")
    key = wanted_value[1:]
    return ("+" if key in one.shown.tags else "-") + key


def note_route(conn: Connection, hub: Hub, connected: Connected, record_id: int, snap: Snapshot) -> None:
    """Note that a route would have created a record for one that came since the shadow began. Once a record."""
    began = since(conn, connected.id)
    if began is None or snap.created_at < began:
        return
    view = connected.mapping.feedback(snap)
    route = next((each for each in hub.routes if each.matches(view, connected.name, snap.created_at)), None)
    if route is None:
        return
    known = (shadows.c.record_id == record_id, shadows.c.field == RECORD)
    if conn.execute(select(shadows.c.id).where(*known)).first() is not None:
        return
    conn.execute(
        insert(shadows).values(
            at=hub.clock.now(),
            connection_id=connected.id,
            item_id=0,
            link_id=0,
            record_id=record_id,
            field=RECORD,
            before="",
            wanted=f"a record on {route.target.connection}"[:191],
            why=f"route {route.name}"[:32],
        )
    )


# --- since when --------------------------------------------------------------------------------------------------


def since(conn: Connection, connection_id: int) -> datetime | None:
    """When a connection went into shadow; None where it is not in it."""
    found = conn.execute(select(meta.c.value).where(meta.c.key == _key(connection_id))).scalar()
    return None if found is None else datetime.fromisoformat(found)


def _key(connection_id: int) -> str:
    return f"shadow_since:{connection_id}"


def begin(conn: Connection, connected: Connected, now: datetime) -> None:
    """The shadow of a connection begins."""
    conn.execute(insert(meta).values(key=_key(connected.id), value=now.isoformat()))


_BEGAN = delete(meta).where(meta.c.key == bindparam("named"))
_OVER = (
    update(shadows)
    .where(shadows.c.connection_id == bindparam("of"), shadows.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
)


def leave(conn: Connection, connected: Connected, now: datetime) -> None:
    """The shadow of a connection is over: nothing more is watched."""
    conn.execute(_BEGAN, {"named": _key(connected.id)})
    conn.execute(_OVER, {"of": connected.id, "now": now})
