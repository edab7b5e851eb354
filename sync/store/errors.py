"""What can go wrong with the store, named by what the caller does next.

StoreError
├── StoreUnavailable   disk full, I/O error, locked, queue full   nothing was acknowledged: try again later
├── Stale              the rows moved since they were read        load again and decide again
├── NewerSchema        written by a newer hypercare               install that version, or restore a backup
├── Damaged            the file is not an intact database         a person restores a backup; never recreated
└── AlreadyRunning     another daemon works on this database      stop it first
"""

from __future__ import annotations

from datetime import datetime


class StoreError(Exception):
    """The store did not do what was asked. `message` is for people: what, where, what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class StoreUnavailable(StoreError):
    """The database cannot be written or read just now. What was asked was not acknowledged; it may be asked again."""


class Stale(StoreError):
    """The rows that a step was decided on have moved. Raised by the engine's steps, never by the store itself."""


class NewerSchema(StoreError):
    """The database was written by a newer version, which this one must not touch."""


class Damaged(StoreError):
    """The file is not an intact database of hypercare. It is left exactly as it is."""


class AlreadyRunning(StoreError):
    """Another daemon holds the database. holder: who; until: when its lease ends, where only the lease is known."""

    def __init__(self, message: str, *, holder: str = "", until: datetime | None = None) -> None:
        super().__init__(message)
        self.holder = holder
        self.until = until
