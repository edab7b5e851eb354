"""A base that is lost for one record (H26): the hub treats it as never synchronised, and invents no change."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from sync.engine import columns, rows
from sync.engine.columns import Base
from sync.engine.hub import Hub
from sync.model import Side, Status
from sync.simulation import sight
from sync.simulation.ledger import HUB, USER, Ledger, Shape, Sight, What, is_tracker
from sync.simulation.meaning import side
from sync.store.tables import links, records


@dataclass(frozen=True)
class Loss:
    """What was lost, and how things stood. no: the first event after it. shapes: what the members showed then."""

    record: str
    item: Sight
    no: int
    shapes: Mapping[str, Shape]


def lose(hub: Hub, ledger: Ledger, rng: random.Random) -> Loss | None:
    """Empty the base of one link, as after damage to its row, and have its item looked at. None: there is none."""
    with hub.store.read() as conn:
        found = conn.execute(
            select(links.c.id, links.c.item_id, records.c.connection_id, records.c.remote_id)
            .select_from(links.join(records, links.c.record_id == records.c.id))
            .where(links.c.ended_at.is_(None))
            .order_by(links.c.id)
        ).all()
    if not found:
        return None
    row = rng.choice(found)

    def step(conn: Connection) -> None:
        empty = columns.encode(Base())
        conn.execute(update(links).where(links.c.id == row.id).values(base=empty, version=links.c.version + 1))
        rows.mark(conn, [row.item_id], hub.clock.now(), "a base was lost")

    item = next(each for each in sight.sights(hub) if each.item == f"hc-{row.item_id}")
    hub.store.step(step)
    record = sight.name_of(hub, row)
    # As the ledger has it, it joins anew: what was owed to it, and what it had heard, nobody knows any more.
    ledger.note(record, What.JOINED, HUB, new=item.item)
    ledger.lost[record] += 1
    shapes = {member.record: ledger.shapes[member.record] for member in item.members}
    return Loss(record=record, item=item, no=len(ledger.events), shapes=shapes)


def is_settled(hub: Hub, ledger: Ledger) -> bool:
    """Whether the hub knows all members as they are: then nothing but the loss itself can be the cause of anything."""
    known = sight.known(hub)
    return all(
        (shape.status, shape.tags) == known[member.record] and not shape.gone and member.present
        for each in sight.sights(hub)
        for member in each.members
        for shape in (ledger.shapes[member.record],)
    )


def judged(loss: Loss, ledger: Ledger, after: Sight | None) -> Iterator[str]:
    """What came of a loss at rest, one line each. after: the item, when it has come to rest again.

    An issue that stood on the other side than its item (nothing led it back) gives the item its value, as one that
    joins: then nothing is said about status.
    """
    apart = is_tracker(loss.record) and side(loss.record, loss.shapes[loss.record].status) is not _side(loss.item)
    whats = (What.REMOVED,) if apart else (What.STATUS, What.REMOVED)
    for event in ledger.events[loss.no :]:
        if event.by == HUB and event.record in loss.shapes and event.what in whats:
            yield f"H26 change-invented: {event.record} {event.what} {event.old}>{event.new} for a lost {loss.record}"
    if after is None:
        yield f"H26 item-lost: {loss.item.item} is no more, for a lost base of {loss.record}"
        return
    if lacking := sorted(set(loss.item.tags) - set(after.tags)):
        yield f"H26 tags-lost: {after.item} has {', '.join(lacking)} no more, for a lost base of {loss.record}"
    if not apart and _side(loss.item) is not _side(after):
        yield f"H26 status-invented: {after.item} went {loss.item.status}>{after.status} for a lost {loss.record}"


def is_alone(loss: Loss, ledger: Ledger) -> bool:
    """Whether nothing else has happened since: no user has done anything."""
    return all(event.by != USER for event in ledger.events[loss.no :])


def _side(item: Sight) -> Side | None:
    return Status(item.status).side if item.status else None
