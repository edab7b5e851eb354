"""Runs many seeded histories, on one process or several, and reports: the whole of `hypercare simulate`."""

from __future__ import annotations

import hashlib
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from sync.simulation import pure as pure_level
from sync.simulation.history import Mode, Outcome, play
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
    mode: str = Mode.SAFETY,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Play the histories of seeds `seed` to `seed + histories - 1` and judge each.

    profile: one of `sync.simulation.faults.LEVELS`, or `mixed` (each seed draws one). pure: how many histories are
    played at the pure level besides. mode: `safety` or `liveness`. progress: told (done, wrong) after each history at
    wire level.
    The same seeds give the same digest, whatever the hash seed, locale or time zone.
    """
    began, busy = time.monotonic(), time.process_time()
    digest = hashlib.sha256()
    profiles: dict[str, Figures] = {}
    failures: list[Failure] = []
    seeds = range(seed, seed + histories)
    for done, outcome in enumerate(_outcomes(seeds, profile, steps, processes, Mode(mode)), start=1):
        digest.update(outcome.digest.encode())
        profiles.setdefault(outcome.profile, Figures()).add(outcome)
        if outcome.violations:
            wrong = tuple(outcome.violations)
            failures.append(
                Failure(seed=outcome.seed, profile=outcome.profile, violations=wrong, asked=profile, mode=str(mode))
            )
        if progress is not None:
            progress(done, len(failures))
    levels = {"wire": _level(histories, began, busy, processes, len(failures))}
    if pure:
        began, busy = time.monotonic(), time.process_time()
        broken = _pure(pure, seed, processes)
        levels["pure"] = _level(pure, began, busy, processes, len(broken))
        failures += broken
    return Report(
        seed=seed,
        histories=histories,
        digest=digest.hexdigest()[:16],
        levels=levels,
        profiles=profiles,
        failures=failures,
        asked=profile,
        mode=str(mode),
    )


def _level(histories: int, began: float, busy: float, processes: int, violations: int) -> Level:
    return Level(
        histories=histories,
        seconds=(time.monotonic() - began) * processes,
        processes=processes,
        violations=violations,
        busy=time.process_time() - busy if processes == 1 else 0.0,
    )


def replay(seed: int, *, profile: str = "mixed", steps: int = STEPS, mode: str = Mode.SAFETY) -> Outcome:
    """Play one history once more, with its whole trace in `Outcome.trace`."""
    return _play(seed, profile=profile, steps=steps, trace=True, mode=Mode(mode))


_PIECE = 250
"""Seeds of the pure level that one task plays."""


def _pure(histories: int, seed: int, processes: int) -> list[Failure]:
    """Play histories of groups over `sync.core` alone."""
    end = seed + histories
    pieces = [(start, min(end, start + _PIECE)) for start in range(seed, end, _PIECE)]
    if processes <= 1:
        return [wrong for piece in pieces for wrong in _pure_piece(piece)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return [wrong for part in pool.imap(_pure_piece, pieces) for wrong in part]


def _pure_piece(piece: tuple[int, int]) -> list[Failure]:
    found = []
    for seed in range(*piece):
        wrong = pure_level.World(seed).run()
        if wrong:
            found.append(Failure(seed=seed, profile="pure", violations=tuple(sorted(wrong))))
    return found


def _outcomes(seeds: Sequence[int], profile: str, steps: int, processes: int, mode: Mode) -> Iterator[Outcome]:
    one = partial(_play, profile=profile, steps=steps, mode=mode)
    if processes <= 1:
        yield from map(one, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(one, seeds, chunksize=4)


def _play(seed: int, *, profile: str, steps: int, trace: bool = False, mode: Mode = Mode.SAFETY) -> Outcome:
    """One history; what nobody expected is a violation, too."""
    try:
        return play(seed, profile, steps=steps, trace=trace, mode=mode)
    except Exception as error:  # noqa: BLE001  an unhandled error in any worker is what the run looks for
        return Outcome(seed=seed, profile=profile, violations=[f"unhandled {type(error).__name__}: {error}"])
