"""A list has shown a change and the feed has gone on: a direct reading from before that change is no answer."""

from __future__ import annotations

import pytest

from connectors.sandbox.faults import FaultKind, FaultRule
from tests.support.launch import Launch
from tests.sync.engine.views import members, presence


def rule(day: Launch, count: int) -> None:
    day.jira.control.faults.add(FaultRule(kind=FaultKind.STALE_READ, operation="issue.get", count=count))


def test_a_change_that_a_list_has_shown_is_read_until_a_reading_shows_it(day: Launch) -> None:
    """Found by a history (race 71010): the place in the feed had passed the change, and nobody asked for it again."""
    ticket, key = day.linked_pair()
    day.world.wait(120)
    day.world.hooks_on = False
    rule(day, 2)
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.world.wait(90, step=10)
    assert [each["fired"] for each in day.jira.control.faults.listing()] == [2]
    assert day.ticket_now(ticket)["status"] == "solved"


def test_it_is_not_read_for_ever(day: Launch) -> None:
    _, key = day.linked_pair()
    day.world.wait(120)
    day.world.hooks_on = False
    rule(day, 100)
    day.label(key, add="vip")
    day.world.wait(1200)
    [listing] = day.jira.control.faults.listing()
    assert listing["fired"] == 4


def stale(day: Launch, count: int) -> None:
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.STALE_READ, operation="tickets.show", count=count))


def fired(day: Launch) -> list[int]:
    return [each["fired"] for each in day.zendesk.control.faults.listing()]


@pytest.mark.parametrize("pause", [60, 0], ids=["later", "in the second of an edit"])
def test_a_merge_that_a_list_has_shown_is_read_until_a_reading_shows_it(day: Launch, pause: float) -> None:
    """Found by histories (mixed 300662, race 300983): an old reading was taken for the answer, and the ticket stayed.

    A version names a second: a reading of the merge's own may be of an edit before it.
    """
    ticket, key = day.linked_pair()
    survivor = day.ticket(subject="The same, longer")
    day.world.wait(120)
    day.world.hooks_on = False
    day.tag(ticket, add=("vip",))
    day.world.wait(pause)
    stale(day, 2)
    day.zendesk.act({"act": "merge", "ticket": survivor, "from": [ticket]})
    day.world.wait(180, step=10)
    assert fired(day) == [2]
    assert presence(day, "support", str(ticket)) == "merged"
    assert day.item(key) == day.item(f"support:{survivor}")
    assert members(day, day.item(key)) == 2


def test_a_ticket_that_is_there_though_a_list_has_shown_it_gone_is_not_read_for_ever(day: Launch) -> None:
    ticket, key = day.linked_pair()
    survivor = day.ticket(subject="The same, longer")
    day.world.wait(120)
    day.world.hooks_on = False
    stale(day, 100)
    day.zendesk.act({"act": "merge", "ticket": survivor, "from": [ticket]})
    day.world.wait(1200)
    assert fired(day) == [4]
    assert presence(day, "support", str(ticket)) == "present"
    assert members(day, day.item(key)) == 2
