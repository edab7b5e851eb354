"""Checklist Jira 3: workflow steps, edits, labels, properties, comments, links, moves, deletes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.jira.sandbox.site import ENGINEER, Site


def status(site: Site, key: str) -> str:
    return str(site.get(f"issue/{key}", fields="status").json["fields"]["status"]["name"])


def step(site: Site, key: str, number: Any, **more: Any) -> Any:
    return site.post(f"issue/{key}/transitions", {"transition": {"id": number}, **more})


# --- creating --------------------------------------------------------------------------------------------------


def test_a_create_carries_its_properties_with_it() -> None:
    site = Site()
    fields = {"project": {"key": "OPS"}, "issuetype": {"name": "Bug"}, "summary": "x"}
    answer = site.post("issue", {"fields": fields, "properties": [{"key": "hub", "value": {"marker": "m1"}}]})
    assert answer.status == 201
    assert set(answer.json) == {"id", "key", "self"}
    read = site.get(f"issue/{answer.json['id']}", properties="hub").json
    assert read["properties"] == {"hub": {"marker": "m1"}}


def test_a_create_sent_twice_makes_two_issues() -> None:
    site = Site()
    assert (site.create("Same"), site.create("Same")) == ("OPS-1", "OPS-2")
    assert site.sandbox.state()["creates"] == {"hub": 2}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, {"project", "issuetype", "summary"}),
        ({"project": {"key": "NOPE"}, "issuetype": {"name": "Bug"}, "summary": "x"}, {"project"}),
        ({"project": {"key": "OPS"}, "issuetype": {"name": "Dream"}, "summary": "x"}, {"issuetype"}),
        ({"project": {"key": "OPS"}, "issuetype": {"name": "Bug"}, "summary": "two\nlines"}, {"summary"}),
        ({"project": {"key": "OPS"}, "issuetype": {"name": "Bug"}, "summary": "x" * 256}, {"summary"}),
        ({"project": {"key": "OPS"}, "issuetype": {"name": "Bug"}, "summary": "x", "labels": ["a b"]}, {"labels"}),
        ({"project": {"key": "OPS"}, "issuetype": {"name": "Bug"}, "summary": "x", "labels": ["a" * 256]}, {"labels"}),
        ({"project": {"key": "OPS"}, "issuetype": {"name": "Bug"}, "summary": "x", "colour": "red"}, {"colour"}),
        ({"project": {"key": "OPS"}, "issuetype": {"name": "Sub-task"}, "summary": "x"}, {"parent"}),
    ],
)
def test_a_create_that_lacks_something_names_the_field(fields: Any, wrong: set[str]) -> None:
    site = Site()
    answer = site.post("issue", {"fields": fields})
    assert answer.status == 400
    assert set(answer.json["errors"]) == wrong
    assert site.sandbox.state()["issues"] == []


def test_the_reporter_can_be_set_only_where_the_site_allows_it() -> None:
    site = Site()
    key = site.create(reporter={"accountId": "712020:engineer"})
    read = site.get(f"issue/{key}").json["fields"]
    assert (read["reporter"]["displayName"], read["creator"]["displayName"]) == ("Edda Engineer", "Hypercare Hub")
    site.switch(reporter_settable=False)
    fields = {"project": {"key": "OPS"}, "issuetype": {"name": "Bug"}, "summary": "x"}
    answer = site.post("issue", {"fields": fields | {"reporter": {"accountId": "712020:engineer"}}})
    assert (answer.status, set(answer.json["errors"])) == (400, {"reporter"})


def test_several_issues_are_made_in_one_request_and_fail_apart() -> None:
    site = Site()
    good = {"fields": {"project": {"key": "OPS"}, "issuetype": {"name": "Bug"}, "summary": "x"}}
    answer = site.post("issue/bulk", {"issueUpdates": [good, {"fields": {}}]})
    assert answer.status == 201
    assert [issue["key"] for issue in answer.json["issues"]] == ["OPS-1"]
    assert [error["failedElementNumber"] for error in answer.json["errors"]] == [1]


def test_a_body_that_is_no_json_is_refused() -> None:
    site = Site()
    assert site.call("POST", "issue", raw=b'{"fields":').status == 400
    assert site.call("POST", "issue", raw=b"[1]").status == 400
    assert site.call("POST", "issue", raw=b"a=b", headers={"content-type": "text/plain"}).status == 415


# --- workflow --------------------------------------------------------------------------------------------------


def test_the_steps_offered_depend_on_the_status() -> None:
    site = Site()
    key = site.create()
    shown = site.get(f"issue/{key}/transitions", expand="transitions.fields").json["transitions"]
    assert {one["id"]: one["to"]["name"] for one in shown} == {"11": "In Progress", "41": "Blocked", "61": "Won't Do"}
    assert all(one["isAvailable"] and not one["isGlobal"] and one["fields"] == {} for one in shown)
    assert shown[0]["to"]["statusCategory"]["key"] == "indeterminate"


@pytest.mark.parametrize("number", ["11", 11])
def test_a_step_is_named_by_text_or_by_integer(number: Any) -> None:
    site = Site()
    key = site.create()
    assert step(site, key, number).status == 204
    assert status(site, key) == "In Progress"


def test_a_step_that_is_not_open_now_is_refused_and_changes_nothing() -> None:
    site = Site()
    key = site.create()
    for number, words in (("31", "not valid for the current state"), ("999", "is not valid for this issue")):
        answer = step(site, key, number)
        assert answer.status == 400
        assert words in answer.json["errorMessages"][0]
    assert site.post(f"issue/{key}/transitions", {}).status == 400
    assert status(site, key) == "To Do"
    assert site.issue(key)["changelog"] == []


def test_a_done_step_may_demand_a_resolution_on_its_screen() -> None:
    site = Site(resolution_required=True)
    key = site.create()
    step(site, key, "11")
    shown = site.get(f"issue/{key}/transitions", expand="transitions.fields", transitionId="31").json["transitions"]
    assert shown[0]["fields"]["resolution"]["required"] is True
    assert shown[0]["fields"]["resolution"]["hasDefaultValue"] is False
    refused = step(site, key, "31")
    assert (refused.status, set(refused.json["errors"])) == (400, {"resolution"})
    assert step(site, key, "31", fields={"resolution": {"name": "Duplicate"}}).status == 204
    assert site.issue(key)["resolution"] == "Duplicate"


def test_a_field_that_is_not_on_the_screen_is_refused() -> None:
    site = Site()
    key = site.create()
    step(site, key, "11")
    answer = step(site, key, "31", fields={"resolution": {"name": "Done"}})
    assert (answer.status, set(answer.json["errors"])) == (400, {"resolution"})
    assert status(site, key) == "In Progress"


def test_a_post_function_sets_and_clears_the_resolution() -> None:
    site = Site()
    key = site.create()
    step(site, key, "11")
    step(site, key, "31")
    read = site.get(f"issue/{key}").json["fields"]
    assert read["resolution"]["name"] == "Done"
    assert read["resolutiondate"] is not None
    step(site, key, "71")
    read = site.get(f"issue/{key}").json["fields"]
    assert (read["resolution"], read["resolutiondate"]) == (None, None)
    site.switch(resolution_by="")
    step(site, key, "11")
    step(site, key, "31")
    assert site.issue(key)["resolution"] is None


def test_global_steps_lead_everywhere_and_loop_only_by_switch() -> None:
    site = Site(workflow="global")
    key = site.create()
    offered = site.get(f"issue/{key}/transitions").json["transitions"]
    assert [one["to"]["name"] for one in offered] == ["In Progress", "In Review", "Blocked", "Done", "Won't Do"]
    assert all(one["isGlobal"] for one in offered)
    site.switch(global_loops=True)
    offered = site.get(f"issue/{key}/transitions").json["transitions"]
    assert [one["isLooped"] for one in offered] == [True, False, False, False, False, False]


def test_each_project_may_have_a_workflow_of_its_own() -> None:
    site = Site(workflows={"WEB": "locked"})
    site.create()
    web = site.act("create", summary="x", project="WEB")["key"]
    site.act("transition", issue=web, to="Done", force=True)
    assert site.get(f"issue/{web}/transitions").json["transitions"] == []
    assert len(site.get("issue/OPS-1/transitions").json["transitions"]) == 3


def test_without_the_permission_no_steps_are_shown_and_none_is_taken() -> None:
    site = Site()
    key = site.create()
    site.act("permission", by="hub", project="OPS", permission="TRANSITION_ISSUES")
    assert site.get(f"issue/{key}/transitions").json["transitions"] == []
    assert step(site, key, "11").status == 403


def test_a_write_may_meet_a_conflict() -> None:
    site = Site(edit_conflicts=1, transition_conflicts=1)
    key = site.create()
    label = {"update": {"labels": [{"add": "launch"}]}}
    assert [site.put(f"issue/{key}", label).status for _ in range(2)] == [409, 204]
    assert [step(site, key, "11").status for _ in range(2)] == [409, 204]


def test_a_site_may_have_categories_that_nobody_documented() -> None:
    site = Site(unknown_categories={"In Review": "in-flight"})
    key = site.create()
    site.act("transition", issue=key, to="In Review", force=True)
    shown = site.get(f"issue/{key}").json["fields"]["status"]
    assert shown["statusCategory"]["key"] == "in-flight"
    assert shown["statusCategory"]["id"] not in (1, 2, 3, 4)


def test_a_status_may_be_renamed_by_an_administrator() -> None:
    site = Site(renamed_statuses={"Blocked": "On ice"})
    key = site.create()
    step(site, key, "41")
    assert status(site, key) == "On ice"
    assert "On ice" in {one["name"] for one in site.get("status").json}
    assert site.issue(key)["changelog"][0]["items"][0]["new"] == "On ice"
    assert len(site.post("search/jql", {"jql": 'status = "On ice"'}).json["issues"]) == 1
    assert site.post("search/jql", {"jql": "status = Blocked"}).status == 400


def test_an_issue_may_show_a_field_that_nobody_knows() -> None:
    site = Site(unknown_fields=True)
    assert "customfield_19999" in site.get(f"issue/{site.create()}").json["fields"]


# --- edits -----------------------------------------------------------------------------------------------------


def test_labels_change_by_deltas_and_keep_their_case() -> None:
    site = Site()
    key = site.create(labels=["Launch", "old"])
    edit = {"update": {"labels": [{"add": "launch"}, {"remove": "old"}, {"remove": "absent"}, {"add": "Launch"}]}}
    assert site.put(f"issue/{key}", edit).status == 204
    assert site.issue(key)["labels"] == ["Launch", "launch"]
    item = site.issue(key)["changelog"][0]["items"][0]
    assert (item["field"], item["old"], item["new"]) == ("labels", "Launch old", "Launch launch")


def test_an_edit_that_changes_nothing_leaves_no_trace() -> None:
    site = Site()
    key = site.create(labels=["launch"])
    before = site.issue(key)
    site.clock.pass_by(5)
    assert site.put(f"issue/{key}", {"update": {"labels": [{"add": "launch"}]}}).status == 204
    assert site.issue(key) == before


def test_a_label_with_a_space_is_refused() -> None:
    site = Site()
    key = site.create()
    assert site.put(f"issue/{key}", {"update": {"labels": [{"add": "two words"}]}}).status == 400


def test_a_status_cannot_be_set_by_an_edit() -> None:
    site = Site()
    key = site.create()
    answer = site.put(f"issue/{key}", {"fields": {"status": {"name": "Done"}}})
    assert (answer.status, set(answer.json["errors"])) == (400, {"status"})


def test_a_field_cannot_stand_in_fields_and_update_both() -> None:
    site = Site()
    key = site.create()
    answer = site.put(f"issue/{key}", {"fields": {"labels": ["a"]}, "update": {"labels": [{"add": "b"}]}})
    assert (answer.status, set(answer.json["errors"])) == (400, {"labels"})


def test_an_edit_answers_with_the_issue_when_asked() -> None:
    site = Site()
    key = site.create()
    answer = site.put(f"issue/{key}", {"update": {"labels": [{"add": "launch"}]}}, returnIssue="true")
    assert answer.status == 200
    assert answer.json["fields"]["labels"] == ["launch"]
    site.switch(return_issue=False)
    assert site.put(f"issue/{key}", {"fields": {"summary": "New"}}, returnIssue="true").status == 204


def test_only_an_administrator_may_suppress_mails() -> None:
    site = Site(hub_is_admin=False)
    key = site.create()
    body = {"fields": {"summary": "New"}}
    assert site.put(f"issue/{key}", body, notifyUsers="false").status == 403
    assert site.put(f"issue/{key}", body).status == 204


def test_an_edit_without_permission_is_forbidden() -> None:
    site = Site()
    key = site.create()
    site.act("permission", by="hub", project="OPS", permission="EDIT_ISSUES")
    assert site.put(f"issue/{key}", {"fields": {"summary": "New"}}).status == 403


def test_the_history_names_author_and_cause_of_each_change() -> None:
    site = Site()
    key = site.create()
    metadata = {"type": "hypercare", "extraData": {"op": "d-17"}}
    site.put(f"issue/{key}", {"fields": {"summary": "New"}, "historyMetadata": metadata})
    site.act("transition", issue=key, to="In Progress")
    rows = site.get(f"issue/{key}/changelog").json["values"]
    assert [row["author"]["accountId"] for row in rows] == ["712020:hub", "712020:engineer"]
    assert rows[0]["historyMetadata"] == metadata
    assert rows[1]["items"] == [
        {
            "field": "status",
            "fieldtype": "jira",
            "fieldId": "status",
            "from": "10000",
            "fromString": "To Do",
            "to": "3",
            "toString": "In Progress",
        }
    ]


def test_the_changelog_pages_oldest_first_and_its_expansion_is_cut() -> None:
    site = Site(changelog_cut=2, rate_limits=False)
    key = site.create()
    for label in "abc":
        site.put(f"issue/{key}", {"update": {"labels": [{"add": label}]}})
    page = site.get(f"issue/{key}/changelog", startAt=1, maxResults=1).json
    assert (page["total"], page["isLast"], page["values"][0]["items"][0]["toString"]) == (3, False, "a b")
    cut = site.get(f"issue/{key}", expand="changelog").json["changelog"]
    assert (cut["total"], [row["items"][0]["toString"] for row in cut["histories"]]) == (3, ["a b c", "a b"])


def test_updated_moves_with_labels_and_comments_but_not_with_remote_links_and_properties() -> None:
    site = Site()
    key = site.create()

    def updated() -> int:
        return int(site.issue(key)["updated"])

    writes: list[tuple[bool, str, str, Any]] = [
        (True, "PUT", f"issue/{key}", {"update": {"labels": [{"add": "launch"}]}}),
        (True, "POST", f"issue/{key}/comment", {"body": "hello"}),
        (False, "POST", f"issue/{key}/remotelink", {"object": {"url": "https://z/1", "title": "1"}}),
        (False, "PUT", f"issue/{key}/properties/hub", 1),
    ]
    for makes_a_move, method, path, body in writes:
        before = updated()
        site.clock.pass_by(1)
        assert site.call(method, path, body, version="2").status < 300
        assert (updated() > before) is makes_a_move
    site.switch(remote_links_bump=True, properties_bump=True)
    before = updated()
    site.clock.pass_by(1)
    site.put(f"issue/{key}/properties/hub", 2)
    assert updated() > before


def test_two_edits_in_one_instant_have_two_versions() -> None:
    site = Site()
    key = site.create()
    stamps = {site.issue(key)["updated"]}
    for label in "ab":
        site.put(f"issue/{key}", {"update": {"labels": [{"add": label}]}})
        stamps.add(site.issue(key)["updated"])
    assert len(stamps) == 3


# --- comments and properties -------------------------------------------------------------------------------------


def test_a_comment_carries_its_properties_with_it() -> None:
    site = Site()
    key = site.create()
    marker = {"key": "hub.origin", "value": {"op": "d-1"}}
    made = site.post(f"issue/{key}/comment", {"body": "hello", "properties": [marker]}, version="2")
    assert made.status == 201
    assert made.json["jsdPublic"] is True
    listed = site.get(f"issue/{key}/comment", expand="properties", orderBy="-created", version="2").json
    assert (listed["total"], listed["comments"][0]["properties"]) == (1, [marker])
    assert site.get(f"comment/{made.json['id']}/properties/hub.origin").json["value"] == {"op": "d-1"}


def test_a_comment_is_internal_by_its_property() -> None:
    site = Site()
    key = site.create()
    internal = [{"key": "sd.public.comment", "value": {"internal": True}}]
    made = site.post(f"issue/{key}/comment", {"body": "hidden", "properties": internal}, version="2")
    assert made.json["jsdPublic"] is False


def test_comments_are_edited_removed_and_read_by_id() -> None:
    site = Site()
    key = site.create()
    number = site.post(f"issue/{key}/comment", {"body": "one"}, version="2").json["id"]
    assert site.put(f"issue/{key}/comment/{number}", {"body": "two"}, version="2").json["body"] == "two"
    assert site.post("comment/list", {"ids": [int(number)]}, version="2").json["values"][0]["body"] == "two"
    assert site.put(f"comment/{number}/properties/k", 1).status == 201
    assert site.put(f"comment/{number}/properties/k", 2).status == 200
    assert site.delete(f"issue/{key}/comment/{number}").status == 204
    assert site.get(f"issue/{key}/comment/{number}").status == 404
    assert site.post(f"issue/{key}/comment", {"body": ""}, version="2").status == 400


def test_issue_properties_are_put_read_and_removed() -> None:
    site = Site()
    key = site.create()
    assert site.put(f"issue/{key}/properties/hub", {"a": 1}).status == 201
    assert site.put(f"issue/{key}/properties/hub", {"a": 2}).status == 200
    assert site.get(f"issue/{key}/properties/hub").json == {"key": "hub", "value": {"a": 2}}
    assert [entry["key"] for entry in site.get(f"issue/{key}/properties").json["keys"]] == ["hub"]
    assert site.put(f"issue/{key}/properties/hub", "x" * 40_000).status == 400
    assert site.delete(f"issue/{key}/properties/hub").status == 204
    assert site.get(f"issue/{key}/properties/hub").status == 404


# --- links -------------------------------------------------------------------------------------------------------


def remote(number: int, **more: Any) -> Any:
    return {
        "globalId": f"zendesk=z&ticket={number}",
        "object": {"url": f"https://z.example/{number}", "title": f"Ticket {number}"},
        **more,
    }


def test_a_remote_link_is_put_once_for_each_global_id() -> None:
    site = Site()
    key = site.create()
    first = site.post(f"issue/{key}/remotelink", remote(1, relationship="reported in"))
    again = site.post(f"issue/{key}/remotelink", remote(1))
    assert (first.status, again.status) == (201, 200)
    assert first.json["id"] == again.json["id"]
    links = site.get(f"issue/{key}/remotelink").json
    assert [link["globalId"] for link in links] == ["zendesk=z&ticket=1"]
    # What the second call left out has become null.
    assert "relationship" not in links[0]


def test_a_remote_link_without_global_id_is_a_new_one_each_time() -> None:
    site = Site()
    key = site.create()
    body = {"object": {"url": "https://z.example/1", "title": "1"}}
    assert [site.post(f"issue/{key}/remotelink", body).status for _ in range(2)] == [201, 201]
    assert len(site.get(f"issue/{key}/remotelink").json) == 2


def test_one_remote_link_is_read_by_global_id_as_an_object_and_by_switch_as_a_list() -> None:
    site = Site()
    key = site.create()
    site.post(f"issue/{key}/remotelink", remote(1))
    wanted = {"globalId": "zendesk=z&ticket=1"}
    assert site.get(f"issue/{key}/remotelink", **wanted).json["globalId"] == "zendesk=z&ticket=1"
    site.switch(remote_link_list=True)
    assert isinstance(site.get(f"issue/{key}/remotelink", **wanted).json, list)
    assert site.get(f"issue/{key}/remotelink", globalId="other").status == 404


def test_a_remote_link_needs_a_title_and_a_place() -> None:
    site = Site(remote_link_limit=1)
    key = site.create()
    answer = site.post(f"issue/{key}/remotelink", {"object": {"url": "https://z.example/1"}})
    assert answer.status == 400
    assert answer.json == {"errorMessages": [], "errors": {"title": "'title' is required."}}
    site.post(f"issue/{key}/remotelink", remote(1))
    assert site.post(f"issue/{key}/remotelink", remote(2)).status == 413


def test_a_remote_link_is_removed_by_global_id_and_by_id() -> None:
    site = Site()
    key = site.create()
    site.post(f"issue/{key}/remotelink", remote(1))
    number = site.post(f"issue/{key}/remotelink", remote(2)).json["id"]
    assert site.get(f"issue/{key}/remotelink/{number}").json["globalId"] == "zendesk=z&ticket=2"
    assert site.put(f"issue/{key}/remotelink/{number}", remote(3)).status == 204
    assert site.delete(f"issue/{key}/remotelink", globalId="zendesk=z&ticket=1").status == 204
    assert site.delete(f"issue/{key}/remotelink", globalId="zendesk=z&ticket=1").status == 404
    assert site.delete(f"issue/{key}/remotelink/{number}").status == 204
    assert site.issue(key)["remote_links"] == []


def test_issues_are_linked_once_however_often_it_is_asked() -> None:
    site = Site()
    one, two = site.create(), site.create()
    body = {"type": {"name": "Blocks"}, "inwardIssue": {"key": one}, "outwardIssue": {"key": two}}
    assert [site.post("issueLink", body).status for _ in range(2)] == [201, 201]
    shown = site.get(f"issue/{one}").json["fields"]["issuelinks"]
    assert [(link["type"]["name"], link["outwardIssue"]["key"]) for link in shown] == [("Blocks", two)]
    assert site.get(f"issueLink/{shown[0]['id']}").json["inwardIssue"]["key"] == one
    assert site.delete(f"issueLink/{shown[0]['id']}").status == 204
    assert site.get(f"issue/{one}").json["fields"]["issuelinks"] == []
    assert site.get("issueLinkType").json["issueLinkTypes"]


# --- moves and deletes ---------------------------------------------------------------------------------------------


def test_a_moved_issue_keeps_its_id_and_answers_to_its_old_key() -> None:
    site = Site()
    key = site.create()
    before = site.get(f"issue/{key}").json
    moved = site.act("move", issue=key, project="WEB")["key"]
    assert moved == "WEB-1"
    read = site.get(f"issue/{key}").json
    assert (read["id"], read["key"], read["fields"]["project"]["key"]) == (before["id"], "WEB-1", "WEB")
    bulk = site.post("issue/bulkfetch", {"issueIdsOrKeys": [key]}).json
    assert [issue["key"] for issue in bulk["issues"]] == ["WEB-1"]
    items = site.get(f"issue/{moved}/changelog").json["values"][0]["items"]
    assert [(item["field"], item["toString"]) for item in items] == [("project", "Web shop"), ("Key", "WEB-1")]
    assert site.create() == "OPS-2"


def test_a_deleted_issue_is_not_found_by_any_name() -> None:
    site = Site()
    key = site.create()
    moved = site.act("move", issue=key, project="WEB")["key"]
    number = site.issue(moved)["id"]
    assert site.delete(f"issue/{moved}").status == 204
    for named in (key, moved, number):
        answer = site.get(f"issue/{named}")
        assert answer.status == 404
        assert "do not have permission" in answer.json["errorMessages"][0]
    assert site.post("search/jql", {"jql": "created >= -1d"}).json["issues"] == []
    assert [gone["key"] for gone in site.sandbox.state()["deleted"]] == [moved]


def test_an_issue_with_subtasks_is_deleted_only_with_them() -> None:
    site = Site()
    key = site.create()
    child = site.create("Part", issuetype={"name": "Sub-task"}, parent={"key": key})
    assert [one["key"] for one in site.get(f"issue/{key}").json["fields"]["subtasks"]] == [child]
    assert site.delete(f"issue/{key}").status == 400
    assert site.delete(f"issue/{key}", deleteSubtasks="true").status == 204
    assert site.get(f"issue/{child}").status == 404


def test_an_issue_without_permission_looks_like_one_that_does_not_exist() -> None:
    site = Site()
    key = site.create()
    site.act("permission", by="hub", project="OPS", permission="BROWSE_PROJECTS")
    assert site.get(f"issue/{key}").response.body == site.get("issue/OPS-99").response.body
    assert site.get(f"issue/{key}", auth=ENGINEER).status == 200
    site.act("permission", by="hub", project="OPS", permission="BROWSE_PROJECTS", allowed=True)
    assert site.get(f"issue/{key}").status == 200


# --- automation ----------------------------------------------------------------------------------------------------


def test_a_rule_of_the_site_rewrites_a_status_after_a_write() -> None:
    site = Site(rewrite_status=[{"when": "In Progress", "then": "Blocked", "by": "hub"}])
    key = site.create()
    step(site, key, "11")
    assert status(site, key) == "Blocked"
    rows = site.get(f"issue/{key}/changelog").json["values"]
    assert [(row["author"]["displayName"], row["author"]["accountType"]) for row in rows] == [
        ("Hypercare Hub", "atlassian"),
        ("Automation for Jira", "app"),
    ]
    other = site.create()
    site.act("transition", issue=other, to="In Progress")
    assert status(site, other) == "In Progress"


def test_a_rule_of_the_site_adds_a_label() -> None:
    site = Site(add_label="triaged")
    key = site.create()
    step(site, key, "11")
    assert site.issue(key)["labels"] == ["triaged"]
    assert site.issue(key)["changelog"][-1]["by"] == "automation"


def test_custom_fields_are_kept_and_told_in_the_history() -> None:
    site = Site()
    key = site.create()
    site.put(f"issue/{key}", {"fields": {"customfield_10050": "Z-1"}})
    assert site.get(f"issue/{key}", fields="customfield_10050").json["fields"] == {"customfield_10050": "Z-1"}
    assert site.issue(key)["changelog"][0]["items"] == [{"field": "External references", "old": None, "new": "Z-1"}]


def test_fields_are_chosen_by_name_by_group_and_by_exclusion() -> None:
    site = Site()
    key = site.create()

    def shown(fields: str) -> set[str]:
        return set(site.get(f"issue/{key}", fields=fields).json["fields"])

    assert shown("summary,unknown") == {"summary"}
    assert "comment" in shown("*all")
    assert "comment" not in shown("*navigable")
    assert shown("*all") - shown("*all,-labels") == {"labels"}
    assert shown("*all") - shown("-labels") == {"labels"}
