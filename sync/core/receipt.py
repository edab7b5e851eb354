"""What a write that took place does to an item and to the base of its record: from an answer, or from the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from sync.core import lens, values
from sync.core.standing import ear_of, tell, votes, with_status
from sync.core.state import Change, Ear, Intent, ItemState, Member, Shown, StatusBase, TagBase, ValueBase, Want
from sync.core.why import Why
from sync.model import Role, Side, Status


class Own(Struct, frozen=True, kw_only=True):
    """One of the hub's own rows in a record's change history. status: the raw value it set; keys are folded."""

    status: str | None = None
    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()
    set: Mapping[str, str] = {}


class Received(Struct, frozen=True, kw_only=True):
    """The item and the link's bases after a write. tell: the item has said something new, decide it again."""

    item: ItemState
    status_base: StatusBase | None
    tag_base: TagBase | None
    value_bases: Mapping[str, ValueBase] = {}
    changes: tuple[Change, ...] = ()
    tell: bool = False


def receive(item: ItemState, member: Member, want: Want, landed: Shown) -> Received:
    """Take in the answer to a write: `landed` is what the record showed because of it.

    What the remote made of the write becomes the raw half, and is no user's edit. The record has heard what it was told
    if the last hop landed, on the value or on one that may rest under it. A tracker that landed elsewhere on the same
    side gives the item its value, told to the others as a detail. Tags move by what was asked and is really there.
    """
    received = Received(item=item, status_base=member.status_base, tag_base=member.tag_base)
    bases = values.received(member.value_bases, want.set, want.set_said, landed.values)
    if want.status is not None:
        received = _land(
            received, member, raw=landed.raw, reads=landed.status, asked=want.status, final=want.final, said=want.said
        )
    add, remove = want.add & landed.tags, want.remove - landed.tags
    return structs.replace(received, tag_base=_moved(received.tag_base, add, remove), value_bases=bases)


def settle(item: ItemState, member: Member, intent: Intent, rows: Sequence[Own]) -> Received:
    """Settle a write in doubt by the hub's own rows since the intent's version, oldest first.

    Without a row nothing took place and nothing moves: the intent is simply gone. What users did before or after it is
    left for the next pass, which sees it against the bases given here.
    """
    received = Received(
        item=item, status_base=member.status_base, tag_base=member.tag_base, value_bases=member.value_bases
    )
    for row in rows:
        bases = values.received(received.value_bases, intent.set, intent.set_said, row.set)
        received = structs.replace(received, value_bases=bases)
        if row.status is not None:
            asked = row.status if intent.status is None else intent.status
            reads = _reads(member, row.status)
            told = _land(
                received, member, raw=row.status, reads=reads, asked=asked, final=intent.final, said=intent.said
            )
            received = structs.replace(told, changes=received.changes + told.changes, tell=received.tell or told.tell)
        received = structs.replace(received, tag_base=_moved(received.tag_base, row.add, row.remove))
    return received


def ignored(want: Want, landed: Shown) -> tuple[str, ...]:
    """The fields that a well-answered write did not bring about; tags are compared for the asked keys only."""
    fields = []
    if want.status is not None and landed.raw != want.status:
        fields.append("status")
    if want.add - landed.tags or want.remove & landed.tags:
        fields.append("tags")
    return (*fields, *values.missed(want.set, landed))


def _reads(member: Member, raw: str) -> Status | None:
    """How a raw value reads for this record; what it shows now may be known beyond the table of values."""
    if member.shown is not None and member.shown.raw == raw:
        return member.shown.status
    return lens.get(member.rules, raw)


def _land(
    received: Received, member: Member, *, raw: str, reads: Status | None, asked: str, final: bool, said: int
) -> Received:
    """Move the status base to where a write landed."""
    base, item = received.status_base, received.item
    if base is None:
        return received
    ear = ear_of(member)
    side: Side | None = base.side if reads is None else reads.side
    is_latest = said == item.said.get(ear, 0)
    same_side = reads is not None and item.status is not None and reads.side is item.status.side
    took = raw == asked
    gives = final and is_latest and same_side and ear is Ear.TRACKER and member.role is Role.TRACKER
    rests = item.status is not None and is_latest and same_side and lens.agrees(member.rules, item.status, raw, reads)
    has_heard = final and (took or gives or rests)
    # An issue that joined while the write was under way gave the item its value, and nobody is told of that.
    overtaken = has_heard and is_latest and item.status is not None and reads is not None and not rests
    apart = overtaken and member.role is not Role.TRACKER and votes(member)
    base = structs.replace(
        base,
        raw=raw,
        side=side,
        heard=max(base.heard, said) if has_heard else base.heard,
        # It went along with what it was told. A write that changed nothing leaves it where its user put it.
        aside=(base.aside and raw == base.raw) or apart,
        parked=None if has_heard else base.parked,
        park_reason=None if has_heard else base.park_reason,
    )
    if not gives or reads is None or reads is item.status:
        return structs.replace(received, status_base=base, changes=(), tell=False)
    change = Change(
        field="status",
        old=None if item.status is None else item.status.value,
        new=reads.value,
        link=member.link,
        rule=Why.TRACKER_LANDED.value,
    )
    told = tell(with_status(item, reads), [Ear.HELPDESK, Ear.SIGNAL], crossing=False)
    return structs.replace(received, item=told, status_base=base, changes=(change,), tell=True)


def _moved(base: TagBase | None, add: frozenset[str], remove: frozenset[str]) -> TagBase | None:
    if not add and not remove:
        return base
    base = base or TagBase()
    moved = structs.replace(base, keys=(base.keys | add) - remove, had=(base.had | add) - remove, owed=base.owed - add)
    return structs.replace(moved, waived=moved.waived - add - remove) if moved.waived else moved
