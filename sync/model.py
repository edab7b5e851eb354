"""The nouns of hypercare, shared by every layer.

Role: values only. Nothing here reads a clock, a disk or a network, and nothing here decides anything.
The words are those of the glossary in `sync/README.md`; a word means one thing everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType, TypeAlias

from msgspec import Struct, field

Json: TypeAlias = Any
"""A decoded JSON value. `Any`, because remote systems decide its shape."""

ConnectionName = NewType("ConnectionName", str)
"""The name an administrator gave to one configured account on one system."""


class Role(StrEnum):
    """What a connection is for; the records of one role in one item form a group."""

    TRACKER = "tracker"
    HELPDESK = "helpdesk"
    SIGNAL = "signal"


class Side(StrEnum):
    """An item is either open (`active`) or `done`."""

    ACTIVE = "active"
    DONE = "done"


class Status(StrEnum):
    """The canonical status of an item."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    RESOLVED = "resolved"
    CLOSED = "closed"

    side: Side
    """Open or done: the line that a detail never crosses."""

    def __init__(self, value: str) -> None:
        self.side = Side.DONE if value in {"resolved", "closed"} else Side.ACTIVE


class Fact(StrEnum):
    """What is known beside a status."""

    REOPENED = "reopened"
    ARCHIVED = "archived"
    DEPLOYED = "deployed"


class SourceClass(StrEnum):
    """Where feedback came from (F03)."""

    DIRECT_CONTACT = "direct_contact"
    INTERNAL_OBSERVATION = "internal_observation"
    AUTOMATED_MONITORING = "automated_monitoring"
    SOCIAL_FORUM = "social_forum"
    BEHAVIOUR_ANALYTICS = "behaviour_analytics"
    SURVEY_CHECKIN = "survey_checkin"


class FeedbackType(StrEnum):
    """What kind of feedback it is (F01)."""

    BUG = "bug"
    PERFORMANCE = "performance"
    USABILITY = "usability"
    FEATURE = "feature"
    INTEGRATION = "integration"
    POSITIVE = "positive"
    SECURITY = "security"


class Category(StrEnum):
    """How feedback is filed (F02). `question` is the fallback when no rule fits."""

    BUG = "bug"
    ENHANCEMENT = "enhancement"
    USABILITY = "usability"
    PERFORMANCE = "performance"
    SECURITY = "security"
    QUESTION = "question"


class Severity(StrEnum):
    """How bad it is (P01-P04)."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Urgency(StrEnum):
    """How soon it is due (P05)."""

    IMMEDIATE = "immediate"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Dimension(StrEnum):
    """The dimensions a tag may belong to (T01-T05, and where it runs)."""

    AREA = "area"
    COMPONENT = "component"
    SEGMENT = "segment"
    PLATFORM = "platform"
    INTEGRATION = "integration"
    ENVIRONMENT = "environment"
    RELEASE = "release"


class Direction(StrEnum):
    """Which way a field travels between an item and one connection."""

    BOTH = "both"
    IN = "in"
    OUT = "out"
    ENFORCE = "enforce"
    OFF = "off"


class StateOwner(StrEnum):
    """Who holds the state of a record: its remote system, or the hub (gateway signatures)."""

    REMOTE = "remote"
    HUB = "hub"


# --- what a remote system shows ---------------------------------------------------------------------------------


class Origin(StrEnum):
    """How a snapshot was read. A direct read is believed over a copy of the same remote version."""

    DIRECT = "direct"
    LIST = "list"


class LinkVia(StrEnum):
    """By what a record shows that it belongs with another one."""

    FIELD = "field"
    APP = "app"
    REMOTE_LINK = "remote_link"
    NOTE = "note"


class LinkShown(Struct, frozen=True, kw_only=True):
    """One reference that a record shows to a record of another system.

    target: a key, an id or a URL, as it stands there; the mapping's patterns say which record it names.
    handle: what the remote needs to remove it (a remote link's id, an app link's id, a field's name).
    id: the immutable id of the record it names, where the remote tells; keys change when records move.
    """

    target: str
    via: LinkVia
    handle: str = ""
    id: str = ""


class Move(Struct, frozen=True, kw_only=True):
    """One legal step of a workflow, seen from the record's present status.

    required: remote field names that the step's screen demands and that have no default.
    category: the coarser kind of the status it leads to, where the remote tells (Jira: the status category's key).
    """

    id: str
    name: str
    to: str
    required: tuple[str, ...] = ()
    category: str = ""


class RecordRef(Struct, frozen=True, kw_only=True, order=True):
    """The identity of one record within its connection. `id` is immutable; `key` is what people say."""

    kind: str
    id: str
    key: str = ""
    url: str = ""


class Person(Struct, frozen=True, kw_only=True):
    """A person as one remote system names them. Stored in `people` and in raw columns only."""

    id: str = ""
    name: str = ""
    email: str = ""


class Snapshot(Struct, frozen=True, kw_only=True):
    """A remote record at one moment, with raw values under the names the mapping uses.

    version: the remote's own version, comparable as text within one record (fixed width UTC stamps, padded numbers).
    fields: raw value by remote field name (`status`, `tags`, `subject`, `custom_fields.360001`, ...).
    links: the references shown; None when this way of reading does not show them.
    moves: the workflow steps possible now; None when this way of reading does not show them.
    workflow: names the workflow this record follows (project and issue type); empty where there is none.
    frozen: the remote refuses every further edit (a Zendesk ticket that is `closed`).
    automatic: the record's present status was set by the remote itself, where a snapshot alone can tell.
    follows: the id of the record of the same connection that it goes on from, which is closed for good (a follow-up).
    overwrote: of the answer to a write: what it replaced although we had not read it (old: the value nobody had shown
    us, new: ours). An edit of somebody else that this write hid; empty everywhere else.
    """

    ref: RecordRef
    version: str
    created_at: datetime
    updated_at: datetime
    fields: dict[str, Json]
    origin: Origin = Origin.LIST
    aliases: tuple[str, ...] = ()
    links: tuple[LinkShown, ...] | None = None
    moves: tuple[Move, ...] | None = None
    workflow: str = ""
    frozen: bool = False
    automatic: bool = False
    follows: str = ""
    overwrote: tuple[FieldEdit, ...] = ()
    state_owner: StateOwner = StateOwner.REMOTE


class MissingKind(StrEnum):
    """Why a record could not be read. Only `merged` and `deleted` are facts."""

    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    MERGED = "merged"
    DELETED = "deleted"


class Missing(Struct, frozen=True, kw_only=True):
    """A record that could not be read. `into` is the id of the survivor of a merge.

    version: the record's, where a feed tells it: of a change that made the record go, or of a later one.
    """

    kind: MissingKind
    into: str = ""
    version: str = ""
    detail: str = ""


class FieldEdit(Struct, frozen=True, kw_only=True):
    """One field of one history row: raw values before and after, as the remote names them.

    For `tags` and `labels` both are lists of text; else whatever the remote stores, as text or None.
    """

    field: str
    old: Json
    new: Json


class HistoryRow(Struct, frozen=True, kw_only=True):
    """One row of a record's own change history.

    ours: the hub's own account made it. op: the delivery id found in it, if any.
    automatic: the remote system did it by itself (a trigger, an automation, a resolve by age).
    """

    id: str
    at: datetime
    actor: str
    edits: tuple[FieldEdit, ...]
    ours: bool = False
    op: str = ""
    automatic: bool = False


# --- what is written ---------------------------------------------------------------------------------------------


class LinkView(Struct, frozen=True, kw_only=True):
    """How one record is to appear on another: identity, address, and the words to show."""

    system: str
    connection: str
    kind: str
    id: str
    key: str
    url: str
    title: str = ""
    done: bool = False


class StatusChange(Struct, frozen=True, kw_only=True):
    """A status to write: the raw value, and where the system has workflows, the step and its screen fields."""

    raw: str
    move: str = ""
    fields: dict[str, Json] = field(default_factory=dict)


class Changes(Struct, frozen=True, kw_only=True):
    """What one write asks of one record: only what changed, sets as deltas, text in the remote's own spelling.

    set: other fields by remote name. note: an internal note, never public.
    """

    status: StatusChange | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    set: dict[str, Json] = field(default_factory=dict)
    add_links: tuple[LinkView, ...] = ()
    remove_links: tuple[LinkShown, ...] = ()
    note: str = ""

    @property
    def is_empty(self) -> bool:
        """True when nothing is asked."""
        return self == Changes()


class Expect(Struct, frozen=True, kw_only=True):
    """The state a write was decided on: the write is refused with `VersionConflict` if the record has moved since.

    op: the delivery's id, put into the remote's own history where it has room for it.
    """

    version: str
    op: str
    snapshot: Snapshot


class Draft(Struct, frozen=True, kw_only=True):
    """A record to be created. fields: raw values by remote name. links: what it should show from the start.

    public: its text may be seen by the customer; else it is internal, where the remote tells the two apart.
    """

    kind: str
    fields: dict[str, Json]
    tags: tuple[str, ...] = ()
    links: tuple[LinkView, ...] = ()
    public: bool = False


class CreateIntent(Struct, frozen=True, kw_only=True):
    """What was known just before a create was sent. `probe` comes from the connector and means something to it only."""

    marker: str
    at: datetime
    probe: dict[str, Json]
    draft: Draft


class Absent(Struct, frozen=True):
    """A look-up proved that a create did not take place."""


class NotYetCertain(Struct, frozen=True, kw_only=True):
    """A look-up cannot yet tell whether a create took place; look again after `seconds`."""

    seconds: float
    detail: str = ""


class Duplicated(Struct, frozen=True, kw_only=True):
    """Two or more records carry one marker: reported to a person, never hidden."""

    refs: tuple[RecordRef, ...]


# --- the canonical schema -----------------------------------------------------------------------------------------


class Tag(Struct, frozen=True, kw_only=True, order=True):
    """A tag: its folded key, the text to show, and its dimension where it has one."""

    key: str
    text: str
    dimension: Dimension | None = None


class FailureTag(Struct, frozen=True, kw_only=True):
    """A composite failure tag (T06): `API-<service>-<failure>` or `LLM-<failure>`."""

    layer: str
    service: str
    failure: str


class ItemLink(Struct, frozen=True, kw_only=True, order=True):
    """One record of an item, as the canonical schema names it."""

    connection: str
    system: str
    role: Role
    kind: str
    id: str
    key: str
    url: str


class Feedback(Struct, frozen=True, kw_only=True):
    """The canonical schema: one item of feedback, whichever systems it is seen from.

    Only status, tags and links are merged; severity, urgency and owner where a mapping says so. All else is a view of
    the members: the tracker's text, else the oldest record's. Counts are totals; times are aware and UTC.
    """

    source_class: SourceClass
    type: FeedbackType
    category: Category
    title: str
    body: str
    status: Status | None
    facts: frozenset[Fact] = frozenset()
    severity: Severity | None = None
    urgency: Urgency | None = None
    tags: tuple[Tag, ...] = ()
    reporter: Person | None = None
    owner: Person | None = None
    links: tuple[ItemLink, ...] = ()
    occurrences: int = 1
    affected_users: int = 1
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None
    unmapped: Mapping[str, str] = field(default_factory=dict)

    def tags_of(self, dimension: Dimension) -> tuple[Tag, ...]:
        """The tags of one dimension."""
        return tuple(tag for tag in self.tags if tag.dimension is dimension)
