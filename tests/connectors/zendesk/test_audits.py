"""Zendesk's audits as history, and what the audit of a write tells."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.zendesk import audits
from sync.model import Changes, FieldEdit, StatusChange
from tests.connectors.zendesk.test_records import NAMES, shown, ticket


def audit(
    number: int, *events: dict[str, Any], author: int = 7, at: str = "2026-01-02T04:05:06Z", **more: Any
) -> dict[str, Any]:
    return {
        "id": number,
        "ticket_id": 35436,
        "created_at": at,
        "author_id": author,
        "metadata": {"system": {"client": "Mozilla/5.0"}, "custom": {}},
        "via": {"channel": "web", "source": {"from": {}, "to": {}, "rel": None}},
        "events": list(events),
    } | more


def changed(name: str, old: Any, new: Any, **more: Any) -> dict[str, Any]:
    return {"id": 1, "type": "Change", "field_name": name, "previous_value": old, "value": new} | more


RULE: dict[str, Any] = {"via": {"channel": "rule", "source": {"rel": "trigger", "from": {"id": 5, "title": "Solve"}}}}
OURS: dict[str, Any] = {"metadata": {"system": {"client": "hypercare"}, "custom": {"hub_op": "d-1"}}}


def rows(*made: dict[str, Any], since: str = "", me: str = "99") -> Any:
    return audits.history_rows(made, since=since, me=me, names=NAMES)


def test_history_is_oldest_first_with_the_edits_of_each_row() -> None:
    later = audit(11, changed("status", "open", "solved"), at="2026-01-02T05:00:00Z")
    first = audit(
        10,
        {"id": 1, "type": "Create", "field_name": "status", "value": "new"},
        {"id": 2, "type": "Comment", "body": "hello", "public": True},
        changed("tags", ["a"], ["a", "b"]),
        changed("27642", "744", "745"),
        changed("custom_status_id", "8", "9"),
    )
    got = rows(later, first)
    assert [row.id for row in got] == ["10", "11"]
    assert got[0].edits == (
        FieldEdit(field="status", old=None, new="new"),
        FieldEdit(field="tags", old=["a"], new=["a", "b"]),
        FieldEdit(field="custom_fields.27642", old="744", new="745"),
        FieldEdit(field="custom_status", old=None, new="waiting on engineering"),
    )
    assert got[1].edits == (FieldEdit(field="status", old="open", new="solved"),)


@pytest.mark.parametrize("value", ["a b", ["a", "b"], "a, b"])
def test_tags_in_audits_are_read_as_a_list_however_they_are_written(value: Any) -> None:
    assert audits.tag_list(value) == ["a", "b"]


def test_rows_before_the_version_are_left_out_and_those_of_its_second_are_not() -> None:
    made = [audit(n, changed("status", "a", "b"), at=f"2026-01-02T04:05:0{n}Z") for n in (5, 6, 7)]
    assert [row.id for row in rows(*made, since="2026-01-02T04:05:06Z")] == ["6", "7"]


def test_our_own_write_is_known_by_author_and_operation() -> None:
    (row,) = rows(audit(10, changed("status", "open", "solved"), author=99, **OURS))
    assert (row.ours, row.op) == (True, "d-1")


def test_a_person_who_shares_our_account_is_not_us() -> None:
    (row,) = rows(audit(10, changed("status", "open", "solved"), author=99))
    assert not row.ours


def test_an_operation_in_somebody_elses_audit_is_not_ours() -> None:
    (row,) = rows(audit(10, changed("status", "open", "solved"), author=7, **OURS))
    assert (row.ours, row.op) == (False, "")


def test_a_write_through_the_tags_endpoint_is_ours_by_our_user_agent() -> None:
    (row,) = rows(audit(10, changed("tags", [], ["a"]), author=99, metadata={"system": {"client": "hypercare"}}))
    assert row.ours


def test_what_a_trigger_adds_to_our_write_is_a_row_of_its_own() -> None:
    ours, ruled = rows(
        audit(10, changed("status", "open", "solved"), changed("status", "solved", "open", **RULE), author=99, **OURS)
    )
    assert (ours.ours, ours.automatic, ours.edits[0].new) == (True, False, "solved")
    assert (ruled.ours, ruled.automatic, ruled.edits[0].new) == (False, True, "open")


def test_an_automation_is_automatic() -> None:
    (row,) = rows(audit(10, changed("status", "pending", "solved"), author=-1, via=RULE["via"] | {"rel": "automation"}))
    assert row.automatic


@pytest.mark.parametrize(
    "made",
    [
        audit(10, via={"channel": "web", "source": {"rel": "merge", "to": {"ticket_id": 77}, "from": {}}}),
        audit(10, via={"channel": "web", "source": {"rel": "merge", "to": {}, "from": {"ticket_ids": [35436, 77]}}}),
        audit(10, {"id": 1, "type": "Comment", "body": 'This request was closed and merged into request #77 "Fire".'}),
    ],
)
def test_the_survivor_of_a_merge_is_found_in_the_audits(made: dict[str, Any]) -> None:
    chatter = audit(9, {"id": 1, "type": "Comment", "body": "see #12, it merged nothing"})
    assert audits.survivor_of([chatter, made]) == "77"


def test_audits_that_speak_of_no_merge_name_no_survivor() -> None:
    assert audits.survivor_of([audit(9, {"id": 1, "type": "Comment", "body": "see #12"})]) == ""


# --- the audit of a write --------------------------------------------------------------------------------------------


def test_tag_deltas_that_were_passed_over_are_noticed() -> None:
    asked = Changes(add_tags=("new",), remove_tags=("other_tag",))
    quiet = audit(10, changed("status", "open", "solved"))
    assert audits.ignored_deltas(asked, ticket(), quiet)
    assert audits.ignored_deltas(asked, ticket(), None)
    assert not audits.ignored_deltas(asked, ticket(tags=["enterprise", "NEW"]), quiet)


def test_a_trigger_that_takes_a_tag_away_again_is_not_taken_for_ignorance() -> None:
    busy = audit(10, changed("tags", ["enterprise"], ["enterprise", "new"]))
    assert not audits.ignored_deltas(Changes(add_tags=("new",)), ticket(), busy)


def test_an_edit_within_the_same_second_that_our_write_replaced_is_reported() -> None:
    asked = Changes(status=StatusChange(raw="solved"), add_tags=("x",))
    seen = shown()
    hidden = audit(10, changed("status", "pending", "solved"), changed("tags", ["q"], ["q", "x"]), author=99, **OURS)
    found = audits.overwritten(asked, seen, hidden, NAMES)
    assert found == (FieldEdit(field="status", old="pending", new="solved"),)
    expected = audit(10, changed("status", "open", "solved"), author=99, **OURS)
    assert audits.overwritten(asked, seen, expected, NAMES) == ()


def test_a_value_is_compared_as_audits_write_it() -> None:
    seen = shown(custom_fields=[{"id": 5, "value": True}, {"id": 6, "value": None}, {"id": 7, "value": ["b", "a"]}])
    asked = Changes(set={"custom_fields.5": False, "custom_fields.6": "x", "custom_fields.7": ["a"]})
    made = audit(10, changed("5", "1", "0"), changed("6", None, "x"), changed("7", "a b", "a"))
    assert audits.overwritten(asked, seen, made, NAMES) == ()
