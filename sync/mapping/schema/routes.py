"""`routes.yaml`: which records get a counterpart, and where."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field

from sync.mapping.schema.ground import Free, Strict, Text
from sync.model import Category, Dimension, FeedbackType, Severity, SourceClass, Status, Urgency


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
    cel: str = Field(
        default="",
        description="A CEL expression that must be true as well. Names: connection, status, type, category, "
        "source_class, severity, urgency, title, body, reporter, reporter_email, owner, owner_email, occurrences, "
        "affected_users, created, updated, facts, tags, area, component, segment, platform, integration, environment, "
        "release. Needs the extra `cel`.",
        examples=["reporter_email.endsWith('@example.com') && size(tags) > 1"],
    )


def _no_text(value: object) -> object:
    if isinstance(value, str) and value:
        raise ValueError("is no set of conditions; write an expression as `when: {cel: ...}`")
    return value


class RouteTarget(Strict):
    """Where a record is created, or proposed."""

    connection: Text = Field(description="The connection on which it is created.", examples=["engineering"])
    fields: dict[Text, Free] = Field(
        default_factory=dict,
        description="Values for remote fields; they replace those of the mapping's `create`.",
        examples=[{"project": "PAY", "issuetype": "Bug"}],
    )
    required: list[Text] = Field(
        default_factory=list,
        description="Remote fields without which nothing is created: the create is parked and they are named.",
        examples=[["customfield_10042"]],
    )


class AttachTarget(Strict):
    """The record that records like this belong with; it is there already."""

    connection: Text = Field(description="The connection it is on.", examples=["engineering"])
    record: Text = Field(description="Its key, number or address.", examples=["OPS-12"])


class RouteEntry(Strict):
    """One route. The first route that fits a record is taken; it does one of `create`, `propose` and `attach`."""

    name: Text = Field(description="Its name, as `explain` shows it.", examples=["urgent tickets"])
    when: Annotated[Condition, BeforeValidator(_no_text)] = Field(
        default_factory=Condition,
        description="Which records it is for. Without it: all.",
        examples=[{"severity": {"at_least": "high"}}],
    )
    create: RouteTarget | None = Field(
        default=None, description="Create a counterpart at once.", examples=[{"connection": "engineering"}]
    )
    propose: RouteTarget | None = Field(
        default=None,
        description="Propose a counterpart: it is created when a person says so (`hypercare parked retry`), and never "
        "when they say no (`hypercare parked skip`).",
        examples=[{"connection": "engineering"}],
    )
    attach: AttachTarget | None = Field(
        default=None,
        description="Create nothing: the record joins the item of one that is there already.",
        examples=[{"connection": "engineering", "record": "OPS-12"}],
    )
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
