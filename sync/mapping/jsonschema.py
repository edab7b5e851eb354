"""JSON Schema of the files, for completion and hover texts in editors. The shipped ones are kept fresh by a test."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, NoDefault
from pydantic_core import core_schema

from sync.mapping.schema import MappingFile, PeopleFile, RoutesFile, RulesFile

FILES: Mapping[str, type[BaseModel]] = {
    "mapping.schema.json": MappingFile,
    "routes.schema.json": RoutesFile,
    "rules.schema.json": RulesFile,
    "people.schema.json": PeopleFile,
}
"""File name -> the model whose files it describes."""


class _Generator(GenerateJsonSchema):
    """As pydantic's, with the defaults that are made anew each time: lists and tables, empty or not."""

    def get_default_value(self, schema: core_schema.WithDefaultSchema) -> Any:
        """The default; none where it is a part of its own, whose keys have theirs."""
        factory = schema.get("default_factory")
        if factory is None or schema.get("default_factory_takes_data"):
            return super().get_default_value(schema)
        value = cast("Callable[[], Any]", factory)()
        return NoDefault if isinstance(value, BaseModel) else value


def text(model: type[BaseModel]) -> str:
    """The schema of one model's files, as it is committed."""
    schema = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    if model is MappingFile:
        _relax_for_stock(schema)
    _explain(schema, schema.get("$defs", {}))
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(_plain(schema), indent=2, ensure_ascii=False) + "\n"


def _relax_for_stock(schema: dict[str, Any]) -> None:
    """With `stock: true` the shipped mapping stands behind the file, so no key is demanded but the system."""
    needed = [name for name in schema["required"] if name != "system"]
    schema["required"] = ["system"]
    schema["if"] = {"properties": {"stock": {"const": True}}, "required": ["stock"]}
    fields = {}
    for name, part in schema["$defs"]["Fields"]["properties"].items():
        references = [one.get("$ref", "") for one in (part, *part.get("anyOf", ()))]
        for reference in filter(None, references):
            inner = schema["$defs"][reference.rpartition("/")[2]]
            if "required" in inner:
                fields[name] = {"if": {"type": "object"}, "then": {"required": inner.pop("required")}}
    schema["else"] = {"required": needed, "properties": {"fields": {"properties": fields}}}


def _explain(part: Any, parts: Mapping[str, Any]) -> None:
    """A key that is described in the words of what it holds has no words of its own: editors show only those."""
    if isinstance(part, dict):
        reference = part.get("$ref")
        if reference and "examples" in part and "description" not in part:
            part["description"] = parts[reference.rpartition("/")[2]]["description"]
        for one in part.values():
            _explain(one, parts)
    elif isinstance(part, list):
        for one in part:
            _explain(one, parts)


def _plain(part: Any) -> Any:
    """Without the titles that pydantic makes up from names: editors would show them before the descriptions."""
    if isinstance(part, dict):
        found = {}
        for name, value in part.items():
            if name in ("properties", "$defs"):
                found[name] = {key: _plain(one) for key, one in value.items()}
            elif name in ("examples", "default", "enum", "const"):
                found[name] = value
            elif name != "title":
                found[name] = _plain(value)
        return _any_scalar(found)
    return [_plain(one) for one in part] if isinstance(part, list) else part


def _any_scalar(found: dict[str, Any]) -> dict[str, Any]:
    """A text may stand without quotes whatever it looks like: the hub reads `2024` as text, and so must an editor."""
    if found.get("type") == "string" and not found.keys() & {"enum", "const", "format", "pattern"}:
        return {**found, "type": ["string", "number", "boolean"]}
    return found
