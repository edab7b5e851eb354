"""Writes whose outcome is not known: an answer was lost, or the process died while one was under way.

The record is read anew. If its version has moved, its change history tells whether the move was ours; if not, the
same delivery goes out again, conditionally. Nothing is concluded from values alone where there is a history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from msgspec import structs
from sqlalchemy import Connection, bindparam, or_, select, update

from connectors.contract import Act
from connectors.errors import RateLimited, RemoteError
from sync.core.backoff import next_attempt
from sync.core.receipt import Own, ignored
from sync.core.receipt import settle as settle_intent
from sync.core.state import Want
from sync.engine import (
    adopt,
    columns,
    down,
    ingest,
    load,
    outcome,
    overwritten,
    own_writes,
    parking,
    receipts,
    reread,
    rows,
)
from sync.engine.columns import Errand
from sync.engine.hub import Connected, Hub
from sync.engine.load import Linked
from sync.engine.own_writes import BEHIND
from sync.model import FieldEdit, Missing, RecordRef, Snapshot
from sync.store.tables import deliveries, items, links

LATE = timedelta(seconds=60)
"""How long after its answer was lost a request may still take effect: twice the longest call."""
_SOON = timedelta(seconds=5)
"""When a record in doubt is read again whose reading is older than our write."""


# Built once: building a statement costs several times its execution.
_DELIVERY = select(deliveries).where(deliveries.c.id == bindparam("of"))
_DOUBTED = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("of"))
    .values(
        state="in_doubt",
        in_doubt_since=bindparam("since"),
        not_before=bindparam("at"),
        error=bindparam("because"),
        want=bindparam("now_want"),
    )
)
_LEFT = (
    update(deliveries)
    .where(deliveries.c.state == "sending")
    .values(state="in_doubt", in_doubt_since=bindparam("since"), not_before=None, error=bindparam("because"))
)


def enter(hub: Hub, connected: Connected, delivery_id: str, why: str, *, answered: bool = False) -> None:
    """A write may have taken effect and nobody can tell: nothing is concluded for its record until that is known.

    answered: the remote took it, and its answer does not show the record.
    """
    now = hub.clock.now()

    def step(conn: Connection) -> None:
        row = conn.execute(_DELIVERY, {"of": delivery_id}).one()
        at = next_attempt(max(1, row.attempts), "read", None, now, hub.rng.random()) if row.attempts > 1 else now
        want = row.want
        if answered:
            errand = columns.errand(want)
            want = columns.encode(structs.replace(errand, answered=errand.answered + 1))
        values = {"since": row.in_doubt_since or now, "at": at, "because": why, "now_want": want}
        conn.execute(_DOUBTED, {"of": delivery_id, **values})

    hub.store.step(step)
    hub.tell("write_in_doubt", connection=connected.name, delivery=delivery_id, why=why)
    hub.signals.ring(f"deliver:{connected.id}")


def recover(hub: Hub) -> int:
    """At start: whatever was being sent when the last process ended is in doubt. Returns how many."""
    now = hub.clock.now()

    def step(conn: Connection) -> int:
        return conn.execute(_LEFT, {"since": now, "because": "the daemon ended while it was sent"}).rowcount

    return hub.store.step(step)


def take_up(hub: Hub, connected: Connected) -> None:
    """What was being sent when an error ended its worker's call (a full disk, a defect) is in doubt from now on."""
    left = dict(connected.left_behind)
    if not left:
        return
    now = hub.clock.now()

    def step(conn: Connection) -> None:
        for delivery_id, attempt in left.items():
            # That attempt only: another worker may have taken it up and be sending it again.
            mine = (deliveries.c.id == delivery_id, deliveries.c.attempts == attempt, deliveries.c.state == "sending")
            values = {"state": "in_doubt", "in_doubt_since": now, "error": "its answer could not be stored"}
            conn.execute(update(deliveries).where(*mine).values(not_before=None, **values))

    hub.store.step(step)
    for delivery_id in left:
        connected.left_behind.pop(delivery_id, None)


_DOUBT = (
    select(deliveries)
    .where(
        rows.of_open(bindparam("to")),
        deliveries.c.state == "in_doubt",
        deliveries.c.kind == rows.WRITE,
        or_(deliveries.c.not_before.is_(None), deliveries.c.not_before <= bindparam("now")),
    )
    .order_by(deliveries.c.in_doubt_since, deliveries.c.id)
    .limit(1)
)


_SAME_DOUBT = select(deliveries.c.id).where(
    deliveries.c.id == bindparam("of"),
    deliveries.c.state == "in_doubt",
    deliveries.c.attempts == bindparam("attempt"),
)


def settle(hub: Hub, connected: Connected) -> bool:
    """Find out about one write in doubt. True when there was one whose time had come."""
    now = hub.clock.now()
    with hub.store.read() as conn:
        row = conn.execute(_DOUBT, {"to": connected.id, "now": now}).first()
        if row is None:
            return False
        link = conn.execute(select(links).where(links.c.id == row.link_id)).one()
        ref = rows.ref_of(rows.record_row(conn, link.record_id))
    wait = hub.budgets.take(connected.id, connected.draws(Act.FETCH))
    if not wait and _has_history(connected):
        wait = hub.budgets.take(connected.id, connected.draws(Act.HISTORY))
    if wait:
        _later(hub, row, wait)
        return True
    read_no = hub.reads.next()
    errand = columns.errand(row.want)
    try:
        found = connected.remote().fetch([ref.id], whole=False)[ref.id]
        own = _own(connected, ref, errand, found, row.id) if isinstance(found, Snapshot) else None
    except RemoteError as error:
        down.failed(hub, connected, error)
        _later(hub, row, error.retry_after if isinstance(error, RateLimited) else None)
        return True
    down.answered(hub, connected)
    hub.store.step(lambda conn: _store(conn, hub, connected, row, link.record_id, errand, found, own, read_no))
    hub.signals.ring("settle")
    return True


@dataclass(frozen=True, kw_only=True)
class _Ours:
    """What we did to a record. took: anything at all. replaced: the edit that set its status, with the value before.

    behind: reading and history do not go together; one of them is older than the write. borne_out: they do.
    """

    took: bool
    rows: tuple[Own, ...] = ()
    replaced: FieldEdit | None = None
    behind: bool = False
    borne_out: bool = False


def _has_history(connected: Connected) -> bool:
    return connected.capabilities is None or connected.capabilities.history


def _own(connected: Connected, ref: RecordRef, errand: Errand, found: Snapshot, delivery_id: str) -> _Ours | None:
    """Whether we did anything to the record since the errand was decided, and what. Raises RemoteError.

    None: the record has not moved as far as can be seen. A version may be as coarse as a second and our write may fall
    into the very second it was decided on, so the history is asked even then. Without a history the user's value is
    believed: what the record shows as wanted counts as ours, all else is theirs. Links need no history: the next plan
    sees which of them the record shows.
    """
    moved = found.version != errand.expect
    if _has_history(connected):
        history = connected.remote().history(ref, errand.expect)
        mine = outcome.ours(history, delivery_id)
        if not mine and not moved:
            return None
        edits = [edit for each in mine for edit in each.edits if edit.field == connected.mapping.status_field]
        shown = connected.mapping.shown(found)
        return _Ours(
            took=bool(mine),
            rows=outcome.own_rows(connected, mine),
            replaced=next((edit for edit in edits), None),
            behind=outcome.is_older(connected.mapping, errand.want or Want(), shown, history)
            if mine
            else outcome.is_ahead(connected, errand.want or Want(), shown, history),
            borne_out=own_writes.bears_out(connected, found, history),
        )
    want = errand.want
    if not moved:
        return None
    if want is None:
        return _Ours(took=False)
    shown = connected.mapping.shown(found)
    seen = Own(
        status=want.status if want.status == shown.raw else None,
        add=want.add & shown.tags,
        remove=want.remove - shown.tags,
        set={name: raw for name, raw in want.set.items() if shown.values.get(name) == raw},
    )
    return _Ours(took=bool(seen.status or seen.add or seen.remove or seen.set), rows=(seen,))


def _later(hub: Hub, row: Any, seconds: float | None) -> None:
    now = hub.clock.now()
    at = (
        now + timedelta(seconds=seconds)
        if seconds is not None
        else next_attempt(row.attempts + 1, "read", None, now, hub.rng.random())
    )
    hub.store.step(
        lambda conn: conn.execute(
            update(deliveries)
            .where(deliveries.c.id == row.id, deliveries.c.state == "in_doubt")
            .values(not_before=at, attempts=row.attempts + (0 if seconds is not None else 1))
        ).close()
    )


def _store(
    conn: Connection,
    hub: Hub,
    connected: Connected,
    row: Any,
    record_id: int,
    errand: Errand,
    found: Snapshot | Missing,
    own: _Ours | None,
    read_no: int,
) -> None:
    now = hub.clock.now()
    if not conn.execute(_SAME_DOUBT, {"of": row.id, "attempt": row.attempts}).first():
        return  # another worker was quicker: what it concluded, and may have sent since, stands
    if isinstance(found, Missing):
        ref = rows.record_row(conn, record_id)
        ingest.take_missing(conn, hub, connected, {ref.remote_id: found})
        _close(conn, hub, row, "superseded", f"the record is {found.kind.value}")
        rows.mark(conn, [row.item_id], now, row.cause)
        return
    borne_out = own is not None and own.borne_out
    ingest.take(conn, hub, connected, [found], read_no, why="doubt", borne_out=borne_out)
    if own is None:
        if _is_ignored(conn, hub, connected, row, errand, found):
            return
        # Not moved as far as this read shows. It may be older than our own write, so the intent stays open; the write
        # goes out again under the condition that the version is still the one it was decided on.
        conn.execute(update(deliveries).where(deliveries.c.id == row.id).values(state="waiting", not_before=None))
        return
    since = errand.behind or now
    if own.behind and now < since + BEHIND:
        # It took effect, and the reading or the history is from before it: taken now, the reading would look like a
        # user's taking it back, or our own write like a user's.
        kept = columns.encode(structs.replace(errand, behind=since))
        conn.execute(update(deliveries).where(deliveries.c.id == row.id).values(not_before=now + _SOON, want=kept))
        return
    link = conn.execute(select(links).where(links.c.id == row.link_id)).one()
    if link.ended_at is None:
        item = load.whole(conn, hub, row.item_id)
        one = item.by_link(link.id)
        received = settle_intent(item.state, load.member_of(hub, item, one), errand.intent, own.rows)
        tags = receipts.kept(received.item, errand, received.tag_base)
        base = structs.replace(one.base, status=received.status_base, tags=tags, values=received.value_bases)
        if own.took:
            known = structs.replace(base.links, noted=base.links.noted | errand.noted)
            misses = {name: count for name, count in base.misses.items() if name != "conflict"}
            base = structs.replace(base, links=known, misses=misses, put_off=None)
        state, changes = received.item, received.changes
        if own.replaced is not None and _is_hidden(one, own.replaced):
            answer = structs.replace(found, overwrote=(own.replaced,))
            state, base, heard = overwritten.merge_again(conn, hub, item, one, answer, state, base)
            changes = (*changes, *heard)
        base = reread.moved(one.base, base)
        receipts.note_changes(conn, hub, item.id, record_id, changes)
        if state != item.state:
            conn.execute(update(items).where(items.c.id == item.id).values(state=columns.encode(state)))
        conn.execute(
            update(links).where(links.c.id == link.id).values(base=columns.encode(base), version=links.c.version + 1)
        )
    _close(
        conn, hub, row, "settled" if own.took else "superseded", "found in the history" if own.took else "never applied"
    )
    if link.ended_at is not None:
        if errand.farewell:
            receipts.forget_shown(conn, now, record_id, errand)  # it may have taken effect
        adopt.plan_farewell(conn, hub, link.id)
    if own.took:
        receipts.note_writes(conn, hub, connected, row.item_id, link.id, record_id, errand, row.id, row.cause)
    rows.mark(conn, [row.item_id], now, row.cause)


def _is_ignored(conn: Connection, hub: Hub, connected: Connected, row: Any, errand: Errand, found: Snapshot) -> bool:
    """Park a write that was answered well again and again while neither record nor history shows it. True when parked.

    Each attempt went out under the condition that nothing had moved, so none of them took effect; one whose answer was
    lost may still arrive.
    """
    all_answered = errand.answered == row.attempts
    link = conn.execute(select(links).where(links.c.id == row.link_id)).one()
    base, shown = columns.base(link.base), connected.mapping.shown(found)
    missed = ignored(errand.want or Want(), shown)
    tried = {name: base.misses.get(name, 0) + errand.answered for name in missed}
    late = not all_answered and hub.clock.now() < row.in_doubt_since + LATE
    if link.ended_at is not None or late or not tried or min(tried.values()) < hub.settings.miss_limit:
        return False
    for name, count in tried.items():
        base = parking.park_ignored(
            conn,
            hub,
            connected,
            base,
            errand,
            name,
            count,
            item_id=row.item_id,
            link_id=link.id,
            delivery_id=row.id,
            snap=found,
            landed=shown,
        )
    base = structs.replace(base, misses={name: n for name, n in base.misses.items() if name not in tried})
    new = {"base": columns.encode(base), "version": links.c.version + 1}
    conn.execute(update(links).where(links.c.id == link.id).values(**new))
    _close(conn, hub, row, "settled", "not shown")
    rows.mark(conn, [row.item_id], hub.clock.now(), row.cause)
    return True


def _is_hidden(one: Linked, edit: FieldEdit) -> bool:
    """Whether our write replaced a status that was never decided upon."""
    base = one.base.status
    return base is not None and edit.old is not None and str(edit.old) != base.raw


def _close(conn: Connection, hub: Hub, row: Any, state: str, outcome_text: str) -> None:
    conn.execute(
        update(deliveries)
        .where(deliveries.c.id == row.id)
        .values(
            state=state,
            settled_at=hub.clock.now(),
            outcome=outcome_text[:32],
            want=columns.encode(columns.bare(columns.errand(row.want))),
        )
    )
