"""One open connection to a Zendesk account: `contract.Remote` on zenpy's session and calls.

The library keeps the session, its API objects and the way a call is made; bodies are read and written as JSON by
`records`, since its objects cost several times the parse and hide headers. Its private `_call_api` is used on purpose:
the version is pinned, and this is the only module that imports it. What it would do by itself (send a write again,
sleep on a 429, answer from a cache) is switched off here and in `connectors.http`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from zenpy import Zenpy
from zenpy.lib.exception import ZenpyException

from connectors.contract import Capabilities, Catalogue, Finding, Level, Page, Ports
from connectors.errors import (
    AuthRejected,
    CursorExpired,
    Forbidden,
    RecordMissing,
    UnexpectedAnswer,
)
from connectors.http import Limits, excerpt, rows_of
from connectors.zendesk import audits, catalogue, findings, records
from connectors.zendesk.calls import Calls, Send
from connectors.zendesk.records import CustomStatus, Names, Ticket
from connectors.zendesk.settings import ZendeskSettings
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

MANY = 100
"""Tickets per `show_many` (its documented limit)."""

EXPORT_AGE = timedelta(seconds=61)
"""The export refuses a start less than 60 s ago."""

START = "start:"
"""How a cursor of ours begins where the export has not given one yet."""

LINKS_PER_PAGE = 1000
LINK_PAGES = 10
"""At most so many pages of the app's links are read at once; with more, each ticket is asked for by itself."""

LINKS = " links:"
"""What stands between the export's cursor and the newest link read, in a cursor of ours."""

_APP_LINKS = "GET /api/v2/jira/links"

PEOPLE_KEPT = 20_000
"""People whose names one connection keeps in memory; beyond that it forgets all and learns anew."""

HISTORY_PAGES = 50
DELETED_PAGES = 3
LOOK_FOR_APP = 600.0
"""Seconds between two looks whether the account has begun to use the official app."""


class ZendeskRemote:
    """`contract.Remote` for one Zendesk account; used by one thread at a time. limits: of each call."""

    def __init__(self, settings: ZendeskSettings, ports: Ports, limits: Limits | None = None) -> None:
        self._settings = settings
        self._ports = ports
        self._me = ""
        self._statuses: dict[int, CustomStatus] | None = None
        self._people: dict[int, records.User] = {}
        self._ignores_deltas = False
        self._calls = Calls(settings, ports, limits or Limits(), _through_zenpy)

    # --- what the connection can do -------------------------------------------------------------------------------

    def check(self) -> Capabilities:
        """Prove credentials, role, scopes and the export by reads. Raises AuthRejected, Unavailable, ..."""
        try:
            user = self._calls.get("/api/v2/users/me.json").get("user")
        except (Forbidden, RecordMissing) as error:
            raise AuthRejected(
                f"{error.message}. Is {self._calls.base} the account's address?", status=error.status
            ) from None
        if not isinstance(user, dict) or not user.get("id"):
            # Without valid credentials Zendesk answers 200 with an anonymous user.
            raise AuthRejected(
                f"{self._calls.base} does not know us: it answers as to an anonymous visitor. Check `auth`."
            )
        self._me = str(user["id"])
        found = [
            *findings.of_role(user),
            *findings.of_scopes(self._calls),
            *findings.of_feed(self._calls, self._ports.clock.now()),
        ]
        statuses = self._custom_statuses(anew=True)
        if len(statuses) > len(records.STATUSES) - 1:
            labels = ", ".join(sorted(one.agent_label for one in statuses.values() if one.active and not one.default))
            found.append(
                Finding(
                    level=Level.INFO,
                    what=f"custom ticket statuses are in use: {excerpt(labels, 200)}",
                    do="map them with `field: custom_status`, or leave `status`, which shows their categories",
                )
            )
        app = self._app_in_use(now=True)
        return Capabilities(
            account=self._settings.subdomain,
            me=self._me,
            version="v2",
            time_zone=str(user.get("iana_time_zone") or "UTC"),
            links_via="app" if app else "note",
            history=True,
            conditional_write=True,
            coarse_versions=True,
            workflows=False,
            webhooks="by hand: Admin Centre, Apps and integrations, Webhooks: subscribe to ticket events, JSON, POST "
            "to /hooks/CONNECTION, and set webhook_secret to its signing secret",
            findings=tuple(found),
        )

    def values(self) -> Mapping[str, Sequence[str]]:
        """Statuses, custom statuses, priorities, types, and every custom field with its options (none: free text)."""
        found: dict[str, Sequence[str]] = {
            "status": records.STATUSES,
            "priority": records.PRIORITIES,
            "type": records.TYPES,
        }
        statuses = self._custom_statuses(anew=True)
        if statuses:
            found["custom_status"] = tuple(one.agent_label.lower() for one in statuses.values() if one.active)
        for body in self._calls.pages("/api/v2/ticket_fields.json", {}, limit=HISTORY_PAGES):
            for one in rows_of(body, "ticket_fields", where="GET /api/v2/ticket_fields"):
                if one.get("id") and one.get("active", True):
                    options = one.get("custom_field_options")
                    found[f"custom_fields.{one['id']}"] = tuple(
                        str(option.get("value"))
                        for option in (options if isinstance(options, list) else ())
                        if isinstance(option, dict)
                    )
        return found

    def catalogue(self) -> Catalogue:
        """`connectors.contract.Catalogued`: statuses, ticket fields and their choices."""
        return catalogue.read(self._calls, self._custom_statuses(anew=True).values())

    def close(self) -> None:
        """Close the connections of this thread's session."""
        self._calls.session.close()

    # --- reading ----------------------------------------------------------------------------------------------------

    def page(self, cursor: str | None, since: datetime) -> Page:
        """One request of the cursor export. Snapshots are `list`; deleted and merged tickets are in `missing`.

        Links of the official app leave no trace on their tickets. Where the app is used, a page that ends the stream
        also asks which links were made since the last one.
        """
        cursor, _, links_place = (cursor or "").partition(LINKS)
        cursor = cursor or None
        params: dict[str, str] = {"per_page": str(self._settings.page_size), "include": "users"}
        if cursor is None or cursor.startswith(START):
            wanted = int(cursor.removeprefix(START)) if cursor else int(since.timestamp())
            start = max(0, min(wanted, int((self._ports.clock.now() - EXPORT_AGE).timestamp())))
            params["start_time"] = str(start)
            cursor = f"{START}{start}"
        else:
            params["cursor"] = cursor
        path = "/api/v2/incremental/tickets/cursor.json"
        try:
            body = self._calls.read(path, params, records.decode_page)
        except Forbidden as error:
            raise AuthRejected(f"{error.message}. The incremental export needs an admin.", status=403) from None
        except UnexpectedAnswer as error:
            if "cursor" in params and error.status in {400, 410, 422}:
                raise CursorExpired(error.message, status=error.status) from None
            raise
        except RecordMissing as error:
            if "cursor" in params:
                raise CursorExpired(error.message, status=error.status) from None
            raise UnexpectedAnswer(
                f"{error.message}. Is {self._calls.base} the address of a Zendesk account?", status=error.status
            ) from None
        names = self._names(body.tickets)
        people = self._remember(body.users)
        missing: dict[str, Missing] = {}
        found: dict[str, Snapshot] = {}
        for ticket in body.tickets:
            gone = records.gone(ticket)
            if gone is not None:
                missing[str(ticket.id)] = gone
                found.pop(str(ticket.id), None)
            else:  # a ticket may stand twice on a page; the later row is the newer one
                missing.pop(str(ticket.id), None)
                found[str(ticket.id)] = records.snapshot(ticket, names, people, origin=Origin.LIST)
        following = body.after_cursor or cursor
        # A cursor that does not move would be asked for ever: the next poll asks again.
        more = not body.end_of_stream and following != cursor
        linked: dict[str, datetime] = {}
        if not more and self._app_in_use():
            linked, links_place = self._new_links(links_place)
        return Page(
            snapshots=tuple(found.values()),
            cursor=f"{following}{LINKS}{links_place}" if links_place else following,
            more=more,
            missing=missing,
            linked=linked,
        )

    def fetch(self, keys: Sequence[str], *, whole: bool | None = None) -> Mapping[str, Snapshot | Missing]:
        """Tickets by id. One ticket costs one call (two where the official app is used), many one per hundred.

        whole: with the app's links; None means: when a single ticket is asked for.

        What is absent is confirmed by a second path: a read of the single ticket tells "forbidden" from "not there",
        and the list of deleted tickets "deleted" from "not shown to us". A merged ticket's audits name its survivor.
        """
        ids = {key: key.removeprefix("#") for key in dict.fromkeys(keys)}
        numbers = [one for one in dict.fromkeys(ids.values()) if one.isdecimal() and len(one) < 20]
        found: dict[str, Snapshot | Missing] = {}
        if len(numbers) == 1:
            found.update(self._fetch_one(numbers[0], whole=whole is not False))
        else:
            for start in range(0, len(numbers), MANY):
                found.update(self._fetch_many(numbers[start : start + MANY]))
        unknown = Missing(kind=MissingKind.NOT_FOUND, detail="not a ticket id")
        return {key: found.get(number, unknown) for key, number in ids.items()}

    def history(self, ref: RecordRef, since: str) -> Sequence[HistoryRow]:
        """The ticket's audits from version `since` on, oldest first; those of its very second are included.

        Zendesk's versions have a precision of one second, so what happened within it cannot be told apart by version.
        """
        rows = self._audits(ref.id)
        custom = any(_names_custom_status(audit) for audit in rows)
        return audits.history_rows(
            rows, since=since, me=self._whoami(), names=self._all_names() if custom else self._known_names()
        )

    def _fetch_one(self, ticket_id: str, *, whole: bool) -> dict[str, Snapshot | Missing]:
        try:
            return self._read_one(ticket_id, whole=whole)
        except RecordMissing:
            return self._confirm_absent((ticket_id,))

    def _read_one(self, ticket_id: str, *, whole: bool) -> dict[str, Snapshot | Missing]:
        try:
            one = self._calls.read(f"/api/v2/tickets/{ticket_id}.json", {"include": "users"}, records.decode_one)
        except Forbidden as error:
            return {ticket_id: Missing(kind=MissingKind.FORBIDDEN, detail=error.message)}
        links = self._links_of((ticket_id,)) if whole else self._links_not_read()
        return {ticket_id: self._shown(one.ticket, self._people_of((one.ticket,), one.users), links)}

    def _fetch_many(self, ids: Sequence[str]) -> dict[str, Snapshot | Missing]:
        params = {"ids": ",".join(ids), "include": "users"}
        body = self._calls.read("/api/v2/tickets/show_many.json", params, records.decode_page)
        people = self._people_of(body.tickets, body.users)
        links = self._links_of(ids)
        found: dict[str, Snapshot | Missing] = {
            str(ticket.id): self._shown(ticket, people, links) for ticket in body.tickets
        }
        not_there = []
        for absent in [each for each in ids if each not in found]:
            try:
                found.update(self._read_one(absent, whole=True))
            except RecordMissing:
                not_there.append(absent)
        if not_there:
            found.update(self._confirm_absent(not_there))
        return found

    def _shown(
        self, ticket: Ticket, people: Mapping[int, records.User], links: Mapping[str, tuple[LinkShown, ...]] | None
    ) -> Snapshot | Missing:
        if ticket.status == "deleted":
            return Missing(kind=MissingKind.DELETED, detail="Zendesk shows it as deleted")
        if records.is_merged(ticket):
            into = audits.survivor_of(self._audits(str(ticket.id)))
            detail = f"merged into #{into}" if into else "merged; its audits do not name the ticket it went into"
            return Missing(kind=MissingKind.MERGED, into=into, detail=detail)
        shown = links.get(str(ticket.id), ()) if links is not None else None
        return records.snapshot(ticket, self._names((ticket,)), people, origin=Origin.DIRECT, links=shown)

    def _confirm_absent(self, ids: Sequence[str]) -> dict[str, Snapshot | Missing]:
        """A 404 alone may also mean "not shown to us": only the list of deleted tickets makes it a fact.

        The list is read once for all of them: Zendesk allows it ten times a minute.
        """
        found: dict[str, Snapshot | Missing] = {}
        absent = Missing(kind=MissingKind.NOT_FOUND, detail="not among the deleted tickets either")
        try:
            params = {"sort_by": "deleted_at", "sort_order": "desc"}
            for body in self._calls.pages("/api/v2/deleted_tickets.json", params, limit=DELETED_PAGES):
                for row in rows_of(body, "deleted_tickets", where="GET /api/v2/deleted_tickets"):
                    number = str(row.get("id"))
                    if number in ids:
                        found[number] = Missing(kind=MissingKind.DELETED, detail=f"deleted at {row.get('deleted_at')}")
                if len(found) == len(ids):
                    break
        except (Forbidden, RecordMissing) as error:
            absent = Missing(
                kind=MissingKind.NOT_FOUND, detail=f"and whether it was deleted is not shown to us: {error.message}"
            )
        return {each: found.get(each, absent) for each in ids}

    def _audits(self, ticket_id: str) -> list[dict[str, Json]]:
        found: list[dict[str, Json]] = []
        for body in self._calls.pages(f"/api/v2/tickets/{ticket_id}/audits.json", {}, limit=HISTORY_PAGES):
            found += rows_of(body, "audits", where=f"GET /api/v2/tickets/{ticket_id}/audits")
        return found

    def _links_of(self, ids: Sequence[str]) -> dict[str, tuple[LinkShown, ...]] | None:
        """The official app's links of some tickets: of few, or where there are very many links, ticket by ticket.

        None when it is not clear whether the app is used.
        """
        if not (used := self._app_in_use()):
            return {} if used is False else None
        rows: list[Json] = []
        last = ""
        for _page in range(min(LINK_PAGES, len(ids) - 1) if len(ids) > 2 else 0):
            body = self._calls.get("/api/v2/jira/links", {"since_id": last} if last else {})
            links = rows_of(body, "links", where=_APP_LINKS)
            rows += links
            newest = str(links[-1].get("id", "")) if links else ""
            if len(links) < LINKS_PER_PAGE or not newest or newest == last:
                return records.app_links(rows)
            total = body.get("total")
            if isinstance(total, int) and total > LINK_PAGES * LINKS_PER_PAGE:
                break
            last = newest
        rows = []
        for ticket_id in ids:
            body = self._calls.get("/api/v2/jira/links", {"ticket_id": ticket_id})
            rows += [row for row in rows_of(body, "links", where=_APP_LINKS) if str(row.get("ticket_id")) == ticket_id]
        return records.app_links(rows)

    def _new_links(self, place: str) -> tuple[dict[str, datetime], str]:
        """The tickets that were linked in the app after the link `place`, with the times, and the newest link's id."""
        found: dict[str, datetime] = {}
        for _page in range(LINK_PAGES):
            body = self._calls.get("/api/v2/jira/links", {"since_id": place or "0"})
            links = rows_of(body, "links", where=_APP_LINKS)
            for row in links:
                if row.get("ticket_id"):
                    found[str(row["ticket_id"])] = records.moment(row.get("created_at"))
            newest = str(links[-1].get("id") or "") if links else ""
            if not newest or newest == place:
                break
            place = newest
            if len(links) < LINKS_PER_PAGE:
                break
        return found, place

    def _links_not_read(self) -> dict[str, tuple[LinkShown, ...]] | None:
        """What is known of the app's links without a call: nothing where it is used, that there are none elsewhere."""
        return {} if self._app_known() is False else None

    def _app_known(self) -> bool | None:
        """Whether the app is in use as far as is known: to any client of this connection, not to this one alone.

        None after a look that told nothing: then a ticket's links count as not shown, never as taken away.
        """
        if self._settings.jira_app != "auto":
            return self._settings.jira_app
        if self._ports.shared.get("uses_app"):
            return True
        return None if self._ports.shared.get("app_unclear") else False

    def _app_in_use(self, *, now: bool = False) -> bool | None:
        """Whether the account links with the official app. With `auto`, looked for at most every ten minutes.

        A look whose answer is not understood is such a look too: an account without the app may answer with anything.
        """
        if self._settings.jira_app != "auto" or self._app_known():
            return self._app_known()
        clock, shared = self._ports.clock.monotonic(), self._ports.shared
        if now or clock - shared.get("looked_for_app", float("-inf")) >= LOOK_FOR_APP:
            shared["app_unclear"] = True
            try:
                body = self._calls.get("/api/v2/jira/links", {"since_id": "0"})
                found = bool(rows_of(body, "links", where=_APP_LINKS))
            except UnexpectedAnswer:
                shared["looked_for_app"] = clock
                return self._app_known()
            except (Forbidden, RecordMissing):
                found = False
            shared["looked_for_app"], shared["app_unclear"] = clock, False
            if found:
                shared["uses_app"] = True
        return self._app_known()

    # --- writing ------------------------------------------------------------------------------------------------

    def steps(self, snapshot: Snapshot, changes: Changes) -> tuple[Changes, ...]:
        """One update carries status, tag deltas, note and fields; each link of the app is a request of its own.

        Where the account is known to pass over tag deltas, adding and removing tags are two more requests, after the
        rest. Nothing is asked of a closed ticket.
        """
        if snapshot.frozen:
            return ()
        tags = Changes(add_tags=changes.add_tags, remove_tags=changes.remove_tags)
        update = Changes(status=changes.status, set=changes.set, note=changes.note)
        if not self._ignores_deltas:
            update, tags = _with_tags(update, tags), Changes()
        split = [
            update,
            Changes(add_tags=tags.add_tags),
            Changes(remove_tags=tags.remove_tags),
            *(Changes(remove_links=(link,)) for link in changes.remove_links),
            *(Changes(add_links=(link,)) for link in changes.add_links),
        ]
        return tuple(step for step in split if not step.is_empty)

    def write(self, ref: RecordRef, changes: Changes, expect: Expect) -> Snapshot | None:
        """One request. An update answers with the whole ticket; tags or links of the app alone do not (None)."""
        if changes.add_links:
            body = records.app_link_body(ref.id, changes.add_links[0])
            self._calls.write("POST", "/api/v2/jira/links", json=body)
            self._ports.shared["uses_app"] = True
            return None
        if changes.remove_links:
            try:
                self._calls.write("DELETE", f"/api/v2/jira/links/{changes.remove_links[0].handle}")
            except RecordMissing:
                return None  # it is gone already, which is what was asked
            return None
        only_tags = changes == Changes(add_tags=changes.add_tags, remove_tags=changes.remove_tags)
        if self._ignores_deltas and only_tags and (changes.add_tags == () or changes.remove_tags == ()):
            adding = bool(changes.add_tags)
            tags = {
                "tags": list(changes.add_tags or changes.remove_tags),
                "updated_stamp": expect.version,
                "safe_update": "true",
            }
            self._calls.write("PUT" if adding else "DELETE", f"/api/v2/tickets/{ref.id}/tags.json", json=tags)
            return None
        return self._update(ref, changes, expect)

    def _update(self, ref: RecordRef, changes: Changes, expect: Expect) -> Snapshot:
        names = self._names_for(changes)
        ticket = records.update_body(changes, version=expect.version, op=expect.op, names=names)
        response = self._calls.write("PUT", f"/api/v2/tickets/{ref.id}.json", json={"ticket": ticket})
        where = f"PUT /api/v2/tickets/{ref.id}"
        try:
            answer = records.decode_one(response.content)
            if audits.ignored_deltas(changes, answer.ticket, answer.audit):
                self._ignores_deltas = True
            known = self._people | _known_people(expect.snapshot)
            return records.snapshot(
                answer.ticket,
                self._known_names(),
                known,
                origin=Origin.DIRECT,
                links=() if self._app_known() is False else None,
                overwrote=audits.overwritten(changes, expect.snapshot, answer.audit, names),
            )
        except (msgspec.DecodeError, ValueError, RecursionError, UnexpectedAnswer) as error:
            # The write was taken; only its answer is of no use.
            raise UnexpectedAnswer(
                f"{where}: the answer is not a ticket ({excerpt(str(error))})",
                applied=True,
                status=response.status_code,
            ) from None

    def probe(self, draft: Draft) -> dict[str, Json]:
        """Nothing: a created ticket is found by its external_id."""
        del draft
        return {}

    def create(self, draft: Draft, marker: str) -> RecordRef:
        """Create a ticket with the marker as `external_id` and as idempotency key (which Zendesk keeps for 2 h)."""
        ticket = records.create_body(
            draft, marker, self._all_names() if "status" in draft.fields else Names(base_url="")
        )
        response = self._calls.write(
            "POST", "/api/v2/tickets.json", json={"ticket": ticket}, headers={"Idempotency-Key": marker[:255]}
        )
        try:
            created = records.decode_one(response.content)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise UnexpectedAnswer(
                f"POST /api/v2/tickets: the answer is not a ticket ({excerpt(str(error))})",
                applied=True,
                status=response.status_code,
            ) from None
        return records.ref_of(created.ticket.id, self._calls.base)

    def find_created(self, intent: CreateIntent) -> RecordRef | Absent | NotYetCertain | Duplicated:
        """Look the marker up as `external_id`.

        This list is not the search index: it shows a ticket as soon as it exists. A create that is still under way is
        harmless, since its repetition carries the same idempotency key.
        """
        body = self._calls.read("/api/v2/tickets.json", {"external_id": intent.marker}, records.decode_page)
        ids = sorted({ticket.id for ticket in body.tickets if str(ticket.external_id) == intent.marker})
        refs = tuple(records.ref_of(one, self._calls.base) for one in ids)
        if not refs:
            return Absent()
        return refs[0] if len(refs) == 1 else Duplicated(refs=refs)

    # --- names --------------------------------------------------------------------------------------------------

    def _whoami(self) -> str:
        if not self._me:
            user = self._calls.get("/api/v2/users/me.json").get("user")
            self._me = str(user.get("id") or "") if isinstance(user, dict) else ""
        return self._me

    def _remember(self, users: Sequence[records.User]) -> Mapping[int, records.User]:
        if len(self._people) + len(users) > PEOPLE_KEPT:
            self._people.clear()
        self._people.update({user.id: user for user in users})
        return self._people

    def _people_of(self, tickets: Sequence[Ticket], users: Sequence[records.User]) -> Mapping[int, records.User]:
        """The people these tickets name. Who is neither side-loaded nor known is read, once.

        Lists side-load people for certain; for a single ticket the vendor's pages do not promise it.
        """
        known = self._remember(users)
        named = {one for ticket in tickets for one in (ticket.requester_id, ticket.assignee_id) if one is not None}
        unknown = sorted(named - known.keys())
        for start in range(0, len(unknown), MANY):
            some = unknown[start : start + MANY]
            found = {one: records.User(id=one) for one in some}
            try:
                params = {"ids": ",".join(str(one) for one in some)}
                rows = self._calls.get("/api/v2/users/show_many.json", params).get("users") or ()
                found |= {user.id: user for user in msgspec.convert(rows, list[records.User])}
            except (Forbidden, RecordMissing, UnexpectedAnswer, msgspec.ValidationError):
                pass  # a ticket without its people's names is still a ticket
            known = self._remember(tuple(found.values()))
        return known

    def _custom_statuses(self, *, anew: bool = False) -> dict[int, CustomStatus]:
        """The account's custom statuses by id; empty where they are not switched on."""
        if self._statuses is None or anew:
            try:
                body = self._calls.get("/api/v2/custom_statuses.json")
                rows = rows_of(body, "custom_statuses", where="GET /api/v2/custom_statuses")
                self._statuses = {one.id: one for one in msgspec.convert(rows, list[CustomStatus])}
            except (Forbidden, RecordMissing):
                self._statuses = {}
            except msgspec.ValidationError as error:
                raise UnexpectedAnswer(f"GET /api/v2/custom_statuses: {error}") from None
        return self._statuses

    def _known_names(self) -> Names:
        return Names(base_url=self._calls.base, statuses=self._statuses or {})

    def _all_names(self) -> Names:
        return Names(base_url=self._calls.base, statuses=self._custom_statuses())

    def _names(self, tickets: Sequence[Ticket]) -> Names:
        """The names that these tickets need: an unknown custom status is read once, then remembered as unknown."""
        needed = {ticket.custom_status_id for ticket in tickets if ticket.custom_status_id is not None}
        if needed and (self._statuses is None or not needed <= self._statuses.keys()):
            known = self._custom_statuses(anew=True)
            for one in needed - known.keys():
                known[one] = CustomStatus(id=one, status_category="", agent_label=f"custom_status:{one}", active=False)
        return self._known_names()

    def _names_for(self, changes: Changes) -> Names:
        return (
            self._all_names() if changes.status and changes.status.raw not in records.STATUSES else self._known_names()
        )


def _through_zenpy(session: requests.Session, base_url: str) -> Send:
    """Send requests through the library, on our session.

    It builds https addresses from two halves of a host name; we give it whole addresses, but its own methods should
    reach the same account, a stand-in on plain http included.
    """
    parts = urlsplit(base_url)
    subdomain, _, domain = parts.netloc.partition(".")
    client = Zenpy(
        subdomain=subdomain,
        domain=domain,
        session=session,
        anonymous=True,  # the session signs in
        timeout=(Limits().connect, Limits().read),  # the session's own limits hold; without one the library takes 60 s
        disable_cache=True,
    )
    for api in vars(client).values():
        if hasattr(api, "protocol"):
            api.protocol = parts.scheme
    tickets = client.tickets

    def send(method: str, address: str, more: dict[str, Any]) -> requests.Response:
        try:
            answer: requests.Response = tickets._call_api(  # noqa: SLF001  the only way to headers and raw bodies
                getattr(session, method.lower()), address, timeout=tickets.timeout, **more
            )
        except ZenpyException as error:
            raise UnexpectedAnswer(
                f"{method} {urlsplit(address).path}: {excerpt(str(error))}", applied=method != "GET"
            ) from error
        return answer

    return send


def _with_tags(update: Changes, tags: Changes) -> Changes:
    return msgspec.structs.replace(update, add_tags=tags.add_tags, remove_tags=tags.remove_tags)


def _known_people(before: Snapshot) -> dict[int, records.User]:
    """The people that the snapshot before a write named: its answer has ids only."""
    found: dict[int, records.User] = {}
    for name in ("requester", "assignee"):
        person = before.fields.get(name)
        if isinstance(person, dict) and str(person.get("id", "")).isdecimal():
            found[int(person["id"])] = records.User(
                id=int(person["id"]), name=person.get("name") or None, email=person.get("email") or None
            )
    return found


def _names_custom_status(audit: Mapping[str, Json]) -> bool:
    return any(event.get("field_name") == "custom_status_id" for event in audits.events_of(audit))
