"""A suggested mapping is right by itself whatever the system is like, and right about what it says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import Capabilities, Catalogue, CreateScreen, FieldKind, LiveField, LiveValue
from sync.learning.live import Seen
from sync.model import Move, Side, Status
from tests.sync.learning.systems import AT, choice, jira, loaded, shipped, statuses, suggested, zendesk

NAMES = st.one_of(
    st.text(min_size=1, max_size=12).map(str.strip).filter(bool),
    st.sampled_from(
        ["Done", "no", "012", "- x", "a: b", "a # b", "'", '"', "*", "{x}", "Wartet", "Reopened", "~", "null"]
    ),
)
CATEGORIES = st.sampled_from(["new", "indeterminate", "done", "undefined", "odd one", ""])


@settings(max_examples=60, deadline=None)
@given(
    values=st.dictionaries(NAMES, CATEGORIES, max_size=8),
    priorities=st.lists(NAMES, max_size=5, unique=True),
    kinds=st.lists(NAMES, max_size=5, unique=True),
    label=NAMES,
)
def test_any_site_gets_a_mapping_that_is_right_by_itself(
    values: dict[str, str], priorities: list[str], kinds: list[str], label: str
) -> None:
    seen = jira(
        values,
        choice("priority", priorities),
        choice("issuetype", kinds),
        choice("customfield_1", ["a", label], label=label, custom=True),
        records=[{"status": name, "labels": [label]} for name in values],
        screens=[
            CreateScreen(place=f"OPS/{kind}", fields=("summary", "customfield_1"), required=("customfield_1",))
            for kind in kinds
        ],
    )
    mapping = loaded(suggested(seen, "jira"), "jira")
    for name, category in values.items():
        if name not in mapping.status.values:
            assert name.casefold() in {one.casefold() for one in mapping.status.values}
        elif category in ("new", "indeterminate"):
            assert mapping.status.values[name].side is Side.ACTIVE
        elif category == "done":
            assert mapping.status.values[name].side is Side.DONE


def test_a_stock_site_gets_what_is_shipped() -> None:
    seen = jira(
        {"To Do": "new", "In Progress": "indeterminate", "In Review": "indeterminate", "Done": "done"},
        choice("priority", ["Highest", "High", "Medium", "Low", "Lowest"]),
        choice("issuetype", ["Epic", "Story", "Task", "Bug"]),
    )
    found = suggested(seen, "jira")
    mapping, ours = loaded(found, "jira"), shipped("jira").mapping
    assert found.unsure == 0
    assert {name: mapping.status.values[name] for name in ("To Do", "In Progress", "In Review", "Done")} == {
        name: ours.status.values[name] for name in ("To Do", "In Progress", "In Review", "Done")
    }
    assert mapping.status.write == {
        Status.NEW: "To Do", Status.IN_PROGRESS: "In Progress", Status.RESOLVED: "Done", Status.CLOSED: "Done",
    }  # fmt: skip
    assert mapping.status_category == ours.status_category
    assert dict(mapping.severity.write) == dict(ours.severity.write)
    assert mapping.links_show == "remote_link"
    assert mapping.markup == "jira_wiki"


def test_statuses_in_another_language_are_read_by_their_category_and_their_words() -> None:
    found = suggested(
        jira(
            {
                "Zu prüfen": "new",
                "In Arbeit": "indeterminate",
                "Wartet auf Kunde": "indeterminate",
                "Erledigt": "done",
                "Wird nicht gemacht": "done",
            }
        ),
        "jira",
    )
    mapping = loaded(found, "jira")
    assert dict(mapping.status.values) == {
        "Zu prüfen": Status.NEW,
        "In Arbeit": Status.IN_PROGRESS,
        "Wartet auf Kunde": Status.WAITING,
        "Erledigt": Status.RESOLVED,
        "Wird nicht gemacht": Status.CLOSED,
    }
    assert dict(mapping.status.write) == {
        Status.NEW: "Zu prüfen",
        Status.IN_PROGRESS: "In Arbeit",
        Status.WAITING: "Wartet auf Kunde",
        Status.RESOLVED: "Erledigt",
    }
    lines = found.text.splitlines()
    (waiting,) = [line for line in lines if line.strip().startswith("Wartet auf Kunde:")]
    assert waiting.endswith("# unsure: its category is indeterminate; by its name it is waiting")


def test_a_name_that_contradicts_its_category_goes_by_the_category_and_is_marked() -> None:
    found = suggested(jira({"Open": "new", "Done": "indeterminate", "Over": "done"}), "jira")
    assert loaded(found, "jira").status.values["Done"] is Status.IN_PROGRESS
    assert "Done: in_progress  # unsure: its category says in_progress, its name resolved" in found.text


def test_among_several_statuses_of_a_meaning_the_one_workflows_lead_to_is_written() -> None:
    seen = jira(
        {"Start": "new", "Bauen": "indeterminate", "Prüfstand": "indeterminate", "Ende": "done"},
        records=[{"status": "Start"}, {"status": "Bauen"}],
        moves=[Move(id="1", name="go", to="Prüfstand")],
    )
    found = suggested(seen, "jira")
    assert loaded(found, "jira").status.write[Status.IN_PROGRESS] == "Prüfstand"
    assert "in_progress: Prüfstand  # unsure: `Bauen` would do as well" in found.text


def test_a_site_without_a_done_status_is_only_read() -> None:
    found = suggested(jira({"Open": "new", "Doing": "indeterminate"}), "jira")
    assert "direction: in  # unsure: no done status that could be written was found" in found.text
    assert not loaded(found, "jira").status.write


def test_custom_statuses_of_zendesk_are_gone_by_where_agents_made_any() -> None:
    stock = LiveField(
        name="custom_status",
        kind=FieldKind.CHOICE,
        values=tuple(
            LiveValue(name=name, category=category, default=True)
            for name, category in (
                ("neu", "new"), ("offen", "open"), ("wartend", "pending"), ("angehalten", "hold"), ("gelöst", "solved"),
            )
        ),
    )  # fmt: skip
    assert loaded(suggested(zendesk(stock), "zendesk"), "zendesk").status_field == "status"
    more = LiveField(
        name="custom_status",
        kind=FieldKind.CHOICE,
        values=(*stock.values, LiveValue(name="bei der entwicklung", category="hold")),
    )
    mapping = loaded(suggested(zendesk(more), "zendesk"), "zendesk")
    assert mapping.status_field == "custom_status"
    assert mapping.status.values["bei der entwicklung"] is Status.WAITING
    assert dict(mapping.status.write) == {
        Status.NEW: "offen", Status.IN_PROGRESS: "offen", Status.WAITING: "angehalten", Status.RESOLVED: "gelöst",
        Status.CLOSED: "gelöst",
    }  # fmt: skip
    assert mapping.status.keep == {"wartend"}
    assert mapping.status_category is not None
    assert mapping.status_category.values["closed"] is Status.RESOLVED


def test_a_stock_zendesk_gets_what_is_shipped() -> None:
    found = suggested(zendesk(), "zendesk")
    mapping, ours = loaded(found, "zendesk"), shipped("zendesk").mapping
    assert found.unsure == 0
    assert mapping.status == ours.status
    assert (dict(mapping.severity.read), dict(mapping.severity.write)) == (
        dict(ours.severity.read), dict(ours.severity.write),
    )  # fmt: skip
    assert shipped("zendesk").file.fields.tags is not None


def test_pending_is_never_written_and_closed_neither() -> None:
    mapping = loaded(
        suggested(zendesk(choice("status", ["new", "open", "pending", "solved", "closed"])), "zendesk"), "zendesk"
    )
    assert Status.WAITING not in mapping.status.write
    assert "closed" in mapping.status.frozen
    assert "closed" not in mapping.status.write.values()


def test_what_a_new_issue_and_a_step_demand_is_filled_in_and_marked() -> None:
    seen = jira(
        None,
        choice("customfield_7", ["Web", "App"], label="Team", custom=True),
        LiveField(name="customfield_8", label="Why", kind=FieldKind.TEXT, custom=True),
        choice("resolution", ["Erledigt", "Fixed"]),
        records=[{"status": "In Progress"}],
        moves=[Move(id="1", name="finish", to="Done", required=("resolution", "customfield_8"))],
        screens=[
            CreateScreen(place="OPS/Sub-task", fields=()),
            CreateScreen(place="OPS/Fehler", fields=("summary",), required=("summary", "customfield_7")),
        ],
    )
    found = suggested(seen, "jira")
    mapping = loaded(found, "jira")
    assert mapping.create_fields == {"issuetype": "Fehler", "customfield_7": {"value": "Web"}}
    assert "# unsure: OPS/Fehler demands `Team`: Web, App" in found.text
    assert "# unsure: the step to `Done` demands `Why`: say what to send" in found.text
    assert mapping.transitions["*"].required == {"resolution": {"name": "Erledigt"}}
    assert mapping.transitions["Done"].always == {"customfield_8": "-"}


def test_fields_in_which_people_name_records_are_read() -> None:
    text = LiveField(name="custom_fields.7", label="Ref", kind=FieldKind.TEXT, custom=True)
    spare = LiveField(name="custom_fields.8", label="Shoe size", kind=FieldKind.TEXT, custom=True)
    seen = zendesk(
        text, spare,
        records=[{"custom_fields.7": "see OPS-12"}, {"custom_fields.7": "none"}, {"custom_fields.8": "44"}],
    )  # fmt: skip
    found = suggested(seen, "zendesk")
    assert loaded(found, "zendesk").link_fields == ("custom_fields.7",)
    assert "# unsure: custom_fields.7: `Ref` names records in 1 of 2" in found.text


def test_the_official_app_shows_links_where_it_is_in_use() -> None:
    assert loaded(suggested(zendesk(links_via="app"), "zendesk"), "zendesk").links_show == "app"
    assert loaded(suggested(zendesk(), "zendesk"), "zendesk").links_show == "note"


def test_the_tag_of_a_checkbox_stays_with_it() -> None:
    box = LiveField(name="custom_fields.3", label="VIP?", kind=FieldKind.YES_NO, custom=True, tag="vip_box")
    mapping = loaded(suggested(zendesk(box), "zendesk"), "zendesk")
    assert not mapping.accepts("vip_box")
    assert mapping.accepts("launch")


def test_a_field_whose_label_names_a_dimension_is_shown_as_one_and_marked() -> None:
    field = choice("custom_fields.9", ["a_login"], label="Produktbereich", custom=True)
    found = suggested(zendesk(field), "zendesk")
    assert [(one.value, plain.source) for one, plain in loaded(found, "zendesk").dimension_fields] == [
        ("area", "custom_fields.9")
    ]
    assert "# unsure: `Produktbereich` by its name" in found.text


def test_beside_another_connection_of_its_system_a_suggestion_speaks_for_its_own_alone() -> None:
    assert "connections: [live]" in suggested(jira(), "jira", alone=False).text
    assert "connections:" not in suggested(jira(), "jira").text


@pytest.mark.parametrize("name", ["a\nfields: {}", "x\u2028y", "\x1b[31m", "é # unsure: no"])
def test_what_a_system_says_starts_no_line_of_the_file(name: str) -> None:
    field = choice("customfield_2", ["v"], label=f"Area {name}", custom=True)
    found = suggested(jira({name: "new", "Done": "done"}, field, unread=[name]), "jira")
    assert name in loaded(found, "jira").status.values
    assert all(line.isprintable() for line in found.text.splitlines())
    assert statuses({name: "new"}).values[0].name == name


def test_a_system_that_cannot_list_its_fields_is_suggested_for_by_what_is_shipped() -> None:
    """Sentry and the gateway tell their values and no more; what cannot be seen is believed of the shipped file."""
    ours = shipped("sentry").mapping
    raws = [*ours.status.values, *sorted(ours.status.archived)]
    catalogue = Catalogue(
        fields=(
            choice("status", raws),
            choice("state", ["unresolved", "resolved", "ignored"]),
            choice("project", ["a"]),
        ),
        unread=("its other fields",),
    )
    seen = Seen(capabilities=Capabilities(account="acme", links_via="app"), catalogue=catalogue, at=AT)
    found = suggested(seen, "sentry")
    mapping = loaded(found, "sentry")
    assert dict(mapping.status.values) == dict(ours.status.values)
    assert mapping.status.archived == ours.status.archived
    assert mapping.status.write[Status.RESOLVED] == "resolved"
    assert mapping.status.write[Status.IN_PROGRESS] == "ongoing"
    assert mapping.facts == ours.facts
    assert mapping.title.source == "title"
    assert "# unsure: not asked for: its other fields" in found.text
