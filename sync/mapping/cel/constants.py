"""Whether an expression can be true at all: it is tried over every combination of the words that it asks about.

What is no word of an enumeration counts as unknown, so an answer of `never` is certain and its absence is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice, product

from sync.mapping.cel.checking import VARIABLES
from sync.mapping.cel.syntax import Node

COMBINATIONS = 20_000
"""How many combinations are tried. Six fields with all their words have as many; more are not looked at."""

_UNKNOWN = object()


def is_never_true(node: Node) -> bool:
    """It is false, whatever a record shows."""
    asked = sorted({part.word for part in node.walk() if part.kind == "name" and VARIABLES.get(part.word)})
    worded = [name for name in asked if VARIABLES[name].name == "word"]
    size = 1
    for name in worded:
        size *= len(VARIABLES[name].words)
    if size > COMBINATIONS:
        return False
    trials = islice(product(*(VARIABLES[name].words for name in worded)), COMBINATIONS)
    return all(_value(node, dict(zip(worded, words, strict=True))) is False for words in trials)


def _value(node: Node, words: Mapping[str, str]) -> object:
    """What a part comes to, or unknown."""
    match node.kind:
        case "literal":
            return node.value
        case "name":
            return words.get(node.word, _UNKNOWN)
        case "not":
            inner = _value(node.parts[0], words)
            return inner if inner is _UNKNOWN else not inner
        case "if":
            asked = _value(node.parts[0], words)
            if asked is _UNKNOWN:
                ends = [_value(part, words) for part in node.parts[1:]]
                return ends[0] if ends[0] == ends[1] else _UNKNOWN
            return _value(node.parts[1 if asked else 2], words)
        case "list":
            return tuple(_value(part, words) for part in node.parts)
        case "operator":
            return _operated(node, words)
        case _:
            return _UNKNOWN


def _operated(node: Node, words: Mapping[str, str]) -> object:
    left, right = (_value(part, words) for part in node.parts)
    if node.word in ("&&", "||"):
        decides = node.word == "||"
        if decides in (left, right):
            return decides
        return _UNKNOWN if _UNKNOWN in (left, right) else not decides
    if left is _UNKNOWN or right is _UNKNOWN:
        return _UNKNOWN
    if node.word == "in":
        assert isinstance(right, tuple)
        if left in right:
            return True
        return _UNKNOWN if _UNKNOWN in right else False
    if isinstance(left, tuple) or isinstance(right, tuple):
        return _UNKNOWN
    if node.word in ("==", "!="):
        return (left == right) is (node.word == "==")
    return _UNKNOWN
