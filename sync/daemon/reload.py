"""Saved mapping files are taken up while the daemon runs: whole and valid, or not at all.

A changed mapping writes nothing by itself: every base is read anew at its next decision (`sync.core.rebase`), and what
is there already is written by a plan only. Files that are wrong leave the old ones in force, and that is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.mappings import ENDINGS
from config.problems import SettingsErrors
from sync.daemon import build
from sync.daemon.frame import Worker
from sync.daemon.turns import Turns
from sync.engine import in_force
from sync.engine.hub import Hub
from sync.mapping.load import Loaded as Mappings

LOOK_SECONDS = 1.0
"""How often the files are looked at. What has changed is read when two looks find the same: it is saved whole then."""
PATIENCE = (2.0, 10.0)
"""Seconds for which new calls are held off while those under way end: at first, at most."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where mappings are saved. look: changes when they were saved anew. read: raises SettingsErrors."""

    look: Callable[[], object]
    read: Callable[[], Mappings]


def look_at(folder: Path) -> Callable[[], object]:
    """Tells whether the files of a folder were saved anew: names, times and sizes."""

    def look() -> object:
        try:
            found = [path for path in folder.iterdir() if path.suffix in ENDINGS and not path.name.startswith(".")]
            stats = [(path.name, path.stat()) for path in sorted(found)]
        except OSError:
            return ()  # being replaced, or gone: the next look tells
        return tuple((name, one.st_mtime_ns, one.st_size, one.st_ino) for name, one in stats)

    return look


@dataclass(kw_only=True)
class Reload:
    """Looks at the files and puts them in force."""

    hub: Hub
    turns: Turns
    source: Source
    _last: object = None
    _read: object = None
    _tried: int = 0

    def worker(self) -> Worker:
        """The worker that does it."""
        return Worker(name="mappings", topic="mappings", run=self.run, idle_seconds=LOOK_SECONDS)

    def begin(self) -> None:
        """Note that the files the daemon was started with are in force."""
        self.hub.store.step(lambda conn: in_force.note(conn, self.hub, edited=False))

    def run(self) -> bool:
        """Look once. Never True: the next look comes in its time."""
        now = self.source.look()
        if now == self._read:
            self._last = now
            return False
        if now != self._last:
            self._last = now
            return False
        self._read = now
        try:
            mappings = self.source.read()
        except SettingsErrors as error:
            self._refuse([str(problem) for problem in error.problems])
            return False
        if mappings.fingerprint == self.hub.fingerprint:
            self.hub.store.step(in_force.forget_refused)
            return False
        self._take(mappings)
        return False

    def _take(self, mappings: Mappings) -> None:
        hub = self.hub
        with self.turns.alone(min(PATIENCE[1], PATIENCE[0] * 2.0**self._tried)) as free:
            if not free:
                self._tried += 1
                self._read = None  # again at the next look
                hub.tell("mappings_wait", seconds=PATIENCE[0])
                return
            undo = build.put_in_force(hub, mappings)
            try:
                hub.store.step(lambda conn: in_force.note(conn, hub, edited=True))
            except Exception:
                undo()
                self._read = None
                raise
        self._tried = 0
        hub.tell("mappings_loaded", fingerprint=mappings.fingerprint, routes=len(mappings.routes))
        for topic in ("settle", "plans", "inbox"):
            hub.signals.ring(topic)

    def _refuse(self, problems: Sequence[str]) -> None:
        hub = self.hub
        hub.store.step(lambda conn: in_force.note_refused(conn, problems, hub.clock.now()))
        hub.tell("mappings_refused", problems=len(problems), first=problems[0] if problems else "")
