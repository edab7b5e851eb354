from __future__ import annotations

from typing import Any

import pytest

from connectors.jira.transitions import fields_unknown, moves, pick
from sync.model import Move


def step(number: object, to: str, **more: Any) -> Any:
    return {"id": number, "name": f"go {to}", "to": {"id": "1", "name": to}, **more}


def test_a_move_is_named_by_its_id_and_leads_to_a_status_name() -> None:
    assert moves([step("11", "Done")]) == (Move(id="11", name="go Done", to="Done"),)


def test_a_move_tells_the_category_of_the_status_it_leads_to() -> None:
    raw = step("11", "Erledigt")
    raw["to"]["statusCategory"] = {"id": 3, "key": "done"}
    assert moves([raw])[0].category == "done"


def test_capital_letters_of_a_status_do_not_matter() -> None:
    chosen = pick(moves([step("11", "DONE")]), step="", to="Done")
    assert chosen is not None
    assert chosen.id == "11"


def test_an_id_that_is_a_number_is_read_as_text() -> None:
    assert moves([step(11, "Done")])[0].id == "11"


def test_moves_are_in_the_order_of_their_ids() -> None:
    assert [move.id for move in moves([step("111", "A"), step("21", "B"), step("3", "C")])] == ["3", "21", "111"]


def test_required_fields_are_those_without_a_default() -> None:
    fields = {
        "resolution": {"required": True},
        "assignee": {"required": True, "hasDefaultValue": True},
        "comment": {"required": False},
        "fixVersions": {"required": True, "hasDefaultValue": False},
    }
    assert moves([step("11", "Done", fields=fields)])[0].required == ("fixVersions", "resolution")


@pytest.mark.parametrize(
    "raw", [step("1", "Done", isAvailable=False), {"id": "1"}, {"to": {"name": "x"}}, "text", None]
)
def test_what_is_no_possible_step_is_left_out(raw: object) -> None:
    assert moves([raw]) == ()


def test_fields_are_unknown_only_where_a_screen_may_have_some() -> None:
    assert fields_unknown([step("1", "A")])
    assert not fields_unknown([step("1", "A", hasScreen=False)])
    assert not fields_unknown([step("1", "A", hasScreen=True, fields={})])
    assert fields_unknown([step("1", "A", fields={}), step("2", "B", hasScreen=True)])


def test_the_step_asked_for_is_taken_if_it_is_offered() -> None:
    offered = moves([step("11", "Done"), step("12", "Done")])
    chosen = pick(offered, step="12", to="Done")
    assert chosen is not None
    assert chosen.id == "12"


def test_a_step_that_leads_elsewhere_now_is_not_taken() -> None:
    assert pick(moves([step("11", "Won't Do")]), step="11", to="Done") is None


def test_without_it_a_step_to_the_same_status_is_taken_that_demands_the_least() -> None:
    offered = moves(
        [step("11", "Done", fields={"resolution": {"required": True}}), step("12", "Done"), step("13", "Open")]
    )
    chosen = pick(offered, step="99", to="Done")
    assert chosen is not None
    assert chosen.id == "12"


def test_no_step_to_the_status_means_none() -> None:
    assert pick(moves([step("11", "Done")]), step="99", to="Open") is None
