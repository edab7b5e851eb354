"""What may stand in the files an administrator writes: mapping files, `routes.yaml` and `rules.yaml`.

Each key has its description and an example here and nowhere else: the JSON Schema for editors is made from them.
"""

from __future__ import annotations

from sync.mapping.schema.ground import Free, RawMap, Strict, Text, YesNo
from sync.mapping.schema.mappings import Create, Fields, MappingFile, Transition
from sync.mapping.schema.merged import ByCategory, LinksField, Show, StatusField, TagsField
from sync.mapping.schema.people import PeopleFile, PersonEntry
from sync.mapping.schema.routes import (
    AttachTarget,
    Condition,
    CountCondition,
    CreatedCondition,
    RouteEntry,
    RoutesFile,
    RouteTarget,
    SeverityRange,
    TagCondition,
    TextCondition,
    UrgencyRange,
)
from sync.mapping.schema.rules import FieldRules, GroupRules, Groups, MergedFields, RulesFile
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
    ViewField,
)

__all__ = [
    "AttachTarget",
    "ByCategory",
    "CategoryField",
    "Condition",
    "CountCondition",
    "CountField",
    "Create",
    "CreatedCondition",
    "DimensionField",
    "FieldRules",
    "Fields",
    "Free",
    "GroupRules",
    "Groups",
    "LinksField",
    "MappingFile",
    "MergedFields",
    "PeopleFile",
    "PersonEntry",
    "PersonField",
    "RawMap",
    "RouteEntry",
    "RouteTarget",
    "RoutesFile",
    "RulesFile",
    "SeverityField",
    "SeverityRange",
    "Show",
    "SourceClassField",
    "StatusField",
    "Strict",
    "TagCondition",
    "TagsField",
    "Text",
    "TextCondition",
    "TextField",
    "Transition",
    "TypeField",
    "UrgencyField",
    "UrgencyRange",
    "ViewField",
    "YesNo",
]
