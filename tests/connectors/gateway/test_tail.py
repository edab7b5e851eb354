"""A log file under rotation: every line once, whatever is renamed, copied, emptied, compressed or removed."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from connectors.gateway.places import FilePlace
from connectors.gateway.tail import LINGER, Tail
from sync.simulation.virtual import VirtualClock


class Log:
    """A log file, who writes it, and who reads it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "access.log"
        self.clock = VirtualClock()
        self.number = 0
        self.seen: list[str] = []
        self.events: list[str] = []
        self.stored: bytes | None = None
        self.tail = self.open()

    def open(self, **given: str) -> Tail:
        return Tail("log", self.path, self.clock, stored=self.stored, **given)  # type: ignore[arg-type]

    def write(self, count: int, path: Path | None = None) -> None:
        with (path or self.path).open("a") as file:
            for _ in range(count):
                self.number += 1
                file.write(f"line {self.number:06d}\n")

    def read(self, most: int = 4096) -> None:
        """Read all that is there, and store each place."""
        while (block := self.tail.read(most)) is not None:
            self.seen += block.data.decode().splitlines()
            self.stored = block.place
        self.events += [event for event, _ in self.tail.notes.taken()]

    def settle(self) -> None:
        """Read on until a file that was put aside is surely done."""
        for _ in range(4):
            self.read()
            self.clock.advance(LINGER + 1)

    def restart(self, **given: str) -> None:
        self.tail.close()
        self.tail = self.open(**given)

    def complete(self) -> bool:
        return self.seen == [f"line {number:06d}" for number in range(1, self.number + 1)]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path)
    yield made
    made.tail.close()


def test_lines_are_read_as_they_come(log: Log) -> None:
    log.read()
    assert log.events == ["feed_unreadable"]
    log.write(3)
    log.read()
    log.write(500)
    log.read(most=64)
    assert log.complete()
    assert log.events == ["feed_unreadable", "feed_back"]


def test_a_line_without_its_end_waits_for_it(log: Log) -> None:
    log.write(1)
    with log.path.open("a") as file:
        file.write("line 0000")
    log.read()
    assert log.seen == ["line 000001"]
    with log.path.open("a") as file:
        file.write("02\n")
    log.read()
    assert log.seen == ["line 000001", "line 000002"]


def test_a_restart_goes_on_exactly_where_it_stopped(log: Log) -> None:
    for _ in range(20):
        log.write(7)
        block = log.tail.read(40)
        if block is not None:
            log.seen += block.data.decode().splitlines()
            log.stored = block.place
        log.restart()
    log.read()
    assert log.complete()


def test_a_place_that_was_not_stored_is_read_again(log: Log) -> None:
    log.write(10)
    log.read()
    log.write(5)
    assert log.tail.read(4096) is not None  # folded and lost with the process
    log.restart()
    log.read()
    assert log.complete()


def test_a_renamed_file_is_read_to_its_end_first(log: Log) -> None:
    log.write(10)
    log.read()
    aside = log.path.with_name("access.log.1")
    log.path.rename(aside)
    log.write(3, aside)  # its writer has not opened the new one yet
    log.read()
    first = log.number
    log.write(4)
    log.read()
    assert len(log.seen) == first
    log.settle()
    assert log.complete()


def test_a_last_line_without_its_end_counts_when_its_file_is_done(log: Log) -> None:
    log.write(2)
    with log.path.open("a") as file:
        file.write("cut off")
    log.read()
    log.path.rename(log.path.with_name("access.log.1"))
    with log.path.open("a") as file:
        file.write("line 000003\n")
    log.settle()
    assert log.seen == ["line 000001", "line 000002", "cut off", "line 000003"]


@pytest.mark.parametrize("restart", [False, True])
def test_a_file_that_is_copied_and_emptied_loses_and_repeats_nothing(log: Log, restart: bool) -> None:
    log.write(50)
    log.read()
    log.write(20)
    shutil.copyfile(log.path, log.path.with_name("access.log.1"))
    os.truncate(log.path, 0)
    if restart:
        log.restart()
    log.write(5)
    log.settle()
    assert log.complete()
    assert "feed_gap" not in log.events


def test_a_file_emptied_and_grown_beyond_our_place_is_known_as_another(log: Log) -> None:
    log.write(5)
    log.read()
    shutil.copyfile(log.path, log.path.with_name("access.log.1"))
    os.truncate(log.path, 0)
    log.write(100)
    log.settle()
    assert log.complete()


def test_a_file_emptied_without_a_copy_is_told_and_read_from_its_beginning(log: Log) -> None:
    log.write(5)
    log.read()
    os.truncate(log.path, 0)
    log.write(2)
    log.read()
    assert log.complete()
    assert log.events == ["feed_truncated"]


@pytest.mark.parametrize("compressed", [False, True])
def test_several_rotations_while_nobody_read_are_caught_up_in_order(log: Log, compressed: bool) -> None:
    log.write(30)
    for _ in range(2):  # where it begins, then a few lines
        block = log.tail.read(100)
        assert block is not None
        log.seen += block.data.decode().splitlines()
        log.stored = block.place
    log.tail.close()
    at = 1_700_000_000
    for turn in (1, 2, 3):
        for number in (3, 2, 1):
            for ending in ("", ".gz"):
                old = log.path.with_name(f"access.log.{number}{ending}")
                if old.exists():
                    old.rename(log.path.with_name(f"access.log.{number + 1}{ending}"))
        aside = log.path.with_name("access.log.1")
        log.path.rename(aside)
        os.utime(aside, (at + turn, at + turn))
        if compressed:
            with gzip.open(f"{aside}.gz", "wb") as file:
                file.write(aside.read_bytes())
            os.utime(f"{aside}.gz", (at + turn, at + turn))
            aside.unlink()
        log.write(300)
    assert log.stored is not None
    place = msgspec.json.decode(log.stored, type=FilePlace)
    log.stored = msgspec.json.encode(structs.replace(place, modified_ns=at * 10**9))  # before the first rotation
    log.restart()
    log.settle()
    assert log.complete()
    assert log.events == []


def test_a_predecessor_that_is_gone_is_told_once_and_the_next_file_read(log: Log) -> None:
    log.write(10)
    log.read()
    log.write(10)
    log.tail.close()
    log.path.unlink()
    log.restart()
    log.read()
    log.read()
    log.write(5)
    log.settle()
    assert log.seen == [f"line {number:06d}" for number in [*range(1, 11), *range(21, 26)]]
    assert log.events.count("feed_gap") == 1


@pytest.mark.parametrize("rotation", ["renamed", "copied"])
def test_a_file_put_aside_before_anything_of_it_was_read_is_read_first(log: Log, rotation: str) -> None:
    log.write(3)
    log.path.rename(log.path.with_name("access.log.1"))  # before our time
    log.path.touch()
    log.read()
    log.tail.close()
    for number in (3, 2):
        log.write(10)
        aside = log.path.with_name(f"access.log.{number}")
        if rotation == "copied":
            shutil.copyfile(log.path, aside)
            os.truncate(log.path, 0)
        else:
            log.path.rename(aside)
    log.write(5)
    log.restart()
    log.settle()
    assert log.seen == [f"line {number:06d}" for number in range(4, 29)]


def test_other_logs_in_the_folder_are_left_alone(log: Log) -> None:
    log.write(2)
    log.read()
    log.path.with_name("access-errors.log").write_text("not ours\n")
    log.path.with_name("error.log").write_text("not ours\n")
    log.path.rename(log.path.with_name("access.log.1"))
    log.write(1)
    log.settle()
    assert log.complete()


def test_names_of_rotated_files_may_be_given(log: Log) -> None:
    log.tail = log.open(rotated="access-20*.log")
    log.write(5)
    log.read()
    log.write(5)
    log.path.rename(log.path.with_name("access-20260302.log"))
    log.write(5)
    log.restart(rotated="access-20*.log")
    log.settle()
    assert log.complete()


def test_a_line_that_is_too_long_is_left_out_and_counted_once(log: Log) -> None:
    log.write(1)
    with log.path.open("a") as file:
        file.write("x" * 10_000 + "\n")
    log.write(1)
    overlong = 0
    while (block := log.tail.read(1024)) is not None:
        log.seen += block.data.decode().splitlines()
        overlong += block.overlong
        log.stored = block.place
        log.restart()  # in the middle of it, too
    assert log.seen == ["line 000001", "line 000002"]
    assert overlong == 1


def test_reading_may_begin_at_the_end_of_what_is_there(log: Log) -> None:
    log.write(10)
    with log.path.open("a") as file:
        file.write("line 0000")
    log.tail = log.open(begin="end")
    log.read()
    assert log.seen == []
    with log.path.open("a") as file:
        file.write("11\n")
    log.restart()  # where it began is stored, too
    log.read()
    assert log.seen == ["line 000011"]


def test_a_pipe_is_told_and_holds_up_nobody(log: Log) -> None:
    os.mkfifo(log.path)
    log.read()
    assert log.events == ["feed_unreadable"]


def test_what_cannot_be_read_is_told_once_and_tried_again(log: Log, tmp_path: Path) -> None:
    log.path.mkdir()  # as good as unreadable, for root too
    log.read()
    log.read()
    assert log.events == ["feed_unreadable"]
    log.path.rmdir()
    log.write(3)
    log.read()
    assert log.complete()
