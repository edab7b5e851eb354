"""The options and arguments that many commands have, and how they come to their settings. Light, as `main` is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from config.load import Loaded as Configuration

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The settings. Else HYPERCARE_CONFIG, else ./config/hypercare.yaml."),
]
Connection = Annotated[str, typer.Argument(metavar="CONNECTION", help="Its name in the settings.")]
Record = Annotated[str, typer.Argument(metavar="RECORD", help="CONNECTION:ID, an issue key or an address.")]
Number = Annotated[int, typer.Argument(metavar="ID", help="As listed.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]


def configuration(context: typer.Context, config: Path | None, **flags: str | None) -> Configuration:
    """The settings that a command works with. flags: by setting, `__` for the dot. Raises SettingsErrors."""
    from sync.cli import opening

    given = {name.replace("__", "."): text for name, text in flags.items() if text is not None}
    return opening.configuration(config or context.find_root().obj, given)


def known(configured: Configuration, connection: str) -> None:
    """Raise Ended unless the settings have a connection of that name."""
    from sync.cli.ending import Ended

    if connection not in configured.connections:
        from sync.mapping.yaml import nearest

        names = ", ".join(configured.connections) or "none"
        hint = nearest(connection, configured.connections) or f"known are {names}"
        raise Ended(f"there is no connection `{connection}`; {hint}")
