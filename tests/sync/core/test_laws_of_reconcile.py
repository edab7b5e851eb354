"""The laws of `reconcile` over random items: what users do, partial reads, refused and half-landed writes.

The laws L1 and L4 to L15, those of membership, and those of siblings, over maps made for these tests and over every
combination of the shipped ones.
"""

from __future__ import annotations

import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from sync.core.reconcile import reconcile
from sync.core.standing import agrees
from sync.core.state import Member, Plan, Rules, StatusRules
from sync.mapping.compiled import Mapping as Compiled
from sync.model import Role, Side
from tests.sync.core.world import MAPS, ROLES, STEPS, Maps, Record, World, play
from tests.sync.mapping.records import shipped

NAMES = "TABCSR"
TAGS = ("", "x", "y", "xy")
ROLE_OF = {"jira": Role.TRACKER, "zendesk": Role.HELPDESK}
"""The shipped mappings by role; every other one is a signal's."""


def in_one_word(rules: StatusRules) -> StatusRules:
    """The same map in the notation of the cases: no spaces in a status' name."""

    def word(raw: str) -> str:
        return raw.replace(" ", "_")

    return StatusRules(
        values={word(raw): status for raw, status in rules.values.items()},
        write={status: word(raw) for status, raw in rules.write.items()},
        accept={status: frozenset(map(word, raws)) for status, raws in rules.accept.items()},
        keep=frozenset(map(word, rules.keep)),
        archived=frozenset(map(word, rules.archived)),
        frozen=frozenset(map(word, rules.frozen)),
    )


def of_role(role: Role) -> list[Compiled]:
    return [each for name, each in sorted(shipped().mappings.items()) if ROLE_OF.get(name, Role.SIGNAL) is role]


SETS: list[Maps] = [
    MAPS,
    *(
        {
            Role.TRACKER: in_one_word(tracker.status),
            Role.HELPDESK: in_one_word(helpdesk.status),
            Role.SIGNAL: in_one_word(signal.status),
        }
        for tracker in of_role(Role.TRACKER)
        for helpdesk in of_role(Role.HELPDESK)
        for signal in of_role(Role.SIGNAL)
    ),
]
"""The maps made for these tests, and every combination of shipped ones."""


class Start(msgspec.Struct, frozen=True):
    """An item in the notation of `cases`, and the maps its systems have."""

    maps: Maps
    text: str

    @property
    def names(self) -> str:
        return "".join(word[0] for word in self.text.split())


def raws(maps: Maps, name: str) -> list[str]:
    rules = maps[ROLES.get(name, Role.HELPDESK)]
    return sorted({*rules.values, *rules.archived})


@st.composite
def starts(draw: st.DrawFn) -> Start:
    """An item of one issue, some tickets and some signals, and a ticket that is not linked."""
    maps = draw(st.sampled_from(SETS))
    words = []
    for name in NAMES[: draw(st.integers(2, 4))] + NAMES[4 : draw(st.integers(4, 6))]:
        tags = draw(st.sampled_from(TAGS))
        words.append(f"{name}:{draw(st.sampled_from(raws(maps, name)))}" + (f"+{tags}" if tags else ""))
    return Start(maps, " ".join(words))


@st.composite
def acts(draw: st.DrawFn, start: Start) -> str:
    """One thing that a user does to a record's status or tags."""
    name = draw(st.sampled_from(start.names))
    if draw(st.booleans()):
        return f"{name}={draw(st.sampled_from(raws(start.maps, name)))}"
    return f"{name}{draw(st.sampled_from('+-'))}{draw(st.sampled_from('xyz'))}"


@st.composite
def histories(draw: st.DrawFn) -> tuple[Start, list[str]]:
    """A start, and steps of one to three acts, sometimes read only in part."""
    start = draw(starts())
    steps = []
    for _ in range(draw(st.integers(1, 4))):
        words = draw(st.lists(acts(start), min_size=1, max_size=3))
        if draw(st.booleans()):
            words.append("w" + draw(st.sampled_from(start.names)))
        steps.append(" ".join(words))
    return start, steps


def legal(world: World, record: Record, raw: str) -> bool:
    """Whether a remote lets its user do this: a closed ticket stays closed, and no ticket goes back to new."""
    return record.raw not in world.maps[record.role].frozen and not (record.role is Role.HELPDESK and raw == "new")


def begin(start: Start, flow: str = "free") -> tuple[World, dict[str, Record]]:
    return play(start.text, (), flow, maps=start.maps)


def test_every_shipped_mapping_is_among_the_maps() -> None:
    tried = [rules for maps in SETS[1:] for rules in maps.values()]
    assert len(shipped().mappings) >= 3
    assert all(in_one_word(each.status) in tried for each in shipped().mappings.values())


def perform(world: World, records: dict[str, Record], step: str) -> None:
    for word in step.split():
        if word[0] == "w":
            world.step(only=word[1:])
            continue
        record = records[word[0]]
        if word[1] == "=" and legal(world, record, word[2:]):
            record.raw = word[2:]
        elif word[1] == "+" and record.raw not in world.maps[record.role].frozen:
            record.tags |= {word[2]}
        elif word[1] == "-" and record.raw not in world.maps[record.role].frozen:
            record.tags -= {word[2]}


def state(world: World, records: dict[str, Record]) -> bytes:
    return msgspec.json.encode(
        [world.item, [(r.raw, sorted(r.tags), r.status_base, r.tag_base) for r in records.values()]],
        order="deterministic",
    )


def people(members: list[Member]) -> list[Member]:
    return [structs.replace(m, automatic=False) for m in members]


def look(world: World, rules: Rules | None = None) -> Plan:
    return reconcile(world.item, people(world.members()), rules or world.rules)


# --- laws of the function -------------------------------------------------------------------------------------------


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_members_changes_nothing(history: tuple[Start, list[str]], chance: random.Random) -> None:
    """L5, L6, L14: the same values give the same bytes, in whatever order members, steps and tags are listed."""
    world, records = begin(history[0])
    for step in history[1]:
        perform(world, records, step)
    members = world.members()
    turned = [
        structs.replace(
            m,
            rules=structs.replace(m.rules, values=dict(reversed(list(m.rules.values.items())))),
            graph=None if m.graph is None else {k: tuple(reversed(v)) for k, v in reversed(list(m.graph.items()))},
        )
        for m in members
    ]
    chance.shuffle(turned)
    one, other = reconcile(world.item, members, world.rules), reconcile(world.item, turned, world.rules)
    assert msgspec.json.encode(one, order="deterministic") == msgspec.json.encode(other, order="deterministic")
    assert (one.changes, one.conflicts) == (other.changes, other.conflicts)


@given(histories(), st.sampled_from(sorted(STEPS)))
@settings(max_examples=60, deadline=None)
def test_an_item_comes_to_rest_and_stays(history: tuple[Start, list[str]], flow: str) -> None:
    """L7, L8, L9: a few passes, then every record agrees, stands aside or is parked, and nothing is said again."""
    world, records = begin(history[0], flow)
    for step in history[1]:
        perform(world, records, step)
        world.writes = []
        assert world.settle() <= 3
        assert len(world.writes) <= 3 * len(records)
        before = state(world, records)
        assert not world.step()
        assert world.last is not None
        assert (world.last.changes, world.last.conflicts) == ((), ())
        assert state(world, records) == before
    assert world.item.status is not None
    tracker = records["T"]
    assert tracker.status_base is not None
    side = world.maps[Role.TRACKER].values[tracker.raw].side
    assert side is world.item.status.side or tracker.status_base.parked is not None
    for member, record in zip(world.members(), records.values(), strict=True):
        if record.role is Role.SIGNAL or record.raw in world.maps[record.role].frozen:
            continue
        shown = record.tags & world.item.tags.keys()
        if record.role is Role.TRACKER:
            assert shown == world.item.tags.keys()
        assert member.tag_base is not None
        assert member.tag_base.keys == record.tags


@given(starts(), st.data())
@settings(max_examples=60, deadline=None)
def test_one_undisputed_change_of_the_tracker_survives_and_reaches_who_follows(
    start: Start, data: st.DataObject
) -> None:
    """L11 for the tracker; L10, L12: nobody else is taken to have changed, and no edit is overwritten."""
    world, records = begin(start)
    tracker = records["T"]
    raw = data.draw(st.sampled_from([raw for raw in raws(start.maps, "T") if raw != tracker.raw]))
    tracker.raw = raw
    apart = {r.name for r in records.values() if r.status_base is not None and r.status_base.aside}
    assert world.item.status is not None
    crossed = world.item.status.side is not world.maps[Role.TRACKER].values[raw].side
    world.settle()
    assert tracker.raw == raw
    status = world.item.status
    assert status is world.maps[Role.TRACKER].values[raw]
    assert world.last is not None
    assert world.last.conflicts == ()
    for member, record in zip(world.members(), records.values(), strict=True):
        is_told = record.name not in apart or (crossed and status.side is Side.DONE)
        if record.role is not Role.TRACKER and is_told:
            assert agrees(member, status), record.name


@given(starts(), st.data())
@settings(max_examples=60, deadline=None)
def test_a_tickets_status_moves_no_other_ticket(start: Start, data: st.DataObject) -> None:
    """Siblings are untouched by a sibling's status."""
    world, records = begin(start)
    record = records["A"]
    raw = data.draw(st.sampled_from([raw for raw in raws(start.maps, "A") if raw not in ("new", "closed")]))
    others = {name: r.raw for name, r in records.items() if r.role is Role.HELPDESK and name != "A"}
    if legal(world, record, raw):
        record.raw = raw
    world.settle()
    assert {name: records[name].raw for name in others} == others
    assert record.raw in (raw, "closed")


@given(starts(), st.sampled_from(["leave", "gone", "join", "merge"]), st.sampled_from(raws(MAPS, "A")))
@settings(max_examples=60, deadline=None)
def test_membership_never_speaks(start: Start, what: str, raw: str) -> None:
    """Joins, leaves, deletions and merges move nobody's status and remove no tag."""
    world, records = begin(start)
    loose = Record(name="Z", link=99, role=Role.HELPDESK, raw=raw, tags=frozenset("z"))
    status = world.item.status
    before = {name: (r.raw, r.tags) for name, r in records.items()}
    ticket = records["A"]
    if what == "leave":
        world.leave(ticket)
    elif what == "gone":
        ticket.is_gone = True
    elif what == "join":
        world.join(loose)
    else:
        ticket.raw, ticket.into = "closed", loose
        before["A"] = ("closed", before["A"][1])
    world.settle()
    assert world.item.status is status
    assert {name: r.raw for name, r in records.items()} == {name: r for name, (r, _) in before.items()}
    assert all(records[name].tags >= tags for name, (_, tags) in before.items())


@given(histories(), st.sampled_from(NAMES))
@settings(max_examples=60, deadline=None)
def test_an_unread_record_does_not_move_and_is_not_written(history: tuple[Start, list[str]], name: str) -> None:
    world, records = begin(history[0])
    for step in history[1]:
        perform(world, records, step)
    if name not in records:
        name = "A"
    members = [structs.replace(m, fresh=m.link != records[name].link) for m in people(world.members())]
    plan = reconcile(world.item, members, world.rules)
    mine = next(m for m in plan.members if m.link == records[name].link)
    before = records[name].tag_base
    assert mine.want is None
    if before is None or mine.tag_base is None:
        assert mine.tag_base is before
    else:  # only what it is owed grows: that the item said, not the record
        assert structs.replace(mine.tag_base, owed=before.owed) == before
    now, then = mine.status_base, records[name].status_base
    assert now is not None
    assert then is not None
    assert (now.raw, now.heard, now.side) == (then.raw, then.heard, then.side)


@given(histories())
@settings(max_examples=60, deadline=None)
def test_a_write_over_a_users_own_edit_comes_with_a_conflict_that_names_it(history: tuple[Start, list[str]]) -> None:
    """L12, H4: and only one conflict a record and pass."""
    world, records = begin(history[0])
    for step in history[1]:
        perform(world, records, step)
    plan = look(world)
    for each in plan.members:
        record = next(r for r in records.values() if r.link == each.link)
        base = record.status_base
        assert base is not None
        if each.want is None or each.want.status is None or record.raw == base.raw:
            continue
        named = [c for c in plan.conflicts if c.field == "status" and c.link == each.link]
        assert [c.lost for c in named] == [record.raw]


@given(histories())
@settings(max_examples=60, deadline=None)
def test_a_write_carries_only_what_changed(history: tuple[Start, list[str]]) -> None:
    """L15: a status only where it differs, tags as deltas that the record needs, and never empty."""
    world, records = begin(history[0])
    for step in history[1]:
        perform(world, records, step)
    for each in look(world).members:
        if each.want is None:
            continue
        record = next(r for r in records.values() if r.link == each.link)
        assert each.want.status != record.raw
        assert not each.want.add & record.tags
        assert each.want.remove <= record.tags
        assert each.want.status is not None or each.want.add or each.want.remove


@given(starts())
@settings(max_examples=60, deadline=None)
def test_agreeing_records_pull_nothing(start: Start) -> None:
    """L1, L4: a settled item is left alone, and a version without a change of value is no change."""
    world, _ = begin(start)
    plan = look(world)
    assert (plan.item, plan.changes, plan.conflicts) == (world.item, (), ())
    assert all(m.want is None for m in plan.members)


@given(st.sets(st.sampled_from("xyz")), st.sets(st.sampled_from("xyz")), st.sets(st.sampled_from("xyz")))
@settings(max_examples=60, deadline=None)
def test_tags_merge_as_a_set_in_which_add_beats_remove(had: set[str], added: set[str], removed: set[str]) -> None:
    """L13: what the tracker's people and one ticket's do in the same pass."""
    world, records = begin(Start(MAPS, "T:prog" + ("+" + "".join(sorted(had)) if had else "") + " A:open"))
    records["T"].tags = (records["T"].tags - removed) | frozenset()
    records["A"].tags = records["A"].tags | added
    new = frozenset(added) - frozenset(had)
    world.settle()
    assert world.item.tags.keys() == (frozenset(had) - removed) | new
    assert records["T"].tags == world.item.tags.keys()


def test_a_crossing_of_the_tracker_reaches_all_that_follow() -> None:
    """The side that everybody who is not aside ends on, for every start of two tickets."""
    for a in ("new", "open", "pending", "hold"):
        for b in ("new", "open", "pending", "hold"):
            world, records = begin(Start(MAPS, f"T:prog A:{a} B:{b}"))
            records["T"].raw = "done"
            world.settle()
            assert {records["A"].raw, records["B"].raw} == {"solved"}
            assert world.item.status is not None
            assert world.item.status.side is Side.DONE
