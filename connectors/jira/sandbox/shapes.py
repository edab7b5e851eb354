"""What Jira's JSON looks like: users, issues, histories, comments, transitions, for one reader and API version.

Sources: issue, user, transition, comment, remote link and changelog shapes [S]; serverInfo, field and Data Center's
user [C]; the order of fields and the avatar addresses are guesses [G].
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from connectors.jira.sandbox import markup
from connectors.jira.sandbox.model import (
    CUSTOM_FIELDS,
    LINK_TYPES,
    PRIORITIES,
    RESOLUTIONS,
    TYPES,
    Comment,
    History,
    Issue,
    IssueLink,
    Project,
    RemoteLink,
    Site,
    User,
    category_shape,
)
from connectors.jira.sandbox.settings import Deployment
from connectors.jira.sandbox.workflow import BY_ID, BY_NAME, CATEGORIES, StatusKind, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Json: TypeAlias = Any

FIELD_NAMES: Final = {
    "summary": ("Summary", "string"),
    "description": ("Description", "string"),
    "status": ("Status", "status"),
    "statusCategory": ("Status Category", "statusCategory"),
    "statuscategorychangedate": ("Status Category Changed", "datetime"),
    "resolution": ("Resolution", "resolution"),
    "resolutiondate": ("Resolved", "datetime"),
    "priority": ("Priority", "priority"),
    "issuetype": ("Issue Type", "issuetype"),
    "project": ("Project", "project"),
    "labels": ("Labels", "array"),
    "reporter": ("Reporter", "user"),
    "creator": ("Creator", "user"),
    "assignee": ("Assignee", "user"),
    "created": ("Created", "datetime"),
    "updated": ("Updated", "datetime"),
    "issuelinks": ("Linked Issues", "array"),
    "subtasks": ("Sub-tasks", "array"),
    "parent": ("Parent", "issuelink"),
    "comment": ("Comment", "comments-page"),
    "components": ("Components", "array"),
    "fixVersions": ("Fix versions", "array"),
    "versions": ("Affects versions", "array"),
    "environment": ("Environment", "string"),
    "duedate": ("Due date", "date"),
    "customfield_10050": (CUSTOM_FIELDS["customfield_10050"], "string"),
    "customfield_10051": (CUSTOM_FIELDS["customfield_10051"], "string"),
}
NOT_NAVIGABLE: Final = frozenset(("comment",))
COMMENTS_SHOWN: Final = 20
"""Comments inside an issue's fields are cut about here in Cloud (faros-ai/airbyte-connectors#2003)."""


class Reader:
    """Shows the site to one reader. base: scheme, host and context path of addresses. version: "2" or "3"."""

    def __init__(self, site: Site, base: str, version: str, user: User) -> None:
        self._site = site
        self._base = base
        self._version = version
        self._user = user
        self._zone = None if user.zone == "UTC" else ZoneInfo(user.zone)
        self._is_cloud = site.deployment is Deployment.CLOUD
        self._people: dict[str, Json] = {}
        self._encoded: dict[tuple[str, str], msgspec.Raw] = {}
        self._shown: dict[str, Callable[[Issue], Json]] = {
            "summary": lambda issue: issue.summary,
            "description": lambda issue: markup.shown(issue.description, version),
            "status": lambda issue: self._once("status", issue.status, lambda: self.status(BY_ID[issue.status])),
            "statusCategory": lambda issue: self.category(site.category(BY_ID[issue.status])),
            "statuscategorychangedate": lambda issue: self.time(issue.status_at),
            "resolution": lambda issue: self.resolution(issue.resolution),
            "resolutiondate": lambda issue: None if issue.resolved is None else self.time(issue.resolved),
            "priority": lambda issue: self._once("priority", issue.priority, lambda: self.priority(issue.priority)),
            "issuetype": lambda issue: self._once("type", issue.type, lambda: self.type(issue.type)),
            "project": lambda issue: self._once(
                "project", issue.project, lambda: self.project(site.projects[issue.project])
            ),
            "labels": lambda issue: list(issue.labels),
            "reporter": lambda issue: self._someone(issue.reporter),
            "creator": lambda issue: self._someone(issue.creator),
            "assignee": lambda issue: None if issue.assignee is None else self._someone(issue.assignee),
            "created": lambda issue: self.time(issue.created),
            "updated": lambda issue: self.time(issue.updated),
            "issuelinks": lambda issue: [self.issue_link(link, issue) for link in site.links_of(issue.id)],
            "subtasks": lambda issue: [self.brief(child) for child in self._children(issue)],
            "parent": self._parent,
            "comment": self._comments,
            "components": lambda _: [],
            "fixVersions": lambda _: [],
            "versions": lambda _: [],
            "environment": lambda _: None,
            "duedate": lambda _: None,
            "customfield_10050": lambda issue: issue.custom.get("customfield_10050"),
            "customfield_10051": lambda issue: issue.custom.get("customfield_10051"),
        }

    def _once(self, kind: str, number: str, made: Callable[[], Json]) -> msgspec.Raw:
        """A part that many issues of one answer share, encoded once: a page of issues is mostly such parts."""
        known = self._encoded.get((kind, number))
        if known is None:
            known = self._encoded[kind, number] = msgspec.Raw(msgspec.json.encode(made()))
        return known

    def _someone(self, number: str) -> msgspec.Raw:
        return self._once("person", number, lambda: self.person(number))

    # --- small things ------------------------------------------------------------------------------------------------

    def address(self, *parts: object) -> str:
        """An address under the API's base."""
        return f"{self._base}/rest/api/{self._version}/" + "/".join(str(part) for part in parts)

    def time(self, at: int) -> str:
        """Milliseconds as `2019-04-08T12:38:01.000+0000`, in the reader's profile zone, offset without a colon [C]."""
        if self._zone is None:
            return f"{datetime.fromtimestamp(at // 1000, UTC).isoformat()[:19]}.{at % 1000:03d}+0000"
        moment = datetime.fromtimestamp(at // 1000, self._zone)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}{moment:%z}"

    def person(self, number: str) -> Json:
        """A user: accountId in Cloud (e-mail mostly hidden), name and key in Data Center [S][C]."""
        known = self._people.get(number)
        if known is None:
            known = self._people[number] = self.user(self._site.users[number])
        return known

    def user(self, user: User) -> Json:
        """A user's shape."""
        shape: dict[str, Json] = {}
        if self._is_cloud:
            shape["self"] = f"{self.address('user')}?accountId={user.id}"
            shape["accountId"] = user.id
            shape["accountType"] = user.kind
            if user.id == self._user.id or not self._site.settings.hide_emails:
                shape["emailAddress"] = user.email
        else:
            shape["self"] = f"{self.address('user')}?username={user.name}"
            shape |= {"name": user.name, "key": user.key, "emailAddress": user.email}
        shape["avatarUrls"] = {"48x48": f"{self._base}/avatar/{user.name}.png"}
        shape |= {"displayName": user.display, "active": user.active, "timeZone": user.zone}
        return shape

    def category(self, key: str) -> Json:
        """A status category."""
        shape = category_shape(key)
        return {"self": self.address("statuscategory", shape["id"]), **shape}

    def status(self, status: StatusKind) -> Json:
        """A status with its category [S]."""
        return {
            "self": self.address("status", status.id),
            "description": "",
            "iconUrl": f"{self._base}/images/icons/statuses/generic.png",
            "name": self._site.status_name(status),
            "id": status.id,
            "statusCategory": self.category(self._site.category(status)),
        }

    def resolution(self, number: str | None) -> Json:
        """A resolution, or null for an open issue."""
        if number is None:
            return None
        return {
            "self": self.address("resolution", number),
            "id": number,
            "description": "",
            "name": RESOLUTIONS[number],
        }

    def priority(self, number: str) -> Json:
        """A priority."""
        return {
            "self": self.address("priority", number),
            "iconUrl": f"{self._base}/images/icons/priorities/{number}.svg",
            "name": PRIORITIES[number],
            "id": number,
        }

    def type(self, number: str) -> Json:
        """An issue type."""
        is_subtask = TYPES[number] == "Sub-task"
        return {
            "self": self.address("issuetype", number),
            "id": number,
            "description": "",
            "iconUrl": f"{self._base}/images/icons/issuetypes/{number}.svg",
            "name": TYPES[number],
            "subtask": is_subtask,
            "hierarchyLevel": -1 if is_subtask else 0,
        }

    def project(self, project: Project) -> Json:
        """A project, as inside an issue."""
        return {
            "self": self.address("project", project.id),
            "id": project.id,
            "key": project.key,
            "name": project.name,
            "projectTypeKey": "software",
            "simplified": False,
            "avatarUrls": {"48x48": f"{self._base}/avatar/{project.key}.png"},
        }

    def field(self, name: str) -> Json:
        """One entry of the field list [C]."""
        words, kind = FIELD_NAMES[name]
        is_custom = name in CUSTOM_FIELDS
        clause = [f"cf[{name.partition('_')[2]}]", words] if is_custom else [name.lower()]
        return {
            "id": name,
            "key": name,
            "name": words,
            "custom": is_custom,
            "orderable": True,
            "navigable": name not in NOT_NAVIGABLE,
            "searchable": True,
            "clauseNames": clause,
            "schema": {"type": kind, **({"customId": int(name[12:])} if is_custom else {"system": name})},
        }

    # --- issues ------------------------------------------------------------------------------------------------------

    def asked(self, fields: Iterable[str]) -> list[str]:
        """The field ids that a `fields` argument names: ids, *all, *navigable, and -id to leave one out [S]."""
        names: dict[str, None] = {}
        for name in fields:
            if name in ("*all", "*navigable"):
                names.update({known: None for known in FIELD_NAMES if name == "*all" or known not in NOT_NAVIGABLE})
            elif name.startswith("-"):
                names.pop(name[1:], None)
            elif name in FIELD_NAMES:
                names[name] = None
        if not names and any(name.startswith("-") for name in fields):
            left_out = {name[1:] for name in fields}
            return [known for known in FIELD_NAMES if known not in left_out]
        return list(names)

    def issue(
        self,
        issue: Issue,
        names: Sequence[str] | None,
        *,
        expand: frozenset[str] = frozenset(),
        properties: Sequence[str] = (),
    ) -> Json:
        """An issue with the named fields; names None leaves `fields` out altogether."""
        shape: dict[str, Json] = {
            "expand": "operations,versionedRepresentations,editmeta,changelog,renderedFields",
            "id": str(issue.id),
            "self": self.address("issue", issue.id),
            "key": issue.key,
        }
        if names is not None:
            shown = self._shown
            shape["fields"] = {name: shown[name](issue) for name in names}
            if self._site.settings.unknown_fields:
                shape["fields"]["customfield_19999"] = {"shape": "nobody knows", "rank": [1, None]}
            if issue.parent is None:
                shape["fields"].pop("parent", None)
        if properties:
            wanted = issue.properties if "*all" in properties else properties
            shape["properties"] = {key: issue.properties[key] for key in wanted if key in issue.properties}
        if "changelog" in expand:
            shape["changelog"] = self.changelog(issue)
        if "transitions" in expand:
            steps = self._site.steps(issue, self._user)
            shape["transitions"] = [self.step(step, issue, with_fields=False) for step in steps]
        return shape

    def brief(self, issue: Issue) -> Json:
        """An issue as inside another one."""
        fields = ("summary", "status", "priority", "issuetype")
        return {
            "id": str(issue.id),
            "key": issue.key,
            "self": self.address("issue", issue.id),
            "fields": {name: self._shown[name](issue) for name in fields},
        }

    def _children(self, issue: Issue) -> list[Issue]:
        # Looking for children means looking at every issue; none has any until somebody makes a subtask.
        return self._site.subtasks(issue) if self._site.has_subtasks else []

    def _parent(self, issue: Issue) -> Json:
        parent = self._site.issues.get(issue.parent) if issue.parent is not None else None
        return None if parent is None else self.brief(parent)

    def _comments(self, issue: Issue) -> Json:
        kept = issue.comments[:COMMENTS_SHOWN] if self._is_cloud else issue.comments
        return {
            "comments": [self.comment(comment, issue) for comment in kept],
            "self": self.address("issue", issue.id, "comment"),
            "maxResults": len(kept),
            "total": len(issue.comments),
            "startAt": 0,
        }

    def comment(self, comment: Comment, issue: Issue, *, with_properties: bool = False) -> Json:
        """A comment [S]."""
        shape: dict[str, Json] = {
            "self": self.address("issue", issue.id, "comment", comment.id),
            "id": str(comment.id),
            "author": self.person(comment.author),
            "body": markup.shown(comment.body, self._version),
            "updateAuthor": self.person(comment.update_author),
            "created": self.time(comment.created),
            "updated": self.time(comment.updated),
        }
        if comment.visibility is not None:
            shape["visibility"] = comment.visibility
        if self._is_cloud:
            shape["jsdPublic"] = comment.is_public
        if with_properties:
            shape["properties"] = [{"key": key, "value": value} for key, value in comment.properties.items()]
        return shape

    def history(self, history: History, *, created: Json = None) -> Json:
        """A changelog row; `created` in another form where one is asked for."""
        shape: dict[str, Json] = {
            "id": str(history.id),
            "author": self.person(history.author),
            "created": self.time(history.at) if created is None else created,
            "items": self.items(history),
        }
        if history.metadata is not None:
            shape["historyMetadata"] = history.metadata
        return shape

    def items(self, history: History) -> list[Json]:
        """The fields of a changelog row [C]."""
        return [
            {
                "field": item.field,
                "fieldtype": item.kind,
                **({"fieldId": item.field_id} if self._is_cloud else {}),
                "from": item.old,
                "fromString": item.old_text,
                "to": item.new,
                "toString": item.new_text,
            }
            for item in history.items
        ]

    def changelog(self, issue: Issue) -> Json:
        """expand=changelog: newest first and cut in Cloud; oldest first and whole in Data Center [3][G]."""
        histories = issue.history
        if self._is_cloud:
            histories = histories[: -self._site.settings.changelog_cut - 1 : -1]
        return {
            "startAt": 0,
            "maxResults": len(histories),
            "total": len(issue.history),
            "histories": [self.history(history) for history in histories],
        }

    def step(self, step: Step, issue: Issue, *, with_fields: bool) -> Json:
        """A transition, with its screen's fields when asked for [S]."""
        wants = self._site.wants_resolution(step)
        shape: dict[str, Json] = {
            "id": step.id,
            "name": step.name,
            "to": self.status(BY_NAME[step.to]),
            "hasScreen": wants,
            "isGlobal": step.sources is None,
            "isInitial": False,
            "isConditional": False,
            "isAvailable": True,
            "isLooped": BY_ID[issue.status].name == step.to,
        }
        if with_fields:
            shape["fields"] = {}
            if wants:
                shape["fields"]["resolution"] = {
                    "required": True,
                    "schema": {"type": "resolution", "system": "resolution"},
                    "name": "Resolution",
                    "key": "resolution",
                    "operations": ["set"],
                    "allowedValues": [self.resolution(number) for number in RESOLUTIONS],
                    "hasDefaultValue": False,
                }
        return shape

    def remote_link(self, link: RemoteLink, issue: Issue) -> Json:
        """A remote link; what was left out when it was put is null or absent [S]."""
        sent = link.object
        shown: dict[str, Json] = {
            "url": sent.get("url"),
            "title": sent.get("title"),
            "summary": sent.get("summary"),
            "icon": sent.get("icon") or {},
            "status": sent.get("status") or {"icon": {}},
        }
        shape: dict[str, Json] = {
            "id": link.id,
            "self": self.address("issue", issue.key, "remotelink", link.id),
            "application": link.application,
            "object": shown,
        }
        if link.global_id is not None:
            shape["globalId"] = link.global_id
        if link.relationship is not None:
            shape["relationship"] = link.relationship
        return shape

    def link_type(self, number: str) -> Json:
        """A type of link between issues."""
        name, inward, outward = LINK_TYPES[number]
        return {
            "id": number,
            "name": name,
            "inward": inward,
            "outward": outward,
            "self": self.address("issueLinkType", number),
        }

    def issue_link(self, link: IssueLink, seen_from: Issue | None = None) -> Json:
        """A link between issues: both ends, or the other end as seen from one issue [S]."""
        shape: dict[str, Json] = {
            "id": str(link.id),
            "self": self.address("issueLink", link.id),
            "type": self.link_type(link.type),
        }
        for name, number in (("inwardIssue", link.inward), ("outwardIssue", link.outward)):
            end = self._site.issues.get(number)
            if end is not None and (seen_from is None or end.id != seen_from.id):
                shape[name] = self.brief(end)
        return shape

    def categories(self) -> list[Json]:
        """Every status category."""
        return [self.category(key) for key in CATEGORIES]
