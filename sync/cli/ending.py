"""How a command ends: its exit codes, and errors that are a person's to read."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of every command."""

    OK = 0
    """It was done, or all is well."""
    NEGATIVE = 1
    """It was looked at, and something is wrong; or it could not be done, for the reason shown."""
    USAGE = 2
    """The command line, the settings or the mapping files are wrong."""
    DEFECT = 70
    """A defect of hypercare."""
    IN_USE = 75
    """Another daemon works on the database."""
    INTERRUPTED = 130
    """Ctrl-C."""


class Ended(Exception):
    """The command is over. message: for standard error; may be empty."""

    def __init__(self, message: str = "", code: Exit = Exit.NEGATIVE) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@contextmanager
def told() -> Generator[None]:
    """Turn what a person can act on into `Ended`."""
    try:
        yield
    except Ended:
        raise
    except Exception as error:
        ended = _meaning(error)
        if ended is None:
            raise
        raise ended from None


def _meaning(error: Exception) -> Ended | None:
    """What an error is to a person; None for a defect. Its kinds are looked up only where their modules are loaded."""

    def is_a(module: str, *names: str) -> bool:
        loaded = sys.modules.get(module)
        return loaded is not None and isinstance(error, tuple(getattr(loaded, name) for name in names))

    if is_a("config.problems", "SettingsErrors"):
        from sync.cli import problems

        return Ended(problems.told(error), Exit.USAGE)  # type: ignore[arg-type]  # as was just asked
    if is_a("sync.store.errors", "AlreadyRunning"):
        return Ended(str(error), Exit.IN_USE)
    if (
        is_a("sync.store.errors", "StoreError")
        or is_a("sync.engine.find", "NotFound")
        or is_a("sync.engine.commands", "Refused")
        or is_a("sync.web.server", "CannotListen")
    ):
        return Ended(str(error))
    return None
