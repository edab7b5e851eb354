"""What a compiled mapping answers, by the shipped files and by small ones."""

from __future__ import annotations

from typing import Any

import pytest

from sync.core.state import Shown
from sync.mapping.routes import Route, Target, When
from sync.mapping.texts import sentence
from sync.model import (
    Category,
    Dimension,
    Direction,
    Fact,
    FeedbackType,
    LinkShown,
    LinkVia,
    LinkView,
    Move,
    Person,
    Severity,
    SourceClass,
    Status,
    Urgency,
)
from tests.sync.mapping.records import AT, issue, jira, mapping, ticket, zendesk

STATUS = (
    "status:\n  field: status\n  values: {open: in_progress, solved: resolved}\n"
    "  write: {in_progress: open, resolved: solved}\n"
)
TICKET_VIEW = LinkView(
    system="zendesk",
    connection="support",
    kind="ticket",
    id="5158",
    key="5158",
    url="https://example.zendesk.com/agent/tickets/5158",
)


# --- status ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        ("new", Status.NEW),
        ("open", Status.IN_PROGRESS),
        ("pending", Status.WAITING),
        ("hold", Status.WAITING),
        ("solved", Status.RESOLVED),
        ("closed", Status.RESOLVED),
    ],
)
def test_a_stock_ticket_reads_as_documented(raw: str, status: Status) -> None:
    assert zendesk().shown(ticket(status=raw)).status is status


def test_a_closed_ticket_is_frozen() -> None:
    assert zendesk().shown(ticket(status="closed")).frozen
    assert zendesk().shown(ticket(status="solved", frozen=True)).frozen
    assert not zendesk().shown(ticket(status="solved")).frozen


def test_shown_says_raw_status_and_folded_tags() -> None:
    assert jira().shown(issue(status="In Progress", labels=["Launch", "Area-Login"])) == Shown(
        raw="In Progress", status=Status.IN_PROGRESS, tags=frozenset({"launch", "area-login"})
    )


def test_an_archived_status_has_no_side() -> None:
    shown = mapping(STATUS + "  archived: [ignored]\n").shown(ticket(status="ignored", tags=[]))
    assert shown == Shown(raw="ignored", status=None, archived=True)


def test_a_status_without_meaning_is_named_and_never_guessed() -> None:
    strange = ticket(status="parked")
    assert zendesk().shown(strange).status is None
    assert zendesk().unmapped(strange) == {"status": "parked"}
    assert zendesk().feedback(strange).unmapped == {"status": "parked"}


def test_a_status_differs_by_no_capital_letter() -> None:
    assert jira().shown(issue(status="IN PROGRESS")).status is Status.IN_PROGRESS


@pytest.mark.parametrize(
    ("category", "status"), [("new", Status.NEW), ("indeterminate", Status.IN_PROGRESS), ("done", Status.RESOLVED)]
)
def test_a_status_of_another_name_is_read_by_its_category(category: str, status: Status) -> None:
    foreign = issue(status="Wird geprüft", status_category=category)
    assert jira().shown(foreign).status is status
    assert jira().unmapped(foreign) == {}


def test_a_status_of_an_unknown_category_is_unmapped() -> None:
    assert jira().unmapped(issue(status="Odd", status_category="in-flight")) == {"status": "Odd"}


def test_the_rules_for_a_record_know_its_status_and_those_its_workflow_leads_to() -> None:
    moves = (
        Move(id="1", name="Fertig", to="Fertig", category="done"),
        Move(id="2", name="Done", to="Done", category="done"),
        Move(id="3", name="Odd", to="Odd", category="odd"),
    )
    rules = jira().rules_for(issue(status="In Arbeit", status_category="indeterminate"), moves)
    assert (rules.values["In Arbeit"], rules.values["Fertig"]) == (Status.IN_PROGRESS, Status.RESOLVED)
    assert "Odd" not in rules.values
    assert rules.write == jira().status.write


def test_the_rules_for_a_record_of_known_status_are_the_mapping_s_own() -> None:
    assert jira().rules_for(issue(status="Done")) is jira().status


def test_a_default_stands_for_every_unnamed_status() -> None:
    assert mapping(STATUS + "  default: waiting\n").shown(ticket(status="odd")).status is Status.WAITING


def test_custom_statuses_fall_back_to_their_category() -> None:
    own = mapping(
        "status:\n  field: custom_status\n  values: {with engineering: waiting, open: in_progress, solved: resolved}\n"
        "  write: {in_progress: open, waiting: with engineering, resolved: solved}\n"
        "  by_category: {field: status, values: {open: in_progress, hold: waiting, solved: resolved}}\n"
    )
    assert own.shown(ticket(status="hold", custom_status="with engineering")).status is Status.WAITING
    assert own.shown(ticket(status="open", custom_status="in triage")).status is Status.IN_PROGRESS
    assert own.status_field == "custom_status"


# --- tags ------------------------------------------------------------------------------------------------------------


def test_our_own_and_left_behind_tags_do_not_travel() -> None:
    for key in (
        "hub",
        "hub-7",
        "hypercare_demo",
        "closed_by_merge",
        "sla_breach",
        "system_credit_card_redaction_failed",
    ):
        assert not zendesk().accepts(key)
    assert zendesk().accepts("launch")


def test_what_an_administrator_includes_is_all_that_travels() -> None:
    own = mapping('tags:\n  field: tags\n  include: ["launch*", "area-?", exact]\n  exclude: [launch-secret]\n')
    assert [
        key
        for key in ("launch", "launch-1", "launch-secret", "area-1", "area-12", "exact", "exactly")
        if own.accepts(key)
    ] == [
        "launch",
        "launch-1",
        "area-1",
        "exact",
    ]


def test_a_drop_down_s_tag_belongs_to_its_field() -> None:
    fields: dict[str, Any] = {"custom_fields.1": "plan_gold", "custom_fields.2": ["a", "b"], "custom_fields.3": True}
    snap = ticket(tags=["launch", "plan_gold", "a", "b"], **fields)
    assert zendesk().shown(snap).tags == {"launch"}


def test_a_zendesk_tag_is_spelled_in_lower_case_without_spaces() -> None:
    assert zendesk().spell("launch_day", "Launch Day") == "launch_day"
    assert jira().spell("launch_day", "Launch Day") == "Launch_Day"


def test_a_tag_that_a_system_cannot_hold_stays_elsewhere() -> None:
    assert not zendesk().accepts("a,b")
    assert jira().accepts("a,b")
    assert not jira().accepts("x" * 256)
    assert not jira().accepts("")


def test_a_prefix_is_taken_off_inwards_and_put_on_outwards() -> None:
    own = mapping("tags: {field: tags, prefix: HC-}\n")
    snap = ticket(tags=["HC-Login", "other", "hc-"])
    assert own.shown(snap).tags == {"login"}
    assert own.tag_texts(snap) == {"login": "Login"}
    assert own.spell("login", "Login") == "HC-Login"
    assert own.raw_tags(snap) == {"login": ("HC-Login",)}
    assert own.tag_keys(["HC-Login", "other"]) == {"login"}
    assert own.accepts("login")


def test_a_renamed_tag_has_its_other_name_elsewhere() -> None:
    own = mapping("tags:\n  field: tags\n  rename: {pay: Payments}\n")
    assert own.tag_texts(ticket(tags=["Pay", "x"])) == {"payments": "Payments", "x": "x"}
    assert own.spell("payments", "Payments") == "pay"
    assert own.accepts("payments")
    assert not own.accepts("pay")  # here it would be read as `payments`


def test_all_spellings_of_a_tag_are_named_for_its_removal() -> None:
    assert jira().raw_tags(issue(labels=["Launch", "launch", "x"])) == {"launch": ("Launch", "launch"), "x": ("x",)}


def test_a_record_without_tags_shows_none() -> None:
    nothings: tuple[Any, ...] = (None, [], "")
    for nothing in nothings:
        assert zendesk().shown(ticket(tags=nothing)).tags == frozenset()


def test_more_tags_than_are_remembered_still_read_right() -> None:
    own = mapping("tags: {field: tags}\n")
    for start in range(0, 24_000, 2_000):
        names = [f"t{n}" for n in range(start, start + 2_000)]
        assert own.shown(ticket(tags=names)).tags == set(names)


# --- watched ---------------------------------------------------------------------------------------------------------


def _digest(**changed: Any) -> str:
    return zendesk().watched(ticket(**changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "solved"},
        {"tags": ["launch"]},
        {"frozen": True},
        {"links": (LinkShown(target="SUP-1", via=LinkVia.APP),)},
    ],
)
def test_a_change_of_what_is_synced_makes_an_item_dirty(changed: dict[str, Any]) -> None:
    assert _digest(**changed) != _digest()


@pytest.mark.parametrize(
    "changed",
    [
        {"subject": "Other"},
        {"description": "Other"},
        {"group_id": 4},
        {"tags": ["area-login", "launch"]},
        {"tags": ["Launch", "area-login", "hub-7"]},
        {"links": ()},
    ],
)
def test_any_other_change_does_not(changed: dict[str, Any]) -> None:
    assert _digest(**changed) == _digest()


def test_the_order_of_links_is_no_change() -> None:
    one, two = LinkShown(target="A-1", via=LinkVia.APP), LinkShown(target="A-2", via=LinkVia.APP)
    assert _digest(links=(one, two)) == _digest(links=(two, one))


def test_a_link_field_is_watched() -> None:
    own = mapping("links: {read: [external_id]}\n")
    assert own.watched(ticket(external_id="SUP-1")) != own.watched(ticket(external_id="SUP-2"))


def test_a_digest_is_short_hexadecimal_text() -> None:
    assert len(_digest()) == 32
    assert int(_digest(), 16)


def test_a_lone_surrogate_does_not_disturb_the_digest() -> None:
    assert len(_digest(status="\ud800")) == 32


# --- references ------------------------------------------------------------------------------------------------------


def test_links_shown_by_the_remote_are_references() -> None:
    shown = LinkShown(target="https://example.zendesk.com/agent/tickets/1", via=LinkVia.REMOTE_LINK, handle="g1")
    assert list(jira().references(issue(links=(shown,)))) == [(shown, shown.target)]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("SUP-12", ["SUP-12"]),
        ("SUP-12, SUP-13;SUP-12", ["SUP-12", "SUP-13"]),
        ("https://example.atlassian.net/browse/SUP-12", ["https://example.atlassian.net/browse/SUP-12"]),
        (10042, ["10042"]),
        (["SUP-1", {"key": "SUP-2"}], ["SUP-1", "SUP-2"]),
        (None, []),
        (True, []),
    ],
)
def test_a_link_field_without_patterns_gives_each_of_its_words(value: object, found: list[str]) -> None:
    own = mapping("links: {read: [external_id]}\n")
    assert [text for _, text in own.references(ticket(external_id=value))] == found


@pytest.mark.parametrize(
    ("pattern", "value", "found"),
    [
        ("{key}", "see SUP-12 and sup-13.", ["SUP-12", "sup-13"]),
        ("{key}", "XSUP-12-3", []),
        ("https://example.atlassian.net/browse/{key}", "https://example.atlassian.net/browse/SUP-12?x=1", ["SUP-12"]),
        ("https://example.atlassian.net/browse/{key}", "https://evil.example/browse/SUP-12", []),
        ("{id}", "5158 but not SUP-12", ["5158"]),
        ("#{ticket}", "as in #5158", ["5158"]),
        ("{url}", "at https://a.example/x now", ["https://a.example/x"]),
        ("/issue=([0-9]+)/", "x?issue=77&y", ["77"]),
        ("/[A-Z]+-[0-9]+/", "a SUP-1", ["SUP-1"]),
    ],
)
def test_patterns_say_which_record_a_text_names(pattern: str, value: str, found: list[str]) -> None:
    own = mapping(f"links:\n  read: [external_id]\n  patterns: ['{pattern}']\n")
    assert [text for _, text in own.references(ticket(external_id=value))] == found


def test_a_reference_in_a_field_names_the_field() -> None:
    own = mapping("links: {show: field, field: external_id}\n")
    assert [shown for shown, _ in own.references(ticket(external_id="SUP-1"))] == [
        LinkShown(target="SUP-1", via=LinkVia.FIELD, handle="external_id")
    ]


@pytest.mark.parametrize("direction", ["out", "off"])
def test_links_that_are_only_shown_are_not_followed(direction: str) -> None:
    own = mapping(f"links: {{read: [external_id], direction: {direction}}}\n")
    assert list(own.references(ticket(external_id="SUP-1"))) == []


def test_a_long_text_is_read_only_at_its_beginning() -> None:
    own = mapping("links:\n  read: [description]\n  patterns: ['{key}']\n")
    assert list(own.references(ticket(description=" " * 5_000 + "SUP-1"))) == []


# --- feedback --------------------------------------------------------------------------------------------------------


def test_a_ticket_becomes_feedback() -> None:
    view = zendesk().feedback(ticket())
    assert (view.title, view.body) == ("Cannot log in", "It says timeout.")
    assert (view.status, view.severity, view.urgency) == (Status.IN_PROGRESS, Severity.CRITICAL, Urgency.IMMEDIATE)
    assert (view.type, view.category, view.source_class) == (FeedbackType.BUG, Category.BUG, SourceClass.DIRECT_CONTACT)
    assert view.reporter == Person(id="7", name="Ada Reed", email="ada@example.com")
    assert view.owner == Person(id="9", name="Sam Poe", email="sam@example.com")
    assert [(tag.key, tag.dimension) for tag in view.tags] == [("area-login", Dimension.AREA), ("launch", None)]
    assert (view.first_seen_at, view.last_seen_at) == (AT, AT)
    assert (view.occurrences, view.affected_users, dict(view.unmapped)) == (1, 1, {})


def test_an_issue_becomes_feedback() -> None:
    view = jira().feedback(issue())
    assert (view.title, view.status, view.severity) == ("Log-in times out", Status.NEW, Severity.HIGH)
    assert view.source_class is SourceClass.INTERNAL_OBSERVATION
    assert view.owner is None
    assert [tag.text for tag in view.tags_of(Dimension.COMPONENT)] == ["Backend"]


def test_what_a_record_does_not_say_has_the_mapping_s_default() -> None:
    view = zendesk().feedback(ticket(priority=None, type=None))
    assert (view.severity, view.type, view.category) == (None, FeedbackType.BUG, Category.QUESTION)
    assert dict(view.unmapped) == {}


def test_a_value_without_meaning_is_reported_beside_the_default() -> None:
    view = zendesk().feedback(ticket(priority="galactic", type="joke"))
    assert (view.severity, view.type) == (None, FeedbackType.BUG)
    assert dict(view.unmapped) == {"severity": "galactic", "urgency": "galactic", "type": "joke", "category": "joke"}
    assert zendesk().unmapped(ticket(priority="galactic", type="joke")) == dict(view.unmapped)


def test_a_dimension_s_tags_are_a_view_and_never_travel() -> None:
    snap = issue(components=["Backend", {"name": "API"}])
    assert {tag.key for tag in jira().feedback(snap).tags} == {"launch", "backend", "api"}
    assert jira().shown(snap).tags == {"launch"}


def test_facts_stand_beside_the_status() -> None:
    assert jira().feedback(issue(status="Reopened")).facts == {Fact.REOPENED}
    assert mapping(STATUS + "  archived: [ignored]\n").feedback(ticket(status="ignored")).facts == {Fact.ARCHIVED}


def test_counts_and_splits_are_read() -> None:
    own = mapping(
        "occurrences: {field: count}\naffected_users: {field: users}\ntitle: {field: subject, split: ' / '}\n"
        "severity: {field: level, split: ':', values: {high: high}}\n"
    )
    view = own.feedback(ticket(count="12", users=3, subject="Cannot log in / web", level="high:7"))
    assert (view.occurrences, view.affected_users, view.title, view.severity) == (12, 3, "Cannot log in", Severity.HIGH)
    assert own.feedback(ticket(count="many")).occurrences == 1


def test_a_field_that_is_off_is_not_read() -> None:
    view = mapping("severity: {field: priority, direction: off, values: {urgent: critical}}\n").feedback(ticket())
    assert (view.severity, dict(view.unmapped)) == (None, {})


def test_a_mapping_without_status_and_tags_shows_nothing_and_writes_nothing() -> None:
    own = mapping("title: {field: subject}\n")
    assert own.shown(ticket()) == Shown(raw="", status=None)
    assert (own.status_direction, own.tag_direction) == (Direction.OFF, Direction.OFF)
    assert own.unmapped(ticket()) == {}


# --- what is written -------------------------------------------------------------------------------------------------

ROUTE = Route(name="launch", when=When(), target=Target(connection="engineering", fields={"project": "SUP"}))


def test_a_draft_has_what_the_target_s_mapping_says() -> None:
    draft = jira().draft(zendesk().feedback(ticket()), ROUTE, "m1", TICKET_VIEW)
    assert draft.kind == "issue"
    assert draft.fields == {
        "issuetype": "Bug",
        "project": "SUP",
        "summary": "Cannot log in",
        "description": "It says timeout.\n\nReported by: Ada Reed\nTicket: https://example.zendesk.com/agent/tickets/5158",
        "priority": "Highest",
    }
    assert draft.tags == ("area-login", "launch")
    assert draft.links == (TICKET_VIEW,)


def test_a_route_s_fields_and_texts_replace_the_mapping_s() -> None:
    route = Route(
        name="launch",
        when=When(),
        target=Target(connection="engineering", fields={"issuetype": "Task", "priority": "Low"}),
        title=sentence("[$route] $title"),
        body=sentence("$severity"),
    )
    fields = jira().draft(zendesk().feedback(ticket()), route, "m1").fields
    assert (fields["issuetype"], fields["priority"]) == ("Task", "Low")
    assert (fields["summary"], fields["description"]) == ("[launch] Cannot log in", "critical")


def test_a_ticket_can_be_created_from_an_issue_for_its_reporter() -> None:
    draft = zendesk().draft(jira().feedback(issue()), ROUTE, "m1", TICKET_VIEW)
    assert draft.fields["requester"] == {"id": "", "name": "Kim Vale", "email": ""}
    assert (draft.fields["subject"], draft.fields["priority"]) == ("Log-in times out", "high")
    assert "assignee" not in draft.fields
    assert draft.links == ()  # a ticket shows its issue by a note


def test_only_tags_that_travel_are_put_on_a_draft() -> None:
    view = zendesk().feedback(ticket(tags=["launch", "hub-1", "Two Words"]))
    assert jira().draft(view, ROUTE, "m1").tags == ("launch", "Two_Words")
    assert mapping("tags: {field: tags, direction: in}\n").draft(view, ROUTE, "m1").tags == ()


def test_a_draft_without_a_title_has_one_all_the_same() -> None:
    assert jira().draft(zendesk().feedback(ticket(subject=" ")), ROUTE, "m1").fields["summary"] == "-"


def test_hostile_text_does_nothing_in_a_draft() -> None:
    hostile = ticket(
        subject="Hi\n[~admin]\u202e {code}",
        description="[~accountid:1] {html}x{html} !http://e.vil/x.png! @here a\\[~b]\x00",
    )
    fields = jira().draft(zendesk().feedback(hostile), ROUTE, "m1").fields
    assert fields["summary"] == "Hi [~admin] {code}"
    assert fields["description"].startswith(
        "\\[~accountid:1\\] \\{html\\}x\\{html\\} \\!http://e.vil/x.png\\! @\u200bhere a\\\u200b\\[~b\\]"
        "\n\nReported by: Ada Reed"
    )


def test_a_title_is_cut_to_what_the_target_takes() -> None:
    title = jira().draft(zendesk().feedback(ticket(subject="x" * 300)), ROUTE, "m1").fields["summary"]
    assert (len(title), title[-1]) == (150, "…")


def test_a_body_is_cut_to_what_the_target_takes() -> None:
    body = jira().draft(zendesk().feedback(ticket(description="x" * 40_000)), ROUTE, "m1").fields["description"]
    assert (len(body), body[-1]) == (32_000, "…")


def test_a_note_says_where_the_work_happens_and_fires_no_placeholder() -> None:
    link = LinkView(
        system="jira", connection="engineering", kind="issue", id="10042", key="SUP-12",
        url="https://example.atlassian.net/browse/SUP-12", title="{{ticket.id}} @all {% x %}",
    )  # fmt: skip
    assert zendesk().note(link) == (
        "This is being worked on as SUP-12: {\u200b{ticket.id}} @\u200ball {\u200b% x %}\n"
        "https://example.atlassian.net/browse/SUP-12"
    )


def test_a_note_names_the_id_where_there_is_no_key() -> None:
    link = LinkView(system="sentry", connection="errors", kind="issue", id="77", key="", url="")
    assert zendesk().note(link) == "This is being worked on as 77: "


# --- workflow steps --------------------------------------------------------------------------------------------------

STEPS = (
    "transitions:\n  '*': {resolution: Done, fields: {customfield_1: 5}}\n"
    "  Done: {fields: {customfield_2: {value: Fixed}}}\n  Won't Do: {resolution: Won't Do}\n"
    "  Cancelled: {avoid: true}\n"
)


def _move(to: str, *required: str) -> Move:
    return Move(id="1", name=to, to=to, required=required)


def test_a_step_without_required_fields_needs_nothing() -> None:
    assert jira().transition_fields(_move("Done")) == {}


def test_a_required_resolution_comes_from_the_mapping() -> None:
    assert jira().transition_fields(_move("Done", "resolution")) == {"resolution": {"name": "Done"}}


def test_a_required_field_without_a_value_is_named() -> None:
    move = _move("Done", "resolution", "customfield_7", "customfield_3")
    assert jira().transition_fields(move) is None
    assert jira().missing_fields(move) == ("customfield_7", "customfield_3")


def test_a_status_own_fields_are_always_sent_and_those_of_all_where_required() -> None:
    own = mapping("title: {field: summary}\n", STEPS, "jira")
    assert own.transition_fields(_move("Done")) == {"customfield_2": {"value": "Fixed"}}
    assert own.transition_fields(_move("Done", "customfield_1", "customfield_2", "resolution")) == {
        "customfield_1": 5,
        "customfield_2": {"value": "Fixed"},
        "resolution": {"name": "Done"},
    }


def test_a_status_own_resolution_is_taken_before_that_of_all() -> None:
    own = mapping("title: {field: summary}\n", STEPS, "jira")
    assert own.transition_fields(_move("Won't Do", "resolution")) == {"resolution": {"name": "Won't Do"}}


def test_statuses_to_avoid_and_forbidden_paths_are_no_edges() -> None:
    steps = STEPS.replace("{customfield_2: {value: Fixed}}", "{}, never_from: [In Review]")
    own = mapping("title: {field: summary}\n", steps, "jira")
    assert own.avoids("Cancelled")
    assert [own.forbids("To Do", _move(to)) for to in ("Cancelled", "Done", "Blocked")] == [True, False, False]
    assert [own.forbids("In Review", _move(to)) for to in ("Cancelled", "Done", "Blocked")] == [True, True, False]


# --- splits and joins -------------------------------------------------------------------------------------------------


def test_texts_of_several_fields_are_joined_and_the_empty_ones_left_out() -> None:
    own = mapping(
        "body: {field: description, join: [custom_fields.1, custom_fields.2], between: ' / ', default: none}\n"
    )

    def body(**fields: Any) -> str:
        return own.feedback(ticket(**{name.replace("cf", "custom_fields."): fields[name] for name in fields})).body

    assert body(description="a", cf1="b", cf2="c") == "a / b / c"
    assert body(description="", cf1=None, cf2="c") == "c"
    assert body(description=None, cf1="") == "none"


def test_a_text_with_several_values_is_several_tags_of_its_dimension() -> None:
    own = mapping("title: {field: subject}\ndimensions:\n  component: {field: custom_fields.1, separator: ','}\n")
    fields: dict[str, Any] = {"custom_fields.1": "Web, API ,", "tags": []}
    view = own.feedback(ticket(**fields))
    assert [(tag.text, tag.dimension) for tag in view.tags] == [("API", "component"), ("Web", "component")]


# --- the fingerprint -------------------------------------------------------------------------------------------------


def test_the_fingerprint_changes_with_what_bases_depend_on() -> None:
    own = mapping(STATUS)
    assert mapping(STATUS).fingerprint == own.fingerprint
    assert mapping(STATUS + "  keep: [open]\n").fingerprint != own.fingerprint
    assert mapping(STATUS + "tags: {field: tags}\n").fingerprint != own.fingerprint


def test_the_fingerprint_does_not_change_with_texts_or_order() -> None:
    own = mapping(STATUS)
    assert mapping(STATUS + "title: {field: subject}\nlinks: {note: see $key}\n").fingerprint == own.fingerprint
    turned = STATUS.replace("{open: in_progress, solved: resolved}", "{solved: resolved, open: in_progress}")
    assert mapping(turned).fingerprint == own.fingerprint


def test_a_field_that_is_only_written_is_not_read() -> None:
    own = mapping("title: {field: subject}\nseverity: {field: priority, direction: out, write: {critical: urgent}}\n")
    view = own.feedback(ticket())
    assert (view.severity, dict(view.unmapped)) == (None, {})
    assert own.draft(zendesk().feedback(ticket()), ROUTE, "m1").fields["priority"] == "urgent"


def test_a_field_that_is_only_read_is_not_written() -> None:
    own = mapping("title: {field: subject, direction: in}\nbody: {field: description, direction: off}\n")
    assert own.draft(zendesk().feedback(ticket()), ROUTE, "m1").fields == {"project": "SUP"}
    assert own.feedback(ticket()).body == ""


@pytest.mark.parametrize(
    ("raw", "person"),
    [
        ({"id": 7, "name": "Ada", "email": None}, Person(id="7", name="Ada")),
        ("Ada", Person(name="Ada")),
        ({}, None),
        (None, None),
        ([], None),
    ],
)
def test_a_person_is_read_from_an_object_or_a_text(raw: object, person: Person | None) -> None:
    assert zendesk().feedback(ticket(requester=raw)).reporter == person


@pytest.mark.parametrize(
    ("raw", "severity"), [({"name": "High"}, Severity.HIGH), ({"id": "High"}, Severity.HIGH), ({}, None), (True, None)]
)
def test_a_value_may_be_an_object_with_a_name(raw: object, severity: Severity | None) -> None:
    assert jira().feedback(issue(priority=raw)).severity is severity


def test_a_text_of_tags_is_read_by_its_words() -> None:
    assert zendesk().shown(ticket(tags="launch vip")).tags == {"launch", "vip"}
