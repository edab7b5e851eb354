"""A stand-in of Jira, Cloud and Data Center: same wire API, own state and history, quirks and faults as switches.

Shares no code with the connector. `build` makes one; `connectors.sandbox.server.serve` puts it on loopback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.jira.sandbox.wire import JiraSandbox

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.contract import Rng
    from connectors.jira.sandbox.settings import Settings
    from connectors.sandbox.wire import TimeSource


def build(
    time: TimeSource,
    rng: Rng,
    *,
    deployment: str = "Cloud",
    time_factor: float = 1.0,
    settings: Settings | Mapping[str, Any] | None = None,
) -> JiraSandbox:
    """A stand-in with two projects, OPS and WEB, and the users hub, engineer, reviewer and automation.

    deployment: "Cloud", or "Server" for Data Center. time_factor: vendor delays are divided by it.
    settings: switches by name, or whole. Raises ValueError for a switch that does not exist.
    """
    sandbox = JiraSandbox(time, rng, deployment=deployment, settings=settings)
    if time_factor != 1.0:
        sandbox.change_settings({"time_factor": time_factor})
    return sandbox


__all__ = ["JiraSandbox", "build"]
