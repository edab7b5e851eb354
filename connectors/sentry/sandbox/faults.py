"""What Sentry refuses, and how: error bodies and rate limits.

Faults that every system has (cuts, drips, HTML pages) are in `connectors.sandbox.faults`; here is Sentry's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from connectors.sandbox.wire import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.sentry.sandbox.settings import Settings

Json: TypeAlias = Any
JSON_TYPE: Final = "application/json"

NOT_FOUND: Final = "The requested resource does not exist"
NOT_ALLOWED: Final = "You do not have permission to perform this action."
NO_CREDENTIALS: Final = "Authentication credentials were not provided."
BAD_TOKEN: Final = "Invalid token"  # noqa: S105  # words of an answer


class Refused(Exception):
    """A request that is refused: `{"detail": ...}`, or the body given (field errors) [V docs]."""

    def __init__(self, status: int, detail: Json, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail)
        self.status = status
        self.body: Json = {"detail": detail} if isinstance(detail, str) else detail
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The answer that tells it."""
        return Response(
            status=self.status,
            body=msgspec.json.encode(self.body),
            headers={"content-type": JSON_TYPE, **self.headers},
        )


def unseen() -> Refused:
    """Not there, no access, or pending deletion or merge: the answer does not tell them apart [V S-ep]."""
    return Refused(404, NOT_FOUND)


def forbidden() -> Refused:
    """A token without the scope, or a principal that may not do this [V docs]."""
    return Refused(403, NOT_ALLOWED)


def wrong(name: str, words: str) -> Refused:
    """A field that does not fit: `{"field": ["..."]}` [V docs]."""
    return Refused(400, {name: [words]})


def vendor_refusal(status: int, headers: Mapping[str, str], settings: Settings) -> Response:
    """The product's own answer for a status that a fault rule asks for."""
    if settings.is_glitchtip:
        words = {401: "Unauthorized", 403: "Permission denied", 404: "Not Found: "}.get(status, f"Error {status}")
    else:
        words = {
            401: BAD_TOKEN,
            403: NOT_ALLOWED,
            404: NOT_FOUND,
            429: _too_often(5, 1),
        }.get(status, "Internal Error")
    return Refused(status, words, headers).response()


def _too_often(limit: int, window: int) -> str:
    return f"You are attempting to use this endpoint too frequently. Limit is {limit} requests in {window} seconds"


class Limit(Struct, frozen=True, kw_only=True):
    """So many calls in a window of so many seconds, by who calls: an address, a user, an organisation's app."""

    ip: int
    user: int
    org: int
    window: int = 1

    def of(self, category: str) -> int:
        """The number for one kind of caller."""
        return {"ip": self.ip, "user": self.user}.get(category, self.org)


DEFAULT: Final = Limit(ip=620, user=620, org=620)
LIMITS: Final = {
    "issues.list": Limit(ip=10, user=10, org=20),
    "project.issues": Limit(ip=5, user=5, org=5),
    "issue.get": Limit(ip=5, user=5, org=5),
    "issue.update": Limit(ip=5, user=5, org=5),
    "issue.delete": Limit(ip=5, user=5, org=5, window=5),
    "event.get": Limit(ip=15, user=15, org=15),
}
"""The limits that were read in the source or seen by others; every other endpoint has the default [G]."""


class Limits:
    """Fixed windows by caller, endpoint and method, never by token [V S-rl]. Times are real seconds."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[int, int]] = {}

    def admit(self, operation: str, method: str, caller: str, now: float, settings: Settings) -> dict[str, str]:
        """Count one call: the headers its answer carries. Raises Refused(429), which has no Retry-After [V].

        caller: `org:acme`, `user:7` or `ip:127.0.0.1`.
        """
        if not settings.limits_rates:
            return {}
        category = caller.partition(":")[0]
        own = settings.limits.get(operation)
        known = LIMITS.get(operation, DEFAULT)
        limit, window = own if own is not None else (known.of(category), known.window)
        start = int(now // window) * window
        key = f"{category}:{operation}:{method}:{caller}"
        begun, used = self._windows.get(key, (start, 0))
        if begun != start:
            used = 0
        used += 1
        self._windows[key] = (start, used)
        concurrent = settings.concurrent_limit
        headers = {
            "x-sentry-rate-limit-remaining": str(max(0, limit - used)),
            "x-sentry-rate-limit-limit": str(limit),
            "x-sentry-rate-limit-reset": str(start + window),
            "x-sentry-rate-limit-concurrentremaining": str(concurrent - 1),
            "x-sentry-rate-limit-concurrentlimit": str(concurrent),
        }
        if used > limit:
            raise Refused(429, _too_often(limit, window), headers)
        if settings.concurrent_refusals > 0:
            settings.concurrent_refusals -= 1
            headers["x-sentry-rate-limit-concurrentremaining"] = "0"
            words = "You are attempting to go above the allowed concurrency for this endpoint. Concurrency limit is "
            raise Refused(429, f"{words}{concurrent}", headers)
        return headers
