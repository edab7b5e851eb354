"""What Jira refuses, and how: error bodies, rate limits, sites in trouble.

Faults that every system has (cuts, drips, HTML pages) are in `connectors.sandbox.faults`; here is Jira's own.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from connectors.jira.sandbox.settings import AuthBody, Deployment, Settings
from connectors.sandbox.wire import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

Json: TypeAlias = Any
JSON_TYPE = "application/json;charset=UTF-8"


class Refused(Exception):
    """A request that Jira refuses, in its own error shape: `{"errorMessages": [...], "errors": {...}}` [S][C]."""

    def __init__(
        self,
        status: int,
        *messages: str,
        errors: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, *messages)
        self.status = status
        self.messages = messages
        self.errors = dict(errors or {})
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The answer that tells it."""
        body = {"errorMessages": list(self.messages), "errors": self.errors}
        return Response(
            status=self.status, body=msgspec.json.encode(body), headers={"content-type": JSON_TYPE, **self.headers}
        )


def unseen() -> Refused:
    """An issue that is not there, or not for this user: Jira does not tell the two apart [S]."""
    return Refused(404, "Issue does not exist or you do not have permission to see it.")


def unauthorised(form: AuthBody, *, captcha: bool, deployment: Deployment) -> Response:
    """A 401 in one of the forms seen; with a captcha due, Data Center's 403 and its X-Seraph-LoginReason [G]."""
    reason = {"x-seraph-loginreason": "AUTHENTICATION_DENIED" if captcha else "AUTHENTICATED_FAILED"}
    status = 403 if captcha else 401
    words = "Client must be authenticated to access this resource."
    headers = {**reason, "www-authenticate": 'Basic realm="Jira"' if deployment is Deployment.CLOUD else "OAuth"}
    match form:
        case AuthBody.JSON:
            body = msgspec.json.encode({"message": words, "status-code": status})
            return Response(status=status, body=body, headers={**headers, "content-type": JSON_TYPE})
        case AuthBody.TEXT:
            headers["content-type"] = "text/plain;charset=UTF-8"
            return Response(status=status, body=words.encode(), headers=headers)
        case AuthBody.HTML:
            page = f"<html><head><title>Unauthorized ({status})</title></head><body><h1>{words}</h1></body></html>"
            headers["content-type"] = "text/html;charset=UTF-8"
            return Response(status=status, body=page.encode(), headers=headers)


def vendor_refusal(status: int, headers: Mapping[str, str], settings: Settings, deployment: Deployment) -> Response:
    """Jira's own answer for a status that a fault rule asks for."""
    match status:
        case 401:
            return unauthorised(settings.auth_body, captcha=False, deployment=deployment)
        case 403:
            return Refused(403, "You do not have permission to perform this operation.").response()
        case 429:
            named = {"ratelimit-reason": "jira-burst-based"} if deployment is Deployment.CLOUD else {}
            return Refused(429, "Rate limit exceeded.", headers={**named, **headers}).response()
        case _:
            return Refused(status, f"Error {status}", headers=headers).response()


class Limits:
    """The site's rate limits. Cloud: bursts per endpoint and writes per issue (B5) [3]; Data Center: one bucket [D].

    Times are seconds since the epoch; budgets are not shortened by the time factor.
    """

    def __init__(self) -> None:
        self._bursts: dict[str, tuple[float, float]] = {}
        self._writes: dict[int, deque[float]] = {}
        self._bucket: dict[str, tuple[float, float]] = {}

    def admit(
        self, method: str, operation: str, user: str, now: float, settings: Settings, deployment: Deployment
    ) -> dict[str, str]:
        """Take one call from the budgets: the headers an answer carries. Raises Refused(429) when none is left."""
        if settings.quota_retry_after > 0:
            raise self._refused(settings, settings.quota_reason, settings.quota_retry_after, 0, now, deployment)
        if not settings.rate_limits:
            return {}
        if deployment is Deployment.SERVER:
            return self._admit_server(user, now, settings)
        limit = {
            "GET": settings.burst_get_issue if operation == "issue.get" else settings.burst_get,
            "PUT": settings.burst_put,
            "DELETE": settings.burst_delete,
        }.get(method, settings.burst_post)
        tokens, at = self._bursts.get(f"{method} {operation}", (float(limit), now))
        tokens = min(float(limit), tokens + max(0.0, now - at) * limit)
        if tokens < 1:
            self._bursts[f"{method} {operation}"] = (tokens, now)
            raise self._refused(settings, "jira-burst-based", 1.0, limit, now, deployment)
        tokens -= 1
        self._bursts[f"{method} {operation}"] = (tokens, now)
        headers = {"x-ratelimit-limit": str(limit), "x-ratelimit-remaining": str(int(tokens))}
        if tokens < limit * 0.2:
            headers["x-ratelimit-nearlimit"] = "true"
        return headers

    def admit_write(self, issue: int, now: float, settings: Settings, deployment: Deployment) -> None:
        """Take one write of one issue: 20 in 2 s and 100 in 30 s [3]. Raises Refused(429, jira-per-issue-on-write)."""
        if not settings.rate_limits or deployment is Deployment.SERVER:
            return
        writes = self._writes.setdefault(issue, deque())
        while writes and writes[0] <= now - 30:
            writes.popleft()
        short = [at for at in writes if at > now - 2]
        if len(short) >= settings.issue_writes_2s:
            wait = max(1.0, short[0] + 2 - now)
            raise self._refused(settings, "jira-per-issue-on-write", wait, settings.issue_writes_2s, now, deployment)
        if len(writes) >= settings.issue_writes_30s:
            wait = max(1.0, writes[0] + 30 - now)
            raise self._refused(settings, "jira-per-issue-on-write", wait, settings.issue_writes_30s, now, deployment)
        writes.append(now)

    def _admit_server(self, user: str, now: float, settings: Settings) -> dict[str, str]:
        limit = settings.dc_rate_limit
        tokens, at = self._bucket.get(user, (float(limit), now))
        tokens = min(float(limit), tokens + max(0.0, now - at) * settings.dc_fill_rate)
        headers = {
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-fillrate": str(settings.dc_fill_rate),
            "x-ratelimit-interval-seconds": "1",
        }
        if tokens < 1:
            self._bucket[user] = (tokens, now)
            waits = {"x-ratelimit-remaining": "0", "retry-after": "1"}
            raise Refused(429, "Rate limit exceeded.", headers={**headers, **waits})
        self._bucket[user] = (tokens - 1, now)
        return {**headers, "x-ratelimit-remaining": str(int(tokens - 1)), "retry-after": "0"}

    def _refused(
        self, settings: Settings, reason: str, wait: float, limit: int, now: float, deployment: Deployment
    ) -> Refused:
        seconds = str(max(1, int(wait + 0.999)))
        headers: dict[str, str] = {}
        if not settings.retry_after_missing:
            headers["retry-after"] = seconds
        if deployment is Deployment.CLOUD:
            headers |= {
                "x-ratelimit-limit": str(limit),
                "x-ratelimit-remaining": "0",
                "x-ratelimit-reset": _iso(now + wait),
                "ratelimit-reason": reason,
            }
            if "quota" in reason:
                headers["beta-ratelimit-policy"] = '"global-app-quota";q=65000;w=3600'
                headers["beta-ratelimit"] = f'"global-app-quota";r=0;t={seconds}'
        return Refused(429, "Rate limit exceeded.", headers=headers)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%MZ")
