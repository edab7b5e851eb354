"""Runs many seeded histories, on one process or several, and reports: the whole of `hypercare simulate`."""

from __future__ import annotations

import hashlib
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from sync.simulation import pure as pure_level
from sync.simulation.history import Outcome, play
from sync.simulation.report import Failure, Figures, Level, Report

STEPS = 40
"""Steps of each history; about half of them are edits by people."""


def run(
    histories: int,
    seed: int = 0,
    *,
    profile: str = "mixed",
    steps: int = STEPS,
    processes: int = 1,
    pure: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Play the histories of seeds `seed` to `seed + histories - 1` and judge each.

    profile: one of `sync.simulation.faults.LEVELS`, or `mixed` (each seed draws one). pure: how many histories are
    played at the pure level besides. progress: told (done, wrong) after each history at wire level.
    The same seeds give the same digest, whatever the hash seed, locale or time zone.
    """
    began = time.monotonic()
    digest = hashlib.sha256()
    profiles: dict[str, Figures] = {}
    failures: list[Failure] = []
    seeds = range(seed, seed + histories)
    for done, outcome in enumerate(_outcomes(seeds, profile, steps, processes), start=1):
        digest.update(outcome.digest.encode())
        profiles.setdefault(outcome.profile, Figures()).add(outcome)
        if outcome.violations:
            failures.append(
                Failure(seed=outcome.seed, profile=outcome.profile, violations=tuple(outcome.violations), asked=profile)
            )
        if progress is not None:
            progress(done, len(failures))
    levels = {"wire": Level(histories=histories, seconds=(time.monotonic() - began) * processes, processes=processes)}
    if pure:
        levels["pure"], wrong = _pure(pure, seed, processes)
        failures += wrong
    return Report(
        seed=seed,
        histories=histories,
        digest=digest.hexdigest()[:16],
        levels=levels,
        profiles=profiles,
        failures=failures,
    )


def replay(seed: int, *, profile: str = "mixed", steps: int = STEPS) -> Outcome:
    """Play one history once more, with its whole trace in `Outcome.trace`."""
    return _play(seed, profile=profile, steps=steps, trace=True)


_PIECE = 250
"""Seeds of the pure level that one task plays."""


def _pure(histories: int, seed: int, processes: int) -> tuple[Level, list[Failure]]:
    """Play histories of groups over `sync.core` alone."""
    began = time.monotonic()
    end = seed + histories
    pieces = [(start, min(end, start + _PIECE)) for start in range(seed, end, _PIECE)]
    if processes <= 1:
        found = [wrong for piece in pieces for wrong in _pure_piece(piece)]
    else:
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            found = [wrong for part in pool.imap(_pure_piece, pieces) for wrong in part]
    return Level(histories=histories, seconds=(time.monotonic() - began) * processes, processes=processes), found


def _pure_piece(piece: tuple[int, int]) -> list[Failure]:
    found = []
    for seed in range(*piece):
        wrong = pure_level.World(seed).run()
        if wrong:
            found.append(Failure(seed=seed, profile="pure", violations=tuple(sorted(wrong))))
    return found


def _outcomes(seeds: Sequence[int], profile: str, steps: int, processes: int) -> Iterator[Outcome]:
    one = partial(_play, profile=profile, steps=steps)
    if processes <= 1:
        yield from map(one, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(one, seeds, chunksize=4)


def _play(seed: int, *, profile: str, steps: int, trace: bool = False) -> Outcome:
    """One history; what nobody expected is a violation, too."""
    try:
        return play(seed, profile, steps=steps, trace=trace)
    except Exception as error:  # noqa: BLE001  an unhandled error in any worker is what the run looks for
        return Outcome(seed=seed, profile=profile, violations=[f"unhandled: {type(error).__name__}: {error}"])
