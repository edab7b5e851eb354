"""What the compilation of each kind of file needs: problems with their place, templates, fingerprints."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from sync.mapping.texts import Sentence, sentence
from sync.mapping.yaml import Document, Loc, Problem, nearest


class Problems:
    """Collects what is wrong in one file. missing: parts that were taken out, since something in them is wrong."""

    def __init__(self, document: Document, missing: Iterable[Loc] = ()) -> None:
        self._document = document
        self._missing = tuple(missing)
        self.found: list[Problem] = []

    def add(self, loc: Sequence[str | int], message: str, hint: str = "", *, key: bool = False) -> None:
        """Note a problem at this place; not one that only follows from a part's absence."""
        way = tuple(loc)
        if any(way[: len(part)] == part or way == part[:-1] for part in self._missing):
            return
        self.found.append(self._document.problem(loc, message, hint, key=key))

    def lacks(self, loc: Sequence[str | int]) -> bool:
        """Something was taken out here, or below: what is said here is not all of it."""
        way = tuple(loc)
        return any(part[: len(way)] == way for part in self._missing)

    def line(self, loc: Sequence[str | int]) -> int:
        """The line of this place, for a message that names another one."""
        return self._document.place(loc)[0]


def fingerprint(content: Any) -> str:
    """A stable digest (hexadecimal, 32 characters) of plain data; the order of a mapping's keys does not matter."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def read_sentence(text: str, names: Sequence[str], problems: Problems, loc: Sequence[str | int]) -> Sentence:
    """Read a template; a name that it cannot know is a problem at this place."""
    read = sentence(text)
    for name in dict.fromkeys(read.names):
        if name not in names:
            problems.add(
                loc,
                f"knows no ${name}",
                nearest(name, names).replace("`", "`$", 1) or f"known are {', '.join(f'${n}' for n in names)}",
            )
    return read
