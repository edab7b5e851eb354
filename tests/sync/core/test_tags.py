"""Tags: who brings, who hears, who removes; directions, holds, filters; the folding key."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from sync.core.reasons import ConflictKind
from sync.core.reconcile import reconcile
from sync.core.state import Change, Conflict, ItemState, Member, Plan, RoleRules, Rules, TagBase
from sync.core.tags import fold
from sync.model import Direction, Role
from tests.sync.core.staging import Stage
from tests.sync.core.world import MAPS, shown


def tag_writes(stage: Stage, plan: Plan) -> str:
    """The tag writes of a plan: `A+x T-y`, by name."""
    names = {record.link: name for name, record in stage.records.items()}
    found = [
        f"{names[m.link]}{sign}{key}"
        for m in plan.members
        if m.want is not None
        for sign, keys in (("+", m.want.add), ("-", m.want.remove))
        for key in sorted(keys)
    ]
    return " ".join(sorted(found))


# --- merging --------------------------------------------------------------------------------------------------------


def test_a_change_of_tags_names_who_brought_it() -> None:
    plan = Stage("T:prog A:open").act("A+x").look()
    assert plan.changes == (Change(field="tags", old=None, new="x", link=2, rule="tag_added"),)
    assert plan.item.tags == {"x": {Role.HELPDESK}}


def test_a_tag_that_the_tracker_adds_as_well_now_reaches_the_other_tickets() -> None:
    stage = Stage("T:prog A:open B:open", "A+x")
    assert stage["T"].tags == {"x"}
    stage.act("T-x")
    stage.world.settle()
    stage.act("A+x").world.settle()
    assert stage["B"].tags == frozenset()
    stage = Stage("T:prog A:open B:open").act("A+x T+x")
    plan = stage.look()
    assert plan.item.tags == {"x": {Role.HELPDESK, Role.TRACKER}}
    assert tag_writes(stage, plan) == "B+x"


def test_bringing_a_tag_anew_is_journalled() -> None:
    stage = Stage("T:prog A:open S:unresolved", "A+x").act("S+x")
    plan = stage.look()
    assert plan.changes == (Change(field="tags", old="x", new="x", link=3, rule="tag_brought"),)


def test_a_tag_removed_by_its_last_keeper_goes() -> None:
    stage = Stage("T:prog A:open B:open", "A+x").act("A-x")
    plan = stage.look()
    assert plan.changes == (Change(field="tags", old="x", new=None, link=2, rule="tag_removed"),)
    assert tag_writes(stage, plan) == "T-x"


def test_add_beats_remove_and_the_remover_is_told_again() -> None:
    stage = Stage("T:prog A:open", "T+x").act("A-x T-x")
    stage.world.settle()
    stage = Stage("T:prog A:open S:unresolved", "T+x").act("T-x S+x")
    plan = stage.look()
    assert plan.conflicts == (Conflict(kind=ConflictKind.ADD_WINS, field="tags", link=1, kept="x", lost="", other=3),)
    assert tag_writes(stage, plan) == "T+x"
    assert "x" in plan.item.tags


def test_a_tag_that_was_never_the_items_is_no_loss() -> None:
    stage = Stage("T:prog A:open+x", "T-x").act("A-x")
    plan = stage.look()
    assert (plan.changes, tag_writes(stage, plan)) == ((), "")


def test_a_record_that_was_never_read_keeps_no_tag() -> None:
    stage = Stage("T:prog A:open ~B:open", "T+x").act("jB A-x")
    plan = stage.look(B={"shown": None})
    assert "x" not in plan.item.tags


def test_a_tag_that_is_owed_to_another_ticket_counts_as_kept() -> None:
    stage = Stage("T:prog A:open B:open").act("T+x")
    stage.take(stage.look(B={"held": frozenset({"tags"})}))
    stage["A"].tags = frozenset("x")
    stage.take(stage.look(B={"held": frozenset({"tags"})}))
    plan = stage.act("A-x").look()
    assert "x" in plan.item.tags
    assert tag_writes(stage, plan) == "B+x"


def test_a_tag_owed_to_a_record_that_is_never_written_is_not_kept_by_it() -> None:
    stage = Stage("T:prog A:open I:open").act("T+x")
    stage.take(stage.look(I={"held": frozenset({"tags"})}))
    stage["A"].tags = frozenset("x")
    stage.take(stage.look(I={"held": frozenset({"tags"})}))
    plan = stage.act("A-x").look()
    assert "x" not in plan.item.tags


def test_a_tag_that_the_filter_keeps_from_a_ticket_is_not_owed_to_it_and_not_kept_by_it() -> None:
    narrow: dict[str, frozenset[str]] = {"accepts": frozenset()}
    stage = Stage("T:prog A:open B:open").act("T+x")
    stage.take(stage.look(B=narrow))
    stage["A"].tags = frozenset("x")
    stage.take(stage.look(B=narrow))
    plan = stage.act("A-x").look(B=narrow)
    assert "x" not in plan.item.tags
    assert tag_writes(stage, plan) == "T-x"


def test_a_siblings_tag_reaches_tickets_where_the_rules_say_so() -> None:
    stage = Stage("T:prog A:open B:open").act("A+x")
    rules = Rules(roles={Role.HELPDESK: RoleRules(siblings=True)})
    assert tag_writes(stage, stage.look(rules)) == "B+x T+x"


def test_a_filter_keeps_a_tag_away_both_ways() -> None:
    stage = Stage("T:prog A:open").act("T+x")
    plan = stage.look(A={"accepts": frozenset()})
    assert (set(plan.item.tags), tag_writes(stage, plan)) == ({"x"}, "")
    stage = Stage("T:prog A:open").act("A+x")
    plan = stage.look(A={"accepts": frozenset()})
    assert plan.item.tags == {}


def test_a_tag_that_no_longer_passes_the_filter_is_not_taken_off() -> None:
    stage = Stage("T:prog A:open", "T+x").act("T-x")
    assert tag_writes(stage, stage.look(A={"accepts": frozenset()})) == ""


# --- joining --------------------------------------------------------------------------------------------------------


def test_joining_only_adds() -> None:
    stage = Stage("T:prog+x ~A:open+y").act("jA")
    plan = stage.look()
    assert tag_writes(stage, plan) == "A+x T+y"


def test_tags_that_a_route_wrote_at_create_are_not_the_trackers_own() -> None:
    stage = Stage("A:open+x B:open ~T:todo+xz").act("jT")
    plan = stage.look(T={"created_by_route": True})
    assert plan.item.tags == {"x": {Role.HELPDESK}, "z": {Role.TRACKER}}
    assert tag_writes(stage, plan) == "A+z B+z"


def test_what_a_create_carried_and_the_ticket_has_lost_meanwhile_goes_from_the_new_issue() -> None:
    stage = Stage("A:open ~T:todo+xz").act("jT")
    plan = stage.look(T={"created_by_route": True, "carried": frozenset("x")})
    assert plan.item.tags == {"z": {Role.TRACKER}}
    assert tag_writes(stage, plan) == "A+z T-x"


def test_nothing_is_concluded_from_what_a_create_carried_until_the_ticket_is_read() -> None:
    stage = Stage("A:open ~T:todo+xz").act("jT")
    plan = stage.look(T={"created_by_route": True, "carried": frozenset("x")}, A={"fresh": False})
    assert plan.item.tags == {}
    assert tag_writes(stage, plan) == ""


def test_what_a_create_carried_stays_on_the_new_issue_whose_ticket_left_before_both_were_heard() -> None:
    stage = Stage("~T:todo+xz").act("jT")
    plan = stage.look(T={"created_by_route": True, "carried": frozenset("x")})
    assert plan.item.tags == {"x": {Role.TRACKER}, "z": {Role.TRACKER}}
    assert tag_writes(stage, plan) == ""


def test_a_tag_taken_off_a_created_issue_before_its_ticket_was_heard_is_no_older_than_the_tickets_joining() -> None:
    stage = Stage("~A:open+xy ~T:todo+y").act("jA jT")
    created = {"created_by_route": True, "carried": frozenset("xy")}
    plan = stage.look(T=created)
    assert plan.item.tags == {"y": {Role.HELPDESK}}
    assert tag_writes(stage, plan) == "A-x"
    assert plan.conflicts == ()
    assert [change for change in plan.changes if "x" in (change.old, change.new)] == [
        Change(field="tags", old=None, new="x", link=stage["A"].link, rule="tag_added"),
        Change(field="tags", old="x", new=None, link=stage["T"].link, rule="tag_removed"),
    ]


def test_a_tag_of_which_a_second_ticket_brings_its_own_stays_although_it_was_taken_off_a_created_issue() -> None:
    stage = Stage("~A:open+x ~B:open+x ~T:todo").act("jA jB jT")
    plan = stage.look(T={"created_by_route": True, "carried": frozenset("x")})
    assert plan.item.tags == {"x": {Role.HELPDESK}}
    assert tag_writes(stage, plan) == "T+x"


def test_a_ticket_that_joins_brings_a_tag_anew_that_others_take_off_at_that_moment() -> None:
    stage = Stage("T:todo B:open ~A:open+x", "T+x").act("T-x jA")
    plan = stage.look()
    assert set(plan.item.tags) == {"x"}
    assert tag_writes(stage, plan) == "T+x"


def test_what_a_route_wrote_is_removed_again_with_the_ticket() -> None:
    item = ItemState()
    ticket = Member(
        link=1,
        role=Role.HELPDESK,
        rules=MAPS[Role.HELPDESK],
        shown=shown(Role.HELPDESK, "open", frozenset("x")),
        accepts=frozenset("x"),
    )
    issue = Member(
        link=2,
        role=Role.TRACKER,
        rules=MAPS[Role.TRACKER],
        shown=shown(Role.TRACKER, "todo", frozenset("x")),
        accepts=frozenset("x"),
        created_by_route=True,
    )
    first = reconcile(item, [ticket, issue], Rules())
    bases = {m.link: (m.status_base, m.tag_base) for m in first.members}
    ticket = structs.replace(ticket, shown=shown(Role.HELPDESK, "open"), status_base=bases[1][0], tag_base=bases[1][1])
    issue = structs.replace(issue, status_base=bases[2][0], tag_base=bases[2][1])
    second = reconcile(first.item, [ticket, issue], Rules())
    assert second.members[1].want is not None
    assert second.members[1].want.remove == {"x"}


# --- directions, holds, doubt ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", [Direction.IN, Direction.OFF])
def test_tags_that_are_only_read_are_not_written(direction: Direction) -> None:
    stage = Stage("T:prog A:open")
    stage["A"].direction = direction
    plan = stage.act("T+x").look()
    assert tag_writes(stage, plan) == ""
    assert stage.of(plan, "A").why_tags == "tags_only_read"


def test_a_tag_of_a_record_that_was_only_read_goes_once_it_may_be_written() -> None:
    stage = Stage("T:prog I:open", "I+x")
    stage["I"].direction = Direction.BOTH
    plan = stage.act("T-x").look()
    assert tag_writes(stage, plan) == "I-x"


@pytest.mark.parametrize("direction", [Direction.OUT, Direction.OFF, Direction.ENFORCE])
def test_tags_of_a_record_that_is_not_listened_to_do_not_travel(direction: Direction) -> None:
    stage = Stage("T:prog A:open")
    stage["A"].direction = direction
    assert stage.act("A+x").look().item.tags == {}


def test_a_mirrors_own_tag_stays_and_its_removal_stays() -> None:
    stage = Stage("T:prog M:open", "T+x").act("M-x M+y")
    assert tag_writes(stage, stage.look()) == ""


def test_enforced_tags_are_put_back_and_each_edit_is_named_once() -> None:
    stage = Stage("T:prog M:open+w", "T+x")
    stage["M"].direction = Direction.ENFORCE
    stage.world.settle()
    stage.act("M-x M+y")
    plan = stage.look()
    assert tag_writes(stage, plan) == "M+x M-y"
    assert [(c.kind, c.kept, c.lost) for c in plan.conflicts] == [
        (ConflictKind.MIRROR_REPLACED, "", "y"),
        (ConflictKind.MIRROR_REPLACED, "x", ""),
    ]
    stage.take(plan)
    again = stage.look()
    assert (tag_writes(stage, again), again.conflicts) == ("M+x M-y", ())
    stage.world.settle()
    assert stage["M"].tags == {"w", "x"}


def test_joining_an_enforced_record_takes_nothing_off_it() -> None:
    stage = Stage("T:prog+x ~M:open+w")
    stage["M"].direction = Direction.ENFORCE
    stage.act("jM").world.settle()
    assert stage["M"].tags == {"w", "x"}


def test_a_signals_tags_are_never_written() -> None:
    stage = Stage("T:prog S:unresolved").act("T+x")
    plan = stage.look()
    assert (tag_writes(stage, plan), stage.of(plan, "S").why_tags) == ("", "tags_only_read")


def test_a_closed_tickets_tags_are_never_written() -> None:
    stage = Stage("T:done A:closed").act("T+x")
    plan = stage.look()
    assert (tag_writes(stage, plan), stage.of(plan, "A").why_tags) == ("", "closed")


def test_held_tags_are_heard_not_written_and_decided_when_released() -> None:
    stage = Stage("T:prog A:open").act("T+x A+y")
    plan = stage.look(A={"held": frozenset({"tags"})})
    assert tag_writes(stage, plan) == "T+y"
    assert stage.of(plan, "A").why_tags == "held"
    stage.take(plan)
    assert "A+x" in tag_writes(stage, stage.look())


def test_an_unread_records_tags_do_not_move() -> None:
    stage = Stage("T:prog A:open").act("T+x A+y")
    plan = stage.look(A={"fresh": False})
    assert list(plan.item.tags) == ["x"]
    before = stage["A"].tag_base
    assert before is not None
    assert stage.of(plan, "A").tag_base == structs.replace(before, owed=frozenset("x"))
    assert stage.of(plan, "A").why_tags == "unread"


def test_status_and_tags_go_out_in_one_write() -> None:
    stage = Stage("T:prog A:open").act("T=done T+x")
    want = stage.of(stage.look(), "A").want
    assert want is not None
    assert (want.status, want.add, want.said) == ("solved", frozenset("x"), 1)


def test_a_tag_write_says_what_the_item_had_said() -> None:
    stage = Stage("T:prog A:open", "T=blocked").act("T+x")
    want = stage.of(stage.look(), "A").want
    assert want is not None
    assert (want.status, want.said) == (None, 1)


def test_a_base_that_was_lost_is_a_join() -> None:
    stage = Stage("T:prog A:open", "T+x").act("T-x")
    plan = stage.look(A={"tag_base": None})
    assert "x" in stage.of(plan, "A").tag_base.had  # type: ignore[union-attr]
    assert "x" in plan.item.tags
    assert stage.of(plan, "A").tag_base != TagBase()


# --- the folding key ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Login Failure", "login_failure"),
        ("  API \t gateway\n", "api_gateway"),
        ("Straße", "strasse"),
        ("ＡＰＩ", "api"),
        ("cafe\u0301", "caf\u00e9"),
        ("ze\u200bro\u00ad", "zero"),
        ("a-b", "a-b"),
        ("", ""),
        ("\u200b ", ""),
    ],
)
def test_spellings_of_one_tag_have_one_key(text: str, key: str) -> None:
    assert fold(text) == key


@given(st.text(max_size=20))
@settings(max_examples=200, deadline=None)
def test_folding_is_idempotent_and_blind_to_case_and_form(text: str) -> None:
    key = fold(text)
    assert fold(key) == key
    assert fold(unicodedata.normalize("NFD", text)) == key
    assert not any(c.isspace() for c in key)
