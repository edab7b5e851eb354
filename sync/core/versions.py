"""Which of two readings of one record is believed. Versions order readings within one record and nowhere else."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from sync.model import Origin

Version: TypeAlias = tuple[str, int, Origin]
"""The remote's version (text that sorts), the number of our read (counted when it starts), and how it was read."""


class Verdict(StrEnum):
    """What becomes of a reading: taken, ignored, or settled by reading the record directly."""

    TAKE = "take"
    IGNORE = "ignore"
    REREAD = "reread"


def accept(stored: Version, new: Version, *, same_content: bool) -> Verdict:
    """Judge a reading against the stored one.

    An older remote version is refused, a newer one taken. At the same version with other content (some remotes change a
    record without a new version, and search indexes lag) only a direct read that started later is believed; a copy from
    a list, export, search or webhook never replaces anything, it causes a direct read.
    """
    stored_version, stored_read, stored_origin = stored
    version, read, origin = new
    if version < stored_version:
        return Verdict.IGNORE
    if version > stored_version:
        return Verdict.TAKE
    if same_content:
        return Verdict.IGNORE
    if origin is Origin.LIST:
        return Verdict.REREAD
    if read > stored_read:
        return Verdict.TAKE
    # An earlier direct read against a later list copy: neither is proof, and one read settles it.
    return Verdict.IGNORE if stored_origin is Origin.DIRECT else Verdict.REREAD
