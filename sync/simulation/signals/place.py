"""A hub with all four systems, and what people and machines do on each side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from msgspec import structs

from connectors import gateway, jira, sentry, zendesk
from connectors.contract import Ports, Remote
from connectors.gateway.settings import GatewaySettings
from connectors.jira.sandbox import build as build_jira
from connectors.jira.settings import JiraSettings
from connectors.sandbox.wire import OutgoingHook, Request, Response
from connectors.sentry.sandbox import build as build_sentry
from connectors.sentry.settings import SentrySettings
from connectors.zendesk.sandbox import build as build_zendesk
from connectors.zendesk.settings import ZendeskSettings
from sync.daemon.build import Configured
from sync.mapping.load import Loaded, load
from sync.simulation.virtual import InProcessWeb, SeededRng, VirtualClock
from sync.simulation.world import World

SECRET = "client-secret"  # noqa: S105  of a stand-in
SYSTEMS = {"support": "zendesk", "tracker": "jira", "errors": "sentry", "gateway": "gateway"}
RULES = {"quiet_minutes": 300, "quiet_requests": 20, "min_count": 5}
"""The gateway's, made smaller, so that a history need not last for days."""


class Nobody:
    """A gateway has no interface that the hub must call."""

    def handle(self, request: Request) -> Response:
        raise AssertionError(f"the gateway was called: {request.path}")

    def due_hooks(self, now: float) -> list[OutgoingHook]:
        return []

    def hook_answered(self, hook: OutgoingHook, status: int | None, now: float) -> None:
        """Nothing was called."""


def mappings() -> Loaded:
    """The shipped mappings, without routes: what belongs together is linked by hand."""
    texts = {
        part.name: part.read_text(encoding="utf-8")
        for part in files("mappings").iterdir()
        if part.name.endswith(".yaml")
    }
    return load({**texts, "routes.yaml": "routes: []\n"}, SYSTEMS)


class Place:
    """Four systems and a hub. switches: of the stand-in for Sentry. hooks: its webhook calls arrive, if not dropped."""

    def __init__(self, folder: Path, seed: int, *, hooks: bool, switches: Mapping[str, Any]) -> None:
        self.clock = VirtualClock()
        self.desk = build_zendesk(self.clock.epoch, SeededRng(seed + 1))
        self.site = build_jira(self.clock.epoch, SeededRng(seed + 2))
        self.org = build_sentry(self.clock.epoch, SeededRng(seed + 3), settings=switches)
        self.log = folder / "access.log"
        self.calls = 0
        if hooks:
            url = "http://127.0.0.1/hooks/errors"
            self.error("webhook", url=url, resources=["issue", "comment"], secret=SECRET)
        self.world = World(
            folder=folder,
            clock=self.clock,
            rng=SeededRng(seed),
            stand_ins={"support": self.desk, "tracker": self.site, "errors": self.org, "gateway": Nobody()},
            configured=self._configured(),
            mappings=mappings(),
            hooks_on=hooks,
            in_memory=True,
        )

    def _configured(self) -> tuple[Configured, ...]:
        def connect(settings: Any, ports: Ports) -> Remote:
            return sentry.CONNECTOR.connect(settings, structs.replace(ports, transport=InProcessWeb(self.org)))

        desk = {"subdomain": "acme", "base_url": "http://127.0.0.1:8101", "client_id": "hypercare"}
        auth = {"kind": "cloud_token", "email": "hub@example.com", "api_token": "hub-token"}
        errors = {"base_url": "http://127.0.0.1:8103", "organization": "acme", "token": "hub-token"}
        lines = {"console_url": "https://apipark.example.com", "log_files": [self.log], "rules": RULES}
        return (
            Configured(
                name="support",
                connector=zendesk.CONNECTOR,
                settings=ZendeskSettings.model_validate({**desk, "client_secret": "sandbox-client-secret"}),
            ),
            Configured(
                name="tracker",
                connector=jira.CONNECTOR,
                settings=JiraSettings.model_validate(
                    {"url": "http://127.0.0.1:8102", "projects": ["OPS"], "auth": auth}
                ),
            ),
            Configured(
                name="errors",
                connector=structs.replace(sentry.CONNECTOR, connect=connect),
                settings=SentrySettings.model_validate({**errors, "webhook_secret": SECRET}),
                webhook_secrets=(SECRET,),
            ),
            Configured(name="gateway", connector=gateway.CONNECTOR, settings=GatewaySettings.model_validate(lines)),
        )

    # --- what people and machines do ------------------------------------------------------------------------------

    def error(self, act: str, **given: Any) -> Any:
        """An act in Sentry."""
        return self.org.act({"act": act, **given})

    def event(self, **given: Any) -> str:
        """An error event: the issue that has it."""
        return str(self.error("event", **given)["issue"])

    def link(self, issue: str, other: str) -> None:
        """A person links a record with the issue."""
        answer = self.world.command("link", one=issue, two=other)
        if not answer.ok:
            raise AssertionError(answer.message)

    def traffic(self, *, good: int, bad: int, ago: float = 0.0) -> list[str]:
        """Calls of one route over half a minute that ended so many seconds ago: their lines, in the log by now."""
        now, total, rows = self.clock.epoch() - ago, good + bad, []
        for each in range(total):
            self.calls += 1
            failed = bad > 0 and each * bad // total != (each + 1) * bad // total
            at = now - 30 * (total - each) / max(1, total)
            rows.append(json.dumps(_line(self.calls, at, 500 if failed else 200)))
        self.repeat(rows)
        return rows

    def repeat(self, rows: list[str]) -> None:
        """Write lines into the log."""
        with self.log.open("a", encoding="utf-8") as file:
            file.writelines(f"{row}\n" for row in rows)

    def rotate(self) -> None:
        """The log is put aside."""
        if self.log.exists():
            self.log.rename(self.log.with_name(f"access.log.{self.calls}"))
            self.log.touch()

    def drop_hooks(self) -> int:
        """Every call that waits to be made is lost: Sentry makes none twice."""
        now = self.clock.epoch()
        due = self.org.due_hooks(now)
        for hook in due:
            self.org.hook_answered(hook, None, now)
        return len(due)

    def restart(self) -> None:
        """The process dies and is started again."""
        feed = self.world.hub.named("gateway").feed
        if feed is not None:
            feed.close()
        self.world.restart()

    def close(self) -> None:
        """The end."""
        feed = self.world.hub.named("gateway").feed
        if feed is not None:
            feed.close()
        self.world.close()

    # --- what each side shows -------------------------------------------------------------------------------------

    def ticket(self, number: int) -> str:
        """A ticket's status."""
        return str(next(each for each in self.desk.state()["records"] if int(each["id"]) == number)["status"])

    def issue(self, key: str) -> dict[str, Any]:
        """An issue of the tracker."""
        return next(each for each in self.site.state()["issues"] if each["key"] == key)

    def shown(self, number: str) -> dict[str, Any]:
        """An issue of Sentry's."""
        return next(each for each in self.org.state()["issues"] if each["id"] == number)


def _line(number: int, at: float, status: int) -> dict[str, Any]:
    return {
        "request_id": f"req-{number:08d}",
        "msec": int(at * 1000),
        "node": "node-1",
        "provider": "shop",
        "api": "checkout",
        "application": f"app-{number % 7}",
        "request_method": "POST",
        "uri": "/checkout",
        "status": status,
        "proxy_status": status,
        "request_time": 40,
        "response_body": '{"error": {"code": "db_timeout"}}' if status >= 500 else "",
        "proxies": [{"proxy_status": status, "proxy_time": 25, "proxy_addr": "10.0.0.7:8080"}],
    }
