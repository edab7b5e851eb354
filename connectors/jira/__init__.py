"""The connector for Jira, Cloud and Data Center: the tracker, two-way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.contract import Act, Budget, Connector, Hint, Ports, WebhookRequest
from connectors.jira import webhook
from connectors.jira.records import KIND, parse_reference
from connectors.jira.settings import JiraSettings
from sync.model import Role

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.contract import Remote


class _Calls:
    """Jira's webhook calls, as the contract asks for them."""

    def verify(self, request: WebhookRequest, secrets: Sequence[str], now: datetime) -> str:
        return webhook.verify(request, secrets, now)

    def keys(self, request: WebhookRequest) -> tuple[Hint, ...]:
        return webhook.keys(request)


def connect(settings: JiraSettings, ports: Ports) -> Remote:
    """Open a connection, without any call. One for each thread."""
    from connectors.jira.client import JiraRemote  # the vendor's library takes half a second to import

    return JiraRemote(settings, ports)


def budgets(settings: JiraSettings) -> tuple[Budget, ...]:
    """The published limits of Cloud: bursts per second, and writes to one issue. [Atlassian, "Rate limiting"]

    Data Center limits each account as its administrator chose and names the rate in its headers, which correct these.
    """
    del settings
    return (
        Budget(name="account", limit=100, seconds=1.0),
        Budget(name="edit", limit=50, seconds=1.0),
        Budget(name="record", limit=20, seconds=2.0, per_record=True),
        Budget(name="record_long", limit=100, seconds=30.0, per_record=True),
    )


def draws(act: Act) -> tuple[str, ...]:
    """The budgets a call draws on, beside the account's."""
    if act is Act.WRITE:
        return ("edit", "record", "record_long")
    return ()


CONNECTOR = Connector(
    name="jira",
    role=Role.TRACKER,
    kind=KIND,
    settings=JiraSettings,
    connect=connect,
    webhook=_Calls(),
    budgets=budgets,
    draws=draws,
    parse_reference=parse_reference,
    personal=("reporter", "assignee"),
    own_links=True,
)
