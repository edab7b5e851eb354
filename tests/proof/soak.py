"""The daemon kept busy for a long time over a bad network: `python -m tests.proof.soak --changes 100000`.

5 % of all calls go wrong, 20 % of the webhook calls are lost, 10 % come twice. At the end nothing may be lost or
doubled, and from 20 % of the run on memory, file descriptors, threads and the database must not have grown.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.proof.kills import verdict_of
from tests.proof.oracle import Verdict
from tests.proof.people import People
from tests.proof.place import Stage, Wrong, stage

FAULTS, LOST, DOUBLED = 0.05, 0.20, 0.10
SAMPLES = 100
"""How often the figures are taken in a run."""
MOST_LEFT = 150
"""So much may be left to do before people pause: a load that is over what one daemon carries would prove nothing."""
SETTLED = 0.2
"""From this share of the run on, figures must be flat."""
WARM_CHANGES = 45_000
"""Until so many changes the caches of the daemon are still being filled; each of them has a bound."""
SHORTEST = 300.0
"""Seconds that a run must go on after that to say something about growth."""
GROWTH_MB = 5.0
GROWTH_SHARE = 0.05
"""What memory and database may have grown by between the first and the last quarter of that time."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The daemon at one moment: resident memory and database (with its log) in MB (10**6 bytes)."""

    changes: int
    seconds: float
    memory_mb: float
    descriptors: int
    threads: int
    database_mb: float
    left: int

    def told(self) -> str:
        """One line."""
        return (
            f"{self.changes:7d} changes  {self.seconds:6.0f} s  memory {self.memory_mb:6.1f} MB  "
            f"descriptors {self.descriptors:3d}  threads {self.threads:3d}  database {self.database_mb:6.1f} MB  "
            f"left to do {self.left}"
        )


@dataclass
class Outcome:
    """What a soak came to."""

    changes: int
    remote_links: int
    seconds: float
    quiet_seconds: float
    verdict: Verdict
    flaws: list[str]
    growth: list[str]
    is_long_enough: bool
    faults: dict[str, int]
    hooks: dict[str, int]
    figures: list[Figures] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Nothing lost, nothing doubled, nothing broken, nothing that grows."""
        return self.verdict.is_good and not self.flaws and not self.growth

    def told(self) -> str:
        """The outcome in lines."""
        lines = [
            f"{self.changes} changes in {self.seconds:.0f} s ({self.changes / self.seconds:.1f}/s)",
            f"{self.remote_links} of them links put on issues by hand",
            f"quiet {self.quiet_seconds:.1f} s after the last one",
            f"the hub wrote {dict(self.verdict.writes)}",
            f"calls that went wrong: {sum(self.faults.values())} {self.faults}",
            f"webhook calls by answer: {self.hooks}",
            f"lost or wrong: {len(self.verdict.differences)}; doubled: {len(self.verdict.doubled)}",
            f"flaws of the database or defects in the log: {len(self.flaws)}; growing: {len(self.growth)}",
        ]
        if not self.is_long_enough:
            lines.append(
                f"too short to judge memory, descriptors and threads: that takes {WARM_CHANGES} changes "
                f"and {SHORTEST:g} s after them"
            )
        return "\n".join(
            [*lines, *self.growth, *self.flaws[:10], *([] if self.verdict.is_good else [self.verdict.told()])]
        )


def run(
    folder: Path,
    *,
    changes: int,
    seed: int,
    cases: int = 200,
    per_second: float = 200.0,
    retention_seconds: float = 60.0,
    minutes: float = 120.0,
    say: Callable[[str], None] = lambda text: None,
) -> Outcome:
    """Let people make so many changes, at most at a rate, come to rest, judge. Raises Wrong after so many minutes."""
    rng = random.Random(seed)
    with stage(folder, poll_seconds=2.0, retention_seconds=retention_seconds) as place:
        place.daemon.start()
        place.make_live()
        people = People(place, seed, most_cases=cases)
        place.faults(FAULTS)
        place.lose_hooks(LOST, DOUBLED)
        began = time.monotonic()
        taken: list[Figures] = []
        due = began
        while people.changes < changes:
            people.step()
            if people.changes % max(1, changes // SAMPLES) == 0 and (not taken or taken[-1].changes != people.changes):
                taken.append(figures(place, people.changes, time.monotonic() - began))
                if len(taken) % (SAMPLES // 20) == 0:
                    say(taken[-1].told())
            if people.changes % 20 == 0:
                _breathe(place, began, minutes)
            due = max(due + rng.expovariate(per_second), time.monotonic() - 1.0)
            time.sleep(max(0.0, due - time.monotonic()))
        seconds = time.monotonic() - began
        fired = place.faults_fired()
        place.faults(0)
        place.lose_hooks(0, 0)
        quiet = place.rest(180)
        people.last_edits()
        place.rest(120)
        people.settle_down()
        taken.append(figures(place, people.changes, time.monotonic() - began))
        say(taken[-1].told())
        return Outcome(
            changes=people.changes,
            remote_links=people.remote_links,
            seconds=seconds,
            quiet_seconds=quiet,
            verdict=verdict_of(place, people),
            flaws=[*place.flaws(), *(str(line) for line in place.daemon.alarms())],
            growth=growth(taken, retention_seconds),
            is_long_enough=bool(_judged(taken)),
            faults=fired,
            hooks={
                str(status): n for status, n in sorted((place.desk.answered + place.site.answered).items(), key=str)
            },
            figures=taken,
        )


def _breathe(place: Stage, began: float, minutes: float) -> None:
    """Wait while too much is left to do."""
    while (left := sum(place.backlog().values())) > MOST_LEFT:
        if not place.daemon.runs:
            raise Wrong(f"the daemon ended by itself: {place.daemon.log_lines()[-3:]}")
        if time.monotonic() - began > minutes * 60:
            raise Wrong(f"not done within {minutes:g} minutes; left to do: {left}")
        time.sleep(0.1)


def figures(place: Stage, changes: int, seconds: float) -> Figures:
    """What the daemon takes at this moment, by the operating system's word."""
    process = Path(f"/proc/{place.daemon.pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines() if ":" in line)
    files = (place.database.with_name(place.database.name + end) for end in ("", "-wal"))
    return Figures(
        changes=changes,
        seconds=seconds,
        memory_mb=int(status["VmRSS"].split()[0]) * 1024 / 1e6,
        descriptors=sum(1 for _ in (process / "fd").iterdir()),
        threads=int(status["Threads"]),
        database_mb=sum(file.stat().st_size for file in files if file.exists()) / 1e6,
        left=sum(place.backlog().values()),
    )


def growth(taken: Sequence[Figures], retention_seconds: float) -> list[str]:
    """What grew between the first and the last quarter of the time that is judged. Pure.

    A run that is too short says nothing about growth (see `_judged`). The database is compared from the moment on at
    which retention can have reached what the run began with, and only when there are a few such moments: retention
    works once a minute.
    """
    grown = []
    if steady := _judged(taken):
        for name, values, allowed in (
            ("memory_mb", [each.memory_mb for each in steady], GROWTH_MB),
            ("descriptors", [float(each.descriptors) for each in steady], 2.0),
            ("threads", [float(each.threads) for each in steady], 0.0),
        ):
            grown += _compared(name, values, allowed)
    later = taken[int(len(taken) * SETTLED) :]
    kept = [each for each in later if each.seconds > 2 * retention_seconds + 120]
    if len(kept) >= 8:
        values = [each.database_mb for each in kept]
        grown += _compared("database_mb", values, max(5.0, GROWTH_SHARE * values[0]))
    return grown


def _judged(taken: Sequence[Figures]) -> Sequence[Figures]:
    """The figures of the time in which nothing may grow: after `SETTLED` and `WARM_CHANGES`. None in a short run."""
    steady = [each for each in taken[int(len(taken) * SETTLED) :] if each.changes >= WARM_CHANGES]
    is_enough = len(steady) >= 4 and steady[-1].seconds - steady[0].seconds >= SHORTEST
    return steady if is_enough else []


def _compared(name: str, values: Sequence[float], allowed: float) -> list[str]:
    quarter = max(1, len(values) // 4)
    first, last = statistics.median(values[:quarter]), statistics.median(values[-quarter:])
    return [f"{name} grew from {first:g} to {last:g}"] if last - first > allowed else []


def main() -> int:
    """Run as a command: 0 when nothing was lost, doubled or broken, and nothing grows."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.soak", description=__doc__)
    parser.add_argument("--changes", type=int, default=100_000, help="how many edits people make (100000)")
    parser.add_argument("--seed", type=int, default=None, help="the same seed: the same people")
    parser.add_argument("--cases", type=int, default=200, help="how many tickets get an issue (200)")
    parser.add_argument("--rate", type=float, default=200.0, help="changes a second at most (200)")
    parser.add_argument("--retention", type=float, default=60.0, help="seconds that settled rows are kept (60)")
    parser.add_argument("--minutes", type=float, default=120.0, help="give up after so many minutes (120)")
    parser.add_argument("--folder", type=Path, default=None, help="where to work; kept (default: a temporary folder)")
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    folder = given.folder or Path(tempfile.mkdtemp(prefix="hypercare-soak-"))
    print(f"seed {seed}; folder {folder}", flush=True)
    try:
        outcome = run(
            folder,
            changes=given.changes,
            seed=seed,
            cases=given.cases,
            per_second=given.rate,
            retention_seconds=given.retention,
            minutes=given.minutes,
            say=lambda text: print(text, flush=True),
        )
    except Wrong as wrong:
        print(f"FAILED: {wrong}")
        return 1
    print(outcome.told())
    print("good" if outcome.is_good else "FAILED")
    return 0 if outcome.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
