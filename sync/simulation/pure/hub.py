"""The hub of the pure level: the real decision and the real receipts, between reads and writes that go wrong."""

from __future__ import annotations

from msgspec import structs

from sync.core.receipt import Own, receive, settle
from sync.core.reconcile import reconcile
from sync.core.state import Intent, Member, Want
from sync.model import Direction, Side
from sync.simulation.pure import people
from sync.simulation.pure.records import Link, Record, Row
from sync.simulation.pure.systems import HELPDESK, TRACKER
from sync.simulation.pure.world import World

_REFUSED, _LOST, _STALE, _UNREAD, _RACE = 0.05, 0.05, 0.05, 0.05, 0.3


class Hub:
    """Reads, settles doubts, decides, and writes, one pass after the other."""

    def __init__(self, world: World) -> None:
        self.world = world

    def go(self) -> bool:
        """One pass. True when there is more to do."""
        world = self.world
        world.now += 1
        world.joined = False
        self._read()
        self.settle_doubts()
        self._watch_the_tracker()
        world.mix()
        members = [self._member(link) for link in world.links]
        plan = reconcile(world.item, members, world.rules)
        if plan.ask:
            members = [structs.replace(m, automatic=False) if m.link in plan.ask else m for m in members]
            plan = reconcile(world.item, members, world.rules)
        before = world.item.status
        world.item = plan.item
        world.conflicts += len(plan.conflicts)
        if plan.changes:
            world.trace.append(f"{world.now} pass {plan.item.status} {len(plan.changes)} {len(plan.conflicts)}")
        if before is not None and plan.item.status is not before and not plan.changes:
            world.wrong.add("change-without-cause")
        by_id = {link.record.id: link for link in world.links}
        for each in plan.members:
            link = by_id[each.link]
            link.status_base, link.tag_base = each.status_base, each.tag_base
        if world.faulty and world.rng.random() < _RACE:
            people.edit(world)
        # What is in doubt and did not move goes out again, as it was, under its old condition, while the item still
        # asks for it; else it is given up, and decided anew in the next pass. Nothing else is written.
        doubtful = [link for link in world.links if link.intent is not None and link.fresh]
        outdated = [link for link in doubtful if self._is_outdated(link)]
        wants = [
            (link, each.want)
            for each in plan.members
            if each.want is not None and (link := by_id[each.link]).intent is None
        ]
        for link in outdated:
            link.intent, link.errand = None, None
        again = [link for link in doubtful if link.intent is not None]
        for link in again:
            if link.errand is not None:
                self._deliver(link, link.errand)
        for link, want in wants:
            self._deliver(link, want)
        return bool(wants or world.joined or again or outdated or plan.read)

    def _watch_the_tracker(self) -> None:
        """Note that the hub has seen a reopen by the tracker's people."""
        link = self.world.tracker
        base, raw = link.status_base, link.seen.shown.raw
        if base is not None and link.fresh and base.raw != raw:
            was, now = TRACKER.readings[base.raw].side, TRACKER.readings[raw].side
            if was is Side.DONE and now is Side.ACTIVE:
                self.world.tracker_reopened = self.world.now

    def _is_outdated(self, link: Link) -> bool:
        """The item would not ask for a doubtful write any more, and it has not arrived late either.

        The engine waits a minute before it believes the latter; here the record itself is asked.
        """
        intent, world = link.intent, self.world
        if intent is None or link.record.version != int(intent.version):
            return False
        members = [self._member(each) for each in world.links]
        mine = link.record.id
        members = [structs.replace(each, in_doubt=None) if each.link == mine else each for each in members]
        plan = reconcile(world.item, members, world.rules)
        want = next((each.want for each in plan.members if each.link == mine), None) or Want()
        return not (intent.status in (None, want.status) and intent.add <= want.add and intent.remove <= want.remove)

    def _read(self) -> None:
        """Read every member: as it is, as it was, or not at all; who has left or was merged is no member any more."""
        world = self.world
        rng, faulty = world.rng, world.faulty
        for link in list(world.links):
            record = link.record
            if record.is_gone:
                world.links.remove(link)
                continue
            if record.into is not None:
                world.links.remove(link)
                if all(each.record is not record.into for each in world.links) and not record.into.is_gone:
                    world.join(record.into)
                continue
            state = record.states[-1]
            if faulty:
                roll = rng.random()
                if roll < _UNREAD:
                    link.fresh = False
                    continue
                if roll < _UNREAD + _STALE and record.version > 1:
                    state = record.states[-2]
            link.fresh = state.version >= link.seen.version
            if link.fresh:
                link.seen = state

    def settle_doubts(self) -> None:
        """Find out about writes in doubt by the records' own histories."""
        for link in self.world.links:
            intent = link.intent
            if intent is None or not link.fresh or link.seen.version <= int(intent.version):
                continue
            own = [row.own for row in link.record.rows if int(intent.version) < row.version <= link.seen.version]
            received = settle(self.world.item, self._member(link), intent, own)
            self.world.item = received.item
            link.status_base, link.tag_base = received.status_base, received.tag_base
            link.intent, link.errand = None, None

    def _member(self, link: Link) -> Member:
        record = link.record
        return Member(
            link=record.id,
            role=record.system.role,
            rules=record.system.rules,
            shown=link.seen.shown,
            fresh=link.fresh,
            status_direction=record.direction,
            tag_direction=record.direction,
            status_base=link.status_base,
            tag_base=link.tag_base,
            in_doubt=link.intent,
            accepts=self.world.passing if record.filtered else self.world.known,
            graph=record.graph,
            automatic=False,
        )

    def _deliver(self, link: Link, want: Want) -> None:
        """A conditional write: refused when the record has moved; its answer may be lost."""
        record, world = link.record, self.world
        if record.version != link.seen.version or record.is_gone:
            return
        if record.reading.frozen:
            world.wrong.add("write-to-closed")
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
        roll = world.rng.random() if world.faulty else 1.0
        if roll < _REFUSED:
            return
        self._apply(record, want)
        if roll < _REFUSED + _LOST:
            return
        link.intent, link.errand = None, None
        member = self._member(link)
        link.seen = record.states[-1]
        received = receive(world.item, member, want, link.seen.shown)
        world.item = received.item
        link.status_base, link.tag_base = received.status_base, received.tag_base

    def _apply(self, record: Record, want: Want) -> None:
        world = self.world
        world.writes += 1
        if want.status is not None:
            self._judge_step(record, want.status)
            if record.system.readings[want.status].side is Side.DONE:
                record.done_at = world.now
            record.raw, record.by_hub = want.status, True
        record.tags = (record.tags | want.add) - want.remove
        record.keep()
        record.rows.append(Row(record.version, Own(status=want.status, add=want.add, remove=want.remove)))
        world.trace.append(f"{world.now} wrote {record.id} {want.status} {sorted(want.add)} {sorted(want.remove)}")

    def _judge_step(self, record: Record, raw: str) -> None:
        """What a write of a status must never do."""
        world, reading = self.world, record.reading
        if reading.archived:
            world.wrong.add("archived-overwritten")
        if record.graph is not None and raw not in record.graph[record.raw]:
            world.wrong.add("illegal-step")
        if (
            reading.side is Side.DONE
            and record.system.readings[raw].side is Side.ACTIVE
            and record.system is HELPDESK
            and record.direction is Direction.BOTH
            and world.tracker_reopened < record.done_at
        ):
            world.wrong.add("ticket-reopened-unasked")
