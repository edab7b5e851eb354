"""The issue search: the part of Sentry's query language that issues are listed by, sorting, and cursors.

Tokens, negation and dates [V docs]; lists in brackets and what an unknown token means [G]: every unknown key is taken
for an event tag, as in Sentry.
"""

from __future__ import annotations

import heapq
import re
import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec import Struct

from connectors.sentry.sandbox.faults import Refused
from connectors.sentry.sandbox.model import ARCHIVED, OPEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from connectors.sentry.sandbox.model import Issue, Organisation

Json: TypeAlias = Any
Test: TypeAlias = Callable[["Issue"], bool]

UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
DURATION: Final = re.compile(r"(\d+)([smhdw])\Z")
TOKEN: Final = re.compile(r"(!?)([\w.\-]+):(.*)\Z", re.DOTALL)
COMPARED: Final = re.compile(r"(>=|<=|>|<|)(\d+)\Z")
SORTS: Final[dict[str, Callable[[Any], float]]] = {
    "date": lambda issue: issue.last_seen * 1000,
    "new": lambda issue: issue.first_seen * 1000,
    "freq": lambda issue: issue.count,
    "user": lambda issue: len(issue.users),
    "trends": lambda issue: issue.count,
    "inbox": lambda issue: issue.first_seen * 1000,
    "recommended": lambda issue: issue.last_seen * 1000,
}


def seconds_of(text: str) -> float:
    """A period such as `14d`. Raises Refused(400)."""
    match = DURATION.match(text)
    if match is None:
        raise Refused(400, f"Invalid statsPeriod: {text!r}")
    return int(match[1]) * UNITS[match[2]]


def instant(text: str) -> float:
    """An ISO time, UTC unless it says so. Raises Refused(400)."""
    try:
        told = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused(400, f"Invalid date: {text!r}") from error
    return (told if told.tzinfo is not None else told.replace(tzinfo=UTC)).timestamp()


def words_of(query: str) -> list[str]:
    """The tokens of a query; spaces in quotes and in brackets do not part. Raises Refused(400)."""
    joined = re.sub(r"\[[^\]]*\]", lambda found: found[0].replace(" ", ""), query)
    try:
        return shlex.split(joined)
    except ValueError as error:
        raise Refused(400, f"Error parsing search query: {error}") from error


class Query(Struct, frozen=True, kw_only=True):
    """What a query means. only: the ids that can pass, where it names issues; None: any."""

    test: Test
    only: frozenset[int] | None = None


def compiled(query: str, org: Organisation) -> Query:
    """What a query means. Raises Refused(400) with a `detail` for what cannot be understood."""
    tests: list[Test] = []
    only: frozenset[int] | None = None
    free: list[str] = []
    for word in words_of(query):
        token = TOKEN.match(word)
        if token is None:
            free.append(word.lower())
            continue
        is_negated, key, value = bool(token[1]), token[2], token[3]
        if value == "":
            raise Refused(400, f"Error parsing search query: Empty string after '{key}:'")
        if key == "issue":
            named = _named(_values(key, value), org)
            tests.append(_not(_one_of(named)) if is_negated else _one_of(named))
            if not is_negated:
                only = named if only is None else only & named
            continue
        test = _token(key, value, org)
        tests.append(_not(test) if is_negated else test)
    if free:
        text = " ".join(free)
        tests.append(lambda issue: text in f"{issue.title} {issue.culprit}".lower())
    return Query(test=lambda issue: all(test(issue) for test in tests), only=only)


def _not(test: Test) -> Test:
    return lambda issue: not test(issue)


def _values(key: str, value: str) -> list[str]:
    """One value, or those of a list in brackets. Raises Refused(400)."""
    if not value.startswith("["):
        return [value]
    if not value.endswith("]"):
        raise Refused(400, f"Error parsing search query: Invalid list for '{key}'")
    return [one for one in value[1:-1].split(",") if one]


def _one_of(numbers: frozenset[int]) -> Test:
    return lambda issue: issue.id in numbers


def _token(key: str, value: str, org: Organisation) -> Test:
    values = _values(key, value)
    match key:
        case "is":
            return _is(value, org)
        case "issue.id":
            return _one_of(frozenset(int(one) for one in values if one.isdecimal()))
        case "issue.category":
            return lambda issue: issue.category in values
        case "issue.type" | "error.type":
            return lambda issue: issue.kind in values
        case "issue.priority":
            return lambda issue: issue.priority in values
        case "project" | "project.name":
            return lambda issue: org.projects[issue.project].slug in values
        case "level":
            return lambda issue: issue.level in values
        case "lastSeen":
            return _when(value, org, lambda issue: issue.last_seen)
        case "firstSeen" | "age":
            return _when(value, org, lambda issue: issue.first_seen)
        case "timesSeen":
            return _many(value, lambda issue: issue.count)
        case "assigned" | "assigned_or_suggested":
            return _assigned(values, org)
        case "firstRelease":
            return lambda issue: issue.first_release in _versions(values, org, issue)
        case "release":
            return lambda issue: any(event.release in _versions(values, org, issue) for event in issue.events)
        case "has":
            return lambda issue: any(value in event.tags for event in issue.events)
        case "bookmarks" | "message" | "title":
            return lambda issue: any(one.strip("*").lower() in issue.title.lower() for one in values)
        case _:
            return lambda issue: any(event.tags.get(key) in values for event in issue.events)


def _is(value: str, org: Organisation) -> Test:
    def status(issue: Issue) -> str:
        return "resolved" if org.is_over_age(issue) else issue.status

    match value:
        case "unresolved" | "resolved":
            return lambda issue: status(issue) == value
        case "archived" | "ignored" | "muted":
            return lambda issue: issue.status == "ignored"
        case "assigned":
            return lambda issue: issue.assignee is not None
        case "unassigned":
            return lambda issue: issue.assignee is None
        case "for_review" | "needs_review":
            return lambda issue: issue.status == "unresolved" and not issue.is_reviewed
        case "linked":
            return lambda issue: bool(issue.external or issue.integrations)
        case "unlinked":
            return lambda issue: not (issue.external or issue.integrations)
        case _ if value in (*OPEN, *ARCHIVED):
            return lambda issue: issue.substatus == value
        case _:
            raise Refused(400, f"Invalid value for 'is' search: '{value}'")


def _named(values: Sequence[str], org: Organisation) -> frozenset[int]:
    """The ids of short ids. Raises Refused(400) for what a version does not take."""
    if len(values) > 1 and not org.settings.issue_lists:
        raise Refused(400, "Invalid format for 'issue': a list is not supported")
    found = {one: org.peek(one) for one in values}
    missing = [name for name, issue in found.items() if issue is None]
    if missing and org.settings.unknown_short_ids_refused:
        raise Refused(400, f"Invalid value '{missing}' for 'issue:' filter")
    return frozenset(issue.id for issue in found.values() if issue is not None)


def _when(value: str, org: Organisation, of: Callable[[Issue], float]) -> Test:
    """`-2d`: within the last two days; `+2d`: longer ago; `>=2026-01-01`: an instant."""
    if value[0] in "+-" and DURATION.match(value[1:]):
        mark = org.now() - seconds_of(value[1:])
        return (lambda issue: of(issue) >= mark) if value[0] == "-" else (lambda issue: of(issue) <= mark)
    compared = re.match(r"(>=|<=|>|<)(.+)\Z", value)
    if compared is None:
        raise Refused(400, f"Error parsing search query: {value!r} is not a valid date")
    mark = instant(compared[2])
    match compared[1]:
        case ">=" | ">":
            return lambda issue: of(issue) >= mark
        case _:
            return lambda issue: of(issue) <= mark


def _many(value: str, of: Callable[[Issue], int]) -> Test:
    compared = COMPARED.match(value)
    if compared is None:
        raise Refused(400, f"Error parsing search query: {value!r} is not a valid number")
    sign, number = compared[1], int(compared[2])
    return lambda issue: {
        ">": of(issue) > number,
        ">=": of(issue) >= number,
        "<": of(issue) < number,
        "<=": of(issue) <= number,
        "": of(issue) == number,
    }[sign]


def _assigned(values: Sequence[str], org: Organisation) -> Test:
    wanted: set[str | None] = set()
    for one in values:
        if one in {"none", "null"}:
            wanted.add(None)
            continue
        team = next((team for team in org.teams.values() if f"#{team.slug}" == one), None)
        user = org.user(one)
        if team is not None:
            wanted.add(f"team:{team.id}")
        elif user is not None:
            wanted.add(f"user:{user.id}")
    return lambda issue: issue.assignee in wanted


def _versions(values: Sequence[str], org: Organisation, issue: Issue) -> set[str]:
    if "latest" not in values:
        return set(values)
    newest = org.releases_of(issue.project)[-1:]
    return {*values, *(release.version for release in newest)}


class Slice(Struct, frozen=True, kw_only=True):
    """A page of rows, and the cursors before and after it with whether anything is there."""

    rows: list[Any]
    before: str
    has_before: bool
    after: str
    has_after: bool


def cut_by_key(rows: Iterable[Any], key: Callable[[Any], float], cursor: str, limit: int) -> Slice:
    """A page by `value:offset:is_prev`, largest value first: rows that move up do not shift the pages behind [V][G].

    key: of a row; compared as a whole number. Raises Refused(400) for what is no cursor.
    """
    value, offset, is_back = _cursor(cursor)
    rows = list(rows)

    def at(row: Any) -> int:
        return int(key(row))

    def rank(row: Any) -> tuple[int, int]:
        return at(row), row.id

    if is_back:
        # rows at or above the value, less those of the value itself that the page after this one has
        above = sorted((row for row in rows if at(row) >= value), key=rank, reverse=True)
        above = above[: max(0, len(above) - offset)]
        skipped, has_after = max(0, len(above) - limit), len(rows) > len(above)
        page, ranked = above[skipped:], above
    else:
        behind = [row for row in rows if at(row) <= value] if cursor else rows
        ranked = heapq.nlargest(offset + limit + 1, behind, key=rank)
        skipped, has_after = len(rows) - len(behind) + min(offset, len(ranked)), len(ranked) > offset + limit
        page = ranked[offset : offset + limit]
    if not page:
        after = cursor or "0:0:0"
        return Slice(rows=[], before=f"{value}:{offset}:1", has_before=skipped > 0, after=after, has_after=False)
    first, last = at(page[0]), rank(page[-1])
    # the cursor of the next page is the value of its first row, and how many rows of that value come before
    if is_back:
        follows = max((at(row) for row in rows if rank(row) < last), default=last[0])
        passed = sum(1 for row in rows if at(row) == follows and rank(row) >= last)
    else:
        follows = at(ranked[offset + limit]) if has_after else last[0]
        passed = sum(1 for row in ranked[: offset + limit] if at(row) == follows)
    at_first = sum(1 for row in rows if at(row) == first and row.id <= page[0].id)
    return Slice(
        rows=page,
        before=f"{first}:{at_first}:1",
        has_before=skipped > 0,
        after=f"{follows}:{passed}:0",
        has_after=has_after,
    )


def cut_by_offset(rows: Sequence[Any], cursor: str, limit: int) -> Slice:
    """A page by `0:offset:0`, of the lists that are not large."""
    _, offset, _ = _cursor(cursor)
    page = list(rows[offset : offset + limit])
    return Slice(
        rows=page,
        before=f"0:{max(0, offset - limit)}:1",
        has_before=offset > 0,
        after=f"0:{offset + limit}:0",
        has_after=offset + limit < len(rows),
    )


def _cursor(text: str) -> tuple[int, int, bool]:
    if not text:
        return 0, 0, False
    try:
        value, offset, back = text.split(":")
        return int(float(value)), int(offset), back == "1"
    except ValueError as error:
        raise Refused(400, "Invalid cursor parameter.") from error
