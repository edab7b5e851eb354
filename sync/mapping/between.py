"""The laws between the systems of one configuration, checked over every pair of mappings that can meet in an item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from sync.core.pairs import PairLaw, PairViolation, Party, losses, ping_pong
from sync.mapping.compiled import Mapping as CompiledMapping
from sync.mapping.findings import Problems
from sync.model import Status


def check(mappings: Iterable[tuple[CompiledMapping, Problems, int]]) -> None:
    """Report what a pair breaks, at the mapping that is written.

    mappings: each with where its problems go, and how many connections have it: two that share one meet as well.
    """
    parties = [(party(mapping), problems, count) for mapping, problems, count in mappings if mapping.status_field]
    for (one, mine, _), (other, theirs, _) in combinations(parties, 2):
        _losses(one, other, theirs)
        _losses(other, one, mine)
        _circle(one, other, theirs)
    for own, problems, count in parties:
        if count > 1:
            _losses(own, own, problems)
            _circle(own, own, problems)


def party(mapping: CompiledMapping) -> Party:
    """A mapping as the other systems meet it."""
    says = dict(_says(mapping))
    own = f" ({', '.join(mapping.connections)})" if mapping.connections else ""
    return Party(
        name=mapping.system.capitalize() + own,
        rules=mapping.status,
        says=says,
        direction=mapping.status_direction,
        collapses=mapping.collapses,
    )


def _says(mapping: CompiledMapping) -> Iterator[tuple[str, Status]]:
    for raw, meaning in mapping.status.values.items():
        yield f"`{raw}`", meaning
    if mapping.status_category is not None:
        for category, meaning in mapping.status_category.values.items():
            yield f"(a status of the category `{category}`)", meaning
    if mapping.status_default is not None:
        yield "(a status that is named nowhere)", mapping.status_default


def _losses(speaker: Party, listener: Party, problems: Problems) -> None:
    for violation in losses(speaker, listener):
        problems.add(
            _place(listener, violation),
            violation.story,
            f"write a status of its own for {violation.status}, or say `collapses: true` if that is meant",
            key=True,
        )


def _circle(one: Party, other: Party, problems: Problems) -> None:
    violation = ping_pong(one, other)
    if violation is not None:
        problems.add(
            _place(other, violation), violation.story, "write for each meaning a status that reads as it", key=True
        )


def _place(listener: Party, violation: PairViolation) -> tuple[str, ...]:
    """Where the status is written for the meaning; where nothing says so, the table it is missing from."""
    known = violation.status in listener.rules.write and violation.law is PairLaw.NO_SILENT_LOSS
    return ("fields", "status", "write", violation.status) if known else ("fields", "status", "write")
