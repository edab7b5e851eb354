"""What a site tells about itself: server, users, permissions, fields, statuses, projects, create screens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from connectors.jira.sandbox.call import Call, answer_json
from connectors.jira.sandbox.faults import Refused
from connectors.jira.sandbox.model import LINK_TYPES, PERMISSIONS, PRIORITIES, RESOLUTIONS, TYPES
from connectors.jira.sandbox.reading import CREATE_SCREEN
from connectors.jira.sandbox.settings import Deployment
from connectors.jira.sandbox.shapes import FIELD_NAMES
from connectors.jira.sandbox.workflow import STATUSES
from connectors.sandbox.wire import Response

if TYPE_CHECKING:
    from connectors.jira.sandbox.wire import JiraSandbox

Json: TypeAlias = Any


def server_info(sandbox: JiraSandbox, call: Call) -> Response:
    """The site itself; needs no login. Data Center calls itself Server too [C]."""
    is_cloud = sandbox.deployment is Deployment.CLOUD
    numbers = [1001, 0, 0] if is_cloud else [10, 3, 1]
    return answer_json(
        {
            "baseUrl": call.request.base + sandbox.site.settings.context,
            "version": ".".join(str(number) for number in numbers) + ("-SNAPSHOT" if is_cloud else ""),
            "versionNumbers": numbers,
            "deploymentType": sandbox.deployment.value,
            "buildNumber": 100_300,
            "buildDate": "2026-01-05T00:00:00.000+0000",
            "serverTime": call.reader.time(int(sandbox.site.now() * 1000)),
            "scmInfo": "0000000",
            "serverTitle": "Jira stand-in",
        }
    )


def myself(_sandbox: JiraSandbox, call: Call) -> Response:
    """The caller, with the time zone that dates in JQL are read in."""
    shape = call.reader.user(call.user)
    return answer_json({**shape, "locale": "en_GB", "groups": {"size": 1, "items": []}})


def my_permissions(sandbox: JiraSandbox, call: Call) -> Response:
    """Which of the named permissions the caller has."""
    asked = call.names("permissions")
    if not asked and sandbox.deployment is Deployment.CLOUD:
        raise Refused(400, "The 'permissions' query parameter is required.")
    unknown = [name for name in asked if name not in PERMISSIONS]
    if unknown:
        raise Refused(400, f"Unrecognized permission: {', '.join(unknown)}")
    project = call.arg("projectKey") or call.arg("projectId")
    issue = call.arg("issueKey") or call.arg("issueId")
    if issue:
        project = sandbox.site.find(issue, call.user).project
    elif project:
        project = sandbox.site.project(project, call.user).key
    permissions = {
        name: {
            "id": str(place),
            "key": name,
            "name": name.replace("_", " ").title(),
            "type": "GLOBAL" if name == "ADMINISTER" else "PROJECT",
            "description": "",
            "havePermission": sandbox.site.may(call.user, name, project),
        }
        for place, name in enumerate(PERMISSIONS)
        if not asked or name in asked
    }
    return answer_json({"permissions": permissions})


def fields(sandbox: JiraSandbox, call: Call) -> Response:
    """Every field."""
    removed = sandbox.site.settings.removed_fields
    return answer_json([call.reader.field(name) for name in FIELD_NAMES if name not in removed])


def statuses(_sandbox: JiraSandbox, call: Call) -> Response:
    """Every status."""
    return answer_json([call.reader.status(status) for status in STATUSES])


def status_categories(_sandbox: JiraSandbox, call: Call) -> Response:
    """Every status category."""
    return answer_json(call.reader.categories())


def priorities(_sandbox: JiraSandbox, call: Call) -> Response:
    """Every priority."""
    return answer_json([call.reader.priority(number) for number in PRIORITIES])


def resolutions(_sandbox: JiraSandbox, call: Call) -> Response:
    """Every resolution."""
    return answer_json([call.reader.resolution(number) for number in RESOLUTIONS])


def types(_sandbox: JiraSandbox, call: Call) -> Response:
    """Every issue type."""
    return answer_json([call.reader.type(number) for number in TYPES])


def link_types(_sandbox: JiraSandbox, call: Call) -> Response:
    """Every type of link between issues."""
    return answer_json({"issueLinkTypes": [call.reader.link_type(number) for number in LINK_TYPES]})


def _seen_projects(sandbox: JiraSandbox, call: Call) -> list[Json]:
    site = sandbox.site
    return [
        call.reader.project(project)
        for project in site.projects.values()
        if site.may(call.user, "BROWSE_PROJECTS", project.key)
    ]


def projects(sandbox: JiraSandbox, call: Call) -> Response:
    """Every project the caller sees."""
    return answer_json(_seen_projects(sandbox, call))


def project_search(sandbox: JiraSandbox, call: Call) -> Response:
    """Projects by offset."""
    keys = call.names("keys")
    shown = [project for project in _seen_projects(sandbox, call) if not keys or project["key"] in keys]
    start, size = call.number("startAt", 0), call.number("maxResults", 50)
    page = shown[start : start + size]
    return answer_json(
        {
            "self": call.reader.address("project", "search"),
            "maxResults": size,
            "startAt": start,
            "total": len(shown),
            "isLast": start + len(page) >= len(shown),
            "values": page,
        }
    )


def project(sandbox: JiraSandbox, call: Call) -> Response:
    """One project."""
    project = sandbox.site.project(call.named["project"], call.user)
    types = [call.reader.type(number) for number in TYPES]
    return answer_json({**call.reader.project(project), "issueTypes": types, "lead": call.reader.user(call.user)})


def project_statuses(sandbox: JiraSandbox, call: Call) -> Response:
    """The statuses of each issue type of a project."""
    sandbox.site.project(call.named["project"], call.user)
    statuses = [call.reader.status(status) for status in STATUSES]
    return answer_json([{**call.reader.type(number), "statuses": statuses} for number in TYPES])


def _screen(sandbox: JiraSandbox, call: Call) -> dict[str, Json]:
    settings = sandbox.site.settings
    return {
        name: {
            "required": name in ("project", "issuetype", "summary", *settings.create_demands),
            "schema": call.reader.field(name)["schema"],
            "name": FIELD_NAMES[name][0],
            "key": name,
            "fieldId": name,
            "hasDefaultValue": name in ("priority", "reporter"),
            "operations": ["add", "set", "remove"] if name == "labels" else ["set"],
        }
        for name in FIELD_NAMES
        if name in CREATE_SCREEN and name not in settings.removed_fields
    }


def create_meta(sandbox: JiraSandbox, call: Call) -> Response:
    """Create screens, the old way: everything at once."""
    keys = call.names("projectKeys")
    with_fields = "fields" in call.arg("expand")
    types = [
        {**call.reader.type(number), **({"fields": _screen(sandbox, call)} if with_fields else {})} for number in TYPES
    ]
    shown = [
        {**project, "issuetypes": types}
        for project in _seen_projects(sandbox, call)
        if not keys or project["key"] in keys
    ]
    return answer_json({"expand": "projects", "projects": shown})


def create_meta_types(sandbox: JiraSandbox, call: Call) -> Response:
    """The issue types that can be created in a project."""
    sandbox.site.project(call.named["project"], call.user)
    rows = [call.reader.type(number) for number in TYPES]
    return answer_json(_meta_page(sandbox, call, "issueTypes", rows))


def create_meta_fields(sandbox: JiraSandbox, call: Call) -> Response:
    """The fields of one create screen."""
    sandbox.site.project(call.named["project"], call.user)
    if call.named["type"] not in TYPES:
        raise Refused(404, "The issue type is not found.")
    return answer_json(_meta_page(sandbox, call, "fields", list(_screen(sandbox, call).values())))


def _meta_page(sandbox: JiraSandbox, call: Call, name: str, rows: list[Json]) -> Json:
    start, size = call.number("startAt", 0), call.number("maxResults", 50)
    page = rows[start : start + size]
    shape: Json = {"maxResults": size, "startAt": start, "total": len(rows)}
    if sandbox.deployment is Deployment.CLOUD:
        return {**shape, name: page}
    return {**shape, "isLast": start + len(page) >= len(rows), "values": page}


def user(sandbox: JiraSandbox, call: Call) -> Response:
    """One user."""
    is_cloud = sandbox.deployment is Deployment.CLOUD
    named = call.arg("accountId") if is_cloud else call.arg("username") or call.arg("key")
    for user in sandbox.site.users.values():
        if named and named in ((user.id,) if is_cloud else (user.name, user.key)):
            return answer_json(call.reader.user(user))
    raise Refused(404, "Specified user does not exist or you do not have required permissions")


def user_search(sandbox: JiraSandbox, call: Call) -> Response:
    """Users by a part of a name."""
    asked = (call.arg("query") or call.arg("username")).lower()
    found = [
        call.reader.user(user)
        for user in sandbox.site.users.values()
        if asked and any(asked in text.lower() for text in (user.display, user.email, user.name))
    ]
    return answer_json(found)


def applinks(_sandbox: JiraSandbox, _call: Call) -> Response:
    """Listing application links: refused, as for everybody who is no administrator (pycontribs/jira#812)."""
    raise Refused(403, "You are not allowed to list application links.")
