"""`reconcile`: from one item, what its records show, and the rules, to what must happen. Values in, values out.

The pass has a fixed order: joins, what users changed, the item's status, the raw halves, tags, and what each record is
to be made to show. No step depends on the order in which members are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from msgspec import Struct, structs

from sync.core import paths, status, tags, values
from sync.core.reasons import ConflictKind, ParkReason
from sync.core.standing import Standing, standing_of, tell, unmapped, votes, with_status
from sync.core.state import (
    Change,
    Conflict,
    Ear,
    ItemState,
    Member,
    MemberPlan,
    Park,
    Plan,
    Rules,
    Shown,
    StatusBase,
    Want,
)
from sync.core.wanted import Wanted, wanted
from sync.core.why import Why
from sync.model import Direction, Side, Status

_WORDS = {why: why.value for why in Why}
_TAGS_AGREE = Why.TAGS_AGREE.value
_LINK = attrgetter("link")

# A member of an enum is slow to look up by its class, and these are looked at for each record in each pass.
_TRACKER = Ear.TRACKER
_STEPS_UNKNOWN = Why.STEPS_UNKNOWN


def reconcile(item: ItemState, members: Sequence[Member], rules: Rules) -> Plan:
    """Merge what the members show into the item, and plan the writes that make every member agree.

    Laws: the order of members does not matter; once the plan's writes were received, reconciling again plans nothing;
    one undisputed change always survives; members that leave, join or cannot be read move nobody's status; a write that
    replaces what a record's user did in the same pass comes with a `Conflict` that names it.
    """
    before = item
    members = sorted(members, key=_LINK)
    standings = [standing_of(item, m) for m in members]
    item, joins = status.join(item, standings)
    changed = status.notice(standings)
    heard = status.hear(item, standings, changed, rules)
    item = heard.item
    item, landed = _landed(item, standings)
    status.move_raw_halves(changed, item.status)
    merged = tags.merge_tags(item, members, rules)
    settled_values = values.merge(item.values, members, rules)
    if merged.tags is not item.tags or settled_values.values is not item.values:
        item = structs.replace(item, tags=merged.tags, values=settled_values.values)

    plans: list[MemberPlan] = []
    conflicts = [*heard.conflicts, *merged.conflicts, *settled_values.conflicts]
    read = set(heard.read)
    told = {conflict.link for conflict in heard.conflicts}
    for standing in standings:
        decided = _decide(item, standing)
        member = standing.member
        link = member.link
        tag_plan = merged.plans.get(link)
        want = decided.want
        if tag_plan is not None and (tag_plan.add or tag_plan.remove):
            want = structs.replace(want or Want(), said=decided.said, add=tag_plan.add, remove=tag_plan.remove)
        if decided.towards and standing.changed and link not in told:
            conflicts.append(_replaced(standing, decided.towards))
        if decided.why is _STEPS_UNKNOWN:
            read.add(link)
        value_plan = settled_values.plans.get(link)
        if value_plan is not None and value_plan.set:
            want = structs.replace(
                want or Want(), said=decided.said, set=dict(value_plan.set), set_said=dict(value_plan.said)
            )
        plans.append(
            MemberPlan(
                link=link,
                status_base=decided.base,
                tag_base=member.tag_base if tag_plan is None else tag_plan.base,
                want=want,
                value_bases=member.value_bases if value_plan is None else value_plan.bases,
                park=decided.park,
                why=_WORDS[decided.why],
                why_tags=_TAGS_AGREE if tag_plan is None else _WORDS[tag_plan.why],
            )
        )
    return Plan(
        item=item,
        members=tuple(plans),
        conflicts=tuple(sorted(conflicts, key=_conflict_order)) if conflicts else (),
        changes=(
            *joins,
            *heard.changes,
            *_facts(before, item, (*joins, *heard.changes)),
            *landed,
            *merged.changes,
            *settled_values.changes,
        ),
        ask=heard.ask,
        read=tuple(sorted(read)) if read else (),
    )


def _landed(item: ItemState, standings: Sequence[Standing]) -> tuple[ItemState, tuple[Change, ...]]:
    """Let a tracker that stands where it was told to cross to, with no way to the very value, give the item its value.

    So after a reopen in the middle of a walk towards done: the issue is open, as it should be, and nobody has to act.
    It is not moved to and fro either, to learn whether there is a way back.
    """
    for standing in standings:
        if standing.ear is not _TRACKER or not standing.is_settled:
            continue
        member, base, shown = standing.member, standing.base, standing.member.shown
        if item.status is None or base is None or shown is None or shown.status is None or "status" in member.held:
            continue
        if shown.status is item.status or shown.status.side is not item.status.side:
            continue
        aim = wanted(item, item.status, member, shown, base)
        if aim.raw == shown.raw or not aim.told:
            continue
        way = paths.find(member.rules, member.graph, shown.raw, aim.raw, item.status, shown.status)
        if way is None or (isinstance(way, paths.Path) and way.course is paths.Course.LEARN):
            change = Change(
                field="status",
                old=item.status.value,
                new=shown.status.value,
                link=member.link,
                rule=Why.TRACKER_LANDED.value,
            )
            return tell(with_status(item, shown.status), [Ear.HELPDESK, Ear.SIGNAL], crossing=False), (change,)
    return item, ()


class _Decided(Struct, frozen=True):
    """What becomes of one record's status. towards: the raw value that is to replace what it shows, now or once it was
    read how to get there.
    """

    base: StatusBase | None
    why: Why
    said: int = 0
    want: Want | None = None
    park: Park | None = None
    towards: str = ""


def _decide(item: ItemState, standing: Standing) -> _Decided:
    """Whether one record is written, left as it is, or parked, and how its base moves."""
    member, base, shown = standing.member, standing.base, standing.member.shown
    said = item.said.get(standing.ear, 0)
    if member.in_doubt is not None:
        return _Decided(base=_in_doubt(standing), why=Why.IN_DOUBT, said=said)
    if shown is None or not standing.is_settled:
        return _Decided(base=base, why=Why.UNREAD, said=said)
    if unmapped(member):
        if member.status_direction is Direction.OFF:
            return _Decided(base=base, why=Why.DIRECTION_OFF, said=said)
        wanted_now = "" if item.status is None else item.status.value
        park = Park(reason=ParkReason.UNMAPPED_VALUE, field="status", wanted=wanted_now, shown=shown.raw)
        return _Decided(base=base, why=Why.UNMAPPED, said=said, park=park)
    assert base is not None  # every readable, mapped record has joined by now
    if standing.asked:
        return _Decided(base=base, why=Why.ASKED, said=said)
    if item.status is None:
        return _Decided(base=base, why=Why.NO_STATUS, said=said)
    if "status" in member.held:
        return _Decided(base=base, why=Why.HELD, said=said)
    aim = wanted(item, item.status, member, shown, base)
    if aim.raw == shown.raw:
        why = Why.JOINED if standing.joined and not aim.due and aim.why is not Why.HEARD else aim.why
        return _Decided(_heard(base, shown, said, item.status.side, aim), why, said)
    return _approach(member, shown, base, item.status, aim, said)


def _in_doubt(standing: Standing) -> StatusBase | None:
    """The base while a write's outcome is not known: it moves in nothing but whether the record stands aside.

    That is said of the item, which does not speak of it again.
    """
    base, now = standing.member.status_base, standing.base
    return base if base is None or now is None else structs.replace(base, aside=now.aside)


def _heard(base: StatusBase, shown: Shown, said: int, side: Side, aim: Wanted) -> StatusBase:
    """The base of a record that is left as it is: it has heard, and no park waits for it any more.

    An archived record that is told a crossing counts from now on as having gone along, so that its coming back is one.
    """
    if shown.archived and aim.told and base.side is not None:
        base = structs.replace(base, side=side)
    if base.heard == said and base.parked is None and base.park_reason is None:
        return base
    return structs.replace(base, heard=said, parked=None, park_reason=None)


def _approach(member: Member, shown: Shown, base: StatusBase, status: Status, aim: Wanted, said: int) -> _Decided:
    """The next write towards what a record should show, or its park where there is no way."""
    mark = (said, shown.raw)
    if base.parked == mark and base.park_reason is not ParkReason.NO_PATH:
        park = Park(
            reason=base.park_reason or ParkReason.WRITE_REJECTED, field="status", wanted=aim.raw, shown=shown.raw
        )
        return _Decided(base=base, why=Why.PARKED, said=said, park=park)
    way = paths.find(member.rules, member.graph, shown.raw, aim.raw, status, shown.status)
    if isinstance(way, paths.StepsUnknown):
        return _Decided(base=base, why=Why.STEPS_UNKNOWN, said=said, towards=aim.raw)
    if way is None:
        base = structs.replace(base, parked=mark, park_reason=ParkReason.NO_PATH)
        park = Park(reason=ParkReason.NO_PATH, field="status", wanted=aim.raw, shown=shown.raw)
        return _Decided(base=base, why=Why.PARKED, said=said, park=park)
    return _Decided(
        base=structs.replace(base, parked=None, park_reason=None),
        why=aim.why,
        said=said,
        want=Want(status=way.hop, target=way.target, final=way.final, said=said),
        towards=way.target,
    )


def _replaced(standing: Standing, kept: str) -> Conflict:
    """The conflict of a write that replaces what the record's own user did in this very pass (L12)."""
    assert standing.member.shown is not None
    if not votes(standing.member):
        kind = ConflictKind.MIRROR_REPLACED
    else:
        kind = ConflictKind.CROSSING_WINS
    return Conflict(
        kind=kind,
        field="status",
        link=standing.link,
        kept=kept,
        lost=standing.member.shown.raw,
    )


def _facts(before: ItemState, after: ItemState, causes: Sequence[Change]) -> tuple[Change, ...]:
    """The facts that came and went, each by the change of status that caused it."""
    if after.facts == before.facts:
        return ()
    link, rule = (causes[-1].link, causes[-1].rule) if causes else (None, "")
    gone: list[tuple[str | None, str | None]] = [(f.value, None) for f in sorted(before.facts - after.facts)]
    came: list[tuple[str | None, str | None]] = [(None, f.value) for f in sorted(after.facts - before.facts)]
    return tuple(Change(field="facts", old=old, new=new, link=link, rule=rule) for old, new in gone + came)


def _conflict_order(conflict: Conflict) -> tuple[str, int, str, str, str]:
    return conflict.field, conflict.link, conflict.kind.value, conflict.kept, conflict.lost
