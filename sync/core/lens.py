"""Between a raw status and a canonical one, both ways, with the raw value at hand: a value that agrees rests as it is.

`reads` is how the mapping reads the shown raw value, where it knows more than the table of values (a workflow status
that is not named, read by its category); without it the table is asked.
"""

from __future__ import annotations

from sync.core.state import StatusRules
from sync.model import Side, Status

NEAREST: dict[Status, tuple[Status, ...]] = {
    Status.NEW: (Status.IN_PROGRESS, Status.WAITING),
    Status.IN_PROGRESS: (Status.NEW, Status.WAITING),
    Status.WAITING: (Status.IN_PROGRESS, Status.NEW),
    Status.RESOLVED: (Status.CLOSED,),
    Status.CLOSED: (Status.RESOLVED,),
}
"""What stands in for a status that a system has no value for: the others of its side, nearest first."""


_DONE = Side.DONE


def get(rules: StatusRules, raw: str) -> Status | None:
    """How a raw value reads; None when it is archived or not in the mapping."""
    return None if raw in rules.archived else rules.values.get(raw)


def put(rules: StatusRules, status: Status, shown_raw: str, reads: Status | None = None) -> str:
    """The raw value that a record showing `shown_raw` should show for `status`; itself where it may rest.

    Archived and frozen values are returned as they are, and so is any value when nothing of that side can be written.
    """
    if shown_raw in rules.archived or shown_raw in rules.frozen:
        return shown_raw
    now = reads or rules.values.get(shown_raw)
    if now is status:
        return shown_raw
    if status.side is _DONE:
        if now is not None and now.side is _DONE:
            return shown_raw
    elif shown_raw in rules.keep:
        return shown_raw
    if shown_raw in rules.accept.get(status, frozenset()):
        return shown_raw
    if status in rules.write:
        return rules.write[status]
    for other in NEAREST[status]:
        if other in rules.write:
            return put(rules, other, shown_raw, reads)
    return shown_raw


def agrees(rules: StatusRules, status: Status, raw: str, reads: Status | None = None) -> bool:
    """Whether a record showing `raw` may rest under `status`."""
    return put(rules, status, raw, reads) == raw
