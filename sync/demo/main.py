"""`hypercare demo`: everything is set up, played, judged, told, and put away again."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol

import msgspec

from config.problems import SettingsErrors
from sync.demo import outcome as outcomes
from sync.demo import place, script, verdict
from sync.demo.control import ControlError
from sync.demo.daemon import Daemon, DaemonError
from sync.demo.ledger import Counts, Ledger
from sync.demo.outcome import Figures, Outcome
from sync.demo.plain import PlainLines
from sync.demo.script import Cut, Day, Kind
from sync.demo.stand_ins import StandIns, stand_ins
from sync.demo.verdict import Verdict

BEAT_WATCHED = 0.6
BEAT_UNATTENDED = 0.1
"""Seconds between two lines: so that a person can read them, or only so that acts are apart."""

DEADLINE = 20.0
QUIET = 2.0
"""Seconds that the sides get to agree at the end, and that the hub must have been quiet for."""

CONNECTIONS = {
    "zendesk": place.DESK,
    "jira": place.TRACKER,
    "sentry": place.ERRORS,
    "gateway": place.GATEWAY,
}

OK, NEGATIVE, INTERRUPTED = 0, 1, 130


class Said(Protocol):
    """Where the narration goes."""

    def say(self, kind: Kind, text: str) -> None: ...


Meddle = Callable[[str, Day], None]
"""Called with each scene's name after it was played: a test breaks something there."""


def run(
    *,
    unattended: bool,
    as_json: bool = False,
    scenes: Sequence[Callable[[Day], None]] = script.SCENES,
    meddle: Meddle | None = None,
    patience: float = script.WAIT,
    deadline: float = DEADLINE,
    folder: Path | None = None,
) -> int:
    """Play the day and say how it ended. The exit code: 0 only if all sides agree and nothing was doubled.

    unattended: plain lines, and the end comes by itself. as_json: one object on standard output, the lines on standard
    error. patience: seconds that the day waits for one effect. deadline: seconds that the sides get to agree at the
    end. folder: where everything is put, else a temporary place; it is removed unless something went wrong.
    """
    folder = folder or Path(tempfile.mkdtemp(prefix="hypercare-demo-"))
    lines = PlainLines(sys.stderr if as_json else sys.stdout)
    is_kept = True
    try:
        with _interruptible(), ExitStack() as stack:
            systems = stack.enter_context(stand_ins())
            daemon = Daemon(place.Place(folder=folder))
            stack.callback(daemon.stop)
            ledger = Ledger(daemon.place.database)
            stack.callback(ledger.close)
            found = _played(
                systems,
                daemon,
                ledger,
                lines,
                unattended=unattended,
                scenes=scenes,
                meddle=meddle,
                patience=patience,
                deadline=deadline,
            )
            is_kept = not found.is_good
            _tell(found, daemon, lines, as_json=as_json)
            if not unattended:
                _stay(systems, daemon, lines)
            return OK if found.is_good else NEGATIVE
    except KeyboardInterrupt:
        is_kept = False
        lines.line("\nInterrupted; everything it started is stopped.")
        return INTERRUPTED
    except (ControlError, DaemonError, SettingsErrors, OSError) as error:
        lines.line(f"\nThe demo could not go on: {error}")
        lines.line(f"Everything it started is stopped. Its folder, with the daemon's log: {folder}")
        return NEGATIVE
    finally:
        if not is_kept:
            shutil.rmtree(folder, ignore_errors=True)


def _played(
    systems: StandIns,
    daemon: Daemon,
    ledger: Ledger,
    lines: PlainLines,
    *,
    unattended: bool,
    scenes: Sequence[Callable[[Day], None]],
    meddle: Meddle | None,
    patience: float,
    deadline: float,
) -> Outcome:
    begun = time.monotonic()
    troubles: list[str] = []
    lines.line("hypercare demo: a launch day on stand-ins of Zendesk, Jira, Sentry and an API gateway")
    with _shown(systems, daemon, ledger, lines, unattended=unattended) as shown:
        beat = BEAT_UNATTENDED if unattended else BEAT_WATCHED
        day = Day(systems, daemon, shown.say, beat=beat, patience=patience)
        place.make(
            daemon.place.folder,
            urls={name: control.url for name, control in systems.by_connection.items()},
            port=daemon.port,
            secrets=systems.secrets,
        )
        systems.introduce(daemon.port, daemon.place.gateway_logs)
        day.say(Kind.HUB, "the stand-ins are up; the daemon starts, as a process of its own")
        daemon.start()
        script.make_live(day)
        for scene in scenes:
            try:
                scene(day)
            except (Cut, ControlError, DaemonError) as cut:
                day.say(Kind.MISSED, f"the day ends here: {cut}")
                troubles.append(f"the day could not be played to its end: {cut}")
                break
            if meddle is not None:
                meddle(scene.__name__, day)
        day.say(Kind.SCENE, "The verdict, from what the systems themselves show")
        reached = verdict.reach(systems.look, day.expected, deadline=deadline, quiet=QUIET)
    if not daemon.runs:
        troubles.append(f"the daemon is not running any more; its last words: {daemon.last_words()}")
    if not reached.is_quiet:
        troubles.append(f"the hub was still writing after {deadline:g} s")
    return _outcome(systems, day, ledger, reached, troubles, time.monotonic() - begun)


def _outcome(
    systems: StandIns, day: Day, ledger: Ledger, reached: Verdict, troubles: Iterable[str], seconds: float
) -> Outcome:
    shown, counts = systems.look(), ledger.counts()
    records = {
        "zendesk": len(shown.desk["records"]),
        "jira": len(shown.tracker["issues"]),
        "sentry": len(shown.errors["issues"]),
        "gateway": ledger.signatures(),
    }
    written = shown.written(day.expected)
    noted = {name: counts.get(connection, Counts()) for name, connection in CONNECTIONS.items()}
    figures = {
        name: Figures(
            records=records[name], writes=written[name], conflicts=noted[name].conflicts, parked=noted[name].parked
        )
        for name in CONNECTIONS
    }
    return outcomes.outcome(reached, figures, tuple(troubles), seconds, day.daemon.place.folder)


@contextmanager
def _shown(
    systems: StandIns, daemon: Daemon, ledger: Ledger, lines: PlainLines, *, unattended: bool
) -> Generator[Said]:
    """The live view on a terminal, else the plain lines."""
    if unattended:
        yield lines
        return
    from rich.console import Console

    from sync.demo.view import LiveView

    with LiveView(Console(highlight=False), systems, daemon, ledger) as view:
        yield view


def _tell(found: Outcome, daemon: Daemon, lines: PlainLines, *, as_json: bool) -> None:
    lines.line()
    for line in outcomes.told(found):
        lines.line(line)
    lines.line()
    if found.is_good:
        for line in outcomes.next_steps():
            lines.line(line)
    else:
        for line in outcomes.what_to_run(daemon.place.settings, daemon.place.log, daemon.place.database):
            lines.line(line)
    if as_json:
        encoded = msgspec.json.encode(found)
        sys.stdout.write(msgspec.json.format(encoded, indent=2).decode() + "\n")
        sys.stdout.flush()


def _stay(systems: StandIns, daemon: Daemon, lines: PlainLines) -> None:
    """Keep everything up until Ctrl-C."""
    lines.line()
    for line in outcomes.while_it_runs(systems.by_connection, daemon.port, daemon.place.settings):
        lines.line(line)
    try:
        while True:
            time.sleep(1)  # a signal that comes just before a longer wait would not end it
    except KeyboardInterrupt:
        lines.line("\nStopping.")


@contextmanager
def _interruptible() -> Generator[None]:
    """SIGTERM and a closed terminal end the demo as Ctrl-C does: in order. Only the main thread can be told so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
