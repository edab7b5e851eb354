"""Why records that differ from their item stay as they are, counted for a plan."""

from __future__ import annotations

from collections.abc import Sequence

from sync.core.state import ItemState, Member, MemberPlan, Park, StatusBase
from sync.core.why import Why
from sync.engine.load import Linked, Whole
from sync.model import Role
from sync.planning.owed import WORDS, Owed, differs
from sync.planning.row import Left

SAMPLES = 5


class Leaving:
    """What has been found so far."""

    def __init__(self) -> None:
        self._left: dict[str, list[str]] = {}

    def told(self) -> tuple[Left, ...]:
        """Why records that differ stay as they are, the most records first."""
        found = sorted(self._left.items(), key=lambda each: (-len(each[1]), each[0]))
        return tuple(Left(why=why, count=len(names), samples=tuple(names[:SAMPLES])) for why, names in found)

    def note(self, state: ItemState, item: Whole, members: Sequence[Member], due: Owed | None) -> None:
        """Note the members that differ and are not written. due: what is owed to the item; None where nothing is."""
        for one, each in zip(item.linked, members, strict=True):
            if each.shown is None or each.shown.status is state.status:
                continue
            if not differs(state, each):
                self._note_told_apart(state, one, each)
                continue
            plan = due.plans[one.link_id] if due is not None else None
            if plan is not None and (plan.want is not None or plan.why == Why.STEPS_UNKNOWN):
                continue
            self._left.setdefault(_why_left(each, plan), []).append(one.ref.key or one.ref.id)

    def _note_told_apart(self, state: ItemState, one: Linked, each: Member) -> None:
        """An issue that reads as something else than its item, and rests since it shows what is written for that."""
        shown = each.shown
        if each.role is not Role.TRACKER or shown is None or shown.status is None or state.status is None:
            return
        if each.rules.write.get(state.status) == shown.raw:
            why = (
                f"`{shown.raw}` reads as {shown.status}, and is also what the mapping writes for {state.status}: their "
                f"items stay {state.status}. To change that, write another status for {state.status}"
            )
            self._left.setdefault(why, []).append(one.ref.key or one.ref.id)


def _why_left(each: Member, plan: MemberPlan | None) -> str:
    park: Park | None = plan.park if plan is not None else None
    if park is not None:
        return f"{WORDS[Why.PARKED] if park.reason.value == 'no_path' else park.reason.value.replace('_', ' ')}"
    base: StatusBase | None = each.status_base
    if plan is None:
        why = Why.ASIDE if base is not None and base.aside else Why.NOT_TOLD
        if each.status_direction.value in ("in", "off"):
            why = Why.DIRECTION_IN if each.status_direction.value == "in" else Why.DIRECTION_OFF
        return WORDS[why]
    known = {why.value: words for why, words in WORDS.items()}
    return known.get(plan.why, plan.why.replace("_", " "))
