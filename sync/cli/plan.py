"""`hypercare plan`, `apply` and `undo`: what an edited mapping would do to the records, done as shown, taken back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sync.cli.acting import ask, person
from sync.cli.ending import Ended
from sync.cli.options import Config, Json, configuration

if TYPE_CHECKING:
    from config.load import Loaded as Configuration
    from sync.planning.row import Plan

Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Also as a page to send to a colleague.")]
Name = Annotated[str, typer.Argument(metavar="PLAN", help="Its number, or the beginning of its digest.")]
MaxWrites = Annotated[
    int | None, typer.Option("--max-writes", metavar="N", min=1, help="Stop after so many; `apply` again goes on.")
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait for the end.")]


def plan(
    context: typer.Context,
    config: Config = None,
    mappings: Annotated[
        Path | None, typer.Option("--mappings", metavar="DIR", help="The edited files; else `mappings_dir`.")
    ] = None,
    html: Html = None,
    every: Annotated[bool, typer.Option("--all", help="Every record, not only what changes and how often.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="The plans that were made.")] = False,
    show_: Annotated[str | None, typer.Option("--show", metavar="PLAN", help="One that was made before.")] = None,
    json: Json = False,
) -> None:
    """Show what the mapping files would do to the records that are known, field by field. Writes nothing."""
    from sync.cli import opening, planpages, show
    from sync.planning import stored

    configured = configuration(context, config)
    if listed:
        with opening.database(configured) as store, store.read() as conn:
            found = stored.recent(conn)
        if json:
            show.json(found)
        else:
            planpages.plans(found)
        return
    if show_ is not None:
        _show_stored(configured, show_, html, every=every, json=json)
        return
    made = _make(configured, mappings)
    _tell(made, html, every=every, json=json)


def _make(configured: Configuration, folder: Path | None) -> Plan:
    from config.mappings import compile_texts, load_mappings, read_texts
    from sync.cli import opening
    from sync.daemon import build as assembly
    from sync.daemon import main
    from sync.planning import stored
    from sync.planning.build import build
    from sync.ports import RealClock, RealRng

    loaded = compile_texts(configured, read_texts(folder)) if folder is not None else load_mappings(configured)
    with opening.database(configured) as store:
        hub = assembly.offline(store, main.configured(configured), loaded, RealClock(), RealRng())
        with store.read() as conn:
            made = build(conn, hub, str(folder or configured.mappings_dir))
        return store.step(lambda conn: stored.store(conn, made, person()))


def _show_stored(configured: Configuration, name: str, html: Path | None, *, every: bool, json: bool) -> None:
    from sync.cli import opening, planpages
    from sync.planning import stored

    with opening.database(configured) as store, store.read() as conn:
        plan_id = _known(conn, name)
        found = stored.load(conn, plan_id)
        how = stored.progress(conn, plan_id)
    assert found is not None  # it was just found
    _tell(found, html, every=every, json=json, apply=how.state in (stored.MADE, stored.STOPPED))
    if not json and how.state != stored.MADE:
        planpages.outcome(how)


def _known(conn: Any, name: str) -> int:
    from sync.planning import stored

    plan_id = stored.find(conn, name)
    if plan_id is None:
        raise Ended(f"there is no plan `{name}`; `hypercare plan --list` lists them, `hypercare plan` makes one")
    return plan_id


def _tell(made: Plan, html: Path | None, *, every: bool, json: bool, apply: bool = True) -> None:
    from sync.cli import planpages, show
    from sync.ports import RealClock

    now = RealClock().now()
    if html is not None:
        from sync.planning.page import page

        try:
            html.write_text(page(made, lambda at: show.ago(at, now)), encoding="utf-8")
        except OSError as error:
            raise Ended(f"{html} cannot be written ({error.strerror}): name another file") from None
    if json:
        show.json(planpages.for_programs(made))
        return
    planpages.plan(made, now, every=every, apply=apply)
    if html is not None:
        show.say(f"as a page: {html}")


def apply(
    context: typer.Context,
    plan: Name,
    config: Config = None,
    max_writes: MaxWrites = None,
    stop: Annotated[bool, typer.Option("--stop", help="Begin no further write of it.")] = False,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Do exactly what a plan showed. A record that was changed since is left alone; goes on where it was."""
    configured = configuration(context, config)
    if stop:
        ask(configured, "apply_stop", {"plan": plan, "by": person()}, json=json)
        return
    _apply(configured, plan, max_writes, wait=not no_wait, json=json)


def _apply(configured: Configuration, name: str, max_writes: int | None, *, wait: bool, json: bool) -> None:
    from sync.cli import opening, planpages, show

    if opening.daemon_of(configured):
        _wait_for_files(configured, name)
    args: dict[str, Any] = {"plan": name, "by": person()}
    if max_writes is not None:
        args["max_writes"] = max_writes
    answer = opening.ask(configured, "apply", args)
    if not answer.ok:
        if json:
            show.json(answer)
        raise Ended("" if json else answer.message)
    if not json:
        show.say(answer.message)
    if not wait or not opening.daemon_of(configured):
        if json:
            show.json(answer)
        return
    how = planpages.watched(configured, int(answer.data["plan"]), quiet=json)
    if json:
        show.json(how)
    else:
        planpages.outcome(how)
    if how.refused:
        raise Ended


def _wait_for_files(configured: Configuration, name: str) -> None:
    """Files that were just saved are in force within seconds: let the daemon take up the plan's before it is asked."""
    import time

    from sync.cli import opening
    from sync.engine.in_force import in_force, refused
    from sync.planning import stored

    with opening.database(configured) as store:
        for _ in range(_LOOKS):
            with store.read() as conn:
                plan_id = stored.find(conn, name)
                now = in_force(conn)
                if plan_id is None or now is None or stored.fingerprint(conn, plan_id) == now.fingerprint:
                    return
                wrong = refused(conn)
            if wrong is not None:
                told = "the mapping files that are saved are wrong, and those from before are in force"
                raise Ended(f"{told}: {wrong.problems[0]}")
            time.sleep(0.25)


_LOOKS = 20


def undo(
    context: typer.Context,
    config: Config = None,
    html: Html = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    max_writes: MaxWrites = None,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Take the last applied plan back, where records still show what it wrote. Shows first what it would do."""
    from sync.cli import opening
    from sync.planning import stored, undoing

    configured = configuration(context, config)
    with opening.looking(configured) as here:
        with here.store.read() as conn:
            try:
                found = undoing.build(conn, here.hub, undoing.last_applied(conn))
            except undoing.NothingToUndo as why:
                raise Ended(str(why)) from None
        made = here.store.step(lambda conn: stored.store(conn, found, person()))
    _tell(made, html, every=False, json=json and not yes, apply=False)
    if not made.rows:
        raise Ended("" if json else "nothing of it can be taken back")
    if not yes:
        if json:
            return
        if not typer.confirm(f"Take plan {made.undoes} back?", err=True):
            raise Ended(f"nothing was written; `hypercare apply {made.id}` would do it later")
    _apply(configured, str(made.id), max_writes, wait=not no_wait, json=json)


def attach(app: typer.Typer) -> None:
    """Give these words to the command line."""
    app.command()(plan)
    app.command()(apply)
    app.command()(undo)
