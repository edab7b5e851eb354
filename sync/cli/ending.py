"""How a command ends: its exit codes, and errors that are a person's to read."""

from __future__ import annotations

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
    from config.problems import SettingsErrors

    try:
        yield
    except SettingsErrors as error:
        count = len(error.problems)
        raise Ended(f"{error}\n{count} problem{'s' if count > 1 else ''}", Exit.USAGE) from None
    except Ended:
        raise
    except Exception as error:
        ended = _meaning(error)
        if ended is None:
            raise
        raise ended from None


def _meaning(error: Exception) -> Ended | None:
    """What an error of the store, the web face or the engine is to a person. Imported late: most commands end well."""
    import sys

    if "sqlalchemy" not in sys.modules:
        return None
    from sync.engine.commands import Refused
    from sync.engine.find import NotFound
    from sync.store.errors import AlreadyRunning, StoreError

    if isinstance(error, AlreadyRunning):
        return Ended(error.message, Exit.IN_USE)
    if isinstance(error, StoreError):
        return Ended(error.message)
    if isinstance(error, NotFound | Refused):
        return Ended(str(error))
    if type(error).__name__ == "CannotListen":
        return Ended(str(error))
    return None
