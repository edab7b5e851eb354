"""A changed mapping writes nothing by itself."""

from __future__ import annotations

from msgspec import structs

from sync.core.rebase import rebase
from sync.core.reconcile import reconcile
from sync.core.state import ItemState, Plan, RoleRules, Rules, TagBase
from sync.model import Direction, Role, Side, Status
from tests.sync.core.staging import Stage, written
from tests.sync.core.world import HELPDESK, shown

EDITED = structs.replace(
    HELPDESK,
    values={**HELPDESK.values, "hold": Status.RESOLVED, "open": Status.WAITING},
    write={**HELPDESK.write, Status.IN_PROGRESS: "new"},
)


def after_edit(stage: Stage) -> Plan:
    """A pass in which the tickets' mapping has just become `EDITED`."""
    members = []
    for member in stage.members():
        if member.role is Role.HELPDESK and member.shown is not None:
            edited = shown(Role.HELPDESK, member.shown.raw, member.shown.tags, EDITED)
            members.append(rebase(stage.world.item, structs.replace(member, rules=EDITED, shown=edited)))
        else:
            members.append(member)
    return reconcile(stage.world.item, members, Rules())


def test_an_edit_that_makes_records_differ_writes_nothing_and_says_nothing() -> None:
    stage = Stage("T:prog A:open B:hold")
    plan = after_edit(stage)
    assert (written(stage, plan), plan.changes, plan.item) == ("", (), stage.world.item)
    assert stage.of(plan, "B").status_base.side is Side.DONE  # type: ignore[union-attr]


def test_a_write_that_was_owed_before_the_edit_is_still_owed() -> None:
    stage = Stage("T:prog A:open").act("T=done")
    stage.take(stage.look(A={"fresh": False}))
    assert written(stage, after_edit(stage)) == "A=solved"


def test_a_users_change_is_still_one_after_the_edit() -> None:
    stage = Stage("T:prog A:new").act("A=hold")
    plan = after_edit(stage)
    assert plan.ask == (2,)


def test_a_value_that_is_no_longer_named_keeps_its_side() -> None:
    stage = Stage("T:prog A:open").act("A=hold")
    rules = structs.replace(HELPDESK, values={"hold": Status.WAITING})
    member = structs.replace(stage.members()[1], rules=rules)
    assert rebase(stage.world.item, member).status_base == member.status_base


def test_a_changed_direction_writes_nothing() -> None:
    stage = Stage("T:prog A:open B:open", "T=done", "A=open", "T=done")
    stage.act("A=open").world.settle()
    for direction in (Direction.OUT, Direction.BOTH, Direction.OFF, Direction.OUT):
        stage["B"].direction = direction
        plan = stage.look()
        assert written(stage, plan) == ""
        stage.take(plan)
    stage.act("T=blocked T=done").world.settle()
    stage.act("T=prog")
    assert "B=open" in written(stage, stage.look())


def test_tags_that_a_wider_filter_lets_pass_count_as_taken_in() -> None:
    item = ItemState(tags={"x": frozenset({Role.TRACKER}), "y": frozenset({Role.HELPDESK})})
    member = structs.replace(Stage("T:prog A:open").members()[1], accepts=frozenset("xy"))
    assert rebase(item, member).tag_base == TagBase(had=frozenset("xy"), waived=frozenset("xy"))
    assert rebase(item, member, Rules()).tag_base == TagBase(had=frozenset("x"), waived=frozenset("x"))
    siblings = Rules(roles={Role.HELPDESK: RoleRules(siblings=True)})
    assert rebase(item, member, siblings).tag_base == TagBase(had=frozenset("xy"), waived=frozenset("xy"))


def test_a_tag_that_the_record_was_told_before_is_not_waived() -> None:
    item = ItemState(tags={"x": frozenset({Role.TRACKER}), "y": frozenset({Role.TRACKER})})
    member = structs.replace(Stage("T:prog A:open").members()[1], accepts=frozenset("xy"))
    member = structs.replace(member, tag_base=TagBase(had=frozenset("x")))
    edited = rebase(item, member, Rules())
    assert edited.tag_base == TagBase(had=frozenset("xy"), waived=frozenset("y"))
    assert rebase(item, edited, Rules()) == edited


def after_widening(stage: Stage) -> Plan:
    """A pass in which the mapping of the first ticket has just been edited, in a way that means nothing for it."""
    members = stage.members()
    members[1] = rebase(stage.world.item, members[1], Rules())
    return reconcile(stage.world.item, members, Rules())


def tagged(stage: Stage, plan: Plan) -> str:
    """The tags that a plan writes to the first ticket: `+x -y`."""
    want = stage.of(plan, "A").want
    return "" if want is None else " ".join([*(f"+{key}" for key in want.add), *(f"-{key}" for key in want.remove)])


def test_a_tag_that_was_owed_before_the_edit_is_still_owed() -> None:
    stage = Stage("T:prog A:open")
    stage.world.settle()
    stage.act("T+x")
    stage.take(stage.look())
    assert tagged(stage, stage.look()) == "+x"
    assert tagged(stage, after_widening(stage)) == "+x"


def test_a_tag_that_came_while_its_record_was_unread_is_owed_after_the_edit_too() -> None:
    stage = Stage("T:prog A:open")
    stage.world.settle()
    stage.act("T+x")
    stage.take(stage.look(A={"fresh": False}))
    assert tagged(stage, after_widening(stage)) == "+x"


def test_a_tag_that_was_to_go_before_the_edit_still_goes() -> None:
    stage = Stage("T:prog A:open", "T+x")
    stage.world.settle()
    stage.act("T-x")
    stage.take(stage.look())
    assert tagged(stage, after_widening(stage)) == "-x"
    stage.take(stage.look(A={"fresh": False}))
    assert tagged(stage, after_widening(stage)) == "-x"


def test_a_tag_that_came_while_its_record_was_fought_over_is_owed_after_the_edit_too() -> None:
    stage = Stage("T:prog A:open")
    stage.world.settle()
    stage.act("T+x")
    stage.take(stage.look(A={"held": frozenset({"tags"})}))
    assert tagged(stage, after_widening(stage)) == "+x"


def test_a_record_that_was_never_read_or_has_no_base_is_left_as_it_is() -> None:
    member = Stage("T:prog A:open").members()[1]
    unread = structs.replace(member, shown=None)
    bare = structs.replace(member, status_base=None, tag_base=None)
    assert rebase(ItemState(), unread) == unread
    assert rebase(ItemState(), bare) == bare
