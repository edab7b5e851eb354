"""The words and flags of the command line. Light: what a command needs is imported inside it.

Exit codes: 0 done or well; 1 something is wrong, or could not be done; 2 command line, settings or mappings are wrong;
70 a defect of hypercare; 75 another daemon works on the database; 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sync.cli import plan as plan_words
from sync.cli.acting import ask, person
from sync.cli.ending import Ended, Exit, told
from sync.cli.gateway import app as gateway_app
from sync.cli.mappings import app as mappings_app
from sync.cli.options import Config, Connection, Json, Number, Record, configuration, known
from sync.cli.proposals import app as proposals_app
from sync.cli.shadow import app as shadow_app
from sync.cli.signatures import app as signatures_app
from sync.cli.simulating import simulate

if TYPE_CHECKING:
    from datetime import datetime

    from config.load import Loaded as Configuration

app = typer.Typer(
    name="hypercare",
    help="Keeps tickets, issues, errors and failing routes in step: status, tags and links, both ways.",
    epilog="Exit codes: 0 done or well, 1 something is wrong, 2 usage, settings or mappings, 70 a defect of hypercare, "
    "75 another daemon works on the database.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
holds_app = typer.Typer(help="What is held until a person releases it.", invoke_without_command=True)
parked_app = typer.Typer(help="What could not be written and waits for a person.", invoke_without_command=True)
connections_app = typer.Typer(help="The configured connections.", no_args_is_help=True)
for _name, _group in (
    ("holds", holds_app),
    ("parked", parked_app),
    ("connections", connections_app),
    ("mappings", mappings_app),
    ("proposals", proposals_app),
    ("gateway", gateway_app),
    ("signatures", signatures_app),
    ("shadow", shadow_app),
):
    app.add_typer(_group, name=_name, rich_help_panel=None)
plan_words.attach(app)
app.command()(simulate)


@app.callback()
def _everything(context: typer.Context, config: Config = None) -> None:
    context.obj = config


# --- setting up ------------------------------------------------------------------------------------------------------


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where; made if it is not there.")] = Path(),
    start_: Annotated[bool, typer.Option("--start", help="Make every connection live from now on.")] = False,
) -> None:
    """Make a configuration: settings, mappings, a folder for data. Overwrites nothing."""
    from config.init import make, next_steps
    from sync.cli.show import say

    made = make(folder)
    for path in made.made:
        say(f"made  {path}")
    for path in made.kept:
        say(f"kept  {path}")
    if start_:
        from config.load import DEFAULT_PLACE
        from sync.cli import opening

        configured = opening.configuration(folder / DEFAULT_PLACE)
        for name in configured.connections:
            say(opening.ask(configured, "start", {"connection": name}).message)
        return
    say()
    for number, step in enumerate(next_steps(folder), 1):
        say(f"{number}. {step}")


@app.command()
def check(
    context: typer.Context,
    config: Config = None,
    online: Annotated[bool, typer.Option("--online", help="Also ask the systems: credentials, scopes, feeds.")] = False,
    json: Json = False,
) -> None:
    """Say everything that is wrong with settings and mappings, and where each value came from."""
    from config.mappings import load_mappings
    from connectors.contract import Level
    from sync.cli import checking, show

    configured = configuration(context, config)
    mappings = load_mappings(configured)
    findings = {"": tuple(checking.whole(configured))}
    webhooks: dict[str, tuple[str, ...]] = {}
    if online:
        for name in configured.connections:
            findings[name] = checking.online(configured, mappings, name)
            webhooks[name] = checking.webhook_steps(configured, name)
    ok = not any(finding.level is Level.ERROR for found in findings.values() for finding in found)
    checked = checking.Checked(ok=ok, settings=checking.values(configured), findings=findings, webhooks=webhooks)
    if json:
        show.json(checked)
    else:
        show.table(["setting", "value", "from"], [[one.setting, one.value, one.source] for one in checked.settings])
        show.say()
        for name, found in findings.items():
            for finding in found:
                do = f"; {finding.do}" if finding.do else ""
                show.say(f"{finding.level.value}: {f'{name}: ' if name else ''}{finding.what}{do}")
            for number, step in enumerate(webhooks.get(name, ()), 1):
                show.say(f"webhook: {name}: {number}. {step}")
        routes = f"{len(mappings.routes)} route{'' if len(mappings.routes) == 1 else 's'}"
        show.say(
            f"{configured.path}: {len(configured.connections)} connections, {routes}: {'well' if ok else 'not well'}"
        )
        if ok and not online:
            show.say("credentials were not tried: `hypercare check --online` does")
    if not ok:
        raise Ended


@app.command()
def run(
    context: typer.Context,
    config: Config = None,
    host: Annotated[str | None, typer.Option(help="Instead of `web.host`.")] = None,
    port: Annotated[str | None, typer.Option(help="Instead of `web.port`.")] = None,
    log_level: Annotated[str | None, typer.Option(help="Instead of `log.level`.")] = None,
) -> None:
    """Run the daemon until it is told to stop (SIGTERM, Ctrl-C)."""
    from config.mappings import load_mappings
    from sync.cli import opening

    configured = configuration(context, config, web__host=host, web__port=port, log__level=log_level)
    mappings = load_mappings(configured)
    if not configured.connections:
        raise Ended(f"{configured.path} has no connections: add one, see docs/settings.md", Exit.USAGE)
    opening.make_data_dir(configured)
    from sync.daemon.main import serve

    raise Ended(code=Exit(int(serve(configured, mappings))))


@app.command()
def start(
    context: typer.Context,
    connection: Connection,
    config: Config = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Routes also apply to records created since then.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Let a connection be written to, from now on."""
    configured = configuration(context, config)
    known(configured, connection)
    args: dict[str, Any] = {"connection": connection}
    if since is not None:
        at = _time(since)
        args["since"] = at.isoformat()
        count = _would_create(configured, connection, at)
        if not yes:
            question = (
                f"{count} records of {connection} that were created since {at:%Y-%m-%d %H:%M} UTC fit a route: each "
                "would get a record of its own on the other side. Start?"
            )
            if not typer.confirm(question, err=True):
                raise Ended("nothing was started")
    ask(configured, "start", args, json=json)


def _would_create(configured: Configuration, connection: str, since: datetime) -> int:
    from sync.cli import opening
    from sync.engine import contact

    if not configured.database.exists():
        return 0
    with opening.looking(configured) as here:
        found = [one for one in here.hub.connections.values() if one.name == connection]
        if not found:
            return 0
        with here.store.read() as conn:
            return contact.would_create(conn, here.hub, found[0], since)


@app.command()
def pause(context: typer.Context, connection: Connection, config: Config = None, json: Json = False) -> None:
    """Neither read nor write a connection until it is started again."""
    configured = configuration(context, config)
    known(configured, connection)
    ask(configured, "pause", {"connection": connection}, json=json)


# --- looking ---------------------------------------------------------------------------------------------------------


@app.command()
def status(context: typer.Context, config: Config = None, json: Json = False) -> None:
    """How everything is doing."""
    from sync.cli import opening, pages, show
    from sync.ports import RealClock
    from sync.views.status import status as view

    configured = configuration(context, config)
    with opening.database(configured) as store:
        running = opening.daemon_of(configured)
        with store.read() as conn:
            page = view(conn, RealClock().now(), running)
    if json:
        show.json(page)
    else:
        pages.status(page)


@app.command()
def explain(
    context: typer.Context,
    item: Annotated[str, typer.Argument(metavar="ITEM", help="hc-1042, CONNECTION:ID, an issue key or an address.")],
    config: Config = None,
    json: Json = False,
) -> None:
    """Why an item is as it is: each system's value, who set it, when, by which rule, what was written where."""
    from sync.cli import opening, pages, show
    from sync.ports import RealClock
    from sync.views.explain import explain as view

    configured = configuration(context, config)
    with opening.looking(configured) as here, here.store.read() as conn:
        page = view(conn, here.hub, item, RealClock().now())
    if json:
        show.json(page)
    else:
        pages.explain(page)


@app.command()
def conflicts(context: typer.Context, config: Config = None, json: Json = False) -> None:
    """Where two sides disagreed, and how it was settled; newest first."""
    from sync.cli import pages
    from sync.views.lists import recent_conflicts

    _listing(context, config, recent_conflicts, pages.conflicts, json=json)


@holds_app.callback()
def holds(context: typer.Context, config: Config = None, json: Json = False) -> None:
    """What is held until a person releases it."""
    if context.invoked_subcommand is None:
        from sync.cli import pages
        from sync.views.lists import open_holds

        _listing(context, config, open_holds, pages.holds, json=json)
    elif config is not None:
        context.find_root().obj = config


@holds_app.command("list")
def holds_list(context: typer.Context, config: Config = None, json: Json = False) -> None:
    """List what is held."""
    from sync.cli import pages
    from sync.views.lists import open_holds

    _listing(context, config, open_holds, pages.holds, json=json)


@holds_app.command("resume")
def holds_resume(context: typer.Context, hold: Number, config: Config = None, json: Json = False) -> None:
    """Release one hold."""
    ask(configuration(context, config), "resume", {"hold": hold, "by": person()}, json=json)


@parked_app.callback()
def parked(context: typer.Context, config: Config = None, json: Json = False) -> None:
    """What could not be written and waits for a person."""
    if context.invoked_subcommand is None:
        from sync.cli import pages
        from sync.views.lists import open_parked

        _listing(context, config, open_parked, pages.parked, json=json)
    elif config is not None:
        context.find_root().obj = config


@parked_app.command("list")
def parked_list(context: typer.Context, config: Config = None, json: Json = False) -> None:
    """List what is parked."""
    from sync.cli import pages
    from sync.views.lists import open_parked

    _listing(context, config, open_parked, pages.parked, json=json)


@parked_app.command("retry")
def parked_retry(context: typer.Context, parked_id: Number, config: Config = None, json: Json = False) -> None:
    """Try what is parked once more."""
    ask(configuration(context, config), "retry", {"parked": parked_id, "by": person()}, json=json)


@parked_app.command("skip")
def parked_skip(
    context: typer.Context,
    parked_id: Number,
    why: Annotated[str, typer.Option("--why", help="Shown by `explain`.")],
    config: Config = None,
    json: Json = False,
) -> None:
    """Leave what is parked as it is."""
    ask(configuration(context, config), "skip", {"parked": parked_id, "why": why, "by": person()}, json=json)


def _listing(
    context: typer.Context,
    config: Path | None,
    read: Callable[[Any], Any],
    page: Callable[[Any], None],
    *,
    json: bool,
) -> None:
    from sync.cli import opening, show

    configured = configuration(context, config)
    with opening.database(configured) as store, store.read() as conn:
        found = read(conn)
    if json:
        show.json(found)
    else:
        page(found)


# --- acting ----------------------------------------------------------------------------------------------------------


@app.command()
def link(context: typer.Context, one: Record, two: Record, config: Config = None, json: Json = False) -> None:
    """Bring two records into one item."""
    ask(configuration(context, config), "link", {"one": one, "two": two, "by": person()}, json=json)


@app.command()
def unlink(context: typer.Context, record: Record, config: Config = None, json: Json = False) -> None:
    """Let a record leave its item. Nobody's status or tags move."""
    ask(configuration(context, config), "unlink", {"record": record, "by": person()}, json=json)


@app.command("import")
def import_(
    context: typer.Context,
    connection: Connection,
    config: Config = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="From when on; else `engine.import_days` back.")
    ] = None,
) -> None:
    """Read a connection once, from a date on; goes on where it was, ends by itself."""
    from sync.cli import importing, opening
    from sync.cli.show import say

    configured = configuration(context, config)
    known(configured, connection)
    read = importing.watched if opening.daemon_of(configured) else importing.here
    count = read(configured, connection, _time(since) if since is not None else None)
    say(f"{connection}: {count} records were read")


@connections_app.command("list")
def connections_list(context: typer.Context, config: Config = None, json: Json = False) -> None:
    """List the configured connections."""
    from sync.cli import show

    configured = configuration(context, config)
    found = [
        {"name": name, "system": one.system, "role": one.role.value, "poll_seconds": one.poll_seconds}
        for name, one in configured.connections.items()
    ]
    if json:
        show.json(found)
    else:
        show.table(["name", "system", "role", "poll_seconds"], [list(one.values()) for one in found])


@connections_app.command("rename")
def connections_rename(
    context: typer.Context, old: Connection, new: Annotated[str, typer.Argument(metavar="NEW")], config: Config = None
) -> None:
    """Give a connection another name, in the database and in the settings. Stop the daemon first."""
    from sync.cli.renaming import rename
    from sync.cli.show import say

    left = rename(configuration(context, config), old, new)
    say(f"{old} is called {new} now")
    for line in left:
        say(line)


@app.command()
def backup(
    context: typer.Context, file: Annotated[Path, typer.Argument(metavar="FILE")], config: Config = None
) -> None:
    """Write a complete copy of the database, while the daemon runs. To restore: stop, put it in place, start."""
    from sync.cli import opening
    from sync.cli.show import say

    configured = configuration(context, config)
    with opening.database(configured) as store:
        store.backup(file)
    say(f"{file} is a complete copy of {configured.database}")


@app.command()
def sandbox(
    system: Annotated[str, typer.Argument(metavar="zendesk|jira|sentry|gateway")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    time_factor: Annotated[float, typer.Option(min=0.001, help="The vendor's delays are divided by it.")] = 1.0,
    switch: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A switch of the stand-in.")
    ] = None,
) -> None:
    """Stand in for a vendor's system on this machine, and print what to put into the settings."""
    from sync.cli.sandboxes import serve

    switches: dict[str, str] = {}
    for one in switch or ():
        name, equals, value = one.partition("=")
        if not equals:
            raise Ended(f"--set {one}: write it as NAME=VALUE", Exit.USAGE)
        switches[name] = value
    serve(system, port, time_factor, switches)


@app.command()
def demo(
    exit_: Annotated[bool, typer.Option("--exit", help="Run unattended and end.")] = False,
    json: Json = False,
) -> None:
    """Watch a launch day: stand-ins of all four systems, the real daemon between them, and what goes wrong."""
    from importlib import import_module

    from sync.cli.show import is_looked_at

    # By name: the demo is a layer of its own that a packager may leave out.
    launch = import_module("sync.demo.main")
    raise Ended(code=Exit(int(launch.run(unattended=exit_ or json or not is_looked_at(), as_json=json))))


@app.command()
def version() -> None:
    """Say which version this is."""
    from importlib.metadata import version as version_of

    from sync.cli.show import say

    say(f"hypercare {version_of('hypercare-hub')}")


# --- common ----------------------------------------------------------------------------------------------------------


def _time(text: str) -> datetime:
    from datetime import UTC, datetime

    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Ended(f"--since {text}: write a time as 2026-03-01 or 2026-03-01T08:00:00+01:00", Exit.USAGE) from None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    if at > datetime.now(UTC):
        raise Ended(f"--since {text} lies in the future", Exit.USAGE)
    return at


def main() -> None:
    """The `hypercare` command. Never shows a traceback for a person's mistake."""
    sys.exit(_ended())


def _ended() -> int:
    try:
        with told():
            app()  # ends by SystemExit: 2 for a wrong command line, 130 for Ctrl-C
    except Ended as end:
        if end.message:
            from sync.cli.show import warn

            warn(end.message)
        return int(end.code)
    except Exception as error:  # noqa: BLE001  the last place: it is ours, and is to be reported whole
        import traceback

        traceback.print_exc()
        sys.stderr.write(
            f"\nThis is a defect of hypercare ({type(error).__name__}): please report it with the above.\n"
        )
        return int(Exit.DEFECT)
    return int(Exit.OK)
