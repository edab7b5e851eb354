from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import (
    AuthRejected,
    Forbidden,
    RateLimited,
    RecordMissing,
    RemoteError,
    Unavailable,
    UnexpectedAnswer,
    VersionConflict,
    WriteRejected,
)
from connectors.jira import CONNECTOR
from connectors.sandbox.faults import FaultKind
from sync.model import (
    Absent,
    Changes,
    CreateIntent,
    Draft,
    Duplicated,
    LinkShown,
    LinkVia,
    NotYetCertain,
    Origin,
    RecordRef,
    StatusChange,
)
from tests.connectors.jira.made import ticket
from tests.connectors.jira.site import Site, expect, read, write

START = StatusChange(raw="In Progress")


# --- labels and fields -----------------------------------------------------------------------------------------------


def test_labels_are_written_as_deltas_and_read_back(either: Site) -> None:
    number, key = either.create(labels=["a", "b"])
    remote = either.connect()
    after = write(remote, read(remote, number), add_tags=("c",), remove_tags=("a",))
    assert after is not None
    assert after.origin is Origin.DIRECT
    assert sorted(after.fields["labels"]) == sorted(either.issue(key)["labels"]) == ["b", "c"]
    assert after.version == read(remote, number).version


def test_labels_cost_two_calls_on_cloud_and_three_on_data_center(either: Site) -> None:
    number, _ = either.create()
    remote = either.connect(deployment="cloud" if either.is_cloud else "data_center")
    snap = read(remote, number)
    either.forget_calls()
    write(remote, snap, add_tags=("x",))
    reads = 1 if either.is_cloud else 2
    assert either.calls() == {"issue.get": reads, "issue.edit": 1}


def test_a_site_that_does_not_return_the_issue_is_read_back(cloud: Site) -> None:
    cloud.switch(return_issue=False)
    number, _ = cloud.create()
    remote = cloud.connect()
    after = write(remote, read(remote, number), add_tags=("x",))
    assert after is not None
    assert after.fields["labels"] == ["x"]


def test_a_record_that_moved_is_not_written(either: Site) -> None:
    number, key = either.create()
    remote = either.connect()
    snap = read(remote, number)
    either.act("add_label", issue=key, label="user")
    with pytest.raises(VersionConflict) as caught:
        write(remote, snap, add_tags=("ours",))
    assert either.issue(key)["labels"] == ["user"]
    assert caught.value.snapshot is not None
    assert caught.value.snapshot.fields["labels"] == ["user"]


@pytest.mark.parametrize(
    "changes", [{"add_tags": ("a",)}, {"remove_tags": ("z",)}, {"status": StatusChange(raw="to do")}]
)
def test_what_the_record_shows_already_is_not_written(either: Site, changes: dict[str, Any]) -> None:
    number, _ = either.create(labels=["a"])
    remote = either.connect()
    snap = read(remote, number)
    after = write(remote, snap, **changes)
    assert after is not None
    assert after.version == snap.version
    assert not {"issue.edit", "transitions.do"} & set(either.calls())


def test_a_field_is_written_by_name(either: Site) -> None:
    number, key = either.create(priority="Low")
    remote = either.connect()
    after = write(remote, read(remote, number), set={"priority": "High"})
    assert after is not None
    assert after.fields["priority"] == either.issue(key)["priority"] == "High"


def test_a_label_that_jira_refuses_names_the_field(either: Site) -> None:
    number, _ = either.create()
    remote = either.connect()
    with pytest.raises(WriteRejected) as caught:
        write(remote, read(remote, number), add_tags=("two words",))
    assert caught.value.field == "labels"
    assert "labels" in caught.value.message
    assert not caught.value.applied


def test_a_conflict_inside_jira_is_a_version_conflict(either: Site) -> None:
    either.switch(edit_conflicts=1)
    number, _ = either.create()
    remote = either.connect()
    with pytest.raises(VersionConflict):
        write(remote, read(remote, number), add_tags=("x",))


def test_quiet_edits_need_rights_and_say_so(cloud: Site) -> None:
    number, key = cloud.create()
    remote = cloud.connect(notify_users=False)
    assert write(remote, read(remote, number), add_tags=("x",)) is not None
    cloud.switch(hub_is_admin=False)
    with pytest.raises(Forbidden, match="permissions are required"):
        write(remote, read(remote, number), add_tags=("y",))
    assert cloud.issue(key)["labels"] == ["x"]


# --- status ----------------------------------------------------------------------------------------------------------


def test_a_status_is_reached_by_a_step_and_read_back(either: Site) -> None:
    number, key = either.create()
    remote = either.connect()
    snap = read(remote, number)
    step = next(move for move in snap.moves or () if move.to == "In Progress")
    after = write(remote, snap, status=StatusChange(raw="In Progress", move=step.id))
    assert after is not None
    assert after.fields["status"] == either.issue(key)["status"] == "In Progress"
    assert after.moves is not None
    assert "Done" in {move.to for move in after.moves}


def test_a_status_costs_three_calls(either: Site) -> None:
    number, _ = either.create()
    remote = either.connect(deployment="cloud" if either.is_cloud else "data_center")
    snap = read(remote, number)
    either.forget_calls()
    write(remote, snap, status=START)
    assert either.calls() == {"issue.get": 2, "transitions.do": 1}


def test_a_screen_field_goes_out_with_the_step(either: Site) -> None:
    either.switch(resolution_required=True)
    number, key = either.create(status="In Progress")
    remote = either.connect()
    after = write(remote, read(remote, number), status=StatusChange(raw="Done", fields={"resolution": "Won't Do"}))
    assert after is not None
    assert (after.fields["status"], after.fields["resolution"]) == ("Done", either.issue(key)["resolution"])


def test_a_step_without_its_screen_field_is_refused_by_name(either: Site) -> None:
    either.switch(resolution_required=True)
    number, key = either.create(status="In Progress")
    remote = either.connect()
    with pytest.raises(WriteRejected) as caught:
        write(remote, read(remote, number), status=StatusChange(raw="Done"))
    assert caught.value.field == "resolution"
    assert either.issue(key)["status"] == "In Progress"


def test_a_status_without_a_step_is_refused_before_anything_is_sent(either: Site) -> None:
    number, _ = either.create()
    remote = either.connect()
    with pytest.raises(WriteRejected, match="offers no step from To Do to Done") as caught:
        write(remote, read(remote, number), status=StatusChange(raw="Done"))
    assert caught.value.field == "status"
    assert "transitions.do" not in either.calls()


def test_a_step_that_has_gone_since_is_decided_anew(either: Site) -> None:
    number, _ = either.create()
    remote = either.connect()
    snap = read(remote, number)
    either.act("permission", by="hub", project="OPS", permission="TRANSITION_ISSUES")
    with pytest.raises(VersionConflict) as caught:
        write(remote, snap, status=START)
    assert caught.value.snapshot is not None
    with pytest.raises(WriteRejected):
        write(remote, caught.value.snapshot, status=START)


def test_a_conflict_of_a_transition_is_a_version_conflict(either: Site) -> None:
    either.switch(transition_conflicts=1)
    number, _ = either.create()
    remote = either.connect()
    with pytest.raises(VersionConflict):
        write(remote, read(remote, number), status=START)


def test_what_a_rule_of_the_site_made_of_it_is_what_is_read_back(cloud: Site) -> None:
    cloud.switch(rewrite_status=[{"when": "In Progress", "then": "Blocked"}])
    number, _ = cloud.create()
    remote = cloud.connect()
    after = write(remote, read(remote, number), status=START)
    assert after is not None
    assert after.fields["status"] == "Blocked"


# --- links -----------------------------------------------------------------------------------------------------------


def test_a_link_is_written_once_however_often_it_is_repeated(either: Site) -> None:
    number, key = either.create()
    remote = either.connect()
    snap = read(remote, number)
    first = write(remote, snap, add_links=(ticket(),))
    again = write(remote, snap, add_links=(ticket(title="renamed", done=True),))
    assert first is not None
    assert again is not None
    assert first.links is not None
    assert again.links is not None
    assert len(first.links) == len(again.links) == 1
    (stored,) = either.issue(key)["remote_links"]
    assert stored["globalId"] == "hypercare=zendesk&host=acme.zendesk.com&ticket=5158"
    assert stored["object"]["title"] == "renamed"
    assert stored["relationship"] == "reported in"


def test_a_link_is_removed_by_its_handle_and_others_stay(either: Site) -> None:
    number, key = either.create()
    either.act("remote_link", issue=key, url="https://wiki.example.com/page")
    remote = either.connect()
    snap = write(remote, read(remote, number), add_links=(ticket(),))
    assert snap is not None
    ours = next(link for link in snap.links or () if "zendesk" in link.target)
    after = write(remote, snap, remove_links=(ours,))
    assert after is not None
    assert [link.target for link in after.links or ()] == ["https://wiki.example.com/page"]
    again = write(remote, after, remove_links=(ours,))
    assert again is not None
    assert again.links == after.links


def test_a_link_is_removed_by_its_global_id_too(either: Site) -> None:
    number, _ = either.create()
    remote = either.connect()
    snap = write(remote, read(remote, number), add_links=(ticket(),))
    assert snap is not None
    handle = LinkShown(target="", via=LinkVia.REMOTE_LINK, handle="hypercare=zendesk&host=acme.zendesk.com&ticket=5158")
    after = write(remote, snap, remove_links=(handle,))
    assert after is not None
    assert after.links == ()


def test_a_link_without_a_handle_is_never_guessed(cloud: Site) -> None:
    number, _ = cloud.create()
    remote = cloud.connect()
    with pytest.raises(WriteRejected, match="no id"):
        write(remote, read(remote, number), remove_links=(LinkShown(target="x", via=LinkVia.REMOTE_LINK),))
    assert "remotelinks.delete" not in cloud.calls()


def test_a_link_without_an_address_is_refused(cloud: Site) -> None:
    number, _ = cloud.create()
    remote = cloud.connect()
    with pytest.raises(WriteRejected, match="no address"):
        write(remote, read(remote, number), add_links=(ticket(url="javascript:alert(1)"),))


# --- steps -----------------------------------------------------------------------------------------------------------


def test_every_step_is_one_changing_request(cloud: Site) -> None:
    number, _ = cloud.create()
    remote = cloud.connect()
    snap = read(remote, number)
    link = LinkShown(target="x", via=LinkVia.REMOTE_LINK, handle="1")
    changes = Changes(
        status=START,
        add_tags=("a",),
        remove_tags=("b",),
        set={"priority": "High"},
        add_links=(ticket("1"), ticket("2")),
        remove_links=(link,),
        note="never written",
    )
    assert remote.steps(snap, changes) == (
        Changes(add_tags=("a",), remove_tags=("b",), set={"priority": "High"}),
        Changes(status=START),
        Changes(remove_links=(link,)),
        Changes(add_links=(ticket("1"),)),
        Changes(add_links=(ticket("2"),)),
    )
    assert remote.steps(snap, Changes()) == ()


def test_a_done_issue_is_reopened_before_its_labels_are_written(cloud: Site) -> None:
    number, _ = cloud.create(status="Done")
    remote = cloud.connect()
    steps = remote.steps(read(remote, number), Changes(status=StatusChange(raw="To Do"), add_tags=("a",)))
    assert [step.status is not None for step in steps] == [True, False]


def test_a_write_of_several_steps_is_our_own_mistake(cloud: Site) -> None:
    number, _ = cloud.create()
    remote = cloud.connect()
    with pytest.raises(ValueError, match="one step"):
        write(remote, read(remote, number), status=START, add_tags=("a",))


# --- what goes wrong -------------------------------------------------------------------------------------------------

WRITES = {
    "issue.edit": Changes(add_tags=("x",)),
    "transitions.do": Changes(status=START),
    "remotelinks.put": Changes(add_links=(ticket(),)),
}


@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": FaultKind.DROP_BEFORE}, Unavailable),
        ({"kind": FaultKind.DROP_AFTER}, Unavailable),
        ({"kind": FaultKind.SERVER_ERROR, "status": 500}, Unavailable),
        ({"kind": FaultKind.SERVER_ERROR, "status": 504, "applied": True}, Unavailable),
        ({"kind": FaultKind.UNAVAILABLE}, Unavailable),
    ],
)
def test_a_write_without_an_answer_is_in_doubt_and_never_sent_twice(
    either: Site, operation: str, fault: dict[str, Any], error: type[RemoteError]
) -> None:
    number, _ = either.create()
    remote = either.connect()
    snap = read(remote, number)
    either.fault(operation=operation, **fault)
    with pytest.raises(error) as caught:
        remote.write(snap.ref, WRITES[operation], expect(snap))
    assert caught.value.applied
    (rule,) = either.sandbox.control.faults.listing()
    assert rule["fired"] == 1


@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.UNAUTHORISED, AuthRejected),
        (FaultKind.FORBIDDEN, Forbidden),
        (FaultKind.RATE_LIMITED, RateLimited),
        (FaultKind.RATE_LIMITED_BARE, RateLimited),
    ],
)
def test_a_write_that_is_refused_was_not_applied(
    either: Site, operation: str, kind: FaultKind, error: type[RemoteError]
) -> None:
    number, _ = either.create()
    remote = either.connect()
    snap = read(remote, number)
    either.fault(kind, operation=operation)
    with pytest.raises(error) as caught:
        remote.write(snap.ref, WRITES[operation], expect(snap))
    assert not caught.value.applied


def test_a_write_to_an_issue_that_is_gone_says_so(either: Site) -> None:
    number, key = either.create()
    remote = either.connect()
    snap = read(remote, number)
    either.act("delete", issue=key)
    with pytest.raises(RecordMissing):
        write(remote, snap, add_tags=("x",))


def test_an_outage_before_the_write_leaves_no_doubt(either: Site) -> None:
    number, _ = either.create()
    remote = either.connect()
    snap = read(remote, number)
    either.fault(FaultKind.DROP_BEFORE, operation="issue.get")
    with pytest.raises(Unavailable) as caught:
        write(remote, snap, add_tags=("x",))
    assert not caught.value.applied


def test_a_read_back_that_fails_does_not_make_the_write_fail(either: Site) -> None:
    number, key = either.create()
    remote = either.connect()
    snap = read(remote, number)
    either.fault(FaultKind.SERVER_ERROR, operation="issue.get", skip=1)
    assert write(remote, snap, status=START) is None
    assert either.issue(key)["status"] == "In Progress"


@pytest.mark.parametrize("kind", [FaultKind.TRUNCATED])
def test_an_edit_whose_answer_is_garbled_is_read_back(cloud: Site, kind: FaultKind) -> None:
    number, _ = cloud.create()
    remote = cloud.connect()
    snap = read(remote, number)
    cloud.fault(kind, operation="issue.edit")
    after = write(remote, snap, add_tags=("x",))
    assert after is not None
    assert after.fields["labels"] == ["x"]


def test_a_write_that_jira_ignored_shows_in_the_read_back(cloud: Site) -> None:
    number, _ = cloud.create()
    remote = cloud.connect()
    snap = read(remote, number)
    cloud.fault(FaultKind.IGNORE_WRITE, operation="issue.edit")
    after = write(remote, snap, add_tags=("x",))
    assert after is not None
    assert after.fields["labels"] == []


def test_too_many_writes_to_one_issue_hold_back_that_issue_alone(cloud: Site) -> None:
    cloud.switch(issue_writes_2s=1)
    number, _ = cloud.create()
    remote = cloud.connect()
    snap = write(remote, read(remote, number), add_tags=("x",))
    assert snap is not None
    with pytest.raises(RateLimited) as caught:
        write(remote, snap, add_tags=("y",))
    assert caught.value.scope == f"record:{number}"
    names = {budget.name for budget in CONNECTOR.budgets(None) if budget.per_record}
    assert "record" in names


def test_a_burst_of_edits_holds_back_edits(cloud: Site) -> None:
    number, _ = cloud.create()
    remote = cloud.connect()
    snap = read(remote, number)
    cloud.switch(burst_put=0)
    with pytest.raises(RateLimited) as caught:
        write(remote, snap, add_tags=("x",))
    assert caught.value.scope == "edit"


# --- creating --------------------------------------------------------------------------------------------------------

DRAFT = Draft(
    kind="issue",
    fields={"project": "OPS", "issuetype": "Bug", "summary": "Checkout fails", "priority": "High"},
    tags=("checkout",),
)


def intent(site: Site, remote: Any, marker: str = "m-1", draft: Draft = DRAFT) -> CreateIntent:
    return CreateIntent(marker=marker, at=site.hands.now(), probe=remote.probe(draft), draft=draft)


def test_an_issue_is_created_with_its_marker(either: Site) -> None:
    remote = either.connect()
    made = remote.create(DRAFT, "m-1")
    stored = either.issue(made.id)
    assert made.key == stored["key"]
    assert stored["properties"] == {"hypercare.create": {"marker": "m-1"}}
    assert (stored["labels"], stored["priority"], stored["summary"]) == (["checkout"], "High", "Checkout fails")


def test_a_probe_knows_the_projects_highest_key(either: Site) -> None:
    remote = either.connect()
    assert remote.probe(DRAFT) == {"project": "OPS", "highest": 0}
    for _ in range(12):
        either.create()
    assert remote.probe(DRAFT) == {"project": "OPS", "highest": 12}


def test_a_create_that_jira_refuses_names_the_field(either: Site) -> None:
    remote = either.connect()
    with pytest.raises(WriteRejected) as caught:
        remote.create(Draft(kind="issue", fields={"project": "OPS", "issuetype": "Bug"}), "m-1")
    assert caught.value.field == "summary"


@pytest.mark.parametrize("kind", [FaultKind.DROP_AFTER, FaultKind.CUT_BODY, FaultKind.TRUNCATED])
def test_a_create_whose_answer_is_lost_is_found_by_its_marker(either: Site, kind: FaultKind) -> None:
    either.create("an old one")
    either.switch(index_lag=120.0)
    remote = either.connect()
    meant = intent(either, remote)
    either.fault(kind, operation="issue.create")
    with pytest.raises((Unavailable, UnexpectedAnswer)) as caught:
        remote.create(DRAFT, "m-1")
    assert caught.value.applied
    either.mend()
    either.create("somebody else's")
    found = remote.find_created(meant)
    assert isinstance(found, RecordRef)
    assert either.issue(found.id)["properties"] == {"hypercare.create": {"marker": "m-1"}}
    assert either.sandbox.state()["creates"]["hub"] == 1


def test_a_create_that_did_not_happen_is_absent_only_when_the_index_must_know(either: Site) -> None:
    remote = either.connect()
    meant = intent(either, remote)
    either.fault(FaultKind.DROP_BEFORE, operation="issue.create")
    with pytest.raises(Unavailable):
        remote.create(DRAFT, "m-1")
    found = remote.find_created(meant)
    assert isinstance(found, NotYetCertain)
    assert 1 <= found.seconds <= 300
    either.hands.seconds += 301
    assert remote.find_created(meant) == Absent()


def test_the_wait_is_as_long_as_the_index_lag_set(cloud: Site) -> None:
    remote = cloud.connect(index_lag_seconds=10)
    meant = intent(cloud, remote)
    assert isinstance(remote.find_created(meant), NotYetCertain)
    cloud.hands.seconds += 11
    assert remote.find_created(meant) == Absent()


def test_a_created_issue_is_found_after_it_was_moved_away(either: Site) -> None:
    remote = either.connect()
    meant = intent(either, remote)
    made = remote.create(DRAFT, "m-1")
    either.act("move", issue=made.key, project="WEB")
    either.hands.seconds += 5
    found = remote.find_created(meant)
    assert isinstance(found, RecordRef)
    assert found.id == made.id


def test_two_issues_with_one_marker_are_reported(either: Site) -> None:
    remote = either.connect()
    meant = intent(either, remote)
    refs = {remote.create(DRAFT, "m-1").id, remote.create(DRAFT, "m-1").id}
    found = remote.find_created(meant)
    assert isinstance(found, Duplicated)
    assert {made.id for made in found.refs} == refs


def test_another_marker_is_not_ours(either: Site) -> None:
    remote = either.connect()
    meant = intent(either, remote)
    remote.create(DRAFT, "m-2")
    assert isinstance(remote.find_created(meant), NotYetCertain)


def test_an_issue_is_found_behind_gaps_of_deleted_ones(either: Site) -> None:
    remote = either.connect()
    meant = intent(either, remote)
    for _ in range(3):
        _, key = either.create()
        either.act("delete", issue=key)
    made = remote.create(DRAFT, "m-1")
    found = remote.find_created(meant)
    assert isinstance(found, RecordRef)
    assert found.id == made.id


def test_a_draft_without_a_project_is_refused(cloud: Site) -> None:
    with pytest.raises(WriteRejected, match="names no project"):
        cloud.connect().probe(Draft(kind="issue", fields={}))
