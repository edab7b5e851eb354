"""What the engine works with: the store, the open connections, the rules, the ports. Built by the daemon, or a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from connectors.contract import Act, Annotator, Budget, Capabilities, Clock, Feed, Hint, Remote, Rng, WebhookRequest
from sync.core.state import Rules
from sync.model import Json, Role

if TYPE_CHECKING:
    from sync.engine.budgets import Budgets
    from sync.mapping.compiled import Mapping as CompiledMapping
    from sync.mapping.routes import Route
    from sync.store.contract import Store


class Mode(StrEnum):
    """What a connection may do: only look, also note what would be written (shadow), write, or nothing at all."""

    OBSERVE = "observe"
    SHADOW = "shadow"
    LIVE = "live"
    PAUSED = "paused"


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """The engine's figures; `config` fills them, the defaults are the design's.

    brake_missing, brake_writes: (at least, share of the known linked records). fight_writes: of one value in an hour.
    miss_limit: how often a write that is answered well and not shown is repeated before it is parked.
    drift_every: how often a mapping is held against its live system.
    """

    poll_overlap: timedelta = timedelta(minutes=2)
    import_days: int = 90
    sweep_every: timedelta = timedelta(hours=24)
    drift_every: timedelta = timedelta(hours=24)
    brake_missing: tuple[int, float] = (20, 0.05)
    brake_writes: tuple[int, float] = (50, 0.10)
    fight_writes: int = 3
    miss_limit: int = 3
    stale_limit: int = 5
    batch: int = 100
    refresh_batch: int = 100
    links_every: timedelta = timedelta(minutes=15)
    webhook_days: int = 7
    delivery_days: int = 90
    journal_days: int = 400
    raw_days: int = 30


class Signals(Protocol):
    """Wakes workers. Losing a ring loses nothing: every worker looks at the tables again by itself."""

    def ring(self, topic: str) -> None: ...


class Silent:
    """Signals for one thread: nobody has to be woken."""

    def ring(self, topic: str) -> None:
        """Wake nobody."""


@dataclass
class Health:
    """How a connection is doing, in memory: failures in a row, when to try again, how far its sweep has earned.

    held: the reasons for which it was held when somebody last looked; for show, the tables decide. stuck: by feed, how
    often in a row our own code stumbled over its page, and when (monotonic) it is read again. missed: when linked
    records went missing, within the hour at least, or more; None until it was looked up. linked: how many records are
    linked, and when (monotonic) they were counted. noted: what was last noted of its budgets, and when (monotonic).
    """

    failures: int = 0
    try_at: float = 0.0
    reported_down: bool = False
    held: frozenset[str] = frozenset()
    stuck: dict[str, tuple[int, float]] = field(default_factory=dict)
    missed: list[datetime] | None = None
    linked: tuple[int, float] | None = None
    noted: tuple[Sequence[tuple[Any, ...]], float] | None = None
    swept_until: float | None = None
    sweep_earned: float = 0.0


@dataclass
class Connected:
    """One configured connection, open. `remote()` is the calling thread's own client.

    account_checked: its account was compared with the recorded one since the start; nothing is written before.
    by_hand: does what a person asks to a record of the hub's own: (connection of a step, reference, deed, args, now).
    feed: what the daemon reads for it beside the change feed. annotator: what shows the hub's own records there.
    left_behind: the attempts, by delivery, that were being sent when an error ended their worker's call; see
    `doubt.take_up`.
    """

    id: int
    name: str
    system: str
    role: Role
    kind: str
    mapping: CompiledMapping
    remote: Callable[[], Remote]
    budgets: tuple[Budget, ...] = ()
    draws: Callable[[Act], tuple[str, ...]] = lambda act: ()
    parse_reference: Callable[[str], str | None] = lambda text: None
    verify: Callable[[WebhookRequest, datetime], str] | None = None
    hints: Callable[[WebhookRequest], tuple[Hint, ...]] | None = None
    personal: tuple[str, ...] = ()
    own_links: bool = False
    feed: Feed | None = None
    by_hand: Callable[[Any, str, str, Mapping[str, Json], datetime], str] | None = None
    annotator: Annotator | None = None
    poll_seconds: float = 30.0
    mode: Mode = Mode.OBSERVE
    live_since: datetime | None = None
    capabilities: Capabilities | None = None
    account_checked: bool = False
    health: Health = field(default_factory=Health)
    left_behind: dict[str, int] = field(default_factory=dict)

    @property
    def writes(self) -> bool:
        """Writing to it is switched on."""
        return self.mode is Mode.LIVE

    @property
    def only_looks(self) -> bool:
        """Its records are read and vote, and are never written."""
        return self.mode is Mode.OBSERVE or self.mode is Mode.SHADOW


class ReadCounter:
    """Numbers our reads in the order in which they were *started*."""

    def __init__(self, last: int) -> None:
        self._numbers = count(last + 1)

    def next(self) -> int:
        """The next number. Called before the request leaves, from any thread: no two get the same one."""
        return next(self._numbers)


@dataclass
class Hub:
    """Everything the engine's functions are given.

    clock_offset: wall time less monotonic time when last looked at, in seconds; it changes when the wall clock jumps.
    forgot_at: when (monotonic) what is past its time was last looked for.
    """

    store: Store
    clock: Clock
    rng: Rng
    connections: dict[int, Connected]
    budgets: Budgets
    reads: ReadCounter
    rules: Rules = field(default_factory=Rules)
    routes: Sequence[Route] = ()
    fingerprint: str = ""
    settings: EngineSettings = field(default_factory=EngineSettings)
    signals: Signals = field(default_factory=Silent)
    tell: Callable[..., None] = lambda event, **facts: None
    clock_offset: float | None = None
    forgot_at: float | None = None

    def named(self, name: str) -> Connected:
        """The connection of that name. Raises KeyError."""
        for connected in self.connections.values():
            if connected.name == name:
                return connected
        raise KeyError(name)

    def of_role(self, role: Role) -> list[Connected]:
        """The connections of one role."""
        return [connected for connected in self.connections.values() if connected.role is role]
