"""An editor that knows the schemas: what it marks in a file. The parts of JSON Schema that the schemas use, no more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sync.mapping.yaml import Malformed, Plain, compose

TYPES: Mapping[str, Any] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float),
    "null": type(None),
}  # fmt: skip
KNOWN = {
    "$defs", "$ref", "$schema", "additionalProperties", "anyOf", "const", "default", "description", "else", "enum",
    "examples", "format", "if", "items", "minLength", "properties", "propertyNames", "required", "then", "title",
    "type",
}  # fmt: skip


def as_read(text: str) -> Any:
    """A file as YAML 1.2 reads it, which editors do. None for what is no YAML that the hub takes."""
    try:
        return _core(compose(text, "file.yaml").data)
    except Malformed:
        return None


def _core(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _core(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_core(one) for one in value]
    if not isinstance(value, Plain):
        return value
    if value in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return value.lower() == "true"
    if value in ("", "~", "null", "Null", "NULL"):
        return None
    if re.fullmatch(r"[-+]?[0-9]+", value):
        return int(value)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", value):
        return float(value)
    return str(value)


def marks(schema: Mapping[str, Any], value: Any) -> list[tuple[str, str]]:
    """Where an editor marks a value, as a dotted way, and the keyword that is broken."""
    return list(_marks(schema, value, schema, ""))


def _marks(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any], way: str) -> Iterator[tuple[str, str]]:
    unknown = schema.keys() - KNOWN
    assert not unknown, f"the schemas use what this editor does not know: {unknown}"
    if "$ref" in schema:
        yield from _marks(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], value, root, way)
    if "anyOf" in schema and not any(_fits(one, value, root, way) for one in schema["anyOf"]):
        yield way, "anyOf"
    if "if" in schema:
        chosen = schema.get("then", {}) if _fits(schema["if"], value, root, way) else schema.get("else", {})
        yield from _marks(chosen, value, root, way)
    if "type" in schema and not _is_a(schema["type"], value):
        yield way, "type"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield way, "enum"
    if "const" in schema and value != schema["const"]:
        yield way, "const"
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        yield way, "minLength"
    if isinstance(value, list) and "items" in schema:
        for n, one in enumerate(value):
            yield from _marks(schema["items"], one, root, f"{way}[{n}]")
    if isinstance(value, dict):
        yield from _of_object(schema, value, root, way)


def _of_object(schema: Mapping[str, Any], value: dict[str, Any], root: Any, way: str) -> Iterator[tuple[str, str]]:
    for name in schema.get("required", ()):
        if name not in value:
            yield way, f"required {name}"
    properties = schema.get("properties", {})
    more = schema.get("additionalProperties", True)
    for name, one in value.items():
        below = f"{way}.{name}" if way else name
        if "propertyNames" in schema:
            yield from _marks(schema["propertyNames"], name, root, below)
        if name in properties:
            yield from _marks(properties[name], one, root, below)
        elif more is False:
            yield below, "unknown"
        elif isinstance(more, dict):
            yield from _marks(more, one, root, below)


def _fits(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any], way: str) -> bool:
    return next(_marks(schema, value, root, way), None) is None


def _is_a(kind: Any, value: Any) -> bool:
    kinds = kind if isinstance(kind, list) else [kind]
    if isinstance(value, bool):
        return "boolean" in kinds
    return any(isinstance(value, TYPES[one]) for one in kinds)
