"""The connector for API gateways: signatures folded from call logs, their state owned by the hub."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.contract import Act, Annotator, Budget, Connector, Feed, Ports, Remote
from connectors.gateway.records import KIND, parse_reference
from connectors.gateway.settings import GatewaySettings
from sync.model import Json, Role


def _connect(settings: GatewaySettings, ports: Ports) -> Remote:
    from connectors.gateway.client import GatewayRemote

    return GatewayRemote(settings, ports)


def _feed(settings: GatewaySettings, ports: Ports) -> Feed:
    from connectors.gateway.feed import GatewayFeed  # what folds needs numeric libraries, and `--help` none of them

    return GatewayFeed(settings, ports)


def _annotator(settings: GatewaySettings, ports: Ports) -> Annotator | None:
    from connectors.gateway.interfaces import WriteBack
    from connectors.gateway.outward import GatewayAnnotator

    return None if settings.write_back is WriteBack.OFF else GatewayAnnotator(settings, ports)


def _by_hand(conn: Any, connection_id: int, reference: str, deed: str, args: Mapping[str, Json], now: datetime) -> str:
    from connectors.gateway.by_hand import act

    return act(conn, connection_id, reference, deed, args, now)


def _budgets(settings: GatewaySettings) -> tuple[Budget, ...]:
    """None: the ledger is the hub's own."""
    del settings
    return ()


def _draws(act: Act) -> tuple[str, ...]:
    del act
    return ()


CONNECTOR = Connector(
    name="gateway",
    role=Role.SIGNAL,
    kind=KIND,
    settings=GatewaySettings,
    connect=_connect,
    webhook=None,
    budgets=_budgets,
    draws=_draws,
    parse_reference=parse_reference,
    personal=("title", "description"),
    feed=_feed,
    annotator=_annotator,
    by_hand=_by_hand,
)
