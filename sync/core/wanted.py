"""What one record should show for the item's status: one pure function, the same for plan, `explain` and tests."""

from __future__ import annotations

from msgspec import Struct

from sync.core import lens
from sync.core.standing import ear_of
from sync.core.state import ItemState, Member, Shown, StatusBase
from sync.core.why import Why
from sync.model import Direction, Side, Status

# A member of an enum is slow to look up by its class, and this is asked for each record in each pass.
_IN, _OFF, _ENFORCE = Direction.IN, Direction.OFF, Direction.ENFORCE
_HEARD = Why.HEARD


class Wanted(Struct, frozen=True, kw_only=True):
    """raw: the value to show; the record's own where it is left as it is. why: the rule.

    due: the item has said something to this record that it has not heard. told: that was a crossing which still holds.
    """

    raw: str
    why: Why
    due: bool
    told: bool


def wanted(item: ItemState, status: Status, member: Member, shown: Shown, base: StatusBase) -> Wanted:
    """What a record should show, given the item and its status, what it shows, and its base.

    A crossing is written only if it was told since the record last heard, and still holds; a reopen does not reach a
    record that stands aside, a resolve does. A detail reaches records that stand on the item's side and not aside.
    """
    ear = ear_of(member)
    line = item.line.get(ear)
    told = line is not None and line.said > base.heard and line.side is status.side
    due = base.heard < item.said.get(ear, 0) or member.status_direction is _ENFORCE

    raw, why = _chosen(status, member, shown, base, due=due, told=told)
    return Wanted(raw=raw, why=why, due=due, told=told)


def _chosen(
    status: Status, member: Member, shown: Shown, base: StatusBase, *, due: bool, told: bool
) -> tuple[str, Why]:
    """The raw value to show, and the rule."""
    if member.status_direction is _OFF:
        return shown.raw, Why.DIRECTION_OFF
    if member.status_direction is _IN:
        return shown.raw, Why.DIRECTION_IN
    if shown.archived:
        return shown.raw, Why.ARCHIVED
    if shown.frozen or shown.raw in member.rules.frozen:
        return shown.raw, Why.CLOSED
    should = lens.put(member.rules, status, shown.raw, shown.status)
    if should == shown.raw:
        return shown.raw, _HEARD
    if member.status_direction is _ENFORCE:
        return should, Why.ENFORCED
    if not due:
        return shown.raw, Why.ASIDE if base.aside else Why.NOT_TOLD
    crosses = shown.status is None or shown.status.side is not status.side
    if crosses:
        if not told:
            return shown.raw, Why.ASIDE if base.aside else Why.LINE
        if status.side is Side.ACTIVE and base.aside:
            return shown.raw, Why.ASIDE
        return should, Why.TOLD_CROSSING
    return (shown.raw, Why.ASIDE) if base.aside else (should, Why.TOLD_DETAIL)
