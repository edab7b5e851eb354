"""Every setting there is, as a flat list taken from the models: its way, its description, whether it is a secret."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from msgspec import Struct
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from config.settings import CONNECTION_MODELS, Settings

Way = tuple[str, ...]
FILE_SUFFIX = "_file"
_UNIONS = (types.UnionType, get_origin(int | Annotated[str, 0]))  # `A | B` is one of two things, by what A and B are


class Setting(Struct, frozen=True, kw_only=True):
    """One setting. way: without connection name for those of a connection, whose `system` is set.

    variant: what its part must say for it to count (`cloud_token`). secret: it may be given as `<name>_file`.
    many: it takes a list; alone: it takes a single text too. kind: what it takes, in words.
    """

    way: Way
    kind: str
    description: str
    example: Any = None
    default: Any = None
    required: bool = False
    secret: bool = False
    many: bool = False
    alone: bool = False
    system: str = ""
    variant: str = ""


@cache
def common() -> tuple[Setting, ...]:
    """The settings that are no connection's."""
    return tuple(setting for setting in _of(Settings, (), "", "") if setting.way[0] != "connections")


@cache
def of_system(system: str) -> tuple[Setting, ...]:
    """The settings of a connection on a system, those that all have first. Empty for a system that is not known."""
    model = CONNECTION_MODELS.get(system)
    if model is None:
        return ()
    found = list(_of(model, (), system, ""))
    order = {"system": 0, "role": 1, "poll_seconds": 2}
    return tuple(sorted(found, key=lambda setting: order.get(setting.way[0], len(order))))


def at(settings: Sequence[Setting], way: Way) -> Setting | None:
    """The setting of that way."""
    return next((setting for setting in settings if setting.way == way), None)


def secret_names() -> frozenset[str]:
    """The last parts of the ways of all secrets."""
    return frozenset(setting.way[-1] for name in CONNECTION_MODELS for setting in of_system(name) if setting.secret)


def _of(model: type[BaseModel], above: Way, system: str, variant: str) -> Iterator[Setting]:
    for name, field in model.model_fields.items():
        way = (*above, name)
        parts = list(_alternatives(field.annotation))
        models = models_at(model, name)
        if models:
            for part in models:
                yield from _of(part, way, system, variant_of(part) if len(models) > 1 else variant)
            continue
        many = [part for part in parts if get_origin(part) in (tuple, list)]
        yield Setting(
            way=way,
            kind=_kind(parts),
            description=field.description or "",
            example=field.examples[0] if field.examples else None,
            default=_default(field),
            required=field.is_required(),
            secret=any(_is_secret(part) for part in parts),
            many=bool(many),
            alone=len(many) < len([part for part in parts if part is not type(None)]),
            system=system,
            variant=variant,
        )


def models_at(model: type[BaseModel], name: str) -> list[type[BaseModel]]:
    """The models of which one may stand under a key."""
    parts = _alternatives(model.model_fields[name].annotation)
    return [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]


def variant_of(model: type[BaseModel]) -> str:
    """The value that chooses this model among others; empty where there is no choice."""
    for field in model.model_fields.values():
        if get_origin(field.annotation) is Literal:
            return str(get_args(field.annotation)[0])
    return ""


def _default(field: FieldInfo) -> Any:
    return None if field.default is PydanticUndefined else field.default


def _alternatives(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin in _UNIONS:
        for part in get_args(annotation):
            yield from _alternatives(part)
    elif origin is Annotated:
        yield from _alternatives(get_args(annotation)[0])
    else:
        yield annotation


def _is_secret(part: Any) -> bool:
    return part is SecretStr or SecretStr in get_args(part)


_WORDS: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    SecretStr: "secret",
}


def _kind(parts: Sequence[Any]) -> str:
    words = []
    for part in parts:
        if part is type(None):
            continue
        if get_origin(part) is Literal:
            words += [f"`{value}`" for value in get_args(part)]
        elif get_origin(part) in (tuple, list):
            inner = next((one for one in get_args(part) if one is not Ellipsis), str)
            words.append(f"list of {_WORDS.get(inner, 'text')}s")
        elif get_origin(part) is dict:
            words.append("names with values")
        elif isinstance(part, type) and issubclass(part, str) and part is not str:
            words += [f"`{value.value}`" for value in part]  # type: ignore[attr-defined]  # the enumerations of the model
        else:
            words.append(_WORDS.get(part, "path" if getattr(part, "__name__", "") == "Path" else "text"))
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
