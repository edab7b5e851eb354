"""The connector for Sentry: SaaS, a server of one's own, and GlitchTip, which speaks the same interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.contract import Act, Budget, Connector, Ports, Remote
from connectors.sentry.answers import ACCOUNT, ISSUE, LIST, OTHER, WRITE
from connectors.sentry.records import KIND, parse_reference
from connectors.sentry.settings import SentrySettings
from connectors.sentry.webhook import SentryWebhook
from sync.model import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

_DRAWS: Mapping[Act, tuple[str, ...]] = {
    Act.PAGE: (LIST,),
    Act.FETCH: (ISSUE,),
    Act.HISTORY: (OTHER,),
    Act.WRITE: (WRITE, ISSUE),
    Act.CHECK: (LIST,),
}


def _connect(settings: SentrySettings, ports: Ports) -> Remote:
    from connectors.sentry.client import SentryRemote  # httpx is slow to import, and `--help` needs none of it

    return SentryRemote(settings, ports)


def _budgets(settings: SentrySettings) -> tuple[Budget, ...]:
    """SaaS's limits for an organisation's token, by endpoint and method; a server of one's own has none."""
    del settings
    return (
        Budget(name=ACCOUNT, limit=40, seconds=1.0),
        Budget(name=LIST, limit=20, seconds=1.0),
        Budget(name=ISSUE, limit=5, seconds=1.0),
        Budget(name=WRITE, limit=5, seconds=1.0),
        Budget(name=OTHER, limit=40, seconds=1.0),
    )


def _draws(act: Act) -> tuple[str, ...]:
    return _DRAWS.get(act, ())


CONNECTOR = Connector(
    name="sentry",
    role=Role.SIGNAL,
    kind=KIND,
    settings=SentrySettings,
    connect=_connect,
    webhook=SentryWebhook(),
    budgets=_budgets,
    draws=_draws,
    parse_reference=parse_reference,
    personal=("assignee", "reporter", "title", "description"),
)
