"""A settled item to start from, and one pass over it, with any member changed at will."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from sync.core.reconcile import reconcile
from sync.core.state import Member, MemberPlan, Plan, Rules
from tests.sync.core.world import Record, perform, play


class Stage:
    """An item at rest. `act` lets users do something; `look` is one pass of `reconcile`, which stores nothing."""

    def __init__(self, start: str, *steps: str, flow: str = "free", detail: str = "tracker") -> None:
        self.world, self.records = play(start, steps, flow, detail)

    def act(self, acts: str) -> Stage:
        for word in acts.split():
            perform(self.world, self.records, word)
        return self

    def members(self, **changed: dict[str, Any]) -> list[Member]:
        """The members, those named with other attributes."""
        by_link = {record.link: name for name, record in self.records.items()}
        return [structs.replace(m, **changed.get(by_link[m.link], {})) for m in self.world.members()]

    def look(self, rules: Rules | None = None, **changed: dict[str, Any]) -> Plan:
        """One pass."""
        return reconcile(self.world.item, self.members(**changed), rules or self.world.rules)

    def take(self, plan: Plan) -> None:
        """Store a plan without writing anything."""
        self.world.item = plan.item
        for each in plan.members:
            record = next(r for r in self.records.values() if r.link == each.link)
            record.status_base, record.tag_base = each.status_base, each.tag_base

    def of(self, plan: Plan, name: str) -> MemberPlan:
        """One member's plan."""
        return next(each for each in plan.members if each.link == self.records[name].link)

    def link(self, name: str) -> int:
        return self.records[name].link

    def __getitem__(self, name: str) -> Record:
        return self.records[name]


def written(stage: Stage, plan: Plan) -> str:
    """The status writes of a plan: `A=solved T=done`, by name."""
    names = {record.link: name for name, record in stage.records.items()}
    found = [f"{names[m.link]}={m.want.status}" for m in plan.members if m.want is not None and m.want.status]
    return " ".join(sorted(found))
