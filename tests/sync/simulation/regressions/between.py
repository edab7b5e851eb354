"""A launch with something between the hub and its trackers: what a test wants to happen just before a call."""

from __future__ import annotations

from collections.abc import Callable

from connectors.sandbox.wire import Request, Response
from sync.simulation.between import Between
from tests.support.launch import Launch


def stand_between(
    day: Launch,
    name: str,
    before: Callable[[Request], None] = lambda request: None,
    after: Callable[[Request, Response], None] = lambda request, response: None,
) -> None:
    """From now on `before` and `after` are called around every call of that connection. The hub is started anew."""
    inner = day.zendesk if name == "support" else day.jira
    day.world.stand_ins = {**day.world.stand_ins, name: Between(inner, before, after)}
    day.world.restart()
