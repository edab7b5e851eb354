"""The control face on Jira: state, acts, switches, and the shared faults in Jira's shapes."""

from __future__ import annotations

import http.server
import queue
import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import requests

from connectors.jira.sandbox import build
from connectors.jira.sandbox.webhooks import signature
from connectors.sandbox.control import Mistaken
from connectors.sandbox.server import RunningSandbox, serve
from tests.connectors.jira.sandbox.site import HUB, CountingRng, HandClock, Site


def fault(site: Site, **rule: Any) -> None:
    assert site.post("/_sandbox/faults", rule, auth=None).status == 200


def test_the_state_shows_everything_behind_the_api() -> None:
    site = Site(index_lag=60.0)
    key = site.create(labels=["launch"])
    site.post(f"issue/{key}/remotelink", {"globalId": "g", "object": {"url": "https://z/1", "title": "1"}})
    site.act("comment", issue=key, body="hello")
    site.act("transition", issue=key, to="In Progress")
    state = site.get("/_sandbox/state", auth=None).json
    (issue,) = state["issues"]
    assert (issue["key"], issue["status"], issue["labels"], issue["creator"]) == (key, "In Progress", ["launch"], "hub")
    assert [link["globalId"] for link in issue["remote_links"]] == ["g"]
    assert [comment["body"] for comment in issue["comments"]] == ["hello"]
    assert [(row["by"], row["items"][0]["new"]) for row in issue["changelog"]] == [("engineer", "In Progress")]
    assert issue["version"] == 3
    assert state["creates"] == {"hub": 1}
    assert state["writes"] == {
        "hub create": 1,
        "hub remote_link": 1,
        "engineer comment": 1,
        "engineer transition": 1,
    }
    assert state["requests"] == {"issue.create": 1, "remotelinks.put": 1}


def test_acts_edit_behind_the_apis_back() -> None:
    site = Site()
    key = site.act("create", summary="x", labels=["a"], priority="High", status="Done")["key"]
    other = site.act("create", summary="y", project="WEB", by="reviewer")["key"]
    site.act("edit", issue=key, summary="z", add_labels=["b"], remove_labels=["a"], assignee="reviewer")
    link = site.act("link", issue=key, other=other)["id"]
    site.act("unlink", link=link)
    site.act("remote_link", issue=key, url="https://z/1", globalId="g")
    site.act("remove_remote_link", issue=key, url="https://z/1")
    site.act("property", issue=key, key="k", value=1)
    site.act("project", key="NEW")
    site.act("move", issue=other, project="NEW")
    issue = site.issue(key)
    assert (issue["summary"], issue["labels"], issue["status"], issue["assignee"]) == ("z", ["b"], "Done", "reviewer")
    assert (issue["remote_links"], issue["links"], issue["properties"]) == ([], [], {"k": 1})
    site.act("delete", issue="NEW-1")
    assert len(site.sandbox.state()["issues"]) == 1


@pytest.mark.parametrize(
    "command",
    [
        {"act": "dream"},
        {"act": "create"},
        {"act": "comment", "issue": "OPS-9", "body": "x"},
        {"act": "transition", "issue": "OPS-1", "to": "Done"},
        {"act": "transition", "issue": "OPS-1", "to": "Nowhere", "force": True},
        {"act": "create", "summary": "x", "by": "nobody"},
        {"act": "create", "summary": "x", "project": "NOPE"},
        {"act": "permission", "project": "OPS", "permission": "FLY"},
        {"act": "remove_remote_link", "issue": "OPS-1", "globalId": "g"},
    ],
)
def test_a_command_that_cannot_be_done_says_why(command: dict[str, Any]) -> None:
    site = Site()
    site.create()
    with pytest.raises(Mistaken) as mistaken:
        site.sandbox.act(command)
    assert str(mistaken.value)
    answer = site.post("/_sandbox/act", command, auth=None)
    assert answer.status == 400
    assert answer.json["error"]


def test_a_switch_that_does_not_exist_moves_nothing() -> None:
    site = Site()
    for wrong in ({"index_lagg": 1}, {"index_lag": "long"}, {"workflow": "dream"}, {"time_factor": 0}):
        answer = site.post("/_sandbox/settings", wrong, auth=None)
        assert answer.status == 400, wrong
    assert site.get("/_sandbox/settings", auth=None).json["workflow"] == "stock"
    with pytest.raises(ValueError, match="index_lagg"):
        build(HandClock(), CountingRng(), settings={"index_lagg": 1})


@pytest.mark.parametrize(("kind", "status"), [("unauthorised", 401), ("forbidden", 403), ("rate_limited", 429)])
def test_a_fault_answers_in_jiras_shape(kind: str, status: int) -> None:
    site = Site()
    fault(site, kind=kind, operation="issue.*", count=1)
    answer = site.get("issue/OPS-1")
    assert answer.status == status
    assert "message" in answer.json or "errorMessages" in answer.json


def test_a_stale_read_shows_the_issue_before_its_latest_change() -> None:
    site = Site()
    key = site.create()
    site.put(f"issue/{key}", {"update": {"labels": [{"add": "a"}]}})
    site.post(f"issue/{key}/transitions", {"transition": {"id": "11"}})
    fault(site, kind="stale_read", operation="issue.get", count=1)
    stale, fresh = (site.get(f"issue/{key}").json["fields"] for _ in range(2))
    assert (stale["status"]["name"], stale["labels"]) == ("To Do", ["a"])
    assert fresh["status"]["name"] == "In Progress"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "issue/{}", {"update": {"labels": [{"add": "a"}]}}, 204),
        ("PUT", "issue/{}?returnIssue", {"update": {"labels": [{"add": "a"}]}}, 200),
        ("POST", "issue/{}/transitions", {"transition": {"id": "11"}}, 204),
        ("POST", "issue/{}/remotelink", {"globalId": "g", "object": {"url": "https://z/1", "title": "1"}}, 201),
        ("DELETE", "issue/{}", None, 204),
        ("POST", "issue", {"fields": {"project": {"key": "OPS"}, "issuetype": {"name": "Bug"}, "summary": "x"}}, 201),
    ],
)
def test_an_ignored_write_is_answered_and_not_done(method: str, path: str, body: Any, status: int) -> None:
    site = Site()
    site.act("webhook", url="https://hub.example")
    key = site.create()
    site.hooks()
    before = [site.sandbox.state()[name] for name in ("issues", "writes", "creates")]
    fault(site, kind="ignore_write", method="write", path="/rest/", count=1)
    path, _, returns = path.format(key).partition("?")
    asked: dict[str, Any] = {"returnIssue": "true"} if returns else {}
    answer = site.call(method, path, body, **asked)
    assert answer.status == status
    if status == 200:
        assert answer.json["fields"]["labels"] == []
    assert [site.sandbox.state()[name] for name in ("issues", "writes", "creates")] == before
    assert site.hooks() == []
    assert site.post("search/jql", {"jql": "project = OPS"}).json["issues"] == [{"id": "10000"}]


def test_calls_are_logged_by_operation_and_caller() -> None:
    site = Site()
    site.create()
    site.post("search/jql", {"jql": "project = OPS"})
    site.get("dreams")
    logged = site.get("/_sandbox/requests", auth=None).json
    assert logged["counts"] == {"issue.create": 1, "search.jql": 1, "unknown": 1}
    assert {row["caller"] for row in logged["requests"]} == {"hub"}


# --- over the wire -----------------------------------------------------------------------------------------------


@pytest.fixture
def running() -> Iterator[RunningSandbox]:
    clock = HandClock()
    with serve(build(clock, CountingRng(), settings={"index_lag": 0.0}), time_source=clock) as sandbox:
        yield sandbox


def sent(running: RunningSandbox, body: Any) -> requests.Response:
    url = f"{running.url}/rest/api/3/issue"
    return requests.post(url, json=body, headers={"authorization": HUB}, timeout=5)


BUG = {"fields": {"project": {"key": "OPS"}, "issuetype": {"name": "Bug"}, "summary": "x"}}


@pytest.mark.parametrize(("kind", "made"), [("drop_before", 0), ("drop_after", 1), ("cut_body", 1)])
def test_a_dropped_create_was_applied_or_not(running: RunningSandbox, kind: str, made: int) -> None:
    requests.post(f"{running.url}/_sandbox/faults", json={"kind": kind, "operation": "issue.create"}, timeout=5)
    with pytest.raises(requests.RequestException):
        sent(running, BUG)
    state = requests.get(f"{running.url}/_sandbox/state", timeout=5).json()
    assert len(state["issues"]) == made
    assert state["creates"].get("hub", 0) == made


class Listener(http.server.BaseHTTPRequestHandler):
    """Takes one webhook call after another and hands it to the test."""

    protocol_version = "HTTP/1.1"
    heard: queue.SimpleQueue[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.heard.put((self.headers["x-hub-signature"], body))
        self.send_response(202)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it so
        """Quiet."""


def test_a_webhook_reaches_a_listener_over_http(running: RunningSandbox) -> None:
    Listener.heard = queue.SimpleQueue()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as listener:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        act = {"act": "webhook", "url": f"http://127.0.0.1:{listener.server_port}/hook", "secret": "s"}
        requests.post(f"{running.url}/_sandbox/act", json=act, timeout=5)
        assert sent(running, BUG).status_code == 201
        signed, body = Listener.heard.get(timeout=10)
        listener.shutdown()
    assert signed == signature("s", body)
    issue = msgspec.json.decode(body)["issue"]
    # Addresses in a body lead back to the stand-in that sent it.
    assert issue["self"].startswith(running.url)
    assert issue["key"] == "OPS-1"


def test_a_hundred_thousand_issues_are_seeded_and_paged() -> None:
    site = Site(rate_limits=False)
    site.act("seed", count=100_000, project="OPS", spread=86_400)
    body = {"jql": "project = OPS AND updated >= -1h ORDER BY updated ASC", "maxResults": 100, "fields": ["summary"]}
    page = site.post("search/jql", body).json
    assert len(page["issues"]) == 100
    assert page["isLast"] is False
    assert site.post("search/approximate-count", {"jql": "project = OPS"}).json == {"count": 100_000}
