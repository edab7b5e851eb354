"""API calls per propagated change: single changes on one ticket and one issue, and bursts of a hundred."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from benchmarks.figures import Figure, Result, WrongResult
from benchmarks.kinds import Kind, agree, change
from benchmarks.stage import Pair, Stage, stage

POLLS = ("export.cursor", "search.jql", "oauth.grant")
"""Calls that are made whether anything changes or not; counted apart."""
BURST = 100


def calls(folder: Path, *, quick: bool) -> Result:
    """Measure."""
    result = Result(
        name="calls",
        definition="API calls of every kind that the hub makes for one propagated change, echoes and read-backs "
        "counted, polls, sweep and tokens apart; equal parts status and tag in both directions; one ticket and one "
        "issue, Cloud, webhooks on, a workflow with every status one step away.",
    )
    rounds = 2 if quick else 6
    with stage(folder) as on:
        on.configure()
        on.start()
        pairs = on.pairs(1 if quick else BURST)
        _warm(on, pairs)
        each = _single(on, pairs[0], rounds)
        result.figures.append(
            Figure(
                name="single changes",
                unit="calls/change",
                value=sum(each.values()) / len(each),
                aim=3.0,
                floor=2.0,
                floor_is="one read, one write",
            )
        )
        result.figures += [Figure(name=f"  {kind}", unit="calls", value=value) for kind, value in each.items()]
        one = {kind: _burst(on, kind, [pairs[0]] * BURST) for kind in Kind}
        result.figures.append(
            Figure(
                name=f"bursts of {BURST} on one pair",
                unit="calls/change",
                value=sum(one.values()) / len(one),
                aim=1.5,
                floor=1.0,
                floor_is="one write",
            )
        )
        if not quick:
            many = {kind: _burst(on, kind, pairs) for kind in Kind}
            result.figures.append(
                Figure(name=f"bursts over {BURST} pairs", unit="calls/change", value=sum(many.values()) / len(many))
            )
            result.figures += [Figure(name=f"  {kind}", unit="calls", value=value) for kind, value in many.items()]
        on.sound()
        agree(on, pairs)
        result.checked.append("both sides agree at the end; no hold, park, conflict, doubt or error")
        result.notes.append(
            "polls, sweep and tokens, not counted: "
            + ", ".join(f"{name} {count}" for name, count in sorted(_polls(on).items()))
        )
    return result


def _polls(on: Stage) -> Counter[str]:
    return Counter({name: (on.desk.count() + on.site.count())[name] for name in POLLS})


def _counted(on: Stage) -> int:
    return sum(count for name, count in (on.desk.count() + on.site.count()).items() if not name.startswith(POLLS))


def _warm(on: Stage, pairs: list[Pair]) -> None:
    """Let every client of the daemon learn what it asks once, and every link be shown."""
    for number in (0, 1):
        for kind in Kind:
            for pair in pairs:
                change(on, kind, pair, 1000 + number)
            on.rest(300)
            time.sleep(1.1)
    agree(on, pairs)


def _single(on: Stage, pair: Pair, rounds: int) -> dict[Kind, float]:
    """Calls for each kind of change, one at a time, at rest before and after. Versions of tickets are seconds."""
    found: dict[Kind, list[int]] = {kind: [] for kind in Kind}
    for number in range(rounds):
        # The other way round each time, so that each side both finishes and reopens.
        for kind in sorted(Kind, reverse=bool(number % 2), key=list(Kind).index):
            time.sleep(1.1)
            before = _counted(on)
            change(on, kind, pair, number)
            on.rest()
            agree(on, [pair])
            found[kind].append(_counted(on) - before)
            if not found[kind][-1]:
                raise WrongResult(f"{kind}: nobody was called")
    return {kind: sum(values) / len(values) for kind, values in found.items()}


def _burst(on: Stage, kind: Kind, pairs: list[Pair]) -> float:
    """Calls for each of a hundred changes made at once."""
    time.sleep(1.1)
    before = _counted(on)
    for number, pair in enumerate(pairs):
        change(on, kind, pair, 2000 + number)
    on.rest(300)
    agree(on, pairs)
    return (_counted(on) - before) / len(pairs)
