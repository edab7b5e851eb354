"""The connector for Zendesk Support."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.contract import Act, Budget, Connector, Ports, Remote
from connectors.zendesk.answers import ACCOUNT, DELETED, EXPORT, RECORD, WRITES
from connectors.zendesk.records import KIND, parse_reference
from connectors.zendesk.settings import ZendeskSettings
from connectors.zendesk.webhook import ZendeskWebhook
from sync.model import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

_DRAWS: Mapping[Act, tuple[str, ...]] = {Act.PAGE: (EXPORT,), Act.CHECK: (EXPORT,), Act.WRITE: (WRITES, RECORD)}


def _connect(settings: ZendeskSettings, ports: Ports) -> Remote:
    from connectors.zendesk.client import ZendeskRemote  # zenpy is slow to import, and `--help` needs none of it

    return ZendeskRemote(settings, ports)


def _budgets(settings: ZendeskSettings) -> tuple[Budget, ...]:
    """The published limits; the account's own (by plan and add-on) come with the first answer's headers."""
    del settings
    return (
        Budget(name=ACCOUNT, limit=400, seconds=60.0),  # Growth and Professional; Team 200, Enterprise 700 and more
        Budget(name=EXPORT, limit=10, seconds=60.0),
        Budget(name=WRITES, limit=100, seconds=60.0),
        Budget(name=RECORD, limit=30, seconds=600.0, per_record=True),
        Budget(name=DELETED, limit=10, seconds=60.0),
    )


def _draws(act: Act) -> tuple[str, ...]:
    return _DRAWS.get(act, ())


def _parse_reference(settings: ZendeskSettings, text: str) -> str | None:
    return parse_reference((settings.url, f"https://{settings.subdomain}.zendesk.com"), text)


CONNECTOR = Connector(
    name="zendesk",
    role=Role.HELPDESK,
    kind=KIND,
    settings=ZendeskSettings,
    connect=_connect,
    webhook=ZendeskWebhook(),
    budgets=_budgets,
    draws=_draws,
    parse_reference=_parse_reference,
    personal=("requester", "assignee", "subject", "description"),
)
