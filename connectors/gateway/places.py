"""Where a feed has come to. Stored with what was folded, in one step, so that a restart loses and repeats no line.

Values only: who reads files is `tail`, who keeps pushed lines is `spool`.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Protocol

from msgspec import Struct

from connectors.gateway.notes import Notes

HEAD = 1024
"""Bytes at the beginning of a file by which it is known again, whatever its name and its inode are by then."""


class Head(Struct, frozen=True):
    """The beginning of a file: how many bytes, and their SHA-256 in hexadecimal. Length 0: nothing was read yet."""

    length: int = 0
    digest: str = ""


def head_of(first: bytes) -> Head:
    """The head that these first bytes make."""
    first = first[:HEAD]
    return Head(len(first), sha256(first).hexdigest()) if first else Head()


class FilePlace(Struct, frozen=True, kw_only=True):
    """How far a log file was read, and which file that is.

    offset: bytes read; of a compressed file, of what is in it. modified_ns: when the file had last changed by then.
    skipping: in the middle of a line that is too long. done: the files read to their end before, newest first.
    """

    device: int = 0
    inode: int = 0
    offset: int = 0
    head: Head = Head()
    modified_ns: int = 0
    skipping: bool = False
    done: tuple[Head, ...] = ()


class SpoolPlace(Struct, frozen=True, kw_only=True):
    """How far the kept lines were read: the number of a segment, and bytes in it."""

    segment: int = 0
    offset: int = 0


class Block(Struct, frozen=True, kw_only=True):
    """Complete lines, and what to store once they are folded. overlong: lines that were too long and are left out.

    data is empty where only the place moved. place: encoded; each source reads its own.
    """

    data: bytes
    place: bytes
    overlong: int = 0


class Source(Protocol):
    """Where lines come from. `read` gives None when nothing complete has come; it never waits.

    `stored` is called once a place that it gave is durable.
    """

    name: str
    notes: Notes

    def read(self, most: int) -> Block | None: ...
    def stored(self, place: bytes) -> None: ...
    def close(self) -> None: ...
