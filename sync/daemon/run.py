"""The daemon, whole: lock, store, lease, hub, web face, workers; and all of it closed again in reverse."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from connectors.contract import Clock, Feed, Rng
from sync.daemon import figures, roster
from sync.daemon.face import HubFace, connections_health
from sync.daemon.frame import Frame, Tell
from sync.daemon.health import health
from sync.daemon.lease import LeaseKeeper
from sync.daemon.process import ExitCode, Process
from sync.daemon.reload import Reload, Source
from sync.daemon.turns import Turns
from sync.engine import contact, doubt
from sync.engine.hub import Hub, Signals
from sync.ports import Bells, spawn_thread
from sync.store.contract import Store
from sync.store.lock import lock, this_process
from sync.store.migrate import open_store
from sync.web.metrics import Metrics
from sync.web.settings import WebSettings


def run(
    database: Path,
    make_hub: Callable[[Store, Signals], Hub],
    *,
    web: WebSettings,
    clock: Clock,
    rng: Rng,
    tell: Tell,
    metrics: Metrics,
    mappings: Source | None = None,
    deliverers: int = roster.DELIVERERS,
) -> ExitCode:
    """Run the daemon on a database until it is told to stop. Called by the main thread.

    make_hub: builds the hub on the opened store; its `signals` are the ones given. mappings: where the files are that
    are taken up when they are saved. Raises, before any work is done:
    AlreadyRunning, NewerSchema, Damaged, StoreError, CannotListen, and what `make_hub` raises.
    """
    owner = this_process(rng.token())
    with ExitStack() as opened:
        held = lock(database, owner)
        opened.callback(held.release)
        store = open_store(database, clock=clock, held=held)
        opened.callback(store.close)
        lease = LeaseKeeper(store, owner, clock)
        lease.take()
        opened.callback(lease.give_back)
        bells = Bells()
        hub = make_hub(store, bells)
        turns = Turns(clock)
        workers = roster.workers(hub, deliverers=deliverers, written=roster.last_write(database))
        upkeep = [lease.worker()]
        if mappings is not None:
            reload = Reload(hub=hub, turns=turns, source=mappings)
            reload.begin()
            upkeep.append(reload.worker())
        frame = Frame(
            workers=[*upkeep, *(replace(one, run=turns.taking(one.run)) for one in workers)],
            clock=clock,
            bells=bells,
            spawn=spawn_thread,
            tell=tell,
        )
        face = HubFace(
            hub,
            web,
            health=lambda: health(frame, lease, lambda: connections_health(hub)),
            metrics=metrics,
            spawn=spawn_thread,
        )
        opened.callback(face.join, 0)
        metrics.add(lambda: figures.of_store(store, clock))
        metrics.add(lambda: figures.of_frame(frame))
        metrics.add(lambda: figures.of_feeds(_feeds(hub)))
        # Before anything is written: a restored database is read anew, and what was being sent is in doubt.
        contact.after_restore(hub)
        doubt.recover(hub)
        process = Process(
            frame=frame,
            tell=tell,
            face=face,
            schedule=roster.schedule(hub),
            closing=[
                ("lease", lease.give_back),
                ("feeds", lambda: _close(hub)),
                ("store", store.close),
                ("lock", held.release),
            ],
        )
        opened.pop_all()  # from here on the process closes them, within its time
        return process.run()


def _feeds(hub: Hub) -> list[tuple[str, Feed]]:
    """The feeds of a hub's connections, by the name that each has now."""
    return [(each.name, each.feed) for each in tuple(hub.connections.values()) if each.feed is not None]


def _close(hub: Hub) -> None:
    for _, feed in _feeds(hub):
        feed.close()
    for connected in tuple(hub.connections.values()):
        if connected.annotator is not None:
            connected.annotator.close()
