"""Every command answers: what it did, or why it did not and what would work."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import insert, select

from sync.engine import commands
from sync.engine.commands import Refused
from sync.engine.find import NotFound
from sync.store.tables import commands as table
from tests.support.launch import Launch
from tests.sync.engine.views import feed, holds_now


def ask(day: Launch, verb: str, args: Any) -> dict[str, Any]:
    """Write a command as the command line does, and have the daemon carry out what waits."""
    row = {"at": day.world.clock.now(), "verb": verb, "args": msgspec.json.encode(args)}
    number = day.world.store.step(lambda conn: conn.execute(insert(table).values(**row)).inserted_primary_key)
    assert number is not None
    assert commands.carry_out(day.world.hub)
    with day.world.store.read() as conn:
        found = conn.execute(select(table).where(table.c.id == number[0])).one()
    assert found.done_at is not None
    answer: dict[str, Any] = msgspec.json.decode(found.answer)
    return answer


BAD = [
    ("start", {}, "say which connection is meant"),
    ("start", {"connection": "nowhere"}, "there is no connection 'nowhere'; known: support, tracker"),
    (
        "start",
        {"connection": "support", "since": "soon"},
        "'soon' is not a time: write it like 2026-03-01T09:00:00+00:00",
    ),
    (
        "start",
        {"connection": "support", "since": "2026-03-01T09:00:00"},
        "'2026-03-01T09:00:00' names no time zone: write it like 2026-03-01T09:00:00+00:00",
    ),
    (
        "start",
        {"connection": "support", "since": "2126-03-01T09:00:00+00:00"},
        "2126-03-01T09:00:00+00:00 is in the future",
    ),
    ("pause", {"connection": "support"}, "support only observes: nothing is written to it anyway"),
    ("pause", {"connection": 7}, "say which connection is meant"),
    ("resume", {}, "None is not the number of anything; `hypercare holds` lists the numbers"),
    ("resume", {"hold": "one"}, "'one' is not the number of anything; `hypercare holds` lists the numbers"),
    ("resume", {"hold": 99}, "there is no hold 99; `hypercare holds` lists them"),
    ("retry", {"parked": "-1"}, "'-1' is not the number of anything; `hypercare parked` lists the numbers"),
    ("retry", {"parked": 4}, "nothing is parked as 4; `hypercare parked` lists what is"),
    ("skip", {"parked": 4, "why": "no"}, "nothing is parked as 4; `hypercare parked` lists what is"),
    ("link", {"one": "OPS-1"}, "say which two is meant"),
    (
        "link",
        {"one": "OPS-1", "two": "support:1"},
        "nothing known goes by 'OPS-1': give an item (hc-1042), CONNECTION:ID, an issue key or an address",
    ),
    (
        "unlink",
        {"record": "support:12"},
        "support has shown no record '12' so far; one that was made just now is known after the next poll",
    ),
    ("unlink", {"record": "elsewhere:12"}, "there is no connection 'elsewhere'; known: support, tracker"),
    ("import", {"connection": "support", "since": "x"}, "'x' is not a time: write it like 2026-03-01T09:00:00+00:00"),
    ("refresh", {"item": "hc-7"}, "there is no item hc-7 yet"),
    ("accept", {"proposal": 3}, "there is no proposal 3; `hypercare proposals` lists them"),
    ("refuse", {"proposal": "x"}, "'x' is not the number of anything; `hypercare proposals` lists the numbers"),
    ("dance", {}, "this daemon does not know 'dance': it may be older than the command line"),
    ("start", ["support"], "say which connection is meant"),
    ("start", None, "say which connection is meant"),
]


@pytest.mark.parametrize(("verb", "args", "message"), BAD, ids=lambda value: str(value)[:40])
def test_a_command_that_cannot_be_carried_out_says_why_and_what_would_work(
    day: Launch, verb: str, args: Any, message: str
) -> None:
    answer = ask(day, verb, args)
    assert (answer["ok"], answer["message"]) == (False, message)


def test_a_command_that_failed_changes_nothing_and_the_next_one_is_carried_out(day: Launch) -> None:
    assert not ask(day, "start", {"connection": "support", "since": "soon"})["ok"]
    assert ask(day, "start", {"connection": "support"})["ok"]


def test_start_and_pause_say_what_holds_from_now_on(day: Launch) -> None:
    day.world.wait(60)
    assert ask(day, "start", {"connection": "support"})["message"] == "support is live: it is written to from now on"
    assert ask(day, "start", {"connection": "support"})["message"].startswith("support is live already, since 2026-")
    told = ask(day, "pause", {"connection": "support"})["message"]
    assert told == "support is paused; `hypercare start support` lets it go on"
    assert ask(day, "pause", {"connection": "support"})["message"] == "support is paused already"
    assert ask(day, "start", {"connection": "support"})["message"] == "support goes on"


def test_records_are_linked_and_unlinked_by_any_of_their_names(day: Launch) -> None:
    ticket, key = day.ticket(), day.issue()
    day.world.wait(120)
    answer = ask(day, "link", {"one": f"http://127.0.0.1:8101/agent/tickets/{ticket}", "two": key})
    assert answer["message"] == "both belong to hc-1"
    assert answer["data"] == {"item": 1}
    assert day.item("hc-1") == day.item(f"support:{ticket}") == day.item(f"http://127.0.0.1:8102/browse/{key}")
    assert ask(day, "unlink", {"record": key})["message"] == f"{key} has left hc-1"
    assert ask(day, "unlink", {"record": key})["message"] == f"{key} belongs to no item"


def test_a_record_is_not_linked_to_itself(day: Launch) -> None:
    ticket = day.ticket()
    day.world.wait(120)
    answer = ask(day, "link", {"one": f"support:{ticket}", "two": f"http://127.0.0.1:8101/agent/tickets/{ticket}"})
    assert not answer["ok"]
    assert answer["message"].endswith("are the same record")


def test_two_issues_are_not_joined_by_command(day: Launch) -> None:
    _, one = day.linked_pair()
    _, two = day.linked_pair()
    answer = ask(day, "link", {"one": one, "two": two})
    assert not answer["ok"]
    assert "unlink one issue first" in answer["message"]


def test_a_deleted_record_is_not_linked(day: Launch) -> None:
    ticket, key = day.linked_pair()
    other = day.issue()
    day.world.wait(60)
    day.zendesk.act({"act": "delete", "ticket": ticket})
    day.world.wait(300)
    answer = ask(day, "link", {"one": f"support:{ticket}", "two": other})
    assert answer["message"] == f"support:{ticket} is gone on its system: it cannot be linked"
    assert day.item(key)


def test_a_hold_is_released_once(day: Launch) -> None:
    day.linked_pair()
    copy = day.world.folder / "copy.db"
    day.world.store.backup(copy)
    day.world.store.close()
    (day.world.folder / "hypercare.db").write_bytes(copy.read_bytes())
    day.world.open()
    hold = holds_now(day)[0]
    assert ask(day, "resume", {"hold": str(hold.id)})["message"] == f"hold {hold.id} (restored) is released"
    assert ask(day, "resume", {"hold": hold.id})["message"].startswith(f"hold {hold.id} was released already, at 2026-")


def test_an_import_without_a_date_reads_as_far_back_as_the_first_one(day: Launch) -> None:
    day.world.start()
    day.world.wait(600)
    assert ask(day, "import", {"connection": "tracker"})["message"].startswith("tracker is read from 2025-12-")
    assert feed(day, "tracker", "import").finished_at is None
    day.world.wait(300)
    assert feed(day, "tracker", "import").finished_at is not None


def test_every_verb_is_tried_here() -> None:
    assert set(commands.VERBS) <= {verb for verb, *_ in BAD}


def test_the_errors_of_commands_are_for_people(day: Launch) -> None:
    for error in (NotFound, Refused):
        with pytest.raises(error):
            day.world.command("resume", hold="x" if error is Refused else 1)
