"""A launch day with three systems: a Zendesk, a Jira and a Sentry in one process with the hub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import structs

from connectors import sentry
from connectors.contract import Ports, Remote
from connectors.jira.sandbox import build as build_jira
from connectors.sentry.sandbox import build as build_sentry
from connectors.sentry.settings import SentrySettings
from connectors.zendesk.sandbox import build as build_zendesk
from sync.daemon.build import Configured
from sync.mapping.load import load
from sync.simulation.virtual import InProcessWeb, SeededRng, VirtualClock
from sync.simulation.world import World
from tests.support.sides import desk_and_tracker
from tests.sync.mapping.records import shipped_texts

SECRET = "client-secret"


@dataclass
class Day:
    """The world, and its three sides by name."""

    world: World
    sides: Mapping[str, Any]

    def ticket(self, **given: Any) -> int:
        return int(self.sides["support"].act({"act": "create", **given})["ticket"])

    def issue(self) -> str:
        return str(self.sides["tracker"].act({"act": "create", "summary": "Checkout fails"})["key"])

    def error(self, act: str, **given: Any) -> Any:
        return self.sides["errors"].act({"act": act, **given})

    def event(self, title: str = "TypeError: none", **given: Any) -> str:
        return str(self.error("event", title=title, **given)["issue"])

    def engineer(self, issue: str, to: str) -> None:
        self.sides["tracker"].act({"act": "transition", "issue": issue, "to": to})

    def agent(self, ticket: int, status: str) -> None:
        self.sides["support"].act({"act": "status", "ticket": ticket, "status": status})

    def linked(self, *names: str) -> None:
        first, *others = names
        for other in others:
            answer = self.world.command("link", one=first, two=other)
            assert answer.ok, answer.message
            self.world.quiet()

    def tickets(self, ticket: int) -> str:
        records = self.sides["support"].state()["records"]
        return str(next(each for each in records if int(each["id"]) == ticket)["status"])

    def issues(self, key: str) -> Any:
        return next(each for each in self.sides["tracker"].state()["issues"] if each["key"] == key)

    def errors(self, number: str) -> Any:
        return next(each for each in self.sides["errors"].state()["issues"] if each["id"] == number)

    def shows(self, ticket: int, key: str, number: str) -> tuple[str, str, str]:
        return self.tickets(ticket), self.issues(key)["status"], self.errors(number)["status"]


def launch(folder: Path, *, hooks: bool = True, **switches: Any) -> Day:
    """A day whose hub knows the shipped mappings. switches: of the stand-in for Sentry."""
    clock = VirtualClock()
    desk = build_zendesk(clock.epoch, SeededRng(2))
    site = build_jira(clock.epoch, SeededRng(3))
    errors = build_sentry(clock.epoch, SeededRng(4), settings=switches)
    if hooks and not errors.org.settings.is_glitchtip:
        url = "http://127.0.0.1/hooks/errors"
        errors.act({"act": "webhook", "url": url, "resources": ["issue", "comment"], "secret": SECRET})

    def connect(settings: Any, ports: Ports) -> Remote:
        return sentry.CONNECTOR.connect(settings, structs.replace(ports, transport=InProcessWeb(errors)))

    mappings = load(shipped_texts(), {"support": "zendesk", "tracker": "jira", "errors": "sentry"})
    flavour = "glitchtip" if errors.org.settings.is_glitchtip else "sentry"
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
                    "flavour": flavour,
                    "webhook_secret": SECRET,
                }
            ),
            webhook_secrets=(SECRET,),
        ),
    )
    sides: dict[str, Any] = {"support": desk, "tracker": site, "errors": errors}
    world = World(
        folder=folder,
        clock=clock,
        rng=SeededRng(1),
        stand_ins=sides,
        configured=configured,
        mappings=mappings,
        hooks_on=hooks,
    )
    return Day(world=world, sides=sides)
