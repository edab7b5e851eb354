"""How a demo ended: figures, and words for a person."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from sync.demo.control import Control
from sync.demo.place import DESK, ERRORS, GATEWAY, TIME_FACTOR, TRACKER
from sync.demo.verdict import Verdict

_SYSTEMS = ("zendesk", "jira", "sentry", "gateway")
_NAMES = ("Zendesk", "Jira", "Sentry", "Gateway")
_RECORDS = ("tickets", "issues", "errors", "signatures")


class Figures(Struct, frozen=True, kw_only=True):
    """One system: its records, the hub's writes as the system counts them, and what the hub notes about it."""

    records: int
    writes: int
    conflicts: int
    parked: int


class Outcome(Struct, frozen=True, kw_only=True):
    """What `--json` prints. troubles: why the day could not be played to its end, if so."""

    converged: bool
    duplicates_created: int
    wall_time_s: float
    time_factor: int
    systems: Mapping[str, Figures]
    differences: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()
    folder: str | None = None

    @property
    def is_good(self) -> bool:
        """All sides agree, nothing was doubled, and nothing else went wrong."""
        return self.converged and not self.duplicates_created and not self.troubles


def outcome(
    verdict: Verdict, systems: Mapping[str, Figures], troubles: tuple[str, ...], seconds: float, folder: Path
) -> Outcome:
    """Put an outcome together. The folder is named when it is kept, which it is when something is wrong."""
    made = Outcome(
        converged=verdict.converged,
        duplicates_created=verdict.duplicates_created,
        wall_time_s=round(seconds, 2),
        time_factor=TIME_FACTOR,
        systems=systems,
        differences=verdict.differences,
        doubled=verdict.doubled,
        troubles=troubles,
        folder=str(folder),
    )
    if not made.is_good:
        return made
    return Outcome(**{name: getattr(made, name) for name in made.__struct_fields__ if name != "folder"})


def told(found: Outcome) -> Iterator[str]:
    """The outcome in plain words."""
    if found.is_good:
        yield "All sides agree, and nothing was doubled."
    else:
        yield (
            "The sides do not agree:"
            if not found.converged
            else "Something was done twice:"
            if found.duplicates_created
            else "All sides agree, but the day did not end as it should:"
        )
    yield from (f"  {each}" for each in (*found.differences, *found.doubled, *found.troubles))
    for name, records, each in zip(_NAMES, _RECORDS, (found.systems[one] for one in _SYSTEMS), strict=True):
        yield f"  {name}: {each.records} {records}, {each.writes} writes by the hub."
    conflicts = sum(each.conflicts for each in found.systems.values())
    parked = sum(each.parked for each in found.systems.values())
    yield f"  Conflicts settled by rule: {conflicts}. Waiting for a person: {parked}."
    yield f"  {found.wall_time_s:.0f} s, the vendors' delays divided by {found.time_factor}."


def what_to_run(settings: Path, log: Path, database: Path) -> Iterator[str]:
    """After something went wrong: where to look."""
    if last := _last_error(log):
        yield f"The daemon's newest error: {last}"
    yield f"Log:       {log}"
    yield f"Database:  {database}"
    yield f"Look:      export HYPERCARE_CONFIG={shlex.quote(str(settings))}"
    yield "           hypercare explain OPS-1; hypercare parked; hypercare status"


def next_steps() -> Iterator[str]:
    """How to go on from here."""
    yield "Next, your own systems (the README leads through it in ten minutes):"
    yield "  1. hypercare init FOLDER        makes settings and mappings, with comments"
    yield "  2. hypercare check --online     proves credentials, says what is missing"
    yield "  3. hypercare run                reads and links; writes nothing yet"
    yield f"  4. hypercare start CONNECTION   lets it write (here: {DESK}, {TRACKER}, {ERRORS}, {GATEWAY})"


def while_it_runs(systems: Mapping[str, Control], port: int, settings: Path) -> Iterator[str]:
    """What a person can look at and do while everything stays up."""
    yield "Everything stays up until Ctrl-C. Look around, or play the people yourself:"
    desk_url, tracker_url = systems[DESK].url, systems[TRACKER].url
    yield f"  Zendesk {desk_url}   Jira {tracker_url}"
    yield f"  Sentry {systems[ERRORS].url}   Gateway {systems[GATEWAY].url}"
    yield f"  curl http://127.0.0.1:{port}/health"
    yield f"  curl {tracker_url}/_sandbox/state"
    again = _act(act="comment", ticket=1, body="Again!", **{"as": "customer@example.com"})
    yield f"  curl {desk_url}/_sandbox/act \\"
    yield f"  -d '{again}'"
    labelled = _act(act="add_label", issue="OPS-2", label="seen")
    yield f"  curl {tracker_url}/_sandbox/act \\"
    yield f"  -d '{labelled}'"
    yield "  export HYPERCARE_CONFIG=" + shlex.quote(str(settings))
    yield "  hypercare explain OPS-1; hypercare conflicts; hypercare status"


def _last_error(log: Path) -> str:
    """The newest error in the daemon's log, in one line; empty when there is none."""
    lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
    for line in reversed(lines):
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict) and told.get("level") in ("error", "critical"):
            shown = (f"{name}={value}" for name, value in told.items() if name not in ("at", "level", "event", "trace"))
            return " ".join((str(told.get("event")), *shown))[:400]
    return ""


def _act(**given: Any) -> str:
    return json.dumps(given, separators=(",", ":"))
