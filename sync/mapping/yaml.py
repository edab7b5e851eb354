"""YAML that people write: plain data with the place of every value, and problems that name it.

Read from the events of PyYAML's C parser. Every scalar is text (`no`, `012` and dates stay what was written); what
makes YAML surprising is refused: duplicate keys, anchors, aliases, tags, several documents, files that are too large.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, get_args, get_origin

import yaml
from msgspec import Struct
from pydantic import BaseModel, ValidationError

SIZE_LIMIT = 256 * 1024
"""Bytes of one file. A mapping of 2,000 lines has a third of it."""
DEPTH_LIMIT = 32
"""Levels of nesting. The language needs eight."""

Loc = tuple[str | int, ...]
Place = tuple[int, int]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNIONS = (UnionType, get_origin(int | Annotated[str, 0]))  # `A | B` is one of two things, by what A and B are
_QUOTED = re.compile(r"'([^']*)'")


class Plain(str):
    """A scalar that stood in the file without quotes. It is text like any other; only free values look at it."""

    __slots__ = ()


_LONGEST_WORDS = 300
"""Characters of a message: what was pasted in the wrong place is recognised by less."""


def readable(text: str) -> str:
    """What a file says, as a message can show it: on one line, no control or invisible characters, not endless."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if len(text) <= _LONGEST_WORDS else text[:_LONGEST_WORDS] + "…"


class Problem(Struct, frozen=True, order=True):
    """One thing that is wrong in a file. line and column count from 1; path is the dotted way to the value."""

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        path = f"{readable(self.path)}: " if self.path else ""
        hint = f"; {readable(self.hint)}" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {path}{readable(self.message)}{hint}"


class Malformed(Exception):
    """Files that cannot be used. problems: everything that is wrong in them, in order.

    document: what could be read all the same, where the parser came to the end of the one file.
    """

    def __init__(self, problems: Iterable[Problem], document: Document | None = None) -> None:
        self.problems = tuple(sorted(set(problems)))
        self.document = document
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Document(Struct, frozen=True, kw_only=True):
    """A file's data and where each part of it stands.

    data: dicts, lists and text. values: place of each value by its way; keys: place of each key. refused: the ways to
    values that YAML has and this language has not; something empty stands there. behind: the shipped file of which the
    data has what this one does not say.
    """

    file: str
    data: Any
    values: Mapping[Loc, Place]
    keys: Mapping[Loc, Place]
    refused: tuple[Loc, ...] = ()
    behind: Document | None = None

    def place(self, loc: Sequence[str | int], *, key: bool = False) -> Place:
        """Line and column of a value, or of its key; of the nearest thing around it when it does not stand there."""
        way = tuple(loc)
        while way:
            if key and way in self.keys:
                return self.keys[way]
            if way in self.values:
                return self.values[way]
            key = True  # what is missing is missing below a key: name that
            way = way[:-1]
        return self.values.get((), (1, 1))

    def problem(self, loc: Sequence[str | int], message: str, hint: str = "", *, key: bool = False) -> Problem:
        """A problem at this place."""
        line, column = self.place(loc, key=key)
        shipped = self.shipped(loc)
        if shipped is not None:
            message += f" (as shipped: `stock: true` takes it from line {shipped[0]} of {self.shipped_name})"
        return Problem(self.file, line, column, path_of(loc), message, hint)

    @property
    def shipped_name(self) -> str:
        """What the file behind this one is called."""
        return f"the shipped {self.behind.file}" if self.behind is not None else ""

    def shipped(self, loc: Sequence[str | int]) -> Place | None:
        """Where a value stands in the file behind this one, if that is where the data has it from."""
        way = tuple(loc)
        if self.behind is None or way in self.values or not self._has(way):
            return None
        return self.behind.keys.get(way) or self.behind.values.get(way)

    def _has(self, way: Loc) -> bool:
        data = self.data
        for part in way:
            try:
                data = data[part]
            except (KeyError, IndexError, TypeError):
                return False
        return True


def path_of(loc: Sequence[str | int]) -> str:
    """The way to a value as people write it: `routes[0].when.tags`."""
    path = ""
    for part in loc:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else part
    return path


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean `x`?`, or an empty text when nothing is near."""
    names = list(dict.fromkeys(known))
    folded = {name.casefold().replace("-", "_").replace(" ", "_"): name for name in names}
    close = get_close_matches(word.casefold().replace("-", "_").replace(" ", "_"), folded, n=1, cutoff=0.6)
    return f"did you mean `{folded[close[0]]}`?" if close else ""


# --- reading ---------------------------------------------------------------------------------------------------------


def compose(text: str, file: str) -> Document:
    """Read one file. Raises Malformed with all that is wrong with it as YAML."""
    text = text.removeprefix("\ufeff")
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > SIZE_LIMIT:
        message = f"the file has {size:,} bytes; at most {SIZE_LIMIT:,} are read"
        raise Malformed([Problem(file, 1, 1, "", message, "divide it, or take out what was pasted into it")])
    composer = _Composer(file)
    try:
        composer.read(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        raise Malformed([*composer.problems, _syntax(file, text, error)]) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = (
            f"the character U+{ord(text[error.position]):04X} cannot stand in YAML"
            if error.position < len(text)
            else str(error.reason)
        )
        raise Malformed([*composer.problems, Problem(file, line, column, "", message, "delete it")]) from None
    document = Document(
        file=file, data=composer.data, values=composer.values, keys=composer.keys, refused=tuple(composer.refused)
    )
    if composer.problems:
        raise Malformed(composer.problems, document if composer.is_whole else None)
    return document


def _syntax(file: str, text: str, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    said = error.problem or error.context or "it cannot be read"
    hint = ""
    if "cannot start any token" in said and _line(text, line)[:column].endswith("\t"):
        said, hint = "a tab stands here", "indent with spaces"
    elif "expected key" in said or "expected <block end>" in said:
        hint = "put a text that begins with a quote, and all that follows in it, between quotes of the other kind"
        hint = hint if _line(text, line)[: column - 1].rstrip().endswith(("'", '"')) else ""
    elif "mapping values are not allowed" in said:
        hint = "put a text that has `: ` in it between quotes, or indent the line as its neighbours"
    elif error.context_mark is not None and error.context and error.context_mark.line + 1 != line:
        hint = f"{error.context} in line {error.context_mark.line + 1}"
    return Problem(file, line, column, "", f"this is not YAML: {said}", hint)


def _line(text: str, line: int) -> str:
    return text.split("\n")[line - 1] if line <= text.count("\n") + 1 else ""


class _Composer:
    """Builds the data of one document from the parser's events."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.data: Any = Plain("")
        self.values: dict[Loc, Place] = {}
        self.keys: dict[Loc, Place] = {}
        self.problems: list[Problem] = []
        self.refused: list[Loc] = []
        self.is_whole = True

    def read(self, events: Iterator[Any]) -> None:
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.is_whole = False
                    self._refuse(
                        event, (), "a second document begins here", "one file holds one document: take out the `---`"
                    )
                    return
                self.data = self._node(next(events), events, ())

    def _node(self, event: Any, events: Iterator[Any], loc: Loc) -> Any:
        self.values.setdefault(loc, (event.start_mark.line + 1, event.start_mark.column + 1))
        if isinstance(event, yaml.AliasEvent):
            self._refuse(event, loc, f"the alias *{event.anchor} is not allowed", "write the value out")
            self.refused.append(loc)
            return Plain("")
        if event.anchor:
            self._refuse(event, loc, f"the anchor &{event.anchor} is not allowed", "write the value where it is needed")
        if event.tag and event.tag != "!":
            self._refuse(
                event,
                loc,
                f"the tag {event.tag.replace('tag:yaml.org,2002:', '!!')} is not allowed",
                "every value is read as text and typed by its key",
            )
            self.refused.append(loc)
        if isinstance(event, yaml.ScalarEvent):
            return event.value if event.style else Plain(event.value)
        if len(loc) >= DEPTH_LIMIT:
            self._refuse(event, (), f"this is nested deeper than {DEPTH_LIMIT} levels")
            raise Malformed(self.problems)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(event := next(events), yaml.SequenceEndEvent):
                items.append(self._node(event, events, (*loc, len(items))))
            return items
        return self._mapping(events, loc)

    def _mapping(self, events: Iterator[Any], loc: Loc) -> dict[str, Any]:
        pairs: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            start = (event.start_mark.line + 1, event.start_mark.column + 1)
            key = self._node(event, events, (*loc, f"<key at {start[0]}:{start[1]}>"))
            if not isinstance(key, str):
                self.problems.append(
                    Problem(self.file, *start, path_of(loc), "a key must be a text", "put it between quotes")
                )
                self._node(next(events), events, (*loc, "<value>"))
                continue
            name = str(key)
            way = (*loc, name)
            if name in pairs:
                first = self.keys[way][0]
                self.problems.append(
                    Problem(
                        self.file,
                        *start,
                        path_of(way),
                        f"stands here a second time (first in line {first})",
                        "keep one of the two",
                    )
                )
                self._node(next(events), events, (*way, "<again>"))
                continue
            self.keys[way] = start
            pairs[name] = self._node(next(events), events, way)
        return pairs

    def _refuse(self, event: Any, loc: Loc, message: str, hint: str = "") -> None:
        mark = event.start_mark
        shown = tuple(part for part in loc if not (isinstance(part, str) and part.startswith("<")))
        self.problems.append(Problem(self.file, mark.line + 1, mark.column + 1, path_of(shown), message, hint))


# --- what pydantic found ---------------------------------------------------------------------------------------------


def problems_of(error: ValidationError, document: Document, model: type[BaseModel] | None = None) -> list[Problem]:
    """Everything pydantic found, with its place and in the reader's words. model: makes unknown keys nameable."""
    details = [(_way(document, detail["loc"]), detail) for detail in error.errors(include_url=False)]
    ways = [way for way, _ in details]
    found = []
    for way, detail in details:
        kind = detail["type"]
        if kind in _WANTED:
            if any(len(other) > len(way) and other[: len(way)] == way for other in ways):
                continue  # one of two shapes was meant, and what is wrong inside it is told
            shapes = dict.fromkeys(_WANTED[d["type"]] for other, d in details if other == way and d["type"] in _WANTED)
            message, hint = _shape(detail["input"], " or ".join(shapes)), ""
        else:
            message, hint = _words(detail, way, model)
        found.append(
            document.problem(way, message, hint, key=detail["loc"][-1:] == ("[key]",) or kind == "extra_forbidden")
        )
    return list(dict.fromkeys(found))


def ways_of(error: ValidationError, document: Document) -> list[Loc]:
    """The ways to everything that pydantic found wrong."""
    return [_way(document, detail["loc"]) for detail in error.errors(include_url=False)]


def _way(document: Document, loc: tuple[str | int, ...]) -> Loc:
    """The part of pydantic's way that stands in the file: without names of union members and of validators."""
    way: Loc = ()
    for at, part in enumerate(loc):
        if (*way, part) in document.values or (*way, part) in document.keys:
            way = (*way, part)
        elif at == len(loc) - 1 and isinstance(part, str) and not _invented(part) and _is_mapping(document.data, way):
            return (*way, part)
    return way


def _is_mapping(data: Any, way: Loc) -> bool:
    for part in way:
        data = data[part]
    return isinstance(data, dict)


def _invented(part: str) -> bool:
    return "[" in part or "(" in part or part[:1].isupper() or part in ("str", "int", "bool", "float", "list", "dict")


def _words(detail: Any, loc: Loc, model: type[BaseModel] | None) -> tuple[str, str]:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx") or {}
    shown = f"`{given}`" if isinstance(given, str) else _kind_of(given)
    if kind == "missing":
        return "is missing", _example(model, loc) if model is not None else ""
    if kind == "extra_forbidden":
        known = _keys_at(model, loc[:-1]) if model is not None else []
        hint = nearest(str(loc[-1]) if loc else "", known)
        return "is not a key that is known here", hint or (f"known are {_listed(known)}" if known else "")
    if kind in ("enum", "literal_error"):
        known = _QUOTED.findall(str(context.get("expected", "")))
        return f"{shown if given != '' else 'nothing'} is not one of {_listed(known)}", nearest(str(given), known)
    if kind == "value_error":
        message, _, hint = str(context.get("error", detail["msg"])).partition("; ")
        return f"{shown} {message}" if message.startswith("is ") else message, hint
    if kind == "string_too_short":
        return "is empty", "write a value, or take the key out"
    if kind == "union_tag_not_found":
        key = str(context.get("discriminator", "")).strip("'")
        return f"says no {key}", "add it: it decides which keys may stand here"
    if kind == "union_tag_invalid":
        known = _QUOTED.findall(str(context.get("expected_tags", "")))
        tag = str(context.get("tag", ""))
        key = str(context.get("discriminator", "")).strip("'")
        return f"{key} `{tag}` is not one of {_listed(known)}", nearest(tag, known)
    # The value itself is not repeated: in a settings file it may be a secret.
    said = str(detail["msg"])
    if said.startswith("Input should be"):
        return said.replace("Input should be", "must be", 1), ""
    return said[:1].lower() + said[1:], ""


def _shape(given: object, wanted: str) -> str:
    if given == "":
        return f"is empty, and must be {wanted}"
    return f"must be {wanted}, and is {f'`{given}`' if isinstance(given, str) else _kind_of(given)}"


_WANTED = {
    "string_type": "a text",
    "dict_type": "a mapping (`name: value` lines)",
    "model_type": "a mapping (`name: value` lines)",
    "model_attributes_type": "a mapping (`name: value` lines)",
    "list_type": "a list (`- value` lines, or `[a, b]`)",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "datetime_from_date_parsing": "a time like 2026-03-01T00:00:00Z",
    "datetime_parsing": "a time like 2026-03-01T00:00:00Z",
    "datetime_type": "a time like 2026-03-01T00:00:00Z",
    "timezone_aware": "a time with a zone, like 2026-03-01T00:00:00Z",
}


def _kind_of(given: object) -> str:
    if isinstance(given, dict):
        return "a mapping"
    return "a list" if isinstance(given, list) else f"`{given}`"


def _listed(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + " and " + words[-1]


def _example(model: type[BaseModel], loc: Loc) -> str:
    for owner in _models_at(model, loc[:-1]):
        field = owner.model_fields.get(str(loc[-1]))
        if field is not None and field.examples and isinstance(field.examples[0], str):
            return f"add it, for example `{loc[-1]}: {field.examples[0]}`"
    return "add it"


def _keys_at(model: type[BaseModel], loc: Loc) -> list[str]:
    """The keys that may stand at a place, by the models."""
    return [field.alias or name for owner in _models_at(model, loc) for name, field in owner.model_fields.items()]


def _models_at(model: type[BaseModel], loc: Loc) -> list[type[BaseModel]]:
    """The models of which one may stand at a place."""
    here: list[type[BaseModel]] = [model]
    inside: list[Any] = []
    for part in loc:
        annotations = [
            m.model_fields[part].annotation for m in here if isinstance(part, str) and part in m.model_fields
        ]
        if not annotations:
            annotations = [value for annotation in inside for value in _values_of(annotation)]
        inside = [plain for annotation in annotations for plain in _alternatives(annotation)]
        here = [plain for plain in inside if isinstance(plain, type) and issubclass(plain, BaseModel)]
    return here


def _alternatives(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin in _UNIONS:
        for part in get_args(annotation):
            yield from _alternatives(part)
    elif getattr(annotation, "__metadata__", None) is not None:
        yield from _alternatives(annotation.__origin__)
    else:
        yield annotation


def _values_of(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) in (dict, list, tuple, Mapping, Sequence):
        arguments = [part for part in get_args(annotation) if part is not Ellipsis]
        if arguments:
            yield arguments[-1]
