"""A stand-in of an API gateway: APIPark, its data plane Apinto, and a Kong; same interfaces, own state and traffic.

Shares no code with the connector. `build` makes one; `connectors.sandbox.server.serve` puts it on loopback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.gateway.sandbox.entries import FORMATTERS
from connectors.gateway.sandbox.wire import GatewaySandbox

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.contract import Rng
    from connectors.sandbox.wire import TimeSource
    from sync.model import Json

__all__ = ["FORMATTERS", "GatewaySandbox", "build", "connection_settings"]


def build(
    time: TimeSource, rng: Rng, *, time_factor: float = 1.0, settings: Mapping[str, Any] | None = None
) -> GatewaySandbox:
    """A stand-in with the services checkout, accounts and assistant (an LLM behind it), four APIs, two consumers.

    time_factor: vendor delays are divided by it. settings: switches by name. There is no traffic and no output until
    an act asks for it. Raises ValueError for a switch that does not exist or a value that does not fit.
    """
    return GatewaySandbox(time, rng, settings={"time_factor": time_factor, **(settings or {})})


def connection_settings(url: str) -> dict[str, Json]:
    """What to put in the configuration of a connection to this stand-in. url: where it is served."""
    return {
        "console_url": url,
        "receiver_token": "sandbox-receiver-token",
        "apipark": {"url": url, "name": "hub", "password": "hub-password", "time_zone": "Asia/Shanghai"},
        "apinto": {"url": url},
        "kong": {"url": url},
    }
