"""Asking the daemon to do something, and showing its answer: what the acting words have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sync.cli.ending import Ended

if TYPE_CHECKING:
    from config.load import Loaded as Configuration


def ask(configured: Configuration, verb: str, args: dict[str, Any], *, json: bool) -> None:
    """Ask the daemon, or carry it out where there is none, and show the answer. Raises Ended when it is refused."""
    from sync.cli import opening, show

    answer = opening.ask(configured, verb, args)
    if json:
        show.json(answer)
    elif answer.ok:
        show.say(answer.message)
    if not answer.ok:
        raise Ended("" if json else answer.message)


def person() -> str:
    """Who acts, for the journal: the name of the account on this machine."""
    import getpass

    try:
        return f"{getpass.getuser()} (command line)"[:64]
    except (KeyError, OSError):
        return "command line"
