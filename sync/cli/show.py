"""Words on a terminal, or for a program: tables, times, JSON. No colour unless a person looks and wants it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from shutil import get_terminal_size
from textwrap import wrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def plain(text: object) -> str:
    """A text without signs that move a terminal's cursor or turn its writing direction: it may come from anybody."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", str(text))


def say(text: str = "") -> None:
    """One line on standard output."""
    sys.stdout.write(plain(text) + "\n")


def told(text: str) -> None:
    """A sentence: where a person looks folded between words, further lines set in; for a program one line."""
    if not is_looked_at():
        say(text)
        return
    for line in wrap(plain(text), max(get_terminal_size().columns, 40), subsequent_indent="  ") or [""]:
        say(line)


def styled(*parts: tuple[str, str]) -> None:
    """One line made of (text, style): in colour where a person looks and has not set NO_COLOR. Styles are rich's."""
    if not is_looked_at():
        say("".join(text for text, _ in parts).rstrip())
        return
    from rich.console import Console
    from rich.text import Text

    line = Text.assemble(*((plain(text), style) for text, style in parts))
    line.rstrip()
    Console(highlight=False).print(line, soft_wrap=True)


def warn(text: str) -> None:
    """One line on standard error."""
    sys.stderr.write(plain(text) + "\n")


def is_looked_at() -> bool:
    """A person looks at standard output."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def json(value: Any) -> None:
    """A value as indented JSON."""
    import msgspec

    encoded = msgspec.json.encode(value, order="deterministic")
    sys.stdout.write(msgspec.json.format(encoded, indent=2).decode() + "\n")


_WHOLE = frozenset({"id", "when", "made", "since", "who", "item", "connection"})
"""Columns whose cells are never broken: a time or a name in pieces cannot be read."""

_NARROWEST = 12
"""Letters that any other column gets at least, if it has so many to show."""

_GAP = 3


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table: drawn where a person looks, else in aligned columns with two spaces between.

    Where a person's terminal is too narrow for the columns, each row becomes a short paragraph instead.
    """
    cells = [[plain(cell if cell is not None else "").replace("\n", " ") for cell in row] for row in rows]
    if is_looked_at():
        from rich.console import Console

        console = Console(highlight=False)
        if fits(headers, cells, console.width):
            _draw(console, headers, cells)
        else:
            for line in paragraphs(headers, cells, console.width):
                say(line)
        return
    widths = [max(len(cell) for cell in column) for column in zip(headers, *cells, strict=True)]
    for row in [list(headers), *cells]:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _draw(console: Console, headers: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    for header, least in zip(headers, _least(headers, cells), strict=True):
        drawn.add_column(header, no_wrap=header in _WHOLE, overflow="fold", min_width=least)
    for row in cells:
        drawn.add_row(*(Text(cell) for cell in row))  # Text: nobody's brackets are markup
    console.print(drawn)


def _least(headers: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    """The width that each column needs to be readable."""
    columns = zip(*cells, strict=True) if cells else ([] for _ in headers)
    least = []
    for header, column in zip(headers, columns, strict=True):
        widest = max((len(cell) for cell in column), default=0)
        least.append(max(len(header), widest if header in _WHOLE else min(widest, _NARROWEST)))
    return least


def fits(headers: Sequence[str], cells: Sequence[Sequence[str]], width: int) -> bool:
    """Whether a table can be read in a terminal of that width."""
    return sum(_least(headers, cells)) + _GAP * len(headers) <= width


def paragraphs(headers: Sequence[str], cells: Sequence[Sequence[str]], width: int) -> list[str]:
    """A table's rows as short paragraphs: first what must stay whole, then the rest, each by its column's name."""
    lines: list[str] = []
    for row in cells:
        named = [(header, cell) for header, cell in zip(headers, row, strict=True) if cell]
        first = "  ".join(cell for header, cell in named if header in _WHOLE)
        rest = "; ".join(f"{header}: {cell}" for header, cell in named if header not in _WHOLE)
        lines += wrap(first, width, subsequent_indent="  ")
        lines += wrap(rest, width, initial_indent="  ", subsequent_indent="  ")
    return lines


def when(at: datetime | None) -> str:
    """A time as people read it; empty for none."""
    return "" if at is None else at.strftime("%Y-%m-%d %H:%M:%S")


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago; empty for never."""
    return "" if at is None else f"{lasting(now - at)} ago"


def lasting(span: timedelta) -> str:
    """A length of time in its largest unit that fits twice or more."""
    seconds = max(0, int(span.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
