"""`hypercare mappings`: the words about the mapping files. What a word needs is imported inside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sync.cli.ending import Ended, Exit
from sync.cli.options import Config, Connection, Json, configuration

if TYPE_CHECKING:
    from config.load import Loaded as Configuration
    from sync.mapping.load import Loaded

app = typer.Typer(help="The mapping files.", no_args_is_help=True)


@app.command()
def check(
    context: typer.Context,
    config: Config = None,
    online: Annotated[
        bool, typer.Option("--online", help="Also against the live systems: every value, field, screen and step.")
    ] = False,
    json: Json = False,
    github: Annotated[bool, typer.Option("--github", help="As annotations of GitHub Actions.")] = False,
) -> None:
    """Check the mapping files; every problem of every file in one go."""
    from config.mappings import load_mappings
    from config.problems import SettingsErrors
    from sync.cli import annotations, show

    configured = configuration(context, config)
    try:
        loaded = load_mappings(configured)
    except SettingsErrors as error:
        if json:
            show.json({"ok": False, "problems": error.problems})
            raise Ended(code=Exit.USAGE) from None
        if not github:
            raise
        for one in error.problems:
            show.say(annotations.of_problem(one))
        raise Ended(code=Exit.USAGE) from None
    if online:
        _online(configured, loaded, json=json, github=github)
    elif json:
        show.json({"ok": True, "problems": [], "fingerprint": loaded.fingerprint})
    elif not github:
        show.say(f"{configured.mappings_dir}: {len(set(loaded.mappings))} mappings, {len(loaded.routes)} routes: well")


def _online(configured: Configuration, loaded: Loaded, *, json: bool, github: bool) -> None:
    from sync.cli import agreeing, annotations, show

    held = agreeing.every(configured, loaded)
    ok = all(one.ok for one in held)
    if json:
        show.json({"ok": ok, "problems": [], "fingerprint": loaded.fingerprint, "online": held})
    elif github:
        for line in annotations.of_held(held):
            show.say(line)
    else:
        agreeing.page(held)
    if not ok:
        raise Ended


@app.command("try")
def try_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The mapping to try, or a folder of all files.")],
    record: Annotated[
        str, typer.Option("--record", metavar="RECORD", help="CONNECTION:ID, an issue key or an address.")
    ],
    config: Config = None,
    online: Annotated[bool, typer.Option("--online", help="Read the record anew.")] = False,
    json: Json = False,
) -> None:
    """Show one record through a mapping in both directions, with the rule that made each value. Writes nothing."""
    from sync.cli import show, tracing, trying
    from sync.ports import RealClock

    trial = trying.try_record(configuration(context, config), file, record, online=online)
    if json:
        show.json(trial)
    else:
        tracing.page(trial, RealClock().now())


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A mapping file, or a folder of them.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="What it became; a file may stand in for one of OLD's.")],
    json: Json = False,
) -> None:
    """Say in words what changes between two versions of mapping files. Exit code 0: nothing; 1: something."""
    from sync.cli import differing, show

    found = differing.between(old, new)
    if json:
        show.json({"same": not found, "differences": found})
    else:
        differing.page(found)
    if found:
        raise Ended


@app.command()
def suggest(
    context: typer.Context,
    connection: Connection,
    config: Config = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write it; else it is shown.")
    ] = None,
    records: Annotated[int, typer.Option(min=0, help="At most so many records are looked at.")] = 200,
) -> None:
    """Write a first mapping from what a live system has: fields, statuses, workflows, a sample of its records."""
    from sync.cli import show, suggesting

    found = suggesting.suggested(configuration(context, config), connection, records)
    if output is None:
        show.say(found.text.rstrip("\n"))
    else:
        suggesting.write(output, found.text)
        unsure = "nothing is unsure" if not found.unsure else f"look for `unsure`: {found.unsure}"
        show.say(f"{output} is a first mapping for {connection}; {unsure}")
        show.say(f"next: hypercare mappings try {output} --record {connection}:ID")
