"""What the verdict calls agreement, and what it calls doubled."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from sync.demo.verdict import Cluster, Expected, Shown, judge

Json = Any
Break = Callable[[Json, Json, Json], None]
"""What to change: tickets, issues, and the two that machines speak through (`errors`, `gateway`)."""
URL = "http://127.0.0.1:8101/agent/tickets"


def expected() -> Expected:
    return Expected(
        hub_desk="hub@example.com",
        hub_tracker="hub",
        hub_errors="hypercare",
        marker="mark",
        clusters=[
            Cluster(
                name="the cluster",
                tags={"1": {"web"}, "2": {"ios"}},
                labels={"Gateway".casefold()},
                errors={"6000000001": {"environment-production"}},
                services={"checkout": {"service:checkout"}},
                is_done=True,
            )
        ],
        settled={"checkout": service()},
        others={"3": {"praise"}},
    )


def service(*tags: str) -> Json:
    return {"id": "checkout", "tags": ["shop", *tags], "approval_type": "auto"}


def ticket(number: str, status: str, *tags: str, **more: Json) -> Json:
    bare = {"comments": [], "links": [], "history": [{"author": "customer@example.com"}]}
    return {"id": number, "status": status, "tags": list(tags), **bare, **more}


def note(text: str = "Being worked on as OPS-1") -> Json:
    return {"author": "hub@example.com", "public": False, "body": text}


def remote(number: str) -> Json:
    return {"object": {"url": f"{URL}/{number}"}}


def seen(number: str = "6000000001") -> Json:
    return {"object": {"url": f"http://127.0.0.1:8103/organizations/acme/issues/{number}/"}}


def error(**more: Json) -> Json:
    link = {"app": "hypercare", "url": "http://127.0.0.1:8102/browse/OPS-1"}
    return {"id": "6000000001", "key": "BACKEND-1", "status": "resolved", "links": [link], **more}


def issue(key: str = "OPS-1", **more: Json) -> Json:
    made = {
        "id": "10000",
        "key": key,
        "status": "Done",
        "labels": ["web", "ios", "Gateway", "environment-production", "service:checkout"],
        "creator": "hub",
        "properties": {"mark": {"id": "m1"}},
        "remote_links": [remote("1"), remote("2"), seen()],
    }
    return {**made, **more}


def agreeing() -> Shown:
    desk = {
        "records": [
            ticket("1", "solved", "web", "gateway", "environment-production", "service:checkout", comments=[note()]),
            ticket(
                "2",
                "closed",
                "ios",
                "gateway",
                "environment-production",
                "service:checkout",
                links=[{"issue_id": "10000"}],
            ),
            ticket("3", "new", "praise"),
        ],
        "writes": {"hub@example.com": 4, "agent@example.com": 9},
    }
    return Shown(
        desk=desk,
        tracker={"issues": [issue()], "writes": {"hub edit": 2, "hub create": 1, "engineer edit": 7}},
        errors={"issues": [error()], "writes": {"hypercare update": 1, "engineer resolve": 2}},
        gateway={"services": [service()], "writes": {"service.update": 2}},
    )


def broken(change: Break) -> Shown:
    shown = copy.deepcopy(agreeing())
    change(shown.desk, shown.tracker, {"errors": shown.errors, "gateway": shown.gateway})
    return shown


def test_sides_that_agree_pass() -> None:
    verdict = judge(agreeing(), expected())
    assert (verdict.converged, verdict.duplicates_created) == (True, 0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda desk, _, __: desk["records"][0].update(status="open"), "OPS-1 is Done, ticket 1 is open"),
        (
            lambda _, site, __: site["issues"][0].update(status="In Progress"),
            "OPS-1 is In Progress, but its people left",
        ),
        (lambda _, site, __: site["issues"][0].update(status="Cancelled"), "OPS-1 is Cancelled, ticket 1 is solved"),
        (lambda desk, _, __: desk["records"][1]["tags"].remove("gateway"), "ticket 2 lacks the tag gateway"),
        (lambda _, site, __: site["issues"][0]["labels"].remove("ios"), "OPS-1 lacks the tag ios"),
        (lambda desk, _, __: desk["records"][0]["tags"].append("ios"), "ticket 1 has the tag ios, which nobody put"),
        (lambda _, site, __: site["issues"][0]["labels"].append("odd"), "OPS-1 has the tag odd, which nobody put"),
        (lambda _, site, __: site["issues"][0]["remote_links"].pop(1), "OPS-1 does not show ticket 2 among its links"),
        (lambda desk, _, __: desk["records"][0].update(comments=[]), "ticket 1 does not show OPS-1"),
        (lambda desk, _, __: desk["records"][0].update(comments=[note("see OPS-12")]), "ticket 1 does not show OPS-1"),
        (lambda desk, _, __: desk["records"][1].update(links=[{"issue_id": "10007"}]), "ticket 2 does not show OPS-1"),
        (
            lambda _, site, __: site["issues"][0]["remote_links"].append(remote("3")),
            "OPS-1 shows ticket 3, which nobody",
        ),
        (lambda _, site, __: site.update(issues=[]), "the cluster: no issue shows any of its tickets (1, 2)"),
        (lambda desk, _, __: desk["records"].pop(0), "ticket 1 is not there any more"),
        (lambda desk, _, __: desk["records"].pop(2), "ticket 3 is not there any more"),
        (
            lambda desk, _, __: desk["records"][2]["tags"].append("web"),
            "ticket 3 has the tag web, which nobody put there",
        ),
        (
            lambda _, __, both: both["errors"]["issues"][0].update(status="unresolved"),
            "OPS-1 is Done, error BACKEND-1 is unresolved",
        ),
        (
            lambda _, __, both: both["errors"]["issues"][0].update(status="ignored"),
            "OPS-1 is Done, error BACKEND-1 is ignored",
        ),
        (lambda _, __, both: both["errors"]["issues"][0]["links"].clear(), "error BACKEND-1 does not show OPS-1"),
        (lambda _, __, both: both["errors"].update(issues=[]), "error 6000000001 is not there any more"),
        (lambda _, site, __: site["issues"][0]["remote_links"].pop(2), "OPS-1 does not show error BACKEND-1 among its"),
        (
            lambda _, site, __: site["issues"][0]["remote_links"].append(seen("6000000007")),
            "OPS-1 shows error 6000000007",
        ),
        (
            lambda _, __, both: both["gateway"]["services"][0]["tags"].append("fb:open-1"),
            "the gateway shows fb:open-1 on checkout, but its people left the cluster done",
        ),
        (
            lambda _, __, both: both["gateway"]["services"][0].update(tags=[]),
            "the gateway shows no tag on checkout; its own were shop",
        ),
        (
            lambda _, __, both: both["gateway"]["services"][0].update(approval_type="manual"),
            "checkout asks for manual approval; it was auto",
        ),
        (
            lambda desk, _, __: desk["records"][2]["history"].append({"author": "hub@example.com"}),
            "ticket 3 was written to by the hub",
        ),
    ],
)
def test_what_differs_is_named(change: Break, said: str) -> None:
    verdict = judge(broken(change), expected())
    assert not verdict.converged
    assert any(each.startswith(said) for each in verdict.differences), verdict.differences


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda _, site, __: site["issues"].append(issue("OPS-2", remote_links=[], creator="engineer")),
            ["OPS-2: carries the same mark as OPS-1"],
        ),
        (
            lambda _, site, __: site["issues"].append(issue("OPS-2", properties={"mark": {"id": "m2"}})),
            ["OPS-2: a second issue for the cluster"],
        ),
        (
            lambda _, site, __: site["issues"].append(issue("OPS-2", properties={}, remote_links=[])),
            ["OPS-2: created by the hub and linked to no ticket"],
        ),
        (
            lambda _, site, __: site["issues"][0]["remote_links"].append(remote("1")),
            ["OPS-1: the link to ticket 1 once more"],
        ),
        (
            lambda _, site, __: site["issues"][0]["remote_links"].append(seen()),
            ["OPS-1: the link to error 6000000001 once more"],
        ),
        (lambda desk, _, __: desk["records"][0]["comments"].append(note()), ["ticket 1: the same note once more"]),
    ],
)
def test_what_is_doubled_is_counted_and_named(change: Break, said: list[str]) -> None:
    verdict = judge(broken(change), expected())
    assert list(verdict.doubled) == said
    assert verdict.duplicates_created == len(said)


def test_an_issue_of_an_engineer_that_nobody_linked_is_no_duplicate() -> None:
    def add(_: Json, site: Json, __: Json) -> None:
        site["issues"].append(issue("OPS-9", creator="engineer", properties={}, remote_links=[]))

    assert judge(broken(add), expected()).duplicates_created == 0


def test_only_the_hubs_writes_are_counted() -> None:
    assert agreeing().written(expected()) == {"zendesk": 4, "jira": 3, "sentry": 1, "gateway": 2}


def test_an_open_cluster_shows_at_the_gateway_with_its_issue() -> None:
    shown, wanted = agreeing(), expected()
    wanted.clusters[0].is_done = False
    assert "the gateway does not show on checkout that calls fail and OPS-1 is open" in judge(shown, wanted).differences
    shown.gateway["services"][0]["tags"] += ["fb:open-1", "fb:jira-OPS-1"]
    assert not any("gateway" in each for each in judge(shown, wanted).differences if "lacks" not in each)
