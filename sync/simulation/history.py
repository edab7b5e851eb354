"""One seeded history at wire level: the real engine, store and clients between two stand-ins, in virtual time."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from sync.core.reasons import ParkReason
from sync.engine import contact, create, deliver, inbox, poll, refresh, rows, settle
from sync.engine.hub import Connected, Hub
from sync.simulation import endstate, feuds, losses, premises, replay, sight
from sync.simulation.actors import People
from sync.simulation.between import Crashed
from sync.simulation.circumstances import REMAPPED, Circumstance, mappings, variant_of
from sync.simulation.deciders import Deciders
from sync.simulation.faults import RARE, Profile, draw, without
from sync.simulation.glances import Glances
from sync.simulation.ledger import HUB, USER, What
from sync.simulation.online import Watch
from sync.simulation.reference import Reference
from sync.simulation.stage import Depth, Stage
from sync.simulation.world import NeverQuiet

_WORKERS = (contact.greet, create.create, deliver.deliver, deliver.deliver, refresh.refresh, poll.poll)
_NAMES = ("support", "tracker")
_WORKFLOWS = ("stock", "stock", "global", "long", "locked")


class Mode(StrEnum):
    """What a history is to show."""

    SAFETY = "safety"
    """Nothing ever goes wrong for good: every fault heals, then all agree."""
    LIVENESS = "liveness"
    """One system is down from some step on: the other one keeps working; it comes back: all agree within two passes."""


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
    circumstances: Mapping[str, int] = field(default_factory=dict)
    premises: Mapping[str, int] = field(default_factory=dict)
    writes: int = 0
    turns: int = 0
    trace: list[str] | None = None


class History:
    """One history. `run` plays it to its end and judges it.

    only: the numbers of the steps that are played, all when None. at_rest: fields of the profile that are switched off.
    Chance starts anew with each step, from the seed and the step's number: a step that is left out changes nothing in
    the others but what they find.
    """

    def __init__(
        self,
        seed: int,
        profile: str,
        *,
        steps: int = 40,
        trace: bool = False,
        mode: Mode = Mode.SAFETY,
        only: Collection[int] | None = None,
        at_rest: Collection[str] = (),
        depth: Depth = Depth.WIRE,
    ) -> None:
        self.rng = random.Random(seed)  # noqa: S311  repeatable on purpose
        self.profile: Profile = without(draw(profile, self.rng), at_rest)
        self.steps = range(steps) if only is None else sorted(only)
        self.seed = seed
        self.mode = mode
        self.people = People(self.rng, membership=self.profile.membership, routes=self.profile.routes)
        workflow = self.rng.choice(_WORKFLOWS)
        if Circumstance.UNNAMED_STATUS in self.profile.odd:
            workflow = "long"  # the one that has In Review
        self.stage = Stage(seed, self.profile, self.people.race, workflow, depth)
        self.people.stage = self.stage
        if trace:
            self.stage.trace = []
        self.watch = Watch(self.stage.ledger, mirrors=Circumstance.MIRROR in self.profile.odd)
        self.reference = Reference(self.stage.ledger, mirrors=Circumstance.MIRROR in self.profile.odd)
        self.violations: list[str] = []
        self.operated: Counter[str] = Counter()
        self.turns = 0
        self._members: Mapping[str, str] = {}
        self._looked = -1
        self._glances = Glances()
        # Not at wire level: the regression cases there would be other histories.
        self._lulls = depth is Depth.CONTRACT or profile == RARE
        self._deciders = Deciders() if self.profile.deciders else None
        self._variant = variant_of(self.profile.odd)
        self._copy: bytes | None = None
        self._copied_at = 0
        self._lost_edits: frozenset[tuple[str, str]] = frozenset()
        self._down_from = self.rng.randint(5, 20)
        self._down = self.rng.choice(_NAMES)

    def run(self) -> Outcome:
        """Play, heal, rest, judge."""
        counted: Counter[str] = Counter()
        try:
            self._set_up()
            self._begin("armed")
            self.stage.arm()
            if Circumstance.SCREEN_FIELD in self.profile.odd:
                self._launch_is_over()
            if Circumstance.DEAF_DESK in self.profile.odd and self._lulls:
                self.people.label_all()
                self._let_pass(3)
            for number in self.steps:
                self._begin(str(number))
                if self.mode is Mode.LIVENESS and number >= self._down_from:
                    self._break_down()
                self._step()
            self._begin("end")
            if self.mode is Mode.LIVENESS:
                self._live_on()
            self._come_to_rest()
            self.stage.gather()
            self.stage.ledger.routed = [f"Z{ticket}" for ticket in self.people.routed]
            hub = self.stage.world.hub
            found = sight.sights(hub)
            counted = premises.arisen(self.stage.ledger, found)
            self.violations += endstate.faults_of(self.stage.ledger, found, sight.losers(hub) | self._lost_edits)
            self._stays_at_rest()
            hub = self.stage.world.hub  # another one, after a restart
            journals = sight.journals(hub)
            counted["H29"] += sum(map(len, journals.values()))
            self.violations += replay.faults_of(journals, sight.sights(hub))
            self.violations += self.reference.end()
            self.violations += self.stage.late
            if self.stage.cursors is not None:
                self.violations += self.stage.cursors.wrong
                counted["H11"] += self.stage.cursors.passed
            if self._deciders is not None:
                self.violations += self._deciders.wrong
                counted["H15"] += self._deciders.refused
            counted["H24"] += self.operated["fought over"]
            counted["H26"] += self.operated["base lost at rest"]
            stumbles = self.stage.world.told("internal_error")
            self.violations += [f"unhandled in {facts['where']}: {facts['error']!r}" for facts in stumbles]
        except NeverQuiet as error:
            self.violations.append(f"H2 never-quiet: {error}")
        counted.update({f"model {name}": count for name, count in self.reference.judged.items()})
        if self.stage.crew is not None:
            counted["H9"] += self.stage.crew.switches
        counted["H21"] += self.operated["remap"]
        counts = sight.counts(self.stage.world.hub)
        outcome = Outcome(
            seed=self.seed,
            profile=self.profile.name,
            digest=self.stage.digest,
            violations=self.violations,
            steps=len(self.steps),
            calls=self.stage.calls,
            edits=dict(self.people.edits),
            faults=self._faults(),
            conflicts=counts["conflicts"],
            parks=counts["parks"],
            holds=counts["holds"],
            circumstances={str(each): 1 for each in self.profile.odd},
            premises=dict(sorted(counted.items())),
            writes=self.stage.hub_writes(),
            turns=self.turns,
            trace=self.stage.trace,
        )
        self.stage.world.end()
        return outcome

    def _begin(self, at: str) -> None:
        self.rng.seed(f"{self.seed} {at}")
        self.stage.begin(f"{self.seed} {at}")

    def _faults(self) -> dict[str, int]:
        found = Counter(self.stage.fired())
        found.update({f"crash {where}": count for where, count in self.stage.crashes.items()})
        found["race"] = self.stage.races
        found.update(self.operated)
        if self.profile.hooks_on:
            found.update(name for name in ("hook_drops", "hook_duplicates", "hook_shuffle") if self._is_on(name))
        return {name: count for name, count in sorted(found.items()) if count}

    def _is_on(self, name: str) -> bool:
        return bool(getattr(self.profile, name))

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
        choice -= 0.5
        for rate, operate in (
            (self.profile.restarts, self._restart),
            (self.profile.pauses, self._pause_or_start),
            (self.profile.remaps, self._remap),
            (self.profile.restores, self._back_up_or_restore),
            (self.profile.lost_bases, self._lose_a_base),
            (self.profile.feuds, self._feud),
        ):
            if choice < rate:
                operate()
                return
            choice -= rate
        if self.profile.race and rng.random() < 0.1:
            self._hurry()
            return
        self.stage.clock.advance(rng.choice((0.5, 3.0, 10.0, 31.0, 70.0)))
        work = self._work()
        count = rng.choice((1, 3, 8))
        if self.stage.crew is not None:
            self._guarded(partial(self.stage.crew.run, self._two_decide() + rng.sample(work, count)))
        else:
            for _ in range(count):
                self._guarded(rng.choice(work))
        if self._lulls and rng.random() < 0.1:
            # Nobody does anything for a while, and the hub comes to rest: then the reference model has its say.
            for seconds in (70, 70):
                self.stage.clock.advance(seconds)
                self._guarded(self.stage.world.quiet)
            return
        if self._lulls and rng.random() < 0.03:
            self._jump()
            return
        if rng.random() < 0.4:
            self._guarded(lambda: bool(self.stage.world.turn(polls=True)))
            self._guarded(lambda: bool(self.stage.world.turn()))

    def _hurry(self) -> None:
        """A write goes out in the very second of the edit that it answers, and of another one that it hides."""
        clock = self.stage.clock
        clock.advance(1.0 - clock.epoch() % 1.0)
        self.people.hurry()
        self.stage.hurried = True
        try:
            for _ in range(3):
                self._guarded(lambda: bool(self.stage.world.turn(polls=False)))
        finally:
            self.stage.hurried = False

    def _work(self) -> list[Callable[[], object]]:
        """Everything that a worker of the daemon may do next."""
        world = self.stage.world
        work: list[Callable[[], object]] = [
            lambda: world.hooks_on and world.deliver_hooks(),
            lambda: inbox.read_inbox(world.hub),
            lambda: settle.settle(world.hub),
        ]
        if self.stage.crew is None:
            work.append(work[-1])  # drawn as often as the two deliverers; side by side there is but one of it
        for name in _NAMES:
            work += [partial(self._call, doing, name) for doing in _WORKERS]
        return work

    def _two_decide(self) -> list[Callable[[], object]]:
        """Where two decide at the same time: both of them."""
        deciders = self._deciders
        return [] if deciders is None else [lambda: deciders.decide(self.stage.world.hub)] * 2

    def _call(self, doing: Callable[[Hub, Connected], bool], name: str) -> bool:
        hub = self.stage.world.hub
        return doing(hub, hub.named(name))

    # --- operators -----------------------------------------------------------------------------------------------

    def _restart(self) -> None:
        self.operated["restart"] += 1
        self._guarded(self.stage.world.restart)

    def _pause_or_start(self) -> None:
        name = self.rng.choice(_NAMES)
        verb = self.rng.choice(("pause", "start"))
        self.operated["pause"] += verb == "pause"
        self._guarded(lambda: self.stage.world.command(verb, connection=name))

    def _remap(self) -> None:
        """Somebody edits a mapping so that its fingerprint changes, and nothing else; it is taken up by a restart."""
        if self._variant not in ("", REMAPPED):
            return
        self.operated["remap"] += 1
        self._use("" if self._variant else REMAPPED)

    def _jump(self) -> None:
        """Somebody sets the wall clock of the hub's machine; no other clock moves."""
        seconds = self.rng.choice((-86_400.0, -3600.0, 3600.0, 86_400.0))
        self.operated["clock jump"] += 1
        self.stage.note(f"clock {seconds:+.0f}")
        self.stage.clock.jump(seconds)

    def _lose_a_base(self) -> None:
        """The base of one record is gone. When all was at rest and nobody does anything, nothing may come of it."""
        hub, ledger = self.stage.world.hub, self.stage.ledger
        at_rest = self.stage.world.is_at_rest and not sight.is_held(hub) and losses.is_settled(hub, ledger)
        lost = losses.lose(hub, ledger, self.rng)
        if lost is None:
            return
        self.operated["base lost"] += 1
        self.stage.note(f"lost {lost.record}")
        if at_rest:
            self._let_pass(2)
            now = {each.item: each for each in sight.sights(self.stage.world.hub)}
            if losses.is_alone(lost, ledger) and self.stage.world.is_at_rest:
                self.operated["base lost at rest"] += 1
                self.violations += losses.judged(lost, ledger, now.get(lost.item.item))

    def _feud(self) -> None:
        """An automation opens a ticket as often as the hub solves it, and engineers insist."""
        since = len(self.stage.ledger.events)
        pair = self.people.feud_over()
        if pair is None:
            return
        objected = 0
        for _ in range(feuds.ROUNDS):
            self.people.insist(pair[1])
            self._let_pass(1)
            before = len(self.stage.ledger.events)
            self.people.object(pair[0])
            objected += len(self.stage.ledger.events) - before
            self._let_pass(1)
        record = f"Z{pair[0]}"
        said = feuds.fights(self.stage.world.hub).get(record, ())
        self.operated["fought over"] += len(said)
        self.violations += feuds.faults_of(self.stage.ledger, since, record, said, objected)

    def _use(self, variant: str) -> None:
        self._variant = variant
        self.stage.note(f"mapping {variant}")
        self.stage.world.mappings = mappings(variant, routes=self.profile.routes)
        self._guarded(self.stage.world.restart)

    def _back_up_or_restore(self) -> None:
        """The first time a backup is made, the next time it takes the place of the database."""
        world = self.stage.world
        if self._copy is None:
            self._copied_at = len(self.stage.ledger.events)
            self._copy = world.back_up()
            self.stage.note("back up")
            return
        self.operated["restore"] += 1
        self.stage.note("restore")
        # What only the lost database knew is known to nobody: conflicts that it named were named all the same.
        self._lost_edits |= sight.losers(world.hub)
        self.stage.ledger.hidden.clear()
        self.stage.ledger.restores.append((self._copied_at, sys.maxsize))
        self.watch.forget()
        self.reference.forget()
        if self.stage.cursors is not None:
            self.stage.cursors.forget()
        self._glances.forget()
        world.put_back(self._copy)
        self._copy = None
        self._reopen()
        self._looked = -1
        self._look()

    def _guarded(self, doing: Callable[[], object]) -> None:
        """Do something that the process may not survive; then look at what happened."""
        try:
            doing()
        except Crashed:
            self._reopen()
        self._look()

    def _reopen(self) -> None:
        """The next process opens what was committed. It may die on its way up, too."""
        if self._deciders is not None:
            self._deciders.forget()
        self.stage.world.close()
        while True:
            try:
                self.stage.world.open()
                return
            except Crashed:
                self.stage.world.close()

    def _look(self) -> None:
        if self.stage.commits == self._looked:
            return
        self._looked = self.stage.commits
        hub, glances = self.stage.world.hub, self._glances
        glances.ask = self.stage.world.ask
        now = glances.memberships(hub)
        for record in sorted(set(now) | set(self._members)) if now is not self._members else ():
            before, after = self._members.get(record), now.get(record)
            if before == after:
                continue
            self.stage.note(f"member {record} {before} {after}")
            if before is not None:
                self.stage.ledger.note(record, What.LEFT, HUB, new=before)
            if after is not None:
                self.stage.ledger.note(record, What.JOINED, HUB, new=after)
        self._members = now
        spans = self.stage.ledger.restores
        if spans and spans[-1][1] == sys.maxsize and not sight.is_restoring(hub):
            spans[-1] = (spans[-1][0], len(self.stage.ledger.events))
        self.violations += self.watch.look(glances.versions(hub))
        self._rest()

    def _rest(self) -> None:
        """Tell the reference model of every item about which the hub knows all and has nothing left to do.

        Nothing is told twice: of the same rows and the same events it would say the same again.
        """
        world, glances = self.stage.world, self._glances
        if not world.is_at_rest or glances.is_held(world.hub):
            return
        known, told, sights = glances.known(world.hub), glances.told(), glances.sights(world.hub)
        if not glances.is_new(known, told, sights, len(self.stage.ledger.events)):
            return
        shapes = self.stage.ledger.shapes
        for each in sights:
            members = [(shapes[member.record], known[member.record]) for member in each.members]
            if all((shape.status, shape.tags) == shown and not shape.gone for shape, shown in members):
                self.violations += self.reference.rest(each, told.get(each.item, {}))
                if self.stage.crew is not None:
                    self.stage.ledger.decided.setdefault(each.item, []).append(len(self.stage.ledger.events))

    # --- resting -------------------------------------------------------------------------------------------------

    def _quiet(self) -> None:
        self.turns = max(self.turns, self.stage.world.quiet())
        self._look()

    def _come_to_rest(self) -> None:
        stage = self.stage
        self._heal()
        stage.clock.advance(70)
        self._quiet()
        self._pass(70, 200)
        self._try_again()
        self._pass(1000, 2000)
        before = self._told()
        self._sweep()
        if self._try_again() or self._told() != before or not self._is_calm():
            # Once more: what the first day lets go may be what the second day's reading finds a new place for.
            self._sweep()
            self._pass(70, 400)
        left = sight.waiting(stage.world.hub)
        if left:
            self.violations.append(f"H2 unfinished: {'; '.join(left)}")

    def _heal(self) -> None:
        """Everything works again, and whoever operates the hub says so to it."""
        self.stage.heal()
        if self._variant in (Circumstance.SCREEN_FIELD, Circumstance.UNNAMED_STATUS):
            self._use("")
        for name in _NAMES:
            self.stage.world.command("start", connection=name)

    def _pass(self, *waits: float) -> None:
        """Time passes, and after each wait the hub is turned until it is quiet; all at once when nothing is left to do.

        Every fault has healed and nobody edits, so that turning a hub that has nothing to do more often shows nothing.
        """
        for place, seconds in enumerate(waits):
            if self._is_calm():
                self.stage.clock.advance(sum(waits[place:]))
                self._quiet()
                if self._is_calm():
                    return
            else:
                self.stage.clock.advance(seconds)
                self._quiet()

    def _is_calm(self) -> bool:
        """Whether nothing waits in any table, due or not, and no connection is held: time alone changes nothing."""
        world = self.stage.world
        greeted = all(each.account_checked for each in world.hub.connections.values())
        return greeted and world.is_at_rest and not sight.is_held(world.hub)

    def _told(self) -> list[object]:
        """What tells that anything came of a reading: whatever the hub has noted since, and what happened outside."""
        return [*sight.marks(self.stage.world.hub), self.stage.hub_writes(), len(self.stage.ledger.events)]

    def _try_again(self) -> bool:
        """A person has looked at what is parked or held. What had no way through the workflow still has none.

        True when there was any.
        """
        held = sight.open_holds(self.stage.world.hub)
        for hold in held:
            self.stage.world.command("resume", hold=hold)
        parks = sight.open_parks(self.stage.world.hub, ParkReason.NO_PATH)
        for park in parks:
            self.stage.world.command("retry", parked=park)
        return bool(held or parks)

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
        self._pass(70, 4000)
        if self.profile.remaps:
            self._remap()
            self._quiet()
            if stage.hub_writes() != writes:
                more = stage.hub_writes() - writes
                self.violations.append(f"H21 writes-by-remapping: {more} writes although only a mapping was edited")
                writes = stage.hub_writes()
        self._sweep()
        if stage.hub_writes() != writes:
            self.violations.append(f"H2 writes-at-rest: {stage.hub_writes() - writes} writes although nothing happened")

    # --- living on -----------------------------------------------------------------------------------------------

    def _break_down(self) -> None:
        if not self.stage.down:
            self.stage.down = self._down
            self.operated["outage"] += 1
            self.stage.note(f"down {self._down}")

    def _launch_is_over(self) -> None:
        """Every ticket is solved, or hardly any history would walk an issue to a step whose screen asks for a field."""
        self.people.solve_all()
        self._let_pass(3)

    def _let_pass(self, times: int) -> None:
        """Time passes, and the hub does what there is to do."""
        for _ in range(times):
            self.stage.clock.advance(70)
            self._guarded(self.stage.world.quiet)

    def _live_on(self) -> None:
        """One system is down for good: the other one's records are followed, and nothing due to it waits. It heals."""
        stage = self.stage
        self._break_down()
        self._heal()
        other = next(name for name in _NAMES if name != self._down)
        for _ in range(4):
            self.people.act()
            stage.clock.advance(70)
            self._quiet()
        stage.clock.advance(1000)
        self._quiet()
        # An issue that was moved out of the projects that are polled is followed by the daily reading.
        self._sweep()
        hub = stage.world.hub
        for record, shown in sorted(sight.statuses(hub, other).items()):
            shape = stage.ledger.shapes[record]
            if not shape.gone and not shape.merged_into and shown != shape.status:
                self.violations.append(f"live-not-followed: {record} shows {shape.status}, the hub knows {shown}")
        self.violations += [f"live-blocked: {each}" for each in sight.waiting_for(hub, other)]
        stage.down = ""
        # As late as the hub tries a system that was down, whatever it has waited for: then two passes are enough. Each
        # has its housekeeping, which lets go after a restore: the daemon does it each minute, the world each 900 s.
        stage.clock.advance(4000)
        self._quiet()
        stage.clock.advance(900)
        self._quiet()
        writes, left = stage.hub_writes(), sight.waiting(hub)
        stage.clock.advance(900)
        self._quiet()
        if left or stage.hub_writes() != writes:
            more = stage.hub_writes() - writes
            self.violations.append(f"live-late: {more} writes after two passes; {'; '.join(left) or 'nothing waited'}")


def play(
    seed: int,
    profile: str,
    *,
    steps: int = 40,
    trace: bool = False,
    mode: Mode = Mode.SAFETY,
    only: Collection[int] | None = None,
    at_rest: Collection[str] = (),
    depth: Depth = Depth.WIRE,
) -> Outcome:
    """Play one history. only, at_rest: see `History`."""
    return History(seed, profile, steps=steps, trace=trace, mode=mode, only=only, at_rest=at_rest, depth=depth).run()
