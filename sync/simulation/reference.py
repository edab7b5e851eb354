"""The third checker: a model of the group rules that knows nothing but what people did.

It is told of every moment of rest: the hub has read the truth about an item's records and has nothing left to do. From
one rest to the next it looks at what *people* did to the item's records, in the ledger, and says what each record must
show now. Where the rules leave it to the order in which things were seen (a resolve and a reopen between two rests), it
says nothing; `judged` counts what it did say. It is written from the group rules alone, shares no code with the engine
and imports nothing of the hub but `sync.model`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sync.model import Side
from sync.simulation.ledger import USER, Event, Ledger, Membership, Shape, Sight, What, is_tracker
from sync.simulation.meaning import HIDDEN, get, side


@dataclass(frozen=True)
class _Rest:
    """An item at rest. no: the first event after it. told: conflicts recorded until then, by field.

    waits: the fields of each record that were parked or held: what was owed to it then may come at any time.
    """

    no: int
    shapes: Mapping[str, Shape]
    told: Mapping[str, int]
    waits: Mapping[str, frozenset[str]]


class Reference:
    """Judges one history, rest by rest. mirrors: the tickets' status only follows, so their people have no say.

    judged: how many statements about statuses and tags it made, by kind.
    """

    def __init__(self, ledger: Ledger, *, mirrors: bool = False) -> None:
        self._ledger = ledger
        self._mirrors = mirrors
        self._last: dict[str, _Rest] = {}
        self._left = 0
        self.judged: Counter[str] = Counter()

    def forget(self) -> None:
        """The hub's memory was replaced by an older one: what it had heard is not known any more."""
        self._last.clear()

    def rest(self, sight: Sight, told: Mapping[str, int]) -> Iterator[str]:
        """An item came to rest: what is wrong about it, one line each. told: its recorded conflicts, by field."""
        before = self._last.get(sight.item)
        records = {member.record: self._ledger.shapes[member.record] for member in sight.members}
        waits = {member.record: member.parked | member.held for member in sight.members}
        now = _Rest(len(self._ledger.events), records, dict(told), waits)
        self._last[sight.item] = now
        if before is None or set(before.shapes) != set(records):
            return
        since = self._ledger.events[before.no :]
        if any(e.what in (What.JOINED, What.LEFT) and e.new == sight.item for e in since):
            return  # also a record that is gone again may have brought something
        events = [e for e in since if e.record in records]
        if any(e.what in (What.JOINED, What.LEFT, What.MERGED, What.DELETED) for e in events):
            return
        edits = [e for e in events if e.by == USER]
        tracker = sight.tracker
        if tracker is None or not all(member.present for member in sight.members):
            return
        told_more = {field for field, count in told.items() if count > before.told.get(field, 0)}
        if "status" not in told_more and not self._mirrors:
            yield from self._statuses(sight, tracker, before, edits)
        waited = [waits[record] | before.waits[record] for record in records]
        if "tags" not in told_more and not any({"tags", "record"} & fields for fields in waited):
            yield from self._tags(sight, tracker.record, before, edits)

    # --- statuses ----------------------------------------------------------------------------------------------------

    def _statuses(self, sight: Sight, tracker: Membership, before: _Rest, edits: Collection[Event]) -> Iterator[str]:
        excused = {
            m.record
            for m in sight.members
            if {"status", "record"} & (m.parked | m.held | before.waits.get(m.record, frozenset()))
        }
        if tracker.record in excused:
            return
        moves = [e for e in edits if e.what is What.STATUS]
        crossed = [e for e in moves if side(e.record, e.old) is not side(e.record, e.new)]
        by_tracker = [e for e in crossed if is_tracker(e.record)]
        by_tickets = [e for e in crossed if not is_tracker(e.record)]
        if not crossed:
            yield from self._nobody_crossed(sight, tracker.record, before, moves, excused)
        elif not by_tickets:
            yield from self._tracker_crossed(sight, tracker.record, before, excused)
        elif not by_tracker:
            yield from self._tickets_crossed(sight, tracker.record, before, by_tickets, excused)

    def _nobody_crossed(
        self, sight: Sight, tracker: str, before: _Rest, moves: Collection[Event], excused: Collection[str]
    ) -> Iterator[str]:
        """Nobody's side changed, so nobody's side changes; without a word from the tracker nothing changes at all."""
        said = any(is_tracker(e.record) for e in moves)
        for member in sight.members:
            record = member.record
            was, shows = before.shapes[record].status, self._ledger.shapes[record].status
            if record in excused:
                continue
            own = [e.new for e in moves if e.record == record]
            self.judged["status"] += 1
            if side(record, was) is not side(record, shows):
                yield self._wrong(sight, f"{record} went from {was} to {shows} although nobody crossed the line")
            elif not said and shows != (own[-1] if own else was) and not self._near(record, was, shows):
                yield self._wrong(sight, f"{record} should show {own[-1] if own else was} and shows {shows}")
        if said and tracker not in excused:
            last = [e.new for e in moves if e.record == tracker][-1]
            if get(tracker, last) is not get(tracker, self._ledger.shapes[tracker].status):
                yield self._wrong(sight, f"{tracker} should show {last}, which its people set last")

    @staticmethod
    def _near(record: str, was: str, shows: str) -> bool:
        """A closed ticket is a solved one that nobody can edit any more."""
        return not is_tracker(record) and {was, shows} <= {"solved", "closed"}

    def _tracker_crossed(self, sight: Sight, tracker: str, before: _Rest, excused: Collection[str]) -> Iterator[str]:
        """The tracker's people move the item, and everybody hears them."""
        stood = side(tracker, before.shapes[tracker].status)
        stands = side(tracker, self._ledger.shapes[tracker].status)
        last = next(
            e.new
            for e in reversed(self._ledger.events)
            if e.record == tracker and e.what is What.STATUS and e.by == USER
        )
        self.judged["tracker moved"] += 1
        if side(tracker, last) is not stands:
            yield self._wrong(sight, f"{tracker} was set to {last} by its people and shows another side")
            return
        if self._ledger.lost[tracker] and stood is stands:
            return  # there and back: where a lost base let tickets stand apart, what was seen of it decides
        for member in sight.members:
            record, shape = member.record, self._ledger.shapes[member.record]
            if is_tracker(record) or record in excused or shape.status == "closed":
                continue
            # A ticket that its own agent put there may have stood aside, and stays when the item is opened again.
            followed = side(record, before.shapes[record].status) is stood and not self._by_its_own_hand(record)
            if stands is Side.DONE or followed:
                self.judged["ticket followed"] += 1
                if side(record, shape.status) is not stands:
                    yield self._wrong(sight, f"{tracker} went {last}, and {record} shows {shape.status}")

    def _by_its_own_hand(self, record: str) -> bool:
        """Whether a record's status is as its own people set it."""
        moves = [e.by for e in self._ledger.events if e.record == record and e.what is What.STATUS]
        return bool(moves) and moves[-1] == USER

    def _tickets_crossed(
        self, sight: Sight, tracker: str, before: _Rest, crossed: Collection[Event], excused: Collection[str]
    ) -> Iterator[str]:
        """Tickets say "done" once all are, and "open again" as soon as one is; the others stay as they are."""
        stood = side(tracker, before.shapes[tracker].status)
        ways = {side(e.record, e.new) for e in crossed}
        if len(ways) != 1 or excused:
            return  # there and back: what was seen decides
        way = ways.pop()
        movers = {e.record for e in crossed}
        tickets = [m.record for m in sight.members if not is_tracker(m.record)]
        if way is Side.ACTIVE:
            wanted = Side.ACTIVE
        else:
            all_done = all(side(each, self._ledger.shapes[each].status) is Side.DONE for each in tickets)
            wanted = Side.DONE if all_done or stood is Side.DONE else Side.ACTIVE
        self.judged["tickets moved"] += 1
        stands = side(tracker, self._ledger.shapes[tracker].status)
        if stands is not wanted:
            names = ", ".join(sorted(movers))
            yield self._wrong(sight, f"{names} went {way}, so {tracker} should be {wanted} and is {stands}")
        for record in sorted(set(tickets) - movers):
            self.judged["sibling"] += 1
            was, shows = before.shapes[record].status, self._ledger.shapes[record].status
            if side(record, was) is not side(record, shows):
                yield self._wrong(sight, f"{record} went from {was} to {shows} although only others moved")

    # --- tags --------------------------------------------------------------------------------------------------------

    def _tags(self, sight: Sight, tracker: str, before: _Rest, edits: Collection[Event]) -> Iterator[str]:
        now = {member.record: self._ledger.shapes[member.record] for member in sight.members}
        open_ones = {record for record, shape in now.items() if shape.status != "closed"}
        touched = [e for e in edits if e.what in (What.ADDED, What.REMOVED)]
        keys = {e.new for e in touched}.union(
            *(s.tags for s in now.values()), *(s.tags for s in before.shapes.values())
        )
        waived = frozenset[str]().union(*(member.waived for member in sight.members))
        for key in sorted(key for key in keys - waived if not key.startswith(HIDDEN)):
            added = {e.record for e in touched if e.new == key and e.what is What.ADDED}
            removed = {e.record for e in touched if e.new == key and e.what is What.REMOVED}
            had = {record for record, shape in before.shapes.items() if key in shape.tags}
            have = {record for record, shape in now.items() if key in shape.tags}
            must, may_not = _wanted(tracker, set(now), open_ones, had, added, removed)
            self.judged["tag"] += bool(must or may_not)
            if lacking := sorted(must - have):
                yield self._wrong(sight, f"{', '.join(lacking)} should show the tag {key}", "tags")
            if left := sorted(may_not & have):
                yield self._wrong(sight, f"{', '.join(left)} should not show the tag {key}", "tags")

    @staticmethod
    def _wrong(sight: Sight, what: str, of: str = "status") -> str:
        return f"model-{of}: {sight.item}: {what}"

    # --- members -----------------------------------------------------------------------------------------------------

    def end(self) -> Iterator[str]:
        """Nobody leaves an item unless people unlinked, merged or deleted something."""
        restored = bool(self._ledger.restores)
        events = self._ledger.events
        for event in events:
            if event.what is not What.LEFT or event.by == USER or restored:
                continue
            self.judged["member left"] += 1
            if not any(_ends(cause, event.record) for cause in events if cause.by == USER):
                again = any(e.what is What.JOINED and e.record == event.record and e.no > event.no for e in events)
                if not again:
                    yield f"model-members: {event.record} left {event.new} although nobody took it out"


def _wanted(
    tracker: str, records: set[str], open_ones: set[str], had: set[str], added: set[str], removed: set[str]
) -> tuple[set[str], set[str]]:
    """The records that must show a tag, and those that may not."""
    if added and removed:
        return set(), set()  # which of them was seen last decides
    if added:
        must = {tracker} | (added & records) | (open_ones if tracker in added else set())
        is_new = not had
        return must, (records - added - {tracker}) if is_new and tracker not in added else set()
    if tracker in removed:
        return set(), open_ones
    if removed:
        kept = had - removed - {tracker}
        if kept:
            return (had - removed), removed & open_ones
        return set(), open_ones
    return had, records - had


def _ends(cause: Event, record: str) -> bool:
    """Whether what somebody did may take a record out of its item."""
    if cause.what in (What.DELETED, What.MERGED):
        return cause.record == record
    return cause.what is What.LEFT and (cause.record == record or cause.new.endswith(f"/tickets/{record[1:]}"))
