"""The grammar of CEL, as much of it as conditions may use: from text to a tree with the place of every part.

Source: the CEL language definition (google/cel-spec, doc/langdef.md, section "Syntax"). Left out on purpose: bytes,
unsigned numbers, null, maps, messages and indexing, for which no canonical field has a use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

LENGTH_LIMIT = 1_000
"""Characters of one expression."""
DEPTH_LIMIT = 40
"""Levels of brackets, calls and operators."""

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
      | (?P<float>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)
      | (?P<int>\d+)
      | (?P<raw>[rR](?:"[^"\n]*"|'[^'\n]*'))
      | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]{}])""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "`": "`", "?": "?"}
_BINARY = (("||",), ("&&",), ("==", "!=", "<", "<=", ">", ">=", "in"), ("+", "-"), ("*", "/", "%"))
_RESERVED = frozenset(
    (
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
        "namespace", "return", "var", "void", "while",
    )
)  # fmt: skip


class Unreadable(ValueError):
    """An expression that is not CEL, or uses what conditions may not. at: the character, from 1."""

    def __init__(self, at: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.at = at
        self.message = message
        self.hint = hint


class Node(Struct, frozen=True):
    """One part of an expression. kind: literal, name, list, call, method, if or one of the operators.

    at: its character, from 1. word: the name, function or operator. value: of a literal. parts: what it is made of; of
    a method, what it is called on comes first; of a comprehension (`exists`, ...), the variable second.
    """

    kind: str
    at: int
    word: str = ""
    value: bool | int | float | str | None = None
    parts: tuple[Node, ...] = ()

    def shape(self) -> tuple[object, ...]:
        """The tree without places: equal for two texts of one expression."""
        value = (type(self.value).__name__, self.value)
        return (self.kind, self.word, value, *(part.shape() for part in self.parts))

    def walk(self) -> Iterator[Node]:
        """It and all its parts."""
        yield self
        for part in self.parts:
            yield from part.walk()


class _Token(Struct, frozen=True):
    kind: str
    text: str
    at: int


def read(text: str) -> Node:
    """The tree of an expression. Raises Unreadable."""
    if len(text) > LENGTH_LIMIT:
        raise Unreadable(LENGTH_LIMIT, f"it has {len(text):,} characters; at most {LENGTH_LIMIT:,} are read")
    parser = _Parser(text)
    node = parser.choice()
    parser.end()
    return node


def _tokens(text: str) -> list[_Token]:
    found = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            what = "an open text" if text[at] in "\"'" else f"`{text[at]}`"
            raise Unreadable(at + 1, f"{what} cannot stand here", "close it" if text[at] in "\"'" else "")
        if match.lastgroup != "space":
            found.append(_Token(match.lastgroup or "", match[0], at + 1))
        at = match.end()
    return [*found, _Token("end", "", len(text) + 1)]


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._token
        self._next += token.kind != "end"
        return token

    def _is(self, *signs: str) -> bool:
        return self._token.kind in ("sign", "name") and self._token.text in signs

    def _expect(self, sign: str) -> None:
        if not self._is(sign):
            raise Unreadable(self._token.at, f"{self._shown()} stands where `{sign}` must")
        self._take()

    def _shown(self) -> str:
        return f"`{self._token.text}`" if self._token.text else "the end"

    def end(self) -> None:
        """Nothing may follow."""
        if self._token.kind != "end":
            hint = "write `&&`, `||` and `==`" if self._token.text in ("and", "or", "not", "is", "=") else ""
            raise Unreadable(self._token.at, f"{self._shown()} cannot stand here", hint)

    def choice(self) -> Node:
        """An expression, with or without `? :`."""
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            raise Unreadable(self._token.at, f"it is nested deeper than {DEPTH_LIMIT} levels")
        node = self._binary(0)
        if self._is("?"):
            at = self._take().at
            first = self._binary(0)
            self._expect(":")
            node = Node("if", at, parts=(node, first, self.choice()))
        self._depth -= 1
        return node

    def _binary(self, level: int) -> Node:
        if level == len(_BINARY):
            return self._unary()
        node = self._binary(level + 1)
        count = 0
        while self._is(*_BINARY[level]):
            token = self._take()
            node = Node("operator", token.at, token.text, parts=(node, self._binary(level + 1)))
            count += 1
            if count > DEPTH_LIMIT:
                raise Unreadable(token.at, f"more than {DEPTH_LIMIT} operators stand in a row", "use `in [...]`")
        return node

    def _unary(self) -> Node:
        signs = []
        while self._is("!", "-"):
            signs.append(self._take())
            if len(signs) > DEPTH_LIMIT:
                raise Unreadable(signs[0].at, "too many signs stand in a row")
        node = self._member()
        for token in reversed(signs):
            if token.text == "-" and node.kind == "literal" and type(node.value) in (int, float):
                assert isinstance(node.value, int | float)
                node = Node("literal", token.at, value=-node.value)
            else:
                node = Node("not" if token.text == "!" else "minus", token.at, parts=(node,))
        return node

    def _member(self) -> Node:
        node = self._primary()
        while True:
            if self._is("."):
                at = self._take().at
                token = self._take()
                if token.kind != "name":
                    raise Unreadable(at, "a name must follow the `.`")
                if not self._is("("):
                    raise Unreadable(token.at, f"nothing has a part `{token.text}`", "every field is a name of its own")
                node = Node("method", token.at, token.text, parts=(node, *self._arguments(")")))
            elif self._is("["):
                raise Unreadable(self._token.at, "single entries of a list cannot be asked for", "use `in` or `exists`")
            else:
                return node

    def _arguments(self, closing: str) -> list[Node]:
        self._take()
        found: list[Node] = []
        while not self._is(closing):
            found.append(self.choice())
            if not self._is(","):
                break
            self._take()
        self._expect(closing)
        return found

    def _primary(self) -> Node:
        token = self._token
        if self._is("("):
            self._take()
            node = self.choice()
            self._expect(")")
            return node
        if self._is("["):
            return Node("list", token.at, parts=tuple(self._arguments("]")))
        if self._is("{"):
            raise Unreadable(token.at, "maps have no use here")
        self._take()
        match token.kind:
            case "float":
                return Node("literal", token.at, value=float(token.text))
            case "int":
                number = int(token.text)
                if number >= 2**63:
                    raise Unreadable(token.at, f"{token.text} is too large a number")
                return Node("literal", token.at, value=number)
            case "raw":
                return Node("literal", token.at, value=token.text[2:-1])
            case "string":
                return Node("literal", token.at, value=_unescaped(token))
            case "name":
                return self._named(token)
            case _:
                shown = f"`{token.text}`" if token.text else "the end"
                raise Unreadable(token.at, f"{shown} stands where a value must")

    def _named(self, token: _Token) -> Node:
        if token.text in ("true", "false"):
            return Node("literal", token.at, value=token.text == "true")
        if token.text == "null":
            raise Unreadable(token.at, "there is no null: a field without a value is an empty text, list or 0")
        if token.text in _RESERVED or token.text == "in":
            raise Unreadable(token.at, f"`{token.text}` is no name")
        if self._is("("):
            return Node("call", token.at, token.text, parts=tuple(self._arguments(")")))
        return Node("name", token.at, token.text)


def _unescaped(token: _Token) -> str:
    inner = token.text[1:-1]
    if "\\" not in inner:
        return inner
    out, at = "", 0
    while at < len(inner):
        if inner[at] != "\\":
            out, at = out + inner[at], at + 1
            continue
        code = inner[at + 1]
        if code not in _ESCAPES:
            raise Unreadable(token.at + at + 1, f"`\\{code}` means nothing in a text", "write r'...' for a pattern")
        out, at = out + _ESCAPES[code], at + 2
    return out
