"""A mapping file: one system, through the eyes of an administrator."""

from __future__ import annotations

from pydantic import Field

from sync.mapping.schema.ground import Free, Strict, Text, YesNo
from sync.mapping.schema.merged import LinksField, StatusField, TagsField
from sync.mapping.schema.views import (
    CategoryField,
    CountField,
    DimensionField,
    PersonField,
    SeverityField,
    SourceClassField,
    TextField,
    TypeField,
    UrgencyField,
)
from sync.mapping.texts import Markup
from sync.model import Dimension


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
    never_from: list[Text] = Field(
        default_factory=list,
        description="Forbidden paths: statuses from which this step is never taken, although the workflow allows it.",
        examples=[["In Review"]],
    )


class Create(Strict):
    """What a record that is created here looks like."""

    fields: dict[Text, Free] = Field(
        default_factory=dict,
        description="Values for remote fields, the same for every record.",
        examples=[{"project": "SUP", "issuetype": "Bug"}],
    )
    required: list[Text] = Field(
        default_factory=list,
        description="Remote fields without which nothing is created: the create is parked and they are named.",
        examples=[["customfield_10042"]],
    )
    public: YesNo = Field(
        default=False,
        description="The text of a record that is created here may be seen by the customer. By default nothing of what "
        "the hub writes is public but the title.",
        examples=[True],
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
    stock: YesNo = Field(
        default=False,
        description="What this file does not say is as in the mapping that is shipped for the system. A key that is "
        "written replaces the shipped one whole. With it, `kind` and `fields` may be left out.",
        examples=[True],
    )
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
