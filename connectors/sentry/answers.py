"""What Sentry's answers say beside their content: words of an error, the window of a limit, the next page. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import msgspec

from connectors.contract import BudgetReading
from connectors.http import LONGEST_WAIT, SHORTEST_WAIT, excerpt
from sync.model import Json

ACCOUNT = "account"
LIST = "list"
ISSUE = "issue"
WRITE = "write"
OTHER = "other"
"""Budgets by our names. Sentry counts each endpoint and method apart; these are the ones we call often."""

_ISSUE = re.compile(r"/issues/[^/]+/?$")
_LIST = re.compile(r"/issues/?$")


def words(body: bytes) -> tuple[str, str]:
    """An error body in one line, and the field it complains of. `{"detail": …}` or `{"field": ["…"]}`, nested."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return excerpt(body), ""
    if not isinstance(value, dict):
        return excerpt(body), ""
    detail = value.get("detail")
    if isinstance(detail, dict):
        detail = detail.get("message") or detail.get("code")
    if detail:
        return excerpt("; ".join(_texts(detail)), 300), ""
    said = [f"{name}: {text}" for name, part in value.items() for text in _texts(part)]
    return excerpt("; ".join(said) or body, 300), next(iter(value), "") if said else ""


def _texts(value: Json) -> list[str]:
    if isinstance(value, dict):
        return [text for part in value.values() for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return [str(value)] if value not in (None, "") else []


def budget_of(method: str, path: str) -> str:
    """The budget that a call draws on."""
    if method == "GET":
        return LIST if _LIST.search(path) else ISSUE if _ISSUE.search(path) else OTHER
    return WRITE if _ISSUE.search(path) else OTHER


def reading(headers: Mapping[str, str], method: str, path: str, now: float) -> BudgetReading | None:
    """What the headers say about the window of the endpoint; None where there are none: a self-hosted server sets no
    limit. now: epoch seconds, used where the answer has no Date; Sentry says when the window ends by its own clock.
    """
    limit, remaining = _number(headers, "x-sentry-rate-limit-limit"), _number(headers, "x-sentry-rate-limit-remaining")
    if limit is None and remaining is None:
        return None
    return BudgetReading(
        budget=budget_of(method, path), limit=limit, remaining=remaining, resets_in=resets_in(headers, now)
    )


def resets_in(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until the window of the endpoint begins anew, 1 s to 24 h; None where the answer does not say."""
    reset = _number(headers, "x-sentry-rate-limit-reset")
    return None if reset is None else min(LONGEST_WAIT, max(SHORTEST_WAIT, reset - now))


def next_cursor(header: str) -> str:
    """The cursor of the next page in a `Link` header, "" at the end.

    Each entry is `<url>; rel="next"; results="true"; cursor="…"`. GlitchTip has been seen to wrap the whole in
    `{'…'}` and to leave the cursor out: then the address has it.
    """
    for entry in re.split(r",\s*(?=[{'\"]*<)", header):
        if not re.search(r"""rel=["']?next""", entry):
            continue
        if re.search(r"""results=["']?false""", entry):
            return ""
        named = re.search(r"""cursor=["']([^"']+)["']""", entry)
        if named:
            return named.group(1)
        address = re.search(r"<([^>]*)>", entry)
        try:
            values = parse_qs(urlsplit(address.group(1)).query).get("cursor") if address else None
        except ValueError:
            values = None
        return values[0] if values else ""
    return ""


def _number(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "").strip()
    return int(value) if re.fullmatch(r"[0-9]{1,12}", value) else None
