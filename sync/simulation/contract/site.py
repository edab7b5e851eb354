"""`Remote` straight on the model of Jira: what the contract promises of a tracker, in few lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NoReturn, TypeVar

import msgspec

from connectors.contract import Capabilities, Page
from connectors.errors import (
    AuthRejected,
    CursorExpired,
    Forbidden,
    RecordMissing,
    RemoteError,
    VersionConflict,
    WriteRejected,
)
from connectors.jira.sandbox import JiraSandbox
from connectors.jira.sandbox.faults import Refused
from connectors.jira.sandbox.model import AUTOMATION, HUB, PRIORITIES, RESOLUTIONS, TYPES, Issue, User
from connectors.jira.sandbox.workflow import Step
from sync.model import (
    Absent,
    Changes,
    CreateIntent,
    Draft,
    Duplicated,
    Expect,
    FieldEdit,
    HistoryRow,
    Json,
    LinkShown,
    LinkVia,
    LinkView,
    Missing,
    MissingKind,
    Move,
    NotYetCertain,
    Origin,
    RecordRef,
    Snapshot,
)
from sync.simulation.contract.door import Door

T = TypeVar("T")
_PAGE = 100
_MARK = "simulation"
_LAG = 300.0
"""Seconds after which the search index must have caught up, as the connector's settings have it."""
_OVERLAP = int(_LAG * 1000)


class SiteRemote:
    """The site's issues, as its hub account sees them. url: the address people open. projects: those it follows."""

    def __init__(self, site: JiraSandbox, door: Door, url: str, projects: Sequence[str]) -> None:
        self._site = site.site
        self._door = door
        self._url = url
        self._projects = frozenset(projects)

    @property
    def _hub(self) -> User:
        """Our account. Raises AuthRejected when its credentials were taken away."""
        user = self._site.users[HUB]
        if not user.tokens:
            raise AuthRejected("refused: who are you?", status=401)
        return user

    def check(self) -> Capabilities:
        """Whether the credentials are good."""
        return self._door.read("myself", "/myself", lambda _: self._capable())

    def _capable(self) -> Capabilities:
        return Capabilities(account=self._url, me=self._hub.id, links_via="remote_link", history=True, workflows=True)

    def close(self) -> None:
        """Nothing is open."""

    def values(self) -> Mapping[str, Sequence[str]]:
        """Nothing beyond the mapping is asked for here."""
        return {}

    # --- reading -----------------------------------------------------------------------------------------------------

    def page(self, cursor: str | None, since: datetime) -> Page:
        """The issues by last change, as search sees them: each window reaches back over the lag of the index."""
        return self._door.read("search.jql", "/search/jql", lambda _: self._page(cursor, since))

    def _page(self, cursor: str | None, since: datetime) -> Page:
        try:
            place, known = msgspec.json.decode(cursor, type=tuple[int, dict[str, str]]) if cursor else (0, {})
        except msgspec.DecodeError:
            raise CursorExpired("no place that search knows") from None
        place = place or int(since.timestamp() * 1000)
        user = self._hub
        shown: list[Snapshot] = []
        more = False
        for issue in self._site.by_update(max(0, place - _OVERLAP)):
            if issue.project not in self._projects or not self._site.may(user, "BROWSE_PROJECTS", issue.project):
                continue
            if known.get(str(issue.id)) == _version(issue.updated):
                continue
            snap = self._snapshot(issue, Origin.LIST)
            if len(shown) == _PAGE:
                more = True
                break
            shown.append(snap)
            place = max(place, issue.updated)
        known = {**known, **{snap.ref.id: snap.version for snap in shown}}
        oldest = _version(place - 2 * _OVERLAP)
        known = {number: version for number, version in known.items() if version >= oldest}
        return Page(snapshots=tuple(shown), cursor=msgspec.json.encode((place, known)).decode(), more=more)

    def fetch(self, keys: Sequence[str], *, whole: bool | None = None) -> Mapping[str, Snapshot | Missing]:
        """Whole ones one by one, else all in one call."""
        if whole is None:
            whole = len(keys) == 1
        if not whole and len(keys) > 1:
            return self._door.read(
                "issue.bulkfetch",
                "/issue/bulkfetch",
                lambda stale: {key: self._read(key, stale=stale, whole=False) for key in keys},
            )
        return {key: self._one(key, whole=whole) for key in keys}

    def _one(self, key: str, *, whole: bool) -> Snapshot | Missing:
        return self._door.read("issue.get", f"/issue/{key}", lambda stale: self._read(key, stale=stale, whole=whole))

    def _read(self, key: str, *, stale: bool, whole: bool) -> Snapshot | Missing:
        user = self._hub
        try:
            issue = self._site.find(key, user, stale=stale)
        except Refused:
            there = self._site.peek(key)
            kind = MissingKind.DELETED if there is None else MissingKind.FORBIDDEN
            return Missing(kind=kind, detail=f"{key} is not shown")
        return self._snapshot(issue, Origin.DIRECT, asked=key, whole=whole)

    def _snapshot(
        self,
        issue: Issue,
        origin: Origin,
        *,
        asked: str = "",
        whole: bool = False,
        overwrote: tuple[FieldEdit, ...] = (),
    ) -> Snapshot:
        site = self._site
        status = site.status(issue)
        at = datetime.fromtimestamp(issue.updated / 1000, UTC)
        fields: dict[str, Json] = {
            "status": site.status_name(status),
            "status_id": status.id,
            "status_category": site.category(status),
            "resolution": RESOLUTIONS.get(issue.resolution or ""),
            "labels": list(issue.labels),
            "summary": issue.summary,
            "description": issue.description or "",
            "priority": PRIORITIES.get(issue.priority),
            "issuetype": TYPES.get(issue.type, ""),
            "project": issue.project,
            "reporter": self._person(issue.reporter),
            "assignee": self._person(issue.assignee),
        }
        return Snapshot(
            ref=self._ref(issue),
            version=_version(issue.updated),
            created_at=datetime.fromtimestamp(issue.created / 1000, UTC),
            updated_at=at,
            fields=fields,
            origin=origin,
            aliases=(asked,) if asked and asked not in (issue.key, str(issue.id)) else (),
            links=self._links(issue) if whole else None,
            moves=self._moves(issue) if whole else None,
            workflow=f"{issue.project}/{TYPES.get(issue.type, '')}",
            overwrote=overwrote,
        )

    def _ref(self, issue: Issue) -> RecordRef:
        return RecordRef(kind="issue", id=str(issue.id), key=issue.key, url=f"{self._url}/browse/{issue.key}")

    def _person(self, user_id: str | None) -> dict[str, str] | None:
        user = self._site.users.get(user_id or "")
        return None if user is None else {"id": user.id, "name": user.display, "email": user.email}

    @staticmethod
    def _links(issue: Issue) -> tuple[LinkShown, ...]:
        return tuple(
            LinkShown(target=str(link.object["url"]), via=LinkVia.REMOTE_LINK, handle=str(link.id))
            for link in issue.remote_links
            if link.object.get("url")
        )

    def _moves(self, issue: Issue) -> tuple[Move, ...]:
        return tuple(
            Move(
                id=step.id,
                name=step.name,
                to=step.to,
                required=("resolution",) if self._site.wants_resolution(step) else (),
            )
            for step in self._site.steps(issue, self._hub)
        )

    def history(self, ref: RecordRef, since: str) -> Sequence[HistoryRow]:
        """The issue's changelog after a version."""
        return self._door.read("issue.changelog", f"/issue/{ref.id}/changelog", lambda _: self._history(ref, since))

    def _history(self, ref: RecordRef, since: str) -> list[HistoryRow]:
        issue = self._found(ref)
        return [
            HistoryRow(
                id=str(row.id),
                at=datetime.fromtimestamp(row.at / 1000, UTC),
                actor=row.author,
                edits=tuple(
                    FieldEdit(field="labels", old=(item.old_text or "").split(), new=(item.new_text or "").split())
                    if item.field == "labels"
                    else FieldEdit(field=item.field_id, old=item.old_text, new=item.new_text)
                    for item in row.items
                ),
                ours=row.author == HUB,
                op=str((row.metadata or {}).get(_MARK, "")),
                automatic=row.author == AUTOMATION,
            )
            for row in issue.history
            if _version(row.at) > since
        ]

    def _found(self, ref: RecordRef) -> Issue:
        return _asked(lambda: self._site.find(ref.id, self._hub))

    # --- writing -----------------------------------------------------------------------------------------------------

    def steps(self, snapshot: Snapshot, changes: Changes) -> tuple[Changes, ...]:
        """Labels and fields, the status, each link: a request of its own for each."""
        del snapshot
        parts = (
            Changes(add_tags=changes.add_tags, remove_tags=changes.remove_tags, set=changes.set),
            Changes(status=changes.status),
            *(Changes(remove_links=(link,)) for link in changes.remove_links),
            *(Changes(add_links=(link,)) for link in changes.add_links),
        )
        return tuple(part for part in parts if not part.is_empty)

    def write(self, ref: RecordRef, changes: Changes, expect: Expect) -> Snapshot | None:
        """A read that has to show the expected version, and then the write: others may come between the two."""
        if changes.add_links or changes.remove_links:
            return self._write_link(ref, changes)
        prior = self._one(ref.id, whole=True)
        if isinstance(prior, Missing):
            raise RecordMissing(prior.detail, status=404)
        if prior.version != expect.version:
            raise VersionConflict("the issue has moved", snapshot=prior)
        if changes.status is not None:
            return self._write_status(ref, changes, expect, prior)
        shown = set(prior.fields["labels"])
        if not changes.set and shown.issuperset(changes.add_tags) and shown.isdisjoint(changes.remove_tags):
            return prior
        return self._door.write(
            "issue.edit", f"/issue/{ref.id}", lambda: self._edit(ref, changes, expect), lambda: self._shown(ref)
        )

    def _shown(self, ref: RecordRef) -> Snapshot:
        return self._snapshot(self._found(ref), Origin.DIRECT)

    def _edit(self, ref: RecordRef, changes: Changes, expect: Expect) -> Snapshot:
        issue = self._found(ref)
        _asked(
            lambda: self._site.edit(
                issue,
                self._hub,
                values=changes.set,
                add_labels=changes.add_tags,
                remove_labels=changes.remove_tags,
                metadata={_MARK: expect.op},
            )
        )
        return self._snapshot(issue, Origin.DIRECT)

    def _write_status(self, ref: RecordRef, changes: Changes, expect: Expect, prior: Snapshot) -> Snapshot | None:
        wanted = changes.status
        assert wanted is not None  # the caller has looked
        if str(prior.fields["status"]).casefold() == wanted.raw.casefold():
            return prior
        moves = [move for move in prior.moves or () if move.to.casefold() == wanted.raw.casefold()]
        move = next((each for each in moves if each.id == wanted.move), moves[0] if moves else None)
        if move is None:
            raise WriteRejected(f"no step leads to {wanted.raw} now", field="status")

        def go() -> Snapshot:
            issue = self._found(ref)
            step = next((each for each in self._site.steps(issue, self._hub) if each.id == move.id), None)
            if step is None:
                raise WriteRejected("the step is not open any more", field="status", status=400)
            self._take(issue, step, wanted.fields, expect.op)
            replaced = [
                edit
                for row in self._history(ref, prior.version)
                if row.op == expect.op
                for edit in row.edits
                if edit.field == "status"
            ]
            seen = str(prior.fields["status"])
            hidden = tuple(edit for edit in replaced[:1] if edit.old != seen)
            return self._snapshot(issue, Origin.DIRECT, whole=True, overwrote=hidden)

        return self._door.write("transitions.do", f"/issue/{ref.id}/transitions", go, lambda: self._shown(ref))

    def _take(self, issue: Issue, step: Step, fields: Mapping[str, Json], op: str) -> None:
        given = fields.get("resolution")
        name = given.get("name") if isinstance(given, dict) else given
        resolution = next((key for key, words in RESOLUTIONS.items() if words == name), None)
        if self._site.wants_resolution(step) and resolution is None:
            raise WriteRejected("Resolution is required.", field="resolution", status=400)
        self._site.transition(issue, self._hub, step, resolution=resolution, metadata={_MARK: op})

    def _write_link(self, ref: RecordRef, changes: Changes) -> Snapshot | None:
        path = f"/issue/{ref.id}/remotelink"
        if changes.add_links:
            sent = _link_body(changes.add_links[0])
            self._door.write(
                "remotelink.put",
                path,
                lambda: _asked(lambda: self._site.put_remote_link(self._found(ref), self._hub, sent)),
                lambda: None,
            )
        else:
            handle = changes.remove_links[0].handle
            self._door.write("remotelink.delete", path, lambda: self._unlink(ref, handle), lambda: None)
        try:
            read = self._one(ref.id, whole=True)
        except RemoteError:
            return None
        return read if isinstance(read, Snapshot) else None

    def _unlink(self, ref: RecordRef, handle: str) -> None:
        issue = self._found(ref)
        link = next((each for each in issue.remote_links if str(each.id) == handle), None)
        if link is not None:
            self._site.delete_remote_link(issue, self._hub, link)

    # --- creating ----------------------------------------------------------------------------------------------------

    def probe(self, draft: Draft) -> dict[str, Json]:
        """The highest number in the project that search knows."""
        project = str(draft.fields["project"])
        return self._door.read(
            "search.jql", "/search/jql", lambda _: {"project": project, "highest": self._top(project)}
        )

    def _top(self, project: str) -> int:
        user = self._hub
        seen = (i for i in self._site.everything() if i.project == project)
        return max((i.number for i in seen if self._site.may(user, "BROWSE_PROJECTS", project)), default=0)

    def create(self, draft: Draft, marker: str) -> RecordRef:
        """Create one issue with the marker in it."""

        def made() -> RecordRef:
            project = str(draft.fields["project"])
            user = self._hub
            if not self._site.may(user, "CREATE_ISSUES", project):
                raise WriteRejected("valid project is required", field="project", status=400)
            priority = next((key for key, name in PRIORITIES.items() if name == draft.fields.get("priority")), "3")
            issue = self._site.create(
                user,
                project=project,
                type="10004",
                summary=str(draft.fields.get("summary") or "-"),
                description=draft.fields.get("description"),
                labels=[*draft.fields.get("labels", ()), *draft.tags],
                priority=priority,
                properties={_MARK: {"marker": marker}},
            )
            return self._ref(issue)

        return self._door.write("issue.create", "/issue", made, made)

    def find_created(self, intent: CreateIntent) -> RecordRef | Absent | NotYetCertain | Duplicated:
        """Look for the marker: directly under the later numbers, and in what search shows."""

        def look(stale: bool) -> list[RecordRef]:
            del stale
            user = self._hub
            highest = int(intent.probe["highest"])
            direct = [
                i for i in self._site.issues.values() if i.project == intent.probe["project"] and i.number > highest
            ]
            found = {i.id: i for i in (*direct, *self._site.everything()) if _marker(i) == intent.marker}
            return [self._ref(i) for i in found.values() if self._site.may(user, "BROWSE_PROJECTS", i.project)]

        refs = self._door.read("search.jql", "/search/jql", look)
        if len(refs) > 1:
            return Duplicated(refs=tuple(sorted(refs)))
        if refs:
            return refs[0]
        left = _LAG - (self._door.wall() - intent.at.timestamp())
        return Absent() if left <= 0 else NotYetCertain(seconds=min(left, _LAG / 10))


def _marker(issue: Issue) -> str:
    kept = issue.properties.get(_MARK)
    return str(kept.get("marker", "")) if isinstance(kept, dict) else ""


def _version(millis: int) -> str:
    at = datetime.fromtimestamp(millis // 1000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{millis % 1000:03d}Z"


def _link_body(link: LinkView) -> dict[str, Json]:
    return {
        "globalId": f"hypercare={link.system}&{link.kind}={link.id}",
        "application": {"name": link.system},
        "relationship": "reported in",
        "object": {"url": link.url, "title": link.title or link.key, "status": {"resolved": link.done}},
    }


def _asked(do: Callable[[], T]) -> T:
    try:
        return do()
    except Refused as refused:
        _refuse(refused)


def _refuse(refused: Refused) -> NoReturn:
    """The refusal of the model as the contract names it."""
    said = str(refused.messages or refused.errors)[:200]
    kinds: Mapping[int, type[RemoteError]] = {401: AuthRejected, 403: Forbidden, 404: RecordMissing}
    if refused.status in kinds:
        raise kinds[refused.status](said, status=refused.status)
    raise WriteRejected(said, status=refused.status)
