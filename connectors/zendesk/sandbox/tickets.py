"""The records of a Zendesk account as they go over the wire: tickets, people, fields, statuses.

Shapes as recorded (C) unless said otherwise. Tickets are values: a change makes a new one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from sync.model import Json

STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
DONE = frozenset({"solved", "closed"})
PRIORITIES = ("low", "normal", "high", "urgent")
TYPES = ("problem", "incident", "question", "task")
SYSTEM_ID = -1
"""The author of what the system does by itself (G)."""


def stamp(now: float) -> str:
    """A time as Zendesk writes it: UTC, second precision."""
    return datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def no_source(channel: str) -> dict[str, Any]:
    """A `via` without a source."""
    return {"channel": channel, "source": {"from": {}, "to": {}, "rel": None}}


class Ticket(Struct, kw_only=True, gc=False):
    """A ticket, its keys in the order recorded (reference A2). Lists are never changed in place."""

    url: str
    id: int
    external_id: str | None = None
    via: Json
    created_at: str
    updated_at: str
    type: str | None = None
    subject: str
    raw_subject: str
    description: str
    priority: str | None = None
    status: str = "new"
    recipient: str | None = None
    requester_id: int
    submitter_id: int
    assignee_id: int | None = None
    organization_id: int | None = None
    group_id: int | None = None
    collaborator_ids: list[int] = []
    follower_ids: list[int] = []
    email_cc_ids: list[int] = []
    forum_topic_id: int | None = None
    problem_id: int | None = None
    has_incidents: bool = False
    is_public: bool = True
    due_at: str | None = None
    tags: list[str] = []
    custom_fields: list[Json] = []
    satisfaction_rating: Json = None
    sharing_agreement_ids: list[int] = []
    custom_status_id: int | None = None
    fields: list[Json] = []
    followup_ids: list[int] = []
    ticket_form_id: int | None = None
    brand_id: int | None = None
    allow_channelback: bool = False
    allow_attachments: bool = True
    from_messaging_channel: bool = False

    def value_of(self, field_id: int) -> Json:
        """The value of a custom field; None where it has none."""
        return next((each["value"] for each in self.custom_fields if each["id"] == field_id), None)


class Entry(Struct, kw_only=True, gc=False):
    """A ticket with what the API does not show of it.

    generated: whole seconds of the last change of any kind, by which exports are sorted. changed_at: exact time of the
    last change. status_since: when it came to its status. previous: the ticket before the latest change.
    audits, comments: None where they were not made yet (seeded tickets get theirs when asked for).
    """

    ticket: Ticket
    generated: int
    changed_at: float
    status_since: float
    previous: Ticket | None = None
    audits: list[dict[str, Any]] | None = None
    comments: list[dict[str, Any]] | None = None
    seeded: bool = False
    is_deleted: bool = False
    is_erased: bool = False
    is_forbidden: bool = False
    deleted_at: float = 0.0
    deleted_by: int = 0
    merged_into: int | None = None


class User(Struct, frozen=True, kw_only=True):
    """A person of the account. role: `end-user`, `agent`, `admin`."""

    id: int
    name: str
    email: str
    role: str
    organization_id: int | None = None

    def shown(self, base: str, created: str) -> Json:
        """The user object (C)."""
        staff = self.role != "end-user"
        return {
            "id": self.id,
            "url": f"{base}/api/v2/users/{self.id}.json",
            "name": self.name,
            "email": self.email,
            "created_at": created,
            "updated_at": created,
            "time_zone": "UTC",
            "iana_time_zone": "Etc/UTC",
            "phone": None,
            "shared_phone_number": None,
            "photo": None,
            "locale_id": 1,
            "locale": "en-US",
            "organization_id": self.organization_id,
            "role": self.role,
            "verified": True,
            "external_id": None,
            "tags": [],
            "alias": None,
            "active": True,
            "shared": False,
            "shared_agent": False,
            "last_login_at": None,
            "two_factor_auth_enabled": None,
            "signature": None,
            "details": None,
            "notes": None,
            "role_type": {"admin": 4, "agent": 0}.get(self.role),
            "custom_role_id": None,
            "moderator": staff,
            "ticket_restriction": None if staff else "requested",
            "only_private_comments": False,
            "restricted_agent": not staff,
            "suspended": False,
            "default_group_id": None,
            "report_csv": self.role == "admin",
            "user_fields": {},
        }


class CustomStatus(Struct, frozen=True, kw_only=True):
    """A custom status: its category is the ticket's `status`."""

    id: int
    status_category: str
    agent_label: str
    default: bool = False
    active: bool = True

    def shown(self, base: str, created: str) -> Json:
        """The custom_status object (C)."""
        return {
            "url": f"{base}/api/v2/custom_statuses/{self.id}.json",
            "id": self.id,
            "status_category": self.status_category,
            "agent_label": self.agent_label,
            "raw_agent_label": self.agent_label,
            "end_user_label": self.agent_label,
            "raw_end_user_label": self.agent_label,
            "description": None,
            "raw_description": None,
            "end_user_description": None,
            "raw_end_user_description": None,
            "active": self.active,
            "default": self.default,
            "created_at": created,
            "updated_at": created,
        }


class TicketField(Struct, frozen=True, kw_only=True):
    """A ticket field. kind: `text`, `tagger` (drop-down), `multiselect`, `checkbox`, or a system field's own name.

    options: (tag, words) of drop-downs. tag: of a checkbox. These tags are owned by the field: choosing adds them.
    """

    id: int
    kind: str
    title: str
    options: tuple[tuple[str, str], ...] = ()
    tag: str = ""
    is_system: bool = False

    @property
    def owned_tags(self) -> frozenset[str]:
        """The tags that come and go with the field's value."""
        tags = {tag for tag, _ in self.options}
        return frozenset(tags | {self.tag} if self.tag else tags)

    def tags_for(self, value: Json) -> set[str]:
        """The tags a value brings (G)."""
        if self.kind == "checkbox":
            return {self.tag} if value and self.tag else set()
        chosen = value if isinstance(value, list) else [value]
        return {str(each) for each in chosen if each} & self.owned_tags

    def shown(self, base: str, created: str) -> Json:
        """The ticket_field object (D)."""
        told: dict[str, Any] = {
            "url": f"{base}/api/v2/ticket_fields/{self.id}.json",
            "id": self.id,
            "type": self.kind,
            "title": self.title,
            "raw_title": self.title,
            "description": "",
            "raw_description": "",
            "position": 1,
            "active": True,
            "required": False,
            "collapsed_for_agents": False,
            "regexp_for_validation": None,
            "title_in_portal": self.title,
            "raw_title_in_portal": self.title,
            "visible_in_portal": False,
            "editable_in_portal": False,
            "required_in_portal": False,
            "agent_can_edit": True,
            "tag": self.tag or None,
            "created_at": created,
            "updated_at": created,
            "removable": not self.is_system,
            "key": None,
            "agent_description": None,
        }
        if self.options:
            told["custom_field_options"] = [
                {"id": self.id * 100 + place, "name": words, "raw_name": words, "value": tag, "default": False}
                for place, (tag, words) in enumerate(self.options)
            ]
        return told


HUB = User(id=6130907993101, name="Hypercare Hub", email="hub@example.com", role="admin")
AGENT = User(id=6130907993102, name="Ada Agent", email="agent@example.com", role="agent")
SECOND_AGENT = User(id=6130907993103, name="Bela Agent", email="agent2@example.com", role="agent")
CUSTOMER = User(id=6130907993104, name="Cleo Customer", email="customer@example.com", role="end-user")
SECOND_CUSTOMER = User(id=6130907993105, name="Dara Customer", email="customer2@example.com", role="end-user")
PEOPLE = (HUB, AGENT, SECOND_AGENT, CUSTOMER, SECOND_CUSTOMER)

AREA_FIELD = 360001
ISSUE_FIELD = 360002
ESCALATED_FIELD = 360003
PLATFORMS_FIELD = 360004
FIELDS = (
    TicketField(id=360101, kind="subject", title="Subject", is_system=True),
    TicketField(id=360102, kind="description", title="Description", is_system=True),
    TicketField(id=360103, kind="status", title="Status", is_system=True),
    TicketField(id=360104, kind="tickettype", title="Type", is_system=True),
    TicketField(id=360105, kind="priority", title="Priority", is_system=True),
    TicketField(id=360106, kind="assignee", title="Assignee", is_system=True),
    TicketField(id=360107, kind="group", title="Group", is_system=True),
    TicketField(
        id=AREA_FIELD,
        kind="tagger",
        title="Area",
        options=(("area_checkout", "Checkout"), ("area_login", "Login"), ("area_search", "Search")),
    ),
    TicketField(id=ISSUE_FIELD, kind="text", title="Jira issue"),
    TicketField(id=ESCALATED_FIELD, kind="checkbox", title="Escalated", tag="escalated"),
    TicketField(
        id=PLATFORMS_FIELD,
        kind="multiselect",
        title="Platforms",
        options=(("platform_ios", "iOS"), ("platform_android", "Android"), ("platform_web", "Web")),
    ),
)

CUSTOM_STATUSES = (
    CustomStatus(id=6130830355738, status_category="new", agent_label="New", default=True),
    CustomStatus(id=6130892426138, status_category="open", agent_label="Open", default=True),
    CustomStatus(id=6130892426139, status_category="pending", agent_label="Pending", default=True),
    CustomStatus(id=6130892426140, status_category="hold", agent_label="On-hold", default=True),
    CustomStatus(id=6130892426141, status_category="solved", agent_label="Solved", default=True),
    CustomStatus(id=6130892426150, status_category="open", agent_label="Waiting for engineering"),
    CustomStatus(id=6130892426151, status_category="solved", agent_label="Fixed, not yet released"),
)
