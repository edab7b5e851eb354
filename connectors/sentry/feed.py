"""The place in the change feed: rounds over the issue lists, newest first, down to where the last round began. Pure.

Sentry has no feed of changes. An issue that somebody sees again moves up in the list by `lastSeen`; new feedback stands
on top of its own list by `firstSeen`. A round reads each list from its top to the mark, and leaves a new mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from connectors.errors import CursorExpired

OVERLAP = timedelta(minutes=2)
"""How far behind the mark a round reads: events arrive late, and the search lags."""

MARGIN = timedelta(minutes=10)
"""How much longer the asked-for period is than what is needed: it ends at the remote's clock, not at ours."""

LONGEST = timedelta(days=90)
"""The longest period that Sentry takes."""

ISSUES = "issues"
FEEDBACK = "feedback"


class Place(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a round is. mark: epoch seconds down to which it reads. top: the newest time it has seen so far.

    listing: the list it reads. at: Sentry's cursor in it. rounds: how many have ended.
    """

    mark: float
    top: float
    listing: str = ISSUES
    at: str = ""
    rounds: int = 0

    @property
    def is_first(self) -> bool:
        """Whether this is the first round: the import of the past, or the start of the live feed."""
        return self.rounds == 0


def begin(since: datetime) -> Place:
    """The place of a feed that begins at `since`."""
    return Place(mark=since.timestamp(), top=since.timestamp())


def read(cursor: str) -> Place:
    """The place that a saved cursor names. Raises CursorExpired."""
    try:
        return msgspec.json.decode(cursor.encode(), type=Place)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        raise CursorExpired("The saved place in the issue list is not one of ours; the list is read anew.") from None


def text(place: Place) -> str:
    """A place as a cursor to save."""
    return msgspec.json.encode(place).decode()


def bottom(place: Place) -> float:
    """The time, in epoch seconds, below which a round reads nothing."""
    return place.mark if place.is_first else place.mark - OVERLAP.total_seconds()


def period(place: Place, now: datetime) -> str:
    """The `statsPeriod` that covers a round: hours up to two days, else days, 90 at most."""
    needed = min(LONGEST, timedelta(seconds=max(0.0, now.timestamp() - bottom(place))) + MARGIN)
    hours = int(needed.total_seconds() // 3600) + 1
    return f"{hours}h" if hours <= 48 else f"{min(90, hours // 24 + 1)}d"


def after(
    place: Place, times: Sequence[float], following: str, *, now: datetime, with_feedback: bool
) -> tuple[Place, bool]:
    """The place after a page whose rows have these times, newest first, and whether there is more to read at once.

    An event may claim to be from the future; the mark never is, or nothing would be read until then.
    """
    top = max([place.top, *times])
    goes_on = bool(following) and following != place.at and bool(times) and times[-1] >= bottom(place)
    if goes_on:
        return msgspec.structs.replace(place, top=top, at=following), True
    if place.listing == ISSUES and with_feedback:
        return msgspec.structs.replace(place, top=top, listing=FEEDBACK, at=""), True
    mark = max(place.mark, min(top, now.timestamp()))
    return Place(mark=mark, top=mark, rounds=place.rounds + 1), False
