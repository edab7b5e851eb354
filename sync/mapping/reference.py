"""The reference of every key of the mapping files, as Markdown, from the models that also check them and make the
schemas for editors. `docs/mappings-reference.md` is kept fresh by a test."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from sync.mapping.schema import MappingFile, PeopleFile, RoutesFile, RulesFile

_UNIONS = (UnionType, get_origin(int | Annotated[str, 0]))  # `A | B` is one of two things, by what A and B are
_HEAD = """\
# Every key of the mapping files

Made from the code by `python -m tests.mappings.refresh`; do not edit it. [mappings.md](mappings.md) explains by
example; an editor that knows the schemas beside the files shows the same words.

NAME stands for a name of yours, `[]` for each entry of a list. Every value is read as text and typed by its key; a key
that is not here is an error.
"""

_FILES: Mapping[str, tuple[type[BaseModel], str]] = {
    "A mapping file": (
        MappingFile,
        "One file for each kind of system, or for single connections; any name that ends in `.yaml`.",
    ),
    "`routes.yaml`": (RoutesFile, "Where records are created. Without it nothing ever is."),
    "`rules.yaml`": (RulesFile, "How the records of one item speak together."),
    "`people.yaml`": (PeopleFile, "Who is who across the systems."),
}


def text() -> str:
    """The whole page."""
    parts = [_HEAD]
    for title, (model, about) in _FILES.items():
        parts.append(f"## {title}\n\n{about}\n")
        parts += _sections(model, "")
    return "\n".join(parts)


def keys(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key of a file, by its dotted way, with what the model says of it."""
    for name, field in model.model_fields.items():
        way = f"{path}.{field.alias or name}" if path else field.alias or name
        yield way, field
        for inner, step in _models_in(field.annotation):
            yield from keys(inner, way + step)


def _sections(model: type[BaseModel], path: str) -> Iterator[str]:
    rows, below = [], []
    for name, field in model.model_fields.items():
        key = field.alias or name
        rows.append(_row(key, field))
        way = f"{path}.{key}" if path else key
        below += [(inner, way + step) for inner, step in _models_in(field.annotation)]
    if path:
        about = " ".join((model.__doc__ or "").split())
        yield f"### `{path}`\n" + (f"\n{about}\n" if about else "")
    yield "| key | value | default | what it says | example |\n|---|---|---|---|---|\n" + "\n".join(rows) + "\n"
    for inner, way in below:
        yield from _sections(inner, way)


def _row(key: str, field: FieldInfo) -> str:
    examples = field.examples or ()
    cells = (
        f"`{key}`",
        _kind(field.annotation),
        _default(field),
        " ".join((field.description or "").split()),
        f"`{_flow(examples[0])}`" if examples else "",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined or value is None or value in ("", [], {}) or isinstance(value, BaseModel):
        return ""
    return f"`{_flow(value)}`"


def _flow(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(one) for one in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        plain = value and value == value.strip() and not any(sign in value for sign in ":#{}[],*&!|>'\"%@`\n")
        return value if plain else json.dumps(value, ensure_ascii=False)
    return str(value)


def _alternatives(annotation: Any) -> Sequence[Any]:
    """The types of which a value may be one, without what only decorates them."""
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in _UNIONS:
        return [one for part in get_args(annotation) for one in _alternatives(part)]
    return [annotation]


def _models_in(annotation: Any) -> Iterator[tuple[type[BaseModel], str]]:
    """The models that a value holds, and how the way to them goes on."""
    for one in _alternatives(annotation):
        origin, arguments = get_origin(one), get_args(one)
        if isinstance(one, type) and issubclass(one, BaseModel):
            yield one, ""
        elif origin is dict:
            for inner, step in _models_in(arguments[1]):
                yield inner, f".NAME{step}"
        elif origin in (list, tuple):
            for inner, step in _models_in(arguments[0]):
                yield inner, f"[]{step}"


_WORDS: Mapping[Any, str] = {str: "text", bool: "true or false", int: "whole number", float: "number", datetime: "time",
                             Any: "anything", type(None): ""}  # fmt: skip


def _kind(annotation: Any) -> str:
    """What may stand there, in words."""
    words = []
    for one in _alternatives(annotation):
        origin, arguments = get_origin(one), get_args(one)
        if origin is Literal:
            words.append(", ".join(f"`{value}`" for value in arguments))
        elif isinstance(one, type) and issubclass(one, Enum):
            words.append(", ".join(f"`{member.value}`" for member in one))
        elif isinstance(one, type) and issubclass(one, BaseModel):
            words.append("keys, see below")
        elif origin is dict:
            words.append(f"{_kind(arguments[0])} -> {_kind(arguments[1])}")
        elif origin in (list, tuple):
            words.append(f"list of {_kind(arguments[0])}")
        else:
            words.append(_WORDS.get(one, getattr(one, "__name__", str(one))))
    return " or ".join(dict.fromkeys(word for word in words if word))
