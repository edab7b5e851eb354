"""How requests to a Sentry organisation are made: signed in, judged, put into words, reads tried again, writes never.

Knows addresses and bodies, no issues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx
from msgspec import Struct

from connectors.contract import Ports
from connectors.errors import RateLimited, RemoteError, UnexpectedAnswer, WriteRejected
from connectors.http import Limits, decode, decode_any, excerpt, retry_after, status_error
from connectors.retry import retry_read
from connectors.sentry import answers
from connectors.sentry.settings import SentrySettings
from connectors.web import Web
from sync.model import Json

Params = Sequence[tuple[str, str]]
T = TypeVar("T")

LONGEST_PAUSE = 2.0
"""Seconds that a read waits for the next window of an endpoint. Sentry's last one; longer waits are the engine's."""


class Rows(Struct, frozen=True, kw_only=True):
    """One page of a list. following: the cursor of the next one, "" at the end. total: where the remote tells."""

    rows: list[dict[str, Json]]
    following: str
    total: int | None


class Calls:
    """The calls of one connection, for one thread."""

    def __init__(self, settings: SentrySettings, ports: Ports, limits: Limits | None = None) -> None:
        self._ports = ports
        self.org = f"/organizations/{settings.organization}"
        self._opens: dict[str, float] = {}
        self._web = Web(
            f"{settings.base_url}/api/0",
            clock=ports.clock,
            headers={"Authorization": f"Bearer {settings.token.get_secret_value()}"},
            limits=limits,
            transport=ports.transport,
        )

    def get(self, path: str, params: Params = ()) -> dict[str, Json]:
        """A read of a JSON object, with the retry policy. Raises `connectors.errors`."""
        return self._reading(lambda: decode(self._call("GET", path, params), where=f"GET {path}"))

    def rows(self, path: str, params: Params = ()) -> Rows:
        """A read of one page of a list of objects, with the retry policy. Raises `connectors.errors`."""

        def once() -> Rows:
            response = self._call("GET", path, params)
            rows = decode_any(response, where=f"GET {path}")
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise UnexpectedAnswer(
                    f"GET {path} answered {response.status_code} without a list of objects: "
                    f"{excerpt(response.content)}",
                    status=response.status_code,
                )
            hits = response.headers.get("x-hits", "")
            return Rows(
                rows=rows,
                following=answers.next_cursor(response.headers.get("link", "")),
                total=int(hits) if hits.isascii() and hits.isdigit() and len(hits) < 12 else None,
            )

        return self._reading(once)

    def pages(self, path: str, params: Params = (), *, limit: int) -> Iterator[list[dict[str, Json]]]:
        """The pages of a list, at most `limit`, and never one twice."""
        cursor, seen = "", {""}
        for _page in range(limit):
            page = self.rows(path, [*params, *([("cursor", cursor)] if cursor else [])])
            yield page.rows
            cursor = page.following
            if cursor in seen:
                return
            seen.add(cursor)

    def write(self, method: str, path: str, json: Json = None) -> httpx.Response:
        """The one request of a write. Never sent twice. Raises `connectors.errors`, with `applied` where in doubt."""
        return self._call(method, path, (), json=json)

    def close(self) -> None:
        """Close the connections."""
        self._web.close()

    def _reading(self, once: Callable[[], T]) -> T:
        return retry_read(once, clock=self._ports.clock, rng=self._ports.rng)

    def _call(self, method: str, path: str, params: Params, *, json: Json = None) -> httpx.Response:
        """One request; raises for every status that is no success. A read waits out the rest of a used-up window."""
        budget, clock = answers.budget_of(method, path), self._ports.clock
        pause = self._opens.pop(budget, 0.0) - clock.monotonic()
        if method == "GET" and 0 < pause <= LONGEST_PAUSE:
            clock.sleep(pause)
        response = self._web.call(method, path, params=params, json=json)
        now = _server_time(response.headers, clock.now().timestamp())
        reading = answers.reading(response.headers, method, path, now)
        if reading is not None:
            self._ports.meter(reading)
            if reading.remaining == 0 and reading.resets_in is not None:
                self._opens[budget] = clock.monotonic() + reading.resets_in
        if response.status_code < 400:
            return response
        raise self._meaning(response, method, path, now)

    def _meaning(self, response: httpx.Response, method: str, path: str, now: float) -> RemoteError:
        where = f"{method} {path}"
        said, field = answers.words(response.content)
        wall = self._ports.clock.now().astimezone(UTC)
        if response.status_code == 429:
            # Sentry sends no Retry-After, but the end of the window; jitter, or all come back at once.
            asked = retry_after(response.headers.get("Retry-After"), wall)
            wait = asked if asked is not None else answers.resets_in(response.headers, now)
            return RateLimited(
                f"{where} answered 429: {said}",
                retry_after=None if wait is None else wait + self._ports.rng.random() * 0.5,
                scope=answers.budget_of(method, path),
            )
        error = status_error(response, where=where, words=said, writing=method != "GET", now=wall)
        if isinstance(error, WriteRejected):
            error.field = {"assignedTo": "assignee", "statusDetails": "status"}.get(field, field)
        return error


def _server_time(headers: Mapping[str, str], ours: float) -> float:
    """The remote's clock as its answer shows it, epoch seconds; ours where it does not."""
    try:
        return parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return ours
