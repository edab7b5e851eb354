"""`hypercare mappings suggest`: asks one live system, within its budgets, and makes a mapping file of the answers."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from config.load import Loaded as Configuration
from connectors.errors import RemoteError
from sync.cli.asking import asked
from sync.cli.ending import Ended
from sync.learning.live import look
from sync.learning.shipped import known
from sync.learning.suggestion import Suggested, suggest
from sync.mapping.load import PEOPLE, ROUTES, RULES, load
from sync.ports import RealClock


def suggested(configured: Configuration, name: str, records: int) -> Suggested:
    """Ask, and write. Raises Ended where the system does not answer."""
    try:
        with asked(configured, name) as live:
            seen = look(live.remote, live.room, RealClock().now(), records=records)
    except RemoteError as error:
        raise Ended(f"{name}: {error.message}") from None
    connector = configured.connector(name)
    others = [one for one, system in configured.systems.items() if system == connector.name and one != name]
    found = suggest(
        seen,
        known(shipped_texts(), connector.name),
        connection=name,
        system=connector.name,
        kind=connector.kind,
        alone=not others,
    )
    load({"suggested.yaml": found.text})  # what is suggested is right by itself, or it is a defect of ours
    return found


def write(path: Path, text: str) -> None:
    """Write a new file. Raises Ended for one that is there."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Ended(f"{path} is there already: name another file, and compare with `hypercare mappings diff`") from None
    except OSError as error:
        raise Ended(f"{path} cannot be written ({error.strerror})") from None


def shipped_texts() -> dict[str, str]:
    """The shipped mapping files by name: what is known of each kind of system."""
    return {
        part.name: part.read_text(encoding="utf-8")
        for part in files("mappings").iterdir()
        if part.name.endswith(".yaml") and part.name not in (ROUTES, RULES, PEOPLE)
    }
