"""Follows a log file that is rotated: by renaming it, or by copying and truncating it, compressed afterwards or not.

A file is known by its beginning, not by its name or its inode: both are given to others. What was read is never read
again, and a predecessor that was not read to its end is read first, wherever it has gone.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec
from msgspec import structs

from connectors.contract import Clock
from connectors.gateway.notes import Notes
from connectors.gateway.places import HEAD, Block, FilePlace, Head, head_of
from connectors.gateway.rotation import LogFile, Moving, Rotation

LINGER = 5.0
"""Seconds for which a renamed file is still read: its writer goes on until it opens the new one."""

DONE_KEPT = 16
"""Files that are remembered as read to their end."""


class Tail:
    """One log file and its predecessors, from a stored place on. Implements `places.Source`.

    rotated: a pattern for the names that the file gets when it is put aside; by default its own name, a sign, and
    anything. begin: where to start when nothing is stored. linger: seconds for which a renamed file is still read.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        clock: Clock,
        *,
        stored: bytes | None = None,
        begin: Literal["beginning", "end"] = "beginning",
        rotated: str = "",
        linger: float = LINGER,
    ) -> None:
        self.name = name
        self._path = path
        self._clock = clock
        self._begin = begin
        self._files = Rotation(path, rotated)
        self._linger = linger
        self._place = msgspec.json.decode(stored, type=FilePlace) if stored is not None else None
        self._file: BinaryIO | None = None
        self._opened: LogFile | None = None
        self._compressed = False
        self._ahead = b""  # of a compressed file: what was read behind our place, for it is not read backwards
        self._first = b""  # how the file begins, as far as it was read
        self._was_current = True
        self._finishing_at: float | None = None
        self._gap_told = False
        self._empty: set[tuple[int, int, int, int]] = set()  # files that were left with nothing in them
        self.notes = Notes()
        self._trouble = ""

    # --- what a source does ---------------------------------------------------------------------------------------

    def read(self, most: int) -> Block | None:
        """The next complete lines, at most so many bytes. None: nothing complete is there now."""
        try:
            block = self._read(most)
        except Moving:
            return None  # looked at again with the next turn
        except (OSError, EOFError, zlib.error) as error:
            self._close()
            self._note_trouble(str(error))
            return None
        if self._trouble and block is not None:
            self._trouble = ""
            self.notes.tell("feed_back")
        return block

    def stored(self, place: bytes) -> None:
        """Nothing is kept for what is not stored yet: the files stay as they are."""

    def close(self) -> None:
        """Let go of the file."""
        self._close()

    # --- reading --------------------------------------------------------------------------------------------------

    def _read(self, most: int) -> Block | None:
        if self._file is None:
            begun = self._place is not None
            if not self._open():
                return None
            if not begun:
                assert self._place is not None
                return Block(data=b"", place=msgspec.json.encode(self._place))  # where we began is a place, too
        for _ in range(3):  # a file may be at its end, and the next one empty
            if self._is_overtaken():
                self._advance()
                if self._file is None:
                    return None
            data = self._bytes(most)
            if data is None:
                if not self._after_truncation():
                    return None
                continue
            block = self._lines(data, full=len(data) == most)
            if block is not None:
                self._finishing_at = None
                return block
            if not self._is_finished():
                return None
            if data:
                return self._last_line(data)
            self._advance()
            if self._file is None:
                return None
        return None

    def _bytes(self, most: int) -> bytes | None:
        """What follows our place. None: the file was truncated, what it holds now is another file's."""
        assert self._file is not None
        assert self._place is not None
        if self._compressed:
            if self._file.tell() != self._place.offset + len(self._ahead):
                self._file.seek(self._place.offset)
                self._ahead = b""
            return self._ahead + self._file.read(most - len(self._ahead))
        number = self._file.fileno()
        data = os.pread(number, most, self._place.offset)
        # Looked at after the read: what was read before a truncation is the old file's.
        head = self._place.head
        if head.length and head_of(os.pread(number, head.length, 0)) != head:
            return None
        if not data and os.fstat(number).st_size < self._place.offset:
            return None
        return data

    def _lines(self, data: bytes, *, full: bool) -> Block | None:
        """The complete lines at the beginning of `data`, and the place behind them."""
        assert self._place is not None
        end = data.rfind(b"\n") + 1
        if self._place.skipping:
            first = data.find(b"\n") + 1
            if not first:
                return self._moved(data, len(data), b"", skipping=True) if data else None
            return self._moved(data, end, data[first:end])
        if end:
            return self._moved(data, end, data[:end])
        if full:
            return self._moved(data, len(data), b"", skipping=True, overlong=1)
        return None

    def _last_line(self, data: bytes) -> Block:
        """A file that is written no more ends without a newline: what stands there is a line."""
        assert self._place is not None
        return self._moved(data, len(data), b"" if self._place.skipping else data + b"\n")

    def _moved(self, data: bytes, by: int, lines: bytes, *, skipping: bool = False, overlong: int = 0) -> Block:
        """The place after so many of the bytes that were read."""
        assert self._place is not None
        assert self._file is not None
        place = structs.replace(self._place, offset=self._place.offset + by, skipping=skipping)
        if place.head.length < HEAD:
            self._first = (self._first + data[:by])[:HEAD]
            place = structs.replace(place, head=head_of(self._first))
        if self._compressed:
            self._ahead = data[by:]
        else:
            place = structs.replace(place, modified_ns=os.fstat(self._file.fileno()).st_mtime_ns)
        self._place = place
        return Block(data=lines, place=msgspec.json.encode(place), overlong=overlong)

    def _is_finished(self) -> bool:
        """Whether the file, read to its end, is one that nobody writes to any more."""
        assert self._file is not None
        if self._compressed:
            return True
        try:
            now = self._path.stat()
        except FileNotFoundError:
            self._finishing_at = None  # between two steps of a rotation: the next file is not there yet
            return False
        mine = os.fstat(self._file.fileno())
        if (now.st_dev, now.st_ino) == (mine.st_dev, mine.st_ino):
            self._finishing_at = None
            return False
        if not self._was_current and self._clock.now().timestamp() - mine.st_mtime >= self._linger:
            return True  # put aside before we came
        at = self._clock.monotonic()
        if self._finishing_at is None:
            self._finishing_at = at + self._linger
        return at >= self._finishing_at

    # --- which file -----------------------------------------------------------------------------------------------

    def _open(self) -> bool:
        """Open the file of our place, or the first one. False: there is none yet."""
        if self._place is None:
            return self._open_first()
        if not self._place.offset:
            # Nothing of that file was read, so nothing tells it from another one: what was put aside since comes first.
            self._advance()
            return self._file is not None
        found = self._find(self._place)
        if found is None:
            if not self._gap_told:
                self._gap_told = True
                self.notes.tell("feed_gap", file=str(self._path), read=self._place.offset)
            self._advance()
            return self._file is not None
        self._take(found, self._place)
        return True

    def _open_first(self) -> bool:
        current, aside = self._files.look()
        if current is None:
            self._begin = "beginning"  # a file that comes later is new from its first line on
            self._note_missing()
            return False
        place = FilePlace(
            device=current.device, inode=current.inode, modified_ns=current.modified_ns, done=_heads(aside)
        )
        if self._begin == "end":
            with current.open() as file:
                offset = _after_last_line(file, current.size)
                place = structs.replace(
                    place, offset=offset, head=head_of(os.pread(file.fileno(), min(offset, HEAD), 0))
                )
        self._take(current, place)
        return True

    def _find(self, place: FilePlace) -> LogFile | None:
        """The file that a place is in, by its beginning."""
        current, aside = self._files.look()
        for found in (*([current] if current else []), *aside):
            if (found.size >= place.offset or found.compressed) and found.begins(place.head):
                return found
        return None

    def _after_truncation(self) -> bool:
        """The file under our hands was emptied and is written anew: the rest of what it held may be in a copy."""
        assert self._place is not None
        self._close()
        _, aside = self._files.look()
        copy = next((found for found in aside if found.begins(self._place.head)), None)
        if copy is not None:
            self._take(copy, self._place)
            return True
        self.notes.tell("feed_truncated", file=str(self._path), read=self._place.offset)
        self._advance()
        return self._file is not None

    def _advance(self) -> None:
        """Go to the file that follows: the oldest put aside that was not read, else the current one."""
        assert self._place is not None
        self._close()
        place = self._place
        if not place.offset and self._opened is not None:
            self._empty.add(self._opened.state)
        done = (place.head, *(head for head in place.done if head != place.head)) if place.head.length else place.done
        done = done[:DONE_KEPT]
        current, aside = self._files.look()
        found = self._next_of(aside, structs.replace(place, done=done)) or current
        if found is None:
            self._note_missing()
        if found is None or (found.current and found.size and any(found.begins(head) for head in done)):
            self._place = structs.replace(place, done=done)  # the current one was read to its end, and not emptied yet
            return
        self._take(found, FilePlace(device=found.device, inode=found.inode, modified_ns=found.modified_ns, done=done))

    def _next_of(self, aside: list[LogFile], place: FilePlace) -> LogFile | None:
        """The oldest of the files put aside since a place that was not read."""
        later = [
            found
            for found in aside
            if found.size and found.modified_ns >= place.modified_ns and found.state not in self._empty
        ]
        later.sort(key=lambda found: (found.modified_ns, -found.number, found.compressed))
        return next((found for found in later if not any(found.begins(head) for head in place.done)), None)

    def _is_overtaken(self) -> bool:
        """Whether the current file, of which nothing was read, had other lines that were put aside meanwhile.

        Without its beginning nothing tells it from what it was before it was emptied, but for its time.
        """
        assert self._file is not None
        assert self._place is not None
        if self._place.offset or not self._was_current:
            return False
        if os.fstat(self._file.fileno()).st_mtime_ns == self._place.modified_ns:
            return False
        _, aside = self._files.look()
        return self._next_of(aside, self._place) is not None

    def _take(self, found: LogFile, place: FilePlace) -> None:
        self._close()
        self._file = found.open()
        self._opened = found
        self._compressed, self._was_current, self._ahead = found.compressed, found.current, b""
        self._first = b""
        if place.offset < HEAD:
            self._first = (
                self._file.read(place.offset) if found.compressed else os.pread(self._file.fileno(), place.offset, 0)
            )
        self._finishing_at = None
        self._gap_told = False
        self._place = structs.replace(place, device=found.device, inode=found.inode)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _note_missing(self) -> None:
        self._note_trouble(f"{self._path} is not there")

    def _note_trouble(self, why: str) -> None:
        if why != self._trouble:
            self._trouble = why
            self.notes.tell("feed_unreadable", file=str(self._path), why=why)


def _heads(files: list[LogFile]) -> tuple[Head, ...]:
    """How the newest of these files begin: they were put aside before we came, and are nothing of ours."""
    found = []
    for one in sorted(files, key=lambda one: -one.modified_ns)[:DONE_KEPT]:
        try:
            found.append(head_of(one.first(HEAD)))
        except (OSError, EOFError, zlib.error):
            continue
    return tuple(head for head in found if head.length)


def _after_last_line(file: BinaryIO, size: int) -> int:
    """The place behind the last newline."""
    step = 64 * 1024
    end = size
    while end > 0:
        begin = max(0, end - step)
        found = os.pread(file.fileno(), end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0
