"""What a person does to a signature at the command line, and what the others hear of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sync.engine.by_hand import by_hand
from sync.engine.commands import Refused
from tests.connectors.gateway.launch import Day, launch

Make = Callable[..., Day]


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    made = launch(tmp_path)
    made.world.start()
    made.traffic(good=200)
    made.traffic(good=150, bad=50)
    made.world.wait(120)
    yield made
    made.close()


def do(day: Day, deed: str, record: str = "", **args: object) -> str:
    given = {"record": record or day.signature().ref.key, "deed": deed, "by": "kim", **args}
    answer = day.world.store.step(lambda conn: by_hand(conn, day.world.hub, given))
    day.world.wait(90)
    return answer.message


def test_a_signature_that_a_person_resolves_finishes_its_issue(day: Day) -> None:
    key = day.signature().ref.key
    assert do(day, "resolve") == f"{key} is resolved"
    assert (day.status(), day.issues()[0]["status"]) == ("resolved", "Done")
    assert not day.signature().automatic
    history = day.world.hub.named("gateway").remote().history(day.signature().ref, "")
    assert (history[-1].actor, history[-1].automatic, history[-1].ours) == ("kim", False, False)


@pytest.mark.parametrize("record", ["gateway:{key}", "{id}", "{url}", "gateway:{id}"])
def test_it_is_named_by_key_id_or_address(day: Day, record: str) -> None:
    ref = day.signature().ref
    do(day, "acknowledge", record.format(key=ref.key, id=ref.id, url=ref.url))
    assert day.status() == "acknowledged"


def test_a_muted_signature_is_neither_open_nor_done_and_wakes_by_its_form(day: Day) -> None:
    key = day.signature().ref.key
    assert do(day, "mute", count=100) == f"{key} is muted until 100 more calls within one hour"
    assert (day.status(), day.issues()[0]["status"]) == ("muted", "To Do")
    day.traffic(good=100, bad=60, seconds=60)
    assert day.status() == "muted"
    day.traffic(good=100, bad=60, seconds=60)
    day.world.wait(60)
    assert day.status() == "open"


def test_a_mute_until_a_time_ends_then(day: Day) -> None:
    until = day.world.clock.now() + timedelta(hours=1)
    assert "until " in do(day, "mute", until=until.isoformat())
    day.traffic(good=10, seconds=3000)
    assert day.status() == "muted"
    day.traffic(good=10, seconds=900)
    day.world.wait(60)
    assert day.status() == "open"


def test_calls_of_a_version_without_the_fix_reopen_nothing(day: Day) -> None:
    do(day, "resolve", fixed_in="2.1.0")
    day.traffic(good=50, bad=50, seconds=120, version="2.0.9")
    day.world.wait(60)
    assert day.status() == "resolved"
    day.traffic(good=50, bad=50, seconds=120, version="2.1.0")
    day.world.wait(60)
    assert day.status() == "regressed"


def test_doing_it_twice_changes_nothing(day: Day) -> None:
    do(day, "acknowledge")
    version = day.signature().version
    assert do(day, "acknowledge").endswith("is acknowledged already")
    assert day.signature().version == version


@pytest.mark.parametrize(
    ("deed", "record", "args", "said"),
    [
        ("explode", "", {}, "none of acknowledge"),
        ("resolve", "gateway:OPS-1", {}, "names no signature"),
        ("resolve", "GW-0000000000", {}, "no signature begins"),
        ("mute", "", {"until": "2020-01-01T00:00:00+00:00"}, "is over already"),
        ("mute", "", {"count": -1}, "1 or more"),
    ],
)
def test_what_cannot_be_done_is_refused_with_why(
    day: Day, deed: str, record: str, args: dict[str, object], said: str
) -> None:
    version = day.signature().version
    with pytest.raises(Refused, match=said):
        do(day, deed, record, **args)
    assert day.signature().version == version
