"""Folding access logs: the real tail, fold, rules and store on one core, fed by a rotated log made on the fly."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep

import msgspec

from benchmarks.figures import Figure, Result, WrongResult, of_runs, table
from benchmarks.gateway_lines import PER_SECOND, SIGNATURES, Lines, RotatedLog
from benchmarks.stage import DAEMON_CORE, pin_load

BLOCK = 2_000
ROOM = 1 << 30
"""Bytes of log on disk at most."""
FLOOR_LINES = 300_000


def gateway(folder: Path, *, quick: bool, lines: int | None = None) -> Result:
    """Measure."""
    many = lines or (600_000 if quick else 10_000_000)
    result = Result(
        name="gateway",
        definition=f"{many:,} lines of Apinto's access log (934 bytes, 200 routes, 1 in 100 fails, {SIGNATURES:,} "
        "signatures) in a file that is rotated while it is read: from the first block to the commit of the last line; "
        "decoded, classified, counted in windows and sketches, repeated lines looked for, judged, and every second "
        "stored together with the place in the file",
    )
    floors = [_floor(folder / "floor.log") for _ in range(1)]
    run = _Run(folder / "whole", many)
    told = run.to_the_end()
    floors.append(_floor(folder / "floor.log"))
    run.check()
    result.checked.append(f"{run.lines.made:,} lines in the database, {run.lines.failed:,} of them failures, each once")
    short = _Run(folder / "killed", 150_000 if quick else 600_000)
    kills = short.with_kills(3)
    short.check()
    result.checked.append(f"the same of {short.lines.made:,} lines with {kills} kill -9 in between")
    rate = many / told["seconds"]
    floor = of_runs([one["rate"] for one in floors])
    result.figures += [
        Figure(
            name="rate",
            unit="lines/s",
            value=rate,
            aim=150_000,
            more_is_better=True,
            floor=floor,
            floor_is="bare typed decode of each line, and count",
        ),
        Figure(
            name="rate, against the floor", unit="times", value=rate / floor, aim=0.5, more_is_better=True, floor=1.0
        ),
        Figure(
            name="processor time",
            unit="us/line",
            value=told["used"] / many * 1e6,
            floor=of_runs([one["used"] for one in floors]) * 1e6,
            floor_is="the same",
        ),
        Figure(name=f"peak memory with {told['signatures']:,.0f} signatures", unit="MB", value=told["peak"], aim=200),
    ]
    lean = of_runs([one["lean"] for one in floors])
    result.notes.append(f"four fields of each line decoded in blocks and counted, nothing else: {lean:,.0f} lines/s")
    return result


class _Run:
    """One log and the process that folds it."""

    def __init__(self, folder: Path, many: int) -> None:
        folder.mkdir()
        self._many = many
        self._database = folder / "hub.db"
        self._log = RotatedLog(folder / "access.log", ROOM)
        begin = datetime.now(UTC) - timedelta(seconds=many / PER_SECOND + 60)
        self.lines = Lines(int(begin.timestamp() * 1000))
        self._read = 0
        self._last = ""
        self._ended = threading.Event()

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "benchmarks.gateway_folder", "fold", str(self._database), str(self._log.path)]
        self._ended.clear()
        process = subprocess.Popen(
            [*command, str(DAEMON_CORE), str(self._many - self._stored())], stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._listen, args=(process, self._stored()), daemon=True).start()
        return process

    def _begin(self, writing: Iterator[None]) -> subprocess.Popen[str]:
        """Start when there are lines; go on writing once the reader has found its file, which may then be rotated."""
        for _ in range(min(100, self._many // BLOCK)):
            next(writing, None)
        process = self._start()
        while not self._read and not self._ended.is_set():
            sleep(0.01)
        return process

    def _listen(self, process: subprocess.Popen[str], before: int) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._last = line
            if line.startswith("at "):
                self._read = before + int(line[3:])
        self._ended.set()

    def _write(self) -> Iterator[None]:
        """Write all lines, as fast as the room allows. Gives way after each block."""
        while self.lines.made < self._many:
            while self._log.is_full(self._read) and not self._ended.is_set():
                sleep(0.002)
                yield
            self._log.write(self.lines.block(min(BLOCK, self._many - self.lines.made)), self.lines.made)
            yield
        self._log.close()

    def to_the_end(self) -> dict[str, float]:
        """Write and fold. What it took."""
        writing = self._write()
        process = self._begin(writing)
        for _ in writing:
            if self._ended.is_set():
                break
        process.wait()
        self._ended.wait()
        if process.returncode:
            raise WrongResult(f"the folding process ended with {process.returncode}")
        told: dict[str, float] = json.loads(self._last)
        return told

    def with_kills(self, kills: int) -> int:
        """Write and fold; kill the folding process so many times. How often it was killed."""
        writing = self._write()
        process, done = self._begin(writing), 0
        for _ in writing:
            if done < kills and self._read > self._many * (done + 1) // (kills + 1):
                process.send_signal(signal.SIGKILL)
                process.wait()
                self._ended.wait()
                done += 1
                process = self._start()
        process.wait()
        return done

    def _stored(self) -> int:
        if not self._database.exists():
            return 0
        with sqlite3.connect(f"file:{self._database}?mode=ro", uri=True) as conn:
            return int(conn.execute("SELECT coalesce(sum(lines), 0) FROM gateway_feeds").fetchone()[0])

    def check(self) -> None:
        """Raise WrongResult unless every line and every failure is in the database once."""
        with sqlite3.connect(f"file:{self._database}?mode=ro", uri=True) as conn:
            bodies = conn.execute("SELECT kind, body FROM gateway_folds").fetchall()
            opened = conn.execute("SELECT count(*) FROM gateway_signatures").fetchone()[0]
        routes = [msgspec.msgpack.decode(body, strict=False) for kind, body in bodies if kind == "route"]
        signatures = [msgspec.msgpack.decode(body, strict=False) for kind, body in bodies if kind == "signature"]
        lines, failed = sum(row[5] for row in routes), sum(row[3] for row in signatures)
        if (lines, failed) != (self.lines.made, self.lines.failed):
            made = f"{self.lines.made:,} and {self.lines.failed:,}"
            raise WrongResult(f"{lines:,} lines and {failed:,} failures in the database of {made} that were written")
        expected = min(SIGNATURES, self.lines.failed)
        if len(signatures) != expected:
            raise WrongResult(f"{len(signatures):,} signatures instead of {expected:,} ({opened:,} of them records)")


def _floor(log: Path) -> dict[str, float]:
    if not log.exists():
        lines = Lines(1_764_000_000_000)
        with log.open("wb") as file:
            for _ in range(FLOOR_LINES // BLOCK):
                file.write(lines.block(BLOCK))
    command = [sys.executable, "-m", "benchmarks.gateway_folder", "floor", str(log), str(DAEMON_CORE)]
    told: dict[str, float] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
    return told


if __name__ == "__main__":  # python -m benchmarks.gateway 100000000
    pin_load()
    with tempfile.TemporaryDirectory(prefix="hypercare-bench-", dir=os.environ.get("TMPDIR")) as place:
        print(table([gateway(Path(place), quick=False, lines=int(sys.argv[1]))]))
