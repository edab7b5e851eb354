"""Lines that were pushed to us, on disk until they are folded: numbered segments in a folder, bounded in all.

A line is kept once `append` has returned, whatever then becomes of the process. One thread appends and one reads; the
files are all they share.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from connectors.errors import IntakeFull
from connectors.gateway.notes import Notes
from connectors.gateway.places import Block, SpoolPlace

SEGMENT = 8 * 1024 * 1024
"""Bytes after which a segment is closed and the next one begun."""

_ENDING = ".ndjson"


class Spool:
    """The writing half. limit: bytes in all. A process writes to segments of its own: an older one's end may be cut."""

    def __init__(self, folder: Path, *, limit: int, segment: int = SEGMENT) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._limit = limit
        self._most = min(segment, max(1, limit // 4))
        held = _segments(folder)
        self._number = max(held, default=0)
        self._held = sum(held.values())
        self._file = -1
        self._size = 0

    def append(self, lines: bytes) -> None:
        """Keep complete lines. Raises IntakeFull when the room is used up or the disk is full; nothing is kept then."""
        if self._held + len(lines) > self._limit:
            self._held = sum(_segments(self._folder).values())  # what was folded meanwhile is gone
            if self._held + len(lines) > self._limit:
                raise IntakeFull(
                    f"{self._held} bytes of pushed lines wait in {self._folder} to be folded, and "
                    f"{self._limit} are allowed (`spool_mb`)"
                )
        try:
            self._write(lines)
        except OSError as error:
            self._undo()
            raise IntakeFull(f"pushed lines cannot be kept in {self._folder}: {error.strerror or error}") from error
        self._size += len(lines)
        self._held += len(lines)
        if self._size >= self._most:
            self.close()

    def close(self) -> None:
        """End the segment."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write(self, lines: bytes) -> None:
        if self._file < 0:
            path = _path(self._folder, self._number + 1)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._number += 1
            self._size = 0
        written = 0
        while written < len(lines):
            written += os.write(self._file, lines[written:])

    def _undo(self) -> None:
        """Take away what stands behind the last complete append; a segment that refuses is left and ended."""
        if self._file < 0:
            return
        try:
            os.ftruncate(self._file, self._size)
        except OSError:
            self.close()


class SpoolReader:
    """The reading half: a `places.Source` that removes segments once what they held is folded and stored."""

    def __init__(self, name: str, folder: Path, *, stored: bytes | None = None) -> None:
        self.name = name
        self._folder = folder
        self._place = msgspec.json.decode(stored, type=SpoolPlace) if stored is not None else SpoolPlace()
        self.notes = Notes()
        self._removed = 0

    def read(self, most: int) -> Block | None:
        """The next kept lines. None: all was read."""
        while True:
            numbers = [number for number in sorted(_segments(self._folder)) if number >= self._place.segment]
            if not numbers:
                return None
            if numbers[0] != self._place.segment:
                self._place = SpoolPlace(segment=numbers[0])
            with _path(self._folder, self._place.segment).open("rb", buffering=0) as file:
                data = os.pread(file.fileno(), most, self._place.offset)
            end = data.rfind(b"\n") + 1
            if end:
                return self._moved(end, data[:end])
            if len(data) == most:  # one line of more than we read at once: all of it, up to its end
                return self._longest(most)
            if len(numbers) == 1:
                return None
            if data:
                # The process ended in the middle of an append that it never acknowledged.
                self.notes.tell("feed_cut", size=len(data))
            self._place = SpoolPlace(segment=numbers[1])

    def stored(self, place: bytes) -> None:
        """Remove the segments before a place that is durable."""
        before = msgspec.json.decode(place, type=SpoolPlace).segment
        if before > self._removed:
            for number in _segments(self._folder):
                if number < before:
                    _path(self._folder, number).unlink(missing_ok=True)
            self._removed = before

    def close(self) -> None:
        """Nothing is held open between two reads."""

    def held(self) -> int:
        """Bytes that wait, those of a segment that is read in part too."""
        return sum(size for number, size in _segments(self._folder).items() if number >= self._place.segment)

    def _longest(self, most: int) -> Block | None:
        with _path(self._folder, self._place.segment).open("rb", buffering=0) as file:
            data = os.pread(file.fileno(), max(most, SEGMENT * 2), self._place.offset)
        end = data.find(b"\n") + 1
        return self._moved(end, data[:end]) if end else None

    def _moved(self, by: int, lines: bytes) -> Block:
        self._place = SpoolPlace(segment=self._place.segment, offset=self._place.offset + by)
        return Block(data=lines, place=msgspec.json.encode(self._place))


def _segments(folder: Path) -> dict[int, int]:
    """The sizes of the segments in a folder, by number."""
    found: dict[int, int] = {}
    if not folder.is_dir():
        return found  # nothing was ever received
    with os.scandir(folder) as entries:
        for entry in entries:
            stem, dot, ending = entry.name.partition(".")
            if stem.isdecimal() and dot + ending == _ENDING:
                try:
                    found[int(stem)] = entry.stat().st_size
                except FileNotFoundError:
                    continue
    return found


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:012d}{_ENDING}"
