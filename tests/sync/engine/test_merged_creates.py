"""A create of an item that went up into another one follows its ticket: no issue stands alone, none is made twice."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from connectors.sandbox.faults import FaultKind, FaultRule
from sync.store.tables import conflicts, journal
from tests.support.launch import ROUTES, Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.views import members


def started(make: Make) -> Launch:
    day = make(routes=ROUTES)
    day.world.start()
    day.world.wait(60)
    return day


def rules(day: Launch) -> list[str]:
    with day.world.store.read() as conn:
        return list(conn.execute(select(journal.c.rule).where(journal.c.field == "record")).scalars())


def kinds(day: Launch) -> list[str]:
    with day.world.store.read() as conn:
        return list(conn.execute(select(conflicts.c.kind)).scalars())


def doubtful(day: Launch, count: int = 1) -> None:
    """The next creates take place and nobody hears of it for a while."""
    faults = day.jira.control.faults
    faults.add(FaultRule(kind=FaultKind.DROP_AFTER, operation="issue.create", count=count))
    faults.add(FaultRule(kind=FaultKind.UNAVAILABLE, operation="issue.bulkfetch", count=30, seconds=1))


def made(day: Launch, count: int) -> None:
    for _ in range(120):
        if len(day.issues()) == count:
            return
        day.world.wait(1)
    raise AssertionError(f"{len(day.issues())} issues")


def join(day: Launch, one: int, two: int) -> None:
    assert day.world.command("link", one=f"support:{one}", two=f"support:{two}").ok
    assert day.item(f"support:{one}") == day.item(f"support:{two}")


def test_a_create_in_doubt_comes_home_with_its_ticket(make: Make) -> None:
    day = started(make)
    doubtful(day)
    one, two = day.ticket(subject="First"), day.ticket(subject="Second")
    third = day.ticket(subject="Third", tags=["outage"])
    made(day, 1)
    join(day, one, two)
    join(day, third, one)
    day.world.wait(1800)
    [issue] = day.issues()
    assert day.item(issue["key"]) == day.item(f"support:{third}") == day.item(f"support:{one}")
    assert members(day, day.item(issue["key"])) == 4


def test_a_create_in_doubt_of_the_younger_item_is_the_issue_of_the_older(make: Make) -> None:
    day = started(make)
    one, two = day.ticket(subject="First"), day.ticket(subject="Second")
    day.world.wait(60)
    join(day, one, two)
    doubtful(day)
    third = day.ticket(subject="Third", tags=["outage"])
    made(day, 1)
    join(day, third, one)
    day.world.wait(1800)
    [issue] = day.issues()
    assert day.item(issue["key"]) == day.item(f"support:{third}") == day.item(f"support:{one}")
    assert [rule for rule in rules(day) if rule.startswith("create ")] == [
        f"create moved to hc-{day.item(issue['key'])}",
        f"create came from hc-{day.item(issue['key']) + 1}",
    ]


def test_a_create_in_doubt_that_comes_to_an_item_with_an_issue_is_related(make: Make) -> None:
    day = started(make)
    one, issue = day.linked_pair(start=False)
    doubtful(day)
    two = day.ticket(tags=["outage"])
    made(day, 2)
    join(day, two, one)
    day.world.wait(1800)
    created = next(each["key"] for each in day.issues() if each["key"] != issue)
    assert day.item(issue) == day.item(f"support:{two}") != day.item(created)
    assert kinds(day) == ["two_trackers"]


def test_two_creates_in_doubt_of_one_item_are_related(make: Make) -> None:
    day = started(make)
    doubtful(day, 2)
    one = day.ticket(tags=["outage"])
    made(day, 1)
    two = day.ticket(tags=["outage"])
    made(day, 2)
    join(day, one, two)
    day.world.wait(1800)
    first, second = (day.item(each["key"]) for each in day.issues())
    home = day.item(f"support:{one}")
    assert home == day.item(f"support:{two}")
    assert home in (first, second)
    assert first != second
    assert kinds(day) == ["two_trackers"]


@pytest.mark.parametrize("issue_there", [True, False])
def test_a_create_that_waits_is_dropped_where_one_is_there_or_asked_for(make: Make, issue_there: bool) -> None:
    day = started(make)
    one = day.linked_pair(start=False)[0] if issue_there else 0
    before = len(day.issues())
    day.jira.control.faults.add(FaultRule(kind=FaultKind.RATE_LIMITED, operation="issue.create", count=2, seconds=60))
    one = one or day.ticket(tags=["outage"])
    two = day.ticket(tags=["outage"])
    day.world.wait(5)
    join(day, two, one)
    day.world.wait(1800)
    assert len(day.issues()) == (before if issue_there else 1)
    assert day.item(f"support:{two}") == day.item(day.issues()[0]["key"])
    assert any(rule.startswith("create dropped: ") for rule in rules(day))
    assert kinds(day) == []


def test_a_create_that_waits_comes_home_to_an_item_without_one(make: Make) -> None:
    day = started(make)
    one, two = day.ticket(subject="First"), day.ticket(subject="Second")
    day.world.wait(60)
    join(day, one, two)
    day.jira.control.faults.add(FaultRule(kind=FaultKind.RATE_LIMITED, operation="issue.create", count=2, seconds=60))
    third = day.ticket(tags=["outage"])
    day.world.wait(5)
    assert day.issues() == []
    join(day, third, one)
    day.world.wait(1800)
    [issue] = day.issues()
    assert day.item(issue["key"]) == day.item(f"support:{one}") == day.item(f"support:{third}")


def put_off(day: Launch) -> None:
    """The next creates are certainly not made for a while."""
    faults = day.jira.control.faults
    faults.add(FaultRule(kind=FaultKind.RATE_LIMITED, operation="issue.create", count=2, seconds=120))


def one_issue_of(day: Launch, survivor: int) -> None:
    [issue] = day.issues()
    assert day.item(issue["key"]) == day.item(f"support:{survivor}")
    assert day.links_on(issue["key"]) == [f"http://127.0.0.1:8101/agent/tickets/{survivor}"]
    assert len(day.notes_on(survivor)) >= 1


def test_a_create_whose_ticket_is_merged_away_before_it_is_sent_goes_on_for_the_survivor(make: Make) -> None:
    day = started(make)
    survivor = day.ticket(subject="The same, longer")
    day.world.wait(60)
    put_off(day)
    first = day.ticket(tags=["outage"])
    day.world.wait(5)
    day.zendesk.act({"act": "merge", "ticket": survivor, "from": [first]})
    day.world.wait(1800)
    one_issue_of(day, survivor)
    assert day.issues()[0]["summary"] == "The same, longer"


def test_a_survivor_that_nobody_had_read_takes_the_place_of_the_merged_ticket(make: Make) -> None:
    day = make(routes=ROUTES)
    survivor = day.ticket(subject="From long ago")
    day.world.clock.advance(200 * 86400)
    day.world.start()
    day.world.wait(60)
    first = day.ticket(tags=["outage"])
    day.world.wait(300)
    [issue] = day.issues()
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.UNAVAILABLE, operation="tickets.show", skip=1, count=4))
    day.zendesk.act({"act": "merge", "ticket": survivor, "from": [first]})
    day.world.wait(1800)
    assert day.item(issue["key"]) == day.item(f"support:{survivor}")


def test_a_waiting_create_whose_survivor_has_an_issue_is_dropped(make: Make) -> None:
    day = started(make)
    survivor, issue = day.linked_pair(start=False)
    put_off(day)
    first = day.ticket(tags=["outage"])
    day.world.wait(5)
    day.zendesk.act({"act": "merge", "ticket": survivor, "from": [first]})
    day.world.wait(1800)
    assert [each["key"] for each in day.issues()] == [issue]
    assert day.item(issue) == day.item(f"support:{survivor}")
