"""What Zendesk's answers say beside their content: words of an error, budgets, and which budget is used up. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from connectors.contract import BudgetReading
from connectors.http import excerpt
from sync.model import Json

ACCOUNT = "account"
EXPORT = "export"
WRITES = "writes"
RECORD = "record"
DELETED = "deleted"
"""Budgets by our names. `record` is counted for each ticket apart."""

_TICKET = re.compile(r"/api/v2/tickets/(\d+)")
_PART = re.compile(r"(total|remaining|resets)\s*=\s*([0-9]{1,9})(?![0-9])")


def words(body: bytes) -> str:
    """An error body in one line. Zendesk has `error` as a text or an object, `errors` as a list, `details` by field."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return excerpt(body)
    if not isinstance(value, dict):
        return excerpt(body)
    said: list[str] = []
    error = value.get("error")
    if isinstance(error, dict):
        said += [str(error[key]) for key in ("title", "message") if error.get(key)]
    elif error:
        said.append(str(error))
    said += [str(value[key]) for key in ("description", "error_description", "message") if value.get(key)]
    errors = value.get("errors")
    for one in errors if isinstance(errors, list) else ():
        if isinstance(one, dict):
            said += [str(one[key]) for key in ("title", "detail") if one.get(key)]
    said += [text for texts in _details(value).values() for text in texts]
    return excerpt("; ".join(dict.fromkeys(said)), 300)


def culprit(body: bytes) -> str:
    """The first field that a validation error names, or nothing."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return ""
    return next(iter(_details(value)), "") if isinstance(value, dict) else ""


def _details(value: dict[str, Json]) -> dict[str, list[str]]:
    details = value.get("details")
    if not isinstance(details, dict):
        return {}
    found: dict[str, list[str]] = {}
    for name, rows in details.items():
        for row in rows if isinstance(rows, list) else [rows]:
            text = row.get("description") if isinstance(row, dict) else row
            found.setdefault(str(name), []).append(str(text))
    return found


def ticket_of(path: str) -> str:
    """The id of the ticket an address is about, or nothing."""
    found = _TICKET.search(path)
    return found.group(1) if found else ""


def readings(headers: Mapping[str, str], path: str) -> tuple[BudgetReading, ...]:
    """What the headers say about budgets. Names as seen in recorded answers; each was renamed over the years, so all
    spellings are read: `x-rate-limit[-remaining]`, `rate[-]limit-{limit,remaining,reset}`, `zendesk-rate[-]limit-*`.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    found = [
        BudgetReading(
            budget=EXPORT if "/incremental/" in path and "x-rate-limit" not in lower else ACCOUNT,
            limit=_number(lower, "x-rate-limit", "ratelimit-limit", "rate-limit-limit"),
            remaining=_number(lower, "x-rate-limit-remaining", "ratelimit-remaining", "rate-limit-remaining"),
            resets_in=_number(lower, "ratelimit-reset", "rate-limit-reset"),
        )
    ]
    found = [reading for reading in found if reading.limit is not None or reading.remaining is not None]
    for name, value in lower.items():
        endpoint = re.match(r"zendesk-rate-?limit-(.+)", name)
        parts = {key: int(number) for key, number in _PART.findall(value)} if endpoint else {}
        if endpoint and parts:
            budget, record = _budget_of(endpoint.group(1), path)
            found.append(
                BudgetReading(
                    budget=budget,
                    limit=parts.get("total"),
                    remaining=parts.get("remaining"),
                    resets_in=parts.get("resets"),
                    record=record,
                )
            )
    return tuple(found)


def spent_scope(headers: Mapping[str, str], path: str) -> str:
    """Which budget a 429 is about: the one whose header shows nothing left, else the endpoint's, else the account's."""
    for reading in readings(headers, path):
        if reading.remaining == 0 and reading.budget != ACCOUNT:
            return f"{reading.budget}:{reading.record}" if reading.record else reading.budget
    if "/incremental/" in path:
        return EXPORT
    if "/deleted_tickets" in path:
        return DELETED
    return ACCOUNT


def _budget_of(name: str, path: str) -> tuple[str, str]:
    """Our name for an endpoint's budget, and the ticket where it is counted for each apart."""
    if "per-ticket" in name:
        return RECORD, ticket_of(path)
    if "incremental" in name:
        return EXPORT, ""
    if name == "tickets-update":
        return WRITES, ""
    return name, ""


def _number(headers: Mapping[str, str], *names: str) -> int | None:
    for name in names:
        if re.fullmatch(r"[0-9]{1,9}", headers.get(name, "").strip()):
            return int(headers[name])
    return None
