"""The systems of the pure level: what their records can show, how it reads, and the trackers' workflows."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from sync.core import lens
from sync.core.state import StatusRules
from sync.model import Role, Side, Status


class Reading(Struct, frozen=True):
    """How one raw value reads."""

    status: Status | None
    side: Side | None
    archived: bool
    frozen: bool


class System(Struct, frozen=True):
    """One role's system. readings: by raw value. choices: what its users can choose from."""

    role: Role
    rules: StatusRules
    readings: Mapping[str, Reading]
    choices: tuple[str, ...]


def _system(role: Role, rules: StatusRules) -> System:
    choices = (*rules.values, *sorted(rules.archived))
    readings = {}
    for raw in choices:
        status = lens.get(rules, raw)
        readings[raw] = Reading(
            status, None if status is None else status.side, raw in rules.archived, raw in rules.frozen
        )
    return System(role, rules, readings, choices)


TRACKER = _system(
    Role.TRACKER,
    StatusRules(
        values={
            "todo": Status.NEW,
            "prog": Status.IN_PROGRESS,
            "blocked": Status.WAITING,
            "done": Status.RESOLVED,
            "wontfix": Status.CLOSED,
        },
        write={Status.NEW: "todo", Status.IN_PROGRESS: "prog", Status.WAITING: "blocked", Status.RESOLVED: "done"},
    ),
)
HELPDESK = _system(
    Role.HELPDESK,
    StatusRules(
        values={
            "new": Status.NEW,
            "open": Status.IN_PROGRESS,
            "pending": Status.WAITING,
            "hold": Status.WAITING,
            "solved": Status.RESOLVED,
            "closed": Status.RESOLVED,
        },
        write={Status.NEW: "open", Status.IN_PROGRESS: "open", Status.WAITING: "hold", Status.RESOLVED: "solved"},
        accept={Status.NEW: frozenset({"new", "open"})},
        keep=frozenset({"pending"}),
        frozen=frozenset({"closed"}),
    ),
)
SIGNAL = _system(
    Role.SIGNAL,
    StatusRules(
        values={"unresolved": Status.NEW, "resolved": Status.RESOLVED},
        write={Status.NEW: "unresolved", Status.RESOLVED: "resolved"},
        archived=frozenset({"ignored"}),
    ),
)

_FREE = ("todo", "prog", "blocked", "done", "wontfix")
FLOWS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "free": {a: tuple(b for b in _FREE if b != a) for a in _FREE},
    "stock": {
        "todo": ("prog", "wontfix"),
        "prog": ("todo", "done", "blocked"),
        "blocked": ("prog",),
        "done": ("prog",),
        "wontfix": ("todo",),
    },
    "locked": {
        "todo": ("prog", "wontfix"),
        "prog": ("done", "blocked"),
        "blocked": ("prog",),
        "done": (),
        "wontfix": (),
    },
}
"""A tracker's legal steps: any, those of a usual workflow, and one from which nothing that is done comes back."""
