"""What a history asks after every commit: the same answer is the same object, and what changed is seen."""

from __future__ import annotations

from pathlib import Path

from sync.simulation import sight
from sync.simulation.glances import Glances
from sync.simulation.history import History
from sync.simulation.stage import Depth
from sync.simulation.virtual import SeededRng
from tests.support.launch import launch


def test_what_has_not_changed_is_given_again_and_is_nothing_new(tmp_path: Path) -> None:
    day = launch(tmp_path)
    day.linked_pair()
    day.world.quiet()
    hub, glances = day.world.hub, Glances()
    glances.ask = day.world.ask
    first = glances.known(hub), glances.told(), glances.sights(hub)
    assert glances.is_new(*first, 0)
    assert not glances.is_new(glances.known(hub), glances.told(), glances.sights(hub), 0)
    assert glances.is_new(*first, 1)  # something happened outside
    glances.forget()
    assert glances.is_new(glances.known(hub), glances.told(), glances.sights(hub), 1)


def test_a_glance_sees_what_the_usual_questions_see(tmp_path: Path) -> None:
    day = launch(tmp_path)
    ticket, _ = day.linked_pair()
    glances = Glances()
    glances.ask = day.world.ask
    before = glances.versions(day.world.hub), glances.sights(day.world.hub)
    day.zendesk.act({"act": "tag", "ticket": ticket, "add": ["outage"]})
    day.world.wait(120)
    hub = day.world.hub
    assert glances.memberships(hub) == sight.memberships(hub)
    assert glances.versions(hub) == sight.versions(hub) != before[0]
    assert glances.known(hub) == sight.known(hub)
    assert list(glances.sights(hub)) == sight.sights(hub) != list(before[1])
    assert glances.is_held(hub) == sight.is_held(hub)
    day.world.command("pause", connection="support")
    assert glances.is_held(hub)


def test_chance_that_is_begun_late_is_the_same_chance() -> None:
    one, other = SeededRng(1), SeededRng(2)
    one.begin("seed 3")
    one.begin("seed 4")
    other.begin("seed 4")
    assert [one.random(), one.token(), one.random()] == [other.random(), other.token(), other.random()]


def test_time_without_anything_to_do_passes_at_once_and_all_of_it() -> None:
    history = History(5, "calm", steps=0, depth=Depth.CONTRACT)
    history._set_up()
    stage = history.stage
    began, polls = stage.clock.monotonic(), stage.calls
    history._pass(70, 70, 200)
    assert 340 <= stage.clock.monotonic() - began < 345
    assert stage.calls - polls == len(stage.world.hub.connections)  # each feed once
