"""The vendor's own library, unmodified, against the stand-in over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jira import JIRA, JIRAError

from connectors.jira.sandbox import build
from connectors.sandbox.server import RunningSandbox, serve
from tests.connectors.jira.sandbox.site import CountingRng, HandClock


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def cloud(clock: HandClock) -> Iterator[RunningSandbox]:
    with serve(build(clock, CountingRng(), settings={"index_lag": 0.0}), time_source=clock) as running:
        yield running


@pytest.fixture
def server(clock: HandClock) -> Iterator[RunningSandbox]:
    settings = {"index_lag": 0.0, "context": "/jira"}
    with serve(build(clock, CountingRng(), deployment="Server", settings=settings), time_source=clock) as running:
        yield running


@pytest.fixture
def client(cloud: RunningSandbox) -> Iterator[JIRA]:
    client = JIRA(
        server=cloud.url, basic_auth=("hub@example.com", "hub-token"), max_retries=0, timeout=(3, 10), logging=False
    )
    yield client
    client.close()  # type: ignore[no-untyped-call]


@pytest.fixture
def server_client(server: RunningSandbox) -> Iterator[JIRA]:
    client = JIRA(server=server.url + "/jira", token_auth="hub-pat", max_retries=0, timeout=(3, 10), logging=False)
    yield client
    client.close()  # type: ignore[no-untyped-call]


def new_issue(client: JIRA, summary: str = "Checkout fails", **fields: Any) -> Any:
    return client.create_issue(project="OPS", issuetype={"name": "Bug"}, summary=summary, **fields)


def test_the_library_recognises_the_deployment(client: JIRA, server_client: JIRA) -> None:
    assert client.deploymentType == "Cloud"
    assert server_client.deploymentType == "Server"


def test_the_library_knows_who_it_is(client: JIRA, server_client: JIRA) -> None:
    assert client.myself()["accountId"] == "712020:hub"
    assert client.myself()["timeZone"] == "UTC"
    assert server_client.myself()["name"] == "hub"


def test_an_issue_made_by_the_library_is_read_back(client: JIRA) -> None:
    issue = new_issue(client, labels=["launch"])
    assert issue.key == "OPS-1"
    assert issue.fields.status.name == "To Do"
    assert issue.fields.labels == ["launch"]


def test_enhanced_search_pages_by_token(client: JIRA) -> None:
    for number in range(5):
        new_issue(client, f"Issue {number}")
    seen: list[str] = []
    token: str | None = None
    while True:
        page = client.enhanced_search_issues(
            "project = OPS ORDER BY updated ASC",
            nextPageToken=token,
            maxResults=2,
            fields=["summary", "status"],
            json_result=True,
        )
        assert isinstance(page, dict)
        seen += [issue["fields"]["summary"] for issue in page["issues"]]
        token = page.get("nextPageToken")
        if token is None:
            break
    assert seen == [f"Issue {number}" for number in range(5)]


def test_enhanced_search_gives_all_as_objects_over_get_and_post(client: JIRA) -> None:
    for number in range(3):
        new_issue(client, f"Issue {number}")
    for use_post in (False, True):
        found = client.enhanced_search_issues("project = OPS", maxResults=0, fields=["summary"], use_post=use_post)
        assert sorted(issue.fields.summary for issue in found) == ["Issue 0", "Issue 1", "Issue 2"]


def test_the_count_is_answered(client: JIRA) -> None:
    new_issue(client)
    assert client.approximate_issue_count("project = OPS") == 1


def test_the_library_walks_the_workflow_by_number_and_by_name(client: JIRA) -> None:
    issue = new_issue(client)
    assert {step["name"]: step["to"]["name"] for step in client.transitions(issue)} == {
        "Start work": "In Progress",
        "Block": "Blocked",
        "Reject": "Won't Do",
    }
    client.transition_issue(issue, "11")
    client.transition_issue(issue, "Request review")
    assert client.issue(issue.key).fields.status.name == "In Review"


def test_a_step_that_is_not_open_is_refused(client: JIRA) -> None:
    issue = new_issue(client)
    with pytest.raises(JIRAError) as refused:
        client.transition_issue(issue, "31")
    assert refused.value.status_code == 400


def test_labels_are_added_and_removed_as_deltas(client: JIRA) -> None:
    issue = new_issue(client, labels=["kept", "old"])
    issue.update(update={"labels": [{"add": "new"}, {"remove": "old"}]}, notify=False)
    assert issue.fields.labels == ["kept", "new"]


def test_remote_links_are_listed_and_deleted_by_global_id(client: JIRA) -> None:
    issue = new_issue(client)
    with pytest.warns(Warning, match="applicationlinks"):
        client.add_remote_link(
            issue.key, {"url": "https://z.example/1", "title": "Ticket 1"}, globalId="zendesk=z&ticket=1"
        )
    assert [link.globalId for link in client.remote_links(issue.key)] == ["zendesk=z&ticket=1"]
    client.delete_remote_link(issue.key, global_id="zendesk=z&ticket=1")
    assert client.remote_links(issue.key) == []


def test_comments_are_written_and_read(client: JIRA) -> None:
    issue = new_issue(client)
    client.add_comment(issue, "Looking into it")
    assert [comment.body for comment in client.comments(issue.key)] == ["Looking into it"]


def test_the_changelog_is_read_by_expansion(client: JIRA) -> None:
    issue = new_issue(client)
    client.transition_issue(issue, "11")
    read = client.issue(issue.key, expand="changelog")
    assert [(item.field, item.toString) for item in read.changelog.histories[0].items] == [("status", "In Progress")]
    assert read.changelog.histories[0].author.accountId == "712020:hub"


def test_data_center_is_searched_by_offset(server_client: JIRA) -> None:
    for number in range(3):
        new_issue(server_client, f"Issue {number}")
    page = server_client.search_issues(
        "project = OPS ORDER BY updated ASC, id ASC", startAt=1, maxResults=1, json_result=True
    )
    assert isinstance(page, dict)
    assert (page["startAt"], page["maxResults"], page["total"]) == (1, 1, 3)
    assert [issue["fields"]["summary"] for issue in page["issues"]] == ["Issue 1"]


def test_data_center_takes_transitions_labels_links_and_comments(server_client: JIRA) -> None:
    issue = new_issue(server_client)
    server_client.transition_issue(issue, "Start work")
    issue.update(update={"labels": [{"add": "launch"}]})
    server_client.add_simple_link(issue.key, {"url": "https://z.example/1", "title": "Ticket 1"})
    server_client.add_comment(issue, "h2. Seen")
    read = server_client.issue(issue.key, expand="changelog")
    assert read.fields.status.name == "In Progress"
    assert read.fields.labels == ["launch"]
    assert [item.field for history in read.changelog.histories for item in history.items] == ["status", "labels"]
    assert [link.object.url for link in server_client.remote_links(issue.key)] == ["https://z.example/1"]
    assert read.fields.comment.comments[0].author.name == "hub"


def test_wrong_credentials_raise_a_401(cloud: RunningSandbox) -> None:
    with pytest.raises(JIRAError) as refused:
        JIRA(server=cloud.url, basic_auth=("hub@example.com", "wrong"), max_retries=0, timeout=3, logging=False)
    assert refused.value.status_code == 401


def test_a_deleted_issue_is_gone(client: JIRA) -> None:
    issue = new_issue(client)
    issue.delete()
    with pytest.raises(JIRAError) as refused:
        client.issue(issue.key)
    assert refused.value.status_code == 404
