"""Calls about links: external issues of an app, and issues of an installed integration."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, TypeAlias

from connectors.sentry.sandbox.call import Call, answer_empty, answer_json
from connectors.sentry.sandbox.faults import Refused, forbidden, unseen, wrong
from connectors.sentry.sandbox.model import App, IntegrationLink
from connectors.sentry.sandbox.shapes import JIRA

if TYPE_CHECKING:
    from connectors.sandbox.wire import Response

Json: TypeAlias = Any


def external_issues(call: Call) -> Response:
    """The links of all apps on an issue."""
    issue = call.issue()
    return answer_json([call.shower.external(issue, link) for link in issue.external])


def _installed(call: Call) -> App:
    """The app of the installation in the path; only its own token may act for it [V]."""
    app = next((app for app in call.org.apps.values() if app.installation == call.named["installation"]), None)
    if app is None:
        raise unseen()
    if call.caller.app is not app:
        raise forbidden()
    return app


def external_issue_add(call: Call) -> Response:
    """Put the app's one link on an issue; its name is HTML-escaped [V]."""
    app, body = _installed(call), call.body()
    for name in ("issueId", "webUrl", "project", "identifier"):
        if not body.get(name):
            raise wrong(name, "This field is required.")
    issue = call.org.find(str(body["issueId"]))
    display = f"{escape(str(body['project']))}#{escape(str(body['identifier']))}"
    link = call.org.link(issue, app, display=display, url=str(body["webUrl"]))
    call.count("external issue")
    return answer_json(call.shower.external(issue, link))


def external_issue_delete(call: Call) -> Response:
    """Take the app's link away."""
    app = _installed(call)
    for issue in call.org.visible():
        for link in issue.external:
            if str(link.id) == call.named["link"] and link.app == app.slug:
                call.org.unlink(issue, link)
                call.count("external issue")
                return answer_empty()
    raise unseen()


def integrations(call: Call) -> Response:
    """The installed integrations with their links; nothing where the plan lacks them [V S-ep]."""
    issue = call.issue()
    if not call.org.settings.integrations:
        return answer_json([])
    shape = {**_integration(), "externalIssues": [call.shower.integration_issue(link) for link in issue.integrations]}
    return answer_json([shape])


def _integration() -> dict[str, Json]:
    return {
        "id": str(JIRA),
        "name": "acme.atlassian.net",
        "domainName": "acme.atlassian.net",
        "status": "active",
        "provider": {"key": "jira", "slug": "jira", "name": "Jira", "canAdd": True, "canDisable": False},
    }


def integration(call: Call) -> Response:
    """The form of linking or creating."""
    _known(call)
    action = call.arg("action")
    if action not in {"link", "create"}:
        raise Refused(400, "Action is required and should be either link or create")
    form = [{"name": "externalIssue", "label": "Issue", "type": "select", "required": True}]
    return answer_json({**_integration(), f"{action}IssueConfig": form})


def _known(call: Call) -> None:
    if not call.org.settings.integrations:
        raise Refused(400, "Your organization does not have access to this feature.")
    if call.named["integration"] != str(JIRA):
        raise unseen()


def integration_link(call: Call) -> Response:
    """PUT links an issue of the tracker, POST makes and links one: 201 [V]."""
    _known(call)
    issue, body = call.issue(), call.body()
    if call.request.method == "PUT":
        key = body.get("externalIssue")
        if not key:
            raise Refused(400, {"externalIssue": ["Issue ID is required"]})
    else:
        if not body.get("title"):
            raise wrong("title", "This field is required.")
        key = f"JIRA-{call.org.next_id()}"
    if any(link.key == key for link in issue.integrations):
        raise Refused(400, {"non_field_errors": ["That issue is already linked"]})
    call.org.touch(issue)
    link = IntegrationLink(
        id=call.org.next_id(),
        integration=JIRA,
        key=str(key),
        url=f"https://acme.atlassian.net/browse/{key}",
        title=str(body.get("title") or issue.title),
        description=str(body.get("description") or ""),
    )
    issue.integrations.append(link)
    call.count("integration link")
    return answer_json(call.shower.integration_issue(link), 201)


def integration_unlink(call: Call) -> Response:
    """Take such a link away."""
    _known(call)
    issue = call.issue()
    kept = [link for link in issue.integrations if str(link.id) != call.arg("externalIssue")]
    if len(kept) == len(issue.integrations):
        raise unseen()
    call.org.touch(issue)
    issue.integrations = kept
    call.count("integration link")
    return answer_empty()
