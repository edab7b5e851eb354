"""A Zendesk and a Jira in one process with the hub, and the people who work in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from connectors import jira, zendesk
from connectors.contract import TokenStore
from connectors.jira.sandbox import JiraSandbox
from connectors.jira.sandbox import build as build_jira
from connectors.jira.settings import JiraSettings
from connectors.sandbox.wire import OutgoingHook, Request, Response
from connectors.zendesk.sandbox import ZendeskSandbox
from connectors.zendesk.sandbox import build as build_zendesk
from connectors.zendesk.settings import ZendeskSettings
from sync.daemon.build import Configured
from sync.engine import find
from sync.engine.hub import EngineSettings
from sync.mapping.load import load
from sync.simulation.virtual import SeededRng, VirtualClock
from sync.simulation.world import World
from tests.sync.mapping.records import shipped_texts

ZENDESK_SECRET = "zendesk-signing-secret"
JIRA_SECRET = "jira-webhook-secret"
ROUTES = """
routes:
  - name: outage
    when:
      tags: {any: [outage]}
      connection: [support]
    create:
      connection: tracker
      fields: {project: OPS}
"""


_AUTH = {
    "Cloud": {"kind": "cloud_token", "email": "hub@example.com", "api_token": "hub-token"},
    "Server": {"kind": "personal_token", "token": "hub-pat"},
}
"""How the hub signs in to each kind of Jira."""


@dataclass
class Interrupted:
    """A stand-in on which somebody may act just before the hub's next write is handled."""

    inner: Any
    acts: list[dict[str, Any]] = field(default_factory=list)

    def handle(self, request: Request) -> Response:
        """Let the waiting act happen, then answer."""
        if self.acts and request.method not in ("GET", "HEAD") and "/oauth/" not in request.path:
            self.inner.act(self.acts.pop(0))
        answer: Response = self.inner.handle(request)
        return answer

    def due_hooks(self, now: float) -> list[OutgoingHook]:
        """As the stand-in says."""
        due: list[OutgoingHook] = self.inner.due_hooks(now)
        return due

    def hook_answered(self, hook: OutgoingHook, status: int | None, now: float) -> None:
        """As the stand-in takes it."""
        self.inner.hook_answered(hook, status, now)


@dataclass
class Launch:
    """The world, and both sides by name. at_write: who acts in the moment before the hub's next write, by side."""

    world: World
    zendesk: ZendeskSandbox
    jira: JiraSandbox
    at_write: dict[str, Interrupted]

    # --- what people do --------------------------------------------------------------------------------------

    def ticket(self, **given: Any) -> int:
        """A customer writes a ticket."""
        return int(self.zendesk.act({"act": "create", **given})["ticket"])

    def issue(self, **given: Any) -> str:
        """An engineer files an issue."""
        return str(self.jira.act({"act": "create", "summary": "Checkout fails", **given})["key"])

    def agent(self, ticket: int, status: str) -> None:
        """An agent sets a ticket's status."""
        self.zendesk.act({"act": "status", "ticket": ticket, "status": status})

    def engineer(self, issue: str, to: str, **more: Any) -> None:
        """An engineer moves an issue along its workflow."""
        self.jira.act({"act": "transition", "issue": issue, "to": to, **more})

    def tag(self, ticket: int, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> None:
        """An agent changes a ticket's tags."""
        self.zendesk.act({"act": "tag", "ticket": ticket, "add": list(add), "remove": list(remove)})

    def label(self, issue: str, *, add: str = "", remove: str = "") -> None:
        """An engineer changes an issue's labels."""
        if add:
            self.jira.act({"act": "add_label", "issue": issue, "label": add})
        if remove:
            self.jira.act({"act": "remove_label", "issue": issue, "label": remove})

    # --- what is there now -----------------------------------------------------------------------------------

    def ticket_now(self, ticket: int) -> dict[str, Any]:
        """A ticket as it really is."""
        return next(each for each in self.zendesk.state()["records"] if int(each["id"]) == ticket)

    def issue_now(self, issue: str) -> dict[str, Any]:
        """An issue as it really is."""
        return next(each for each in self.jira.state()["issues"] if issue in (each["key"], *each["old_keys"]))

    def statuses(self, ticket: int, issue: str) -> tuple[str, str]:
        """Both sides' statuses."""
        return self.ticket_now(ticket)["status"], self.issue_now(issue)["status"]

    def issues(self) -> list[dict[str, Any]]:
        """Every issue."""
        return list(self.jira.state()["issues"])

    def writes(self) -> int:
        """How many writes the hub's accounts have made on both sides so far."""
        desk, site = self.zendesk.state()["writes"], self.jira.state()["writes"]
        return int(desk.get("hub@example.com", 0)) + sum(
            int(count) for name, count in site.items() if name.partition(" ")[0] == "hub"
        )

    def calls(self, side: str) -> dict[str, int]:
        """How often each operation was called so far on one side (`support`, `tracker`)."""
        asked = Request(method="GET", path="/_sandbox/requests", query={"limit": ["0"]})
        answer = self.at_write[side].inner.handle(asked)
        counts: dict[str, int] = msgspec.json.decode(answer.body)["counts"]
        return counts

    def links_on(self, issue: str) -> list[str]:
        """The addresses of an issue's remote links."""
        return [each["object"]["url"] for each in self.issue_now(issue)["remote_links"]]

    def notes_on(self, ticket: int) -> list[str]:
        """The internal notes on a ticket."""
        return [each["body"] for each in self.ticket_now(ticket)["comments"] if not each["public"]]

    def item(self, text: str) -> int:
        """The item that a name leads to."""
        with self.world.store.read() as conn:
            return find.item_of(conn, self.world.hub, text)

    # --- linking ---------------------------------------------------------------------------------------------

    def linked_pair(self, *, start: bool = True, **ticket: Any) -> tuple[int, str]:
        """A ticket and an issue that a person has linked, at rest."""
        number, key = self.ticket(**ticket), self.issue()
        if start and not self.world.hub.named("support").account_checked:
            self.world.start()
        self.world.wait(120)
        answer = self.world.command("link", one=f"support:{number}", two=key)
        assert answer.ok, answer.message
        self.world.quiet()
        return number, key


def launch(
    folder: Path,
    *,
    routes: str = "routes: []\n",
    texts: Mapping[str, str] | None = None,
    zendesk_settings: Mapping[str, Any] | None = None,
    jira_settings: Mapping[str, Any] | None = None,
    settings: EngineSettings | None = None,
    hooks: bool = True,
    seed: int = 1,
    deployment: str = "Cloud",
    zendesk_config: Mapping[str, Any] | None = None,
    jira_config: Mapping[str, Any] | None = None,
    zendesk_hook: Mapping[str, Any] | None = None,
    jira_hook: Mapping[str, Any] | None = None,
    tokens: Callable[[str], TokenStore | None] = lambda name: None,
) -> Launch:
    """A world on a folder of its own. Nothing is started yet.

    zendesk_settings, jira_settings: switches of the stand-ins. zendesk_config, jira_config: of the connections' own
    settings, over the usual ones. zendesk_hook, jira_hook: how the webhooks are registered, over the usual way.
    deployment: the Jira, "Cloud" or "Server". tokens: where a connection keeps a rotating pair.
    """
    clock = VirtualClock()
    desk = build_zendesk(clock.epoch, SeededRng(seed + 1), settings=dict(zendesk_settings or {}))
    site = build_jira(clock.epoch, SeededRng(seed + 2), deployment=deployment, settings=dict(jira_settings or {}))
    if hooks:
        desk.act(
            {
                "act": "webhook",
                "endpoint": "http://127.0.0.1/hooks/support",
                "secret": ZENDESK_SECRET,
                "subscriptions": [
                    f"zen:event-type:ticket.{name}"
                    for name in (
                        "created",
                        "status_changed",
                        "tags_changed",
                        "merged",
                        "custom_field_changed",
                        "soft_deleted",
                    )
                ],
                **(zendesk_hook or {}),
            }
        )
        site.act(
            {
                "act": "webhook",
                "url": "http://127.0.0.1/hooks/tracker",
                "secret": JIRA_SECRET,
                **(jira_hook or {}),
            }
        )
    files = {**shipped_texts(), "routes.yaml": routes, **(texts or {})}
    mappings = load(files, {"support": "zendesk", "tracker": "jira"})
    configured = (
        Configured(
            name="support",
            connector=zendesk.CONNECTOR,
            settings=ZendeskSettings.model_validate(
                {
                    "subdomain": "acme",
                    "base_url": "http://127.0.0.1:8101",
                    "client_id": "hypercare",
                    "client_secret": "sandbox-client-secret",
                    **(zendesk_config or {}),
                }
            ),
            webhook_secrets=(ZENDESK_SECRET,),
        ),
        Configured(
            name="tracker",
            connector=jira.CONNECTOR,
            settings=JiraSettings.model_validate(
                {
                    "url": "http://127.0.0.1:8102",
                    "projects": ["OPS"],
                    "webhook_secret": JIRA_SECRET,
                    "auth": _AUTH[deployment],
                    **(jira_config or {}),
                }
            ),
            webhook_secrets=(JIRA_SECRET,),
        ),
    )
    sides = {"support": Interrupted(desk), "tracker": Interrupted(site)}
    world = World(
        folder=folder,
        clock=clock,
        rng=SeededRng(seed),
        stand_ins=sides,
        configured=configured,
        mappings=mappings,
        settings=settings or EngineSettings(),
        hooks_on=hooks,
        tokens=tokens,
    )
    return Launch(world=world, zendesk=desk, jira=site, at_write=sides)
