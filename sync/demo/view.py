"""The day on a terminal: the systems side by side, what the hub changed and why, and the narration above it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from sync.demo.control import ControlError
from sync.demo.daemon import Daemon
from sync.demo.ledger import Entry, Ledger, Turn
from sync.demo.script import Kind
from sync.demo.stand_ins import StandIns
from sync.demo.verdict import Shown, error_numbers, ticket_numbers

Json = Any

_STATUS = {
    "new": "yellow",
    "open": "red",
    "pending": "magenta",
    "hold": "magenta",
    "solved": "green",
    "closed": "green",
    "To Do": "yellow",
    "In Progress": "red",
    "In Review": "red",
    "Blocked": "magenta",
    "Done": "green",
    "unresolved": "red",
    "resolved": "green",
    "failing": "red",
}
_NARRATION = {
    Kind.PEOPLE: ("people ", "cyan"),
    Kind.NETWORK: ("network", "red"),
    Kind.SYSTEM: ("machine", "yellow"),
    Kind.HUB: ("hub    ", "green"),
    Kind.MISSED: ("missed ", "bold red"),
}
_TURNS = {Turn.HEARD: "dim", Turn.WROTE: "green", Turn.CLASH: "bold magenta"}
_FRESH_SECONDS = 2.0
"""For how long a value that has changed is shown bold."""


class LiveView:
    """A context manager: while it is open the view is drawn a few times a second below what is said."""

    def __init__(self, console: Console, systems: StandIns, daemon: Daemon, ledger: Ledger) -> None:
        self._console = console
        self._systems = systems
        self._daemon, self._ledger = daemon, ledger
        self._start = time.monotonic()
        self._states: Shown | None = None
        self._seen: dict[str, tuple[str, float]] = {}
        self._live = Live(
            console=console,
            get_renderable=self._drawn,
            refresh_per_second=5,
            transient=False,
            vertical_overflow="crop",
        )

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def say(self, kind: Kind, text: str) -> None:
        """One line of the narration."""
        if kind is Kind.SCENE:
            self._console.print(Text(f"\n{text}", style="bold"))
            return
        word, style = _NARRATION[kind]
        told = Table.grid(padding=(0, 1))
        told.add_column(no_wrap=True)
        told.add_column(no_wrap=True)
        told.add_column(ratio=1)
        told.add_row(Text(f"{time.monotonic() - self._start:4.0f}s", style="dim"), Text(word, style=style), Text(text))
        self._console.print(told)

    # --- drawing ---------------------------------------------------------------------------------------------

    def _drawn(self) -> RenderableType:
        with suppress(ControlError):  # at the very end they are gone first: what was last seen stays
            self._states = self._systems.look()
        if self._states is None:
            return Text("")
        shown = self._states
        width = self._console.width
        half = (width - 3) // 2
        sides = Table.grid(padding=(0, 1), expand=True)
        sides.add_column(width=half, no_wrap=True)
        sides.add_column(width=1)
        sides.add_column(width=half, no_wrap=True)
        left = list(self._tickets(shown.desk["records"], half))
        right = [
            *self._issues(shown.tracker["issues"], half),
            *self._errors(shown.errors["issues"], half),
            *self._services(shown.gateway["services"], half),
        ]
        for place in range(max(len(left), len(right))):
            sides.add_row(_at(left, place), Text("│", style="dim"), _at(right, place))
        rows = 3 if self._console.height < 30 else 8
        return Group(Rule(self._title(), style="dim"), sides, Rule(style="dim"), self._journal(rows), Rule(style="dim"))

    def _title(self) -> Text:
        runs = self._daemon.runs
        title = Text("Zendesk", style="bold")
        title.append("  ⇄  ", style="dim")
        title.append("hypercare ", style="bold")
        title.append(f"● pid {self._daemon.pid}" if runs else "○ killed", style="green" if runs else "bold red")
        title.append("  ⇄  ", style="dim")
        title.append("Jira, Sentry, gateway", style="bold")
        return title

    def _tickets(self, records: Sequence[Json], width: int) -> Iterator[Text]:
        for ticket in records:
            name = str(ticket["id"])
            yield self._line(f"#{name}", ticket["status"], ticket["subject"], 7, width)
            yield self._tags(f"t{name}", ticket["tags"], width)

    def _issues(self, issues: Sequence[Json], width: int) -> Iterator[Text]:
        for issue in issues:
            key = issue["key"]
            yield self._line(key, issue["status"], issue["summary"], 11, width)
            yield self._tags(key, issue["labels"], width)
            linked = Text("  links ", style="dim")
            shown = [*(f"#{number}" for number in ticket_numbers(issue)), *(["Sentry"] if error_numbers(issue) else [])]
            linked.append(" ".join(shown) or "none", style="dim")
            yield linked

    def _errors(self, errors: Sequence[Json], width: int) -> Iterator[Text]:
        for error in errors:
            yield self._line(error["key"], error["status"], f"×{error['count']} {error['title']}", 10, width)

    def _services(self, services: Sequence[Json], width: int) -> Iterator[Text]:
        for service in services:
            if ours := [tag for tag in service["tags"] if tag.startswith("fb:")]:
                yield self._line(service["id"], "failing", " ".join(ours), 10, width)

    def _line(self, name: str, status: str, subject: str, room: int, width: int) -> Text:
        line = Text(f"{name} ", style="bold")
        style = _STATUS.get(status, "")
        line.append(status.ljust(room), style=f"bold {style} reverse" if self._is_fresh(name, status) else style)
        line.append(f" {subject}")
        line.truncate(width, overflow="ellipsis")
        return line

    def _tags(self, name: str, tags: Sequence[str], width: int) -> Text:
        """As many as fit, the newest first."""
        line = Text("  ")
        fresh = {tag for tag in tags if self._is_fresh(f"{name} {tag}", tag)}
        ordered = sorted(tags, key=lambda tag: (tag not in fresh, -self._seen[f"{name} {tag}"][1]))
        for count, tag in enumerate(ordered):
            more = f"+{len(ordered) - count}"
            if len(line) + len(tag) + 1 + len(more) > width:
                line.append(more, style="dim")
                break
            line.append(tag, style="bold cyan" if tag in fresh else "dim cyan")
            line.append(" ")
        return line

    def _is_fresh(self, name: str, value: str) -> bool:
        now = time.monotonic()
        known = self._seen.get(name)
        if known is None or known[0] != value:
            self._seen[name] = (value, now)
            return now - self._start > _FRESH_SECONDS
        return now - known[1] < _FRESH_SECONDS

    def _journal(self, rows: int) -> RenderableType:
        entries = self._ledger.latest(rows)
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(width=5, no_wrap=True)
        grid.add_column(width=6, no_wrap=True)
        grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        for entry in entries:
            grid.add_row(*_columns(entry))
        for _ in range(rows - len(entries)):
            grid.add_row("", "", "", "")
        return grid


def _columns(entry: Entry) -> Iterator[Text]:
    yield Text(entry.turn, style=_TURNS[entry.turn])
    yield Text(entry.record, style="bold")
    yield Text(entry.what)
    yield Text(entry.why, style="dim")


def _at(lines: Sequence[Text], place: int) -> Text:
    return lines[place] if place < len(lines) else Text("")
