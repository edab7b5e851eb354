"""The journal told again: does it alone give every item's value? (H29)"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sync.simulation.ledger import Sight


@dataclass(frozen=True)
class Told:
    """One change of an item, as its journal tells it. field: `status` or `tags`; of tags, one key added or removed."""

    field: str
    old: str | None
    new: str | None


def faults_of(journal: Mapping[str, Sequence[Told]], sights: Sequence[Sight]) -> Iterator[str]:
    """What the journals of the items do not give, one line each. journal: by item, oldest first."""
    for sight in sights:
        status: str | None = None
        tags: set[str] = set()
        for told in journal.get(sight.item, ()):
            if told.field == "status":
                if told.old != status:
                    yield f"H29 journal-gap: {sight.item} was {status}, and its journal goes on from {told.old}"
                status = told.new
            elif told.field == "tags":
                if told.old is not None:
                    tags.discard(told.old)
                if told.new is not None:
                    tags.add(told.new)
        if (status or "") != sight.status:
            yield f"H29 journal-status: {sight.item} is {sight.status}, and its journal ends with {status}"
        if tags != set(sight.tags):
            odd = ", ".join(sorted(tags ^ set(sight.tags)))
            yield f"H29 journal-tags: {sight.item} and its journal differ about {odd}"
