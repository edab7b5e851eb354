"""Which workers a hub needs, which bell wakes each, and how long each waits without one.

A worker that waits for a bell still looks by itself now and then: what the tables say counts, a bell only hurries.
How often is a price in idle work (each look is a read of a millisecond or less) against how late a `not_before`,
which no bell announces, may be noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from sync.daemon.frame import Worker
from sync.daemon.schedule import Schedule
from sync.engine import commands, contact, create, deliver, drift, feeds, inbox, poll, refresh, settle, sweep, tidy
from sync.engine.hub import Connected, Hub
from sync.planning import execute, verbs

DELIVERERS = 2
"""Workers that write to one connection: one waits for an answer while the other sends."""


def workers(hub: Hub, *, deliverers: int = DELIVERERS, written: Callable[[], object] | None = None) -> list[Worker]:
    """All workers of a hub. written: see `only_if_written`."""
    carry_out = only_if_written(partial(commands.carry_out, hub, verbs.MORE), written)
    return [
        Worker(name="inbox", topic="inbox", run=partial(inbox.read_inbox, hub), idle_seconds=5.0),
        Worker(name="settle", topic="settle", run=partial(settle.settle, hub), idle_seconds=2.0),
        # A person waits for the answer, in another process, which can ring no bell.
        Worker(name="commands", topic="commands", run=carry_out, idle_seconds=0.25),
        Worker(
            name="plans", topic="plans", run=only_if_written(partial(execute.execute, hub), written), idle_seconds=1.0
        ),
        Worker(name="tidy", topic="tidy", run=partial(tidy.tidy, hub), idle_seconds=60.0),
        *(worker for connected in hub.connections.values() for worker in _of_connection(hub, connected, deliverers)),
    ]


def _of_connection(hub: Hub, connected: Connected, deliverers: int) -> Iterator[Worker]:
    name, number = connected.name, connected.id

    def worker(kind: str, topic: str, run: Callable[[], bool], idle_seconds: float) -> Worker:
        return Worker(name=f"{kind} {name}", topic=f"{topic}:{number}", run=run, idle_seconds=idle_seconds)

    yield worker("greet", "greet", partial(contact.greet, hub, connected), 2.0)
    # The tick rings; twice the interval is for a wall clock that was set back, by which the ticks go.
    yield worker("poll", "poll", partial(poll.poll, hub, connected, poll.LIVE), 2 * connected.poll_seconds)
    yield worker("import", "poll", partial(poll.read_ahead, hub, connected), 3.0)
    yield worker("refresh", "refresh", partial(refresh.refresh, hub, connected), 2.0)
    yield worker("create", "deliver", partial(create.create, hub, connected), 3.0)
    yield worker("sweep", "sweep", partial(sweep.sweep, hub, connected), 10.0)
    yield worker("drift", "drift", drift.Watch(hub, connected).run, 5.0)
    if connected.feed is not None:
        yield worker("feed", "feed", partial(feeds.read, hub, connected), 1.0)
    if connected.annotator is not None:
        yield worker("annotate", "annotate", partial(feeds.annotate, hub, connected), 2.0)
    for each in range(deliverers):
        # The first looks for what has become due; the others wake with the bell and take their share.
        idle_seconds = 2.0 if each == 0 else 15.0
        yield worker(f"deliver {each + 1}", "deliver", partial(deliver.deliver, hub, connected), idle_seconds)


def only_if_written(run: Callable[[], bool], written: Callable[[], object] | None) -> Callable[[], bool]:
    """Call `run` only when the database was written since its last fruitless call: what it looks for comes by a write.

    written: changes with every write, whoever made it (`last_write`); None: not known, so always look.
    """
    if written is None:
        return run
    seen: list[object] = []

    def look() -> bool:
        now = written()  # asked before the look: what is written during it is looked for again
        if seen == [now] and now is not None:
            return False
        if run():
            seen.clear()
            return True
        seen[:] = [now]
        return False

    return look


def last_write(database: Path) -> Callable[[], object]:
    """Tells whether a SQLite database was written: every commit grows or rewrites its write-ahead log."""
    log = database.with_name(database.name + "-wal")

    def written() -> object:
        try:
            now = log.stat()
        except FileNotFoundError:
            return None
        return now.st_mtime_ns, now.st_size, now.st_ino

    return written


def schedule(hub: Hub) -> Schedule:
    """The ticks of a hub: when a poll of each connection is due. The first poll is at the start, without a tick."""
    made = Schedule(hub.signals.ring)
    for connected in hub.connections.values():
        made.every(connected.poll_seconds, f"poll:{connected.id}")
    return made
