"""The rules of a Zendesk account: what a request does to tickets, and what their history says afterwards.

Pure given a clock and an `Rng`. Requests and their JSON are `wire`'s, webhook calls are `webhooks`'.
A change of a ticket is one audit with all its events, as in the system itself; business rules add theirs to it.
"""

from __future__ import annotations

import copy
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from html import escape
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from connectors.zendesk.sandbox import faults
from connectors.zendesk.sandbox.switches import Solving, Switches
from connectors.zendesk.sandbox.tickets import (
    AGENT,
    CUSTOM_STATUSES,
    CUSTOMER,
    DONE,
    FIELDS,
    HUB,
    PEOPLE,
    PRIORITIES,
    STATUSES,
    SYSTEM_ID,
    TYPES,
    CustomStatus,
    Entry,
    Ticket,
    User,
    no_source,
    stamp,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from connectors.contract import Rng
    from connectors.sandbox.wire import TimeSource
    from sync.model import Json

AUDITED = (
    "subject",
    "requester_id",
    "priority",
    "type",
    "status",
    "custom_status_id",
    "assignee_id",
    "group_id",
    "organization_id",
    "external_id",
    "tags",
    "problem_id",
    "due_at",
    "brand_id",
    "ticket_form_id",
)
SETTABLE = frozenset(
    {
        "subject", "requester_id", "priority", "type", "status", "custom_status_id", "assignee_id", "group_id",
        "organization_id", "external_id", "tags", "problem_id", "due_at", "brand_id", "ticket_form_id",
        "collaborator_ids", "follower_ids", "email_cc_ids", "custom_fields", "fields",
    }
)  # fmt: skip
ACCEPTED = SETTABLE | {
    "comment", "description", "metadata", "safe_update", "updated_stamp", "additional_tags", "remove_tags",
    "requester", "via_followup_source_id", "submitter_id", "recipient", "is_public", "raw_subject", "via",
    "created_at", "updated_at", "url", "collaborators", "additional_collaborators", "macro_ids", "attribute_value_ids",
}  # fmt: skip


JOBS_KEPT = 1_000
"""More than a day's worth in any test; the vendor keeps them about a day."""


class Origin(Struct, frozen=True, kw_only=True):
    """Who makes a change and by what way. client: the caller's User-Agent (C: audits show it)."""

    author_id: int
    via: Json
    client: str = ""
    is_hub: bool = False


class Happened(Struct, frozen=True, kw_only=True):
    """What webhooks are told: the entry as it is now and the audit. kind: `created`, `updated`, `deleted`, ..."""

    kind: str
    entry: Entry
    audit: dict[str, Any]


class Job(Struct, kw_only=True):
    """A bulk job. work: done when the job first works; gives the results."""

    id: str
    total: int | None
    began: float
    work: Callable[[], Json]
    results: Json = None
    is_done: bool = False
    done_at: float = 0.0


class Model:
    """One account. Every public method is one thing that somebody can do or see."""

    def __init__(self, time: TimeSource, rng: Rng, switches: Switches) -> None:
        self._time = time
        self.rng = rng
        self.switches = switches
        hub = User(id=HUB.id, name=HUB.name, email=switches.email.lower(), role=HUB.role)
        self.hub = hub
        self.users: dict[int, User] = {user.id: user for user in (hub, *PEOPLE[1:])}
        self.by_email: dict[str, User] = {user.email: user for user in self.users.values()}
        self.entries: dict[int, Entry] = {}
        self.statuses: dict[int, CustomStatus] = {status.id: status for status in CUSTOM_STATUSES}
        self.fields = {each.id: each for each in FIELDS}
        self.links: dict[int, dict[str, Any]] = {}
        self.jobs: dict[str, Job] = {}
        self._open_jobs: list[Job] = []
        self.writes: Counter[int] = Counter()
        self.creates: Counter[int] = Counter()
        self.happened: list[Happened] = []
        self.born = stamp(self.now())
        self._order: list[tuple[int, int]] = []
        self._externals: dict[str, list[int]] = {}
        self._next_ticket = 1
        self._next_id = 6_164_068_756_506
        self._next_link = 60_477_709
        self._trigger_runs: Counter[str] = Counter()
        self._automation_ran_at = self.now()
        self._touched: set[int] = set()

    # --- time and ids ----------------------------------------------------------------------------------------------

    def now(self) -> float:
        """The account's own time, in seconds since the epoch."""
        return self._time() + self.switches.clock_skew

    def scaled(self, seconds: float) -> float:
        """A delay of the vendor, shortened by the one factor."""
        return seconds / self.switches.time_factor

    @property
    def base(self) -> str:
        """The address the records name, whatever the stand-in was called by (C: urls name the account)."""
        return f"https://{self.switches.subdomain}.zendesk.com"

    def new_id(self) -> int:
        """A new id for an audit, an event, a comment, a person."""
        self._next_id += 128
        return self._next_id

    # --- reading ---------------------------------------------------------------------------------------------------

    def entry(self, ticket_id: int) -> Entry:
        """A ticket that can be read. Raises Refusal: 404 deleted or unknown, 403 forbidden."""
        entry = self.entries.get(ticket_id)
        if entry is None or entry.is_deleted:
            raise faults.not_found()
        if entry.is_forbidden:
            raise faults.forbidden()
        return entry

    def visible(self) -> Iterable[Entry]:
        """Every ticket that lists show, by id."""
        return (
            self.entries[key]
            for key in sorted(self.entries)
            if not self.entries[key].is_deleted and not self.entries[key].is_forbidden
        )

    def with_external_id(self, external_id: str) -> list[Entry]:
        """The tickets that carry an external id, by id; several may."""
        found = (self.entries[key] for key in sorted(set(self._externals.get(external_id, ()))))
        return [e for e in found if not e.is_deleted and not e.is_forbidden and e.ticket.external_id == external_id]

    def exported(self, after: tuple[int, int], limit: int, *, inclusive: bool) -> tuple[list[Entry], bool]:
        """The change feed after a place (generated, id): the rows, and whether that is the end for now.

        Rows of the hidden last minute are left out; a second is shown only once it is over, so that no row can
        appear behind a place that was already given out.
        """
        edge = int(self.now() - self.scaled(self.switches.export_hides))
        start = bisect_left(self._order, after) if inclusive else bisect_right(self._order, after)
        end = bisect_left(self._order, (edge, -1))
        rows = [self.entries[key] for _, key in self._order[start : min(end, start + limit)]]
        return rows, start + limit >= end

    def exported_at(self, place: tuple[int, int]) -> Entry | None:
        """The row that still stands at a place of the feed."""
        at = bisect_left(self._order, place)
        return self.entries[place[1]] if at < len(self._order) and self._order[at] == place else None

    def audits(self, entry: Entry) -> list[dict[str, Any]]:
        """A ticket's audits, oldest first."""
        if entry.audits is None:
            self._seeded_history(entry)
        return entry.audits or []

    def comments(self, entry: Entry) -> list[dict[str, Any]]:
        """A ticket's comments, oldest first."""
        if entry.comments is None:
            self._seeded_history(entry)
        return entry.comments or []

    def touched(self) -> list[Entry]:
        """Every ticket but those that were seeded and never changed, by id, deleted ones too."""
        return [self.entries[key] for key in sorted(self._touched)]

    # --- changing one ticket ---------------------------------------------------------------------------------------

    def create(self, wanted: Mapping[str, Json], origin: Origin) -> tuple[Entry, dict[str, Any]]:
        """Create a ticket (D). Raises Refusal."""
        wanted = shaped(wanted)
        comment = wanted.get("comment")
        body = str(wanted.get("description") or (comment or {}).get("body") or (comment or {}).get("html_body") or "")
        if not body:
            raise faults.invalid_record({"base": "Description: cannot be blank"}, "BlankValue")
        requester = self._requester(wanted, origin)
        now = self.now()
        number = self._next_ticket
        followed = wanted.get("via_followup_source_id")
        via = origin.via
        if followed is not None:
            source = {"from": {"ticket_id": int(followed)}, "to": {}, "rel": "follow_up"}
            via = {"channel": origin.via["channel"], "source": source}
        blank = Ticket(
            url=f"{self.base}/api/v2/tickets/{number}.json",
            id=number,
            via=via,
            created_at=stamp(now),
            updated_at=stamp(now),
            subject="",
            raw_subject="",
            description=body,
            requester_id=requester,
            submitter_id=origin.author_id if origin.author_id != SYSTEM_ID else requester,
            ticket_form_id=self.switches.form_id,
            brand_id=self.switches.brand_id,
            custom_fields=self._blank_fields(),
            is_public=bool((comment or {}).get("public", True)),
        )
        blank.fields = blank.custom_fields
        entry = Entry(ticket=blank, generated=int(now), changed_at=now, status_since=now, audits=[], comments=[])
        ticket = self._with(blank, {"status": "new", **wanted}, entry, origin, creating=True)
        if not ticket.subject:
            ticket.subject = ticket.raw_subject = body[:150]
        self._next_ticket += 1
        first = {"body": body, "public": True, **(comment or {})}
        events = [self._comment_event({**first, "author_id": first.get("author_id") or requester})]
        events += [
            {"id": self.new_id(), "type": "Create", "value": _as_text(getattr(ticket, name)), "field_name": name}
            for name in AUDITED
            if getattr(ticket, name) or name in {"priority", "type"}
        ]
        for each in ticket.custom_fields:
            if each["value"] not in (None, "", False, []):
                created = {"type": "Create", "value": _as_text(each["value"]), "field_name": str(each["id"])}
                events.append({"id": self.new_id(), **created})
        self.entries[number] = entry
        unborn = copy.copy(blank)
        unborn.status = ""
        ticket, events = self._triggered(ticket, unborn, events, origin)
        entry.ticket = ticket
        self._file(entry, None)
        audit = self._record(entry, events, origin, wanted.get("metadata"))
        if followed is not None and (source_entry := self.entries.get(int(followed))) is not None:
            source_entry.ticket = copy.copy(source_entry.ticket)
            source_entry.ticket.followup_ids = [*source_entry.ticket.followup_ids, number]
        self.creates[origin.author_id] += 1
        self._tell("created", entry, audit)
        return entry, audit

    def update(self, entry: Entry, wanted: Mapping[str, Json], origin: Origin) -> tuple[Ticket, dict[str, Any] | None]:
        """Change a ticket (D): the ticket and its new audit, None when nothing changed (G). Raises Refusal."""
        before = entry.ticket
        if before.status == "closed":
            raise faults.closed()
        wanted = shaped(wanted)
        if is_true(wanted.get("safe_update")):
            seen = wanted.get("updated_stamp")
            if not seen:
                raise faults.parameter_missing("updated_stamp")
            if str(seen)[:19] < before.updated_at[:19]:
                raise faults.update_conflict()
        after = self._with(before, wanted, entry, origin)
        comment = wanted.get("comment")
        events = []
        if comment:
            author = comment.get("author_id") or origin.author_id
            events.append(self._comment_event({**comment, "author_id": author}))
        return self._changed(entry, after, events, origin, wanted.get("metadata"))

    def touch(self, entry: Entry) -> None:
        """A change by the system that makes no event: `generated_timestamp` moves, `updated_at` does not (D)."""
        self._file(entry, entry.generated)

    def delete(self, entry: Entry, origin: Origin) -> None:
        """Delete softly (D): the ticket is gone from the API, its row in exports says `deleted`."""
        before = entry.ticket
        entry.is_deleted, entry.deleted_at, entry.deleted_by = True, self.now(), origin.author_id
        self._mark(entry, before, "status", before.status, "deleted", origin, "soft_deleted")

    def restore(self, ticket_id: int, origin: Origin) -> None:
        """Bring a deleted ticket back (D). Raises Refusal (404)."""
        entry = self.entries.get(ticket_id)
        if entry is None or not entry.is_deleted or entry.is_erased:
            raise faults.not_found()
        entry.is_deleted = False
        self._mark(entry, entry.ticket, "status", "deleted", entry.ticket.status, origin, "undeleted")

    def erase(self, ticket_id: int, origin: Origin) -> None:
        """Delete for good (D): the export keeps a scrubbed row (G). Raises Refusal (404)."""
        entry = self.entries.get(ticket_id)
        if entry is None or not entry.is_deleted or entry.is_erased:
            raise faults.not_found()
        entry.is_erased = True
        scrubbed = copy.copy(entry.ticket)
        scrubbed.subject = scrubbed.raw_subject = scrubbed.description = "SCRUBBED"
        scrubbed.tags, scrubbed.custom_fields, scrubbed.fields, scrubbed.external_id = [], [], [], None
        entry.ticket, entry.previous = scrubbed, None
        self._file(entry, entry.generated)
        self._tell("permanently_deleted", entry, self._audit(entry, [], origin, None))

    def merge(self, target: Entry, sources: Sequence[Entry], wanted: Mapping[str, Json], origin: Origin) -> None:
        """Merge tickets into one (D): the sources are closed, tagged and told where they went (G). Raises Refusal."""
        for source in sources:
            if source.ticket.id == target.ticket.id or source.ticket.status == "closed":
                words = f"Ticket {source.ticket.id} cannot be merged"
                raise faults.Refusal(422, {"error": "SourceInvalid", "description": words})
        if target.ticket.status == "closed":
            raise faults.Refusal(422, {"error": "TargetInvalid", "description": "The target ticket is closed"})
        into = target.ticket
        for source in sources:
            after = copy.copy(source.ticket)
            after.status = "closed"
            after.custom_status_id = self._default_status("solved")
            after.tags = sorted({*after.tags, "closed_by_merge"})
            body = wanted.get("source_comment") or f"This request was closed and merged into request #{into.id}."
            public = bool(wanted.get("source_comment_is_public", True))
            told = self._comment_event({"body": body, "public": public, "author_id": origin.author_id})
            way = {
                "channel": origin.via["channel"],
                "source": {"from": {}, "to": {"ticket_id": into.id}, "rel": "merge"},
            }
            source.merged_into = into.id
            self._changed(source, after, [{**told, "via": way}], origin, None, rules=False, kind="merged")
        ids = [source.ticket.id for source in sources]
        body = (
            wanted.get("target_comment") or f"Requests {', '.join(f'#{each}' for each in ids)} were merged into this."
        )
        public = bool(wanted.get("target_comment_is_public", True))
        told = self._comment_event({"body": body, "public": public, "author_id": origin.author_id})
        way = {"channel": origin.via["channel"], "source": {"from": {"ticket_ids": ids}, "to": {}, "rel": "merge"}}
        self._changed(target, copy.copy(into), [{**told, "via": way}], origin, None)

    def change_tags(self, entry: Entry, how: str, tags: Sequence[str], origin: Origin) -> list[str]:
        """The tags endpoint (D). how: `add`, `set`, `remove`. Raises Refusal."""
        wanted: dict[str, Json] = {"tags": tags}
        if how != "set":
            folded = set(folded_tags(tags))
            kept = set(entry.ticket.tags)
            wanted["tags"] = sorted(kept | folded if how == "add" else kept - folded)
        ticket, _ = self.update(entry, wanted, origin)
        return ticket.tags

    # --- links of the official app -----------------------------------------------------------------------------------

    def link(self, ticket_id: str, issue_id: str, issue_key: str) -> dict[str, Any]:
        """Link a ticket to an issue as the app does (C). It leaves no trace on the ticket. Raises Refusal."""
        if any(row["ticket_id"] == ticket_id and row["issue_id"] == issue_id for row in self.links.values()):
            raise faults.invalid_record({"issue_id": "Issue has already been linked to this ticket"})
        self._next_link += 1
        at = stamp(self.now())[:-1] + ".000Z"
        row = {
            "id": self._next_link,
            "ticket_id": ticket_id,
            "issue_id": issue_id,
            "issue_key": issue_key,
            "url": f"{self.base}/api/services/jira/links/{self._next_link}",
            "created_at": at,
            "updated_at": at,
        }
        self.links[self._next_link] = row
        return row

    def unlink(self, link_id: int) -> None:
        """Remove a link of the app. Raises Refusal (404)."""
        if self.links.pop(link_id, None) is None:
            raise faults.not_found()

    # --- bulk jobs -------------------------------------------------------------------------------------------------

    def start_job(self, total: int | None, work: Callable[[], Json]) -> Job:
        """Queue a bulk job. Raises Refusal (429) when too many are under way."""
        self.advance()
        if len(self._open_jobs) >= self.switches.jobs_at_once:
            raise faults.too_many_jobs()
        job = Job(id=f"V3-{self.rng.token()[:32]}", total=total, began=self.now(), work=work)
        self.jobs[job.id] = job
        self._open_jobs.append(job)
        if len(self.jobs) > JOBS_KEPT:
            self.jobs.pop(next(iter(self.jobs)))
        return job

    def shown_job(self, job: Job) -> Json:
        """A job as the API shows it: queued, working, completed (C)."""
        self.advance()
        status = "queued"
        message = None
        progress = None
        if job.is_done:
            status, progress = "completed", job.total
            message = f"Completed at {stamp(job.done_at).replace('T', ' ').replace('Z', ' +0000')}"
        elif self.now() - job.began >= self.scaled(self.switches.job_seconds) / 3:
            status, progress, message = "working", 0, "Working"
        return {
            "id": job.id,
            "url": f"{self.base}/api/v2/job_statuses/{job.id}.json",
            "total": job.total,
            "progress": progress,
            "status": status,
            "message": message,
            "results": job.results,
        }

    # --- what happens by time ----------------------------------------------------------------------------------------

    def advance(self) -> None:
        """Carry out what is due by time alone: jobs, automations, the closing of solved tickets."""
        now = self.now()
        for job in [job for job in self._open_jobs if now - job.began >= self.scaled(self.switches.job_seconds)]:
            self._open_jobs.remove(job)
            job.results, job.is_done, job.done_at = job.work(), True, now
        if not (self.switches.automations or self.switches.close_solved_after is not None):
            return
        if now - self._automation_ran_at < max(0.2, self.scaled(60)):
            return
        self._automation_ran_at = now
        for entry in list(self.visible()):
            self._automate(entry, now)

    # --- seeding -----------------------------------------------------------------------------------------------------

    def seed(self, count: int, *, spread: float = 7_776_000.0, body_size: int = 600, status: str = "") -> None:
        """Make many tickets cheaply, created evenly over the last `spread` seconds, ending before the hidden minute.

        They are told to nobody, and their history is made when it is first asked for. status: of all; "" a mixture.
        """
        now = self.now()
        end = now - self.switches.export_hides - 120
        body = ("The checkout page shows an error after the update. " * (body_size // 50 + 1))[:body_size]
        fields = self._blank_fields()
        template = Ticket(
            url="", id=0, via=no_source("web"), created_at="", updated_at="", subject="", raw_subject="",
            description=body, requester_id=CUSTOMER.id, submitter_id=CUSTOMER.id, assignee_id=AGENT.id,
            group_id=self.switches.group_id, organization_id=self.switches.organization_id,
            ticket_form_id=self.switches.form_id, brand_id=self.switches.brand_id, custom_fields=fields,
            fields=fields, priority="normal", type="problem",
        )  # fmt: skip
        tag_sets = [["checkout"], ["login", "release-1"], ["search", "vip"], []]
        mixture = [status] if status else ["open", "pending", "solved", "open", "closed"]
        customs = {each: self._default_status("solved" if each == "closed" else each) for each in mixture}
        step = spread / max(1, count)
        order: list[tuple[int, int]] = []
        base = f"{self.base}/api/v2/tickets/"
        for place in range(count):
            number = self._next_ticket + place
            at = end - spread + step * place
            ticket = copy.copy(template)
            ticket.id = number
            ticket.url = f"{base}{number}.json"
            ticket.created_at = ticket.updated_at = stamp(at)
            ticket.subject = ticket.raw_subject = f"Checkout fails for order {number}"
            ticket.status = mixture[place % len(mixture)]
            ticket.custom_status_id = customs[ticket.status]
            ticket.tags = tag_sets[place % len(tag_sets)]
            self.entries[number] = Entry(ticket=ticket, generated=int(at), changed_at=at, status_since=at, seeded=True)
            order.append((int(at), number))
        self._next_ticket += count
        self._order.extend(order)
        self._order.sort()

    # --- inside ------------------------------------------------------------------------------------------------------

    def _requester(self, wanted: Mapping[str, Json], origin: Origin) -> int:
        """Who asked: by id, or by name and address (a new address makes a new person)."""
        named = wanted.get("requester")
        if isinstance(named, dict) and named.get("email"):
            email = str(named["email"]).lower()
            if email not in self.by_email:
                person = User(id=self.new_id(), name=str(named.get("name") or email), email=email, role="end-user")
                self.users[person.id] = self.by_email[email] = person
            return self.by_email[email].id
        requester = wanted.get("requester_id")
        if requester is None:
            return origin.author_id
        if int(requester) not in self.users:
            raise faults.invalid_record({"requester": f"Requester: {requester} is not a user of this account"})
        return int(requester)

    def _blank_fields(self) -> list[Json]:
        return [
            {"id": each.id, "value": False if each.kind == "checkbox" else [] if each.kind == "multiselect" else None}
            for each in self.fields.values()
            if not each.is_system
        ]

    def _default_status(self, category: str) -> int | None:
        if not self.switches.custom_statuses:
            return None
        wanted = "solved" if category == "closed" else category
        return next(
            (each.id for each in self.statuses.values() if each.default and each.status_category == wanted), None
        )

    def _with(
        self, before: Ticket, wanted: Mapping[str, Json], entry: Entry, origin: Origin, *, creating: bool = False
    ) -> Ticket:
        """The ticket as it will be. Raises Refusal (422) for a value that is not allowed."""
        after = copy.copy(before)
        for name in SETTABLE - {"status", "custom_status_id", "tags", "custom_fields", "fields"}:
            if name in wanted:
                setattr(after, name, _typed(name, wanted[name]))
        if "subject" in wanted:
            after.raw_subject = after.subject = str(wanted["subject"] or "")
        wrong: dict[str, str] = {}
        if after.priority not in (None, *PRIORITIES):
            wrong["priority"] = f"Priority: {after.priority} is not valid"
        if after.type not in (None, *TYPES):
            wrong["type"] = f"Type: {after.type} is not valid"
        if after.assignee_id is not None and self._role(after.assignee_id) not in {"agent", "admin"}:
            wrong["assignee"] = "Assignee: is not an agent"
        self._set_status(before, after, wanted, wrong)
        self._set_fields_and_tags(after, wanted, wrong)
        assigned_now = after.assignee_id is not None and after.assignee_id != before.assignee_id
        status_named = not creating and ("status" in wanted or "custom_status_id" in wanted)
        if self.switches.assigning_opens and assigned_now and after.status == "new" and not status_named:
            after.status, after.custom_status_id = "open", self._default_status("open")
        if after.status == "solved" and (before.status != "solved" or creating):
            self._check_solving(after, origin, wrong)
        if wrong:
            raise faults.invalid_record(wrong, "InvalidValue")
        return after

    def _set_status(self, before: Ticket, after: Ticket, wanted: Mapping[str, Json], wrong: dict[str, str]) -> None:
        status, custom = wanted.get("status"), wanted.get("custom_status_id")
        if custom is not None and self.switches.custom_statuses:
            known = self.statuses.get(int(custom))
            if known is None or not known.active:
                wrong["custom_status_id"] = f"Custom status: {custom} is not an active status"
                return
            after.status, after.custom_status_id = known.status_category, known.id
        elif status is not None:
            if status not in STATUSES:
                wrong["status"] = f"Status: {status} is not a valid status"
                return
            after.status = str(status)
            if after.status != before.status or after.custom_status_id is None:
                after.custom_status_id = self._default_status(after.status)

    def _set_fields_and_tags(self, after: Ticket, wanted: Mapping[str, Json], wrong: dict[str, str]) -> None:
        """Tags replace the set, deltas add and remove (D); a field and the tags it owns go together (G)."""
        tags = set(after.tags)
        if "tags" in wanted:
            tags = set(folded_tags(wanted["tags"]))
        if self.switches.tag_deltas:
            tags |= set(folded_tags(wanted.get("additional_tags")))
            tags -= set(folded_tags(wanted.get("remove_tags")))
        values = {each["id"]: each["value"] for each in after.custom_fields}
        for each in wanted.get("custom_fields") or wanted.get("fields") or ():
            field = self.fields.get(int(each.get("id", 0)))
            if field is None or field.is_system:
                continue  # unknown fields are passed over in silence
            value = each.get("value")
            if field.options and value:
                chosen = value if isinstance(value, list) else [value]
                unknown = [one for one in chosen if one not in field.owned_tags]
                if unknown:
                    wrong[str(field.id)] = f"{field.title}: {unknown[0]} is not a valid option"
                    continue
            if value != values.get(field.id):
                tags = (tags - field.owned_tags) | field.tags_for(value)
                values[field.id] = value
        for field in self.fields.values():  # a tag taken away takes the field's value along
            if field.is_system or not field.owned_tags:
                continue
            held = field.tags_for(values.get(field.id))
            if held - tags:
                if isinstance(values[field.id], list):
                    values[field.id] = [one for one in values[field.id] if one in tags]
                else:
                    values[field.id] = False if field.kind == "checkbox" else None
        if sorted(tags) != sorted(after.tags):
            after.tags = sorted(tags)
        shown = [{"id": key, "value": value} for key, value in values.items()]
        if shown != after.custom_fields:
            after.custom_fields = after.fields = shown

    def _check_solving(self, after: Ticket, origin: Origin, wrong: dict[str, str]) -> None:
        if after.assignee_id is None:
            if self.switches.solving is Solving.REFUSED:
                wrong["assignee_id"] = "Assignee: is required when solving a ticket"
            elif self.switches.solving is Solving.ASSIGNS and self._role(origin.author_id) in {"agent", "admin"}:
                after.assignee_id = origin.author_id
        for field_id in self.switches.required_to_solve:
            if after.value_of(field_id) in (None, "", []):
                title = self.fields[field_id].title if field_id in self.fields else field_id
                wrong[str(field_id)] = f"{title}: is required when solving a ticket"

    def _role(self, user_id: int) -> str:
        user = self.users.get(user_id)
        return user.role if user else ""

    def _comment_event(self, comment: Mapping[str, Json]) -> dict[str, Any]:
        body = str(comment.get("body") or comment.get("html_body") or "")
        return {
            "id": self.new_id(),
            "type": "Comment",
            "author_id": int(comment["author_id"]),
            "body": body,
            "html_body": f'<div class="zd-comment" dir="auto"><p dir="auto">{escape(body)}</p></div>',
            "plain_body": body,
            "public": comment.get("public", True) not in {False, "false"},
            "attachments": [],
        }

    def _changes(self, before: Ticket, after: Ticket) -> list[dict[str, Any]]:
        """The Change events between two versions of a ticket; values are text, tags are lists (C)."""
        events: list[dict[str, Any]] = []
        for name in AUDITED:
            old, new = getattr(before, name), getattr(after, name)
            if old != new:
                events.append(self._change_event(name, old, new))
        olds = {each["id"]: each["value"] for each in before.custom_fields}
        events.extend(
            self._change_event(str(each["id"]), olds.get(each["id"]), each["value"])
            for each in after.custom_fields
            if olds.get(each["id"]) != each["value"]
        )
        return events

    def _change_event(self, name: str, old: Json, new: Json) -> dict[str, Any]:
        return {
            "id": self.new_id(),
            "type": "Change",
            "value": _as_text(new),
            "field_name": name,
            "previous_value": _as_text(old),
        }

    def _changed(
        self,
        entry: Entry,
        after: Ticket,
        events: list[dict[str, Any]],
        origin: Origin,
        metadata: Json,
        *,
        rules: bool = True,
        kind: str = "updated",
    ) -> tuple[Ticket, dict[str, Any] | None]:
        """Take a new version of a ticket in: events, triggers, stamp, audit, webhooks."""
        before = entry.ticket
        self.audits(entry)  # a seeded ticket's first audit tells of the ticket as it was before this change
        events = [*events, *self._changes(before, after)]
        if not events:
            quiet = any(
                getattr(before, n) != getattr(after, n) for n in ("collaborator_ids", "follower_ids", "email_cc_ids")
            )
            if quiet:
                entry.ticket = after
                self.touch(entry)
            return entry.ticket, None
        if rules:
            after, events = self._triggered(after, before, events, origin)
        now = self.now()
        after.updated_at = max(stamp(now), before.updated_at)
        entry.previous, entry.ticket = before, after
        if after.status != before.status:
            entry.status_since = now
        self._file(entry, entry.generated)
        audit = self._record(entry, events, origin, metadata)
        self._tell(kind, entry, audit)
        solved_now = after.status == "solved" and before.status != "solved"
        if self.switches.problem_solves_incidents and after.type == "problem" and solved_now:
            self._solve_incidents(after, origin)
        return after, audit

    def _solve_incidents(self, problem: Ticket, origin: Origin) -> None:
        """Solving a problem solves its incidents (G)."""
        for entry in list(self.visible()):
            incident = entry.ticket
            if incident.problem_id == problem.id and incident.status not in DONE:
                after = copy.copy(incident)
                after.status, after.custom_status_id = "solved", problem.custom_status_id
                way = {"channel": "rule", "source": {"from": {"ticket_id": problem.id}, "to": {}, "rel": "problem"}}
                self._changed(entry, after, [], Origin(author_id=origin.author_id, via=way), None)

    def _triggered(
        self, after: Ticket, before: Ticket, events: list[dict[str, Any]], origin: Origin
    ) -> tuple[Ticket, list[dict[str, Any]]]:
        """Run the triggers on an update: their changes join its audit, marked as a rule's (C)."""
        for place, trigger in enumerate(self.switches.triggers):
            if (trigger.by == "hub" and not origin.is_hub) or (trigger.by == "people" and origin.is_hub):
                continue
            came = after.status == trigger.on_status and before.status != after.status
            if trigger.on_status and not came:
                continue
            if trigger.on_tag and (trigger.on_tag not in after.tags or trigger.on_tag in before.tags):
                continue
            if trigger.times is not None and self._trigger_runs[trigger.name] >= trigger.times:
                continue
            ruled = copy.copy(after)
            if trigger.set_status and ruled.status != trigger.set_status:
                ruled.status = trigger.set_status
                ruled.custom_status_id = self._default_status(trigger.set_status)
            ruled.tags = sorted((set(ruled.tags) | set(trigger.add_tags)) - set(trigger.remove_tags))
            changes = self._changes(after, ruled)
            if not changes:
                continue
            self._trigger_runs[trigger.name] += 1
            source = {"from": {"id": 360_500 + place, "title": trigger.name}, "to": {}, "rel": "trigger"}
            way = {"channel": "rule", "source": source}
            events = [*events, *({**each, "via": way} for each in changes)]
            after = ruled
        return after, events

    def _automate(self, entry: Entry, now: float) -> None:
        ticket = entry.ticket
        for place, automation in enumerate(self.switches.automations):
            if ticket.status != automation.when_status or now - entry.status_since < self.scaled(automation.after):
                continue
            after = copy.copy(ticket)
            if automation.set_status:
                after.status = automation.set_status
                after.custom_status_id = self._default_status(automation.set_status)
            after.tags = sorted({*after.tags, *automation.add_tags})
            source = {"from": {"id": 360_700 + place, "title": automation.name}, "to": {}, "rel": "automation"}
            way = {"channel": "rule", "source": source}
            self._changed(entry, after, [], Origin(author_id=SYSTEM_ID, via=way), None)
            return
        closes = self.switches.close_solved_after
        if closes is not None and ticket.status == "solved" and now - entry.status_since >= self.scaled(closes):
            after = copy.copy(ticket)
            after.status = "closed"
            source = {"from": {"id": 360_799, "title": "Close solved tickets"}, "to": {}, "rel": "automation"}
            origin = Origin(author_id=SYSTEM_ID, via={"channel": "rule", "source": source})
            self._changed(entry, after, [], origin, None)

    def _mark(self, entry: Entry, before: Ticket, name: str, old: str, new: str, origin: Origin, kind: str) -> None:
        """An audit of a fact beside the ticket's own keys (deleted, restored)."""
        self.audits(entry)
        after = copy.copy(before)
        after.updated_at = max(stamp(self.now()), before.updated_at)
        entry.previous, entry.ticket = before, after
        self._file(entry, entry.generated)
        audit = self._record(entry, [self._change_event(name, old, new)], origin, None)
        self._tell(kind, entry, audit)

    def _file(self, entry: Entry, generated: int | None) -> None:
        """Put a changed ticket at its new place in the change feed. generated: its old place, None for a new one."""
        now = self.now()
        number = entry.ticket.id
        if generated is not None:
            at = bisect_left(self._order, (generated, number))
            if at < len(self._order) and self._order[at] == (generated, number):
                del self._order[at]
        entry.generated, entry.changed_at = max(int(now), generated or 0), now
        insort(self._order, (entry.generated, number))
        self._touched.add(number)
        if entry.ticket.external_id:
            self._externals.setdefault(entry.ticket.external_id, []).append(number)

    def _record(self, entry: Entry, events: list[dict[str, Any]], origin: Origin, metadata: Json) -> dict[str, Any]:
        audit = self._audit(entry, events, origin, metadata)
        self.audits(entry)
        assert entry.audits is not None
        assert entry.comments is not None
        entry.audits.append(audit)
        for event in events:
            if event["type"] == "Comment":
                event["audit_id"] = audit["id"]
                shown = {**event, "via": event.get("via") or origin.via, "created_at": audit["created_at"]}
                entry.comments.append({**shown, "metadata": audit["metadata"]})
        self.writes[origin.author_id] += 1
        return audit

    def _audit(self, entry: Entry, events: list[dict[str, Any]], origin: Origin, metadata: Json) -> dict[str, Any]:
        system: dict[str, Any] = {}
        if origin.client or origin.via["channel"] == "api":
            system = {
                "client": origin.client,
                "ip_address": "127.0.0.1",
                "location": "Boardman, OR, United States",
                "latitude": 45.8234,
                "longitude": -119.7257,
            }
        custom = metadata if isinstance(metadata, dict) else {}
        return {
            "id": self.new_id(),
            "ticket_id": entry.ticket.id,
            "created_at": stamp(self.now()),
            "author_id": origin.author_id,
            "metadata": {"system": system, "custom": custom.get("custom", custom)},
            "events": events,
            "via": origin.via,
        }

    def _tell(self, kind: str, entry: Entry, audit: dict[str, Any]) -> None:
        self.happened.append(Happened(kind=kind, entry=entry, audit=audit))

    def _seeded_history(self, entry: Entry) -> None:
        """The first audit and comment of a seeded ticket, made when first asked for; its ids are low."""
        ticket = entry.ticket
        first = 1_000_000 + ticket.id * 100
        told = {**self._comment_event({"body": ticket.description, "author_id": ticket.requester_id}), "id": first + 1}
        names = [name for name in AUDITED if getattr(ticket, name)]
        created = [
            {"id": first + place, "type": "Create", "value": _as_text(getattr(ticket, name)), "field_name": name}
            for place, name in enumerate(names, start=2)
        ]
        audit = {
            "id": first,
            "ticket_id": ticket.id,
            "created_at": ticket.created_at,
            "author_id": ticket.requester_id,
            "metadata": {"system": {}, "custom": {}},
            "events": [told, *created],
            "via": ticket.via,
        }
        told["audit_id"] = audit["id"]
        meta = {"created_at": ticket.created_at, "metadata": audit["metadata"]}
        entry.audits, entry.comments = [audit], [{**told, "via": ticket.via, **meta}]


def shaped(wanted: Mapping[str, Json]) -> dict[str, Json]:
    """What is asked for a ticket, in the forms the rules expect. Raises Refusal (422) for what has no such form (G)."""
    told = dict(wanted)
    wrong: dict[str, str] = {}
    comment = told.get("comment")
    if isinstance(comment, str):
        told["comment"] = {"body": comment}
    elif comment is not None and not isinstance(comment, dict):
        wrong["comment"] = "Comment: is not an object"
    elif comment and not _is_number(comment.get("author_id", 0)):
        wrong["comment"] = "Comment: author_id is not an id"
    for name in ("custom_fields", "fields"):
        rows = told.get(name)
        if isinstance(rows, dict):
            rows = told[name] = [{"id": key, "value": value} for key, value in rows.items()]
        if rows is None:
            told.pop(name, None)
        elif not isinstance(rows, list) or not all(isinstance(r, dict) and _is_number(r.get("id")) for r in rows):
            wrong[name] = f"{name}: is not a list of objects with id and value"
    for name in ("custom_status_id", "requester_id", "via_followup_source_id"):
        if told.get(name) is not None and not _is_number(told[name]):
            wrong[name] = f"{name}: {told[name]!r} is not an id"
    if not isinstance(told.get("status"), (str, type(None))):
        wrong["status"] = f"Status: {told['status']!r} is not a valid status"
    for name in ("tags", "additional_tags", "remove_tags"):
        if not isinstance(told.get(name), (str, list, type(None))):
            wrong[name] = f"{name}: is not a list"
    if wrong:
        raise faults.invalid_record(wrong, "InvalidFormat")
    return told


def is_true(value: Json) -> bool:
    """Whether a flag is set, as a boolean or as text (D: both are sent)."""
    return value is True or value == "true"


def _is_number(value: Json) -> bool:
    return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, str) and value.isdigit()))


def folded_tags(tags: Json) -> list[str]:
    """Tags as Zendesk keeps them: lower case, split at spaces, each once (G)."""
    if tags is None:
        return []
    texts = [tags] if isinstance(tags, str) else [str(each) for each in tags]
    return sorted({part.lower() for text in texts for part in text.replace(",", " ").split()})


def _as_text(value: Json) -> Json:
    """A value as audits show it (C): text, lists as they are, nothing as null."""
    if value is None or isinstance(value, (str, list)):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


def _typed(name: str, value: Json) -> Json:
    """A settable value in its own type. Raises Refusal for an id that is no number."""
    if value is None:
        return None
    try:
        if name.endswith("_ids"):
            return [int(each) for each in value]
        if name.endswith("_id") and name != "external_id":
            return int(value)
    except (TypeError, ValueError):
        raise faults.invalid_record({name: f"{name}: {value!r} is not an id"}) from None
    return str(value)
