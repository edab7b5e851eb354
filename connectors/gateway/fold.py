"""Lines in, signatures with figures out. No clock and no chance inside: time comes from the lines.

The order of lines, and how they are cut into blocks, changes no count. Memory is bounded by signatures and routes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from connectors.gateway.presets import Preset
from connectors.gateway.rules import FoldRules
from connectors.gateway.signature import Figures, Signature


class FoldRow(Struct, frozen=True):
    """One aggregate as it is stored: opaque to everybody else. (kind, key) is its identity."""

    kind: str
    key: str
    body: bytes


class Taken(Struct, frozen=True, kw_only=True):
    """What a block held. poisoned: lines not understood; samples: a few of them, scrubbed, with the reason first.

    lines = folded + poisoned + repeated (blank lines are none). late: of the folded ones, those too old to open.
    """

    lines: int = 0
    folded: int = 0
    failed: int = 0
    poisoned: int = 0
    repeated: int = 0
    late: int = 0
    samples: tuple[str, ...] = ()


class Fold:
    """Folds the lines of one connection. One thread at a time."""

    def __init__(self, rules: FoldRules, preset: Preset) -> None:
        self._rules = rules
        self._preset = preset

    def take(self, block: bytes) -> Taken:
        """Fold complete lines, separated by newlines; the last one may lack its newline. Never raises for a line."""
        raise NotImplementedError

    def take_document(self, body: bytes) -> Taken:
        """Fold what a gateway posted: an object, an array of objects, or an object a line. Never raises for it."""
        raise NotImplementedError

    def tick(self, now: datetime, *, caught_up: bool = False) -> None:
        """Tell the wall time: lines from its future are poisoned. caught_up: nothing is left to read just now, so
        the event time moves on to `now` less the allowed lateness even without lines.
        """
        raise NotImplementedError

    @property
    def watermark(self) -> datetime | None:
        """The newest event time seen, None before the first line."""
        raise NotImplementedError

    def touched(self) -> frozenset[str]:
        """The ids of the signatures that had calls since the last `changed`: those worth judging now."""
        raise NotImplementedError

    def changed(self) -> tuple[FoldRow, ...]:
        """The rows that differ from what was last given out or restored. To be stored in one transaction with the
        feed's position and with `dropped`. Call `dropped` right after it.
        """
        raise NotImplementedError

    def dropped(self) -> tuple[tuple[str, str], ...]:
        """(kind, key) of the rows to delete since the last `dropped`."""
        raise NotImplementedError

    def restore(self, rows: Iterable[FoldRow]) -> None:
        """Go on from stored rows. Only for a fresh fold. Raises ValueError for a row that is none of ours."""
        raise NotImplementedError

    def signatures(self) -> Mapping[str, Signature]:
        """Every signature known, by id."""
        raise NotImplementedError

    def figures(self, signature_id: str) -> Figures:
        """What is known of one signature as of the watermark. Raises KeyError for one that is not known."""
        raise NotImplementedError

    def keep(self, signature_ids: Iterable[str]) -> None:
        """Signatures that are records: never dropped for being old, and never counted as room for new ones."""
        raise NotImplementedError
