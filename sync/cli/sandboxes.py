"""`hypercare sandbox`: a stand-in of a vendor's system on this machine, and what to put into the settings for it."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from typing import Any

from sync.cli.ending import Ended, Exit
from sync.cli.show import say
from sync.ports import RealRng

SYSTEMS = {"jira": "engineering", "zendesk": "support", "sentry": "errors", "gateway": "gateway"}
"""What can be stood in for, and how its connection is called in the settings that are printed."""


def serve(system: str, port: int, time_factor: float, switches: Mapping[str, str]) -> None:
    """Serve a stand-in until it is interrupted. Raises Ended."""
    from connectors.sandbox.server import serve as put_on_loopback

    if system not in SYSTEMS:
        *others, last = sorted(SYSTEMS)
        raise Ended(f"there is no stand-in for {system!r}; known are {', '.join(others)} and {last}", Exit.USAGE)
    try:
        stand_in = _built(system, time_factor, switches)
    except (ValueError, TypeError) as error:
        raise Ended(
            f"--set: {error}; connectors/{system}/sandbox/README.md says where each is described", Exit.USAGE
        ) from None
    try:
        running = put_on_loopback(stand_in, port=port)
    except OSError as error:
        raise Ended(f"cannot listen on port {port} ({error.strerror}): choose another with --port") from None
    with running:
        say(f"{system} stands in at {running.url}; Ctrl-C ends it. Put this into hypercare.yaml:")
        say()
        say("connections:")
        say(f"  {SYSTEMS[system]}:")
        for line in _yaml({"system": system, **_settings(system, stand_in, running.url)}, 4):
            say(line)
        say()
        say(
            f"What happens in it: {running.url}/_sandbox/state; edit as a person would: POST {running.url}/_sandbox/act"
        )
        for line in HINTS.get(system, ()):
            say(line)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        while True:
            time.sleep(1)  # a signal that comes just before a sleep does not end it


HINTS = {
    "gateway": (
        "It is silent until told otherwise. To let its log flow into a daemon, POST these acts, one after the other:",
        '  {"act": "output", "url": "http://127.0.0.1:8080/feeds/gateway", "headers": {"authorization": TOKEN}}',
        '  with TOKEN as "Bearer sandbox-receiver-token", and then',
        '  {"act": "traffic", "rate": 5}, and {"act": "release", "route": "pay", "share": 0.5, "version": "2.0"}',
    )
}
"""What is said of a stand-in beside its settings."""


def _built(system: str, time_factor: float, switches: Mapping[str, str]) -> Any:
    from importlib import import_module

    sandbox = import_module(f"connectors.{system}.sandbox")
    return sandbox.build(time.time, RealRng(), time_factor=time_factor, settings=_values(switches))


def _settings(system: str, stand_in: Any, url: str) -> Mapping[str, Any]:
    if system == "jira":
        return _jira(url)
    if system == "gateway":
        from connectors.gateway.sandbox import connection_settings as of_gateway

        return of_gateway(url)
    if system == "sentry":
        from connectors.sentry.sandbox import connection_settings as of_sentry

        return of_sentry(stand_in, url)
    from connectors.zendesk.sandbox import connection_settings as of_zendesk

    return of_zendesk(stand_in, url)


def _values(switches: Mapping[str, str]) -> dict[str, Any]:
    import msgspec

    found: dict[str, Any] = {}
    for name, text in switches.items():
        try:
            found[name] = msgspec.json.decode(text)
        except msgspec.DecodeError:
            found[name] = text
    return found


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
