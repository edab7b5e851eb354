"""The end-state checker: when faults have healed and nothing moves any more, is everything as it should be?

It judges by the ledger and by what the hub says of its items, and imports nothing of the hub but `sync.model`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from sync.model import Side, Status
from sync.simulation.ledger import HUB, USER, Event, Ledger, Membership, Sight, What, is_tracker
from sync.simulation.meaning import HIDDEN, get, side, ticket_agrees


def faults_of(ledger: Ledger, sights: Sequence[Sight], named: Collection[tuple[str, str]]) -> list[str]:
    """Everything that is wrong at rest, one line each: `law: what`. named: (record, value) of the losers."""
    found: list[str] = []
    for sight in sights:
        found += _statuses(ledger, sight)
        found += _tags(ledger, sight)
    found += _departed(ledger, sights)
    found += _creates(ledger, sights)
    found += _links(ledger, sights)
    found += [
        f"H4 lost-edit-not-named: {each.record} {each.lost} was replaced by {each.by}"
        for each in ledger.hidden
        if (each.record, each.lost) not in named
    ]
    return found


# --- statuses ---------------------------------------------------------------------------------------------------


def _statuses(ledger: Ledger, sight: Sight) -> Iterator[str]:
    if not sight.status:
        return
    status = Status(sight.status)
    tracker = sight.tracker
    for member in sight.members:
        shape = ledger.shapes[member.record]
        if shape.gone or not member.present or member.parked or member.held:
            continue
        if is_tracker(member.record):
            if side(member.record, shape.status) is not status.side:
                yield f"H1 tracker-diverged: {member.record} shows {shape.status}, {sight.item} is {status}"
            elif get(member.record, shape.status) is not status and not _rests(ledger, sight, member.record, status):
                yield f"H1 tracker-detail-diverged: {member.record} shows {shape.status}, {sight.item} is {status}"
        else:
            yield from _ticket(ledger, sight, status, member, tracker)


def _ticket(
    ledger: Ledger, sight: Sight, status: Status, member: Membership, tracker: Membership | None
) -> Iterator[str]:
    shape = ledger.shapes[member.record]
    if shape.status == "closed" or ticket_agrees(status, shape.status):
        return
    last = _last(ledger, member.record, What.STATUS)
    joined = _last(ledger, member.record, What.JOINED)
    own = last is None or last.by == USER or (joined is not None and joined.no > last.no)
    stands = side(member.record, shape.status)
    left_done = status.side is Side.ACTIVE and stands is Side.DONE
    unsaid = member.aside and tracker is not None and _unsaid(ledger, sight.item, tracker.record)
    if not own and not left_done and not unsaid:
        yield f"H1 ticket-diverged: {member.record} shows {shape.status} (by the hub), {sight.item} is {status}"
    if own and not member.aside and not left_done:
        yield f"H1 ticket-neither-agrees-nor-aside: {member.record} shows {shape.status}, {sight.item} is {status}"
    if tracker is None or tracker.parked or tracker.held or tracker.record not in ledger.shapes:
        return
    moved = _last(ledger, tracker.record, What.STATUS)
    if moved is None or moved.by != USER or ledger.shapes[tracker.record].gone:
        return
    # The tracker's people had the last word there. Whoever was a member then has heard them resolve.
    since = joined.no if joined is not None else -1
    tracker_joined = _last(ledger, tracker.record, What.JOINED)
    since = max(since, tracker_joined.no if tracker_joined is not None else -1)
    resolved = side(tracker.record, moved.new) is Side.DONE and _crossed(tracker.record, moved)
    if ledger.lost[tracker.record]:
        # What it showed when its base was lost is where it began: it has to be seen as open before it resolves.
        since = max(since, _opened(ledger, tracker.record, moved.no))
    rests = ledger.decided.get(sight.item)
    seen = rests is None or any(since < rest <= moved.no for rest in rests)  # else it may never have been seen as open
    if resolved and moved.no > since and stands is Side.ACTIVE and seen:
        yield f"resolve-not-heard: {tracker.record} went {moved.new}, {member.record} shows {shape.status}"


def _rests(ledger: Ledger, sight: Sight, tracker: str, status: Status) -> bool:
    """Whether an issue may rest under another kind of done: its tickets resolved the item after its people last spoke.

    Group rules, section 3: any done value is kept under any done one.
    """
    moved = _last(ledger, tracker, What.STATUS)
    since = -1 if moved is None else moved.no
    tickets = {member.record for member in sight.members} - {tracker}
    return status.side is Side.DONE and any(
        e.no > since and e.record in tickets and e.by == USER and e.what is What.STATUS and _crossed(e.record, e)
        for e in ledger.events
    )


def _opened(ledger: Ledger, record: str, before: int) -> int:
    """When a record was last put on the open side before an event, -1 when it was not."""
    opened = (e.no for e in ledger.of(record, What.STATUS) if e.no < before and side(record, e.new) is Side.ACTIVE)
    return max(opened, default=-1)


def _unsaid(ledger: Ledger, item: str, tracker: str) -> bool:
    """Whether what an issue's people set last may be what it began with anew, when its base was lost.

    Then the item has that value and tells nobody (group rules, section 4: as one that joins), and a ticket that the hub
    had put elsewhere stands aside: that they moved the issue is known to nobody. It is known as soon as the item rested
    between the loss and their move, whichever came first. Found by histories (rare 320111, 320157).
    """
    moved, rests = _last(ledger, tracker, What.STATUS), ledger.decided.get(item)
    if not ledger.lost[tracker] or moved is None or moved.by != USER or rests is None:
        return False
    spans = [sorted((moved.no, loss.no)) for loss in ledger.of(tracker, What.JOINED)]
    return any(not any(start < rest <= end for rest in rests) for start, end in spans)


def _crossed(record: str, event: Event) -> bool:
    return side(record, event.old) is not side(record, event.new)


def _last(ledger: Ledger, record: str, what: What) -> Event | None:
    return next((event for event in reversed(ledger.events) if event.record == record and event.what is what), None)


# --- tags -------------------------------------------------------------------------------------------------------


def _tags(ledger: Ledger, sight: Sight) -> Iterator[str]:
    members = {member.record: member for member in sight.members}
    present = {
        record
        for record, member in members.items()
        if member.present and not ledger.shapes[record].gone and not {"tags", "record"} & (member.parked | member.held)
    }
    waived = frozenset[str]().union(*(member.waived for member in sight.members))
    for key in sorted(_keys(ledger, members) - waived):
        yield from _tag(ledger, sight, members, present, key)


def _keys(ledger: Ledger, members: dict[str, Membership]) -> set[str]:
    """The tags that only one record ever brought, by a user of its own: their fate is exact."""
    bringers: dict[str, set[str]] = {}
    for event in ledger.events:
        if event.what is What.ADDED and event.by == USER:
            bringers.setdefault(event.new, set()).add(event.record)
    return {
        key
        for key, records in bringers.items()
        if len(records) == 1
        and records <= set(members)
        and not key.startswith(HIDDEN)
        and not _came_and_went(ledger, key)
    }


def _came_and_went(ledger: Ledger, key: str) -> bool:
    """Whether a tag was added and removed between a backup and the end of the reading that follows its restore.

    Wherever it still is then, it looks added: who took it away elsewhere cannot be known.
    """
    return any(
        {What.ADDED, What.REMOVED} <= {e.what for e in ledger.events[start:end] if e.by == USER and e.new == key}
        for start, end in ledger.restores
    )


def _tag(ledger: Ledger, sight: Sight, members: dict[str, Membership], present: set[str], key: str) -> Iterator[str]:
    added = next(e for e in ledger.events if e.what is What.ADDED and e.by == USER and e.new == key)
    source = added.record
    removals = [e for e in ledger.events if e.what is What.REMOVED and e.by == USER and e.new == key]
    # A join is a union: whatever had the tag then may have brought it back.
    joins = [e for e in ledger.events if e.what is What.JOINED and e.record in members]
    removers = {e.record for e in removals}
    last_join = max((_taken_in(ledger, sight.item, e.no) for e in joins), default=-1)
    again = max(e.no for e in ledger.events if _adds(e, key))
    in_item = key in sight.tags
    tracker = next((record for record in present if is_tracker(record)), None)
    if not removals:
        if not in_item:
            yield f"H6 tag-lost: {key} was added on {source}, nobody removed it, {sight.item} does not have it"
            return
        if tracker is not None and key not in ledger.shapes[tracker].tags:
            yield f"H6 tag-lost-on-tracker: {key} of {source} is not on {tracker}"
        if is_tracker(source):
            for record in sorted(present - {source}):
                if ledger.shapes[record].status != "closed" and key not in ledger.shapes[record].tags:
                    yield f"H6 tag-lost-on-ticket: {key} of {source} is not on {record}"
    elif tracker is not None and in_item and key not in ledger.shapes[tracker].tags:
        yield f"tag-diverged-on-tracker: {sight.item} has {key}, {tracker} does not"
    if not in_item and tracker is not None and key in ledger.shapes[tracker].tags:
        yield f"H5 tag-left-on-tracker: {sight.item} does not have {key}, {tracker} does"
    for record in sorted(present):
        shape = ledger.shapes[record]
        if shape.status == "closed" or key not in shape.tags:
            continue
        # Who brought a tag to an issue whose base was lost is not known any more: it counts as the issue's own (H26).
        of_issue = is_tracker(source) or (tracker is not None and ledger.lost[tracker] > 0)
        if not is_tracker(record) and not of_issue and record != source:
            yield f"tag-on-sibling: {key} of {source} is on {record}"
        last = max((e.no for e in removals if is_tracker(e.record) and e.record in present), default=-1)
        if last > last_join and last > again:
            yield f"H5 tag-resurrected: {key} was removed on the tracker and is on {record}"
        own = max((e.no for e in removals if e.record == record), default=-1)
        if own > last_join and own > again:
            yield f"H5 tag-forced-back: {key} was removed on {record} and is there again"
    if in_item and source in removers and not is_tracker(source) and source in present:
        own = max(e.no for e in removals if e.record == source)
        if own > last_join and own > again:
            yield f"H5 tag-not-removed: {key} was removed on {source}, its only ticket, and {sight.item} has it"


def _taken_in(ledger: Ledger, item: str, join: int) -> int:
    """Until when what a new member brought may have been taken in: its first decision may come after others' edits."""
    rests = ledger.decided.get(item)
    return join if rests is None else next((rest for rest in rests if rest > join), len(ledger.events))


def _adds(event: Event, key: str) -> bool:
    return event.what is What.ADDED and event.by == USER and event.new == key


# --- members ----------------------------------------------------------------------------------------------------


def _departed(ledger: Ledger, sights: Sequence[Sight]) -> Iterator[str]:
    for sight in sights:
        for member in sight.members:
            shape = ledger.shapes[member.record]
            if shape.gone:
                yield f"gone-member: {member.record} is deleted and still in {sight.item}"
            elif shape.merged_into:
                yield f"merged-member: {member.record} was merged and is still in {sight.item}"


def _creates(ledger: Ledger, sights: Sequence[Sight]) -> Iterator[str]:
    markers = Counter(made.marker for made in ledger.made.values())
    sources = Counter(made.source for made in ledger.made.values())
    for marker, count in sorted(markers.items()):
        if count > 1 or not marker:
            yield f"H7 created-twice: {count} issues carry the marker {marker!r}"
    for source, count in sorted(sources.items()):
        if count > 1 or (source not in ledger.routed and not _inherited(ledger, source, sources)):
            yield f"H7 created-for: {count} issues were created for {source}"
    tracked = {member.record for sight in sights for member in sight.members if sight.tracker is not None}
    for ticket in ledger.routed:
        shape = ledger.shapes[ticket]
        if any(event.new == "outage" for event in ledger.of(ticket, What.REMOVED)):
            continue  # it may have been gone before anybody looked
        if not shape.gone and not shape.merged_into and ticket not in tracked and ticket not in sources:
            yield f"not-created: {ticket} asks for an issue and has none"


def _inherited(ledger: Ledger, survivor: str, sources: Counter[str]) -> bool:
    """Whether a routed ticket without an issue of its own was merged into this one, which takes its place.

    Found by a history (odd-no_creates 300005): a create was refused, and its ticket merged away before the next try.
    """
    for ticket in ledger.routed:
        into, ways = ledger.shapes[ticket].merged_into, len(ledger.shapes)
        while into and into != survivor and ways:
            into, ways = ledger.shapes[into].merged_into, ways - 1
        if into == survivor and ticket not in sources:
            return True
    return False


def _links(ledger: Ledger, sights: Sequence[Sight]) -> Iterator[str]:
    for (ticket, issue), count in sorted(ledger.notes.items()):
        # Whoever lost the memory of a note may tell the same once more.
        if count > 1 + len(ledger.restores) + ledger.lost[ticket]:
            yield f"H7 noted-twice: {ticket} has {count} notes about {issue}"
    for issue, addresses in sorted(ledger.own_links.items()):
        for address, count in sorted(Counter(addresses).items()):
            if count > 1:
                yield f"H7 linked-twice: the hub linked {issue} to {address} {count} times"
    for sight in sights:
        tracker = sight.tracker
        if tracker is None or tracker.parked or not tracker.present or ledger.shapes[tracker.record].gone:
            continue
        members = {m.record for m in sight.members if m.present and not is_tracker(m.record)}
        shown = set(ledger.links.get(tracker.record, ()))
        for ticket in sorted(members - shown):
            yield f"link-not-shown: {ticket} is in {sight.item} and not among the links of {tracker.record}"
        homes = {m.record: other for other in sights for m in other.members}
        for ticket in sorted(shown - members):
            home, shape = homes.get(ticket), ledger.shapes.get(ticket)
            if shape is None or shape.gone or shape.merged_into or (home is not None and home.tracker is not None):
                continue
            yield f"link-not-followed: {tracker.record} shows {ticket}, which is not in {sight.item}"


def hub_events(ledger: Ledger) -> list[Event]:
    """What the hub did."""
    return [event for event in ledger.events if event.by == HUB]
