"""The sweep: every linked record is read once a day, evenly, and what no feed shows is found by it."""

from __future__ import annotations

from datetime import timedelta

from sync.engine import sweep
from tests.support.launch import Launch
from tests.sync.engine.views import calls, many

HOUR = 3600.0


def hours(day: Launch, count: int) -> list[int]:
    """How many tickets were read in each of so many hours, with a sweep tick every ten minutes."""
    found = []
    for _ in range(count):
        before = len(calls(day, "support", "tickets.show"))
        for _ in range(6):
            day.world.clock.advance(HOUR / 6)
            for connected in day.world.hub.connections.values():
                sweep.sweep(day.world.hub, connected)
            day.world.quiet(polls=False)
        found.append(len(calls(day, "support", "tickets.show")) - before)
    return found


def ids_read(day: Launch) -> set[str]:
    return {row["path"].rsplit("/", 1)[-1].removesuffix(".json") for row in calls(day, "support", "tickets.show")}


def test_every_linked_record_is_read_within_a_day_and_none_twice(day: Launch) -> None:
    _, tickets = many(day, 24)
    before = len(calls(day, "support", "tickets.show"))
    hours(day, 25)
    assert ids_read(day) >= {str(each) for each in tickets}
    assert len(calls(day, "support", "tickets.show")) - before == 24


def test_the_reads_of_a_sweep_are_spread_evenly(day: Launch) -> None:
    many(day, 24)
    read = hours(day, 72)
    assert max(read) <= 4, read
    assert sum(read) <= 24 * 72 / 18 + 4


def test_a_remote_link_made_by_hand_is_found_within_a_day(day: Launch) -> None:
    ticket, key = day.linked_pair()
    other = day.ticket(subject="Me too")
    day.world.wait(300)
    day.jira.act({"act": "remote_link", "issue": key, "url": f"http://127.0.0.1:8101/agent/tickets/{other}"})
    hours(day, 24)
    assert day.item(f"support:{other}") == day.item(f"support:{ticket}")


def test_the_oldest_unswept_record_is_told_and_never_older_than_a_day(day: Launch) -> None:
    support = day.world.hub.named("support")
    assert sweep.oldest_unswept(day.world.hub, support) is None
    many(day, 12)
    for _ in range(30):
        hours(day, 1)
        oldest = sweep.oldest_unswept(day.world.hub, support)
        assert oldest is not None
        assert day.world.clock.now() - oldest <= timedelta(hours=24.5)


def test_records_that_cannot_be_read_do_not_starve_the_others(day: Launch) -> None:
    _, tickets = many(day, 12)
    for ticket in tickets[:6]:
        day.zendesk.act({"act": "forbid", "ticket": ticket})
    hours(day, 30)
    reads = [row["path"] for row in calls(day, "support", "tickets.show")]
    for ticket in tickets[6:]:
        assert any(path.endswith((f"/{ticket}", f"/{ticket}.json")) for path in reads), ticket


def test_a_paused_connection_is_not_swept(day: Launch) -> None:
    many(day, 6)
    day.world.command("pause", connection="support")
    assert sum(hours(day, 30)) == 0


def test_a_sweep_writes_nothing(day: Launch) -> None:
    many(day, 6)
    before = day.writes()
    hours(day, 26)
    assert day.writes() == before
