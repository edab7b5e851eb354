"""The mutation score of the pure core, from what `mutmut run` left in `mutants/`: `make mutation-score` prints it.

Only mutants that tests ran count; one that ran into its time limit counts as noticed, since it no longer ends.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

GOAL = 90.0
"""Per cent of the mutants that the core's own tests must notice."""

SURVIVED = frozenset({0, 33, 5})
"""Exit codes of the run of a mutant that nothing noticed: tests passed; no test reached it."""


def read(folder: Path) -> dict[str, int | None]:
    """Exit code of each mutant by its name; None for one that was not run."""
    codes: dict[str, int | None] = {}
    for path in sorted(folder.glob("sync/core/*.meta")):
        codes |= json.loads(path.read_text("utf-8"))["exit_code_by_key"]
    return codes


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the score by module, the survivors, and the whole; 1 below the goal, 2 when mutants were not run."""
    folder = Path((arguments or ["mutants"])[0])
    codes = read(folder)
    if not codes or None in codes.values():
        print(f"{sum(code is None for code in codes.values())} of {len(codes)} mutants were not run: run mutmut first")
        return 2
    survivors = sorted(name for name, code in codes.items() if code in SURVIVED)
    lost = Counter(name.split(".")[2] for name in survivors)
    for module, count in sorted(Counter(name.split(".")[2] for name in codes).items()):
        print(f"{module:12} {count:5} mutants, {lost[module]:4} not noticed")
    for name in survivors:
        print(f"not noticed: {name}")
    score = 100.0 * (1 - len(survivors) / len(codes))
    print(f"mutation score of sync.core: {score:.1f} % of {len(codes)} mutants (goal: {GOAL:g} %)")
    return 0 if score >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
