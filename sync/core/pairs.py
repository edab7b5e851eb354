"""The laws between two systems: what one says reaches the other without loss, and the two never write at each other.

Each mapping keeps its own laws (`sync.core.laws`); these are about what one makes of the other's words.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from sync.core import lens
from sync.core.state import StatusRules
from sync.model import Direction, Status


class Party(Struct, frozen=True, kw_only=True):
    """One system as the other meets it.

    name: as people say it. says: what its records can show, in words (a raw value in back quotes, a category) -> what
    it means. collapses: it is declared that some meanings cannot be told apart there.
    """

    name: str
    rules: StatusRules
    says: Mapping[str, Status]
    direction: Direction = Direction.BOTH
    collapses: bool = False

    @property
    def speaks(self) -> bool:
        """Its own changes count."""
        return self.direction in (Direction.BOTH, Direction.IN)

    @property
    def is_written(self) -> bool:
        """It is made to follow the item."""
        return self.direction not in (Direction.IN, Direction.OFF) and bool(self.rules.write)


class PairLaw(StrEnum):
    """Which law a pair of mappings breaks."""

    NO_SILENT_LOSS = "no_silent_loss"
    NO_PING_PONG = "no_ping_pong"


class PairViolation(Struct, frozen=True, kw_only=True):
    """One counterexample. story: as a chain of what is shown, read and written.

    status: of a loss, the meaning that is lost at the listener; of a ping-pong, the one it begins with.
    """

    law: PairLaw
    status: Status
    story: str


def written(rules: StatusRules, status: Status) -> str | None:
    """The raw value that is written for a status, whatever the record shows: its own, else the nearest of its side."""
    for meaning in (status, *lens.NEAREST[status]):
        if meaning in rules.write:
            return rules.write[meaning]
    return None


def losses(speaker: Party, listener: Party) -> tuple[PairViolation, ...]:
    """Every meaning that the speaker's records can show and that reads as another one once it is written there.

    A loss that is declared is none. One for each meaning, told from the first raw value that has it.
    """
    if not speaker.speaks or not listener.is_written or listener.collapses:
        return ()
    found: dict[Status, PairViolation] = {}
    for shown, meaning in speaker.says.items():
        raw = written(listener.rules, meaning)
        reads = lens.get(listener.rules, raw) if raw is not None else None
        if raw is None or reads is None or reads is meaning or meaning in found:
            continue
        story = (
            f"{speaker.name} {shown} reads as {meaning}; writing {meaning} to {listener.name} gives `{raw}`; "
            f"`{raw}` reads as {reads}: the two cannot be told apart there"
        )
        back = written(speaker.rules, reads)
        if speaker.is_written and back is not None and back != shown.strip("`"):
            story += f", and {reads} written back to {speaker.name} would make it `{back}`"
        found[meaning] = PairViolation(law=PairLaw.NO_SILENT_LOSS, status=meaning, story=story)
    return tuple(found.values())


def ping_pong(one: Party, other: Party) -> PairViolation | None:
    """The first pair of values from which the two write at each other for ever, if each is taken at its word.

    Each in turn shows what the other's reading asks of it. No declaration allows that.
    """
    if not all(party.speaks and party.is_written for party in (one, other)):
        return None
    ends: set[tuple[str, str]] = set()  # pairs that come to rest
    for mine in _kinds(one.rules):
        for theirs in _kinds(other.rules):
            way = [(mine, theirs)]
            while way[-1] not in ends:
                step = _step(one, other, *way[-1])
                if step == way[-1]:
                    break
                if step in way:
                    return _told(one, other, way[way.index(step) :])
                way.append(step)
            ends.update(way)
    return None


def _kinds(rules: StatusRules) -> list[str]:
    """All raw values that are written, and of those that are only read one of each kind: the others fare alike."""
    kinds: dict[object, str] = {}
    for raw, meaning in sorted(rules.values.items()):
        accepted = tuple(status for status in Status if raw in rules.accept.get(status, ()))
        kinds.setdefault((meaning, accepted, raw in rules.keep, raw in rules.frozen), raw)
    return sorted({*kinds.values(), *(raw for raw in rules.write.values() if raw in rules.values)})


def _step(one: Party, other: Party, mine: str, theirs: str) -> tuple[str, str]:
    """What both show after each was made to follow the other once."""
    reads = lens.get(one.rules, mine)
    if reads is not None:
        theirs = lens.put(other.rules, reads, theirs)
    back = lens.get(other.rules, theirs)
    return (mine if back is None else lens.put(one.rules, back, mine)), theirs


def _told(one: Party, other: Party, circle: list[tuple[str, str]]) -> PairViolation:
    """The story of a circle of pairs."""
    parts = []
    for mine, then in zip([mine for mine, _ in circle][:2], (circle[1:] + circle[:1])[:2], strict=True):
        parts.append(
            f"{one.name} `{mine}` reads as {lens.get(one.rules, mine)}, so {other.name} is made `{then[1]}`; "
            f"that reads as {lens.get(other.rules, then[1])}, so {one.name} is made `{then[0]}`"
        )
    first = lens.get(one.rules, circle[0][0])
    assert first is not None  # an unread value starts nothing
    return PairViolation(
        law=PairLaw.NO_PING_PONG,
        status=first,
        story="; ".join(parts) + f"; and so on, round to `{circle[0][0]}` again, for ever",
    )
