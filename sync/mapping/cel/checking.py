"""What an expression may say: the names there are, their types, the functions, and the words of each enumeration.

Every canonical field is a variable of its own, always there and never null: a field without a value is an empty text,
an empty list, or the number 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from sync.core.tags import fold
from sync.mapping.cel.syntax import Node, Unreadable
from sync.mapping.yaml import nearest
from sync.model import Category, Dimension, Fact, FeedbackType, Severity, SourceClass, Status, Urgency


class Type(Struct, frozen=True):
    """A type: `bool`, `int`, `double`, `text`, `time`, `span`, `list`, or `word` (one of `words`).

    of: the type of a list's entries. folded: a text is a tag's folded key.
    """

    name: str
    of: Type | None = None
    words: tuple[str, ...] = ()
    folded: bool = False

    def __str__(self) -> str:
        if self.name == "list":
            return f"a list of {self.of.name if self.of else 'nothing'}s"
        return {
            "bool": "true or false",
            "int": "a whole number",
            "double": "a number",
            "text": "a text",
            "time": "a time",
            "span": "a span of time",
            "word": "one of a few words",
        }[self.name]


BOOL, INT, DOUBLE, TEXT, TIME, SPAN = (Type(name) for name in ("bool", "int", "double", "text", "time", "span"))
KEY = Type("text", folded=True)
KEYS = Type("list", KEY)


def _word(words: Iterable[str], *, empty: bool = False) -> Type:
    return Type("word", words=tuple([str(word) for word in words] + ([""] if empty else [])))


VARIABLES: Mapping[str, Type] = {
    "connection": TEXT,
    "status": _word(Status, empty=True),
    "facts": Type("list", _word(Fact)),
    "type": _word(FeedbackType),
    "category": _word(Category),
    "source_class": _word(SourceClass),
    "severity": _word(Severity, empty=True),
    "urgency": _word(Urgency, empty=True),
    "title": TEXT,
    "body": TEXT,
    "reporter": TEXT,
    "reporter_email": TEXT,
    "owner": TEXT,
    "owner_email": TEXT,
    "occurrences": INT,
    "affected_users": INT,
    "created": TIME,
    "updated": TIME,
    "tags": KEYS,
    **{dimension.value: KEYS for dimension in Dimension},
}
"""Every name that an expression may use, with its type."""

_MACROS = ("all", "exists", "exists_one", "filter", "map")
_TEXT_METHODS = ("contains", "startsWith", "endsWith", "matches")
_TIME_METHODS = (
    "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes",
)  # fmt: skip
_CALLS = ("size", "timestamp", "duration")
_SPAN_TEXT = re.compile(r"-?(\d+(\.\d+)?(h|m|s|ms))+")
_ORDERED = ("int", "double", "text", "time", "span")


def check(node: Node, connections: Iterable[str] | None = None) -> frozenset[str]:
    """Type an expression; it must be true or false. Returns the fields it uses. Raises Unreadable.

    connections: the names there are, where they are known.
    """
    names = dict(VARIABLES)
    if connections is not None:
        names["connection"] = _word(sorted(connections))
    checker = _Checker(names)
    found = checker.of(node)
    if found.name != "bool":
        raise Unreadable(node.at, f"the expression is {found}, and must be true or false")
    return frozenset(checker.used)


class _Checker:
    def __init__(self, names: Mapping[str, Type]) -> None:
        self._names = dict(names)
        self._inside = False
        self.used: set[str] = set()

    def of(self, node: Node) -> Type:
        """The type of a part."""
        match node.kind:
            case "literal":
                return _literal(node)
            case "name":
                return self._name(node)
            case "list":
                return self._list(node)
            case "not":
                self._must(node.parts[0], "bool", "`!`")
                return BOOL
            case "minus":
                return self._must(node.parts[0], ("int", "double"), "`-`")
            case "if":
                return self._if(node)
            case "operator":
                return self._operator(node)
            case "call":
                return self._call(node)
            case _:
                return self._macro(node) if node.word in _MACROS else self._method(node)

    def _must(self, node: Node, wanted: str | tuple[str, ...], by: str) -> Type:
        found = self.of(node)
        if found.name not in ((wanted,) if isinstance(wanted, str) else wanted):
            first = Type(wanted if isinstance(wanted, str) else wanted[0])
            raise Unreadable(node.at, f"{by} needs {first}, and this is {found}")
        return found

    def _name(self, node: Node) -> Type:
        found = self._names.get(node.word)
        if found is None:
            hint = nearest(node.word, self._names) or f"there are {', '.join(sorted(VARIABLES))}"
            raise Unreadable(node.at, f"there is no field `{node.word}`", hint)
        if node.word in VARIABLES:
            self.used.add(node.word)
        return found

    def _list(self, node: Node) -> Type:
        types = [self.of(part) for part in node.parts]
        for part, other in zip(node.parts, types, strict=True):
            if other.name == "list" or other.name != types[0].name:
                raise Unreadable(part.at, f"is {other} in a list of {types[0].name}s")
        return Type("list", types[0] if types else TEXT)

    def _if(self, node: Node) -> Type:
        condition, first, second = node.parts
        self._must(condition, "bool", "`?`")
        one, other = self.of(first), self.of(second)
        if one.name != other.name:
            raise Unreadable(second.at, f"is {other}, and before the `:` stands {one}")
        return one if one == other else Type(one.name, one.of)

    def _operator(self, node: Node) -> Type:
        left, right = node.parts
        sign = node.word
        if sign in ("&&", "||"):
            self._must(left, "bool", f"`{sign}`")
            self._must(right, "bool", f"`{sign}`")
            return BOOL
        one, other = self.of(left), self.of(right)
        if sign == "in":
            if other.name != "list" or other.of is None:
                raise Unreadable(right.at, f"`in` needs a list, and this is {other}")
            self._same(left, one, right, other.of)
            return BOOL
        if sign in ("==", "!="):
            self._same(left, one, right, other)
            return BOOL
        if sign in ("<", "<=", ">", ">="):
            if "word" in (one.name, other.name):
                raise Unreadable(node.at, "these words have no order here", "use `in [...]`, or `at_least` outside it")
            if one.name != other.name or one.name not in _ORDERED:
                raise Unreadable(node.at, f"{one} and {other} cannot be compared by `{sign}`")
            return BOOL
        return self._sum(node, one, other)

    def _sum(self, node: Node, one: Type, other: Type) -> Type:
        sign, right = node.word, node.parts[1]
        names = (one.name, other.name)
        if sign in ("/", "%"):
            if right.kind != "literal" or not right.value:
                raise Unreadable(right.at, "may only be divided by a number that stands here and is not 0")
            if names in (("int", "int"), ("double", "double")) and (sign == "/" or one.name == "int"):
                return one
        elif names in (("int", "int"), ("double", "double")):
            return one
        elif sign == "+" and one.name in ("text", "word") and other.name in ("text", "word"):
            return TEXT
        elif (sign == "-" and names == ("time", "time")) or (sign in "+-" and names == ("span", "span")):
            return SPAN
        elif sign in "+-" and names == ("time", "span"):
            return TIME
        raise Unreadable(node.at, f"`{sign}` cannot be used on {one} and {other}")

    def _same(self, left: Node, one: Type, right: Node, other: Type) -> None:
        """Both sides can be equal at all: of one type, and a word that is one."""
        for mine, theirs, node in ((one, other, right), (other, one, left)):
            if mine.name == "word" and theirs.name == "text":
                for part in node.parts if node.kind == "list" else (node,):
                    if part.kind != "literal":
                        raise Unreadable(part.at, "is compared with one of a few words: write the word")
                    if part.value not in mine.words:
                        known = [word for word in mine.words if word]
                        hint = nearest(str(part.value), known) or f"there are {', '.join(known)}"
                        raise Unreadable(part.at, f"`{part.value}` is never its value", hint)
                return
            if mine.folded and theirs.name == "text":
                for part in node.parts if node.kind == "list" else (node,):
                    if part.kind == "literal" and fold(str(part.value)) != part.value:
                        raise Unreadable(part.at, "tags stand here folded", f"write `{fold(str(part.value))}`")
                return
        if one.name != other.name or (one.name == "word" and one.words != other.words):
            raise Unreadable(right.at, f"is {other}, and is compared with {one}: never equal")
        if one.name == "list" and one.of is not None and other.of is not None and one.of.name != other.of.name:
            raise Unreadable(right.at, f"is {other}, and is compared with {one}: never equal")

    def _call(self, node: Node) -> Type:
        if node.word == "has":
            raise Unreadable(node.at, "`has` is not needed: every field is there", "compare it with '' or ask its size")
        if node.word not in _CALLS:
            if node.word in (*_TEXT_METHODS, *_TIME_METHODS, *_MACROS):
                raise Unreadable(node.at, f"`{node.word}` is asked of a field", f"write `field.{node.word}(...)`")
            raise Unreadable(node.at, f"there is no function `{node.word}`", _functions_near(node.word))
        if len(node.parts) != 1:
            raise Unreadable(node.at, f"`{node.word}` takes one value, and here are {len(node.parts)}")
        part = node.parts[0]
        if node.word == "size":
            self._must(part, ("text", "list", "word"), "`size`")
            return INT
        if part.kind != "literal" or not isinstance(part.value, str):
            raise Unreadable(part.at, f"`{node.word}` needs a text that stands here")
        if node.word == "timestamp":
            _moment(part)
            return TIME
        if _SPAN_TEXT.fullmatch(part.value) is None:
            raise Unreadable(part.at, f"`{part.value}` is no span of time", "write it like '36h' or '1h30m'")
        return SPAN

    def _method(self, node: Node) -> Type:
        owner, *given = node.parts
        found = self.of(owner)
        if node.word == "size":
            if given:
                raise Unreadable(node.at, "`size` takes no value here")
            self._must(owner, ("text", "list", "word"), "`size`")
            return INT
        if node.word in _TEXT_METHODS:
            if found.name not in ("text", "word"):
                hint = "use `in` for an entry of a list" if found.name == "list" else ""
                raise Unreadable(node.at, f"`{node.word}` is asked of a text, and this is {found}", hint)
            if len(given) != 1:
                raise Unreadable(node.at, f"`{node.word}` takes one text, and here are {len(given)}")
            self._must(given[0], "text", f"`{node.word}`")
            if node.word == "matches" and given[0].kind != "literal":
                raise Unreadable(given[0].at, "the pattern must stand here as a text")
            return BOOL
        if node.word in _TIME_METHODS:
            if found.name != "time":
                raise Unreadable(node.at, f"`{node.word}` is asked of a time, and this is {found}")
            if given:
                raise Unreadable(node.at, f"`{node.word}` takes nothing: all times are UTC")
            return INT
        raise Unreadable(node.at, f"there is no function `{node.word}`", _functions_near(node.word))

    def _macro(self, node: Node) -> Type:
        if len(node.parts) != 3 or node.parts[1].kind != "name":
            raise Unreadable(node.at, f"`{node.word}` takes a name and a condition", f"like `tags.{node.word}(t, …)`")
        if self._inside:
            raise Unreadable(node.at, f"`{node.word}` cannot stand inside another one")
        owner, variable, body = node.parts
        found = self._must(owner, "list", f"`{node.word}`")
        if variable.word in self._names:
            raise Unreadable(variable.at, f"`{variable.word}` is the name of a field", "take another, like `t`")
        self._names[variable.word] = found.of or TEXT
        self._inside = True
        inner = self.of(body)
        self._inside = False
        del self._names[variable.word]
        if node.word == "map":
            return Type("list", inner)
        if inner.name != "bool":
            raise Unreadable(body.at, f"`{node.word}` needs a condition, and this is {inner}")
        return found if node.word == "filter" else BOOL


def _functions_near(word: str) -> str:
    functions = (*_CALLS, *_TEXT_METHODS, *_TIME_METHODS, *_MACROS)
    return nearest(word, functions) or f"there are {', '.join(sorted(functions))}"


def _literal(node: Node) -> Type:
    match node.value:
        case bool():
            return BOOL
        case int():
            return INT
        case float():
            return DOUBLE
        case _:
            return TEXT


def _moment(node: Node) -> None:
    text = str(node.value)
    try:
        zone = datetime.fromisoformat(text).tzinfo
    except ValueError:
        raise Unreadable(node.at, f"`{text}` is no time", "write it like '2026-03-01T00:00:00Z'") from None
    if zone is None or "T" not in text:
        raise Unreadable(node.at, f"`{text}` has no time zone", "write it like '2026-03-01T00:00:00Z'")
