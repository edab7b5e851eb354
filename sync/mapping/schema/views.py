"""The fields of a mapping file that are a view of the record: read as they are, written at most when one is created."""

from __future__ import annotations

from pydantic import Field

from sync.mapping.schema.ground import Strict, Text
from sync.model import Category, Direction, FeedbackType, Severity, SourceClass, Urgency


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
    join: list[Text] = Field(
        default_factory=list,
        description="More remote fields whose texts follow the first one's, where they have any. Only read.",
        examples=[["custom_fields.360003"]],
    )
    between: str = Field(default=" ", description="What stands between the texts that are joined.", examples=[" / "])


class PersonField(ViewField):
    """A reporter or an owner."""

    fallback: str = Field(
        default="",
        description="The id of the person who stands in here on a record that is created, when `people.yaml` knows "
        "nobody here for the item's person, or the item has none. So the field is never left empty.",
        examples=["557058:f58131cb-b67d-43c7-b30d-6b58d40bd077"],
    )


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

    separator: str = Field(
        default="", description="The text holds several values, with this between them.", examples=[","]
    )
