"""A launch day with a gateway: a log file, a Zendesk and a Jira in one process with the hub."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from connectors import gateway
from connectors.gateway.settings import GatewaySettings
from connectors.jira.sandbox import build as build_jira
from connectors.sandbox.wire import OutgoingHook, Request, Response
from connectors.zendesk.sandbox import build as build_zendesk
from sync.daemon.build import Configured
from sync.engine import columns, feeds
from sync.mapping.load import load
from sync.model import Snapshot
from sync.simulation.virtual import SeededRng, VirtualClock
from sync.simulation.world import World
from sync.store.tables import records
from tests.connectors.gateway.apinto_log import call
from tests.support.sides import desk_and_tracker
from tests.sync.mapping.records import shipped_texts

ROUTES = """
routes:
  - name: failing calls
    when:
      connection: [gateway]
    create:
      connection: tracker
      fields: {project: OPS}
"""


class Nobody:
    """A gateway has no interface that the hub must call."""

    def handle(self, request: Request) -> Response:
        raise AssertionError(f"the gateway was called: {request.path}")

    def due_hooks(self, now: float) -> list[OutgoingHook]:
        return []

    def hook_answered(self, hook: OutgoingHook, status: int | None, now: float) -> None:
        """Nothing was called."""


@dataclass
class Day:
    """The world, its sides by name, and the gateway's log."""

    world: World
    sides: Mapping[str, Any]
    log: Path
    numbers: int = field(default=0)

    def traffic(self, *, good: int = 0, bad: int = 0, seconds: float = 30.0, status: int = 500, **given: Any) -> None:
        """Calls over some seconds that end now; time passes meanwhile."""
        self.world.clock.advance(seconds)
        now = self.world.clock.now()
        total = good + bad
        with self.log.open("a") as file:
            for each in range(total):
                at = now - timedelta(seconds=seconds * (total - each) / max(1, total))
                self.numbers += 1
                failed = bad and each * bad // total != (each + 1) * bad // total
                file.write(json.dumps(call(at, self.numbers, status if failed else 200, **given)) + "\n")
        self.fold()

    def restart(self) -> None:
        """The process dies and is started again."""
        self._let_go()
        self.world.restart()

    def close(self) -> None:
        """The end of the day."""
        self._let_go()
        self.world.close()

    def _let_go(self) -> None:
        feed = self.world.hub.named("gateway").feed
        assert feed is not None
        feed.close()

    def fold(self) -> None:
        """Let the gateway's feed read all that is there, and the hub do what follows."""
        connected = self.world.hub.named("gateway")
        while feeds.read(self.world.hub, connected):
            pass
        feeds.read(self.world.hub, connected)
        self.world.quiet()

    def signature(self) -> Snapshot:
        """The one signature that is a record."""
        (found,) = self.signatures()
        return found

    def signatures(self) -> list[Snapshot]:
        """Every signature that is a record, as the hub has it."""
        of = self.world.hub.named("gateway").id
        with self.world.store.read() as conn:
            rows = conn.execute(records.select().where(records.c.connection_id == of).order_by(records.c.id)).all()
        return [columns.snapshot(row.body) for row in rows]

    def status(self) -> str:
        return str(self.signature().fields["status"])

    def issues(self) -> list[dict[str, Any]]:
        return list(self.sides["tracker"].state()["issues"])

    def engineer(self, issue: str, *steps: str) -> None:
        for to in steps:
            self.sides["tracker"].act({"act": "transition", "issue": issue, "to": to})


def launch(folder: Path, *, routes: str = ROUTES, texts: Mapping[str, str] | None = None, **given: Any) -> Day:
    """A day whose hub knows the shipped mappings. given: settings of the gateway, over the usual ones."""
    clock = VirtualClock()
    desk = build_zendesk(clock.epoch, SeededRng(2))
    site = build_jira(clock.epoch, SeededRng(3))
    log = folder / "logs" / "access.log"
    log.parent.mkdir()
    files = {**shipped_texts(), "routes.yaml": routes, **(texts or {})}
    mappings = load(files, {"support": "zendesk", "tracker": "jira", "gateway": "gateway"})
    configured = (
        *desk_and_tracker(),
        Configured(
            name="gateway",
            connector=gateway.CONNECTOR,
            settings=GatewaySettings.model_validate(
                {"console_url": "https://apipark.example.com", "log_files": [log], **given}
            ),
        ),
    )
    sides: dict[str, Any] = {"support": desk, "tracker": site, "gateway": Nobody()}
    world = World(
        folder=folder,
        clock=clock,
        rng=SeededRng(1),
        stand_ins=sides,
        configured=configured,
        mappings=mappings,
        hooks_on=False,
    )
    return Day(world=world, sides=sides, log=log)
