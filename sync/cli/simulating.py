"""`hypercare simulate`: the histories it plays, how far it is, and what it found."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from sync.cli.ending import Ended, Exit
from sync.cli.options import Json
from sync.cli.show import is_looked_at, say
from sync.cli.show import json as show_json

MODES = ("safety", "liveness")
LEVELS = ("wire", "contract", "signals", "orders", "pure")
FOLLOWING = {"contract": 3, "pure": 30}
"""How many histories of the quicker levels are played for each one at wire level, where nothing else is asked."""


def simulate(
    histories: Annotated[int, typer.Option(min=0, help="Histories at wire level: the real clients too.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    profile: Annotated[
        str, typer.Option(help="calm, hooks, race, lost, crash, swarm, odd, operators, rare, mixed, or a chosen one.")
    ] = "mixed",
    mode: Annotated[str, typer.Option(help="safety, or liveness: one system is down, and heals.")] = "safety",
    contract: Annotated[
        int | None, typer.Option(min=0, help="Histories without the clients; 3 for each at wire level.")
    ] = None,
    pure: Annotated[
        int | None, typer.Option(min=0, help="Histories of groups over the rules alone; 30 for each at wire level.")
    ] = None,
    signals: Annotated[
        int | None, typer.Option(min=0, help="Histories with a Sentry and a gateway; 1 for each 10 at wire level.")
    ] = None,
    rare: Annotated[
        int | None,
        typer.Option(min=0, help="Histories of what hardly ever happens; 1 for each 5 of the first two kinds."),
    ] = None,
    orders: Annotated[
        int | None,
        typer.Option(min=0, help="Histories that are told in several orders; 1 for each 20 of the first two kinds."),
    ] = None,
    chosen: Annotated[
        int | None,
        typer.Option(
            min=0, help="Histories of one circumstance or fault each, in turn; 1 for each 5 of the first two."
        ),
    ] = None,
    processes: Annotated[int, typer.Option(min=1, help="How many run at a time.")] = 1,
    replay: Annotated[int | None, typer.Option(metavar="SEED", help="Play one history again, and show it.")] = None,
    shrink: Annotated[int | None, typer.Option(metavar="SEED", help="Find its smallest failing history.")] = None,
    level: Annotated[
        str,
        typer.Option(help="wire, contract, signals, orders or pure: where --replay plays; --shrink: the first two."),
    ] = "wire",
    json: Json = False,
) -> None:
    """Search for histories that end wrong: people, faults and crashes from a seed, in virtual time."""
    from importlib import import_module

    # By name: as the demo, the simulation is a layer of its own.
    profiles = import_module("sync.simulation.faults").PROFILES
    for name, value, known in (("profile", profile, profiles), ("mode", mode, MODES), ("level", level, LEVELS)):
        if value not in known:
            raise Ended(f"--{name} {value}: there is no such {name}; choose one of {', '.join(known)}", Exit.USAGE)
    engine = import_module("sync.simulation.main")
    if replay is not None:
        raise Ended(code=Exit(show_again(engine, replay, profile=profile, mode=mode, level=level)))
    if shrink is not None:
        if level in ("signals", "orders", "pure"):
            raise Ended(f"--shrink: a history of level {level} cannot be made smaller; replay it", Exit.USAGE)
        shrinking = import_module("sync.simulation.shrink")
        raise Ended(code=Exit(show_smallest(shrinking, shrink, profile=profile, mode=mode, level=level)))
    first = histories + (histories * FOLLOWING["contract"] if contract is None else contract)
    # They are what one profile, or one system that is down, would not have.
    besides = first if profile == "mixed" and mode == "safety" else 0
    counts = {
        "contract": first - histories,
        "pure": histories * FOLLOWING["pure"] if pure is None else pure,
        "signals": histories // 10 if signals is None else signals,
        "rare": besides // 5 if rare is None else rare,
        "chosen": besides // 5 if chosen is None else chosen,
        "orders": besides // 20 if orders is None else orders,
    }
    raise Ended(
        code=Exit(
            play(engine, histories, seed, profile=profile, counts=counts, processes=processes, mode=mode, as_json=json)
        )
    )


def play(
    engine: Any,
    histories: int,
    seed: int,
    *,
    profile: str,
    counts: dict[str, int],
    processes: int,
    mode: str,
    as_json: bool,
) -> int:
    """Play many histories and report. counts: how many at the other levels.

    0: none ended wrong, and a large run met all there is to meet; 1: else.
    """
    progress = (
        _progress(histories + sum(counts[each] for each in ("contract", "rare", "chosen", "orders")))
        if is_looked_at() and not as_json
        else None
    )
    report = engine.run(histories, seed, profile=profile, processes=processes, mode=mode, progress=progress, **counts)
    if progress is not None:
        sys.stderr.write("\n")
    if as_json:
        show_json(report.as_json())
    else:
        say(report.as_text())
    return 0 if report.is_good else 1


def show_again(engine: Any, seed: int, *, profile: str, mode: str, level: str) -> int:
    """Play one history once more and print its trace."""
    outcome = engine.replay(seed, profile=profile, mode=mode, level=level)
    for line in outcome.trace:
        say(str(line))
    for violation in outcome.violations:
        say(f"WRONG: {violation}")
    if not outcome.violations:
        say(f"Seed {seed} ({outcome.profile}) ends as it should.")
    return 1 if outcome.violations else 0


def show_smallest(shrinking: Any, seed: int, *, profile: str, mode: str, level: str) -> int:
    """Look for the smallest history of a failing seed that still ends wrong, and print it as a regression test."""
    found = shrinking.shrink(seed, profile=profile, mode=mode, level=level)
    if found is None:
        say(f"Seed {seed} ends as it should: there is nothing to shrink.")
        return 0
    say(found.as_test())
    return 1


def _progress(histories: int) -> Any:
    def tell(done: int, wrong: int) -> None:
        sys.stderr.write(f"\r{done} of {histories} histories, {wrong} wrong")
        sys.stderr.flush()

    return tell
