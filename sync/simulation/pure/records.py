"""The records of a history with all that they ever showed, and what the hub knows of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from sync.core.receipt import Own
from sync.core.state import Intent, Shown, StatusBase, TagBase, Want
from sync.model import Direction
from sync.simulation.pure.systems import Reading, System


class State(Struct, frozen=True):
    """What a record showed at one version."""

    version: int
    shown: Shown


class Row(Struct, frozen=True):
    """One of the hub's own rows in a record's history."""

    version: int
    own: Own


@dataclass(eq=False, slots=True)
class Record:
    """A remote record with its whole history. version: how often it has changed. filtered: not all tags pass to it."""

    id: int
    system: System
    raw: str
    direction: Direction = Direction.BOTH
    graph: Mapping[str, tuple[str, ...]] | None = None
    filtered: bool = False
    tags: frozenset[str] = frozenset()
    states: list[State] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    version: int = 0
    is_gone: bool = False
    into: Record | None = None
    by_hub: bool = False
    done_at: int = 0
    faded: set[str] = field(default_factory=set)

    @property
    def reading(self) -> Reading:
        """How what it shows reads. A frozen one refuses every edit."""
        return self.system.readings[self.raw]

    def keep(self) -> None:
        """Keep what it shows now as its newest state."""
        reading = self.system.readings[self.raw]
        self.version += 1
        shown = Shown(
            raw=self.raw, status=reading.status, archived=reading.archived, frozen=reading.frozen, tags=self.tags
        )
        self.states.append(State(self.version, shown))

    def accepts(self, key: str) -> bool:
        """Whether its tag filter lets a tag pass."""
        return not self.filtered or passes(key)


def passes(key: str) -> bool:
    """Whether a tag passes the filters of the records that have one."""
    return int(key) % 3 != 0


@dataclass(eq=False, slots=True)
class Link:
    """What the hub knows of a member. since: when it joined. fresh: read in this pass. errand: what is in doubt."""

    record: Record
    since: int
    seen: State
    status_base: StatusBase | None = None
    tag_base: TagBase | None = None
    intent: Intent | None = None
    errand: Want | None = None
    fresh: bool = False
