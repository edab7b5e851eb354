"""Words on a terminal, or for a program: tables, times, JSON. No colour unless a person looks and wants it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def plain(text: object) -> str:
    """A text without signs that move a terminal's cursor or turn its writing direction: it may come from anybody."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", str(text))


def say(text: str = "") -> None:
    """One line on standard output."""
    sys.stdout.write(plain(text) + "\n")


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


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table: drawn where a person looks, else in aligned columns with two spaces between."""
    cells = [[plain(cell if cell is not None else "").replace("\n", " ") for cell in row] for row in rows]
    if is_looked_at():
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        drawn = Table(*headers, box=SIMPLE_HEAD, pad_edge=False)
        for row in cells:
            drawn.add_row(*(Text(cell) for cell in row))  # Text: nobody's brackets are markup
        Console(highlight=False).print(drawn)
        return
    widths = [max(len(cell) for cell in column) for column in zip(headers, *cells, strict=True)]
    for row in [list(headers), *cells]:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


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
