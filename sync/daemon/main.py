"""`hypercare run`: from loaded settings to a running process."""

from __future__ import annotations

from datetime import timedelta

from config.load import Loaded as Configuration
from config.mappings import load_mappings
from sync.daemon import build
from sync.daemon.build import Configured, World
from sync.daemon.process import ExitCode
from sync.daemon.reload import Source, look_at
from sync.daemon.run import run
from sync.daemon.tokens import TokenFile
from sync.engine.hub import EngineSettings, Hub, Signals
from sync.log import Log, Redactor, Style, to_stderr
from sync.mapping.load import Loaded as Mappings
from sync.ports import RealClock, RealRng
from sync.store.contract import Store
from sync.web.metrics import Metrics
from sync.web.settings import WebSettings


def serve(configuration: Configuration, mappings: Mappings) -> ExitCode:
    """Run the daemon until it is asked to stop. Raises as `run` before it has begun."""
    clock, rng, metrics = RealClock(), RealRng(), Metrics()
    log = _log(configuration, clock, metrics)
    configuration.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)

    def make_hub(store: Store, signals: Signals) -> Hub:
        world = World(
            clock=clock,
            rng=rng,
            signals=signals,
            tell=log.tell,
            tokens=lambda name: TokenFile(configuration.data_dir, name),
            folder=lambda connection_id: configuration.data_dir / "feeds" / str(connection_id),
        )
        return build.hub(store, configured(configuration), mappings, engine_settings(configuration), world)

    return run(
        configuration.database,
        make_hub,
        web=web_settings(configuration),
        clock=clock,
        rng=rng,
        tell=log.tell,
        metrics=metrics,
        mappings=Source(look=look_at(configuration.mappings_dir), read=lambda: load_mappings(configuration)),
    )


def configured(configuration: Configuration) -> list[Configured]:
    """The connections as the hub's assembly takes them."""
    return [
        Configured(
            name=name,
            connector=configuration.connector(name),
            settings=one,
            role=one.role,
            poll_seconds=one.poll_seconds,
            webhook_secrets=one.webhook_secrets,
        )
        for name, one in configuration.connections.items()
    ]


def engine_settings(configuration: Configuration) -> EngineSettings:
    """The engine's figures."""
    given = configuration.settings.engine
    return EngineSettings(
        poll_overlap=timedelta(seconds=given.poll_overlap_seconds),
        import_days=given.import_days,
        sweep_every=timedelta(hours=given.sweep_hours),
        drift_every=timedelta(hours=given.drift_hours),
        links_every=timedelta(minutes=given.links_minutes),
        brake_missing=(given.brake_missing.at_least, given.brake_missing.share),
        brake_writes=(given.brake_writes.at_least, given.brake_writes.share),
        fight_writes=given.fight_writes,
        miss_limit=given.miss_limit,
        webhook_days=given.webhook_days,
        delivery_days=given.delivery_days,
        journal_days=given.journal_days,
        raw_days=given.raw_days,
    )


def web_settings(configuration: Configuration) -> WebSettings:
    """What the web face listens on."""
    given = configuration.settings.web
    return WebSettings(host=given.host, port=given.port, trusted_proxies=given.trusted_proxies)


def _log(configuration: Configuration, clock: RealClock, metrics: Metrics) -> Log:
    redactor = Redactor()
    redactor.register(*configuration.secrets)
    given = configuration.settings.log
    style = {"json": Style.JSON, "console": Style.TEXT}.get(given.format)
    log = to_stderr(clock, redactor, style=style, level=_LEVELS[given.level], count=metrics.count_event)
    log.take_over_libraries()
    return log


_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
