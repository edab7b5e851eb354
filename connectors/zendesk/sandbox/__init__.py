"""A stand-in of Zendesk Support: same wire API, its own state and change history, quirks and faults as switches.

It shares no code with the connector. `README.md` says which line of the contract each switch and test stands for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.zendesk.sandbox.stand_in import ZendeskSandbox

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.contract import Rng
    from connectors.sandbox.wire import TimeSource
    from sync.model import Json

__all__ = ["ZendeskSandbox", "build", "connection_settings"]


def build(
    time: TimeSource, rng: Rng, *, time_factor: float = 1.0, settings: Mapping[str, Json] | None = None
) -> ZendeskSandbox:
    """Make the stand-in that `hypercare sandbox zendesk` serves, with the people hub, agents and customers.

    time_factor: vendor delays are divided by it. settings: switches by name. Raises
    msgspec.ValidationError for a switch that does not exist or a value that does not fit.
    """
    return ZendeskSandbox(time, rng, settings={"time_factor": time_factor, **(settings or {})})


def connection_settings(sandbox: ZendeskSandbox, url: str) -> dict[str, Json]:
    """What to put in the configuration of a connection to this stand-in. url: where it is served."""
    switches = sandbox.model.switches
    return {
        "subdomain": switches.subdomain,
        "base_url": url,
        "auth": "client_credentials",
        "client_id": switches.client_id,
        "client_secret": switches.client_secret,
    }
