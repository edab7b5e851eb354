"""A checker for planted defects: seeded histories, one after the other, until one is wrong or the time is over.

Prints `seed N: what` and exits with 1 at the first that is wrong; exits with 0 when none was.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import sync
from sync.simulation.history import play
from sync.simulation.pure.history import play as play_pure


def main(arguments: Sequence[str] | None = None) -> int:
    """Play histories from seed 0 on."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.seeds", description=__doc__)
    parser.add_argument("--pure", action="store_true", help="groups over the core alone, instead of whole histories")
    parser.add_argument("--profile", default="mixed", help="what may go wrong (see sync.simulation.faults.LEVELS)")
    parser.add_argument("--seconds", type=float, default=45.0, help="of the processor")
    given = parser.parse_args(arguments)
    if Path(sync.__file__).resolve().parent.parent != Path.cwd().resolve():
        print(f"the packages of another folder were loaded: {sync.__file__}")
        return 2
    ends = time.process_time() + given.seconds
    seed = 0
    while time.process_time() < ends and (not given.pure or seed < 4000):
        try:
            wrong = play_pure(seed).violations if given.pure else play(seed, given.profile).violations
        except Exception as error:  # noqa: BLE001  whatever it is, a sound engine does not raise it
            wrong = [f"{type(error).__name__}: {error}"]
        if wrong:
            print(f"seed {seed}: {wrong[0]}")
            return 1
        seed += 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
