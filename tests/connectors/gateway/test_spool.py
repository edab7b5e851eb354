"""Pushed lines on disk: kept once acknowledged, removed once folded, bounded."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.errors import IntakeFull
from connectors.gateway.spool import Spool, SpoolReader


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def drained(reader: SpoolReader) -> list[bytes]:
    lines: list[bytes] = []
    while (block := reader.read(1024)) is not None:
        lines += block.data.splitlines()
        reader.stored(block.place)
    return lines


def test_lines_come_out_as_they_went_in(folder: Path) -> None:
    spool = Spool(folder, limit=100_000, segment=500)
    lines = [f'{{"n": {number}}}'.encode() for number in range(200)]
    for line in lines:
        spool.append(line + b"\n")
    assert drained(SpoolReader("received", folder)) == lines
    assert len(list(folder.iterdir())) == 1  # what was folded is gone


def test_a_restart_of_either_side_loses_and_repeats_nothing(folder: Path) -> None:
    stored: bytes | None = None
    seen: list[bytes] = []
    for number in range(50):
        spool = Spool(folder, limit=100_000, segment=200)
        spool.append(f"a{number}\nb{number}\n".encode())
        spool.close()
        reader = SpoolReader("received", folder, stored=stored)
        if number % 3:
            block = reader.read(1024)
            if block is not None:
                seen += block.data.splitlines()
                stored = block.place
                if number % 2:
                    reader.stored(block.place)
    reader = SpoolReader("received", folder, stored=stored)
    while (block := reader.read(1024)) is not None:
        seen += block.data.splitlines()
    assert seen == [f"{side}{number}".encode() for number in range(50) for side in "ab"]


def test_an_append_that_was_cut_short_by_the_end_of_the_process_is_left_out(folder: Path) -> None:
    spool = Spool(folder, limit=100_000)
    spool.append(b"whole\n")
    spool.close()
    segment = next(folder.iterdir())
    segment.write_bytes(segment.read_bytes() + b'{"half": ')
    Spool(folder, limit=100_000).append(b"next\n")
    reader = SpoolReader("received", folder)
    assert drained(reader) == [b"whole", b"next"]
    assert [event for event, _ in reader.notes.taken()] == ["feed_cut"]


def test_beyond_its_room_nothing_is_kept_until_some_was_folded(folder: Path) -> None:
    spool = Spool(folder, limit=1000, segment=250)
    line = b"x" * 99 + b"\n"
    for _ in range(10):
        spool.append(line)
    with pytest.raises(IntakeFull, match="spool_mb"):
        spool.append(line)
    reader = SpoolReader("received", folder)
    for _ in range(5):
        block = reader.read(250)
        assert block is not None
        reader.stored(block.place)
    spool.append(line)
    assert reader.held() <= 1000


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Files of this process cannot grow beyond 4 KB, as on a full disk."""
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_refuses_and_leaves_whole_lines_only(folder: Path, small_disk: None) -> None:
    spool = Spool(folder, limit=1_000_000)
    for _ in range(13):
        spool.append(b"y" * 299 + b"\n")
    for _ in range(3):
        with pytest.raises(IntakeFull, match="cannot be kept"):
            spool.append(b"y" * 299 + b"\n")
    assert drained(SpoolReader("received", folder)) == [b"y" * 299] * 13
