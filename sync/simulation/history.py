"""One seeded history at wire level: the real engine, store and clients between two stand-ins, in virtual time."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sync.engine import contact, create, deliver, inbox, poll, refresh, rows, settle
from sync.engine.hub import Connected, Hub
from sync.simulation import endstate, sight
from sync.simulation.actors import People
from sync.simulation.between import Crashed
from sync.simulation.faults import Profile, draw
from sync.simulation.ledger import HUB, USER, What
from sync.simulation.online import Watch
from sync.simulation.stage import Stage
from sync.simulation.world import NeverQuiet

_WORKERS = (contact.greet, create.create, deliver.deliver, deliver.deliver, refresh.refresh, poll.poll)
_WORKFLOWS = ("stock", "stock", "global", "long", "locked")


@dataclass(kw_only=True)
class Outcome:
    """What became of one history. violations: `law: what`, none when all is well."""

    seed: int
    profile: str
    digest: str = ""
    violations: list[str] = field(default_factory=list)
    steps: int = 0
    calls: int = 0
    edits: Mapping[str, int] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)
    conflicts: Mapping[str, int] = field(default_factory=dict)
    parks: Mapping[str, int] = field(default_factory=dict)
    holds: Mapping[str, int] = field(default_factory=dict)
    writes: int = 0
    turns: int = 0
    trace: list[str] | None = None


class History:
    """One history. `run` plays it to its end and judges it."""

    def __init__(self, seed: int, profile: str, folder: Path, *, steps: int = 40, trace: bool = False) -> None:
        self.rng = random.Random(seed)  # noqa: S311  repeatable on purpose
        self.profile: Profile = draw(profile, self.rng)
        self.steps = steps
        self.seed = seed
        self.people = People(self.rng, membership=self.profile.membership, routes=self.profile.routes)
        workflow = self.rng.choice(_WORKFLOWS)
        self.stage = Stage(folder, seed, self.profile, self.people.race, workflow)
        self.people.stage = self.stage
        if trace:
            self.stage.trace = []
        self.watch = Watch(self.stage.ledger)
        self.violations: list[str] = []
        self.restarts = 0
        self._members: dict[str, str] = {}
        self._looked = -1
        self.turns = 0

    def run(self) -> Outcome:
        """Play, heal, rest, judge."""
        try:
            self._set_up()
            self.stage.arm()
            for _ in range(self.steps):
                self._step()
            self._come_to_rest()
            self.stage.gather()
            self.stage.ledger.routed = [f"Z{ticket}" for ticket in self.people.routed]
            hub = self.stage.world.hub
            self.violations += endstate.faults_of(self.stage.ledger, sight.sights(hub), sight.losers(hub))
            self._stays_at_rest()
        except NeverQuiet as error:
            self.violations.append(f"H2 never-quiet: {error}")
        counts = sight.counts(self.stage.world.hub)
        outcome = Outcome(
            seed=self.seed,
            profile=self.profile.name,
            digest=self.stage.digest,
            violations=self.violations,
            steps=self.steps,
            calls=self.stage.calls,
            edits=dict(self.people.edits),
            faults=self._faults(),
            conflicts=counts["conflicts"],
            parks=counts["parks"],
            holds=counts["holds"],
            writes=self.stage.hub_writes(),
            turns=self.turns,
            trace=self.stage.trace,
        )
        self.stage.world.close()
        return outcome

    def _faults(self) -> dict[str, int]:
        found = Counter(self.stage.fired())
        found.update({f"crash {where}": count for where, count in self.stage.crashes.items()})
        found["race"] = self.stage.races
        found["restart"] = self.restarts
        return {name: count for name, count in sorted(found.items()) if count}

    # --- playing -------------------------------------------------------------------------------------------------

    def _set_up(self) -> None:
        stage, rng = self.stage, self.rng
        issues = [stage.site.act({"act": "create", "summary": "Checkout fails"}) for _ in range(rng.randint(1, 2))]
        tickets = []
        for _ in range(rng.randint(1, 5)):
            made = stage.desk.act({"act": "create", "status": rng.choice(("new", "open", "open", "pending"))})
            tickets.append(int(made["ticket"]))
        stage.watch(USER)
        stage.world.start()
        stage.clock.advance(90)
        self._quiet()
        for place, ticket in enumerate(tickets):
            if place < len(issues) or rng.random() < 0.7:
                issue = issues[place % len(issues)]
                stage.world.command("link", one=f"support:{ticket}", two=str(issue["key"]))
        self._look()
        self._quiet()
        stage.clock.advance(90)
        self._quiet()

    def _step(self) -> None:
        rng = self.rng
        choice = rng.random()
        if choice < 0.5:
            self.people.act()
            self.stage.clock.advance(rng.choice((0.1, 1.0, 5.0)))
            return
        if choice < 0.5 + self.profile.restarts:
            self.restarts += 1
            self._guarded(self.stage.world.restart)
            return
        if choice < 0.5 + self.profile.restarts + self.profile.pauses:
            self._pause_or_start()
            return
        self.stage.clock.advance(rng.choice((0.5, 3.0, 10.0, 31.0, 70.0)))
        work = self._work()
        for _ in range(rng.choice((1, 3, 8))):
            self._guarded(rng.choice(work))
        if rng.random() < 0.4:
            self._guarded(lambda: bool(self.stage.world.turn(polls=True)))
            self._guarded(lambda: bool(self.stage.world.turn()))

    def _work(self) -> list[Callable[[], object]]:
        """Everything that a worker of the daemon may do next."""
        world = self.stage.world
        work: list[Callable[[], object]] = [
            lambda: world.hooks_on and world.deliver_hooks(),
            lambda: inbox.read_inbox(world.hub),
            lambda: settle.settle(world.hub),
            lambda: settle.settle(world.hub),
        ]
        for name in ("support", "tracker"):
            work += [partial(self._call, doing, name) for doing in _WORKERS]
        return work

    def _call(self, doing: Callable[[Hub, Connected], bool], name: str) -> bool:
        hub = self.stage.world.hub
        return doing(hub, hub.named(name))

    def _pause_or_start(self) -> None:
        name = self.rng.choice(("support", "tracker"))
        verb = self.rng.choice(("pause", "start"))
        self._guarded(lambda: self.stage.world.command(verb, connection=name))

    def _guarded(self, doing: Callable[[], object]) -> None:
        """Do something that the process may not survive; then look at what happened."""
        try:
            doing()
        except Crashed:
            self._reopen()
        self._look()

    def _reopen(self) -> None:
        """The next process opens what was committed. It may die on its way up, too."""
        self.stage.world.store.close()
        while True:
            try:
                self.stage.world.open()
                return
            except Crashed:
                self.stage.world.store.close()

    def _look(self) -> None:
        if self.stage.commits == self._looked:
            return
        self._looked = self.stage.commits
        hub = self.stage.world.hub
        now = sight.memberships(hub)
        for record in sorted(set(now) | set(self._members)):
            before, after = self._members.get(record), now.get(record)
            if before == after:
                continue
            self.stage.note(f"member {record} {before} {after}")
            if before is not None:
                self.stage.ledger.note(record, What.LEFT, HUB, new=before)
            if after is not None:
                self.stage.ledger.note(record, What.JOINED, HUB, new=after)
        self._members = now
        self.violations += self.watch.look(sight.versions(hub))

    # --- resting -------------------------------------------------------------------------------------------------

    def _quiet(self) -> None:
        self.turns = max(self.turns, self.stage.world.quiet())
        self._look()

    def _come_to_rest(self) -> None:
        stage = self.stage
        stage.heal()
        for name in ("support", "tracker"):
            stage.world.command("start", connection=name)
        for seconds in (70, 70, 200, 1000, 2000):
            stage.clock.advance(seconds)
            self._quiet()
        # Twice: what the first day lets go may be what the second day's reading finds a new place for.
        self._sweep()
        self._sweep()
        for seconds in (70, 400):
            stage.clock.advance(seconds)
            self._quiet()
        left = sight.waiting(stage.world.hub)
        if left:
            self.violations.append(f"H2 unfinished: {'; '.join(left)}")

    def _sweep(self) -> None:
        """A day goes by for the linked records alone: each is read again, with its links."""
        hub = self.stage.world.hub
        now = hub.clock.now()
        for name, letter in (("support", "Z"), ("tracker", "T")):
            connected = hub.named(name)
            mine = [(connected.kind, record[1:]) for record in sight.memberships(hub) if record.startswith(letter)]
            hub.store.step(lambda conn, c=connected, m=mine: rows.ask(conn, c.id, m, now, "sweep"))  # type: ignore[misc]
        self._quiet()

    def _stays_at_rest(self) -> None:
        stage = self.stage
        writes = stage.hub_writes()
        for seconds in (70, 4000):
            stage.clock.advance(seconds)
            self._quiet()
        self._sweep()
        if stage.hub_writes() != writes:
            self.violations.append(f"H2 writes-at-rest: {stage.hub_writes() - writes} writes although nothing happened")


def play(seed: int, profile: str, *, steps: int = 40, trace: bool = False) -> Outcome:
    """Play one history in a folder that is thrown away."""
    shared = Path("/dev/shm")  # noqa: S108  memory, where the system has it: durability is not what is tested here
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        return History(seed, profile, Path(folder), steps=steps, trace=trace).run()
