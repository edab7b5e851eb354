"""One open connection to a Jira site, on the vendor's library `jira`, which is imported here and nowhere else.

The library signs in and holds the session. It re-sends writes, sleeps in the calling thread and hides page tokens, so
its session is tamed and every call goes through it raw: one call here is one request there.

What a change costs, in calls (Cloud and Data Center, unless said otherwise):
- labels or fields: read before 1, edit 1, and on Data Center read back 1 (Cloud shows the issue in the edit's answer)
- a status: read before 1 (the steps come with it), transition 1, read back 1
- a link: write 1, read back 2 (remote links are no part of an issue)
- an issue read alone with its links 2, up to 100 issues together 1 on Cloud
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

import jira
from msgspec import Struct, structs

from connectors.contract import Capabilities, Catalogue, Finding, Level, Page, Ports
from connectors.errors import (
    AuthRejected,
    CursorExpired,
    Forbidden,
    RecordMissing,
    RemoteError,
    UnexpectedAnswer,
    VersionConflict,
    WriteRejected,
)
from connectors.http import Limits, decode, rows_of
from connectors.jira import catalogue, records
from connectors.jira import feed as feeds
from connectors.jira.calls import Calls
from connectors.jira.settings import CloudBearer, CloudToken, JiraSettings, Password, PersonalToken
from connectors.jira.transitions import fields_unknown, moves, pick
from sync.model import (
    Absent,
    Changes,
    CreateIntent,
    Draft,
    Duplicated,
    Expect,
    HistoryRow,
    Json,
    LinkShown,
    Missing,
    MissingKind,
    NotYetCertain,
    Origin,
    RecordRef,
    Snapshot,
)

_BULK = 100
"""Issues in one bulk read. [Atlassian REST v3, "Bulk fetch issues"]"""

_SEARCH, _BULK_READ = "Jira's search", "Jira's bulk read"

_CHANGELOG_PAGE = 100

_ZONE_TRUSTED = 600.0
"""Seconds for which our account's time zone is taken for granted while the change feed is empty."""

_NEEDED = {
    "BROWSE_PROJECTS": "see issues",
    "CREATE_ISSUES": "create issues",
    "EDIT_ISSUES": "set labels",
    "TRANSITION_ISSUES": "change the status",
    "LINK_ISSUES": "show links",
}
"""The project permissions the hub uses, and what for."""

_WEBHOOK_HOW_TO = (
    "In Jira, as administrator: System, WebHooks, Create. URL: the hub's public address with /hooks/ and this "
    "connection's name. Secret: the one in webhook_secret. Events: Issue created, updated, deleted; Comment created, "
    "updated, deleted; Issue link created, deleted. JQL: project in (%s)."
)


class _Account(Struct, frozen=True):
    """Our own user: its id, and the time zone in which search reads times."""

    id: str
    zone_name: str
    zone: tzinfo


class JiraRemote:
    """A `connectors.contract.Remote` for Jira. Used by one thread; makes no call until it is asked something."""

    def __init__(self, settings: JiraSettings, ports: Ports) -> None:
        self._settings = settings
        self._ports = ports
        self._library = _library(settings)
        limits = Limits(connect=settings.connect_seconds, read=settings.read_seconds, total=settings.read_seconds * 1.5)
        session: Any = self._library._session  # noqa: SLF001  the version is pinned
        self._calls = Calls(session, settings.api_url, ports, limits)
        self._deployment: Literal["cloud", "data_center"] | None = settings.known_deployment
        self._account: _Account | None = None
        self._zone_doubted = False
        self._zone_read_at = 0.0
        self._fields = (*records.FIELDS, *settings.extra_fields)

    def close(self) -> None:
        self._library.close()  # type: ignore[no-untyped-call]

    # --- who we are --------------------------------------------------------------------------------------------

    def check(self) -> Capabilities:
        """Prove the credentials, and name every permission that is missing in a configured project."""
        try:
            server = self._calls.get("serverInfo")
            account = self._me(anew=True)
            findings = [*self._deployment_findings(server), *self._permission_findings()]
        except Forbidden as error:
            raise AuthRejected(
                f"{error.message} A scoped token needs read:jira-work, write:jira-work and read:jira-user.", status=403
            ) from error
        base = str(server.get("baseUrl") or self._settings.url).rstrip("/")
        auth = self._settings.auth
        return Capabilities(
            account=auth.cloud_id if isinstance(auth, CloudBearer) else base,
            me=account.id,
            version=f"{server.get('deploymentType') or 'unknown'} {server.get('version') or ''}".strip(),
            time_zone=account.zone_name,
            links_via="remote_link",
            history=True,
            conditional_write=False,
            workflows=True,
            webhooks=_WEBHOOK_HOW_TO % ", ".join(self._settings.projects),
            findings=tuple(findings),
        )

    def _deployment_findings(self, server: Mapping[str, Json]) -> Iterator[Finding]:
        shown: Literal["cloud", "data_center"] = "cloud" if server.get("deploymentType") == "Cloud" else "data_center"
        if self._settings.deployment not in {"auto", shown}:
            yield Finding(
                level=Level.ERROR,
                what=f"The settings say deployment: {self._settings.deployment}, but the site says it is {shown}.",
                do=f"Set deployment: {shown}, or auto.",
            )
        self._deployment = self._settings.known_deployment or shown

    def _permission_findings(self) -> Iterator[Finding]:
        wanted = dict(_NEEDED)
        if not self._settings.notify_users:
            wanted["ADMINISTER_PROJECTS"] = "edit without notifying users (notify_users: false)"
        for project in self._settings.projects:
            granted = self._granted(project, wanted)
            if granted is None or not granted.get("BROWSE_PROJECTS"):
                yield Finding(
                    level=Level.ERROR,
                    what=f"Project {project} does not exist, or the hub's account may not see it.",
                    do=f"Check the key, or give the account Browse Projects in {project}.",
                )
                continue
            for permission, purpose in wanted.items():
                if not granted.get(permission):
                    yield Finding(
                        level=Level.WARNING,
                        what=f"In project {project} the account may not {purpose}: {permission} is missing.",
                        do=f"Grant {permission} to the account in the permission scheme of {project}.",
                    )

    def _granted(self, project: str, permissions: Iterable[str]) -> dict[str, bool] | None:
        """Which permissions we have in a project; None when it is not shown to us."""
        try:
            answer = self._calls.get("mypermissions", {"projectKey": project, "permissions": list(permissions)})
        except (RecordMissing, Forbidden):
            return None
        found = answer.get("permissions")
        if not isinstance(found, dict):
            raise UnexpectedAnswer("Jira's answer about our permissions has no permissions in it.")
        return {name: isinstance(entry, dict) and entry.get("havePermission") is True for name, entry in found.items()}

    def _me(self, *, anew: bool = False) -> _Account:
        if self._account is None or anew:
            user = self._calls.get("myself")
            name = str(user.get("timeZone") or "UTC")
            self._account = _Account(records.user_id(user), name, _zone(name))
            self._zone_read_at = self._ports.clock.monotonic()
        return self._account

    @property
    def _is_cloud(self) -> bool:
        if self._deployment is None:
            server = self._calls.get("serverInfo")
            self._deployment = "cloud" if server.get("deploymentType") == "Cloud" else "data_center"
        return self._deployment == "cloud"

    # --- the change feed ---------------------------------------------------------------------------------------

    def page(self, cursor: str | None, since: datetime) -> Page:
        """One page of the issues of our projects, by `updated`, each version once.

        Raises CursorExpired when Jira no longer knows the page token (it lives seven days).
        """
        reach = feeds.overlap(self._settings.index_lag_seconds)
        before = feeds.read(cursor, since)
        feed = feeds.begin(before, self._me().zone, reach)
        answer = self._search_page(feed)
        issues = rows_of(answer, "issues", where=_SEARCH)
        if self._zone_moved(issues):
            return self.page(feeds.write(feeds.Feed(since=before.since, seen=before.seen, recent=before.recent)), since)
        found = [self._snapshot(issue, Origin.LIST) for issue in issues]
        now, total = self._ports.clock.now(), None
        if self._is_cloud:
            token = "" if answer.get("isLast") is True else str(answer.get("nextPageToken") or "")
            after, more = feeds.after_tokens(feed, found, token=token, reach=reach, now=now)
        else:
            rows = answer.get("total")
            if not isinstance(rows, int):
                raise UnexpectedAnswer("Jira's search answered without a total.")
            total = rows if not before.seen else None
            after, more = feeds.after_rows(feed, found, total=rows, zone=self._me().zone, reach=reach, now=now)
        return Page(snapshots=feeds.fresh(feed, found), cursor=feeds.write(after), more=more, total=total)

    def _search_page(self, feed: feeds.Feed) -> dict[str, Json]:
        query = feeds.query(self._settings.projects, feed.asked)
        asked = {"jql": query, "maxResults": self._settings.page_size, "fields": self._fields}
        try:
            if self._is_cloud:
                return self._calls.get("search/jql", {**asked, "nextPageToken": feed.token})
            return self._calls.get("search", {**asked, "startAt": feed.start})
        except UnexpectedAnswer as error:
            if error.status != 400:
                raise
            if feed.token:
                raise CursorExpired(
                    "Jira no longer knows the page to go on with (page tokens live seven days).", status=400
                ) from error
            raise UnexpectedAnswer(
                f"{error.message} Do all projects in the settings exist, and may the account see them?", status=400
            ) from error

    def _zone_moved(self, issues: Sequence[Json]) -> bool:
        """Whether our account's time zone is another one than the query was written in.

        Times come with the offset of the account's profile, so an answer shows it. The profile is asked once more; if
        it has not changed, the site writes its times in a way of its own, and is not doubted again. An empty answer
        may mean that the query named a time still to come: then the profile is asked again now and then.
        """
        account = self._me()
        if not issues:
            if self._ports.clock.monotonic() - self._zone_read_at < _ZONE_TRUSTED:
                return False
            return self._me(anew=True).zone_name != account.zone_name
        if self._zone_doubted:
            return False
        try:
            shown = datetime.fromisoformat(issues[-1]["fields"]["updated"])
        except (KeyError, TypeError, ValueError):
            return False  # the snapshot will say what is wrong with it
        if shown.utcoffset() == shown.astimezone(account.zone).utcoffset():
            return False
        if self._me(anew=True).zone_name != account.zone_name:
            return True
        self._zone_doubted = True
        return False

    # --- reading records ---------------------------------------------------------------------------------------

    def fetch(self, keys: Sequence[str], *, whole: bool | None = None) -> dict[str, Snapshot | Missing]:
        """Read issues directly, by id or key.

        whole: with steps and remote links, at one call more for each; None means: when a single one is asked for.
        """
        asked = list(dict.fromkeys(keys))
        if whole is None:
            whole = len(asked) == 1
        found: dict[str, Snapshot | Missing] = {}
        if self._is_cloud and len(asked) > 1 and not whole:
            for start in range(0, len(asked), _BULK):
                found |= self._fetch_bulk(asked[start : start + _BULK])
        absent: list[str] = []
        for key in asked:
            if key in found:
                continue
            try:
                found[key] = self._read_whole(key) if whole else self._read_issue(key, steps=False)
            except RecordMissing:
                absent.append(key)
            except Forbidden as error:
                found[key] = Missing(kind=MissingKind.FORBIDDEN, detail=error.message)
        # Asked after the last 404: a permission that is there now may have been lost before, not the other way round.
        browsable: dict[str, bool] = {}
        for key in absent:
            found[key] = self._missing(key, browsable)
        return found

    def _fetch_bulk(self, asked: Sequence[str]) -> dict[str, Snapshot | Missing]:
        """Those of up to 100 issues that a bulk read shows under the name they were asked for by."""
        body = {"issueIdsOrKeys": list(asked), "fields": list(self._fields)}
        answer = self._calls.query("issue/bulkfetch", body, api=3)
        issues = rows_of(answer, "issues", where=_BULK_READ)
        found: dict[str, Snapshot | Missing] = {}
        for snap in (self._snapshot(issue, Origin.DIRECT) for issue in issues):
            found.update(dict.fromkeys({snap.ref.id, snap.ref.key}.intersection(asked), snap))
        return found

    def _read_whole(self, key: str) -> Snapshot:
        snap = self._read_issue(key, steps=True)
        return structs.replace(snap, links=self._read_links(snap.ref.id))

    def _read_issue(self, key: str, *, steps: bool) -> Snapshot:
        """One issue, directly. steps: with the workflow steps possible now, required fields included."""
        expand = "transitions,transitions.fields" if steps else ""
        issue = self._calls.get(f"issue/{_quoted(key)}", {"fields": self._fields, "expand": expand})
        return self._with_steps(issue, key) if steps else self._snapshot(issue, Origin.DIRECT, asked=key)

    def _with_steps(self, issue: dict[str, Json], key: str) -> Snapshot:
        offered = issue.get("transitions")
        if not isinstance(offered, list) or fields_unknown(offered):
            # Not every version expands the screens' fields inside an issue.
            answer = self._calls.get(f"issue/{_quoted(key)}/transitions", {"expand": "transitions.fields"})
            offered = answer.get("transitions")
            if not isinstance(offered, list):
                raise UnexpectedAnswer(f"Jira answered without the workflow steps of {key}.")
        snap = self._snapshot({**issue, "transitions": None}, Origin.DIRECT, asked=key)
        return structs.replace(snap, moves=moves(offered))

    def _read_links(self, number: str) -> tuple[LinkShown, ...] | None:
        """The remote links of an issue; None when linking is switched off or hidden from us."""
        try:
            return records.remote_links(self._calls.get_any(f"issue/{_quoted(number)}/remotelink"))
        except (Forbidden, RecordMissing):
            return None

    def _snapshot(self, issue: Json, origin: Origin, *, asked: str = "") -> Snapshot:
        extra = self._settings.extra_fields
        return records.snapshot(issue, site=self._settings.url, origin=origin, extra=extra, asked=asked)

    def _missing(self, key: str, browsable: dict[str, bool]) -> Missing:
        """Why an issue answers 404, by a second path: Jira says the same for "deleted" and for "not for you".

        If we still see its project (for an id: all configured ones), the issue itself is gone.
        """
        project = key.rpartition("-")[0]
        for name in [project] if project else self._settings.projects:
            if name not in browsable:
                browsable[name] = bool((self._granted(name, ["BROWSE_PROJECTS"]) or {}).get("BROWSE_PROJECTS"))
            if not browsable[name]:
                detail = (
                    f"Jira does not show {key}, nor project {name}: the account may have lost Browse Projects there."
                )
                return Missing(kind=MissingKind.FORBIDDEN, detail=detail)
        if self._settings.hides_issues:
            return Missing(kind=MissingKind.NOT_FOUND, detail=f"Jira does not show {key}; issue security may hide it.")
        detail = f"Jira shows the project but no issue {key}: deleted, or moved out of the account's sight."
        return Missing(kind=MissingKind.DELETED, detail=detail)

    # --- history -----------------------------------------------------------------------------------------------

    def history(self, ref: RecordRef, since: str) -> Sequence[HistoryRow]:
        """The issue's changelog after version `since`, oldest first; links and comments are not in it."""
        me = self._me().id
        if not self._is_cloud:
            issue = self._calls.get(f"issue/{_quoted(ref.id)}", {"fields": ["updated"], "expand": "changelog"})
            changelog = issue.get("changelog")
            where = f"Jira: the changelog of {ref.key or ref.id}"
            histories = rows_of(changelog if isinstance(changelog, dict) else {}, "histories", where=where)
            return records.history_rows(histories, me=me, since=since)
        entries, total = self._changelog(ref, 0)
        start = total - _CHANGELOG_PAGE
        if start <= 0:
            return records.history_rows(entries, me=me, since=since)
        # A long history: what happened lately is on its last pages.
        entries = []
        while True:
            page, _ = self._changelog(ref, max(0, start))
            entries = [*page, *entries]
            oldest = min((records.version_of(records.moment(entry.get("created"))) for entry in page), default="")
            if start <= 0 or oldest <= since:
                break
            start -= _CHANGELOG_PAGE
        unique = {str(entry.get("id")): entry for entry in entries}
        return records.history_rows(list(unique.values()), me=me, since=since)

    def _changelog(self, ref: RecordRef, start: int) -> tuple[list[dict[str, Json]], int]:
        answer = self._calls.get(
            f"issue/{_quoted(ref.id)}/changelog", {"startAt": str(start), "maxResults": _CHANGELOG_PAGE}
        )
        values = rows_of(answer, "values", where=f"Jira: the changelog of {ref.key or ref.id}")
        total = answer.get("total")
        return values, total if isinstance(total, int) else len(values)

    # --- writing -----------------------------------------------------------------------------------------------

    def steps(self, snapshot: Snapshot, changes: Changes) -> tuple[Changes, ...]:
        """One write each for labels with fields, for the status, and for every link. Notes are not written to Jira.

        Labels go before a status that finishes the issue and after one that opens it: many workflows lock done issues.
        """
        edit = Changes(add_tags=changes.add_tags, remove_tags=changes.remove_tags, set=changes.set)
        status = Changes(status=changes.status)
        done = snapshot.fields.get("status_category") == "done"
        fields = (status, edit) if done else (edit, status)
        links = (
            *(Changes(remove_links=(link,)) for link in changes.remove_links),
            *(Changes(add_links=(link,)) for link in changes.add_links),
        )
        return tuple(step for step in (*fields, *links) if not step.is_empty)

    def write(self, ref: RecordRef, changes: Changes, expect: Expect) -> Snapshot | None:
        """Make one step's write and read the issue back; None when it was made and could not be read back.

        Jira compares no versions itself, so labels, fields and status are written only after a read that shows the
        expected version, and not at all if that read already shows what is wanted. A link of ours is identified by its
        `globalId`; writing or removing it touches nothing else, so no version is compared.
        """
        parts = self.steps(expect.snapshot, changes)
        if len(parts) != 1 or changes.note:
            raise ValueError(f"one write takes one step, not {len(parts)}: {changes}")
        if changes.status is not None:
            return self._write_status(ref, changes, expect)
        if changes.add_links:
            self._calls.change("POST", f"issue/{_quoted(ref.id)}/remotelink", _link_body(changes), record=ref.id)
            return self._read_back(ref, links=True)
        if changes.remove_links:
            self._remove_link(ref, changes.remove_links[0])
            return self._read_back(ref, links=True)
        return self._write_edit(ref, changes, expect)

    def _write_status(self, ref: RecordRef, changes: Changes, expect: Expect) -> Snapshot | None:
        status = changes.status
        assert status is not None  # `write` has looked
        prior = self._prior(ref, expect, steps=True)
        if str(prior.fields["status"]).casefold() == status.raw.casefold():
            return prior
        move = pick(prior.moves or (), step=status.move, to=status.raw)
        if move is None:
            before = pick(expect.snapshot.moves or (), step=status.move, to=status.raw)
            shown = str(prior.fields["status"])[:80]
            message = f"{prior.ref.key} offers no step from {shown} to {status.raw} now."
            if before is not None:
                raise VersionConflict(f"{message} It did when this was decided.", snapshot=prior)
            raise WriteRejected(f"{message} Check the workflow and the account's permissions.", field="status")
        body = records.transition_body(move.id, status.fields, expect.op)
        self._calls.change("POST", f"issue/{_quoted(ref.id)}/transitions", body, record=ref.id)
        return self._read_moved(ref, prior, expect.op)

    def _write_edit(self, ref: RecordRef, changes: Changes, expect: Expect) -> Snapshot | None:
        prior = self._prior(ref, expect, steps=False)
        shown = set(prior.fields["labels"])
        same = all(prior.fields.get(name) == value for name, value in changes.set.items())
        if same and shown.issuperset(changes.add_tags) and shown.isdisjoint(changes.remove_tags):
            return prior
        params: dict[str, Any] = {}
        if not self._settings.notify_users:
            params["notifyUsers"] = False
        if self._is_cloud:
            params["returnIssue"] = True
        body = records.edit_body(changes, expect.op)
        answer = self._calls.change("PUT", f"issue/{_quoted(ref.id)}", body, params=params, record=ref.id)
        if answer.status_code == 200:
            with contextlib.suppress(UnexpectedAnswer):  # it was made all the same; then the read tells
                shown_now = self._snapshot(decode(answer, where="Jira: PUT issue"), Origin.DIRECT)
                if shown_now.version > prior.version:  # else it may show the issue as it was
                    return shown_now
        return self._read_back(ref)

    def _prior(self, ref: RecordRef, expect: Expect, *, steps: bool) -> Snapshot:
        """The issue just before a write. Raises VersionConflict if it is not the one the write was decided on."""
        prior = self._read_issue(ref.id, steps=steps)
        if prior.version != expect.version:
            raise VersionConflict(
                f"{prior.ref.key} changed since this was decided ({expect.version} to {prior.version}).", snapshot=prior
            )
        return prior

    def _read_back(self, ref: RecordRef, *, steps: bool = False, links: bool = False) -> Snapshot | None:
        """The issue after a write that was made. A failure here says nothing about the write, so it is no error."""
        try:
            return self._read_whole(ref.id) if links else self._read_issue(ref.id, steps=steps)
        except RemoteError:
            return None

    def _read_moved(self, ref: RecordRef, prior: Snapshot, op: str) -> Snapshot | None:
        """The issue after a transition, with what that replaced: its changelog, in the same answer, says whence it led.

        Where that is not the status it was made from, somebody moved the issue in between.
        """
        try:
            expand = "transitions,transitions.fields,changelog"
            issue = self._calls.get(f"issue/{_quoted(ref.id)}", {"fields": self._fields, "expand": expand})
            snap = self._with_steps(issue, ref.id)
            changelog = issue.get("changelog")
            histories = changelog.get("histories") if isinstance(changelog, dict) else None
            if not isinstance(histories, list):
                return snap
            me = self._account.id if self._account is not None else ""  # worth no call: the row names the delivery
            rows = records.history_rows(histories, me=me, since=prior.version)
        except RemoteError:
            return None
        return structs.replace(snap, overwrote=records.overwritten(prior, rows, op))

    def _remove_link(self, ref: RecordRef, link: LinkShown) -> None:
        """Remove one remote link by its id, or by `globalId`. One that is gone already is as wanted."""
        path, params = f"issue/{_quoted(ref.id)}/remotelink", {}
        if link.handle.isascii() and link.handle.isdigit():
            path = f"{path}/{link.handle}"
        elif link.handle:
            params = {"globalId": link.handle}
        else:  # without a name Jira would remove nothing, or guess
            raise WriteRejected(f"The link to {link.target} has no id by which Jira could remove it.", field="links")
        with contextlib.suppress(RecordMissing):
            self._calls.change("DELETE", path, params=params, record=ref.id)

    # --- creating ----------------------------------------------------------------------------------------------

    def probe(self, draft: Draft) -> dict[str, Json]:
        """The project and its highest issue key that search knows: what is created now will come after it."""
        project = records.project_of(draft)
        if not project:
            raise WriteRejected("The mapping names no project to create the issue in.", field="project")
        query = f'project = "{_escaped(project)}" ORDER BY key DESC'
        path = "search/jql" if self._is_cloud else "search"
        answer = self._calls.get(path, {"jql": query, "maxResults": 1, "fields": ["created"]})
        keys = [str(issue.get("key") or "") for issue in rows_of(answer, "issues", where=_SEARCH)]
        highest = records.key_number(keys[0]) if keys else 0
        if keys and not highest:
            raise UnexpectedAnswer(f"{_SEARCH} answered with an issue that has no key.")
        return {"project": project, "highest": highest}

    def create(self, draft: Draft, marker: str) -> RecordRef:
        """Create one issue with the marker in the same request. Links are written afterwards, each by itself."""
        body = records.create_body(draft, marker, self._settings.marker_property)
        answer = self._calls.change("POST", "issue", body)
        try:
            number, key = records.identity(decode(answer, where="Jira: POST issue"))
        except UnexpectedAnswer as error:
            raise UnexpectedAnswer(
                "Jira took the new issue but did not say which it is; it is looked for by its marker.",
                applied=True,
                status=answer.status_code,
            ) from error
        return self._ref(number, key)

    def find_created(self, intent: CreateIntent) -> RecordRef | Absent | NotYetCertain | Duplicated:
        """Look for an issue with the intent's marker: directly under the keys that came after, then by search.

        Only when the search index must have caught up is its silence believed.
        """
        found: dict[str, RecordRef] = {}
        for issue in (*self._later_keys(intent), *self._created_by_us(intent)):
            if records.marker_in(issue, self._settings.marker_property) == intent.marker:
                number, key = records.identity(issue)
                found[number] = self._ref(number, key)
        if len(found) > 1:
            return Duplicated(refs=tuple(sorted(found.values())))
        if found:
            return next(iter(found.values()))
        lag = self._settings.index_lag_seconds
        left = lag - (self._ports.clock.now() - intent.at).total_seconds()
        if left <= 0:
            return Absent()
        return NotYetCertain(seconds=min(left, max(1.0, lag / 10)), detail="Jira's search may not show new issues yet.")

    def _later_keys(self, intent: CreateIntent) -> Iterator[Json]:
        """The issues after the highest key known when the intent was written, with their markers. Direct reads."""
        project, highest = str(intent.probe["project"]), int(intent.probe["highest"])
        if self._is_cloud:
            for first in range(highest + 1, highest + 1 + 10 * _BULK, _BULK):
                issues = self._bulk_markers([f"{project}-{number}" for number in range(first, first + _BULK)])
                yield from issues
                if not issues:
                    return
            return
        misses = 0
        for number in range(highest + 1, highest + 1 + 10 * _BULK):
            issue = self._marked(f"{project}-{number}")
            if issue is not None:
                misses = 0
                yield issue
            elif (misses := misses + 1) == 5:  # single gaps are deleted issues; five in a row are the end
                return

    def _bulk_markers(self, keys: Sequence[str]) -> list[dict[str, Json]]:
        body = {"issueIdsOrKeys": list(keys), "fields": ["created"], "properties": [self._settings.marker_property]}
        try:
            answer = self._calls.query("issue/bulkfetch", body, api=3)
        except RecordMissing:
            return []
        return rows_of(answer, "issues", where=_BULK_READ)

    def _marked(self, key: str) -> Json:
        params = {"fields": ["created"], "properties": [self._settings.marker_property]}
        try:
            return self._calls.get(f"issue/{_quoted(key)}", params)
        except RecordMissing:
            return None

    def _created_by_us(self, intent: CreateIntent) -> Iterator[Json]:
        """The issues search shows as created by our account since shortly before the intent, with their markers."""
        since = feeds.wall_clock(intent.at - timedelta(minutes=10), self._me().zone)
        query = f'creator = currentUser() AND created >= "{since}" ORDER BY created ASC'
        asked = {"jql": query, "maxResults": 100, "fields": ["created"]}
        if self._is_cloud:
            token = ""
            for _ in range(10):
                answer = self._calls.get(
                    "search/jql", {**asked, "properties": [self._settings.marker_property], "nextPageToken": token}
                )
                yield from rows_of(answer, "issues", where=_SEARCH)
                token = str(answer.get("nextPageToken") or "")
                if answer.get("isLast") is True or not token:
                    return
            return
        for start in range(0, 1000, 100):
            issues = rows_of(self._calls.get("search", {**asked, "startAt": start}), "issues", where=_SEARCH)
            for issue in issues:
                marked = self._marked(str(issue.get("id")))
                if marked is not None:
                    yield marked
            if len(issues) < 100:
                return

    def _ref(self, number: str, key: str) -> RecordRef:
        return RecordRef(kind=records.KIND, id=number, key=key, url=records.browse_url(self._settings.url, key))

    # --- what the site has -------------------------------------------------------------------------------------

    def values(self) -> Mapping[str, Sequence[str]]:
        """The names of the site's statuses, priorities, issue types and resolutions, and the ids of its fields."""
        found: dict[str, Sequence[str]] = {}
        for field, path, name in (
            ("status", "status", "name"),
            ("priority", "priority", "name"),
            ("issuetype", "issuetype", "name"),
            ("resolution", "resolution", "name"),
            ("fields", "field", "id"),
        ):
            try:
                entries = self._calls.get_any(path)
            except (RecordMissing, Forbidden):
                continue
            if not isinstance(entries, list):
                raise UnexpectedAnswer(f"Jira: GET {path} answered with something else than a list.")
            texts = [str(entry[name]) for entry in entries if isinstance(entry, dict) and entry.get(name)]
            found[field] = tuple(dict.fromkeys(texts))
        return found

    def catalogue(self) -> Catalogue:
        """`connectors.contract.Catalogued`: the site as far as a mapping for our projects needs to know it."""
        return catalogue.read(self._calls, self._settings.projects, self._fields)


# --- the library -----------------------------------------------------------------------------------------------------


def _library(settings: JiraSettings) -> jira.JIRA:
    """The vendor's client, signed in, without any call made. Its retries are off; its session is tamed by `Calls`."""
    auth = settings.auth
    basic: tuple[str, str] | None = None
    token: str | None = None
    match auth:
        case CloudToken():
            basic = (auth.email, auth.api_token.get_secret_value())
        case Password():
            basic = (auth.username, auth.password.get_secret_value())
        case CloudBearer() | PersonalToken():
            token = auth.token.get_secret_value()
    library = jira.JIRA(
        server=settings.api_url,
        basic_auth=basic,
        token_auth=token,
        get_server_info=False,
        max_retries=0,
        timeout=(settings.connect_seconds, settings.read_seconds),
        logging=False,
    )
    # Without these its own searches would use a removed endpoint and read the list of fields first. We call raw.
    library.deploymentType = "Cloud"
    library._fields_cache_value = {"_": "_"}  # noqa: SLF001  the version is pinned
    return library


def _zone(name: str) -> tzinfo:
    if name in {"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Etc/Greenwich"}:
        return UTC  # needs no time zone database
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UnexpectedAnswer(
            f"Jira says the hub's account lives in time zone {name[:60]!r}, which this machine does not know. "
            "Set the account's time zone to UTC in its Jira profile."
        ) from None


def _link_body(changes: Changes) -> dict[str, Json]:
    link = changes.add_links[0]
    if not link.url.startswith(("https://", "http://")):
        raise WriteRejected(
            f"The record {link.key or link.id} has no address that a link could lead to.", field="links"
        )
    return records.remote_link_body(link)


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
