"""From connectors, their settings and the mappings to a hub: the one place where the parts meet."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from connectors.contract import (
    BudgetReading,
    Clock,
    Connector,
    Hint,
    Home,
    Ports,
    Remote,
    Rng,
    TokenStore,
    WebhookRequest,
)
from sync.engine import contact
from sync.engine.budgets import Budgets
from sync.engine.hub import Connected, EngineSettings, Hub, ReadCounter, Signals, Silent
from sync.mapping.load import Loaded
from sync.model import Json, Role
from sync.store.contract import Store
from sync.store.tables import records


@dataclass(frozen=True, kw_only=True)
class Configured:
    """One connection as it is configured."""

    name: str
    connector: Connector
    settings: Any
    role: Role | None = None
    poll_seconds: float = 30.0
    webhook_secrets: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class World:
    """The ports that a hub is built on. tokens: where a connection keeps a rotating pair. transport: per connection.

    folder: where a connection, by its id, may keep files of its own. clients: how the workers of a connection come by
    their client, given how one is opened; None: one client for each thread, or, with one_thread, one for all.
    """

    clock: Clock
    rng: Rng
    signals: Signals
    tell: Callable[..., None]
    tokens: Callable[[str], TokenStore | None] = lambda name: None
    transport: Callable[[str], Any] = lambda name: None
    folder: Callable[[int], Path | None] = lambda connection_id: None
    one_thread: bool = False
    clients: Callable[[Callable[[], Remote]], Callable[[], Remote]] | None = None


def hub(
    store: Store, configured: Sequence[Configured], mappings: Loaded, settings: EngineSettings, world: World
) -> Hub:
    """Register the connections in the store and build the hub over them."""
    budgets = Budgets(world.clock, None if world.one_thread else threading.Lock())
    now = world.clock.now()
    ids = store.step(partial(_register, configured=configured, now=now))
    made = Hub(
        store=store,
        clock=world.clock,
        rng=world.rng,
        connections={},
        budgets=budgets,
        reads=ReadCounter(_last_read(store)),
        rules=mappings.rules,
        routes=mappings.routes,
        fingerprint=mappings.fingerprint,
        settings=settings,
        signals=world.signals,
        tell=world.tell,
    )
    with store.read() as conn:
        for one in configured:
            connected = _connected(ids[one.name], one, mappings, world, budgets, store)
            contact.restore_state(conn, connected)
            made.connections[connected.id] = connected
    return made


def offline(store: Store, configured: Sequence[Configured], mappings: Loaded, clock: Clock, rng: Rng) -> Hub:
    """A hub for commands that only look, or that change rows while no daemon runs. It opens no connection."""
    world = World(clock=clock, rng=rng, signals=Silent(), tell=lambda event, **facts: None, one_thread=True)
    known = Hub(
        store=store,
        clock=clock,
        rng=rng,
        connections={},
        budgets=Budgets(clock),
        reads=ReadCounter(_last_read(store)),
        rules=mappings.rules,
        routes=mappings.routes,
        fingerprint=mappings.fingerprint,
    )
    with store.read() as conn:
        ids = contact.known_connections(conn)
        for one in configured:
            if one.name in ids:
                connected = _connected(ids[one.name], one, mappings, world, known.budgets, store, feeds=False)
                contact.restore_state(conn, connected)
                known.connections[connected.id] = connected
    return known


def put_in_force(hub: Hub, mappings: Loaded) -> Callable[[], None]:
    """Let a hub work by other mappings. Called while no worker works. Calling the answer puts the former ones back.

    Raises KeyError, before anything is changed, when a connection has no mapping.
    """
    before = hub.rules, hub.routes, hub.fingerprint
    former = [(connected, connected.mapping) for connected in hub.connections.values()]
    new = [mappings.for_connection(connected.name, connected.system) for connected, _ in former]

    def put_back() -> None:
        hub.rules, hub.routes, hub.fingerprint = before
        for connected, mapping in former:
            connected.mapping = mapping

    hub.rules, hub.routes, hub.fingerprint = mappings.rules, mappings.routes, mappings.fingerprint
    for (connected, _), mapping in zip(former, new, strict=True):
        connected.mapping = mapping
    return put_back


def _register(conn: Connection, configured: Sequence[Configured], now: datetime) -> dict[str, int]:
    return {
        one.name: contact.register(conn, one.name, one.connector.name, (one.role or one.connector.role).value, now)
        for one in configured
    }


def _last_read(store: Store) -> int:
    with store.read() as conn:
        return int(conn.execute(select(func.max(records.c.read_no))).scalar() or 0)


def _connected(
    connection_id: int,
    one: Configured,
    mappings: Loaded,
    world: World,
    budgets: Budgets,
    store: Store,
    *,
    feeds: bool = True,
) -> Connected:
    connector = one.connector
    limits = connector.budgets(one.settings)
    budgets.declare(connection_id, limits)

    def meter(reading: BudgetReading) -> None:
        budgets.observe(connection_id, reading)

    ports = Ports(
        clock=world.clock,
        rng=world.rng,
        meter=meter,
        tokens=world.tokens(one.name),
        transport=world.transport(one.name),
        home=Home(connection_id=connection_id, store=store, folder=world.folder(connection_id)),
    )
    open_one: Callable[[], Remote] = partial(connector.connect, one.settings, ports)
    clients = world.clients or (_Single if world.one_thread else _PerThread)
    return Connected(
        id=connection_id,
        name=one.name,
        system=connector.name,
        role=one.role or connector.role,
        kind=connector.kind,
        mapping=mappings.for_connection(one.name, connector.name),
        remote=clients(open_one),
        budgets=limits,
        draws=connector.draws,
        parse_reference=partial(connector.parse_reference, one.settings),
        verify=_verify(connector, one.webhook_secrets),
        hints=_hints(connector),
        personal=connector.personal,
        own_links=connector.own_links,
        feed=connector.feed(one.settings, ports) if feeds and connector.feed is not None else None,
        by_hand=_by_hand(connector, connection_id),
        annotator=connector.annotator(one.settings, ports) if feeds and connector.annotator is not None else None,
        poll_seconds=one.poll_seconds,
    )


def _verify(connector: Connector, secrets: tuple[str, ...]) -> Callable[[WebhookRequest, datetime], str] | None:
    """How a call is believed. Without a secret the endpoint is off: an unsigned call proves nothing."""
    webhook = connector.webhook
    if webhook is None or not secrets:
        return None
    return lambda request, now: webhook.verify(request, secrets, now)


def _by_hand(
    connector: Connector, connection_id: int
) -> Callable[[Any, str, str, Mapping[str, Json], datetime], str] | None:
    deed = connector.by_hand
    if deed is None:
        return None
    return lambda conn, reference, name, args, now: deed(conn, connection_id, reference, name, args, now)


def _hints(connector: Connector) -> Callable[[WebhookRequest], tuple[Hint, ...]] | None:
    webhook = connector.webhook
    return None if webhook is None else webhook.keys


class _Single:
    """One client, for a world with one thread."""

    def __init__(self, open_one: Callable[[], Remote]) -> None:
        self._open = open_one
        self._remote: Remote | None = None

    def __call__(self) -> Remote:
        if self._remote is None:
            self._remote = self._open()
        return self._remote


class _PerThread:
    """One client for each thread: neither vendor library may be shared between threads."""

    def __init__(self, open_one: Callable[[], Remote]) -> None:
        self._open = open_one
        self._local = threading.local()

    def __call__(self) -> Remote:
        remote: Remote | None = getattr(self._local, "remote", None)
        if remote is None:
            remote = self._local.remote = self._open()
        return remote
