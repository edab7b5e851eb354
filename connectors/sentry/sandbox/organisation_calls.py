"""Calls about the organisation: its projects, people, releases, deploys and apps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from connectors.sentry.sandbox.call import Call, answer_json, links
from connectors.sentry.sandbox.faults import Refused, unseen, wrong
from connectors.sentry.sandbox.model import Commit, Release
from connectors.sentry.sandbox.search import cut_by_offset, instant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.sandbox.wire import Response

Json: TypeAlias = Any


def _paged(call: Call, rows: Iterable[Json]) -> Response:
    cut = cut_by_offset(list(rows), call.arg("cursor"), call.limit("per_page"))
    return answer_json(cut.rows, headers=links(call, cut))


def index(call: Call) -> Response:
    """Who asks, and with which scopes; whoever it is [S]."""
    user = call.org.users.get(call.caller.who.user or 0)
    auth = {"scopes": sorted(call.caller.scopes)} if call.caller.name else None
    return answer_json({"version": "0", "auth": auth, "user": call.shower.user(user) if user is not None else None})


def organisations(call: Call) -> Response:
    """The one organisation there is."""
    return _paged(call, [call.shower.organisation()])


def organisation(call: Call) -> Response:
    """The organisation."""
    return answer_json(call.shower.organisation())


def projects(call: Call) -> Response:
    """Its projects."""
    return _paged(call, [call.shower.project(project) for project in call.org.projects.values()])


def project(call: Call) -> Response:
    """One of them."""
    return answer_json(call.shower.project(call.project()))


def members(call: Call) -> Response:
    """Its members; the proxy users of apps are none."""
    own = [user for user in call.org.users.values() if user.is_member and not user.is_proxy]
    return _paged(call, [call.shower.member(user) for user in own])


def teams(call: Call) -> Response:
    """Its teams."""
    return _paged(call, [call.shower.team(team) for team in call.org.teams.values()])


def environments(call: Call) -> Response:
    """The environments events came from."""
    named = {event.environment for issue in call.org.visible() for event in issue.events if event.environment}
    rows = [{"id": str(number), "name": name} for number, name in enumerate(sorted(named), 1)]
    return answer_json(rows)


def installations(call: Call) -> Response:
    """Its installed apps [V example]."""
    return _paged(call, [call.shower.installation(app) for app in call.org.apps.values() if app.is_installed])


def apps(call: Call) -> Response:
    """Its own apps."""
    return _paged(call, [call.shower.app(app) for app in call.org.apps.values()])


def app(call: Call) -> Response:
    """One app by slug or uuid."""
    found = next((one for one in call.org.apps.values() if call.named["app"] in {one.slug, one.uuid}), None)
    if found is None:
        raise unseen()
    return answer_json(call.shower.app(found))


def service_hooks(call: Call) -> Response:
    """Service hooks are a feature that few plans have: 403 [V OAS]."""
    call.project()
    raise Refused(403, {"detail": "You do not have that feature enabled", "error_type": "unavailable_feature"})


# --- releases --------------------------------------------------------------------------------------------------------


def releases(call: Call) -> Response:
    """Newest first; `project`, `environment` (it was deployed to or had events in), `query` (part of a version)."""
    asked = {project.id for name in call.many("project") if (project := call.org.project(name)) is not None}
    environment, query = set(call.many("environment")), call.arg("query")
    rows = []
    for release in sorted(call.org.releases.values(), key=lambda one: (one.created, one.id), reverse=True):
        if call.many("project") and "-1" not in call.many("project") and not asked & set(release.projects):
            continue
        if environment and not any(deploy.environment in environment for deploy in release.deploys):
            continue
        if query in release.version:
            rows.append(call.shower.release(release))
    return _paged(call, rows)


def release_add(call: Call) -> Response:
    """Make a release; 201, or 208 for one that is there."""
    body = call.body()
    version, named = body.get("version"), body.get("projects")
    if not version:
        raise wrong("version", "This field is required.")
    found = [call.org.project(str(name)) for name in named or ()]
    if not found or None in found:
        raise wrong("projects", "Invalid project slugs")
    known = version in call.org.releases
    more: dict[str, Json] = {name: body[name] for name in ("ref", "url") if name in body}
    if body.get("dateReleased"):
        more["released"] = instant(body["dateReleased"])
    if body.get("commits"):
        more["commits"] = [_commit(call, each) for each in body["commits"]]
    release = call.org.add_release(version, [project.id for project in found if project is not None], **more)
    call.count("release")
    return answer_json(call.shower.release(release), 208 if known else 201)


def _commit(call: Call, told: Json) -> Commit:
    if not isinstance(told, dict) or not told.get("id"):
        raise wrong("commits", "This field is required.")
    return Commit(
        sha=str(told["id"]),
        repository=str(told.get("repository") or "acme/backend"),
        message=str(told.get("message") or ""),
        author=str(told.get("author_name") or ""),
        at=call.org.now(),
    )


def _release(call: Call) -> Release:
    release = call.org.releases.get(call.named["version"])
    if release is None:
        raise unseen()
    return release


def release(call: Call) -> Response:
    """One release, by its version as it is written in a path."""
    return answer_json(call.shower.release(_release(call)))


def release_edit(call: Call) -> Response:
    """Say when it was released, or what it is made of."""
    found, body = _release(call), call.body()
    more: dict[str, Json] = {name: body[name] for name in ("ref", "url", "status") if name in body}
    if body.get("dateReleased"):
        more["released"] = instant(body["dateReleased"])
    if body.get("commits"):
        more["commits"] = [_commit(call, each) for each in body["commits"]]
    call.org.add_release(found.version, found.projects, **more)
    call.count("release")
    return answer_json(call.shower.release(found))


def release_commits(call: Call) -> Response:
    """What it is made of."""
    return _paged(call, [call.shower.commit(commit) for commit in _release(call).commits])


def deploys(call: Call) -> Response:
    """Where it went, newest first."""
    return _paged(call, [call.shower.deploy(deploy) for deploy in reversed(_release(call).deploys)])


def deploy_add(call: Call) -> Response:
    """Tell of a deploy: 201; `dateFinished` is now unless told [V OAS]."""
    found, body = _release(call), call.body()
    if not body.get("environment"):
        raise wrong("environment", "This field is required.")
    deploy = call.org.deploy(
        found,
        environment=str(body["environment"]),
        name=body.get("name"),
        url=body.get("url"),
        started=instant(body["dateStarted"]) if body.get("dateStarted") else None,
        finished=instant(body["dateFinished"]) if body.get("dateFinished") else None,
    )
    call.count("deploy")
    return answer_json(call.shower.deploy(deploy), 201)
