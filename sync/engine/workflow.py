"""Learning a workflow by looking: where steps are unknown, another record that stands there is read, not walked to."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from sync.engine import columns, rows
from sync.engine.columns import Errand
from sync.engine.hub import Hub
from sync.engine.load import Linked
from sync.store.tables import records

_LOOKED_AT = 300
"""Records, newest first, among which an example is looked for: their status stands in their body."""


def learn_first(conn: Connection, hub: Hub, one: Linked, errand: Errand) -> bool:
    """Ask for reads that may show the way, when a write would only be a step into the unknown. True when any was asked.

    A person's issue is then not moved about to see where its statuses lead. Each read teaches one status, so this ends:
    by a way, by none, or by a walk where no record stands in an unknown status.
    """
    want = errand.want
    if want is None or want.status is None or want.final or want.target is None or one.graph is None:
        return False
    reach = reachable(one.graph, one.shown.raw)
    if want.target in reach:
        return False
    unknown = reach - one.graph.keys()
    now, asked = hub.clock.now(), set[str]()
    found = conn.execute(
        select(records.c.id, records.c.kind, records.c.remote_id, records.c.body)
        .where(records.c.connection_id == one.connected.id, records.c.presence == "present")
        .order_by(records.c.id.desc())
        .limit(_LOOKED_AT)
    )
    for row in found:
        if row.id == one.record_id:
            continue
        snap = columns.snapshot(row.body)
        raw = one.connected.mapping.shown(snap).raw
        if snap.workflow == one.snap.workflow and raw in unknown - asked:
            asked.add(raw)
            rows.ask(conn, one.connected.id, [(row.kind, row.remote_id)], now, "member", asker=one.record_id)
    return bool(asked)


def reachable(graph: Mapping[str, tuple[str, ...]], raw: str) -> frozenset[str]:
    """Every status that known steps lead to."""
    seen = {raw}
    queue = [raw]
    for value in queue:
        for step in graph.get(value, ()):
            if step not in seen:
                seen.add(step)
                queue.append(step)
    return frozenset(seen)
