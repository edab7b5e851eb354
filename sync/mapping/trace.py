"""What a mapping made of one value, and the rule in a file that made it: the shared words of both directions."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from sync.core.tags import fold
from sync.mapping import stock
from sync.mapping.compiled import TAG_LIMIT, Mapping
from sync.mapping.patterns import TagFilter
from sync.mapping.yaml import Document, Malformed, compose, path_of


class Rule(Struct, frozen=True, kw_only=True):
    """Where a rule stands. line counts from 1; path is the dotted way to it in the file."""

    file: str
    line: int
    path: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.path}"


class Traced(Struct, frozen=True, kw_only=True):
    """One value through a mapping.

    field: the canonical field. remote: the remote one; empty where there is none. given: the value that came in,
    result: the one that came out, empty when none did. rule: what made it so; None where nothing is written and the
    default holds. why: in words, what the rule does not say by itself.
    """

    field: str
    remote: str
    given: str
    result: str
    rule: Rule | None = None
    why: str = ""


class Source:
    """One mapping file: what stands in it, and where. For finding the rule behind an answer of the compiled mapping."""

    def __init__(self, document: Document) -> None:
        self._document = document

    @property
    def file(self) -> str:
        """The file's name."""
        return self._document.file

    def get(self, *way: str | int) -> Any:
        """What stands at a place; None where nothing does."""
        found = self._document.data
        for part in way:
            try:
                found = found[part]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    def rule(self, *way: str | int) -> Rule | None:
        """The rule at a place, by the line of its key; None where nothing is written there.

        Of what `stock: true` takes from the shipped file, the rule is in that.
        """
        place = self._document.keys.get(way) or self._document.values.get(way)
        shipped = self._document.shipped(way) if place is None else None
        if shipped is not None and self._document.behind is not None:
            return Rule(file=f"shipped:{self._document.behind.file}", line=shipped[0], path=path_of(way))
        return Rule(file=self.file, line=place[0], path=path_of(way)) if place is not None else None

    def entry(self, way: Sequence[str | int], name: str) -> Rule | None:
        """The rule for a name in a table (or list) of names; letters' case does not matter where no entry is exact."""
        table = self.get(*way)
        if isinstance(table, list):
            places: list[tuple[str, str | int]] = [(str(one), n) for n, one in enumerate(table)]
        elif isinstance(table, dict):
            places = [(str(one), str(one)) for one in table]
        else:
            return None
        exact = next((at for one, at in places if one == name), None)
        folded = next((at for one, at in places if one.casefold() == name.casefold()), None)
        at = exact if exact is not None else folded
        return self.rule(*way, at) if at is not None else None


def sources(texts: MappingOf[str, str]) -> tuple[Source, ...]:
    """The files that can be read as YAML, in the order of their names."""
    found = []
    for name in sorted(texts):
        try:
            found.append(Source(whole(compose(texts[name], name))))
        except Malformed:
            continue
    return tuple(found)


def whole(document: Document) -> Document:
    """A file with what stands behind it, where it says `stock: true`; that has no place in it."""
    data = document.data
    behind = stock.shipped(str(data.get("system"))) if isinstance(data, dict) and data.get("stock") == "true" else None
    return stock.completed(document, behind) if behind is not None else document


def source_for(files: Sequence[Source], connection: str, system: str) -> Source:
    """The file whose mapping a connection has: its own, else its system's. An empty one where there is none."""
    common = Source(Document(file="", data={}, values={}, keys={}))
    for source in files:
        named = source.get("connections") or []
        if connection in named:
            return source
        if source.get("system") == system and not named:
            common = source
    return common


def tag_rule(mapping: Mapping, source: Source, key: str) -> tuple[bool, Rule | None, str]:
    """Whether a tag travels between this system and the others, by which rule, and in words why it does not."""
    at = ("fields", "tags")
    tables = mapping.tag_tables
    inside = _pattern(source, (*at, "include"), key) or source.rule(*at, "prefix")
    if key not in tables.include:
        return False, source.rule(*at, "include"), "stays where it is: not among `include`"
    if key in tables.exclude:
        return False, _pattern(source, (*at, "exclude"), key), "stays where it is: excluded"
    refused = [sign for sign in tables.refuse_characters if sign in key]
    if refused:
        return False, source.rule(*at, "refuse_characters"), f"cannot stand here: it has `{refused[0]}`"
    if not mapping.accepts(key):
        spelled = mapping.spell(key, key)
        if len(spelled) > TAG_LIMIT:
            return False, None, f"cannot stand here: longer than {TAG_LIMIT} characters"
        return False, source.rule(*at, "rename"), f"cannot stand here: `{spelled}` is the name of another tag"
    return True, inside, ""


def _pattern(source: Source, way: tuple[str | int, ...], key: str) -> Rule | None:
    """The first pattern of a list that a folded key fits."""
    for n, pattern in enumerate(source.get(*way) or ()):
        if key in TagFilter((str(pattern),)):
            return source.rule(*way, n)
    return None


def renamed(source: Source, key_here: str) -> Rule | None:
    """The rule that renames a tag, by its folded key on this system."""
    for here in source.get("fields", "tags", "rename") or {}:
        if fold(str(here)) == key_here:
            return source.rule("fields", "tags", "rename", str(here))
    return None


def shown_text(value: object) -> str:
    """A raw value on one line: what a person would recognise it by."""
    if isinstance(value, dict):
        value = next((value[name] for name in ("name", "value", "key", "email", "id") if value.get(name)), "")
    if isinstance(value, list | tuple):
        return ", ".join(shown_text(part) for part in value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = " ".join(str(value).split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


_SHOWN = 80
"""Characters of a value that are shown: a body is recognised by its beginning."""
