"""The connector against the stand-in: what it writes, what it leaves alone, and what it makes of failures."""

from __future__ import annotations

import pytest
from msgspec import structs

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
from connectors.sentry import tagnote
from sync.model import (
    Absent,
    Changes,
    CreateIntent,
    Draft,
    FieldEdit,
    LinkShown,
    LinkVia,
    LinkView,
    RecordRef,
    Snapshot,
)
from tests.connectors.sentry.organisation import START, Organisation, organisation, read, round_of, status, write

ISSUE = LinkView(
    system="jira", connection="dev", kind="issue", id="1", key="SHOP-A-1", url="https://jira.example/browse/SHOP-A-1"
)


def kinds(sentry: Organisation, issue: str) -> list[str]:
    return [row["kind"] for row in sentry.issue(issue)["activity"] if row["kind"] != "first_seen"]


# --- status ----------------------------------------------------------------------------------------------------------


def test_a_resolve_is_read_back_and_is_ours_in_the_history(sentry: Organisation) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    before = read(remote, issue)
    after = write(remote, before, status("resolved"))
    assert after is not None
    assert (after.fields["status"], after.version > before.version) == ("resolved", True)
    assert [(row.ours, row.edits[0].new) for row in remote.history(before.ref, before.version)] == [(True, "resolved")]


def test_a_resolved_issue_is_never_resolved_again(sentry: Organisation) -> None:
    issue = sentry.event()
    sentry.act("resolve", issue=issue)
    remote = sentry.connect()
    snap = read(remote, issue)
    for raw in ("resolved", "resolved_in_next_release"):
        assert write(remote, snap, status(raw)) is not None
    assert kinds(sentry, issue) == ["set_resolved"]
    assert sentry.calls("issue.update") == 0


def test_an_open_issue_is_not_set_to_another_open_substatus(sentry: Organisation) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    after = write(remote, read(remote, issue), status("ongoing"))
    assert after is not None
    assert (after.fields["status"], sentry.calls("issue.update")) == ("new", 0)


def test_a_reopened_issue_is_no_regression(sentry: Organisation) -> None:
    issue = sentry.event()
    sentry.act("resolve", issue=issue)
    remote = sentry.connect()
    after = write(remote, read(remote, issue), status("ongoing"))
    assert after is not None
    assert after.fields["status"] == "ongoing"


def test_resolved_in_the_next_release_goes_out_and_is_kept(sentry: Organisation) -> None:
    sentry.act("release", version="backend@1.0")
    issue = sentry.event()
    remote = sentry.connect()
    after = write(remote, read(remote, issue), status("resolved_in_next_release"))
    assert after is not None
    assert after.fields["status"] == "resolved_in_next_release"


def test_a_project_without_releases_refuses_the_next_one_in_its_own_words(sentry: Organisation) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    with pytest.raises(WriteRejected, match="No release data") as refused:
        write(remote, read(remote, issue), status("resolved_in_next_release"))
    assert (refused.value.field, refused.value.applied) == ("status", False)


def test_an_issue_can_be_archived_in_two_ways(sentry: Organisation) -> None:
    remote = sentry.connect()
    for raw in ("archived_until_escalating", "archived_forever"):
        after = write(remote, read(remote, sentry.event(raw, fingerprint=raw)), status(raw))
        assert after is not None
        assert after.fields["status"] == raw


def test_a_status_that_only_sentry_sets_is_refused_before_a_call(sentry: Organisation) -> None:
    remote = sentry.connect()
    snap = read(remote, sentry.event())
    with pytest.raises(WriteRejected, match="escalating"):
        write(remote, snap, status("escalating"))
    assert sentry.calls("issue.update") == 0


def test_assignee_and_priority_go_out_with_the_status_in_one_request(sentry: Organisation) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    wanted = structs.replace(
        status("resolved"), set={"assignee": {"id": "77", "email": "engineer@example.com"}, "priority": "low"}
    )
    assert remote.steps(read(remote, issue), wanted) == (wanted,)
    after = write(remote, read(remote, issue), wanted)
    assert after is not None
    assert (after.fields["status"], after.fields["priority"]) == ("resolved", "low")
    assert after.fields["assignee"]["email"] == "engineer@example.com"
    assert sentry.calls("issue.update") == 1
    after = write(remote, after, Changes(set={"assignee": "team:1"}))
    assert after is not None
    assert after.fields["assignee"]["id"] == "team:1"


def test_somebody_who_is_no_member_is_refused(sentry: Organisation) -> None:
    remote = sentry.connect()
    with pytest.raises(WriteRejected) as refused:
        write(remote, read(remote, sentry.event()), Changes(set={"assignee": "nobody@example.com"}))
    assert refused.value.field == "assignee"


# --- what must not be written over -----------------------------------------------------------------------------------


def test_an_issue_that_somebody_moved_is_not_written(sentry: Organisation) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    before = read(remote, issue)
    sentry.act("archive", issue=issue)
    with pytest.raises(VersionConflict) as moved:
        write(remote, before, status("resolved"))
    assert moved.value.snapshot is not None
    assert moved.value.snapshot.fields["status"] == "archived_forever"
    assert sentry.calls("issue.update") == 0


def test_an_issue_that_was_moved_there_and_back_is_not_written(sentry: Organisation) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    sentry.act("resolve", issue=issue)
    before = read(remote, issue)
    sentry.act("reopen", issue=issue)
    sentry.act("resolve", issue=issue)
    with pytest.raises(VersionConflict):
        write(remote, before, status("ongoing"))


def test_a_comment_in_between_does_not_stand_in_the_way(sentry: Organisation) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    before = read(remote, issue)
    sentry.act("comment", issue=issue, text="Looking")
    assert write(remote, before, status("resolved")) is not None


def test_a_write_to_a_merged_issue_does_not_reach_its_survivor(sentry: Organisation) -> None:
    one, two = sentry.event(times=3), sentry.event("Error: two", fingerprint="two")
    remote = sentry.connect()
    before = read(remote, two)
    sentry.act("merge", issues=[one, two])
    sentry.clock.passes(10)
    with pytest.raises(RecordMissing):
        write(remote, before, status("resolved"))
    assert sentry.issue(one)["status"] == "unresolved"


def test_an_edit_between_our_read_and_our_write_is_reported_as_overwritten(sentry: Organisation) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    before = read(remote, issue)
    sentry.act("archive", issue=issue)
    sentry.fault("stale_read", operation="issue.get", count=1)
    after = write(remote, before, status("resolved"))
    assert after is not None
    assert after.overwrote == (FieldEdit(field="status", old="archived_forever", new="resolved"),)


def test_the_list_is_never_written_to(sentry: Organisation) -> None:
    remote = sentry.connect()
    snap = read(remote, sentry.event())
    nameless = structs.replace(snap, ref=RecordRef(kind="issue", id=""))
    with pytest.raises(RemoteError):
        write(remote, nameless, status("resolved"))
    assert sentry.calls("issues.update") == 0


# --- links, notes, tags ----------------------------------------------------------------------------------------------


def test_a_link_is_shown_through_our_app_once(sentry: Organisation) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    snap = read(remote, issue)
    for _ in range(2):
        assert write(remote, snap, Changes(add_links=(ISSUE,))) is None
    assert sentry.issue(issue)["links"] == [
        {"app": "hypercare", "name": "SHOP-A#SHOP-A-1", "url": "https://jira.example/browse/SHOP-A-1"}
    ]
    assert sentry.calls("external_issues.create") == 1
    links = read(remote, issue).links
    assert links is not None
    assert [(link.target, link.via) for link in links] == [(ISSUE.url, LinkVia.APP)]


def test_another_link_of_our_app_gives_way_and_ours_comes_with_the_next_attempt(sentry: Organisation) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    snap = read(remote, issue)
    write(remote, snap, Changes(add_links=(ISSUE,)))
    other = structs.replace(ISSUE, url="https://jira.example/browse/SHOP-A-2", key="SHOP-A-2")
    with pytest.raises(Unavailable, match="SHOP-A#SHOP-A-1") as put_off:
        write(remote, snap, Changes(add_links=(other,)))
    assert not put_off.value.applied
    write(remote, snap, Changes(add_links=(other,)))
    assert [link["url"] for link in sentry.issue(issue)["links"]] == [other.url]


def test_a_link_that_may_not_be_taken_away_is_refused_with_the_scope_it_needs(sentry: Organisation) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    snap = read(remote, issue)
    write(remote, snap, Changes(add_links=(ISSUE,)))
    links = read(remote, issue).links or ()
    sentry.act("token", app="hypercare", scopes=["event:read", "event:write", "org:read"])
    with pytest.raises(WriteRejected, match="event:admin"):
        write(remote, snap, Changes(remove_links=links))


def test_links_are_not_shown_to_a_token_that_could_put_none_there(sentry: Organisation) -> None:
    issue = sentry.event()
    sentry.act("link", issue=issue, key="ABC-1")
    sentry.act("install", app="hypercare", installed=False)
    assert read(sentry.connect(token="sntryu_engineer"), issue).links is None


def test_another_app_s_link_does_not_stand_in_the_way(sentry: Organisation) -> None:
    issue = sentry.event()
    sentry.act("link", issue=issue, app="linear", name="LIN#1", url="https://linear.example/1")
    remote = sentry.connect(installation=_installation(sentry))
    write(remote, read(remote, issue), Changes(add_links=(ISSUE,)))
    assert [link["app"] for link in sentry.issue(issue)["links"]] == ["linear", "hypercare"]


def test_a_link_is_taken_away_and_again_is_no_error(sentry: Organisation) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    snap = read(remote, issue)
    write(remote, snap, Changes(add_links=(ISSUE,)))
    links = read(remote, issue).links or ()
    for _ in range(2):
        assert write(remote, snap, Changes(remove_links=links)) is None
    assert sentry.issue(issue)["links"] == []


def test_a_link_of_an_integration_is_left_to_people(sentry: Organisation) -> None:
    issue = sentry.event()
    sentry.act("link", issue=issue, key="ABC-1")
    remote = sentry.connect()
    snap = read(remote, issue)
    with pytest.raises(WriteRejected, match="remove it in Sentry"):
        write(remote, snap, Changes(remove_links=snap.links or ()))


def test_without_an_installation_a_link_is_refused_with_what_to_do(sentry: Organisation) -> None:
    issue = sentry.event()
    sentry.act("install", app="hypercare", installed=False)
    remote = sentry.connect(token="sntryu_engineer")
    with pytest.raises(WriteRejected, match="show: note"):
        write(remote, read(remote, issue), Changes(add_links=(ISSUE,)))


def test_a_note_is_a_comment_and_the_same_one_again_is_no_error(sentry: Organisation) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    for _ in range(2):
        after = write(remote, read(remote, issue), Changes(note="Worked on as SHOP-1"))
        assert after is not None
    assert [one["text"] for one in sentry.issue(issue)["comments"]] == ["Worked on as SHOP-1"]


def test_tags_go_into_one_comment_of_ours_that_is_edited_in_place(sentry: Organisation) -> None:
    issue = sentry.event(environment="production")
    remote = sentry.connect(tag_keys=("environment",))
    sentry.act("comment", issue=issue, text=f"{tagnote.HEAD}\n- `not ours`")
    snap: Snapshot | None = read(remote, issue)
    shown = []
    for changes in (
        Changes(add_tags=("launch", "vip customer", "environment-production")),
        Changes(add_tags=("launch",)),
        Changes(add_tags=("beta",), remove_tags=("launch",)),
        Changes(remove_tags=("beta", "vip customer")),
    ):
        assert snap is not None
        snap = write(remote, snap, changes)
        assert snap is not None
        assert snap.fields["tags"] == read(remote, issue).fields["tags"]
        shown.append(snap.fields["tags"])
    assert shown == [
        ["environment-production", "launch", "vip customer"],
        ["environment-production", "launch", "vip customer"],
        ["environment-production", "vip customer", "beta"],
        ["environment-production"],
    ]
    assert [one["by"] for one in sentry.issue(issue)["comments"]] == ["engineer", "hypercare"]
    assert (sentry.calls("notes.create"), sentry.calls("notes.update")) == (1, 2)


def test_a_tag_of_the_events_cannot_be_removed(sentry: Organisation) -> None:
    remote = sentry.connect()
    snap = read(remote, sentry.event(environment="production"))
    with pytest.raises(WriteRejected, match="tag_keys") as refused:
        write(remote, snap, Changes(remove_tags=("environment-production",)))
    assert refused.value.field == "tags"


def test_a_tag_that_would_break_out_of_its_line_is_refused(sentry: Organisation) -> None:
    remote = sentry.connect()
    with pytest.raises(WriteRejected, match="back-tick"):
        write(remote, read(remote, sentry.event()), Changes(add_tags=("a`b",)))


def test_each_link_and_note_is_a_step_of_its_own(sentry: Organisation) -> None:
    remote = sentry.connect()
    snap = read(remote, sentry.event())
    old = LinkShown(target="https://x.example", via=LinkVia.APP, handle="7")
    wanted = structs.replace(status("resolved"), add_links=(ISSUE,), remove_links=(old,), note="n", add_tags=("t",))
    assert remote.steps(snap, wanted) == (
        status("resolved"),
        Changes(add_tags=("t",)),
        Changes(remove_links=(old,)),
        Changes(add_links=(ISSUE,)),
        Changes(note="n"),
    )


def test_nothing_is_ever_created(sentry: Organisation) -> None:
    remote = sentry.connect()
    draft = Draft(kind="issue", fields={"title": "x"})
    assert remote.probe(draft) == {}
    with pytest.raises(WriteRejected):
        remote.create(draft, "m-1")
    assert isinstance(remote.find_created(CreateIntent(marker="m-1", at=START, probe={}, draft=draft)), Absent)
    assert sentry.calls() == 0


# --- failures --------------------------------------------------------------------------------------------------------


def test_a_write_that_changed_nothing_shows_so(sentry: Organisation) -> None:
    remote = sentry.connect()
    snap = read(remote, sentry.event())
    sentry.fault("ignore_write", operation="issue.update")
    after = write(remote, snap, status("resolved"))
    assert after is not None
    assert after.fields["status"] == "new"


@pytest.mark.parametrize("kind", ["drop_after", "cut_body"])
def test_a_write_whose_answer_is_lost_is_sent_once_and_found_in_the_history(sentry: Organisation, kind: str) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    snap = read(remote, issue)
    sentry.fault(kind, operation="issue.update", count=1)
    with pytest.raises(Unavailable) as lost:
        write(remote, snap, status("resolved"))
    assert lost.value.applied
    assert sentry.calls("issue.update") == 1
    assert [row.ours for row in remote.history(snap.ref, snap.version)] == [True]


@pytest.mark.parametrize(("kind", "more"), [("truncated", {}), ("html", {"applied": True}), ("empty", {})])
def test_what_a_write_answers_does_not_matter_since_it_is_read_back(
    sentry: Organisation, kind: str, more: dict[str, bool]
) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    sentry.fault(kind, operation="issue.update", count=1, **more)
    after = write(remote, read(remote, issue), status("resolved"))
    assert after is not None
    assert after.fields["status"] == ("new" if kind == "empty" else "resolved")


def test_a_write_that_never_arrived_is_in_doubt_and_not_in_the_history(sentry: Organisation) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    snap = read(remote, issue)
    sentry.fault("drop_before", operation="issue.update", count=1)
    with pytest.raises(Unavailable) as lost:
        write(remote, snap, status("resolved"))
    assert lost.value.applied
    assert remote.history(snap.ref, snap.version) == ()


def test_a_write_that_cannot_be_read_back_is_not_shown(sentry: Organisation) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    snap = read(remote, issue)
    sentry.fault("forbidden", operation="issue.get", skip=1)
    assert write(remote, snap, status("resolved")) is None
    assert sentry.issue(issue)["status"] == "resolved"


def test_a_read_that_is_refused_for_a_moment_is_tried_again_and_a_write_is_not(sentry: Organisation) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    sentry.fault("server_error", operation="issue.get", count=2)
    snap = read(remote, issue)
    sentry.fault("server_error", operation="issue.update")
    sentry.forget_calls()
    with pytest.raises(Unavailable) as failed:
        write(remote, snap, status("resolved"))
    assert failed.value.applied
    assert sentry.calls("issue.update") == 1


@pytest.mark.parametrize("kind", ["html", "truncated", "empty", "null"])
def test_an_answer_that_is_no_issue_moves_nothing(sentry: Organisation, kind: str) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    sentry.fault(kind)
    with pytest.raises(UnexpectedAnswer):
        remote.fetch([issue])
    with pytest.raises(UnexpectedAnswer):
        remote.page(None, START)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ('{"id": "1"}', "1"),
        ('{"id": null, "status": "unresolved"}', "no number"),
        ('{"id": "6000000001", "status": 7, "activity": []}', "status"),
        ('{"id": "6000000001", "status": "unresolved", "activity": []}', "time"),
        ('{"id": "6000000001", "status": "unresolved", "activity": {"a": 1}}', "activity"),
    ],
)
def test_an_issue_with_parts_missing_is_not_understood(sentry: Organisation, body: str, what: str) -> None:
    issue = sentry.event()
    assert issue == "6000000001"
    sentry.fault("given", status=200, body=body, operation="issue.get")
    sentry.fault("given", status=200, body="{}", operation="activities")
    remote = sentry.connect()
    if what == "1":
        found = remote.fetch([issue])[issue]
        assert not isinstance(found, Snapshot)  # another issue's id: merged
        return
    with pytest.raises(UnexpectedAnswer, match=what):
        remote.fetch([issue])


def test_a_rate_limit_is_told_with_its_budget_and_the_end_of_its_window(sentry: Organisation) -> None:
    issue = sentry.event()
    sentry.switch(limits={"issue.update": [1, 600]})
    remote = sentry.connect()
    after = write(remote, read(remote, issue), status("resolved"))
    assert after is not None
    with pytest.raises(RateLimited) as refused:
        write(remote, after, status("ongoing"))
    assert refused.value.scope == "write"
    assert refused.value.retry_after is not None
    assert 1 <= refused.value.retry_after <= 601
    assert not refused.value.applied
    assert {reading.budget for reading in sentry.readings} >= {"issue", "write", "other"}


def test_a_server_of_one_s_own_sets_no_limit() -> None:
    with organisation(edition="self_hosted") as sentry:
        made = [sentry.event(f"Error: {n}", fingerprint=str(n)) for n in range(8)]
        remote = sentry.connect()
        remote.fetch(made)
        assert (sentry.readings, sentry.clock.slept) == ([], [])


def test_a_revoked_token_is_told_apart_from_a_missing_permission(sentry: Organisation) -> None:
    sentry.fault("unauthorised")
    with pytest.raises(AuthRejected):
        sentry.connect().page(None, START)


def test_a_token_that_may_only_read_is_forbidden_to_write(sentry: Organisation) -> None:
    issue = sentry.event()
    sentry.act("token", app="hypercare", scopes=["event:read", "org:read", "project:read"])
    remote = sentry.connect()
    with pytest.raises(Forbidden) as refused:
        write(remote, read(remote, issue), status("resolved"))
    assert not refused.value.applied


# --- GlitchTip -------------------------------------------------------------------------------------------------------


def test_glitchtip_can_be_checked_and_read(glitchtip: Organisation) -> None:
    made = [glitchtip.event(f"Error: {n}", fingerprint=str(n), environment="production") for n in range(5)]
    remote = glitchtip.connect(page_size=2)
    found = remote.check()
    assert (found.history, found.writes_links, found.links_via) == (False, False, "note")
    pages = round_of(remote, None)
    assert len(pages) > 1
    assert sorted(snap.ref.id for page in pages for snap in page.snapshots) == made
    snap = read(remote, made[0])
    assert (snap.fields["status"], snap.fields["tags"], snap.links) == ("ongoing", ["environment-production"], None)
    assert snap.ref.url.endswith(f"/organizations/acme/issues/{made[0]}/")
    assert remote.history(snap.ref, "") == ()


def test_glitchtip_is_resolved_reopened_and_commented(glitchtip: Organisation) -> None:
    issue = glitchtip.event()
    remote = glitchtip.connect()
    snap = read(remote, issue)
    for raw, shown in (("resolved", "resolved"), ("ongoing", "ongoing"), ("archived_forever", "archived_forever")):
        after = write(remote, snap, status(raw))
        assert after is not None
        assert after.fields["status"] == shown
        snap = after
    assert write(remote, snap, Changes(note="Worked on")) is not None
    assert [one["text"] for one in glitchtip.issue(issue)["comments"]] == ["Worked on"]


def test_glitchtip_has_no_assignee_and_no_links(glitchtip: Organisation) -> None:
    remote = glitchtip.connect()
    snap = read(remote, glitchtip.event())
    with pytest.raises(WriteRejected, match="assignee"):
        write(remote, snap, Changes(set={"assignee": "a@example.com"}))
    with pytest.raises(WriteRejected, match="show: note"):
        write(remote, snap, Changes(add_links=(ISSUE,)))
    with pytest.raises(WriteRejected, match="direction: in"):
        write(remote, snap, Changes(add_tags=("launch",)))


def test_a_glitchtip_that_is_taken_for_sentry_is_recognised_by_check(glitchtip: Organisation) -> None:
    findings = glitchtip.connect(flavour="sentry").check().findings
    assert any("flavour: glitchtip" in one.do for one in findings)


def _installation(sentry: Organisation) -> str:
    return str(
        next(app["installation"] for app in sentry._control("GET", "state")["apps"] if app["slug"] == "hypercare")
    )
