"""Where a rotating token pair is kept: one file a connection, readable by its owner alone, replaced in one move.

A pair is durable before it is used: the remote has already forgotten the one before it.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sync.model import Json


class TokenFile:
    """A `connectors.contract.TokenStore` on a file. Safe between threads and between processes."""

    def __init__(self, folder: Path, connection: str) -> None:
        self._path = folder / "tokens" / f"{connection}.json"
        self._mine = threading.RLock()

    def load(self) -> dict[str, Json] | None:
        """The pair that was saved last, or None. A file that is no pair counts as none: a new one is asked for."""
        try:
            found = json.loads(self._path.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def save(self, pair: dict[str, Json]) -> None:
        """Keep a pair; returns when it is on the disk."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(handle, json.dumps(pair).encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        draft.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def refreshing(self) -> Generator[None]:
        """One refresher at a time, whoever else may want to: a second use of a refresh token locks everybody out."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._mine:
            handle = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)
