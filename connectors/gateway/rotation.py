"""The files that a log is in: the one that is written, and those it was rotated to. Looks at names, never keeps any.

Names change hands while one looks. So a listing counts only if a second one shows the same, and a file that was opened
only if it is still the one that was listed; else `Moving` is raised, and one looks again later.
"""

from __future__ import annotations

import gzip
import os
import re
import stat
import zlib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from connectors.gateway.places import Head, head_of

COMPRESSED = ".gz"
_LOOKS = 5


class Moving(Exception):
    """Files are being renamed at this very moment."""


class LogFile(Struct, frozen=True, kw_only=True):
    """A file that may hold lines of ours. current: it has the name that is written to."""

    path: Path
    device: int
    inode: int
    size: int
    modified_ns: int
    current: bool

    @property
    def compressed(self) -> bool:
        """It is read through a decompressor. The current file never is, whatever its name."""
        return self.path.suffix == COMPRESSED and not self.current

    @property
    def state(self) -> tuple[int, int, int, int]:
        """What tells it from itself after a change, and from another file on the same inode."""
        return self.device, self.inode, self.size, self.modified_ns

    @property
    def number(self) -> int:
        """The number at the end of its name: of files of one moment, the higher one is older."""
        found = re.search(r"\.(\d+)(?:\.gz)?\Z", self.path.name)
        return int(found[1]) if found else 0

    def open(self) -> BinaryIO:
        """Open it, unbuffered or decompressing. Raises Moving when its name is another file's by now, OSError."""
        try:
            file = self.path.open("rb", buffering=0)
        except FileNotFoundError:
            raise Moving from None
        seen = os.fstat(file.fileno())
        if (seen.st_dev, seen.st_ino) != (self.device, self.inode):
            file.close()
            raise Moving
        if self.compressed:
            return _Decompressed(file)  # type: ignore[return-value]  # it reads, seeks, tells and closes like one
        return file

    def first(self, length: int) -> bytes:
        """Its first bytes. Raises as `open`, and what a broken compressed file raises."""
        with self.open() as file:
            return file.read(length)

    def begins(self, head: Head) -> bool:
        """Whether it begins so; False for what cannot be read. Raises Moving."""
        if not head.length or (not self.compressed and self.size < head.length):
            return False
        try:
            return head_of(self.first(head.length)) == head
        except (OSError, EOFError, zlib.error):
            return False  # being compressed at this moment, or not ours to read


class _Decompressed(gzip.GzipFile):
    """A gzip file that closes what it reads from."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(fileobj=file, mode="rb")
        self._below = file

    def close(self) -> None:
        """Close both."""
        super().close()
        self._below.close()


class Rotation:
    """A log's name, and the pattern for the names it gets when it is put aside ("": its own, a sign, anything)."""

    def __init__(self, path: Path, pattern: str = "") -> None:
        self._path = path
        self._pattern = pattern

    def look(self) -> tuple[LogFile | None, list[LogFile]]:
        """The current file, and those put aside, uncompressed ones first. Raises Moving, OSError."""
        known: list[tuple[Path, int, int]] | None = None
        for _ in range(_LOOKS):
            current, aside = self._current(), self._put_aside()
            found = [(one.path, one.device, one.inode) for one in (*aside, *([current] if current else []))]
            if found == known:
                return current, aside
            known = found
        raise Moving

    def _current(self) -> LogFile | None:
        return _look(self._path, current=True)

    def _put_aside(self) -> list[LogFile]:
        paths = [path for path in self._path.parent.iterdir() if self._is_rotated(path.name)]
        paths.sort(key=lambda path: (path.suffix == COMPRESSED, path.name))
        return [one for path in paths if (one := _look(path, current=False)) is not None]

    def _is_rotated(self, name: str) -> bool:
        if name == self._path.name:
            return False
        if self._pattern:
            return fnmatchcase(name, self._pattern) or fnmatchcase(name, self._pattern + COMPRESSED)
        return re.match(rf"{re.escape(self._path.name)}[-._]", name) is not None


def _look(path: Path, *, current: bool) -> LogFile | None:
    try:
        seen = path.stat()
    except FileNotFoundError:
        return None  # renamed or removed since it was listed
    if not stat.S_ISREG(seen.st_mode):
        if current:  # a pipe would hold the worker for ever, and gives each line once only
            raise OSError(f"{path} is not an ordinary file")
        return None
    return LogFile(
        path=path,
        device=seen.st_dev,
        inode=seen.st_ino,
        size=seen.st_size,
        modified_ns=seen.st_mtime_ns,
        current=current,
    )
