"""The tables of a compiled mapping, one for each kind of field."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf

from msgspec import Struct

from sync.mapping.patterns import TagFilter
from sync.mapping.raw import text_of
from sync.model import Category, Dimension, FeedbackType, Json, Severity, SourceClass, Status, Urgency


class Values(Struct, frozen=True, kw_only=True):
    """A field whose remote values have meanings. read: remote value (case folded too) -> meaning. write: the other way.

    source: the remote field it is read from, target: the one written when a record is created; empty where it is not.
    default: where the record has no value.
    """

    source: str
    target: str
    read: MappingOf[str, str]
    write: MappingOf[str, str]
    default: str | None
    split: str = ""

    def of(self, raw: str) -> tuple[str | None, str]:
        """The meaning of a raw value, and the value itself when it should have a meaning and has none."""
        if self.split:
            raw = raw.partition(self.split)[0]
        if not raw:
            return self.default, ""
        meaning = self.read.get(raw)
        if meaning is None and (meaning := self.read.get(raw.casefold())) is None:
            return self.default, raw if self.read else ""
        return meaning, ""


class Meanings(Struct, frozen=True, kw_only=True):
    """What the fields with meanings say together; strange: those whose value has none."""

    severity: Severity | None
    urgency: Urgency | None
    type: FeedbackType
    category: Category
    source_class: SourceClass
    strange: MappingOf[str, str]


class PlainField(Struct, frozen=True, kw_only=True):
    """A field that is taken as it is. source, target: as for `Values`. join: fields whose texts follow.

    separator: what stands between several values in one text. fallback: the id of the person who stands in for nobody.
    """

    source: str = ""
    target: str = ""
    default: str = ""
    split: str = ""
    join: tuple[str, ...] = ()
    between: str = " "
    separator: str = ""
    fallback: str = ""

    def of(self, fields: MappingOf[str, Json]) -> str:
        """Its text."""
        text = text_of(fields.get(self.source)) if self.source else ""
        if self.split:
            text = text.partition(self.split)[0]
        if self.join:
            text = self.between.join(
                [part for part in (text, *(text_of(fields.get(more)) for more in self.join)) if part]
            )
        return text or self.default

    def values(self, value: Json) -> list[str]:
        """The texts of a value that may hold several."""
        texts = [text_of(part) for part in (value if isinstance(value, list) else [value])]
        if self.separator:
            texts = [part.strip() for text in texts for part in text.split(self.separator)]
        if self.split:
            texts = [text.partition(self.split)[0] for text in texts]
        return [text for text in texts if text]


class Step(Struct, frozen=True, kw_only=True):
    """What a workflow step needs. always: sent with every such step. required: sent where the screen requires it.

    never_from: statuses from which it is never taken.
    """

    always: MappingOf[str, Json] = {}
    required: MappingOf[str, Json] = {}
    avoid: bool = False
    never_from: frozenset[str] = frozenset()


class CategoryTable(Struct, frozen=True, kw_only=True):
    """The coarser field by which an unnamed status is read."""

    field: str
    values: MappingOf[str, Status]


class TagTables(Struct, frozen=True, kw_only=True):
    """How tags read and are spelled. renamed: folded key here -> text elsewhere. back: key elsewhere -> text here."""

    include: TagFilter
    exclude: TagFilter
    exclude_field_values: bool = False
    prefix: str = ""
    renamed: MappingOf[str, str] = {}
    back: MappingOf[str, str] = {}
    lower_case: bool = False
    refuse_characters: str = ""
    dimensions: tuple[tuple[Dimension, TagFilter], ...] = ()
