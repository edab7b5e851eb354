"""Faults of a remote system as data: which calls go wrong, how, and how often.

Pure given the time and an injected `Rng`. The vendor's own error bodies come from the stand-in (`Faulted.refusal`);
everything that is the same for every system (cuts, drips, pages of HTML) is here.
"""

from __future__ import annotations

import re
from email.utils import formatdate
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct
from msgspec.structs import asdict, replace

from connectors.sandbox.wire import Cut, Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.contract import Rng
    from sync.model import Json

READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class FaultKind(StrEnum):
    """How a call goes wrong. `seconds` of the rule is the Retry-After, the delay or the drip, as named."""

    RATE_LIMITED = "rate_limited"
    """429 with Retry-After in seconds."""
    RATE_LIMITED_BARE = "rate_limited_bare"
    """429 without Retry-After."""
    RATE_LIMITED_DATE = "rate_limited_date"
    """429 with Retry-After as an HTTP date."""
    RATE_LIMITED_GARBAGE = "rate_limited_garbage"
    """429 with a Retry-After that is no time at all."""
    UNAVAILABLE = "unavailable"
    """503 with Retry-After in seconds."""
    SERVER_ERROR = "server_error"
    """The rule's `status` (500, 502, 504) with a page of HTML, as a proxy in front of the system sends it."""
    UNAUTHORISED = "unauthorised"
    """401 in the vendor's shape."""
    FORBIDDEN = "forbidden"
    """403 in the vendor's shape."""
    DROP_BEFORE = "drop_before"
    """The connection ends without an answer; the request was not applied."""
    DROP_AFTER = "drop_after"
    """The request was applied; the connection ends without an answer."""
    CUT_BODY = "cut_body"
    """Applied; the connection ends in the middle of the announced body."""
    DRIP = "drip"
    """Applied; the body comes one byte every `seconds`."""
    DELAY = "delay"
    """Applied; the answer comes after `seconds`."""
    HTML = "html"
    """200 with a login page."""
    TRUNCATED = "truncated"
    """Applied; a well-formed HTTP answer whose JSON stops half way."""
    EMPTY = "empty"
    """200 with an empty body."""
    NULL = "null"
    """200 with the JSON value null."""
    HUGE = "huge"
    """200 with a JSON body of `size` bytes."""
    GIVEN = "given"
    """The rule's own `status`, `headers` and `body`, as they stand: redirects, NaN, deep nesting, a byte order mark."""
    STALE_READ = "stale_read"
    """A read is answered from the state before the latest change. Lets writes pass."""
    IGNORE_WRITE = "ignore_write"
    """A write is answered 200 with the unchanged record. Lets reads pass."""


class FaultRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule: what it matches, how often it fires, what happens then. Empty conditions match everything.

    method: an HTTP method, or `read`, or `write`. path: a regular expression searched for in the path.
    operation: a glob over the stand-in's operation names (`tickets.update`, `tickets.*`).
    rate: chance of firing for each match. skip: matches let through first. count: how often it fires in all.
    since, until: model time in seconds. applied: for the kinds that answer without the system (5xx, HTML, empty, null,
    huge, given), whether the request took effect all the same. body: text, sent as UTF-8.
    """

    kind: FaultKind
    method: str = ""
    path: str = ""
    operation: str = ""
    rate: float = 1.0
    skip: int = 0
    count: int | None = None
    since: float | None = None
    until: float | None = None
    seconds: float | None = None
    status: int = 502
    size: int = 50_000_000
    headers: dict[str, str] = {}
    body: str = ""
    applied: bool = False

    def matches(self, request: Request, operation: str, now: float) -> bool:
        """Whether the rule is about this request at this time."""
        reads = request.method in READ_METHODS
        method = self.method.upper()
        if method == "READ":
            fits = reads
        elif method == "WRITE":
            fits = not reads
        else:
            fits = not method or method == request.method
        if self.kind is FaultKind.STALE_READ and not reads:
            return False
        if self.kind is FaultKind.IGNORE_WRITE and reads:
            return False
        return (
            fits
            and (not self.path or re.search(self.path, request.path) is not None)
            and (not self.operation or fnmatchcase(operation, self.operation))
            and (self.since is None or now >= self.since)
            and (self.until is None or now < self.until)
        )


class Faulted(Protocol):
    """What fault rules need of a stand-in.

    answer: applies and answers; with stale, answers a read from the state before the latest change.
    ignored: answers a write as done without doing it. refusal: the vendor's own error answer for a status.
    """

    def answer(self, request: Request, *, stale: bool = False) -> Response: ...
    def ignored(self, request: Request) -> Response: ...
    def refusal(self, status: int, headers: Mapping[str, str]) -> Response: ...


class Faults:
    """The rules in force, in order; the first that fires decides."""

    def __init__(self, rng: Rng) -> None:
        self._rng = rng
        self._rules: list[FaultRule] = []
        self._matched: list[int] = []
        self._fired: list[int] = []

    def add(self, rule: FaultRule) -> None:
        """Put a rule behind the others. Raises ValueError for a path that is no regular expression."""
        try:
            re.compile(rule.path)
        except re.error as error:
            raise ValueError(f"path is not a regular expression: {error}") from error
        self._rules.append(rule)
        self._matched.append(0)
        self._fired.append(0)

    def clear(self) -> None:
        """Forget every rule."""
        self._rules, self._matched, self._fired = [], [], []

    def listing(self) -> list[Json]:
        """Every rule with how often it matched and fired."""
        return [
            {**asdict(rule), "matched": matched, "fired": fired}
            for rule, matched, fired in zip(self._rules, self._matched, self._fired, strict=True)
        ]

    def choose(self, request: Request, operation: str, now: float) -> FaultRule | None:
        """The rule that fires for this request, if any; counts the match and draws the chance."""
        for place, rule in enumerate(self._rules):
            if not rule.matches(request, operation, now):
                continue
            self._matched[place] += 1
            if self._matched[place] <= rule.skip or (rule.count is not None and self._fired[place] >= rule.count):
                continue
            if rule.rate < 1.0 and self._rng.random() >= rule.rate:
                continue
            self._fired[place] += 1
            return rule
        return None


def answer_under(rule: FaultRule, stand_in: Faulted, request: Request, now: float) -> Response:
    """What the caller gets for this request when this rule fires. now: seconds since the epoch, for HTTP dates."""
    kind = rule.kind
    retry_after = rule.seconds if rule.seconds is not None else 2.0
    match kind:
        case FaultKind.RATE_LIMITED:
            return stand_in.refusal(429, {"retry-after": f"{retry_after:g}"})
        case FaultKind.RATE_LIMITED_BARE:
            return stand_in.refusal(429, {})
        case FaultKind.RATE_LIMITED_DATE:
            return stand_in.refusal(429, {"retry-after": formatdate(now + retry_after, usegmt=True)})
        case FaultKind.RATE_LIMITED_GARBAGE:
            return stand_in.refusal(429, {"retry-after": "soon"})
        case FaultKind.UNAUTHORISED:
            return stand_in.refusal(401, {})
        case FaultKind.FORBIDDEN:
            return stand_in.refusal(403, {})
        case FaultKind.DROP_BEFORE:
            return Response(status=500, cut=Cut.NO_ANSWER)
        case FaultKind.STALE_READ:
            return stand_in.answer(request, stale=True)
        case FaultKind.IGNORE_WRITE:
            return stand_in.ignored(request)
        case FaultKind.DROP_AFTER:
            return replace(stand_in.answer(request), cut=Cut.NO_ANSWER)
        case FaultKind.CUT_BODY:
            return replace(stand_in.answer(request), cut=Cut.MID_BODY)
        case FaultKind.DRIP:
            return replace(stand_in.answer(request), drip=rule.seconds if rule.seconds is not None else 1.0)
        case FaultKind.DELAY:
            return replace(stand_in.answer(request), delay=rule.seconds if rule.seconds is not None else 1.0)
        case FaultKind.TRUNCATED:
            whole = stand_in.answer(request)
            return replace(whole, body=whole.body[: len(whole.body) // 2])
        case _:
            if rule.applied:
                stand_in.answer(request)
            return _without_the_system(rule, retry_after)


def _without_the_system(rule: FaultRule, retry_after: float) -> Response:
    """The answers in which the system itself has no part."""
    json = {"content-type": "application/json; charset=utf-8"}
    html = {"content-type": "text/html; charset=utf-8"}
    match rule.kind:
        case FaultKind.UNAVAILABLE:
            return Response(
                status=503, headers={**html, "retry-after": f"{retry_after:g}"}, body=_page("Down for maintenance")
            )
        case FaultKind.SERVER_ERROR:
            return Response(status=rule.status, headers=html, body=_page(f"{rule.status} error"))
        case FaultKind.HTML:
            return Response(status=200, headers=html, body=_page("Please log in"))
        case FaultKind.GIVEN:
            body = rule.body.encode("utf-8", "surrogatepass")
            return Response(status=rule.status, headers={**json, **rule.headers}, body=body)
        case FaultKind.EMPTY:
            return Response(status=200, headers=json)
        case FaultKind.NULL:
            return Response(status=200, headers=json, body=b"null")
        case FaultKind.HUGE:
            frame = b'{"padding":""}'
            padding = b"x" * max(0, rule.size - len(frame))
            return Response(status=200, headers=json, body=frame[:-2] + padding + frame[-2:])
        case _:  # every kind is answered here or above; a new one must be placed
            raise AssertionError(rule.kind)


def _page(words: str) -> bytes:
    """A page for people, where a program expected JSON."""
    return f"<!DOCTYPE html><html><head><title>{words}</title></head><body><h1>{words}</h1></body></html>".encode()
