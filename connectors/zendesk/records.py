"""Zendesk's tickets, audits and links as the hub's values, and the hub's changes as Zendesk's bodies. Pure.

Raw fields have the names the mapping uses: `status`, `custom_status` (the agent's label, lower case), `tags`,
`subject`, `description`, `priority`, `type`, `requester` and `assignee` ({id, name, email}), `group_id`, `brand_id`,
`external_id`, `problem_id`, `custom_fields.<id>`. Ids are texts. A field without a value is absent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, field

from connectors.errors import UnexpectedAnswer, WriteRejected
from sync.model import (
    Changes,
    Draft,
    FieldEdit,
    HistoryRow,
    Json,
    LinkShown,
    LinkVia,
    LinkView,
    Missing,
    MissingKind,
    Origin,
    RecordRef,
    Snapshot,
)

KIND = "ticket"
STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
PRIORITIES = ("low", "normal", "high", "urgent")
TYPES = ("problem", "incident", "question", "task")
MERGED_TAG = "closed_by_merge"
"""The tag that Zendesk puts on the source of a merge, whose status it sets to `closed`."""

CLIENT = "hypercare"
"""How our User-Agent begins; an audit keeps it in `metadata.system.client`."""

OPERATION = "hub_op"
"""The key in `ticket.metadata` under which a delivery's id goes out; it comes back in `audit.metadata.custom`."""


class CustomField(Struct):
    """One custom field of a ticket. value: text, list of texts, number, true or false, or None."""

    id: int
    value: Json = None


class Ticket(Struct):
    """The parts of a ticket that we read; the rest is skipped while decoding, which is what makes bulk reads cheap."""

    id: int
    updated_at: str | None = None
    created_at: str | None = None
    status: str | None = None
    custom_status_id: int | None = None
    tags: list[str] | None = None
    subject: str | None = None
    raw_subject: str | None = None
    description: str | None = None
    priority: str | None = None
    type: str | None = None
    requester_id: int | None = None
    assignee_id: int | None = None
    group_id: int | None = None
    brand_id: int | None = None
    external_id: str | int | None = None
    problem_id: int | None = None
    custom_fields: list[CustomField] | None = None


class User(Struct):
    """The parts of a side-loaded user that we read."""

    id: int
    name: str | None = None
    email: str | None = None


class TicketPage(Struct):
    """A page of the cursor export, or the answer of `show_many` and of a list."""

    tickets: list[Ticket]
    users: list[User] = field(default_factory=list)
    after_cursor: str | None = None
    end_of_stream: bool = True
    count: int | None = None


class OneTicket(Struct):
    """One ticket, alone or with the audit of the write that gave it."""

    ticket: Ticket
    users: list[User] = field(default_factory=list)
    audit: dict[str, Json] | None = None


class CustomStatus(Struct):
    """A custom ticket status: its id, the category it stands for, and the label that agents see."""

    id: int
    status_category: str
    agent_label: str
    active: bool = True
    default: bool = False


class Names(Struct, frozen=True, kw_only=True):
    """What is needed to name a ticket's values. statuses: custom ones by id. base_url: without a slash at its end."""

    base_url: str
    statuses: Mapping[int, CustomStatus] = field(default_factory=dict)

    def label(self, status_id: int | None) -> str | None:
        """The label of a custom status as the mapping names it, or None where it is not known."""
        known = self.statuses.get(status_id) if status_id is not None else None
        return known.agent_label.lower() if known else None

    def status_id(self, label: str) -> int | None:
        """The id of the active custom status with that label, or None."""
        for known in self.statuses.values():
            if known.active and known.agent_label.lower() == label.lower():
                return known.id
        return None


# --- reading ----------------------------------------------------------------------------------------------------------


def version_of(stamp: str | None) -> str:
    """A ticket's `updated_at` as a version: fixed-width UTC text with a precision of one second, as Zendesk's own.

    Both the export and direct reads carry it, so they compare; two edits within one second have the same version. The
    export's `generated_timestamp` is finer in meaning but missing from direct reads. Raises UnexpectedAnswer.
    """
    if stamp is not None and len(stamp) == 20 and stamp[10] == "T" and stamp[19] == "Z":
        return stamp
    return moment(stamp).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(stamp: str | None) -> datetime:
    """A time of Zendesk's, aware and UTC. Raises UnexpectedAnswer for a missing, naive or unreadable one."""
    try:
        at = datetime.fromisoformat(stamp or "")
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise UnexpectedAnswer(f"a ticket carries the time {stamp!r}, which is no time with a zone")
    return at.astimezone(UTC)


def ref_of(ticket_id: int | str, base_url: str) -> RecordRef:
    """A ticket's identity. Its id never changes; people say `#123`."""
    return RecordRef(kind=KIND, id=str(ticket_id), key=f"#{ticket_id}", url=f"{base_url}/agent/tickets/{ticket_id}")


def people_of(users: Sequence[User]) -> dict[int, User]:
    """Side-loaded users by id."""
    return {user.id: user for user in users}


def snapshot(
    ticket: Ticket,
    names: Names,
    people: Mapping[int, User],
    *,
    origin: Origin,
    links: tuple[LinkShown, ...] | None = None,
    overwrote: tuple[FieldEdit, ...] = (),
) -> Snapshot:
    """A ticket as a snapshot. Raises UnexpectedAnswer when it has no status or no times."""
    if not ticket.status:
        raise UnexpectedAnswer(f"ticket {ticket.id} came without a status")
    fields: dict[str, Json] = {"status": ticket.status, "tags": ticket.tags or []}
    label = names.label(ticket.custom_status_id)
    if label is not None:
        fields["custom_status"] = label
    subject = ticket.raw_subject or ticket.subject
    texts = {
        "subject": subject,
        "description": ticket.description,
        "priority": ticket.priority,
        "type": ticket.type,
    }
    fields.update({name: text for name, text in texts.items() if text is not None})
    for name, number in (
        ("group_id", ticket.group_id),
        ("brand_id", ticket.brand_id),
        ("external_id", ticket.external_id),
        ("problem_id", ticket.problem_id),
    ):
        if number is not None:
            fields[name] = str(number)
    if ticket.requester_id is not None:
        fields["requester"] = _person(ticket.requester_id, people)
    if ticket.assignee_id is not None:
        fields["assignee"] = _person(ticket.assignee_id, people)
    if ticket.custom_fields:
        fields.update({f"custom_fields.{one.id}": one.value for one in ticket.custom_fields if one.value is not None})
    return Snapshot(
        ref=ref_of(ticket.id, names.base_url),
        version=version_of(ticket.updated_at),
        created_at=moment(ticket.created_at or ticket.updated_at),
        updated_at=moment(ticket.updated_at),
        fields=fields,
        origin=origin,
        links=links,
        frozen=ticket.status == "closed",
        overwrote=overwrote,
    )


def _person(user_id: int, people: Mapping[int, User]) -> dict[str, str]:
    known = people.get(user_id)
    return {
        "id": str(user_id),
        "name": (known.name if known else "") or "",
        "email": (known.email if known else "") or "",
    }


def is_merged(ticket: Ticket) -> bool:
    """Whether a ticket is the source of a merge: its `closed` is no edit, its survivor speaks for it."""
    return ticket.status == "closed" and MERGED_TAG in (ticket.tags or ())


def gone(ticket: Ticket) -> Missing | None:
    """What the export itself says of a ticket that is no more: deleted (its other fields are scrubbed) or merged."""
    if ticket.status == "deleted":
        return Missing(kind=MissingKind.DELETED, detail="the export shows it as deleted")
    if is_merged(ticket):
        return Missing(kind=MissingKind.MERGED, detail=f"closed, with the tag {MERGED_TAG}")
    return None


def app_links(rows: Sequence[Mapping[str, Json]]) -> dict[str, tuple[LinkShown, ...]]:
    """Links of the official app by ticket id. Ids are texts there; the issue's key may change, its id never does."""
    found: dict[str, tuple[LinkShown, ...]] = {}
    for row in rows:
        target = str(row.get("issue_key") or row.get("issue_id") or "")
        if target and row.get("ticket_id") and row.get("id"):
            ticket_id = str(row["ticket_id"])
            shown = LinkShown(target=target, via=LinkVia.APP, handle=str(row["id"]))
            found[ticket_id] = (*found.get(ticket_id, ()), shown)
    return found


# --- history ----------------------------------------------------------------------------------------------------------


def history_rows(audits: Sequence[Mapping[str, Json]], *, since: str, me: str, names: Names) -> tuple[HistoryRow, ...]:
    """A ticket's audits as history, oldest first, from version `since` on.

    Rows of the very second of `since` are included: its precision cannot tell what came before and what after. What
    triggers and automations changed within an audit is a row of its own (`<id>.rules`), since nobody chose it.
    """
    rows: list[HistoryRow] = []
    for audit in sorted(audits, key=_place):
        created = str(audit.get("created_at") or "")
        if since and version_of(created) < since:
            continue
        chosen, ruled = _edits_of(audit, names)
        author = str(audit.get("author_id") or "")
        op = operation_of(audit)
        by_rule = _by_rule(audit.get("via")) or author in {"-1", "0"}
        ours = bool(me) and author == me and (bool(op) or _by_our_client(audit)) and not by_rule
        at = moment(created)
        if chosen or not ruled:
            row = HistoryRow(
                id=str(audit.get("id")),
                at=at,
                actor=author,
                edits=chosen,
                ours=ours,
                op=op if ours else "",
                automatic=by_rule,
            )
            rows.append(row)
        if ruled:
            rows.append(HistoryRow(id=f"{audit.get('id')}.rules", at=at, actor=author, edits=ruled, automatic=True))
    return tuple(rows)


def _place(audit: Mapping[str, Json]) -> tuple[str, int]:
    """Where an audit stands in time; within a second its id tells."""
    return str(audit.get("created_at") or ""), int(audit.get("id") or 0)


def operation_of(audit: Mapping[str, Json]) -> str:
    """The delivery id that a write of ours left in its audit, or nothing."""
    metadata = audit.get("metadata")
    custom = metadata.get("custom") if isinstance(metadata, dict) else None
    return str(custom.get(OPERATION) or "") if isinstance(custom, dict) else ""


def _by_our_client(audit: Mapping[str, Json]) -> bool:
    """Whether our own program sent the request.

    An administrator may lend the hub his own user: then the author alone does not tell a person from us. An audit
    without a client is counted as ours, since every browser names itself.
    """
    metadata = audit.get("metadata")
    system = metadata.get("system") if isinstance(metadata, dict) else None
    client = str(system.get("client") or "") if isinstance(system, dict) else ""
    return not client or client.startswith(CLIENT)


def _by_rule(via: Json) -> bool:
    """Whether a trigger, an automation or the system itself acted (`via.channel`)."""
    if not isinstance(via, dict):
        return False
    return str(via.get("channel", "")).lower() in {"rule", "system", "closed_by_automation"}


def _edits_of(audit: Mapping[str, Json], names: Names) -> tuple[tuple[FieldEdit, ...], tuple[FieldEdit, ...]]:
    """The field edits of an audit: what its author changed, and what rules changed on top of it."""
    chosen: list[FieldEdit] = []
    ruled: list[FieldEdit] = []
    audit_by_rule = _by_rule(audit.get("via"))
    for event in audit.get("events") or ():
        if not isinstance(event, dict) or event.get("type") not in {"Change", "Create"}:
            continue
        edits = _edit(event, names)
        (ruled if _by_rule(event.get("via")) and not audit_by_rule else chosen).extend(edits)
    return tuple(chosen), tuple(ruled)


def _edit(event: Mapping[str, Json], names: Names) -> tuple[FieldEdit, ...]:
    name = str(event.get("field_name") or "")
    old = event.get("previous_value") if event.get("type") == "Change" else None
    new = event.get("value")
    if not name:
        return ()
    if name == "tags":
        return (FieldEdit(field="tags", old=tag_list(old), new=tag_list(new)),)
    if name == "custom_status_id":
        return (FieldEdit(field="custom_status", old=_label(old, names), new=_label(new, names)),)
    if name.isdecimal():
        name = f"custom_fields.{name}"
    elif name in {"requester_id", "assignee_id"}:
        name = name.removesuffix("_id")
    return (FieldEdit(field=name, old=old, new=new),)


def _label(value: Json, names: Names) -> str | None:
    if value in (None, ""):
        return None
    return names.label(int(value)) if str(value).isdecimal() else str(value).lower()


def tag_list(value: Json) -> list[str]:
    """Tags as a list: audits have shown both a list and one text with spaces between."""
    if value is None:
        return []
    if isinstance(value, str):
        return value.replace(",", " ").split()
    return [str(tag) for tag in value] if isinstance(value, list) else []


def survivor_of(audits: Sequence[Mapping[str, Json]]) -> str:
    """The id of the ticket that a closed source was merged into, or nothing where its audits do not tell.

    Zendesk documents no field for it. Recorded shapes differ, so the newest audit that speaks of a merge is searched:
    first its `via.source` (`rel: merge`), then the sentence of the comment it left.
    """
    for audit in sorted(
        audits, key=lambda one: (str(one.get("created_at", "")), int(one.get("id") or 0)), reverse=True
    ):
        events = [event for event in audit.get("events") or () if isinstance(event, dict)]
        own = str(audit.get("ticket_id") or "")
        for via in [audit.get("via"), *(event.get("via") for event in events)]:
            found = _merge_target(via, own)
            if found:
                return found
        for event in events:
            text = str(event.get("body") or event.get("plain_body") or "")
            named = re.search(r"(?i)\bmerged into\b[^#\d]{0,40}#?(\d{1,19})", text)
            if event.get("type") == "Comment" and named and named.group(1) != own:
                return named.group(1)
    return ""


def _merge_target(via: Json, own: str) -> str:
    source = via.get("source") if isinstance(via, dict) else None
    if not isinstance(source, dict) or str(source.get("rel") or "").lower() not in {"merge", "merged"}:
        return ""
    for end in (source.get("to"), source.get("from")):
        if isinstance(end, dict):
            candidates = [end.get("ticket_id"), end.get("id"), *(end.get("ticket_ids") or ())]
            for candidate in candidates:
                if candidate is not None and str(candidate).isdecimal() and str(candidate) != own:
                    return str(candidate)
    return ""


# --- writing ----------------------------------------------------------------------------------------------------------


def update_body(changes: Changes, *, version: str, op: str, names: Names) -> dict[str, Json]:
    """The `ticket` of an update: only what changes, tags as deltas, safe against a ticket that moved.

    A note is always internal. Raises WriteRejected for a status this account does not have.
    """
    ticket: dict[str, Json] = {"safe_update": True, "updated_stamp": version, "metadata": {OPERATION: op}}
    if changes.status is not None:
        ticket.update(_status(changes.status.raw, names))
        ticket.update(_fields(changes.status.fields))
    if changes.add_tags:
        ticket["additional_tags"] = list(changes.add_tags)
    if changes.remove_tags:
        ticket["remove_tags"] = list(changes.remove_tags)
    if changes.note:
        ticket["comment"] = {"body": changes.note, "public": False}
    ticket.update(_fields(changes.set))
    return ticket


def create_body(draft: Draft, marker: str, names: Names) -> dict[str, Json]:
    """The `ticket` of a create, marked by its `external_id`; its first comment is internal."""
    fields = dict(draft.fields)
    body = str(fields.pop("description", "") or fields.get("subject") or "-")
    ticket: dict[str, Json] = {"comment": {"body": body, "public": False}, "external_id": marker}
    status = fields.pop("status", None)
    if status is not None:
        ticket.update(_status(str(status), names))
    requester = fields.pop("requester", None)
    if isinstance(requester, dict):
        email, user_id = str(requester.get("email") or ""), str(requester.get("id") or "")
        if email:
            ticket["requester"] = {"name": requester.get("name") or email, "email": email}
        elif user_id.isdecimal():
            ticket["requester_id"] = int(user_id)
    tags = [*(fields.pop("tags", None) or ()), *draft.tags]
    if tags:
        ticket["tags"] = list(dict.fromkeys(tags))
    ticket.update(_fields(fields))
    ticket["external_id"] = marker  # whatever the draft says: without it a lost answer cannot be settled
    return ticket


def _status(raw: str, names: Names) -> dict[str, Json]:
    """A status by its category, or by the id of the custom status with that label. Both at once would contradict."""
    if raw in STATUSES:
        return {"status": raw}
    status_id = names.status_id(raw)
    if status_id is None:
        raise WriteRejected(
            f"this Zendesk account has no active ticket status {raw!r}: correct the value in the mapping",
            field="status",
        )
    return {"custom_status_id": status_id}


def _fields(fields: Mapping[str, Json]) -> dict[str, Json]:
    body: dict[str, Json] = {}
    custom: list[Json] = []
    for name, value in fields.items():
        if name.startswith("custom_fields."):
            field_id = name.removeprefix("custom_fields.")
            if not field_id.isdecimal():
                raise WriteRejected(f"{name} is not a custom field: write custom_fields.<id>", field=name)
            custom.append({"id": int(field_id), "value": value})
        elif name in {"requester", "assignee"}:
            person = str((value.get("id") if isinstance(value, dict) else value) or "")
            body[f"{name}_id"] = int(person) if person.isdecimal() else None
        elif name in {"group_id", "brand_id", "problem_id"}:
            body[name] = int(str(value)) if str(value or "").isdecimal() else None
        else:
            body[name] = value
    if custom:
        body["custom_fields"] = custom
    return body


def app_link_body(ticket_id: str, link: LinkView) -> dict[str, Json]:
    """The body that links a ticket to an issue as the official app does."""
    return {"link": {"ticket_id": ticket_id, "issue_id": link.id, "issue_key": link.key}}


def ignored_deltas(changes: Changes, ticket: Ticket, audit: Mapping[str, Json] | None) -> bool:
    """Whether an account took a write and passed over its tag deltas.

    They are documented for bulk updates only. A tag that is not as asked although the audit shows no change of tags was
    ignored; where the audit shows one, a trigger had its say.
    """
    shown = {tag.lower() for tag in ticket.tags or ()}
    missing = {tag.lower() for tag in changes.add_tags} - shown
    kept = {tag.lower() for tag in changes.remove_tags} & shown
    if not missing and not kept:
        return False
    events = (audit or {}).get("events") or ()
    return not any(isinstance(event, dict) and event.get("field_name") == "tags" for event in events)


def overwritten(
    changes: Changes, before: Snapshot, audit: Mapping[str, Json] | None, names: Names
) -> tuple[FieldEdit, ...]:
    """What a write replaced although nobody had shown it to us.

    The safe update cannot tell two edits of one second apart, but the audit of our own write names the value it found.
    Tags are left out: they travel as deltas, which replace nothing.
    """
    if audit is None:
        return ()
    asked = set(changes.set)
    if changes.status is not None:
        # With custom statuses an audit names both; the mapping uses one, and the value that was written tells which.
        asked |= {"status" if changes.status.raw in STATUSES else "custom_status", *changes.status.fields}
    chosen, _ = _edits_of(audit, names)
    return tuple(
        edit
        for edit in chosen
        if edit.field in asked and edit.field != "tags" and _text(edit.old) != _text(before.fields.get(edit.field))
    )


def _text(value: Json) -> str:
    """A value as audits write it, so that it compares with the ticket's own: texts, and nothing for no value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, dict):
        return str(value.get("id") or "")
    if isinstance(value, list):
        return " ".join(sorted(str(one) for one in value))
    text = str(value)
    return {"true": "1", "false": "0"}.get(text, text)


# --- references -------------------------------------------------------------------------------------------------------

_REFERENCE = re.compile(r"#?(\d{1,19})")
_PATH = re.compile(
    r"(?:/api/v2)?/(?:agent/(?:#/)?)?tickets/(\d{1,19})(?:\.json)?/?|/(?:hc/[\w-]+/)?requests/(\d{1,19})/?"
)


def parse_reference(base_urls: Sequence[str], text: str) -> str | None:
    """The ticket id that a text names: `123`, `#123`, or an address of this account. None for anything else."""
    text = text.strip()
    plain = _REFERENCE.fullmatch(text)
    if plain:
        return plain.group(1)
    try:
        parts = urlsplit(text)
        hosts = {urlsplit(url).netloc.lower() for url in base_urls}
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or parts.netloc.lower() not in hosts:
        return None
    path = _PATH.fullmatch(parts.path)
    return (path.group(1) or path.group(2)) if path else None


# --- decoding ---------------------------------------------------------------------------------------------------------

_PAGE = msgspec.json.Decoder(TicketPage)
_ONE = msgspec.json.Decoder(OneTicket)


def decode_page(body: bytes) -> TicketPage:
    """A page of tickets. Raises msgspec.DecodeError (ValidationError where the JSON is good and the shape is not)."""
    return _PAGE.decode(body)


def decode_one(body: bytes) -> OneTicket:
    """One ticket. Raises as `decode_page`."""
    return _ONE.decode(body)
