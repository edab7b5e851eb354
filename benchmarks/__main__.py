"""`python -m benchmarks [NAME ...] [--quick] [--json FILE]`: run benchmarks, print the table, write the figures."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.acks import acks
from benchmarks.calls import calls
from benchmarks.commands import commands
from benchmarks.figures import Result, WrongResult, as_json, table
from benchmarks.gateway import gateway
from benchmarks.idle import idle
from benchmarks.importing import importing
from benchmarks.latency import latency
from benchmarks.mappings import mappings
from benchmarks.stage import DAEMON_CORE, LOAD_CORE, pin_load

BENCHMARKS: dict[str, Callable[..., Result]] = {
    "calls": calls,
    "latency": latency,
    "import": importing,
    "acks": acks,
    "idle": idle,
    "commands": commands,
    "gateway": gateway,
    "mappings": mappings,
}


def main() -> int:
    """Run what was asked for. 1: a wrong result, told before any speed. 2: an aim was missed and --strict given."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs, for a first impression")
    parser.add_argument("--json", type=Path, default=Path("bench-results/figures.json"), help="where the figures go")
    parser.add_argument("--strict", action="store_true", help="exit with 2 when an aim is missed")
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}")
    pin_load()
    if DAEMON_CORE == LOAD_CORE:
        print("one core only: the daemon shares it with the load, so every figure is too slow", file=sys.stderr)
    results = []
    for name in given.names or BENCHMARKS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        began = time.perf_counter()
        try:
            with tempfile.TemporaryDirectory(prefix="hypercare-bench-") as folder:
                result = BENCHMARKS[name](Path(folder), quick=given.quick)
        except WrongResult as wrong:
            print(f"{name}: WRONG RESULT, no figure is given: {wrong}", file=sys.stderr)
            return 1
        result.seconds = time.perf_counter() - began
        results.append(result)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(as_json(results, quick=given.quick) + "\n", "utf-8")
    print(table(results))
    missed = [one.name for result in results for one in result.figures if one.reached is False]
    return 2 if missed and given.strict else 0


if __name__ == "__main__":
    sys.exit(main())
