"""GlitchTip's own answers, where they are not Sentry's: it was run to see them [R], or read in its source [V].

It has no substatus, assignee, priority, activity, external issues or status webhooks; a list without a query has every
status; pages are led by a Link header that is the text of a Python set.
"""

from __future__ import annotations

import base64
import shlex
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import parse_qs, quote, urlencode

from connectors.sentry.sandbox.call import Call, answer_empty, answer_json
from connectors.sentry.sandbox.faults import Refused
from connectors.sentry.sandbox.model import SYSTEM, Resolution
from connectors.sentry.sandbox.search import instant
from connectors.sentry.sandbox.shapes import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from connectors.sandbox.wire import Response
    from connectors.sentry.sandbox.model import Activity, Event, Issue

Json: TypeAlias = Any

STATUSES: Final = ("unresolved", "resolved", "ignored")
SORTS: Final[dict[str, Callable[[Any], float]]] = {
    "last_seen": lambda issue: issue.last_seen,
    "first_seen": lambda issue: issue.first_seen,
    "count": lambda issue: issue.count,
    "priority": lambda issue: issue.last_seen + issue.count,
}
PAGE_SIZE: Final = 50
MOST_HITS: Final = 1000
RENAMED: Final = {
    "shareId": "share_id",
    "statusDetails": "status_details",
    "subscriptionDetails": "subscription_details",
    "userCount": "user_count",
    "matchingEventId": "matching_event_id",
}


def missing() -> Refused:
    """What is not there."""
    return Refused(404, "Not Found: ")


def unprocessable(name: str, words: str) -> Refused:
    """A value its schema refuses."""
    return Refused(422, {"detail": [{"type": "enum", "loc": ["body", "payload", name], "msg": words}]})


def shape(call: Call, issue: Issue, *, is_detail: bool = False) -> dict[str, Json]:
    """An issue as a read shows it."""
    project = call.org.projects[issue.project]
    shown: dict[str, Json] = {
        "id": str(issue.id),
        "count": str(issue.count),
        "type": issue.kind if issue.kind in {"error", "csp"} else "default",
        "level": issue.level,
        "status": issue.status,
        "project": {"id": str(project.id), "platform": project.platform, "slug": project.slug, "name": project.name},
        "shortId": call.org.short_id(issue),
        "numComments": sum(1 for row in issue.activity if row.kind == "note"),
        "stats": {"24h": []},
        "shareId": None,
        "logger": None,
        "permalink": "Not implemented",
        "statusDetails": {},
        "subscriptionDetails": None,
        "userCount": len(issue.users),
        "matchingEventId": None,
        "firstSeen": iso(issue.first_seen),
        "lastSeen": iso(issue.last_seen),
        "title": issue.title,
        "metadata": issue.metadata,
        "culprit": issue.culprit,
    }
    if is_detail:
        shown["userReportCount"] = len(issue.reports)
    shown |= call.org.settings.extra_issue_keys
    for name in call.org.settings.missing_issue_keys:
        shown.pop(name, None)
    return shown


def issue_of(call: Call) -> Issue:
    """The issue a route names: by number only. Raises Refused(404)."""
    issue = call.org.peek(call.named["issue"]) if call.named["issue"].isdecimal() else None
    if issue is None or issue.is_deleted or issue.merged_into is not None or issue.pending:
        raise missing()
    return call.org.before.get(issue.id, issue) if call.stale and call.request.method == "GET" else issue


# --- lists -----------------------------------------------------------------------------------------------------------


def listed(call: Call) -> Response:
    """A page of issues; `start` and `end` are about the first seen [R]."""
    rows = selected(call)
    if "project" in call.named:
        rows = [issue for issue in rows if call.org.projects[issue.project].slug == call.named["project"]]
    sort = call.arg("sort") or "-last_seen"
    if sort.lstrip("-") not in SORTS:
        raise unprocessable("sort", "Input should be 'last_seen', 'first_seen', 'count' or 'priority'")
    key = SORTS[sort.lstrip("-")]
    rows.sort(key=lambda issue: (key(issue), issue.id), reverse=sort.startswith("-"))
    if call.stale:
        rows = [call.org.before.get(issue.id, issue) for issue in rows]
    return paged(call, rows, lambda issue: shape(call, issue))


def selected(call: Call) -> list[Issue]:
    """The issues that the arguments select; a token it does not know is an event tag [V]."""
    ids = {int(one) for one in call.many("id") if one.isdecimal()}
    projects = set(call.many("project"))
    environments = set(call.many("environment"))
    start, end = call.arg("start"), call.arg("end")
    rows = []
    for issue in call.org.visible():
        if (ids and issue.id not in ids) or (projects and str(issue.project) not in projects):
            continue
        if (start and issue.first_seen < instant(start)) or (end and issue.first_seen > instant(end)):
            continue
        if environments and not any(event.environment in environments for event in issue.events):
            continue
        if _matches(issue, call.arg("query")):
            rows.append(issue)
    return rows


def _matches(issue: Issue, query: str) -> bool:
    try:
        words = shlex.split(query)
    except ValueError as error:
        raise Refused(500, "Internal Server Error") from error
    for place, word in enumerate(words):
        name, colon, value = word.partition(":")
        value = value.strip('"')
        if not colon:
            return " ".join(words[place:]).lower() in f"{issue.title} {issue.culprit}".lower()
        if name == "is":
            fits = issue.status == value
        elif name == "has":
            fits = any(value in event.tags for event in issue.events)
        elif name == "level":
            fits = issue.level == value
        else:
            fits = any(event.tags.get(name) == value for event in issue.events)
        if not fits:
            return False
    return True


def paged(call: Call, rows: list[Any], show: Callable[[Any], Json]) -> Response:
    """A page; the Link header is the text of a set, and an end has no cursor [R]."""
    text = call.arg("limit") or call.arg("per_page")
    limit = min(max(0, int(text)), 100) if text.isdecimal() else PAGE_SIZE
    offset = _offset(call.arg("cursor"))
    page = rows[offset : offset + limit]
    parts = []
    for relation, target in (
        ("previous", max(0, offset - limit) if offset else None),
        ("next", offset + limit if offset + limit < len(rows) else None),
    ):
        query = [(name, value) for name, values in call.request.query.items() for value in values if name != "cursor"]
        base = call.request.base + quote(call.request.path)
        if target is None:
            whole = base + (f"?{urlencode(query)}" if query else "")
            parts.append(f'<{whole}>; rel="{relation}"; results="false"')
            continue
        cursor = base64.b64encode(urlencode({"o": target}).encode()).decode()
        url = f"{base}?{urlencode([*query, ('cursor', cursor)])}"
        parts.append(f'<{url}>; rel="{relation}"; results="true"; cursor="{cursor}"')
    link = "{'" + ", ".join(parts) + "'}"
    headers = {"link": link, "x-max-hits": str(MOST_HITS), "x-hits": str(min(len(rows), MOST_HITS))}
    return answer_json([show(row) for row in page], headers=headers)


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(parse_qs(base64.b64decode(cursor, validate=True).decode())["o"][0])
    except (ValueError, KeyError) as error:
        raise Refused(
            422, {"detail": [{"type": "value_error", "loc": ["query", "cursor"], "msg": "Invalid cursor"}]}
        ) from error


# --- one issue -------------------------------------------------------------------------------------------------------


def get(call: Call) -> Response:
    """The detail, under the unscoped path only."""
    return answer_json(shape(call, issue_of(call), is_detail=True))


def not_allowed(_call: Call) -> Response:
    """The organisation's path takes writes only: 405 [R]."""
    raise Refused(405, "Method not allowed", {"allow": "PUT"})


def broken(_call: Call) -> Response:
    """The organisation's path of events: 500 [R]."""
    raise Refused(500, "Internal Server Error")


def hidden(_call: Call) -> Response:
    """The organisation's path of comments: 403 [R]."""
    raise Refused(403, "Permission denied")


def update(call: Call) -> Response:
    """Only the status is taken, all else is passed over; some keys of the answer are spelt otherwise than a read's."""
    issue, body = issue_of(call), call.body()
    status = body.get("status")
    if status is None:
        raise Refused(500, "Internal Server Error")  # the column cannot be empty
    _checked(status)
    call.org.touch(issue)
    _set_status(call, issue, status)
    call.count("update")
    return answer_json({RENAMED.get(name, name): value for name, value in shape(call, issue, is_detail=True).items()})


def _checked(status: Json) -> None:
    if status not in STATUSES:
        raise unprocessable("status", "Input should be 'unresolved', 'resolved' or 'ignored'")


def _set_status(call: Call, issue: Issue, status: str) -> None:
    issue.status, issue.substatus, issue.status_at = status, None, call.org.now()
    issue.resolution = Resolution(kind="now", at=call.org.now(), who=SYSTEM) if status == "resolved" else None


def delete(call: Call) -> Response:
    """204, and gone."""
    issue = issue_of(call)
    call.org.delete(issue)
    issue.is_deleted, issue.pending = True, ""
    call.count("delete")
    return answer_empty()


def bulk_update(call: Call) -> Response:
    """Every issue the arguments select: without any, all of them. A merge keeps the newest, the others are gone [V]."""
    rows, body = selected(call), call.body()
    status = body.get("status")
    if status is not None:
        _checked(status)
        for issue in rows:
            call.org.touch(issue)
            _set_status(call, issue, status)
    if body.get("merge") and rows:
        kept = max(rows, key=lambda issue: issue.id)
        call.org.touch(kept)
        for issue in rows:
            if issue is not kept:
                call.org.touch(issue)
                issue.is_deleted = True
                kept.events.extend(issue.events)
                kept.count += issue.count
                for hashed in issue.hashes:
                    call.org.projects[issue.project].hashes[hashed] = kept.id
    call.count("bulk update")
    return answer_json({"status": status, "merge": body.get("merge")})


def bulk_delete(call: Call) -> Response:
    """Every issue the arguments select."""
    for issue in selected(call):
        call.org.delete(issue)
        issue.is_deleted, issue.pending = True, ""
    call.count("bulk delete")
    return answer_json({"status": "resolved", "merge": None})


# --- events, tags, comments ------------------------------------------------------------------------------------------


def _event(issue: Issue, event: Event) -> dict[str, Json]:
    return {
        "id": event.id,
        "eventID": event.id,
        "projectID": issue.project,
        "groupID": str(issue.id),
        "dateCreated": iso(event.at),
        "dateReceived": iso(event.received),
        "dist": None,
        "culprit": issue.culprit,
        "packages": None,
        "type": issue.kind,
        "title": event.title,
        "message": event.message,
        "metadata": {name: str(value) for name, value in issue.metadata.items()},
        "tags": [{"key": name, "value": value} for name, value in event.tags.items()],
        "entries": [],
        "contexts": event.contexts,
        "context": {},
        "user": event.user,
        "sdk": None,
    }


def events(call: Call) -> Response:
    """The events of an issue, newest first."""
    issue = issue_of(call)
    rows = sorted(issue.events, key=lambda event: (event.at, event.id), reverse=True)
    return paged(call, rows, lambda event: _event(issue, event))


def event(call: Call) -> Response:
    """One event: latest, or by id."""
    issue, named = issue_of(call), call.named["event"]
    rows = sorted(issue.events, key=lambda event: event.at)
    found = rows[-1:] if named == "latest" else [one for one in rows if one.id == named.replace("-", "")]
    if not found:
        raise missing()
    return answer_json({**_event(issue, found[0]), "userReport": None, "nextEventID": None, "previousEventID": None})


def tags(call: Call) -> Response:
    """Event tags of an issue; `key` picks one."""
    issue, wanted = issue_of(call), call.arg("key")
    rows = []
    for name, counts in call.shower.tag_counts(issue).items():
        if not wanted or name == wanted:
            values = [{"name": one, "value": one, "count": count, "key": name} for one, count in counts.most_common()]
            total = sum(counts.values())
            row = {"topValues": values, "uniqueValues": len(counts), "key": name, "name": name, "totalValues": total}
            rows.append(row)
    return answer_json(rows)


def _comment(call: Call, row: Activity) -> Json:
    user = call.org.users.get(row.user or 0)
    author = {"id": str(user.id), "email": user.email or "hub@example.com"} if user is not None else None
    return {
        "id": row.id,
        "data": {"text": row.data["text"]},
        "type": "note",
        "dateCreated": iso(row.at),
        "user": author,
    }


def comments(call: Call) -> Response:
    """Comments, newest first."""
    rows = [row for row in reversed(issue_of(call).activity) if row.kind == "note"]
    return paged(call, rows, lambda row: _comment(call, row))


def _text(call: Call) -> str:
    """Of `{"data": {"text": ...}}`: a flat text is refused [R]."""
    data = call.body().get("data")
    if not isinstance(data, dict) or not isinstance(data.get("text"), str):
        raise Refused(
            422, {"detail": [{"type": "missing", "loc": ["body", "payload", "data"], "msg": "Field required"}]}
        )
    return str(data["text"])


def comment_add(call: Call) -> Response:
    """Comment; the same words twice are two comments."""
    text = _text(call)
    row = call.org.note(issue_of(call), call.caller.who, text)
    call.count("note")
    return answer_json(_comment(call, row), 201)


def _named(call: Call, rows: Iterable[Activity]) -> Activity:
    for row in rows:
        if row.kind == "note" and str(row.id) == call.named["note"]:
            return row
    raise Refused(400, "Comment does not exist")


def comment_edit(call: Call) -> Response:
    """Change a comment, whoever wrote it."""
    issue = issue_of(call)
    row = call.org.edit_note(issue, call.caller.who, _named(call, issue.activity), _text(call))
    call.count("note")
    return answer_json(_comment(call, row))


def comment_delete(call: Call) -> Response:
    """Remove a comment."""
    issue = issue_of(call)
    call.org.delete_note(issue, call.caller.who, _named(call, issue.activity))
    call.count("note")
    return answer_empty()
