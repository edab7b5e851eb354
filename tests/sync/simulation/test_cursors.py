"""A stored place in a feed that has passed a change which is not stored is seen at the next commit."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, update

from sync.simulation.cursors import Cursors
from sync.simulation.faults import Profile
from sync.simulation.ledger import USER
from sync.simulation.stage import Depth, Stage
from sync.store.tables import cursors, records


@pytest.fixture
def stage() -> Stage:
    stage = Stage(1, Profile(name="calm"), lambda _record: None, "stock", Depth.CONTRACT)
    stage.site.act({"act": "create", "summary": "Checkout fails"})
    stage.desk.act({"act": "create", "status": "open"})
    stage.watch(USER)
    stage.world.start()
    for _ in range(3):
        stage.clock.advance(400)
        stage.desk.act({"act": "tag", "ticket": 1, "add": ["vip"]})
        stage.clock.advance(90)
        stage.world.quiet()
    return stage


def judged(stage: Stage) -> Cursors:
    assert stage.cursors is not None
    return stage.cursors


def test_places_that_follow_what_is_stored_are_fine(stage: Stage) -> None:
    assert judged(stage).wrong == []
    assert judged(stage).passed >= 2


def laws(stage: Stage) -> set[str]:
    return {each.split(":")[0] for each in judged(stage).wrong}


def moved(stage: Stage, name: str, cursor: str) -> None:
    connection = stage.world.hub.named(name).id

    def step(conn: Connection) -> None:
        conn.execute(
            update(cursors).where(cursors.c.connection_id == connection, cursors.c.feed == "live").values(cursor=cursor)
        )

    stage.world.store.step(step)


def test_a_place_beyond_a_change_that_is_not_stored_is_seen(stage: Stage) -> None:
    stage.clock.advance(100)
    stage.desk.act({"act": "tag", "ticket": 1, "add": ["late"]})
    stage.world.deliver_hooks(lambda _due: [])
    moved(stage, "support", f"{int(stage.clock.epoch()) + 1}:1")
    assert laws(stage) == {"H11 passed-a-change"}


def test_a_place_beyond_an_issue_that_is_not_stored_is_seen(stage: Stage) -> None:
    support = stage.world.hub.named("tracker").id
    old = update(records).where(records.c.connection_id == support).values(version="2026-01-01T00:00:00.000Z")
    stage.world.store.step(lambda conn: conn.execute(old))
    moved(stage, "tracker", f"[{int(stage.clock.epoch() * 1000)}, {{}}]")
    assert laws(stage) == {"H11 passed-a-change"}


def test_a_place_that_goes_back_is_seen_but_for_a_feed_that_is_begun_anew(stage: Stage) -> None:
    moved(stage, "support", "1:1")
    assert laws(stage) == {"H11 cursor-went-back"}
    judged(stage).wrong.clear()
    judged(stage).forget()
    moved(stage, "support", "0:1")
    assert laws(stage) == set()
