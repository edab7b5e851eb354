"""Calls about issues: lists, one issue, its events, tags, activity and comments, and writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from connectors.sentry.sandbox import updates
from connectors.sentry.sandbox.call import Call, answer_empty, answer_json, links
from connectors.sentry.sandbox.faults import Refused, forbidden, unseen, wrong
from connectors.sentry.sandbox.search import SORTS, compiled, cut_by_key, cut_by_offset, instant, seconds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from connectors.sandbox.wire import Response
    from connectors.sentry.sandbox.model import Activity, Event, Issue

Json: TypeAlias = Any

BULK_LIMIT = 1000
PROJECT_PERIODS = ("", "24h", "14d")


def organisation_list(call: Call) -> Response:
    """`GET /organizations/{org}/issues/`; the query is `is:unresolved` unless one is sent, be it empty [V OAS]."""
    if call.arg("shortIdLookup") == "1" and call.arg("query"):
        hit = call.org.peek(call.arg("query"))
        if hit is not None and hit.merged_into is None and not hit.is_deleted and not hit.pending:
            body = [_item(call, hit)]
            return answer_json(body, headers={"x-sentry-direct-hit": "1", "x-hits": "1", "x-max-hits": "1000"})
    rows = _selected(call, call.arg("query", "is:unresolved"))
    return _listed(call, rows)


def project_list(call: Call) -> Response:
    """`GET /projects/{org}/{project}/issues/`: fewer periods, no expand, no collapse [V OAS]."""
    if call.arg("statsPeriod") not in PROJECT_PERIODS:
        raise Refused(400, "Invalid stats_period. Valid choices are '', '24h', and '14d'")
    project = call.project().id
    rows = [issue for issue in _selected(call, call.arg("query", "is:unresolved")) if issue.project == project]
    return _listed(call, rows)


def _listed(call: Call, rows: Iterable[Issue]) -> Response:
    sort = call.arg("sort") or "date"
    if sort not in SORTS:
        raise Refused(400, f"Invalid sort: {sort!r}")
    found = list(rows)
    if call.stale:
        found = [call.org.before.get(issue.id, issue) for issue in found]
    cut = cut_by_key(found, SORTS[sort], call.arg("cursor"), call.limit("limit"))
    headers = {**links(call, cut), "x-hits": str(min(len(found), BULK_LIMIT)), "x-max-hits": str(BULK_LIMIT)}
    return answer_json([_item(call, issue) for issue in cut.rows], headers=headers)


def _item(call: Call, issue: Issue) -> Json:
    asked = {"expand": call.many("expand"), "collapse": call.many("collapse")}
    return call.shower.issue(issue, **asked, period=call.arg("groupStatsPeriod"))


def _selected(call: Call, query: str) -> list[Issue]:
    """The issues that the arguments and a query select. Raises Refused(400)."""
    org = call.org
    wanted = compiled(query, org)
    start, end = _window(call)
    seen_by = org.now() - org.settings.scaled(org.settings.index_lag)
    projects = _projects(call)
    environments = set(call.many("environment"))
    groups = {int(one) for one in call.many("group") if one.isdecimal()} if org.settings.group_filter else set()
    rows: list[Issue] = []
    named = None if wanted.only is None else [org.issues[number] for number in wanted.only]
    for issue in org.visible(named):
        if projects is not None and issue.project not in projects:
            continue
        if groups and issue.id not in groups:
            continue
        if issue.first_seen > seen_by or (start is not None and issue.last_seen < start):
            continue
        if end is not None and issue.first_seen > end:
            continue
        if environments and not any(event.environment in environments for event in issue.events):
            continue
        if wanted.test(issue):
            rows.append(issue)
    return rows


def _window(call: Call) -> tuple[float | None, float | None]:
    if call.arg("statsPeriod"):  # beats start and end [V OAS]
        return call.org.now() - seconds_of(call.arg("statsPeriod")), None
    start, end = call.arg("start"), call.arg("end")
    return (instant(start) if start else None), (instant(end) if end else None)


def _projects(call: Call) -> set[int] | None:
    asked = call.many("project")
    if not asked or "-1" in asked:
        return None
    found = {name: call.org.project(name) for name in asked}
    missing = [name for name, project in found.items() if project is None]
    if missing:
        raise forbidden() if all(name.isdecimal() for name in missing) else Refused(400, "Invalid project parameter.")
    return {project.id for project in found.values() if project is not None}


# --- one issue -------------------------------------------------------------------------------------------------------


def get(call: Call) -> Response:
    """The detail; of a merged id the surviving issue, inline and 200 [V S-ep]."""
    return answer_json(call.shower.whole(call.issue(), expand=call.many("expand"), collapse=call.many("collapse")))


def update(call: Call) -> Response:
    """Apply a partial body; the answer is the list item [V mcp client]."""
    issue, body = call.issue(), call.body()
    applied = updates.apply(call.org, [issue], body, call.caller.who, may_discard=_may_discard(call))
    call.count("update")
    if applied is None:
        return answer_empty()
    return answer_json(call.shower.issue(issue))


def delete(call: Call) -> Response:
    """202, then gone [V]."""
    call.org.delete(call.issue())
    call.count("delete")
    return answer_empty(202)


def bulk_update(call: Call) -> Response:
    """A PUT on the list: without ids, and with ids that match nothing, updates all that the query finds [V]."""
    rows = _bulk(call)
    if not rows:
        return answer_empty()
    applied = updates.apply(call.org, rows, call.body(), call.caller.who, may_discard=_may_discard(call))
    call.count("bulk update")
    return answer_empty() if applied is None else answer_json(applied)


def bulk_delete(call: Call) -> Response:
    """A DELETE on the list: 204, the same hazard."""
    rows = _bulk(call)
    for issue in rows:
        call.org.delete(issue)
    call.count("bulk delete")
    return answer_empty()


def _bulk(call: Call) -> list[Issue]:
    projects = _projects(call)
    if "project" in call.named:
        projects = {call.project().id}
    ids = [int(one) for one in call.many("id") if one.isdecimal()]
    rows = [
        issue for issue in call.org.visible() if issue.id in ids and (projects is None or issue.project in projects)
    ]
    if rows or (ids and not call.org.settings.bulk_falls_through):
        return rows
    found = _selected(call, call.arg("query", "is:unresolved"))
    return [issue for issue in found if projects is None or issue.project in projects][:BULK_LIMIT]


def _may_discard(call: Call) -> bool:
    return "event:admin" in call.caller.scopes


def activities(call: Call) -> Response:
    """The activity log [V mcp client]."""
    return answer_json({"activity": call.shower.activities(call.issue())})


def hashes(call: Call) -> Response:
    """Grouping hashes with their latest event."""
    issue = call.issue()
    rows = []
    for hashed in issue.hashes:
        latest = next((event for event in reversed(issue.events) if event.fingerprint == hashed), None)
        shown = call.shower.event(issue, latest) if latest is not None else None
        rows.append({"id": hashed, "latestEvent": shown, "mergedBySeer": False})
    cut = cut_by_offset(rows, call.arg("cursor"), call.limit("per_page"))
    return answer_json(cut.rows, headers=links(call, cut))


def short_id(call: Call) -> Response:
    """A short id's issue."""
    issue = call.issue()
    project = call.org.projects[issue.project]
    shape = {
        "organizationSlug": call.org.settings.organization,
        "projectSlug": project.slug,
        "groupId": str(issue.id),
        "group": call.shower.issue(issue, collapse=("stats", "lifetime", "filtered")),
        "shortId": call.org.short_id(issue),
    }
    return answer_json(shape)


# --- events and tags -------------------------------------------------------------------------------------------------


def events(call: Call) -> Response:
    """The events of an issue, newest first."""
    issue = call.issue()
    start, end = _window(call)
    environments = set(call.many("environment"))
    rows = [
        event
        for event in sorted(issue.events, key=lambda event: (event.at, event.id), reverse=True)
        if (start is None or event.at >= start)
        and (end is None or event.at <= end)
        and (not environments or event.environment in environments)
    ]
    cut = cut_by_offset(rows, call.arg("cursor"), call.limit("per_page"))
    show: Callable[[Issue, Event], Json] = (
        call.shower.whole_event if call.arg("full") in {"1", "true"} else call.shower.event
    )
    return answer_json([show(issue, event) for event in cut.rows], headers=links(call, cut))


def event(call: Call) -> Response:
    """One event: by id, or latest, oldest, recommended."""
    issue, named = call.issue(), call.named["event"]
    rows = sorted(issue.events, key=lambda event: (event.at, event.received))
    match named:
        case "latest" | "recommended":
            found = rows[-1:]
        case "oldest":
            found = rows[:1]
        case _:
            found = [one for one in rows if one.id == named.replace("-", "")]
    if not found:
        raise Refused(404, "No matching event")
    return answer_json(call.shower.whole_event(issue, found[0]))


def tags(call: Call) -> Response:
    """All event tags of an issue; nothing writes one [V]."""
    issue = call.issue()
    wanted = call.many("key")
    rows = [
        call.shower.tag(issue, name, counts)
        for name, counts in call.shower.tag_counts(issue).items()
        if not wanted or name in wanted
    ]
    return answer_json(rows)


def tag(call: Call) -> Response:
    """One event tag."""
    issue, name = call.issue(), call.named["key"]
    counts = call.shower.tag_counts(issue).get(name)
    if counts is None:
        raise unseen()
    return answer_json(call.shower.tag(issue, name, counts))


def tag_values(call: Call) -> Response:
    """The values of one event tag."""
    issue, name = call.issue(), call.named["key"]
    counts = call.shower.tag_counts(issue).get(name)
    if counts is None:
        raise unseen()
    cut = cut_by_offset(call.shower.tag_values(issue, name, counts), call.arg("cursor"), call.limit("per_page"))
    return answer_json(cut.rows, headers=links(call, cut))


def issue_reports(call: Call) -> Response:
    """Old-style user reports of an issue."""
    issue = call.issue()
    return answer_json([call.shower.report(issue, report) for report in issue.reports])


def project_reports(call: Call) -> Response:
    """Old-style user reports of a project, newest first."""
    project = call.project()
    rows = [(issue, report) for issue in call.org.visible() if issue.project == project.id for report in issue.reports]
    rows.sort(key=lambda row: row[1].id, reverse=True)
    cut = cut_by_offset(rows, call.arg("cursor"), call.limit("per_page"))
    return answer_json([call.shower.report(*row) for row in cut.rows], headers=links(call, cut))


# --- comments --------------------------------------------------------------------------------------------------------


def notes(call: Call) -> Response:
    """Comments, newest first."""
    issue = call.issue()
    rows = [row for row in sorted(issue.activity, key=lambda row: row.id, reverse=True) if row.kind == "note"]
    cut = cut_by_offset(rows, call.arg("cursor"), call.limit("per_page"))
    return answer_json([call.shower.activity(row) for row in cut.rows], headers=links(call, cut))


def note_add(call: Call) -> Response:
    """Comment; an organisation's token has no user to comment as: 403 [V S-ep]."""
    if call.caller.who.user is None:
        raise forbidden()
    row = call.org.note(call.issue(), call.caller.who, _text(call))
    call.count("note")
    return answer_json(call.shower.activity(row), 201)


def note_edit(call: Call) -> Response:
    """Change one's own comment."""
    issue = call.issue()
    row = call.org.edit_note(issue, call.caller.who, _own_note(call, issue), _text(call))
    call.count("note")
    return answer_json(call.shower.activity(row))


def note_delete(call: Call) -> Response:
    """Remove one's own comment."""
    issue = call.issue()
    call.org.delete_note(issue, call.caller.who, _own_note(call, issue))
    call.count("note")
    return answer_empty()


def _text(call: Call) -> str:
    text = call.body().get("text")
    if not isinstance(text, str) or not text.strip():
        raise wrong("text", "This field is required.")
    return text


def _own_note(call: Call, issue: Issue) -> Activity:
    for row in issue.activity:
        if row.kind == "note" and str(row.id) == call.named["note"] and row.user == call.caller.who.user:
            return row
    raise unseen()
