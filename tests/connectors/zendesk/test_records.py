"""Zendesk's JSON as the hub's values, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from connectors.errors import UnexpectedAnswer, WriteRejected
from connectors.zendesk import answers, records
from connectors.zendesk.records import CustomStatus, Names, Ticket
from sync.model import (
    Changes,
    Draft,
    FieldEdit,
    LinkShown,
    LinkVia,
    LinkView,
    MissingKind,
    Origin,
    Snapshot,
    StatusChange,
)

WAITING = CustomStatus(id=9, status_category="hold", agent_label="Waiting on Engineering")
NAMES = Names(base_url="https://acme.zendesk.com", statuses={9: WAITING})


def ticket(**more: Any) -> Ticket:
    raw = {
        "id": 35436,
        "url": "https://acme.zendesk.com/api/v2/tickets/35436.json",
        "created_at": "2026-01-02T03:04:05Z",
        "updated_at": "2026-01-02T04:05:06Z",
        "status": "open",
        "priority": "high",
        "type": None,
        "subject": "Printer on fire",
        "raw_subject": "Printer on fire {{x}}",
        "description": "The fire is very colourful.",
        "requester_id": 20978392,
        "assignee_id": None,
        "tags": ["enterprise", "other_tag"],
        "custom_fields": [{"id": 27642, "value": "745"}, {"id": 27648, "value": None}, {"id": 3, "value": ["a", "b"]}],
        "fields": [{"id": 27642, "value": "745"}],
        "custom_status_id": None,
        "external_id": None,
        "via": {"channel": "web", "source": {"from": {}, "to": {}, "rel": None}},
        "something_new": {"x": [1]},
    }
    return msgspec.json.decode(msgspec.json.encode(raw | more), type=Ticket)


def shown(**more: Any) -> Snapshot:
    people = {20978392: records.User(id=20978392, name="Ann", email="ann@example.com")}
    return records.snapshot(ticket(**more), NAMES, people, origin=Origin.DIRECT)


def test_a_ticket_becomes_a_snapshot_under_the_mapping_names() -> None:
    snap = shown()
    assert snap.ref.id == "35436"
    assert snap.ref.key == "#35436"
    assert snap.ref.url == "https://acme.zendesk.com/agent/tickets/35436"
    assert snap.version == "2026-01-02T04:05:06Z"
    assert snap.updated_at == datetime(2026, 1, 2, 4, 5, 6, tzinfo=UTC)
    assert snap.fields == {
        "status": "open",
        "tags": ["enterprise", "other_tag"],
        "subject": "Printer on fire {{x}}",
        "description": "The fire is very colourful.",
        "priority": "high",
        "requester": {"id": "20978392", "name": "Ann", "email": "ann@example.com"},
        "custom_fields.27642": "745",
        "custom_fields.3": ["a", "b"],
    }
    assert not snap.frozen


def test_versions_of_one_ticket_compare_as_text_however_the_time_is_written() -> None:
    assert records.version_of("2026-01-02T04:05:06Z") == records.version_of("2026-01-02T05:05:06+01:00")
    assert records.version_of("2026-01-02T04:05:06Z") < records.version_of("2026-01-02T04:05:07.999Z")


@pytest.mark.parametrize("stamp", [None, "", "yesterday", "2026-01-02T04:05:06"])
def test_a_ticket_without_a_readable_time_is_unexpected(stamp: str | None) -> None:
    with pytest.raises(UnexpectedAnswer):
        shown(updated_at=stamp)


def test_a_custom_status_is_shown_by_its_label_and_its_category() -> None:
    snap = shown(status="hold", custom_status_id=9)
    assert (snap.fields["status"], snap.fields["custom_status"]) == ("hold", "waiting on engineering")


def test_a_closed_ticket_is_frozen() -> None:
    assert shown(status="closed").frozen


def test_a_merged_and_a_deleted_ticket_are_no_snapshots() -> None:
    merged = records.gone(ticket(status="closed", tags=["a", "closed_by_merge"]))
    deleted = records.gone(ticket(status="deleted"))
    assert merged is not None
    assert deleted is not None
    assert (merged.kind, deleted.kind) == (MissingKind.MERGED, MissingKind.DELETED)
    assert records.gone(ticket(status="closed")) is None
    assert records.gone(ticket(tags=["closed_by_merge"])) is None


# --- history ----------------------------------------------------------------------------------------------------------


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


def rows(*audits: dict[str, Any], since: str = "", me: str = "99") -> Any:
    return records.history_rows(audits, since=since, me=me, names=NAMES)


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
    assert records.tag_list(value) == ["a", "b"]


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
    assert records.survivor_of([chatter, made]) == "77"


def test_audits_that_speak_of_no_merge_name_no_survivor() -> None:
    assert records.survivor_of([audit(9, {"id": 1, "type": "Comment", "body": "see #12"})]) == ""


# --- writes -----------------------------------------------------------------------------------------------------------


def body(changes: Changes) -> dict[str, Any]:
    made = records.update_body(changes, version="2026-01-02T04:05:06Z", op="d-1", names=NAMES)
    assert made.pop("safe_update") is True
    assert made.pop("updated_stamp") == "2026-01-02T04:05:06Z"
    assert made.pop("metadata") == {"hub_op": "d-1"}
    return made


def test_one_update_carries_status_tag_deltas_note_and_fields() -> None:
    changes = Changes(
        status=StatusChange(raw="solved"),
        add_tags=("a",),
        remove_tags=("b",),
        note="fixed",
        set={"custom_fields.27642": "ABC-1", "priority": "low", "assignee": {"id": "7"}},
    )
    assert body(changes) == {
        "status": "solved",
        "additional_tags": ["a"],
        "remove_tags": ["b"],
        "comment": {"body": "fixed", "public": False},
        "custom_fields": [{"id": 27642, "value": "ABC-1"}],
        "priority": "low",
        "assignee_id": 7,
    }


def test_an_update_never_replaces_the_set_of_tags() -> None:
    assert "tags" not in body(Changes(add_tags=("a",)))


def test_a_custom_status_is_written_by_its_id_alone() -> None:
    assert body(Changes(status=StatusChange(raw="Waiting on engineering"))) == {"custom_status_id": 9}


def test_a_status_the_account_does_not_have_is_refused_before_sending() -> None:
    with pytest.raises(WriteRejected, match="no active ticket status 'gone fishing'") as raised:
        body(Changes(status=StatusChange(raw="gone fishing")))
    assert raised.value.field == "status"


def test_a_create_carries_its_marker_and_an_internal_first_comment() -> None:
    draft = Draft(
        kind="ticket",
        fields={
            "subject": "Fire",
            "description": "Hot",
            "requester": {"id": "", "name": "Ann", "email": "ann@example.com"},
            "external_id": "not this",
            "custom_fields.5": "x",
        },
        tags=("a", "a"),
    )
    assert records.create_body(draft, "hc-marker", NAMES) == {
        "subject": "Fire",
        "comment": {"body": "Hot", "public": False},
        "external_id": "hc-marker",
        "requester": {"name": "Ann", "email": "ann@example.com"},
        "tags": ["a"],
        "custom_fields": [{"id": 5, "value": "x"}],
    }


def test_tag_deltas_that_were_passed_over_are_noticed() -> None:
    asked = Changes(add_tags=("new",), remove_tags=("other_tag",))
    quiet = audit(10, changed("status", "open", "solved"))
    assert records.ignored_deltas(asked, ticket(), quiet)
    assert records.ignored_deltas(asked, ticket(), None)
    assert not records.ignored_deltas(asked, ticket(tags=["enterprise", "NEW"]), quiet)


def test_a_trigger_that_takes_a_tag_away_again_is_not_taken_for_ignorance() -> None:
    busy = audit(10, changed("tags", ["enterprise"], ["enterprise", "new"]))
    assert not records.ignored_deltas(Changes(add_tags=("new",)), ticket(), busy)


def test_an_edit_within_the_same_second_that_our_write_replaced_is_reported() -> None:
    asked = Changes(status=StatusChange(raw="solved"), add_tags=("x",))
    seen = shown()
    hidden = audit(10, changed("status", "pending", "solved"), changed("tags", ["q"], ["q", "x"]), author=99, **OURS)
    found = records.overwritten(asked, seen, hidden, NAMES)
    assert found == (FieldEdit(field="status", old="pending", new="solved"),)
    expected = audit(10, changed("status", "open", "solved"), author=99, **OURS)
    assert records.overwritten(asked, seen, expected, NAMES) == ()


def test_a_value_is_compared_as_audits_write_it() -> None:
    seen = shown(custom_fields=[{"id": 5, "value": True}, {"id": 6, "value": None}, {"id": 7, "value": ["b", "a"]}])
    asked = Changes(set={"custom_fields.5": False, "custom_fields.6": "x", "custom_fields.7": ["a"]})
    made = audit(10, changed("5", "1", "0"), changed("6", None, "x"), changed("7", "a b", "a"))
    assert records.overwritten(asked, seen, made, NAMES) == ()


def test_links_of_the_official_app_are_read_and_written_with_texts_for_ids() -> None:
    link = {"id": "31", "ticket_id": "35436", "issue_id": "10001", "issue_key": "ABC-1"}
    assert records.app_links([link, {"id": "32", "ticket_id": "35436"}]) == {
        "35436": (LinkShown(target="ABC-1", via=LinkVia.APP, handle="31"),)
    }
    view = LinkView(system="jira", connection="dev", kind="issue", id="10001", key="ABC-1", url="")
    assert records.app_link_body("35436", view) == {
        "link": {"ticket_id": "35436", "issue_id": "10001", "issue_key": "ABC-1"}
    }


# --- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"error":"Couldn\'t authenticate you"}', "Couldn't authenticate you"),
        (b'{"error":{"title":"Forbidden","message":"No access"}}', "Forbidden; No access"),
        (b'{"error":"RecordNotFound","description":"Not found"}', "RecordNotFound; Not found"),
        (
            (
                b'{"error":"RecordInvalid","description":"Record validation errors",'
                b'"details":{"status":[{"description":"Status: closed prevents ticket update"}]}}'
            ),
            "RecordInvalid; Record validation errors; Status: closed prevents ticket update",
        ),
        (
            b'{"errors":[{"code":"InvalidPaginationDepth","title":"Too deep","detail":"100 pages"}]}',
            "Too deep; 100 pages",
        ),
        (b"Number of allowed API requests per minute exceeded", "Number of allowed API requests per minute exceeded"),
        (b"<html><body><h1>Oops</h1></body></html>", "Oops"),
        (b"", ""),
        (b"null", "null"),
        (b'{"details": 3, "errors": null, "error": null}', ""),
    ],
)
def test_every_form_of_an_error_is_put_into_words(raw: bytes, words: str) -> None:
    assert answers.words(raw) == words


def test_the_culprit_of_a_validation_error_is_named() -> None:
    assert answers.culprit(b'{"details":{"status":[{"description":"no"}]}}') == "status"
    assert answers.culprit(b"<html>") == ""


UPDATE = "/api/v2/tickets/123.json"


def test_budgets_are_read_from_every_spelling_of_the_headers() -> None:
    found = answers.readings(
        {
            "X-Rate-Limit": "700",
            "X-Rate-Limit-Remaining": "699",
            "RateLimit-Reset": "42",
            "Zendesk-RateLimit-per-ticket-updates": "total=30; remaining=0; resets=300",
            "zendesk-rate-limit-tickets-index": "total=100; remaining=96; resets=42",
        },
        UPDATE,
    )
    assert [(r.budget, r.limit, r.remaining, r.resets_in, r.record) for r in found] == [
        ("account", 700, 699, 42, ""),
        ("record", 30, 0, 300, "123"),
        ("tickets-index", 100, 96, 42, ""),
    ]
    assert answers.readings({"X-Rate-Limit": "many", "Zendesk-RateLimit-x": "?"}, UPDATE) == ()


@pytest.mark.parametrize(
    ("headers", "path", "scope"),
    [
        ({}, UPDATE, "account"),
        ({}, "/api/v2/incremental/tickets/cursor.json", "export"),
        ({"zendesk-ratelimit-per-ticket-updates": "total=30; remaining=0; resets=9"}, UPDATE, "record:123"),
        ({"zendesk-ratelimit-per-ticket-updates": "total=30; remaining=3; resets=9"}, UPDATE, "account"),
        ({"x-rate-limit-remaining": "0"}, UPDATE, "account"),
        ({}, "/api/v2/deleted_tickets.json", "deleted"),
    ],
)
def test_a_refusal_for_haste_names_the_budget_that_is_used_up(headers: dict[str, str], path: str, scope: str) -> None:
    assert answers.spent_scope(headers, path) == scope
