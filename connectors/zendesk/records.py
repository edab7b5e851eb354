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
    via: Json = None
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


def moment(stamp: Json) -> datetime:
    """A time of Zendesk's, aware and UTC. Raises UnexpectedAnswer for a missing, naive or unreadable one."""
    try:
        at = datetime.fromisoformat(stamp) if isinstance(stamp, str) else None
        if at is not None and at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise UnexpectedAnswer(f"a ticket carries the time {str(stamp)[:40]!r}, which is no time with a zone")


def ref_of(ticket_id: int | str, base_url: str) -> RecordRef:
    """A ticket's identity. Its id never changes; people say `#123`."""
    return RecordRef(kind=KIND, id=str(ticket_id), key=f"#{ticket_id}", url=f"{base_url}/agent/tickets/{ticket_id}")


def snapshot(
    ticket: Ticket,
    names: Names,
    people: Mapping[int, User],
    *,
    origin: Origin,
    links: tuple[LinkShown, ...] | None = None,
    overwrote: tuple[FieldEdit, ...] = (),
) -> Snapshot:
    """A ticket as a snapshot. Raises UnexpectedAnswer when it has no status, no tags or no times."""
    if not ticket.status:
        raise UnexpectedAnswer(f"ticket {ticket.id} came without a status")
    if ticket.tags is None:
        raise UnexpectedAnswer(f"ticket {ticket.id} came without its tags, which is not the same as having none")
    fields: dict[str, Json] = {"status": ticket.status, "tags": ticket.tags}
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
        follows=_follows(ticket.via),
        overwrote=overwrote,
    )


def _person(user_id: int, people: Mapping[int, User]) -> dict[str, str]:
    known = people.get(user_id)
    return {
        "id": str(user_id),
        "name": (known.name if known else "") or "",
        "email": (known.email if known else "") or "",
    }


def _follows(via: Json) -> str:
    """The id of the closed ticket that a ticket was opened to go on from, or "". [Zendesk, "Via object"]"""
    source = via.get("source") if isinstance(via, dict) else None
    if not isinstance(source, dict) or source.get("rel") != "follow_up":
        return ""
    before = source.get("from")
    number = before.get("ticket_id") if isinstance(before, dict) else None
    return str(number) if number is not None and str(number).isdecimal() else ""


def is_merged(ticket: Ticket) -> bool:
    """Whether a ticket is the source of a merge: its `closed` is no edit, its survivor speaks for it."""
    return ticket.status == "closed" and MERGED_TAG in (ticket.tags or ())


def gone(ticket: Ticket) -> Missing | None:
    """What the export itself says of a ticket that is no more: deleted (its other fields are scrubbed) or merged."""
    try:
        version = version_of(ticket.updated_at)
    except UnexpectedAnswer:
        version = ""  # scrubbed as well: that it is gone counts all the same
    if ticket.status == "deleted":
        return Missing(kind=MissingKind.DELETED, version=version, detail="the export shows it as deleted")
    if is_merged(ticket):
        return Missing(kind=MissingKind.MERGED, version=version, detail=f"closed, with the tag {MERGED_TAG}")
    return None


def app_links(rows: Sequence[Mapping[str, Json]]) -> dict[str, tuple[LinkShown, ...]]:
    """Links of the official app by ticket id. Ids are texts there; the issue's key may change, its id never does."""
    found: dict[str, tuple[LinkShown, ...]] = {}
    for row in rows:
        target = str(row.get("issue_key") or row.get("issue_id") or "")
        if target and row.get("ticket_id") and row.get("id"):
            ticket_id = str(row["ticket_id"])
            shown = LinkShown(target=target, via=LinkVia.APP, handle=str(row["id"]), id=str(row.get("issue_id") or ""))
            found[ticket_id] = (*found.get(ticket_id, ()), shown)
    return found


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
    """The `ticket` of a create, marked by its `external_id`; its first comment is public only if asked for."""
    fields = dict(draft.fields)
    body = str(fields.pop("description", "") or fields.get("subject") or "-")
    ticket: dict[str, Json] = {"comment": {"body": body, "public": draft.public}, "external_id": marker}
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
