"""Found by histories: every sweep of two or more records failed, since one statement asks for all of them."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from sync.engine import rows
from sync.store.tables import refreshes
from tests.support.launch import launch


def test_several_records_are_asked_for_in_one_statement(tmp_path: Path) -> None:
    world = launch(tmp_path).world
    connected, now = world.hub.named("support"), world.clock.now()
    for why in ("member", "sweep", "hook"):
        world.store.step(
            lambda conn, why=why: rows.ask(conn, connected.id, [("ticket", "1"), ("ticket", "2")], now, why)
        )  # type: ignore[misc]
    with world.store.read() as conn:
        found = conn.execute(select(refreshes.c.remote_id, refreshes.c.why, refreshes.c.gen)).all()
    world.close()
    assert sorted(map(tuple, found)) == [("1", "member", 3), ("2", "member", 3)]
