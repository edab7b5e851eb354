"""Hostile input in bulk: `python -m tests.proof.fuzz --cases 100000`.

Six corpora, each from seeds: spoilt answers to every call of every connector; forged and replayed webhook calls;
signed calls with spoilt bodies; spoilt lines of access logs; spoilt mapping and settings files; days of work under
rubbish. Prints what was seen and
every case that broke a promise, and exits with 1 if there was one. `--senders N` tries N slow senders on the receiver
instead.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from connectors.contract import WebhookRequest
from connectors.errors import WebhookRejected
from tests.hostile import answers, day, files, lines, signed, slow
from tests.hostile.calls import GENUINE, NOW, SECRETS, forge
from tests.hostile.receiver import verify
from tests.hostile.web_answers import EVERY_LINE

SHARES: dict[str, float] = {"answers": 0.5, "signed": 0.2, "lines": 0.2, "files": 0.1, "forged": 1.0}
"""How the cases are divided. As many forged calls come on top, and a day for each 20,000 cases."""
PIECE = 500


def _answers(seeds: range) -> list[str]:
    names = sorted(EVERY_LINE)
    tally = answers.Tally()
    name = names[(seeds.start // PIECE) % len(names)]
    return answers.run(EVERY_LINE[name], seeds, tally).wrong


def _forged(seeds: range) -> list[str]:
    wrong = []
    ways = sorted(GENUINE)
    for seed in seeds:
        way = ways[seed % len(ways)]
        call = forge(random.Random(seed), way)
        request = WebhookRequest(headers=call.headers, body=call.body, query=call.query)
        try:
            verify(way.partition(" ")[0], SECRETS, request, NOW)
        except WebhookRejected:
            continue
        except Exception as error:  # noqa: BLE001  whatever it is, it must not have left
            wrong.append(f"forged, seed {seed}: {type(error).__name__}: {error}")
            continue
        wrong.append(f"forged, seed {seed}: believed: {way}, {call.kind}")
    return wrong


def _signed(seeds: range) -> list[str]:
    return signed.run(seeds, signed.SignedTally()).wrong


def _lines(seeds: range) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        return lines.run(seeds, lines.LineTally(), Path(folder)).wrong


def _files(seeds: range) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        return files.run(Path(folder), seeds, files.FileTally()).wrong


CORPORA: dict[str, Callable[[range], list[str]]] = {
    "answers": _answers,
    "forged": _forged,
    "signed": _signed,
    "lines": _lines,
    "files": _files,
}


def _day(seed: int) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        try:
            return [f"day, seed {seed}: {line}" for line in day.play(Path(folder), seed)]
        except Exception as error:  # noqa: BLE001  no worker may break
            return [f"day, seed {seed}: {type(error).__name__}: {error}"]


def run(cases: int, seed: int = 0, days: int | None = None) -> list[str]:
    """Play that many cases; every broken promise, one line each. Prints as it goes."""
    wrong: list[str] = []
    for name, share in SHARES.items():
        began, count = time.monotonic(), round(cases * share)
        for start in range(seed, seed + count, PIECE):
            wrong += CORPORA[name](range(start, min(start + PIECE, seed + count)))
        _tell(name, count, began, wrong)
    began, count = time.monotonic(), cases // 20_000 if days is None else days
    for number in range(seed, seed + count):
        wrong += _day(number)
    _tell("days", count, began, wrong)
    return wrong


def _tell(name: str, count: int, began: float, wrong: Sequence[str]) -> None:
    seconds = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name:8} {count:>9,} cases in {seconds:7.1f} s, peak {peak:6.1f} MiB, wrong so far: {len(wrong)}", flush=True
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, and tell by the exit status whether all is well."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the first case of each corpus")
    parser.add_argument(
        "--days", type=int, default=None, metavar="N", help="days under rubbish (default: by the cases)"
    )
    parser.add_argument("--senders", type=int, default=0, metavar="N", help="only try N slow senders")
    given = parser.parse_args(arguments)
    if given.senders:
        with tempfile.TemporaryDirectory() as folder:
            figures = slow.measure(Path(folder), given.senders)
        print(figures.told())
        return 0 if figures.is_good else 1
    wrong = run(given.cases, given.seed, given.days)
    for line in wrong[:200]:
        print(line)
    print(f"{len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
