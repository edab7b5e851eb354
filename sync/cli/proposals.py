"""`hypercare proposals`: records that name the same call, and whether they belong together. Light, as `main` is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from sync.cli.acting import ask, person
from sync.cli.options import Config, Json, Number, configuration

if TYPE_CHECKING:
    from pathlib import Path

    from sync.views.proposals import ProposalView

app = typer.Typer(
    help="Records that name the same call, and wait for a person to say whether they belong together.",
    invoke_without_command=True,
)

All = Annotated[bool, typer.Option("--all", help="The answered ones too.")]


@app.callback()
def proposals(context: typer.Context, config: Config = None, json: Json = False, every: All = False) -> None:
    """List what is proposed."""
    if context.invoked_subcommand is None:
        _list(context, config, json=json, every=every)
    elif config is not None:
        context.find_root().obj = config


@app.command("list")
def list_(context: typer.Context, config: Config = None, json: Json = False, every: All = False) -> None:
    """List what is proposed."""
    _list(context, config, json=json, every=every)


@app.command()
def accept(context: typer.Context, proposal: Number, config: Config = None, json: Json = False) -> None:
    """Bring the two records into one item."""
    ask(configuration(context, config), "accept", {"proposal": proposal, "by": person()}, json=json)


@app.command()
def refuse(context: typer.Context, proposal: Number, config: Config = None, json: Json = False) -> None:
    """They do not belong together; they are not proposed again."""
    ask(configuration(context, config), "refuse", {"proposal": proposal, "by": person()}, json=json)


def _list(context: typer.Context, config: Path | None, *, json: bool, every: bool) -> None:
    from sync.cli import opening, show
    from sync.views.proposals import all_proposals, open_proposals

    configured = configuration(context, config)
    with opening.database(configured) as store, store.read() as conn:
        found = (all_proposals if every else open_proposals)(conn)
    if json:
        show.json(found)
    else:
        page(found)


def page(found: Sequence[ProposalView]) -> None:
    """A listing for people."""
    from sync.cli.show import say, table, when

    if not found:
        say("nothing is proposed")
        return
    table(
        ["id", "one", "of", "other", "of", "because", "since", "state"],
        [
            [
                one.id,
                one.one.name,
                one.one.item or "no item",
                one.other.name,
                one.other.item or "no item",
                one.says,
                when(one.made_at),
                f"{one.state} by {one.ended_by}" if one.ended_by else one.state,
            ]
            for one in found
        ],
    )
    if any(one.state == "open" for one in found):
        say("`hypercare proposals accept ID` brings the two into one item, `hypercare proposals refuse ID` does not")
