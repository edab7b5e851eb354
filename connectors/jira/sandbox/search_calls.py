"""Search and bulk reads: `search/jql` and its tokens, the old `/search`, counts, bulk fetch, bulk changelog."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from connectors.jira.sandbox import jql
from connectors.jira.sandbox.call import Call, answer_json, count_of, is_visible
from connectors.jira.sandbox.faults import Refused
from connectors.jira.sandbox.model import Issue
from connectors.jira.sandbox.reading import PAYLOAD_ERROR, names_of
from connectors.sandbox.wire import Response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.jira.sandbox.wire import JiraSandbox

Json: TypeAlias = Any

SEARCH_KEYS: Final = frozenset(
    [
        "jql",
        "nextPageToken",
        "maxResults",
        "fields",
        "expand",
        "properties",
        "fieldsByKeys",
        "failFast",
        "reconcileIssues",
    ]
)
GONE: Final = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration guideline "
    "is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
UNBOUNDED: Final = "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
BULK_LIMIT: Final = 100
LIGHT_PAGE: Final = 5000
RECONCILE_LIMIT: Final = 50


def search_gone(_sandbox: JiraSandbox, _call: Call) -> Response:
    """The search that Cloud has removed."""
    raise Refused(410, GONE)


def search_jql(sandbox: JiraSandbox, call: Call) -> Response:
    """Search by token: bounded queries only, rows from the index, `id` alone unless fields are named [S]."""
    if call.request.method == "POST":
        body = call.body()
        unknown = set(body) - SEARCH_KEYS
        if unknown:
            raise Refused(400, PAYLOAD_ERROR)
        reconcile = body.get("reconcileIssues") or []
    else:
        body = {
            "jql": call.arg("jql"),
            "nextPageToken": call.arg("nextPageToken") or None,
            "maxResults": call.arg("maxResults") or None,
            "fields": call.names("fields") or None,
            "expand": call.arg("expand"),
            "properties": call.names("properties"),
        }
        reconcile = call.names("reconcileIssues")
    text = body.get("jql") or ""
    if not isinstance(text, str) or not isinstance(reconcile, list):
        raise Refused(400, PAYLOAD_ERROR)
    query = jql.compiled(text, sandbox.site, call.user)
    if not query.is_bounded:
        raise Refused(400, UNBOUNDED)
    properties = names_of(body.get("properties"))
    if len(properties) > 5:
        raise Refused(400, "A maximum of 5 properties can be requested.")
    fields = names_of(body.get("fields"))
    names, bare = (call.reader.asked(fields), False) if fields else (None, True)
    size = _page_size(sandbox, body.get("maxResults"), fields)
    rows, token = _page(
        sandbox, call, query, text, body.get("nextPageToken"), size, _reconciled(sandbox, call, reconcile)
    )
    expand = frozenset(names_of(body.get("expand")))
    shown = [
        {"id": str(issue.id)}
        if bare and not expand and not properties
        else call.reader.issue(issue, names, expand=expand, properties=properties)
        for issue in rows
    ]
    answer: dict[str, Json] = {"issues": shown, "isLast": token is None}
    if token is not None and not sandbox.site.settings.token_lost:
        answer["nextPageToken"] = token
    return answer_json(answer)


def _page_size(sandbox: JiraSandbox, asked: Json, fields: Sequence[str]) -> int:
    cap = LIGHT_PAGE if set(fields) <= {"id", "key"} else sandbox.site.settings.page_cap
    return max(1, min(count_of(asked, 50), cap))


def _reconciled(sandbox: JiraSandbox, call: Call, asked: Sequence[Json]) -> list[Issue]:
    """Issues that this search shows as they are, index or not [S]. An unknown id is a 404 [3]."""
    if len(asked) > RECONCILE_LIMIT:
        raise Refused(400, "A maximum of 50 issues can be reconciled.")
    return [sandbox.site.find(str(count_of(number, 0)), call.user) for number in asked]


def _page(
    sandbox: JiraSandbox,
    call: Call,
    query: jql.Query,
    text: str,
    token: Json,
    size: int,
    reconciled: Sequence[Issue],
) -> tuple[list[Issue], str | None]:
    """One page by token: the rows, and the next token unless this is the last page."""
    mark = hashlib.sha256(text.encode()).hexdigest()[:16]
    place = _opened(sandbox, token, mark) if token and not sandbox.site.settings.token_repeats else None
    rows: list[Issue] = []
    if query.runs_by_update and not reconciled:
        after = (place[0], place[1]) if place else None
        for issue in sandbox.site.by_update(query.since, after):
            if query.test(issue) and is_visible(sandbox, call, issue):
                rows.append(issue)
                if len(rows) > size:
                    break
    else:
        fresh = {issue.id: issue for issue in reconciled}
        found = {issue.id: issue for issue in sandbox.site.everything()} | fresh
        matching = [issue for issue in found.values() if query.test(issue) and is_visible(sandbox, call, issue)]
        matching = jql.sorted_by(matching, query.order)
        start = 0
        if place:
            ids = [issue.id for issue in matching]
            start = ids.index(place[1]) + 1 if place[1] in ids else place[2]
        rows = matching[start : start + size + 1]
    if sandbox.site.settings.token_repeats and rows:
        return rows[:size], str(token) if token else _sealed(sandbox, rows[0], 0, mark)
    if len(rows) <= size:
        return rows, None
    rows = rows[:size]
    offset = (place[2] if place else 0) + size
    return rows, _sealed(sandbox, rows[-1], offset, mark)


def _sealed(sandbox: JiraSandbox, last: Issue, offset: int, mark: str) -> str:
    return base64.urlsafe_b64encode(
        msgspec.json.encode([mark, sandbox.site.now(), last.updated, last.id, offset])
    ).decode()


def _opened(sandbox: JiraSandbox, token: Json, mark: str) -> tuple[int, int, int]:
    """The place a token stands for. Refused when it is foreign, broken, or older than 7 days [3]."""
    try:
        told, at, updated, number, offset = msgspec.json.decode(base64.urlsafe_b64decode(str(token)))
    except (binascii.Error, msgspec.DecodeError, ValueError, TypeError) as error:
        raise Refused(400, "The provided next page token is invalid.") from error
    settings = sandbox.site.settings
    if told != mark or sandbox.site.now() - at > settings.scaled(settings.token_life):
        raise Refused(400, "The provided next page token is invalid or has expired.")
    return updated, number, offset


def approximate_count(sandbox: JiraSandbox, call: Call) -> Response:
    """How many issues a bounded query matches."""
    query = jql.compiled(str(call.body().get("jql") or ""), sandbox.site, call.user)
    if not query.is_bounded:
        raise Refused(400, UNBOUNDED)
    issues = sandbox.site.everything()
    return answer_json({"count": sum(query.test(issue) and is_visible(sandbox, call, issue) for issue in issues)})


def search_server(sandbox: JiraSandbox, call: Call) -> Response:
    """Data Center's search: by offset, with a total [C]."""
    if call.request.method == "POST":
        body = call.body()
    else:
        body = dict[str, Json]()
        body |= {name: call.arg(name) or None for name in ("jql", "startAt", "maxResults")}
        body["fields"] = call.names("fields") or None
        body["expand"] = call.names("expand")
        body["properties"] = call.names("properties")
    query = jql.compiled(str(body.get("jql") or ""), sandbox.site, call.user)
    start, size = count_of(body.get("startAt"), 0), min(count_of(body.get("maxResults"), 50), 1000)
    # In the order of `updated` the bound of the query leaves out most issues, and nothing needs sorting.
    candidates = sandbox.site.by_update(query.since) if query.runs_by_update else sandbox.site.everything()
    found = [issue for issue in candidates if query.test(issue) and is_visible(sandbox, call, issue)]
    if not query.runs_by_update:
        found = jql.sorted_by(found, query.order)
    names = call.reader.asked(names_of(body.get("fields")) or ["*navigable"])
    expand, properties = frozenset(names_of(body.get("expand"))), names_of(body.get("properties"))
    rows = [
        call.reader.issue(issue, names, expand=expand, properties=properties) for issue in found[start : start + size]
    ]
    answer = {"startAt": start, "maxResults": size, "total": len(found), "issues": rows}
    return answer_json({"expand": "schema,names", **answer})


def bulk_fetch(sandbox: JiraSandbox, call: Call) -> Response:
    """Up to 100 issues as they are, not as the index shows them; by id, ascending, once each [S]."""
    body = call.body()
    asked = body.get("issueIdsOrKeys")
    if not isinstance(asked, list) or not asked or not all(isinstance(one, str) for one in asked):
        raise Refused(400, PAYLOAD_ERROR)
    if len(asked) > BULK_LIMIT:
        raise Refused(400, f"The number of issues to fetch cannot exceed {BULK_LIMIT}.")
    if not isinstance(body.get("expand") or [], list):
        raise Refused(400, PAYLOAD_ERROR)
    found: dict[int, Issue] = {}
    errors: list[Json] = []
    for named in dict.fromkeys(asked):
        try:
            issue = sandbox.site.find(named, call.user, stale=call.stale)
            found[issue.id] = issue
        except Refused as refused:
            errors.append({"id": named, "errorMessage": refused.messages[0]})
    names = call.reader.asked(names_of(body.get("fields")) or ["*navigable"])
    expand, properties = frozenset(names_of(body.get("expand"))), names_of(body.get("properties"))
    rows = [call.reader.issue(found[number], names, expand=expand, properties=properties) for number in sorted(found)]
    return answer_json({"expand": "names,schema", "issues": rows, "issueErrors": errors})
