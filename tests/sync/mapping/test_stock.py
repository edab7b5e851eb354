"""Files that begin with the shipped mapping: five lines work for a stock account, and each line means what it says."""

from __future__ import annotations

import pytest

from sync.mapping import stock
from sync.mapping.load import MappingErrors, load
from sync.mapping.texts import Markup
from sync.model import Direction, Status
from tests.sync.mapping.records import issue, shipped, shipped_texts, ticket

FIVE = {
    "zendesk.yaml": "system: zendesk\nstock: true\nfields:\n  tags:\n    include: [launch*, vip]\n",
    "jira.yaml": "system: jira\nstock: true\n",
    "sentry.yaml": "system: sentry\nstock: true\n",
}


def test_a_first_mapping_of_five_lines_works_for_a_stock_account() -> None:
    assert FIVE["zendesk.yaml"].count("\n") == 5
    loaded = load(FIVE, {"support": "zendesk", "dev": "jira", "errors": "sentry"})
    own = loaded.for_connection("support", "zendesk")
    view = own.feedback(ticket(tags=["launch-day", "other", "vip"]))
    assert (view.status, view.title) == (Status.IN_PROGRESS, "Cannot log in")
    assert [key for key in own.shown(ticket(tags=["launch-day", "other", "vip"])).tags if own.accepts(key)]
    assert {key for key in ("launch-day", "other", "vip") if own.accepts(key)} == {"launch-day", "vip"}
    assert loaded.for_connection("dev", "jira").feedback(issue()).status is Status.NEW


@pytest.mark.parametrize("system", stock.systems())
def test_a_file_that_says_nothing_is_the_shipped_one(system: str) -> None:
    own = load({f"{system}.yaml": f"system: {system}\nstock: true\n"}).mappings[system]
    assert own.fingerprint == shipped().mappings[system].fingerprint
    assert own.create_body == shipped().mappings[system].create_body
    assert own.kind == shipped().mappings[system].kind


def test_a_key_replaces_the_shipped_one_whole_and_leaves_its_neighbours() -> None:
    text = (
        "system: jira\nstock: true\nfields:\n  tags: {exclude: [x]}\n  owner: {direction: 'off'}\n"
        "create:\n  fields: {project: SUP}\ntransitions:\n  Done: {fields: {a: 1}}\n"
    )
    own = load({"jira.yaml": text}).mappings["jira"]
    assert own.accepts("hub-1")
    assert not own.accepts("x")
    assert own.tags_field == "labels"
    assert own.owner.source == ""
    assert own.create_fields == {"project": "SUP"}
    assert own.create_title == shipped().mappings["jira"].create_title
    assert set(own.transitions) == {"*", "Done"}
    assert (own.markup, own.status_direction) == (Markup.JIRA_WIKI, Direction.BOTH)


def test_what_no_longer_fits_together_is_told_at_the_nearest_place_of_the_file() -> None:
    text = "system: zendesk\nstock: true\nfields:\n  status:\n    values: {open: in_progress, solved: resolved}\n"
    with pytest.raises(MappingErrors) as refused:
        load({"zendesk.yaml": text})
    assert {problem.line for problem in refused.value.problems} == {4}
    line = (
        shipped_texts()["zendesk.yaml"]
        .splitlines()
        .index("      waiting: hold            # never `pending`: it starts timers towards the customer")
    )
    said = f"(as shipped: `stock: true` takes it from line {line + 1} of the shipped zendesk.yaml)"
    assert f"`hold` is not among the statuses in `values` {said}" in str(refused.value)


def test_every_shipped_mapping_is_there_to_begin_with() -> None:
    mappings = {name.removesuffix(".yaml") for name in shipped_texts()} - {"routes", "rules"}
    assert set(stock.systems()) == mappings


@pytest.mark.parametrize(
    ("system", "said"),
    [
        ("zendsk", "zendesk.yaml:2:8: stock: there is no stock mapping for `zendsk`; did you mean `zendesk`?"),
        ("../routes", "zendesk.yaml:2:8: stock: there is no stock mapping for `../routes`; did you mean"),
        ("x", "zendesk.yaml:2:8: stock: there is no stock mapping for `x`; there is one for "),
    ],
)
def test_a_system_without_a_stock_mapping_is_told(system: str, said: str) -> None:
    with pytest.raises(MappingErrors) as refused:
        load({"zendesk.yaml": f"system: {system}\nstock: true\n"})
    assert str(refused.value).startswith(said.removesuffix("; did you mean") if ".." in system else said)
