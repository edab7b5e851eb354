"""What applying a mapping anew asks of the members of one item: the pure part."""

from __future__ import annotations

from msgspec import structs

from sync.core.state import Ear, ItemState, Member, Rules, Shown, StatusBase, StatusRules, TagBase
from sync.model import Direction, Role, Side, Status
from sync.planning.owed import Owed, owed, rests

DESK = StatusRules(
    values={"open": Status.IN_PROGRESS, "hold": Status.WAITING, "solved": Status.RESOLVED, "closed": Status.RESOLVED},
    write={Status.IN_PROGRESS: "open", Status.WAITING: "hold", Status.RESOLVED: "solved"},
    frozen=frozenset({"closed"}),
)
SITE = StatusRules(
    values={"Doing": Status.IN_PROGRESS, "Review": Status.IN_PROGRESS, "Done": Status.RESOLVED},
    write={Status.IN_PROGRESS: "Doing", Status.RESOLVED: "Done"},
)
SAID = {Ear.TRACKER: 3, Ear.HELPDESK: 4, Ear.SIGNAL: 2, Ear.MIRROR: 5}
TAGS = {"launch": frozenset({Role.TRACKER}), "late": frozenset({Role.TRACKER})}


def reading(rules: StatusRules, **values: Status) -> StatusRules:
    """The rules after an edit."""
    return structs.replace(rules, values={**rules.values, **values})


def item(status: Status = Status.IN_PROGRESS) -> ItemState:
    return ItemState(status=status, said=SAID, tags=TAGS)


def member(link: int, role: Role, rules: StatusRules, raw: str, **more: object) -> Member:
    status = rules.values[raw]
    made = Member(
        link=link,
        role=role,
        rules=rules,
        shown=Shown(raw=raw, status=status, tags=frozenset(TAGS), frozen=raw in rules.frozen),
        status_base=StatusBase(raw=raw, heard=SAID[Ear(role.value)], side=status.side),
        tag_base=TagBase(keys=frozenset(TAGS), had=frozenset(TAGS)),
        accepts=frozenset(TAGS),
    )
    return structs.replace(made, **more)


def ticket(raw: str, rules: StatusRules = DESK, **more: object) -> Member:
    return member(2, Role.HELPDESK, rules, raw, **more)


def issue(raw: str, rules: StatusRules = SITE, **more: object) -> Member:
    return member(1, Role.TRACKER, rules, raw, **more)


def asked(state: ItemState, *members: Member, side: Side | None = None) -> Owed:
    """What is owed; side: that the ticket stood on before the edit, where that is another one."""
    before = {each.link: each.status_base for each in members}
    if side is not None and (base := before[2]) is not None:
        before[2] = structs.replace(base, side=side)
    return owed(state, members, Rules(), before)


def written(found: Owed, link: int) -> str | None:
    want = found.plans[link].want
    return None if want is None else want.target


def test_records_that_agree_are_owed_nothing() -> None:
    found = asked(item(), issue("Doing"), ticket("open"))
    assert found.item == item()
    assert [each.want for each in found.plans.values()] == [None, None]
    assert rests(item(), issue("Doing"))
    assert rests(item(), ticket("open"))


def test_a_detail_that_the_tracker_reads_otherwise_reaches_the_ticket_and_not_the_issue() -> None:
    edited = reading(SITE, Review=Status.WAITING)
    found = asked(item(), issue("Review", edited), ticket("open"))
    assert found.item.status is Status.WAITING
    assert (written(found, 1), written(found, 2)) == (None, "hold")
    assert found.item.said == SAID


def test_a_crossing_that_the_edit_brought_reaches_the_ticket() -> None:
    edited = reading(SITE, Review=Status.RESOLVED)
    before = {1: issue("Review").status_base, 2: ticket("open").status_base}
    found = owed(item(), [issue("Review", edited), ticket("open")], Rules(), before)
    assert found.item.status is Status.RESOLVED
    assert written(found, 2) == "solved"


def test_a_ticket_that_stood_on_the_other_side_before_stays_there() -> None:
    found = asked(item(), issue("Doing"), ticket("solved"))
    assert written(found, 2) is None


def test_a_ticket_that_the_edit_alone_put_on_the_other_side_comes_back() -> None:
    edited = reading(DESK, hold=Status.RESOLVED)
    found = asked(item(), issue("Doing"), ticket("hold", edited), side=Side.ACTIVE)
    assert written(found, 2) == "open"


def test_a_ticket_that_its_agent_moved_is_left() -> None:
    aside = structs.replace(ticket("hold"), status_base=StatusBase(raw="hold", heard=4, side=Side.ACTIVE, aside=True))
    assert written(asked(item(), issue("Doing"), aside), 2) is None


def test_a_resolve_that_the_edit_brought_closes_those_aside_too() -> None:
    aside = structs.replace(ticket("hold"), status_base=StatusBase(raw="hold", heard=4, side=Side.ACTIVE, aside=True))
    edited = reading(SITE, Review=Status.RESOLVED)
    before = {1: issue("Review").status_base, 2: aside.status_base}
    assert written(owed(item(), [issue("Review", edited), aside], Rules(), before), 2) == "solved"


def test_a_closed_ticket_is_never_written() -> None:
    edited = reading(SITE, Review=Status.WAITING)
    found = asked(item(), issue("Review", edited), ticket("closed"))
    assert found.plans[2].want is None


def test_a_tracker_that_is_only_read_does_not_move_the_item() -> None:
    edited = reading(SITE, Review=Status.RESOLVED)
    found = asked(item(), issue("Review", edited, status_direction=Direction.IN), ticket("open"))
    assert found.item.status is Status.IN_PROGRESS


def test_a_tracker_that_differed_before_the_edit_does_not_move_the_item() -> None:
    found = asked(item(), issue("Done"), ticket("open"))
    assert found.item.status is Status.IN_PROGRESS
    assert written(found, 1) is None


def test_what_an_edit_let_pass_is_owed_and_what_a_user_took_away_is_not() -> None:
    lacking = Shown(raw="open", status=Status.IN_PROGRESS, tags=frozenset())
    base = TagBase(keys=frozenset(), had=frozenset(TAGS), waived=frozenset({"late"}))
    found = asked(item(), issue("Doing"), structs.replace(ticket("open"), shown=lacking, tag_base=base))
    want = found.plans[2].want
    assert want is not None
    assert (want.status, want.add, want.remove) == (None, frozenset({"late"}), frozenset())


def test_the_order_of_members_does_not_matter() -> None:
    edited = reading(SITE, Review=Status.WAITING)
    members = [issue("Review", edited), ticket("open"), structs.replace(ticket("hold"), link=3)]
    before = {each.link: each.status_base for each in members}
    assert owed(item(), members, Rules(), before) == owed(item(), members[::-1], Rules(), before)


def test_what_a_user_did_meanwhile_is_told_apart_from_the_edit() -> None:
    moved = structs.replace(ticket("solved"), status_base=StatusBase(raw="open", heard=4, side=Side.ACTIVE))
    found = asked(item(), issue("Doing"), moved)
    assert [change.rule for change in found.itself.changes] == ["group_resolved"] or found.itself.ask
    assert not rests(item(), moved)
