"""The shipped mappings, as a ground for files with `stock: true`: what such a file does not say is as it stands there.

A key that the file has replaces the shipped one whole: of `fields.status`, `values` of the file replace all shipped
values, and `write` stays as shipped unless it is there too. So each line of a file means what it says.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import structs

from sync.mapping.yaml import Document, compose


@cache
def shipped(system: str) -> Document | None:
    """The shipped mapping of a system; None where none is shipped. Read once."""
    part = files("mappings").joinpath(f"{system}.yaml") if system.isidentifier() else None
    if part is None or not part.is_file():
        return None
    document = compose(part.read_text("utf-8"), part.name)
    data = document.data
    return document if isinstance(data, dict) and data.get("system") == system else None


@cache
def systems() -> tuple[str, ...]:
    """The systems that have a shipped mapping."""
    names = sorted(
        part.name.removesuffix(".yaml") for part in files("mappings").iterdir() if part.name.endswith(".yaml")
    )
    return tuple(name for name in names if shipped(name) is not None)


def completed(document: Document, behind: Document) -> Document:
    """The file with what it does not say taken from the stock mapping. Places are those of the file."""
    own: dict[str, Any] = document.data
    stock: dict[str, Any] = behind.data
    whole = {**stock, **own}
    for name in ("fields", "create", "transitions"):
        mine, theirs = own.get(name), stock.get(name)
        if isinstance(mine, dict) and isinstance(theirs, dict):
            whole[name] = {**theirs, **mine}
            if name == "fields":
                whole[name].update({key: _field(mine[key], theirs.get(key)) for key in mine})
    return structs.replace(document, data=whole, behind=behind)


def _field(mine: Any, theirs: Any) -> Any:
    """One field: its keys one by one."""
    return {**theirs, **mine} if isinstance(mine, dict) and isinstance(theirs, dict) else mine
