"""Checklist line 5: tags, bulk jobs, merge, delete, statuses, search, app links; lists and limits of A4 and A7."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.zendesk.sandbox.site import AGENT, Site


def job(site: Site, answer: Any) -> Any:
    """Let a job run: its last state."""
    assert answer.status_code == 200, answer.text
    site.now += 2
    return site.get(f"/api/v2/job_statuses/{answer.json()['job_status']['id']}.json")["job_status"]


# --- tags -------------------------------------------------------------------------------------------------------------


def test_line_5_the_tags_endpoint_adds_sets_and_removes(site: Site) -> None:
    number = site.ticket(tags=["a"])
    path = f"/api/v2/tickets/{number}/tags.json"
    added = site.call("PUT", path, {"tags": ["b"]})
    assert (added.status_code, added.json()) == (200, {"tags": ["a", "b"]})
    assert site.call("DELETE", path, {"tags": ["a"]}).json() == {"tags": ["b"]}
    replaced = site.call("POST", path, {"tags": ["z"]})
    assert (replaced.status_code, site.get(path)) == (201, {"tags": ["z"]})


def test_line_5_the_tags_endpoint_knows_safe_updates(site: Site) -> None:
    number = site.ticket()
    stamped = site.get(f"/api/v2/tickets/{number}")["ticket"]["updated_at"]
    site.now += 2
    site.act("status", ticket=number, status="open")
    body = {"tags": ["b"], "safe_update": "true", "updated_stamp": stamped}
    assert site.call("PUT", f"/api/v2/tickets/{number}/tags", body).status_code == 409


# --- bulk -------------------------------------------------------------------------------------------------------------


def test_line_5_a_bulk_update_goes_from_queued_over_working_to_completed(site: Site) -> None:
    one, two = site.ticket(tags=["a"]), site.ticket()
    change = {"ticket": {"additional_tags": ["bulk"], "remove_tags": ["a"]}}
    answer = site.call("PUT", f"/api/v2/tickets/update_many.json?ids={one},{two}", change)
    status = answer.json()["job_status"]
    assert (status["status"], status["total"], status["results"]) == ("queued", 2, None)
    site.now += 0.5
    assert site.get(f"/api/v2/job_statuses/{status['id']}.json")["job_status"]["status"] == "working"
    done = job(site, answer)
    assert (done["status"], done["message"]) == ("completed", "Completed at 2026-01-02 03:04:07 +0000")
    assert done["results"][0] == {"id": one, "action": "update", "status": "Updated", "success": True}
    assert site.record(one)["tags"] == ["bulk"]


def test_line_5_an_item_that_fails_sits_inside_a_completed_job(site: Site) -> None:
    one, two = site.ticket(), site.ticket()
    site.act("close", ticket=one)
    body = {
        "tickets": [{"id": one, "priority": "high"}, {"id": two, "priority": "high"}, {"id": 999, "priority": "high"}]
    }
    done = job(site, site.call("PUT", "/api/v2/tickets/update_many", body))
    assert done["status"] == "completed"
    assert [row["success"] for row in done["results"]] == [False, True, False]
    assert done["results"][0]["error"] == "RecordInvalid"


def test_line_5_create_many_and_destroy_many_are_jobs(site: Site) -> None:
    made = job(site, site.call("POST", "/api/v2/tickets/create_many", {"tickets": [{"description": "x"}, {}]}))
    assert (made["results"][0]["id"], made["results"][1]["error"]) == (1, "RecordInvalid")
    gone = job(site, site.call("DELETE", "/api/v2/tickets/destroy_many?ids=1"))
    assert gone["results"][0]["success"] is True
    assert site.call("GET", "/api/v2/tickets/1").status_code == 404


def test_line_5_more_than_thirty_jobs_are_refused(site: Site) -> None:
    site.ticket()
    answers = [site.call("PUT", "/api/v2/tickets/update_many?ids=1", {"ticket": {}}).status_code for _ in range(31)]
    assert answers == [200] * 30 + [429]
    assert site.call("GET", "/api/v2/job_statuses/V3-none").status_code == 404


# --- merge, delete ----------------------------------------------------------------------------------------------------


def test_line_5_merging_closes_and_marks_the_source(site: Site) -> None:
    target, source = site.ticket(), site.ticket(tags=["t"])
    done = job(site, site.call("POST", f"/api/v2/tickets/{target}/merge.json", {"ids": [source]}))
    assert done["results"] == {"success": True}
    record = site.record(source)
    assert (record["status"], record["tags"], record["merged_into"]) == (
        "closed",
        ["closed_by_merge", "t"],
        str(target),
    )
    assert f"#{target}" in record["comments"][-1]["body"]
    audit = site.get(f"/api/v2/tickets/{source}/audits")["audits"][-1]
    comment = next(event for event in audit["events"] if event["type"] == "Comment")
    assert comment["via"]["source"]["to"] == {"ticket_id": target}
    assert f"#{source}" in site.record(target)["comments"][-1]["body"]


def test_line_5_a_ticket_cannot_be_merged_into_itself(site: Site) -> None:
    number = site.ticket()
    answer = site.call("POST", f"/api/v2/tickets/{number}/merge", {"ids": [number]})
    assert (answer.status_code, answer.json()["error"]) == (422, "SourceInvalid")


def test_line_5_a_deleted_ticket_is_404_listed_and_restored(site: Site) -> None:
    number = site.ticket()
    assert site.call("DELETE", f"/api/v2/tickets/{number}.json").status_code == 204
    missing = site.call("GET", f"/api/v2/tickets/{number}.json")
    assert (missing.status_code, missing.json()) == (404, {"error": "RecordNotFound", "description": "Not found"})
    listed = site.get("/api/v2/deleted_tickets.json")["deleted_tickets"]
    assert [(row["id"], row["actor"]["name"], row["previous_state"]) for row in listed] == [
        (number, "Hypercare Hub", "new")
    ]
    restored = site.call("PUT", f"/api/v2/deleted_tickets/{number}/restore.json")
    assert (restored.status_code, restored.json()) == (200, {})
    edits = [edit for row in site.record(number)["history"] for edit in row["edits"] if edit["field"] == "status"]
    assert [(edit["old"], edit["new"]) for edit in edits] == [(None, "new"), ("new", "deleted"), ("deleted", "new")]
    assert site.call("PUT", f"/api/v2/deleted_tickets/{number}/restore").status_code == 404


def test_line_5_a_ticket_deleted_for_good_cannot_come_back(site: Site) -> None:
    number = site.ticket()
    site.act("delete", ticket=number)
    job(site, site.call("DELETE", f"/api/v2/deleted_tickets/{number}.json"))
    assert site.get("/api/v2/deleted_tickets")["deleted_tickets"] == []
    assert site.call("PUT", f"/api/v2/deleted_tickets/{number}/restore").status_code == 404


# --- statuses, fields, people -----------------------------------------------------------------------------------------


def test_line_5_custom_statuses_are_listed_filtered_and_made(site: Site) -> None:
    everything = site.get("/api/v2/custom_statuses.json")["custom_statuses"]
    assert {"id", "status_category", "agent_label", "active", "default"} <= set(everything[0])
    chosen = site.get("/api/v2/custom_statuses?status_categories=open,solved&default=false")["custom_statuses"]
    assert [row["agent_label"] for row in chosen] == ["Waiting for engineering", "Fixed, not yet released"]
    wanted = {"custom_status": {"status_category": "hold", "agent_label": "Parked"}}
    made = site.call("POST", "/api/v2/custom_statuses", wanted)
    assert made.status_code == 201
    assert site.get(f"/api/v2/custom_statuses/{made.json()['custom_status']['id']}")["custom_status"]["active"] is True


def test_a4_ticket_fields_name_their_options(site: Site) -> None:
    fields = site.get("/api/v2/ticket_fields.json")["ticket_fields"]
    area = next(field for field in fields if field["title"] == "Area")
    assert [option["value"] for option in area["custom_field_options"]] == [
        "area_checkout",
        "area_login",
        "area_search",
    ]


def test_a4_people_are_read_one_and_many(site: Site) -> None:
    users = site.get("/api/v2/users.json")["users"]
    ids = ",".join(str(user["id"]) for user in users)
    assert site.get(f"/api/v2/users/show_many.json?ids={ids}")["count"] == 5
    assert site.get("/api/v2/users/search?query=email:agent@example.com")["users"][0]["name"] == "Ada Agent"
    assert site.call("GET", "/api/v2/users/1").status_code == 404


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("groups", "groups"),
        ("organizations", "organizations"),
        ("brands", "brands"),
        ("satisfaction_ratings", "satisfaction_ratings"),
        ("account/settings", "settings"),
        ("account", "account"),
        ("ticket_audits", "audits"),
        ("job_statuses", "job_statuses"),
    ],
)
def test_a4_small_lists_answer(site: Site, path: str, key: str) -> None:
    assert key in site.get(f"/api/v2/{path}.json")


# --- lists ------------------------------------------------------------------------------------------------------------


def test_a4_show_many_leaves_unknown_ids_out_in_silence(site: Site) -> None:
    number = site.ticket()
    page = site.get(f"/api/v2/tickets/show_many.json?ids={number},999")
    assert ([ticket["id"] for ticket in page["tickets"]], page["count"]) == ([number], 1)


def test_a4_show_many_refuses_more_than_a_hundred(site: Site) -> None:
    answer = site.call("GET", "/api/v2/tickets/show_many?ids=" + ",".join(map(str, range(101))))
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "TooManyValues",
        "description": "Parameter  cannot specify more than 100 values",
        "max_count": 100,
    }


def test_a4_a_replica_behind_shows_the_ticket_before_its_latest_change(site: Site) -> None:
    number = site.ticket()
    site.act("status", ticket=number, status="open")
    site.switch(stale_show_many=True)
    assert site.get(f"/api/v2/tickets/show_many?ids={number}")["tickets"][0]["status"] == "new"
    assert site.get(f"/api/v2/tickets/{number}")["ticket"]["status"] == "open"


def test_a4_offset_pages_count_and_stop_at_ten_thousand_rows(site: Site) -> None:
    site.act("seed", count=5)
    page = site.get("/api/v2/tickets.json?per_page=2&page=2")
    assert ([t["id"] for t in page["tickets"]], page["count"]) == ([3, 4], 5)
    assert page["next_page"].startswith(site.url)
    assert site.get(page["next_page"].removeprefix(site.url))["next_page"] is None
    deep = site.call("GET", "/api/v2/tickets.json?page=101")
    assert (deep.status_code, deep.json()["errors"][0]["code"]) == (400, "InvalidPaginationDepth")


def test_a4_cursor_pages_follow_links_next(site: Site) -> None:
    site.act("seed", count=5)
    seen: list[int] = []
    path = "/api/v2/tickets.json?page[size]=2"
    while path:
        page = site.get(path)
        seen += [ticket["id"] for ticket in page["tickets"]]
        path = page["links"]["next"].removeprefix(site.url) if page["meta"]["has_more"] else ""
    assert seen == [1, 2, 3, 4, 5]
    assert site.call("GET", "/api/v2/tickets.json?page[after]=*").status_code == 400


# --- search -----------------------------------------------------------------------------------------------------------


def found(site: Site, query: str) -> list[int]:
    return [row["id"] for row in site.get("/api/v2/search.json", params={"query": query})["results"]]


def test_line_5_search_lags_behind(site: Site) -> None:
    number = site.ticket()
    assert found(site, "type:ticket") == []
    site.now += 60
    assert found(site, "type:ticket") == [number]
    site.put(number, status="open")
    assert found(site, "status:open") == []
    site.now += 60
    assert found(site, "status:open") == [number]


def test_line_5_search_stops_at_a_thousand(site: Site) -> None:
    site.act("seed", count=1005)
    page = site.get("/api/v2/search.json", params={"query": "type:ticket", "page": 10})
    assert (page["count"], page["next_page"], len(page["results"])) == (1005, None, 100)
    assert page["results"][0]["result_type"] == "ticket"
    past = site.call("GET", "/api/v2/search.json?query=type:ticket&page=11")
    assert (past.status_code, past.json()["error"]) == (422, "invalid")
    assert site.get("/api/v2/search/count.json?query=type:ticket") == {"count": 1005}


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("external_id:hc-1", [1]),
        ("tags:b", [2]),
        ("-tags:b", [1]),
        ("status<solved", [1]),
        ("status>=solved", [2]),
        ("priority:high", [1]),
        ("created>2026-01-01", [1, 2]),
        ("updated<2026-01-02T03:04:05Z", []),
        ("requester:customer@example.com", [2]),
        ("assignee:none", [1]),
        ('"broken checkout"', [2]),
        ("type:user", []),
        ("custom_field_360002:OPS-1", [1]),
        ("nosuchfield:1", []),
    ],
)
def test_a4_search_terms(site: Site, query: str, hits: list[int]) -> None:
    site.ticket(external_id="hc-1", priority="high", custom_fields=[{"id": 360002, "value": "OPS-1"}])
    site.act("create", subject="A broken checkout", tags=["b"])
    site.act("status", ticket=2, status="solved")
    site.now += 61
    assert found(site, query) == hits


def test_a4_search_export_needs_a_type_and_pages_by_cursor(site: Site) -> None:
    site.act("seed", count=3)
    assert site.call("GET", "/api/v2/search/export?query=type:ticket").status_code == 400
    page = site.get("/api/v2/search/export.json?query=status<closed&filter[type]=ticket&page[size]=2")
    assert (len(page["results"]), page["meta"]["has_more"]) == (2, True)


# --- links of the official app ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/v2/jira/links", "/api/services/jira/links.json"])
def test_line_5_app_links_are_on_both_paths(site: Site, path: str) -> None:
    number = site.ticket()
    made = site.call("POST", path, {"link": {"ticket_id": number, "issue_id": "10001", "issue_key": "OPS-1"}})
    assert made.status_code == 201
    link = made.json()["link"]
    assert (link["ticket_id"], link["issue_id"], link["issue_key"]) == (str(number), "10001", "OPS-1")
    assert site.get(f"{path}?ticket_id={number}") == {"links": [link], "total": 1}
    assert site.get(f"{path}?issue_id=9") == {"links": [], "total": 0}
    assert site.get(f"{path}?since_id={link['id']}") == {"links": [], "total": 0}
    assert site.call("DELETE", f"{path.removesuffix('.json')}/{link['id']}").status_code == 204
    assert site.get(path)["total"] == 0


def test_a9_a_thousand_links_a_page_and_total_counts_the_rest(site: Site) -> None:
    for number in range(1, 1003):
        site.sandbox.model.link(str(number), "10001", "OPS-1")
    first = site.get("/api/v2/jira/links")
    assert (len(first["links"]), first["total"]) == (1000, 1002)
    rest = site.get(f"/api/v2/jira/links?since_id={first['links'][-1]['id']}")
    assert (len(rest["links"]), rest["total"]) == (2, 2)


def test_a9_a_link_leaves_no_trace_in_the_change_feed(site: Site) -> None:
    number = site.ticket()
    before = site.record(number)
    site.now += 5
    site.act("link", ticket=number, issue_id="10001", issue_key="OPS-1")
    site.act("move_issue", issue_id="10001", issue_key="WEB-7")
    after = site.record(number)
    assert [link["issue_key"] for link in after["links"]] == ["WEB-7"]
    assert (after["updated_at"], after["generated"]) == (before["updated_at"], before["generated"])
    assert site.get(f"/api/v2/tickets/{number}/related")["ticket_related"]["jira_issue_ids"] == ["10001"]
    assert site.act("unlink", ticket=number, issue_key="WEB-7") == {"removed": 1}


def test_a9_without_the_app_there_are_no_links(site: Site) -> None:
    site.switch(jira_app=False)
    assert site.call("GET", "/api/v2/jira/links").status_code == 404


# --- limits -----------------------------------------------------------------------------------------------------------


def test_a7_headers_show_the_accounts_budget(site: Site) -> None:
    headers = site.call("GET", "/api/v2/users/me").headers
    assert (headers["x-rate-limit"], headers["x-rate-limit-remaining"]) == ("700", "699")
    assert (headers["ratelimit-limit"], headers["ratelimit-reset"]) == ("700", "60")
    assert headers["x-zendesk-api-version"] == "v2"


@pytest.mark.parametrize("plain", [False, True])
def test_a7_the_account_limit_is_429_as_json_or_plain_text(site: Site, plain: bool) -> None:
    site.switch(account_per_minute=2, plain_text_429=plain)
    answers = [site.call("GET", "/api/v2/users/me", auth=AGENT) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "Number of allowed API requests per minute exceeded" in answers[2].text
    assert answers[2].headers["content-type"].startswith("text/plain" if plain else "application/json")
    site.switch(limits=False)
    assert site.call("GET", "/api/v2/users/me").status_code == 200
