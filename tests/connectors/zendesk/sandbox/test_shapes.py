"""Shapes against recordings, and requests that no client should send: none of them breaks the stand-in."""

from __future__ import annotations

import random
from typing import Any

import pytest

from connectors.zendesk.sandbox import connection_settings
from connectors.zendesk.sandbox.routes import ROUTES
from connectors.zendesk.settings import ZendeskSettings
from tests.connectors.zendesk.sandbox.site import HUB, Site

RECORDED_TICKET = [
    "url",
    "id",
    "external_id",
    "via",
    "created_at",
    "updated_at",
    "type",
    "subject",
    "raw_subject",
    "description",
    "priority",
    "status",
    "recipient",
    "requester_id",
    "submitter_id",
    "assignee_id",
    "organization_id",
    "group_id",
    "collaborator_ids",
    "follower_ids",
    "email_cc_ids",
    "forum_topic_id",
    "problem_id",
    "has_incidents",
    "is_public",
    "due_at",
    "tags",
    "custom_fields",
    "satisfaction_rating",
    "sharing_agreement_ids",
    "custom_status_id",
    "fields",
    "followup_ids",
    "ticket_form_id",
    "brand_id",
    "allow_channelback",
    "allow_attachments",
    "from_messaging_channel",
]
VALUES: tuple[Any, ...] = (
    None,
    True,
    7,
    -1,
    10**30,
    1.5,
    "",
    "x",
    "7",
    [],
    [None],
    [{}],
    [7, "a"],
    {},
    {"a": 1},
    "é\x00",
)


def test_a_ticket_has_the_recorded_keys_in_the_recorded_order(site: Site) -> None:
    made = site.call("POST", "/api/v2/tickets", {"ticket": {"subject": "s", "description": "d"}}).json()
    assert list(made["ticket"]) == RECORDED_TICKET
    assert list(made["audit"]) == ["id", "ticket_id", "created_at", "author_id", "metadata", "events", "via"]
    assert made["ticket"]["via"] == {"channel": "api", "source": {"from": {}, "to": {}, "rel": None}}
    site.now += 61
    row = site.export("start_time=0")["tickets"][0]
    assert list(row) == [*RECORDED_TICKET, "generated_timestamp"]


def test_events_have_the_recorded_keys(site: Site) -> None:
    number = site.ticket()
    event = site.put(number, subject="t").json()["audit"]["events"][0]
    assert list(event) == ["id", "type", "value", "field_name", "previous_value"]
    comment = site.get(f"/api/v2/tickets/{number}/comments")["comments"][0]
    assert set(comment) == {
        "id", "type", "author_id", "body", "html_body", "plain_body", "public", "attachments", "audit_id", "via",
        "created_at", "metadata",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "comment", "custom_fields", "fields", "status", "custom_status_id", "tags", "additional_tags", "remove_tags",
        "priority", "type", "assignee_id", "collaborator_ids", "requester", "requester_id", "external_id", "metadata",
        "safe_update", "updated_stamp", "subject", "description", "via_followup_source_id", "problem_id", "due_at",
    ],
)  # fmt: skip
def test_no_value_of_a_ticket_key_breaks_the_stand_in(site: Site, name: str) -> None:
    site.switch(limits=False)
    number = site.ticket()
    for value in VALUES:
        change = {name: value, "comment": {"body": "b"}} if name != "comment" else {name: value}
        for method, path in (("PUT", f"/api/v2/tickets/{number}"), ("POST", "/api/v2/tickets")):
            answer = site.call(method, path, {"ticket": change})
            assert "x-sandbox-bug" not in answer.headers, (method, value, answer.text)
    assert site.get("/_sandbox/state")["records"]
    site.now += 61
    assert site.call("GET", "/api/v2/incremental/tickets/cursor?start_time=0&include=users").status_code == 200


def test_no_body_or_query_breaks_any_endpoint(site: Site) -> None:
    site.switch(limits=False)
    site.ticket()
    rng = random.Random(5)
    queries = ["", "?page[size]=x", "?ids=x,1,-4", "?start_time=-5", "?cursor=Lnx8fA==", "?page=0&per_page=-3"]
    queries += ["?query=%22&filter[type]=ticket", "?page[after]=MQ==", "?since_id=x", "?external_id="]
    bodies: list[bytes] = [b"", b"[]", b"null", b"7", b'"x"', b"{", b"\xff", b'{"tickets":[7]}', b'{"ticket":7}']
    bodies += [b'{"webhook":{"name":"n","endpoint":7,"http_method":"POST","request_format":"json","subscriptions":7}}']
    bodies += [
        b'{"tags":7}',
        b'{"ids":["x"]}',
        b'{"link":{"ticket_id":[],"issue_id":{},"issue_key":1}}',
        b'{"tags":[{}]}',
    ]
    for route in ROUTES:
        path = route.pattern.pattern.split("(?:\\.json)")[0].replace("(?:v2|services)", "v2")
        for name in ("id", "audit", "job", "hook", "invocation"):
            path = path.replace(f"(?P<{name}>[0-9]+)", "1").replace(f"(?P<{name}>[^/]+)", "1")
        for body in rng.sample(bodies, 5) if route.method != "GET" else [b""]:
            for query in queries if route.method == "GET" else rng.sample(queries, 2):
                answer = site.session.request(
                    route.method, site.url + path + query, data=body, auth=HUB, timeout=5, allow_redirects=False
                )
                assert "x-sandbox-bug" not in answer.headers, (route.name, query, body, answer.text)


def test_every_endpoint_says_where_its_shape_comes_from() -> None:
    assert {part for route in ROUTES for part in route.source.split("/")} <= set("DCS3G")
    assert len({(route.method, route.pattern.pattern) for route in ROUTES}) == len(ROUTES)


def test_what_the_stand_in_prints_is_a_valid_configuration(site: Site) -> None:
    settings = ZendeskSettings.model_validate(connection_settings(site.sandbox, site.url))
    assert settings.url == site.url
