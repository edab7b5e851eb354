"""Checklist lines 3 and 4: creating and updating tickets, conflicts, closed tickets, audits, idempotency."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.zendesk.sandbox.tickets import AGENT, AREA_FIELD, ESCALATED_FIELD, HUB, ISSUE_FIELD, PLATFORMS_FIELD
from tests.connectors.zendesk.sandbox.site import Site

WAITING = 6130892426150  # the stock stand-in's custom status `Waiting for engineering`, of the category open


def show(site: Site, number: int) -> Any:
    return site.get(f"/api/v2/tickets/{number}.json")["ticket"]


def changes(answer: Any) -> list[tuple[Any, Any, Any]]:
    events = answer.json()["audit"]["events"]
    return [(e["field_name"], e["previous_value"], e["value"]) for e in events if e["type"] == "Change"]


# --- line 3 ----------------------------------------------------------------------------------------------------------


def test_line_3_updated_at_has_second_precision(site: Site) -> None:
    number = site.ticket()
    site.now += 10.75
    assert site.put(number, status="open").json()["ticket"]["updated_at"] == "2026-01-02T03:04:15Z"


def test_line_3_a_safe_update_on_older_data_is_409(site: Site) -> None:
    number = site.ticket()
    seen = show(site, number)["updated_at"]
    site.now += 1
    assert site.put(number, status="open", safe_update=True, updated_stamp=seen).status_code == 200
    late = site.put(number, status="solved", safe_update=True, updated_stamp=seen)
    assert (late.status_code, late.json()["error"]) == (409, "UpdateConflict")
    assert show(site, number)["status"] == "open"


def test_line_3_two_writes_in_one_second_are_not_told_apart(site: Site) -> None:
    number = site.ticket()
    seen = show(site, number)["updated_at"]
    site.act("status", ticket=number, status="open")
    answer = site.put(number, status="solved", safe_update=True, updated_stamp=seen)
    assert answer.status_code == 200
    assert ("status", "open", "solved") in changes(answer)  # the audit tells of the edit that was not seen


def test_line_3_a_safe_update_without_a_stamp_is_refused(site: Site) -> None:
    assert site.put(site.ticket(), status="open", safe_update=True).json()["error"] == "ParameterMissing"


def test_line_3_a_closed_ticket_is_never_written(site: Site) -> None:
    number = site.ticket()
    site.act("close", ticket=number)
    answer = site.put(number, tags=["a"])
    assert answer.status_code == 422
    assert answer.json() == {
        "error": "RecordInvalid",
        "description": "Record validation errors",
        "details": {"status": [{"description": "Status: closed prevents ticket update"}]},
    }
    tags = site.call("PUT", f"/api/v2/tickets/{number}/tags", {"tags": ["a"]})
    assert tags.status_code == 422


def test_line_3_metadata_comes_back_as_custom_in_the_audit(site: Site) -> None:
    number = site.ticket()
    answer = site.put(number, status="open", metadata={"hub_op": "d-1"})
    assert answer.json()["audit"]["metadata"]["custom"] == {"hub_op": "d-1"}
    audits = site.get(f"/api/v2/tickets/{number}/audits.json")["audits"]
    assert [audit["metadata"]["custom"] for audit in audits] == [{}, {"hub_op": "d-1"}]


def test_line_3_the_audit_holds_the_callers_user_agent_and_author(site: Site) -> None:
    audit = site.put(site.ticket(), status="open").json()["audit"]
    assert audit["metadata"]["system"]["client"] == "hypercare-test/1"
    assert (audit["author_id"], audit["via"]["channel"]) == (HUB.id, "api")


def test_line_3_audit_values_are_text_and_tags_are_lists(site: Site) -> None:
    number = site.ticket()
    answer = site.put(number, assignee_id=AGENT.id, tags=["b", "a"], priority="high")
    assert set(map(str, changes(answer))) == {
        str(("priority", None, "high")),
        str(("status", "new", "open")),
        str(("custom_status_id", "6130830355738", "6130892426138")),
        str(("assignee_id", None, str(AGENT.id))),
        str(("tags", [], ["a", "b"])),
    }


def test_line_3_an_update_that_changes_nothing_has_no_audit(site: Site) -> None:
    number = site.ticket(tags=["a"])
    before = show(site, number)
    site.now += 5
    answer = site.put(number, tags=["a"], status="new", metadata={"hub_op": "x"})
    assert answer.json()["audit"] is None
    assert show(site, number) == before


def test_line_3_thirty_updates_in_ten_minutes_for_each_ticket_and_user(site: Site) -> None:
    number, other = site.ticket(), site.ticket()
    answers = [site.put(number, subject=f"s{n}") for n in range(31)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
    assert answers[0].headers["zendesk-ratelimit-per-ticket-updates"] == "total=30; remaining=29; resets=600"
    assert answers[30].headers["retry-after"] == "600"
    assert site.put(other, subject="free").status_code == 200
    site.now += 600
    assert site.put(number, subject="again").status_code == 200


def test_a7_a_hundred_updates_a_minute_for_the_account(site: Site) -> None:
    numbers = [site.ticket() for _ in range(5)]
    answers = [site.put(numbers[n % 5], subject=f"s{n}").status_code for n in range(101)]
    assert answers == [200] * 100 + [429]


# --- A5: updates ------------------------------------------------------------------------------------------------------


def test_a5_tags_replace_the_set_and_are_folded(site: Site) -> None:
    number = site.ticket(tags=["One", "two words"])
    assert show(site, number)["tags"] == ["one", "two", "words"]
    assert site.put(number, tags=["Z"]).json()["ticket"]["tags"] == ["z"]


def test_a5_tag_deltas_ride_along_with_a_status(site: Site) -> None:
    number = site.ticket(tags=["a", "b"])
    ticket = site.put(number, status="open", additional_tags=["c"], remove_tags=["a"]).json()["ticket"]
    assert (ticket["status"], ticket["tags"]) == ("open", ["b", "c"])


def test_a5_an_account_may_ignore_tag_deltas(site: Site) -> None:
    number = site.ticket(tags=["a"])
    site.switch(tag_deltas=False)
    answer = site.put(number, status="open", additional_tags=["c"], remove_tags=["a"])
    assert answer.json()["ticket"]["tags"] == ["a"]
    assert "tags" not in [name for name, _, _ in changes(answer)]


def test_a5_a_comment_is_public_unless_it_says_otherwise(site: Site) -> None:
    number = site.ticket()
    site.put(number, comment={"body": "inside <b>", "public": False})
    site.put(number, comment={"body": "outside"})
    comments = site.get(f"/api/v2/tickets/{number}/comments.json")["comments"]
    assert [(c["body"], c["public"]) for c in comments] == [
        ("Please help.", True),
        ("inside <b>", False),
        ("outside", True),
    ]
    assert "&lt;b&gt;" in comments[1]["html_body"]
    newest = site.get(f"/api/v2/tickets/{number}/comments.json?sort=-created_at")["comments"][0]
    assert newest["body"] == "outside"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"status": "done"}, "status"),
        ({"priority": "top"}, "priority"),
        ({"custom_status_id": 5}, "custom_status_id"),
        ({"assignee_id": 6130907993104}, "assignee"),
        ({"custom_fields": [{"id": AREA_FIELD, "value": "nowhere"}]}, str(AREA_FIELD)),
        ({"assignee_id": "somebody"}, "assignee_id"),
    ],
)
def test_a5_a_value_that_is_not_allowed_is_named_by_its_field(site: Site, change: Any, field: str) -> None:
    answer = site.put(site.ticket(), **change)
    assert (answer.status_code, answer.json()["error"], list(answer.json()["details"])) == (
        422, "RecordInvalid", [field]
    )  # fmt: skip


def test_a5_unknown_keys_are_ignored_and_a_header_says_so(site: Site) -> None:
    answer = site.put(site.ticket(), mood="fine", id=7)
    assert answer.status_code == 200
    assert ':unpermitted_keys=>["ticket.id", "ticket.mood"]' in answer.headers["x-zendesk-api-warn"]


def test_a5_who_solves_an_unassigned_ticket_is_assigned(site: Site) -> None:
    assert site.put(site.ticket(), status="solved").json()["ticket"]["assignee_id"] == HUB.id


def test_a5_an_account_may_demand_an_assignee_for_solving(site: Site) -> None:
    number = site.ticket()
    site.switch(solving="refused")
    answer = site.put(number, status="solved")
    assert (answer.status_code, list(answer.json()["details"])) == (422, ["assignee_id"])
    site.switch(solving="free")
    assert site.put(number, status="solved").json()["ticket"]["assignee_id"] is None


def test_a5_a_field_may_be_required_for_solving(site: Site) -> None:
    number = site.ticket()
    site.switch(required_to_solve=[AREA_FIELD])
    assert list(site.put(number, status="solved").json()["details"]) == [str(AREA_FIELD)]
    value = [{"id": AREA_FIELD, "value": "area_login"}]
    assert site.put(number, status="solved", custom_fields=value).status_code == 200


# --- A2: statuses, fields ---------------------------------------------------------------------------------------------


def test_a2_a_custom_status_sets_the_category(site: Site) -> None:
    number = site.ticket()
    ticket = site.put(number, custom_status_id=WAITING).json()["ticket"]
    assert (ticket["status"], ticket["custom_status_id"]) == ("open", WAITING)
    ticket = site.put(number, status="pending").json()["ticket"]
    assert (ticket["status"], ticket["custom_status_id"]) == ("pending", 6130892426139)


def test_a2_an_account_may_be_without_custom_statuses(site: Site) -> None:
    site.switch(custom_statuses=False)
    number = site.ticket()
    assert show(site, number)["custom_status_id"] is None
    assert site.get("/api/v2/custom_statuses")["custom_statuses"] == []


def test_a2_a_dropdown_and_its_tag_go_together(site: Site) -> None:
    number = site.ticket(tags=["mine"])
    ticket = site.put(number, custom_fields=[{"id": AREA_FIELD, "value": "area_login"}]).json()["ticket"]
    assert ticket["tags"] == ["area_login", "mine"]
    assert ticket["fields"] == ticket["custom_fields"]
    ticket = site.put(number, custom_fields=[{"id": AREA_FIELD, "value": "area_search"}]).json()["ticket"]
    assert ticket["tags"] == ["area_search", "mine"]
    ticket = site.put(number, tags=["mine"]).json()["ticket"]
    assert {"id": AREA_FIELD, "value": None} in ticket["custom_fields"]


def test_a2_checkbox_and_multiselect_own_tags_too(site: Site) -> None:
    number = site.ticket()
    values = [
        {"id": ESCALATED_FIELD, "value": True},
        {"id": PLATFORMS_FIELD, "value": ["platform_ios", "platform_web"]},
        {"id": ISSUE_FIELD, "value": "OPS-1"},
        {"id": 1, "value": "unknown fields are passed over"},
    ]
    ticket = site.put(number, custom_fields=values).json()["ticket"]
    assert ticket["tags"] == ["escalated", "platform_ios", "platform_web"]
    ticket = site.put(number, remove_tags=["platform_ios", "escalated"]).json()["ticket"]
    assert {"id": PLATFORMS_FIELD, "value": ["platform_web"]} in ticket["custom_fields"]
    assert {"id": ESCALATED_FIELD, "value": False} in ticket["custom_fields"]


# --- line 4 ----------------------------------------------------------------------------------------------------------


def create(site: Site, key: str, **wanted: Any) -> Any:
    body = {"ticket": {"subject": "s", "comment": {"body": "b"}, **wanted}}
    return site.call("POST", "/api/v2/tickets.json", body, headers={"Idempotency-Key": key})


def test_line_4_the_same_idempotency_key_creates_once(site: Site) -> None:
    first, again = create(site, "k"), create(site, "k")
    assert (first.status_code, first.headers["x-idempotency-lookup"]) == (201, "miss")
    assert (again.status_code, again.headers["x-idempotency-lookup"]) == (201, "hit")
    assert first.json() == again.json()
    assert site.state()["creates"] == {"hub@example.com": 1}


def test_line_4_the_same_key_with_another_body_is_refused(site: Site) -> None:
    create(site, "k")
    answer = create(site, "k", priority="high")
    assert (answer.status_code, answer.json()["error"]) == (400, "IdempotentRequestError")


def test_line_4_an_idempotency_key_is_kept_two_hours(site: Site) -> None:
    create(site, "k")
    site.now += 7199
    assert create(site, "k").headers["x-idempotency-lookup"] == "hit"
    site.now += 1
    assert create(site, "k").headers["x-idempotency-lookup"] == "miss"


def test_line_4_an_update_knows_no_idempotency(site: Site) -> None:
    number = site.ticket()
    for _ in range(2):
        body = {"ticket": {"comment": {"body": "again", "public": False}}}
        site.call("PUT", f"/api/v2/tickets/{number}", body, headers={"Idempotency-Key": "k"})
    assert len(site.record(number)["comments"]) == 3


def test_a5_a_create_answers_ticket_audit_and_location(site: Site) -> None:
    answer = create(site, "k", external_id="hc-1", requester={"name": "Nia", "email": "nia@example.com"}, tags=["t"])
    told = answer.json()
    assert answer.headers["location"] == told["ticket"]["url"]
    assert [event["type"] for event in told["audit"]["events"]][:2] == ["Comment", "Create"]
    assert {"external_id", "tags", "status"} <= {event.get("field_name") for event in told["audit"]["events"]}
    person = site.get(f"/api/v2/users/{told['ticket']['requester_id']}.json")["user"]
    assert (person["email"], person["role"]) == ("nia@example.com", "end-user")


def test_a5_a_ticket_needs_a_description(site: Site) -> None:
    answer = site.call("POST", "/api/v2/tickets", {"ticket": {"subject": "s"}})
    assert answer.status_code == 422


def test_a2_an_external_id_is_looked_up_and_need_not_be_unique(site: Site) -> None:
    one, two = site.ticket(external_id="hc-1"), site.ticket(external_id="hc-1")
    site.ticket(external_id="hc-2")
    found = site.get("/api/v2/tickets.json?external_id=hc-1")
    assert ([ticket["id"] for ticket in found["tickets"]], found["count"]) == ([one, two], 2)
    assert site.get("/api/v2/tickets.json?external_id=hc-3")["tickets"] == []


def test_a5_a_follow_up_names_its_source(site: Site) -> None:
    number = site.ticket()
    site.act("close", ticket=number)
    follow = site.ticket(via_followup_source_id=number)
    assert show(site, number)["followup_ids"] == [follow]
    assert show(site, follow)["via"]["source"]["rel"] == "follow_up"
    related = site.get(f"/api/v2/tickets/{follow}/related")["ticket_related"]
    assert related["followup_source_ids"] == [str(number)]


def test_a4_solving_a_problem_solves_its_incidents(site: Site) -> None:
    problem = site.ticket(type="problem")
    incident = site.ticket(type="incident", problem_id=problem)
    assert [t["id"] for t in site.get(f"/api/v2/tickets/{problem}/incidents")["tickets"]] == [incident]
    assert [t["id"] for t in site.get("/api/v2/problems")["tickets"]] == [problem]
    site.put(problem, status="solved")
    assert show(site, incident)["status"] == "solved"


def test_a_ticket_the_user_may_not_see_is_403_and_left_out_of_lists(site: Site) -> None:
    number = site.ticket()
    site.act("forbid", ticket=number)
    assert site.call("GET", f"/api/v2/tickets/{number}").status_code == 403
    assert site.get(f"/api/v2/tickets/show_many?ids={number}")["tickets"] == []
    site.act("allow", ticket=number)
    assert show(site, number)["id"] == number


# --- business rules ---------------------------------------------------------------------------------------------------


def test_a_trigger_rewrites_a_status_inside_the_same_audit(site: Site) -> None:
    site.switch(triggers=[{"name": "Never solved by robots", "on_status": "solved", "by": "hub", "set_status": "open"}])
    number = site.ticket()
    answer = site.put(number, status="solved")
    assert answer.json()["ticket"]["status"] == "open"
    ruled = [event for event in answer.json()["audit"]["events"] if "via" in event]
    assert {event["via"]["source"]["rel"] for event in ruled} == {"trigger"}
    assert ("status", "solved", "open") in [(e["field_name"], e["previous_value"], e["value"]) for e in ruled]
    site.act("status", ticket=number, status="solved")
    assert show(site, number)["status"] == "solved"


def test_a_trigger_may_add_a_tag_and_run_a_limited_number_of_times(site: Site) -> None:
    site.switch(triggers=[{"name": "Mark", "on_tag": "vip", "add_tags": ["marked"], "times": 1}])
    assert show(site, site.ticket(tags=["vip"]))["tags"] == ["marked", "vip"]
    assert show(site, site.ticket(tags=["vip"]))["tags"] == ["vip"]


def test_an_automation_solves_after_a_time_and_is_its_own_author(site: Site) -> None:
    site.switch(
        automations=[{"name": "Tidy up", "when_status": "pending", "after": 86_400, "set_status": "solved"}],
        close_solved_after=4 * 86_400,
    )
    number = site.ticket(status="pending")
    site.now += 86_300
    assert show(site, number)["status"] == "pending"
    site.now += 200
    assert show(site, number)["status"] == "solved"
    audit = site.get(f"/api/v2/tickets/{number}/audits")["audits"][-1]
    assert (audit["author_id"], audit["via"]["source"]["rel"]) == (-1, "automation")
    site.now += 5 * 86_400
    assert show(site, number)["status"] == "closed"


def test_an_end_users_reply_opens_a_solved_ticket(site: Site) -> None:
    number = site.ticket(status="solved")
    site.act("comment", ticket=number, body="It is back", **{"as": "customer@example.com"})
    assert show(site, number)["status"] == "open"
