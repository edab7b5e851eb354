"""The control face's view of the site: its true state, and edits by users behind the API's back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from connectors.jira.sandbox import markup
from connectors.jira.sandbox.faults import Refused
from connectors.jira.sandbox.model import LINK_TYPES, PERMISSIONS, PRIORITIES, RESOLUTIONS, TYPES, Issue, User
from connectors.jira.sandbox.webhooks import Hook
from connectors.jira.sandbox.workflow import BY_ID, BY_NAME
from connectors.sandbox.control import Mistaken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.jira.sandbox.wire import JiraSandbox

Json: TypeAlias = Any

APP_SECRET: Final = "app-client-secret"  # noqa: S105  # the stand-in's own, public
"""The secret that signs the JWT of dynamic webhooks."""


def state(sandbox: JiraSandbox) -> Json:
    """Everything, as it really is."""
    site = sandbox.site
    return {
        "system": "jira",
        "deployment": sandbox.deployment.value,
        "now": site.now(),
        "issues": [_issue(sandbox, issue) for issue in site.issues.values()],
        "deleted": list(site.deleted.values()),
        "projects": {key: project.last for key, project in site.projects.items()},
        "writes": dict(site.writes),
        "creates": dict(site.creates),
        "requests": dict(sandbox.requests),
        "users": [
            {"id": user.id, "name": user.name, "email": user.email, "zone": user.zone} for user in site.users.values()
        ],
        "webhooks": [
            {"id": hook.id, "url": hook.url, "events": list(hook.events), "enabled": hook.enabled}
            for hook in sandbox.sender.hooks.values()
        ],
        "hooks": {
            "sent": sandbox.sender.sent,
            "waiting": sandbox.sender.waiting,
            "answered": dict(sandbox.sender.answered),
            "failed": len(sandbox.sender.failed),
        },
    }


def _issue(sandbox: JiraSandbox, issue: Issue) -> Json:
    site = sandbox.site
    status = BY_ID[issue.status]
    return {
        "id": str(issue.id),
        "key": issue.key,
        "old_keys": list(issue.old_keys),
        "project": issue.project,
        "type": TYPES[issue.type],
        "summary": issue.summary,
        "description": markup.shown(issue.description, "2"),
        "status": site.status_name(status),
        "category": site.category(status),
        "resolution": RESOLUTIONS.get(issue.resolution or ""),
        "priority": PRIORITIES[issue.priority],
        "labels": list(issue.labels),
        "creator": site.users[issue.creator].name,
        "reporter": site.users[issue.reporter].name,
        "assignee": site.users[issue.assignee].name if issue.assignee else None,
        "created": issue.created,
        "updated": issue.updated,
        "version": issue.edits,
        "custom": issue.custom,
        "properties": issue.properties,
        "remote_links": [
            {
                "id": link.id,
                "globalId": link.global_id,
                "application": link.application,
                "relationship": link.relationship,
                "object": link.object,
            }
            for link in issue.remote_links
        ],
        "links": [
            {"id": link.id, "type": LINK_TYPES[link.type][0], "inward": link.inward, "outward": link.outward}
            for link in site.links_of(issue.id)
        ],
        "comments": [
            {
                "id": comment.id,
                "author": site.users[comment.author].name,
                "body": markup.shown(comment.body, "2"),
                "properties": comment.properties,
                "public": comment.is_public,
            }
            for comment in issue.comments
        ],
        "changelog": [
            {
                "id": history.id,
                "by": site.users[history.author].name,
                "at": history.at,
                "metadata": history.metadata,
                "items": [{"field": item.field, "old": item.old_text, "new": item.new_text} for item in history.items],
            }
            for history in issue.history
        ],
    }


def act(sandbox: JiraSandbox, command: Mapping[str, Json]) -> Json:
    """Carry out one edit: {"act": ..., "by": user name, "issue": key or id, ...}. See the README for the acts.

    Raises Mistaken for a command that cannot be done, with what is wrong with it.
    """
    name = command.get("act")
    method = ACTS.get(str(name))
    if method is None:
        raise Mistaken(f"no such act: {name!r}; there are: {', '.join(sorted(ACTS))}")
    try:
        return method(sandbox, command)
    except KeyError as error:
        raise Mistaken(f"the act {name} needs {error}, or a value named there is unknown") from error
    except Refused as refused:
        raise Mistaken("; ".join((*refused.messages, *(f"{k}: {v}" for k, v in refused.errors.items())))) from refused


def _by(sandbox: JiraSandbox, command: Mapping[str, Json]) -> User:
    named = str(command.get("by", "engineer"))
    user = sandbox.site.user(named)
    if user is None:
        raise Mistaken(f"no user {named!r}; there are: {', '.join(u.name for u in sandbox.site.users.values())}")
    return user


def _named(sandbox: JiraSandbox, command: Mapping[str, Json], field: str = "issue") -> Issue:
    named = str(command[field])
    issue = sandbox.site.peek(named)
    if issue is None:
        raise Mistaken(f"no issue {named!r}")
    return issue


def _pick(known: Mapping[str, str], value: Json, what: str) -> str:
    for key, words in known.items():
        if value in (key, words):
            return key
    raise Mistaken(f"no {what} {value!r}; there are: {', '.join(known.values())}")


def _create(sandbox: JiraSandbox, command: Mapping[str, Json]) -> Json:
    reporter = sandbox.site.user(str(command.get("reporter", "")))
    issue = sandbox.site.create(
        _by(sandbox, command),
        project=sandbox.site.projects[str(command.get("project", "OPS"))].key,
        type=_pick(TYPES, command.get("type", "Bug"), "issue type"),
        summary=str(command["summary"]),
        description=command.get("description"),
        labels=command.get("labels", ()),
        priority=_pick(PRIORITIES, command.get("priority", "Medium"), "priority"),
        reporter=reporter.id if reporter else None,
        properties=command.get("properties"),
    )
    if "status" in command:
        sandbox.site.put_status(issue, _by(sandbox, command), _status(command["status"]))
    return {"id": str(issue.id), "key": issue.key}


def _status(value: Json) -> str:
    if value not in BY_NAME:
        raise Mistaken(f"no status {value!r}; there are: {', '.join(BY_NAME)}")
    return str(value)


def _transition(sandbox: JiraSandbox, command: Mapping[str, Json]) -> Json:
    """By the workflow; with force, whatever the workflow says."""
    issue, user, wanted = _named(sandbox, command), _by(sandbox, command), _status(command["to"])
    resolution = command.get("resolution")
    number = _pick(RESOLUTIONS, resolution, "resolution") if resolution is not None else None
    if command.get("force"):
        sandbox.site.put_status(issue, user, wanted)
        return None
    for step in sandbox.site.steps(issue, user):
        if step.to == wanted:
            sandbox.site.transition(issue, user, step, resolution=number)
            return None
    raise Mistaken(f"no step leads from {BY_ID[issue.status].name} to {wanted} in this workflow; use force")


def _edit(sandbox: JiraSandbox, command: Mapping[str, Json]) -> Json:
    values: dict[str, Json] = {name: command[name] for name in ("summary", "description") if name in command}
    if "priority" in command:
        values["priority"] = _pick(PRIORITIES, command["priority"], "priority")
    if "assignee" in command:
        assignee = sandbox.site.user(str(command["assignee"]))
        values["assignee"] = assignee.id if assignee else None
    values |= command.get("custom", {})
    sandbox.site.edit(
        _named(sandbox, command),
        _by(sandbox, command),
        values=values,
        add_labels=command.get("add_labels", ()),
        remove_labels=command.get("remove_labels", ()),
    )
    return None


def _add_label(sandbox: JiraSandbox, command: Mapping[str, Json]) -> Json:
    sandbox.site.edit(_named(sandbox, command), _by(sandbox, command), values={}, add_labels=[command["label"]])


def _remove_label(sandbox: JiraSandbox, command: Mapping[str, Json]) -> Json:
    sandbox.site.edit(_named(sandbox, command), _by(sandbox, command), values={}, remove_labels=[command["label"]])


def _comment(sandbox: JiraSandbox, command: Mapping[str, Json]) -> Json:
    comment = sandbox.site.comment(
        _named(sandbox, command), _by(sandbox, command), command["body"], properties=command.get("properties")
    )
    return {"id": comment.id}


def _remote_link(sandbox: JiraSandbox, command: Mapping[str, Json]) -> Json:
    sent = {
        "globalId": command.get("globalId"),
        "relationship": command.get("relationship"),
        "object": {"url": command["url"], "title": command.get("title", command["url"])},
    }
    return {"id": sandbox.site.put_remote_link(_named(sandbox, command), _by(sandbox, command), sent).id}


def _remove_remote_link(sandbox: JiraSandbox, command: Mapping[str, Json]) -> Json:
    issue, wanted = _named(sandbox, command), (command.get("globalId"), command.get("id"), command.get("url"))
    for link in list(issue.remote_links):
        names = (link.global_id, link.id, link.object.get("url"))
        if any(want is not None and want == name for want, name in zip(wanted, names, strict=True)):
            sandbox.site.delete_remote_link(issue, _by(sandbox, command), link)
            return {"removed": link.id}
    raise Mistaken("the issue has no such remote link; name it by globalId, id or url")


def _property(sandbox: JiraSandbox, command: Mapping[str, Json]) -> Json:
    sandbox.site.set_property(_named(sandbox, command), _by(sandbox, command), command["key"], command["value"])


def _link(sandbox: JiraSandbox, command: Mapping[str, Json]) -> Json:
    number = next((key for key, (name, _, _) in LINK_TYPES.items() if name == command.get("type", "Relates")), None)
    if number is None:
        raise Mistaken(f"no link type {command.get('type')!r}")
    made = sandbox.site.link(_by(sandbox, command), number, _named(sandbox, command), _named(sandbox, command, "other"))
    return {"id": made.id}


def _unlink(sandbox: JiraSandbox, command: Mapping[str, Json]) -> Json:
    sandbox.site.unlink(_by(sandbox, command), sandbox.site.links[int(command["link"])])


def _move(sandbox: JiraSandbox, command: Mapping[str, Json]) -> Json:
    issue = _named(sandbox, command)
    if command["project"] not in sandbox.site.projects:
        raise Mistaken(f"no project {command['project']!r}")
    sandbox.site.move(issue, _by(sandbox, command), command["project"])
    return {"key": issue.key}


def _delete(sandbox: JiraSandbox, command: Mapping[str, Json]) -> Json:
    sandbox.site.delete(_named(sandbox, command), _by(sandbox, command))


def _permission(sandbox: JiraSandbox, command: Mapping[str, Json]) -> Json:
    """Take a permission in a project from a user, or give it back."""
    user, project = _by(sandbox, command), sandbox.site.projects[command["project"]].key
    permission = command["permission"]
    if permission not in PERMISSIONS:
        raise Mistaken(f"no permission {permission!r}; there are: {', '.join(PERMISSIONS)}")
    denied = user.denied.setdefault(project, set())
    if command.get("allowed", False):
        denied.discard(permission)
    else:
        denied.add(permission)
    if not denied:
        del user.denied[project]


def _project(sandbox: JiraSandbox, command: Mapping[str, Json]) -> Json:
    key = str(command["key"])
    if key in sandbox.site.projects:
        raise Mistaken(f"there is a project {key} already")
    return {"id": sandbox.site.add_project(key, str(command.get("name", key))).id}


def _token(sandbox: JiraSandbox, command: Mapping[str, Json]) -> Json:
    """Replace a user's tokens and personal access tokens, as a rotation or a revocation would."""
    user = _by(sandbox, command)
    user.tokens = [str(token) for token in command.get("tokens", ())]
    user.bearers = [str(token) for token in command.get("bearers", ())]


def _webhook(sandbox: JiraSandbox, command: Mapping[str, Json]) -> Json:
    """Register a webhook as an administrator does on a page; `dynamic` for one of an app, signed with a JWT."""
    is_dynamic = bool(command.get("dynamic", False))
    hook = sandbox.sender.register(
        Hook(
            id=0,
            name=str(command.get("name", "by hand")),
            url=str(command["url"]),
            events=tuple(command.get("events", ALL_EVENTS)),
            filter=str(command.get("jql", "")),
            secret=str(command.get("secret", APP_SECRET if is_dynamic else "")),
            owner=_by(sandbox, {"by": command.get("by", "automation")}).id,
            is_dynamic=is_dynamic,
            expires=sandbox.sender.refresh(()) if is_dynamic else None,
        )
    )
    return {"id": hook.id}


def _seed(sandbox: JiraSandbox, command: Mapping[str, Json]) -> Json:
    sandbox.seed(int(command["count"]), str(command.get("project", "OPS")), spread=float(command.get("spread", 86_400)))


ALL_EVENTS: Final = (
    "jira:issue_created",
    "jira:issue_updated",
    "jira:issue_deleted",
    "comment_created",
    "comment_updated",
    "comment_deleted",
    "issuelink_created",
    "issuelink_deleted",
)
ACTS: Final = {
    "create": _create,
    "transition": _transition,
    "edit": _edit,
    "add_label": _add_label,
    "remove_label": _remove_label,
    "comment": _comment,
    "remote_link": _remote_link,
    "remove_remote_link": _remove_remote_link,
    "property": _property,
    "link": _link,
    "unlink": _unlink,
    "move": _move,
    "delete": _delete,
    "permission": _permission,
    "project": _project,
    "token": _token,
    "webhook": _webhook,
    "seed": _seed,
}
