"""What is left of a file whose parts are wrong, so that one mistake does not hide those in the other parts.

A part with a mistake is taken out whole, and what is found wrong about it or about its absence afterwards is not told:
it would only follow from the mistake. The file is refused in any case.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sync.mapping.yaml import Loc

_PARTS: Mapping[str, int] = {"fields": 2, "create": 2, "transitions": 2, "groups": 2, "proposals": 2, "people": 3}
"""Top key -> how many steps of a way name one part; others are parts as they are."""
_NEEDED: Mapping[str, tuple[tuple[str, Any], ...]] = {
    "mapping": (("system", "?"), ("kind", "?"), ("fields", {})),
    "routes": (("name", "?"),),
    "people": (("name", "?"),),
}
"""What stands in for a key that must be there."""


def part_of(way: Loc) -> Loc:
    """The part of a file that a way leads into."""
    if way[:1] == ("routes",):
        return way[:4] if way[2:3] == ("when",) else way[:3]
    return way[: _PARTS.get(str(way[0]), 1)] if way else way


def without(data: Any, parts: Collection[Loc], kind: str) -> Any:
    """The data without these parts. kind: `mapping`, `routes`, `rules` or `people`."""
    left = data if isinstance(data, dict) and () not in parts else {}
    for part in sorted(parts, key=len, reverse=True):
        if part:
            left = _less(left, part)
    if kind == "mapping":
        return _filled(left, kind, (), parts)
    if kind in _NEEDED and isinstance(left.get(kind), list):
        return {**left, kind: [_filled(one, kind, (kind, n), parts) for n, one in enumerate(left[kind])]}
    return left


def _filled(entry: Any, kind: str, at: Loc, parts: Collection[Loc]) -> Any:
    """An entry with something in the place of what it needs and was taken out, or had not."""
    gone = {name: value for name, value in _NEEDED[kind] if at in parts or (*at, name) in parts}
    fill = {name: value + "".join(map(str, at)) if isinstance(value, str) else value for name, value in gone.items()}
    return {**fill, **entry} if isinstance(entry, dict) else entry


def _less(data: Any, way: Loc) -> Any:
    """A copy without what stands at a way; in a list an empty entry takes its place, so that the others keep theirs."""
    first, rest = way[0], way[1:]
    if isinstance(data, dict):
        if first not in data:
            return data
        if rest:
            return {**data, first: _less(data[first], rest)}
        return {name: value for name, value in data.items() if name != first}
    if isinstance(data, list) and isinstance(first, int) and first < len(data):
        return [*data[:first], _less(data[first], rest) if rest else {}, *data[first + 1 :]]
    return data
