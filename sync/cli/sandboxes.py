"""`hypercare sandbox`: a stand-in of a vendor's system on this machine, and what to put into the settings for it."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from typing import Any

from sync.cli.ending import Ended, Exit
from sync.cli.show import say
from sync.ports import RealRng

SYSTEMS = ("jira", "zendesk")


def serve(system: str, port: int, time_factor: float, switches: Mapping[str, str]) -> None:
    """Serve a stand-in until it is interrupted. Raises Ended."""
    from connectors.sandbox.server import serve as put_on_loopback

    stand_in: Any
    settings: Mapping[str, Any]
    try:
        if system == "zendesk":
            from connectors.zendesk import sandbox as zendesk

            stand_in = zendesk.build(time.time, RealRng(), time_factor=time_factor, settings=_values(switches))
        elif system == "jira":
            from connectors.jira import sandbox as jira

            stand_in = jira.build(time.time, RealRng(), time_factor=time_factor, settings=_values(switches))
        else:
            raise Ended(f"there is no stand-in for {system!r}; known are {' and '.join(SYSTEMS)}", Exit.USAGE)
    except (ValueError, TypeError) as error:
        raise Ended(f"--set: {error}; connectors/{system}/README.md lists the switches", Exit.USAGE) from None
    try:
        running = put_on_loopback(stand_in, port=port)
    except OSError as error:
        raise Ended(f"cannot listen on port {port} ({error.strerror}): choose another with --port") from None
    with running:
        settings = _zendesk(stand_in, running.url) if system == "zendesk" else _jira(running.url)
        say(f"{system} stands in at {running.url}; Ctrl-C ends it. Put this into hypercare.yaml:")
        say()
        say("connections:")
        say(f"  {'support' if system == 'zendesk' else 'engineering'}:")
        for line in _yaml({"system": system, **settings}, 4):
            say(line)
        say()
        say(
            f"What happens in it: {running.url}/_sandbox/state; edit as a person would: POST {running.url}/_sandbox/act"
        )
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        while True:
            time.sleep(3600)


def _values(switches: Mapping[str, str]) -> dict[str, Any]:
    import msgspec

    found: dict[str, Any] = {}
    for name, text in switches.items():
        try:
            found[name] = msgspec.json.decode(text)
        except msgspec.DecodeError:
            found[name] = text
    return found


def _zendesk(stand_in: Any, url: str) -> Mapping[str, Any]:
    from connectors.zendesk.sandbox import connection_settings

    return connection_settings(stand_in, url)


def _jira(url: str) -> Mapping[str, Any]:
    return {
        "url": url,
        "projects": ["OPS", "WEB"],
        "auth": {"kind": "cloud_token", "email": "hub@example.com", "api_token": "hub-token"},
    }


def _yaml(values: Mapping[str, Any], indent: int) -> list[str]:
    lines = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            lines += [f"{' ' * indent}{name}:", *_yaml(value, indent + 2)]
        elif isinstance(value, list | tuple):
            lines.append(f"{' ' * indent}{name}: [{', '.join(map(str, value))}]")
        else:
            lines.append(f"{' ' * indent}{name}: {value}")
    return lines
