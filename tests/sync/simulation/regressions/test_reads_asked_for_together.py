"""Found by histories: every sweep of two or more records failed, since one statement asks for all of them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from sqlalchemy import Connection, select

from sync.engine import rows
from sync.simulation.world import World
from sync.store.tables import refreshes
from tests.support.launch import launch


def _ask_for_two(conn: Connection, world: World, why: str) -> None:
    rows.ask(conn, world.hub.named("support").id, [("ticket", "1"), ("ticket", "2")], world.clock.now(), why)


def test_several_records_are_asked_for_in_one_statement(tmp_path: Path) -> None:
    world = launch(tmp_path).world
    for why in ("member", "sweep", "hook"):
        world.store.step(partial(_ask_for_two, world=world, why=why))
    with world.store.read() as conn:
        found = conn.execute(select(refreshes.c.remote_id, refreshes.c.why, refreshes.c.gen)).all()
    world.close()
    assert sorted(map(tuple, found)) == [("1", "member", 3), ("2", "member", 3)]
