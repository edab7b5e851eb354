"""Runs many seeded histories, on one process or several, and reports: the whole of `hypercare simulate`."""

from __future__ import annotations

import gc
import hashlib
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from sync.simulation.faults import CHOSEN, RARE
from sync.simulation.history import Mode, Outcome, play
from sync.simulation.orders import play as play_orders
from sync.simulation.pure.history import play as play_pure
from sync.simulation.report import Failure, Figures, Level, Report
from sync.simulation.signals.history import play as play_signals
from sync.simulation.stage import Depth

T = TypeVar("T")

_AT_WIRE = 5
"""Of how many rare histories one is played at wire level."""

_LEVEL_OF = {"rare": "contract", "rare_wire": "wire", "chosen": "contract"}
"""The level at which a history of a kind of its own is played again."""

STEPS = 40
"""Steps of each history; about half of them are edits by people."""


def run(
    histories: int,
    seed: int = 0,
    *,
    profile: str = "mixed",
    steps: int = STEPS,
    processes: int = 1,
    contract: int = 0,
    pure: int = 0,
    signals: int = 0,
    rare: int = 0,
    chosen: int = 0,
    orders: int = 0,
    mode: str = Mode.SAFETY,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Play the histories of seeds `seed` to `seed + histories - 1` and judge each.

    profile: one of `sync.simulation.faults.PROFILES`; `mixed` lets each seed draw one. contract, pure, signals: how
    many are played at contract and pure level, and with a Sentry and a gateway, from the same first seed. rare:
    how many of the profile `rare`, each fifth at wire level, the others at contract level. chosen: how many of
    `faults.CHOSEN`, in turn, at contract level. orders: how many are told in several orders. mode: `safety` or
    `liveness`. progress: told (done, wrong) after each history but those of rules alone and of signals.
    The same seeds give the same digest, whatever the hash seed, locale or time zone.
    """
    with _seldom_collecting():
        return _run(
            histories,
            seed,
            profile=profile,
            steps=steps,
            processes=processes,
            contract=contract,
            pure=pure,
            signals=signals,
            rare=rare,
            chosen=chosen,
            orders=orders,
            mode=mode,
            progress=progress,
        )


@contextmanager
def _seldom_collecting() -> Generator[None]:
    """A history makes much that lives as long as it does: to look through it for cycles again and again is no use."""
    before = gc.get_threshold()
    _collect_seldom()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _collect_seldom() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _run(
    histories: int,
    seed: int,
    *,
    profile: str,
    steps: int,
    processes: int,
    contract: int,
    pure: int,
    signals: int,
    rare: int,
    chosen: int,
    orders: int,
    mode: str,
    progress: Callable[[int, int], None] | None,
) -> Report:
    digest = hashlib.sha256()
    profiles: dict[str, Figures] = {}
    failures: list[Failure] = []
    levels: dict[str, Level] = {}
    done = 0
    groups = _groups(histories, contract, rare, chosen, orders, seed, profile, steps, Mode(mode))
    for name, one, asked, seeds in groups:
        if not seeds and name != "wire":
            continue
        began, busy, before = time.monotonic(), time.process_time(), len(failures)
        for outcome in _outcomes(one, seeds, processes):
            done += 1
            digest.update(outcome.digest.encode())
            profiles.setdefault(outcome.profile, Figures()).add(outcome)
            if outcome.violations:
                failures.append(
                    Failure(
                        seed=outcome.seed,
                        profile=outcome.profile,
                        violations=tuple(outcome.violations),
                        asked=asked or chosen_profile(outcome.seed, seed),
                        mode=str(mode),
                        level=_LEVEL_OF.get(name, name),
                    )
                )
            if progress is not None:
                progress(done, len(failures))
        levels[name] = _level(len(seeds), began, busy, processes, len(failures) - before)
    if pure:
        began, busy = time.monotonic(), time.process_time()
        broken, traces = _pure(pure, seed, processes)
        digest.update(traces.encode())
        levels["pure"] = _level(pure, began, busy, processes, len(broken))
        failures += broken
    met: Counter[str] = Counter()
    if signals:
        began, busy, before = time.monotonic(), time.process_time(), len(failures)
        for machines in _outcomes(play_signals, range(seed, seed + signals), processes):
            digest.update(machines.digest.encode())
            met += machines.met
            met["histories"] += 1
            if machines.violations:
                failures.append(
                    Failure(
                        seed=machines.seed, profile="signals", violations=tuple(machines.violations), level="signals"
                    )
                )
        levels["signals"] = _level(signals, began, busy, processes, len(failures) - before)
    return Report(
        seed=seed,
        histories=histories + contract,
        digest=digest.hexdigest()[:16],
        levels=levels,
        profiles=profiles,
        signals=dict(sorted(met.items())),
        failures=failures,
        asked=profile,
        mode=str(mode),
    )


def _groups(
    histories: int, contract: int, rare: int, chosen: int, orders: int, seed: int, profile: str, steps: int, mode: Mode
) -> Iterator[tuple[str, Callable[[int], Outcome], str, Sequence[int]]]:
    """What is played: (its name, how one is played, with which profile ("": each with another one), the seeds)."""
    seldom = range(seed, seed + rare)
    for name, depth, asked, seeds in (
        ("wire", Depth.WIRE, profile, range(seed, seed + histories)),
        ("contract", Depth.CONTRACT, profile, range(seed, seed + contract)),
        ("rare", Depth.CONTRACT, RARE, [each for each in seldom if (each - seed) % _AT_WIRE]),
        ("rare_wire", Depth.WIRE, RARE, seldom[::_AT_WIRE]),
    ):
        yield name, partial(_play, profile=asked, steps=steps, mode=mode, depth=depth), asked, seeds
    yield "chosen", partial(_play_chosen, base=seed, steps=steps, mode=mode), "", range(seed, seed + chosen)
    yield "orders", _play_orders, "mixed", range(seed, seed + orders)


def _level(histories: int, began: float, busy: float, processes: int, violations: int) -> Level:
    return Level(
        histories=histories,
        seconds=(time.monotonic() - began) * processes,
        processes=processes,
        violations=violations,
        busy=time.process_time() - busy if processes == 1 else 0.0,
    )


def replay(
    seed: int, *, profile: str = "mixed", steps: int = STEPS, mode: str = Mode.SAFETY, level: str = Depth.WIRE
) -> Outcome:
    """Play one history once more, with its whole trace in `Outcome.trace`.

    level: `wire`, `contract`, `signals`, `orders` or `pure`.
    """
    if level == "signals":
        played = play_signals(seed)
        return Outcome(seed=seed, profile=level, violations=played.violations, trace=played.trace)
    if level == "orders":
        return _play_orders(seed, trace=True)
    if level == "pure":
        group = play_pure(seed)
        return Outcome(seed=seed, profile=level, violations=list(group.violations), trace=list(group.trace))
    return _play(seed, profile=profile, steps=steps, trace=True, mode=Mode(mode), depth=Depth(level))


_PIECE = 250
"""Seeds of the pure level that one task plays."""


def _pure(histories: int, seed: int, processes: int) -> tuple[list[Failure], str]:
    """Play histories of groups over `sync.core` alone. Gives what went wrong, and the digests of their traces."""
    end = seed + histories
    pieces = [(start, min(end, start + _PIECE)) for start in range(seed, end, _PIECE)]
    if processes <= 1:
        parts = list(map(_pure_piece, pieces))
    else:
        with multiprocessing.get_context("spawn").Pool(processes, _collect_seldom) as pool:
            parts = list(pool.imap(_pure_piece, pieces))
    return [wrong for failures, _ in parts for wrong in failures], "".join(traces for _, traces in parts)


def _pure_piece(piece: tuple[int, int]) -> tuple[list[Failure], str]:
    failures, traces = [], []
    for seed in range(*piece):
        played = play_pure(seed)
        traces.append(played.digest)
        if played.violations:
            failures.append(Failure(seed=seed, profile="pure", violations=played.violations, level="pure"))
    return failures, "".join(traces)


def _outcomes(one: Callable[[int], T], seeds: Sequence[int], processes: int) -> Iterator[T]:
    if processes <= 1:
        yield from map(one, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(processes, _collect_seldom) as pool:
        yield from pool.imap(one, seeds, chunksize=4)


def chosen_profile(seed: int, base: int) -> str:
    """The profile whose turn it is."""
    return CHOSEN[(seed - base) % len(CHOSEN)]


def _play_chosen(seed: int, *, base: int, steps: int, mode: Mode) -> Outcome:
    return _play(seed, profile=chosen_profile(seed, base), steps=steps, mode=mode, depth=Depth.CONTRACT)


def _play_orders(seed: int, *, trace: bool = False) -> Outcome:
    """One history that is told in several orders; what nobody expected is a violation, too."""
    try:
        return play_orders(seed, trace=trace)
    except Exception as error:  # noqa: BLE001  as below
        return Outcome(seed=seed, profile="orders", violations=[f"unhandled {type(error).__name__}: {error}"])


def _play(
    seed: int,
    *,
    profile: str,
    steps: int,
    trace: bool = False,
    mode: Mode = Mode.SAFETY,
    depth: Depth = Depth.WIRE,
) -> Outcome:
    """One history; what nobody expected is a violation, too."""
    try:
        return play(seed, profile, steps=steps, trace=trace, mode=mode, depth=depth)
    except Exception as error:  # noqa: BLE001  an unhandled error in any worker is what the run looks for
        return Outcome(seed=seed, profile=profile, violations=[f"unhandled {type(error).__name__}: {error}"])
