"""The laws a status mapping must keep, checked before it runs, over every value that it names.

G1 an agreeing value is never rewritten; G2 what is written is read back as agreeing; G3 a write never lands on the
other side; and no value is written that the remote never lets go. A mapping that breaks one could ping-pong or lose a
value.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias, assert_never

from msgspec import Struct

from sync.core import lens
from sync.core.state import StatusRules
from sync.model import Status


class Law(StrEnum):
    """Which law a mapping breaks."""

    G1 = "G1"
    G2 = "G2"
    G3 = "G3"
    FINAL = "final"


class Violation(Struct, frozen=True, kw_only=True):
    """One counterexample: a record shows `raw`, the item has `status`, the hub would write `written`.

    reads: how the mapping reads `written`.
    """

    law: Law
    raw: str
    status: Status
    written: str
    reads: Status | None

    @property
    def message(self) -> str:
        """The counterexample as a sentence."""
        read = "nothing the mapping names" if self.reads is None else f"`{self.reads}`"
        shows = f"a record shows `{self.raw}`, the item is `{self.status}`"
        match self.law:
            case Law.G1:
                return f"{shows}, which is how `{self.raw}` reads; yet `{self.written}` would be written over it"
            case Law.G2:
                return f"{shows}; `{self.written}` would be written, and then something else again: it would never rest"
            case Law.G3:
                return (
                    f"{shows}; the record would be left at or set to `{self.written}`, which reads {read}: "
                    f"not on the side of `{self.status}`"
                )
            case Law.FINAL:
                return (
                    f"the value written for `{self.status}` is `{self.written}`, "
                    "which is frozen or archived: such a write cannot be undone"
                )
            case _:
                assert_never(self.law)


Put: TypeAlias = Callable[[StatusRules, Status, str], str]
"""What a record showing a raw value is made to show for a status."""


def violations(rules: StatusRules, put: Put = lens.put) -> tuple[Violation, ...]:
    """Every way in which a mapping breaks a law, each with its counterexample, in a stable order.

    A mapping that writes no status at all keeps them all. `sync.core.lens.put` keeps G1 and G2 by the way it is made,
    for every mapping; they are checked all the same, so that another way of making it cannot lose them.
    """
    if not rules.write:
        return ()
    found: list[Violation] = []

    def note(law: Law, raw: str, status: Status, written: str) -> None:
        found.append(Violation(law=law, raw=raw, status=status, written=written, reads=lens.get(rules, written)))

    for status, written in sorted(rules.write.items()):
        if written in rules.frozen or written in rules.archived:
            note(Law.FINAL, written, status, written)
    for raw in sorted(_named(rules)):
        reads = lens.get(rules, raw)
        if reads is not None and put(rules, reads, raw) != raw:
            note(Law.G1, raw, reads, put(rules, reads, raw))
        for status in Status:
            written = put(rules, status, raw)
            if put(rules, status, written) != written:
                note(Law.G2, raw, status, written)
            if raw in rules.archived or raw in rules.frozen or written in rules.archived or written in rules.frozen:
                continue
            side = lens.get(rules, written)
            if side is None or side.side is not status.side:
                note(Law.G3, raw, status, written)
    return tuple(found)


def _named(rules: StatusRules) -> set[str]:
    named = {*rules.values, *rules.write.values(), *rules.keep, *rules.archived, *rules.frozen}
    for raws in rules.accept.values():
        named |= raws
    return named
