"""The line of a file that a problem is about, with the place marked below it."""

from __future__ import annotations

from unicodedata import category, east_asian_width

from sync.mapping.yaml import Problem, readable

_NARROWEST = 24
"""Cells of a line that are shown at least."""
_ENDS = frozenset(",]}:#")


def excerpt(text: str, problem: Problem, width: int = 100) -> tuple[str, str] | None:
    """The line and its mark, each at most `width` cells wide; None where the file has no such line.

    text: the file's. A line that is too long is shown around the place.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    if not 1 <= problem.line <= len(lines):
        return None
    line = "".join(sign if sign.isprintable() else " " for sign in lines[problem.line - 1])
    if not line.strip():
        return None
    start = min(problem.column - 1, len(line))
    end = _end(line, start)
    margin = f"{problem.line:>5} | "
    room = max(width - len(margin), _NARROWEST)
    first, last = _window(line, start, room)
    shown = ("…" if first else "") + line[first:last] + ("…" if last < len(line) else "")
    before = ("…" if first else "") + line[first:start]
    marked = max(_cells(line[start : min(end, last)]), 1)
    return margin + readable(shown), " " * (len(margin) - 2) + "| " + " " * _cells(before) + "^" * marked


def _end(line: str, start: int) -> int:
    """Where the word ends that begins at a place: a text in quotes, a key, a plain value."""
    quote = line[start : start + 1]
    if quote.isspace():
        return start + 1
    if quote in ("'", '"'):
        closing = line.find(quote, start + 1)
        return closing + 1 if closing > 0 else len(line)
    end = start
    while end < len(line) and not (
        line[end] in _ENDS and (line[end] not in ":#" or line[end + 1 : end + 2] in ("", " ") or line[end - 1] == " ")
    ):
        end += 1
    return start + len(line[start:end].rstrip())


def _window(line: str, start: int, room: int) -> tuple[int, int]:
    """The part of a line that is shown: all of it, or some before the place and what follows."""
    if _cells(line) <= room:
        return 0, len(line)
    room -= 2  # for what says that there is more
    first = start
    while first and _cells(line[first - 1 : start]) <= room // 3:
        first -= 1
    last = first
    while last < len(line) and _cells(line[first : last + 1]) <= room:
        last += 1
    return first, last


def _cells(text: str) -> int:
    """How wide a terminal shows a text."""
    wide = sum(east_asian_width(sign) in ("W", "F") for sign in text)
    return len(text) + wide - sum(category(sign) in ("Mn", "Me", "Cf") for sign in text)
