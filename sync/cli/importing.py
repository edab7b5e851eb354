"""`hypercare import`: one full read of a connection, watched; by the daemon, or here where none runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from config.load import Loaded as Configuration
from config.mappings import load_mappings
from connectors.contract import Act
from sync.cli import opening
from sync.cli.ending import Ended
from sync.cli.show import say
from sync.daemon import build, main
from sync.daemon.tokens import TokenFile
from sync.engine import contact, poll, refresh, settle
from sync.engine.hub import Connected, Hub, Mode, Silent
from sync.ports import RealClock, RealRng
from sync.store.tables import connections, cursors

if TYPE_CHECKING:
    from sync.store.contract import Store

Progress = Callable[[Any, str], None]
"""Is told the row of the feed and the state of the budget, now and then."""


def watched(configuration: Configuration, name: str, since: datetime | None) -> int:
    """Have the daemon read, and watch until it has. Returns the records read."""
    with opening.database(configuration) as store:
        begin = _begin(configuration, _feed(store, name), since)
    if begin is not None:
        answer = opening.ask(configuration, "import", {"connection": name, "since": begin.isoformat()})
        if not answer.ok:
            raise Ended(answer.message)
    with opening.database(configuration) as store, _bar(name) as show:
        while True:
            row = _feed(store, name)
            if row is None:
                raise Ended(f"{name} has not been met yet: the daemon reads it as soon as it answers")
            show(row, "")
            if row.finished_at is not None:
                return int(row.records)
            if not opening.daemon_of(configuration):
                raise Ended("the daemon has stopped; it goes on where it was when it is started again")
            time.sleep(0.25)


def _begin(configuration: Configuration, feed: Any | None, since: datetime | None) -> datetime | None:
    """From when on to read anew; None to go on with the reading that has begun."""
    if since is not None or feed is None or feed.finished_at is None:
        return since
    return RealClock().now() - timedelta(days=configuration.settings.engine.import_days)


def here(configuration: Configuration, name: str, since: datetime | None) -> int:
    """Read without a daemon, under its lock. Returns the records read. Raises Ended, AlreadyRunning."""
    last: dict[str, str] = {}

    def tell(event: str, /, **facts: object) -> None:
        del event
        if facts.get("connection") == name and ("why" in facts or "detail" in facts):
            last["why"] = str(facts.get("why") or facts.get("detail"))

    with opening.alone(configuration) as opened:
        world = build.World(
            clock=RealClock(),
            rng=RealRng(),
            signals=Silent(),
            tell=tell,
            tokens=lambda one: TokenFile(configuration.data_dir, one),
            one_thread=True,
        )
        hub = build.hub(
            opened.store,
            main.configured(configuration),
            load_mappings(configuration),
            main.engine_settings(configuration),
            world,
        )
        connected = hub.named(name)
        if connected.mode is Mode.PAUSED:
            raise Ended(f"{name} is paused: `hypercare start {name}` first")
        _meet(hub, connected, last)
        begin = _begin(configuration, _feed(opened.store, name), since)
        if begin is not None:
            opened.store.step(lambda conn: poll.restart(conn, connected, poll.IMPORT, begin, hub.clock.now()))
        with _bar(name) as show:
            return _read(hub, connected, show, last)


def _meet(hub: Hub, connected: Connected, last: dict[str, str]) -> None:
    for _ in range(3):
        contact.greet(hub, connected)
        if connected.account_checked:
            return
        hub.clock.sleep(1.0)
    raise Ended(f"{connected.name} cannot be read: {last.get('why', 'it does not answer')}")


def _read(hub: Hub, connected: Connected, show: Progress, last: dict[str, str]) -> int:
    failures = 0
    while True:
        row = _feed(hub.store, connected.name)
        assert row is not None  # opened at first contact
        show(row, _budget(hub, connected))
        if row.finished_at is not None:
            break
        if poll.poll(hub, connected, poll.IMPORT):
            continue
        after = _feed(hub.store, connected.name)
        moved = after is not None and after.pages != row.pages
        failures = 0 if moved or not connected.health.failures else failures + 1
        if failures > 20:
            raise Ended(f"{connected.name} has stopped answering: {last.get('why', '')}; run the same again to go on")
        if not moved:
            hub.clock.sleep(0.5)
    while settle.settle(hub) or refresh.refresh(hub, connected):
        pass
    return int(row.records)


def _feed(store: Store, name: str) -> Any | None:
    with store.read() as conn:
        return conn.execute(
            select(cursors)
            .select_from(cursors.join(connections, cursors.c.connection_id == connections.c.id))
            .where(connections.c.name == name, cursors.c.feed == poll.IMPORT)
        ).first()


def _budget(hub: Hub, connected: Connected) -> str:
    names = connected.draws(Act.PAGE)
    rooms = [room for room in hub.budgets.room(connected.id) if room.budget in (*names, "account")]
    return ", ".join(f"{room.budget} {room.left}/{room.limit}" for room in rooms)


def _bar(name: str) -> AbstractContextManager[Progress]:
    """A progress bar where a person looks; else a line every ten seconds."""
    return _Bar(name) if sys.stderr.isatty() else nullcontext(_Lines(name))


class _Lines:
    def __init__(self, name: str) -> None:
        self._name = name
        self._next = time.monotonic() + 10.0

    def __call__(self, row: Any, budget: str) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 10.0
            say(f"{self._name}: {row.records} records" + (f"; budget: {budget}" if budget else ""))


class _Bar:
    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[records]} records, {task.fields[rate]}/s"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[budget]}"),
            console=Console(stderr=True),
        )
        self._task = self._progress.add_task(name, total=None, records=0, rate="0", budget="")

    def __enter__(self) -> Callable[[Any, str], None]:
        self._progress.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _show(self, row: Any, budget: str) -> None:
        seconds = (datetime.now(row.started_at.tzinfo) - row.started_at).total_seconds()
        rate = f"{row.records / seconds:.0f}" if seconds > 0 else "0"
        self._progress.update(
            self._task, completed=row.records, total=row.total, records=row.records, rate=rate, budget=budget
        )
