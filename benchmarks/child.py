"""The daemon as the benchmarks run it: on one core, from a settings file, without the vendors' published limits.

The limits are the vendors' and not ours: with them every figure would be theirs. All else is `hypercare run`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from msgspec import structs

from config.load import load
from config.mappings import load_mappings
from sync.daemon import build
from sync.daemon.main import configured, engine_settings, web_settings
from sync.daemon.run import run
from sync.daemon.tokens import TokenFile
from sync.engine.hub import Hub, Signals
from sync.log import Redactor, Style, to_stderr
from sync.ports import RealClock, RealRng
from sync.store.contract import Store
from sync.web.metrics import Metrics


def main(path: Path, core: int) -> int:
    """Serve until told to stop."""
    os.sched_setaffinity(0, {core})
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
        return build.hub(store, unlimited, mappings, engine_settings(configuration), world)

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


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
