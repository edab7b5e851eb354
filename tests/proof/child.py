"""The daemon as the proofs run it: `hypercare run` without the vendors' published limits, and with short retention.

The limits are the vendors' and not ours: within them a hundred thousand changes take a week. Periods of retention are
days in the settings; a run that lasts minutes gives them in seconds here.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

from msgspec import structs

from config.load import load
from config.mappings import load_mappings
from sync.daemon import build
from sync.daemon.main import configured, engine_settings, web_settings
from sync.daemon.run import run
from sync.daemon.tokens import TokenFile
from sync.engine.hub import EngineSettings, Hub, Signals
from sync.log import Redactor, Style, to_stderr
from sync.ports import RealClock, RealRng
from sync.store.contract import Store
from sync.web.metrics import Metrics

DAY = 86_400.0


def main(path: Path, retention_seconds: float | None) -> int:
    """Serve until told to stop."""
    configuration = load(path, environ={})
    mappings = load_mappings(configuration)
    configuration.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    clock, rng, metrics = RealClock(), RealRng(), Metrics()
    log = to_stderr(clock, Redactor(), style=Style.JSON, count=metrics.count_event)
    log.take_over_libraries()
    unlimited = [
        build.Configured(
            name=one.name,
            connector=structs.replace(one.connector, budgets=lambda settings: ()),
            settings=one.settings,
            role=one.role,
            poll_seconds=one.poll_seconds,
            webhook_secrets=one.webhook_secrets,
        )
        for one in configured(configuration)
    ]

    def make_hub(store: Store, signals: Signals) -> Hub:
        world = build.World(
            clock=clock,
            rng=rng,
            signals=signals,
            tell=log.tell,
            tokens=lambda name: TokenFile(configuration.data_dir, name),
        )
        return build.hub(store, unlimited, mappings, kept(engine_settings(configuration), retention_seconds), world)

    return int(
        run(
            configuration.database,
            make_hub,
            web=web_settings(configuration),
            clock=clock,
            rng=rng,
            tell=log.tell,
            metrics=metrics,
        )
    )


def kept(settings: EngineSettings, seconds: float | None) -> EngineSettings:
    """The settings with every period of retention so many seconds long; None: as they are."""
    if seconds is None:
        return settings
    days: dict[str, Any] = dict.fromkeys(("webhook_days", "delivery_days", "journal_days", "raw_days"), seconds / DAY)
    return dataclasses.replace(settings, **days)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else None))
