"""Fields with one value: laws over random histories of people, reads and writes."""

from __future__ import annotations

import random

import pytest
from msgspec import structs

from sync.core.reasons import ConflictKind
from sync.core.state import (
    FieldRule,
    Intent,
    ItemValue,
    Member,
    OnConflict,
    Rules,
    Shown,
    StatusRules,
    ValueBase,
    ValueRules,
)
from sync.core.values import MergedValues, merge, put, received
from sync.model import Direction, Role

WORDS = ("critical", "high", "medium", "low")
TRACKER = ValueRules(
    read={"1": "critical", "2": "high", "3": "medium", "4": "low", "5": "low"},
    write={"critical": "1", "high": "2", "medium": "3", "low": "4"},
)
TICKET = ValueRules(
    read={"urgent": "critical", "normal": "medium", "low": "low"},
    write={"critical": "urgent", "high": "urgent", "medium": "normal", "low": "low"},
)
"""It knows no `high`: what is written for it reads as another value."""
KINDS = {Role.TRACKER: TRACKER, Role.HELPDESK: TICKET, Role.SIGNAL: TICKET}


class World:
    """Records of one item, the people who set their values, and a hub that reads and writes at its own pace."""

    def __init__(self, seed: int, rule: FieldRule) -> None:
        self.rng = random.Random(seed)
        self.rules = Rules(fields={"severity": rule})
        roles = [Role.TRACKER, *self.rng.choices((Role.HELPDESK, Role.SIGNAL), k=self.rng.randint(1, 3))]
        directions = [self.rng.choice((Direction.BOTH,) * 4 + (Direction.IN, Direction.OUT)) for _ in roles]
        self.kinds = [structs.replace(KINDS[role], direction=way) for role, way in zip(roles, directions, strict=True)]
        self.roles = roles
        self.remote = [self.rng.choice(list(kind.read)) for kind in self.kinds]
        self.read = list(self.remote)
        self.seen = [0] * len(roles)
        self.reads = 0
        self.bases: list[dict[str, ValueBase]] = [{} for _ in roles]
        self.state: dict[str, ItemValue] = {}
        self.writes = 0
        self.lost: list[str] = []

    def members(self) -> list[Member]:
        return [
            Member(
                link=n,
                role=role,
                rules=StatusRules(values={}, write={}),
                shown=Shown(raw="", status=None, values={"severity": self.read[n]}),
                values={"severity": self.kinds[n]},
                value_bases=self.bases[n],
                seen=self.seen[n],
            )
            for n, role in enumerate(self.roles)
        ]

    def look(self, n: int) -> None:
        self.reads += 1
        self.read[n], self.seen[n] = self.remote[n], self.reads

    def turn(self, *, write: bool = True) -> MergedValues:
        merged = merge(self.state, self.members(), self.rules)
        self.state = dict(merged.values)
        self.lost += [conflict.lost for conflict in merged.conflicts]
        for n, plan in merged.plans.items():
            self.bases[n] = dict(plan.bases)
            wanted = plan.set.get("severity")
            if wanted is None or not write or self.read[n] != self.remote[n]:  # the remote moved: the write is refused
                continue
            self.remote[n] = wanted
            self.writes += 1
            self.look(n)
            self.bases[n] = dict(received(plan.bases, plan.set, plan.said, {"severity": wanted}))
        return merged

    def rest(self) -> int:
        for turn in range(6):
            for n in range(len(self.roles)):
                self.look(n)
            before = self.writes, dict(self.state)
            self.turn()
            if (self.writes, self.state) == before:
                return turn
        raise AssertionError("it never came to rest")


RULES = [
    FieldRule(),
    FieldRule(order=(Role.SIGNAL, Role.HELPDESK, Role.TRACKER)),
    FieldRule(conflict=OnConflict.OWNER, owner=Role.HELPDESK),
    FieldRule(conflict=OnConflict.LATEST),
    FieldRule(conflict=OnConflict.HOLD),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.conflict}-{rule.order[0]}")
def test_every_history_comes_to_rest_and_no_value_is_lost_without_a_word(rule: FieldRule) -> None:
    for seed in range(600):
        world = World(seed, rule)
        world.rest()
        set_by_people: list[str] = []
        for _ in range(world.rng.randint(1, 6)):
            n = world.rng.randrange(len(world.roles))
            if world.kinds[n].direction is not Direction.OUT:
                value = world.rng.choice(list(world.kinds[n].read))
                if value != world.remote[n]:
                    world.remote[n] = value
                    set_by_people.append(world.kinds[n].read[value])
            for n in range(len(world.roles)):
                if world.rng.random() < 0.5:
                    world.look(n)
            if world.rng.random() < 0.7:
                world.turn(write=world.rng.random() < 0.8)
        assert world.rest() <= 3
        state = world.state.get("severity", ItemValue())
        if state.said:
            assert state.value in set_by_people
        for n, kind in enumerate(world.kinds):
            shows = world.remote[n]
            # What differs at rest was there before anything was said, was left alone by the rule, or is only read.
            if (
                state.value is not None
                and put(kind, state.value, shows) != shows
                and kind.direction is not Direction.IN
            ):
                assert world.bases[n]["severity"].heard == state.said, (seed, n)
                assert state.said == 0 or rule.conflict is OnConflict.HOLD or kind.direction is Direction.OUT, (seed, n)
        writes = world.writes
        for _ in range(5):
            world.turn()
        assert world.writes == writes


def one(
    raw: str, base: str | None, heard: int = 0, *, link: int = 1, role: Role = Role.HELPDESK, seen: int = 1
) -> Member:
    return Member(
        link=link,
        role=role,
        rules=StatusRules(values={}, write={}),
        shown=Shown(raw="", status=None, values={"severity": raw}),
        values={"severity": KINDS[role]},
        value_bases={} if base is None else {"severity": ValueBase(raw=base, heard=heard)},
        seen=seen,
    )


def merged(state: ItemValue, *members: Member, rule: FieldRule | None = None) -> MergedValues:
    return merge(
        {"severity": state},
        sorted(members, key=lambda each: each.link),
        Rules(fields={"severity": rule or FieldRule()}),
    )


def test_the_order_of_members_does_not_matter_to_who_wins() -> None:
    both = (one("urgent", "normal", link=1), one("4", "3", link=2, role=Role.TRACKER))
    for rule in RULES:
        found = merged(ItemValue(value="medium"), *both, rule=rule)
        turned = merge({"severity": ItemValue(value="medium")}, list(reversed(both)), Rules(fields={"severity": rule}))
        assert (found.values, found.plans) == (turned.values, turned.plans)


def test_a_value_that_a_record_cannot_show_rests_and_is_not_taken_back() -> None:
    found = merged(
        ItemValue(value="high", said=1), one("urgent", "urgent", 1), one("2", "2", 1, link=2, role=Role.TRACKER)
    )
    assert found.values["severity"].value == "high"
    assert all(not plan.set for plan in found.plans.values())


def test_a_value_without_meaning_says_nothing_and_is_written_over_only_when_something_new_is_said() -> None:
    quiet = merged(ItemValue(value="low", said=1), one("odd", "low", 1))
    assert (quiet.values["severity"].value, quiet.plans[1].set) == ("low", {})
    told = merged(ItemValue(value="critical", said=2), one("odd", "odd", 1))
    assert told.plans[1].set == {"severity": "urgent"}


def test_a_change_made_without_having_heard_the_last_one_meets_it() -> None:
    """The tracker said `low`; before the ticket heard of it, its agent said `critical`."""
    state = ItemValue(value="low", said=1, link=2, role=Role.TRACKER, seen=4)
    members = (one("urgent", "normal", 0, seen=5), one("4", "4", 1, link=2, role=Role.TRACKER, seen=4))
    first = merged(state, *members)
    assert first.values["severity"].value == "low"
    assert [(each.kind, each.kept, each.lost) for each in first.conflicts] == [
        (ConflictKind.FIELD_RULE, "low", "critical")
    ]
    assert first.plans[1].set == {"severity": "low"}
    later = merged(state, *members, rule=FieldRule(conflict=OnConflict.LATEST))
    assert (later.values["severity"].value, later.plans[2].set) == ("critical", {"severity": "1"})
    held = merged(state, *members, rule=FieldRule(conflict=OnConflict.HOLD))
    assert (held.values["severity"].value, held.plans[1].set, held.conflicts[0].kind) == (
        "low",
        {},
        ConflictKind.FIELD_HELD,
    )


def test_what_is_held_or_not_read_or_in_doubt_is_not_written() -> None:
    due = one("low", "low", 0)
    state = ItemValue(value="critical", said=1)
    assert merged(state, due).plans[1].set == {"severity": "urgent"}
    for odd in (
        structs.replace(due, held=frozenset({"severity"})),
        structs.replace(due, fresh=False),
        structs.replace(due, shown=structs.replace(due.shown, frozen=True)),  # type: ignore[type-var]
    ):
        assert merged(state, odd).plans[1].set == {}


def test_a_record_that_lacks_the_field_or_has_it_switched_off_is_neither_heard_nor_written() -> None:
    due = one("urgent", "low", 0)
    state = ItemValue(value="high", said=1)
    for odd in (
        structs.replace(due, values={}),
        structs.replace(due, values={"severity": structs.replace(TICKET, direction=Direction.OFF)}),
        structs.replace(due, shown=None),
        structs.replace(due, shown=Shown(raw="", status=None)),
        structs.replace(due, in_doubt=Intent(version="1")),
    ):
        found = merged(state, odd)
        assert (found.values["severity"], found.plans[1].set, found.changes) == (state, {}, ())
        assert found.plans[1].bases == due.value_bases


def test_an_enforced_value_is_put_back_and_each_edit_of_a_user_is_named_once() -> None:
    enforced = structs.replace(TICKET, direction=Direction.ENFORCE)
    state = ItemValue(value="critical", said=1)
    edited = structs.replace(one("low", "urgent", 1), values={"severity": enforced})
    found = merged(state, edited)
    assert found.plans[1].set == {"severity": "urgent"}
    assert [(each.kind, each.kept, each.lost) for each in found.conflicts] == [
        (ConflictKind.MIRROR_REPLACED, "critical", "low")
    ]
    again = merged(state, structs.replace(edited, value_bases=found.plans[1].bases))
    assert again.plans[1].set == {"severity": "urgent"}, "it was not written yet"
    assert again.conflicts == ()
    joining = merged(state, structs.replace(edited, value_bases={}))
    assert joining.plans[1].set == {"severity": "urgent"}
    assert joining.conflicts == (), "nobody edited it: it joins with another value"


def test_a_field_that_a_write_did_not_show_or_that_has_no_base_is_not_moved() -> None:
    bases = {"severity": ValueBase(raw="low", heard=0)}
    asked, said = {"severity": "urgent", "urgency": "now"}, {"severity": 3, "urgency": 1}
    assert received(bases, asked, said, {"urgency": "now"}) == bases


def test_a_write_that_landed_elsewhere_has_not_been_heard() -> None:
    bases = {"severity": ValueBase(raw="low", heard=0)}
    took = received(bases, {"severity": "urgent"}, {"severity": 3}, {"severity": "urgent"})
    assert took["severity"] == ValueBase(raw="urgent", heard=3)
    missed = received(bases, {"severity": "urgent"}, {"severity": 3}, {"severity": "normal"})
    assert missed["severity"] == ValueBase(raw="normal", heard=0)
