"""The four kinds of change that the benchmarks make in equal parts: status and tag, each in both directions."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from benchmarks.figures import WrongResult
from benchmarks.stage import Pair, Stage


class Kind(StrEnum):
    """What is changed, and on which side."""

    TICKET_TAG = "tag on a ticket"
    ISSUE_TAG = "tag on an issue"
    TICKET_STATUS = "status of a ticket"
    ISSUE_STATUS = "status of an issue"

    @property
    def from_ticket(self) -> bool:
        """A ticket is changed, an issue is to be written."""
        return self in (Kind.TICKET_TAG, Kind.TICKET_STATUS)


def change(stage: Stage, kind: Kind, pair: Pair, number: int) -> None:
    """Make a change: the tag of that number, or a status across the line between open and done, back and forth."""
    tag = f"{kind.name.lower().replace('_', '-')}-{number}"
    match kind:
        case Kind.TICKET_TAG:
            stage.zendesk(act="tag", ticket=pair.ticket, add=[tag])
        case Kind.ISSUE_TAG:
            stage.jira(act="add_label", issue=pair.key, label=tag)
        case Kind.TICKET_STATUS:
            stage.zendesk(act="status", ticket=pair.ticket, status="open" if stage.ticket_done(pair) else "solved")
        case Kind.ISSUE_STATUS:
            stage.jira(act="transition", issue=pair.key, to="In Progress" if stage.issue_done(pair) else "Done")


DONE_TICKET, DONE_ISSUE = {"solved", "closed"}, {"Done", "Won't Do"}


def agree(stage: Stage, pairs: Sequence[Pair], tags: Sequence[tuple[Pair, str]] = ()) -> None:
    """Raise WrongResult unless both sides of every pair are done or open alike and show the same tags.

    tags: what each pair must show besides. Read from the stand-ins' own state.
    """
    tickets, issues = stage.tickets(), stage.issues()
    for pair in pairs:
        ticket, issue = tickets[pair.ticket], issues[pair.key]
        if (ticket["status"] in DONE_TICKET) != (issue["status"] in DONE_ISSUE):
            raise WrongResult(f"ticket {pair.ticket} is {ticket['status']}, {pair.key} is {issue['status']}")
        if _tags(ticket["tags"]) != _tags(issue["labels"]):
            raise WrongResult(f"ticket {pair.ticket} has {ticket['tags']}, {pair.key} has {issue['labels']}")
    for pair, tag in tags:
        if tag not in tickets[pair.ticket]["tags"]:
            raise WrongResult(f"ticket {pair.ticket} lost {tag}")


def _tags(given: Any) -> set[str]:
    return {str(each).lower() for each in given}
