"""`hypercare signatures`: kinds of failing calls of a gateway, and what a person does to one. Light, as `main` is."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sync.cli.acting import ask, person
from sync.cli.options import Config, Json, configuration

if TYPE_CHECKING:
    from pathlib import Path

app = typer.Typer(help="Kinds of failing calls, whose state the hub itself keeps.", invoke_without_command=True)

Named = Annotated[str, typer.Argument(metavar="KEY", help="GW-…, or CONNECTION:GW-….")]
Every = Annotated[bool, typer.Option("--all", help="The resolved ones too.")]


@app.callback()
def signatures(context: typer.Context, config: Config = None, json: Json = False, every: Every = False) -> None:
    """List the signatures that are not resolved, newest first."""
    if context.invoked_subcommand is None:
        _list(context, config, json=json, every=every)
    elif config is not None:
        context.find_root().obj = config


@app.command()
def acknowledge(context: typer.Context, key: Named, config: Config = None, json: Json = False) -> None:
    """Somebody works on it."""
    _do(context, config, key, "acknowledge", {}, json=json)


@app.command()
def resolve(
    context: typer.Context,
    key: Named,
    config: Config = None,
    json: Json = False,
    fixed_in: Annotated[
        str, typer.Option(metavar="VERSION", help="Calls that older versions answer do not reopen it.")
    ] = "",
) -> None:
    """It is done: new calls reopen it after the grace."""
    _do(context, config, key, "resolve", {"fixed_in": fixed_in}, json=json)


@app.command()
def reopen(context: typer.Context, key: Named, config: Config = None, json: Json = False) -> None:
    """It is not done after all, or a mute is to end."""
    _do(context, config, key, "reopen", {}, json=json)


@app.command()
def mute(
    context: typer.Context,
    key: Named,
    config: Config = None,
    json: Json = False,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="Until a time (UTC)."),
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="Until so many more calls within an hour.")] = None,
    per_day: Annotated[bool, typer.Option("--per-day", help="With --count: within a day.")] = False,
    escalating: Annotated[bool, typer.Option("--until-escalating", help="Until it escalates.")] = False,
) -> None:
    """Do not hear of it for a while; without an option until somebody reopens it."""
    form = {
        "until": f"{until.isoformat()}+00:00" if until is not None else "",
        "count": count or 0,
        "per": "day" if per_day else "hour",
        "until_escalating": escalating,
    }
    _do(context, config, key, "mute", form, json=json)


def _do(context: typer.Context, config: Path | None, key: str, deed: str, args: dict[str, Any], *, json: bool) -> None:
    ask(configuration(context, config), "by_hand", {"record": key, "deed": deed, "by": person(), **args}, json=json)


def _list(context: typer.Context, config: Path | None, *, json: bool, every: bool) -> None:
    from connectors.gateway import ledger
    from connectors.gateway.lifecycle import State
    from connectors.gateway.records import key_of
    from sync.cli import opening, show
    from sync.engine.contact import known_connections

    configured = configuration(context, config)
    found: list[tuple[str, Any]] = []
    with opening.database(configured) as store, store.read() as conn:
        for name, number in sorted(known_connections(conn).items()):
            found += [(name, row) for row in ledger.every(conn, number)]
    found = [(name, row) for name, row in found if every or row.entry.state.state is not State.RESOLVED]
    found.sort(key=lambda one: one[1].entry.figures.last_seen_at, reverse=True)
    if json:
        show.json([{"connection": name, "key": key_of(row.id), **_shown(row.entry)} for name, row in found])
    elif not found:
        show.say("no signature is open" if not every else "no signature has crossed its threshold yet")
    else:
        show.table(
            ["key", "connection", "state", "severity", "calls", "in 1 h", "rate", "consumers", "last", "what"],
            [
                [
                    key_of(row.id),
                    name,
                    row.entry.state.state.value,
                    row.entry.figures.severity,
                    row.entry.figures.count,
                    row.entry.figures.count_1h,
                    f"{row.entry.figures.window_rate:.1%}",
                    row.entry.figures.consumers,
                    show.when(row.entry.figures.last_seen_at),
                    row.entry.signature.title,
                ]
                for name, row in found
            ],
        )


def _shown(entry: Any) -> dict[str, Any]:
    from msgspec import to_builtins

    shown: dict[str, Any] = to_builtins(entry)
    return shown
