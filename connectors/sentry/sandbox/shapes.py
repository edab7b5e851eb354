"""How the organisation's things are shown: list items, details, events, releases [V OAS]; GlitchTip's are its own."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from connectors.sentry.sandbox.model import SYSTEM
from connectors.sentry.sandbox.settings import Annotations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.sentry.sandbox.model import (
        Activity,
        App,
        Commit,
        Deploy,
        Event,
        ExternalIssue,
        IntegrationLink,
        Issue,
        Organisation,
        Project,
        Release,
        Report,
        Resolution,
        Team,
        User,
        Who,
    )

Json: TypeAlias = Any

TOP_VALUES: Final = 10
VALUES_LIMIT: Final = 1000
JIRA: Final = 1
"""The id of the one installed integration."""


def iso(at: float | None) -> str | None:
    """As in answers: microseconds where there are any."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


class Shower:
    """Shows an organisation to one caller. base: the address it is called under. viewer: whose eyes."""

    def __init__(self, org: Organisation, base: str, viewer: Who = SYSTEM) -> None:
        self._org = org
        self._base = base
        self._viewer = viewer
        self._settings = org.settings

    # --- people ------------------------------------------------------------------------------------------------------

    def user(self, user: User) -> Json:
        """A user as activity and members show them."""
        return {
            "id": str(user.id),
            "name": user.name,
            "username": user.username,
            "email": user.email,
            "isActive": user.is_active,
            "type": "user",
        }

    def member(self, user: User) -> Json:
        """A member of the organisation; its own id is not the user's."""
        return {
            "id": str(9000 + user.id),
            "email": user.email,
            "name": user.name,
            "user": self.user(user),
            "role": "member",
            "orgRole": "member",
            "pending": False,
            "expired": not user.is_active,
            "flags": {},
            "dateCreated": iso(self._org.projects[1].created),
        }

    def team(self, team: Team) -> Json:
        """A team."""
        return {"id": str(team.id), "slug": team.slug, "name": team.name, "memberCount": len(team.members)}

    def actor(self, assignee: str | None) -> Json:
        """Who an issue is assigned to."""
        if assignee is None:
            return None
        kind, _, number = assignee.partition(":")
        if kind == "team":
            return {"type": "team", "id": number, "name": self._org.teams[int(number)].slug}
        user = self._org.users[int(number)]
        return {"type": "user", "id": number, "name": user.name, "email": user.email}

    # --- projects, releases ------------------------------------------------------------------------------------------

    def project(self, project: Project) -> Json:
        """A project of the organisation's list."""
        return {
            **self._project(project),
            "dateCreated": iso(project.created),
            "status": "active",
            "isMember": True,
            "hasAccess": True,
            "features": [],
            "resolveAge": project.resolve_age or 0,
            "teams": [self.team(self._org.teams[number]) for number in project.teams],
        }

    def _project(self, project: Project) -> Json:
        return {"id": str(project.id), "name": project.name, "slug": project.slug, "platform": project.platform}

    def release(self, release: Release) -> Json:
        """A release."""
        last = release.commits[-1] if release.commits else None
        return {
            "id": release.id,
            "version": release.version,
            "shortVersion": release.version.rpartition("@")[2],
            "status": release.status,
            "dateCreated": iso(release.created),
            "dateReleased": iso(release.released),
            "ref": release.ref,
            "url": release.url,
            "versionInfo": {
                "package": release.version.rpartition("@")[0] or None,
                "version": {"raw": release.version.rpartition("@")[2]},
                "description": release.version.rpartition("@")[2],
                "buildHash": None,
            },
            "newGroups": release.new_groups,
            "commitCount": len(release.commits),
            "lastCommit": self.commit(last) if last is not None else None,
            "deployCount": len(release.deploys),
            "lastDeploy": self.deploy(release.deploys[-1]) if release.deploys else None,
            "firstEvent": iso(release.first_event),
            "lastEvent": iso(release.last_event),
            "authors": [],
            "owner": None,
            "data": {},
            "userAgent": None,
            "projects": [
                {**self._project(self._org.projects[number]), "newGroups": release.new_groups, "hasHealthData": False}
                for number in release.projects
            ],
        }

    def deploy(self, deploy: Deploy) -> Json:
        """A deploy."""
        return {
            "id": str(deploy.id),
            "environment": deploy.environment,
            "name": deploy.name,
            "url": deploy.url,
            "dateStarted": iso(deploy.started),
            "dateFinished": iso(deploy.finished),
        }

    def commit(self, commit: Commit) -> Json:
        """A commit."""
        return {
            "id": commit.sha,
            "message": commit.message,
            "dateCreated": iso(commit.at),
            "repository": {"id": "1", "name": commit.repository, "provider": {"id": "unknown", "name": "Unknown"}},
            "author": {"name": commit.author, "email": ""},
            "releases": [],
        }

    # --- issues ------------------------------------------------------------------------------------------------------

    def issue(
        self, issue: Issue, *, expand: Sequence[str] = (), collapse: Sequence[str] = (), period: str = ""
    ) -> Json:
        """A list item. expand, collapse, period (of its statistics): as asked."""
        settings = self._settings
        project = self._org.projects[issue.project]
        short = self._org.short_id(issue)
        is_over_age = self._org.is_over_age(issue)
        shape: dict[str, Json] = {
            "id": str(issue.id),
            "shareId": f"{issue.id:032x}" if issue.is_public else None,
            "shortId": short,
            "title": issue.title,
            "culprit": issue.culprit,
            "permalink": self._permalink(issue),
            "logger": None,
            "level": issue.level,
            "status": "resolved" if is_over_age else issue.status,
            "statusDetails": {"autoResolved": True} if is_over_age else self.details(issue),
            "substatus": None if is_over_age else issue.substatus,
            "isPublic": issue.is_public,
            "platform": project.platform,
            "priority": issue.priority,
            "priorityLockedAt": iso(issue.priority_locked_at),
            "project": self._project(project),
            "type": "generic" if issue.category not in {"error", "feedback"} else issue.kind,
            "issueType": issue.kind,
            "issueCategory": issue.category,
            "metadata": issue.metadata,
            "numComments": sum(1 for row in issue.activity if row.kind == "note"),
            "assignedTo": self.actor(issue.assignee),
            "isBookmarked": self._viewer.user in issue.bookmarked_by,
            "isSubscribed": self._viewer.user in issue.subscribed,
            "subscriptionDetails": None,
            "hasSeen": self._viewer.user in issue.seen_by,
            "annotations": self._annotations(issue),
            "isUnhandled": issue.is_unhandled,
            "count": str(issue.count or len(issue.events)),
            "userCount": len(issue.users),
            "firstSeen": iso(issue.first_seen),
            "lastSeen": iso(issue.last_seen),
            "seerFixabilityScore": None,
        }
        if not settings.substatuses:
            del shape["substatus"]
        if "stats" not in collapse:
            days = {"14d": self._stats(issue, 86_400, 14)} if period == "14d" else None
            shape["stats"] = days or {"24h": self._stats(issue, 3600, 24)}
        if "lifetime" not in collapse:
            shape["lifetime"] = self._totals(issue)
        if "filtered" not in collapse:
            shape["filtered"] = None
        if "unhandled" in collapse:
            del shape["isUnhandled"]
        if "integrationIssues" in expand:
            links = [self.integration_issue(link) for link in issue.integrations]
            shape["integrationIssues"] = links if settings.integrations else []
        if "sentryAppIssues" in expand:
            shape["sentryAppIssues"] = [self.external(issue, link) for link in issue.external]
        if "inbox" in expand:
            shape["inbox"] = None if issue.is_reviewed else {"reason": 0, "date_added": iso(issue.first_seen)}
        if "owners" in expand:
            shape["owners"] = None
        if "latestEventHasAttachments" in expand:
            shape["latestEventHasAttachments"] = False
        return self._changed(shape)

    def _changed(self, shape: dict[str, Json]) -> Json:
        """Keys that later versions bring, keys that others do not have."""
        shape |= self._settings.extra_issue_keys
        for name in self._settings.missing_issue_keys:
            shape.pop(name, None)
        return shape

    def _permalink(self, issue: Issue) -> str:
        organization = self._settings.organization
        if issue.category == "feedback":
            slug = self._org.projects[issue.project].slug
            return f"{self._base}/organizations/{organization}/feedback/?feedbackSlug={slug}%3A{issue.id}"
        return f"{self._base}/organizations/{organization}/issues/{issue.id}/"

    def _annotations(self, issue: Issue) -> list[Json]:
        named = [(link.display, link.url) for link in issue.external]
        if self._settings.integrations:
            named += [(link.key, link.url) for link in issue.integrations]
        if self._settings.annotations is Annotations.ANCHORS:
            return [f'<a href="{escape(url)}">{escape(name)}</a>' for name, url in named]
        return [{"displayName": name, "url": url} for name, url in named]

    def _totals(self, issue: Issue) -> Json:
        return {
            "count": str(issue.count),
            "userCount": len(issue.users),
            "firstSeen": iso(issue.first_seen),
            "lastSeen": iso(issue.last_seen),
            "stats": {},
        }

    def _stats(self, issue: Issue, width: int, buckets: int) -> list[list[int]]:
        """[second, events] for each of the latest buckets of so many seconds."""
        end = int(self._org.now() // width) * width
        counts = Counter(int(event.at // width) * width for event in issue.events)
        return [[end - width * back, counts[end - width * back]] for back in range(buckets - 1, -1, -1)]

    def details(self, issue: Issue) -> dict[str, Json]:
        """`statusDetails`: how it was resolved, or what ends its rest."""
        resolution, snooze = issue.resolution, issue.snooze
        if issue.status == "resolved" and resolution is not None:
            shape = self._resolved(resolution)
            if shape and resolution.who.user is not None:
                shape["actor"] = self.user(self._org.users[resolution.who.user])
            return shape
        if issue.status == "ignored" and snooze is not None:
            shape = {
                "ignoreCount": snooze.count,
                "ignoreUntil": iso(snooze.until),
                "ignoreUserCount": snooze.user_count,
                "ignoreUserWindow": snooze.user_window,
                "ignoreWindow": snooze.window,
            }
            if snooze.who.user is not None:
                shape["actor"] = self.user(self._org.users[snooze.who.user])
            return shape
        return {}

    def _resolved(self, resolution: Resolution) -> dict[str, Json]:
        match resolution.kind:
            case "in_release":
                return {"inRelease": resolution.release}
            case "in_next_release" if self._settings.reads_semver:
                return {"inRelease": resolution.release}
            case "in_next_release":
                return {"inNextRelease": True}
            case "in_upcoming_release":
                return {"inUpcomingRelease": True}
            case "in_commit":
                commit = self._org.commits.get(resolution.commit or "")
                return {"inCommit": self.commit(commit)} if commit is not None else {}
            case _:
                return {}

    def whole(self, issue: Issue, *, expand: Sequence[str] = (), collapse: Sequence[str] = ()) -> Json:
        """The detail: a list item and more. collapse: release, stats, tags."""
        shape: dict[str, Json] = self.issue(issue, expand=expand, collapse=[*collapse, "lifetime", "filtered"])
        shape |= {
            "activity": self.activities(issue),
            "seenBy": [self.user(self._org.users[number]) for number in sorted(issue.seen_by)],
            "participants": [],
            "pluginActions": [],
            "pluginIssues": [],
            "pluginContexts": [],
            "userReportCount": len(issue.reports),
            "openPeriods": self._open_periods(issue),
        }
        if "stats" not in collapse:
            shape["stats"] = {"24h": self._stats(issue, 3600, 24), "30d": self._stats(issue, 86_400, 30)}
        if "tags" not in collapse:
            shape["tags"] = [
                {"key": name, "name": _titled(name), "totalValues": sum(values.values())}
                for name, values in self.tag_counts(issue).items()
            ]
        if "release" not in collapse:
            for name, version in (("firstRelease", issue.first_release), ("lastRelease", issue.last_release)):
                release = self._org.releases.get(version or "")
                shape[name] = self.release(release) if release is not None else None
        return self._changed(shape)

    def _open_periods(self, issue: Issue) -> list[Json]:
        start, periods = issue.first_seen, []
        for row in issue.activity:
            if row.kind.startswith("set_resolved"):
                periods.append({"start": iso(start), "end": iso(row.at), "isOpen": False, "lastChecked": iso(row.at)})
            elif row.kind in {"set_unresolved", "set_regression"}:
                start = row.at
        if issue.status != "resolved":
            now = iso(self._org.now())
            periods.append({"start": iso(start), "end": None, "isOpen": True, "lastChecked": now})
        return periods[::-1]

    def activities(self, issue: Issue) -> list[Json]:
        """The activity log, newest first, as it is shown: cut, and without neighbours that say the same [S].

        The first sighting comes last, with the id 0; a long log loses it.
        """
        shown: list[Activity] = []
        last: Json = None
        for row in sorted(issue.activity, key=lambda row: (row.at, row.id), reverse=True):
            told = (row.kind, row.user, row.data)
            if row.kind == "note" or told != last:
                shown.append(row)
            last = told
        return [self.activity(row) for row in shown[: self._settings.activity_cut]]

    def activity(self, row: Activity) -> Json:
        """One row of the log. An app acts through its proxy user, and is named beside it."""
        user = self._org.users.get(row.user or 0)
        shape: dict[str, Json] = {
            "id": str(row.id),
            "user": self.user(user) if user is not None else None,
            "type": row.kind,
            "data": row.data,
            "dateCreated": iso(row.at),
        }
        app = self._org.apps.get(row.app or "")
        named = {"id": app.uuid, "name": app.name, "slug": app.slug} if app is not None else None
        return {**shape, "sentry_app": named}

    def external(self, issue: Issue, link: ExternalIssue) -> Json:
        """A link of an app."""
        return {
            "id": str(link.id),
            "issueId": str(issue.id),
            "serviceType": link.app,
            "displayName": link.display,
            "webUrl": link.url,
        }

    def integration_issue(self, link: IntegrationLink) -> Json:
        """A link of an installed integration."""
        return {
            "id": str(link.id),
            "key": link.key,
            "url": link.url,
            "title": link.title,
            "description": link.description,
            "displayName": link.key,
            "integrationId": link.integration,
        }

    def report(self, issue: Issue, report: Report) -> Json:
        """An old-style user report; the id of its user may be the word None [V mcp]."""
        return {
            "id": str(report.id),
            "eventID": report.event,
            "name": report.name,
            "email": report.email,
            "comments": report.comments,
            "dateCreated": iso(report.at),
            "user": {"id": "None", "email": report.email, "name": report.name},
            "event": {"id": report.event, "eventID": report.event},
            "issue": self.issue(issue, collapse=("stats", "lifetime", "filtered")),
        }

    # --- events ------------------------------------------------------------------------------------------------------

    def event(self, issue: Issue, event: Event) -> Json:
        """An event of a list."""
        return {
            "id": event.id,
            "eventID": event.id,
            "event.type": issue.kind,
            "groupID": str(issue.id),
            "projectID": str(issue.project),
            "dateCreated": iso(event.at),
            "title": event.title,
            "message": event.message,
            "culprit": issue.culprit,
            "location": None,
            "platform": self._org.projects[issue.project].platform,
            "tags": [{"key": name, "value": value} for name, value in sorted(event.tags.items())],
            "user": event.user,
            "metadata": issue.metadata,
            "crashFile": None,
        }

    def whole_event(self, issue: Issue, event: Event) -> Json:
        """An event with all it carries."""
        at = issue.events.index(event)
        neighbours = [issue.events[place].id if 0 <= place < len(issue.events) else None for place in (at + 1, at - 1)]
        entries: list[Json] = []
        if event.exception is not None:
            entries.append({"type": "exception", "data": {"values": [event.exception], "hasSystemFrames": False}})
        elif event.message:
            entries.append({"type": "message", "data": {"formatted": event.message}})
        release = self._org.releases.get(event.release or "")
        return {
            **self.event(issue, event),
            "type": issue.kind,
            "entries": entries,
            "contexts": event.contexts,
            "context": {},
            "packages": {},
            "sdk": {"name": "sentry.python", "version": "2.0.0"},
            "release": self.release(release) if release is not None else None,
            "dist": None,
            "errors": [],
            "occurrence": None,
            "fingerprints": [event.fingerprint],
            "groupingConfig": {"id": "newstyle:2023-01-11"},
            "dateReceived": iso(event.received),
            "size": 1024,
            "userReport": None,
            "nextEventID": neighbours[0],
            "previousEventID": neighbours[1],
        }

    def tag_counts(self, issue: Issue) -> dict[str, Counter[str]]:
        """Event tags of an issue: key -> value -> events."""
        counts: dict[str, Counter[str]] = {}
        for event in issue.events:
            for name, value in event.tags.items():
                counts.setdefault(name, Counter())[value] += 1
        return dict(sorted(counts.items()))

    def tag(self, issue: Issue, name: str, counts: Counter[str]) -> Json:
        """An aggregated event tag."""
        return {
            "key": name,
            "name": _titled(name),
            "uniqueValues": len(counts),
            "totalValues": sum(counts.values()),
            "topValues": self.tag_values(issue, name, counts)[:TOP_VALUES],
        }

    def tag_values(self, issue: Issue, name: str, counts: Counter[str]) -> list[Json]:
        """The values of an event tag, most seen first, at most 1000."""
        rows: list[Json] = []
        for value, count in counts.most_common(VALUES_LIMIT):
            times = [event.at for event in issue.events if event.tags.get(name) == value]
            row = {"key": name, "name": value, "value": value, "count": count}
            rows.append({**row, "firstSeen": iso(min(times)), "lastSeen": iso(max(times))})
        return rows

    # --- apps --------------------------------------------------------------------------------------------------------

    def installation(self, app: App) -> Json:
        """An installed app."""
        return {
            "app": {"uuid": app.uuid, "slug": app.slug},
            "organization": {"slug": self._settings.organization, "id": 1},
            "uuid": app.installation,
            "status": "installed",
        }

    def app(self, app: App) -> Json:
        """An app with its webhook address and what it is subscribed to."""
        return {
            "uuid": app.uuid,
            "slug": app.slug,
            "name": app.name,
            "status": "published" if app.is_published else "internal",
            "webhookUrl": app.url or None,
            "events": list(app.resources),
            "scopes": list(app.scopes),
            "isAlertable": False,
            "verifyInstall": False,
            "schema": {},
            "owner": {"id": 1, "slug": self._settings.organization},
        }

    def organisation(self) -> Json:
        """The organisation itself."""
        organization = self._settings.organization
        return {
            "id": "1",
            "slug": organization,
            "name": organization.capitalize(),
            "status": {"id": "active", "name": "active"},
            "dateCreated": iso(self._org.projects[1].created),
            "features": [],
            "links": {"organizationUrl": self._base, "regionUrl": self._base},
        }


def _titled(name: str) -> str:
    return name.replace("_", " ").replace(".", " ").title()
