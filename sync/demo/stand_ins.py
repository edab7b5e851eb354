"""The stand-ins of the demo on loopback, in threads of this process: their own rules, real sockets, real time."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from connectors.gateway.sandbox import build as build_gateway
from connectors.jira.sandbox import build as build_jira
from connectors.sandbox.server import serve
from connectors.sentry.sandbox import build as build_sentry
from connectors.zendesk.sandbox import build as build_zendesk
from sync.demo.control import Control
from sync.demo.place import DESK, ERRORS, GATEWAY, LOG_NAME, ORGANIZATION, TIME_FACTOR, TRACKER, Secrets
from sync.demo.verdict import Shown, look
from sync.ports import RealRng

_TICKET_EVENTS = ("created", "status_changed", "tags_changed", "comment_added", "merged", "soft_deleted")


@dataclass(frozen=True, kw_only=True)
class StandIns:
    """The systems as people reach them."""

    desk: Control
    tracker: Control
    errors: Control
    gateway: Control
    secrets: Secrets

    @property
    def by_connection(self) -> Mapping[str, Control]:
        """Each by the name of the connection to it."""
        return {DESK: self.desk, TRACKER: self.tracker, ERRORS: self.errors, GATEWAY: self.gateway}

    def look(self) -> Shown:
        """What each system shows now."""
        return look(self.desk, self.tracker, self.errors, self.gateway)

    def introduce(self, port: int, logs: Path) -> None:
        """Let each call the daemon at this port, and the gateway log to this folder, as administrators would."""
        hooks = f"http://127.0.0.1:{port}/hooks"
        self.desk.act(
            "webhook",
            endpoint=f"{hooks}/{DESK}",
            secret=self.secrets.zendesk_webhook,
            subscriptions=[f"zen:event-type:ticket.{name}" for name in _TICKET_EVENTS],
        )
        self.tracker.act("webhook", url=f"{hooks}/{TRACKER}", secret=self.secrets.jira_webhook)
        self.errors.act(
            "webhook", url=f"{hooks}/{ERRORS}", secret=self.secrets.sentry_webhook, resources=["issue", "comment"]
        )
        self.gateway.act("output", dir=str(logs), file=LOG_NAME)


@contextmanager
def stand_ins() -> Generator[StandIns]:
    """All of them, served until the block ends. Raises OSError when no port can be had."""
    rng = RealRng()
    secrets = Secrets(
        zendesk_client=rng.token(),
        zendesk_webhook=rng.token(),
        jira_token="hub-token",  # noqa: S106  # the stand-in's own, public
        jira_webhook=rng.token(),
        sentry_token="hub-token",  # noqa: S106  # the stand-in's own, public
        sentry_webhook=rng.token(),
        apipark_password="hub-password",  # noqa: S106  # the stand-in's own, public
    )
    with ExitStack() as stack:
        desk = build_zendesk(
            time.time, rng, time_factor=TIME_FACTOR, settings={"client_secret": secrets.zendesk_client}
        )
        tracker = build_jira(time.time, rng, time_factor=TIME_FACTOR)
        desk_served = stack.enter_context(serve(desk, time_source=time.time))
        tracker_served = stack.enter_context(serve(tracker, time_source=time.time))
        errors = build_sentry(time.time, rng, time_factor=TIME_FACTOR, settings={"organization": ORGANIZATION})
        errors_served = stack.enter_context(serve(errors, time_source=time.time))
        gateway = build_gateway(time.time, rng, time_factor=TIME_FACTOR)
        gateway_served = stack.enter_context(serve(gateway, time_source=time.time))
        yield StandIns(
            desk=Control(desk_served.url),
            tracker=Control(tracker_served.url),
            errors=Control(errors_served.url),
            gateway=Control(gateway_served.url),
            secrets=secrets,
        )
