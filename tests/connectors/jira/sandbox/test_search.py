"""Checklist Jira 1, 2 and 4: the site's facts, search and its index, bulk reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.connectors.jira.sandbox.site import ENGINEER, Site

BY_UPDATE = "project = OPS AND updated >= {} ORDER BY updated ASC, id ASC"


def found(site: Site, jql: str, **more: Any) -> list[str]:
    answer = site.post("search/jql", {"jql": jql, "fields": ["key"], **more})
    assert answer.status == 200, answer.json
    return [issue["key"] for issue in answer.json["issues"]]


# --- line 1 ----------------------------------------------------------------------------------------------------


def test_server_info_needs_no_login_and_names_the_deployment() -> None:
    for deployment in ("Cloud", "Server"):
        answer = Site(deployment=deployment).get("serverInfo", auth=None)
        assert answer.status == 200
        assert answer.json["deploymentType"] == deployment
        assert all(isinstance(number, int) for number in answer.json["versionNumbers"])


def test_the_field_list_names_what_an_issue_shows() -> None:
    site = Site()
    names = {field["id"] for field in site.get("field").json}
    assert {"summary", "status", "labels", "customfield_10050"} <= names
    assert set(site.get(f"issue/{site.create()}").json["fields"]) <= names


def test_myself_tells_the_time_zone() -> None:
    site = Site(hub_zone="Pacific/Auckland")
    assert site.get("myself").json["timeZone"] == "Pacific/Auckland"
    assert site.get("myself").json["accountId"] == "712020:hub"


def test_the_old_search_is_gone_in_cloud() -> None:
    site = Site()
    for version in ("2", "3", "latest"):
        for answer in (site.get("search", version=version, jql="project = OPS"), site.post("search", version=version)):
            assert answer.status == 410
            assert "/rest/api/3/search/jql" in answer.json["errorMessages"][0]


def test_the_old_search_works_in_data_center() -> None:
    site = Site(deployment="Server")
    site.create()
    assert site.get("search", jql="project = OPS").json["total"] == 1


def test_permissions_are_told_by_name() -> None:
    site = Site()
    site.act("permission", by="hub", project="OPS", permission="TRANSITION_ISSUES")
    answer = site.get("mypermissions", permissions="TRANSITION_ISSUES,EDIT_ISSUES", projectKey="OPS")
    told = {name: entry["havePermission"] for name, entry in answer.json["permissions"].items()}
    assert told == {"TRANSITION_ISSUES": False, "EDIT_ISSUES": True}
    assert site.get("mypermissions").status == 400


def test_statuses_priorities_types_projects_and_create_screens_are_listed() -> None:
    site = Site()
    assert [status["name"] for status in site.get("status").json][:2] == ["To Do", "In Progress"]
    assert len(site.get("priority").json) == 5
    assert "Bug" in {kind["name"] for kind in site.get("issuetype").json}
    assert [project["key"] for project in site.get("project/search").json["values"]] == ["OPS", "WEB"]
    assert [project["key"] for project in site.get("project").json] == ["OPS", "WEB"]
    assert site.get("project/NOPE").status == 404
    meta = site.get("issue/createmeta", projectKeys="OPS", expand="projects.issuetypes.fields").json
    assert meta["projects"][0]["issuetypes"][0]["fields"]["summary"]["required"] is True
    assert site.get("issue/createmeta/OPS/issuetypes").json["issueTypes"]
    assert site.get("issue/createmeta/OPS/issuetypes/10004").json["fields"]


def test_a_create_screen_may_demand_a_field_and_lose_one() -> None:
    site = Site(create_demands=["customfield_10051"], removed_fields=["customfield_10050"])
    shown = {row["fieldId"]: row for row in site.get("issue/createmeta/OPS/issuetypes/10004").json["fields"]}
    assert shown["customfield_10051"]["required"] is True
    assert "customfield_10050" not in shown
    assert "customfield_10050" not in {row["id"] for row in site.get("field").json}
    fields = {"project": {"key": "OPS"}, "issuetype": {"name": "Bug"}, "summary": "x"}
    refused = site.post("issue", {"fields": fields})
    assert (refused.status, refused.json["errors"]) == (400, {"customfield_10051": "Customer impact is required."})
    lost = site.post("issue", {"fields": {**fields, "customfield_10051": "much", "customfield_10050": "x"}})
    assert lost.status == 400
    assert site.post("issue", {"fields": {**fields, "customfield_10051": "much"}}).status == 201


# --- line 2 ----------------------------------------------------------------------------------------------------


def test_only_the_id_is_shown_unless_fields_are_named() -> None:
    site = Site()
    site.create()
    assert site.get("search/jql", jql="project = OPS").json["issues"] == [{"id": "10000"}]
    shown = site.get("search/jql", jql="project = OPS", fields="summary,labels").json["issues"][0]
    assert shown["key"] == "OPS-1"
    assert set(shown["fields"]) == {"summary", "labels"}


@pytest.mark.parametrize("jql", ["", "ORDER BY updated ASC"])
def test_an_unbounded_query_is_refused(jql: str) -> None:
    answer = Site().post("search/jql", {"jql": jql})
    assert answer.status == 400
    assert "Unbounded" in answer.json["errorMessages"][0]


def test_a_key_that_the_specification_does_not_have_is_refused() -> None:
    assert Site().post("search/jql", {"jql": "project = OPS", "startAt": 0}).status == 400


def test_nulls_that_the_vendor_library_sends_are_taken() -> None:
    body: Any = {"jql": "project = OPS", "expand": None, "properties": None, "reconcileIssues": []}
    assert Site().post("search/jql", body).status == 200


def test_updated_is_compared_by_the_minute() -> None:
    site = Site()
    site.clock.at = datetime(2026, 3, 2, 10, 15, 40, tzinfo=UTC).timestamp()
    site.create()
    assert found(site, BY_UPDATE.format('"2026-03-02 10:15"')) == ["OPS-1"]
    assert found(site, BY_UPDATE.format('"2026-03-02 10:16"')) == []
    answer = site.post("search/jql", {"jql": BY_UPDATE.format('"2026-03-02 10:15:30"')})
    assert answer.status == 400


def test_updated_is_read_in_the_searching_users_zone() -> None:
    site = Site(hub_zone="UTC", engineer_zone="Europe/Amsterdam")
    site.clock.at = datetime(2026, 3, 2, 10, 15, 40, tzinfo=UTC).timestamp()
    site.create()
    body: Any = {"jql": BY_UPDATE.format('"2026-03-02 10:30"'), "fields": ["updated"]}
    assert site.post("search/jql", body).json["issues"] == []
    # 10:30 in Amsterdam is 09:30 UTC; and the times in the answer carry the reader's offset.
    seen = site.post("search/jql", body, auth=ENGINEER).json["issues"]
    assert seen[0]["fields"]["updated"] == "2026-03-02T11:15:40.000+0100"


def test_relative_times_and_epoch_milliseconds_are_taken() -> None:
    site = Site()
    site.create()
    site.clock.pass_by(600)
    assert found(site, BY_UPDATE.format("-11m")) == ["OPS-1"]
    assert found(site, BY_UPDATE.format("-9m")) == []
    assert found(site, BY_UPDATE.format(int((site.clock.at - 601) * 1000))) == ["OPS-1"]


def test_search_lags_behind_a_create_and_an_edit() -> None:
    site = Site(index_lag=5.0)
    key = site.create()
    assert found(site, "project = OPS") == []
    site.clock.pass_by(5.1)
    assert found(site, "project = OPS") == [key]
    site.put(f"issue/{key}", {"update": {"labels": [{"add": "launch"}]}})
    assert found(site, "labels = launch") == []
    site.clock.pass_by(5.1)
    assert found(site, "labels = launch") == [key]


def test_an_edit_in_the_lag_is_found_where_it_was_before() -> None:
    site = Site(index_lag=60.0)
    key = site.create()
    site.clock.pass_by(100)
    site.put(f"issue/{key}", {"update": {"labels": [{"add": "launch"}]}})
    rows = site.post("search/jql", {"jql": BY_UPDATE.format("-1h"), "fields": ["labels"]}).json["issues"]
    assert [row["fields"]["labels"] for row in rows] == [[]]


def test_the_lag_is_shortened_by_the_time_factor() -> None:
    site = Site(index_lag=60.0, time_factor=60.0)
    key = site.create()
    site.clock.pass_by(1.1)
    assert found(site, "project = OPS") == [key]


def test_reconciled_issues_are_read_after_their_writes() -> None:
    site = Site(index_lag=60.0)
    key = site.create()
    number = int(site.issue(key)["id"])
    assert found(site, "project = OPS", reconcileIssues=[number]) == [key]
    assert site.post("search/jql", {"jql": "project = OPS", "reconcileIssues": [99999]}).status == 404
    assert site.post("search/jql", {"jql": "project = OPS", "reconcileIssues": [number] * 51}).status == 400


def test_pages_follow_their_token_without_gap_or_repeat() -> None:
    site = Site()
    site.sandbox.seed(250)
    for order in ("updated ASC", "updated ASC, id ASC", "created DESC", "key ASC"):
        seen: list[str] = []
        token: str | None = None
        while True:
            body = {"jql": f"project = OPS ORDER BY {order}", "maxResults": 100, "fields": ["summary"]}
            page = site.post("search/jql", body | ({"nextPageToken": token} if token else {})).json
            seen += [issue["key"] for issue in page["issues"]]
            assert page["isLast"] is ("nextPageToken" not in page)
            assert "total" not in page
            token = page.get("nextPageToken")
            if token is None:
                break
        assert len(seen) == len(set(seen)) == 250, order


def test_a_token_expires_and_belongs_to_its_query() -> None:
    site = Site(token_life=600.0)
    site.sandbox.seed(3)
    body = {"jql": "project = OPS ORDER BY updated ASC", "maxResults": 1}
    token = site.post("search/jql", body).json["nextPageToken"]
    assert site.post("search/jql", body | {"nextPageToken": token}).status == 200
    other = {"jql": "project = WEB ORDER BY updated ASC", "nextPageToken": token}
    assert site.post("search/jql", other).status == 400
    assert site.post("search/jql", body | {"nextPageToken": "broken"}).status == 400
    site.clock.pass_by(601)
    assert site.post("search/jql", body | {"nextPageToken": token}).status == 400


def test_a_token_may_repeat_for_ever_or_be_lost() -> None:
    site = Site(token_repeats=True)
    site.sandbox.seed(3)
    body = {"jql": "project = OPS ORDER BY updated ASC", "maxResults": 2}
    first = site.post("search/jql", body).json
    again = site.post("search/jql", body | {"nextPageToken": first["nextPageToken"]}).json
    assert again == first
    site.switch(token_repeats=False, token_lost=True)
    lost = site.post("search/jql", body).json
    assert (lost["isLast"], "nextPageToken" in lost) == (False, False)


def test_a_page_is_cut_where_many_fields_are_asked() -> None:
    site = Site(page_cap=100)
    site.sandbox.seed(150)
    full = site.post("search/jql", {"jql": "project = OPS", "maxResults": 5000, "fields": ["*all"]}).json
    assert len(full["issues"]) == 100
    light = site.post("search/jql", {"jql": "project = OPS", "maxResults": 5000, "fields": ["id", "key"]}).json
    assert len(light["issues"]) == 150


def test_conditions_find_what_they_name() -> None:
    site = Site()
    one = site.create("Checkout fails", labels=["launch", "area-pay"], priority={"name": "High"})
    two = site.create("Search is slow", reporter={"accountId": "712020:engineer"})
    three = site.call(
        "POST",
        "issue",
        {"fields": {"project": {"key": "WEB"}, "issuetype": {"name": "Task"}, "summary": "Web thing"}},
        auth=ENGINEER,
    ).json["key"]
    cases = {
        "project = WEB": [three],
        "project in (OPS, WEB) AND labels = launch": [one],
        "project = OPS AND NOT labels = launch": [two],
        "labels in (launch) OR issuetype = Task": [one, three],
        "reporter = currentUser()": [one],
        "creator = currentUser() AND project = OPS": [one, two],
        "key in (OPS-1, WEB-1)": [one, three],
        "id = 10001": [two],
        "issuekey > OPS-1": [two],
        "priority = High": [one],
        "status = 'To Do' AND summary ~ slow": [two],
        "assignee IS EMPTY AND project = OPS": [one, two],
        "labels is EMPTY": [two, three],
        "resolution = Unresolved AND project = OPS": [one, two],
        "statusCategory = new AND (project = WEB OR key = OPS-2)": [two, three],
        "created >= -1m AND project != OPS": [three],
    }
    for jql, wanted in cases.items():
        assert sorted(found(site, f"{jql} ORDER BY id ASC")) == sorted(wanted), jql


@pytest.mark.parametrize(
    "jql",
    [
        "project = NOPE",
        "key = OPS-99",
        "colour = red",
        "status = Dreaming",
        "project OPS",
        "project = OPS AND",
        "project = OPS ORDER updated",
        "(project = OPS",
        "labels > a",
        "project = OPS ORDER BY " + ", ".join(["key"] * 8),
        'updated >= "yesterday"',
        "issue.property[hub].marker = x",
    ],
)
def test_a_condition_that_was_not_understood_is_refused_not_skipped(jql: str) -> None:
    answer = Site().post("search/jql", {"jql": jql})
    assert answer.status == 400
    assert answer.json["errorMessages"]


def test_properties_can_be_searched_only_where_an_app_has_indexed_them() -> None:
    site = Site(property_search=True)
    key = site.create()
    site.put(f"issue/{key}/properties/hub", {"marker": "m1"})
    site.create()
    assert found(site, "issue.property[hub].marker = m1") == [key]


def test_search_shows_the_properties_and_expansions_asked_for() -> None:
    site = Site()
    key = site.create()
    site.put(f"issue/{key}/properties/hub", {"marker": "m1"})
    row = site.get("search/jql", jql="project = OPS", fields="key", properties="hub,other", expand="transitions")
    assert row.json["issues"][0]["properties"] == {"hub": {"marker": "m1"}}
    assert len(row.json["issues"][0]["transitions"]) == 3


def test_the_approximate_count_needs_a_bound() -> None:
    site = Site()
    site.sandbox.seed(7)
    assert site.post("search/approximate-count", {"jql": "project = OPS"}).json == {"count": 7}
    assert site.post("search/approximate-count", {"jql": ""}).status == 400


def test_issues_of_a_hidden_project_are_not_found() -> None:
    site = Site()
    site.create()
    site.act("permission", by="hub", project="OPS", permission="BROWSE_PROJECTS")
    assert found(site, "created >= -1d") == []
    assert site.post("search/jql", {"jql": "project = OPS"}).status == 400


# --- line 4 ----------------------------------------------------------------------------------------------------


def test_bulk_fetch_answers_by_id_with_errors_beside() -> None:
    site = Site(index_lag=60.0)
    one, two = site.create("One"), site.create("Two")
    site.put(f"issue/{one}/properties/hub", {"marker": "m1"})
    body = {
        "issueIdsOrKeys": [two, "10000", one, "OPS-99"],
        "fields": ["summary"],
        "properties": ["hub"],
        "expand": ["transitions"],
    }
    answer = site.post("issue/bulkfetch", body).json
    assert [issue["fields"]["summary"] for issue in answer["issues"]] == ["One", "Two"]
    assert answer["issues"][0]["properties"] == {"hub": {"marker": "m1"}}
    assert answer["issues"][0]["transitions"]
    assert [error["id"] for error in answer["issueErrors"]] == ["OPS-99"]


def test_bulk_fetch_has_limits() -> None:
    site = Site()
    assert site.post("issue/bulkfetch", {"issueIdsOrKeys": [str(n) for n in range(101)]}).status == 400
    assert site.post("issue/bulkfetch", {"issueIdsOrKeys": ["1"], "expand": "changelog"}).status == 400
    assert site.post("issue/bulkfetch", {}).status == 400


@pytest.mark.parametrize(("form", "kind"), [("iso", str), ("seconds", int), ("millis", int)])
def test_bulk_changelog_gives_created_in_the_form_of_the_switch(form: str, kind: type) -> None:
    site = Site(changelog_created=form)
    key = site.create()
    site.post(f"issue/{key}/transitions", {"transition": {"id": "11"}})
    site.put(f"issue/{key}", {"update": {"labels": [{"add": "launch"}]}})
    answer = site.post("changelog/bulkfetch", {"issueIdsOrKeys": [key], "fieldIds": ["status"]}).json
    histories = answer["issueChangeLogs"][0]["changeHistories"]
    assert [history["items"][0]["toString"] for history in histories] == ["In Progress"]
    created = histories[0]["created"]
    assert isinstance(created, kind)
    if isinstance(created, int):
        assert created in (int(site.clock.at), int(site.clock.at * 1000) + 1)


def test_bulk_changelog_pages_by_token() -> None:
    site = Site()
    keys = [site.create(), site.create()]
    for key in keys:
        for label in ("a", "b"):
            site.put(f"issue/{key}", {"update": {"labels": [{"add": label}]}})
    seen: list[str] = []
    token = None
    while True:
        page = site.post("changelog/bulkfetch", {"issueIdsOrKeys": keys, "maxResults": 3, "nextPageToken": token}).json
        seen += [history["id"] for log in page["issueChangeLogs"] for history in log["changeHistories"]]
        token = page.get("nextPageToken")
        if token is None:
            break
    assert len(seen) == len(set(seen)) == 4


def test_texts_are_wiki_in_v2_and_documents_in_v3() -> None:
    site = Site()
    key = site.call(
        "POST",
        "issue",
        {
            "fields": {
                "project": {"key": "OPS"},
                "issuetype": {"name": "Bug"},
                "summary": "x",
                "description": "First line\nsecond\n\nnext block",
            }
        },
        version="2",
    ).json["key"]
    shown = site.get(f"issue/{key}", version="3").json["fields"]["description"]
    assert shown["type"] == "doc"
    assert len(shown["content"]) == 2
    assert site.get(f"issue/{key}", version="2").json["fields"]["description"] == "First line\nsecond\n\nnext block"
    again = site.put(f"issue/{key}", {"fields": {"description": shown}}, version="3")
    assert again.status == 204
    assert site.get(f"issue/{key}", version="2").json["fields"]["description"] == "First line\nsecond\n\nnext block"


def test_a_text_in_the_other_form_is_refused() -> None:
    site = Site()
    key = site.create()
    assert site.put(f"issue/{key}", {"fields": {"description": "text"}}, version="3").status == 400
    document = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": []}]}
    assert site.put(f"issue/{key}", {"fields": {"description": document}}, version="2").status == 400
    unknown = {"type": "doc", "version": 1, "content": [{"type": "spaceship"}]}
    answer = site.post(f"issue/{key}/comment", {"body": unknown}, version="3")
    assert answer.status == 400
    assert "INVALID_INPUT" in answer.json["errorMessages"]
