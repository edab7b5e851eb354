"""Sentences the hub writes into other people's systems: templates, and how a text is made harmless for its target.

The words of a template are the administrator's and are written as they stand. Whatever is put in for a `$name` comes
from customers and colleagues, so it is encoded: no mention, macro, placeholder or markup of theirs fires.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

BREAK = "\u200b"
"""A zero-width space: it separates two characters that together would mean something, and is not seen."""

_NAME = re.compile(r"\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_MENTION = re.compile(r"(?<![\w.+\-])@(?=\w)")
_LOST = {
    **{code: None for code in range(32) if code not in (9, 10)},
    **dict.fromkeys(range(127, 160)),
    # Characters that turn the direction of what follows: a title could read as another one.
    **dict.fromkeys((0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069)),
    **dict.fromkeys(range(55296, 57344), "�"),  # lone halves of a pair: no encoding can carry them
}
_WIKI = str.maketrans({"\\": "\\" + BREAK, "[": "\\[", "]": "\\]", "{": "\\{", "}": "\\}", "!": "\\!", "|": "\\|"})


class Markup(StrEnum):
    """What a remote system makes of a text.

    plain: nothing but placeholders of its own. jira_wiki: Jira's wiki notation (REST version 2).
    """

    PLAIN = "plain"
    JIRA_WIKI = "jira_wiki"


def clean(text: str) -> str:
    """The text without control characters, direction overrides and lone surrogates; line ends are one newline."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_LOST)


def encode(text: str, markup: Markup) -> str:
    """Somebody's text, so that it shows as it is in the target and does nothing there."""
    text = clean(text)
    if markup is Markup.JIRA_WIKI:
        # A backslash of theirs must not meet one of ours: two are a line break, and what follows would be alive again.
        text = text.translate(_WIKI)
    else:
        # Liquid placeholders are expanded in Zendesk's comments, whoever wrote them.
        text = text.replace("{{", "{" + BREAK + "{").replace("{%", "{" + BREAK + "%").replace("{{", "{" + BREAK + "{")
    return _MENTION.sub("@" + BREAK, text)


def one_line(text: str, limit: int) -> str:
    """A title: one line without markup, of at most `limit` characters."""
    return cut(" ".join(clean(text).split()), limit)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters; what was cut is marked."""
    if len(text) <= limit:
        return text
    return text[: limit - 1].rstrip("\\") + "…"


class Sentence(Struct, frozen=True):
    """A template: lines of (literal, name) pairs, in turn; the last name of a line is empty."""

    lines: tuple[tuple[tuple[str, str], ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names it asks for, in order."""
        return tuple(name for line in self.lines for _, name in line if name)

    def fill(self, values: Mapping[str, str], markup: Markup) -> str:
        """The sentence with its names filled in, each encoded for the target.

        A line that asks for names of which none has a value is left out: "Reported by $reporter" for nobody.
        """
        lines = []
        for line in self.lines:
            asked = [name for _, name in line if name]
            if not asked or any(values.get(name) for name in asked):
                lines.append(
                    "".join(literal + (encode(values.get(name, ""), markup) if name else "") for literal, name in line)
                )
        return "\n".join(lines).strip("\n")

    def fill_line(self, values: Mapping[str, str], limit: int) -> str:
        """The sentence as one plain line: titles have no markup, in any system."""
        words = [
            "".join(literal + (values.get(name, "") if name else "") for literal, name in line) for line in self.lines
        ]
        return one_line(" ".join(words), limit)


def sentence(text: str) -> Sentence:
    """Read a template: `$name` or `${name}` is filled in, `$$` is a dollar sign, all else stands for itself."""
    return Sentence(tuple(tuple(_parts(line)) for line in text.split("\n")))


def _parts(text: str) -> Iterator[tuple[str, str]]:
    literal, at = "", 0
    for found in _NAME.finditer(text):
        literal += text[at : found.start()]
        at = found.end()
        if found[1]:
            literal += "$"
            continue
        yield literal, found[2] or found[3]
        literal = ""
    yield literal + text[at:], ""
