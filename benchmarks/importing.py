"""The first import: a hundred thousand tickets, normalised and durably stored; and once more with a slow network."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from benchmarks.figures import Figure, Result, WrongResult, of_runs
from benchmarks.stage import DAEMON_CORE, Daemon, Stage, stage, until

LATENCY = 0.1
"""Seconds by which each answer is held back in the second part."""
PAGE = 1000


def importing(folder: Path, *, quick: bool) -> Result:
    """Measure."""
    tickets, runs = (10_000, 1) if quick else (100_000, 5)
    slow_runs = 1 if quick else 3
    result = Result(
        name="import",
        definition=f"first import of {tickets:,} tickets of 600 characters, in pages of {PAGE}: from the first "
        "request for a page to the commit of the last one, each record normalised and stored; then with every answer "
        f"held back for {LATENCY * 1000:.0f} ms. The vendor's limit of 10 pages a minute is off: with it, it rules.",
    )
    with stage(folder, hooks=False) as on:
        on.zendesk(act="seed", count=tickets, spread=80 * 86400)
        fast = [_run(on, number, tickets) for number in range(runs)]
        floor = [_floor(on, tickets) for _ in range(runs)]
        on.desk.latency = LATENCY
        slow = [_run(on, 100 + number, tickets) for number in range(slow_runs)]
        slow_floor = [_floor(on, tickets) for _ in range(slow_runs)]
    rates, floors = [each.rate for each in fast], [tickets / seconds for seconds in floor]
    result.checked.append(f"{tickets:,} records in the database after each run, each once; none lost its tags or text")
    result.figures += [
        Figure(
            name="rate",
            unit="records/s",
            value=of_runs(rates),
            aim=8000,
            more_is_better=True,
            floor=of_runs(floors),
            floor_is="bare read and decode",
            runs=tuple(rates),
        ),
        Figure(
            name="the daemon's processor time",
            unit="s/100,000",
            value=of_runs([each.used for each in fast]) / tickets * 100_000,
        ),
        Figure(name="peak memory", unit="MB", value=of_runs([each.peak for each in fast]), aim=200),
        Figure(
            name="calls per 1,000 records",
            unit="calls",
            value=of_runs([each.calls / tickets * 1000 for each in fast]),
            aim=1.05,
            floor=math.ceil(tickets / PAGE) / tickets * 1000,
            floor_is="full pages",
        ),
        Figure(
            name=f"with {LATENCY * 1000:.0f} ms a call, against the floor",
            unit="times",
            value=of_runs([each.seconds for each in slow]) / of_runs(slow_floor),
            aim=1.3,
            floor=1.0,
            floor_is=f"bare, {of_runs(slow_floor):.1f} s",
        ),
    ]
    return result


class Run:
    """One import. seconds: from its first page's request to its end. calls: for pages. peak: MB. used: CPU seconds."""

    def __init__(self, tickets: int, seconds: float, calls: int, daemon: Daemon) -> None:
        self.seconds, self.calls = seconds, calls
        self.peak, self.used = daemon.peak_mb(), daemon.cpu_seconds()
        self.rate = tickets / seconds


def _run(on: Stage, number: int, tickets: int) -> Run:
    base, on.folder = on.folder, on.folder / f"run{number}"
    try:
        on.configure(poll_seconds=3600)
        on.desk.forget()
        daemon = on.start()

        def done() -> bool:
            return bool(
                on.ask(
                    "select 1 from cursors join connections on connections.id = connection_id"
                    " where name = 'support' and feed = 'import' and finished_at is not null"
                )
            )

        until(done, 600, "the end of the import", 0.05)
        ended = perf_counter()
        # The live feed reads beside it: its pages begin at a time of their own.
        pages = [call for call in on.desk.calls if call.operation == "export.cursor" and " users " in f"{call.query} "]
        live = [call for call in pages if call.began > ended]
        done_run = Run(tickets, ended - pages[0].began, len(pages) - len(live), daemon)
        _right(on, tickets)
        on.stop()
        return done_run
    finally:
        on.folder = base


def _right(on: Stage, tickets: int) -> None:
    found = on.ask(
        "select count(*), count(distinct remote_id), sum(cast(body as text) like '%checkout page shows%')"
        " from records join connections on connections.id = connection_id where name = 'support'"
    )[0]
    if found != (tickets, tickets, tickets):
        raise WrongResult(f"of {tickets} tickets the database holds (rows, ids, with text) {found}")
    assert on.daemon is not None
    if problems := on.daemon.problems():
        raise WrongResult(f"the daemon's log: {problems[:3]}")


def _floor(on: Stage, tickets: int) -> float:
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.reader", on.desk_server.url, str(DAEMON_CORE)],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout
    read = json.loads(told)
    if read["records"] < tickets:
        raise WrongResult(f"the bare loop read {read['records']} of {tickets} tickets")
    return float(read["seconds"])
