"""What really happened, in order: every change of every record, by whom. The truth that the checkers judge by.

It is filled from the stand-ins' own models and never from the hub, and imports nothing of the hub but `sync.model`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

HUB = "hub"
USER = "user"


class What(StrEnum):
    """What changed about a record."""

    STATUS = "status"
    ADDED = "added"
    REMOVED = "removed"
    MERGED = "merged"
    DELETED = "deleted"
    JOINED = "joined"
    LEFT = "left"


@dataclass(frozen=True, kw_only=True)
class Event:
    """One change. no: its place in the order of all changes. record: `T` or `Z` and the remote's id (`T10001`, `Z3`).

    old, new: raw statuses; for tags `new` is the folded key; for joins and leaves the item. at: the systems' own time.
    """

    no: int
    by: str
    record: str
    what: What
    old: str = ""
    new: str = ""
    at: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Made:
    """An issue that the hub created. source: the ticket that its text names."""

    marker: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """A user's status that the hub's write replaced in the same moment, before anybody could read it."""

    record: str
    lost: str
    by: str


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What one record shows now. tags: folded keys."""

    status: str
    tags: frozenset[str]
    gone: bool = False
    merged_into: str = ""


def is_tracker(record: str) -> bool:
    """Whether a record is an issue."""
    return record.startswith("T")


@dataclass
class Ledger:
    """Events in order, and what each record shows.

    made: issues that the hub created. notes: its notes on a ticket, counted by (ticket, issue). links: tickets that an
    issue shows; own_links: addresses that the hub put there. routed: tickets that a route asks an issue for. hidden:
    edits that a write of the hub's replaced. restores: when an older database took the hub's place: the
    event from which on it knows of nothing, and the one before which it had read everything anew. decided: at which
    event each item came to rest, where workers come between one another. lost: how often the hub lost what it remembers
    of a record. now: the systems' own time, in seconds.
    """

    events: list[Event] = field(default_factory=list)
    shapes: dict[str, Shape] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)
    notes: dict[tuple[str, str], int] = field(default_factory=dict)
    links: dict[str, list[str]] = field(default_factory=dict)
    own_links: dict[str, list[str]] = field(default_factory=dict)
    routed: list[str] = field(default_factory=list)
    hidden: list[Hidden] = field(default_factory=list)
    restores: list[tuple[int, int]] = field(default_factory=list)
    decided: dict[str, list[int]] = field(default_factory=dict)
    lost: Counter[str] = field(default_factory=Counter)
    now: Callable[[], float] = lambda: 0.0

    def see(self, record: str, shape: Shape, by: str) -> list[Event]:
        """Take in what a record shows; whatever differs from before was done by `by`. Returns the new events."""
        before = self.shapes.get(record)
        self.shapes[record] = shape
        if before is None:
            return [self.note(record, What.ADDED, by, new=key) for key in sorted(shape.tags)]
        if before == shape:
            return []
        new: list[Event] = []
        if shape.merged_into and not before.merged_into:
            new.append(self.note(record, What.MERGED, by, new=shape.merged_into))
        elif before.status != shape.status:
            new.append(self.note(record, What.STATUS, by, before.status, shape.status))
        new.extend(self.note(record, What.ADDED, by, new=key) for key in sorted(shape.tags - before.tags))
        new.extend(self.note(record, What.REMOVED, by, new=key) for key in sorted(before.tags - shape.tags))
        if shape.gone and not before.gone:
            new.append(self.note(record, What.DELETED, by))
        return new

    def note(self, record: str, what: What, by: str, old: str = "", new: str = "") -> Event:
        """Add one event."""
        event = Event(no=len(self.events), by=by, record=record, what=what, old=old, new=new, at=self.now())
        self.events.append(event)
        return event

    def of(self, record: str, *whats: What) -> Iterator[Event]:
        """The events of one record, of these kinds."""
        for event in self.events:
            if event.record == record and (not whats or event.what in whats):
                yield event


@dataclass(frozen=True, kw_only=True)
class Membership:
    """One member of an item, as the hub says. parked, held: fields.

    waived: tags that were owed to it when the mapping was edited; a plan shows them, and a person decides.
    """

    record: str
    aside: bool
    parked: frozenset[str]
    held: frozenset[str]
    present: bool = True
    waived: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Sight:
    """One item as the hub says. tags: folded key -> roles that brought it."""

    item: str
    status: str
    tags: Mapping[str, frozenset[str]]
    members: tuple[Membership, ...]

    @property
    def tracker(self) -> Membership | None:
        """The item's issue."""
        return next((each for each in self.members if is_tracker(each.record)), None)
