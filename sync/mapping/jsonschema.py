"""JSON Schema of the files, for completion and hover texts in editors. The shipped ones are kept fresh by a test."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from sync.mapping.schema import MappingFile, PeopleFile, RoutesFile, RulesFile

FILES: Mapping[str, type[BaseModel]] = {
    "mapping.schema.json": MappingFile,
    "routes.schema.json": RoutesFile,
    "rules.schema.json": RulesFile,
    "people.schema.json": PeopleFile,
}
"""File name -> the model whose files it describes."""


def text(model: type[BaseModel]) -> str:
    """The schema of one model's files, as it is committed."""
    schema = model.model_json_schema(by_alias=True)
    if model is MappingFile:
        needed = [name for name in schema["required"] if name != "system"]
        schema["required"] = ["system"]
        schema["if"] = {"properties": {"stock": {"const": True}}, "required": ["stock"]}
        schema["else"] = {"required": needed}
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(_plain(schema), indent=2, ensure_ascii=False) + "\n"


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
        return found
    return [_plain(one) for one in part] if isinstance(part, list) else part
