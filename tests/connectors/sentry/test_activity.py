"""The activity log: versions, and who did what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.errors import UnexpectedAnswer
from connectors.sentry import activity
from connectors.sentry.activity import Ours
from sync.model import FieldEdit

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def row(number: int, kind: str, data: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"id": str(number), "type": kind, "data": data or {}, "dateCreated": "2026-01-02T03:04:05Z", **more}


ENGINEER = {"user": {"id": "2", "email": "engineer@example.com"}}
US = {"user": {"id": "1"}, "sentry_app": {"slug": "hypercare", "id": "u-1"}}


def test_versions_sort_by_the_newest_activity_then_by_the_last_event() -> None:
    later = AT.replace(hour=9)
    versions = [
        activity.version_of([], AT),
        activity.version_of([], later),
        activity.version_of([row(9, "note")], AT),
        activity.version_of([row(9, "note"), row(10, "note")], AT),
        activity.version_of([row(10**15, "note")], AT),
    ]
    assert versions == sorted(versions)
    assert [activity.newest_in(version) for version in versions] == [0, 0, 9, 10, 10**15]


@pytest.mark.parametrize(
    ("kind", "data", "status"),
    [
        ("set_resolved", {}, "resolved"),
        ("SET_RESOLVED", {}, "resolved"),
        ("set_resolved_by_age", {"age": 24}, "resolved"),
        ("set_resolved_in_release", {"version": "1.0"}, "resolved_in_release"),
        ("set_resolved_in_release", {"version": ""}, "resolved_in_next_release"),
        ("set_resolved_in_release", {"version": "1.0", "inNextRelease": True}, "resolved_in_next_release"),
        ("set_resolved_in_commit", {"commit": {"id": "a"}}, "resolved_in_commit"),
        ("set_unresolved", {}, "ongoing"),
        ("set_regression", {"version": "1.1"}, "regressed"),
        ("set_escalating", {}, "escalating"),
        ("set_ignored", {"ignoreUntilEscalating": True}, "archived_until_escalating"),
        ("set_ignored", {"ignoreCount": 10}, "archived_until_condition_met"),
        ("set_ignored", {"ignoreCount": None}, "archived_forever"),
        ("note", {"text": "x"}, None),
        ("merge", {}, None),
        ("of_a_later_version", {}, None),
    ],
)
def test_an_activity_tells_the_status_it_left(kind: str, data: dict[str, Any], status: str | None) -> None:
    assert activity.status_after(row(1, kind, data)) == status


@pytest.mark.parametrize(
    ("made", "by_itself"),
    [
        (row(1, "set_resolved", **ENGINEER), False),
        (row(1, "set_resolved", user=None), True),  # a monitor that is well again
        (row(1, "set_resolved", {"provider": "jira"}, user=None), False),  # a person, in Jira
        (row(1, "set_resolved_in_commit", user=None), False),  # a person, by a commit
        (row(1, "set_resolved_by_age", user=None), True),
        (row(1, "set_regression"), True),
        (row(1, "set_unresolved", user=None), False),
        (row(1, "set_resolved", **US), False),
    ],
)
def test_what_nobody_asked_for_happened_by_itself(made: dict[str, Any], by_itself: bool) -> None:
    assert activity.by_itself(made) is by_itself


def test_a_resolve_without_an_activity_was_worked_out_by_age() -> None:
    assert activity.done_by_itself([row(1, "first_seen")])
    assert activity.done_by_itself([row(1, "set_resolved", **ENGINEER), row(2, "set_regression")])
    assert not activity.done_by_itself([row(1, "set_resolved", **ENGINEER), row(2, "note", **ENGINEER)])


def test_history_begins_after_the_version_and_names_old_values_only_where_they_are_known() -> None:
    rows = [
        row(5, "set_resolved", **ENGINEER),
        row(6, "set_regression"),
        row(7, "set_priority", {"priority": "low"}, **US),
        row(8, "assigned", {"assignee": "2", "assigneeEmail": "engineer@example.com"}, **US),
        row(9, "unassigned", **ENGINEER),
        row(10, "set_resolved", **US),
    ]
    found = activity.history_rows(
        rows, since=activity.version_of(rows[:1], AT), ours=Ours(user="", apps=frozenset({"hypercare"}))
    )
    assert [each.id for each in found] == ["6", "7", "8", "9", "10"]
    assert [each.ours for each in found] == [False, True, True, False, True]
    assert [each.edits[0] for each in found] == [
        FieldEdit(field="status", old=None, new="regressed"),
        FieldEdit(field="priority", old=None, new="low"),
        FieldEdit(field="assignee", old=None, new="2"),
        FieldEdit(field="assignee", old="2", new=None),
        FieldEdit(field="status", old="regressed", new="resolved"),
    ]


def test_what_another_app_did_is_not_ours() -> None:
    other = row(1, "set_resolved", user={"id": "9"}, sentry_app={"slug": "linear", "id": "u-2"})
    assert not activity.is_ours(other, Ours(user="1", apps=frozenset({"hypercare", "u-1"})))
    assert not activity.is_ours(row(1, "set_resolved"), Ours())


def test_an_edit_that_our_write_hid_is_named_and_one_that_we_had_read_is_not() -> None:
    ours = Ours(user="1")
    rows = [row(5, "set_resolved", **ENGINEER), row(6, "set_ignored", **ENGINEER), row(7, "set_resolved", **US)]
    assert activity.overwritten(rows, after=5, ours=ours) == (
        FieldEdit(field="status", old="archived_forever", new="resolved"),
    )
    assert activity.overwritten(rows, after=6, ours=ours) == ()
    assert activity.overwritten(rows[:2], after=5, ours=ours) == ()


@pytest.mark.parametrize("body", [{}, {"activity": None}, {"activity": [1]}, {"activity": {}}])
def test_an_answer_without_a_log_is_not_an_empty_log(body: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedAnswer):
        activity.rows_in(body, "GET /x")


@pytest.mark.parametrize("stamp", ["2026-01-02T03:04:05", "yesterday", None, 7, ""])
def test_a_time_without_a_zone_is_no_time(stamp: object) -> None:
    with pytest.raises(UnexpectedAnswer):
        activity.moment(stamp)


def test_nanoseconds_are_cut() -> None:
    assert activity.moment("2026-01-02T03:04:05.123456789+00:00").microsecond == 123456
