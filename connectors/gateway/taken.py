"""What a fold gives: what a block held, and the rows to store. Values only."""

from __future__ import annotations

from msgspec import Struct


class FoldRow(Struct, frozen=True):
    """One aggregate as it is stored: opaque to everybody else. (kind, key) is its identity; both fit 64 characters."""

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


class Counting:
    """What one `take` counts as it goes."""

    __slots__ = ("failed", "late", "lines", "poisoned", "repeated", "samples")

    def __init__(self) -> None:
        self.lines = self.failed = self.poisoned = self.repeated = self.late = 0
        self.samples: list[str] = []

    def result(self) -> Taken:
        """All of it."""
        return Taken(
            lines=self.lines,
            folded=self.lines - self.poisoned - self.repeated,
            failed=self.failed,
            poisoned=self.poisoned,
            repeated=self.repeated,
            late=self.late,
            samples=tuple(self.samples),
        )
