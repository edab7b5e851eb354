"""One thing in which a mapping and a live system do not agree."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from connectors.contract import Level
from sync.mapping.trace import Rule
from sync.mapping.yaml import readable

_SHOWN = 6


class Mismatch(Struct, frozen=True, kw_only=True):
    """What, and what to do. subject: names it for good, so that it is known again. rule: where it stands in a file."""

    level: Level
    subject: str
    what: str
    do: str = ""
    rule: Rule | None = None

    def __str__(self) -> str:
        place = f"{self.rule}: " if self.rule is not None else ""
        do = f"; {readable(self.do)}" if self.do else ""
        return f"{place}{readable(self.what)}{do}"


def listed(names: Sequence[str]) -> str:
    """Names for a sentence; of many the first, and how many more."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(f"`{name}`" for name in names[:_SHOWN]) + more
