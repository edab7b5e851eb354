"""What is known of a kind of system before anybody asks it: the mapping that is shipped for it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from sync.mapping import schema
from sync.mapping.compiled import Mapping as CompiledMapping
from sync.mapping.load import load
from sync.mapping.yaml import compose


class Known(Struct, frozen=True, kw_only=True):
    """The shipped mapping of a system: as it is written, and compiled."""

    file: schema.MappingFile
    mapping: CompiledMapping


def known(texts: Mapping[str, str], system: str) -> Known | None:
    """The shipped mapping for a system, from the shipped files' texts; None where there is none."""
    for name in sorted(texts):
        data = compose(texts[name], name).data
        if isinstance(data, dict) and data.get("system") == system:
            loaded = load({name: texts[name]})
            return Known(file=schema.MappingFile.model_validate(data), mapping=loaded.for_connection("", system))
    return None
