"""What hangs on an issue: comments, properties, remote links, links to other issues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from connectors.jira.sandbox.call import Call, answer_empty, answer_json, is_visible
from connectors.jira.sandbox.faults import Refused
from connectors.jira.sandbox.model import LINK_TYPES, Comment, Issue
from connectors.jira.sandbox.reading import PAYLOAD_ERROR, Form, checked_property
from connectors.sandbox.wire import Response

if TYPE_CHECKING:
    from connectors.jira.sandbox.wire import JiraSandbox

Json: TypeAlias = Any


def comments(sandbox: JiraSandbox, call: Call) -> Response:
    """The comments of an issue, by offset."""
    issue = sandbox.find(call)
    comments = sorted(issue.comments, key=lambda comment: comment.created, reverse=call.arg("orderBy").startswith("-"))
    start, size = call.number("startAt", 0), min(call.number("maxResults", 100), 5000)
    expand = "properties" in call.arg("expand")
    page = comments[start : start + size]
    shown = [call.reader.comment(comment, issue, with_properties=expand) for comment in page]
    return answer_json({"startAt": start, "maxResults": size, "total": len(comments), "comments": shown})


def _comment_of(issue: Issue, call: Call) -> Comment:
    for comment in issue.comments:
        if str(comment.id) == call.named["comment"]:
            return comment
    raise Refused(404, f"Can not find a comment for the id: {call.named['comment']}.")


def comment(sandbox: JiraSandbox, call: Call) -> Response:
    """One comment."""
    issue = sandbox.find(call)
    expand = "properties" in call.arg("expand")
    return answer_json(call.reader.comment(_comment_of(issue, call), issue, with_properties=expand))


def comment_add(sandbox: JiraSandbox, call: Call) -> Response:
    """Add a comment, with properties in the same request."""
    issue = sandbox.find(call)
    sandbox.site.demand(call.user, "ADD_COMMENTS", issue, "You do not have the permission to comment on this issue.")
    body = call.body()
    text = Form(sandbox.site, call.user, call.version).text(body.get("body"), "comment")
    if text == "":
        raise Refused(400, errors={"comment": "Comment body can not be empty!"})
    properties = {
        str(entry.get("key")): checked_property(str(entry.get("key") or ""), entry.get("value"))
        for entry in body.get("properties") or ()
    }
    comment = sandbox.site.comment(issue, call.user, text, visibility=body.get("visibility"), properties=properties)
    return answer_json(call.reader.comment(comment, issue, with_properties="properties" in call.arg("expand")), 201)


def comment_edit(sandbox: JiraSandbox, call: Call) -> Response:
    """Replace a comment's text."""
    issue = sandbox.find(call)
    comment = _comment_of(issue, call)
    text = Form(sandbox.site, call.user, call.version).text(call.body().get("body"), "comment")
    return answer_json(call.reader.comment(sandbox.site.edit_comment(issue, call.user, comment, text), issue))


def comment_delete(sandbox: JiraSandbox, call: Call) -> Response:
    """Remove a comment."""
    issue = sandbox.find(call)
    sandbox.site.delete_comment(issue, call.user, _comment_of(issue, call))
    return answer_empty()


def comment_list(sandbox: JiraSandbox, call: Call) -> Response:
    """Comments by id, of any issue."""
    asked = {str(number) for number in call.body().get("ids") or ()}
    if not asked or len(asked) > 1000:
        raise Refused(400, PAYLOAD_ERROR)
    shown = [
        call.reader.comment(comment, issue)
        for issue in sandbox.site.issues.values()
        if sandbox.site.may(call.user, "BROWSE_PROJECTS", issue.project)
        for comment in issue.comments
        if str(comment.id) in asked
    ]
    return answer_json({"maxResults": len(shown), "startAt": 0, "total": len(shown), "isLast": True, "values": shown})


def _commented(sandbox: JiraSandbox, call: Call) -> tuple[Issue, Comment]:
    for issue in sandbox.site.issues.values():
        for comment in issue.comments:
            if str(comment.id) == call.named["comment"] and is_visible(sandbox, call, issue):
                return issue, comment
    raise Refused(404, f"Can not find a comment for the id: {call.named['comment']}.")


def comment_property(sandbox: JiraSandbox, call: Call) -> Response:
    """A property of a comment."""
    _, comment = _commented(sandbox, call)
    key = call.named["key"]
    if key not in comment.properties:
        raise Refused(404, f"The property {key} does not exist.")
    return answer_json({"key": key, "value": comment.properties[key]})


def comment_property_put(sandbox: JiraSandbox, call: Call) -> Response:
    """Put a property of a comment: 201 new, 200 replaced."""
    _, comment = _commented(sandbox, call)
    key = call.named["key"]
    is_new = key not in comment.properties
    comment.properties[key] = checked_property(key, _value(call))
    return answer_empty(201 if is_new else 200)


def _value(call: Call) -> Json:
    try:
        return msgspec.json.decode(call.request.body)
    except msgspec.DecodeError as error:
        raise Refused(400, "The value must be valid JSON.") from error


def properties(sandbox: JiraSandbox, call: Call) -> Response:
    """The keys of the properties of an issue."""
    issue = sandbox.find(call)
    address = call.reader.address("issue", issue.key, "properties")
    return answer_json({"keys": [{"self": f"{address}/{key}", "key": key} for key in issue.properties]})


def property_get(sandbox: JiraSandbox, call: Call) -> Response:
    """One property of an issue."""
    issue = sandbox.find(call)
    key = call.named["key"]
    if key not in issue.properties:
        raise Refused(404, f"The property {key} does not exist.")
    return answer_json({"key": key, "value": issue.properties[key]})


def property_put(sandbox: JiraSandbox, call: Call) -> Response:
    """Put a property of an issue: 201 new, 200 replaced."""
    issue = sandbox.find(call)
    sandbox.site.demand(call.user, "EDIT_ISSUES", issue, "You do not have permission to edit issues in this project.")
    key = call.named["key"]
    is_new = sandbox.site.set_property(issue, call.user, key, checked_property(key, _value(call)))
    return answer_empty(201 if is_new else 200)


def property_delete(sandbox: JiraSandbox, call: Call) -> Response:
    """Remove a property of an issue."""
    sandbox.site.delete_property(sandbox.find(call), call.user, call.named["key"])
    return answer_empty()


def remote_links(sandbox: JiraSandbox, call: Call) -> Response:
    """With globalId it answers one object, not a list (specification text); a switch makes it a list."""
    issue = sandbox.find(call)
    wanted = call.arg("globalId")
    if not wanted:
        return answer_json([call.reader.remote_link(link, issue) for link in issue.remote_links])
    for link in issue.remote_links:
        if link.global_id == wanted:
            shape = call.reader.remote_link(link, issue)
            return answer_json([shape] if sandbox.site.settings.remote_link_list else shape)
    raise Refused(404, f"There is no remote issue link with the global ID '{wanted}'.")


def _sent_link(call: Call) -> dict[str, Json]:
    body = call.body()
    sent = body.get("object")
    if not isinstance(sent, dict):
        raise Refused(400, errors={"object": "'object' is required."})
    errors = {name: f"'{name}' is required." for name in ("title", "url") if not sent.get(name)}
    if len(str(body.get("globalId") or "")) > 255:
        errors["globalId"] = "'globalId' is longer than 255 characters."
    if errors:
        raise Refused(400, errors=errors)
    return body


def remote_link_put(sandbox: JiraSandbox, call: Call) -> Response:
    """Upsert on globalId: 201 for a new link, 200 for a replaced one [S]."""
    issue = sandbox.find(call)
    sandbox.site.demand(call.user, "LINK_ISSUES", issue, "You do not have permission to link issues in this project.")
    before = {link.id for link in issue.remote_links}
    link = sandbox.site.put_remote_link(issue, call.user, _sent_link(call))
    shape = {"id": link.id, "self": call.reader.address("issue", issue.key, "remotelink", link.id)}
    return answer_json(shape, 200 if link.id in before else 201)


def remote_link_delete_by_id(sandbox: JiraSandbox, call: Call) -> Response:
    """Remove a remote link by its globalId."""
    issue = sandbox.find(call)
    sandbox.site.demand(call.user, "LINK_ISSUES", issue, "You do not have permission to link issues in this project.")
    wanted = call.arg("globalId")
    if not wanted:
        raise Refused(400, "'globalId' is required.")
    for link in issue.remote_links:
        if link.global_id == wanted:
            sandbox.site.delete_remote_link(issue, call.user, link)
            return answer_empty()
    raise Refused(404, f"There is no remote issue link with the global ID '{wanted}'.")


def remote_link(sandbox: JiraSandbox, call: Call) -> Response:
    """One remote link by its id: read, replaced or removed."""
    issue = sandbox.find(call)
    link = next((link for link in issue.remote_links if str(link.id) == call.named["link"]), None)
    if link is None:
        raise Refused(404, f"A remote issue link with id '{call.named['link']}' does not exist.")
    if call.request.method == "GET":
        return answer_json(call.reader.remote_link(link, issue))
    sandbox.site.demand(call.user, "LINK_ISSUES", issue, "You do not have permission to link issues in this project.")
    if call.request.method == "DELETE":
        sandbox.site.delete_remote_link(issue, call.user, link)
    else:
        sandbox.site.put_remote_link(issue, call.user, _sent_link(call), link=link)
    return answer_empty()


def issue_link_add(sandbox: JiraSandbox, call: Call) -> Response:
    """Link two issues; a repeated link is answered 201 as well [3]."""
    body = call.body()
    named = body.get("type") or {}
    ends: list[Issue] = []
    for name in ("inwardIssue", "outwardIssue"):
        end = body.get(name) or {}
        ends.append(sandbox.site.find(str(end.get("key") or end.get("id") or ""), call.user))
    kinds = [
        number
        for number, (name, _, _) in LINK_TYPES.items()
        if number == str(named.get("id")) or name == named.get("name")
    ]
    if not kinds:
        raise Refused(404, f"No issue link type with name '{named.get('name')}' found.")
    sandbox.site.link(call.user, kinds[0], ends[0], ends[1])
    return answer_empty(201)


def issue_link(sandbox: JiraSandbox, call: Call) -> Response:
    """One link between issues: read or removed."""
    number = call.named["link"]
    link = sandbox.site.links.get(int(number)) if number.isdecimal() else None
    if link is None:
        raise Refused(404, f"No issue link with id '{number}' exists.")
    if call.request.method == "DELETE":
        sandbox.site.unlink(call.user, link)
        return answer_empty()
    return answer_json(call.reader.issue_link(link))
