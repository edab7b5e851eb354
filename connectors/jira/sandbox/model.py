"""The rules of a Jira site: users, projects, workflows, issues, their history. Pure, given the time.

Knows nothing of HTTP: `wire` reads requests and shows what is here. Every change of an issue goes through
`_edit`, which keeps the history, the version, the search index's lag and the events for webhooks in step.
"""

from __future__ import annotations

import copy
import re
from bisect import bisect_left
from collections import Counter, deque
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from connectors.jira.sandbox.faults import Refused, unseen
from connectors.jira.sandbox.settings import Deployment, Settings
from connectors.jira.sandbox.workflow import BY_ID, BY_NAME, CATEGORIES, GRAPHS, StatusKind, Step, steps_from

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from connectors.sandbox.wire import TimeSource

Json: TypeAlias = Any

PRIORITIES: Final = {"1": "Highest", "2": "High", "3": "Medium", "4": "Low", "5": "Lowest"}
TYPES: Final = {"10000": "Epic", "10001": "Story", "10002": "Task", "10003": "Sub-task", "10004": "Bug"}
RESOLUTIONS: Final = {"10000": "Done", "10001": "Won't Do", "10002": "Duplicate", "10003": "Cannot Reproduce"}
LINK_TYPES: Final = {
    "10000": ("Blocks", "is blocked by", "blocks"),
    "10001": ("Duplicate", "is duplicated by", "duplicates"),
    "10002": ("Relates", "relates to", "relates to"),
}
CUSTOM_FIELDS: Final = {"customfield_10050": "External references", "customfield_10051": "Customer impact"}
PERMISSIONS: Final = [
    "BROWSE_PROJECTS",
    "CREATE_ISSUES",
    "EDIT_ISSUES",
    "TRANSITION_ISSUES",
    "LINK_ISSUES",
    "ADD_COMMENTS",
    "DELETE_ISSUES",
    "MOVE_ISSUES",
    "MODIFY_REPORTER",
    "ASSIGN_ISSUES",
    "RESOLVE_ISSUES",
    "ADMINISTER_PROJECTS",
    "ADMINISTER",
]
LABEL_LIMIT: Final = 255
PROPERTY_LIMIT: Final = 32_768
SUMMARY_LIMIT: Final = 255
KEY_FORM: Final = re.compile(r"([A-Za-z][A-Za-z0-9_]+)-(\d+)\Z")


class User(Struct, kw_only=True):
    """An account. id: accountId in Cloud. name, key: Data Center's identity. kind: atlassian or app.

    tokens: API tokens (Cloud) or passwords (Data Center); bearers: personal access tokens, or an OAuth app's.
    denied: project key -> permissions this user lacks there.
    """

    id: str
    name: str
    display: str
    email: str
    zone: str = "UTC"
    kind: str = "atlassian"
    is_admin: bool = False
    is_oauth_app: bool = False
    tokens: list[str] = field(default_factory=list)
    bearers: list[str] = field(default_factory=list)
    denied: dict[str, set[str]] = field(default_factory=dict)
    active: bool = True

    @property
    def key(self) -> str:
        """Data Center's immutable user key."""
        return f"JIRAUSER{10000 + sum(self.name.encode()) % 9000}"


class Project(Struct, kw_only=True):
    """A project; `last` is the highest issue number given out."""

    id: str
    key: str
    name: str
    last: int = 0


class Item(Struct, frozen=True, kw_only=True):
    """One field of one history row, with the raw and the shown value before and after."""

    field: str
    field_id: str
    old: str | None
    old_text: str | None
    new: str | None
    new_text: str | None
    kind: str = "jira"


class History(Struct, frozen=True, kw_only=True):
    """One row of an issue's changelog. at: milliseconds since the epoch."""

    id: int
    author: str
    at: int
    items: tuple[Item, ...]
    metadata: Json = None


class Comment(Struct, kw_only=True):
    """A comment; body is wiki text or an ADF document, as it was written."""

    id: int
    author: str
    body: Json
    created: int
    updated: int
    update_author: str
    visibility: Json = None
    properties: dict[str, Json] = field(default_factory=dict)

    @property
    def is_public(self) -> bool:
        """JSM: internal when its property says so [D]."""
        told = self.properties.get("sd.public.comment")
        return not (isinstance(told, dict) and told.get("internal") is True)


class RemoteLink(Struct, kw_only=True):
    """A remote link, as it was sent; `global_id` is unique within its issue."""

    id: int
    global_id: str | None
    application: Json
    relationship: str | None
    object: Json


class IssueLink(Struct, frozen=True, kw_only=True):
    """A link between two issues, by issue id."""

    id: int
    type: str
    inward: int
    outward: int


class Issue(Struct, kw_only=True):
    """An issue. Times are milliseconds since the epoch; users, status, priority, type, resolution are ids."""

    id: int
    project: str
    number: int
    type: str
    summary: str
    status: str
    priority: str
    reporter: str
    creator: str
    created: int
    updated: int
    status_at: int
    assignee: str | None = None
    description: Json = None
    resolution: str | None = None
    resolved: int | None = None
    parent: int | None = None
    labels: tuple[str, ...] = ()
    history: list[History] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    properties: dict[str, Json] = field(default_factory=dict)
    remote_links: list[RemoteLink] = field(default_factory=list)
    custom: dict[str, Json] = field(default_factory=dict)
    old_keys: tuple[str, ...] = ()
    edits: int = 1

    @property
    def key(self) -> str:
        """What people say: project and number."""
        return f"{self.project}-{self.number}"


class Event(Struct, frozen=True, kw_only=True):
    """Something a webhook may tell. issue: the issue as it was then; None for links between issues."""

    name: str
    at: int
    user: str
    issue: Issue | None = None
    kind: str = ""
    history: History | None = None
    comment: Comment | None = None
    link: IssueLink | None = None
    property_key: str = ""
    is_secondary: bool = False


HUB: Final = "712020:hub"
ENGINEER: Final = "712020:engineer"
REVIEWER: Final = "712020:reviewer"
AUTOMATION: Final = "557058:automation"


def _stock_users(settings: Settings) -> list[User]:
    return [
        User(
            id=HUB,
            name="hub",
            display="Hypercare Hub",
            email="hub@example.com",
            zone=settings.hub_zone,
            is_admin=settings.hub_is_admin,
            tokens=["hub-token"],
            bearers=["hub-pat"],
        ),
        User(
            id=ENGINEER,
            name="engineer",
            display="Edda Engineer",
            email="engineer@example.com",
            zone=settings.engineer_zone,
            tokens=["engineer-token"],
            bearers=["engineer-pat"],
        ),
        User(
            id=REVIEWER,
            name="reviewer",
            display="Rolf Reviewer",
            email="reviewer@example.com",
            tokens=["reviewer-token"],
            bearers=["reviewer-pat"],
        ),
        User(
            id=AUTOMATION,
            name="automation",
            display="Automation for Jira",
            email="",
            kind="app",
            is_admin=True,
            is_oauth_app=True,
            bearers=["app-access-token"],
        ),
    ]


class Site:
    """One Jira site. Methods that change something take the user who does it and raise Refused as Jira would."""

    def __init__(self, time: TimeSource, settings: Settings, deployment: Deployment) -> None:
        self._time = time
        self.settings = settings
        self.deployment = deployment
        self.users: dict[str, User] = {user.id: user for user in _stock_users(settings)}
        self.projects: dict[str, Project] = {}
        self.issues: dict[int, Issue] = {}
        self.links: dict[int, IssueLink] = {}
        self.deleted: dict[int, Json] = {}
        self.events: deque[Event] = deque()
        self.writes: Counter[str] = Counter()
        self.creates: Counter[str] = Counter()
        self.revision = 0
        self._has_subtasks = False
        self._ids: dict[str, int] = {"issue": 9999, "history": 10099, "comment": 9999, "remote": 9999, "link": 9999}
        self._by_key: dict[str, int] = {}
        self._order: list[tuple[int, int]] = []
        self._order_is_sorted = True
        self._lagging: dict[int, deque[tuple[float, Issue | None]]] = {}
        self._before: dict[int, Issue] = {}
        self._linked: dict[int, list[int]] = {}
        for key, name in (("OPS", "Launch operations"), ("WEB", "Web shop")):
            self.add_project(key, name)

    # --- time and numbers ----------------------------------------------------------------------------------------

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._time()

    def _millis(self) -> int:
        return int(self._time() * 1000)

    def _next(self, kind: str) -> int:
        self._ids[kind] += 1
        return self._ids[kind]

    # --- looking up ----------------------------------------------------------------------------------------------

    def add_project(self, key: str, name: str) -> Project:
        """A new, empty project."""
        project = Project(id=str(10000 + len(self.projects)), key=key, name=name)
        self.projects[key] = project
        return project

    def project(self, named: str, user: User) -> Project:
        """A project by key or id, as this user sees it. Raises Refused(404)."""
        for project in self.projects.values():
            if named in (project.id, project.key) and self.may(user, "BROWSE_PROJECTS", project.key):
                return project
        raise Refused(404, f"No project could be found with key '{named}'.")

    def user(self, named: str) -> User | None:
        """A user by account id, name, key or e-mail address."""
        for user in self.users.values():
            if named and named in (user.id, user.name, user.email, user.key):
                return user
        return None

    def may(self, user: User, permission: str, project: str) -> bool:
        """Whether a user has a permission in a project; "" for a global one."""
        if permission in ("ADMINISTER", "ADMINISTER_PROJECTS"):
            return user.is_admin
        denied = user.denied.get(project, ())
        return permission not in denied and "BROWSE_PROJECTS" not in denied

    def demand(self, user: User, permission: str, issue: Issue, words: str) -> None:
        """Raise Refused(403) when the user lacks a permission on an issue that they see."""
        if not self.may(user, permission, issue.project):
            raise Refused(403, words)

    def find(self, named: str, user: User, *, stale: bool = False) -> Issue:
        """An issue by id, key or former key. Raises Refused(404) for a missing one and for one this user may not see.

        stale: as it was before its latest change, when it had one.
        """
        issue = self.peek(named)
        if issue is None or not self.may(user, "BROWSE_PROJECTS", issue.project):
            raise unseen()
        return self._before.get(issue.id, issue) if stale else issue

    def peek(self, named: str) -> Issue | None:
        """An issue by id, key or former key, whoever asks."""
        if named.isdecimal() and named.isascii():
            return self.issues.get(int(named))
        place = self._by_key.get(named.upper())
        return self.issues.get(place) if place is not None else None

    def status(self, issue: Issue) -> StatusKind:
        """The issue's status."""
        return BY_ID[issue.status]

    def status_name(self, status: StatusKind) -> str:
        """The name a status is shown under (`renamed_statuses`)."""
        return self.settings.renamed_statuses.get(status.name, status.name)

    def category(self, status: StatusKind) -> str:
        """The key of a status' category, which a site may have bent (`unknown_categories`)."""
        return self.settings.unknown_categories.get(status.name, status.category)

    def graph(self, project: str) -> str:
        """The name of the workflow graph of a project."""
        settings = self.settings
        return settings.workflows.get(project, settings.workflow)

    def steps(self, issue: Issue, user: User) -> list[Step]:
        """The steps open to a user now: none at all without the permission [S]."""
        if not self.may(user, "TRANSITION_ISSUES", issue.project):
            return []
        graph = self.graph(issue.project)
        return steps_from(graph, BY_ID[issue.status].name, loops=self.settings.global_loops)

    def every_step(self, issue: Issue) -> Sequence[Step]:
        """Every step of the issue's workflow, open now or not."""
        return GRAPHS[self.graph(issue.project)]

    def wants_resolution(self, step: Step) -> bool:
        """Whether the step's screen demands a resolution."""
        return self.settings.resolution_required and BY_NAME[step.to].category == "done"

    def links_of(self, issue: int) -> list[IssueLink]:
        """The links between this issue and others."""
        return [self.links[link] for link in self._linked.get(issue, ())]

    # --- the search index ----------------------------------------------------------------------------------------

    def indexed(self, issue: Issue) -> Issue | None:
        """An issue as search sees it now: edits come `index_lag` later. None when it is not there yet."""
        waiting = self._lagging.get(issue.id)
        if waiting is None:
            return issue
        horizon = self._time() - self.settings.scaled(self.settings.index_lag)
        while waiting and waiting[0][0] <= horizon:
            waiting.popleft()
        if not waiting:
            del self._lagging[issue.id]
            return issue
        return waiting[0][1]

    def by_update(self, since: int, after: tuple[int, int] | None = None) -> Iterator[Issue]:
        """Issues as search sees them, by (updated, id), from `since` (milliseconds) on, behind `after`."""
        if not self._order_is_sorted:
            self._order.sort()
            self._order_is_sorted = True
        start = bisect_left(self._order, (since, 0))
        if after is not None:
            start = max(start, bisect_left(self._order, (after[0], after[1] + 1)))
        for place in range(start, len(self._order)):
            updated, number = self._order[place]
            issue = self.issues.get(number)
            if issue is None:
                continue
            shown = self.indexed(issue) if self._lagging else issue
            if shown is not None and shown.updated == updated:
                yield shown

    def everything(self) -> Iterator[Issue]:
        """Every issue as search sees it, by id."""
        for issue in self.issues.values():
            shown = self.indexed(issue) if self._lagging else issue
            if shown is not None:
                yield shown

    def _place(self, issue: Issue) -> None:
        entry = (issue.updated, issue.id)
        if self._order and entry < self._order[-1]:
            self._order_is_sorted = False
        self._order.append(entry)
        if len(self._order) > 4 * len(self.issues) + 10_000:
            kept = {(issue.updated, issue.id) for issue in self.issues.values()}
            for waiting in self._lagging.values():
                kept.update((shown.updated, shown.id) for _, shown in waiting if shown is not None)
            self._order = sorted(kept)
            self._order_is_sorted = True

    def _remember(self, issue: Issue) -> None:
        """Keep the issue as it is before a change, for stale reads and for search."""
        kept = replace(
            issue,
            history=list(issue.history),
            comments=list(issue.comments),
            properties=dict(issue.properties),
            remote_links=list(issue.remote_links),
            custom=dict(issue.custom),
        )
        self._before[issue.id] = kept
        if self.settings.index_lag > 0:
            self.indexed(issue)
            self._lagging.setdefault(issue.id, deque()).append((self._time(), kept))

    # --- changing ------------------------------------------------------------------------------------------------

    def _edit(
        self,
        issue: Issue,
        user: User,
        items: Sequence[Item],
        *,
        kind: str,
        metadata: Json = None,
        comment: Comment | None = None,
        bumps: bool = True,
    ) -> History | None:
        """Record a change that has been made to `issue` (after `_remember`): history, version, events."""
        self.revision += 1
        at = max(self._millis(), issue.updated + 1)
        history = None
        if items:
            history = History(id=self._next("history"), author=user.id, at=at, items=tuple(items), metadata=metadata)
            issue.history.append(history)
        if bumps:
            issue.updated = at
            issue.edits += 1
            self._place(issue)
        if history is not None or comment is not None:
            self.events.append(
                Event(
                    name="jira:issue_updated",
                    at=at,
                    user=user.id,
                    issue=replace(issue),
                    kind=kind,
                    history=history,
                    comment=comment,
                )
            )
        return history

    def create(
        self,
        user: User,
        *,
        project: str,
        type: str,  # noqa: A002  # Jira's word
        summary: str,
        description: Json = None,
        labels: Sequence[str] = (),
        priority: str = "3",
        reporter: str | None = None,
        assignee: str | None = None,
        parent: int | None = None,
        custom: Mapping[str, Json] | None = None,
        properties: Mapping[str, Json] | None = None,
    ) -> Issue:
        """Create an issue in its workflow's first status, with its properties in the same act."""
        home = self.projects[project]
        home.last += 1
        at = self._millis()
        issue = Issue(
            id=self._next("issue"),
            project=project,
            number=home.last,
            type=type,
            summary=summary,
            description=description,
            status=BY_NAME["To Do"].id,
            priority=priority,
            reporter=reporter or user.id,
            creator=user.id,
            assignee=assignee,
            parent=parent,
            created=at,
            updated=at,
            status_at=at,
            labels=_label_set(labels),
            custom=dict(custom or {}),
            properties=dict(properties or {}),
        )
        self.issues[issue.id] = issue
        self._has_subtasks = self._has_subtasks or parent is not None
        self._by_key[issue.key] = issue.id
        if self.settings.index_lag > 0:
            self._lagging[issue.id] = deque([(self._time(), None)])
        self._place(issue)
        self.revision += 1
        self._count(user, "create")
        self.creates[user.name] += 1
        created = Event(name="jira:issue_created", at=at, user=user.id, issue=replace(issue), kind="issue_created")
        self.events.append(created)
        return issue

    def _count(self, user: User, what: str) -> None:
        self.writes[f"{user.name} {what}"] += 1

    def edit(
        self,
        issue: Issue,
        user: User,
        *,
        values: Mapping[str, Json],
        add_labels: Sequence[str] = (),
        remove_labels: Sequence[str] = (),
        metadata: Json = None,
    ) -> History | None:
        """Set fields (by attribute name) and add or remove labels. Nothing happens where nothing differs."""
        items: list[Item] = []
        labels = _label_set(values["labels"]) if "labels" in values else issue.labels
        removed = set(remove_labels)
        labels = _label_set([label for label in labels if label not in removed] + list(add_labels))
        changed: dict[str, Json] = {}
        if labels != issue.labels:
            items.append(_item("labels", None, " ".join(issue.labels), None, " ".join(labels)))
            changed["labels"] = labels
        for name, new in values.items():
            if name == "labels":
                continue
            old = issue.custom.get(name) if name in CUSTOM_FIELDS else getattr(issue, name)
            if old == new:
                continue
            changed[name] = new
            items.append(self._field_item(name, old, new))
        self._count(user, "edit")
        if not items:
            return None
        self._remember(issue)
        for name, new in changed.items():
            if name in CUSTOM_FIELDS:
                issue.custom[name] = new
            else:
                setattr(issue, name, new)
        kind = "issue_assigned" if set(changed) == {"assignee"} else "issue_updated"
        history = self._edit(issue, user, items, kind=kind, metadata=metadata)
        self._automate(issue, user, was_moved=False)
        return history

    def _field_item(self, name: str, old: Json, new: Json) -> Item:
        match name:
            case "priority":
                return _item(name, old, PRIORITIES.get(old, ""), new, PRIORITIES.get(new, ""))
            case "resolution":
                return _item(name, old, RESOLUTIONS.get(old), new, RESOLUTIONS.get(new))
            case "type":
                return _item("issuetype", old, TYPES.get(old), new, TYPES.get(new))
            case "assignee" | "reporter":
                return _item(name, old, self._display(old), new, self._display(new))
            case _ if name in CUSTOM_FIELDS:
                shown = None if old is None else str(old), None if new is None else str(new)
                return Item(
                    field=CUSTOM_FIELDS[name],
                    field_id=name,
                    kind="custom",
                    old=None,
                    old_text=shown[0],
                    new=None,
                    new_text=shown[1],
                )
            case _:
                return _item(name, None, None if old is None else str(old), None, None if new is None else str(new))

    def _display(self, user: str | None) -> str | None:
        return self.users[user].display if user in self.users else None

    def transition(
        self, issue: Issue, user: User, step: Step, *, resolution: str | None = None, metadata: Json = None
    ) -> None:
        """Take a step. resolution: an id given on the screen. Post-functions and automations follow."""
        self._count(user, "transition")
        self._move_to(issue, user, step.to, resolution=resolution, metadata=metadata)

    def put_status(self, issue: Issue, user: User, status: str) -> None:
        """Move an issue to a status whatever the workflow says, as an administrator's bulk change may."""
        self._move_to(issue, user, status)

    def _move_to(
        self,
        issue: Issue,
        user: User,
        name: str,
        *,
        resolution: str | None = None,
        metadata: Json = None,
        automate: bool = True,
    ) -> None:
        old, new = BY_ID[issue.status], BY_NAME[name]
        if old.id == new.id and resolution is None:
            return
        self._remember(issue)
        items: list[Item] = []
        if new.category == "done":
            wanted = resolution or issue.resolution or self._by_function(new)
        else:
            wanted = None
        if wanted != issue.resolution:
            items.append(self._field_item("resolution", issue.resolution, wanted))
            issue.resolution = wanted
            issue.resolved = self._millis() if wanted is not None else None
        if old.id != new.id:
            items.append(_item("status", old.id, self.status_name(old), new.id, self.status_name(new)))
            issue.status = new.id
            issue.status_at = self._millis()
        self._edit(issue, user, items, kind="issue_generic", metadata=metadata)
        if automate:
            self._automate(issue, user, was_moved=True)

    def _by_function(self, status: StatusKind) -> str | None:
        """The resolution a post-function sets: the status' own name where there is one such, else the usual one."""
        usual = self.settings.resolution_by
        named = status.name if usual and status.name in RESOLUTIONS.values() else usual
        return next((key for key, words in RESOLUTIONS.items() if words == named), None)

    def _automate(self, issue: Issue, user: User, *, was_moved: bool) -> None:
        """The site's own rules, after an edit by somebody else."""
        robot = self.users[AUTOMATION]
        if user.id == robot.id:
            return
        settings = self.settings
        if was_moved:
            name = BY_ID[issue.status].name
            for rule in settings.rewrite_status:
                if rule.when == name and rule.by in ("", user.name):
                    self._move_to(issue, robot, rule.then, automate=False)
                    break
        if settings.add_label and settings.add_label not in issue.labels:
            self.edit(issue, robot, values={}, add_labels=[settings.add_label])

    def comment(
        self,
        issue: Issue,
        user: User,
        body: Json,
        *,
        visibility: Json = None,
        properties: Mapping[str, Json] | None = None,
    ) -> Comment:
        """Add a comment."""
        self._remember(issue)
        at = max(self._millis(), issue.updated + 1)
        comment = Comment(
            id=self._next("comment"),
            author=user.id,
            body=body,
            created=at,
            updated=at,
            update_author=user.id,
            visibility=visibility,
            properties=dict(properties or {}),
        )
        issue.comments.append(comment)
        self._count(user, "comment")
        self._commented(issue, user, comment, "comment_created", "issue_commented")
        return comment

    def edit_comment(self, issue: Issue, user: User, comment: Comment, body: Json) -> Comment:
        """Change a comment's text."""
        self._remember(issue)
        at = max(self._millis(), comment.updated + 1)
        edited = replace(comment, body=body, updated=at, update_author=user.id)
        issue.comments[issue.comments.index(comment)] = edited
        self._count(user, "comment")
        self._commented(issue, user, edited, "comment_updated", "issue_comment_edited")
        return edited

    def delete_comment(self, issue: Issue, user: User, comment: Comment) -> None:
        """Remove a comment."""
        self._remember(issue)
        issue.comments.remove(comment)
        self._count(user, "comment")
        self._commented(issue, user, comment, "comment_deleted", "issue_comment_deleted")

    def _commented(self, issue: Issue, user: User, comment: Comment, name: str, kind: str) -> None:
        told = comment if self.settings.comment_fires_update else None
        self._edit(issue, user, (), kind=kind, comment=told)
        self.events.append(
            Event(name=name, at=issue.updated, user=user.id, issue=replace(issue), comment=replace(comment))
        )

    def set_property(self, issue: Issue, user: User, key: str, value: Json) -> bool:
        """Put an issue property. True when it is new."""
        self._remember(issue)
        is_new = key not in issue.properties
        issue.properties[key] = value
        self._count(user, "property")
        self._edit(issue, user, (), kind="", bumps=self.settings.properties_bump)
        self._tell_property("issue_property_set", issue, user, key)
        return is_new

    def delete_property(self, issue: Issue, user: User, key: str) -> None:
        """Remove an issue property. Raises Refused(404)."""
        if key not in issue.properties:
            raise Refused(404, f"The property {key} does not exist.")
        self._remember(issue)
        del issue.properties[key]
        self._count(user, "property")
        self._edit(issue, user, (), kind="", bumps=self.settings.properties_bump)
        self._tell_property("issue_property_deleted", issue, user, key)

    def _tell_property(self, name: str, issue: Issue, user: User, key: str) -> None:
        self.events.append(Event(name=name, at=self._millis(), user=user.id, issue=replace(issue), property_key=key))

    def put_remote_link(self, issue: Issue, user: User, sent: Json, *, link: RemoteLink | None = None) -> RemoteLink:
        """Create a remote link, or replace one whole: with the same globalId, or the given one [S].

        What is left out becomes null. Does not move `updated`, fires no webhook [G].
        """
        global_id = sent.get("globalId")
        old = link
        if old is None and global_id is not None:
            old = next((kept for kept in issue.remote_links if kept.global_id == global_id), None)
        if old is None and len(issue.remote_links) >= self.settings.remote_link_limit:
            raise Refused(413, "The per-issue limit of remote links is exceeded.")
        self._remember(issue)
        put = RemoteLink(
            id=old.id if old else self._next("remote"),
            global_id=global_id,
            application=sent.get("application") or {},
            relationship=sent.get("relationship"),
            object=sent["object"],
        )
        if old is None:
            issue.remote_links.append(put)
        else:
            issue.remote_links[issue.remote_links.index(old)] = put
        self._count(user, "remote_link")
        self._edit(issue, user, (), kind="", bumps=self.settings.remote_links_bump)
        return put

    def delete_remote_link(self, issue: Issue, user: User, link: RemoteLink) -> None:
        """Remove a remote link."""
        self._remember(issue)
        issue.remote_links.remove(link)
        self._count(user, "remote_link")
        self._edit(issue, user, (), kind="", bumps=self.settings.remote_links_bump)

    def link(self, user: User, type_id: str, inward: Issue, outward: Issue) -> IssueLink:
        """Link two issues; a link that is there already is answered as if it were made [3]."""
        for old in self.links_of(inward.id):
            if (old.type, old.inward, old.outward) == (type_id, inward.id, outward.id):
                return old
        made = IssueLink(id=self._next("link"), type=type_id, inward=inward.id, outward=outward.id)
        self.links[made.id] = made
        self._count(user, "link")
        self._tell_link(user, made, inward, outward, is_new=True)
        for issue in (inward, outward):
            self._linked.setdefault(issue.id, []).append(made.id)
        return made

    def unlink(self, user: User, link: IssueLink, *, is_secondary: bool = False) -> None:
        """Remove a link between two issues."""
        del self.links[link.id]
        for number in (link.inward, link.outward):
            self._linked[number].remove(link.id)
        self._count(user, "link")
        inward, outward = self.issues.get(link.inward), self.issues.get(link.outward)
        self._tell_link(user, link, inward, outward, is_new=False, is_secondary=is_secondary)

    def _tell_link(
        self,
        user: User,
        link: IssueLink,
        inward: Issue | None,
        outward: Issue | None,
        *,
        is_new: bool,
        is_secondary: bool = False,
    ) -> None:
        _, inwards, outwards = LINK_TYPES[link.type]
        for issue, other, words in ((inward, outward, outwards), (outward, inward, inwards)):
            if issue is None or other is None:
                continue
            self._remember(issue)
            text = f"This issue {words} {other.key}"
            item = _item("Link", None, None, other.key, text) if is_new else _item("Link", other.key, text, None, None)
            self._edit(issue, user, [item], kind="issue_updated")
        name = "issuelink_created" if is_new else "issuelink_deleted"
        self.events.append(Event(name=name, at=self._millis(), user=user.id, link=link, is_secondary=is_secondary))

    def move(self, issue: Issue, user: User, project: str) -> None:
        """Move an issue to another project: a new key, the same id; the old key goes on resolving [G]."""
        home, old = self.projects[project], self.projects[issue.project]
        if home.key == old.key:
            return
        self._remember(issue)
        was = issue.key
        home.last += 1
        issue.project, issue.number = home.key, home.last
        issue.old_keys = (*issue.old_keys, was)
        self._by_key[issue.key] = issue.id
        self._count(user, "move")
        items = [
            _item("project", old.id, old.name, home.id, home.name),
            _item("Key", None, was, None, issue.key),
        ]
        self._edit(issue, user, items, kind="issue_moved")

    def delete(self, issue: Issue, user: User) -> None:
        """Delete an issue for good; its subtasks too. What hung on it is told of afterwards, as Secondary [D]."""
        for child in self.subtasks(issue) if self._has_subtasks else ():
            self.delete(child, user)
        for link in self.links_of(issue.id):
            self.unlink(user, link, is_secondary=True)
        gone = replace(issue)
        del self.issues[issue.id]
        self._lagging.pop(issue.id, None)
        self._before.pop(issue.id, None)
        for key in (issue.key, *issue.old_keys):
            self._by_key.pop(key, None)
        self.revision += 1
        self._count(user, "delete")
        at = self._millis()
        self.deleted[issue.id] = {"id": str(issue.id), "key": issue.key, "by": user.name, "at": at}
        self.events.append(Event(name="jira:issue_deleted", at=at, user=user.id, issue=gone, kind="issue_deleted"))
        for comment in issue.comments:
            self.events.append(
                Event(name="comment_deleted", at=at, user=user.id, issue=gone, comment=comment, is_secondary=True)
            )

    @property
    def has_subtasks(self) -> bool:
        """Whether any issue was ever put under another."""
        return self._has_subtasks

    def subtasks(self, issue: Issue) -> list[Issue]:
        """The issues under this one."""
        return [other for other in self.issues.values() if other.parent == issue.id]

    # --- undoing, for writes that a fault ignores ------------------------------------------------------------------

    def saved(self) -> Json:
        """What `undo` needs to take back the changes of one request, given the issues are few: see `undo`."""
        counts = (Counter(self.writes), Counter(self.creates))
        return (
            dict(self.issues),
            dict(self._by_key),
            dict(self.links),
            copy.deepcopy(self._linked),
            len(self.events),
            counts,
        )

    def undo(self, saved: Json, touched: Issue | None, kept: Issue | None) -> None:
        """Take back what one request did. touched: the issue it named; kept: a deep copy made before."""
        issues, keys, links, linked, events, (self.writes, self.creates) = saved
        self.issues, self._by_key, self.links, self._linked = issues, keys, links, linked
        while len(self.events) > events:
            self.events.pop()
        if touched is not None and kept is not None:
            for name in Issue.__struct_fields__:
                setattr(touched, name, getattr(kept, name))
            self._lagging.pop(touched.id, None)
            self._place(touched)

    # --- many at once ------------------------------------------------------------------------------------------------

    def seed(self, count: int, project: str = "OPS", *, spread: float = 86_400.0) -> None:
        """Put `count` plain issues into a project, cheaply and silently, their times spread over the last seconds."""
        home = self.projects[project]
        end = self._millis()
        start = end - int(spread * 1000)
        statuses = ("10000", "3", "10001", "10003")
        for place in range(count):
            home.last += 1
            at = start + (end - start) * place // count
            issue = Issue(
                id=self._next("issue"),
                project=project,
                number=home.last,
                type="10004",
                summary=f"Seeded issue {home.last}",
                status=statuses[place % 4],
                resolution="10000" if place % 4 == 3 else None,
                resolved=at if place % 4 == 3 else None,
                priority=str(1 + place % 5),
                reporter=ENGINEER,
                creator=ENGINEER,
                created=at,
                updated=at,
                status_at=at,
                labels=("seeded", f"area-{place % 7}"),
                description=f"Seeded for a benchmark, number {place}.",
            )
            self.issues[issue.id] = issue
            self._by_key[issue.key] = issue.id
            self._order.append((at, issue.id))
        self._order_is_sorted = False
        self.revision += 1


def _label_set(labels: Sequence[str]) -> tuple[str, ...]:
    """Labels in Jira's order (sorted), each once, letter case kept [G]."""
    return tuple(sorted(set(labels)))


def _item(name: str, old: str | None, old_text: str | None, new: str | None, new_text: str | None) -> Item:
    return Item(field=name, field_id=name, old=old, old_text=old_text, new=new, new_text=new_text)


def check_labels(labels: Sequence[Json]) -> None:
    """Raise Refused(400) for a label that Jira would not take: with a space, too long, or no text [G]."""
    for label in labels:
        if not isinstance(label, str) or not label:
            raise Refused(400, errors={"labels": "data was not an array of strings"})
        if any(letter.isspace() for letter in label):
            raise Refused(400, errors={"labels": f"The label '{label}' contains spaces which is invalid."})
        if len(label) > LABEL_LIMIT:
            raise Refused(400, errors={"labels": f"The label '{label[:20]}...' exceeds the maximum length of 255."})


def known_graph(name: str) -> bool:
    """Whether there is a workflow graph of this name."""
    return name in GRAPHS


def category_shape(key: str) -> Json:
    """The id, name and colour shown for a category key; an unknown key gets made-up ones, as examples show [S]."""
    known = CATEGORIES.get(key)
    if known is None:
        return {"id": 900, "key": key, "name": key.replace("-", " ").title(), "colorName": "purple"}
    return {"id": known.id, "key": known.key, "name": known.name, "colorName": known.colour}
