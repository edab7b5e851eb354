"""What a write brought about: told from the read-back, and where that differs, from the record's own change history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import structs

from connectors.contract import Act
from connectors.errors import RateLimited
from sync.core.receipt import Own, ignored
from sync.core.state import Shown, Want
from sync.engine.columns import Errand
from sync.engine.hub import Connected, Hub
from sync.mapping.compiled import Mapping
from sync.mapping.raw import text_of
from sync.model import HistoryRow, Json, RecordRef, Snapshot


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one write.

    landed: what the record showed because of our write. missed: fields that were answered well and did not take effect,
    or were changed back by the remote itself. undone_by: the person who changed a field again after our write; that is
    an edit of theirs, not a miss.
    """

    landed: Shown
    missed: tuple[str, ...] = ()
    undone_by: str = ""


def of_answer(
    hub: Hub, connected: Connected, ref: RecordRef, errand: Errand, answer: Snapshot, delivery_id: str
) -> Outcome | None:
    """Compare the read-back with what was asked; ask the history only where they differ.

    Raises RemoteError, and RateLimited without any call when the budget of histories is used up.
    None: the answer is older than our own write, for the history ends with what was asked, or may be: it shows the very
    version on which a move was decided, and the history has nothing of ours. It says nothing.
    """
    want = errand.want or Want()
    shown = connected.mapping.shown(answer)
    missed = ignored(want, shown)
    if not missed or (connected.capabilities is not None and not connected.capabilities.history):
        return Outcome(landed=shown, missed=missed)
    wait = hub.budgets.take(connected.id, connected.draws(Act.HISTORY))
    if wait:
        raise RateLimited(f"its history can be asked for in {wait:.0f} seconds: the rate budget is used up")
    rows = connected.remote().history(ref, errand.expect)
    if is_older(connected.mapping, want, shown, rows):
        return None
    mine = ours(rows, delivery_id)
    if not mine and want.status is not None and answer.version == errand.expect:
        # Both may be behind. Believed, our own move would be its user's at the next reading, and told to everybody.
        return None
    own = own_rows(connected, mine)
    person = next((row.actor for row in reversed(rows) if not row.ours and not row.automatic and row.edits), "")
    if not person or not all(_brought_about(name, want, own) for name in missed):
        return Outcome(landed=shown, missed=missed)
    landed = structs.replace(
        shown,
        raw=want.status if want.status is not None else shown.raw,
        status=shown.status if want.status is None else connected.mapping.rules_for(answer).values.get(want.status),
        tags=(shown.tags | want.add) - want.remove,
        values={**shown.values, **want.set},
    )
    return Outcome(landed=landed, undone_by=person)


def is_older(mapping: Mapping, want: Want, shown: Shown, rows: Sequence[HistoryRow]) -> bool:
    """Whether a reading lacks what the history, asked later, ends with: then it is older than the write."""
    return any(_ends_as_wanted(mapping, name, want, rows) for name in ignored(want, shown))


def is_ahead(connected: Connected, want: Want, shown: Shown, rows: Sequence[HistoryRow]) -> bool:
    """Whether a reading shows some of what was asked and the history names nobody who did it: it is from before that.

    rows: since the version on which the write was decided, when the record showed nothing of what was asked.
    """
    done = own_rows(connected, rows)
    added = frozenset[str]().union(*(each.add for each in done))
    removed = frozenset[str]().union(*(each.remove for each in done))
    moved = {name for each in done for name in each.set} | {"status" for each in done if each.status is not None}
    if (want.add & shown.tags) - added or (want.remove - shown.tags) - removed:
        return True
    if want.status is not None and shown.raw == want.status and "status" not in moved:
        return True
    return any(shown.values.get(name) == raw and name not in moved for name, raw in want.set.items())


def _ends_as_wanted(mapping: Mapping, name: str, want: Want, rows: Sequence[HistoryRow]) -> bool:
    """Whether the newest row about a field leaves it as it was asked for."""
    field = {"status": mapping.status_field, "tags": mapping.tags_field, **mapping.value_fields}[name]
    last = next((edit for row in reversed(rows) for edit in reversed(row.edits) if edit.field == field), None)
    if last is None:
        return False
    if name == "status":
        return last.new is not None and str(last.new) == want.status
    if name in want.set:
        return text_of(last.new) == want.set[name]
    keys = _keys(mapping, last.new)
    return want.add <= keys and not want.remove & keys


def _brought_about(name: str, want: Want, own: Sequence[Own]) -> bool:
    if name == "status":
        return any(each.status == want.status for each in own)
    if name in want.set:
        return any(each.set.get(name) == want.set[name] for each in own)
    added = frozenset[str]().union(*(each.add for each in own))
    removed = frozenset[str]().union(*(each.remove for each in own))
    return want.add <= added and want.remove <= removed


def ours(rows: Sequence[HistoryRow], delivery_id: str) -> tuple[HistoryRow, ...]:
    """The rows that one delivery left in a history. A row that names another delivery is not one of them.

    Versions may be as coarse as a second, so what is asked for "since" one can hold rows of the delivery before.
    """
    return tuple(row for row in rows if row.ours and row.op in ("", delivery_id))


def own_rows(connected: Connected, rows: Sequence[HistoryRow]) -> tuple[Own, ...]:
    """Rows of our own in the core's words, oldest first."""
    mapping = connected.mapping
    found = []
    for row in rows:
        status: str | None = None
        add, remove = frozenset[str](), frozenset[str]()
        values = {
            name: text_of(edit.new)
            for edit in row.edits
            for name, field in mapping.value_fields.items()
            if edit.field == field
        }
        for edit in row.edits:
            if edit.field == mapping.status_field and edit.new is not None:
                status = str(edit.new)
            elif edit.field == mapping.tags_field:
                before, after = _keys(mapping, edit.old), _keys(mapping, edit.new)
                add, remove = add | (after - before), remove | (before - after)
        if status is not None or add or remove or values:
            found.append(Own(status=status, add=add, remove=remove, set=values))
    return tuple(found)


def _keys(mapping: Mapping, value: Json) -> frozenset[str]:
    if isinstance(value, str):
        value = value.split()
    return mapping.tag_keys([str(each) for each in value]) if isinstance(value, list | tuple) else frozenset()
