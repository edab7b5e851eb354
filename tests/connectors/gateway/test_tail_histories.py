"""Random lives of a log file: written, cut, rotated in every way, compressed, read now and then, restarted."""

from __future__ import annotations

import gzip
import os
import random
import shutil
from pathlib import Path

import pytest

from connectors.gateway.tail import LINGER, Tail
from sync.simulation.virtual import VirtualClock

KEPT = 30
"""Rotated files that are kept: more than any history makes, so that nothing is lost by removal."""


class Life:
    """One log file, its writer, its rotation and its reader, whose places are stored now and then."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.path = folder / "access.log"
        self.path.touch()
        self.clock = VirtualClock()
        self.number = 0
        self.pending = b""
        self.stored: bytes | None = None
        self.counted: list[bytes] = []
        self.folded: list[bytes] = []
        self.tail = Tail("log", self.path, self.clock)
        self.did: list[str] = []
        self.read()
        self.store()

    def write(self) -> None:
        with self.path.open("ab") as file:
            file.write(self.pending)
            self.pending = b""
            for _ in range(self.chance.randrange(1, 40)):
                self.number += 1
                file.write(self._line())

    def write_half(self) -> None:
        if self.pending:
            return
        self.number += 1
        line = self._line()
        cut = self.chance.randrange(1, len(line))
        with self.path.open("ab") as file:
            file.write(line[:cut])
        self.pending = line[cut:]

    def _line(self) -> bytes:
        return b"line %06d %s\n" % (self.number, b"x" * self.chance.randrange(0, 120))

    def rename(self) -> None:
        self._shift()
        self.path.rename(self.path.with_name("access.log.1"))
        self.path.touch()

    def copy_and_empty(self) -> None:
        self._shift()
        shutil.copyfile(self.path, self.path.with_name("access.log.1"))
        os.truncate(self.path, 0)

    def compress(self) -> None:
        """As logrotate does with what is not the newest."""
        for number in range(2, KEPT):
            plain = self.path.with_name(f"access.log.{number}")
            if plain.exists():
                seen = plain.stat()
                packed = plain.with_name(plain.name + ".gz")
                with gzip.open(packed, "wb") as file:
                    file.write(plain.read_bytes())
                os.utime(packed, ns=(seen.st_atime_ns, seen.st_mtime_ns))
                plain.unlink()

    def _shift(self) -> None:
        if self.pending:  # a writer ends its line before it lets go of the file
            with self.path.open("ab") as file:
                file.write(self.pending)
            self.pending = b""
        for number in range(KEPT, 0, -1):
            for ending in ("", ".gz"):
                old = self.path.with_name(f"access.log.{number}{ending}")
                if old.exists():
                    old.rename(self.path.with_name(f"access.log.{number + 1}{ending}"))

    def read(self) -> None:
        for _ in range(self.chance.randrange(1, 6)):
            block = self.tail.read(self.chance.choice([256, 1024, 8192]))
            if block is not None:
                self.folded += block.data.splitlines()
                self.unstored = block.place

    def store(self) -> None:
        """What was folded is durable, with the place."""
        self.counted += self.folded
        self.folded = []
        if self.unstored is not None:
            self.stored = self.unstored

    unstored: bytes | None = None

    def crash(self) -> None:
        self.tail.close()
        self.folded, self.unstored = [], self.stored
        self.tail = Tail("log", self.path, self.clock, stored=self.stored)

    def wait(self) -> None:
        self.clock.advance(self.chance.choice([0.5, 2.0, LINGER + 1]))

    def live(self, steps: int) -> None:
        acts = [self.write] * 6 + [self.read] * 6 + [self.store] * 3 + [self.wait] * 3
        acts += [self.write_half, self.rename, self.copy_and_empty, self.compress, self.crash, self.crash]
        for _ in range(steps):
            act = self.chance.choice(acts)
            self.did.append(act.__name__)
            act()
        self.write()
        for _ in range(60):
            self.read()
            self.store()
            self.clock.advance(LINGER + 1)
        self.tail.close()


@pytest.mark.parametrize("batch", range(8))
def test_every_line_is_counted_once_in_any_history(tmp_path: Path, batch: int) -> None:
    for seed in range(batch * 25, batch * 25 + 25):
        folder = tmp_path / str(seed)
        folder.mkdir()
        life = Life(folder, seed)
        life.live(60)
        numbers = [int(line.split()[1]) for line in life.counted]
        assert sorted(numbers) == list(range(1, life.number + 1)), (seed, life.did)
        shutil.rmtree(folder)
