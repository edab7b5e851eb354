"""`hypercare shadow`: for days, note what would be written and write nothing; then compare it with what people did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sync.cli.acting import ask, person
from sync.cli.options import Config, Connection, Json, configuration, known

if TYPE_CHECKING:
    from sync.views.shadow import Example, FieldReport, ShadowReport

app = typer.Typer(help="Note what would be written, write nothing, and compare.", no_args_is_help=True)


@app.command()
def start(context: typer.Context, connection: Connection, config: Config = None, json: Json = False) -> None:
    """Put a connection into shadow mode: nothing is written to it, what would be is noted."""
    configured = configuration(context, config)
    known(configured, connection)
    ask(configured, "shadow", {"connection": connection, "on": True, "by": person()}, json=json)


@app.command()
def stop(context: typer.Context, connection: Connection, config: Config = None, json: Json = False) -> None:
    """Let a connection in shadow mode only observe again."""
    configured = configuration(context, config)
    known(configured, connection)
    ask(configured, "shadow", {"connection": connection, "on": False, "by": person()}, json=json)


@app.command()
def report(
    context: typer.Context,
    connection: Annotated[str | None, typer.Argument(metavar="[CONNECTION]", help="Else all.")] = None,
    config: Config = None,
    within: Annotated[
        float, typer.Option("--within", metavar="HOURS", min=0.01, help="What counts as done by hand in time.")
    ] = 24.0,
    json: Json = False,
) -> None:
    """Compare what would have been written with what people did by hand: the same, something else, nothing."""
    from datetime import timedelta

    from sync.cli import opening, show
    from sync.ports import RealClock
    from sync.views.shadow import report as view

    configured = configuration(context, config)
    if connection is not None:
        known(configured, connection)
    with opening.database(configured) as store, store.read() as conn:
        page = view(conn, RealClock().now(), timedelta(hours=within), connection)
    if json:
        show.json(page)
    else:
        _page(page)


def _page(page: ShadowReport) -> None:
    from sync.cli.show import ago, say, table

    for name, at in page.since.items():
        say(f"{name} is in shadow mode since {at:%Y-%m-%d %H:%M} UTC, {ago(at, page.at)}")
    if not page.fields:
        if not page.since:
            say("no connection is in shadow mode, and none was: `hypercare shadow start CONNECTION`")
        else:
            say("nothing would have been written yet")
        return
    say()
    words = {
        "same": f"same within {page.within_hours:g} h", "later": "same later", "other": "other value",
        "never": "never", "waiting": "not yet", "overtaken": "overtaken",
    }  # fmt: skip
    table(
        ["connection", "field", "total", *words.values(), "median h"],
        [
            [one.connection, one.field, one.total, *(one.counts[name] for name in words), one.median_hours]
            for one in page.fields
        ],
    )
    for one in page.fields:
        _examples(one, words)


def _examples(one: FieldReport, words: dict[str, str]) -> None:
    from sync.cli.show import say

    for name in ("other", "never", "later", "same"):
        found = one.examples.get(name, ())
        if found:
            say()
            say(f"{one.connection} {one.field}, {words[name]}:")
            for each in found:
                say(f"  {_told(each)}")


def _told(each: Example) -> str:
    change = f"{each.before} -> {each.wanted}" if each.before and each.field == "status" else each.wanted
    item = f" ({each.item})" if each.item else ""
    end = f"; people gave it {each.shown}" if each.shown else ""
    hours = f"; by hand after {each.hours:g} h" if each.hours is not None else ""
    return f"{each.record}{item} {each.at:%Y-%m-%d %H:%M}: {change}{end}{hours}"
