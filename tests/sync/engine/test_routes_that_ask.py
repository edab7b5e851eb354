"""Routes that propose, attach, or demand a field: nothing is created that nobody asked for."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from sync.store.tables import deliveries, parked
from tests.support.launch import Launch
from tests.sync.engine.conftest import Make
from tests.sync.mapping.records import shipped_texts

ROUTE = """
routes:
  - name: outage
    when: {tags: {any: [outage]}, connection: [support]}
    ACT
"""


def started(make: Make, act: str) -> Launch:
    day = make(routes=ROUTE.replace("ACT", act))
    day.world.start()
    day.world.wait(60)
    return day


def waiting(day: Launch) -> list[tuple[str, str, int]]:
    """(reason, detail, id) of what is parked now."""
    with day.world.store.read() as conn:
        found = conn.execute(select(parked).where(parked.c.ended_at.is_(None))).all()
    return [(row.reason, row.detail, row.id) for row in found]


PROPOSE = "propose: {connection: tracker, fields: {project: OPS}}"


def test_a_proposed_issue_is_created_when_a_person_says_yes(make: Make) -> None:
    """The reason is `proposed` until then, and nothing is written anywhere."""
    day = started(make, PROPOSE)
    ticket = day.ticket(subject="No checkout", tags=["outage"])
    day.world.wait(600)
    assert day.issues() == []
    [(reason, detail, number)] = waiting(day)
    assert (reason, detail) == ("proposed", "the route outage proposes it")
    assert day.world.command("retry", parked=number).ok
    day.world.wait(180)
    assert [issue["summary"] for issue in day.issues()] == ["No checkout"]
    assert day.statuses(ticket, day.issues()[0]["key"])[1] == "To Do"
    assert waiting(day) == []


def test_a_proposed_issue_is_never_created_when_a_person_says_no(make: Make) -> None:
    day = started(make, PROPOSE)
    ticket = day.ticket(tags=["outage"])
    day.world.wait(60)
    [(_, _, number)] = waiting(day)
    assert day.world.command("skip", parked=number, why="known").ok
    day.tag(ticket, add=("urgent",))
    day.world.wait(600)
    assert day.issues() == []
    assert waiting(day) == []


def test_a_ticket_is_attached_to_the_issue_that_the_route_names(make: Make) -> None:
    day = started(make, "attach: {connection: tracker, record: OPS-1}")
    key = day.issue(project="OPS")
    assert key == "OPS-1"
    first, second = day.ticket(tags=["outage"]), day.ticket(tags=["outage", "fr"])
    day.world.wait(300)
    assert [issue["key"] for issue in day.issues()] == [key]
    assert len(day.issue_now(key)["remote_links"]) == 2
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.world.wait(300)
    assert {day.ticket_now(each)["status"] for each in (first, second)} == {"solved"}


def test_a_create_without_a_required_field_is_parked_and_the_field_is_named(make: Make) -> None:
    day = started(make, "create: {connection: tracker, fields: {project: OPS}, required: [customfield_10042]}")
    day.ticket(tags=["outage"])
    day.world.wait(300)
    assert day.issues() == []
    [(reason, detail, _)] = waiting(day)
    assert reason == "required_field"
    assert detail == "no value for customfield_10042, which the mapping or the route outage requires"
    with day.world.store.read() as conn:
        assert [row.state for row in conn.execute(select(deliveries).where(deliveries.c.kind == "create"))] == [
            "parked"
        ]


@pytest.mark.parametrize("public", [False, True])
def test_the_text_of_a_created_ticket_is_internal_unless_the_mapping_says_that_customers_may_see_it(
    make: Make, public: bool
) -> None:
    text = shipped_texts()["zendesk.yaml"]
    texts = {"zendesk.yaml": text.replace("\ncreate: ", "\ncreate:\n  public: true\n#") if public else text}
    day = make(
        routes="routes:\n  - {name: out, when: {connection: [tracker]}, create: {connection: support}}\n", texts=texts
    )
    day.world.start()
    day.world.wait(60)
    day.issue(summary="Checkout fails", description="The customer's card was charged twice.")
    day.world.wait(300)
    [first, *_] = day.ticket_now(1)["comments"]
    assert "charged twice" in first["body"]
    assert first["public"] is public
