"""Statuses and the workflow graphs of projects: which step leads where, and what its screen demands."""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Category(Struct, frozen=True, kw_only=True):
    """A status category. Keys beyond these four were seen in examples of the specification [S]."""

    id: int
    key: str
    name: str
    colour: str


class StatusKind(Struct, frozen=True, kw_only=True):
    """One status of the site."""

    id: str
    name: str
    category: str


class Step(Struct, frozen=True, kw_only=True):
    """One transition. sources: status names it leaves from; None for a global one."""

    id: str
    name: str
    to: str
    sources: frozenset[str] | None = None


CATEGORIES: Final = {
    "undefined": Category(id=1, key="undefined", name="No Category", colour="medium-gray"),
    "new": Category(id=2, key="new", name="To Do", colour="blue-gray"),
    "done": Category(id=3, key="done", name="Done", colour="green"),
    "indeterminate": Category(id=4, key="indeterminate", name="In Progress", colour="yellow"),
}

STATUSES: Final = (
    StatusKind(id="10000", name="To Do", category="new"),
    StatusKind(id="3", name="In Progress", category="indeterminate"),
    StatusKind(id="10001", name="In Review", category="indeterminate"),
    StatusKind(id="10002", name="Blocked", category="indeterminate"),
    StatusKind(id="10003", name="Done", category="done"),
    StatusKind(id="10004", name="Won't Do", category="done"),
)
BY_NAME: Final = {status.name: status for status in STATUSES}
BY_ID: Final = {status.id: status for status in STATUSES}


def _step(number: int, name: str, to: str, *sources: str) -> Step:
    return Step(id=str(number), name=name, to=to, sources=frozenset(sources) if sources else None)


GRAPHS: Final[dict[str, tuple[Step, ...]]] = {
    # Work flows forward, one step at a time; done is left only by reopening.
    "stock": (
        _step(11, "Start work", "In Progress", "To Do"),
        _step(21, "Request review", "In Review", "In Progress"),
        _step(31, "Approve", "Done", "In Review", "In Progress"),
        _step(41, "Block", "Blocked", "To Do", "In Progress", "In Review"),
        _step(51, "Unblock", "In Progress", "Blocked"),
        _step(61, "Reject", "Won't Do", "To Do", "In Progress", "Blocked"),
        _step(71, "Reopen", "To Do", "Done", "Won't Do"),
        _step(81, "Back to work", "In Progress", "In Review"),
    ),
    # The simplified workflow of a new project: every status from every status.
    "global": tuple(_step(10 * n + 11, status.name, status.name) for n, status in enumerate(STATUSES)),
    # Long: done is reached through every status before it, and reopening goes the whole way back.
    "long": (
        _step(11, "Start work", "In Progress", "To Do"),
        _step(21, "Request review", "In Review", "In Progress"),
        _step(31, "Approve", "Done", "In Review"),
        _step(71, "Reopen", "To Do", "Done", "Won't Do"),
    ),
    # Locked: nobody finishes an issue here, and a finished one stays finished.
    "locked": (
        _step(11, "Start work", "In Progress", "To Do"),
        _step(21, "Request review", "In Review", "In Progress"),
        _step(81, "Back to work", "In Progress", "In Review"),
    ),
}


def steps_from(graph: str, status: str, *, loops: bool) -> list[Step]:
    """The steps a user sees from a status. loops: a global step is offered in its own target too."""
    return [
        step
        for step in GRAPHS[graph]
        if (status in step.sources if step.sources is not None else loops or step.to != status)
    ]
