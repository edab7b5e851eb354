"""What applying a mapping anew asks of fields with one value: the pure part."""

from __future__ import annotations

import pytest

from sync.core.state import FieldRule, ItemState, ItemValue, Member, Rules, Shown, StatusRules, ValueBase, ValueRules
from sync.model import Direction, Role, Status
from sync.planning.values import OwedValues, owed_values

SITE = ValueRules(read={"Medium": "high", "Low": "low"}, write={"high": "Medium", "low": "Low"})
DESK = ValueRules(
    read={"high": "high", "normal": "medium", "low": "low"}, write={"high": "high", "medium": "normal", "low": "low"}
)
ITEM = ItemState(status=Status.NEW, values={"severity": ItemValue(value="medium", said=2)})
RULES = Rules(fields={"severity": FieldRule()})


def member(link: int, role: Role, rules: ValueRules, raw: str, **more: object) -> Member:
    known: dict[str, object] = {
        "shown": Shown(raw="new", status=Status.NEW, values={"severity": raw}),
        "values": {"severity": rules},
        "value_bases": {"severity": ValueBase(raw=raw, heard=2)},
    }
    return Member(link=link, role=role, rules=StatusRules(values={}, write={}), **{**known, **more})  # type: ignore[arg-type]


def issue(**more: object) -> Member:
    return member(1, Role.TRACKER, SITE, "Medium", **more)


def ticket(raw: str = "normal", **more: object) -> Member:
    return member(2, Role.HELPDESK, DESK, raw, **more)


def only(direction: Direction) -> dict[str, ValueRules]:
    return {"severity": ValueRules(read=DESK.read, write=DESK.write, direction=direction)}


def test_a_value_that_reads_otherwise_is_taken_and_written_to_who_does_not_agree() -> None:
    found = owed_values(ITEM, (issue(), ticket()), RULES)
    assert (found.values, found.givers, found.sets) == (
        {"severity": "high"},
        {"severity": 1},
        {2: {"severity": "high"}},
    )
    assert owed_values(ITEM, (issue(), ticket("high")), RULES).sets == {}


@pytest.mark.parametrize(
    "one",
    [
        ticket(values=only(Direction.IN)),
        ticket(values=only(Direction.OFF)),
        ticket(held=frozenset({"severity"})),
        ticket(shown=Shown(raw="closed", status=Status.RESOLVED, values={"severity": "normal"}, frozen=True)),
        ticket(fresh=False),
        ticket(value_bases={"severity": ValueBase(raw="low", heard=2)}),  # its user has just set it
        ticket(value_bases={"severity": ValueBase(raw="normal", heard=1)}),  # it is owed what was said, without a plan
        ticket(value_bases={}),
    ],
    ids=["in", "off", "held", "closed", "not read", "set by its user", "owed already", "joining"],
)
def test_a_record_that_is_not_to_be_written_is_left(one: Member) -> None:
    assert owed_values(ITEM, (issue(), one), RULES).sets == {}


def test_the_record_that_set_the_value_gives_it_and_not_the_tracker() -> None:
    state = ItemState(status=Status.NEW, values={"severity": ItemValue(value="medium", said=2, link=2)})
    assert owed_values(state, (issue(), ticket()), RULES).sets == {}  # the issue cannot say `medium`
    found = owed_values(state, (issue(), ticket("low")), RULES)
    assert (found.values, found.sets) == ({"severity": "low"}, {1: {"severity": "Low"}})


def test_nothing_is_owed_without_a_rule_and_of_an_owner() -> None:
    assert owed_values(ITEM, (issue(), ticket()), Rules()) == OwedValues()
    state = ItemState(status=Status.NEW, values={"owner": ItemValue(value="medium", said=2)})
    shown = Shown(raw="new", status=Status.NEW, values={"owner": "Medium"})
    bases = {"owner": ValueBase(raw="Medium", heard=2)}
    one = issue(shown=shown, values={"owner": SITE}, value_bases=bases)
    other = ticket(shown=shown, values={"owner": DESK}, value_bases=bases)
    assert owed_values(state, (one, other), Rules(fields={"owner": FieldRule()})) == OwedValues()
