"""Which laws a history could have broken: how often the case of each arose. Imports nothing of the hub but its nouns.

A law that was never put to the test holds in every history, and says nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from sync.model import Side
from sync.simulation.ledger import HUB, USER, Ledger, Sight, What, is_tracker
from sync.simulation.meaning import side

PREMISES: Mapping[str, str] = {
    "H1": "an item at rest with an issue and a ticket, both there",
    "H2": "a write by the hub after which everything had to come to rest",
    "H4": "a user's status that a write of the hub's replaced in the same moment",
    "H5": "a tag that a user removed and that others had had from the hub",
    "H6": "a tag that one user added on a member and nobody removed",
    "H7 creates": "an issue that the hub created",
    "H7 links": "a link or a note of the hub's",
    "H9": "a worker that gave way to another at a port call",
    "H10": "a write by the hub with a user's edit of the same record after it",
    "H11": "a change that a stored place in a feed had passed",
    "H14": "a rest that was compared with the same one, told in another order",
    "H15": "a decision that was not kept since another decider had just decided the item",
    "H21": "a mapping that was edited",
    "H24": "a field that was held as fought over with an automation",
    "H26": "a base that was lost for one record while all else was at rest",
    "H29": "a change in the journal of an item",
    "resolved": "a record that the hub resolved",
    "reopened": "a record that the hub reopened",
    "aside": "a member that stands aside by its own user",
    "deleted": "a record that was deleted while it was a member",
    "merged": "a ticket that was merged while it was a member",
    "closed": "a closed ticket in an item",
    "left": "a record that left its item",
    "model status": "a status that the reference model said must stay, or be as its people set it",
    "model tracker moved": "an item that only the tracker's people moved, from one rest to the next",
    "model ticket followed": "a ticket that had to follow them",
    "model tickets moved": "an item that only tickets moved, one way",
    "model sibling": "a ticket that had to stay while others moved",
    "model tag": "a tag of which the reference model said who must show it",
    "model member left": "a record that left its item, for which the reference model looked for a cause",
}
"""The premise of each law, in words."""


def arisen(ledger: Ledger, sights: Sequence[Sight]) -> Counter[str]:
    """How often each premise arose in one history; `H21` is counted by whoever edits the mapping."""
    found: Counter[str] = Counter()
    members: set[str] = set()
    wrote: set[str] = set()
    carried: set[str] = set()
    for event in ledger.events:
        if event.what is What.JOINED:
            members.add(event.record)
        elif event.what is What.LEFT and event.by == HUB:
            found["left"] += 1
        elif event.what is What.DELETED and event.record in members:
            found["deleted"] += 1
        elif event.what is What.MERGED and event.record in members:
            found["merged"] += 1
        elif event.by == HUB and event.what in (What.STATUS, What.ADDED, What.REMOVED):
            found["H2"] += 1
            wrote.add(event.record)
            if event.what is What.ADDED:
                carried.add(event.new)
            if event.what is What.STATUS:
                was, now = side(event.record, event.old), side(event.record, event.new)
                if was is not now:
                    found["resolved" if now is Side.DONE else "reopened"] += 1
        elif event.by == USER:
            found["H10"] += event.record in wrote
            found["H5"] += event.what is What.REMOVED and event.new in carried
    found["H4"] += len(ledger.hidden)
    found["H6"] += len(_kept(ledger, members))
    found["H7 creates"] += len(ledger.made)
    found["H7 links"] += sum(ledger.notes.values()) + sum(len(each) for each in ledger.own_links.values())
    for sight in sights:
        tickets = [each for each in sight.members if not is_tracker(each.record) and each.present]
        found["H1"] += sight.tracker is not None and sight.tracker.present and bool(tickets)
        found["aside"] += sum(1 for each in sight.members if each.aside)
        found["closed"] += sum(1 for each in tickets if ledger.shapes[each.record].status == "closed")
    return +found


def _kept(ledger: Ledger, members: Collection[str]) -> set[str]:
    added = {e.new for e in ledger.events if e.what is What.ADDED and e.by == USER and e.record in members}
    return added - {e.new for e in ledger.events if e.what is What.REMOVED and e.by == USER}
