"""The door of a stand-in's model: every call passes it, and here it goes wrong by the history's fault rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from connectors.errors import AuthRejected, Forbidden, RateLimited, Unavailable, UnexpectedAnswer
from connectors.sandbox.faults import FaultKind, FaultRule, Faults
from connectors.sandbox.wire import Request, Response, TimeSource

T = TypeVar("T")

_NO_ANSWER = frozenset({FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER, FaultKind.CUT_BODY})
_RUBBISH = frozenset({FaultKind.HTML, FaultKind.EMPTY, FaultKind.NULL, FaultKind.TRUNCATED})
_REFUSED = frozenset(
    {
        FaultKind.RATE_LIMITED,
        FaultKind.RATE_LIMITED_BARE,
        FaultKind.RATE_LIMITED_DATE,
        FaultKind.RATE_LIMITED_GARBAGE,
        FaultKind.UNAUTHORISED,
        FaultKind.FORBIDDEN,
    }
)
_APPLIED = frozenset({FaultKind.DROP_AFTER, FaultKind.CUT_BODY, FaultKind.TRUNCATED})


@dataclass(frozen=True, kw_only=True)
class Door:
    """The way to one model. before, after: what stands around each call (see `between`); either may end the process.

    time, wall: the system's clock, and that of the hub's own machine, in seconds since the epoch.
    faults: the rules of the stand-in, counted there as at wire level. is_down: nobody opens. sends: is told of a write
    that sets out, and gives the call to make when it arrives.
    """

    faults: Callable[[], Faults]
    time: TimeSource
    wall: TimeSource
    before: Callable[[Request], None]
    after: Callable[[Request, Response], None]
    is_down: Callable[[], bool]
    sends: Callable[[str], Callable[[], None]]

    def read(self, operation: str, path: str, do: Callable[[bool], T]) -> T:
        """One call that changes nothing. do: gives the answer; True asks for that before the latest change."""
        request = Request(method="GET", path=path)
        rule = self._met(operation, request)
        if rule is None:
            found = do(False)
        elif rule.kind is FaultKind.STALE_READ:
            found = do(True)
        else:
            self._fail(rule, writing=False)
        self.after(request, _GOOD)
        return found

    def write(self, operation: str, path: str, do: Callable[[], T], ignored: Callable[[], T]) -> T:
        """One call that changes something. ignored: gives the answer of one that was dropped in silence."""
        request = Request(method="PUT", path=path)
        arrives = self.sends(path)
        rule = self._met(operation, request)
        if rule is None:
            arrives()
            done = do()
        elif rule.kind is FaultKind.IGNORE_WRITE:
            done = ignored()
        else:
            if rule.applied or rule.kind in _APPLIED:
                arrives()
                do()
            self.after(request, _BAD)
            self._fail(rule, writing=True)
        self.after(request, _GOOD)
        return done

    def _met(self, operation: str, request: Request) -> FaultRule | None:
        if self.is_down():
            raise Unavailable(f"{request.method} {request.path}: no answer.", applied=request.method != "GET")
        self.before(request)
        return self.faults().choose(request, operation, self.time())

    @staticmethod
    def _fail(rule: FaultRule, *, writing: bool) -> NoReturn:
        """The error by which the engine hears of it. A write that left is in doubt unless it was refused."""
        if rule.kind in _REFUSED:
            if rule.kind is FaultKind.UNAUTHORISED:
                raise AuthRejected("refused: who are you?", status=401)
            if rule.kind is FaultKind.FORBIDDEN:
                raise Forbidden("refused: not for you", status=403)
            raise RateLimited("refused: too many", retry_after=rule.seconds)
        if rule.kind in _NO_ANSWER:
            raise Unavailable("the connection was lost", applied=writing)
        if rule.kind in _RUBBISH:
            raise UnexpectedAnswer("rubbish was answered", applied=writing, status=200)
        if rule.kind is FaultKind.UNAVAILABLE:
            raise Unavailable("down for a moment", applied=writing, status=503, retry_after=rule.seconds)
        raise Unavailable("an error in the system", applied=writing, status=rule.status)


_GOOD, _BAD = Response(status=200), Response(status=0)
