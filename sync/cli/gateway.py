"""`hypercare gateway`: what APIPark itself knows of the calls behind a signature. Light, as `main` is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sync.cli.ending import Ended
from sync.cli.options import Config, Connection, Json, configuration, known

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from connectors.gateway.drill import CallDetail, Compared
    from connectors.gateway.entries import Row

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
    from connectors.gateway import drill
    from sync.cli import show

    def ask(access: Any, ports: Any, rows: Sequence[Row]) -> CallDetail:
        of = service or drill.service_of(rows, request_id)
        if of is None:
            raise Ended(f"no signature of {connection} has {request_id} as a sample; say --service SERVICE")
        return drill.call(access, ports, of, request_id)

    found: CallDetail = _asked(context, config, connection, ask)
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
    """Compare the calls of the last hour, as folded from the log, with APIPark's own totals."""
    from connectors.gateway import drill
    from sync.cli import show

    found: tuple[Compared, ...] = _asked(context, config, connection, drill.compare)
    if json:
        show.json(found)
    elif not found:
        show.say("no signature is known, so there is no route to compare")
    else:
        show.table(
            ["service", "route", "hour until", "from the log", "APIPark's total", "not in the log", "5xx"],
            [
                [one.service, one.route, show.when(one.until), one.folded, one.counted, one.missing, one.failed]
                for one in found
            ],
        )


def _asked(
    context: typer.Context,
    config: Path | None,
    connection: str,
    ask: Callable[[Any, Any, Sequence[Row]], Any],
) -> Any:
    """What `ask` gives for the connection's account, ports and signatures. Raises Ended with why it cannot."""
    from connectors.contract import Ports
    from connectors.errors import RemoteError
    from connectors.gateway import ledger
    from connectors.gateway.settings import GatewaySettings
    from sync.cli import opening
    from sync.engine import contact
    from sync.ports import RealClock, RealRng

    configured = configuration(context, config)
    known(configured, connection)
    settings = configured.connections[connection]
    if not isinstance(settings, GatewaySettings):
        raise Ended(f"{connection} is no gateway")
    if settings.apipark is None:
        raise Ended(f"{connection}: set `apipark` (url, name, password): only APIPark's console can be asked")
    with opening.database(configured) as store, store.read() as conn:
        number = contact.known_connections(conn).get(connection)
        rows = ledger.after(conn, number, 0, 1_000_000) if number is not None else []
    ports = Ports(clock=RealClock(), rng=RealRng(), meter=lambda _reading: None)
    try:
        return ask(settings.apipark, ports, rows)
    except RemoteError as error:
        raise Ended(error.message) from None
