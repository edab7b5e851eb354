"""Mapping files as text: entries, comments beside them, and values quoted where YAML needs it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

_INDICATORS = "-?:,[]{}#&*!|>'\"%@`~"
_COLUMN = 46
"""Where comments begin at the latest, as long as the entry leaves room."""


def scalar(text: str) -> str:
    """A text as YAML, plain where it can be. (The hub reads every scalar as text, so `no` needs no quotes.)"""
    safe = (
        text
        and text == text.strip()
        and text[0] not in _INDICATORS
        and not re.search(r"[,\[\]{}]|: |:$| #", text)
        and text.isprintable()
    )
    if safe:
        return text
    escaped = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else _escaped(c) for c in escaped)


def _escaped(sign: str) -> str:
    """One sign as YAML escapes it; half a sign, which no file can hold, as the sign for what cannot be read."""
    number = ord(sign) if not 0xD800 <= ord(sign) <= 0xDFFF else 0xFFFD
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def flow(values: Iterable[str]) -> str:
    """A list on one line."""
    return "[" + ", ".join(scalar(one) for one in values) + "]"


def table(values: Mapping[str, str]) -> str:
    """A mapping on one line."""
    return "{" + ", ".join(f"{scalar(key)}: {scalar(value)}" for key, value in values.items()) + "}"


def counted(number: int, what: str) -> str:
    """A number of things."""
    return f"{number} {what}{'' if number == 1 else 's'}"


class Sheet:
    """One file, written from top to bottom."""

    def __init__(self) -> None:
        self._lines: list[tuple[str, str]] = []

    def gap(self) -> None:
        """An empty line; never two."""
        if self._lines and self._lines[-1] != ("", ""):
            self._lines.append(("", ""))

    def remark(self, text: str, level: int = 0) -> None:
        """A comment line."""
        self._lines.append(("  " * level + (f"# {_line(text)}" if text else "#"), ""))

    def entry(self, level: int, key: str, value: str = "", *, comment: str = "", unsure: str = "") -> None:
        """`key: value`; value is YAML already, empty where entries follow below. unsure: why it should be looked at."""
        told = f"unsure: {unsure}" if unsure else comment
        name = scalar(key)
        self._lines.append(("  " * level + f"{name}:{' ' + value if value else ''}", _line(told)))

    def item(self, level: int, value: str, comment: str = "") -> None:
        """`- value`, a text; one entry of a list."""
        self._lines.append(("  " * level + f"- {scalar(value)}", _line(comment)))

    def block(self, level: int, key: str, text: str) -> None:
        """A text of several lines."""
        self._lines.append(("  " * level + f"{key}: |-", ""))
        self._lines += [("  " * (level + 1) + line if line else "", "") for line in text.split("\n")]

    @property
    def doubts(self) -> int:
        """How many lines are marked as unsure."""
        return sum(comment.startswith("unsure:") for _, comment in self._lines) + sum(
            "# unsure:" in line for line, _ in self._lines
        )

    def text(self) -> str:
        """The file."""
        found: list[str] = []
        run: list[tuple[str, str]] = []
        for line in [*self._lines, ("", "")]:
            if line[1]:
                run.append(line)
                continue
            column = min(max((len(entry) for entry, _ in run), default=0), _COLUMN)
            found += [f"{entry:<{column}}  # {comment}" for entry, comment in run]
            run = []
            found.append(line[0])
        return "\n".join(found).rstrip("\n") + "\n"


def _line(text: str) -> str:
    """A comment is one line, and nothing in it ends it: what it says may come from a remote system."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
