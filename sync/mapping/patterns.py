"""How a mapping names many values at once: tag patterns, and the shape of references in a link field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import translate
from itertools import chain

from msgspec import Struct

from sync.core.tags import fold

READ_LIMIT = 4096
"""Characters of a link field that are read. A reference is short; a pattern never runs over a customer's novel."""

_PARTS = {
    "key": r"[A-Za-z][A-Za-z0-9_]*-[0-9]+",
    "id": r"[0-9]+",
    "ticket": r"[0-9]+",
    "url": r"https?://[^\s<>\"']+",
}
_PLACE = re.compile(r"\{([a-z]*)\}")
_BETWEEN = re.compile(r"[\s,;]+")


class PatternWrong(ValueError):
    """A pattern that cannot be read. The message says what is wrong with it."""


class TagFilter:
    """A set of tag patterns: exact tags, or globs with `*`, `?` and `[...]`, compared by folded key.

    patterns: all of them, folded.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        patterns = tuple(patterns)
        self.patterns = tuple(fold(pattern) for pattern in patterns)
        exact: set[str] = set()
        starts: list[str] = []
        others: list[re.Pattern[str]] = []
        for pattern in patterns:
            folded = fold(pattern)
            if not _is_glob(folded):
                exact.add(folded)
            elif folded.endswith("*") and not _is_glob(folded[:-1]):
                starts.append(folded[:-1])
            else:
                others.append(re.compile(translate(folded)))
        self._exact = frozenset(exact)
        self._starts = tuple(starts)
        self._others = tuple(others)

    def __contains__(self, key: object) -> bool:
        """True when the folded key fits any of the patterns."""
        return isinstance(key, str) and (
            key in self._exact
            or key.startswith(self._starts)
            or any(other.match(key) is not None for other in self._others)
        )


def _is_glob(text: str) -> bool:
    return any(mark in text for mark in "*?[")


class ReferencePattern(Struct, frozen=True):
    """What a reference looks like within a text. `text` is as written in the mapping."""

    text: str
    regex: re.Pattern[str]

    def find(self, value: str) -> Iterator[str]:
        """The references in a text: the named part where the pattern names one, else all that fits."""
        for found in self.regex.finditer(value[:READ_LIMIT]):
            yield next((part for part in found.groups() if part), found.group())


def reference_pattern(text: str) -> ReferencePattern:
    """Read a pattern: a template such as `https://example.atlassian.net/browse/{key}`, or `/a regular expression/`.

    Raises PatternWrong.
    """
    if len(text) > 1 and text.startswith("/") and text.endswith("/"):
        try:
            regex = re.compile(text[1:-1])
        except re.error as error:
            raise PatternWrong(f"is no regular expression: {error.msg}") from None
        if regex.match("") is not None:
            raise PatternWrong("fits an empty text, so it would name a record everywhere")
        return ReferencePattern(text, regex)
    pieces: list[str] = []
    at = 0
    names: list[str] = []
    for place in _PLACE.finditer(text):
        name = place[1]
        if name not in _PARTS:
            raise PatternWrong(f"knows no {{{name}}}; it may name one of {{key}}, {{id}}, {{ticket}}, {{url}}")
        pieces.append(re.escape(text[at : place.start()]))
        pieces.append(f"({_PARTS[name]})")
        names.append(name)
        at = place.end()
    if len(names) != 1:
        raise PatternWrong("must name exactly one of {key}, {id}, {ticket}, {url}")
    pieces.append(re.escape(text[at:]))
    # A word border on the outside: `{id}` alone never takes the digits out of ABC-12.
    return ReferencePattern(text, re.compile(r"(?<![\w\-])" + "".join(pieces) + r"(?![\w\-]*\w)"))


def references_in(value: object, patterns: tuple[ReferencePattern, ...]) -> Iterator[str]:
    """The references a field's raw value holds: by the patterns, else each word of it. Each is given once."""
    seen: set[str] = set()
    for text in _texts(value):
        found = chain.from_iterable(pattern.find(text) for pattern in patterns) if patterns else _words(text)
        for reference in found:
            if reference not in seen:
                seen.add(reference)
                yield reference


def _words(text: str) -> Iterator[str]:
    yield from (word for word in _BETWEEN.split(text[:READ_LIMIT]) if word)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, int) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, dict):
        for name in ("key", "id", "url", "value"):
            if name in value:
                yield from _texts(value[name])
                break
