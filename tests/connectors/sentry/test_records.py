"""Issues as snapshots, changes as bodies, references: values in, values out."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import UnexpectedAnswer, WriteRejected
from connectors.sentry import records
from connectors.sentry.settings import SentrySettings
from sync.core.laws import violations
from sync.core.lens import put
from sync.model import Changes, Fact, LinkView, Origin, Status, StatusChange
from tests.sync.mapping.records import shipped

SETTINGS = SentrySettings.model_validate(
    {"organization": "acme", "token": "t", "base_url": "https://sentry.io", "projects": ["shop", "shop-app"]}
)
OWN = SentrySettings.model_validate({"organization": "acme", "token": "t", "base_url": "https://sentry.example.com/s"})


def issue(**more: Any) -> dict[str, Any]:
    return {
        "id": "6000000001",
        "shortId": "SHOP-1A",
        "title": "TypeError: none",
        "status": "unresolved",
        "substatus": "new",
        "statusDetails": {},
        "firstSeen": "2026-01-02T03:04:05Z",
        "lastSeen": "2026-01-02T04:04:05.123456Z",
        "count": "7",
        "userCount": 2,
        **more,
    }


@pytest.mark.parametrize(
    ("shown", "raw"),
    [
        ({"substatus": "escalating"}, "escalating"),
        ({"substatus": None}, "ongoing"),
        ({"substatus": "archived_forever"}, "ongoing"),  # of the wrong family
        ({"substatus": "brand_new_one"}, "brand_new_one"),
        ({"status": "reprocessing", "substatus": None}, "ongoing"),
        ({"status": "resolved", "substatus": None}, "resolved"),
        ({"status": "resolved", "statusDetails": {"inRelease": "1.0"}}, "resolved_in_release"),
        ({"status": "resolved", "statusDetails": {"inNextRelease": True}}, "resolved_in_next_release"),
        ({"status": "resolved", "statusDetails": {"inUpcomingRelease": True}}, "resolved_in_next_release"),
        ({"status": "resolved", "statusDetails": {"inCommit": {"id": "a"}}}, "resolved_in_commit"),
        ({"status": "resolved", "statusDetails": None}, "resolved"),
        ({"status": "ignored", "substatus": "archived_until_escalating"}, "archived_until_escalating"),
        ({"status": "ignored", "substatus": None}, "archived_forever"),
        ({"status": "muted", "substatus": None}, "archived_forever"),
        ({"status": "something_later"}, "something_later"),
    ],
)
def test_status_substatus_and_resolution_are_one_value(shown: dict[str, Any], raw: str) -> None:
    assert records.raw_status(issue(**shown), deployed=False) == raw


def test_a_list_s_copy_has_no_version_and_is_older_than_every_direct_read() -> None:
    copy = records.snapshot(issue(), SETTINGS, origin=Origin.LIST)
    direct = records.snapshot(issue(), SETTINGS, origin=Origin.DIRECT, activity=[])
    assert copy.version == ""
    assert copy.version < direct.version


def test_an_issue_shows_its_view_fields() -> None:
    shown = issue(
        culprit="shop.cart in add",
        metadata={"type": "TypeError", "value": "none"},
        assignedTo={"type": "team", "id": "7", "name": "Payments"},
        issueCategory="error",
        project={"id": "1", "slug": "shop"},
        unknown={"later": True},
    )
    snap = records.snapshot(shown, SETTINGS, origin=Origin.LIST)
    assert snap.fields["description"] == "TypeError: none\nshop.cart in add"
    assert snap.fields["assignee"] == {"id": "team:7", "name": "Payments", "email": ""}
    assert (snap.fields["count"], snap.fields["user_count"], snap.fields["project"]) == (7, 2, "shop")
    assert snap.ref.url == "https://sentry.io/organizations/acme/issues/6000000001/"


@pytest.mark.parametrize("link", ["javascript:alert(1)", "Not implemented", None, 7])
def test_an_address_that_is_no_page_is_made_anew(link: object) -> None:
    assert records.ref_of(issue(permalink=link), SETTINGS).url.startswith("https://sentry.io/")


@pytest.mark.parametrize(
    "spoilt", [{"id": "x"}, {"id": None}, {"status": None}, {"firstSeen": None}, {"lastSeen": "2026"}]
)
def test_an_issue_without_its_essentials_is_not_understood(spoilt: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedAnswer):
        records.snapshot(issue(**spoilt), SETTINGS, origin=Origin.LIST)


def test_a_copy_differs_by_what_people_change_and_not_by_counts_and_times() -> None:
    same = records.digest_of(issue(count="8", lastSeen="2026-01-03T00:00:00Z", userCount=9, stats={"24h": []}))
    assert records.digest_of(issue()) == same
    for more in ({"substatus": "ongoing"}, {"priority": "low"}, {"annotations": [{"displayName": "A", "url": "u"}]}):
        assert records.digest_of(issue(**more)) != same


def test_links_are_read_from_both_forms_of_annotations() -> None:
    both = [
        '<a href="https://j.example/browse/A-1?x=1&amp;y=2">A-1</a>',
        {"displayName": "B", "url": "https://b"},
        None,
    ]
    assert records.annotation_urls(issue(annotations=both)) == ("https://j.example/browse/A-1?x=1&y=2", "https://b")


def test_tags_are_the_most_frequent_values_of_the_chosen_keys() -> None:
    rows: list[dict[str, Any]] = [
        {"key": "browser", "topValues": [{"value": "Firefox 1", "count": 2}, {"value": "Chrome", "count": 5}]},
        {"key": "other", "topValues": [{"value": "no", "count": 9}]},
        {"key": "long", "topValues": [{"value": "x" * 80, "count": 1}, {"value": None, "count": 1}]},
        {"key": "odd", "topValues": "none"},
    ]
    keys = ("browser", "long", "odd", "absent")
    assert records.tag_texts(rows, keys, 3) == ["browser-Chrome", "browser-Firefox_1"]
    assert records.tag_texts(rows, keys, 1) == ["browser-Chrome"]


# --- writing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        ("resolved", {"status": "resolved"}),
        ("resolved_in_release", {"status": "resolved", "statusDetails": {"inRelease": "latest"}}),
        ("resolved_in_next_release", {"status": "resolved", "statusDetails": {"inNextRelease": True}}),
        ("ongoing", {"status": "unresolved", "substatus": "ongoing"}),
        ("archived_forever", {"status": "ignored", "substatus": "archived_forever"}),
    ],
)
def test_a_status_goes_out_in_sentry_s_own_form(raw: str, body: dict[str, Any]) -> None:
    changes = Changes(status=StatusChange(raw=raw))
    assert records.update_body(changes, plain=False) == body
    assert records.update_body(changes, plain=True) == {"status": body["status"]}


@pytest.mark.parametrize("name", ["title", "tags", "project"])
def test_a_field_that_cannot_be_written_is_named(name: str) -> None:
    with pytest.raises(WriteRejected) as refused:
        records.update_body(Changes(set={name: "x"}), plain=False)
    assert refused.value.field == name


def test_a_priority_is_one_of_three() -> None:
    with pytest.raises(WriteRejected, match="urgent"):
        records.update_body(Changes(set={"priority": "urgent"}), plain=False)


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ({"id": "7", "email": "a@example.com"}, "a@example.com"),
        ({"id": "7", "email": ""}, "user:7"),
        ({"id": "team:7", "email": ""}, "team:7"),
        ("a@example.com", "a@example.com"),
        ("7", "user:7"),
        ("team:7", "team:7"),
        (None, ""),
    ],
)
def test_a_person_goes_out_by_address_where_there_is_one(value: object, sent: str) -> None:
    assert records.update_body(Changes(set={"assignee": value}), plain=False) == {"assignedTo": sent}


def test_a_link_is_shown_as_project_and_identifier() -> None:
    link = LinkView(
        system="jira", connection="dev", kind="issue", id="1", key="SHOP-12", url="https://j/browse/SHOP-12"
    )
    assert records.link_body("77", link) == {
        "issueId": 77,
        "webUrl": "https://j/browse/SHOP-12",
        "project": "SHOP",
        "identifier": "SHOP-12",
    }


# --- references ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("6000000001", "6000000001"),
        (" SHOP-1A ", "SHOP-1A"),
        ("shop-app-2b", "SHOP-APP-2B"),
        ("UTF-8", None),
        ("SHOP", None),
        ("0", None),
        ("https://acme.sentry.io/issues/6000000001/", "6000000001"),
        ("https://acme.sentry.io/issues/6000000001/events/abc/?project=1", "6000000001"),
        ("https://acme.sentry.io/issues/SHOP-1A/", "SHOP-1A"),
        ("https://sentry.io/organizations/acme/issues/6000000001/?query=x", "6000000001"),
        ("https://us.sentry.io/api/0/organizations/acme/issues/6000000001/", "6000000001"),
        ("https://acme.sentry.io/feedback/?feedbackSlug=shop%3A6000000009", "6000000009"),
        ("https://other.sentry.io/issues/6000000001/", None),
        ("https://sentry.io/organizations/other/issues/6000000001/", None),
        ("https://evil.example/organizations/acme/issues/6000000001/", None),
        ("https://evil-sentry.io/organizations/acme/issues/6000000001/", None),
        ("https://acme.sentry.io/projects/shop/", None),
        ("https://[broken/issues/1/", None),
        ("ftp://acme.sentry.io/issues/1/", None),
    ],
)
def test_a_reference_names_an_issue_of_this_organisation_only(text: str, names: str | None) -> None:
    assert records.parse_reference(SETTINGS, text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("https://sentry.example.com/s/organizations/acme/issues/7/", "7"),
        ("https://sentry.example.com/s/acme/issues/7", "7"),
        ("https://sentry.example.com/s/issues/7/", "7"),
        ("https://sentry.example.com/s/organizations/other/issues/7/", None),
        ("https://sentry.example.com:8443/s/issues/7/", None),
        ("SHOP-1A", None),  # no projects are configured, so a text names none
    ],
)
def test_a_server_of_one_s_own_is_known_by_its_address(text: str, names: str | None) -> None:
    assert records.parse_reference(OWN, text) == names


# --- the shipped mapping ---------------------------------------------------------------------------------------------


def test_the_shipped_mapping_knows_every_status_that_is_read() -> None:
    mapping = shipped().for_connection("errors", "sentry")
    for raw in records.STATUSES:
        assert raw in mapping.status.values or raw in mapping.status.archived, raw
    assert violations(mapping.status) == ()


@pytest.mark.parametrize("status", [Status.NEW, Status.IN_PROGRESS, Status.WAITING])
def test_an_open_or_archived_issue_is_left_as_it_is_while_the_item_is_open(status: Status) -> None:
    rules = shipped().for_connection("errors", "sentry").status
    for raw in (*records.OPEN, *records.ARCHIVED):
        assert put(rules, status, raw) == raw
    assert put(rules, status, "resolved") == "ongoing"


def test_a_regressed_issue_is_one_that_was_opened_again() -> None:
    mapping = shipped().for_connection("errors", "sentry")
    snap = records.snapshot(issue(substatus="regressed"), SETTINGS, origin=Origin.LIST)
    assert mapping.feedback(snap).facts == {Fact.REOPENED}


def test_a_substatus_of_a_later_version_is_understood_by_its_state() -> None:
    mapping = shipped().for_connection("errors", "sentry")
    snap = records.snapshot(issue(substatus="brand_new_one"), SETTINGS, origin=Origin.LIST)
    assert mapping.shown(snap).status is Status.IN_PROGRESS
