"""The verdict on a history that has come to rest: what the records show, against what their users did."""

from __future__ import annotations

from collections.abc import Iterator

from sync.core import lens
from sync.model import Direction, Side
from sync.simulation.pure.records import Link, Record
from sync.simulation.pure.systems import HELPDESK, SIGNAL, TRACKER
from sync.simulation.pure.world import SHARED, World

_WRITTEN = (Direction.BOTH, Direction.OUT)
_VOTING = (Direction.BOTH, Direction.IN)


def faults_of(world: World) -> Iterator[str]:
    """What is wrong at the end, by name."""
    status = world.item.status
    assert status is not None  # a tracker joined
    linked = {each.record for each in world.links}
    for link in world.links:
        record = link.record
        base, side = link.status_base, record.reading.side
        writable = record.direction in _WRITTEN and not record.reading.frozen
        parked = base is not None and base.parked is not None
        is_tracker = record.system is TRACKER
        if is_tracker and not parked and side is not status.side:
            yield "H1 tracker-diverged"
        if writable and not parked and record.by_hub and not lens.agrees(record.system.rules, status, record.raw):
            left_done = not is_tracker and status.side is Side.ACTIVE and side is Side.DONE
            near = is_tracker and side is status.side
            if not left_done and not near:
                yield "H1 status-diverged"
        yield from _faults_of_tags(world, link, linked, writable=writable)


def _faults_of_tags(world: World, link: Link, linked: set[Record], *, writable: bool) -> Iterator[str]:
    record, tags = link.record, link.record.tags
    is_ticket, is_tracker = record.system is HELPDESK, record.system is TRACKER
    is_both = record.direction is Direction.BOTH
    removable = writable and record.system is not SIGNAL
    for key, (source, at) in world.added.items():
        in_item, shows, passes = key in world.item.tags, key in tags, record.accepts(key)
        if is_tracker and in_item and passes and not shows:
            yield "tag-diverged-on-tracker"
        if int(key) <= SHARED:
            continue
        removers = world.killed.get(key)
        removed = removers is not None and record in removers
        from_tracker = source.system is TRACKER
        if removers is None and source in linked and source.direction in _VOTING and source.accepts(key):
            if not in_item:
                yield "H6 tag-lost"
            if is_ticket and from_tracker and writable and passes and not shows:
                yield "H6 tag-lost-on-ticket"
        if (
            from_tracker
            and is_ticket
            and is_both
            and not in_item
            and not removed
            and passes
            and source.accepts(key)
            and link.since <= at
            and not record.reading.frozen
            and key not in world.killed_by_tracker
        ):
            yield "tag-removed-though-kept"
        if shows:
            if is_ticket and source.system is HELPDESK and source is not record and record.into is None:
                yield "tag-on-sibling"
            if removable and passes and key in world.killed_by_tracker:
                yield "H5 tag-resurrected"
            if removed:
                yield "H5 tag-forced-back"
        if removed and in_item and source is record and is_ticket and is_both and passes:
            yield "tag-not-removed"
