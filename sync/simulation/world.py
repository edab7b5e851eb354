"""One hub and its stand-ins in one thread of virtual time: every worker is called by hand, in a fixed order.

Whoever drives a `World` decides when calls of webhooks arrive, when time passes and when the process dies; `quiet`
turns the crank until nothing is left to do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connectors.contract import TokenStore, WebhookRequest
from connectors.errors import WebhookRejected
from connectors.sandbox.wire import OutgoingHook, StandIn
from sync.daemon import build
from sync.daemon.build import Configured
from sync.engine import commands, contact, create, deliver, doubt, feeds, inbox, poll, refresh, settle, sweep, tidy
from sync.engine.hub import Connected, EngineSettings, Hub, Silent
from sync.mapping.load import Loaded
from sync.model import Json
from sync.planning import execute
from sync.planning.verbs import VERBS
from sync.simulation.crew import Crew, Switching
from sync.simulation.virtual import InProcess, SeededRng, VirtualClock
from sync.store.contract import Store
from sync.store.driver import raw
from sync.store.memory import MemoryStore
from sync.store.migrate import open_store

_TURNS = 400
"""Turns after which a hub that still finds work is taken for one that never comes to rest."""


_WORK = (
    "SELECT EXISTS (SELECT 1 FROM inbox WHERE done_at IS NULL),"
    " EXISTS (SELECT 1 FROM items WHERE gen > done_gen),"
    " (SELECT group_concat(connection_id) FROM refreshes),"
    " (SELECT group_concat(kind || connection_id) FROM deliveries"
    " WHERE kind IN ('create', 'write') AND state IN ('waiting', 'in_doubt')),"
    " (SELECT group_concat(connection_id) FROM cursors WHERE feed = 'import' AND finished_at IS NULL),"
    " EXISTS (SELECT 1 FROM plans WHERE state IN ('applying', 'stopping'))"
)
"""What each worker looks for first, in one question: (calls, dirty items, reads, deliveries, imports, plans)."""


@dataclass(frozen=True)
class _Work:
    """What the tables hold for each worker, whether or not its time has come. By connection where it has one."""

    inbox: bool
    items: bool
    reads: frozenset[int]
    writes: frozenset[int]
    creates: frozenset[int]
    imports: frozenset[int]
    plans: bool = False

    @property
    def is_none(self) -> bool:
        """Nobody has anything to do."""
        if self.plans:
            return False
        return not (self.inbox or self.items or self.reads or self.writes or self.creates or self.imports)


def _ids(listed: object, kind: str = "") -> frozenset[int]:
    """The ids of one kind in a list as SQLite joins them."""
    each = str(listed).split(",") if listed is not None else ()
    return frozenset(int(one.removeprefix(kind)) for one in each if one.startswith(kind))


_WORKERS: Sequence[tuple[Callable[[Hub, Connected], bool], Callable[[_Work, Connected], bool]]] = (
    (create.create, lambda work, of: of.id in work.creates or bool(of.left_behind)),
    (deliver.deliver, lambda work, of: of.id in work.writes or bool(of.left_behind)),
    (refresh.refresh, lambda work, of: of.id in work.reads),
    (partial(poll.poll, name=poll.IMPORT), lambda work, of: of.id in work.imports),
)
"""The workers of a connection in their order, and when there is anything for them."""


class NeverQuiet(AssertionError):
    """The hub still finds work after very many turns. The message names the last work."""


@dataclass(kw_only=True)
class World:
    """A hub over stand-ins. stand_ins: by connection name. hooks_on: calls of webhooks arrive.

    crash: called around every COMMIT (see `SqliteStore`); it may raise to end the process there. tokens: where a
    connection keeps a rotating pair, by its name. tidy_every: seconds between two turns of housekeeping, 0.0 for all.
    in_memory: the database is kept in memory, not in a file of the folder. crew: whom the hub's use of its store lets
    others come first.
    """

    folder: Path
    clock: VirtualClock
    rng: SeededRng
    stand_ins: Mapping[str, StandIn]
    configured: Sequence[Configured]
    mappings: Loaded
    settings: EngineSettings = field(default_factory=EngineSettings)
    hooks_on: bool = True
    crash: Callable[[str], None] | None = None
    tokens: Callable[[str], TokenStore | None] = lambda name: None
    tidy_every: float = 0.0
    in_memory: bool = False
    crew: Crew | None = None
    events: list[tuple[str, dict[str, Json]]] = field(default_factory=list)
    store: Store = field(init=False)
    hub: Hub = field(init=False)
    _driver: sqlite3.Connection | None = field(init=False, default=None)
    _tidied: float = field(init=False, default=0.0)
    _image: bytes = field(init=False, default=b"")
    _commits: int = field(init=False, default=0)
    _found: tuple[int, _Work, tuple[Any, ...]] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        """Start the process: open the database, build the hub, take up what was left."""
        self._found = None
        self.store = self._opened()
        with self.store.read() as conn:
            self._driver = raw(conn) if self.in_memory else None  # one for as long as this store is open
        interleaved = self.crew is not None and isinstance(self.store, MemoryStore)
        self.hub = build.hub(
            Switching(self.store, self.crew) if interleaved else self.store,  # type: ignore[arg-type]
            self.configured,
            self.mappings,
            self.settings,
            build.World(
                clock=self.clock,
                rng=self.rng,
                signals=Silent(),
                tell=self._tell,
                tokens=self.tokens,
                transport=lambda name: InProcess(self.stand_ins[name]),
                one_thread=True,
                clients=None if self.crew is None else self.crew.clients,
            ),
        )
        contact.after_restore(self.hub)
        doubt.recover(self.hub)

    def restart(self) -> None:
        """The process dies without a word and is started again."""
        self.close()
        self.open()

    def close(self) -> None:
        """The process ends; what was committed is kept for the next one."""
        self.store.close()

    def end(self) -> None:
        """The process ends for good: no other goes on with what it stored."""
        self.close()
        if isinstance(self.store, MemoryStore):
            self.store.forget()

    def _opened(self) -> Store:
        if self.in_memory:
            before = getattr(self, "store", None)
            if isinstance(before, MemoryStore) and not self._image:
                return MemoryStore(clock=self.clock, after=before, crash=self._at_commit)
            image, self._image = self._image, b""
            return MemoryStore(clock=self.clock, image=image, crash=self._at_commit)
        return open_store(self.folder / "hypercare.db", clock=self.clock, inline=True, crash=self._at_commit)

    def back_up(self) -> bytes:
        """A copy of the database, as the command makes one."""
        if isinstance(self.store, MemoryStore):
            return self.store.copy()
        path = self.folder / "copy.db"
        self.store.backup(path)
        copied = path.read_bytes()
        path.unlink()
        return copied

    def put_back(self, copied: bytes) -> None:
        """The process ends, and a copy takes the place of its database. `open` goes on with it."""
        self.store.close()
        if isinstance(self.store, MemoryStore):
            self.store.forget()
        self._image = copied
        if not self.in_memory:
            for path in self.folder.glob("hypercare.db*"):
                path.unlink()
            (self.folder / "hypercare.db").write_bytes(copied)

    def _tell(self, event: str, **facts: Json) -> None:
        self.events.append((event, facts))

    def told(self, event: str) -> list[dict[str, Json]]:
        """The facts of every event of that name so far."""
        return [facts for name, facts in self.events if name == event]

    # --- the crank -------------------------------------------------------------------------------------------

    def start(self, *names: str) -> None:
        """First contact, import, and live from now on."""
        for connected in self._some(names):
            contact.greet(self.hub, connected)
        self.quiet()
        for connected in self._some(names):
            self.command("start", connection=connected.name)
        self.quiet()

    def command(self, verb: str, **args: Json) -> commands.Answer:
        """What the command line would ask of the daemon, answered at once."""
        answers: list[commands.Answer] = []
        self.store.step(lambda conn: answers.append(VERBS[verb](conn, self.hub, args)))
        return answers[0]

    def _some(self, names: Sequence[str]) -> list[Connected]:
        found = [each for _, each in sorted(self.hub.connections.items(), key=itemgetter(0))]
        return [each for each in found if each.name in names] if names else found

    def turn(self, *, polls: bool = False) -> bool:
        """Call every worker once that has anything to do. True when any did something.

        A worker that would find its table empty is not called: that is all it would have found out.
        """
        tidy.notice_jump(self.hub)  # the daemon looks each minute, however seldom there is housekeeping here
        did = self.deliver_hooks() if self.hooks_on else False
        work = self._work()
        if not did and not polls and work.is_none and all(each.account_checked for each in self._some(())):
            return False
        did = (work.inbox and inbox.read_inbox(self.hub)) or did
        for connected in self._some(()):
            did = contact.greet(self.hub, connected) or did
            for doing, has_work in _WORKERS:
                if has_work(self._work(), connected):
                    did = doing(self.hub, connected) or did
            if polls:
                did = feeds.read(self.hub, connected) or did
                did = poll.poll(self.hub, connected, poll.LIVE) or did
        did = (self._work().items and settle.settle(self.hub)) or did
        did = (self._work().plans and execute.execute(self.hub)) or did
        if polls and self.clock.monotonic() >= self._tidied + self.tidy_every:
            self._tidied = self.clock.monotonic()
            tidy.tidy(self.hub)
            did = True  # what it let go, after a restore, is done now: in the daemon others are told
        return did

    @property
    def is_at_rest(self) -> bool:
        """No table holds anything to do, due or not."""
        return self._work().is_none

    def _work(self) -> _Work:
        if self._found is not None and self._found[0] == self._commits:
            return self._found[1]
        row = self.ask(_WORK)[0]
        if self._found is not None and self._found[2] == row:
            self._found = (self._commits, self._found[1], row)
            return self._found[1]
        found = _Work(
            inbox=bool(row[0]),
            items=bool(row[1]),
            reads=_ids(row[2]),
            writes=_ids(row[3], "write"),
            creates=_ids(row[3], "create"),
            imports=_ids(row[4]),
            plans=bool(row[5]),
        )
        self._found = (self._commits, found, row)
        return found

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        """The rows of a question, past everything that stands between the engine and the database: it is cheap."""
        if self._driver is None:
            with self.store.read() as conn:
                return raw(conn).execute(question).fetchall()
        return self._driver.execute(question).fetchall()

    def _at_commit(self, where: str) -> None:
        self._commits += 1
        if self.crash is not None:
            self.crash(where)

    def quiet(self, *, polls: bool = True) -> int:
        """Turn until nothing is left to do; with polls, each feed is polled first. Returns the turns it took."""
        for count in range(_TURNS):
            if not self.turn(polls=polls and count == 0):
                return count
        raise NeverQuiet(f"still at work after {_TURNS} turns; last events: {self.events[-5:]}")

    def wait(self, seconds: float, *, step: float = 30.0) -> None:
        """Let time pass in steps, turning and polling as the daemon would."""
        left = seconds
        while left > 0:
            self.clock.advance(min(step, left))
            left -= step
            self.quiet()

    def sweep(self) -> None:
        """A day passes: every linked record is read once more."""
        for connected in self._some(()):
            sweep.sweep(self.hub, connected)
        for _ in range(26):
            self.clock.advance(3600)
            for connected in self._some(()):
                sweep.sweep(self.hub, connected)
            self.quiet()

    # --- webhooks --------------------------------------------------------------------------------------------

    def deliver_hooks(self, choose: Callable[[list[OutgoingHook]], list[OutgoingHook]] | None = None) -> bool:
        """Bring the calls that are due to the hub, as its web face would take them. True when there were any."""
        any_due = False
        for name in sorted(self.stand_ins):
            stand_in = self.stand_ins[name]
            due = stand_in.due_hooks(self.clock.epoch())
            any_due = any_due or bool(due)
            for hook in due if choose is None else choose(due):
                stand_in.hook_answered(hook, self._receive(name, hook), self.clock.epoch())
        return any_due

    def _receive(self, name: str, hook: OutgoingHook) -> int:
        connected = self.hub.named(name)
        request = WebhookRequest(
            headers={key.lower(): value for key, value in hook.headers.items()},
            body=hook.body,
            query=dict(parse_qsl(urlsplit(hook.url).query)),
        )
        if connected.verify is None:
            return 404
        try:
            call_id = connected.verify(request, self.clock.now())
        except WebhookRejected as error:
            return error.status
        row: dict[str, Any] = {
            "connection_id": connected.id,
            "call_id": call_id,
            "received_at": self.clock.now(),
            "body": inbox.pack(request),
        }
        self.store.receipts([row]).result()
        return 202
