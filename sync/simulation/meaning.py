"""What raw statuses mean, told once more for the checkers: written apart from the mappings it judges.

The values are those of a stock Zendesk and a stock Jira software project.
"""

from __future__ import annotations

from sync.model import Side, Status
from sync.simulation.ledger import is_tracker

TICKET = {
    "new": Status.NEW,
    "open": Status.IN_PROGRESS,
    "pending": Status.WAITING,
    "hold": Status.WAITING,
    "solved": Status.RESOLVED,
    "closed": Status.RESOLVED,
}
ISSUE = {
    "To Do": Status.NEW,
    "In Progress": Status.IN_PROGRESS,
    "In Review": Status.IN_PROGRESS,
    "Blocked": Status.WAITING,
    "Done": Status.RESOLVED,
    "Won't Do": Status.CLOSED,
}

HIDDEN = ("hub", "hypercare", "merge", "closed_by_merge", "jira_", "zendesk_", "servicedesk")
"""Tags that the shipped mappings let nowhere."""


def get(record: str, raw: str) -> Status:
    """What a record's raw status means."""
    return (ISSUE if is_tracker(record) else TICKET)[raw]


def side(record: str, raw: str) -> Side:
    """On which side of the line a record stands."""
    return get(record, raw).side


def ticket_agrees(status: Status, raw: str) -> bool:
    """Whether a ticket may show `raw` while its item has `status`, with nothing left to write.

    Group rules, section 3: any done value is kept under any done one, `pending` under any open one; nothing goes back
    to `new`, so `open` rests under it.
    """
    if status.side is Side.DONE:
        return TICKET[raw].side is Side.DONE
    if raw == "pending":
        return True
    if status is Status.NEW:
        return raw in ("new", "open")
    return raw == ("open" if status is Status.IN_PROGRESS else "hold")
