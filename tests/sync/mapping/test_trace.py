"""The rule that is named behind a value is the rule that made it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core import lens
from sync.mapping.load import load
from sync.mapping.trace import Traced, source_for, sources
from sync.mapping.trace_in import taken_in
from sync.mapping.trace_out import made_to_show, why_not
from sync.mapping.trial import tried
from sync.model import Snapshot, Status
from tests.sync.mapping.records import issue, jira, shipped_texts, ticket, zendesk

FILES = sources(shipped_texts())
JIRA, ZENDESK = source_for(FILES, "x", "jira"), source_for(FILES, "x", "zendesk")


def of(values: tuple[Traced, ...], field: str) -> Traced:
    return next(one for one in values if one.field == field)


def path(one: Traced) -> str:
    return one.rule.path if one.rule is not None else ""


@given(
    status=st.sampled_from(["To Do", "to do", "Erledigt", "In Progress", "Done", ""]),
    category=st.sampled_from(["new", "indeterminate", "done", "odd", ""]),
    priority=st.sampled_from(["High", "high", "Urgent!", "", None]),
    labels=st.lists(st.sampled_from(["launch", "hub-x", "Area-Pay", "web"]), unique=True),
)
def test_what_is_traced_is_what_the_mapping_reads(
    status: str, category: str, priority: str | None, labels: list[str]
) -> None:
    snap = issue(status=status, status_category=category, priority=priority, labels=labels)
    mapping = jira()
    view, values = mapping.feedback(snap), taken_in(mapping, JIRA, snap)
    assert of(values, "status").result == (view.status or "")
    assert of(values, "severity").result == (view.severity or "")
    assert [one.given for one in values if one.field == "tags"] == labels
    travelling = {one.result for one in values if one.field == "tags" and one.result}
    assert travelling == {tag.text for tag in view.tags if mapping.accepts(tag.key) and tag.text in labels}
    for one in values:
        if one.field in ("status", "severity") and one.rule is not None:
            assert one.rule.path.startswith(f"fields.{one.field}.")


@pytest.mark.parametrize(
    ("raw", "category", "rule"),
    [
        ("In Review", "indeterminate", "fields.status.values.In Review"),
        ("in review", "indeterminate", "fields.status.values.In Review"),
        ("Erledigt", "done", "fields.status.by_category.values.done"),
        ("Erledigt", "odd", ""),
    ],
)
def test_a_status_names_the_entry_or_the_category_it_is_read_by(raw: str, category: str, rule: str) -> None:
    values = taken_in(jira(), JIRA, issue(status=raw, status_category=category))
    assert path(of(values, "status")) == rule
    assert bool(of(values, "status").why) is (rule != "fields.status.values.In Review")


@given(
    status=st.sampled_from(list(Status)), shown=st.sampled_from(["new", "open", "pending", "hold", "solved", "closed"])
)
def test_what_a_record_would_be_made_to_show_is_what_the_engine_would_write(status: Status, shown: str) -> None:
    mapping, here = zendesk(), ticket(status=shown)
    view = next(
        jira().feedback(issue(status=raw, status_category=""))
        for raw, meaning in jira().status.values.items()
        if meaning is status
    )
    one = of(made_to_show(mapping, ZENDESK, view, here), "status")
    frozen = shown in mapping.status.frozen
    assert one.result == (shown if frozen else lens.put(mapping.status, status, shown, mapping.status.values[shown]))
    assert one.why.startswith("left") is (one.result == shown)
    assert one.rule is not None


def routes(text: str) -> Any:
    return load({**shipped_texts(), "routes.yaml": text}).routes


def test_the_first_condition_that_a_record_misses_is_named() -> None:
    snap: Snapshot = ticket(priority="low", tags=["launch"])
    view = zendesk().feedback(snap)
    found = routes(
        "routes:\n"
        "  - {name: a, when: {severity: {at_least: high}, tags: {any: [launch]}}, create: {connection: t}}\n"
        "  - {name: b, when: {severity: [low], created: {after: 2999-01-01T00:00:00Z}}, create: {connection: t}}\n"
        "  - {name: c, when: {tags: {any: [launch]}}, create: {connection: t}}\n"
    )
    assert [why_not(route, view, "support", snap) for route in found] == ["severity", "created", ""]
    assert why_not(found[2], view, "t", snap) == "a record never gets a counterpart on its own connection"


def test_each_reason_why_a_tag_stays_names_its_rule() -> None:
    text = """
system: zendesk
kind: ticket
fields:
  tags:
    field: tags
    exclude: [secret]
    exclude_field_values: true
    prefix: hc-
    rename: {pay: payments}
  title: {field: subject}
"""
    loaded = load({"z.yaml": text})
    source = sources({"z.yaml": text})[0]
    chosen: dict[str, Any] = {"custom_fields.7": "hc-chosen"}
    snap = ticket(tags=["hc-launch", "other", "hc-secret", "pay", "hc-chosen"], **chosen)
    values = taken_in(loaded.for_connection("x", "zendesk"), source, snap)
    assert [(one.given, one.result, path(one)) for one in values if one.field == "tags"] == [
        ("hc-launch", "launch", "fields.tags.prefix"),
        ("other", "", "fields.tags.prefix"),
        ("hc-secret", "", "fields.tags.exclude[0]"),
        ("pay", "payments", "fields.tags.rename.pay"),
        ("hc-chosen", "", "fields.tags.exclude_field_values"),
    ]


def test_a_field_that_the_mapping_has_not_is_told() -> None:
    loaded = load({"z.yaml": "system: zendesk\nkind: ticket\nfields:\n  title: {field: subject}\n"})
    values = taken_in(loaded.for_connection("x", "zendesk"), FILES[0], ticket())
    assert of(values, "status").result == ""
    assert of(values, "status").why == "the mapping has no `status`"


def test_routes_that_propose_or_attach_are_told_as_such() -> None:
    files = {
        **shipped_texts(),
        "routes.yaml": "routes:\n"
        "  - {name: known, when: {tags: {any: [outage]}}, attach: {connection: t, record: OPS-1}}\n"
        "  - {name: asked, when: {severity: [critical]}, propose: {connection: t, fields: {project: OPS}}}\n"
        "  - {name: rest, create: {connection: t, fields: {project: OPS}}}\n",
    }
    loaded, systems = load(files), {"s": "zendesk", "t": "jira"}
    one = tried(loaded, sources(files), systems, "s", ticket(tags=["outage"]))
    assert [(route.act, route.record, route.takes, route.why) for route in one.routes] == [
        ("attach", "OPS-1", True, ""),
        ("propose", "", False, "`known` takes it first"),
        ("create", "", False, "`known` takes it first"),
    ]
    assert one.targets[0].created_by == ""
    other = tried(loaded, sources(files), systems, "s", ticket(priority="urgent", tags=[]))
    assert other.targets[0].created_by == "asked"
    assert ("project", "OPS") in [(each.remote, each.result) for each in other.targets[0].values]


def test_fields_that_are_joined_and_what_stands_behind_a_stock_file_are_traced() -> None:
    files = {
        "z.yaml": "system: zendesk\nstock: true\nfields:\n  title: {field: subject, join: [custom_fields.9]}\n"
        "  status: {values: {open: waiting, solved: resolved}, accept: {}, keep: [], frozen: [],"
        " write: {waiting: open, resolved: solved}}\n"
    }
    loaded, (source,) = load(files), sources(files)
    more: dict[str, Any] = {"custom_fields.9": "EU"}
    values = taken_in(loaded.for_connection("s", "zendesk"), source, ticket(**more))
    title, severity = of(values, "title"), of(values, "severity")
    assert (title.result, path(title)) == ("Cannot log in EU", "fields.title.join")
    assert path(of(values, "status")) == "fields.status.values.open"
    assert severity.rule is not None  # no line of this file says it
    assert (severity.result, severity.rule.file) == ("critical", "shipped:zendesk.yaml")
    shipped = shipped_texts()["zendesk.yaml"].splitlines()
    assert shipped[severity.rule.line - 1].strip().startswith("values: {urgent: critical")
