"""The stand-ins of the demo on loopback, in threads of this process: their own rules, real sockets, real time."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from connectors.jira.sandbox import build as build_jira
from connectors.sandbox.server import serve
from connectors.sentry.sandbox import build as build_sentry
from connectors.zendesk.sandbox import build as build_zendesk
from sync.demo.control import Control
from sync.demo.place import DESK, ERRORS, ORGANIZATION, TIME_FACTOR, TRACKER, Secrets
from sync.ports import RealRng

_TICKET_EVENTS = ("created", "status_changed", "tags_changed", "comment_added", "merged", "soft_deleted")


@dataclass(frozen=True, kw_only=True)
class StandIns:
    """The systems as people reach them."""

    desk: Control
    tracker: Control
    errors: Control
    secrets: Secrets

    def register_webhooks(self, port: int) -> None:
        """Let each call the daemon at this port, as its administrators would."""
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
        yield StandIns(
            desk=Control(desk_served.url),
            tracker=Control(tracker_served.url),
            errors=Control(errors_served.url),
            secrets=secrets,
        )
