"""Plans for people at a terminal: what changes and how often, the biggest first; how far an applied one has come."""

from __future__ import annotations

import os
import sys
import time
from datetime import datetime
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from sync.cli.show import ago, is_looked_at, plain, say, table, warn, when

if TYPE_CHECKING:
    from config.load import Loaded as Configuration
    from sync.planning.row import Group, Plan, Row
    from sync.planning.stored import Progress

SHOWN = 20
"""Sorts of changes that are shown without `--all`."""
_STILL_SECONDS = 30.0
"""How long a plan may stand still before whoever waits for it is told."""
_RED, _GREEN, _DIM, _BOLD = "31", "32", "2", "1"


def for_programs(made: Plan) -> dict[str, Any]:
    """A plan as JSON shows it. The names are kept; what only hypercare needs is not in it."""
    return {
        "plan": made.id,
        "kind": made.kind,
        "undoes": made.undoes,
        "digest": made.digest,
        "made_at": made.made_at,
        "mappings": made.mappings,
        "fingerprint": made.fingerprint,
        "summary": made.summary,
        "rows": [
            {
                "kind": row.kind,
                "connection": row.connection,
                "system": row.system,
                "record": row.record,
                "url": row.url,
                "item": row.item,
                "version": row.version,
                "changes": row.changes,
                "note": row.note,
            }
            for row in made.rows
        ],
    }


def plan(made: Plan, now: datetime, *, every: bool, apply: bool = True) -> None:
    """A plan: what it rests on, what it would do, what it leaves alone."""
    summary = made.summary
    if made.undoes is not None:
        _wrapped(f"plan {made.id} takes plan {made.undoes} back", _BOLD)
    else:
        _wrapped(f"plan {made.id}, digest {made.digest[:12]}, of the files in {made.mappings}", _BOLD)
        _wrapped(
            f"{summary.records:,} records, {summary.items:,} items{_age(summary.oldest_at, summary.newest_at, now)}"
        )
    _wrapped(_counted(made))
    if made.rows:
        say()
    shown = summary.groups if every else summary.groups[:SHOWN]
    for group in shown:
        _group(group)
    if len(shown) < len(summary.groups):
        say(f"and {len(summary.groups) - len(shown)} more sorts of changes: `--all` shows them")
    if every:
        for row in made.rows:
            _row(row)
    for left in summary.left:
        _wrapped(f"left alone: {left.count:,}, {left.why} ({_samples(left.samples, left.count)})")
    if summary.itself:
        _wrapped(
            f"by themselves: {summary.itself:,} items show a value or a link that had no meaning before; once the "
            "files are in force, what their people did is carried on as ever"
        )
    if summary.under_way:
        _wrapped(
            f"not planned: {summary.under_way:,} items of which something is under way; plan again when it is over"
        )
    for note in summary.notes:
        _wrapped(f"note: {note}")
    if made.rows and apply:
        say()
        say(f"`hypercare apply {made.id}` does exactly this")


def _age(oldest: datetime | None, newest: datetime | None, now: datetime) -> str:
    if oldest is None:
        return ""
    return f"; read between {ago(oldest, now)} and {ago(newest, now)}"


def _counted(made: Plan) -> str:
    from sync.planning.page import counts

    told = [f"{count:,} {word}" for count, word in counts(made) if count]
    if not told:
        return "nothing would be written"
    by = made.summary.by_connection
    writes = f" ({', '.join(f'{count:,} on {name}' for name, count in by.items())})" if len(by) > 1 else ""
    return f"{told[0]}{writes}{''.join(f', {each}' for each in told[1:])}"


def _group(group: Group) -> None:
    _out(f"{group.count:>7,}  {plain(group.connection)}: {plain(group.field)} {_change(group.before, group.after)}")
    for text in (group.rule, _samples(group.samples, group.count)):
        for line in wrap(plain(text), _width() - 9):
            _out(f"         {_paint(line, _DIM)}")


def _change(before: str, after: str) -> str:
    """Before and after, painted; a tag that is taken off is its own before."""
    if after.startswith("-"):
        return _paint(plain(after), _RED)
    painted = _paint(plain(after), _GREEN)
    return f"{_paint(plain(before), _RED)} -> {painted}" if before else painted


def _row(row: Row) -> None:
    say(f"{row.connection} {row.record}{f' ({row.item})' if row.item else ''}")
    for each in row.changes:
        _out(f"    {plain(each.field)} {_change(each.before, each.after)}")
        for line in wrap(plain(each.rule), _width() - 8):
            _out(f"        {_paint(line, _DIM)}")
    if row.note:
        _wrapped(f"    {row.note}")


def _samples(samples: tuple[str, ...], count: int) -> str:
    more = count - len(samples)
    return ", ".join(samples) + (f" and {more:,} more" if more > 0 else "")


def plans(found: list[Progress]) -> None:
    """The plans that were made."""
    if not found:
        say("no plan was made yet: `hypercare plan` makes one")
        return
    table(
        ["id", "digest", "made", "kind", "state", "rows", "done", "refused"],
        [
            [
                one.id,
                one.digest[:12],
                when(one.made_at),
                f"undo of {one.undoes}" if one.undoes is not None else "apply",
                one.state,
                one.total,
                one.counts.get("done", 0) + one.counts.get("left", 0),
                len(one.refused),
            ]
            for one in found
        ],
    )


def outcome(how: Progress) -> None:
    """What became of an applied plan."""
    words = {
        "done": "written", "left": "as planned already", "refused": "left alone", "failed": "refused by the remote",
        "sent": "under way", "asked": "being read", "planned": "not begun",
    }  # fmt: skip
    told = ", ".join(f"{how.counts[state]:,} {word}" for state, word in words.items() if how.counts.get(state))
    say(f"plan {how.id}: {how.state}: {told or 'nothing to do'}")
    for record, why in how.refused[:SHOWN]:
        _wrapped(f"  {record}: {why}")
    if len(how.refused) > SHOWN:
        say(f"  and {len(how.refused) - SHOWN} more: `hypercare plan --show {how.id} --json`")
    if how.state == "stopped" and how.counts.get("planned"):
        say(f"`hypercare apply {how.id}` goes on")


def watched(configured: Configuration, plan_id: int, *, quiet: bool = False) -> Progress:
    """Wait until a plan is over, and show how far it is where somebody looks."""
    from sync.cli import opening
    from sync.planning import stored

    drawn = not quiet and is_looked_at()
    since, before, told = time.monotonic(), -1, False
    with opening.database(configured) as store:
        while True:
            with store.read() as conn:
                how = stored.progress(conn, plan_id)
            if drawn:
                sys.stdout.write(f"\r{how.ended:,} of {how.total:,}")
                sys.stdout.flush()
            if how.state in (stored.DONE, stored.STOPPED):
                break
            if how.ended != before:
                since, before, told = time.monotonic(), how.ended, False
            elif not told and time.monotonic() - since > _STILL_SECONDS:
                told = True
                warn(
                    f"nothing has moved for {_STILL_SECONDS:.0f} s: a connection may be held, paused or down, see "
                    "`hypercare status`. Ctrl-C ends the waiting, not the plan"
                )
            time.sleep(0.3)
    if drawn:
        sys.stdout.write("\r" + " " * 40 + "\r")
    return how


def _wrapped(text: str, colour: str = "") -> None:
    for line in wrap(plain(text), _width(), subsequent_indent="    ", break_on_hyphens=False):
        _out(_paint(line, colour) if colour else line)


def _width() -> int:
    if not is_looked_at():
        return 80
    try:
        return max(40, os.get_terminal_size(sys.stdout.fileno()).columns)
    except (OSError, ValueError):
        return 80


def _out(text: str) -> None:
    """A line that was made plain before it was painted."""
    sys.stdout.write(text + "\n")


def _paint(text: str, colour: str) -> str:
    if not text or not is_looked_at() or "NO_COLOR" in os.environ:
        return text
    return f"\x1b[{colour}m{text}\x1b[0m"
