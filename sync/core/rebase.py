"""A changed mapping writes nothing by itself: the raw half of a base stays, the canonical half is computed anew."""

from __future__ import annotations

from msgspec import structs

from sync.core import lens
from sync.core.state import Direction, Ear, ItemState, Member, Role, StatusBase, TagBase


def rebase(item: ItemState, member: Member) -> Member:
    """The member as if it had heard, under its new mapping, all that the item has said so far.

    A record that its user changed since is still changed: the raw halves are not touched.
    """
    if member.shown is None:
        return member
    status = member.status_base
    if status is not None:
        known = lens.get(member.rules, status.raw)
        told = item.said.get(_ear(member), 0)
        agrees = item.status is None or lens.agrees(member.rules, item.status, status.raw)
        status = StatusBase(
            raw=status.raw,
            heard=told,
            side=status.side if known is None else known.side,
            aside=member.role is not Role.TRACKER and not agrees,
        )
    tags = member.tag_base
    if tags is not None:
        tags = TagBase(keys=tags.keys, had=frozenset(item.tags) & member.accepts | tags.keys & frozenset(item.tags))
    return structs.replace(member, status_base=status, tag_base=tags)


def _ear(member: Member) -> Ear:
    if member.status_direction in (Direction.OUT, Direction.ENFORCE):
        return Ear.MIRROR
    return Ear(member.role.value)
