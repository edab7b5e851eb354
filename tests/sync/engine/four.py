"""A launch day with four systems: a Zendesk, a Jira, a Sentry and a gateway's log in one process with the hub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import structs

from connectors import gateway, sentry
from connectors.contract import Ports, Remote
from connectors.gateway.sandbox import GatewaySandbox
from connectors.gateway.sandbox import build as build_gateway
from connectors.gateway.settings import GatewaySettings
from connectors.jira.sandbox import build as build_jira
from connectors.sentry.sandbox import build as build_sentry
from connectors.sentry.settings import SentrySettings
from connectors.zendesk.sandbox import build as build_zendesk
from sync.daemon.build import Configured
from sync.engine import columns, feeds
from sync.engine.commands import Refused
from sync.engine.find import NotFound
from sync.mapping.load import load
from sync.simulation.virtual import InProcessWeb, SeededRng, VirtualClock
from sync.simulation.world import World
from sync.store.tables import links, records
from sync.views.proposals import ProposalView, all_proposals, open_proposals
from tests.support.sides import desk_and_tracker
from tests.sync.mapping.records import shipped_texts


@dataclass
class Four:
    """The world, its sides by name, and the gateway with its log."""

    world: World
    sides: Mapping[str, Any]
    gateway: GatewaySandbox

    def close(self) -> None:
        self._close_gateway()
        self.world.close()

    def restart(self) -> None:
        """The process ends and is started again."""
        self._close_gateway()
        self.world.restart()

    def _close_gateway(self) -> None:
        connected = self.world.hub.named("gateway")
        assert connected.feed is not None
        connected.feed.close()
        if connected.annotator is not None:
            connected.annotator.close()

    def signatures(self) -> list[str]:
        """The keys of the signatures that the hub knows."""
        of = self.world.hub.named("gateway").id
        with self.world.store.read() as conn:
            return [row.key for row in conn.execute(records.select().where(records.c.connection_id == of))]

    def ticket(self, **given: Any) -> str:
        number = self.sides["support"].act({"act": "create", **given})["ticket"]
        return f"support:{number}"

    def issue(self, **given: Any) -> str:
        return str(self.sides["tracker"].act({"act": "create", "summary": "Checkout fails", **given})["key"])

    def error(self, title: str = "TypeError: none", **tags: str) -> str:
        told = {"act": "event", "title": title, "tags": tags}
        return f"errors:{self.sides['errors'].act(told)['issue']}"

    def failing(self, route: str = "pay", times: int = 12, **given: Any) -> list[str]:
        """Calls that fail, enough to open a signature: the request ids that the hub knows as its samples."""
        made = self.gateway.act({"act": "call", "route": route, "kind": "error", "times": times, **given})["ids"]
        self.quiet()
        known = self.samples()
        return [one for one in made if one in known]

    def samples(self) -> list[str]:
        """The request ids of all signatures' samples, as the hub has them."""
        of = self.world.hub.named("gateway").id
        with self.world.store.read() as conn:
            rows = conn.execute(records.select().where(records.c.connection_id == of)).all()
        return [one for row in rows for one in columns.snapshot(row.body).fields["request_ids"]]

    def agent_edits(self, ticket: str, text: str) -> None:
        """An agent gives a ticket another subject."""
        self.sides["support"].act({"act": "update", "ticket": int(ticket.partition(":")[2]), "set": {"subject": text}})

    def known_issue(self) -> str:
        """A new issue that the hub has read."""
        key = self.issue()
        self.quiet()
        return key

    def quiet(self, seconds: float = 60.0) -> None:
        """Time passes, the log is read, the hub does what follows. Twice: Zendesk's export is a minute behind."""
        connected = self.world.hub.named("gateway")
        for _each in range(2):
            self.world.clock.advance(seconds)
            while feeds.read(self.world.hub, connected):
                pass
            self.world.quiet()
            while feeds.annotate(self.world.hub, connected):
                pass

    def proposed(self) -> list[ProposalView]:
        with self.world.store.read() as conn:
            return open_proposals(conn)

    def pairs(self) -> set[frozenset[str]]:
        """The systems of each open proposal."""
        return {frozenset({one.one.system, one.other.system}) for one in self.proposed()}

    def answered(self) -> list[ProposalView]:
        with self.world.store.read() as conn:
            return all_proposals(conn)

    def members(self) -> int:
        """Records that belong to an item."""
        with self.world.store.read() as conn:
            return len(conn.execute(links.select().where(links.c.ended_at.is_(None))).all())

    def ask(self, verb: str, **args: Any) -> tuple[bool, str]:
        try:
            answer = self.world.command(verb, **args)
        except (NotFound, Refused) as error:
            return False, str(error)
        self.quiet()
        return answer.ok, answer.message


def launch(
    folder: Path,
    *,
    rules: str = "",
    texts: Mapping[str, str] | None = None,
    of_gateway: Mapping[str, Any] | None = None,
    **given: Any,
) -> Four:
    """A day whose hub knows the shipped mappings. rules, texts: in place of the shipped ones. given: of Sentry's."""
    clock = VirtualClock()
    desk = build_zendesk(clock.epoch, SeededRng(2))
    site = build_jira(clock.epoch, SeededRng(3))
    errors = build_sentry(clock.epoch, SeededRng(4))
    park = build_gateway(clock.epoch, SeededRng(5))
    log = folder / "logs"
    park.act({"act": "output", "dir": str(log)})

    def connect(settings: Any, ports: Ports) -> Remote:
        return sentry.CONNECTOR.connect(settings, structs.replace(ports, transport=InProcessWeb(errors)))

    def reached(ports: Ports) -> Ports:
        return structs.replace(ports, transport=InProcessWeb(park))

    annotator = gateway.CONNECTOR.annotator
    assert annotator is not None
    files = shipped_texts() | ({"rules.yaml": rules} if rules else {}) | dict(texts or {})
    systems = {"support": "zendesk", "tracker": "jira", "errors": "sentry", "gateway": "gateway"}
    configured = (
        *desk_and_tracker(),
        Configured(
            name="errors",
            connector=structs.replace(sentry.CONNECTOR, connect=connect),
            settings=SentrySettings.model_validate(
                {
                    "base_url": "http://127.0.0.1:8103",
                    "organization": "acme",
                    "token": "hub-token",
                    "tag_keys": ["environment"],
                    **given,
                }
            ),
        ),
        Configured(
            name="gateway",
            connector=structs.replace(
                gateway.CONNECTOR,
                connect=lambda settings, ports: gateway.CONNECTOR.connect(settings, reached(ports)),
                annotator=lambda settings, ports: annotator(settings, reached(ports)),
            ),
            settings=GatewaySettings.model_validate(
                {
                    "console_url": "https://apipark.example.com",
                    "log_files": [log / "access.log"],
                    **(of_gateway or {}),
                }
            ),
        ),
    )
    sides: dict[str, Any] = {"support": desk, "tracker": site, "errors": errors, "gateway": park}
    world = World(
        folder=folder,
        clock=clock,
        rng=SeededRng(1),
        stand_ins=sides,
        configured=configured,
        mappings=load(files, systems),
        hooks_on=False,
    )
    for name in systems:
        assert world.command("start", connection=name).ok
    return Four(world=world, sides=sides, gateway=park)
