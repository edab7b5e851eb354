"""What stands between the hub and a stand-in: where a process dies, and where a user is quicker than a write."""

from __future__ import annotations

from collections.abc import Callable

from connectors.sandbox.wire import Cut, OutgoingHook, Request, Response, StandIn


class Crashed(BaseException):
    """The hub's process ends here. No handler of errors may catch it: it is no Exception."""


class Between:
    """A stand-in as the hub sees it. before, after: called around each request; either may raise Crashed.

    is_down: asked before all else; a system that is down neither answers nor calls.
    """

    def __init__(
        self,
        inner: StandIn,
        before: Callable[[Request], None],
        after: Callable[[Request, Response], None],
        is_down: Callable[[], bool] = lambda: False,
    ) -> None:
        self._inner = inner
        self._before = before
        self._after = after
        self._is_down = is_down

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        if self._is_down():
            return Response(status=0, cut=Cut.NO_ANSWER)
        self._before(request)
        response = self._inner.handle(request)
        self._after(request, response)
        return response

    def due_hooks(self, now: float) -> list[OutgoingHook]:
        """The webhook calls that are due."""
        return [] if self._is_down() else self._inner.due_hooks(now)

    def hook_answered(self, hook: OutgoingHook, status: int | None, now: float) -> None:
        """Tell the sender how a call ended."""
        self._inner.hook_answered(hook, status, now)
