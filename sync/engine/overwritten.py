"""An edit that our own write hid: the remote's audit names a value that nobody had shown us.

A version as coarse as a second cannot refuse such a write. The edit is recorded as a conflict and merged again: the
item hears it as if we had read it in time, and what it then says is written, to this record too.
"""

from __future__ import annotations

from msgspec import structs
from sqlalchemy import Connection, insert

from sync.core import lens, values
from sync.core.reasons import ConflictKind
from sync.core.reconcile import reconcile
from sync.core.standing import ear_of, tell, with_status
from sync.core.state import Change, Ear, ItemState, Member, Rules, Shown, ValueBase
from sync.core.why import Why
from sync.engine import load
from sync.engine.columns import Base
from sync.engine.hub import Hub
from sync.engine.load import Linked, Whole
from sync.mapping.raw import text_of
from sync.model import FieldEdit, Role, Side, Snapshot
from sync.store.tables import conflicts


def merge_again(
    conn: Connection, hub: Hub, item: Whole, one: Linked, answer: Snapshot, state: ItemState, base: Base
) -> tuple[ItemState, Base, tuple[Change, ...]]:
    """Let the item hear what our write hid. state, base: as the receipt left them. Tags, being deltas, hide nothing."""
    state, heard = _values(conn, hub, item, one, answer, state)
    state, base, moved = _status(conn, hub, item, one, answer, state, base)
    return state, base, (*heard, *moved)


def _values(
    conn: Connection, hub: Hub, item: Whole, one: Linked, answer: Snapshot, state: ItemState
) -> tuple[ItemState, tuple[Change, ...]]:
    """A hidden edit of a field with one value met what the item said: the rule of the field settles it as ever.

    Where the user's value holds, the item says it anew, to this record too: it shows ours.
    """
    changes: tuple[Change, ...] = ()
    for name, field in one.connected.mapping.value_fields.items():
        hidden = next((edit for edit in answer.overwrote if edit.field == field and edit.old is not None), None)
        if hidden is None or name not in hub.rules.fields or name not in state.values:
            continue
        _note(conn, hub, item, one, hidden, field=name)
        seen = load.member_of(hub, item, one)
        before = ValueBase(raw="", heard=state.values[name].said - 1)
        spoken = Shown(raw="", status=None, values={name: text_of(hidden.old)})
        seen = structs.replace(seen, shown=spoken, fresh=True, in_doubt=None, value_bases={name: before})
        merged = values.merge(state.values, [seen], Rules(fields={name: hub.rules.fields[name]}))
        state = structs.replace(state, values=merged.values)
        changes = (*changes, *merged.changes)
    return state, changes


def _status(
    conn: Connection, hub: Hub, item: Whole, one: Linked, answer: Snapshot, state: ItemState, base: Base
) -> tuple[ItemState, Base, tuple[Change, ...]]:
    mapping = one.connected.mapping
    hidden = next((edit for edit in answer.overwrote if edit.field == mapping.status_field), None)
    if hidden is None or hidden.old is None:
        return state, base, ()
    _note(conn, hub, item, one, hidden, field="status")
    raw = str(hidden.old)
    reads = structs.replace(one.snap, fields={**one.snap.fields, mapping.status_field: raw})
    theirs = mapping.shown(reads)
    members = []
    for each in item.linked:
        seen = load.member_of(hub, item, each)
        if each is one:
            # Its tags say nothing here: those of our own write are no user's, and its users' wait for the next pass.
            agreed = base.tags.keys if base.tags is not None else frozenset[str]()
            spoken = Shown(raw=raw, status=theirs.status, archived=theirs.archived, frozen=theirs.frozen, tags=agreed)
            seen = structs.replace(seen, shown=spoken, tag_base=base.tags, fresh=True, in_doubt=None)
            # Whoever made it: it is gone, so no reading can attribute it, and a person's word must not be lost.
            seen = structs.replace(seen, automatic=False, rules=mapping.rules_for(reads))
        else:
            seen = structs.replace(seen, fresh=False)
        members.append(seen)
    plan = reconcile(state, members, hub.rules)
    status = next(each.status_base for each in plan.members if each.link == one.link_id)
    if status is None or base.status is None:
        return plan.item, base, plan.changes
    shown_now = structs.replace(
        status, raw=base.status.raw, side=base.status.side, heard=min(status.heard, one_heard(one)), aside=False
    )
    heard = _told_to_its_own(plan.item, state, next(each for each in members if each.link == one.link_id))
    heard, landed = _where_it_stands(heard, one)
    return heard, structs.replace(base, status=shown_now), (*plan.changes, *landed)


def _where_it_stands(item: ItemState, one: Linked) -> tuple[ItemState, tuple[Change, ...]]:
    """A tracker that shows our write and may rest there, under what its people had wanted, gives the item its value.

    It is not written again, so otherwise the two would differ for good. The conflict names what its people wanted.
    """
    status, shown = item.status, one.shown
    if one.connected.role is not Role.TRACKER or status is None or shown.status in (None, status):
        return item, ()
    if shown.status.side is not status.side or not lens.agrees(one.rules, status, shown.raw, shown.status):
        return item, ()
    told = tell(with_status(item, shown.status), [Ear.HELPDESK, Ear.SIGNAL], crossing=False)
    rule = Why.TRACKER_LANDED.value
    return told, (Change(field="status", old=status.value, new=shown.status.value, link=one.link_id, rule=rule),)


def _told_to_its_own(item: ItemState, before: ItemState, member: Member) -> ItemState:
    """A resolve by its group is told to that group too, since this one of it does not show it any more.

    All the others are done, so it moves no one else. (A reopen is told to the tracker alone, as always: to tell the
    group would open its siblings. The record stays as we wrote it, and the conflict names what its user wanted.)
    """
    was_open = before.status is not None and before.status.side is Side.ACTIVE
    if was_open and item.status is not None and item.status.side is Side.DONE:
        return tell(item, (ear_of(member),), crossing=True)
    return item


def one_heard(one: Linked) -> int:
    """What the record had heard before our write: it is told again."""
    return one.base.status.heard if one.base.status is not None else 0


def _note(conn: Connection, hub: Hub, item: Whole, one: Linked, hidden: FieldEdit, *, field: str) -> None:
    conn.execute(
        insert(conflicts).values(
            at=hub.clock.now(),
            item_id=item.id,
            record_id=one.record_id,
            kind=ConflictKind.OVERWRITTEN_EDIT.value,
            field=field,
            kept=str(hidden.new),
            lost=str(hidden.old),
        )
    )
    hub.tell("conflict", item=item.id, kind="overwritten_edit", kept=str(hidden.new), lost=str(hidden.old))
