"""Routes: which records get a counterpart."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sync.mapping.load import load
from sync.mapping.routes import Route
from tests.sync.mapping.records import AT, ticket, zendesk


def route(when: str) -> Route:
    create = "{connection: eng, fields: {project: SUP, points: 3}}"
    text = f"routes:\n  - name: a\n    when: {when}\n    create: {create}\n"
    return load({"routes.yaml": text}).routes[0]


def matches(when: str, **fields: Any) -> bool:
    return route(when).matches(zendesk().feedback(ticket(**fields)), "support", AT)


@pytest.mark.parametrize(
    ("when", "changed"),
    [
        ("{status: [new, in_progress]}", {"status": "hold"}),
        ("{type: [bug]}", {"type": "task"}),
        ("{category: [bug, security]}", {"type": "question"}),
        ("{severity: [critical]}", {"priority": "high"}),
        ("{severity: [critical]}", {"priority": None}),
        ("{severity: {at_least: high}}", {"priority": "normal"}),
        ("{severity: {at_least: high}}", {"priority": None}),
        ("{severity: {at_least: critical, at_most: critical}}", {"priority": "high"}),
        ("{urgency: {at_least: immediate}}", {"priority": "high"}),
        ("{tags: {any: [launch*, other]}}", {"tags": ["area-login"]}),
        ("{tags: {all: [Launch, 'area-*']}}", {"tags": ["launch"]}),
        ("{tags: {none: [spam]}}", {"tags": ["launch", "spam"]}),
        ("{dimensions: {area: {any: [area-login]}}}", {"tags": ["launch"]}),
        ("{title: {contains: [LOG IN, crash]}}", {"subject": "Slow"}),
        ("{title: {lacks: [unsubscribe]}}", {"subject": "Please UNSUBSCRIBE me"}),
        ("{body: {contains: [timeout]}}", {"description": "It works."}),
        ("{source_class: [direct_contact], status: [in_progress]}", {"status": "new"}),
    ],
)
def test_a_condition_holds_for_one_record_and_not_for_another(when: str, changed: dict[str, Any]) -> None:
    assert matches(when)
    assert not matches(when, **changed)


def test_a_range_below_takes_the_lower_ones() -> None:
    assert matches("{severity: {at_most: medium}}", priority="low")
    assert not matches("{severity: {at_most: medium}}", priority="high")


def test_a_route_asks_for_the_connection() -> None:
    view = zendesk().feedback(ticket())
    assert route("{connection: [support]}").matches(view, "support", AT)
    assert not route("{connection: [support]}").matches(view, "support-eu", AT)


def test_a_record_never_gets_a_counterpart_on_its_own_connection() -> None:
    assert not route("{status: [in_progress]}").matches(zendesk().feedback(ticket()), "eng", AT)


def test_a_time_belongs_to_its_beginning_and_not_to_its_end() -> None:
    view = zendesk().feedback(ticket())
    within = route("{created: {after: 2026-03-01T09:00:00Z, before: 2026-03-01T10:00:00Z}}")
    assert within.matches(view, "support", AT)
    assert not within.matches(view, "support", AT + timedelta(hours=1))
    assert not within.matches(view, "support", AT - timedelta(seconds=1))


@pytest.mark.parametrize(("when", "fits"), [("{at_least: 1}", True), ("{at_least: 2}", False), ("{at_most: 0}", False)])
def test_counts_are_within_or_not(when: str, fits: bool) -> None:
    assert matches(f"{{occurrences: {when}, affected_users: {when}}}") is fits


def test_a_target_has_its_fields_as_they_were_meant() -> None:
    assert route("{status: [new]}").target.fields == {"project": "SUP", "points": 3}


def test_a_route_without_condition_takes_every_record() -> None:
    only = load({"routes.yaml": "routes:\n  - {name: a, create: {connection: eng}}\n"}).routes[0]
    assert only.matches(zendesk().feedback(ticket(status="odd")), "support", AT)
    assert (only.title, only.body) == (None, None)
