"""A status that a live system has and no file names, known by its category or a default, breaks no law between two
systems: what is written is named, so whatever a record shows at first, the pairs that follow were judged offline.
"""

from __future__ import annotations

import random
from itertools import pairwise

from msgspec import structs

from sync.core.laws import violations
from sync.core.pairs import Party, losses, ping_pong
from sync.mapping.between import party as offline
from sync.mapping.load import load
from sync.model import Status
from tests.sync.mapping.test_random_mappings import accepted, as_party, random_entry


def live(known: Party, rng: random.Random) -> Party:
    """The same system with statuses that nobody named."""
    more = {f"live {n}": rng.choice(list(Status)) for n in range(3)}
    rules = structs.replace(known.rules, values={**known.rules.values, **more})
    return structs.replace(known, rules=rules, says={**known.says, **{f"`{raw}`": one for raw, one in more.items()}})


def test_two_that_rest_offline_rest_with_every_live_status() -> None:
    rng = random.Random(20260303)
    judged = 0
    entries = [entry for entry in (random_entry(rng, tame=True) for _ in range(2_500)) if accepted(entry)]
    for one, other in pairwise(entries):
        mine, theirs = as_party(one), as_party(other)
        if violations(mine.rules) or violations(theirs.rules) or ping_pong(mine, theirs) is not None:
            continue
        judged += 1
        assert ping_pong(live(mine, rng), live(theirs, rng)) is None
    assert judged > 200


def test_a_category_loses_nothing_more_than_its_words_told_offline() -> None:
    text = (
        "system: jira\nkind: issue\nfields:\n  status:\n    field: status\n    values: {To Do: new, Done: resolved}\n"
        "    by_category: {field: status_category, values: {indeterminate: in_progress}}\n"
        "    write: {new: To Do, resolved: Done}\n"
    )
    speaker = offline(load({"jira.yaml": text}).mappings["jira"])
    listener = Party(
        name="Zendesk",
        rules=structs.replace(speaker.rules, values={"open": Status.NEW}, write={Status.NEW: "open"}),
        says={},
    )
    (found,) = losses(speaker, listener)
    assert found.story.startswith("Jira (a status of the category `indeterminate`) reads as in_progress; ")
    shown = structs.replace(speaker, says={**speaker.says, "`In Arbeit`": Status.IN_PROGRESS})
    assert [each.status for each in losses(shown, listener)] == [found.status]
