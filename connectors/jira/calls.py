"""The calls to Jira's REST API: what is sent, what an answer means, what its headers say about budgets.

Reads are tried again within `connectors.retry`; a call that can change something is sent once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests

from connectors.contract import BudgetReading, Ports
from connectors.errors import (
    AuthRejected,
    RateLimited,
    RemoteError,
    UnexpectedAnswer,
    WriteRejected,
)
from connectors.http import Limits, decode_any, excerpt, looks_like_html, status_error, tame, wire_error
from connectors.retry import retry_read
from sync.model import Json

ACCOUNT, EDIT, RECORD, RECORD_LONG = "account", "edit", "record", "record_long"
"""The budgets. `record` and `record_long` are counted for each issue apart."""


class Calls:
    """One session's calls below `/rest/api`, used by one thread."""

    def __init__(self, session: requests.Session, base: str, ports: Ports, limits: Limits) -> None:
        self._base = base
        self._ports = ports
        self._writing = False
        self._record = ""
        self._session = tame(
            session, base_url=base, clock=ports.clock, judge=self._judge, limits=limits, transport=ports.transport
        )

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Json]:
        """Read an object. params: lists become comma-separated."""
        return _object(self.get_any(path, params), f"GET {path}")

    def get_any(self, path: str, params: Mapping[str, Any] | None = None) -> Json:
        """Read any JSON value."""
        return self._read("GET", path, params, None, 2)

    def query(self, path: str, body: Json, *, api: int) -> dict[str, Json]:
        """Read an object by a POST that changes nothing."""
        return _object(self._read("POST", path, None, body, api), f"POST {path}")

    def change(
        self,
        method: str,
        path: str,
        body: Json = None,
        *,
        params: Mapping[str, Any] | None = None,
        record: str = "",
    ) -> requests.Response:
        """Send one request that changes something, once. record: the issue whose budget it draws on."""
        return self._send(method, path, params, body, 2, writing=True, record=record)

    def _read(self, method: str, path: str, params: Mapping[str, Any] | None, body: Json, api: int) -> Json:
        def once() -> Json:
            answer = self._send(method, path, params, body, api, writing=False, record="")
            return decode_any(answer, where=f"Jira: {method} {path}")

        return retry_read(once, clock=self._ports.clock, rng=self._ports.rng)

    def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        body: Json,
        api: int,
        *,
        writing: bool,
        record: str,
    ) -> requests.Response:
        self._writing, self._record = writing, record
        flat = {name: _argument(value) for name, value in (params or {}).items() if value not in (None, "", (), [])}
        try:
            return self._session.request(
                method,
                f"{self._base}/rest/api/{api}/{path}",
                params=flat,
                data=None if body is None else msgspec.json.encode(body),
            )
        except requests.RequestException as error:
            raise wire_error(error, where=f"Jira: {method} {path}", writing=writing) from error

    # --- what an answer means ----------------------------------------------------------------------------------

    def _judge(self, response: requests.Response) -> None:
        """Take the budgets from an answer's headers, and raise what it means if it is none of the good ones."""
        now = self._ports.clock.now()
        for reading in readings(response, now):
            self._ports.meter(reading)
        denied = login_denied(response)
        if denied:
            # As a stranger we may still have been let do it, where a project is open to everybody.
            applied = self._writing and response.status_code < 400
            raise AuthRejected(denied, applied=applied, status=response.status_code)
        if response.status_code >= 400:
            raise self._error(response, now)

    def _error(self, response: requests.Response, now: datetime) -> RemoteError:
        method = response.request.method or ""
        path = urlsplit(response.request.url or "").path
        where = f"Jira: {method} {path}"
        words, field = explanation(response)
        error = status_error(response, where=where, words=words, writing=self._writing, now=now)
        if isinstance(error, RateLimited):
            scope = scope_of(response, self._record)
            return RateLimited(error.message, retry_after=error.retry_after, scope=scope)
        if response.status_code == 410 and path.endswith("/search"):
            return UnexpectedAnswer(f"{where} is gone: this is a Cloud site. Set deployment: cloud.", status=410)
        if isinstance(error, WriteRejected) and field:
            return WriteRejected(error.message, field=field, status=error.status)
        return error


def login_denied(response: requests.Response) -> str:
    """Why Jira did not let us in although the status may be a good one, or "".

    With wrong credentials some of Jira answers as for a stranger (404, empty lists) and says so in a header only; after
    too many failures it wants a person to solve a CAPTCHA.
    """
    reason = response.headers.get("X-Seraph-LoginReason", "").upper()
    if "AUTHENTICATION_DENIED" in reason:
        return (
            "Jira refuses the account until a person has signed in with it in a browser (CAPTCHA after failed logins). "
            "Sign in once, then correct the credentials."
        )
    if "AUTHENTICATED_FAILED" in reason:
        return "Jira does not accept the credentials and answers as to a stranger. Renew the token or password."
    return ""


def explanation(response: requests.Response) -> tuple[str, str]:
    """Jira's own words for an error, safe to show, and the field at fault where it names one."""
    if looks_like_html(response):
        return "an HTML page", ""
    try:
        body = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return excerpt(response.content), ""
    if not isinstance(body, dict):
        return excerpt(response.content), ""
    messages = body.get("errorMessages")
    words = [str(text) for text in messages] if isinstance(messages, list) else []
    errors = body.get("errors")
    fields = errors if isinstance(errors, dict) else {}
    words += [f"{name}: {text}" for name, text in fields.items()]
    words += [str(body[name]) for name in ("message", "errorMessage") if body.get(name)]
    return excerpt("; ".join(words), 300), next(iter(fields), "")


def scope_of(response: requests.Response, record: str) -> str:
    """Which budget a 429 is about. [Atlassian, "Rate limiting": `RateLimit-Reason`]"""
    reason = response.headers.get("RateLimit-Reason", "").lower()
    if "per-issue" in reason and record:
        return f"{RECORD}:{record}"
    if "burst" in reason and response.request.method == "PUT":
        return EDIT
    return ACCOUNT


def readings(response: requests.Response, now: datetime) -> tuple[BudgetReading, ...]:
    """What an answer's headers say about the account's budget.

    Data Center names its token bucket in full: the rate at which it fills becomes the limit of one second. Cloud counts
    several things under the same names, so only "nearly used up" is believed, never the size.
    """
    remaining = _number(response.headers.get("X-RateLimit-Remaining"))
    if remaining is None:
        return ()
    filled, interval = (
        _number(response.headers.get(f"X-RateLimit-{name}")) for name in ("FillRate", "Interval-Seconds")
    )
    if filled and interval:
        limit = max(1, int(min(filled / interval, 1e9)))
        return (BudgetReading(budget=ACCOUNT, limit=limit, remaining=int(remaining), resets_in=interval),)
    near = response.headers.get("X-RateLimit-NearLimit", "").lower() == "true"
    if not near or response.status_code == 429:  # a 429 says itself how long, and for what
        return ()
    return (BudgetReading(budget=ACCOUNT, remaining=int(remaining), resets_in=_until(response, now)),)


def _until(response: requests.Response, now: datetime) -> float | None:
    try:
        at = datetime.fromisoformat(response.headers.get("X-RateLimit-Reset", ""))
        return max(0.0, (at - now).total_seconds())
    except (ValueError, TypeError):
        return None


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is not None and 0 <= value < 1e9 else None


def _argument(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(str(part) for part in value)
    return str(value)


def _object(value: Json, where: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise UnexpectedAnswer(f"Jira: {where} answered with something else than an object: {str(value)[:60]!r}")
    return value
