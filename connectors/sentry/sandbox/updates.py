"""What a PUT on issues does: validated whole before anything changes, then applied field by field [V S-upd]."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec.structs import replace

from connectors.sentry.sandbox.faults import Refused, forbidden, wrong
from connectors.sentry.sandbox.model import ARCHIVED, OPEN, Resolution, Snooze

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.sentry.sandbox.model import Issue, Organisation, Who

Json: TypeAlias = Any

STATUSES: Final = ("resolved", "unresolved", "ignored", "resolvedInNextRelease", "muted")
PRIORITIES: Final = ("high", "medium", "low")
FLAT: Final = ("ignoreDuration", "ignoreCount", "ignoreWindow", "ignoreUserCount", "ignoreUserWindow")
FORMS: Final = {
    "inNextRelease": "next release",
    "inUpcomingRelease": "upcoming release",
    "inRelease": "release",
    "inCommit": "commit",
}
WINDOW_LIMIT: Final = 7 * 24 * 60
RESOLVED_ACTIVITY: Final = {
    "now": "set_resolved",
    "in_release": "set_resolved_in_release",
    "in_next_release": "set_resolved_in_release",
    "in_upcoming_release": "set_resolved_in_release",
    "in_commit": "set_resolved_in_commit",
}


def apply(org: Organisation, issues: Sequence[Issue], body: Mapping[str, Json], who: Who, *, may_discard: bool) -> Json:
    """Apply one PUT to some issues: the fields that were applied, as a bulk call answers them.

    Raises Refused: 400 for a value that does not fit, 403 for a discard without `event:admin`.
    """
    if body.get("discard"):
        if not may_discard:
            raise forbidden()
        if set(body) - {"discard"}:
            raise wrong("discard", "Other attributes cannot be updated when discarding")
        for issue in issues:
            org.delete(issue, discard=True)
        return None
    status, details = _wanted_status(body)
    resolution = _resolution(org, issues, details, who) if status == "resolved" else None
    snooze = _snooze(org, body, details) if status == "ignored" else None
    assignee = _assignee(org, issues, body["assignedTo"]) if "assignedTo" in body else None
    _check_rest(body)
    if body.get("merge") and len({issue.project for issue in issues}) > 1:
        raise Refused(400, "Merging across multiple projects is not supported")
    for issue in issues:
        org.touch(issue)
        if status is not None:
            wanted = _substatus(status, body.get("substatus"), details, snooze)
            _set_status(org, issue, status, wanted, resolution, snooze, who, is_alone=len(issues) == 1)
        if "assignedTo" in body:
            org.assign(issue, who, assignee)
        if body.get("priority") is not None:
            org.set_priority(issue, who, body["priority"])
        _set_personal(issue, body, who)
    applied = {name: body[name] for name in ("assignedTo", "priority", "isPublic", "inbox", "hasSeen") if name in body}
    applied |= {name: body[name] for name in ("isBookmarked", "isSubscribed") if name in body}
    if status is not None:
        applied["status"] = status
        applied["statusDetails"] = details
        applied["substatus"] = issues[0].substatus if issues else None
    if body.get("merge") and len(issues) > 1:
        parent = org.merge(issues, who)
        children = [str(issue.id) for issue in issues if issue is not parent]
        applied["merge"] = {"parent": str(parent.id), "children": children}
    return applied


def _wanted_status(body: Mapping[str, Json]) -> tuple[str | None, dict[str, Json]]:
    """The status asked for, and its details; a substatus without a status does nothing [V]."""
    told = body.get("statusDetails")
    if told is not None and not isinstance(told, dict):
        raise wrong("statusDetails", "Invalid data. Expected a dictionary.")
    details = dict(told or {})
    substatus = body.get("substatus")
    if substatus is not None and substatus not in (*OPEN, *ARCHIVED):
        raise wrong("substatus", f'"{substatus}" is not a valid choice.')
    status = body.get("status")
    if status is None:
        return None, details
    if status not in STATUSES:
        raise wrong("status", f'"{status}" is not a valid choice.')
    if status == "resolvedInNextRelease":
        return "resolved", {"inNextRelease": True}
    return "ignored" if status == "muted" else str(status), details


def _resolution(org: Organisation, issues: Sequence[Issue], details: Mapping[str, Json], who: Who) -> Resolution:
    """What the details say of a resolve. Raises Refused(400): an unknown version, no release, several projects."""
    forms = [name for name in FORMS if details.get(name)]
    now = org.now()
    if not forms:
        return Resolution(kind="now", at=now, who=who)
    projects = {issue.project for issue in issues}
    if len(projects) > 1:
        named = FORMS[forms[0]]
        raise Refused(400, f"Cannot set resolved in {named} for multiple projects.")
    releases = org.releases_of(next(iter(projects))) if projects else []
    match forms[0]:
        case "inRelease":
            named = details["inRelease"]
            known = releases[-1:] if named == "latest" else [one for one in releases if one.version == named]
            if not known:
                words = "Unable to find a release with the given version."
                raise Refused(400, {"statusDetails": {"inRelease": [words]}})
            return Resolution(kind="in_release", at=now, release=known[0].version, who=who)
        case "inCommit":
            return _in_commit(org, details["inCommit"], who)
        case form:
            if not releases:
                words = "No release data present in the system to form a basis for 'Next Release'"
                raise Refused(400, {"statusDetails": {form: [words]}})
            kind = "in_next_release" if form == "inNextRelease" else "in_upcoming_release"
            return Resolution(kind=kind, at=now, release=releases[-1].version, who=who)


def _known_next(org: Organisation, issue: Issue, resolution: Resolution) -> Resolution:
    """The next release after the one the issue was last seen in, where there is one already [S].

    So an issue that is resolved in the next release may read back as resolved in a release that is out.
    """
    if resolution.kind != "in_next_release" or org.settings.reads_semver or issue.last_release is None:
        return resolution
    versions = [release.version for release in org.releases_of(issue.project)]
    if issue.last_release not in versions:
        return resolution
    later = versions[versions.index(issue.last_release) + 1 :]
    return replace(resolution, kind="in_release", release=later[0]) if later else resolution


def _in_commit(org: Organisation, told: Json, who: Who) -> Resolution:
    """Resolved in a commit; in its release, where it is in one already [V]."""
    sha, repository = (told.get("commit"), told.get("repository")) if isinstance(told, dict) else (None, None)
    commit = org.commits.get(str(sha))
    if commit is None or commit.repository != repository:
        raise Refused(400, {"statusDetails": {"inCommit": {"commit": ["Unable to find the given commit."]}}})
    carrier = org.carrier(commit.sha)
    return Resolution(
        kind="in_commit" if carrier is None else "in_release",
        at=org.now(),
        release=carrier.version if carrier is not None else None,
        commit=commit.sha,
        repository=commit.repository,
        who=who,
    )


def _snooze(org: Organisation, body: Mapping[str, Json], details: Mapping[str, Json]) -> Snooze | None:
    """What ends the rest: in the details, or flat beside the status [V]. Raises Refused(400) for what is no number."""
    told = {**{name: body[name] for name in FLAT if name in body}, **details}
    numbers: dict[str, int] = {}
    for name in FLAT:
        if not told.get(name):
            continue  # none, or 0, which counts as none [S]
        try:
            numbers[name] = int(told[name])
        except (TypeError, ValueError) as error:
            raise wrong("statusDetails", f"{name}: A valid integer is required.") from error
        if name in {"ignoreWindow", "ignoreUserWindow"} and numbers[name] > WINDOW_LIMIT:
            raise wrong("statusDetails", f"{name}: Ensure this value is less than or equal to {WINDOW_LIMIT}.")
    if not set(numbers) & {"ignoreDuration", "ignoreCount", "ignoreUserCount"}:
        return None
    minutes = numbers.get("ignoreDuration")
    return Snooze(
        until=org.now() + minutes * 60 if minutes is not None else None,
        count=numbers.get("ignoreCount"),
        window=numbers.get("ignoreWindow"),
        user_count=numbers.get("ignoreUserCount"),
        user_window=numbers.get("ignoreUserWindow"),
        at=org.now(),
    )


def _assignee(org: Organisation, issues: Sequence[Issue], told: Json) -> str | None:
    """`user:7` or `team:2`. Raises Refused(400): unknown, no member, deactivated, a team without the project."""
    if told is None or told == "":
        return None
    text = str(told)
    kind, _, number = text.partition(":")
    if kind == "team":
        team = org.teams.get(int(number)) if number.isdecimal() else None
        if team is None:
            raise wrong("assignedTo", "Unknown actor input")
        if any(team.id not in org.projects[issue.project].teams for issue in issues):
            raise wrong("assignedTo", "Team does not have access to the project.")
        return f"team:{team.id}"
    user = org.user(number if kind == "user" else text)
    if user is None:
        raise wrong("assignedTo", "Unknown actor input")
    if not user.is_member or user.is_proxy or not user.is_active:
        raise wrong("assignedTo", "Cannot assign to a user who is no active member of the organization.")
    return f"user:{user.id}"


def _check_rest(body: Mapping[str, Json]) -> None:
    priority = body.get("priority")
    if priority is not None and priority not in PRIORITIES:
        raise wrong("priority", f'"{priority}" is not a valid choice.')
    for name in ("isBookmarked", "hasSeen", "isSubscribed", "isPublic"):
        if name in body and not isinstance(body[name], bool):
            raise wrong(name, "Must be a valid boolean.")


def _substatus(status: str, told: Json, details: Mapping[str, Json], snooze: Snooze | None) -> str | None:
    """The substatus asked for, or for an archived issue the inferred one; one of the wrong family is none [V]."""
    family = {"ignored": ARCHIVED, "unresolved": OPEN}.get(status, ())
    if told in family:
        return str(told)
    if status != "ignored":
        return None
    if details.get("untilEscalating"):
        return "archived_until_escalating"
    return "archived_until_condition_met" if snooze is not None else "archived_forever"


def _set_status(
    org: Organisation,
    issue: Issue,
    status: str,
    substatus: str | None,
    resolution: Resolution | None,
    snooze: Snooze | None,
    who: Who,
    *,
    is_alone: bool,
) -> None:
    if snooze is not None:
        snooze = replace(snooze, who=who, from_count=issue.count, from_users=len(issue.users))
    if substatus == "archived_until_escalating":
        snooze = None
    if resolution is not None:
        kind = "in_commit" if resolution.commit is not None else resolution.kind
        resolution = _known_next(org, issue, resolution)
        data: dict[str, Json] = {"commit": resolution.commit} if resolution.commit is not None else {}
        if kind.endswith("release"):
            data = {"version": resolution.release if resolution.kind == "in_release" else ""}
            if resolution.kind == "in_next_release" and org.settings.reads_semver:
                data["current_release_version"] = resolution.release  # "in a version after this one" [V]
        org.resolve(issue, resolution, activity=RESOLVED_ACTIVITY[kind], data=data, told=kind)
    elif issue.status == status:
        issue.resolution = None  # no activity, no webhook, no other substatus; a stored resolution goes [V]
        if status == "ignored" and substatus != "archived_until_escalating":
            org.rest(issue, snooze)
    elif status == "unresolved":
        org.reopen(issue, who, substatus, is_alone=is_alone)
    else:
        org.archive(issue, who, substatus or "archived_forever", snooze)


def _set_personal(issue: Issue, body: Mapping[str, Json], who: Who) -> None:
    """What is kept for each user apart: useless for keeping systems in step [V]."""
    if who.user is None:
        return
    for name, kept in (
        ("hasSeen", issue.seen_by),
        ("isBookmarked", issue.bookmarked_by),
        ("isSubscribed", issue.subscribed),
    ):
        if name in body:
            (kept.add if body[name] else kept.discard)(who.user)
    if "isPublic" in body:
        issue.is_public = body["isPublic"]
    if body.get("inbox") is False:
        issue.is_reviewed = True
