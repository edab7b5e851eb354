"""The connectors there are, by the name that a connection's `system` gives. A literal: nothing registers itself.

The order is the one in which a message names them: what most people have comes first.
"""

from __future__ import annotations

from collections.abc import Mapping

from connectors import gateway, jira, sentry, zendesk
from connectors.contract import Connector

CONNECTORS: Mapping[str, Connector] = {
    "jira": jira.CONNECTOR,
    "sentry": sentry.CONNECTOR,
    "zendesk": zendesk.CONNECTOR,
    "gateway": gateway.CONNECTOR,
}
"""System name -> its connector. Importing this imports no vendor library; opening a connection does."""
