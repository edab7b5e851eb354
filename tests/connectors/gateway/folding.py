"""A process that folds a log file and what is pushed to it, until it is killed. Arguments: DATABASE LOG FOLDER FIRST.

It prints `kept N` once the pushed line N is acknowledged, and `stored` after each turn.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from connectors.contract import Home, Ports
from connectors.gateway.feed import GatewayFeed
from connectors.gateway.settings import GatewaySettings
from sync.ports import RealClock, RealRng
from sync.store.contract import Store
from sync.store.migrate import open_store
from tests.connectors.gateway.apinto_log import call

CONNECTION = 1


def feed_of(store: Store, log: Path, folder: Path) -> GatewayFeed:
    """A feed that remembers no request ids, so that a line that is read twice counts twice."""
    settings = GatewaySettings.model_validate(
        {
            "console_url": "http://127.0.0.1:8288",
            "log_files": [log],
            "receiver_token": "a-long-random-token-of-ours",
            "rotation_seconds": 0.2,
            "rules": {"dedup_ids": 0},
        }
    )
    home = Home(connection_id=CONNECTION, store=store, folder=folder)
    return GatewayFeed(settings, Ports(clock=RealClock(), rng=RealRng(), meter=lambda reading: None, home=home))


def main(database: str, log: str, folder: str, first: str) -> None:
    clock = RealClock()
    store = open_store(Path(database), clock=clock)
    feed = feed_of(store, Path(log), Path(folder))
    intake = feed.intake
    assert intake is not None

    def push() -> None:
        number = int(first)
        while True:
            number += 1
            line = call(clock.now(), number, 500, provider="pushed")
            intake.keep(json.dumps(line).encode())
            print(f"kept {number}\n", end="", flush=True)
            clock.sleep(0.002)

    threading.Thread(target=push, daemon=True).start()
    while True:
        if not feed.turn().more:
            clock.sleep(0.01)
        print("stored\n", end="", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
