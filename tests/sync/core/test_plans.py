"""What a plan tells besides its writes: changes with their rules, and the bases of what is left alone."""

from __future__ import annotations

from msgspec import structs

from sync.core.reasons import ConflictKind, ParkReason
from sync.core.rebase import rebase
from sync.core.reconcile import reconcile
from sync.core.state import Ear, ItemState, Line, Member, Rules, StatusBase, TagBase
from sync.core.why import Why
from sync.model import Role, Side, Status
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
