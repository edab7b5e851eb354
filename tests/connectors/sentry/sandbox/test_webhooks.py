"""Checklist: the sender of webhooks; what is told of, how it is signed, and how it fails to arrive."""

from __future__ import annotations

import hashlib
import hmac
import http.server
import queue
import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from connectors.sentry.sandbox.webhooks import signature
from tests.connectors.sentry.sandbox.site import ENGINEER, Site

Make = Callable[..., Site]


def test_a_call_is_signed_over_its_raw_compact_body(site: Site) -> None:
    site.hooked(headers={"x-extra": "1"})
    issue = site.issue()
    (call,) = site.hooks()
    wanted = hmac.new(b"s3cret", call.body, hashlib.sha256).hexdigest()
    assert call.headers["sentry-hook-signature"] == wanted
    assert (call.headers["sentry-hook-resource"], call.headers["sentry-hook-timestamp"]) == ("issue", "1790000000")
    assert len(call.headers["request-id"]) == 32
    assert call.headers["x-extra"] == "1"
    assert (call.url, call.timeout) == ("https://hub.example/hooks/sentry", 1.0)
    body = msgspec.json.decode(call.body)
    assert msgspec.json.encode(body) == call.body  # compact: another spelling has another signature
    assert set(body) == {"action", "installation", "data", "actor"}
    assert body["installation"]["uuid"] == site.state()["apps"][0]["installation"]
    assert body["data"]["issue"]["id"] == issue
    assert {"url", "web_url", "project_url"} <= set(body["data"]["issue"])
    assert body["data"]["issue"]["lastSeen"] == "2026-09-21T14:13:20+00:00"


def test_the_signature_is_of_rfc_4231() -> None:
    wanted = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert signature("Jefe", b"what do ya want for nothing?") == wanted


def test_later_actions_carry_no_links_and_whole_microseconds(make: Make) -> None:
    site = make().hooked()
    issue = site.issue()
    site.put(issue, status="resolved")
    site.switch(links_in_hooks=True)
    site.put(issue, status="unresolved")
    site.switch(links_in_hooks=False)
    site.hooks()
    site.put(issue, status="resolved")
    ((_, body),) = site.told()
    assert {"url", "web_url", "project_url"} & set(body["data"]["issue"]) == set()
    assert body["data"]["issue"]["lastSeen"] == "2026-09-21T14:13:20.000000Z"
    assert body["data"]["resolution_type"] == "now"


def test_a_call_shows_the_issue_as_it_is_when_it_is_sent(make: Make) -> None:
    site = make(hook_delay=5.0).hooked()
    issue = site.issue()
    assert site.hooks() == []
    site.put(issue, status="resolved")
    site.now += 5
    told = site.told()
    assert [body["action"] for _, body in told] == ["created", "resolved"]
    assert told[0][1]["data"]["issue"]["status"] == "resolved"


def test_the_actor_of_every_app_is_the_app_that_is_told(site: Site) -> None:
    site.hooked()
    site.act("webhook", app="other", url="https://other.example", secret="x")
    issue = site.issue()
    first = site.told()
    assert [body["actor"]["id"] for _, body in first] == ["sentry", "sentry"]
    site.call("PUT", f"issues/{issue}/", {"status": "resolved"}, auth="Bearer other-token")
    actors = [body["actor"] for _, body in site.told()]
    assert [actor["name"] for actor in actors] == ["hypercare", "Other"]
    assert {actor["type"] for actor in actors} == {"application"}
    site.call("PUT", f"issues/{issue}/", {"status": "unresolved"}, auth=ENGINEER)
    assert site.told()[0][1]["actor"] == {"type": "user", "id": 2, "name": "Engineer"}


def test_only_subscribed_resources_are_told(site: Site) -> None:
    site.hooked(resources=["comment"])
    issue = site.issue()
    site.act("comment", issue=issue, text="hello")
    ((resource, body),) = site.told()
    assert resource == "comment"
    assert body["action"] == "created"
    assert set(body["data"]) == {"comment_id", "issue_id", "project_slug", "timestamp", "comment"}
    assert (body["data"]["issue_id"], body["data"]["comment"]) == (int(issue), "hello")


@pytest.mark.parametrize(
    ("form", "actions"), [("ignored", ["ignored"]), ("archived", ["archived"]), ("both", ["ignored", "archived"])]
)
def test_an_archived_issue_has_several_names(make: Make, form: str, actions: list[str]) -> None:
    site = make(archived_action=form).hooked()
    issue = site.issue()
    site.hooks()
    site.act("archive", issue=issue)
    assert [body["action"] for _, body in site.told()] == actions


def test_what_emits_nothing(site: Site) -> None:
    issue, other = site.issue(), site.issue("E2")
    archived = site.issue("E3")
    site.act("archive", issue=archived)
    site.act("assign", issue=issue, to="user:2")
    site.hooked()
    site.act("reopen", issue=archived)  # archived, reopened by a user: a signal that nobody wired
    site.act("assign", issue=issue, to="user:3")
    site.act("assign", issue=issue, to="")
    site.act("priority", issue=issue, priority="low")
    site.act("link", issue=issue, name="OPS#1", url="https://jira.example/OPS-1")
    site.act("unlink", issue=issue)
    site.act("update", issue=issue, set={"isBookmarked": True, "hasSeen": True})
    site.act("merge", issues=[issue, other])
    site.act("event", title="KeyError: cart", tags={"new": "tag"})
    site.act("delete", issue=archived)
    site.now += 8 * 86_400
    assert site.told() == []


def test_what_emits_something(make: Make) -> None:
    site = make(reassign_hooks=True, error_hooks=True, other_issue_hooks=True).hooked()
    issue = site.issue(user={"id": 1})
    site.act("assign", issue=issue, to="user:2")
    site.act("assign", issue=issue, to="team:1")
    site.act("archive", issue=issue, substatus="archived_until_escalating")
    site.act("escalate", issue=issue)
    site.act("feedback", message="Please")
    told = site.told()
    assert [f"{resource}.{body['action']}" for resource, body in told] == [
        "issue.created",
        "error.created",
        "issue.assigned",
        "issue.assigned",
        "issue.ignored",
        "issue.unresolved",
        "issue.created",
        "error.created",
    ]
    assert told[1][1]["data"]["error"]["issue_id"] == issue
    assert ["environment", "production"] in told[1][1]["data"]["error"]["tags"]  # pairs here, objects in REST
    assert told[2][1]["data"]["assignee"]["email"] == "engineer@example.com"
    assert told[3][1]["data"]["assignee"] == {"type": "team", "id": "1", "name": "payments"}
    assert told[5][1]["data"]["issue"]["substatus"] == "escalating"
    site.switch(hook_hides_email=True)
    site.act("assign", issue=issue, to="user:2")
    assert "email" not in site.told()[0][1]["data"]["assignee"]


def test_new_feedback_is_not_told_without_the_feature(site: Site) -> None:
    site.hooked()
    site.act("feedback", message="Please")
    assert site.told() == []


@pytest.mark.parametrize("era", ["unresolved_hooks", "regression_hooks", "sync_hooks", "age_hooks"])
def test_older_eras_do_not_tell_of_it(make: Make, era: str) -> None:
    names: list[list[str]] = []
    for tells in (True, False):
        site = make(resolve_age=24, **{era: tells}).hooked()
        issue = site.issue()
        site.hooks()
        match era:
            case "regression_hooks" | "unresolved_hooks":
                site.act("resolve", issue=issue)
                site.hooks()
                site.now += 60
                site.issue()
            case "sync_hooks":
                site.act("resolve", issue=issue, by="sync")
            case _:
                site.now += 86_401
        assert site.record(issue)["activity"][-1]["by"] == "system"
        names.append(site.names())
    assert names == [["issue.unresolved" if era in {"unresolved_hooks", "regression_hooks"} else "issue.resolved"], []]


def test_alerts_and_installations_are_told(site: Site) -> None:
    site.hooked()
    issue = site.issue(tags={"customer": "a"})
    site.act("webhook", kind="legacy", url="https://hub.example/legacy")
    site.hooks()
    site.act("alert", issue=issue, rule="Too many")
    site.act("metric_alert", action="critical", title="Failures")
    plain, alert, metric = site.hooks()
    legacy = msgspec.json.decode(plain.body)
    assert "sentry-hook-signature" not in plain.headers
    assert (legacy["id"], legacy["triggering_rules"], legacy["event"]["tags"][0]) == (
        issue,
        ["Too many"],
        ["customer", "a"],
    )
    body = msgspec.json.decode(alert.body)
    assert (body["action"], body["data"]["triggered_rule"], body["data"]["event"]["issue_id"]) == (
        "triggered",
        "Too many",
        issue,
    )
    assert msgspec.json.decode(metric.body)["data"]["metric_alert"]["title"] == "Failures"
    assert metric.headers["sentry-hook-resource"] == "metric_alert"
    site.act("install", installed=False)
    ((resource, body),) = site.told()
    assert (resource, body["action"], body["data"]["installation"]["app"]["slug"]) == (
        "installation",
        "deleted",
        "hypercare",
    )
    site.issue("E2")
    assert site.told() == []


# --- arriving --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [None, 500, 404])
def test_an_internal_app_gets_no_second_try(site: Site, status: int | None) -> None:
    site.hooked()
    site.issue()
    (call,) = site.hooks()
    site.sandbox.hook_answered(call, status, site.now)
    site.now += 86_400
    assert site.hooks() == []
    assert site.state()["hooks"]["answered"] == {str(status): 1}


def test_a_published_app_gets_three_more_tries_but_not_after_4xx(site: Site) -> None:
    site.hooked(published=True)
    site.issue()
    (call,) = site.hooks()
    requests = {call.headers["request-id"]}
    for status in (500, None, 503):
        site.sandbox.hook_answered(call, status, site.now)
        assert site.hooks() == []
        site.now += 300
        (call,) = site.hooks()
        requests.add(call.headers["request-id"])
    assert len(requests) == 4  # a new one for each attempt
    site.sandbox.hook_answered(call, 500, site.now)
    site.now += 3000
    assert site.hooks() == []
    site.issue("E2")
    (call,) = site.hooks()
    site.sandbox.hook_answered(call, 400, site.now)
    site.now += 3000
    assert site.hooks() == []


def test_too_many_timeouts_in_a_day_end_the_subscription(make: Make) -> None:
    site = make(hook_timeouts_allowed=3).hooked()
    for number, pause in enumerate((86_400, 60, 60, 60)):
        site.issue(f"E{number}")
        (call,) = site.hooks()
        site.sandbox.hook_answered(call, None, site.now)
        site.now += pause
    assert site.state()["apps"][0]["unsubscribed"] is True
    site.issue("late")
    assert site.hooks() == []
    site.hooked()
    site.issue("later")
    assert len(site.hooks()) == 1


def test_a_breaker_drops_the_calls_of_a_failing_app(make: Make) -> None:
    site = make(hook_breaker=True, hook_breaker_failures=2).hooked()
    for number, status in enumerate((500, 202, 500, 500)):  # two in a row, not two in all
        site.issue(f"E{number}")
        (call,) = site.hooks()
        site.sandbox.hook_answered(call, status, site.now)
    site.issue("dropped")
    assert site.hooks() == []
    assert site.state()["hooks"]["dropped"] == 1
    site.now += 300
    site.issue("heard")
    assert len(site.hooks()) == 1


def test_calls_may_be_dropped_doubled_or_out_of_order(make: Make) -> None:
    dropping = make(hook_drops=1.0).hooked()
    dropping.issue()
    assert dropping.hooks() == []
    doubling = make(hook_duplicates=1.0).hooked()
    doubling.issue()
    first = doubling.hooks()
    doubling.now += 1
    second = doubling.hooks()
    assert [len(first), len(second)] == [1, 1]
    assert first[0].body == second[0].body
    mixing = make(hook_reorder=0.5, hook_reorder_within=10.0).hooked()
    mixing.chance.draws = [0.1, 0.9, 0.9]
    mixing.issue("first")
    mixing.issue("second")
    titles = [body["data"]["issue"]["title"] for _, body in mixing.told()]
    mixing.now += 10
    titles += [body["data"]["issue"]["title"] for _, body in mixing.told()]
    assert titles == ["second", "first"]


class Listener(http.server.BaseHTTPRequestHandler):
    """Takes one webhook call after another and hands it to the test; `silent` lets them time out."""

    protocol_version = "HTTP/1.1"
    heard: queue.SimpleQueue[tuple[str, bytes]]
    silent: threading.Event

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.heard.put((self.headers["sentry-hook-signature"], body))
        if self.path == "/slow":
            self.silent.wait(10)
        self.send_response(202)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it so
        """Quiet."""


def test_a_call_reaches_a_listener_over_http_and_is_not_waited_for_long(make: Make) -> None:
    site = make(sends=True, hook_timeout=0.2)
    Listener.heard, Listener.silent = queue.SimpleQueue(), threading.Event()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as listener:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        site.act("webhook", url=f"http://127.0.0.1:{listener.server_port}/hook", secret="s3cret")
        issue = site.issue()
        signed, body = Listener.heard.get(timeout=10)
        site.act("webhook", url=f"http://127.0.0.1:{listener.server_port}/slow", secret="s3cret")
        site.act("resolve", issue=issue)
        Listener.heard.get(timeout=10)
        while site.state()["hooks"]["answered"].get("None") != 1:
            pass
        Listener.silent.set()
        listener.shutdown()
    assert signed == hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert msgspec.json.decode(body)["data"]["issue"]["web_url"].startswith(site.url)
    assert site.state()["hooks"]["answered"] == {"202": 1, "None": 1}
