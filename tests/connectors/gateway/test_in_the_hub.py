"""A gateway's log beside a Zendesk and a Jira in one hub: what each side shows in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sync.views.explain import explain
from tests.connectors.gateway.launch import Day, launch

Make = Callable[..., Day]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Day] = []

    def build(**given: object) -> Day:
        made.append(launch(tmp_path, **given))  # type: ignore[arg-type]
        return made[-1]

    yield build
    for each in made:
        each.close()


def opened(make: Make, **given: object) -> Day:
    """A day on which a bad release has opened a signature and its issue."""
    day = make(**given)
    day.world.start()
    day.traffic(good=200)
    day.traffic(good=150, bad=50)
    day.world.wait(120)
    return day


def test_failing_calls_become_a_signature_and_an_issue(make: Make) -> None:
    day = opened(make)
    signature = day.signature()
    assert signature.fields["status"] == "open"
    assert signature.fields["title"] == "POST checkout → 500 upstream_5xx: db_timeout"
    assert signature.fields["count"] == 50
    assert {"service:shop", "route:checkout", "class:upstream_5xx"} <= set(signature.fields["tags"])
    (issue,) = day.issues()
    assert "upstream_5xx" in issue["summary"]
    assert "req-" in str(issue["description"])


def test_issue_and_signature_show_each_other(make: Make) -> None:
    day = opened(make)
    (issue,), signature = day.issues(), day.signature()
    assert [link["object"]["url"] for link in issue["remote_links"]] == [signature.ref.url]
    assert [link.target for link in signature.links or ()] == [f"http://127.0.0.1:8102/browse/{issue['key']}"]


def test_a_ticket_joins_the_item_and_is_closed_with_it(make: Make) -> None:
    day = opened(make)
    (issue,) = day.issues()
    ticket = int(day.sides["support"].act({"act": "create", "subject": "Cannot pay"})["ticket"])
    day.world.wait(120)
    answer = day.world.command("link", one=f"support:{ticket}", two=day.signature().ref.url)
    assert answer.ok, answer.message
    day.world.quiet()
    day.engineer(issue["key"], "In Progress", "Done")
    day.world.wait(180)
    records = day.sides["support"].state()["records"]
    assert next(one["status"] for one in records if int(one["id"]) == ticket) == "solved"
    assert day.status() == "resolved"


def test_two_failing_routes_are_two_records(make: Make) -> None:
    day = opened(make)
    day.traffic(good=100, bad=40, api="refund", response_body='{"error": {"code": "ledger_locked"}}')
    day.world.wait(120)
    assert {snap.fields["route"] for snap in day.signatures()} == {"checkout", "refund"}
    assert len(day.issues()) == 2


def test_explain_shows_which_calls_failed(make: Make) -> None:
    day = opened(make)
    (issue,) = day.issues()
    with day.world.store.read() as conn:
        page = explain(conn, day.world.hub, issue["key"], day.world.clock.now())
    (signal,) = [one for one in page.members if one.system == "gateway"]
    said = "\n".join(signal.evidence)
    for part in ("POST checkout of shop: 500", "Rate:", "p95", "request req-", "Consumers: 7"):
        assert part in said
    assert [one.evidence for one in page.members if one.system != "gateway"] == [()]


def test_good_calls_and_a_few_failures_open_nothing(make: Make) -> None:
    day = make()
    day.world.start()
    day.traffic(good=500, bad=5)
    day.world.wait(60)
    assert day.signatures() == []
    assert day.issues() == []


def test_a_finished_issue_resolves_its_signature_and_new_failures_open_it_again(make: Make) -> None:
    day = opened(make)
    (issue,) = day.issues()
    day.engineer(issue["key"], "In Progress")
    day.world.wait(90)
    assert day.status() == "acknowledged"
    day.engineer(issue["key"], "Done")
    day.world.wait(90)
    assert day.status() == "resolved"
    day.traffic(good=200, bad=2, seconds=30)
    day.world.wait(60)
    assert (day.status(), day.issues()[0]["status"]) == ("resolved", "Done")  # within the grace, and too few
    day.traffic(good=200, bad=20, seconds=60)
    day.world.wait(90)
    assert day.status() == "regressed"
    assert day.issues()[0]["status"] != "Done"
    assert len(day.issues()) == 1


def test_a_signature_gone_quiet_is_resolved_by_rule_and_finishes_nobody_s_work(make: Make) -> None:
    day = opened(make)
    for _ in range(20):
        day.traffic(good=50, seconds=300)
    day.world.wait(60)
    assert day.status() == "resolved"
    assert day.signature().automatic
    assert day.issues()[0]["status"] == "To Do"


def test_silence_without_traffic_resolves_nothing(make: Make) -> None:
    day = opened(make)
    for _ in range(20):
        day.traffic(seconds=300)
    assert day.status() == "open"


def test_counts_are_published_once_a_window_and_make_no_item_dirty(make: Make) -> None:
    day = opened(make)
    published = day.signature().fields["count"]
    (issue,) = day.issues()
    day.traffic(good=10, bad=30, seconds=30)
    assert day.signature().fields["count"] == published
    day.traffic(good=10, bad=30, seconds=300)
    day.traffic(good=10, bad=30, seconds=300)
    day.world.wait(30)
    assert int(day.signature().fields["count"]) > int(published)
    assert day.issues()[0]["updated"] == issue["updated"]


def test_a_restart_forgets_and_repeats_nothing(make: Make) -> None:
    day = make()
    day.world.start()
    for _ in range(5):
        day.traffic(good=40, bad=10, seconds=20)
        day.restart()
    day.world.wait(60)
    day.traffic(good=40, bad=10, seconds=300)
    assert day.signature().fields["count"] == 60
