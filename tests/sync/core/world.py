"""Tiny remotes around `reconcile` and `receive`: what users do to records, passes, and writes that land at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec
from msgspec import structs

from sync.core.receipt import receive
from sync.core.reconcile import reconcile
from sync.core.state import (
    Detail,
    ItemState,
    Member,
    Plan,
    RoleRules,
    Rules,
    Shown,
    StatusBase,
    StatusRules,
    TagBase,
    Want,
)
from sync.model import Direction, Role, Status

TRACKER = StatusRules(
    values={
        "todo": Status.NEW,
        "prog": Status.IN_PROGRESS,
        "blocked": Status.WAITING,
        "done": Status.RESOLVED,
        "wontfix": Status.CLOSED,
    },
    write={
        Status.NEW: "todo",
        Status.IN_PROGRESS: "prog",
        Status.WAITING: "blocked",
        Status.RESOLVED: "done",
    },
)
HELPDESK = StatusRules(
    values={
        "new": Status.NEW,
        "open": Status.IN_PROGRESS,
        "pending": Status.WAITING,
        "hold": Status.WAITING,
        "solved": Status.RESOLVED,
        "closed": Status.RESOLVED,
    },
    write={
        Status.NEW: "open",
        Status.IN_PROGRESS: "open",
        Status.WAITING: "hold",
        Status.RESOLVED: "solved",
    },
    accept={Status.NEW: frozenset({"new", "open"})},
    keep=frozenset({"pending"}),
    frozen=frozenset({"closed"}),
)
SIGNAL = StatusRules(
    values={"unresolved": Status.NEW, "resolved": Status.RESOLVED},
    write={Status.NEW: "unresolved", Status.RESOLVED: "resolved"},
    archived=frozenset({"ignored"}),
)
Maps: TypeAlias = Mapping[Role, StatusRules]
MAPS: Maps = {Role.TRACKER: TRACKER, Role.HELPDESK: HELPDESK, Role.SIGNAL: SIGNAL}

STEPS: dict[str, dict[Status, tuple[Status, ...]]] = {
    "free": {a: tuple(Status) for a in Status},
    "stock": {
        Status.NEW: (Status.IN_PROGRESS, Status.CLOSED),
        Status.IN_PROGRESS: (Status.NEW, Status.RESOLVED, Status.WAITING),
        Status.WAITING: (Status.IN_PROGRESS,),
        Status.RESOLVED: (Status.IN_PROGRESS,),
        Status.CLOSED: (Status.NEW,),
    },
    "locked": {
        Status.NEW: (Status.IN_PROGRESS, Status.CLOSED),
        Status.IN_PROGRESS: (Status.RESOLVED, Status.WAITING),
        Status.WAITING: (Status.IN_PROGRESS,),
        Status.RESOLVED: (),
        Status.CLOSED: (),
    },
}


def graph_of(flow: str, tracker: StatusRules) -> dict[str, tuple[str, ...]]:
    """The legal steps between a tracker's statuses in a workflow of this kind."""
    return {
        a: tuple(b for step in STEPS[flow][means] for b, other in tracker.values.items() if other is step and b != a)
        for a, means in tracker.values.items()
    }


FLOWS = {flow: graph_of(flow, TRACKER) for flow in STEPS}

ROLES = {"T": Role.TRACKER, "S": Role.SIGNAL, "R": Role.SIGNAL}
DIRECTIONS = {"M": Direction.OUT, "I": Direction.IN}


def shown(role: Role, raw: str, tags: frozenset[str] = frozenset(), rules: StatusRules | None = None) -> Shown:
    """A record's snapshot through a map, that of its role unless another is given."""
    rules = rules or MAPS[role]
    archived = raw in rules.archived
    return Shown(
        raw=raw,
        status=None if archived else rules.values.get(raw),
        archived=archived,
        frozen=raw in rules.frozen,
        tags=tags,
    )


class Record(msgspec.Struct, kw_only=True):
    """A remote record, as its own system holds it, and the link to it."""

    name: str
    link: int
    role: Role
    raw: str
    tags: frozenset[str] = frozenset()
    graph: Mapping[str, tuple[str, ...]] | None = None
    direction: Direction = Direction.BOTH
    is_gone: bool = False
    into: Record | None = None
    status_base: StatusBase | None = None
    tag_base: TagBase | None = None
    automatic: bool | None = None
    seen: Shown | None = None


class World:
    """One item and the records around it."""

    def __init__(self, rules: Rules | None = None, maps: Maps = MAPS) -> None:
        self.item = ItemState()
        self.maps = maps
        self.rules = rules or Rules()
        self.linked: list[Record] = []
        self.writes: list[str] = []
        self.last: Plan | None = None

    def join(self, record: Record) -> None:
        """Link a record: it has no base yet."""
        record.status_base, record.tag_base = None, None
        self.linked.append(record)

    def leave(self, record: Record) -> None:
        self.linked.remove(record)

    def members(self, only: str | None = None) -> list[Member]:
        """The members as a pass sees them."""
        for record in self.linked:
            if only is None or record.name in only:
                record.seen = shown(record.role, record.raw, record.tags, self.maps[record.role])
        known = frozenset(self.item.tags).union(*(r.seen.tags for r in self.linked if r.seen is not None))
        return [
            Member(
                link=r.link,
                role=r.role,
                rules=self.maps[r.role],
                shown=r.seen,
                fresh=only is None or r.name in only,
                status_direction=r.direction,
                tag_direction=r.direction,
                status_base=r.status_base,
                tag_base=r.tag_base,
                accepts=known,
                graph=r.graph,
                automatic=r.automatic,
            )
            for r in self.linked
        ]

    def step(self, only: str | None = None) -> bool:
        """One pass, with its writes; False when there was nothing to write."""
        for record in [r for r in self.linked if r.is_gone or r.into is not None]:
            self.leave(record)
            if record.into is not None and record.into not in self.linked:
                self.join(record.into)
        members = self.members(only)
        plan = reconcile(self.item, members, self.rules)
        if plan.ask:
            members = [structs.replace(m, automatic=False) if m.link in plan.ask else m for m in members]
            plan = reconcile(self.item, members, self.rules)
        self.last, self.item = plan, plan.item
        by_link = {r.link: r for r in self.linked}
        for member_plan in plan.members:
            record = by_link[member_plan.link]
            record.status_base, record.tag_base = member_plan.status_base, member_plan.tag_base
        again = False
        for member, member_plan in zip(sorted(members, key=lambda m: m.link), plan.members, strict=True):
            if member_plan.want is not None:
                self.deliver(by_link[member.link], member, member_plan.want)
                again = True
        return again

    def deliver(self, record: Record, member: Member, want: Want) -> None:
        """A write that lands just as asked, and its receipt."""
        rules = self.maps[record.role]
        assert record.raw not in rules.frozen, "a closed record is never written"
        assert not (record.raw in rules.archived and want.status), "an archived record is never written"
        self.writes.append(record.name)
        if want.status is not None:
            assert record.graph is None or want.status in record.graph[record.raw], "only legal steps are asked for"
            record.raw = want.status
        record.tags = (record.tags | want.add) - want.remove
        landed = shown(record.role, record.raw, record.tags, rules)
        now = structs.replace(member, status_base=record.status_base, tag_base=record.tag_base)
        received = receive(self.item, now, want, landed)
        self.item = received.item
        record.status_base, record.tag_base = received.status_base, received.tag_base

    def settle(self, limit: int = 8) -> int:
        """Passes until there is nothing to write; the number of passes that wrote."""
        for count in range(limit):
            if not self.step():
                return count
        raise AssertionError("the item does not come to rest")


def play(
    start: str, steps: tuple[str, ...], flow: str = "free", detail: str = "tracker", maps: Maps = MAPS
) -> tuple[World, dict[str, Record]]:
    """Play a case in the notation of `cases`; `World.writes` holds the writes of the last step."""
    world = World(Rules(roles={Role.HELPDESK: RoleRules(detail=Detail(detail))}), maps)
    records: dict[str, Record] = {}
    for word in start.split():
        name, _, raw = word.partition(":")
        raw, _, tags = raw.partition("+")
        is_loose, name = name.startswith("~"), name.strip("~")
        role = ROLES.get(name, Role.HELPDESK)
        records[name] = Record(
            name=name,
            link=len(records) + 1,
            role=role,
            raw=raw,
            tags=frozenset(tags),
            graph=graph_of(flow, maps[role]) if role is Role.TRACKER else None,
            direction=DIRECTIONS.get(name, Direction.BOTH),
        )
        if not is_loose:
            world.join(records[name])
            world.settle()
    for step in steps:
        world.writes = []
        for act in step.split():
            perform(world, records, act)
        world.settle()
    return world, records


def perform(world: World, records: dict[str, Record], act: str) -> None:
    """One act of a user, or one partial pass."""
    if "=" in act:
        name, _, raw = act.partition("=")
        records[name].raw = raw
    elif ">" in act:
        name, _, into = act.partition(">")
        records[name].raw, records[name].into = "closed", records[into]
    elif "+" in act:
        name, _, tag = act.partition("+")
        records[name].tags |= {tag}
    elif "-" in act:
        name, _, tag = act.partition("-")
        records[name].tags -= {tag}
    elif act[0] == "j":
        world.join(records[act[1:]])
    elif act[0] == "l":
        world.leave(records[act[1:]])
    elif act[0] == "d":
        records[act[1:]].is_gone = True
    else:
        assert act[0] == "w"
        world.step(only=act[1:])


def describe(world: World, records: dict[str, Record]) -> str:
    """The records in the notation of `cases`."""
    words = []
    for name, record in records.items():
        base = record.status_base if record in world.linked else None
        words.append(
            ("" if record in world.linked else "~")
            + f"{name}:{record.raw}"
            + ("+" + "".join(sorted(record.tags)) if record.tags else "")
            + ("!" if base is not None and base.aside else "")
            + ("?" if base is not None and base.parked else "")
        )
    return " ".join(words)
