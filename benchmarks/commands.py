"""How long a person waits for the command line: `hypercare --help` and `hypercare check`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from time import perf_counter

from benchmarks.figures import Figure, Result, WrongResult, of_runs
from benchmarks.stage import stage

COMMAND = Path(sys.executable).with_name("hypercare")


def commands(folder: Path, *, quick: bool) -> Result:
    """Measure."""
    runs = 3 if quick else 9
    result = Result(
        name="commands",
        definition="from the start of the process to its end, files in the page cache; `check` reads settings and "
        "mappings and proves the mapping laws, without asking any system.",
    )
    with stage(folder) as on:
        on.configure()
        bare = of_runs([_seconds([sys.executable, "-c", ""], "") for _ in range(runs)])
        for name, args, expected, aim in (
            ("--help", ["--help"], "Usage", 0.3),
            ("check", ["--config", str(on.settings), "check"], "", 1.0),
        ):
            _seconds([str(COMMAND), *args], expected)
            took = [_seconds([str(COMMAND), *args], expected) for _ in range(runs)]
            result.figures.append(
                Figure(
                    name=f"hypercare {name}",
                    unit="s",
                    value=of_runs(took),
                    aim=aim,
                    floor=bare,
                    floor_is="bare interpreter",
                    runs=tuple(took),
                )
            )
            before = getrusage(RUSAGE_CHILDREN)
            _seconds([str(COMMAND), *args], expected)
            after = getrusage(RUSAGE_CHILDREN)
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            result.figures.append(Figure(name="  processor time", unit="s", value=used))
    result.checked.append("each ended with 0 and said what it should")
    return result


def _seconds(args: list[str], expected: str) -> float:
    began = perf_counter()
    done = subprocess.run(args, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"})
    took = perf_counter() - began
    if done.returncode or expected not in done.stdout:
        raise WrongResult(f"{' '.join(args)} ended with {done.returncode}: {(done.stdout + done.stderr)[-300:]}")
    return took
