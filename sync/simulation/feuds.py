"""A fight with somebody's automation (H24): the hub stops in time, and says who the other writer is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import select

from sync.engine.hub import Hub
from sync.simulation import sight
from sync.simulation.ledger import HUB, USER, Event, Ledger, What
from sync.store.tables import holds, links, records

AT_MOST = 3
"""Writes of one value to one field of one record within an hour; one more would be a fight."""
HOUR = 3600.0
ROUNDS = 5
"""How often both sides insist."""


def fights(hub: Hub) -> Mapping[str, Sequence[str]]:
    """What is said of each field that was held as fought over, by record. Those released count as well."""
    found: dict[str, list[str]] = defaultdict(list)
    with hub.store.read() as conn:
        for row in conn.execute(
            select(records.c.connection_id, records.c.remote_id, holds.c.detail)
            .select_from(
                holds.join(links, holds.c.link_id == links.c.id).join(records, links.c.record_id == records.c.id)
            )
            .where(holds.c.reason == "fight")
            .order_by(holds.c.id)
        ):
            found[sight.name_of(hub, row)].append(row.detail)
    return found


def faults_of(ledger: Ledger, since: int, record: str, said: Sequence[str], objected: int) -> Iterator[str]:
    """What is wrong after an automation has fought for one record.

    said: of its holds. since: the feud's first event. objected: how often the automation has set the status: when
    people have done so besides, one of them may have been the last, and is named. A ticket that none of them has set
    went to and fro with its item, for a sibling that was fought over: there is nobody to name (found by rare 320040).
    """
    lately = ledger.now() - 2 * HOUR
    others = sum(1 for e in ledger.events if e.at > lately and _sets(e, record, USER))
    alone = objected == others
    wrote = [e for e in ledger.events[since:] if _sets(e, record, HUB)]
    yield from fought_on(wrote)
    for detail in said:
        other = "" if not others else "an automation" if alone else "the other writer is"
        if "hypercare" not in detail or other not in detail:
            yield f"H24 writers-not-named: {record} is fought over with an automation, and it is said: {detail}"


def _sets(event: Event, record: str, by: str) -> bool:
    return event.record == record and event.by == by and event.what is What.STATUS


def fought_on(wrote: Sequence[Event]) -> Iterator[str]:
    """Values that were written once too often within an hour. wrote: the hub's own changes of a status."""
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    for event in wrote:
        mine = times[event.record, event.new]
        mine.append(event.at)
        if len([at for at in mine if at > event.at - HOUR]) > AT_MOST:
            yield f"H24 fought-on: {event.record} was set to {event.new} more than {AT_MOST} times within an hour"
