"""Routes: which records get a counterpart, and where. Conditions are matchers over the canonical fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from sync.mapping.cel.expression import Expression
from sync.mapping.patterns import TagFilter
from sync.mapping.texts import Sentence
from sync.model import Category, Dimension, Feedback, FeedbackType, Json, Severity, SourceClass, Status, Tag, Urgency


class Act(StrEnum):
    """What a route does with a record that it fits."""

    CREATE = "create"
    PROPOSE = "propose"
    ATTACH = "attach"


class Target(Struct, frozen=True, kw_only=True):
    """Where a record is created: the connection, and values that replace those of its mapping's `create`.

    required: remote fields that must have a value. record: the one to attach to, as the file names it.
    """

    connection: str
    fields: Mapping[str, Json] = {}
    required: tuple[str, ...] = ()
    record: str = ""


class TagMatch(Struct, frozen=True, kw_only=True):
    """Which tags there must be. all: one filter for each tag that must be there."""

    any: TagFilter | None = None
    all: tuple[TagFilter, ...] = ()
    none: TagFilter | None = None

    def fits(self, tags: Iterable[Tag]) -> bool:
        """The tags are as wanted."""
        keys = [tag.key for tag in tags]
        return (
            (self.any is None or any(key in self.any for key in keys))
            and all(any(key in one for key in keys) for one in self.all)
            and (self.none is None or not any(key in self.none for key in keys))
        )


class TextMatch(Struct, frozen=True, kw_only=True):
    """What a text must say. All are case folded."""

    contains: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

    def fits(self, text: str) -> bool:
        """The text is as wanted."""
        folded = text.casefold()
        return (not self.contains or any(part in folded for part in self.contains)) and not any(
            part in folded for part in self.lacks
        )


class Between(Struct, frozen=True, kw_only=True):
    """A range of a number; both ends belong to it."""

    at_least: int | None = None
    at_most: int | None = None

    def fits(self, number: int) -> bool:
        """The number is within."""
        return (self.at_least is None or number >= self.at_least) and (self.at_most is None or number <= self.at_most)


class When(Struct, frozen=True, kw_only=True):
    """The condition of a route. None: not asked for."""

    connections: frozenset[str] | None = None
    statuses: frozenset[Status] | None = None
    types: frozenset[FeedbackType] | None = None
    categories: frozenset[Category] | None = None
    source_classes: frozenset[SourceClass] | None = None
    severities: frozenset[Severity] | None = None
    urgencies: frozenset[Urgency] | None = None
    tags: TagMatch | None = None
    dimensions: tuple[tuple[Dimension, TagMatch], ...] = ()
    title: TextMatch | None = None
    body: TextMatch | None = None
    occurrences: Between | None = None
    affected_users: Between | None = None
    after: datetime | None = None
    before: datetime | None = None
    expression: Expression | None = None

    def holds(self, view: Feedback, connection_name: str, created_at: datetime) -> bool:
        """All that is asked for is true of the record."""
        return (
            (self.connections is None or connection_name in self.connections)
            and (self.statuses is None or view.status in self.statuses)
            and (self.types is None or view.type in self.types)
            and (self.categories is None or view.category in self.categories)
            and (self.source_classes is None or view.source_class in self.source_classes)
            and (self.severities is None or view.severity in self.severities)
            and (self.urgencies is None or view.urgency in self.urgencies)
            and (self.after is None or created_at >= self.after)
            and (self.before is None or created_at < self.before)
            and (self.occurrences is None or self.occurrences.fits(view.occurrences))
            and (self.affected_users is None or self.affected_users.fits(view.affected_users))
            and (self.tags is None or self.tags.fits(view.tags))
            and all(match.fits(view.tags_of(dimension)) for dimension, match in self.dimensions)
            and (self.title is None or self.title.fits(view.title))
            and (self.body is None or self.body.fits(view.body))
            and (self.expression is None or self.expression.holds(view, connection_name, created_at))
        )


class Route(Struct, frozen=True, kw_only=True):
    """Records like this get a counterpart there. title, body: None where the target's mapping says it."""

    name: str
    when: When
    target: Target
    title: Sentence | None = None
    body: Sentence | None = None
    act: Act = Act.CREATE

    def matches(self, view: Feedback, connection_name: str, created_at: datetime) -> bool:
        """The route is for this record. A record never gets a counterpart on its own connection."""
        return connection_name != self.target.connection and self.when.holds(view, connection_name, created_at)
