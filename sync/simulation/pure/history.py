"""One history from its seed: people and hub take turns, faults heal, all comes to rest, and is judged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from msgspec import Struct

from sync.simulation.pure import people
from sync.simulation.pure.hub import Hub
from sync.simulation.pure.verdict import faults_of
from sync.simulation.pure.world import World

STEPS = 30
"""Steps of each history; about half of them are edits by people, and more come between a decision and its writes."""

_PASSES = 12
"""Passes within which all has to be quiet once nothing goes wrong any more."""


class Played(Struct, frozen=True, kw_only=True):
    """What became of one history. violations: what went wrong, by name, sorted. trace: what happened, a line each."""

    seed: int
    violations: tuple[str, ...]
    edits: int
    writes: int
    conflicts: int
    trace: tuple[str, ...]

    @property
    def digest(self) -> str:
        """One value for the whole trace: the same for the same seed, whatever the hash seed, locale or time zone."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()[:16]


def play(seed: int, steps: int = STEPS, hub: Callable[[World], Hub] = Hub) -> Played:
    """Play one history and judge it. hub: another one for the tests of the verdict."""
    world = World(seed)
    _run(world, hub(world), steps)
    world.trace.extend(_ending(world))
    return Played(
        seed=seed,
        violations=tuple(sorted(world.wrong)),
        edits=world.edits,
        writes=world.writes,
        conflicts=world.conflicts,
        trace=tuple(world.trace),
    )


def _run(world: World, hub: Hub, steps: int) -> None:
    for _ in range(steps):
        if world.rng.random() < 0.5:
            people.edit(world)
        else:
            hub.go()
    world.faulty = False
    passes = 0
    while hub.go():
        passes += 1
        if passes > _PASSES:
            world.wrong.add("H2 never-quiet")
            return
    writes = world.writes
    hub.go()
    if world.writes != writes:
        world.wrong.add("H2 writes-at-rest")
    world.wrong.update(faults_of(world))


def _ending(world: World) -> list[str]:
    """What the item and its records show at the end."""
    lines = [f"item {world.item.status} {sorted(world.item.tags)}"]
    lines += [f"{each.record.id} {each.record.raw} {sorted(each.record.tags)}" for each in world.links]
    return lines
