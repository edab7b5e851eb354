"""Checklist line 2: the cursor export, and the other change feeds."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.connectors.zendesk.sandbox.site import START, Site

BEGIN = f"start_time={int(START) - 86_400}"


def ids(page: Any) -> list[int]:
    return [row["id"] for row in page["tickets"]]


def test_line_2_the_last_minute_is_hidden(site: Site) -> None:
    number = site.ticket()
    site.now += 59
    assert ids(site.export(BEGIN)) == []
    site.now += 2
    assert ids(site.export(BEGIN)) == [number]


def test_line_2_the_time_factor_shortens_the_hidden_minute(site: Site) -> None:
    site.switch(time_factor=60)
    number = site.ticket()
    site.now += 2
    assert ids(site.export(BEGIN)) == [number]


def test_line_2_no_row_ever_appears_behind_a_cursor_given_out(site: Site) -> None:
    """Two tickets change in one second, the lower id last: both are behind the next cursor, whenever it is asked."""
    site.switch(time_factor=1000, export_replays=False, limits=False)
    first, second = site.ticket(), site.ticket()
    seen: list[int] = []
    cursor = site.export(BEGIN)["after_cursor"]
    for step in range(40):
        if step == 10:
            site.put(second, priority="high")
        if step == 12:
            site.put(first, priority="high")
        page = site.export(f"cursor={cursor}")
        cursor = page["after_cursor"]
        seen += [row["id"] for row in page["tickets"] if row["priority"] == "high"]
        site.now += 0.1
    assert sorted(seen) == [first, second]


def test_line_2_the_cursor_is_base64_of_generated_timestamp_and_id(site: Site) -> None:
    number = site.ticket()
    site.now += 61
    page = site.export(BEGIN)
    assert base64.b64decode(page["after_cursor"]).decode() == f"{int(START)}.0||{number}|"
    assert page["end_of_stream"] is True
    assert (page["before_url"], page["before_cursor"]) == (None, None)
    assert page["tickets"][0]["generated_timestamp"] == int(START)


def test_line_2_pages_follow_one_another_by_absolute_urls_on_the_host_called(site: Site) -> None:
    site.act("seed", count=25)
    page = site.export("start_time=0&per_page=10")
    seen = ids(page)
    while not page["end_of_stream"]:
        assert page["after_url"].startswith(site.url + "/api/v2/incremental/tickets/cursor.json?cursor=")
        page = site.get(page["after_url"].removeprefix(site.url))
        seen += ids(page)
    assert list(dict.fromkeys(seen)) == list(range(1, 26))
    assert len(seen) == 26  # one row comes again on the last page


def test_line_2_the_last_row_comes_again_at_the_end_of_the_stream(site: Site) -> None:
    number = site.ticket()
    site.now += 61
    cursor = site.export(BEGIN)["after_cursor"]
    again = site.export(f"cursor={cursor}")
    assert (ids(again), again["after_cursor"]) == ([number], cursor)
    site.switch(export_replays=False)
    assert ids(site.export(f"cursor={cursor}")) == []


def test_line_2_a_changed_ticket_moves_to_the_end_of_the_feed(site: Site) -> None:
    first, second = site.ticket(), site.ticket()
    site.now += 100
    site.put(first, priority="high")
    site.now += 61
    page = site.export(BEGIN)
    assert ids(page) == [second, first]
    assert page["tickets"][1]["generated_timestamp"] == int(START) + 100


def test_a2_a_system_change_moves_generated_timestamp_and_not_updated_at(site: Site) -> None:
    number = site.ticket()
    stamped = site.get(f"/api/v2/tickets/{number}")["ticket"]["updated_at"]
    site.now += 100
    site.act("touch", ticket=number)
    site.now += 61
    row = site.export(f"start_time={int(START) + 90}")["tickets"][0]
    assert (row["id"], row["updated_at"], row["generated_timestamp"]) == (number, stamped, int(START) + 100)


def test_line_2_ten_requests_a_minute_then_429_with_retry_after(site: Site) -> None:
    answers = [site.call("GET", f"/api/v2/incremental/tickets/cursor?{BEGIN}") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert answers[-1].json() == {
        "error": "APIRateLimitExceeded",
        "description": "Number of allowed incremental export API requests per minute exceeded",
    }
    assert answers[-1].headers["retry-after"] == "60"
    site.now += 60
    assert site.call("GET", f"/api/v2/incremental/tickets/cursor?{BEGIN}").status_code == 200


def test_line_2_a_deleted_ticket_is_a_row_with_status_deleted(site: Site) -> None:
    number = site.ticket()
    site.act("delete", ticket=number)
    site.now += 61
    assert [(row["id"], row["status"]) for row in site.export(BEGIN)["tickets"]] == [(number, "deleted")]
    assert ids(site.export(BEGIN + "&exclude_deleted=true")) == []
    site.act("erase", ticket=number)
    site.now += 61
    assert site.export(BEGIN)["tickets"][0]["subject"] == "SCRUBBED"


def test_line_2_side_loads_are_lists_beside_the_tickets(site: Site) -> None:
    site.ticket(requester={"name": "Nia", "email": "nia@example.com"})
    site.now += 61
    page = site.export(BEGIN + "&include=users,groups,organizations,metric_sets")
    assert [user["email"] for user in page["users"]] == ["nia@example.com"]
    assert page["groups"][0]["name"] == "Support"
    assert page["metric_sets"] == []


def test_line_2_a_start_inside_the_last_minute_is_refused(site: Site) -> None:
    response = site.call("GET", f"/api/v2/incremental/tickets/cursor?start_time={int(START)}")
    assert (response.status_code, response.json()["error"]) == (400, "StartTimeTooRecent")


@pytest.mark.parametrize("cursor", ["nonsense", "bm9uc2Vuc2U=", "%2525"])
def test_a3_a_cursor_that_cannot_be_read_is_refused(site: Site, cursor: str) -> None:
    assert site.call("GET", f"/api/v2/incremental/tickets/cursor?cursor={cursor}").status_code == 400


def test_a3_an_export_without_start_or_cursor_is_refused(site: Site) -> None:
    response = site.call("GET", "/api/v2/incremental/tickets/cursor")
    assert response.json()["error"] == "ParameterMissing"


def test_a3_the_time_based_export_repeats_the_rows_of_its_last_second(site: Site) -> None:
    for _ in range(3):
        site.ticket()
    site.now += 61
    page = site.get(f"/api/v2/incremental/tickets.json?{BEGIN}&per_page=2")
    assert (page["count"], page["end_time"], page["end_of_stream"]) == (2, int(START), False)
    again = site.get(page["next_page"].removeprefix(site.url) + "&per_page=2")
    assert ids(again) == ids(page)


def test_a3_ticket_events_name_the_updater_and_leave_comments_out_unless_asked(site: Site) -> None:
    site.ticket()
    site.now += 61
    plain = site.get(f"/api/v2/incremental/ticket_events.json?{BEGIN}")["ticket_events"][0]
    assert plain["updater_id"] == site.sandbox.model.hub.id
    assert {event["event_type"] for event in plain["child_events"]} == {"Create"}
    full = site.get(f"/api/v2/incremental/ticket_events.json?{BEGIN}&include=comment_events")["ticket_events"][0]
    assert "Comment" in {event["event_type"] for event in full["child_events"]}


def test_a2_keys_of_a_later_api_can_be_added_to_every_ticket(site: Site) -> None:
    number = site.ticket()
    site.switch(extra_ticket_keys={"mood": "fine"})
    site.now += 61
    assert site.export(BEGIN)["tickets"][0]["mood"] == "fine"
    assert site.get(f"/api/v2/tickets/{number}")["ticket"]["mood"] == "fine"
