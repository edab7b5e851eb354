"""Which things go wrong in one history: drawn once from its seed, each kind on or off, with a rate of its own."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace

from connectors.sandbox.faults import FaultKind, FaultRule
from connectors.sandbox.wire import Request
from sync.model import Json
from sync.simulation.circumstances import MAPPED, Circumstance

READS = {
    FaultKind.DROP_BEFORE: {},
    FaultKind.CUT_BODY: {},
    FaultKind.TRUNCATED: {},
    FaultKind.HTML: {},
    FaultKind.EMPTY: {},
    FaultKind.NULL: {},
    FaultKind.SERVER_ERROR: {},
    FaultKind.UNAVAILABLE: {"seconds": 3.0},
    FaultKind.RATE_LIMITED: {"seconds": 5.0},
    FaultKind.RATE_LIMITED_BARE: {},
    FaultKind.RATE_LIMITED_GARBAGE: {},
}
WRITES = {
    **READS,
    FaultKind.DROP_AFTER: {},
}
APPLIED = (FaultKind.SERVER_ERROR, FaultKind.HTML, FaultKind.EMPTY, FaultKind.NULL)
"""Kinds that may answer so although the write took effect."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What may go wrong, and how often. Rates are chances for each call, hook or commit.

    reads, writes: fault kinds of calls. hooks: switches of the webhook senders. crash_call, crash_commit: the process
    dies before or after a remote call, before or after a COMMIT. race: a user edits just before a write is handled.
    restarts, pauses, remaps, restores: what operators do, as chances for each step. odd: see `circumstances`.
    deciders: two workers decide at the same time. lost_bases, feuds: the base of one record is lost, an automation
    fights for a ticket's status, as chances for each step.
    """

    name: str
    reads: Mapping[FaultKind, float] = field(default_factory=dict)
    writes: Mapping[FaultKind, float] = field(default_factory=dict)
    applied: Mapping[FaultKind, float] = field(default_factory=dict)
    stale: float = 0.0
    ignored: float = 0.0
    hooks_on: bool = True
    hook_drops: float = 0.0
    hook_duplicates: float = 0.0
    hook_shuffle: float = 0.0
    crash_call: float = 0.0
    crash_commit: float = 0.0
    race: float = 0.0
    restarts: float = 0.0
    pauses: float = 0.0
    remaps: float = 0.0
    restores: float = 0.0
    deciders: bool = False
    lost_bases: float = 0.0
    feuds: float = 0.0
    odd: tuple[Circumstance, ...] = ()
    membership: bool = True
    routes: bool = False

    def rules(self, *, kind: str) -> list[FaultRule]:
        """The fault rules for one stand-in. kind: `zendesk` or `jira`."""
        del kind
        found = [
            FaultRule(kind=each, method="read", rate=rate, **_more(READS[each]))
            for each, rate in sorted(self.reads.items())
        ]
        found += [
            FaultRule(kind=each, method="write", rate=rate, **_more(WRITES[each]))
            for each, rate in sorted(self.writes.items())
        ]
        found += [
            FaultRule(kind=each, method="write", rate=rate, applied=True, **_more(WRITES[each]))
            for each, rate in sorted(self.applied.items())
        ]
        if self.stale:
            found += [
                FaultRule(kind=FaultKind.STALE_READ, operation=operation, rate=self.stale)
                for operation in ("tickets.show", "tickets.show_many", "issue.get", "issue.bulkfetch")
            ]
        if self.ignored:
            found += [
                FaultRule(kind=FaultKind.IGNORE_WRITE, operation=operation, rate=self.ignored)
                for operation in ("tickets.update", "issue.edit", "transitions.do")
            ]
        return found

    def senders(self) -> Mapping[str, Mapping[str, Json]]:
        """The switches of both webhook senders."""
        return {
            "zendesk": {
                "hook_drops": self.hook_drops,
                "hook_duplicates": self.hook_duplicates,
                "hook_shuffle": 60.0 * self.hook_shuffle,
                "hook_breaker": False,
            },
            "jira": {
                "hook_drops": self.hook_drops,
                "hook_duplicates": self.hook_duplicates,
                "hook_reorder": self.hook_shuffle,
            },
        }


def _more(values: Mapping[str, float]) -> dict[str, Json]:
    return dict(values)


CALM = Profile(name="calm")
"""Nothing goes wrong."""

LEVELS = ("calm", "hooks", "race", "lost", "crash", "swarm", "odd", "operators")
"""The profiles by name, from few faults to all of them."""


CHOSEN = (
    *(f"odd-{each}" for each in (*Circumstance, *MAPPED, *MAPPED)),
    *(f"applied-{kind}" for kind in APPLIED),
)
"""Profiles of one circumstance or fault each, which `mixed` never draws: one after the other, so that none is missed.
Those of a mapping come more often, since rare things have to happen besides."""

RARE = "rare"
"""A profile of its own, which `mixed` never draws: what hardly ever happens, and no fault of any call."""


def draw(name: str, rng: random.Random) -> Profile:
    """The profile of one history. `mixed` draws one of the others first."""
    if name == "mixed":
        name = rng.choice(LEVELS)
    routes = rng.random() < 0.4
    if name == "calm":
        return Profile(name=name, routes=routes, hooks_on=rng.random() < 0.7)
    if name == "hooks":
        return Profile(
            name=name,
            routes=routes,
            hooks_on=rng.random() < 0.9,
            hook_drops=rng.choice((0.0, 0.3, 0.9)),
            hook_duplicates=rng.choice((0.0, 0.3)),
            hook_shuffle=rng.choice((0.0, 0.5)),
        )
    if name == "race":
        return Profile(name=name, routes=routes, race=rng.choice((0.2, 0.5)), stale=rng.choice((0.0, 0.1)))
    if name == "lost":
        return Profile(
            name=name, routes=routes, race=rng.choice((0.0, 0.3)), writes={FaultKind.DROP_AFTER: 0.2}, applied={}
        )
    if name == "crash":
        return Profile(
            name=name,
            routes=routes,
            race=rng.choice((0.0, 0.3)),
            crash_call=rng.choice((0.0, 0.05)),
            crash_commit=rng.choice((0.01, 0.03)),
            restarts=0.05,
        )
    if name == "odd":
        return _odd(rng)
    if name in CHOSEN:
        kind, _, what = name.partition("-")
        if kind == "odd":
            return _odd(rng, Circumstance(what))
        return Profile(name="lost", routes=routes, applied={FaultKind(what): 0.3})
    if name == RARE:
        return Profile(
            name=name,
            routes=routes,
            race=rng.choice((0.0, 0.0, 0.3)),
            deciders=True,
            lost_bases=rng.choice((0.0, 0.05, 0.1)),
            feuds=rng.choice((0.0, 0.02)),
            restarts=rng.choice((0.0, 0.03)),
            hook_drops=rng.choice((0.0, 0.3)),
            hook_duplicates=rng.choice((0.0, 0.3)),
        )
    if name == "operators":
        return Profile(
            name=name,
            routes=routes,
            race=rng.choice((0.0, 0.3)),
            restarts=0.03,
            pauses=0.05,
            remaps=rng.choice((0.0, 0.05)),
            restores=rng.choice((0.0, 0.08)),
        )
    return _swarm(rng, routes=routes)


PROFILES = ("mixed", *LEVELS, RARE, *dict.fromkeys(CHOSEN))
"""All that may be asked for."""


def _odd(rng: random.Random, first: Circumstance | None = None) -> Profile:
    """Circumstances that park, hold or overrule: two of them, one at most in the mapping. first: the first of them."""
    # Those of a mapping need rare things to happen besides, so they are drawn more often.
    odd = [first or rng.choice((*Circumstance, *MAPPED))]
    # A desk that solves nothing would hide what a screen of the tracker demands.
    apart = (*MAPPED, Circumstance.DEMANDING_DESK, Circumstance.DEAF_DESK) if odd[0] in MAPPED else (*MAPPED, odd[0])
    odd.append(rng.choice([each for each in Circumstance if each not in apart]))
    routes = Circumstance.NO_CREATES in odd or rng.random() < 0.3
    return Profile(name="odd", routes=routes, race=rng.choice((0.0, 0.3)), odd=tuple(odd))


def _swarm(rng: random.Random, *, routes: bool) -> Profile:
    def some(
        kinds: Mapping[FaultKind, object] | tuple[FaultKind, ...], rates: tuple[float, ...] = (0.02, 0.1)
    ) -> dict[FaultKind, float]:
        return {kind: rng.choice(rates) for kind in sorted(kinds) if rng.random() < 0.3}

    return Profile(
        name="swarm",
        routes=routes,
        reads=some(READS),
        writes=some(WRITES),
        applied=some(APPLIED, (0.1, 0.3)),
        stale=rng.choice((0.0, 0.0, 0.1)),
        ignored=rng.choice((0.0, 0.0, 0.1)),
        hooks_on=rng.random() < 0.9,
        hook_drops=rng.choice((0.0, 0.3, 0.9)),
        hook_duplicates=rng.choice((0.0, 0.3)),
        hook_shuffle=rng.choice((0.0, 0.5)),
        crash_call=rng.choice((0.0, 0.0, 0.03)),
        crash_commit=rng.choice((0.0, 0.0, 0.02)),
        race=rng.choice((0.0, 0.3)),
        restarts=rng.choice((0.0, 0.05)),
        pauses=rng.choice((0.0, 0.05)),
    )


def without(profile: Profile, names: Collection[str]) -> Profile:
    """The same profile with some of its fields at rest, as in `calm`. For shrinking."""
    calm = Profile(name=profile.name)
    return replace(profile, **{name: getattr(calm, name) for name in names})


def active(profile: Profile) -> tuple[str, ...]:
    """The names of the fields of a profile by which something goes wrong."""
    still = ("name", "hooks_on", "membership", "routes")
    return tuple(each.name for each in fields(Profile) if each.name not in still and getattr(profile, each.name))


def drawn(seed: int, name: str) -> Profile:
    """The profile of the history of a seed, as the history itself draws it first of all."""
    return draw(name, random.Random(seed))  # noqa: S311  repeatable on purpose


def is_write(request: Request) -> bool:
    """Whether a request may change something."""
    return request.method not in ("GET", "HEAD", "OPTIONS")
