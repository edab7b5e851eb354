"""The way through a workflow: which legal step comes next.

Pure search over the steps that are known. Neighbours are taken in the order of their names, so that the answer does
not depend on the order in which a remote system lists its steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from sync.core import lens
from sync.core.state import StatusRules
from sync.model import Side, Status


class Course(StrEnum):
    """What a step is for: the wanted value, another one in its place, or to learn the steps from there."""

    WANTED = "wanted"
    INSTEAD = "instead"
    LEARN = "learn"


class Path(Struct, frozen=True, kw_only=True):
    """The next step. hop: the raw value of this write; final: it is the last one; target: where the hops lead."""

    hop: str
    final: bool
    target: str
    course: Course


_LEARN_FROM = (Side.ACTIVE, None, Side.DONE)
"""Where steps are learned first: an issue is not finished in the wrong way only to see where that leads."""


class StepsUnknown(Struct, frozen=True):
    """The steps from the record's present value are not known: read the record before a step is chosen."""


def find(
    rules: StatusRules,
    graph: Mapping[str, tuple[str, ...]] | None,
    raw: str,
    wanted: str,
    status: Status,
    reads: Status | None = None,
) -> Path | StepsUnknown | None:
    """The next hop from `raw` towards `wanted`, or None when there is no way.

    In this order: the wanted value by the shortest way; another value that means `status`; one step towards a value
    whose steps are not known yet, open values first; for a crossing, the nearest value of the wanted side. Learning
    comes before that last one: an issue is not made `Won't do` because the way to `Done` is not known yet. A way never
    leaves the wanted side once it is there, visits no value twice, and leads to no archived or frozen value.
    """
    if graph is None:
        return Path(hop=wanted, final=True, target=wanted, course=Course.WANTED)
    if raw not in graph:
        return StepsUnknown()
    now = reads or lens.get(rules, raw)
    first = _first_hops(rules, graph, raw, status.side, now)
    if wanted in first:
        return _path(first, wanted, Course.WANTED)
    for value in first:
        if lens.get(rules, value) is status or value in rules.accept.get(status, frozenset()):
            return _path(first, value, Course.INSTEAD)
    unknown = [value for value in first if value not in graph]
    if unknown:
        # `first` is in the order of distance and sorting is stable: the nearest open value comes first.
        unknown.sort(key=lambda value: _LEARN_FROM.index(_side(rules, value)))
        found = _path(first, unknown[0], Course.LEARN)
        return Path(hop=found.hop, final=False, target=wanted, course=Course.LEARN)
    if now is None or now.side is not status.side:
        for value in first:
            if _side(rules, value) is status.side:
                return _path(first, value, Course.INSTEAD)
    return None


def _side(rules: StatusRules, raw: str) -> Side | None:
    read = lens.get(rules, raw)
    return None if read is None else read.side


def _first_hops(
    rules: StatusRules, graph: Mapping[str, tuple[str, ...]], raw: str, wanted: Side, now: Status | None
) -> dict[str, str]:
    """Every value that can be reached, nearest first, with the first step of the shortest way to it."""
    first: dict[str, str] = {}
    inside = {raw: now is not None and now.side is wanted}
    queue = [raw]
    for value in queue:
        for step in _steps(graph, value):
            side = _side(rules, step)
            if step in inside or step in rules.frozen or step in rules.archived:
                continue
            if inside[value] and side not in (wanted, None):
                continue
            first[step] = first.get(value, step)
            inside[step] = inside[value] or side is wanted
            queue.append(step)
    return first


def _steps(graph: Mapping[str, tuple[str, ...]], value: str) -> Iterator[str]:
    yield from sorted(set(graph.get(value, ())))


def _path(first: Mapping[str, str], target: str, course: Course) -> Path:
    return Path(hop=first[target], final=first[target] == target, target=target, course=course)
