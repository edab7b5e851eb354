"""What a restored database was told about its own doings by the histories, as a decision takes it. Pure.

A hub that had not lost its memory would have heard the others first: it put the tag, or the status, on the record
because somebody else had brought it. So their edits are heard first, and then the record's own users.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, structs

from sync.core import lens
from sync.core.standing import agrees, ear_of, settled, unmapped, votes
from sync.core.state import ItemState, Member, Shown, StatusBase
from sync.engine.columns import Base
from sync.engine.load import Linked, Whole
from sync.model import Role, Side


class Recalled(Struct, frozen=True, kw_only=True):
    """The members of a pass. heard: links of which nothing more is to be recalled. again: another pass must follow."""

    members: tuple[Member, ...]
    heard: frozenset[int] = frozenset()
    again: bool = False


def recall(item: Whole, members: Sequence[Member]) -> Recalled:
    """Lay what was recalled over the bases: while others are to be heard it says nothing, then its users' word counts.

    A tag that the hub had put on a record and its user took off counts as taken in, and is not told again; when the
    others are heard it counts as shown before, so that its going is heard as its user's removal. A tag that the hub had
    put on a record, and that is there, was taken in if the item has it; if not, it goes where a user of another one
    took it off. A status that the hub had set is no edit. On the tracker, which is never aside, it is its people's
    after all where the others, heard first, do not account for it: whoever brought it about has left. So is a ticket's
    or signal's reopen when the issue has left; while the issue stands done, and for details, the record is told once
    more what its item says. A status that the hub had set, and that
    the record's users have moved on from, is laid under what it shows when the others account for it, so that its
    users are heard; until then nothing is written over them. An issue that the hub finished, and that nobody accounts
    for, was finished by tickets of which one is open again: that one is heard beside it.
    """
    if not any(one.base.recalls for one in item.linked):
        return Recalled(members=tuple(members))
    went = frozenset[str]().union(*(one.base.went for one in item.linked)) - item.state.tags.keys()
    waits = any((one.asked and one.presence == "present") or _is_doubtful(one) for one in item.linked)
    speaks = any(_speaks(each) for each in members)
    is_last = not waits and not speaks
    tracker = next((each.shown for each in members if each.role is Role.TRACKER), None)
    laid = [
        _laid(item, one, each, went, tracker, is_last=is_last) for one, each in zip(item.linked, members, strict=True)
    ]
    if is_last and any(_is_finished(each) for each in laid):
        laid = [_reopened(one, each) for one, each in zip(item.linked, laid, strict=True)]
    heard = frozenset(each.link for each in members if is_last and settled(each))
    return Recalled(members=tuple(laid), heard=heard, again=speaks and not waits)


def left(base: Base, *, is_heard: bool) -> Base:
    """The base after a pass: what was heard is recalled no more."""
    if not is_heard:
        return base
    return structs.replace(
        base, put_on=frozenset(), taken_off=frozenset(), put_there="", moved_from="", been=frozenset(), went=frozenset()
    )


def _is_doubtful(one: Linked) -> bool:
    return one.open is not None and (one.open.doubtful or one.open.state in ("sending", "in_doubt"))


def _speaks(member: Member) -> bool:
    """Whether this pass hears something of a record."""
    shown, tags, status = member.shown, member.tag_base, member.status_base
    if shown is None or not settled(member) or unmapped(member):
        return False
    if status is not None and status.raw != shown.raw and votes(member):
        return True
    if tags is None:
        return True
    return bool(shown.tags - tags.keys) or (member.role is not Role.SIGNAL and bool(tags.keys - shown.tags))


def _laid(
    item: Whole, one: Linked, member: Member, went: frozenset[str], tracker: Shown | None, *, is_last: bool
) -> Member:
    tags, status, shown = member.tag_base, member.status_base, member.shown
    gone = one.base.taken_off - shown.tags if shown is not None else one.base.taken_off
    if tags is not None and gone:
        tags = structs.replace(tags, keys=tags.keys | gone if is_last else tags.keys, had=tags.had | gone)
    taken_in = one.base.put_on & (went | item.state.tags.keys() if is_last else item.state.tags.keys())
    if tags is not None and taken_in:
        tags = structs.replace(tags, had=tags.had | taken_in)
    held = member.held
    if status is not None and shown is not None and shown.status is not None:
        if shown.raw == one.base.put_there:
            status = structs.replace(status, raw=shown.raw, side=shown.status.side)
            if is_last:
                status = _unaccounted(item.state, one.base, member, status, tracker)
        elif one.base.moved_from and is_last:
            status = _moved_on(item.state, one.base.moved_from, member, shown, status)
        elif one.base.moved_from:
            held = held | {"status"}
    return structs.replace(member, tag_base=tags, status_base=status, held=held)


def _unaccounted(item: ItemState, base: Base, member: Member, laid: StatusBase, tracker: Shown | None) -> StatusBase:
    """The base of a record that shows what the hub had set, where the item does not stand there although all was heard.

    tracker: what the item's issue shows; None when it has none any more.
    """
    shown, stands = member.shown, item.status
    if shown is None or shown.status is None or stands is None:
        return laid
    side, said, line = shown.status.side, item.said.get(ear_of(member), 0), item.line.get(ear_of(member))
    if member.role is Role.TRACKER:
        owed = line is not None and line.said > laid.heard and line.side is stands.side
        half_way = owed and not (stands.side is not side and _has_crossed(base, member, shown))
        return laid if half_way or shown.status is stands else structs.replace(laid, raw="", side=stands.side)
    if stands.side is side:
        return laid if agrees(member, stands) else structs.replace(laid, heard=min(laid.heard, said - 1))
    if side is Side.ACTIVE and tracker is None:
        return structs.replace(laid, raw="", side=stands.side)
    if side is Side.ACTIVE and line is not None and tracker is not None and tracker.status is stands:
        return structs.replace(laid, heard=min(laid.heard, line.said - 1))
    return laid


def _is_finished(member: Member) -> bool:
    """Whether an issue that the hub finished is to be heard as its people's done."""
    base, shown = member.status_base, member.shown
    if member.role is not Role.TRACKER or base is None or shown is None or shown.status is None:
        return False
    return not base.raw and base.side is Side.ACTIVE and shown.status.side is Side.DONE


def _reopened(one: Linked, member: Member) -> Member:
    """A record that was done since the backup and is open now: its group finished the issue, and then it reopened."""
    status, shown = member.status_base, member.shown
    if member.role is Role.TRACKER or status is None or shown is None or shown.status is None:
        return member
    if shown.status.side is Side.DONE or shown.raw == one.base.put_there or not _has_crossed(one.base, member, shown):
        return member
    return structs.replace(member, status_base=structs.replace(status, raw="", side=Side.DONE))


def _has_crossed(base: Base, member: Member, shown: Shown) -> bool:
    """Whether a record has been on the other side since the backup. On its way to done it never was."""
    read = [lens.get(member.rules, raw) for raw in base.been]
    return any(each is not None and shown.status is not None and each.side is not shown.status.side for each in read)


def _moved_on(item: ItemState, left_behind: str, member: Member, shown: Shown, status: StatusBase) -> StatusBase:
    """The base of a record whose users have moved it on from what the hub had set, if the item still stands there."""
    before = lens.get(member.rules, left_behind)
    if before is None or item.status is None or before.side is not item.status.side or shown.status is item.status:
        return status
    return structs.replace(status, raw=left_behind, side=before.side)
