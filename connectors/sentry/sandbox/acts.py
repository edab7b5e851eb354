"""What the control face shows of the organisation, and the edits it can make behind the API's back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from connectors.sandbox.control import Mistaken
from connectors.sentry.sandbox import updates
from connectors.sentry.sandbox.faults import Refused
from connectors.sentry.sandbox.model import (
    RESOURCES,
    SYSTEM,
    Activity,
    App,
    Commit,
    IntegrationLink,
    Issue,
    Project,
    Report,
    User,
    Who,
)
from connectors.sentry.sandbox.shapes import JIRA, Shower

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connectors.sentry.sandbox.wire import SentrySandbox

Json: TypeAlias = Any

PROXIES: Final = 100
"""The ids of the proxy users of further apps begin here."""


def state(sandbox: SentrySandbox) -> Json:
    """The whole organisation as it really is."""
    org, sender = sandbox.org, sandbox.sender
    return {
        "system": "sentry",
        "edition": org.settings.edition.value,
        "now": org.now(),
        "issues": [_issue(sandbox, issue) for issue in org.issues.values()],
        "releases": [
            {
                "version": release.version,
                "projects": [org.projects[number].slug for number in release.projects],
                "created": release.created,
                "released": release.released,
                "commits": [commit.sha for commit in release.commits],
                "deploys": [{"environment": one.environment, "finished": one.finished} for one in release.deploys],
            }
            for release in org.releases.values()
        ],
        "projects": {project.slug: project.last for project in org.projects.values()},
        "users": [{"id": user.id, "name": user.name, "email": user.email} for user in org.users.values()],
        "writes": dict(org.writes),
        "requests": dict(sandbox.requests),
        "apps": [
            {
                "slug": app.slug,
                "installation": app.installation,
                "url": app.url,
                "resources": list(app.resources),
                "unsubscribed": app.is_unsubscribed,
                "timeouts": len(app.timeouts),
            }
            for app in org.apps.values()
        ],
        "hooks": {
            "sent": sender.sent,
            "dropped": sender.dropped,
            "answered": sender.answered,
            "waiting": sender.waiting,
            "pending": list(sender.pending()),
        },
    }


def _issue(sandbox: SentrySandbox, issue: Issue) -> Json:
    org = sandbox.org
    shower = Shower(org, sandbox.base)
    return {
        "id": str(issue.id),
        "key": org.short_id(issue),
        "project": org.projects[issue.project].slug,
        "title": issue.title,
        "status": "deleted" if issue.is_deleted else issue.pending or issue.status,
        "substatus": issue.substatus,
        "details": shower.details(issue),
        "assignee": shower.actor(issue.assignee),
        "priority": issue.priority,
        "level": issue.level,
        "category": issue.category,
        "count": issue.count,
        "users": len(issue.users),
        "first_seen": issue.first_seen,
        "last_seen": issue.last_seen,
        "merged_into": str(issue.merged_into) if issue.merged_into is not None else None,
        "deleted": issue.is_deleted,
        "links": [{"app": link.app, "name": link.display, "url": link.url} for link in issue.external],
        "integrations": [{"key": link.key, "url": link.url, "comments": link.comments} for link in issue.integrations],
        "comments": [
            {"id": row.id, "by": _name(sandbox, row), "text": row.data["text"], "at": row.at}
            for row in issue.activity
            if row.kind == "note"
        ],
        "activity": [
            {"id": row.id, "kind": row.kind, "by": _name(sandbox, row), "data": row.data, "at": row.at}
            for row in issue.activity
        ],
        "version": len(issue.activity),
    }


def _name(sandbox: SentrySandbox, row: Activity) -> str:
    if row.app is not None:
        return row.app
    user = sandbox.org.users.get(row.user or 0)
    return user.name.lower() if user is not None else "system"


# --- acts ------------------------------------------------------------------------------------------------------------


def act(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    """Carry out one edit. `by`: a user, an app, `system`, or `sync`. Raises Mistaken."""
    name = str(command.get("act"))
    made = ACTS.get(name)
    if made is None:
        raise Mistaken(f"act {name!r} is unknown; the acts are {', '.join(sorted(ACTS))}")
    try:
        return made(sandbox, command)
    except Refused as refused:
        raise Mistaken(f"{name}: the system refuses: {refused.body}") from refused
    except KeyError as error:
        raise Mistaken(f"{name}: {error} is missing") from error


def _by(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Who:
    named = str(command.get("by", "engineer"))
    if named == "system":
        return SYSTEM
    if named == "sync":
        return Who(is_sync=True)
    app = sandbox.org.apps.get(named)
    if app is not None:
        return Who(user=app.proxy, app=app.slug)
    user = sandbox.org.user(named)
    if user is None:
        known = [one.name.lower() for one in sandbox.org.users.values()] + list(sandbox.org.apps)
        raise Mistaken(f"by {named!r} is nobody here; there are {', '.join(dict.fromkeys(known))}, system and sync")
    return Who(user=user.id)


def _named(sandbox: SentrySandbox, command: Mapping[str, Json], key: str = "issue") -> Issue:
    try:
        return sandbox.org.find(str(command[key]))
    except Refused as refused:
        raise Mistaken(f"no issue {command[key]!r}, or it is deleted or pending") from refused


def _project(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Project:
    named = str(command.get("project", "backend"))
    project = sandbox.org.project(named)
    if project is None:
        slugs = ", ".join(one.slug for one in sandbox.org.projects.values())
        raise Mistaken(f"no project {named!r}; there are: {slugs}")
    return project


EVENT_FIELDS: Final = (
    "message",
    "at",
    "level",
    "culprit",
    "environment",
    "release",
    "tags",
    "user",
    "fingerprint",
    "category",
    "kind",
    "metadata",
    "exception",
    "contexts",
    "is_handled",
    "times",
    "event_id",
    "priority",
)


def _event(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    """An error comes in; `issue` names a known issue whose events it joins."""
    told = {name: command[name] for name in EVENT_FIELDS if name in command}
    known = _named(sandbox, command) if "issue" in command else None
    project = sandbox.org.projects[known.project] if known is not None else _project(sandbox, command)
    title = str(command["title"] if known is None else command.get("title", known.title))
    issue, event = sandbox.org.receive(project, title=title, joins=known, **told)
    if issue is None:
        return {"issue": None, "key": None, "event": event.id}
    return {"issue": str(issue.id), "key": sandbox.org.short_id(issue), "event": event.id}


def _update(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    """Whatever a PUT can do, as `set`."""
    _put(sandbox, command, dict(command["set"]))


def _put(sandbox: SentrySandbox, command: Mapping[str, Json], body: dict[str, Json]) -> None:
    issue = _named(sandbox, command)
    updates.apply(sandbox.org, [issue], body, _by(sandbox, command), may_discard=True)


def _resolve(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    details = {name: command[name] for name in ("inRelease", "inNextRelease", "inCommit") if name in command}
    _put(sandbox, command, {"status": "resolved", "statusDetails": details})


def _archive(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    details = {name: command[name] for name in updates.FLAT if name in command}
    body = {"status": "ignored", "statusDetails": details}
    if "substatus" in command:
        body["substatus"] = command["substatus"]
    _put(sandbox, command, body)


def _reopen(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    body = {"status": "unresolved"}
    if "substatus" in command:
        body["substatus"] = command["substatus"]
    _put(sandbox, command, body)


def _assign(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    _put(sandbox, command, {"assignedTo": command["to"]})


def _priority(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    _put(sandbox, command, {"priority": command["priority"]})


def _escalate(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    issue = _named(sandbox, command)
    if issue.status != "ignored":
        raise Mistaken("only an archived issue escalates")
    sandbox.org.escalate(issue)


def _comment(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    row = sandbox.org.note(_named(sandbox, command), _by(sandbox, command), str(command["text"]))
    return {"id": str(row.id)}


def _note(issue: Issue, command: Mapping[str, Json]) -> Activity:
    for row in issue.activity:
        if row.kind == "note" and str(row.id) == str(command["comment"]):
            return row
    raise Mistaken(f"the issue has no comment {command['comment']!r}")


def _edit_comment(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    issue = _named(sandbox, command)
    sandbox.org.edit_note(issue, _by(sandbox, command), _note(issue, command), str(command["text"]))


def _delete_comment(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    issue = _named(sandbox, command)
    sandbox.org.delete_note(issue, _by(sandbox, command), _note(issue, command))


def _link(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    """An app's link, or with `key` one of the installed Jira integration."""
    issue = _named(sandbox, command)
    if "key" in command:
        sandbox.org.touch(issue)
        key = str(command["key"])
        url = str(command.get("url", f"https://acme.atlassian.net/browse/{key}"))
        made = IntegrationLink(
            id=sandbox.org.next_id(), integration=JIRA, key=key, url=url, title=issue.title, description=""
        )
        issue.integrations.append(made)
        sandbox.org.log(issue, "create_issue", _by(sandbox, command), provider="Jira", title=key, location=url)
        return {"id": str(made.id)}
    app = _app(sandbox, command)
    link = sandbox.org.link(issue, app, display=str(command["name"]), url=str(command["url"]))
    return {"id": str(link.id)}


def _unlink(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    """Takes away what has the named `key` or `url`, or every link."""
    issue = _named(sandbox, command)
    sandbox.org.touch(issue)
    before = len(issue.external) + len(issue.integrations)
    key, url = command.get("key"), command.get("url")
    issue.integrations = [link for link in issue.integrations if (key or url) and link.key != key and link.url != url]
    issue.external = [link for link in issue.external if key is not None or (url is not None and link.url != url)]
    return {"removed": before - len(issue.external) - len(issue.integrations)}


def _merge(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    issues = [_named(sandbox, {"issue": name}) for name in command["issues"]]
    if len({issue.project for issue in issues}) > 1 or len(issues) < 2:
        raise Mistaken("a merge takes two or more issues of one project")
    parent = sandbox.org.merge(issues, _by(sandbox, command))
    return {"parent": str(parent.id)}


def _delete(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    sandbox.org.delete(_named(sandbox, command), discard=bool(command.get("discard", False)))


def _release(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    """`commits`: shas. `released`: seconds, or true for now."""
    org = sandbox.org
    more: dict[str, Json] = {name: command[name] for name in ("ref", "url") if name in command}
    if command.get("released"):
        more["released"] = org.now() if command["released"] is True else float(command["released"])
    if "commits" in command:
        more["commits"] = [_made_commit(sandbox, sha) for sha in command["commits"]]
    named = command.get("projects") or [command.get("project", "backend")]
    projects = [_project(sandbox, {"project": name}).id for name in named]
    release = org.add_release(str(command["version"]), projects, **more)
    return {"id": release.id}


def _made_commit(sandbox: SentrySandbox, sha: str, repository: str = "acme/backend", message: str = "") -> Commit:
    known = sandbox.org.commits.get(str(sha))
    if known is not None:
        return known
    commit = Commit(
        sha=str(sha), repository=repository, message=message or f"Commit {sha}", author="Engineer", at=sandbox.org.now()
    )
    sandbox.org.commits[commit.sha] = commit
    return commit


def _commit(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    """A commit of a repository that Sentry knows, not in a release yet."""
    repository = str(command.get("repository", "acme/backend"))
    _made_commit(sandbox, str(command["sha"]), repository, str(command.get("message", "")))


def _deploy(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    release = sandbox.org.releases.get(str(command["version"]))
    if release is None:
        raise Mistaken(f"no release {command['version']!r}; make it by the act release")
    told = {name: command[name] for name in ("name", "url", "started", "finished") if name in command}
    deploy = sandbox.org.deploy(release, environment=str(command.get("environment", "production")), **told)
    return {"id": str(deploy.id)}


def _report(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    """An end user's words in the old form, on the issue's latest event."""
    issue = _named(sandbox, command)
    sandbox.org.touch(issue)
    made = Report(
        id=sandbox.org.next_id(),
        event=issue.events[-1].id,
        name=str(command.get("name", "Customer")),
        email=str(command.get("email", "customer@example.com")),
        comments=str(command["comments"]),
        at=sandbox.org.now(),
    )
    issue.reports.append(made)
    return {"id": str(made.id)}


def _feedback(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    """An end user's words in the new form: an issue of its own."""
    text = str(command["message"])
    contact = {"contact_email": command.get("email", "customer@example.com"), "name": command.get("name", "Customer")}
    token = sandbox.org.token()
    issue, event = sandbox.org.receive(
        _project(sandbox, command),
        title=f"User Feedback: {text[:80]}",
        message=text,
        level="info",
        category="feedback",
        kind="feedback",
        fingerprint=token,
        metadata={"title": "User Feedback", "value": text, "message": text, **contact},
        contexts={"feedback": {"message": text, "url": command.get("url", ""), **contact}},
    )
    assert issue is not None
    return {"issue": str(issue.id), "key": sandbox.org.short_id(issue), "event": event.id}


def _alert(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    """An alert rule fires for an issue."""
    issue, rule = _named(sandbox, command), str(command.get("rule", "High volume"))
    sandbox.org.tell("event_alert", "triggered", SYSTEM, issue, rule=rule)
    sandbox.sender.alert(issue, rule, sandbox.base)


def _metric_alert(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    """A metric alert changes: `critical`, `warning` or `resolved`."""
    action, title = str(command.get("action", "critical")), str(command.get("title", "Error rate"))
    alert = {"id": "1", "identifier": "1", "title": title, "status": 20, "projects": ["backend"], "alert_rule": {}}
    sandbox.org.tell(
        "metric_alert",
        action,
        SYSTEM,
        None,
        metric_alert=alert,
        description_text=f"{title} is {action}",
        description_title=f"{action.capitalize()}: {title}",
        web_url=f"{sandbox.base}/organizations/{sandbox.org.settings.organization}/alerts/rules/details/1/",
    )


def _app(sandbox: SentrySandbox, command: Mapping[str, Json]) -> App:
    """An app by slug; one that is not there is installed."""
    slug = str(command.get("app", "hypercare"))
    app = sandbox.org.apps.get(slug)
    if app is not None:
        return app
    proxy = PROXIES + len(sandbox.org.apps)
    name = slug.capitalize()
    sandbox.org.users[proxy] = User(id=proxy, name=name, username=f"{slug}-proxy", email="", is_proxy=True)
    return sandbox.org.add_app(slug, proxy=proxy, token=f"{slug}-token")


def _webhook(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    """Set an app's webhook as its owner does on a page. `kind`: `legacy` or `alert` for the unsigned channels."""
    url = str(command["url"])
    match command.get("kind", "app"):
        case "legacy":
            sandbox.sender.legacy.append(url)
            return None
        case "alert":
            sandbox.sender.alerts.append(url)
            return None
        case _:
            app = _app(sandbox, command)
    resources = tuple(command.get("resources", RESOURCES))
    wrong = sorted(set(resources) - set(RESOURCES))
    if wrong:
        raise Mistaken(f"no resource {', '.join(wrong)}; there are: {', '.join(RESOURCES)}")
    app.url, app.resources, app.is_unsubscribed = url, resources, False
    app.secret = str(command.get("secret", app.secret or "sandbox-client-secret"))
    app.headers = dict(command.get("headers", {}))
    app.is_published = bool(command.get("published", False))
    return {"app": app.slug, "installation": app.installation}


def _install(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    """Install or, with `installed` false, remove an app: told to itself."""
    app = _app(sandbox, command)
    app.is_installed = bool(command.get("installed", True))
    action = "created" if app.is_installed else "deleted"
    sandbox.org.tell("installation", action, _by(sandbox, command), None, app=app.slug)


def _token(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    """Replace an app's tokens or scopes, or with `user` a user's tokens."""
    if "user" in command:
        user = sandbox.org.user(str(command["user"]))
        if user is None:
            raise Mistaken(f"no user {command['user']!r}")
        user.tokens = [str(one) for one in command.get("tokens", ())]
        return
    app = _app(sandbox, command)
    app.tokens = [str(one) for one in command.get("tokens", app.tokens)]
    app.scopes = tuple(command.get("scopes", app.scopes))


def _member(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    """A user joins, leaves (`member` false) or is deactivated (`active` false)."""
    user = sandbox.org.user(str(command["user"]))
    if user is None:
        number = max(one.id for one in sandbox.org.users.values() if one.id < PROXIES) + 1
        email = str(command.get("email", f"{command['user']}@example.com")).lower()
        user = User(id=number, name=str(command["user"]), username=email, email=email)
        sandbox.org.users[number] = user
    user.is_member = bool(command.get("member", True))
    user.is_active = bool(command.get("active", True))
    return {"id": str(user.id)}


def _make_project(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    """A project, or another `resolve_age` (hours) for a known one."""
    org, slug = sandbox.org, str(command["slug"])
    project = org.project(slug)
    if project is None:
        number = max(org.projects) + 1
        platform = str(command.get("platform", "python"))
        teams = list(org.teams)
        project = Project(
            id=number, slug=slug, name=slug.capitalize(), platform=platform, teams=teams, created=org.now()
        )
        org.projects[number] = project
    if "resolve_age" in command:
        project.resolve_age = int(command["resolve_age"])
        org.watch_ages()
    return {"id": str(project.id)}


def _seed(sandbox: SentrySandbox, command: Mapping[str, Json]) -> Json:
    sandbox.org.seed(int(command["count"]), _project(sandbox, command), spread=float(command.get("spread", 86_400)))


ACTS: Final[dict[str, Callable[[SentrySandbox, Mapping[str, Json]], Json]]] = {
    "event": _event,
    "feedback": _feedback,
    "report": _report,
    "update": _update,
    "resolve": _resolve,
    "archive": _archive,
    "reopen": _reopen,
    "escalate": _escalate,
    "assign": _assign,
    "priority": _priority,
    "comment": _comment,
    "edit_comment": _edit_comment,
    "delete_comment": _delete_comment,
    "link": _link,
    "unlink": _unlink,
    "merge": _merge,
    "delete": _delete,
    "release": _release,
    "commit": _commit,
    "deploy": _deploy,
    "alert": _alert,
    "metric_alert": _metric_alert,
    "webhook": _webhook,
    "install": _install,
    "token": _token,
    "member": _member,
    "project": _make_project,
    "seed": _seed,
}
