"""A gateway's feed dies around each of its commits, and a restarted one goes on: every line counts exactly once."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from connectors.contract import Home, Ports
from connectors.gateway import ledger
from connectors.gateway.feed import GatewayFeed
from connectors.gateway.fold import Fold
from connectors.gateway.presets import preset
from connectors.gateway.settings import GatewaySettings
from sync.simulation.virtual import SeededRng, VirtualClock
from sync.store.contract import Store
from sync.store.migrate import open_store
from sync.store.tables import connections
from tests.connectors.gateway.apinto_log import call

LINES = 40
PIECES = 4


class Died(BaseException):
    """The process ends here."""


class Dying:
    """Ends the process at the n-th moment around a commit."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.is_armed = False

    def __call__(self, where: str) -> None:
        if self.is_armed:
            self.left -= 1
            if self.left == 0:
                raise Died(where)


def settings_of(log: Path) -> GatewaySettings:
    """Without a memory of request ids, so that a line that is read twice counts twice."""
    return GatewaySettings.model_validate(
        {"console_url": "http://127.0.0.1:8288", "log_files": [log], "rules": {"dedup_ids": 0}}
    )


def feed_of(store: Store, clock: VirtualClock, log: Path) -> GatewayFeed:
    home = Home(connection_id=1, store=store, folder=None)
    return GatewayFeed(settings_of(log), Ports(clock=clock, rng=SeededRng(1), meter=lambda reading: None, home=home))


def counted(store: Store, log: Path) -> int:
    """How many failing calls the stored aggregates hold."""
    with store.read() as conn:
        rows = ledger.folded(conn, 1)
    fold = Fold(settings_of(log).fold_rules(), preset("apinto"))
    fold.restore(rows)
    return sum(fold.figures(each).count for each in fold.signatures())


@pytest.mark.parametrize("at", range(1, 9))
def test_a_feed_that_dies_around_a_commit_counts_every_line_once(tmp_path: Path, at: int) -> None:
    clock, log, dying = VirtualClock(), tmp_path / "access.log", Dying(at)
    store = open_store(tmp_path / "hypercare.db", clock=clock, inline=True, crash=dying)
    row = {"id": 1, "name": "gateway", "system": "gateway", "role": "signal", "mode": "live", "created_at": clock.now()}
    store.step(lambda conn: conn.execute(insert(connections).values(row)))
    feed = feed_of(store, clock, log)
    dying.is_armed = True
    for piece in range(PIECES):
        clock.advance(31)
        now = clock.now()
        with log.open("a") as file:
            for number in range(LINES // PIECES):
                at_ = now - timedelta(seconds=20 - number)
                file.write(json.dumps(call(at_, piece * 100 + number, 500)) + "\n")
        for _ in range(3):
            try:
                while feed.turn().more:
                    pass
            except Died:
                feed.close()
                store.close()
                store = open_store(tmp_path / "hypercare.db", clock=clock, inline=True)
                feed = feed_of(store, clock, log)
    found = counted(store, log)
    feed.close()
    store.close()
    assert dying.left <= 0
    assert found == LINES
