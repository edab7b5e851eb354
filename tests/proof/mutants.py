"""Planted defects: is each found, by which checker, in what time?

`python -m tests.proof.mutants` plants every defect of `tests/defects` into a copy of the packages, one by one, and runs
the checkers that it names until one finds it; all of them together have a minute. `--sample N --turn K` takes N of the
defects, others at each turn; `--processes N` hunts N at a time, each in a copy of its own. It fails when a patch does
not apply any more, when a defect is not found in its minute, and when a checker finds something in the code as it is.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.defects.patches import ROOT, Defect, DoesNotApply, all_defects, copy_packages

LIMIT = 60.0
"""Seconds within which a defect has to be found, by whichever of its checkers."""


class Finding(NamedTuple):
    """What became of one defect. by: the checker that found it, "" for none. seed: of the history that did.

    seconds: from the start of its first checker to the end of the one that found it, by the clock on the wall.
    """

    defect: Defect
    by: str
    seconds: float
    seed: str = ""
    trouble: str = ""


def command(checker: str) -> list[str]:
    """The command line of a checker: `pytest ARGUMENTS`, `simulate PROFILE`, `pure`."""
    kind, *rest = shlex.split(checker)
    if kind == "pytest":
        quiet = ["-p", "no:cacheprovider", "-q", "-x", "--no-header", "--tb=no", "--import-mode=importlib", "-n", "0"]
        return [sys.executable, "-m", "pytest", *quiet, *rest]
    if kind in ("simulate", "pure"):
        return [
            sys.executable,
            "-m",
            "tests.proof.seeds",
            *([] if kind == "pure" else ["--profile"]),
            *(rest or ["--pure"]),
        ]
    raise ValueError(f"`{checker}` is no checker")


def check(checker: str, folder: Path, seconds: float) -> tuple[int | None, str]:
    """Run a checker in a folder: its exit status (None: it did not end in time) and its last words."""
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    environ |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
    try:
        done = subprocess.run(
            command(checker),
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None, f"did not end within {seconds:.0f} s"
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return done.returncode, said[-1] if said else ""


def hunt(defect: Defect, limit: float = LIMIT) -> Finding:
    """Plant a defect and look for it, with one checker after the other, `limit` seconds in all."""
    with tempfile.TemporaryDirectory(prefix="hypercare-defect-") as made:
        folder = Path(made) / "copy"
        copy_packages(folder)
        try:
            defect.apply(folder)
        except DoesNotApply as error:
            return Finding(defect, "", 0.0, trouble=str(error))
        began, took = time.monotonic(), 0.0
        for checker in defect.find:
            if took >= limit:
                break
            status, said = check(checker, folder, limit - took)
            took = time.monotonic() - began
            if status == 1:
                seed = said.partition("seed ")[2].partition(":")[0] if said.startswith("seed ") else ""
                return Finding(defect, checker, took, seed)
            if status not in (0, None):
                return Finding(defect, "", took, trouble=f"{checker} could not be run (status {status}): {said}")
        return Finding(defect, "", took)


def sound(checker: str, limit: float = 3 * LIMIT) -> str:
    """What a checker finds in the code as it is, "" for nothing: what it finds in a copy proves nothing then."""
    status, said = check(checker, ROOT, limit)
    return "" if status in (0, None) else f"{checker}: {said}"


def chosen(defects: Sequence[Defect], sample: int, turn: int) -> list[Defect]:
    """Some of the defects, others at each turn; all of them in as many turns as it takes."""
    if not sample or sample >= len(defects):
        return list(defects)
    start = (turn * sample) % len(defects)
    return [*defects[start:], *defects[:start]][:sample]


def row(found: Finding) -> str:
    """One line of the table."""
    by = found.by or f"NOT FOUND {found.trouble}"
    return f"{found.defect.name:46} {found.defect.law:32} {by:60} {found.seconds:5.1f}  {found.seed}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Hunt, print a table, and tell by the exit status whether all is well."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="only N of them (default: all)")
    parser.add_argument("--turn", type=int, default=0, metavar="K", help="which N")
    parser.add_argument("--only", default="", metavar="TEXT", help="only those with TEXT in their name")
    parser.add_argument("--limit", type=float, default=LIMIT, metavar="SECONDS", help="seconds for one defect")
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="how many are hunted at a time")
    parser.add_argument("--no-baseline", action="store_true", help="do not run the checkers on the code as it is first")
    given = parser.parse_args(arguments)
    defects = chosen([each for each in all_defects() if given.only in each.name], given.sample, given.turn)
    findings: list[Finding] = []
    print(f"{'defect':46} {'law':32} {'found by':60} {'s':>5}  seed", flush=True)
    # A thread for each does nothing but wait for the processes of its checkers.
    with concurrent.futures.ThreadPoolExecutor(max(1, given.processes)) as several:
        for found in several.map(partial(hunt, limit=given.limit), defects):
            findings.append(found)
            print(row(found), flush=True)
        used = sorted({found.by for found in findings if found.by})
        wrong = [] if given.no_baseline else [said for said in several.map(sound, used) if said]
    for line in wrong:
        print(f"finds something in the code as it is: {line}")
    lost = [found.defect.name for found in findings if not found.by]
    slowest = max((found.seconds for found in findings if found.by), default=0.0)
    print(
        f"{len(findings) - len(lost)} of {len(findings)} found, the slowest in {slowest:.1f} s"
        + (f"; not: {', '.join(lost)}" if lost else "")
    )
    return 1 if lost or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
