"""What a mapping asks of the fields with one value that are kept in step, when it is applied to them anew. Pure.

The item's value is what its giver shows, as the mapping reads that now: the record that set it, else the tracker, else
the oldest. Every other record that is written and does not agree is owed it, also one that differs since it was linked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from sync.core.state import ItemState, ItemValue, Member, Rules
from sync.core.values import get, put
from sync.model import Direction, Role

PLANNED = ("severity", "urgency")
"""The fields that plans are about. An owner is none: a plan is kept, and people are named in no other table."""

_SPEAKS = (Direction.BOTH, Direction.IN)


class OwedValues(Struct, frozen=True, kw_only=True):
    """values: of the item, by field, where they are read as others now; givers: the links that they are from.

    sets: raw values to write, by link and field.
    """

    values: Mapping[str, str] = {}
    givers: Mapping[str, int] = {}
    sets: Mapping[int, Mapping[str, str]] = {}


def owed_values(item: ItemState, members: Sequence[Member], rules: Rules) -> OwedValues:
    """What every record should show of these fields. members: with bases as the present mapping reads them."""
    values: dict[str, str] = {}
    givers: dict[str, int] = {}
    sets: dict[int, dict[str, str]] = {}
    for name in sorted(rules.fields.keys() & set(PLANNED)):
        state = item.values.get(name, ItemValue())
        present = [member for member in members if _rests(member, name, state)]
        giver = _giver(present, name, state)
        value = state.value
        if giver is not None and value is not None:
            meaning = get(giver.values[name], _raw(giver, name))
            if meaning is not None and meaning != value:
                value = values[name] = meaning
                givers[name] = giver.link
        if value is None:
            continue
        for member in present:
            wanted = put(member.values[name], value, _raw(member, name))
            if member is not giver and wanted != _raw(member, name) and _is_written(member, name):
                sets.setdefault(member.link, {})[name] = wanted
    return OwedValues(values=values, givers=givers, sets=sets)


def _rests(member: Member, name: str, state: ItemValue) -> bool:
    """Its mapping has the field, its user changed nothing of it, and nothing is owed to it without a plan."""
    rules, base = member.values.get(name), member.value_bases.get(name)
    if rules is None or rules.direction is Direction.OFF or base is None or base.heard < state.said:
        return False
    if not member.fresh or member.in_doubt is not None or member.shown is None:
        return False
    return member.shown.values.get(name) == base.raw


def _giver(present: Sequence[Member], name: str, state: ItemValue) -> Member | None:
    speaking = [member for member in present if member.values[name].direction in _SPEAKS]
    if state.link is not None:
        return next((member for member in speaking if member.link == state.link), None)
    return min(speaking, key=lambda member: (member.role is not Role.TRACKER, member.link), default=None)


def _is_written(member: Member, name: str) -> bool:
    assert member.shown is not None  # it rests
    return member.values[name].direction is not Direction.IN and not member.shown.frozen and name not in member.held


def _raw(member: Member, name: str) -> str:
    return member.shown.values.get(name, "") if member.shown is not None else ""
