"""Hub-added latency: from a webhook's hand-over to the arrival of the counterpart's write, at a steady rate."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

from benchmarks.figures import Figure, Result, WrongResult, of_runs, percentile
from benchmarks.kinds import Kind, agree, change
from benchmarks.stage import DAEMON_CORE, Pair, Stage, stage, until
from benchmarks.watch import Call

RATE = 20.0
"""Changes a second."""


def latency(folder: Path, *, quick: bool) -> Result:
    """Measure."""
    runs, seconds = (2, 3.0) if quick else (5, 8.0)
    result = Result(
        name="latency",
        definition=f"at {RATE:g} changes a second, equal parts status and tag in both directions, each on a pair of "
        "its own: from the moment a stand-in hands the webhook to its sender to the moment the write on the other side "
        "arrives; the stand-ins' own service time for the calls in between is measured and subtracted.",
    )
    with stage(folder) as on:
        on.configure()
        on.start()
        pairs = on.pairs(int(RATE * seconds))
        _once(on, pairs, -1, lambda: None)  # every client signs in, every link is shown
        used = on.started().cpu_seconds()
        measured = [_once(on, pairs, number, on.sound) for number in range(runs)]
        used = (on.started().cpu_seconds() - used) / (runs * len(pairs))
        result.checked.append("each change was written once, both sides agree; no hold, park, conflict, doubt or error")
        on.stop()
        floors = [_floor(on, pairs, number) for number in range(runs)]
    added = [[each.added for each in run] for run in measured]
    floor = [[each.added for each in run] for run in floors]
    for name, share, aim in (("p50", 0.50, 30.0), ("p95", 0.95, 100.0)):
        result.figures.append(
            Figure(
                name=f"{name} hub-added",
                unit="ms",
                value=of_runs([percentile(run, share) for run in added]),
                aim=aim,
                floor=of_runs([percentile(run, share) for run in floor]),
                floor_is="bare loop, tags only",
                runs=tuple(percentile(run, share) for run in added),
            )
        )
    for kind in Kind:
        some = [[each.added for each in run if each.kind is kind] for run in measured]
        result.figures.append(
            Figure(name=f"  p50 {kind}", unit="ms", value=of_runs([percentile(run, 0.5) for run in some]))
        )
    service = [each.service for run in measured for each in run]
    result.figures.append(Figure(name="stand-in service time, p50", unit="ms", value=percentile(service, 0.5)))
    result.figures.append(Figure(name="the daemon's processor time", unit="ms/change", value=used * 1000))
    return result


class Passed:
    """One change that reached the other side. added, service: ms."""

    def __init__(self, kind: Kind, sent: float, arrived: float, calls: Sequence[Call]) -> None:
        self.kind = kind
        self.service = sum(call.ended - call.began for call in calls) * 1000
        self.added = (arrived - sent) * 1000 - self.service


def _once(on: Stage, pairs: Sequence[Pair], number: int, sound: Callable[[], None]) -> list[Passed]:
    """One run: a change on every pair, in a steady rhythm. Raises WrongResult."""
    time.sleep(1.1)
    on.desk.forget()
    on.site.forget()
    began = perf_counter()
    made = []
    for place, pair in enumerate(pairs):
        # Another kind on each pair each time, so that every value is written rarely.
        kind = list(Kind)[(place + number) % len(Kind)]
        time.sleep(max(0.0, began + place / RATE - perf_counter()))
        change(on, kind, pair, number)
        made.append((kind, pair))
    on.rest(120)
    sound()
    agree(on, pairs)
    return [_passed(on, kind, pair, strict=number >= 0) for kind, pair in made]


def _passed(on: Stage, kind: Kind, pair: Pair, *, strict: bool = True) -> Passed:
    source, target, subject, other = (on.desk, on.site, pair.ticket, pair.id)
    if not kind.from_ticket:
        source, target, subject, other = (on.site, on.desk, pair.id, pair.ticket)
    sent = next((each.at for each in source.sent if each.subject == subject), None)
    writes = [call for call in target.calls if call.writes and call.began > (sent or 0) and call.names(other)]
    if sent is None or not writes:
        raise WrongResult(f"{kind} of {pair}: no webhook, or no write")
    if strict and len(writes) > 1:
        raise WrongResult(f"{kind} of {pair}: written {len(writes)} times: {writes}")
    arrived = writes[0].began
    between = [
        call
        for call in (*on.desk.calls, *on.site.calls)
        if sent <= call.began < arrived and call.names(pair.ticket, pair.id)
    ]
    return Passed(kind, sent, arrived, between)


def _floor(on: Stage, pairs: Sequence[Pair], number: int) -> list[Passed]:
    """The same rhythm of tags through the bare loop."""
    place = on.folder / "bare.json"
    told = {"desk": on.desk_server.url, "site": on.site_server.url, "pairs": {one.ticket: one.id for one in pairs}}
    place.write_text(json.dumps(told))
    bare = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bare", str(place), str(DAEMON_CORE)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert bare.stdout is not None
        on.unhook()
        on.point_hooks(bare.stdout.readline().strip())
        on.desk.forget()
        on.site.forget()
        kinds = (Kind.TICKET_TAG, Kind.ISSUE_TAG)
        began = perf_counter()
        for turn, pair in enumerate(pairs):
            time.sleep(max(0.0, began + turn / RATE - perf_counter()))
            change(on, kinds[turn % 2], pair, 500 + number)

        def done() -> bool:
            return sum(call.writes for call in (*on.desk.calls, *on.site.calls)) >= len(pairs)

        until(done, 30, "the bare loop's writes")
        return [_passed(on, kinds[turn % 2], pair, strict=False) for turn, pair in enumerate(pairs)]
    finally:
        bare.kill()
        bare.wait()
