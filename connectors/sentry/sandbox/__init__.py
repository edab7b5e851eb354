"""A stand-in of Sentry (SaaS, self-hosted, GlitchTip): same wire API, own state and activity, quirks as switches.

Shares no code with the connector. `build` makes one; `connectors.sandbox.server.serve` puts it on loopback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sentry.sandbox.settings import Edition
from connectors.sentry.sandbox.wire import SentrySandbox

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.contract import Rng
    from connectors.sandbox.wire import TimeSource
    from sync.model import Json

__all__ = ["SentrySandbox", "build", "connection_settings"]


def build(
    time: TimeSource, rng: Rng, *, time_factor: float = 1.0, settings: Mapping[str, Any] | None = None
) -> SentrySandbox:
    """A stand-in with the projects backend and frontend, two teams, the users engineer and reviewer, the app hypercare.

    time_factor: vendor delays are divided by it. settings: switches by name; `edition` is `saas`, `self_hosted` or
    `glitchtip`. Raises ValueError for a switch that does not exist or a value that does not fit.
    """
    return SentrySandbox(time, rng, settings={"time_factor": time_factor, **(settings or {})})


def connection_settings(sandbox: SentrySandbox, url: str) -> dict[str, Json]:
    """What to put in the configuration of a connection to this stand-in. url: where it is served."""
    told: dict[str, Json] = {
        "base_url": url,
        "organization": sandbox.org.settings.organization,
        "token": sandbox.org.apps["hypercare"].tokens[0],
    }
    return told | ({"flavour": "glitchtip"} if sandbox.org.settings.edition is Edition.GLITCHTIP else {})
