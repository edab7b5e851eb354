"""How an item's status comes from what its records' own users did: joins, crossings, details.

A group speaks only because a user changed one of its members. Joins, leaves and merges never speak.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct, structs

from sync.core import lens
from sync.core.reasons import ConflictKind
from sync.core.standing import (
    LEAVES,
    Standing,
    agrees,
    side_of,
    tell,
    unmapped,
    unread,
    votes,
    with_status,
)
from sync.core.state import Change, Conflict, Detail, Ear, ItemState, Reopen, Resolve, Rules, StatusBase
from sync.core.why import Why
from sync.model import Direction, Role, Side, Status

# A member of an enum is slow to look up by its class, and these are looked at whenever somebody changed something.
_ACTIVE, _DONE = Side.ACTIVE, Side.DONE
_TRACKER, _BOTH = Role.TRACKER, Direction.BOTH
_RESOLVE_ANY, _NEVER, _REOPEN_ANY = Resolve.ANY, Resolve.NEVER, Reopen.ANY


class Merged(Struct, frozen=True, kw_only=True):
    """The item after its records were heard, with what was settled on the way."""

    item: ItemState
    conflicts: tuple[Conflict, ...] = ()
    changes: tuple[Change, ...] = ()
    ask: tuple[int, ...] = ()
    read: tuple[int, ...] = ()


# --- joining ---------------------------------------------------------------------------------------------------


def join(item: ItemState, standings: Sequence[Standing]) -> tuple[ItemState, tuple[Change, ...]]:
    """Give every record that joins its base, and the item a first status; nobody is told anything.

    A joining tracker gives the item its value. An item without a status takes the tracker's, else its oldest record's.
    A record that does not agree stands aside.
    """
    joining = [s for s in standings if s.base is None and s.is_settled and not unmapped(s.member)]
    if not joining and item.status is not None:
        return item, ()
    changes: list[Change] = []
    givers = [s for s in joining if s.member.role is Role.TRACKER]
    why = Why.JOIN_TRACKER
    if item.status is None and not any(_gives(s) for s in givers):
        givers = sorted(standings, key=lambda s: (s.member.role is not Role.TRACKER, s.link))
        why = Why.FIRST_MEMBER
    giver = next((s for s in givers if _gives(s)), None)
    if giver is not None:
        shown = giver.member.shown
        assert shown is not None
        assert shown.status is not None
        if shown.status is not item.status:
            changes.append(_change(item, shown.status, giver.link, why))
        item = with_status(item, shown.status, silent=True)
        for standing in standings:
            if standing.base is not None and not standing.base.aside and _is_apart(standing, shown.status):
                standing.base = structs.replace(standing.base, aside=True)
    for standing in joining:
        member = standing.member
        assert member.shown is not None
        standing.joined = True
        standing.base = StatusBase(
            raw=member.shown.raw,
            heard=item.said.get(standing.ear, 0),
            mirror=standing.ear is Ear.MIRROR,
            side=side_of(member),
            aside=item.status is not None and _is_apart(standing, item.status),
        )
    return item, tuple(changes)


def _gives(standing: Standing) -> bool:
    """Whether an item may take its first status, or a joining tracker's, from this record."""
    return standing.is_settled and votes(standing.member) and side_of(standing.member) is not None


def _is_apart(standing: Standing, status: Status) -> bool:
    """Whether a record that nobody moved stands aside from a status: a voting ticket or signal that does not agree."""
    member = standing.member
    return member.role is not Role.TRACKER and votes(member) and not unmapped(member) and not agrees(member, status)


# --- hearing ---------------------------------------------------------------------------------------------------


def notice(standings: Sequence[Standing]) -> list[Standing]:
    """Mark and give the records whose own users changed their status, with the sides they came from and went to.

    Joining is no change, but for the follow-up of a closed ticket: a customer who goes on there has reopened it.
    """
    changed = []
    for standing in standings:
        base, shown = standing.base, standing.member.shown
        if not standing.is_settled or base is None or shown is None:
            continue
        if standing.joined:
            if standing.member.follow_up and side_of(standing.member) is Side.ACTIVE:
                standing.was, standing.now, standing.changed = Side.DONE, Side.ACTIVE, True
                changed.append(standing)
        elif shown.raw != base.raw and not unmapped(standing.member):
            standing.was, standing.changed = base.side, True
            standing.now = base.side if shown.archived else side_of(standing.member)
            changed.append(standing)
    return changed


class _Verdict(StrEnum):
    """What a group says about resolving the item."""

    NO = "no"
    WAIT = "wait"
    ASK = "ask"
    YES = "yes"


_NO, _WAIT, _ASK, _YES = _Verdict


class _Group(Struct, kw_only=True):
    """The voters of one role, and what they say together."""

    role: Role
    voters: list[Standing]
    verdict: _Verdict = _NO
    links: tuple[int, ...] = ()

    @property
    def up(self) -> list[Standing]:
        return [s for s in self.voters if s.crossed_up]

    @property
    def down(self) -> list[Standing]:
        return [s for s in self.voters if s.crossed_down]


def hear(item: ItemState, standings: Sequence[Standing], changed: Sequence[Standing], rules: Rules) -> Merged:
    """The item after its records' users spoke: the first rule that applies (open wins, tracker, groups, details)."""
    if item.status is None or not (changed or item.waiting):
        return Merged(item=item)
    side = item.status.side
    groups = [_group(item, side, standings, role, rules) for role in LEAVES]
    tracker = next((s for s in changed if s.member.role is _TRACKER and votes(s.member)), None)
    reopening = [g for g in groups if g.up and rules.of(g.role).reopen is _REOPEN_ANY]
    resolving = [g for g in groups if g.verdict in (_YES, _ASK)]
    tracker_crossed = tracker is not None and tracker.now is not None and tracker.now is not tracker.was

    if reopening and ((tracker is not None and tracker.crossed_down) or (side is _ACTIVE and resolving)):
        return _open_wins(item, reopening, resolving if side is _ACTIVE else [], tracker, rules)
    if reopening:
        item = structs.replace(item, waiting=frozenset())
    if tracker is not None and tracker_crossed:
        return _tracker_crossed(item, tracker, resolving)
    waiting = frozenset(g.role for g in groups if g.verdict is _WAIT and side is _ACTIVE and not reopening)
    asking = [g for g in resolving if g.verdict is _ASK]
    agreed = [g for g in resolving if g.verdict is _YES]
    if side is _ACTIVE and asking:
        # Nothing is concluded for these groups: their members have not moved when the same question is put again.
        waiting |= item.waiting & {g.role for g in asking}
        for group in asking:
            for standing in group.down:
                standing.asked, standing.changed = True, False
    base = Merged(
        item=structs.replace(item, waiting=waiting),
        ask=_links(asking if side is _ACTIVE else ()),
        read=_links([g for g in groups if g.role in waiting and g.verdict is _WAIT]),
    )
    if side is _ACTIVE and agreed:
        return _group_resolved(base, agreed, rules)
    if side is _DONE and reopening:
        return _group_reopened(base, reopening, rules)
    if tracker is not None:
        return _tracker_detail(base, tracker, groups, rules)
    return _sole_detail(base, groups, rules)


def _links(groups: Sequence[_Group]) -> tuple[int, ...]:
    return tuple(sorted(link for group in groups for link in group.links))


def _group(item: ItemState, side: Side, standings: Sequence[Standing], role: Role, rules: Rules) -> _Group:
    """Ask the records of one role whether all of them are done because of their users."""
    group = _Group(role=role, voters=[s for s in standings if s.member.role is role and votes(s.member)])
    resolve, counts_all = rules.of(role).resolve, rules.of(role).automatic_resolve
    if resolve is _NEVER:
        return group
    if resolve is _RESOLVE_ANY:
        by_people = [s for s in group.down if counts_all or s.member.automatic is False]
        unknown = [s for s in group.down if s.member.automatic is None]
        if by_people:
            group.verdict = _YES
        elif unknown:
            group.verdict, group.links = _ASK, tuple(s.link for s in unknown)
        return group
    if not group.down and role not in item.waiting:
        return group
    sides = {s.link: _vote(item, side, s, counts_all=counts_all) for s in group.voters}
    missing = [s.link for s in group.voters if unread(s.member, s.base)]
    if not group.voters or any(
        sides[s.link] is not _DONE for s in group.voters if s.base is not None or s.link not in missing
    ):
        return group
    if missing:
        group.verdict, group.links = _WAIT, tuple(missing)
        return group
    # A record that the hub itself moved does not stand aside; only those that were moved by others are asked about.
    unknown = [s for s in group.voters if s.member.automatic is None and (s.crossed_down or _is_aside_done(s))]
    if unknown and not counts_all:
        group.verdict, group.links = _ASK, tuple(s.link for s in unknown)
    else:
        group.verdict = _YES
    return group


def _is_aside_done(standing: Standing) -> bool:
    return standing.base is not None and standing.base.aside and standing.base.side is _DONE


def _vote(item: ItemState, side: Side, standing: Standing, *, counts_all: bool) -> Side | None:
    """The side that a record stands for: as it was told while that is still owed to it, else as it shows.

    None for a record whose side is not known. A resolve that a system made by itself does not count as done.
    """
    member, base = standing.member, standing.base
    if standing.is_settled and unmapped(member):
        return None
    if base is None:
        return None
    line = item.line.get(standing.ear)
    shown = member.shown
    if (
        line is not None
        and line.said > base.heard
        and line.side is side
        and not base.aside
        and member.status_direction is _BOTH
        and not (shown is not None and (shown.archived or shown.frozen))
    ):
        return side
    if member.automatic and not counts_all and (standing.crossed_down or _is_aside_done(standing)):
        return _ACTIVE
    return standing.now if standing.changed else base.side


# --- the rules, in their order ---------------------------------------------------------------------------------


def _open_wins(
    item: ItemState, reopening: Sequence[_Group], resolving: Sequence[_Group], tracker: Standing | None, rules: Rules
) -> Merged:
    """One side finishes while another reopens: the item is open, the tracker is told, nobody resolves."""
    first = min(s.link for g in reopening for s in g.up)
    before = item
    assert item.status is not None
    status = item.status if item.status.side is Side.ACTIVE else _reopened_as(rules)
    losers = [s for g in resolving for s in g.down]
    item = structs.replace(with_status(item, status), waiting=frozenset())
    if tracker is not None and tracker.crossed_down:
        item = tell(item, [Ear.TRACKER], crossing=True)
        losers.append(tracker)
    conflicts = tuple(
        Conflict(
            kind=ConflictKind.OPEN_WINS,
            field="status",
            link=s.link,
            kept=status.value,
            lost=_raw(s),
            other=first,
        )
        for s in losers
    )
    changes = () if status is before.status else (_change(before, status, first, Why.OPEN_WINS),)
    return Merged(item=item, conflicts=conflicts, changes=changes)


def _tracker_crossed(item: ItemState, tracker: Standing, resolving: Sequence[_Group]) -> Merged:
    """The tracker's people resolved or reopened: everybody is told, also when the item stood there already."""
    shown = tracker.member.shown
    assert shown is not None
    assert shown.status is not None
    conflicts: tuple[Conflict, ...] = ()
    if shown.status.side is Side.ACTIVE:
        conflicts = tuple(
            Conflict(
                kind=ConflictKind.TRACKER_WINS,
                field="status",
                link=s.link,
                kept=_raw(tracker),
                lost=_raw(s),
                other=tracker.link,
            )
            for g in resolving
            for s in g.down
        )
    changes = () if shown.status is item.status else (_change(item, shown.status, tracker.link, Why.TRACKER_CROSSED),)
    # A group that was waiting to resolve is overtaken: the tracker's people have spoken since.
    item = structs.replace(with_status(item, shown.status), waiting=frozenset())
    return Merged(item=tell(item, [Ear.HELPDESK, Ear.SIGNAL], crossing=True), conflicts=conflicts, changes=changes)


def _group_resolved(merged: Merged, groups: Sequence[_Group], rules: Rules) -> Merged:
    """All records of a role are done: the item is resolved, the other roles are told, nobody in the group stands aside.

    With `resolve: any` the group's other records are told as well: they did not speak.
    """
    ears: set[Ear] = set()
    for group in groups:
        ears |= {Ear.TRACKER, Ear.HELPDESK, Ear.SIGNAL} - {Ear(group.role.value)}
        if rules.of(group.role).resolve is Resolve.ANY:
            ears.add(Ear(group.role.value))
        for standing in group.voters:
            if standing.base is not None:
                standing.base = structs.replace(standing.base, aside=False)
    down = [s.link for g in groups for s in g.down]
    change = _change(merged.item, Status.RESOLVED, min(down, default=None), Why.GROUP_RESOLVED)
    item = tell(with_status(merged.item, Status.RESOLVED), ears, crossing=True)
    return structs.replace(merged, item=structs.replace(item, waiting=frozenset()), changes=(change,))


def _group_reopened(merged: Merged, groups: Sequence[_Group], rules: Rules) -> Merged:
    """A user of a ticket or a signal reopened it: the item is open again, and `reopen_reaches` hears it."""
    status = _reopened_as(rules)
    ears = {Ear(role.value) for g in groups for role in rules.of(g.role).reopen_reaches}
    change = _change(merged.item, status, min(s.link for g in groups for s in g.up), Why.GROUP_REOPENED)
    return structs.replace(merged, item=tell(with_status(merged.item, status), ears, crossing=True), changes=(change,))


def _tracker_detail(merged: Merged, tracker: Standing, groups: Sequence[_Group], rules: Rules) -> Merged:
    """The tracker's people moved it within the item's side: the others are told, as a detail."""
    shown, item = tracker.member.shown, merged.item
    assert shown is not None
    assert item.status is not None
    if shown.status is None or shown.status.side is not item.status.side:
        return merged
    conflicts: tuple[Conflict, ...] = ()
    ticket = _sole_speaker(item.status, groups, rules)
    if ticket is not None and not agrees(ticket.member, shown.status):
        conflicts = (
            Conflict(
                kind=ConflictKind.TRACKER_WINS,
                field="status",
                link=ticket.link,
                kept=_raw(tracker),
                lost=_raw(ticket),
                other=tracker.link,
            ),
        )
    changes = () if shown.status is item.status else (_change(item, shown.status, tracker.link, Why.TRACKER_DETAIL),)
    told = tell(with_status(item, shown.status), [Ear.HELPDESK, Ear.SIGNAL], crossing=False)
    return structs.replace(merged, item=told, conflicts=conflicts, changes=changes)


def _sole_detail(merged: Merged, groups: Sequence[_Group], rules: Rules) -> Merged:
    """A lone ticket's detail travels, where the rules say `detail: sole`."""
    item = merged.item
    assert item.status is not None
    ticket = _sole_speaker(item.status, groups, rules)
    if ticket is None:
        return merged
    shown = ticket.member.shown
    assert shown is not None
    assert shown.status is not None
    change = _change(item, shown.status, ticket.link, Why.SOLE_DETAIL)
    told = tell(with_status(item, shown.status), [Ear.TRACKER, Ear.SIGNAL], crossing=False)
    return structs.replace(merged, item=told, changes=(change,))


def _sole_speaker(status: Status, groups: Sequence[_Group], rules: Rules) -> Standing | None:
    """The only voting ticket, if the rules let its details travel and its user changed one on an open item."""
    group = next(g for g in groups if g.role is Role.HELPDESK)
    if rules.of(Role.HELPDESK).detail is not Detail.SOLE or len(group.voters) != 1 or status.side is not Side.ACTIVE:
        return None
    ticket = group.voters[0]
    shown, base = ticket.member.shown, ticket.base
    if shown is None or base is None or not ticket.changed or shown.status is None:
        return None
    if ticket.was is not Side.ACTIVE or ticket.now is not Side.ACTIVE or agrees(ticket.member, status):
        return None
    return None if lens.get(ticket.member.rules, base.raw) is shown.status else ticket


def _reopened_as(rules: Rules) -> Status:
    return rules.reopen_as if rules.reopen_as.side is Side.ACTIVE else Status.NEW


def _change(item: ItemState, new: Status, link: int | None, why: Why) -> Change:
    old = None if item.status is None else item.status.value
    return Change(field="status", old=old, new=new.value, link=link, rule=why.value)


def _raw(standing: Standing) -> str:
    return "" if standing.member.shown is None else standing.member.shown.raw


# --- after hearing ---------------------------------------------------------------------------------------------


def move_raw_halves(changed: Sequence[Standing], status: Status | None) -> None:
    """Let the raw half of every changed record follow what it shows; a ticket or signal that does not agree is aside.

    An archived record keeps its side and whether it stood aside: being archived says nothing.
    """
    for standing in changed:
        base, shown = standing.base, standing.member.shown
        if not standing.changed or base is None or shown is None:
            continue  # what its change means is being asked
        aside = base.aside
        if not shown.archived and status is not None:
            aside = _is_apart(standing, status)
        standing.base = structs.replace(
            base, raw=shown.raw, side=standing.now, aside=aside, parked=None, park_reason=None
        )
