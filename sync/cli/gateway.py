"""`hypercare gateway`: what APIPark itself knows of the calls behind a signature. Light, as `main` is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from sync.cli.ending import Ended
from sync.cli.options import Config, Connection, Json, configuration, known

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection as Database

    from config.load import Loaded as Configuration
    from connectors.contract import Ports
    from connectors.gateway.drill import CallDetail, Compared
    from connectors.gateway.interfaces import ApiParkAccess
    from connectors.gateway.settings import GatewaySettings

T = TypeVar("T")

BUSIEST = 100
"""Routes that are compared, each by a call of its own."""

app = typer.Typer(help="Calls of a gateway, as its own console knows them.", no_args_is_help=True)


@app.command()
def call(
    context: typer.Context,
    connection: Connection,
    request_id: Annotated[str, typer.Argument(metavar="REQUEST", help="The request id of a sample.")],
    config: Config = None,
    json: Json = False,
    service: Annotated[str, typer.Option(help="Its service, where no signature has it as a sample.")] = "",
) -> None:
    """Show one call in full, without what looks like a secret. Nothing of it is stored."""
    from connectors.gateway import drill, ledger
    from sync.cli import show

    configured, settings = _gateway(context, config, connection)
    access = _console(settings, connection)
    of = service or drill.service_of(_stored(configured, connection, ledger.every) or (), request_id)
    if of is None:
        raise Ended(f"no signature of {connection} has {request_id} as a sample; say --service SERVICE")
    found: CallDetail = _asked(lambda ports: drill.call(access, ports, of, request_id))
    if json:
        show.json(found)
        return
    model = f", {found.provider}/{found.model}" if found.provider or found.model else ""
    show.say(f"{found.request_id}: {found.service}, {found.route}, {found.status} at {show.when(found.at)} UTC{model}")
    show.say(f"consumer: {found.consumer or 'unknown'}")
    for name, body in (("asked", found.request), ("answered", found.response)):
        show.say(f"{name}:")
        show.say(body or "(nothing)")


@app.command()
def compare(context: typer.Context, connection: Connection, config: Config = None, json: Json = False) -> None:
    """Compare the calls of the last hour, as folded from the log, with APIPark's own totals, by route."""
    from connectors.gateway import drill, hours, ledger
    from sync.cli import show

    configured, settings = _gateway(context, config, connection)
    access = _console(settings, connection)
    routes = hours.of(_stored(configured, connection, ledger.folded) or ())
    found: tuple[Compared, ...] = _asked(lambda ports: drill.compare(access, ports, routes[:BUSIEST]))
    if json:
        show.json(found)
    elif not found:
        show.say("no whole minute of any route has been folded yet, so there is nothing to compare")
    else:
        show.table(
            ["service", "route", "hour until", "from the log", "APIPark's total", "not in the log", "5xx"],
            [
                [one.service, one.route, show.when(one.until), one.folded, one.counted, one.missing, one.failed]
                for one in found
            ],
        )
        if len(routes) > BUSIEST:
            show.say(f"these are the {BUSIEST} busiest of {len(routes)} routes")


@app.command()
def clear(context: typer.Context, connection: Connection, config: Config = None) -> None:
    """Take the tags away that `write_back` put into the gateway. Stop the daemon first, or pause the connection."""
    from connectors.gateway import ledger, outward
    from connectors.gateway.interfaces import WriteBack
    from sync.cli import show

    configured, settings = _gateway(context, config, connection)
    if settings.write_back is WriteBack.OFF:
        raise Ended(f"{connection}: `write_back` is off; name the place that it wrote to, clear, and set it off again")
    rows = _stored(configured, connection, ledger.every) or ()
    count: int = _asked(lambda ports: outward.clear(settings, ports, rows))
    show.say(f"{connection}: {count} services or routes carried tags of ours, and carry none now")


def _gateway(context: typer.Context, config: Path | None, connection: str) -> tuple[Configuration, GatewaySettings]:
    from connectors.gateway.settings import GatewaySettings

    configured = configuration(context, config)
    known(configured, connection)
    settings = configured.connections[connection]
    if not isinstance(settings, GatewaySettings):
        raise Ended(f"{connection} is no gateway")
    return configured, settings


def _console(settings: GatewaySettings, connection: str) -> ApiParkAccess:
    if settings.apipark is None:
        raise Ended(f"{connection}: set `apipark` (url, name, password): only APIPark's console can be asked")
    return settings.apipark


def _stored(configured: Configuration, connection: str, read: Callable[[Database, int], T]) -> T | None:
    """What `read` finds in the database of the connection; None before its first contact. Raises Ended."""
    from sync.cli import opening
    from sync.engine import contact

    with opening.database(configured) as store, store.read() as conn:
        number = contact.known_connections(conn).get(connection)
        return read(conn, number) if number is not None else None


def _asked(ask: Callable[[Ports], Any]) -> Any:
    """What `ask` gives. Raises Ended with why it cannot."""
    from connectors.contract import Ports
    from connectors.errors import RemoteError
    from sync.ports import RealClock, RealRng

    try:
        return ask(Ports(clock=RealClock(), rng=RealRng(), meter=lambda _reading: None))
    except RemoteError as error:
        raise Ended(error.message) from None
