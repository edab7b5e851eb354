"""What may stand in the files an administrator writes: mapping files, `routes.yaml` and `rules.yaml`.

Each key has its description and an example here and nowhere else: the JSON Schema for editors is made from them.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from math import isfinite
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from sync.core.state import Detail, Reopen, Resolve
from sync.mapping.texts import Markup
from sync.mapping.yaml import Plain
from sync.model import (
    Category,
    Dimension,
    Direction,
    Fact,
    FeedbackType,
    Json,
    Role,
    Severity,
    SourceClass,
    Status,
    Urgency,
)


def _yes_or_no(value: object) -> object:
    if isinstance(value, str):
        if value == "true":
            return True
        if value == "false":
            return False
        raise ValueError("is neither true nor false")
    return value


def _free(value: object) -> Json:
    """A free value: what stood without quotes and is a number, true, false or null is that; all else is text."""
    if isinstance(value, dict):
        return {str(key): _free(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_free(part) for part in value]
    if isinstance(value, Plain):
        if value in ("true", "false"):
            return value == "true"
        if value in ("", "null", "~"):
            return None
        for number in (int, float):
            try:
                read = number(value)
            except ValueError:
                continue
            # `012`, `1_000`, `nan`: text that Python takes for a number, and a person or JSON may not.
            if str(read) == value and isfinite(read):
                return read
    return str(value) if isinstance(value, str) else value


YesNo = Annotated[bool, BeforeValidator(_yes_or_no)]
Free = Annotated[Any, BeforeValidator(_free)]
Text = Annotated[str, Field(min_length=1)]
RawMap = dict[Text, Text]


class Strict(BaseModel):
    """The ground of all of them: nothing unknown, nothing changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Show(StrEnum):
    """How a record shows the records it belongs with."""

    REMOTE_LINK = "remote_link"
    FIELD = "field"
    NOTE = "note"
    APP = "app"
    NONE = "none"


# --- mapping files ---------------------------------------------------------------------------------------------------


class ByCategory(Strict):
    """What a status means when its name is not in `values`: looked up in a second, coarser field."""

    field: Text = Field(description="The coarser field.", examples=["status_category"])
    values: dict[Text, Status] = Field(
        description="What each of its values means.",
        examples=[{"new": "new", "indeterminate": "in_progress", "done": "resolved"}],
    )


class StatusField(Strict):
    """Status: the field that decides whether an item is open or done."""

    field: Text = Field(description="The remote field that holds the status.", examples=["status"])
    direction: Direction = Field(
        default=Direction.BOTH,
        description="`both`: two-way. `in`: read, never written. `out`: written when the item speaks, has no say "
        "itself. "
        "`enforce`: like `out`, and put back when somebody changes it. `off`: ignored.",
        examples=["both"],
    )
    values: dict[Text, Status] = Field(
        default_factory=dict,
        description="What each remote status means.",
        examples=[{"open": "in_progress", "solved": "resolved"}],
    )
    write: dict[Status, Text] = Field(
        default_factory=dict,
        description="The remote status to write for each meaning. A meaning without an entry takes the nearest one "
        "on its side.",
        examples=[{"in_progress": "open", "resolved": "solved"}],
    )
    accept: dict[Status, list[Text]] = Field(
        default_factory=dict,
        description="Remote statuses that may stay as they are under this meaning, although they are read as "
        "another one.",
        examples=[{"new": ["open"]}],
    )
    keep: list[Text] = Field(
        default_factory=list,
        description="Open statuses that are never overwritten by another open one.",
        examples=[["pending"]],
    )
    archived: list[Text] = Field(
        default_factory=list,
        description="Statuses that are neither open nor done: the record counts as it did before.",
        examples=[["ignored"]],
    )
    frozen: list[Text] = Field(
        default_factory=list,
        description="Statuses after which the remote refuses every edit: never written to again.",
        examples=[["closed"]],
    )
    facts: dict[Fact, list[Text]] = Field(
        default_factory=dict,
        description="Statuses that say something beside their meaning.",
        examples=[{"reopened": ["Reopened"]}],
    )
    by_category: ByCategory | None = Field(
        default=None,
        description="What a status means that `values` does not name, by a coarser field of the record.",
        examples=[
            {"field": "status_category", "values": {"new": "new", "indeterminate": "in_progress", "done": "resolved"}}
        ],
    )
    default: Status | None = Field(
        default=None,
        description="What a status means that is named nowhere. Without it such a status is reported on the item "
        "and its status is left alone.",
        examples=["in_progress"],
    )


class TagsField(Strict):
    """Tags: one set under one folding key (case, spaces and Unicode form do not tell two tags apart)."""

    field: Text = Field(description="The remote field that holds the tags.", examples=["tags", "labels"])
    direction: Direction = Field(default=Direction.BOTH, description="As for status.", examples=["both"])
    include: list[Text] = Field(
        default_factory=lambda: ["*"],
        description="Which tags travel to and from here: names or globs.",
        examples=[["launch-*", "area-*"]],
    )
    exclude: list[Text] = Field(
        default_factory=list,
        description="Which of these stay out of it nevertheless: names or globs.",
        examples=[["hub*", "closed_by_merge"]],
    )
    exclude_field_values: YesNo = Field(
        default=False,
        description="A tag that is also the value of one of the record's custom fields belongs to that field (a "
        "drop-down) and does not travel.",
        examples=[True],
    )
    prefix: str = Field(
        default="",
        description="Only tags that begin with this travel; elsewhere they stand without it.",
        examples=["hc-"],
    )
    rename: RawMap = Field(
        default_factory=dict,
        description="Tags that have another name everywhere else: name here, name there.",
        examples=[{"pay": "payments"}],
    )
    dimensions: dict[Dimension, list[Text]] = Field(
        default_factory=dict,
        description="Which tags say where: names or globs by dimension.",
        examples=[{"area": ["area-*", "login"]}],
    )
    lower_case: YesNo = Field(default=False, description="Tags are lower case here.", examples=[True])
    refuse_characters: str = Field(
        default="",
        description="Characters that a tag cannot have here; a tag with one of them stays elsewhere.",
        examples=[","],
    )


class LinksField(Strict):
    """Links: how a record shows the records it belongs with, and where it names them."""

    show: Show = Field(
        default=Show.NONE,
        description="How the others are shown on this record: as a remote link, in a field, in one internal note, "
        "by the official app, or not.",
        examples=["note", "remote_link"],
    )
    direction: Direction = Field(
        default=Direction.BOTH,
        description="`both`, `in` (followed, never shown), `out` (shown, never followed), `off`.",
        examples=["both"],
    )
    field: str = Field(
        default="",
        description="The field written to when `show` is `field`; it is read as well.",
        examples=["custom_fields.360001"],
    )
    read: list[Text] = Field(
        default_factory=list,
        description="More fields in which people name records of other systems.",
        examples=[["external_id"]],
    )
    patterns: list[Text] = Field(
        default_factory=list,
        description="What a reference looks like in these fields: a text with {key}, {id}, {ticket} or {url}, or "
        "/a regular expression/. "
        "Without any, each word of the field is tried as a key, an id and an address.",
        examples=[["https://example.atlassian.net/browse/{key}", "{key}"]],
    )
    note: Text = Field(
        default="This is being worked on in $key: $title\n$url",
        description="The internal note, when `show` is `note`. Names: $key, $id, $url, $title, $system, $connection.",
        examples=["Linked with $key: $url"],
    )


class ViewField(Strict):
    """Any other field: read as it is, and written at most once, when a record is created here."""

    field: str = Field(default="", description="The remote field.", examples=["subject", "custom_fields.360002"])
    direction: Direction = Field(
        default=Direction.BOTH,
        description="`both`: read, and written when a record is created. `in`: only read. `out`: only written "
        "then. `off`: neither.",
        examples=["in"],
    )
    split: str = Field(default="", description="The value is the part before the first of these.", examples=[" / "])


class TextField(ViewField):
    """A title or a body."""

    default: str = Field(default="", description="The text where the record has none.", examples=["(no title)"])


class PersonField(ViewField):
    """A reporter or an owner."""


class SeverityField(ViewField):
    """How bad it is."""

    values: dict[Text, Severity] = Field(
        default_factory=dict, description="What each remote value means.", examples=[{"urgent": "critical"}]
    )
    write: dict[Severity, Text] = Field(
        default_factory=dict, description="The remote value for each meaning.", examples=[{"critical": "Highest"}]
    )
    default: Severity | None = Field(
        default=None, description="The meaning where the record has no value.", examples=["medium"]
    )


class UrgencyField(ViewField):
    """How soon it is due."""

    values: dict[Text, Urgency] = Field(
        default_factory=dict, description="What each remote value means.", examples=[{"urgent": "immediate"}]
    )
    write: dict[Urgency, Text] = Field(
        default_factory=dict, description="The remote value for each meaning.", examples=[{"immediate": "Highest"}]
    )
    default: Urgency | None = Field(
        default=None, description="The meaning where the record has no value.", examples=["medium"]
    )


class TypeField(ViewField):
    """What kind of feedback it is."""

    values: dict[Text, FeedbackType] = Field(
        default_factory=dict, description="What each remote value means.", examples=[{"problem": "bug"}]
    )
    write: dict[FeedbackType, Text] = Field(
        default_factory=dict, description="The remote value for each meaning.", examples=[{"bug": "Bug"}]
    )
    default: FeedbackType = Field(
        default=FeedbackType.BUG, description="The meaning where the record has no value.", examples=["bug"]
    )


class CategoryField(ViewField):
    """How it is filed."""

    values: dict[Text, Category] = Field(
        default_factory=dict, description="What each remote value means.", examples=[{"question": "question"}]
    )
    write: dict[Category, Text] = Field(
        default_factory=dict, description="The remote value for each meaning.", examples=[{"bug": "Bug"}]
    )
    default: Category = Field(
        default=Category.QUESTION, description="The meaning where the record has no value.", examples=["question"]
    )


class SourceClassField(ViewField):
    """Where feedback came from."""

    values: dict[Text, SourceClass] = Field(
        default_factory=dict, description="What each remote value means.", examples=[{"twitter": "social_forum"}]
    )
    default: SourceClass = Field(
        default=SourceClass.DIRECT_CONTACT,
        description="The meaning where the record has no value.",
        examples=["direct_contact"],
    )


class CountField(ViewField):
    """How often it happened, or how many it affects."""


class DimensionField(ViewField):
    """A field whose values are shown as tags of one dimension. They are a view and never travel."""


class Fields(Strict):
    """Which remote field is which canonical field. What is not named is not known of this system."""

    status: StatusField | None = Field(
        default=None, description="The status.", examples=[{"field": "status", "values": {"open": "in_progress"}}]
    )
    tags: TagsField | None = Field(
        default=None, description="The tags.", examples=[{"field": "tags", "exclude": ["hub*"]}]
    )
    links: LinksField = Field(default_factory=LinksField, description="The links.", examples=[{"show": "note"}])
    title: TextField = Field(default_factory=TextField, description="The title.", examples=[{"field": "subject"}])
    body: TextField = Field(default_factory=TextField, description="The text.", examples=[{"field": "description"}])
    severity: SeverityField = Field(
        default_factory=SeverityField,
        description="How bad it is.",
        examples=[{"field": "priority", "values": {"urgent": "critical"}}],
    )
    urgency: UrgencyField = Field(
        default_factory=UrgencyField,
        description="How soon it is due.",
        examples=[{"field": "priority", "values": {"urgent": "immediate"}}],
    )
    type: TypeField = Field(
        default_factory=TypeField,
        description="What kind of feedback it is.",
        examples=[{"field": "type", "values": {"problem": "bug"}}],
    )
    category: CategoryField = Field(
        default_factory=CategoryField,
        description="How it is filed.",
        examples=[{"field": "type", "values": {"question": "question"}}],
    )
    source_class: SourceClassField = Field(
        default_factory=SourceClassField, description="Where it came from.", examples=[{"default": "direct_contact"}]
    )
    reporter: PersonField = Field(
        default_factory=PersonField, description="Who reported it.", examples=[{"field": "requester"}]
    )
    owner: PersonField = Field(
        default_factory=PersonField, description="Who works on it.", examples=[{"field": "assignee"}]
    )
    occurrences: CountField = Field(
        default_factory=CountField, description="How often it happened.", examples=[{"field": "count"}]
    )
    affected_users: CountField = Field(
        default_factory=CountField, description="How many users it affects.", examples=[{"field": "user_count"}]
    )
    dimensions: dict[Dimension, DimensionField] = Field(
        default_factory=dict,
        description="Fields whose values say where: shown as tags of that dimension.",
        examples=[{"component": {"field": "components"}}],
    )


class Transition(Strict):
    """What a workflow step needs that leads to one status."""

    fields: dict[Text, Free] = Field(
        default_factory=dict,
        description="Values for fields on the step's screen, by remote field name. Under a status they are always "
        "sent; under `*` where the screen requires them.",
        examples=[{"customfield_10042": "Fixed in the next release"}],
    )
    resolution: str = Field(
        default="", description="The resolution, sent where the screen requires one.", examples=["Done"]
    )
    avoid: YesNo = Field(default=False, description="Never walk a record into or through this status.", examples=[True])


class Create(Strict):
    """What a record that is created here looks like."""

    fields: dict[Text, Free] = Field(
        default_factory=dict,
        description="Values for remote fields, the same for every record.",
        examples=[{"project": "SUP", "issuetype": "Bug"}],
    )
    title: Text = Field(default="$title", description="The title, as a template.", examples=["[launch] $title"])
    body: Text = Field(
        default="$body",
        description="The text, as a template. Names: $title, $body, $status, $severity, $urgency, $type, "
        "$category, $source_class, $tags, "
        "$reporter, $reporter_email, $owner, $key, $id, $url, $system, $connection, $route.",
        examples=["$body\n\nReported by $reporter in $url"],
    )


class MappingFile(Strict):
    """One system, through the eyes of an administrator."""

    system: Text = Field(description="The kind of system this mapping is for.", examples=["zendesk", "jira"])
    kind: Text = Field(description="What a record is called there.", examples=["ticket", "issue"])
    connections: list[Text] = Field(
        default_factory=list,
        description="Only for these connections, by name. Without it: for all of the system that have no mapping "
        "of their own.",
        examples=[["support-eu"]],
    )
    markup: Markup = Field(
        default=Markup.PLAIN,
        description="What the system makes of a text that is written into it.",
        examples=["jira_wiki"],
    )
    fields: Fields = Field(
        description="Which remote field is which canonical field.", examples=[{"title": {"field": "subject"}}]
    )
    transitions: dict[Text, Transition] = Field(
        default_factory=dict,
        description="Workflow hints by the name of the status a step leads to; `*` is for all.",
        examples=[{"*": {"resolution": "Done"}}],
    )
    create: Create = Field(
        default_factory=Create,
        description="What a record that is created here looks like.",
        examples=[{"fields": {"project": "SUP"}}],
    )


# --- routes.yaml -----------------------------------------------------------------------------------------------------


class TagCondition(Strict):
    """Which tags there must be: names or globs."""

    any: list[Text] = Field(default_factory=list, description="At least one of these.", examples=[["launch*"]])
    all: list[Text] = Field(default_factory=list, description="Each of these.", examples=[["launch", "payments"]])
    none: list[Text] = Field(default_factory=list, description="None of these.", examples=[["spam"]])


class TextCondition(Strict):
    """What must be in a text. Case does not matter."""

    contains: list[Text] = Field(
        default_factory=list, description="At least one of these.", examples=[["cannot log in", "timeout"]]
    )
    lacks: list[Text] = Field(default_factory=list, description="None of these.", examples=[["unsubscribe"]])


class CountCondition(Strict):
    """A range of a number; both ends belong to it."""

    at_least: int | None = Field(default=None, description="This many or more.", examples=[3])
    at_most: int | None = Field(default=None, description="This many or fewer.", examples=[100])


class SeverityRange(Strict):
    """A range of severities; both ends belong to it. `critical` is the highest."""

    at_least: Severity | None = Field(default=None, description="This bad or worse.", examples=["high"])
    at_most: Severity | None = Field(default=None, description="This bad or less.", examples=["medium"])


class UrgencyRange(Strict):
    """A range of urgencies; both ends belong to it. `immediate` is the highest."""

    at_least: Urgency | None = Field(default=None, description="This urgent or more.", examples=["high"])
    at_most: Urgency | None = Field(default=None, description="This urgent or less.", examples=["medium"])


class CreatedCondition(Strict):
    """When the record was created."""

    after: datetime | None = Field(
        default=None, description="At this time or later; with a time zone.", examples=["2026-03-01T00:00:00Z"]
    )
    before: datetime | None = Field(
        default=None, description="Before this time; with a time zone.", examples=["2026-04-01T00:00:00Z"]
    )


class Condition(Strict):
    """What must be true of a record. All that is written must hold; nothing written holds always."""

    connection: list[Text] = Field(
        default_factory=list, description="It is on one of these connections.", examples=[["support"]]
    )
    status: list[Status] = Field(
        default_factory=list, description="It has one of these statuses.", examples=[["new", "in_progress"]]
    )
    type: list[FeedbackType] = Field(
        default_factory=list, description="It is of one of these types.", examples=[["bug", "performance"]]
    )
    category: list[Category] = Field(
        default_factory=list, description="It is in one of these categories.", examples=[["bug"]]
    )
    source_class: list[SourceClass] = Field(
        default_factory=list, description="It came from one of these.", examples=[["direct_contact"]]
    )
    severity: SeverityRange | list[Severity] = Field(
        default_factory=list,
        description="It is one of these severities, or within a range.",
        examples=[{"at_least": "high"}],
    )
    urgency: UrgencyRange | list[Urgency] = Field(
        default_factory=list, description="It is one of these urgencies, or within a range.", examples=[["immediate"]]
    )
    tags: TagCondition | None = Field(default=None, description="Which tags it has.", examples=[{"any": ["launch*"]}])
    dimensions: dict[Dimension, TagCondition] = Field(
        default_factory=dict, description="Which tags it has in one dimension.", examples=[{"area": {"any": ["login"]}}]
    )
    title: TextCondition | None = Field(
        default=None, description="What its title says.", examples=[{"contains": ["timeout"]}]
    )
    body: TextCondition | None = Field(
        default=None, description="What its text says.", examples=[{"contains": ["timeout"]}]
    )
    occurrences: CountCondition | None = Field(
        default=None, description="How often it happened.", examples=[{"at_least": 10}]
    )
    affected_users: CountCondition | None = Field(
        default=None, description="How many users it affects.", examples=[{"at_least": 3}]
    )
    created: CreatedCondition | None = Field(
        default=None, description="When it was created.", examples=[{"after": "2026-03-01T00:00:00Z"}]
    )


class RouteTarget(Strict):
    """Where a record is created."""

    connection: Text = Field(description="The connection on which it is created.", examples=["engineering"])
    fields: dict[Text, Free] = Field(
        default_factory=dict,
        description="Values for remote fields; they replace those of the mapping's `create`.",
        examples=[{"project": "PAY", "issuetype": "Bug"}],
    )


class RouteEntry(Strict):
    """One route: records like this get a counterpart there. The first route that fits is taken."""

    name: Text = Field(description="Its name, as `explain` shows it.", examples=["urgent tickets"])
    when: Condition = Field(
        default_factory=Condition,
        description="Which records it is for. Without it: all.",
        examples=[{"severity": {"at_least": "high"}}],
    )
    expression: str = Field(
        default="", description="A CEL expression. Not built in yet: use `when`.", examples=["severity == 'high'"]
    )
    create: RouteTarget = Field(description="What is created.", examples=[{"connection": "engineering"}])
    title: str = Field(
        default="", description="The title, as a template; replaces the mapping's.", examples=["[launch] $title"]
    )
    body: str = Field(
        default="", description="The text, as a template; replaces the mapping's.", examples=["$body\n\n$url"]
    )


class RoutesFile(Strict):
    """`routes.yaml`: where records are created. Without a route nothing is ever created."""

    routes: list[RouteEntry] = Field(
        default_factory=list, description="The routes, in the order in which they are tried.", examples=[[]]
    )


# --- rules.yaml ------------------------------------------------------------------------------------------------------


class GroupRules(Strict):
    """How the tickets (or the signals) of one item speak together."""

    resolve: Resolve = Field(
        default=Resolve.ALL,
        description="They resolve the item when `all` of them are done, when `any` is, or `never`.",
        examples=["all"],
    )
    reopen: Reopen = Field(
        default=Reopen.ANY,
        description="They reopen the item when `any` of them is opened again, or `never`.",
        examples=["any"],
    )
    reopen_reaches: list[Role] = Field(
        default_factory=lambda: [Role.TRACKER], description="Who hears of that.", examples=[["tracker"]]
    )
    detail: Detail = Field(
        default=Detail.TRACKER,
        description="Whose details (new, in progress, waiting) travel: the `tracker`'s, or also a lone record's "
        "(`sole`).",
        examples=["tracker"],
    )
    siblings: YesNo = Field(
        default=False, description="A tag added on one of them reaches the others too.", examples=[False]
    )
    automatic_resolve: YesNo = Field(
        default=False,
        description="A resolve that the remote system made by itself counts like a person's.",
        examples=[False],
    )


class Groups(Strict):
    """The rules by role. The tracker needs none: there is one of it."""

    helpdesk: GroupRules = Field(default_factory=GroupRules, description="Tickets.", examples=[{"resolve": "all"}])
    signal: GroupRules = Field(
        default_factory=GroupRules,
        description="What machines saw: errors, failing routes.",
        examples=[{"resolve": "never"}],
    )


class RulesFile(Strict):
    """`rules.yaml`: how the records of one item speak together."""

    groups: Groups = Field(
        default_factory=Groups, description="The rules by role.", examples=[{"helpdesk": {"resolve": "never"}}]
    )
    reopen_as: Status = Field(
        default=Status.NEW,
        description="The status of an item that was opened again: `new`, `in_progress` or `waiting`.",
        examples=["new"],
    )
