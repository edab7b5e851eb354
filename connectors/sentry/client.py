"""One open connection to a Sentry organisation, or to GlitchTip: `contract.Remote` on httpx.

What differs between Sentry SaaS, a server of one's own and GlitchTip is asked of `Product`, a set of flags. Nothing
here ever calls the lists with PUT or DELETE: without ids, Sentry then changes every issue it finds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from msgspec import Struct

from connectors.contract import Capabilities, Page, Ports
from connectors.errors import (
    AuthRejected,
    CursorExpired,
    Forbidden,
    RateLimited,
    RecordMissing,
    RemoteError,
    Unavailable,
    UnexpectedAnswer,
    VersionConflict,
    WriteRejected,
)
from connectors.http import Limits, excerpt
from connectors.sentry import activity, call_ids, feed, findings, records, tagnote
from connectors.sentry.activity import Ours
from connectors.sentry.calls import LONGEST_PAUSE, Calls, Params
from connectors.sentry.memory import Memory
from connectors.sentry.releases import Releases
from connectors.sentry.settings import SentrySettings
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
    LinkView,
    Missing,
    MissingKind,
    NotYetCertain,
    Origin,
    RecordRef,
    Snapshot,
)

CONFIRM_AFTER = 300.0
"""Seconds after which an issue that is still not found counts as deleted: until then a merge may be pending."""

MARGIN = 30.0
"""Seconds until the first of the two reads has surely been made."""

WATCHED_AT_ONCE = 100
WATCHED_LISTS = 2
"""Known issues, and calls for them, at the end of a round: most of their changes move nothing in the list."""

PATIENCE = 5
"""Windows of a rate limit that a read of several issues waits out, each of a second or two."""


class Product(Struct, frozen=True, kw_only=True):
    """What the server can do. Flags, so that a version that can more or less is another set of them."""

    by_org: bool = True
    activity: bool = True
    fields: bool = True
    apps: bool = True
    releases: bool = True
    feedback: bool = True
    period: bool = True
    select: bool = True
    sort_seen: str = "date"
    sort_first: str = "new"
    notes: str = "notes"


_PRODUCTS = {
    "sentry": Product(),
    "glitchtip": Product(
        by_org=False,
        activity=False,
        fields=False,
        apps=False,
        releases=False,
        feedback=False,
        period=False,
        select=False,
        sort_seen="-last_seen",
        sort_first="-first_seen",
        notes="comments",
    ),
}


class Found(Struct, frozen=True, kw_only=True):
    """One issue as a direct read gave it. rows: its log, oldest first; None where the product keeps none."""

    issue: dict[str, Json]
    rows: list[dict[str, Json]] | None


class Who(Struct, frozen=True, kw_only=True):
    """Who we are in an organisation. scopes: of the token, None where the server does not say."""

    ours: Ours
    installation: str
    installations: tuple[str, ...]
    scopes: frozenset[str] | None


class SentryRemote:
    """`contract.Remote` for one organisation; used by one thread at a time. limits: of each call."""

    def __init__(self, settings: SentrySettings, ports: Ports, limits: Limits | None = None) -> None:
        self._settings = settings
        self._ports = ports
        self._product = _PRODUCTS[settings.flavour]
        self._memory = Memory(ports.shared)
        self._calls = Calls(settings, ports, limits)
        self._releases = Releases(settings, self._calls, self._memory, ports.clock)

    # --- what the connection can do -------------------------------------------------------------------------------

    def check(self) -> Capabilities:
        """Prove token, scopes, organisation and projects by reads. Raises AuthRejected, Unavailable, ..."""
        try:
            organisation = self._calls.get(f"{self._calls.org}/")
        except (Forbidden, RecordMissing) as error:
            raise AuthRejected(
                f"{error.message} Is {self._settings.organization} an organisation at {self._settings.base_url}, and "
                "may the token see it (scope org:read)?",
                status=error.status,
            ) from None
        number = organisation.get("id")
        if not number:
            raise UnexpectedAnswer(
                f"GET {self._calls.org}/ answered without an id. Is {self._settings.base_url} a Sentry?"
            )
        who = self._who(anew=True)
        found = [
            *findings.of_scopes(who.scopes, self._product.apps),
            *findings.of_projects(self._settings, self._project_ids(anew=True)),
            *findings.of_list(self._calls, self._list_params(feed.begin(self._ports.clock.now()), "")),
            findings.of_writing(self._product.fields, self._product.apps and bool(who.installation)),
        ]
        if self._product.apps:
            found += findings.of_installation(self._settings, who.installations, who.installation)
        if self._product.activity and not (who.ours.user or who.ours.apps):
            found.append(findings.UNKNOWN_SELF)
        if not self._product.activity:
            found += findings.of_glitchtip()
        return Capabilities(
            account=f"{urlsplit(self._settings.base_url).netloc.lower()}/organizations/{number}",
            me=who.ours.user or next(iter(sorted(who.ours.apps)), ""),
            version=self._settings.flavour,
            writes_tags=False,
            writes_links=bool(who.installation) and self._product.apps,
            links_via="app" if who.installation and self._product.apps else "note",
            history=self._product.activity and bool(who.ours.user or who.ours.apps),
            creates=False,
            webhooks="none: GlitchTip tells nothing but alerts"
            if not self._product.activity
            else "by hand: Settings, Developer settings, the internal integration: webhook URL /hooks/CONNECTION, "
            "resources issue and comment, and set webhook_secret to its client secret",
            findings=tuple(found),
        )

    def values(self) -> Mapping[str, Sequence[str]]:
        """Statuses, priorities and projects; no project of Sentry's has statuses of its own."""
        found: dict[str, Sequence[str]] = {
            "status": records.STATUSES,
            "state": ("unresolved", "resolved", "ignored"),
            "project": tuple(sorted(self._project_ids(anew=True))),
        }
        if self._product.fields:
            found["priority"] = records.PRIORITIES
        return found

    def close(self) -> None:
        """Close the connections of this thread."""
        self._calls.close()

    # --- the feed -------------------------------------------------------------------------------------------------

    def page(self, cursor: str | None, since: datetime) -> Page:
        """One page of a round over the issue lists; snapshots are `list` and have no version.

        Nothing in Sentry says that an issue changed without an event. So the lists' copies are compared with the ones
        before, and what differs, new issues too, is named in `linked`: the hub reads it directly, with what only a
        direct read shows. The end of a round also looks at issues that were read directly and at awaited deploys.
        """
        place = feed.read(cursor) if cursor else feed.begin(since)
        now = self._ports.clock.now()
        try:
            page = self._calls.rows(f"{self._calls.org}/issues/", self._list_params(place, place.at))
        except UnexpectedAnswer as error:
            if place.at and error.status in {400, 410, 422}:
                raise CursorExpired(error.message, status=error.status) from None
            raise
        except (Forbidden, RecordMissing) as error:
            raise AuthRejected(
                f"{error.message} The issue list needs the scope event:read.", status=error.status
            ) from None
        name = "lastSeen" if place.listing == feed.ISSUES else "firstSeen"
        times = [records.seen_at(issue, name).timestamp() for issue in page.rows]
        issues = [issue for issue in page.rows if not records.is_pending(issue)]
        snapshots = {
            snap.ref.id: snap
            for snap in (self._copy(issue) for issue in issues)
            if snap.updated_at.timestamp() >= feed.bottom(place)
        }
        linked = self._differing(issues, tell=not place.is_first)
        following, more = feed.after(
            place, times, page.following, now=now, with_feedback=self._product.feedback and self._settings.feedback
        )
        if not more and not place.is_first:
            try:
                linked |= self._watched(now)
                linked |= dict.fromkeys(self._releases.newly_out(), now)
            except (RateLimited, Unavailable):
                pass  # the page is good without them; the next round looks again
        return Page(
            snapshots=tuple(snapshots.values()),
            cursor=feed.text(following),
            more=more,
            linked=linked,
            total=page.total if place.is_first and place.listing == feed.ISSUES and not place.at else None,
        )

    def _list_params(self, place: feed.Place, at: str) -> list[tuple[str, str]]:
        """How a list is asked for. An empty query means every status: without one Sentry shows the unresolved only."""
        of_feedback = place.listing == feed.FEEDBACK
        params = [
            ("query", "issue.category:feedback" if of_feedback else ""),
            ("sort", self._product.sort_first if of_feedback else self._product.sort_seen),
            ("limit", str(self._settings.page_size)),
            *self._project_params(),
        ]
        if self._product.period:
            params += [("statsPeriod", feed.period(place, self._ports.clock.now())), *_SLIM]
        return [*params, ("cursor", at)] if at else params

    def _project_params(self) -> list[tuple[str, str]]:
        if not self._settings.projects:
            return [("project", "-1")] if self._product.period else []
        known = self._project_ids()
        return [("project", known[slug]) for slug in self._settings.projects if slug in known]

    def _copy(self, issue: Mapping[str, Json]) -> Snapshot:
        """A list's copy. Its tags are the ones that were read last, since a list shows none."""
        tags = self._memory.get("tags", records.id_of(issue))
        return records.snapshot(
            issue,
            self._settings,
            origin=Origin.LIST,
            tags=tags[1] if tags else (),
            deployed=self._releases.known_out(issue),
            beyond=self._memory.get("beyond", records.id_of(issue)) is True,
            ids=call_ids.fields(ids[1] if (ids := self._memory.get("ids", records.id_of(issue))) else ()),
        )

    def _differing(self, issues: Sequence[Mapping[str, Json]], *, tell: bool) -> dict[str, datetime]:
        """The issues whose copies differ from the ones before, or are the first ones. Remembers what it has told."""
        found: dict[str, datetime] = {}
        for issue in issues:
            number, digest = records.id_of(issue), records.digest_of(issue)
            known = self._memory.get("listed", number)
            if known == digest or (known is not None and not tell):
                continue
            self._memory.put("listed", number, digest)
            if tell:
                found[number] = records.seen_at(issue, "lastSeen")
        return found

    def _watched(self, now: datetime) -> dict[str, datetime]:
        """Look again at some of the issues that were read directly, in turn: by id, whatever their status and age.

        Selecting by id is not documented. A server that answers with others is not asked again.
        """
        found: dict[str, datetime] = {}
        if not self._product.select or self._memory.get("no_select"):
            return found
        for _list in range(WATCHED_LISTS):
            ids = self._memory.turn("watched", WATCHED_AT_ONCE)
            if not ids:
                break
            params = [("group", each) for each in ids] + [("query", ""), ("project", "-1"), ("limit", "100"), *_SLIM]
            try:
                rows = self._calls.rows(f"{self._calls.org}/issues/", params).rows
            except (UnexpectedAnswer, Forbidden, RecordMissing):
                self._memory.put("no_select", "", True)
                break
            shown = {records.id_of(row): row for row in rows}
            if not shown.keys() <= set(ids):
                self._memory.put("no_select", "", True)
                break
            found |= self._differing([row for row in rows if not records.is_pending(row)], tell=True)
            for each in ids:
                if each not in shown or records.is_pending(shown[each]):
                    found |= dict.fromkeys(self._gone(each), now)
                else:
                    self._memory.put("gone", each, None)
            if len(ids) < WATCHED_AT_ONCE:
                break
        return found

    def _gone(self, number: str) -> tuple[str, ...]:
        """Whether to read an issue that no list shows: at once, and again when its absence can be confirmed."""
        clock, since = self._ports.clock.monotonic(), self._memory.get("gone", number)
        if since is None:
            self._memory.put("gone", number, clock)
            return (number,)
        if since < 0 or clock - since < CONFIRM_AFTER + MARGIN:
            return ()
        self._memory.put("gone", number, -1.0)
        return (number,)

    # --- direct reads ---------------------------------------------------------------------------------------------

    def fetch(self, keys: Sequence[str], *, whole: bool | None = None) -> Mapping[str, Snapshot | Missing]:
        """Issues by id or short id, one call each: only a single issue shows its log, which is its version.

        whole: with its links, two more calls; None means: when a single issue is asked for. Tags cost one call where an
        issue was seen since they were read. A merged issue answers as its survivor, and its id tells.
        """
        with_links = len(keys) == 1 if whole is None else whole
        wanted = tuple(dict.fromkeys(keys))
        patience = PATIENCE if len(wanted) > 1 else 0
        found: dict[str, Snapshot | Missing] = {}
        for key in wanted:
            while key not in found:
                try:
                    found[key] = self._fetch(key, with_links)
                except RateLimited as error:
                    # Another client used the window up. What was read of the others so far would be lost with it.
                    if not patience or error.retry_after is None or error.retry_after > LONGEST_PAUSE:
                        raise
                    patience -= 1
                    self._ports.clock.sleep(error.retry_after)
        return found

    def history(self, ref: RecordRef, since: str) -> Sequence[HistoryRow]:
        """The issue's activity after version `since`, oldest first. Empty where the product keeps none."""
        if not self._product.activity:
            return ()
        path = f"{self._issue_path(ref.id)}activities/"
        try:
            body = self._calls.get(path)
        except RecordMissing:
            # Versions without this list have the log in the issue itself; a missing issue is missing there too.
            body = self._calls.get(self._issue_path(ref.id), _SLIM_DETAIL)
        return activity.history_rows(activity.rows_in(body, f"GET {path}"), since=since, ours=self._who().ours)

    def _fetch(self, key: str, with_links: bool) -> Snapshot | Missing:
        found = self._find(key)
        return found if isinstance(found, Missing) else self._show(found, with_links=with_links, asked=key)

    def _find(self, key: str) -> Found | Missing:
        """Read one issue, or find out why it cannot be read."""
        number = key if key.isascii() and key.isdigit() and len(key) < 20 else ""
        if not number and not (records.is_short_id(key) and self._product.by_org):
            return Missing(kind=MissingKind.NOT_FOUND, detail="neither an issue's id nor a short id")
        try:
            issue = self._calls.get(self._issue_path(key), _SLIM_DETAIL)
        except Forbidden as error:
            return Missing(kind=MissingKind.FORBIDDEN, detail=error.message)
        except RecordMissing as error:
            return self._absent(key, error.message)
        shown = records.id_of(issue)
        if (number and shown != number) or (not number and str(issue.get("shortId") or key).upper() != key.upper()):
            return Missing(kind=MissingKind.MERGED, into=shown, detail=f"merged into {issue.get('shortId') or shown}")
        if records.is_pending(issue):
            return self._absent(key, f"it is {str(issue.get('status')).replace('_', ' ')}")
        self._memory.put("missed", key, None)
        rows: list[dict[str, Json]] | None = None
        if self._product.activity:
            body = issue if isinstance(issue.get("activity"), list) else None
            if body is None:
                body = self._calls.get(f"{self._issue_path(shown)}activities/")
            rows = activity.rows_in(body, f"GET {self._issue_path(shown)}")
        return Found(issue=issue, rows=rows)

    def _absent(self, key: str, detail: str) -> Missing:
        """What a 404 means. Sentry answers so while a merge or a deletion is pending, and for what is gone for good.

        A token reaches its whole organisation, so what is still not there after minutes, while the organisation itself
        is, was deleted. Until then it is not found.
        """
        clock = self._ports.clock.monotonic()
        first = self._memory.get("missed", key)
        if first is None:
            self._memory.put("missed", key, clock)
            return Missing(kind=MissingKind.NOT_FOUND, detail=f"{detail}: gone, or about to be")
        if clock - first < CONFIRM_AFTER:
            return Missing(kind=MissingKind.NOT_FOUND, detail=f"{detail}: gone, or about to be")
        try:
            self._calls.get(f"{self._calls.org}/")
        except (Forbidden, RecordMissing, AuthRejected) as error:
            return Missing(kind=MissingKind.NOT_FOUND, detail=f"and neither is the organisation: {error.message}")
        return Missing(kind=MissingKind.DELETED, detail=f"not there for {CONFIRM_AFTER / 60:.0f} minutes and more")

    def _show(
        self, found: Found, *, with_links: bool, asked: str = "", overwrote: tuple[FieldEdit, ...] = ()
    ) -> Snapshot:
        issue = found.issue
        number = records.id_of(issue)
        self._memory.put("watched", number, True)
        beyond = activity.is_beyond(found.rows or ())
        self._memory.put("beyond", number, beyond)
        return records.snapshot(
            issue,
            self._settings,
            origin=Origin.DIRECT,
            # Without a log the version is the time it was seen last; equal ones are told apart by the order of reads.
            activity=found.rows if found.rows is not None else (),
            tags=[*self._tags(issue), *self._noted_tags(found)],
            deployed=self._releases.is_out(issue) if self._product.releases else False,
            beyond=beyond,
            links=self._links(number) if with_links else None,
            asked=asked,
            overwrote=overwrote,
            ids=self._ids(issue),
        )

    def _ids(self, issue: Mapping[str, Json]) -> dict[str, list[str]]:
        """The calls that the issue's events name: of its newest events, read anew only when there were events since."""
        if not self._settings.id_keys:
            return {}
        number, stamp = records.id_of(issue), _last_event(issue)
        known = self._memory.get("ids", number)
        if not known or known[0] != stamp:
            try:
                rows = self._calls.rows(f"{self._issue_path(number)}events/", [("per_page", "100")]).rows
            except (Forbidden, RecordMissing, UnexpectedAnswer):
                rows = []  # an issue without this knowledge is still an issue
            pairs = call_ids.pairs_in(rows, self._settings.id_keys)
            known = [stamp, call_ids.chosen(pairs, known[1] if known else ())]
            self._memory.put("ids", number, known)
        return call_ids.fields(known[1])

    def _tags(self, issue: Mapping[str, Json]) -> list[str]:
        """The chosen event tags, read anew only when there were events since."""
        if not self._settings.tag_keys:
            return []
        number = records.id_of(issue)
        stamp = _last_event(issue)
        known = self._memory.get("tags", number)
        if known and known[0] == stamp:
            return list(known[1])
        params = [("key", key) for key in self._settings.tag_keys]
        try:
            rows = self._calls.rows(f"{self._issue_path(number)}tags/", params).rows
        except (Forbidden, RecordMissing):
            rows = [
                row
                for key in self._settings.tag_keys
                if (row := self._optional(f"{self._issue_path(number)}tags/{records.path_part(key)}/"))
            ]
        tags = records.tag_texts(rows, self._settings.tag_keys, self._settings.tag_values)
        self._memory.put("tags", number, [stamp, tags])
        return tags

    def _noted_tags(self, found: Found) -> tuple[str, ...]:
        """The tags in the hub's own comment. Asks who we are only where there is such a comment."""
        rows = [row for row in found.rows or () if str(row.get("type") or "").lower() == "note"]
        return tagnote.find(rows, self._who().ours).tags if rows else ()

    def _links(self, number: str) -> tuple[LinkShown, ...] | None:
        """The links that apps and integrations put on an issue.

        None where we could put none there: then what is missing was not taken away by anybody.
        """
        if not self._product.apps or not self._who().installation:
            return None
        external = self._calls.rows(f"{self._issue_path(number)}external-issues/").rows
        found = records.external_links(external)
        if not self._memory.get("no_integrations"):
            try:
                found += records.integration_links(self._calls.rows(f"{self._issue_path(number)}integrations/").rows)
            except (Forbidden, RecordMissing):
                self._memory.put("no_integrations", "", True)  # the plan, or the token, has none
        return found

    # --- writing --------------------------------------------------------------------------------------------------

    def steps(self, snapshot: Snapshot, changes: Changes) -> tuple[Changes, ...]:
        """One update carries status, assignee and priority; each link and each note is a request of its own."""
        split = [
            Changes(status=changes.status, set=changes.set),
            Changes(add_tags=changes.add_tags, remove_tags=changes.remove_tags),
            *(Changes(remove_links=(link,)) for link in changes.remove_links),
            *(Changes(add_links=(link,)) for link in changes.add_links),
            Changes(note=changes.note),
        ]
        return tuple(step for step in split if not step.is_empty)

    def write(self, ref: RecordRef, changes: Changes, expect: Expect) -> Snapshot | None:
        """One step. Sentry takes a write on any version, so the issue is read before, and read back after it."""
        if changes.remove_links:
            self._unlink(changes.remove_links[0])
            return None
        if changes.add_links:
            self._link(ref, changes.add_links[0])
            return None
        before = self._expected(ref, expect)
        if changes.note:
            return self._note(ref, changes.note)
        if changes.add_tags or changes.remove_tags:
            return self._tag(ref, before, changes)
        body = self._needed(changes, before)
        if not body:
            return self._show(before, with_links=False)
        response = self._calls.write("PUT", self._update_path(ref.id), body)
        if response.status_code == 204:
            raise RecordMissing(f"PUT {self._update_path(ref.id)} answered 204: there is no such issue.", status=204)
        return self._read_back(ref, before)

    def _expected(self, ref: RecordRef, expect: Expect) -> Found:
        """Read the issue; refuse the write where it is another one by now, or somebody moved it.

        Raises RecordMissing, VersionConflict. A merged issue's address leads to its survivor: it must not be written.
        """
        found = self._find(ref.id)
        if isinstance(found, Missing):
            if found.kind is MissingKind.FORBIDDEN:
                raise Forbidden(found.detail, status=403)
            raise RecordMissing(f"{ref.key or ref.id}: {found.detail}", status=404)
        snapshot = self._show(found, with_links=False)
        seen = activity.newest_in(expect.version)
        edits = [row for row in found.rows or () if seen and activity.number_of(row) > seen and activity.edits(row)]
        if edits or snapshot.fields["status"] != expect.snapshot.fields.get("status"):
            shown = excerpt(str(snapshot.fields["status"]), 40)
            raise VersionConflict(
                f"{ref.key or ref.id} shows {shown} and was changed since it was read",
                snapshot=snapshot,
            )
        return found

    def _needed(self, changes: Changes, before: Found) -> dict[str, Json]:
        """What of an update is still to be sent.

        A resolve of a resolved issue would be told and logged again, and any status that is there already deletes what
        is known of its resolution.
        """
        body = records.update_body(changes, plain=not self._product.fields)
        if changes.status is not None:
            shown = records.raw_status(before.issue, deployed=False)
            same_side = any({shown, changes.status.raw} <= set(family) for family in (records.OPEN, records.RESOLVED))
            if shown == changes.status.raw or same_side:
                for name in ("status", "statusDetails", "substatus"):
                    body.pop(name, None)
        return body

    def _read_back(self, ref: RecordRef, before: Found) -> Snapshot | None:
        """The issue after a write: an answer of 200 may have changed nothing. None where it cannot be read just now."""
        try:
            found = self._find(ref.id)
            if isinstance(found, Missing):
                return None
            rows, seen = found.rows or [], max((activity.number_of(row) for row in before.rows or ()), default=0)
            hidden = activity.overwritten(rows, after=seen, ours=self._who().ours) if rows else ()
            return self._show(found, with_links=False, overwrote=hidden)
        except RemoteError:
            return None

    def _note(self, ref: RecordRef, text: str) -> Snapshot | None:
        path = f"{self._issue_path(ref.id)}{self._product.notes}/"
        body: dict[str, Json] = {"text": text} if self._product.by_org else {"data": {"text": text}}
        try:
            self._calls.write("POST", path, body)
        except WriteRejected as error:
            if "already posted" not in error.message.lower():
                raise
            # The same words by us within the hour: they stand there, which is what was asked.
        return self._safely_shown(ref)

    def _tag(self, ref: RecordRef, before: Found, changes: Changes) -> Snapshot | None:
        """Show tags in the hub's own comment: the substitute for tags that nobody can write."""
        if before.rows is None:
            raise WriteRejected(
                "GlitchTip's tags belong to events and cannot be written: let the mapping say `direction: in` for tags",
                field="tags",
            )
        note = tagnote.find(before.rows, self._who().ours)
        tags = tagnote.changed(note, self._tags(before.issue), changes.add_tags, changes.remove_tags)
        if tags == note.tags:
            return self._show(before, with_links=False)
        path = f"{self._issue_path(ref.id)}{self._product.notes}/"
        body = {"text": tagnote.text_of(tags)}
        if note.id:
            self._calls.write("PUT", f"{path}{records.path_part(note.id)}/", body)
        else:
            self._calls.write("POST", path, body)
        return self._safely_shown(ref)

    def _safely_shown(self, ref: RecordRef) -> Snapshot | None:
        """The issue after a write that took effect. None where it cannot be read, or not understood, just now."""
        try:
            found = self._find(ref.id)
            return None if isinstance(found, Missing) else self._show(found, with_links=False)
        except RemoteError:
            return None

    def _link(self, ref: RecordRef, link: LinkView) -> None:
        """Show a record on an issue through our app. An app has one link on an issue, so ours is looked for first."""
        who = self._who()
        if not who.installation or not self._product.apps:
            raise WriteRejected(
                "No installation of an internal integration is known, and only one can put links on an issue: set "
                "`installation`, or let the mapping say `links: {show: note}`",
                field="links",
            )
        for row in self._calls.rows(f"{self._issue_path(ref.id)}external-issues/").rows:
            if str(row.get("serviceType") or "") not in who.ours.apps:
                continue
            if row.get("webUrl") == link.url:
                return
            self._delete_link(who, str(row.get("id") or ""))
            raise Unavailable(
                f"Sentry shows one link for each app on an issue. Ours was {excerpt(str(row.get('displayName')))}; it "
                f"was taken away, and {link.key or link.id} is put there at the next attempt."
            )
        path = f"/sentry-app-installations/{who.installation}/external-issues/"
        try:
            self._calls.write("POST", path, records.link_body(ref.id, link))
        except Forbidden as error:
            raise WriteRejected(
                f"{error.message} The token must be the one of installation {who.installation}.", field="links"
            ) from None

    def _unlink(self, link: LinkShown) -> None:
        who = self._who()
        if not link.handle or not who.installation:
            raise WriteRejected(
                "This link was not made by our app, so only its own can take it away: remove it in Sentry",
                field="links",
            )
        self._delete_link(who, link.handle)

    def _delete_link(self, who: Who, handle: str) -> None:
        path = f"/sentry-app-installations/{who.installation}/external-issues/{records.path_part(handle)}/"
        try:
            self._calls.write("DELETE", path)
        except RecordMissing:
            return  # it is gone already, which is what was asked
        except Forbidden as error:
            raise WriteRejected(
                f"{error.message} Taking links away needs the scope event:admin.", field="links"
            ) from None

    # --- creating: Sentry makes its issues of events -----------------------------------------------------------------

    def probe(self, draft: Draft) -> dict[str, Json]:
        """Nothing: nothing is ever created."""
        del draft
        return {}

    def create(self, draft: Draft, marker: str) -> RecordRef:
        """Always refused: Sentry makes its issues of events. Raises WriteRejected."""
        del draft, marker
        raise WriteRejected("Sentry makes its issues of events, so none can be created: take the route away")

    def find_created(self, intent: CreateIntent) -> RecordRef | Absent | NotYetCertain | Duplicated:
        """Absent, always: nothing is ever created."""
        del intent
        return Absent()

    # --- who and where ----------------------------------------------------------------------------------------------

    def _issue_path(self, key: str) -> str:
        prefix = self._calls.org if self._product.by_org else ""
        return f"{prefix}/issues/{records.path_part(key)}/"

    def _update_path(self, number: str) -> str:
        """The address of one issue, never of the list."""
        if not (number.isascii() and number.isdigit()):
            raise WriteRejected(f"{excerpt(number, 40)!r} is no issue's id")
        return f"{self._calls.org}/issues/{number}/"

    def _who(self, *, anew: bool = False) -> Who:
        """Who we are there. Learnt once for all clients of the connection."""
        known = None if anew else self._memory.get("who")
        if known is None:
            known = self._learn_who()
            self._memory.put("who", "", known)
        return Who(
            ours=Ours(user=known["user"], apps=frozenset(known["apps"])),
            installation=known["installation"],
            installations=tuple(known["installations"]),
            scopes=None if known["scopes"] is None else frozenset(known["scopes"]),
        )

    def _learn_who(self) -> dict[str, Json]:
        index = self._optional("/")
        user, auth = index.get("user"), index.get("auth")
        scopes = auth.get("scopes") if isinstance(auth, dict) else None
        rows: list[dict[str, Json]] = []
        if self._product.apps:
            try:
                rows = self._calls.rows(f"{self._calls.org}/sentry-app-installations/").rows
            except (Forbidden, RecordMissing):
                rows = []
        found = {str(row.get("uuid")): _names_of_app(row) for row in rows if row.get("uuid")}
        chosen = self._settings.installation or (next(iter(found)) if len(found) == 1 else "")
        return {
            "user": str(user.get("id") or "") if isinstance(user, dict) else "",
            "apps": found.get(chosen, []),
            "installation": chosen if chosen in found or self._settings.installation else "",
            "installations": sorted(found),
            "scopes": [str(scope) for scope in scopes] if isinstance(scopes, list) else None,
        }

    def _project_ids(self, *, anew: bool = False) -> dict[str, str]:
        """The projects that the token sees: slug to id."""
        known = None if anew else self._memory.get("projects")
        if known is None:
            known = {}
            for rows in self._calls.pages(f"{self._calls.org}/projects/", [("per_page", "100")], limit=50):
                known |= {str(row["slug"]): str(row.get("id") or "") for row in rows if row.get("slug")}
            self._memory.put("projects", "", known)
        return dict(known)

    def _optional(self, path: str) -> dict[str, Json]:
        """What an address shows, or nothing where this server or this token has no such thing."""
        try:
            return self._calls.get(path)
        except (Forbidden, RecordMissing, UnexpectedAnswer):
            return {}


def _last_event(issue: Mapping[str, Json]) -> str:
    """Differs when an issue had events since."""
    return f"{issue.get('lastSeen')} {issue.get('count')}"


def _names_of_app(row: Mapping[str, Json]) -> list[str]:
    app = row.get("app")
    return sorted({str(app[name]) for name in ("slug", "uuid") if app.get(name)}) if isinstance(app, dict) else []


_SLIM: Params = (
    ("collapse", "stats"),
    ("collapse", "filtered"),
    ("expand", "integrationIssues"),
    ("expand", "sentryAppIssues"),
)
_SLIM_DETAIL: Params = (("collapse", "stats"), ("collapse", "release"), ("collapse", "tags"))
