"""What a mapping asks of the records of one item when it is applied to them anew. Pure.

An edit of a mapping writes nothing by itself, so no record is owed anything because of it. Here the members are taken
as if the item had just said its status and tags to each of them, and `reconcile` says what it would write: all its
rules hold, of records that stand aside, are closed, held or parked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from sync.core import lens
from sync.core.reconcile import reconcile
from sync.core.standing import agrees, ear_of, side_of, unmapped
from sync.core.state import Ear, ItemState, Line, Member, MemberPlan, Plan, Rules, StatusBase
from sync.core.why import Why
from sync.model import Direction, Role, Status

_WRITTEN = (Direction.BOTH, Direction.OUT, Direction.ENFORCE)


class Owed(Struct, frozen=True, kw_only=True):
    """What applying the mapping to one item would do.

    item: as it stands then; its status differs where its tracker's value is read anew. plans: by link. itself: what
    the hub does without any plan as soon as it looks at the item again (a value that had no meaning before).
    """

    item: ItemState
    plans: Mapping[int, MemberPlan]
    itself: Plan


def owed(item: ItemState, members: Sequence[Member], rules: Rules, before: Mapping[int, StatusBase | None]) -> Owed:
    """What every member should show by its mapping, as far as its own user has not decided otherwise.

    members: with bases as the present mapping reads them (`rebase`); before: the status bases as they are stored.
    A record is carried over the line between open and done only where the mapping reads the item, or that record,
    otherwise than before; what stood on the other side already stays there.
    """
    itself = reconcile(item, members, rules)
    bases = {each.link: each for each in itself.members}
    status = _read_anew(itself.item, members, bases, before)
    crossed = status is not None and itself.item.status is not None and status.side is not itself.item.status.side
    said = {ear: itself.item.said.get(ear, 0) + 1 for ear in Ear}
    line = {ear: Line(said[ear], status.side) for ear in Ear} if status is not None else {}
    state = structs.replace(itself.item, status=status, said=said, line=line)
    told = [_told(state, each, bases[each.link], before.get(each.link), crossed=crossed) for each in members]
    plan = reconcile(state, told, rules)
    return Owed(
        item=structs.replace(itself.item, status=status),
        plans={each.link: each for each in plan.members},
        itself=itself,
    )


def _read_anew(
    item: ItemState,
    members: Sequence[Member],
    bases: Mapping[int, MemberPlan],
    before: Mapping[int, StatusBase | None],
) -> Status | None:
    """The item's status: its tracker's value as the mapping reads it now, where that is another one."""
    for member in members:
        shown, base = member.shown, bases[member.link].status_base
        if member.role is not Role.TRACKER or member.status_direction is not Direction.BOTH:
            continue
        if shown is None or shown.status is None or not member.fresh or item.status is None:
            continue
        if base is None or base.parked is not None or base.aside or base.heard < item.said.get(ear_of(member), 0):
            continue
        if agrees(member, item.status):
            continue
        old = before.get(member.link)
        if shown.status.side is not item.status.side and old is not None and old.side is shown.status.side:
            continue  # it stood on that side before the edit: not a matter of the mapping
        return shown.status
    return item.status


def _told(state: ItemState, member: Member, plan: MemberPlan, old: StatusBase | None, *, crossed: bool) -> Member:
    """A member that has not heard what the item says now, if the mapping alone is why it does not show it."""
    base, tags = plan.status_base, plan.tag_base
    if base is not None and state.status is not None:
        now = side_of(member)
        moved = crossed or (old is not None and now is not None and old.side is not now)
        # The item goes by its tracker, never against it: its value is read anew instead.
        is_told = ear_of(member) is not Ear.TRACKER and (now is state.status.side or moved)
        latest = state.said[ear_of(member)]
        base = structs.replace(base, heard=latest - 1 if is_told else latest)
    if tags is not None and tags.waived:
        tags = structs.replace(tags, had=tags.had - tags.waived, waived=frozenset())
    return structs.replace(member, status_base=base, tag_base=tags)


def rests(item: ItemState, member: Member) -> bool:
    """Whether nothing could be owed to a record, told without asking `reconcile`: it shows what it was left with."""
    shown, base, tags = member.shown, member.status_base, member.tag_base
    if shown is None or base is None or tags is None or not member.fresh or member.in_doubt is not None:
        return False
    if shown.raw != base.raw or tags.waived or unmapped(member) or item.waiting or item.status is None:
        return False
    if member.tag_direction in (Direction.BOTH, Direction.IN) and shown.tags != tags.keys:
        return False
    if member.status_direction in _WRITTEN and not agrees(member, item.status):
        return False
    return member.tag_direction not in _WRITTEN or _holds_tags(item, member)


def _holds_tags(item: ItemState, member: Member) -> bool:
    """Nothing of the item's tags is missing or too much."""
    shown, tags = member.shown, member.tag_base
    assert shown is not None
    assert tags is not None
    passing = frozenset(item.tags) & member.accepts
    if member.tag_direction is Direction.ENFORCE and shown.tags & member.accepts != passing:
        return False
    lacking = passing - tags.had - shown.tags
    return not lacking and not (tags.had & shown.tags & member.accepts) - item.tags.keys()


WORDS: Mapping[Why, str] = {
    Why.ASIDE: "their own users moved them against the item",
    Why.LINE: "they stood on the other side before",
    Why.NOT_TOLD: "they stood on the other side before",
    Why.CLOSED: "they are closed for good",
    Why.ARCHIVED: "they are archived",
    Why.DIRECTION_IN: "the status is only read there (direction `in`, or the connection only observes)",
    Why.DIRECTION_OFF: "the direction is `off`",
    Why.HELD: "the field is held",
    Why.IN_DOUBT: "a write to them is in doubt",
    Why.UNREAD: "they cannot be read, or their connection is paused",
    Why.UNMAPPED: "the mapping does not name the value they show",
    Why.PARKED: "no step of the workflow leads there",
    Why.ASKED: "their history must tell who resolved them",
    Why.NO_STATUS: "their item has no status",
}
"""Why records that differ from their item are left as they are."""


def differs(item: ItemState, member: Member) -> bool:
    """Whether a record shows another status than its item asks for."""
    shown = member.shown
    if shown is None or item.status is None:
        return False
    return not lens.agrees(member.rules, item.status, shown.raw, shown.status)
