"""The acceptance cases of the group rules, played against `reconcile` and `receive`."""

from __future__ import annotations

import pytest

from tests.sync.core.cases import CASES, Case
from tests.sync.core.world import describe, play


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number}-{case.because}".replace(" ", "_"))
def test_the_item_comes_to_rest_where_the_group_rules_say(case: Case) -> None:
    world, records = play(case.start, case.steps, case.flow, case.detail)
    assert world.item.status is not None
    assert (world.item.status.value, describe(world, records)) == (case.status, case.shows)
    assert " ".join(sorted(world.writes)) == case.written


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number}-{case.because}".replace(" ", "_"))
def test_an_item_at_rest_stays_as_it_is(case: Case) -> None:
    world, records = play(case.start, case.steps, case.flow, case.detail)
    before, shows = world.item, describe(world, records)
    assert not world.step()
    assert world.last is not None
    assert (world.item, describe(world, records)) == (before, shows)
    assert (world.last.conflicts, world.last.changes, world.last.ask, world.last.read) == ((), (), (), ())


def test_the_table_is_whole() -> None:
    assert [case.number for case in CASES] == list(range(1, 87))
