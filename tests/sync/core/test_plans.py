"""What a plan tells besides its writes: changes with their rules, and the bases of what is left alone."""

from __future__ import annotations

from msgspec import structs

from sync.core.reasons import ConflictKind, ParkReason
from sync.core.rebase import rebase
from sync.core.reconcile import reconcile
from sync.core.state import (
    Ear,
    FieldRule,
    ItemState,
    ItemValue,
    Line,
    Member,
    Rules,
    StatusBase,
    TagBase,
    ValueBase,
    ValueRules,
)
from sync.core.traces import Answer, TraceKind
from sync.core.why import Why
from sync.model import Direction, Role, Side, Status
from tests.sync.core.world import MAPS, shown


def member(role: Role, link: int, raw: str, base: StatusBase) -> Member:
    return Member(link=link, role=role, rules=MAPS[role], shown=shown(role, raw), status_base=base, tag_base=TagBase())


def item(status: Status, said: int = 1) -> ItemState:
    side = status.side
    return ItemState(
        status=status,
        said=dict.fromkeys(Ear, said),
        line={ear: Line(said, side) for ear in Ear},
    )


def issue(raw: str, was: str, side: Side = Side.ACTIVE) -> Member:
    return member(Role.TRACKER, 1, raw, StatusBase(raw=was, heard=1, side=side))


def ticket(raw: str, was: str, side: Side = Side.ACTIVE) -> Member:
    return member(Role.HELPDESK, 2, raw, StatusBase(raw=was, heard=1, side=side))


def changes(state: ItemState, *members: Member) -> list[tuple[str | None, str | None, str]]:
    plan = reconcile(state, members, Rules())
    return [(change.old, change.new, change.rule) for change in plan.changes if change.field == "status"]


def test_a_resolve_of_the_tracker_is_told_with_its_rule() -> None:
    found = changes(item(Status.NEW), issue("done", "todo"), ticket("open", "open"))
    assert found == [("new", "resolved", Why.TRACKER_CROSSED.value)]


def test_a_detail_of_the_tracker_is_told_with_its_rule() -> None:
    found = changes(item(Status.NEW), issue("blocked", "todo"), ticket("open", "open"))
    assert found == [("new", "waiting", Why.TRACKER_DETAIL.value)]


def test_a_tracker_that_comes_where_the_item_is_already_changes_nothing() -> None:
    found = changes(item(Status.RESOLVED), issue("done", "todo"), ticket("solved", "solved", Side.DONE))
    assert found == []


def test_where_open_wins_over_a_finished_tracker_the_item_stays_as_it_is() -> None:
    opened = ticket("open", "solved", Side.DONE)
    assert changes(item(Status.NEW), issue("done", "todo"), opened) == []
    found = changes(item(Status.RESOLVED), issue("done", "todo"), opened)
    assert found == [("resolved", "new", Why.OPEN_WINS.value)]


def test_open_wins_whichever_record_was_linked_first() -> None:
    for issue_link, ticket_link in ((1, 2), (2, 1)):
        finished = structs.replace(issue("done", "todo"), link=issue_link)
        opened = structs.replace(ticket("open", "solved", Side.DONE), link=ticket_link)
        plan = reconcile(item(Status.RESOLVED), [finished, opened], Rules())
        assert plan.item.status is Status.NEW
        assert [(conflict.kind, conflict.link) for conflict in plan.conflicts] == [(ConflictKind.OPEN_WINS, issue_link)]


def test_a_parked_record_keeps_its_base_and_its_park() -> None:
    base = StatusBase(raw="todo", heard=0, side=Side.ACTIVE, parked=(1, "todo"), park_reason=ParkReason.WRITE_REJECTED)
    plan = reconcile(item(Status.RESOLVED), [member(Role.TRACKER, 1, "todo", base)], Rules())
    one = plan.members[0]
    assert one.status_base == base
    assert one.park is not None
    assert (one.park.reason, one.park.shown, one.want) == (ParkReason.WRITE_REJECTED, "todo", None)


def test_a_park_of_before_ends_with_the_next_plan() -> None:
    base = StatusBase(raw="todo", heard=0, side=Side.ACTIVE, parked=(0, "todo"), park_reason=ParkReason.WRITE_REJECTED)
    one = reconcile(item(Status.RESOLVED), [member(Role.TRACKER, 1, "todo", base)], Rules()).members[0]
    assert one.want is not None
    assert one.status_base == structs.replace(base, parked=None, park_reason=None)


def test_a_new_mapping_keeps_the_raw_half_of_the_tags() -> None:
    before = structs.replace(ticket("open", "open"), tag_base=TagBase(keys=frozenset("ab"), had=frozenset("b")))
    after = rebase(ItemState(tags={"b": frozenset({Role.TRACKER})}), before)
    assert after.tag_base == TagBase(keys=frozenset("ab"), had=frozenset("b"))


def test_a_new_mapping_reads_the_side_of_a_value_by_what_the_record_shows_where_that_knows_more() -> None:
    before = member(Role.TRACKER, 1, "odd", StatusBase(raw="odd", heard=1, side=Side.ACTIVE))
    before = structs.replace(before, shown=structs.replace(shown(Role.TRACKER, "done"), raw="odd"))
    after = rebase(item(Status.NEW), before)
    assert after.status_base is not None
    assert after.status_base.side is Side.DONE


# --- a tracker that was told to cross and stands there already, with no way to the very value -------------------------


def half_way(raw: str = "prog", *, heard: int = 1, ways: tuple[str, ...] = ("done",)) -> Member:
    """An issue that the hub has walked to `raw`; its item was reopened since."""
    base = StatusBase(raw=raw, heard=heard, side=Side.ACTIVE)
    graph = {raw: ways, "todo": ("prog",), "done": ("todo",), "blocked": ("prog",)}
    return structs.replace(member(Role.TRACKER, 1, raw, base), graph=graph)


def reopened() -> ItemState:
    return item(Status.NEW, said=2)


def test_a_reopen_that_meets_an_issue_half_way_to_done_leaves_it_there_and_takes_its_value() -> None:
    opened = structs.replace(ticket("open", "open"), status_base=StatusBase(raw="open", heard=2, side=Side.ACTIVE))
    plan = reconcile(reopened(), [half_way(), opened], Rules())
    assert plan.item.status is Status.IN_PROGRESS
    assert [(each.old, each.new, each.rule, each.link) for each in plan.changes] == [
        ("new", "in_progress", Why.TRACKER_LANDED.value, 1)
    ]
    assert all(each.want is None and each.park is None for each in plan.members)
    assert plan.item.said[Ear.HELPDESK] == 3
    assert plan.item.line[Ear.HELPDESK] == Line(2, Side.ACTIVE), "a detail, not a crossing"
    assert reconcile(plan.item, [half_way(heard=2), opened], Rules()).changes == ()


def test_a_reopen_that_meets_an_issue_half_way_walks_back_where_there_is_a_way() -> None:
    plan = reconcile(reopened(), [half_way(ways=("done", "todo"))], Rules())
    assert plan.item.status is Status.NEW
    assert plan.changes == ()
    assert plan.members[0].want is not None
    assert plan.members[0].want.status == "todo"


def test_a_reopen_that_meets_an_issue_half_way_moves_it_nowhere_to_learn_its_steps() -> None:
    plan = reconcile(reopened(), [half_way(ways=("done", "review"))], Rules())
    assert plan.item.status is Status.IN_PROGRESS
    assert plan.members[0].want is None


def test_a_reopen_that_meets_an_issue_whose_steps_nobody_has_read_waits_for_a_reading() -> None:
    plan = reconcile(reopened(), [structs.replace(half_way(), graph={})], Rules())
    assert plan.item.status is Status.NEW
    assert plan.read == (1,)


def test_a_detail_with_no_way_is_parked() -> None:
    state = structs.replace(reopened(), line={ear: Line(1, Side.ACTIVE) for ear in Ear})
    plan = reconcile(state, [half_way()], Rules())
    assert plan.item.status is Status.NEW
    assert plan.members[0].park is not None


def test_an_issue_whose_status_is_held_gives_no_value_by_where_it_stands() -> None:
    plan = reconcile(reopened(), [structs.replace(half_way(), held=frozenset({"status"}))], Rules())
    assert plan.item.status is Status.NEW
    assert plan.changes == ()


def test_a_crossing_with_no_way_over_the_line_is_parked_and_moves_nobody() -> None:
    plan = reconcile(item(Status.RESOLVED, said=2), [half_way(ways=("blocked",))], Rules())
    assert plan.item.status is Status.RESOLVED
    assert plan.members[0].park is not None


def test_a_mirror_gives_no_value_by_where_it_stands() -> None:
    base = StatusBase(raw="prog", heard=1, side=Side.ACTIVE, mirror=True)
    mirror = structs.replace(half_way(), status_direction=Direction.OUT, status_base=base)
    plan = reconcile(reopened(), [mirror], Rules())
    assert plan.item.status is Status.NEW
    assert plan.members[0].park is not None


def test_a_value_goes_out_with_the_status_in_one_write_and_says_what_the_item_had_said() -> None:
    kind = ValueRules(read={"1": "critical", "3": "medium"}, write={"critical": "1", "medium": "3"})
    shows = structs.replace(shown(Role.HELPDESK, "open"), values={"severity": "3"})
    lagging = structs.replace(
        ticket("open", "open"),
        shown=shows,
        values={"severity": kind},
        value_bases={"severity": ValueBase(raw="3", heard=1)},
    )
    state = structs.replace(item(Status.NEW), values={"severity": ItemValue(value="critical", said=2)})
    rules = Rules(fields={"severity": FieldRule()})
    [only] = reconcile(state, [lagging], rules).members
    assert only.want is not None
    assert (only.want.status, only.want.set, only.want.set_said) == (None, {"severity": "1"}, {"severity": 2})
    done = issue("done", "prog")
    plan = reconcile(structs.replace(state, status=Status.IN_PROGRESS), [done, lagging], rules)
    both = next(each.want for each in plan.members if each.link == 2)
    assert both is not None
    assert (both.status, both.set) == ("solved", {"severity": "1"})


def test_records_that_share_an_id_of_a_call_are_proposed_to_a_person_unless_the_rules_say_more() -> None:
    rules = Rules(proposals={TraceKind.TRACE: Answer.ACCEPT})
    assert rules.answer(TraceKind.TRACE) is Answer.ACCEPT
    assert Rules().answer(TraceKind.TRACE) is Answer.PROPOSE
