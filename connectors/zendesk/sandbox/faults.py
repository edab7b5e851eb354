"""The vendor's own error answers (reference A6), and the exception by which the rules raise them.

Marks: D documentation, C recorded, 3 third party, G guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from connectors.sandbox.wire import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sync.model import Json

JSON_HEADERS = {"content-type": "application/json; charset=utf-8"}


class Refusal(Exception):
    """A request that the system refuses. status, body, headers: the answer."""

    def __init__(self, status: int, body: Json, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The answer on the wire; a body of text is sent as plain text."""
        if isinstance(self.body, str):
            headers = {"content-type": "text/plain; charset=utf-8", **self.headers}
            return Response(status=self.status, body=self.body.encode(), headers=headers)
        return Response(
            status=self.status, body=msgspec.json.encode(self.body), headers={**JSON_HEADERS, **self.headers}
        )


def unauthenticated() -> Refusal:
    """401 for wrong credentials (D)."""
    return Refusal(401, {"error": "Couldn't authenticate you"})


def expired_token() -> Refusal:
    """401 for a token that is expired, revoked or unknown (G)."""
    words = "The access token provided is expired, revoked, malformed or invalid for other reasons."
    return Refusal(401, {"error": "invalid_token", "error_description": words})


def forbidden() -> Refusal:
    """403 with `error` as an object (D)."""
    words = "You do not have access to this page. Please contact the account owner of this help desk for further help."
    return Refusal(403, {"error": {"title": "Forbidden", "message": words}})


def missing_scope(scope: str) -> Refusal:
    """403 with `error` as a string (G): the token's scopes do not cover the call."""
    words = f"You are missing the following required scopes: {scope}"
    return Refusal(403, {"error": "Forbidden", "description": words})


def not_found() -> Refusal:
    """404 for a record (C)."""
    return Refusal(404, {"error": "RecordNotFound", "description": "Not found"})


def no_endpoint() -> Refusal:
    """404 for a path (C/3)."""
    return Refusal(404, {"error": "InvalidEndpoint", "description": "Not found"})


def too_many_values(limit: int = 100) -> Refusal:
    """400 for more ids than allowed; the two spaces are the vendor's (C)."""
    words = f"Parameter  cannot specify more than {limit} values"
    return Refusal(400, {"error": "TooManyValues", "description": words, "max_count": limit})


def parameter_missing(name: str) -> Refusal:
    """400 for a missing parameter (D)."""
    return Refusal(400, {"error": "ParameterMissing", "description": f"Parameter {name} is required"})


def bad_parameter(words: str) -> Refusal:
    """400 for a parameter that means nothing (G)."""
    return Refusal(400, {"error": "InvalidParameter", "description": words})


def bad_json() -> Refusal:
    """422 for a body that is no JSON object (G)."""
    return Refusal(422, {"error": "Unprocessable Entity", "message": "Server could not parse JSON"})


def pagination_depth() -> Refusal:
    """400 past 100 pages or 10,000 rows of an offset list (D/3)."""
    told = {
        "code": "InvalidPaginationDepth",
        "title": "Pagination depth exceeded",
        "detail": "Access beyond the pagination depth limit of 100 pages or 10,000 rows is not permitted. "
        "Please use cursor pagination.",
    }
    return Refusal(400, {"errors": [told]})


def idempotency_mismatch() -> Refusal:
    """400 for a known idempotency key with another body (D)."""
    words = "Request parameters don't match the given idempotency key"
    return Refusal(400, {"error": "IdempotentRequestError", "description": words})


def start_time_too_recent() -> Refusal:
    """400 for an export that would begin inside the hidden last minute (G)."""
    words = "Too recent start_time. Use a start_time older than 60 seconds"
    return Refusal(400, {"error": "StartTimeTooRecent", "description": words})


def invalid_cursor() -> Refusal:
    """400 for an export cursor that cannot be read (G)."""
    return Refusal(400, {"error": "InvalidCursor", "description": "The cursor is invalid"})


def update_conflict() -> Refusal:
    """409 of a safe update on older data (D)."""
    words = (
        "Safe Update prevented the update due to outdated ticket data. "
        "Please fetch the latest ticket data and try again."
    )
    return Refusal(409, {"error": "UpdateConflict", "description": words})


def invalid_record(details: Mapping[str, str], error: str = "") -> Refusal:
    """422 with what is wrong by field (3/G). details: field to sentence."""
    told: dict[str, Any] = {
        name: [{"description": words, **({"error": error} if error else {})}] for name, words in details.items()
    }
    return Refusal(422, {"error": "RecordInvalid", "description": "Record validation errors", "details": told})


def closed() -> Refusal:
    """422 for any edit of a closed ticket (3)."""
    return invalid_record({"status": "Status: closed prevents ticket update"})


def search_limit() -> Refusal:
    """422 past the cap of search results (D)."""
    words = "Invalid search: Requested response size was greater than Search Response Limits"
    return Refusal(422, {"error": "invalid", "description": words})


def too_many_jobs() -> Refusal:
    """429 when too many jobs are queued (D/G)."""
    return Refusal(429, {"error": "TooManyJobs", "description": "Too many jobs are currently queued or running"})


def rate_limited(what: str, retry_after: int | None, *, plain: bool = False) -> Refusal:
    """429. what: "API requests" or the export's own words (D/3); plain: as text (G). retry_after: whole seconds."""
    words = f"Number of allowed {what} per minute exceeded"
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    if plain:
        return Refusal(429, words, headers)
    return Refusal(429, {"error": "APIRateLimitExceeded", "description": words}, headers)


def refusal_for(status: int, headers: Mapping[str, str]) -> Response:
    """The vendor's answer for a status that a fault rule asks for."""
    match status:
        case 401:
            refusal = unauthenticated()
        case 403:
            refusal = forbidden()
        case _:
            refusal = rate_limited("API requests", None)
    refusal.headers.update(headers)
    return refusal.response()
