"""The connectors there are, by the name that a connection's `system` gives. A literal: nothing registers itself."""

from __future__ import annotations

from collections.abc import Mapping

from connectors import gateway, jira, sentry, zendesk
from connectors.contract import Connector

CONNECTORS: Mapping[str, Connector] = {
    "gateway": gateway.CONNECTOR,
    "jira": jira.CONNECTOR,
    "sentry": sentry.CONNECTOR,
    "zendesk": zendesk.CONNECTOR,
}
"""System name -> its connector. Importing this imports no vendor library; opening a connection does."""
