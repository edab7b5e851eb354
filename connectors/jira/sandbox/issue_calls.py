"""One issue: read, create, edit, delete, its changelog and its workflow steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from connectors.jira.sandbox.call import Call, answer_empty, answer_json
from connectors.jira.sandbox.faults import Refused
from connectors.jira.sandbox.model import TYPES, Issue
from connectors.jira.sandbox.reading import CREATE_SCREEN, EDIT_SCREEN, Form
from connectors.jira.sandbox.settings import Deployment
from connectors.jira.sandbox.shapes import FIELD_NAMES
from connectors.sandbox.wire import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.jira.sandbox.wire import JiraSandbox

Json: TypeAlias = Any


def issue_get(sandbox: JiraSandbox, call: Call) -> Response:
    """One issue, by id, key or former key."""
    issue = sandbox.find(call)
    fields = call.names("fields") or ["*all"]
    expand, properties = frozenset(call.names("expand")), call.names("properties")
    shape = call.reader.issue(issue, call.reader.asked(fields), expand=expand, properties=properties)
    if "transitions.fields" in expand:
        steps = sandbox.site.steps(issue, call.user)
        shape["transitions"] = [call.reader.step(step, issue, with_fields=True) for step in steps]
    return answer_json(shape)


def issue_create(sandbox: JiraSandbox, call: Call) -> Response:
    """Create an issue, with properties in the same request."""
    issue = _created(sandbox, call, call.body())
    return answer_json({"id": str(issue.id), "key": issue.key, "self": call.reader.address("issue", issue.id)}, 201)


def _created(sandbox: JiraSandbox, call: Call, body: Mapping[str, Json]) -> Issue:
    site = sandbox.site
    form = Form(site, call.user, call.version)
    asked = form.edit(body, screen=CREATE_SCREEN - set(site.settings.removed_fields))
    errors: dict[str, str] = {}
    values = asked.values
    if not asked.project:
        errors["project"] = "Specify a valid project ID or key"
    if "type" not in values:
        errors["issuetype"] = "Specify an issue type"
    if not values.get("summary"):
        errors["summary"] = "You must specify a summary of the issue."
    elif TYPES.get(values.get("type", "")) == "Sub-task" and "parent" not in values:
        errors["parent"] = "Issue type is a sub-task but parent issue key or id not specified."
    for name in site.settings.create_demands:
        if values.get(name) in (None, "", []):
            errors[name] = f"{FIELD_NAMES[name][0]} is required."
    if errors:
        raise Refused(400, errors=errors)
    labels = [label for label in values.get("labels", ()) if label not in asked.remove_labels] + asked.add_labels
    issue = site.create(
        call.user,
        project=asked.project,
        type=values["type"],
        summary=values["summary"],
        description=values.get("description"),
        labels=labels,
        priority=values.get("priority") or "3",
        reporter=values.get("reporter"),
        assignee=values.get("assignee"),
        parent=values.get("parent"),
        custom={name: value for name, value in values.items() if name.startswith("customfield_")},
        properties=asked.properties,
    )
    for comment in asked.comments:
        site.comment(issue, call.user, comment["body"])
    return issue


def issue_bulk_create(sandbox: JiraSandbox, call: Call) -> Response:
    """Create several issues; each may fail alone."""
    made: list[Json] = []
    errors: list[Json] = []
    for place, body in enumerate(call.body().get("issueUpdates") or ()):
        try:
            issue = _created(sandbox, call, body)
        except Refused as refused:
            told = {"errorMessages": list(refused.messages), "errors": refused.errors}
            errors.append({"status": refused.status, "elementErrors": told, "failedElementNumber": place})
        else:
            made.append({"id": str(issue.id), "key": issue.key, "self": call.reader.address("issue", issue.id)})
    return answer_json({"issues": made, "errors": errors}, 201 if made or not errors else 400)


def issue_edit(sandbox: JiraSandbox, call: Call) -> Response:
    """Edit an issue: 204, or 200 with the issue when returnIssue is asked for."""
    site = sandbox.site
    issue = sandbox.find(call)
    site.demand(call.user, "EDIT_ISSUES", issue, "You do not have permission to edit issues in this project.")
    if call.arg("notifyUsers", "true") == "false" and not call.user.is_admin:
        words = "To discard the user notification either admin or project admin permissions are required."
        raise Refused(403, words)
    if site.settings.edit_conflicts > 0:
        site.settings.edit_conflicts -= 1
        raise Refused(409, "The issue could not be updated because of a conflict. Please try again.")
    asked = Form(site, call.user, call.version).edit(call.body(), screen=EDIT_SCREEN, project=issue.project)
    site.edit(
        issue,
        call.user,
        values=asked.values,
        add_labels=asked.add_labels,
        remove_labels=asked.remove_labels,
        metadata=asked.metadata,
    )
    for comment in asked.comments:
        site.comment(issue, call.user, comment["body"])
    for key, value in asked.properties.items():
        site.set_property(issue, call.user, key, value)
    if site.settings.return_issue and sandbox.deployment is Deployment.CLOUD and call.arg("returnIssue") == "true":
        shape = call.reader.issue(issue, call.reader.asked(["*all"]), expand=frozenset(call.names("expand")))
        return answer_json(shape)
    return answer_empty()


def issue_delete(sandbox: JiraSandbox, call: Call) -> Response:
    """Delete an issue; with subtasks only when told so."""
    site = sandbox.site
    issue = sandbox.find(call)
    site.demand(call.user, "DELETE_ISSUES", issue, "You do not have permission to delete issues in this project.")
    if call.arg("deleteSubtasks", "false") != "true" and site.has_subtasks and site.subtasks(issue):
        words = "The issue has subtasks. You must specify the 'deleteSubtasks' parameter to delete this issue."
        raise Refused(400, words)
    site.delete(issue, call.user)
    return answer_empty()


def transitions(sandbox: JiraSandbox, call: Call) -> Response:
    """The steps open to the caller now."""
    issue = sandbox.find(call)
    with_fields = "transitions.fields" in call.arg("expand")
    wanted = call.arg("transitionId")
    steps = [step for step in sandbox.site.steps(issue, call.user) if not wanted or step.id == wanted]
    shown = [call.reader.step(step, issue, with_fields=with_fields) for step in steps]
    return answer_json({"expand": "transitions", "transitions": shown})


def transition(sandbox: JiraSandbox, call: Call) -> Response:
    """Take a step: refused when it is not open now or its screen is not filled."""
    site = sandbox.site
    issue = sandbox.find(call)
    site.demand(call.user, "TRANSITION_ISSUES", issue, "You do not have permission to transition this issue.")
    body = call.body()
    named = body.get("transition")
    if not isinstance(named, dict) or "id" not in named:
        raise Refused(400, "Missing 'transition' identifier")
    if site.settings.transition_conflicts > 0:
        site.settings.transition_conflicts -= 1
        raise Refused(409, "The issue could not be transitioned because of a conflict. Please try again.")
    number = str(named["id"])  # an integer is taken like its text
    step = next((step for step in site.steps(issue, call.user) if step.id == number), None)
    if step is None:
        raise Refused(400, _unavailable(sandbox, issue, number))
    wants = site.wants_resolution(step)
    screen = frozenset({"resolution", *EDIT_SCREEN}) if wants else frozenset[str]()
    asked = Form(site, call.user, call.version).edit(body, screen=screen, project=issue.project)
    if wants and asked.resolution is None:
        raise Refused(400, errors={"resolution": "Resolution is required."})
    if asked.values or asked.add_labels or asked.remove_labels:
        site.edit(
            issue,
            call.user,
            values=asked.values,
            add_labels=asked.add_labels,
            remove_labels=asked.remove_labels,
            metadata=asked.metadata,
        )
    site.transition(issue, call.user, step, resolution=asked.resolution, metadata=asked.metadata)
    for comment in asked.comments:
        site.comment(issue, call.user, comment["body"])
    return answer_empty()


def _unavailable(sandbox: JiraSandbox, issue: Issue, number: str) -> str:
    known = next((step for step in sandbox.site.every_step(issue) if step.id == number), None)
    if known is None:
        return f"Transition id '{number}' is not valid for this issue."
    return (
        f"It seems that you have tried to perform a workflow operation ({known.name}) that is not valid for the "
        f"current state of this issue ({issue.key}). The likely cause is that somebody has changed the issue recently, "
        "please look at the issue history for details."
    )
