"""Receipts: what a write that landed does to the item and the base of its record."""

from __future__ import annotations

from msgspec import structs

from sync.core.reasons import ParkReason
from sync.core.receipt import Own, Received, ignored, receive, settle
from sync.core.state import Change, Ear, Intent, ItemState, Line, Member, Shown, StatusBase, TagBase, Want
from sync.model import Role, Side, Status
from tests.sync.core.world import MAPS, shown

DONE = ItemState(
    status=Status.RESOLVED,
    said={Ear.HELPDESK: 3, Ear.TRACKER: 3},
    line={Ear.HELPDESK: Line(3, Side.DONE), Ear.TRACKER: Line(3, Side.DONE)},
)


def ticket(**base: object) -> Member:
    start = StatusBase(raw="open", heard=2, side=Side.ACTIVE)
    return Member(
        link=2,
        role=Role.HELPDESK,
        rules=MAPS[Role.HELPDESK],
        shown=shown(Role.HELPDESK, "open"),
        status_base=structs.replace(start, **base),
        tag_base=TagBase(keys=frozenset("a"), had=frozenset("a")),
    )


def issue(raw: str = "todo") -> Member:
    return Member(
        link=1,
        role=Role.TRACKER,
        rules=MAPS[Role.TRACKER],
        shown=shown(Role.TRACKER, raw),
        status_base=StatusBase(raw=raw, heard=2, side=Side.ACTIVE),
        tag_base=TagBase(),
    )


def status(received: Received) -> StatusBase:
    assert received.status_base is not None
    return received.status_base


SOLVE = Want(status="solved", target="solved", said=3)


def test_a_write_that_landed_is_the_new_base_and_has_been_heard() -> None:
    parked = ticket(aside=True, parked=(2, "open"), park_reason=ParkReason.WRITE_IGNORED)
    received = receive(DONE, parked, SOLVE, shown(Role.HELPDESK, "solved"))
    assert status(received) == StatusBase(raw="solved", heard=3, side=Side.DONE)
    assert (received.item, received.changes, received.tell) == (DONE, (), False)
    assert received.tag_base == parked.tag_base


def test_a_hop_moves_the_raw_half_and_is_not_heard() -> None:
    want = Want(status="prog", target="done", final=False, said=3)
    received = receive(DONE, issue(), want, shown(Role.TRACKER, "prog"))
    assert status(received) == StatusBase(raw="prog", heard=2, side=Side.ACTIVE)
    assert not received.tell


def test_a_write_that_changed_nothing_is_not_heard_and_leaves_a_record_aside() -> None:
    received = receive(DONE, ticket(aside=True), SOLVE, shown(Role.HELPDESK, "open"))
    assert status(received) == StatusBase(raw="open", heard=2, side=Side.ACTIVE, aside=True)


def test_what_the_remote_made_of_a_write_is_no_users_edit() -> None:
    received = receive(DONE, ticket(), SOLVE, shown(Role.HELPDESK, "hold"))
    assert status(received) == StatusBase(raw="hold", heard=2, side=Side.ACTIVE)


def test_landing_on_another_value_that_may_rest_is_heard() -> None:
    received = receive(DONE, ticket(), SOLVE, shown(Role.HELPDESK, "closed"))
    assert status(received) == StatusBase(raw="closed", heard=3, side=Side.DONE)


def test_a_tracker_that_landed_elsewhere_on_the_same_side_gives_the_item_its_value() -> None:
    item = structs.replace(DONE, status=Status.NEW)
    want = Want(status="prog", target="prog", said=3)
    received = receive(item, issue("done"), want, shown(Role.TRACKER, "prog"))
    assert received.item.status is Status.IN_PROGRESS
    assert received.tell
    assert received.changes == (Change(field="status", old="new", new="in_progress", link=1, rule="tracker_landed"),)
    assert received.item.said == {Ear.HELPDESK: 4, Ear.SIGNAL: 1, Ear.MIRROR: 1, Ear.TRACKER: 3}
    assert received.item.line == item.line
    assert status(received).heard == 3


def test_a_tracker_that_landed_on_the_other_side_gives_nothing() -> None:
    received = receive(DONE, issue(), Want(status="done", said=3), shown(Role.TRACKER, "blocked"))
    assert (received.item, status(received).heard) == (DONE, 2)


def test_a_detail_that_lands_after_an_issue_gave_the_item_another_value_stands_aside() -> None:
    # What a joining issue gives is said to nobody: without that, nothing would tell why the ticket differs.
    received = receive(DONE, ticket(), Want(status="hold", said=3), shown(Role.HELPDESK, "hold"))
    assert status(received) == StatusBase(raw="hold", heard=3, side=Side.ACTIVE, aside=True)


def test_what_lands_is_not_aside_while_the_item_has_said_more_since() -> None:
    received = receive(DONE, ticket(), Want(status="hold", said=2), shown(Role.HELPDESK, "hold"))
    assert status(received) == StatusBase(raw="hold", heard=2, side=Side.ACTIVE)


def test_an_issue_never_stands_aside_of_where_it_was_put() -> None:
    received = receive(DONE, issue("prog"), Want(status="blocked", said=3), shown(Role.TRACKER, "blocked"))
    assert not status(received).aside


def test_a_receipt_of_an_older_word_gives_nothing_but_was_heard() -> None:
    item = structs.replace(DONE, status=Status.NEW, said={Ear.TRACKER: 4})
    received = receive(item, issue("done"), Want(status="prog", said=3), shown(Role.TRACKER, "prog"))
    assert (received.item, status(received).heard) == (item, 3)


def test_a_receipt_never_takes_back_what_was_heard_since() -> None:
    assert status(receive(DONE, ticket(heard=5), SOLVE, shown(Role.HELPDESK, "solved"))).heard == 5


def test_a_landing_that_the_mapping_does_not_name_keeps_the_side() -> None:
    received = receive(DONE, ticket(), SOLVE, Shown(raw="odd", status=None))
    assert status(received) == StatusBase(raw="odd", heard=2, side=Side.ACTIVE)


def test_tags_move_by_what_was_asked_and_is_there() -> None:
    want = Want(add=frozenset("xy"), remove=frozenset("a"))
    received = receive(DONE, ticket(), want, shown(Role.HELPDESK, "open", frozenset("xz")))
    assert received.tag_base == TagBase(keys=frozenset("x"), had=frozenset("x"))
    received = receive(DONE, ticket(), want, shown(Role.HELPDESK, "open", frozenset("a")))
    assert received.tag_base == TagBase(keys=frozenset("a"), had=frozenset("a"))


def test_a_record_without_a_base_gets_none_for_its_status() -> None:
    bare = structs.replace(ticket(), status_base=None, tag_base=None)
    want = structs.replace(SOLVE, add=frozenset("x"))
    received = receive(DONE, bare, want, shown(Role.HELPDESK, "solved", frozenset("x")))
    assert received.status_base is None
    assert received.tag_base == TagBase(keys=frozenset("x"), had=frozenset("x"))


def test_a_doubt_without_a_row_of_ours_moves_nothing() -> None:
    member = ticket()
    intent = Intent(version="7", status="solved", said=3, add=frozenset("x"))
    assert settle(DONE, member, intent, []) == Received(
        item=DONE, status_base=member.status_base, tag_base=member.tag_base
    )


def test_a_doubt_is_settled_by_our_own_rows_in_their_order() -> None:
    intent = Intent(version="7", status="solved", said=3, add=frozenset("x"), remove=frozenset("a"))
    rows = [Own(status="solved"), Own(add=frozenset("x"), remove=frozenset("a"))]
    received = settle(DONE, ticket(), intent, rows)
    assert status(received) == StatusBase(raw="solved", heard=3, side=Side.DONE)
    assert received.tag_base == TagBase(keys=frozenset("x"), had=frozenset("x"))


def test_a_settled_write_that_the_record_shows_is_read_as_the_snapshot_says() -> None:
    member = structs.replace(issue(), shown=Shown(raw="Shipped", status=Status.RESOLVED))
    received = settle(DONE, member, Intent(version="7", status="Shipped", said=3), [Own(status="Shipped")])
    assert status(received).side is Side.DONE


def test_settling_a_doubt_may_give_the_item_the_trackers_value() -> None:
    item = structs.replace(DONE, status=Status.NEW)
    received = settle(item, issue("done"), Intent(version="7", status="prog", said=3), [Own(status="prog")])
    assert (received.item.status, received.tell, len(received.changes)) == (Status.IN_PROGRESS, True, 1)


def test_a_row_of_ours_that_nobody_asked_for_is_taken_as_it_stands() -> None:
    received = settle(DONE, ticket(), Intent(version="7", said=3), [Own(status="solved")])
    assert status(received).raw == "solved"


def test_a_write_that_is_not_shown_is_named_by_its_fields() -> None:
    want = Want(status="solved", add=frozenset("x"), remove=frozenset("a"))
    assert ignored(want, shown(Role.HELPDESK, "solved", frozenset("xq"))) == ()
    assert ignored(want, shown(Role.HELPDESK, "open", frozenset("x"))) == ("status",)
    assert ignored(want, shown(Role.HELPDESK, "solved")) == ("tags",)
    assert ignored(want, shown(Role.HELPDESK, "open", frozenset("xa"))) == ("status", "tags")
    assert ignored(Want(), shown(Role.HELPDESK, "open", frozenset("xa"))) == ()


def test_a_write_of_before_the_last_word_counts_as_heard_as_far_as_it_went() -> None:
    earlier = Intent(version="1", status="solved", said=2)
    received = settle(DONE, ticket(heard=1), earlier, [Own(status="solved")])
    assert status(received).heard == 2
    other = settle(DONE, ticket(heard=1), earlier, [Own(status="hold")])
    assert status(other).heard == 1


def test_a_value_that_may_rest_by_chance_is_not_the_answer_to_an_earlier_word() -> None:
    want = Want(status="open", target="open", said=2)
    received = receive(DONE, ticket(heard=1), want, shown(Role.HELPDESK, "solved"))
    assert status(received) == StatusBase(raw="solved", heard=1, side=Side.DONE)


def test_a_park_ends_only_with_a_write_that_was_heard() -> None:
    parked = ticket(parked=(3, "open"), park_reason=ParkReason.WRITE_IGNORED)
    missed = receive(DONE, parked, SOLVE, shown(Role.HELPDESK, "hold"))
    assert (status(missed).parked, status(missed).park_reason) == ((3, "open"), ParkReason.WRITE_IGNORED)


def test_tags_of_several_own_rows_are_all_taken_in() -> None:
    rows = [Own(add=frozenset("x")), Own(add=frozenset("y"), remove=frozenset("a"))]
    received = settle(DONE, ticket(), Intent(version="1", add=frozenset("xy"), remove=frozenset("a")), rows)
    assert received.tag_base == TagBase(keys=frozenset("xy"), had=frozenset("xy"))


def test_a_tracker_that_landed_elsewhere_keeps_its_tags() -> None:
    tags = TagBase(keys=frozenset("k"), had=frozenset("k"))
    member = structs.replace(issue(), tag_base=tags)
    want = Want(status="done", target="done", said=3)
    received = receive(DONE, member, want, shown(Role.TRACKER, "wontfix"))
    assert received.tell
    assert received.tag_base == tags
    assert [change.old for change in received.changes] == ["resolved"]
    assert received.item.line == DONE.line  # told as a detail, not as a crossing
