"""`hypercare connections rename`: the database's row and the key in the settings, together; the kept tokens."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from sqlalchemy import Connection, func, select, update

from config.load import Loaded as Configuration
from config.settings import is_connection_name
from config.sources import Kind
from sync.cli import opening
from sync.cli.checking import is_set_by
from sync.cli.ending import Ended, Exit
from sync.mapping.yaml import compose
from sync.store.tables import connections


def rename(configuration: Configuration, old: str, new: str) -> list[str]:
    """Give a connection another name. Returns what is left for a person to do. Raises Ended, AlreadyRunning."""
    if old not in configuration.connections:
        known = ", ".join(configuration.connections) or "none"
        raise Ended(f"there is no connection {old!r} in {configuration.path}; known are {known}")
    if not is_connection_name(new):
        raise Ended(
            f"{new!r} is not a name for a connection: small letters and digits, single - or _ between", Exit.USAGE
        )
    if new in configuration.connections:
        raise Ended(f"there is a connection {new!r} already")
    variables = is_set_by(configuration, Kind.ENVIRONMENT, old)
    if variables:
        raise Ended(
            f"the environment speaks of it: rename {', '.join(variables)} too, or move them into the file first"
        )
    before = configuration.path.read_text("utf-8")
    after = edited(before, str(configuration.path), old, new)
    if after is None:
        raise Ended(f"{old!r} is not a key in {configuration.path}: nothing to rename there")
    with opening.alone(configuration) as here:

        def step(conn: Connection) -> None:
            if conn.execute(select(func.count()).where(connections.c.name == new)).scalar_one():
                raise Ended(f"the database knows another connection {new!r}, of former settings: choose another name")
            conn.execute(update(connections).where(connections.c.name == old).values(name=new))
            # Last, inside the step: if the file cannot be written, the row keeps its name.
            _replace(configuration.path, after)

        try:
            here.store.step(step)
        except OSError as error:
            raise Ended(f"{configuration.path} cannot be written ({error.strerror}): nothing was renamed") from None
    tokens = configuration.data_dir / "tokens"
    if (tokens / f"{old}.json").exists():
        (tokens / f"{old}.json").replace(tokens / f"{new}.json")
    return [
        f"webhooks now arrive at /hooks/{new}: change their addresses",
        f"mapping files that name {old!r} (`connections`, routes) must name {new!r}: `hypercare check` shows them",
    ]


def edited(text: str, file: str, old: str, new: str) -> str | None:
    """The settings file with another key, and everything else as it was; None where the key does not stand there."""
    place = compose(text, file).keys.get(("connections", old))
    if place is None:
        return None
    lines = text.split("\n")
    line, at = lines[place[0] - 1], place[1] - 1
    if place[0] == 1 and text.startswith("\ufeff"):
        at += 1
    quote = line[at] if line[at] in "\"'" else ""
    written = f"{quote}{old}{quote}"
    if not line.startswith(written, at):
        return None
    lines[place[0] - 1] = line[:at] + f"{quote}{new}{quote}" + line[at + len(written) :]
    return "\n".join(lines)


def _replace(path: Path, text: str) -> None:
    """Write the file whole, with the mode it had."""
    target = path.resolve()
    draft = target.with_name(target.name + ".new")
    draft.write_text(text, "utf-8")
    draft.chmod(stat.S_IMODE(target.stat().st_mode))
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(target)
