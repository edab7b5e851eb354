"""Raw values as the remote systems give them: as a text, as a person, as a number."""

from __future__ import annotations

from collections.abc import Mapping

from sync.model import Json, Person


def text_of(value: Json) -> str:
    """A raw value as text: the name, value or key of an object, nothing for a list or for no value."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        for name in ("name", "value", "key", "id"):
            if value.get(name) is not None:
                return text_of(value[name])
        return ""
    return str(value)


def person_of(value: Json) -> Person | None:
    """A person from a raw value: an object with id, name and email, or a text."""
    if isinstance(value, dict):
        if not value:
            return None
        return Person(id=text_of(value.get("id")), name=text_of(value.get("name")), email=text_of(value.get("email")))
    text = text_of(value)
    return Person(name=text) if text else None


def count_of(value: Json) -> int:
    """A number of times; 1 where the value is none."""
    text = text_of(value)
    return int(text) if text.isascii() and text.isdigit() else 1


def field_values(fields: Mapping[str, Json]) -> frozenset[str]:
    """Values of custom fields: Zendesk adds the chosen entry of a drop-down to the ticket's tags."""
    found: list[str] = []
    for name, value in fields.items():
        if value and name.startswith("custom_fields."):
            if isinstance(value, str):
                found.append(value)
            elif isinstance(value, list):
                found.extend(part for part in value if isinstance(part, str))
    return frozenset(found)
