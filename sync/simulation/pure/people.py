"""The users of every record, and those who link, unlink, merge and delete."""

from __future__ import annotations

from sync.simulation.pure.records import Link, Record
from sync.simulation.pure.systems import HELPDESK, SIGNAL, TRACKER
from sync.simulation.pure.world import SHARED, World

_SHARED = tuple(str(number) for number in range(1, SHARED + 1))


def edit(world: World) -> None:
    """Somebody does something."""
    rng = world.rng
    world.now += 1
    world.edits += 1
    roll = rng.random()
    if roll < 0.06 and world.loose:
        joining = world.pick(world.loose)
        world.loose.remove(joining)
        world.join(joining)
        return
    link = world.pick(world.links)
    record = link.record
    if roll < 0.10:
        _depart(world, link, roll)
    elif roll < 0.55 or record.system is SIGNAL:
        _move(world, record)
    elif roll < 0.82:
        _add(world, record, world.pick(_SHARED) if rng.random() < 0.15 else world.new_tag())
    elif record.tags:
        _remove(world, record, world.pick(sorted(record.tags)))


def _depart(world: World, link: Link, roll: float) -> None:
    """A record is deleted, unlinked, or merged into another ticket, linked or not. The tracker stays."""
    record = link.record
    if record.system is TRACKER or record.is_gone:
        return
    if roll < 0.07:
        record.is_gone = True
        world.trace.append(f"{world.now} deleted {record.id}")
    elif roll < 0.08:
        world.links.remove(link)
        world.trace.append(f"{world.now} unlinked {record.id}")
    elif record.system is HELPDESK and not record.reading.frozen:
        others = [
            each.record
            for each in world.links
            if each.record.system is HELPDESK
            and each.record is not record
            and not each.record.is_gone
            and not each.record.reading.frozen
        ]
        target = world.pick(others) if others and world.rng.random() < 0.5 else None
        if target is None:
            target = next((each for each in world.loose if each.system is HELPDESK), None)
            if target is not None:
                world.loose.remove(target)
        if target is not None:
            record.raw, record.into = "closed", target
            record.keep()
            world.trace.append(f"{world.now} merged {record.id} {target.id}")


def _move(world: World, record: Record) -> None:
    """Its user gives it another status, by a legal step; a signal's tags may change besides."""
    rng, old = world.rng, record.raw
    new = world.pick(record.system.choices if record.graph is None else record.graph[old] or (old,))
    if new == "closed" and old != "solved":
        new = "solved"
    if new == "new" and record.system is HELPDESK:
        new = "open"
    if new != old and not record.reading.frozen:
        record.raw, record.by_hub = new, False
        record.keep()
        world.trace.append(f"{world.now} moved {record.id} {new}")
    if record.system is SIGNAL and rng.random() < 0.5 and not record.is_gone:
        _flicker(world, record)


def _flicker(world: World, record: Record) -> None:
    """A signal's tags come and go with its events."""
    rng = world.rng
    gone = sorted(record.tags)[:1] if rng.random() < 0.4 else []
    key = world.new_tag()
    back = sorted(record.faded)[:1] if rng.random() < 0.4 else []
    record.faded.update(gone)
    for each in gone:
        world.killed.setdefault(each, set())  # it may have faded before anybody looked
    record.tags = record.tags.difference(gone).union((key, *back))
    world.added.setdefault(key, (record, world.now))
    record.keep()
    world.trace.append(f"{world.now} flickered {record.id} {gone} {key} {back}")


def _add(world: World, record: Record, key: str) -> None:
    if record.reading.frozen:
        return
    record.tags |= {key}
    world.added.setdefault(key, (record, world.now))
    record.keep()
    world.trace.append(f"{world.now} added {record.id} {key}")


def _remove(world: World, record: Record, key: str) -> None:
    if record.reading.frozen:
        return
    record.tags -= {key}
    world.killed.setdefault(key, set()).add(record)
    if record.system is TRACKER:
        world.killed_by_tracker.add(key)
    record.keep()
    world.trace.append(f"{world.now} removed {record.id} {key}")
