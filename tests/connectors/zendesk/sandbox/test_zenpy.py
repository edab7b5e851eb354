"""The vendor's foreign client, zenpy, against the stand-in over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from zenpy import Zenpy
from zenpy.lib.api_objects import Comment, Link, Ticket, Webhook
from zenpy.lib.exception import (
    APIException,
    RecordNotFoundException,
    SearchResponseLimitExceeded,
    TooManyValuesException,
)

from tests.connectors.zendesk.sandbox.site import START, Site


def built(site: Site, session: requests.Session, **credentials: Any) -> Any:
    """A zenpy that talks plain http to the stand-in, its cache and its own retries off."""
    host, _, port = (urlsplit(site.url).netloc).partition(":")
    adapter = HTTPAdapter(max_retries=0)
    session.mount("http://", adapter)
    session.trust_env = False
    first, _, rest = host.partition(".")
    client = Zenpy(
        subdomain=first,
        domain=f"{rest}:{port}",
        session=session,
        timeout=(3, 10),
        disable_cache=True,
        **(credentials or {"email": "hub@example.com", "token": "sandbox-api-token"}),
    )
    for part in vars(client).values():
        if hasattr(part, "protocol"):
            part.protocol = "http"
    return client


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.fixture
def zenpy(site: Site, session: requests.Session) -> Any:
    return built(site, session)


def test_zenpy_creates_and_reads_a_ticket(site: Site, zenpy: Any) -> None:
    made = zenpy.tickets.create(Ticket(subject="s", description="d", tags=["a"], external_id="hc-1"))
    assert (made.ticket.status, made.audit.events[0]["type"]) == ("new", "Comment")
    ticket = zenpy.tickets(id=made.ticket.id)
    assert (ticket.subject, ticket.tags, ticket.description) == ("s", ["a"], "d")
    assert [each.id for each in zenpy.tickets(ids=[made.ticket.id, 999])] == [made.ticket.id]
    assert [each.id for each in zenpy.tickets(external_id="hc-1")] == [made.ticket.id]
    assert len(list(zenpy.tickets())) == 1


def test_zenpy_updates_safely(site: Site, zenpy: Any) -> None:
    ticket = zenpy.tickets(id=site.ticket())
    stamped = str(ticket.updated_at)
    ticket.status = "open"
    ticket.safe_update = True
    ticket.updated_stamp = stamped
    ticket.additional_tags = ["hub"]
    ticket.metadata = {"hub_op": "d-1"}
    ticket.comment = Comment(body="note", public=False)
    answer = zenpy.tickets.update(ticket)
    assert (answer.ticket.status, answer.ticket.tags) == ("open", ["hub"])
    assert answer.audit.metadata.custom == {"hub_op": "d-1"}
    site.now += 5
    site.act("status", ticket=ticket.id, status="pending")
    ticket.status, ticket.safe_update, ticket.updated_stamp = "solved", True, stamped  # zenpy sends what was set since
    with pytest.raises(APIException) as caught:
        zenpy.tickets.update(ticket)
    assert caught.value.response.status_code == 409


def test_zenpy_adds_sets_and_deletes_tags(site: Site, zenpy: Any) -> None:
    number = site.ticket(tags=["a"])
    assert list(zenpy.tickets.add_tags(number, ["b"])) == ["a", "b"]
    assert list(zenpy.tickets.delete_tags(number, ["a"])) == ["b"]
    assert list(zenpy.tickets.set_tags(number, ["z"])) == ["z"]
    assert site.record(number)["tags"] == ["z"]


def test_zenpy_reads_audits_and_comments(site: Site, zenpy: Any) -> None:
    number = site.ticket()
    for status in ("open", "pending", "open"):
        site.act("status", ticket=number, status=status)
    audits = list(zenpy.tickets.audits(number))
    assert [audit.author_id for audit in audits[1:]] == [6130907993102] * 3
    assert [comment.body for comment in zenpy.tickets.comments(number)] == ["Please help."]


def test_zenpy_walks_the_cursor_export_to_its_end(site: Site, zenpy: Any) -> None:
    site.act("seed", count=1500)
    walked = zenpy.tickets.incremental(start_time=0, paginate_by_time=False)
    assert sorted({ticket.id for ticket in walked}) == list(range(1, 1501))
    assert walked.end_of_stream is True
    number = site.ticket()
    site.now += 61
    more = zenpy.tickets.incremental(cursor=walked.after_cursor, paginate_by_time=False)
    assert number in [ticket.id for ticket in more]


def test_zenpy_makes_lists_and_deletes_jira_links(site: Site, zenpy: Any) -> None:
    number = site.ticket()
    zenpy.jira_links.create(Link(ticket_id=number, issue_id="10001", issue_key="OPS-1"))
    site.act("link", ticket=number, issue_id="10002", issue_key="OPS-2")
    links = list(zenpy.jira_links())
    assert [link.issue_key for link in links] == ["OPS-1", "OPS-2"]
    assert [link.issue_key for link in zenpy.jira_links(issue_id="10002")] == ["OPS-2"]
    zenpy.jira_links.delete(links[0])
    assert [link["issue_key"] for link in site.state()["links"]] == ["OPS-2"]


def test_zenpy_manages_webhooks(site: Site, zenpy: Any) -> None:
    wanted = Webhook(
        name="hypercare",
        endpoint="http://127.0.0.1:9/hooks/support",
        http_method="POST",
        request_format="json",
        status="active",
        subscriptions=["zen:event-type:ticket.status_changed"],
    )
    made = zenpy.webhooks.create(wanted)
    assert [hook.name for hook in zenpy.webhooks.list()] == ["hypercare"]
    secret = zenpy.webhooks.show_secret(made)
    assert secret.algorithm == "SHA256"
    assert zenpy.webhooks.reset_secret(made).secret != secret.secret
    zenpy.webhooks.patch(Webhook(id=made.id, name="renamed"))
    assert zenpy.webhooks(id=made.id).name == "renamed"
    site.act("status", ticket=site.ticket(), status="open")
    assert len(list(zenpy.webhooks.invocations(made))) == 1
    zenpy.webhooks.delete(made)
    assert list(zenpy.webhooks.list()) == []


def test_zenpy_follows_bulk_jobs_merges_and_deletes(site: Site, zenpy: Any) -> None:
    one, two = zenpy.tickets(id=site.ticket()), zenpy.tickets(id=site.ticket())
    one.priority = two.priority = "high"
    job = zenpy.tickets.update([one, two])
    site.now += 2
    assert zenpy.job_status(id=job.id).status == "completed"
    job = zenpy.tickets.merge(target=one, source=two)
    site.now += 2
    assert zenpy.job_status(id=job.id).results.success is True
    assert zenpy.tickets(id=two.id).status == "closed"
    zenpy.tickets.delete(one)
    assert [gone.id for gone in zenpy.tickets.deleted()] == [one.id]
    zenpy.tickets.restore(one)
    assert zenpy.tickets(id=one.id).priority == "high"


def test_zenpy_knows_the_errors(site: Site, zenpy: Any) -> None:
    with pytest.raises(RecordNotFoundException):
        zenpy.tickets(id=999)
    with pytest.raises(TooManyValuesException):
        zenpy.tickets(ids=list(range(1, 102)))
    site.switch(search_cap=100)
    with pytest.raises(SearchResponseLimitExceeded):
        zenpy.search._get(f"{site.url}/api/v2/search.json?query=type:ticket&page=2")


def test_zenpy_searches_and_knows_who_it_is(site: Site, zenpy: Any) -> None:
    number = site.ticket(external_id="hc-1")
    site.now += 61
    assert [ticket.id for ticket in zenpy.search(type="ticket", external_id="hc-1")] == [number]
    assert zenpy.users.me().email == "hub@example.com"
    assert [status.default for status in zenpy.custom_statuses()].count(True) == 5


def test_zenpy_works_with_an_oauth_token(site: Site, session: requests.Session) -> None:
    asked = {"grant_type": "client_credentials", "client_id": "hypercare", "client_secret": "sandbox-client-secret"}
    token = site.call("POST", "/oauth/tokens", asked, auth=None).json()["access_token"]
    assert built(site, session, oauth_token=token).users.me().role == "admin"


def test_zenpy_never_sees_a_write_it_did_not_repeat(site: Site, zenpy: Any) -> None:
    """One request a call: what the stand-in's log is for."""
    ticket = zenpy.tickets(id=site.ticket())
    site.fault(kind="drop_after", operation="tickets.update", count=1)
    ticket.status = "open"
    with pytest.raises(requests.exceptions.ConnectionError):
        zenpy.tickets.update(ticket)
    assert site.get("/_sandbox/requests")["counts"]["tickets.update"] == 1
    assert site.record(ticket.id)["status"] == "open"
    assert site.now == START
