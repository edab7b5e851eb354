"""A stand-in at which a kill can be aimed: at a write of the hub that never gets there, or that was just applied.

A kill at a random moment seldom meets the few microseconds that matter; an aimed one always does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from connectors.jira.sandbox import JiraSandbox
from connectors.sandbox.wire import Cut, OutgoingHook, Request, Response
from connectors.zendesk.sandbox import ZendeskSandbox

CONTROL = "/_sandbox/"
READS_BY_POST = frozenset({"changelog.bulkfetch", "issue.bulkfetch", "oauth.grant", "search.count", "search.jql"})


class Moment(StrEnum):
    """Where a kill is aimed."""

    LOST = "a write had left and never got there"
    APPLIED = "a write was applied and not yet answered"


class Aimed:
    """`connectors.sandbox.wire.StandIn` around a stand-in. answered: webhook calls by the status they got."""

    def __init__(self, inner: Any) -> None:
        self.inner: ZendeskSandbox | JiraSandbox = inner
        self.answered: Counter[int | None] = Counter()
        self._moment: Moment | None = None
        self._skip = 0
        self._fire: Callable[[], None] = lambda: None

    def aim(self, moment: Moment, skip: int, fire: Callable[[], None]) -> None:
        """Fire at the write after the next `skip` ones: end the daemon. Hold the server's lock."""
        self._moment, self._skip, self._fire = moment, skip, fire

    def rest(self) -> None:
        """Aim no more. Hold the server's lock."""
        self._moment = None

    def handle(self, request: Request) -> Response:
        """See StandIn."""
        moment = self._moment if self._writes(request) else None
        if moment is not None and self._skip:
            self._skip -= 1
            moment = None
        if moment is not None:
            self._moment = None
        if moment is Moment.LOST:
            self._fire()
            return Response(status=500, cut=Cut.NO_ANSWER)
        response = self.inner.handle(request)
        if moment is Moment.APPLIED:
            self._fire()
        return response

    def _writes(self, request: Request) -> bool:
        if self._moment is None or request.method == "GET" or request.path.startswith(CONTROL):
            return False
        return self.inner.operation(request) not in READS_BY_POST

    def due_hooks(self, now: float) -> list[OutgoingHook]:
        """See StandIn."""
        return self.inner.due_hooks(now)

    def hook_answered(self, hook: OutgoingHook, status: int | None, now: float) -> None:
        """See StandIn."""
        self.answered[status] += 1
        self.inner.hook_answered(hook, status, now)
