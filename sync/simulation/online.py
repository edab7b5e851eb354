"""The online checker: watches every event and every stored version as they come. Imports nothing of the hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sync.model import Side
from sync.simulation.ledger import HUB, USER, Event, Ledger, What, is_tracker
from sync.simulation.meaning import side


class Watch:
    """Keeps what it has seen; `look` says what went wrong since it last looked.

    mirrors: the tickets' status only follows the item, so the hub may put it back as often as their users change it.
    """

    def __init__(self, ledger: Ledger, *, mirrors: bool = False) -> None:
        self._ledger = ledger
        self._mirrors = mirrors
        self._next = 0
        self._versions: dict[str, tuple[str, int]] = {}

    def forget(self) -> None:
        """The database was replaced by an older one: its versions begin anew."""
        self._versions = {}

    def look(self, versions: Mapping[str, tuple[str, int]]) -> Iterator[str]:
        """Judge the events and versions since the last look, one line each: `law: what`."""
        for record, now in versions.items():
            before = self._versions.get(record)
            if before is not None and (now[0] < before[0] or now[1] < before[1]):
                yield f"H10 version-went-back: {record} from {before} to {now}"
        self._versions = dict(versions)
        events = self._ledger.events
        while self._next < len(events):
            event = events[self._next]
            self._next += 1
            if event.by == HUB:
                yield from self._judge(event)

    def _judge(self, event: Event) -> Iterator[str]:
        if event.what is What.STATUS:
            yield from self._status(event)
        elif event.what in (What.ADDED, What.REMOVED):
            yield from self._tag(event)
        elif event.what in (What.MERGED, What.DELETED):
            yield f"hub-{event.what}: {event.record}"

    def _status(self, event: Event) -> Iterator[str]:
        """The hub never resolves or reopens a record more often than people did who speak for it."""
        record = event.record
        if event.new in ("closed", "pending"):
            yield f"hub-wrote-{event.new}: on {record}"
        was, now = side(record, event.old), side(record, event.new)
        if was is now:
            return
        if self._hid_an_edit(event):
            return
        kind = "resolved" if now is Side.DONE else "reopened"
        done = self._count(lambda e: e.record == record and e.by == HUB and _crossing(e) is now, event.no + 1)
        if is_tracker(record):
            asked = self._count(lambda e: not is_tracker(e.record) and e.by == USER and _crossing(e) is now, event.no)
        else:
            asked = self._count(lambda e: is_tracker(e.record) and e.by == USER and _crossing(e) is now, event.no)
            if self._mirrors:
                asked += self._count(
                    lambda e: e.record == record and e.by == USER and _crossing(e) not in (None, now), event.no
                )
        if done > asked:
            yield f"{kind}-unasked: the hub {kind} {record} ({event.new}) {done} times, people asked {asked} times"

    def _hid_an_edit(self, write: Event) -> bool:
        """Whether a write replaced what a user had set in the second of the write before it.

        A version is a second in Zendesk: no condition of a write tells the two apart, its audit alone does, afterwards.
        """
        own = [e for e in self._ledger.events[: write.no] if e.record == write.record]
        status = next((e for e in reversed(own) if e.what is What.STATUS), None)
        before = next((e for e in reversed(own) if e.by == HUB and status is not None and e.no < status.no), None)
        if is_tracker(write.record) or status is None or before is None or status.by != USER:
            return False
        return status.at > 0.0 and int(status.at) == int(before.at)

    def _tag(self, event: Event) -> Iterator[str]:
        """The hub adds only what some user added, and removes only what some user removed."""
        same = self._count(lambda e: e.what is event.what and e.new == event.new and e.by == USER, event.no)
        if not same:
            yield f"tag-{event.what}-unasked: {event.new} on {event.record}"

    def _count(self, which: object, before: int) -> int:
        assert callable(which)
        return sum(1 for event in self._ledger.events[:before] if which(event))


def _crossing(event: Event) -> Side | None:
    """The side that a status change went to, if it crossed the line."""
    if event.what is not What.STATUS:
        return None
    was, now = side(event.record, event.old), side(event.record, event.new)
    return now if was is not now else None
