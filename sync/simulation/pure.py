"""Pure level: histories of groups over `sync.core` alone, with records in memory, at a rate no database allows.

One item with a tracker, tickets and signals; users edit, records join, leave, are merged and deleted; reads are old or
missing, writes are refused, or applied and their answers lost; users edit between our read and our write. Tags have
names of their own, so that their fate is exact. The oracle is the one of the group rules' model, section 6 there.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from msgspec import Struct, structs

from sync.core import lens
from sync.core.receipt import Own, receive, settle
from sync.core.reconcile import reconcile
from sync.core.state import (
    Intent,
    ItemState,
    Member,
    Rules,
    Shown,
    StatusBase,
    StatusRules,
    TagBase,
    Want,
)
from sync.model import Direction, Role, Side, Status

MAPS: Mapping[Role, StatusRules] = {
    Role.TRACKER: StatusRules(
        values={
            "todo": Status.NEW,
            "prog": Status.IN_PROGRESS,
            "blocked": Status.WAITING,
            "done": Status.RESOLVED,
            "wontfix": Status.CLOSED,
        },
        write={Status.NEW: "todo", Status.IN_PROGRESS: "prog", Status.WAITING: "blocked", Status.RESOLVED: "done"},
    ),
    Role.HELPDESK: StatusRules(
        values={
            "new": Status.NEW,
            "open": Status.IN_PROGRESS,
            "pending": Status.WAITING,
            "hold": Status.WAITING,
            "solved": Status.RESOLVED,
            "closed": Status.RESOLVED,
        },
        write={Status.NEW: "open", Status.IN_PROGRESS: "open", Status.WAITING: "hold", Status.RESOLVED: "solved"},
        accept={Status.NEW: frozenset({"new", "open"})},
        keep=frozenset({"pending"}),
        frozen=frozenset({"closed"}),
    ),
    Role.SIGNAL: StatusRules(
        values={"unresolved": Status.NEW, "resolved": Status.RESOLVED},
        write={Status.NEW: "unresolved", Status.RESOLVED: "resolved"},
        archived=frozenset({"ignored"}),
    ),
}
_FREE = ("todo", "prog", "blocked", "done", "wontfix")
FLOWS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "free": {a: tuple(b for b in _FREE if b != a) for a in _FREE},
    "stock": {
        "todo": ("prog", "wontfix"),
        "prog": ("todo", "done", "blocked"),
        "blocked": ("prog",),
        "done": ("prog",),
        "wontfix": ("todo",),
    },
    "locked": {
        "todo": ("prog", "wontfix"),
        "prog": ("done", "blocked"),
        "blocked": ("prog",),
        "done": (),
        "wontfix": (),
    },
}
_REFUSED, _LOST, _STALE, _UNREAD, _RACE = 0.05, 0.05, 0.05, 0.05, 0.3


class _State(Struct, frozen=True):
    version: int
    raw: str
    tags: frozenset[str]
    shown: Shown


class _Row(Struct, frozen=True):
    """One of the hub's own rows in a record's history."""

    version: int
    own: Own


@dataclass(eq=False)
class Record:
    """A remote record with its whole history."""

    id: int
    role: Role
    raw: str
    direction: Direction = Direction.BOTH
    graph: Mapping[str, tuple[str, ...]] | None = None
    filtered: bool = False
    tags: frozenset[str] = frozenset()
    states: list[_State] = field(default_factory=list)
    rows: list[_Row] = field(default_factory=list)
    is_gone: bool = False
    into: Record | None = None
    by_hub: bool = False
    done_at: int = 0
    faded: set[str] = field(default_factory=set)

    @property
    def version(self) -> int:
        """How often it has changed."""
        return len(self.states)

    @property
    def is_frozen(self) -> bool:
        """The remote refuses every edit."""
        return self.raw == "closed"

    def bump(self) -> None:
        """Keep what it shows now as its newest state."""
        self.states.append(_State(self.version + 1, self.raw, self.tags, _shown(self.role, self.raw, self.tags)))

    def accepts(self, key: str) -> bool:
        """Whether its tag filter lets a tag pass."""
        return not self.filtered or int(key) % 3 != 0


@dataclass(eq=False)
class Link:
    """What the hub knows of a member."""

    record: Record
    since: int
    seen: _State
    status_base: StatusBase | None = None
    tag_base: TagBase | None = None
    intent: Intent | None = None
    errand: Want | None = None
    fresh: bool = False


def _shown(role: Role, raw: str, tags: frozenset[str]) -> Shown:
    rules = MAPS[role]
    archived = raw in rules.archived
    return Shown(
        raw=raw,
        status=None if archived else rules.values.get(raw),
        archived=archived,
        frozen=raw in rules.frozen,
        tags=tags,
    )


def _side(role: Role, raw: str) -> Side | None:
    status = lens.get(MAPS[role], raw)
    return None if status is None else status.side


class World:
    """One item, its records, the users and the hub. wrong: what went wrong, by name."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311  repeatable on purpose
        self.item = ItemState()
        self.rules = Rules()
        self.links: list[Link] = []
        self.loose: list[Record] = []
        self.now = 0
        self.writes = 0
        self.edits = 0
        self.conflicts = 0
        self.faulty = True
        self.wrong: set[str] = set()
        self.added: dict[str, tuple[Record, int]] = {}
        self.killed: dict[str, set[Record]] = {}
        self.killed_by_tracker: set[str] = set()
        self.tracker_reopened = -1
        self._records = 0
        self._tags = 9
        self._joined = False
        self._cast()

    def _cast(self) -> None:
        rng = self.rng
        self.join(self._record(Role.TRACKER, ("todo",), FLOWS[rng.choice(("free", "stock", "stock", "locked"))]))
        for _ in range(rng.randint(0, 5)):
            self.join(self._record(Role.HELPDESK, ("new", "open")))
        for _ in range(rng.randint(0, 3)):
            self.join(self._record(Role.SIGNAL, ("unresolved",)))
        self.loose = [self._record(Role.HELPDESK, ("new", "open", "solved")) for _ in range(2)]
        self.loose.append(self._record(Role.SIGNAL, ("unresolved", "resolved")))

    def _record(self, role: Role, raws: tuple[str, ...], graph: Mapping[str, tuple[str, ...]] | None = None) -> Record:
        self._records += 1
        rng = self.rng
        roll = rng.random()
        direction = Direction.BOTH
        if role is not Role.TRACKER and roll > 0.8:
            direction = Direction.IN if roll < 0.9 else Direction.OUT
        made = Record(
            id=self._records,
            role=role,
            raw=rng.choice(raws),
            direction=direction,
            graph=graph,
            filtered=rng.random() < 0.25,
        )
        made.bump()
        return made

    # --- users -----------------------------------------------------------------------------------------------------

    def join(self, record: Record) -> None:
        """Link a record; a join is a union, so what was removed may come back through it."""
        for removers in self.killed.values():
            removers.discard(record)
        for key in record.tags:
            self.killed[key] = set()
            self.killed_by_tracker.discard(key)
        record.by_hub = False
        self.links.append(Link(record=record, since=self.now, seen=record.states[-1]))
        self._joined = True

    def edit(self) -> None:
        """Somebody does something."""
        rng = self.rng
        self.now += 1
        self.edits += 1
        roll = rng.random()
        if roll < 0.06 and self.loose:
            self.join(self.loose.pop(rng.randrange(len(self.loose))))
            return
        link = rng.choice(self.links)
        record = link.record
        if roll < 0.10:
            self._depart(link, roll)
        elif roll < 0.55 or record.role is Role.SIGNAL:
            self._move(record)
        elif roll < 0.82:
            self._add(record, str(rng.randint(1, 3)) if rng.random() < 0.15 else self._new_tag())
        elif record.tags:
            self._remove(record, rng.choice(sorted(record.tags)))

    def _new_tag(self) -> str:
        self._tags += 1
        return str(self._tags)

    def _depart(self, link: Link, roll: float) -> None:
        record = link.record
        if record.role is Role.TRACKER or record.is_gone:
            return
        if roll < 0.07:
            record.is_gone = True
        elif roll < 0.08:
            self.links.remove(link)
        elif record.role is Role.HELPDESK and not record.is_frozen:
            others = [
                each.record
                for each in self.links
                if each.record.role is Role.HELPDESK
                and each.record is not record
                and not each.record.is_gone
                and not each.record.is_frozen
            ]
            target = self.rng.choice(others) if others and self.rng.random() < 0.5 else None
            if target is None:
                target = next((each for each in self.loose if each.role is Role.HELPDESK), None)
                if target is not None:
                    self.loose.remove(target)
            if target is not None:
                record.raw, record.into = "closed", target
                record.bump()

    def _move(self, record: Record) -> None:
        rng, old = self.rng, record.raw
        if record.graph is not None:
            new = rng.choice(record.graph[old] or (old,))
        else:
            new = rng.choice((*MAPS[record.role].values, *sorted(MAPS[record.role].archived)))
        if new == "closed" and old != "solved":
            new = "solved"
        if new == "new" and record.role is Role.HELPDESK:
            new = "open"
        if new != old and not record.is_frozen:
            record.raw, record.by_hub = new, False
            record.bump()
        if record.role is Role.SIGNAL and rng.random() < 0.5 and not record.is_gone:
            self._flicker(record)

    def _flicker(self, record: Record) -> None:
        """A signal's tags come and go with its events."""
        rng = self.rng
        gone = sorted(record.tags)[:1] if rng.random() < 0.4 else []
        key = self._new_tag()
        back = sorted(record.faded)[:1] if rng.random() < 0.4 else []
        record.faded |= set(gone)
        for each in gone:
            self.killed.setdefault(each, set())  # it may have faded before anybody looked
        record.tags = (record.tags - set(gone)) | {key} | set(back)
        self.added.setdefault(key, (record, self.now))
        record.bump()

    def _add(self, record: Record, key: str) -> None:
        if record.is_frozen:
            return
        record.tags |= {key}
        self.added.setdefault(key, (record, self.now))
        record.bump()

    def _remove(self, record: Record, key: str) -> None:
        if record.is_frozen:
            return
        record.tags -= {key}
        self.killed.setdefault(key, set()).add(record)
        if record.role is Role.TRACKER:
            self.killed_by_tracker.add(key)
        record.bump()

    # --- the hub ---------------------------------------------------------------------------------------------------

    def go(self) -> bool:
        """One pass: read, settle doubts, decide, write. True when there is more to do."""
        self.now += 1
        self._joined = False
        self._read()
        self._settle()
        for link in self.links:
            if link.record.role is Role.TRACKER and link.status_base is not None and link.fresh:
                sides = _side(Role.TRACKER, link.status_base.raw), _side(Role.TRACKER, link.seen.raw)
                if sides == (Side.DONE, Side.ACTIVE):
                    self.tracker_reopened = self.now
        self.rng.shuffle(self.links)
        keys = self._keys()
        members = [self._member(link, keys) for link in self.links]
        plan = reconcile(self.item, members, self.rules)
        if plan.ask:
            members = [structs.replace(m, automatic=False) if m.link in plan.ask else m for m in members]
            plan = reconcile(self.item, members, self.rules)
        before = self.item.status
        self.item = plan.item
        self.conflicts += len(plan.conflicts)
        if before is not None and plan.item.status is not before and not plan.changes:
            self.wrong.add("change-without-cause")
        by_id = {link.record.id: link for link in self.links}
        for each in plan.members:
            link = by_id[each.link]
            link.status_base, link.tag_base = each.status_base, each.tag_base
        if self.faulty and self.rng.random() < _RACE:
            self.edit()
        # What is in doubt and did not move goes out again, as it was, under its old condition, while the item still
        # asks for it; else it is given up, and decided anew in the next pass. Nothing else is written.
        outdated = [link for link in self.links if link.intent is not None and link.fresh and self._is_outdated(link)]
        for link in outdated:
            link.intent, link.errand = None, None
        again = [(link, link.errand) for link in self.links if link.intent is not None and link.fresh]
        idle = [each for each in plan.members if by_id[each.link].intent is None]
        wants = [(by_id[each.link], each.want) for each in idle if by_id[each.link] not in outdated]
        for link, want in (*again, *wants):
            if want is not None:
                self._deliver(link, want)
        return any(want for _, want in wants) or self._joined or bool(again) or bool(outdated) or bool(plan.read)

    def _is_outdated(self, link: Link) -> bool:
        """The item would not ask for a doubtful write any more, and it has not arrived late either.

        The engine waits a minute before it believes the latter; here the record itself is asked.
        """
        intent = link.intent
        if intent is None or link.record.version != int(intent.version):
            return False
        members = [self._member(each) for each in self.links]
        mine = link.record.id
        members = [structs.replace(each, in_doubt=None) if each.link == mine else each for each in members]
        plan = reconcile(self.item, members, self.rules)
        want = next((each.want for each in plan.members if each.link == mine), None) or Want()
        return not (intent.status in (None, want.status) and intent.add <= want.add and intent.remove <= want.remove)

    def _read(self) -> None:
        for link in list(self.links):
            record = link.record
            if record.is_gone:
                self.links.remove(link)
                continue
            if record.into is not None:
                self.links.remove(link)
                if all(each.record is not record.into for each in self.links) and not record.into.is_gone:
                    self.join(record.into)
                continue
            roll = self.rng.random() if self.faulty else 1.0
            link.fresh = True
            if roll < _UNREAD:
                link.fresh = False
            elif roll < _UNREAD + _STALE and record.version > 1:
                self._take(link, record.states[-2])
            else:
                self._take(link, record.states[-1])

    @staticmethod
    def _take(link: Link, state: _State) -> None:
        if state.version >= link.seen.version:
            link.seen = state
        else:
            link.fresh = False

    def _settle(self) -> None:
        """Find out about writes in doubt by the records' own histories."""
        for link in self.links:
            intent = link.intent
            if intent is None or not link.fresh or link.seen.version <= int(intent.version):
                continue
            own = [row.own for row in link.record.rows if int(intent.version) < row.version <= link.seen.version]
            received = settle(self.item, self._member(link), intent, own)
            self.item = received.item
            link.status_base, link.tag_base = received.status_base, received.tag_base
            link.intent, link.errand = None, None

    def _keys(self) -> frozenset[str]:
        return frozenset(self.item.tags).union(*[each.seen.tags for each in self.links])

    def _member(self, link: Link, keys: frozenset[str] | None = None) -> Member:
        record = link.record
        keys = self._keys() if keys is None else keys
        if link.tag_base is not None:
            keys |= link.tag_base.keys | link.tag_base.had
        return Member(
            link=record.id,
            role=record.role,
            rules=MAPS[record.role],
            shown=link.seen.shown,
            fresh=link.fresh,
            status_direction=record.direction,
            tag_direction=record.direction,
            status_base=link.status_base,
            tag_base=link.tag_base,
            in_doubt=link.intent,
            accepts=frozenset([key for key in keys if record.accepts(key)]) if record.filtered else keys,
            graph=record.graph,
            automatic=False,
        )

    def _deliver(self, link: Link, want: Want) -> None:
        """A conditional write: refused when the record has moved; its answer may be lost."""
        record = link.record
        if record.version != link.seen.version or record.is_gone:
            return
        if record.is_frozen:
            self.wrong.add("write-to-closed")
            return
        link.errand = want
        link.intent = Intent(
            version=str(record.version),
            status=want.status,
            final=want.final,
            said=want.said,
            add=want.add,
            remove=want.remove,
        )
        roll = self.rng.random() if self.faulty else 1.0
        if roll < _REFUSED:
            return
        self._apply(record, want, link)
        if roll < _REFUSED + _LOST:
            return
        member = structs.replace(self._member(link), in_doubt=None)
        link.seen, link.intent, link.errand = record.states[-1], None, None
        received = receive(self.item, member, want, link.seen.shown)
        self.item = received.item
        link.status_base, link.tag_base = received.status_base, received.tag_base

    def _apply(self, record: Record, want: Want, link: Link) -> None:
        self.writes += 1
        if want.status is not None:
            was, now = _side(record.role, record.raw), _side(record.role, want.status)
            if record.raw in MAPS[record.role].archived:
                self.wrong.add("archived-overwritten")
            if record.graph is not None and want.status not in record.graph[record.raw]:
                self.wrong.add("illegal-step")
            crosses_up = was is Side.DONE and now is Side.ACTIVE
            if (
                crosses_up
                and record.role is Role.HELPDESK
                and record.direction is Direction.BOTH
                and self.tracker_reopened < record.done_at
            ):
                self.wrong.add("ticket-reopened-unasked")
            if now is Side.DONE:
                record.done_at = self.now
            record.raw, record.by_hub = want.status, True
        record.tags = (record.tags | want.add) - want.remove
        record.bump()
        record.rows.append(_Row(record.version, Own(status=want.status, add=want.add, remove=want.remove)))
        del link

    # --- the whole history -----------------------------------------------------------------------------------------

    def run(self, steps: int = 30) -> frozenset[str]:
        """Play, let faults heal, come to rest, judge. Returns what went wrong."""
        for _ in range(steps):
            if self.rng.random() < 0.5:
                self.edit()
            else:
                self.go()
        self.faulty = False
        passes = 0
        while self.go():
            passes += 1
            if passes > 12:
                return frozenset(self.wrong | {"H2 never-quiet"})
        writes = self.writes
        self.go()
        if self.writes != writes:
            self.wrong.add("H2 writes-at-rest")
        self.wrong.update(self._judge())
        return frozenset(self.wrong)

    def _judge(self) -> Iterator[str]:
        status = self.item.status
        assert status is not None  # a tracker joined
        for link in self.links:
            record = link.record
            base = link.status_base
            writable = record.direction in (Direction.BOTH, Direction.OUT) and not record.is_frozen
            parked = base is not None and base.parked is not None
            side = _side(record.role, record.raw)
            if record.role is Role.TRACKER and not parked and side is not status.side:
                yield "H1 tracker-diverged"
            rests = lens.agrees(MAPS[record.role], status, record.raw)
            left_done = record.role is not Role.TRACKER and status.side is Side.ACTIVE and side is Side.DONE
            near = record.role is Role.TRACKER and side is status.side
            if writable and not parked and record.by_hub and not rests and not left_done and not near:
                yield "H1 status-diverged"
            yield from self._judge_tags(link, writable=writable)

    def _judge_tags(self, link: Link, *, writable: bool) -> Iterator[str]:
        record, tags = link.record, link.record.tags
        linked = {each.record for each in self.links}
        for key, (source, at) in self.added.items():
            in_item, shows = key in self.item.tags, key in tags
            if record.role is Role.TRACKER and in_item and record.accepts(key) and not shows:
                yield "tag-diverged-on-tracker"
            if int(key) <= 3:
                continue
            removers = self.killed.get(key)
            votes = source.direction in (Direction.BOTH, Direction.IN)
            if removers is None and source in linked and votes and source.accepts(key):
                if not in_item:
                    yield "H6 tag-lost"
                reached = record.role is Role.HELPDESK and source.role is Role.TRACKER and writable
                if reached and record.accepts(key) and not shows:
                    yield "H6 tag-lost-on-ticket"
            if (
                source.role is Role.TRACKER
                and source.accepts(key)
                and record.role is Role.HELPDESK
                and record.direction is Direction.BOTH
                and link.since <= at
                and record.accepts(key)
                and not record.is_frozen
                and key not in self.killed_by_tracker
                and record not in (removers or ())
                and not in_item
            ):
                yield "tag-removed-though-kept"
            siblings = record.role is Role.HELPDESK and source.role is Role.HELPDESK and source is not record
            if siblings and shows and record.into is None:
                yield "tag-on-sibling"
            removable = writable and record.role is not Role.SIGNAL and record.accepts(key)
            if key in self.killed_by_tracker and removable and shows:
                yield "H5 tag-resurrected"
            if record in (removers or ()) and shows:
                yield "H5 tag-forced-back"
            if (
                source is record
                and record.role is Role.HELPDESK
                and record in (removers or ())
                and record.direction is Direction.BOTH
                and record.accepts(key)
                and in_item
            ):
                yield "tag-not-removed"
