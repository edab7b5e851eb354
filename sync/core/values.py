"""Fields with one value that are kept in step where the rules file says so: severity, urgency and owner.

Like every merged field each has a base of two halves for each record: the raw value both agreed on, and how much of
what the item said the record has heard. What two records were set to between two looks is settled by the field's rule.
Nobody is ever cleared: a record without a value, or with one that its mapping does not name, says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from sync.core.reasons import ConflictKind
from sync.core.state import (
    Change,
    Conflict,
    FieldRule,
    ItemValue,
    Member,
    OnConflict,
    Rules,
    Shown,
    ValueBase,
    ValueRules,
)
from sync.core.why import Why
from sync.model import Direction, Role

MERGED = ("severity", "urgency", "owner")
"""The canonical fields that can be kept in step this way. An owner's value is a key that names nobody."""


class ValuePlan(Struct, frozen=True, kw_only=True):
    """One record's new bases, and the raw values to write to it, with what the item had said of each."""

    bases: Mapping[str, ValueBase] = {}
    set: Mapping[str, str] = {}
    said: Mapping[str, int] = {}


class MergedValues(Struct, frozen=True, kw_only=True):
    """The item's values after a pass, and a plan for each link; none for one whose bases stay as they are."""

    values: Mapping[str, ItemValue]
    plans: Mapping[int, ValuePlan]
    conflicts: tuple[Conflict, ...] = ()
    changes: tuple[Change, ...] = ()


def get(rules: ValueRules, raw: str) -> str | None:
    """What a raw value means; None where it is empty or has no meaning."""
    found = rules.read.get(raw)
    return rules.read.get(raw.casefold()) if found is None else found


def put(rules: ValueRules, value: str, shown: str) -> str:
    """The raw value that a record showing `shown` should show; itself where it agrees, or cannot say it."""
    return shown if get(rules, shown) == value else rules.write.get(value, shown)


def merge(values: Mapping[str, ItemValue], members: Sequence[Member], rules: Rules) -> MergedValues:
    """Merge every field that the rules name, and plan its writes. Members are in the order of their links."""
    if not rules.fields:
        return MergedValues(values=values, plans={})
    after = dict(values)
    bases: dict[int, dict[str, ValueBase]] = {member.link: dict(member.value_bases) for member in members}
    wants: dict[int, dict[str, str]] = {member.link: {} for member in members}
    conflicts: list[Conflict] = []
    changes: list[Change] = []
    for name, rule in sorted(rules.fields.items()):
        field = _Field(name, rule, values.get(name, ItemValue()), members)
        field.hear(bases)
        for link, raw in field.plan(bases):
            wants[link][name] = raw
        conflicts += field.conflicts
        changes += field.changes
        if field.state != ItemValue():
            after[name] = field.state
    plans = {
        link: ValuePlan(bases=bases[link], set=wanted, said={name: after[name].said for name in wanted})
        for link, wanted in wants.items()
    }
    return MergedValues(values=after, plans=plans, conflicts=tuple(conflicts), changes=tuple(changes))


class _Said(Struct, frozen=True):
    """What one record's user set."""

    value: str
    link: int
    role: Role
    seen: int


class _Field:
    """One field during a pass."""

    def __init__(self, name: str, rule: FieldRule, state: ItemValue, members: Sequence[Member]) -> None:
        self.name = name
        self.rule = rule
        self.state = state
        self.conflicts: list[Conflict] = []
        self.changes: list[Change] = []
        self._members = [member for member in members if self._takes_part(member)]

    def _takes_part(self, member: Member) -> bool:
        """It was read in this pass, nothing about it is in doubt, and its mapping has the field."""
        rules = member.values.get(self.name)
        if rules is None or rules.direction is Direction.OFF or member.shown is None:
            return False
        return member.fresh and member.in_doubt is None and self.name in member.shown.values

    def hear(self, bases: Mapping[int, dict[str, ValueBase]]) -> None:
        """Take in who joins and what users changed."""
        self._join(bases)
        changed = [member for member in self._members if _raw(member, self.name) != bases[member.link][self.name].raw]
        spoken: dict[int, str] = {}
        for member in changed:
            meaning = self._meaning(member)
            base = bases[member.link][self.name]
            bases[member.link][self.name] = structs.replace(base, raw=_raw(member, self.name))
            if meaning is not None and meaning != self.state.value and _speaks(member, self.name):
                spoken[member.link] = meaning
        if spoken:
            self._settle(spoken, {member.link: member for member in changed}, bases)

    def _settle(
        self, spoken: Mapping[int, str], members: Mapping[int, Member], bases: Mapping[int, dict[str, ValueBase]]
    ) -> None:
        """Take the value that users set; of different ones, set between two looks, the one that the rule says."""
        said = [_Said(value, link, members[link].role, members[link].seen) for link, value in sorted(spoken.items())]
        # Nobody of them had heard what the item said last: that change and theirs met. Who had heard it changed it on.
        unheard = all(bases[each.link][self.name].heard < self.state.said for each in said)
        now = self.state
        if unheard and now.value is not None and now.link is not None and now.role is not None:
            said.append(_Said(now.value, now.link, now.role, now.seen))
        winner = said[0] if len({each.value for each in said}) == 1 else self._winner(said)
        self._name_losers(said, winner)
        if winner is None:
            for link in spoken:  # neither is told: both stay as they are until one of them is changed again
                bases[link][self.name] = structs.replace(bases[link][self.name], heard=self.state.said)
            return
        if winner.value == self.state.value:
            return  # the others are told it
        old = self.state
        self.state = ItemValue(
            value=winner.value, said=old.said + 1, link=winner.link, role=winner.role, seen=winner.seen
        )
        self.changes.append(
            Change(field=self.name, old=old.value, new=winner.value, link=winner.link, rule=Why.VALUE_SET.value)
        )
        for link, value in spoken.items():
            if value == winner.value:
                bases[link][self.name] = structs.replace(bases[link][self.name], heard=self.state.said)

    def _join(self, bases: Mapping[int, dict[str, ValueBase]]) -> None:
        """Who joins says nothing and is told nothing; an item takes a first value from the tracker, else the oldest."""
        joining = [member for member in self._members if self.name not in bases[member.link]]
        if self.state.value is None:
            given = sorted(joining, key=lambda member: (member.role is not Role.TRACKER, member.link))
            giver = next((one for one in given if _speaks(one, self.name) and self._meaning(one) is not None), None)
            if giver is not None:
                self.state = structs.replace(self.state, value=self._meaning(giver))
                self.changes.append(
                    Change(
                        field=self.name, old=None, new=self.state.value, link=giver.link, rule=Why.FIRST_MEMBER.value
                    )
                )
        for member in joining:
            bases[member.link][self.name] = ValueBase(raw=_raw(member, self.name), heard=self.state.said)

    def _meaning(self, member: Member) -> str | None:
        return get(member.values[self.name], _raw(member, self.name))

    def _winner(self, said: Sequence[_Said]) -> _Said | None:
        """Whose value holds; None: nobody's."""
        if self.rule.conflict is OnConflict.HOLD:
            return None
        if self.rule.conflict is OnConflict.LATEST:
            return max(said, key=lambda each: (each.seen, -each.link))
        owned = [each for each in said if each.role is self.rule.owner] if self.rule.owner is not None else []
        return min(owned or said, key=lambda each: (self.rule.order.index(each.role), each.link))

    def _name_losers(self, said: Sequence[_Said], winner: _Said | None) -> None:
        """Every value that does not hold is named, with the one that does."""
        for each in said:
            if winner is None and each.value != self.state.value:
                kind, kept, other = ConflictKind.FIELD_HELD, self.state.value or "", self.state.link
            elif winner is not None and each.value != winner.value:
                kind, kept, other = ConflictKind.FIELD_RULE, winner.value, winner.link
            else:
                continue
            self.conflicts.append(
                Conflict(kind=kind, field=self.name, link=each.link, kept=kept, lost=each.value, other=other)
            )

    def plan(self, bases: Mapping[int, dict[str, ValueBase]]) -> list[tuple[int, str]]:
        """The raw value to write to each record that has not heard what the item said."""
        found = []
        for member in self._members:
            base, rules, raw = bases[member.link][self.name], member.values[self.name], _raw(member, self.name)
            if self.state.value is None:
                continue
            due = base.heard < self.state.said or rules.direction is Direction.ENFORCE
            wanted = put(rules, self.state.value, raw)
            assert member.shown is not None  # it takes part
            dead = rules.direction is Direction.IN or member.shown.frozen
            if due and wanted != raw and not dead:
                if self.name in member.held:
                    continue
                if rules.direction is Direction.ENFORCE and base.heard == self.state.said != 0:
                    self._name_reverted(member, raw)
                found.append((member.link, wanted))
            elif due:
                bases[member.link][self.name] = structs.replace(base, heard=self.state.said)
        return found

    def _name_reverted(self, member: Member, raw: str) -> None:
        """What a user set where the item's value is enforced is put back, and named."""
        before = member.value_bases.get(self.name)
        if before is not None and before.raw != raw:
            self.conflicts.append(
                Conflict(
                    kind=ConflictKind.MIRROR_REPLACED,
                    field=self.name,
                    link=member.link,
                    kept=self.state.value or "",
                    lost=raw,
                )
            )


def _raw(member: Member, name: str) -> str:
    return member.shown.values[name] if member.shown is not None else ""


def _speaks(member: Member, name: str) -> bool:
    return member.values[name].direction in (Direction.BOTH, Direction.IN)


def received(
    bases: Mapping[str, ValueBase], asked: Mapping[str, str], said: Mapping[str, int], landed: Mapping[str, str]
) -> Mapping[str, ValueBase]:
    """The bases after a write: what the record shows is the raw half, and it has heard what it took."""
    if not asked:
        return bases
    after = dict(bases)
    for name, raw in asked.items():
        base = after.get(name)
        if base is None or name not in landed:
            continue
        heard = max(base.heard, said.get(name, 0)) if landed[name] == raw else base.heard
        after[name] = ValueBase(raw=landed[name], heard=heard)
    return after


def missed(asked: Mapping[str, str], landed: Shown) -> tuple[str, ...]:
    """The fields that a well-answered write did not bring about."""
    return tuple(name for name, raw in sorted(asked.items()) if landed.values.get(name) != raw)
