"""The brake: a connection is held when too much goes missing, or too much would be written from one cause."""

from __future__ import annotations

import pytest

from sync.engine.hub import EngineSettings
from tests.support.launch import ROUTES, Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.views import holds_now, item_count, many, members, presence, waiting

FEW = EngineSettings(brake_missing=(4, 0.05), brake_writes=(4, 0.10))


def finish(day: Launch, key: str) -> None:
    """The engineers finish an issue, so every ticket of it is to be solved."""
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.world.wait(120)


def solved(day: Launch, tickets: list[int]) -> int:
    return sum(day.ticket_now(each)["status"] == "solved" for each in tickets)


@pytest.mark.parametrize(("count", "held"), [(50, False), (51, True)])
def test_writes_to_more_than_fifty_records_from_one_cause_wait_for_a_person(
    day: Launch, count: int, held: bool
) -> None:
    key, tickets = many(day, count)
    finish(day, key)
    found = holds_now(day)
    assert bool(found) is held
    assert solved(day, tickets) == (0 if held else count)
    if not held:
        return
    assert (found[0].connection, found[0].reason, found[0].count) == ("support", "mass_writes", 51)
    assert len(found[0].samples) == 10
    assert "tracker: status resolved" in found[0].detail
    assert waiting(day, "support") == 51


def test_held_writes_go_out_when_a_person_releases_them(make: Make) -> None:
    day = make(settings=FEW)
    key, tickets = many(day, 6)
    finish(day, key)
    assert solved(day, tickets) == 0
    day.world.wait(3600, step=300)
    assert solved(day, tickets) == 0, "no time passes a brake"
    answer = day.world.command("resume", hold=holds_now(day)[0].id)
    assert answer.ok
    day.world.wait(300)
    assert solved(day, tickets) == 6
    assert holds_now(day) == []


def test_a_held_connection_survives_a_restart(make: Make) -> None:
    day = make(settings=FEW)
    key, tickets = many(day, 6)
    finish(day, key)
    day.world.restart()
    day.world.wait(600)
    assert solved(day, tickets) == 0
    assert [each.reason for each in holds_now(day)] == ["mass_writes"]


def test_a_share_of_many_records_is_allowed_where_the_fixed_number_is_passed(make: Make) -> None:
    day = make(settings=EngineSettings(brake_writes=(4, 1.0)))
    key, tickets = many(day, 6)
    finish(day, key)
    assert holds_now(day) == []
    assert solved(day, tickets) == 6


def test_a_cause_that_was_undone_while_held_writes_nothing_after_the_release(make: Make) -> None:
    day = make(settings=FEW)
    key, tickets = many(day, 6)
    finish(day, key)
    day.engineer(key, "To Do")
    day.world.wait(120)
    for hold in holds_now(day):
        day.world.command("resume", hold=hold.id)
    day.world.wait(300)
    assert solved(day, tickets) == 0
    assert waiting(day, "support") == 0


def test_many_small_causes_are_no_mass(make: Make) -> None:
    day = make(settings=FEW)
    key, tickets = many(day, 6)
    for number, ticket in enumerate(tickets):
        day.tag(ticket, add=(f"own-{number}",))
    day.world.wait(300)
    assert holds_now(day) == []
    assert len(day.issue_now(key)["labels"]) == 6


def test_a_bulk_edit_of_many_items_brakes_the_other_side(make: Make) -> None:
    day = make(settings=FEW)
    pairs = [day.linked_pair(subject=f"Ticket {number}") for number in range(6)]
    for ticket, _ in pairs:
        day.agent(ticket, "solved")
    day.world.wait(300)
    found = holds_now(day)
    assert [(each.connection, each.reason) for each in found] == [("tracker", "mass_writes")]
    assert found[0].count > 4
    done = sum(day.issue_now(key)["status"] == "Done" for _, key in pairs)
    assert done <= 4
    day.world.command("resume", hold=found[0].id)
    day.world.wait(300)
    assert [day.issue_now(key)["status"] for _, key in pairs] == ["Done"] * 6


# --- absences --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lost", "held"), [(20, False), (21, True)])
def test_more_than_twenty_linked_records_gone_in_an_hour_hold_the_connection(
    day: Launch, lost: int, held: bool
) -> None:
    key, tickets = many(day, 30)
    for ticket in tickets[:lost]:
        day.zendesk.act({"act": "delete", "ticket": ticket})
    day.world.wait(600)
    day.world.sweep()
    found = [each for each in holds_now(day) if each.reason == "mass_missing"]
    assert bool(found) is held
    if held:
        assert found[0].count == 21
        assert len(found[0].samples) == 10
        assert f"{found[0].count} of 30 linked records" in found[0].detail
        assert members(day, day.item(key)) == 31, "absences are not believed while held"
        assert len(day.issue_now(key)["remote_links"]) == 30
    else:
        assert members(day, day.item(key)) == 11


def test_absences_are_believed_once_a_person_says_so(make: Make) -> None:
    day = make(settings=FEW)
    key, tickets = many(day, 8)
    for ticket in tickets[:6]:
        day.zendesk.act({"act": "delete", "ticket": ticket})
    day.world.wait(600)
    assert members(day, day.item(key)) == 9
    day.world.command("resume", hold=holds_now(day)[0].id)
    day.world.wait(600)
    assert members(day, day.item(key)) == 3
    assert holds_now(day) == []
    assert day.issue_now(key)["status"] == "To Do"


def read_anew(day: Launch, key: str) -> None:
    """A person asks for every record of an item to be read."""
    assert day.world.command("refresh", item=key).ok
    day.world.wait(120)


def test_records_that_may_not_be_seen_any_more_hold_the_connection_and_remove_nothing(make: Make) -> None:
    day = make(settings=FEW)
    key, tickets = many(day, 8)
    day.tag(tickets[0], add=("checkout",))
    day.world.wait(300)
    before = day.issue_now(key)
    for ticket in tickets:
        day.zendesk.act({"act": "forbid", "ticket": ticket})
    read_anew(day, key)
    assert [each.reason for each in holds_now(day)] == ["mass_missing"]
    assert presence(day, "support", str(tickets[0])) == "unreachable"
    assert seen(day.issue_now(key)) == seen(before)
    assert members(day, day.item(key)) == 9
    day.world.command("resume", hold=holds_now(day)[0].id)
    day.world.wait(300)
    assert seen(day.issue_now(key)) == seen(before), "even a person's word does not make them deleted"
    assert members(day, day.item(key)) == 9


def seen(issue: dict[str, object]) -> tuple[object, ...]:
    return issue["status"], issue["labels"], issue["remote_links"]


def test_a_permission_given_back_goes_on_as_if_nothing_had_been(make: Make) -> None:
    day = make(settings=EngineSettings(brake_writes=(50, 1.0)))
    key, tickets = many(day, 8)
    for ticket in tickets:
        day.zendesk.act({"act": "forbid", "ticket": ticket})
    read_anew(day, key)
    finish(day, key)
    for ticket in tickets:
        day.zendesk.act({"act": "allow", "ticket": ticket})
    assert solved(day, tickets) == 0
    day.world.sweep()
    assert presence(day, "support", str(tickets[0])) == "present"
    assert solved(day, tickets) == 8


def test_a_project_that_may_no_longer_be_seen_removes_nothing_in_zendesk(make: Make) -> None:
    day = make(settings=FEW)
    pairs = [day.linked_pair(tags=[f"kept-{number}"]) for number in range(6)]
    day.world.wait(120)
    before = [day.ticket_now(ticket) for ticket, _ in pairs]
    day.jira.act({"act": "permission", "by": "hub", "project": "OPS", "permission": "BROWSE_PROJECTS"})
    for _, key in pairs:
        day.world.command("refresh", item=key)
    day.world.wait(300)
    assert [(each.connection, each.reason) for each in holds_now(day)] == [("tracker", "mass_missing")]
    assert [day.ticket_now(ticket) for ticket, _ in pairs] == before
    assert item_count(day) == 6
    day.jira.act({"act": "permission", "by": "hub", "project": "OPS", "permission": "BROWSE_PROJECTS", "allowed": True})
    day.world.sweep()
    day.world.command("resume", hold=holds_now(day)[0].id)
    day.agent(pairs[0][0], "solved")
    day.world.wait(300)
    assert day.issue_now(pairs[0][1])["status"] == "Done"


def old_tickets(make: Make, count: int) -> Launch:
    """A launch whose hub has just been told to route tickets from before its start."""
    day = make(settings=FEW, routes=ROUTES)
    for number in range(count):
        day.ticket(subject=f"Ticket {number}", tags=["outage"])
    begun = day.world.clock.now()
    day.world.clock.advance(7200)
    day.world.start("tracker")
    day.world.wait(60)
    assert day.world.command("start", connection="support", since=begun.isoformat()).ok
    return day


@pytest.mark.parametrize(("count", "held"), [(4, False), (5, True)])
def test_creates_for_many_records_from_before_wait_for_a_person(make: Make, count: int, held: bool) -> None:
    day = old_tickets(make, count)
    day.world.wait(300)
    found = holds_now(day)
    assert bool(found) is held
    assert len(day.issues()) == (0 if held else count)
    if not held:
        return
    assert (found[0].connection, found[0].reason, found[0].count) == ("tracker", "mass_writes", 5)
    assert "records from before, by route outage" in found[0].detail
    assert found[0].samples
    assert day.world.command("resume", hold=found[0].id).ok
    day.world.wait(300)
    assert len(day.issues()) == count


def test_tags_put_on_many_old_tickets_at_once_create_nothing_before_a_person_has_looked(make: Make) -> None:
    day = make(settings=FEW, routes=ROUTES)
    day.world.start()
    day.world.wait(60)
    tickets = [day.ticket(subject=f"Ticket {number}") for number in range(6)]
    day.world.wait(7200, step=600)
    for ticket in tickets:
        day.tag(ticket, add=("outage",))
    day.world.wait(120)
    assert day.issues() == []
    assert [(each.connection, each.reason) for each in holds_now(day)] == [("tracker", "mass_writes")]


def test_a_rush_of_new_tickets_gets_its_issues(make: Make) -> None:
    day = make(settings=FEW, routes=ROUTES)
    day.world.start()
    day.world.wait(60)
    for number in range(8):
        day.ticket(subject=f"Ticket {number}", tags=["outage"])
    day.world.wait(300)
    assert holds_now(day) == []
    assert len(day.issues()) == 8
