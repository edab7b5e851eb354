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


def test_a_follow_up_names_the_ticket_it_goes_on_from() -> None:
    via = {"channel": "web", "source": {"from": {"ticket_id": 35000, "subject": "Fire"}, "to": {}, "rel": "follow_up"}}
    assert shown(via=via).follows == "35000"


@pytest.mark.parametrize(
    "via",
    [
        None,
        "web",
        {"channel": "web", "source": {"from": {}, "to": {}, "rel": None}},
        {"channel": "web", "source": {"from": {"ticket_id": 7}, "to": {}, "rel": "problem"}},
        {"channel": "web", "source": {"from": None, "rel": "follow_up"}},
        {"channel": "email", "source": {"from": {"ticket_id": "x"}, "rel": "follow_up"}},
    ],
)
def test_a_ticket_that_is_no_follow_up_follows_nothing(via: object) -> None:
    assert shown(via=via).follows == ""


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


@pytest.mark.parametrize(
    ("stamp", "version"), [("2026-01-02T04:05:06Z", "2026-01-02T04:05:06Z"), (None, ""), ("SCRUBBED", "")]
)
def test_a_deleted_ticket_tells_its_version_where_its_time_is_left(stamp: str | None, version: str) -> None:
    deleted = records.gone(ticket(status="deleted", updated_at=stamp))
    assert deleted is not None
    assert (deleted.kind, deleted.version) == (MissingKind.DELETED, version)


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


def test_links_of_the_official_app_are_read_and_written_with_texts_for_ids() -> None:
    link = {"id": "31", "ticket_id": "35436", "issue_id": "10001", "issue_key": "ABC-1"}
    assert records.app_links([link, {"id": "32", "ticket_id": "35436"}]) == {
        "35436": (LinkShown(target="ABC-1", via=LinkVia.APP, handle="31", id="10001"),)
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
