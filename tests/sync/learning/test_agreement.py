"""Where a mapping does not fit its live system is told, with the rule; where it fits, nothing is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from connectors.contract import Catalogue, CreateScreen, FieldKind, Level, LiveField, LiveValue
from sync.learning.agreement import Against, disagreements
from sync.learning.live import Seen
from sync.learning.mismatch import Mismatch
from sync.mapping.load import load
from sync.mapping.trace import source_for, sources
from sync.model import Move, Status
from tests.sync.learning.systems import choice, jira, suggested, zendesk

FIELDS = """\
  status:
    field: status
    values: {To Do: new, In Progress: in_progress, Done: resolved}
    write: {new: To Do, in_progress: In Progress, resolved: Done}
    collapses: true
"""
SCREEN = CreateScreen(
    place="OPS/Bug",
    fields=("project", "issuetype", "summary", "description", "labels"),
    required=("project", "issuetype", "summary"),
)


def told(seen: Seen, fields: str = FIELDS, rest: str = "", routes: str = "", system: str = "jira") -> list[Mismatch]:
    """What is said of a mapping with these fields."""
    text = f"system: {system}\nkind: issue\nfields:\n{fields}{rest}"
    files = {"m.yaml": text, **({"routes.yaml": f"routes:\n{routes}"} if routes else {})}
    loaded, read = load(files), sources(files)
    source = source_for(read, "live", system)
    where = [one.rule("routes", 0) for one in read if one.rule("routes", 0) is not None]
    return list(
        disagreements(
            loaded.for_connection("live", system),
            Against(
                connection="live", catalogue=seen.catalogue, source=source, sample=seen.sample,
                routes=[(route, where[0]) for route in loaded.routes], workflows=seen.capabilities.workflows,
            ),
        )
    )  # fmt: skip


def said(found: list[Mismatch], level: Level | None = None) -> list[str]:
    return [str(one) for one in found if level is None or one.level is level]


def test_a_mapping_that_fits_has_nothing_told() -> None:
    assert told(jira()) == []


@pytest.mark.parametrize("system", ["jira", "zendesk"])
def test_what_was_suggested_fits(system: str) -> None:
    seen = (
        jira(None, choice("priority", ["Highest", "Low"]), choice("issuetype", ["Bug"]), choice("resolution", ["Done"]))
        if system == "jira"
        else zendesk()
    )
    text = suggested(seen, system).text
    mapping = load({"s.yaml": text}).for_connection("live", system)
    source = source_for(sources({"s.yaml": text}), "live", system)
    against = Against(connection="live", catalogue=seen.catalogue, source=source, workflows=system == "jira")
    assert said([one for one in disagreements(mapping, against) if one.level is not Level.INFO]) == []


def test_a_status_that_the_mapping_does_not_understand_is_a_warning() -> None:
    seen = jira({"To Do": "new", "In Progress": "indeterminate", "Done": "done", "Parked": "indeterminate"})
    (one,) = told(seen)
    assert one.level is Level.WARNING
    assert str(one) == (
        "m.yaml:6: fields.status.values: means nothing here: `Parked`; add it to `fields.status.values`: the status of "
        "a record that shows it is left alone"
    )


def test_a_status_that_is_read_by_category_is_worth_knowing() -> None:
    by_category = FIELDS + "    by_category: {field: status_category, values: {indeterminate: waiting}}\n"
    seen = jira({"To Do": "new", "In Progress": "indeterminate", "Done": "done", "Parked": "indeterminate"})
    assert said(told(seen, by_category)) == [
        "m.yaml:9: fields.status.by_category: read by category or default: `Parked` as waiting"
    ]


def test_a_status_to_write_that_is_not_there_is_told_by_what_would_happen() -> None:
    gone = jira({"To Do": "new", "Doing": "indeterminate", "Done": "done"})
    by_category = FIELDS + "    by_category: {field: status_category, values: {indeterminate: in_progress}}\n"
    assert (
        "m.yaml:7: fields.status.write.in_progress: `In Progress` is written for in_progress, and is not there: "
        "`Doing` is taken"
    ) in said(told(gone, by_category), Level.INFO)
    desk = zendesk(choice("status", ["new", "open", "solved"]))
    fields = (
        "  status:\n    field: status\n    values: {new: new, open: in_progress, hold: waiting, solved: resolved}\n"
        "    write: {in_progress: open, waiting: hold, resolved: solved}\n    collapses: true\n"
    )
    assert said(told(desk, fields, system="zendesk"), Level.ERROR) == [
        (
            "m.yaml:7: fields.status.write.waiting: `hold` is written for waiting, and is not there: it would be "
            "refused; "
            "write one that is there: `new`, `open`, `solved`"
        )
    ]


def test_a_status_that_is_not_in_every_workflow_is_told() -> None:
    values = tuple(
        LiveValue(name=name, category=category, places=places)
        for name, category, places in (
            ("To Do", "new", ()), ("In Progress", "indeterminate", ("OPS/Bug",)), ("Done", "done", ()),
        )
    )  # fmt: skip
    seen = jira()
    fields = tuple(
        LiveField(name="status", values=values) if one.name == "status" else one for one in seen.catalogue.fields
    )
    one = said(told(Seen(capabilities=seen.capabilities, catalogue=Catalogue(fields=fields), at=seen.at)))
    assert one == [
        (
            "m.yaml:7: fields.status.write.in_progress: `In Progress` is written for in_progress, and is only in "
            "`OPS/Bug`"
            ": elsewhere the nearest of its side is taken"
        )
    ]


def test_a_law_that_a_live_status_breaks_is_an_error_with_its_story() -> None:
    seen = jira({"To Do": "new", "In Progress": "indeterminate", "Done": "done"})
    good = load({"m.yaml": f"system: jira\nkind: issue\nfields:\n{FIELDS}"}).for_connection("live", "jira")
    bad = replace(good, status=structs.replace(good.status, write={**good.status.write, Status.RESOLVED: "To Do"}))
    source = source_for(sources({"m.yaml": f"system: jira\nfields:\n{FIELDS}"}), "live", "jira")
    against = Against(connection="live", catalogue=seen.catalogue, source=source, workflows=True)
    assert disagreements(good, against) == ()
    found = [one for one in disagreements(bad, against) if one.subject.startswith("law G3")]
    assert {one.level for one in found} == {Level.ERROR}
    assert "a record shows `In Progress`, the item is `resolved`" in "".join(str(one) for one in found)


def test_a_field_that_is_not_there_or_not_read_is_an_error() -> None:
    spare = LiveField(name="customfield_7", label="Team", custom=True, read=False)
    found = said(
        told(jira(None, spare), FIELDS + "  title: {field: summry}\n  dimensions: {area: {field: customfield_7}}\n")
    )
    assert found == [
        "m.yaml:9: fields.title.field: there is no field `summry`; did you mean `summary`?",
        (
            "m.yaml:10: fields.dimensions.area.field: the field `customfield_7` (Team) is there and is not read; add "
            "`customfield_7` to `extra_fields` of the connection"
        ),
    ]
    assert said(told(jira(unread=["the fields"]), FIELDS + "  title: {field: summry}\n")) == []


def test_values_with_meanings_are_held_against_the_live_ones() -> None:
    fields = FIELDS + "  severity: {field: priority, values: {High: high, Low: low}, write: {high: High, low: Low}}\n"
    found = told(jira(None, choice("priority", ["High", "Middle"])), fields)
    assert said(found, Level.ERROR) == [
        (
            "m.yaml:9: fields.severity.write.low: severity: `Low` is written for low, and is not there: a create "
            "would be "
            "refused; write one that is there: `High`, `Middle`"
        )
    ]
    assert said(found, Level.WARNING) == [
        (
            "m.yaml:9: fields.severity.values: severity: means nothing here: `Middle`; add it to "
            "`fields.severity.values`: "
            "it is reported on each record that shows it"
        )
    ]


ROUTE = "  - {name: r, create: {connection: live, fields: %s}}\n"


@pytest.mark.parametrize(
    ("fields", "level", "words"),
    [
        ("{project: OPS, issuetype: Bug}", None, ""),
        ("{issuetype: Bug}", Level.ERROR, "the route `r` names no project to create in"),
        (
            "{project: PAY, issuetype: Bug}",
            Level.WARNING,
            "`PAY` of the route `r` is not one of the connection's projects",
        ),
        (
            "{project: OPS, issuetype: Fault}",
            Level.ERROR,
            "the project `OPS` has no `Fault` to create; there are `Bug`",
        ),
        ("{project: OPS, issuetype: Bug, duedate: x}", Level.ERROR, "`duedate` is not on the create screen of OPS/Bug"),
    ],
)
def test_what_a_route_would_create_is_held_against_the_create_screen(
    fields: str, level: Level | None, words: str
) -> None:
    found = told(jira(screens=[SCREEN]), FIELDS + "  title: {field: summary}\n", routes=ROUTE % fields)
    assert [one.level for one in found] == ([level] if level else [])
    assert words in "".join(said(found))
    if found:
        assert "routes.yaml:2: routes[0]: " in str(found[0])


def test_nothing_is_said_of_a_create_screen_that_was_not_asked_for() -> None:
    seen = jira(screens=[SCREEN])
    seen = structs.replace(seen, catalogue=structs.replace(seen.catalogue, more_screens=True))
    fields = FIELDS + "  title: {field: summary}\n"
    assert told(seen, fields, routes=ROUTE % "{project: PAY, issuetype: Task}") == []
    assert told(seen, fields, routes=ROUTE % "{project: OPS, issuetype: Bug, duedate: x}") != []


def test_a_field_that_a_create_demands_and_nobody_sends_is_an_error() -> None:
    screen = CreateScreen(place="OPS/Bug", fields=("summary", "labels", "customfield_7"), required=("customfield_7",))
    team = choice("customfield_7", ["Web", "App"], label="Team", custom=True)
    fields = FIELDS + "  title: {field: summary}\n"
    bare = told(jira(None, team, screens=[screen]), fields, routes=ROUTE % "{project: OPS, issuetype: Bug}")
    assert said(bare, Level.ERROR) == [
        (
            "routes.yaml:2: routes[0]: the route `r`: OPS/Bug demands `customfield_7` (Team), and nothing is sent for "
            "it; give it a value under `create.fields`, of the route or of the mapping"
        )
    ]
    given = ROUTE % "{project: OPS, issuetype: Bug, customfield_7: {value: Web}}"
    assert told(jira(None, team, screens=[screen]), fields, routes=given) == []


def test_what_a_step_demands_must_have_a_value_that_is_allowed() -> None:
    steps: dict[str, Any] = {
        "records": [{"status": "In Progress"}],
        "moves": [Move(id="1", name="finish", to="Done", required=("resolution", "customfield_7"))],
    }
    team = choice("customfield_7", ["Web"], label="Team", custom=True)
    seen = jira(None, choice("resolution", ["Fixed"]), team, **steps)
    found = told(seen, rest="transitions:\n  '*': {resolution: Done}\n")
    assert said(found, Level.ERROR) == [
        (
            "m.yaml:10: transitions.*.resolution: `Done` is no value of `resolution` (resolution); write one that is "
            "there: `Fixed`"
        )
    ]
    assert said(found, Level.WARNING) == [
        (
            "m.yaml:9: transitions: the step to `Done` demands `customfield_7` (Team), and the mapping has no value "
            "for "
            "it; add it under `transitions.Done.fields`: until then such a step is parked"
        )
    ]
    rest = "transitions:\n  '*': {resolution: Fixed}\n  Done: {fields: {customfield_7: {value: Web}}}\n"
    rest += "  Dome: {avoid: true}\n"
    assert [one.what for one in told(seen, rest=rest)] == ["transitions to a status that is not there: `Dome`"]


def test_a_text_that_a_remote_says_is_one_line() -> None:
    seen = jira({"To Do": "new", "In Progress": "indeterminate", "Done": "done", "x\ny": "odd"})
    assert LiveField(name="x").kind is FieldKind.OTHER
    (one,) = told(seen)
    assert "\n" not in str(one)


def test_a_misspelt_field_is_told_with_the_one_that_was_meant_and_a_number_is_no_misspelling() -> None:
    seen = jira(None, LiveField(name="customfield_10051", label="Impact"))
    rest = "  title: {field: sumary}\n  body: {field: customfield_10050}\n"
    assert said(told(seen, rest=rest), Level.ERROR) == [
        "m.yaml:9: fields.title.field: there is no field `sumary`; did you mean `summary`?",
        "m.yaml:10: fields.body.field: there is no field `customfield_10050`; name another field, or take it out",
    ]
