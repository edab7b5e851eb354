"""An idle daemon: a hundred thousand records known, two thousand of them linked, nothing happens."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.figures import Figure, Result, WrongResult
from benchmarks.stage import Stage, stage, until

POLL_SECONDS = 30.0


def idle(folder: Path, *, quick: bool) -> Result:
    """Measure."""
    records, linked, seconds = (10_000, 200, 15.0) if quick else (100_000, 2_000, 90.0)
    result = Result(
        name="idle",
        definition=f"{records:,} records known, {linked:,} tickets linked to as many issues, both connections live, "
        f"polled every {POLL_SECONDS:g} s, webhooks on; watched for {seconds:g} s after everything has come to rest. "
        "The sweep is so slow that it does not count.",
    )
    with stage(folder) as on:
        tickets = records - linked
        on.zendesk(act="seed", count=tickets, spread=80 * 86400)
        on.jira(act="seed", count=linked)
        on.configure(poll_seconds=POLL_SECONDS, change=_without_notes)
        daemon = on.start()
        until(lambda: on.ask("select count(*) from records")[0][0] >= records, 900, "the import", 0.5)
        keys = sorted(on.ask("select key from records where kind = 'issue' order by id"))
        numbers = on.ask("select remote_id from records where kind = 'ticket' order by id limit ?", linked)
        on.command("link", *({"one": f"support:{a}", "two": b} for (a,), (b,) in zip(numbers, keys, strict=True)))
        on.command("start", {"connection": "support"}, {"connection": "dev"})
        on.rest(600, still=5.0)
        on.desk.forget()
        on.site.forget()
        used, began = daemon.cpu_seconds(), time.monotonic()
        time.sleep(seconds)
        used, passed = daemon.cpu_seconds() - used, time.monotonic() - began
        _nothing_written(on)
        on.sound()
        result.checked.append("0 writes; no hold, park, conflict, doubt or error")
        for name, watched in (("Zendesk", on.desk), ("Jira", on.site)):
            result.figures.append(
                Figure(
                    name=f"calls to {name}",
                    unit="calls/min",
                    value=len(watched.calls) / passed * 60,
                    aim=4,
                    floor=60 / POLL_SECONDS,
                    floor_is="one page a poll",
                )
            )
        result.figures.append(Figure(name="processor", unit="% of a core", value=used / passed * 100, aim=1.0))
        result.figures.append(Figure(name="peak memory, import included", unit="MB", value=daemon.peak_mb()))
    return result


def _without_notes(text: str) -> str:
    """Links are shown nowhere: four thousand writes before the rest would only take time."""
    return text.replace("show: note ", "show: none ").replace("show: remote_link ", "show: none ")


def _nothing_written(on: Stage) -> None:
    written = [call for call in (*on.desk.calls, *on.site.calls) if call.writes]
    if written:
        raise WrongResult(f"written while idle: {written[:3]}")
