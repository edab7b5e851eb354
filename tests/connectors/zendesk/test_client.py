"""The connector against the stand-in: what it reads and writes when nothing goes wrong on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connectors.contract import Level
from connectors.errors import AuthRejected, Forbidden, VersionConflict, WriteRejected
from sync.model import (
    Absent,
    Changes,
    CreateIntent,
    Draft,
    Duplicated,
    LinkShown,
    LinkVia,
    LinkView,
    Missing,
    MissingKind,
    Origin,
    RecordRef,
    Snapshot,
    StatusChange,
)
from tests.connectors.zendesk.account import START, Account, account, read, write

ISSUE = LinkView(system="jira", connection="dev", kind="issue", id="10001", key="ABC-1", url="https://j/browse/ABC-1")


# --- check -----------------------------------------------------------------------------------------------------------


def test_check_names_the_account_and_ourselves(zendesk: Account) -> None:
    zendesk.create()
    found = zendesk.connect().check()
    assert found.account == "sandbox"
    assert found.me.isdecimal()
    assert found.conditional_write
    assert found.history
    assert not found.workflows
    assert [one for one in found.findings if one.level is Level.ERROR] == []


def test_check_warns_of_api_tokens(zendesk: Account) -> None:
    findings = zendesk.connect().check().findings
    assert any("30 April 2027" in one.what for one in findings if one.level is Level.WARNING)


@pytest.mark.parametrize("more", [{"token": "wrong"}, {"email": "nobody@example.com"}])
def test_check_refuses_wrong_credentials(zendesk: Account, more: dict[str, str]) -> None:
    with pytest.raises(AuthRejected):
        zendesk.connect(**more).check()


def test_check_says_that_the_export_needs_an_admin(zendesk: Account) -> None:
    findings = zendesk.connect(email="agent@example.com").check().findings
    errors = [one for one in findings if one.level is Level.ERROR]
    assert any("export" in one.what and "admin" in one.do for one in errors)


def test_check_says_which_scope_audits_need(zendesk: Account) -> None:
    zendesk.create()
    findings = (
        zendesk.connect(auth="client_credentials", scope="tickets:read tickets:write users:read").check().findings
    )
    errors = [one for one in findings if one.level is Level.ERROR]
    assert any("read" in one.what + one.do and "audits" in one.what for one in errors)


def test_values_lists_what_the_account_has(zendesk: Account) -> None:
    zendesk.act("custom_status", category="hold", label="Waiting on Engineering")
    values = zendesk.connect().values()
    assert "solved" in values["status"]
    assert "waiting on engineering" in values["custom_status"]
    assert values["priority"] == ("low", "normal", "high", "urgent")


# --- the feed --------------------------------------------------------------------------------------------------------


def test_the_feed_gives_every_ticket_once_and_then_rests(zendesk: Account) -> None:
    made = {zendesk.create(subject=f"t{n}") for n in range(5)}
    remote = zendesk.connect(page_size=2)
    seen: list[str] = []
    cursor, more, pages = None, True, 0
    while more:
        page = remote.page(cursor, START - timedelta(days=1))
        seen += [snap.ref.id for snap in page.snapshots]
        assert all(snap.origin is Origin.LIST for snap in page.snapshots)
        cursor, more, pages = page.cursor, page.more, pages + 1
        assert pages < 10
    assert set(seen) == made
    zendesk.forget_calls()
    resting = remote.page(cursor, START)
    assert not resting.more
    assert zendesk.calls() == 1


def test_a_change_comes_after_the_saved_cursor(zendesk: Account) -> None:
    ticket = zendesk.create()
    remote = zendesk.connect()
    before = remote.page(None, START - timedelta(days=1))
    zendesk.act("status", ticket=ticket, status="solved")
    zendesk.clock.passes(90)
    after = remote.page(before.cursor, START)
    assert [snap.fields["status"] for snap in after.snapshots if snap.ref.id == ticket] == ["solved"]


def test_an_empty_feed_has_a_cursor_from_which_it_goes_on(zendesk: Account) -> None:
    remote = zendesk.connect()
    empty = remote.page(None, START + timedelta(days=300))
    assert (empty.snapshots, empty.more) == ((), False)
    ticket = zendesk.create()
    assert [snap.ref.id for snap in remote.page(empty.cursor, START).snapshots] == [ticket]


def test_the_feed_names_people_and_the_same_version_as_a_direct_read(zendesk: Account) -> None:
    tickets = [zendesk.create(), zendesk.create()]
    remote = zendesk.connect()
    listed = {one.ref.id: one for one in remote.page(None, START - timedelta(days=1)).snapshots}
    fresh = zendesk.connect()
    for direct in (read(fresh, tickets[0]), *fresh.fetch(tickets).values()):
        assert isinstance(direct, Snapshot)
        one = listed[direct.ref.id]
        assert (one.version, one.fields) == (direct.version, direct.fields)
        assert direct.fields["requester"]["email"] == "customer@example.com"


def test_deleted_and_merged_tickets_are_missing_in_the_feed(zendesk: Account) -> None:
    source, target, deleted = (zendesk.create(subject=name) for name in ("source", "target", "deleted"))
    zendesk.act("merge", ticket=target, **{"from": [source]})
    zendesk.act("delete", ticket=deleted)
    zendesk.clock.passes(90)
    page = zendesk.connect().page(None, START - timedelta(days=1))
    assert {key: one.kind for key, one in page.missing.items()} == {
        source: MissingKind.MERGED,
        deleted: MissingKind.DELETED,
    }
    assert [snap.ref.id for snap in page.snapshots] == [target]


# --- direct reads ----------------------------------------------------------------------------------------------------


def test_a_single_read_is_direct_and_costs_one_call(zendesk: Account) -> None:
    ticket = zendesk.create(subject="Fire")
    remote = zendesk.connect(jira_app="false")
    zendesk.forget_calls()
    snap = read(remote, ticket)
    assert (snap.origin, snap.fields["subject"], snap.links) == (Origin.DIRECT, "Fire", ())
    # Two more, once: the labels of custom statuses, and people that were not side-loaded.
    assert zendesk.calls() - zendesk.calls("statuses.list") - zendesk.calls("users.show_many") == 1
    zendesk.forget_calls()
    read(remote, ticket)
    assert zendesk.calls() == 1


def test_every_asked_key_is_answered(zendesk: Account) -> None:
    made = [zendesk.create() for _ in range(3)]
    found = zendesk.connect().fetch([*made, f"#{made[0]}", "999999", "ABC-1"])
    assert [type(found[key]) for key in made] == [Snapshot] * 3
    assert found[f"#{made[0]}"] == found[made[0]]
    for key in ("999999", "ABC-1"):
        missing = found[key]
        assert isinstance(missing, Missing)
        assert missing.kind is MissingKind.NOT_FOUND


def test_many_reads_cost_a_call_per_hundred(zendesk: Account) -> None:
    zendesk.act("seed", count=250)
    remote = zendesk.connect(jira_app="false")
    keys = [snap.ref.id for snap in remote.page(None, START - timedelta(days=365)).snapshots][:250]
    assert len(keys) == 250
    zendesk.forget_calls()
    assert all(isinstance(one, Snapshot) for one in remote.fetch(keys).values())
    assert zendesk.calls("tickets.show_many") == 3
    assert zendesk.calls() == 3


def test_a_deleted_ticket_is_confirmed_by_a_second_path(zendesk: Account) -> None:
    kept, deleted = zendesk.create(), zendesk.create()
    zendesk.act("delete", ticket=deleted)
    remote = zendesk.connect()
    for found in (remote.fetch([deleted])[deleted], remote.fetch([kept, deleted])[deleted]):
        assert isinstance(found, Missing)
        assert found.kind is MissingKind.DELETED


def test_a_ticket_that_was_erased_is_not_called_deleted_without_proof(zendesk: Account) -> None:
    ticket = zendesk.create()
    zendesk.act("delete", ticket=ticket)
    zendesk.act("erase", ticket=ticket)
    found = zendesk.connect().fetch([ticket])[ticket]
    assert isinstance(found, Missing)
    assert found.kind is MissingKind.NOT_FOUND


def test_a_forbidden_ticket_is_told_from_a_missing_one(zendesk: Account) -> None:
    open_, closed = zendesk.create(), zendesk.create()
    zendesk.act("forbid", ticket=closed)
    remote = zendesk.connect()
    for found in (remote.fetch([closed])[closed], remote.fetch([open_, closed])[closed]):
        assert isinstance(found, Missing)
        assert found.kind is MissingKind.FORBIDDEN


def test_a_merged_ticket_names_its_survivor(zendesk: Account) -> None:
    source, target = zendesk.create(), zendesk.create()
    zendesk.act("merge", ticket=target, **{"from": [source]})
    found = zendesk.connect().fetch([source, target])
    missing = found[source]
    assert isinstance(missing, Missing)
    assert (missing.kind, missing.into) == (MissingKind.MERGED, target)
    assert isinstance(found[target], Snapshot)


def test_a_custom_status_is_read_by_its_label(zendesk: Account) -> None:
    ticket = zendesk.create()
    status = zendesk.act("custom_status", category="hold", label="Waiting on Engineering")["id"]
    remote = zendesk.connect()
    read(remote, ticket)
    later = zendesk.act("custom_status", category="open", label="Made Later")["id"]
    for label, number in (("waiting on engineering", status), ("made later", later)):
        zendesk.act("update", ticket=ticket, set={"custom_status_id": number})
        assert read(remote, ticket).fields["custom_status"] == label


# --- links of the official app ---------------------------------------------------------------------------------------


def test_links_made_with_the_app_are_shown_for_one_and_for_many(zendesk: Account) -> None:
    one, two, three = (zendesk.create() for _ in range(3))
    link = zendesk.act("link", ticket=one, issue_id="10001", issue_key="ABC-1")
    remote = zendesk.connect()
    shown = (LinkShown(target="ABC-1", via=LinkVia.APP, handle=str(link["id"]), id="10001"),)
    assert read(remote, one).links == shown
    many = remote.fetch([one, two, three])
    assert [snap.links for snap in many.values() if isinstance(snap, Snapshot)] == [shown, (), ()]


def test_the_first_link_of_an_account_is_noticed_within_ten_minutes(zendesk: Account) -> None:
    ticket = zendesk.create()
    remote = zendesk.connect()
    assert read(remote, ticket).links == ()
    zendesk.act("link", ticket=ticket, issue_id="10001", issue_key="ABC-1")
    assert read(remote, ticket).links == ()
    zendesk.clock.slept.append(600.0)
    assert len(read(remote, ticket).links or ()) == 1


def test_a_link_made_with_the_app_is_named_by_the_next_page_of_the_feed(zendesk: Account) -> None:
    ticket, at = zendesk.create(), zendesk.clock.now()
    remote = zendesk.connect(jira_app="true")
    first = remote.page(None, at)
    assert (first.linked, remote.page(first.cursor, at).linked) == ({}, {})
    zendesk.act("link", ticket=ticket, issue_id="10001", issue_key="ABC-1")
    second = remote.page(first.cursor, at)
    assert list(second.linked) == [str(ticket)]
    assert remote.page(second.cursor, at).linked == {}


def test_what_one_client_learns_of_the_app_all_clients_of_the_connection_know(zendesk: Account) -> None:
    ticket = zendesk.create()
    known: dict[str, Any] = {}
    one, two = zendesk.connect(shared=known), zendesk.connect(shared=known)
    assert read(one, ticket).links == ()
    assert read(two, ticket).links == ()
    zendesk.act("link", ticket=ticket, issue_id="10001", issue_key="ABC-1")
    zendesk.clock.slept.append(600.0)
    assert len(read(one, ticket).links or ()) == 1
    unread = two.fetch([ticket], whole=False)[ticket]
    assert isinstance(unread, Snapshot)
    assert unread.links is None


def test_an_account_without_the_app_is_read_all_the_same() -> None:
    with account(jira_app=False) as zendesk:
        ticket = zendesk.create()
        remote = zendesk.connect()
        assert read(remote, ticket).links == ()
        assert remote.check().links_via == "note"


def test_a_link_of_the_app_is_made_and_removed(zendesk: Account) -> None:
    ticket = zendesk.create()
    remote = zendesk.connect(jira_app="true")
    snap = read(remote, ticket)
    assert write(remote, snap, Changes(add_links=(ISSUE,))) is None
    linked = read(remote, ticket)
    assert [link.target for link in linked.links or ()] == ["ABC-1"]
    assert write(remote, linked, Changes(remove_links=linked.links or ())) is None
    assert write(remote, linked, Changes(remove_links=linked.links or ())) is None, "removing what is gone is done"
    assert read(remote, ticket).links == ()


# --- writing ---------------------------------------------------------------------------------------------------------


def test_one_request_carries_status_tags_and_an_internal_note(zendesk: Account) -> None:
    ticket = zendesk.create(tags=["kept", "dropped"])
    remote = zendesk.connect(jira_app="false")
    snap = read(remote, ticket)
    zendesk.clock.passes(5)
    zendesk.forget_calls()
    changes = Changes(
        status=StatusChange(raw="solved"), add_tags=("added",), remove_tags=("dropped",), note="Fixed in ABC-1"
    )
    assert remote.steps(snap, changes) == (changes,)
    answer = write(remote, snap, changes)
    assert zendesk.calls() == 1
    assert isinstance(answer, Snapshot)
    assert answer.origin is Origin.DIRECT
    assert answer.version > snap.version
    record = zendesk.record(ticket)
    assert (record["status"], sorted(record["tags"])) == ("solved", ["added", "kept"])
    assert (answer.fields["status"], sorted(answer.fields["tags"])) == ("solved", ["added", "kept"])
    note = record["comments"][-1]
    assert (note["body"], note["public"]) == ("Fixed in ABC-1", False)
    after = read(remote, ticket).fields
    assert answer.fields["assignee"]["id"] == after["assignee"]["id"]
    assert answer.fields | {"assignee": None} == after | {"assignee": None}


def test_a_write_leaves_other_fields_and_tags_alone(zendesk: Account) -> None:
    ticket = zendesk.create(tags=["a"], priority="high")
    remote = zendesk.connect()
    snap = read(remote, ticket)
    write(remote, snap, Changes(add_tags=("b",)))
    record = zendesk.record(ticket)
    assert (record["priority"], record["status"], sorted(record["tags"])) == ("high", snap.fields["status"], ["a", "b"])


def test_a_write_on_an_old_version_is_a_conflict_and_changes_nothing(zendesk: Account) -> None:
    ticket = zendesk.create()
    remote = zendesk.connect()
    snap = read(remote, ticket)
    zendesk.clock.passes(5)
    zendesk.act("tag", ticket=ticket, add=["meanwhile"])
    with pytest.raises(VersionConflict) as raised:
        write(remote, snap, Changes(status=StatusChange(raw="solved")))
    assert not raised.value.applied
    assert zendesk.record(ticket)["status"] != "solved"


def test_an_edit_within_the_same_second_is_reported_when_it_is_overwritten(zendesk: Account) -> None:
    ticket = str(zendesk.act("create")["ticket"])
    remote = zendesk.connect()
    snap = read(remote, ticket)
    zendesk.act("status", ticket=ticket, status="hold")
    answer = write(remote, snap, Changes(status=StatusChange(raw="solved")))
    assert isinstance(answer, Snapshot)
    assert [(edit.field, edit.old, edit.new) for edit in answer.overwrote] == [("status", "hold", "solved")]


def test_a_write_that_replaces_what_was_read_reports_nothing(zendesk: Account) -> None:
    ticket = zendesk.create()
    remote = zendesk.connect()
    answer = write(remote, read(remote, ticket), Changes(status=StatusChange(raw="solved"), set={"priority": "low"}))
    assert isinstance(answer, Snapshot)
    assert answer.overwrote == ()


def test_a_closed_ticket_is_never_written(zendesk: Account) -> None:
    ticket = zendesk.create()
    remote = zendesk.connect()
    snap = read(remote, ticket)
    zendesk.act("close", ticket=ticket)
    with pytest.raises(WriteRejected, match="closed ticket") as raised:
        write(remote, snap, Changes(status=StatusChange(raw="open")))
    assert raised.value.field == "status"
    closed = read(remote, ticket)
    assert closed.frozen
    assert remote.steps(closed, Changes(add_tags=("x",))) == ()


def test_a_custom_status_is_written_by_its_label(zendesk: Account) -> None:
    ticket = zendesk.create()
    status = zendesk.act("custom_status", category="hold", label="Waiting on Engineering")["id"]
    remote = zendesk.connect()
    answer = write(remote, read(remote, ticket), Changes(status=StatusChange(raw="waiting on engineering")))
    assert isinstance(answer, Snapshot)
    assert (answer.fields["status"], answer.fields["custom_status"]) == ("hold", "waiting on engineering")
    assert zendesk.record(ticket)["custom_status_id"] == status


def test_a_forbidden_write_is_told_from_a_missing_ticket(zendesk: Account) -> None:
    ticket = zendesk.create()
    remote = zendesk.connect()
    snap = read(remote, ticket)
    zendesk.act("forbid", ticket=ticket)
    with pytest.raises(Forbidden):
        write(remote, snap, Changes(add_tags=("x",)))


def test_an_account_that_passes_over_tag_deltas_gets_them_through_the_tags_endpoint() -> None:
    with account(tag_deltas=False) as zendesk:
        ticket = zendesk.create(tags=["old"])
        remote = zendesk.connect()
        wanted = Changes(status=StatusChange(raw="open"), add_tags=("new",), remove_tags=("old",))
        first = write(remote, read(remote, ticket), wanted)
        assert isinstance(first, Snapshot)
        assert first.fields["tags"] == ["old"], "the answer shows what the account made of it"
        rest = remote.steps(first, wanted)
        assert [(step.status is not None, step.add_tags, step.remove_tags) for step in rest] == [
            (True, (), ()),
            (False, ("new",), ()),
            (False, (), ("old",)),
        ]
        for step in rest:
            write(remote, read(remote, ticket), step)
        assert zendesk.record(ticket)["tags"] == ["new"]


def test_the_tags_endpoint_too_refuses_an_old_version() -> None:
    with account(tag_deltas=False) as zendesk:
        ticket = zendesk.create(tags=["old"])
        remote = zendesk.connect()
        write(remote, read(remote, ticket), Changes(add_tags=("new",)))
        snap = read(remote, ticket)
        zendesk.clock.passes(5)
        zendesk.act("status", ticket=ticket, status="pending")
        with pytest.raises(VersionConflict):
            write(remote, snap, Changes(add_tags=("new",)))


# --- history ---------------------------------------------------------------------------------------------------------


def test_history_tells_people_from_us_and_from_rules(zendesk: Account) -> None:
    ticket = zendesk.create()
    remote = zendesk.connect()
    snap = read(remote, ticket)
    zendesk.clock.passes(5)
    zendesk.act("status", ticket=ticket, status="pending")
    zendesk.clock.passes(5)
    write(remote, read(remote, ticket), Changes(status=StatusChange(raw="open"), add_tags=("t",)), op="d-77")
    zendesk.clock.passes(5)
    zendesk.act("status", ticket=ticket, status="solved", **{"as": "automation"})
    rows = [row for row in remote.history(snap.ref, snap.version) if any(e.field == "status" for e in row.edits)]
    told = [(row.edits[0].new, row.ours, row.op, row.automatic) for row in rows if row.edits[0].old is not None]
    assert told == [("pending", False, "", False), ("open", True, "d-77", False), ("solved", False, "", True)]
    ours = next(row for row in rows if row.ours)
    assert ("tags", [], ["t"]) in [(edit.field, edit.old, edit.new) for edit in ours.edits]


def test_history_after_a_version_leaves_older_rows_out(zendesk: Account) -> None:
    ticket = zendesk.create()
    remote = zendesk.connect()
    for status in ("pending", "open", "hold"):
        zendesk.clock.passes(5)
        zendesk.act("status", ticket=ticket, status=status)
    since = read(remote, ticket).version
    rows = remote.history(read(remote, ticket).ref, since)
    assert [row.edits[0].new for row in rows] == ["hold"]
    assert len(remote.history(read(remote, ticket).ref, "")) > 3


def test_a_long_history_is_read_over_pages(zendesk: Account) -> None:
    zendesk.switch(limits=False)
    ticket = zendesk.create()
    for number in range(120):
        zendesk.act("comment", ticket=ticket, body=f"comment {number}", **{"as": "agent@example.com"})
    remote = zendesk.connect()
    assert len(remote.history(read(remote, ticket).ref, "")) > 120


def test_what_a_trigger_made_of_our_write_is_in_the_answer_and_in_the_history(zendesk: Account) -> None:
    zendesk.switch(triggers=[{"name": "reopen", "on_status": "solved", "set_status": "open"}])
    ticket = zendesk.create()
    remote = zendesk.connect()
    answer = write(remote, read(remote, ticket), Changes(status=StatusChange(raw="solved")))
    assert isinstance(answer, Snapshot)
    assert answer.fields["status"] == "open"
    assert answer.overwrote == ()


# --- creates ---------------------------------------------------------------------------------------------------------

DRAFT = Draft(kind="ticket", fields={"subject": "From the hub", "description": "Body"}, tags=("hub",))


def intent(marker: str) -> CreateIntent:
    return CreateIntent(marker=marker, at=START, probe={}, draft=DRAFT)


def test_a_created_ticket_is_found_by_its_marker(zendesk: Account) -> None:
    remote = zendesk.connect()
    assert remote.find_created(intent("m-1")) == Absent()
    ref = remote.create(DRAFT, "m-1")
    assert remote.find_created(intent("m-1")) == ref
    record = zendesk.record(ref.id)
    assert (record["external_id"], record["tags"], record["comments"][0]["public"]) == ("m-1", ["hub"], False)


def test_a_repeated_create_makes_no_second_ticket(zendesk: Account) -> None:
    remote = zendesk.connect()
    assert remote.create(DRAFT, "m-1") == remote.create(DRAFT, "m-1")


def test_two_tickets_with_one_marker_are_reported(zendesk: Account) -> None:
    made = sorted(str(zendesk.act("create", external_id="m-1")["ticket"]) for _ in range(2))
    found = zendesk.connect().find_created(intent("m-1"))
    assert isinstance(found, Duplicated)
    assert sorted(ref.id for ref in found.refs) == made


def test_a_reference_of_a_created_ticket_is_like_that_of_a_read_one(zendesk: Account) -> None:
    remote = zendesk.connect()
    ref = remote.create(DRAFT, "m-1")
    assert (
        ref
        == read(remote, ref.id).ref
        == RecordRef(kind="ticket", id=ref.id, key=f"#{ref.id}", url=f"{zendesk.url}/agent/tickets/{ref.id}")
    )
