"""The daemon killed with SIGKILL again and again while people work on both sides: `python -m tests.proof.kills`.

A third of the kills come at a random moment, a third when a write has left and never got there, a third when a write
was applied and not yet answered. Afterwards all sides must agree, everything once, and the database must be sound.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.proof.aim import Moment
from tests.proof.oracle import Verdict, judge
from tests.proof.people import People
from tests.proof.place import Stage, Wrong, stage

LONGEST_LIFE = 1.2
"""Seconds that a daemon lives at most after its first answer, where no aimed kill comes sooner."""
EARLY = 0.1
"""So often a kill comes while the daemon is still starting."""
RANDOM = "a random moment"
STARTING = "while it was starting"


@dataclass
class Outcome:
    """What a run of kills came to."""

    cycles: int
    seconds: float
    verdict: Verdict
    flaws: list[str]
    changes: int
    remote_links: int
    kills: Counter[str] = field(default_factory=Counter)
    faults: dict[str, int] = field(default_factory=dict)
    recovery_seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        """Nothing lost, nothing doubled, nothing broken."""
        return self.verdict.is_good and not self.flaws

    def told(self) -> str:
        """The outcome in lines."""
        kills = ", ".join(f"{times} {where}" for where, times in sorted(self.kills.items()))
        lines = [
            f"{self.cycles} kills in {self.seconds:.0f} s ({kills})",
            f"{self.changes} changes by people, {self.remote_links} of them links put on issues by hand",
            f"the hub wrote {dict(self.verdict.writes)}",
            f"faults: {self.faults}",
            f"quiet {self.recovery_seconds:.1f} s after the last start",
            f"lost or wrong: {len(self.verdict.differences)}; doubled: {len(self.verdict.doubled)}",
            f"flaws of the database or defects in the log: {len(self.flaws)}",
        ]
        return "\n".join([*lines, *self.flaws[:10], *([self.verdict.told()] if not self.verdict.is_good else [])])


class Workload:
    """People working in a thread of their own, at a pace, until told to stop."""

    def __init__(self, people: People, rng: random.Random, per_second: float) -> None:
        self._people = people
        self._rng = rng
        self._pause = 1.0 / per_second
        self._stop = threading.Event()
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._stop.wait(self._rng.expovariate(1.0) * self._pause):
                self._people.step()
        except Exception as error:  # noqa: BLE001  raised in `stop`, in the thread that judges
            self.error = error

    def stop(self) -> None:
        """Let everybody go home. Raises what went wrong with them."""
        self._stop.set()
        self._thread.join()
        if self.error is not None:
            raise self.error


def run(
    folder: Path,
    *,
    cycles: int,
    seed: int,
    per_second: float = 15.0,
    faults: float = 0.02,
    say: Callable[[str], None] = lambda text: None,
) -> Outcome:
    """Kill the daemon so many times, let it come to rest, judge. Raises Wrong when that cannot be done."""
    rng = random.Random(seed)
    began = time.monotonic()
    kills: Counter[str] = Counter()
    with stage(folder, poll_seconds=1.0) as place:
        place.daemon.start()
        place.make_live()
        people = People(place, seed, most_cases=max(12, cycles // 4))
        place.faults(faults)
        place.lose_hooks(0.05, 0.05)
        work = Workload(people, random.Random(seed + 1), per_second)
        try:
            for cycle in range(cycles):
                kills[_killed(place, rng)] += 1
                if (cycle + 1) % 25 == 0:
                    say(f"{cycle + 1} kills, {people.changes} changes, {time.monotonic() - began:.0f} s")
        finally:
            work.stop()
        fired = place.faults_fired()
        place.faults(0)
        place.lose_hooks(0, 0)
        if not place.daemon.runs:
            place.daemon.start()
        took = place.rest(120)
        people.last_edits()
        place.rest(60)
        people.settle_down()
        return Outcome(
            cycles=cycles,
            seconds=time.monotonic() - began,
            verdict=verdict_of(place, people),
            flaws=[*place.flaws(), *(str(line) for line in place.daemon.alarms())],
            changes=people.changes,
            remote_links=people.remote_links,
            kills=kills,
            faults=fired,
            recovery_seconds=took,
        )


def verdict_of(place: Stage, people: People) -> Verdict:
    """Judge what both systems show now."""
    with place.desk_server.lock:
        desk = place.desk_rules.state()
    with place.site_server.lock:
        site = place.site_rules.state()
    return judge(desk, site, people.cases, people.bystanders)


def _killed(place: Stage, rng: random.Random) -> str:
    """One life and its end: starts the daemon if it does not run, and kills it. Says at which moment."""
    daemon = place.daemon
    if not daemon.runs:
        if rng.random() < EARLY:
            daemon.spawn()
            time.sleep(rng.uniform(0.2, 1.5))
            daemon.kill()
            daemon.wait()
            return STARTING
        daemon.start()
    moment = rng.choice((None, Moment.LOST, Moment.APPLIED))
    life = rng.uniform(0.0, LONGEST_LIFE)
    where = RANDOM
    if moment is not None:
        server, aimed = rng.choice(((place.desk_server, place.desk), (place.site_server, place.site)))
        with server.lock:
            aimed.aim(moment, rng.randrange(4), daemon.kill)
        end = time.monotonic() + LONGEST_LIFE
        while daemon.runs and time.monotonic() < end:
            time.sleep(0.005)
        with server.lock:
            aimed.rest()
        where = moment.value if not daemon.runs else RANDOM
    else:
        time.sleep(life)
    if daemon.runs:
        daemon.kill()
    if daemon.wait() not in (-9, 0):
        raise Wrong(f"the daemon ended by itself with {daemon.wait()}: {daemon.log_lines()[-5:]}")
    return where


def main() -> int:
    """Run as a command: 0 when nothing was lost, doubled or broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.kills", description=__doc__)
    parser.add_argument("--cycles", type=int, default=500, help="how often it is killed (500)")
    parser.add_argument("--seed", type=int, default=None, help="the same seed: the same people and waits")
    parser.add_argument("--rate", type=float, default=15.0, help="changes a second (15)")
    parser.add_argument("--faults", type=float, default=0.02, help="share of calls that go wrong (0.02)")
    parser.add_argument("--folder", type=Path, default=None, help="where to work; kept (default: a temporary folder)")
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    folder = given.folder or Path(tempfile.mkdtemp(prefix="hypercare-kills-"))
    print(f"seed {seed}; folder {folder}", flush=True)
    try:
        outcome = run(
            folder,
            cycles=given.cycles,
            seed=seed,
            per_second=given.rate,
            faults=given.faults,
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
