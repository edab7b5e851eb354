"""How the members of an item stand at the start of a pass: working values of `reconcile`, never stored."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, structs

from sync.core import lens
from sync.core.state import Ear, ItemState, Line, Member, StatusBase
from sync.model import Direction, Fact, Role, Side, Status

LEAVES = (Role.HELPDESK, Role.SIGNAL)
"""The roles whose records speak as a group."""

# A member of an enum is slow to look up by its class, and these functions are asked for each record in each pass.
_DONE, _ACTIVE = Side.DONE, Side.ACTIVE
_MIRROR = Ear.MIRROR
_VOTING = (Direction.BOTH, Direction.IN)
_FOLLOWING = (Direction.OUT, Direction.ENFORCE)


class Standing(Struct, kw_only=True):
    """One member during a pass; `base` is its status base as it develops.

    ear: who it is, for the item's voice. is_settled: as `settled` says. joined, changed: in this pass. was, now: the
    sides before and after its own change (archived is transparent).
    """

    member: Member
    base: StatusBase | None
    ear: Ear
    is_settled: bool
    joined: bool = False
    changed: bool = False
    asked: bool = False
    was: Side | None = None
    now: Side | None = None

    @property
    def link(self) -> int:
        """The member's link."""
        return self.member.link

    @property
    def crossed_up(self) -> bool:
        """Its own user reopened it."""
        return self.changed and self.was is _DONE and self.now is _ACTIVE

    @property
    def crossed_down(self) -> bool:
        """Its own user, or its system, finished it."""
        return self.changed and self.was is _ACTIVE and self.now is _DONE


_EARS = {role: Ear(role.value) for role in Role}


def ear_of(member: Member) -> Ear:
    """Who this record is, for the item's voice: its role, or a mirror."""
    return _MIRROR if member.status_direction in _FOLLOWING else _EARS[member.role]


def standing_of(item: ItemState, member: Member) -> Standing:
    """A member at the start of a pass.

    Its `heard` is counted for the ear that it has now: a changed direction writes nothing.
    """
    base, ear = member.status_base, ear_of(member)
    if base is not None and base.mirror is not (ear is _MIRROR):
        base = structs.replace(base, heard=item.said.get(ear, 0), mirror=ear is _MIRROR)
    return Standing(member=member, base=base, ear=ear, is_settled=settled(member))


def votes(member: Member) -> bool:
    """Whether its status is listened to."""
    return member.status_direction in _VOTING


def settled(member: Member) -> bool:
    """Whether it was read in this pass and no write to it is in doubt: only then is anything concluded from it."""
    return member.fresh and member.shown is not None and member.in_doubt is None


def unread(member: Member, base: StatusBase | None) -> bool:
    """Whether a group must wait for it: not read, or showing what a write in doubt does not explain."""
    if not member.fresh or member.shown is None:
        return True
    if member.in_doubt is None:
        return False
    return base is None or member.shown.raw not in (base.raw, member.in_doubt.status)


def unmapped(member: Member) -> bool:
    """Whether it shows a status that its mapping does not name."""
    return member.shown is not None and member.shown.status is None and not member.shown.archived


def agrees(member: Member, status: Status) -> bool:
    """Whether what it shows may rest under a status; archived and frozen records always may."""
    shown = member.shown
    if shown is None or shown.archived or shown.frozen:
        return True
    return lens.agrees(member.rules, status, shown.raw, shown.status)


def side_of(member: Member) -> Side | None:
    """The side it shows; None when archived, unmapped or never read."""
    if member.shown is None or member.shown.archived or member.shown.status is None:
        return None
    return member.shown.status.side


def tell(item: ItemState, ears: Iterable[Ear], *, crossing: bool) -> ItemState:
    """The item, having said its status to these ears and to every mirror."""
    said, line = dict(item.said), dict(item.line)
    for ear in sorted({*ears, Ear.MIRROR}):
        said[ear] = said.get(ear, 0) + 1
        if crossing and item.status is not None:
            line[ear] = Line(said[ear], item.status.side)
    return structs.replace(item, said=said, line=line)


def with_status(item: ItemState, status: Status, *, silent: bool = False) -> ItemState:
    """The item with a status, and with the fact `reopened` while it is open again after it was done."""
    facts = item.facts
    if status.side is Side.DONE:
        facts = facts - {Fact.REOPENED}
    elif item.status is not None and item.status.side is Side.DONE and not silent:
        facts = facts | {Fact.REOPENED}
    return structs.replace(item, status=status, facts=facts)
