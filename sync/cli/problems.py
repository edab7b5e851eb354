"""What is wrong in files, for a person: each problem with its place, and where it is a mapping's, its line, marked."""

from __future__ import annotations

import os
import sys
from shutil import get_terminal_size
from textwrap import wrap
from typing import TYPE_CHECKING

from sync.mapping.excerpt import excerpt
from sync.mapping.yaml import Problem

if TYPE_CHECKING:
    from config.problems import SettingsErrors

WIDTH = 100
"""Cells of a line that nobody looks at in a terminal."""


def told(error: SettingsErrors) -> str:
    """Every problem, and how many there are. Lines of the settings are not shown: a secret may stand there."""
    is_looked_at = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    width = max(get_terminal_size().columns, 40) if is_looked_at else WIDTH
    lines: list[str] = []
    for problem in error.problems:
        said = str(problem)
        lines += _folded(said, width) if is_looked_at else [said]
        text = error.texts.get(problem.file) if isinstance(problem, Problem) else None
        if text is not None and isinstance(problem, Problem):
            lines += excerpt(text, problem, width) or ()
    count = len(error.problems)
    return "\n".join([*lines, f"{count} problem{'s' if count > 1 else ''}"])


def _folded(text: str, width: int) -> list[str]:
    return wrap(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False) or [""]
