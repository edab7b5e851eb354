"""Change histories: of one issue by offset, of many by token."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from connectors.jira.sandbox.call import Call, answer_json, count_of
from connectors.jira.sandbox.faults import Refused
from connectors.jira.sandbox.model import Issue
from connectors.jira.sandbox.reading import PAYLOAD_ERROR
from connectors.jira.sandbox.settings import CreatedForm
from connectors.jira.sandbox.shapes import Reader
from connectors.sandbox.wire import Response

if TYPE_CHECKING:
    from connectors.jira.sandbox.wire import JiraSandbox

Json: TypeAlias = Any

CHANGELOG_LIMIT: Final = 1000


def changelog(sandbox: JiraSandbox, call: Call) -> Response:
    """Oldest first, by offset [S]."""
    issue = sandbox.find(call)
    start, size = call.number("startAt", 0), min(call.number("maxResults", 100), 100)
    page = issue.history[start : start + size]
    return answer_json(
        {
            "self": call.reader.address("issue", issue.id, "changelog"),
            "maxResults": size,
            "startAt": start,
            "total": len(issue.history),
            "isLast": start + len(page) >= len(issue.history),
            "values": [call.reader.history(history) for history in page],
        }
    )


def bulk_changelog(sandbox: JiraSandbox, call: Call) -> Response:
    """Histories of many issues, oldest first [S]; `created` in the form the switch says."""
    body = call.body()
    asked, fields = body.get("issueIdsOrKeys"), body.get("fieldIds") or []
    if not isinstance(asked, list) or not asked or len(asked) > CHANGELOG_LIMIT or len(fields) > 10:
        raise Refused(400, PAYLOAD_ERROR)
    size = max(1, min(count_of(body.get("maxResults"), 1000), 10_000))
    issues: dict[int, Issue] = {}
    for named in asked:
        issue = sandbox.site.peek(str(named))
        if issue is not None and sandbox.site.may(call.user, "BROWSE_PROJECTS", issue.project):
            issues[issue.id] = issue
    rows = [
        (issue, history)
        for issue in issues.values()
        for history in issue.history
        if not fields or any(item.field_id in fields for item in history.items)
    ]
    start = _offset(body.get("nextPageToken"))
    grouped: dict[int, list[Json]] = {}
    for issue, history in rows[start : start + size]:
        created = _created_as(sandbox.site.settings.changelog_created, history.at, call.reader)
        grouped.setdefault(issue.id, []).append(call.reader.history(history, created=created))
    answer: dict[str, Json] = {
        "issueChangeLogs": [{"issueId": str(number), "changeHistories": made} for number, made in grouped.items()]
    }
    if start + size < len(rows):
        answer["nextPageToken"] = base64.urlsafe_b64encode(str(start + size).encode()).decode()
    return answer_json(answer)


def _offset(token: Json) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(str(token)))
    except ValueError as error:
        raise Refused(400, "The provided next page token is invalid.") from error


def _created_as(form: CreatedForm, at: int, reader: Reader) -> Json:
    match form:
        case CreatedForm.SECONDS:
            return at // 1000
        case CreatedForm.MILLIS:
            return at
        case CreatedForm.ISO:
            return reader.time(at)
