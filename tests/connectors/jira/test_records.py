from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.errors import UnexpectedAnswer
from connectors.jira import records
from connectors.jira.records import history_rows, moment, parse_reference, snapshot, version_of
from sync.model import Changes, Draft, FieldEdit, LinkVia, Origin
from tests.connectors.jira.made import issue, settings, ticket

SITE = "https://example.atlassian.net"


def shown(raw: Any, **more: Any) -> Any:
    return snapshot(raw, site=SITE, origin=Origin.DIRECT, **more)


def test_an_issue_is_shown_under_the_names_that_mappings_use() -> None:
    snap = shown(issue())
    assert snap.fields == {
        "status": "In Progress",
        "status_id": "3",
        "status_category": "indeterminate",
        "resolution": None,
        "labels": ["checkout", "ios"],
        "summary": "Checkout fails",
        "description": "It *fails*",
        "priority": "High",
        "issuetype": "Bug",
        "project": "SHOP",
        "reporter": {"id": "abc:1", "name": "Ada", "email": "ada@example.com"},
        "assignee": None,
        "components": ["Web"],
        "environment": "",
        "fixVersions": ["1.2"],
    }
    assert (snap.ref.kind, snap.ref.id, snap.ref.key) == ("issue", "10001", "SHOP-1")
    assert snap.ref.url == "https://example.atlassian.net/browse/SHOP-1"
    assert snap.workflow == "SHOP/Bug"


def test_the_version_is_the_same_in_every_time_zone() -> None:
    utc = shown(issue(updated="2026-01-02T03:04:05.678+0000"))
    tokyo = shown(issue(updated="2026-01-02T12:04:05.678+0900"))
    assert utc.version == tokyo.version == "2026-01-02T03:04:05.678Z"
    assert utc.updated_at == datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def test_versions_sort_as_their_times_do() -> None:
    times = [datetime(2026, 1, 2, 3, 4, 5, ms * 1000, tzinfo=UTC) for ms in (0, 7, 45, 678)]
    versions = [version_of(at) for at in times]
    assert versions == sorted(versions)
    assert len({len(version) for version in versions}) == 1


@pytest.mark.parametrize(
    "text", ["2026-01-02T03:04:05.678+0000", "2026-01-02T03:04:05.678Z", "2026-01-02T04:04:05.678+01:00", 1767323045678]
)
def test_every_form_of_a_time_is_understood(text: object) -> None:
    assert moment(text) == datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def test_a_number_of_seconds_is_told_from_milliseconds() -> None:
    assert moment(1767323045) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, "", "yesterday", "2026-01-02T03:04:05", True, [], 1e300])
def test_a_time_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(UnexpectedAnswer, match="a time with an offset was expected"):
        moment(value)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ([], "without fields"),
        ({"id": "1", "key": "A-1"}, "without fields"),
        ({**issue(), "id": None}, "without id or key"),
        ({**issue(), "key": ""}, "without id or key"),
        (issue(status=None), "issue SHOP-1 without a status"),
        (issue(updated="soon"), "a time with an offset"),
    ],
)
def test_an_issue_that_lacks_what_identifies_it_is_refused(raw: Any, words: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=words):
        shown(raw)


def test_an_unknown_status_category_is_passed_on_as_it_is() -> None:
    status = {"id": "9", "name": "Cooking", "statusCategory": {"key": "in-flight"}}
    assert shown(issue(status=status)).fields["status_category"] == "in-flight"


def test_a_moved_issue_keeps_its_id_and_answers_to_its_old_key() -> None:
    snap = shown(issue(key="APP-7"), asked="SHOP-1")
    assert snap.ref.id == "10001"
    assert snap.ref.key == "APP-7"
    assert snap.aliases == ("SHOP-1",)


@pytest.mark.parametrize("asked", ["10001", "SHOP-1", ""])
def test_an_issue_asked_for_by_its_own_name_has_no_alias(asked: str) -> None:
    assert shown(issue(), asked=asked).aliases == ()


def test_extra_fields_are_carried_raw() -> None:
    snap = shown(issue(customfield_10010={"value": "EU"}), extra=("customfield_10010", "customfield_10011"))
    assert snap.fields["customfield_10010"] == {"value": "EU"}
    assert snap.fields["customfield_10011"] is None


def test_a_document_becomes_its_text() -> None:
    document = {
        "type": "doc",
        "version": 1,
        "content": [
            {
                "type": "paragraph",
                "content": [{"type": "text", "text": "Hello "}, {"type": "mention", "attrs": {"text": "@Ada"}}],
            },
            {
                "type": "paragraph",
                "content": [{"type": "text", "text": "a"}, {"type": "hardBreak"}, {"type": "text", "text": "b"}],
            },
            {"type": "unknownNode", "content": [{"type": "text", "text": "kept"}]},
        ],
    }
    assert shown(issue(description=document)).fields["description"] == "Hello @Ada\na\nb\nkept"


def test_a_document_nested_without_end_is_cut_short() -> None:
    node: Any = {"type": "text", "text": "deep"}
    for _ in range(5000):
        node = {"type": "panel", "content": [node]}
    assert records.plain_text(node) == ""


def test_users_of_data_center_are_known_by_their_key() -> None:
    user = {"name": "ada.l", "key": "JIRAUSER10100", "displayName": "Ada"}
    assert records.person(user) == {"id": "JIRAUSER10100", "name": "Ada", "email": ""}


# --- remote links ----------------------------------------------------------------------------------------------------

LINK = {
    "id": 10000,
    "globalId": "hypercare=zendesk&host=acme.zendesk.com&ticket=1",
    "object": {"url": "https://acme.zendesk.com/agent/tickets/1", "title": "t"},
}


def test_every_remote_link_is_shown_with_its_id_as_the_handle() -> None:
    by_hand = {"id": 9999, "object": {"url": "https://wiki.example.com", "title": "by hand"}}
    links = records.remote_links([LINK, by_hand])
    assert [(link.target, link.handle, link.via) for link in links] == [
        ("https://wiki.example.com", "9999", LinkVia.REMOTE_LINK),
        ("https://acme.zendesk.com/agent/tickets/1", "10000", LinkVia.REMOTE_LINK),
    ]


def test_one_remote_link_as_an_object_is_read_as_a_list_of_one() -> None:
    assert records.remote_links(LINK) == records.remote_links([LINK])


def test_an_empty_list_is_an_issue_without_links() -> None:
    assert records.remote_links([]) == ()


@pytest.mark.parametrize("answer", [None, 12, "[]", {}, [{"id": 1}], [{"object": {"url": "x"}}], ["text"], [LINK, 1]])
def test_an_answer_that_lists_no_links_is_not_taken_for_an_issue_without_any(answer: object) -> None:
    with pytest.raises(UnexpectedAnswer, match="remote links"):
        records.remote_links(answer)


def test_a_link_of_ours_has_one_identity_for_good() -> None:
    assert records.global_id(ticket()) == "hypercare=zendesk&host=acme.zendesk.com&ticket=5158"
    assert records.global_id(ticket(title="other", done=True)) == records.global_id(ticket())


def test_a_renamed_connection_doubles_no_link() -> None:
    assert records.global_id(ticket(connection="helpdesk")) == records.global_id(ticket(connection="support"))


def test_two_accounts_of_one_system_have_links_of_their_own() -> None:
    other = ticket(url="https://other.zendesk.com/agent/tickets/5158")
    assert records.global_id(other) != records.global_id(ticket())


def test_different_records_never_share_an_identity() -> None:
    assert records.global_id(ticket("1&ticket=2")) != records.global_id(ticket("2"))
    assert records.global_id(ticket("x" * 300)) != records.global_id(ticket("x" * 301))
    assert len(records.global_id(ticket("x" * 300))) <= 255


def test_a_link_shows_a_plain_title_and_whether_it_is_done() -> None:
    body = records.remote_link_body(ticket(title="[~admin] {html}\x00\u202e line\nbreak", done=True))
    assert body["object"]["title"] == "[~admin] {html} line break"
    assert body["object"]["status"]["resolved"] is True
    assert body["relationship"] == "reported in"
    assert body["globalId"] == "hypercare=zendesk&host=acme.zendesk.com&ticket=5158"


def test_a_link_without_a_title_shows_the_key_and_a_long_one_is_cut() -> None:
    assert records.remote_link_body(ticket(title="  "))["object"]["title"] == "#5158"
    assert len(records.remote_link_body(ticket(title="é" * 400))["object"]["title"]) == 255


# --- history ---------------------------------------------------------------------------------------------------------


def entry(number: int, created: object, *items: Any, **more: Any) -> Any:
    author = {"accountId": "abc:1", "accountType": "atlassian"}
    return {"id": str(number), "author": author, "created": created, "items": list(items), **more}


STATUS = {
    "field": "status",
    "fieldId": "status",
    "from": "3",
    "fromString": "In Progress",
    "to": "10001",
    "toString": "Done",
}
LABELS = {"field": "labels", "fieldId": "labels", "from": "", "fromString": "a b", "to": "", "toString": "b c"}


def test_history_names_fields_as_mappings_do() -> None:
    (row,) = history_rows([entry(1, "2026-01-02T03:04:05.000+0000", STATUS, LABELS)], me="hub", since="")
    assert row.edits == (
        FieldEdit(field="status", old="In Progress", new="Done"),
        FieldEdit(field="status_id", old="3", new="10001"),
        FieldEdit(field="labels", old=["a", "b"], new=["b", "c"]),
    )
    assert (row.id, row.actor, row.ours, row.automatic) == ("1", "abc:1", False, False)


def test_history_of_data_center_has_no_field_ids_and_reads_alike() -> None:
    bare = [{key: value for key, value in item.items() if key != "fieldId"} for item in (STATUS, LABELS)]
    (row,) = history_rows([entry(1, "2026-01-02T03:04:05.000+0000", *bare)], me="hub", since="")
    assert [edit.field for edit in row.edits] == ["status", "status_id", "labels"]


def test_history_is_oldest_first_whatever_the_order_it_came_in() -> None:
    rows = [entry(9, 1767323047), entry(10, 1767323046), entry(11, 1767323046), entry(2, 1767323045)]
    assert [row.id for row in history_rows(rows, me="", since="")] == ["2", "10", "11", "9"]


def test_history_starts_after_the_version_named() -> None:
    rows = [entry(1, "2026-01-02T03:04:05.000+0000"), entry(2, "2026-01-02T03:04:05.001+0000")]
    assert [row.id for row in history_rows(rows, me="", since="2026-01-02T03:04:05.000Z")] == ["2"]


def test_our_own_edits_name_their_delivery() -> None:
    metadata = records.history_metadata("d123")
    (row,) = history_rows([entry(1, 1767323045, historyMetadata=metadata)], me="abc:1", since="")
    assert row.ours
    assert row.op == "d123"


def test_metadata_of_others_names_no_delivery_of_ours() -> None:
    metadata = {"type": "other:app", "extraData": {"delivery": "d123"}}
    (row,) = history_rows([entry(1, 1767323045, historyMetadata=metadata)], me="", since="")
    assert row.op == ""


def test_an_app_that_is_not_us_is_automatic() -> None:
    app = {"accountId": "app:1", "accountType": "app"}
    theirs, ours = (history_rows([entry(1, 1767323045, author=app)], me=me, since="")[0] for me in ("hub", "app:1"))
    assert theirs.automatic
    assert not ours.automatic


def test_an_edit_without_an_author_is_nobodys() -> None:
    (row,) = history_rows([entry(1, 1767323045, author=None)], me="", since="")
    assert (row.actor, row.ours) == ("", False)


def test_a_move_is_in_the_history_as_key_and_project() -> None:
    items = (
        {"field": "Key", "fromString": "SHOP-1", "toString": "APP-7"},
        {"field": "project", "fromString": "Shop", "toString": "App"},
    )
    (row,) = history_rows([entry(1, 1767323045, *items)], me="", since="")
    assert row.edits == (
        FieldEdit(field="key", old="SHOP-1", new="APP-7"),
        FieldEdit(field="project", old="Shop", new="App"),
    )


# --- what is written -------------------------------------------------------------------------------------------------


def test_an_edit_carries_deltas_and_nothing_else() -> None:
    body = records.edit_body(Changes(add_tags=("a",), remove_tags=("b",)), "d1")
    assert body["update"] == {"labels": [{"add": "a"}, {"remove": "b"}]}
    assert "fields" not in body
    assert "labels" not in records.edit_body(Changes(set={"priority": "High"}), "d1").get("update", {})


def test_names_become_references() -> None:
    changes = Changes(set={"priority": "High", "components": ["Web", {"id": "1"}], "customfield_1": "text"})
    assert records.edit_body(changes, "d1")["fields"] == {
        "priority": {"name": "High"},
        "components": [{"name": "Web"}, {"id": "1"}],
        "customfield_1": "text",
    }


def test_a_transition_goes_out_with_its_id_as_text_and_only_the_fields_given() -> None:
    assert records.transition_body("31", {}, "d1") == {
        "transition": {"id": "31"},
        "historyMetadata": {"type": "hypercare:delivery", "extraData": {"delivery": "d1"}},
    }
    assert records.transition_body("31", {"resolution": "Done"}, "d1")["fields"] == {"resolution": {"name": "Done"}}


def test_a_new_issue_carries_its_marker_in_the_same_request() -> None:
    draft = Draft(
        kind="issue", fields={"project": "SHOP", "issuetype": "Bug", "summary": "s", "priority": None}, tags=("a", "a")
    )
    body = records.create_body(draft, "m1", "hypercare.create")
    assert body["properties"] == [{"key": "hypercare.create", "value": {"marker": "m1"}}]
    assert body["fields"] == {"project": {"key": "SHOP"}, "issuetype": {"name": "Bug"}, "summary": "s", "labels": ["a"]}
    assert records.marker_in({"properties": {"hypercare.create": {"marker": "m1"}}}, "hypercare.create") == "m1"


def test_a_person_of_another_system_is_not_sent() -> None:
    fields = {"project": "SHOP", "reporter": {"id": "", "name": "Ada"}, "assignee": {"id": "abc:1", "name": "Bo"}}
    body = records.create_body(Draft(kind="issue", fields=fields), "m1", "k")
    assert body["fields"] == {"project": {"key": "SHOP"}, "assignee": {"accountId": "abc:1"}}


@pytest.mark.parametrize("found", [{}, {"properties": None}, {"properties": {"hypercare.create": "m1"}}, None])
def test_an_issue_without_our_property_has_no_marker(found: object) -> None:
    assert records.marker_in(found, "hypercare.create") == ""


# --- references ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("SHOP-12", "SHOP-12"),
        (" shop-12 ", "SHOP-12"),
        ("10001", "10001"),
        ("https://example.atlassian.net/browse/SHOP-12", "SHOP-12"),
        ("https://EXAMPLE.atlassian.net/browse/SHOP-12?focusedId=1#c", "SHOP-12"),
        ("http://example.atlassian.net:80/browse/SHOP-12", "SHOP-12"),
        ("https://example.atlassian.net/rest/api/2/issue/10001", "10001"),
        ("https://example.atlassian.net/rest/api/latest/issue/APP-3", "APP-3"),
        ("https://example.atlassian.net/jira/software/c/projects/SHOP/boards/1?selectedIssue=SHOP-9", "SHOP-9"),
        ("https://example.atlassian.net/projects/SHOP/issues/SHOP-9?filter=x", "SHOP-9"),
        ("https://example.atlassian.net/servicedesk/customer/portal/1/SHOP-9", "SHOP-9"),
    ],
)
def test_a_reference_to_an_issue_is_understood(text: str, key: str) -> None:
    assert parse_reference(settings(), text) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "UTF-8",
        "OTHER-1",
        "SHOP-0",
        "SHOP",
        "0",
        "see SHOP-12",
        "https://other.atlassian.net/browse/SHOP-12",
        "https://example.atlassian.net.evil.example/browse/SHOP-12",
        "https://example.atlassian.net:8443/browse/SHOP-12",
        "https://example.atlassian.net/browse/OTHER-12",
        "https://example.atlassian.net/browse/",
        "ftp://example.atlassian.net/browse/SHOP-12",
        "https://[broken/browse/SHOP-12",
    ],
)
def test_a_text_that_names_no_issue_of_ours_is_refused(text: str) -> None:
    assert parse_reference(settings(), text) is None


def test_a_context_path_is_part_of_the_site() -> None:
    there = settings(url="https://jira.example.com/jira", auth={"kind": "personal_token", "token": "t"})
    assert parse_reference(there, "https://jira.example.com/jira/browse/SHOP-1") == "SHOP-1"
    assert parse_reference(there, "https://jira.example.com/browse/SHOP-1") is None
    assert parse_reference(there, "https://jira.example.com/jirafake/browse/SHOP-1") is None


def test_the_address_of_scoped_tokens_is_ours_for_our_cloud_id_only() -> None:
    scoped = settings(auth={"kind": "cloud_bearer", "cloud_id": "1324a887-45db", "token": "t"})
    assert parse_reference(scoped, "https://api.atlassian.com/ex/jira/1324a887-45db/rest/api/3/issue/10001") == "10001"
    assert parse_reference(scoped, "https://api.atlassian.com/ex/jira/other-id/rest/api/3/issue/10001") is None
