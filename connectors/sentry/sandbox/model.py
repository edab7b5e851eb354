"""The rules of one organisation: people, apps, projects, releases, issues, events and their activity. Pure, given time.

Knows nothing of HTTP: `wire` reads requests and shows what is here; `updates` has the rules of a PUT. Every change of
an issue goes through `touch`, so that a stale read and an ignored write can be answered. An issue has no time of its
latest edit: nothing but its events moves `last_seen` [V].
"""

from __future__ import annotations

import copy
import heapq
from collections import Counter, deque
from hashlib import sha1
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from connectors.sentry.sandbox.faults import Refused, unseen
from connectors.sentry.sandbox.settings import AgeResolution, SecondLink

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from connectors.contract import Rng
    from connectors.sandbox.wire import TimeSource
    from connectors.sentry.sandbox.settings import Settings

Json: TypeAlias = Any

BASE32: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
FIRST_ISSUE: Final = 6_000_000_001
"""Ids above 2^32 are ordinary on SaaS [V]."""
ALL_SCOPES: Final = (
    "event:read",
    "event:write",
    "event:admin",
    "project:read",
    "project:releases",
    "org:read",
    "member:read",
    "team:read",
)
RESOURCES: Final = ("issue", "error", "comment", "event_alert", "metric_alert", "installation")
PRIORITY_BY_LEVEL: Final = {"fatal": "high", "error": "high", "info": "low", "debug": "low"}
OPEN: Final = ("new", "ongoing", "escalating", "regressed")
ARCHIVED: Final = ("archived_until_escalating", "archived_until_condition_met", "archived_forever")


class User(Struct, kw_only=True):
    """A member, or the proxy user of an app (`is_proxy`). tokens: user tokens with the scopes of a member."""

    id: int
    name: str
    username: str
    email: str
    is_proxy: bool = False
    is_member: bool = True
    is_active: bool = True
    tokens: list[str] = field(default_factory=list)


class App(Struct, kw_only=True):
    """An integration of the platform and its installation. resources: what it is subscribed to.

    is_published: retries are made for it [V]. timeouts: when calls timed out; trips: failures in a row.
    """

    slug: str
    name: str
    uuid: str
    installation: str
    proxy: int
    tokens: list[str]
    scopes: tuple[str, ...] = ALL_SCOPES
    url: str = ""
    secret: str = ""
    resources: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    is_published: bool = False
    is_unsubscribed: bool = False
    is_installed: bool = True
    timeouts: list[float] = field(default_factory=list)
    trips: int = 0
    rests_until: float = 0.0


class Team(Struct, kw_only=True):
    """A team; assigns as `team:<id>`."""

    id: int
    slug: str
    name: str
    members: list[int] = field(default_factory=list)


class Project(Struct, kw_only=True):
    """A project; `last` is the highest issue number given out, `hashes` say which issue an event belongs to."""

    id: int
    slug: str
    name: str
    platform: str
    teams: list[int]
    created: float
    resolve_age: int | None = None
    last: int = 0
    hashes: dict[str, int] = field(default_factory=dict)
    discarded: set[str] = field(default_factory=set)


class Commit(Struct, frozen=True, kw_only=True):
    """A commit of a release."""

    sha: str
    repository: str
    message: str
    author: str
    at: float


class Deploy(Struct, frozen=True, kw_only=True):
    """A release that went out to an environment."""

    id: int
    environment: str
    name: str | None
    url: str | None
    started: float | None
    finished: float


class Release(Struct, kw_only=True):
    """A version of one or more projects (ids). `released` is set by hand; None where nobody did."""

    id: int
    version: str
    projects: list[int]
    created: float
    released: float | None = None
    ref: str | None = None
    url: str | None = None
    status: str = "open"
    commits: list[Commit] = field(default_factory=list)
    deploys: list[Deploy] = field(default_factory=list)
    first_event: float | None = None
    last_event: float | None = None
    new_groups: int = 0


class Event(Struct, frozen=True, kw_only=True):
    """One error that came in. at: when it happened; received: when it was processed."""

    id: str
    at: float
    received: float
    title: str
    message: str
    level: str
    environment: str | None
    release: str | None
    tags: dict[str, str]
    user: dict[str, Json] | None
    exception: dict[str, Json] | None
    contexts: dict[str, Json]
    fingerprint: str


class Activity(Struct, kw_only=True):
    """One row of an issue's activity log. user, app: who did it; neither: Sentry itself."""

    id: int
    kind: str
    at: float
    data: dict[str, Json]
    user: int | None = None
    app: str | None = None


class Who(Struct, frozen=True, kw_only=True):
    """Who acts: a user, an app (through its proxy user), or Sentry itself (neither).

    is_sync: an installed integration's inbound sync of a tracker, which acts as Sentry.
    """

    user: int | None = None
    app: str | None = None
    is_sync: bool = False


SYSTEM: Final = Who()


class Resolution(Struct, frozen=True, kw_only=True):
    """How an issue was resolved: now, in_release, in_next_release, in_upcoming_release, in_commit, or by age.

    release: the version of in_release, or the newest one at the time of in_next_release.
    """

    kind: str
    at: float
    release: str | None = None
    commit: str | None = None
    repository: str | None = None
    who: Who = SYSTEM


class Snooze(Struct, frozen=True, kw_only=True):
    """What ends an archived issue's rest. until: seconds since the epoch. windows are minutes."""

    until: float | None = None
    count: int | None = None
    window: int | None = None
    user_count: int | None = None
    user_window: int | None = None
    from_count: int = 0
    from_users: int = 0
    at: float = 0.0
    who: Who = SYSTEM


class ExternalIssue(Struct, frozen=True, kw_only=True):
    """A link an app has put on an issue: one for each app [V]."""

    id: int
    app: str
    display: str
    url: str


class IntegrationLink(Struct, kw_only=True):
    """A link of an installed integration (Jira). comments: what was pushed to the ticket."""

    id: int
    integration: int
    key: str
    url: str
    title: str
    description: str
    comments: list[str] = field(default_factory=list)


class Report(Struct, frozen=True, kw_only=True):
    """What an end user wrote about an event, in the old form."""

    id: int
    event: str
    name: str
    email: str
    comments: str
    at: float


class Issue(Struct, kw_only=True):
    """An issue (a group of events). count, users: over all events, kept or not. assignee: `user:7` or `team:2`.

    active_at: the first sighting or the last regression, on the events' clock.
    """

    id: int
    project: int
    number: int
    title: str
    first_seen: float
    last_seen: float
    culprit: str = ""
    level: str = "error"
    kind: str = "error"
    category: str = "error"
    metadata: dict[str, Json] = field(default_factory=dict)
    status: str = "unresolved"
    substatus: str | None = "new"
    status_at: float = 0.0
    active_at: float = 0.0
    resolution: Resolution | None = None
    snooze: Snooze | None = None
    priority: str | None = "medium"
    priority_locked_at: float | None = None
    assignee: str | None = None
    count: int = 0
    users: set[str] = field(default_factory=set)
    is_unhandled: bool = False
    is_public: bool = False
    is_reviewed: bool = False
    seen_by: set[int] = field(default_factory=set)
    bookmarked_by: set[int] = field(default_factory=set)
    subscribed: set[int] = field(default_factory=set)
    first_release: str | None = None
    last_release: str | None = None
    hashes: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    activity: list[Activity] = field(default_factory=list)
    external: list[ExternalIssue] = field(default_factory=list)
    integrations: list[IntegrationLink] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    merged_into: int | None = None
    pending: str = ""
    is_deleted: bool = False
    created_by: str = ""


class Happening(Struct, frozen=True, kw_only=True):
    """Something a webhook may tell. data: what is beside the issue, which is shown as it is when the call is sent."""

    resource: str
    action: str
    who: Who
    at: float
    issue: int | None = None
    data: dict[str, Json] = field(default_factory=dict)


class Saved(Struct, frozen=True, kw_only=True):
    """What `undo` puts back."""

    issues: dict[int, Issue | None]
    releases: dict[str, Release]
    projects: dict[int, Project]
    numbers: tuple[int, int, int]
    happenings: int
    timers: list[tuple[float, int, int, str]]
    writes: Counter[str]


class Organisation:
    """One organisation with its issues."""

    def __init__(self, time: TimeSource, rng: Rng, settings: Settings) -> None:
        self._time = time
        self._rng = rng
        self.settings = settings
        self.users: dict[int, User] = {}
        self.apps: dict[str, App] = {}
        self.teams: dict[int, Team] = {}
        self.projects: dict[int, Project] = {}
        self.releases: dict[str, Release] = {}
        self.commits: dict[str, Commit] = {}
        self.issues: dict[int, Issue] = {}
        self.before: dict[int, Issue] = {}
        self.happenings: deque[Happening] = deque()
        self.writes: Counter[str] = Counter()
        self.org_tokens: list[str] = ["sntrys_sandbox"]
        self.legacy_keys: list[str] = ["legacy-key"]
        self._by_short: dict[str, int] = {}
        self._timers: list[tuple[float, int, int, str]] = []
        self._last_id = 1000
        self._last_issue = FIRST_ISSUE - 1
        self._last_timer = 0
        self._undo: dict[int, Issue | None] | None = None
        self._people()

    def _people(self) -> None:
        for number, name, is_proxy in (
            (1, "hypercare", True),
            (2, "Engineer", False),
            (3, "Reviewer", False),
            (4, "Outsider", False),
        ):
            plain = name.lower()
            self.users[number] = User(
                id=number,
                name=name,
                username=f"{plain}-proxy" if is_proxy else f"{plain}@example.com",
                email="" if is_proxy else f"{plain}@example.com",
                is_proxy=is_proxy,
                is_member=plain != "outsider",
                tokens=[] if is_proxy else [f"sntryu_{plain}"],
            )
        self.add_app("hypercare", proxy=1, token="hub-token")  # noqa: S106  # a stand-in guards nothing
        self.teams[1] = Team(id=1, slug="payments", name="Payments", members=[2, 3])
        self.teams[2] = Team(id=2, slug="web", name="Web", members=[3])
        start = self.now()
        for number, slug, platform, teams in ((1, "backend", "python", [1]), (2, "frontend", "javascript", [1, 2])):
            self.projects[number] = Project(
                id=number, slug=slug, name=slug.capitalize(), platform=platform, teams=teams, created=start
            )

    def add_app(self, slug: str, *, proxy: int, token: str) -> App:
        """Install an app of the organisation's own: it gets a token, and no webhook address yet."""
        uuid, installation = (sha1(f"{slug}{what}".encode(), usedforsecurity=False).hexdigest() for what in ("", "i"))
        app = App(
            slug=slug,
            name=slug.capitalize() if slug != "hypercare" else slug,
            uuid=_dashed(uuid),
            installation=_dashed(installation),
            proxy=proxy,
            tokens=[token],
        )
        self.apps[slug] = app
        return app

    # --- plumbing ----------------------------------------------------------------------------------------------------

    def now(self) -> float:
        """Seconds since the epoch, on this system's own clock."""
        return self._time() + self.settings.clock_skew

    def next_id(self) -> int:
        """A number for a row that is no issue; it only grows."""
        self._last_id += 1
        return self._last_id

    def token(self) -> str:
        """32 hexadecimal digits."""
        return self._rng.token()[:32].ljust(32, "0")

    def touch(self, issue: Issue) -> None:
        """Keep an issue as it is now: about to be changed."""
        kept = _copied(issue)
        self.before[issue.id] = kept
        if self._undo is not None:
            self._undo.setdefault(issue.id, kept)

    def saved(self) -> Saved:
        """Begin something that will be undone."""
        self._undo = {}
        return Saved(
            issues=self._undo,
            releases={
                version: replace(release, deploys=list(release.deploys), commits=list(release.commits))
                for version, release in self.releases.items()
            },
            projects={
                number: replace(project, hashes=dict(project.hashes), discarded=set(project.discarded))
                for number, project in self.projects.items()
            },
            numbers=(self._last_id, self._last_issue, self._last_timer),
            timers=list(self._timers),
            happenings=len(self.happenings),
            writes=self.writes.copy(),
        )

    def undo(self, saved: Saved) -> None:
        """Put back what was saved."""
        self._undo = None
        for number, issue in saved.issues.items():
            if issue is None:
                self.issues.pop(number, None)
            else:
                self.issues[number] = issue
        self.releases, self.projects, self.writes = saved.releases, saved.projects, saved.writes
        self._last_id, self._last_issue, self._last_timer = saved.numbers
        self._timers = saved.timers
        while len(self.happenings) > saved.happenings:
            self.happenings.pop()

    def tell(self, resource: str, action: str, who: Who, issue: Issue | None = None, **data: Json) -> None:
        """Say that something happened, for webhooks."""
        self.happenings.append(
            Happening(
                resource=resource,
                action=action,
                who=who,
                at=self.now(),
                issue=issue.id if issue is not None else None,
                data=data,
            )
        )

    def log(self, issue: Issue, kind: str, who: Who, **data: Json) -> Activity:
        """Write a row of an issue's activity."""
        row = Activity(id=self.next_id(), kind=kind, at=self.now(), data=data, user=who.user, app=who.app)
        issue.activity.append(row)
        return row

    def _at(self, at: float, issue: Issue, kind: str) -> None:
        self._last_timer += 1
        heapq.heappush(self._timers, (at, self._last_timer, issue.id, kind))

    # --- finding -----------------------------------------------------------------------------------------------------

    def short_id(self, issue: Issue) -> str:
        """PROJECTSLUG-BASE32."""
        return f"{self.projects[issue.project].slug.upper()}-{base32(issue.number)}"

    def peek(self, name: str) -> Issue | None:
        """An issue by number or short id as it is, merged and deleted ones too; None when there never was one."""
        if name.isdecimal():
            return self.issues.get(int(name))
        return self.issues.get(self._by_short.get(name.upper(), -1))

    def find(self, name: str, *, stale: bool = False) -> Issue:
        """The issue a route names; a merged id is the surviving issue, inline [V]. Raises Refused(404)."""
        issue = self.peek(name)
        while issue is not None and issue.merged_into is not None and not issue.pending:
            issue = self.issues.get(issue.merged_into)
        if issue is None or issue.is_deleted or issue.pending:
            raise unseen()
        return self.before.get(issue.id, issue) if stale else issue

    def visible(self, among: Iterable[Issue] | None = None) -> Iterable[Issue]:
        """The issues that a list may show, of all or of some."""
        return (
            issue
            for issue in (self.issues.values() if among is None else among)
            if not issue.is_deleted and not issue.pending and issue.merged_into is None
        )

    def project(self, name: str) -> Project | None:
        """A project by slug or id."""
        return next((one for one in self.projects.values() if name in {one.slug, str(one.id)}), None)

    def user(self, name: str) -> User | None:
        """A user by id, e-mail address, user name, or the word before the @."""
        wanted = name.lower()
        for user in self.users.values():
            if wanted in {str(user.id), user.email, user.username, user.name.lower()}:
                return user
        return None

    def releases_of(self, project: int) -> list[Release]:
        """A project's releases, oldest first."""
        own = (release for release in self.releases.values() if project in release.projects)
        return sorted(own, key=lambda release: (release.created, release.id))

    def resolve_age(self, issue: Issue) -> float:
        """Seconds without an event after which an issue resolves itself; 0: never."""
        own = self.projects[issue.project].resolve_age
        hours = self.settings.resolve_age if own is None else own
        return self.settings.scaled(hours * 3600.0)

    def is_over_age(self, issue: Issue) -> bool:
        """Whether an unresolved issue is old enough to be shown as resolved although nothing resolved it."""
        if self.settings.age_resolution is not AgeResolution.LAZY or issue.status != "unresolved":
            return False
        age = self.resolve_age(issue)
        return age > 0 and issue.last_seen + age <= self.now()

    # --- events ------------------------------------------------------------------------------------------------------

    def receive(
        self,
        project: Project,
        *,
        title: str,
        message: str = "",
        at: float | None = None,
        level: str = "error",
        culprit: str = "",
        environment: str | None = "production",
        release: str | None = None,
        tags: Mapping[str, str] | None = None,
        user: dict[str, Json] | None = None,
        fingerprint: str = "",
        category: str = "error",
        kind: str = "",
        metadata: dict[str, Json] | None = None,
        exception: dict[str, Json] | None = None,
        contexts: dict[str, Json] | None = None,
        is_handled: bool = True,
        times: int = 1,
        event_id: str = "",
        priority: str | None = None,
        joins: Issue | None = None,
    ) -> tuple[Issue | None, Event]:
        """Take in an event: its issue, new or known (None where it is discarded).

        at: when it happened; now unless told. times: how often it counts. joins: the issue it belongs to, whatever its
        fingerprint.

        An event of a resolved issue reopens it (`regressed`) unless its release is older than the one that resolves
        it. Whether it happened before the resolve does not matter: one that was late reopens too [S]. What the issue
        is called, its level and its place follow the latest event [S].
        """
        now = self.now()
        when = now if at is None else at
        hashed = sha1((fingerprint or title).encode(), usedforsecurity=False).hexdigest()
        own = {str(name): str(value) for name, value in (tags or {}).items()}
        own.setdefault("level", level)
        if environment is not None:
            own.setdefault("environment", environment)
        if release is not None:
            own.setdefault("release", release)
        if user is not None:
            own.setdefault("user", _named_user(user))
        event = Event(
            id=event_id or self.token(),
            at=when,
            received=now,
            title=title,
            message=message or title,
            level=level,
            environment=environment,
            release=release,
            tags=own,
            user=user,
            exception=exception,
            contexts=contexts or {},
            fingerprint=hashed,
        )
        if hashed in project.discarded:
            return None, event
        issue = joins if joins is not None else self.issues.get(project.hashes.get(hashed, -1))
        while issue is not None and issue.merged_into is not None:
            issue = self.issues.get(issue.merged_into)
        is_new = issue is None or issue.is_deleted or issue.pending == "deletion"
        if release is not None:
            self._seen_in(release, project, when, is_new=is_new)
        if issue is None or is_new:
            issue = self._add_issue(project, event, hashed, kind or category, category)
            issue.is_unhandled = not is_handled
            issue.priority = priority if priority is not None else PRIORITY_BY_LEVEL.get(level, "medium")
        else:
            self.touch(issue)
            issue.first_seen = min(issue.first_seen, when)
            issue.title, issue.level = title, level
        issue.culprit = culprit or issue.culprit
        issue.metadata = metadata if metadata is not None else _metadata(title, exception)
        issue.events.append(event)
        issue.count += times
        if user is not None:
            issue.users.add(_named_user(user))
        issue.last_seen = max(issue.last_seen, when)
        if release is not None:
            issue.last_release = release
        if is_new:
            if category == "error" or self.settings.other_issue_hooks:
                self.tell("issue", "created", SYSTEM, issue)
        else:
            self._reopened_by(issue, event)
        if self.settings.error_hooks:
            self.tell("error", "created", SYSTEM, issue, event=event.id)
        self._watch_age(issue)
        return issue, event

    def _add_issue(self, project: Project, event: Event, hashed: str, kind: str, category: str) -> Issue:
        self._last_issue += 1
        project.last += 1
        issue = Issue(
            id=self._last_issue,
            project=project.id,
            number=project.last,
            title=event.title,
            first_seen=event.at,
            last_seen=event.at,
            level=event.level,
            kind=kind,
            category=category,
            status_at=self.now(),
            active_at=event.at,
            substatus=self._substatus("new"),
            first_release=event.release,
            hashes=[hashed],
        )
        self.issues[issue.id] = issue
        self._by_short[self.short_id(issue)] = issue.id
        project.hashes[hashed] = issue.id
        if self._undo is not None:
            self._undo.setdefault(issue.id, None)
        first = Activity(id=0, kind="first_seen", at=event.at, data={"priority": None})
        issue.activity.append(first)
        self._watch_ongoing(issue)
        return issue

    def _seen_in(self, version: str, project: Project, at: float, *, is_new: bool) -> None:
        release = self.releases.get(version)
        if release is None or project.id not in release.projects:
            release = self.add_release(version, [project.id])
        release.first_event = at if release.first_event is None else min(at, release.first_event)
        release.last_event = at if release.last_event is None else max(at, release.last_event)
        release.new_groups += 1 if is_new else 0

    def _reopened_by(self, issue: Issue, event: Event) -> None:
        if issue.status == "resolved":
            if not self._is_regression(issue, event):
                return
            self._reopen(issue, "regressed")
            issue.active_at = issue.last_seen
            self.log(issue, "set_regression", SYSTEM, event_id=event.id, version=event.release or "")
            if self.settings.regression_hooks:
                self.tell("issue", "unresolved", SYSTEM, issue)
        elif issue.status == "ignored" and issue.snooze is not None and not self.settings.is_glitchtip:
            snooze = issue.snooze
            by_count = snooze.count is not None and self._counted(issue, snooze) >= snooze.count
            by_users = snooze.user_count is not None and len(issue.users) - snooze.from_users >= snooze.user_count
            if by_count or by_users:
                self.escalate(issue)

    def _counted(self, issue: Issue, snooze: Snooze) -> int:
        if snooze.window is None:
            return issue.count - snooze.from_count
        since = self.now() - snooze.window * 60
        return sum(1 for event in issue.events if event.at >= since)

    def _is_regression(self, issue: Issue, event: Event) -> bool:
        resolution = issue.resolution
        if self.settings.is_glitchtip:
            return True
        if issue.active_at >= issue.last_seen - self.settings.scaled(self.settings.regression_guard):
            return False  # it has just appeared or regressed: other events of the same moment are under way [S]
        if resolution is not None and resolution.kind == "in_commit":
            return False  # the commit is in no release yet [S]
        if resolution is None or resolution.release is None:
            return True
        if event.release is None:
            return False  # without a release it is taken for an old version [S]
        mark, seen = self.releases.get(resolution.release), self.releases.get(event.release)
        if mark is None or seen is None:
            return True
        if resolution.kind == "in_release":
            return (seen.created, seen.id) >= (mark.created, mark.id)
        return (seen.created, seen.id) > (mark.created, mark.id)

    def escalate(self, issue: Issue) -> None:
        """An archived issue that became loud is unresolved again, and that is told [V]."""
        self.touch(issue)
        self._reopen(issue, "escalating")
        self.log(issue, "set_escalating", SYSTEM, forecast=10)
        self.tell("issue", "unresolved", SYSTEM, issue)

    # --- status ------------------------------------------------------------------------------------------------------

    def _substatus(self, value: str | None) -> str | None:
        return value if self.settings.substatuses and not self.settings.is_glitchtip else None

    def _reopen(self, issue: Issue, substatus: str) -> None:
        issue.status, issue.substatus = "unresolved", self._substatus(substatus)
        issue.status_at = self.now()
        issue.resolution, issue.snooze = None, None
        self._watch_ongoing(issue)
        self._watch_age(issue)

    def resolve(self, issue: Issue, resolution: Resolution, *, activity: str, data: dict[str, Json], told: str) -> None:
        """Resolve, also what is resolved: every time another webhook call and mostly another activity [V].

        A resolution in a release stays when the issue is then resolved without one; it is changed without an activity
        when it is resolved in another release [S]. told: the `resolution_type` of the call.
        """
        issue.status, issue.substatus, issue.status_at = "resolved", None, self.now()
        kept = issue.resolution
        has_release = kept is not None and kept.release is not None
        if kept is None or not has_release or resolution.release is not None:
            issue.resolution = resolution
        issue.snooze = None
        if not has_release or resolution.release is None:
            self.log(issue, activity, resolution.who, **data)
        is_told = self.settings.sync_hooks if resolution.who.is_sync else True
        if resolution.kind == "by_age":
            is_told = self.settings.age_hooks and self.settings.age_resolution is AgeResolution.TOLD
        if is_told:
            self.tell("issue", "resolved", resolution.who, issue, resolution_type=told)

    def reopen(self, issue: Issue, who: Who, substatus: str | None, *, is_alone: bool = True) -> None:
        """What a user's reopening makes: told when it was resolved, not when it was archived [V S-rcv].

        is_alone: of several issues at once each is `ongoing` [S].
        """
        was = issue.status
        if substatus is None:
            if not is_alone:
                substatus = "ongoing"
            elif was == "resolved":
                substatus = self.settings.reopen_substatus
            else:
                young = self.now() - issue.first_seen < self.settings.scaled(self.settings.ongoing_after)
                substatus = "new" if young else "ongoing"
        self._reopen(issue, substatus)
        self.log(issue, "set_unresolved", who)
        if was == "resolved" and (not who.is_sync or self.settings.sync_hooks):
            self.tell("issue", "unresolved", who, issue)

    def archive(self, issue: Issue, who: Who, substatus: str, snooze: Snooze | None) -> None:
        """Archive: `ignored` on the wire."""
        issue.status, issue.substatus, issue.status_at = "ignored", self._substatus(substatus), self.now()
        issue.resolution = None
        self.rest(issue, snooze)
        data = {} if snooze is None else {"ignoreCount": snooze.count, "ignoreUntil": snooze.until}
        self.log(issue, "set_ignored", who, **data)
        self.tell("issue", "ignored", who, issue)

    def rest(self, issue: Issue, snooze: Snooze | None) -> None:
        """Say what ends an archived issue's rest, or that nothing does."""
        issue.snooze = snooze
        if snooze is not None and snooze.until is not None:
            self._at(snooze.until, issue, "snooze")

    def assign(self, issue: Issue, who: Who, assignee: str | None) -> None:
        """Assign to `user:7` or `team:2`, or to nobody. Unassigning is never told, re-assigning by switch [V]."""
        was = issue.assignee
        if was == assignee:
            return
        issue.assignee = assignee
        if assignee is None:
            self.log(issue, "unassigned", who)
            return
        kind, _, number = assignee.partition(":")
        user = self.users.get(int(number)) if kind == "user" else None
        named = user.name if user is not None else self.teams[int(number)].name
        data: dict[str, Json] = {"assignee": number, "assigneeType": kind, "assigneeName": named}
        if user is not None:
            data["assigneeEmail"] = user.email
        self.log(issue, "assigned", who, **data)
        if was is None or self.settings.reassign_hooks:
            self.tell("issue", "assigned", who, issue, assignee=assignee)

    def set_priority(self, issue: Issue, who: Who, priority: str) -> None:
        """Set and lock the priority; nothing is told [V]."""
        if issue.priority == priority:
            return
        issue.priority, issue.priority_locked_at = priority, self.now()
        self.log(issue, "set_priority", who, priority=priority)

    # --- comments and links ------------------------------------------------------------------------------------------

    def note(self, issue: Issue, who: Who, text: str) -> Activity:
        """Comment. Raises Refused(400) for the same text by the same user within the hour [V S-ep].

        A comment is also pushed to the tickets of installed integrations [V].
        """
        since = self.now() - self.settings.scaled(self.settings.note_repeat)
        for row in issue.activity:
            is_same = row.kind == "note" and row.user == who.user and row.data.get("text") == text
            if is_same and row.at >= since and not self.settings.is_glitchtip:
                raise Refused(400, {"detail": "You have already posted that comment."})
        self.touch(issue)
        row = self.log(issue, "note", who, text=text)
        for link in issue.integrations:
            link.comments.append(text)
        self._told_comment(issue, who, "created", row)
        return row

    def edit_note(self, issue: Issue, who: Who, row: Activity, text: str) -> Activity:
        """Change a comment's text, in place."""
        self.touch(issue)
        row = self._own(issue, row)
        row.data = {**row.data, "text": text}
        self._told_comment(issue, who, "updated", row)
        return row

    def delete_note(self, issue: Issue, who: Who, row: Activity) -> None:
        """Remove a comment."""
        self.touch(issue)
        issue.activity.remove(self._own(issue, row))
        self._told_comment(issue, who, "deleted", row)

    def _own(self, issue: Issue, row: Activity) -> Activity:
        return next(one for one in issue.activity if one.id == row.id)

    def _told_comment(self, issue: Issue, who: Who, action: str, row: Activity) -> None:
        self.tell("comment", action, who, issue, comment_id=row.id, comment=row.data["text"], timestamp=row.at)

    def link(self, issue: Issue, app: App, *, display: str, url: str) -> ExternalIssue:
        """Put an app's link on an issue. Raises Refused(500) where it has one already and the version cannot tell."""
        old = next((one for one in issue.external if one.app == app.slug), None)
        if old is not None and self.settings.second_link is SecondLink.FAILS:
            raise Refused(500, {"detail": "Internal Error", "errorId": self.token()})
        self.touch(issue)
        number = old.id if old is not None else self.next_id()
        made = ExternalIssue(id=number, app=app.slug, display=display, url=url)
        issue.external = [one for one in issue.external if one.id != number] + [made]
        return made

    def unlink(self, issue: Issue, link: ExternalIssue) -> None:
        """Take an app's link away; nothing is logged or told [V]."""
        self.touch(issue)
        issue.external = [one for one in issue.external if one.id != link.id]

    # --- merge, delete -----------------------------------------------------------------------------------------------

    def merge(self, issues: Sequence[Issue], who: Who) -> Issue:
        """Merge into the one seen by most; the others are pending and then gone into it. Nothing is told [V]."""
        parent = max(issues, key=lambda issue: (issue.count, -issue.id))
        children = [issue for issue in issues if issue is not parent]
        self.touch(parent)
        for child in children:
            self.touch(child)
            child.pending, child.merged_into = "merge", parent.id
            for hashed in child.hashes:
                self.projects[child.project].hashes[hashed] = parent.id
            self._at(self.now() + self.settings.scaled(self.settings.merge_seconds), child, "merge")
        self.log(parent, "merge", who, issues=[{"id": str(child.id)} for child in children])
        return parent

    def delete(self, issue: Issue, *, discard: bool = False) -> None:
        """Delete: pending, then gone. Nothing is told [V]. discard: its events are dropped from now on."""
        self.touch(issue)
        issue.pending = "deletion"
        project = self.projects[issue.project]
        for hashed in issue.hashes:
            project.hashes.pop(hashed, None)
            if discard:
                project.discarded.add(hashed)
        self._at(self.now() + self.settings.scaled(self.settings.delete_seconds), issue, "delete")

    # --- releases ----------------------------------------------------------------------------------------------------

    def add_release(self, version: str, projects: Sequence[int], **more: Json) -> Release:
        """Make a release, or give a known one more projects. Issues resolved in the next release get theirs."""
        release = self.releases.get(version)
        if release is None:
            release = Release(id=self.next_id(), version=version, projects=[], created=self.now(), **more)
            self.releases[version] = release
        else:
            for name, value in more.items():
                setattr(release, name, value)
        added = [number for number in projects if number not in release.projects]
        release.projects.extend(added)
        self.commits.update({commit.sha: commit for commit in release.commits})
        if release.commits:
            self._fixed_by_commits(release)
        for issue in list(self.visible()):
            resolution = issue.resolution
            if resolution is None or issue.project not in added or resolution.at > release.created:
                continue
            if (
                resolution.kind == "in_next_release"
                and not self.settings.reads_semver
                and release.version != (resolution.release)
            ):
                self.touch(issue)
                issue.resolution = replace(resolution, kind="in_release", release=version)
                for row in issue.activity:
                    if row.kind == "set_resolved_in_release" and row.data.get("version") == "":
                        row.data = {"version": version}  # an old row changes, with its old id [S]
        return release

    def carrier(self, sha: str) -> Release | None:
        """The first release that carries a commit."""
        carrying = (one for one in self.releases.values() if any(commit.sha == sha for commit in one.commits))
        return min(carrying, key=lambda release: (release.created, release.id), default=None)

    def _fixed_by_commits(self, release: Release) -> None:
        """What was resolved in a commit is resolved in the release that carries it [V]."""
        shas = {commit.sha for commit in release.commits}
        for issue in list(self.visible()):
            resolution = issue.resolution
            if resolution is not None and resolution.kind == "in_commit" and resolution.commit in shas:
                self.touch(issue)
                issue.resolution = replace(resolution, kind="in_release", release=release.version)

    def deploy(self, release: Release, *, environment: str, **more: Json) -> Deploy:
        """Tell that a release went out. finished: now, unless told."""
        deploy = Deploy(
            id=self.next_id(),
            environment=environment,
            name=more.get("name"),
            url=more.get("url"),
            started=more.get("started"),
            finished=more["finished"] if more.get("finished") is not None else self.now(),
        )
        release.deploys.append(deploy)
        return deploy

    # --- time --------------------------------------------------------------------------------------------------------

    def _watch_ongoing(self, issue: Issue) -> None:
        if issue.substatus in {"new", "regressed", "escalating"}:
            self._at(issue.status_at + self.settings.scaled(self.settings.ongoing_after), issue, "ongoing")

    def _watch_age(self, issue: Issue) -> None:
        age = self.resolve_age(issue)
        if age > 0 and issue.status == "unresolved":
            self._at(issue.last_seen + age, issue, "age")

    def watch_ages(self) -> None:
        """Look at every issue's age anew: a switch moved."""
        for issue in self.visible():
            self._watch_age(issue)

    def advance(self) -> None:
        """Carry out what is due by time alone: ongoing, resolved by age, rested, merged, deleted."""
        now = self.now()
        while self._timers and self._timers[0][0] <= now:
            due, _, number, kind = heapq.heappop(self._timers)
            issue = self.issues.get(number)
            if issue is None or issue.is_deleted:
                continue
            if kind == "merge":
                self._merged(issue)
            elif kind == "delete" and issue.pending == "deletion":
                issue.is_deleted, issue.pending = True, ""
            elif not issue.pending and issue.merged_into is None:
                self._grown(issue, kind, due)

    def _grown(self, issue: Issue, kind: str, due: float) -> None:
        if kind == "ongoing":
            since = issue.status_at + self.settings.scaled(self.settings.ongoing_after)
            if issue.status == "unresolved" and issue.substatus in {"new", "regressed", "escalating"} and since <= due:
                self.touch(issue)
                issue.substatus = "ongoing"
                self.log(issue, "auto_set_ongoing", SYSTEM, after_days=7)
        elif kind == "age":
            age = self.resolve_age(issue)
            lazy = self.settings.age_resolution is AgeResolution.LAZY
            if issue.status == "unresolved" and age > 0 and issue.last_seen + age <= due and not lazy:
                self.touch(issue)
                hours = round(age * self.settings.time_factor / 3600)
                resolution = Resolution(kind="by_age", at=self.now())
                self.resolve(issue, resolution, activity="set_resolved_by_age", data={"age": hours}, told="now")
        elif issue.status == "ignored" and issue.snooze is not None and issue.snooze.until == due:
            self.touch(issue)
            self._reopen(issue, "ongoing")
            self.log(issue, "auto_set_ongoing", SYSTEM)

    def _merged(self, issue: Issue) -> None:
        if issue.pending != "merge" or issue.merged_into is None:
            return
        parent = self.issues[issue.merged_into]
        self.touch(parent)
        issue.pending = ""
        parent.events = sorted(parent.events + issue.events, key=lambda event: event.at)
        parent.count += issue.count
        parent.users |= issue.users
        parent.hashes.extend(issue.hashes)
        parent.first_seen = min(parent.first_seen, issue.first_seen)
        parent.last_seen = max(parent.last_seen, issue.last_seen)

    def seed(self, count: int, project: Project, *, spread: float) -> None:
        """Put plain issues into a project without a webhook call, last seen over the latest `spread` seconds."""
        start = self.now() - spread
        before = len(self.happenings)
        for number in range(count):
            self.receive(
                project,
                title=f"SeededError: number {number}",
                at=start + spread * number / max(1, count),
                fingerprint=f"seed-{project.last}-{number}",
            )
        while len(self.happenings) > before:
            self.happenings.pop()


def base32(number: int) -> str:
    """Crockford's digits, as in short ids."""
    digits = ""
    while True:
        digits = BASE32[number % 32] + digits
        number //= 32
        if number == 0:
            return digits


def _dashed(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:32]}"


def _named_user(user: Mapping[str, Json]) -> str:
    for name in ("id", "email", "username", "ip_address"):
        if user.get(name):
            return f"{'ip' if name == 'ip_address' else name}:{user[name]}"
    return "id:None"


def _metadata(title: str, exception: Mapping[str, Json] | None) -> dict[str, Json]:
    kind, colon, value = title.partition(": ")
    if exception is not None:
        return {"type": exception.get("type", kind), "value": exception.get("value", value)}
    return {"type": kind, "value": value} if colon else {"title": title}


def _copied(issue: Issue) -> Issue:
    """A copy that later changes do not reach; events are never changed in place."""
    return replace(
        issue,
        users=set(issue.users),
        seen_by=set(issue.seen_by),
        bookmarked_by=set(issue.bookmarked_by),
        subscribed=set(issue.subscribed),
        hashes=list(issue.hashes),
        events=list(issue.events),
        activity=[replace(row) for row in issue.activity],
        external=list(issue.external),
        integrations=[replace(link, comments=list(link.comments)) for link in issue.integrations],
        reports=list(issue.reports),
        metadata=copy.copy(issue.metadata),
    )
