"""The connector against the stand-in: what it reads."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.contract import Level
from connectors.errors import AuthRejected, CursorExpired, RateLimited
from sync.model import Fact, Missing, MissingKind, Origin, Snapshot, Status
from tests.connectors.sentry.organisation import START, Organisation, absent, organisation, read, round_of
from tests.sync.mapping.records import shipped

DAY = timedelta(days=1)


# --- check -----------------------------------------------------------------------------------------------------------


def test_check_names_the_organisation_by_its_id_and_says_what_can_be_done(sentry: Organisation) -> None:
    found = sentry.connect().check()
    assert found.account.endswith("/organizations/1")
    assert found.me
    assert (found.writes_tags, found.creates, found.conditional_write) == (False, False, False)
    assert (found.links_via, found.writes_links, found.history) == ("app", True, True)
    (only,) = found.findings
    assert only.level is Level.INFO
    assert only.what == (
        "written are status, assignee, priority, comments and one link an issue; tags belong to events and issues come "
        "of them, so no tag is written and no issue created"
    )


def test_check_refuses_a_wrong_token(sentry: Organisation) -> None:
    with pytest.raises(AuthRejected):
        sentry.connect(token="wrong").check()


def test_check_refuses_an_organisation_that_the_token_does_not_see(sentry: Organisation) -> None:
    with pytest.raises(AuthRejected, match="elsewhere"):
        sentry.connect(organization="elsewhere").check()


def test_check_names_a_project_that_is_not_there_and_the_ones_that_are(sentry: Organisation) -> None:
    found = sentry.connect(projects=("backend", "backnd")).check().findings
    findings = [one for one in found if one.level is not Level.INFO]
    assert [one.level for one in findings] == [Level.ERROR]
    assert "backnd" in findings[0].what
    assert "frontend" in findings[0].what


def test_check_says_that_the_list_needs_a_scope(sentry: Organisation) -> None:
    sentry.act("token", app="hypercare", scopes=["org:read", "project:read"])
    errors = [one for one in sentry.connect().check().findings if one.level is Level.ERROR]
    assert any("event:read" in one.do for one in errors)


def test_check_says_that_a_person_s_token_cannot_put_links_on_issues(sentry: Organisation) -> None:
    sentry.act("install", app="hypercare", installed=False)
    found = sentry.connect(token="sntryu_engineer").check()
    assert (found.links_via, found.writes_links) == ("note", False)
    assert any("links cannot be put" in one.what for one in found.findings)


def test_values_lists_statuses_priorities_and_projects(sentry: Organisation) -> None:
    values = sentry.connect().values()
    assert {"new", "resolved_in_next_release", "archived_forever"} <= set(values["status"])
    assert values["project"] == ("backend", "frontend")


# --- the feed --------------------------------------------------------------------------------------------------------


def test_the_first_round_gives_every_issue_once_whatever_its_status(sentry: Organisation) -> None:
    made = [sentry.event(f"Error: {n}", fingerprint=str(n)) for n in range(5)]
    sentry.act("resolve", issue=made[0])
    sentry.act("archive", issue=made[1])
    pages = round_of(sentry.connect(page_size=2), None)
    shown = [snap for page in pages for snap in page.snapshots]
    assert sorted(snap.ref.id for snap in shown) == sorted(made)
    assert {snap.origin for snap in shown} == {Origin.LIST}
    assert {snap.version for snap in shown} == {""}
    assert [page.more for page in pages] == [True] * (len(pages) - 1) + [False]
    assert pages[0].total == 5


def test_the_first_round_ends_where_it_was_told_to(sentry: Organisation) -> None:
    sentry.event("Error: old", fingerprint="old")
    sentry.clock.passes(3600)
    new = sentry.event("Error: new", fingerprint="new")
    pages = round_of(sentry.connect(page_size=1), None, sentry.clock.now() - timedelta(minutes=10))
    assert [snap.ref.id for page in pages for snap in page.snapshots] == [new]


def test_a_resting_round_reads_no_page_of_what_is_old(sentry: Organisation) -> None:
    for n in range(30):
        sentry.event(f"Error: {n}", fingerprint=str(n))
        sentry.clock.passes(60)
    remote = sentry.connect(page_size=10, feedback=False)
    cursor = round_of(remote, None)[-1].cursor
    sentry.clock.passes(3600)
    sentry.forget_calls()
    pages = round_of(remote, cursor)
    assert [len(page.snapshots) for page in pages] == [2]  # those of the last minutes, in case the search lagged
    assert sentry.calls("issues.list") == 1


def test_an_issue_seen_again_comes_in_the_next_round_and_is_named_to_be_read_when_it_changed(
    sentry: Organisation,
) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    cursor = round_of(remote, None)[-1].cursor
    sentry.act("resolve", issue=issue)
    sentry.clock.passes(60)
    sentry.event(issue=issue)
    pages = round_of(remote, cursor)
    assert [snap.fields["status"] for page in pages for snap in page.snapshots] == ["regressed"]
    assert [number for page in pages for number in page.linked] == [issue]
    again = round_of(remote, pages[-1].cursor)
    assert [number for page in again for number in page.linked] == []


def test_a_new_issue_is_named_to_be_read_directly(sentry: Organisation) -> None:
    remote = sentry.connect()
    cursor = round_of(remote, None)[-1].cursor
    issue = sentry.event()
    assert [number for page in round_of(remote, cursor) for number in page.linked] == [issue]


def test_an_issue_that_changed_without_an_event_is_found_once_it_was_read(sentry: Organisation) -> None:
    other, issue = sentry.event("Error: other", fingerprint="other"), sentry.event()
    sentry.event("Error: between", fingerprint="between")
    sentry.clock.passes(600)
    sentry.event("Error: newer", fingerprint="newer")
    remote = sentry.connect(page_size=1)
    cursor = round_of(remote, None)[-1].cursor
    read(remote, issue)
    sentry.clock.passes(7200)
    sentry.act("assign", issue=issue, to="engineer@example.com")
    sentry.act("resolve", issue=other)
    pages = round_of(remote, cursor)
    assert [number for page in pages for number in page.linked] == [issue]
    assert [number for page in round_of(remote, pages[-1].cursor) for number in page.linked] == []


def test_a_deleted_issue_is_named_at_once_and_again_when_that_can_be_confirmed(sentry: Organisation) -> None:
    issue = sentry.event()
    sentry.clock.passes(600)
    sentry.event("Error: newer", fingerprint="newer")
    remote = sentry.connect(page_size=1)
    cursor = round_of(remote, None)[-1].cursor
    read(remote, issue)
    sentry.act("delete", issue=issue)
    named = []
    for _ in range(12):
        sentry.clock.passes(60)
        pages = round_of(remote, cursor)
        cursor = pages[-1].cursor
        found = [number for page in pages for number in page.linked if number == issue]
        named += [absent(remote, number).kind for number in found]
    assert named == [MissingKind.NOT_FOUND, MissingKind.DELETED]


def test_a_merged_issue_that_was_read_is_named(sentry: Organisation) -> None:
    one, two = sentry.event(times=3), sentry.event("Error: two", fingerprint="two")
    remote = sentry.connect()
    cursor = round_of(remote, None)[-1].cursor
    read(remote, two)
    sentry.act("merge", issues=[one, two])
    sentry.clock.passes(3600)
    pages = round_of(remote, cursor)
    assert [number for page in pages for number in page.linked] == [two]


def test_a_server_that_cannot_select_by_id_is_asked_once(sentry: Organisation) -> None:
    sentry.switch(group_filter=False)
    one = sentry.event()
    sentry.event("Error: two", fingerprint="two")
    remote = sentry.connect(feedback=False)
    cursor = round_of(remote, None)[-1].cursor
    read(remote, one)
    sentry.clock.passes(3600)
    sentry.forget_calls()
    cursor = round_of(remote, cursor)[-1].cursor
    assert sentry.calls("issues.list") == 2
    round_of(remote, cursor)
    assert sentry.calls("issues.list") == 3


def test_user_feedback_is_read_too_unless_it_is_switched_off(sentry: Organisation) -> None:
    feedback = str(sentry.act("feedback", message="The button does nothing")["issue"])
    sentry.clock.passes(1)
    pages = round_of(sentry.connect(), None)
    snap = next(snap for page in pages for snap in page.snapshots if snap.ref.id == feedback)
    assert snap.fields["description"] == "The button does nothing"
    assert snap.fields["reporter"]["email"] == "customer@example.com"
    assert [page.snapshots for page in round_of(sentry.connect(feedback=False), None)][-1:] != [()]


def test_only_the_configured_projects_are_listed(sentry: Organisation) -> None:
    sentry.event(project="backend")
    front = sentry.event("Error: front", project="frontend")
    pages = round_of(sentry.connect(projects=("frontend",)), None)
    assert [snap.ref.id for page in pages for snap in page.snapshots] == [front]


def test_a_cursor_that_is_not_ours_is_expired(sentry: Organisation) -> None:
    with pytest.raises(CursorExpired):
        sentry.connect().page("1767323045000:0:0", START)


def test_a_spoilt_place_in_the_list_is_expired(sentry: Organisation) -> None:
    with pytest.raises(CursorExpired):
        sentry.connect().page('{"mark":1.0,"top":1.0,"at":"nonsense"}', START)


def test_an_event_from_the_future_does_not_blind_the_feed(sentry: Organisation) -> None:
    remote = sentry.connect()
    sentry.event("Error: future", at=(sentry.clock.now() + timedelta(days=2)).timestamp(), fingerprint="f")
    cursor = round_of(remote, None)[-1].cursor
    issue = sentry.event()
    assert issue in [snap.ref.id for page in round_of(remote, cursor) for snap in page.snapshots]


# --- direct reads ----------------------------------------------------------------------------------------------------


def test_an_issue_is_read_by_id_and_by_short_id(sentry: Organisation) -> None:
    issue = sentry.event(environment="production", release="backend@1.0")
    remote = sentry.connect()
    snap = read(remote, issue)
    assert (snap.ref.key, snap.origin, snap.links) == ("BACKEND-1", Origin.DIRECT, ())
    assert snap.fields["tags"] == ["environment-production", "release-backend@1.0"]
    assert read(remote, "BACKEND-1").ref == snap.ref


def test_the_version_moves_with_status_assignee_and_priority_though_no_time_does(sentry: Organisation) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    versions = [read(remote, issue).version]
    for act, more in (("resolve", {}), ("reopen", {}), ("assign", {"to": "engineer@example.com"}), ("priority", {})):
        sentry.act(act, issue=issue, **({"priority": "low"} if act == "priority" else more))
        versions.append(read(remote, issue).version)
    assert versions == sorted(set(versions))
    assert len({version.partition(" ")[2] for version in versions}) == 1


def test_many_issues_are_read_within_the_limit_of_the_endpoint(sentry: Organisation) -> None:
    made = [sentry.event(f"Error: {n}", fingerprint=str(n)) for n in range(12)]
    remote = sentry.connect()
    found = remote.fetch(made)
    assert all(isinstance(one, Snapshot) and one.links is None for one in found.values())
    assert sentry.calls("issue.get") == 12  # none was refused and asked for again
    assert sentry.clock.slept
    assert max(sentry.clock.slept) <= 2


def test_a_window_that_another_client_used_up_does_not_lose_what_was_read(sentry: Organisation) -> None:
    made = [sentry.event(f"Error: {n}", fingerprint=str(n)) for n in range(4)]
    remote = sentry.connect()
    sentry.fault("rate_limited_bare", operation="issue.get", skip=2, count=1)
    sentry.switch(limits={"issue.get": [100, 1]})
    with pytest.raises(RateLimited):
        remote.fetch(made)  # without an end of the window nothing is waited for
    sentry.fault("rate_limited", operation="issue.get", skip=2, count=1, seconds=1)
    assert all(isinstance(one, Snapshot) for one in remote.fetch(made).values())
    assert len(sentry.clock.slept) == 1


def test_tags_are_read_again_only_after_new_events(sentry: Organisation) -> None:
    issue = sentry.event(environment="production")
    remote = sentry.connect()
    read(remote, issue)
    read(remote, issue)
    assert sentry.calls("tags.list") == 1
    sentry.event(issue=issue, environment="staging")
    assert read(remote, issue).fields["tags"] == ["environment-production", "environment-staging"]


def test_only_the_most_frequent_values_of_a_tag_are_taken(sentry: Organisation) -> None:
    issue = sentry.event(environment="production")
    for name in ("a", "b", "b", "c", "c", "c"):
        sentry.event(issue=issue, environment=name)
    assert read(sentry.connect(tag_values=2), issue).fields["tags"] == ["environment-c", "environment-b"]


def test_links_of_apps_and_of_installed_integrations_are_shown(sentry: Organisation) -> None:
    issue = sentry.event()
    sentry.act("link", issue=issue, key="ABC-1")
    sentry.act("link", issue=issue, app="hypercare", name="ABC#ABC-2", url="https://jira.example/browse/ABC-2")
    links = read(sentry.connect(), issue).links
    assert links is not None
    assert {link.target for link in links} == {
        "https://acme.atlassian.net/browse/ABC-1",
        "https://jira.example/browse/ABC-2",
    }


def test_links_are_shown_where_the_plan_has_no_integrations(sentry: Organisation) -> None:
    sentry.switch(integrations=False)
    assert read(sentry.connect(), sentry.event()).links == ()


def test_a_merged_issue_names_its_survivor(sentry: Organisation) -> None:
    one, two = sentry.event(times=3), sentry.event("Error: two", fingerprint="two")
    remote = sentry.connect()
    sentry.act("merge", issues=[one, two])
    assert absent(remote, two).kind is MissingKind.NOT_FOUND  # pending
    sentry.clock.passes(10)
    gone = absent(remote, two)
    assert (gone.kind, gone.into) == (MissingKind.MERGED, one)


def test_a_deleted_issue_is_a_fact_only_when_it_stays_away(sentry: Organisation) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    sentry.act("delete", issue=issue)
    assert absent(remote, issue).kind is MissingKind.NOT_FOUND
    sentry.clock.passes(200)
    assert absent(remote, issue).kind is MissingKind.NOT_FOUND
    sentry.clock.passes(200)
    assert absent(remote, issue).kind is MissingKind.DELETED


def test_a_short_absence_leaves_no_trace(sentry: Organisation) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    sentry.missing("issue.get", count=1)
    assert absent(remote, issue).kind is MissingKind.NOT_FOUND
    assert read(remote, issue).ref.id == issue
    sentry.clock.passes(400)
    sentry.missing("issue.get", count=1)
    assert absent(remote, issue).kind is MissingKind.NOT_FOUND


def test_an_issue_that_the_token_may_not_read_is_forbidden(sentry: Organisation) -> None:
    issue = sentry.event()
    sentry.fault("forbidden", operation="issue.get")
    assert absent(sentry.connect(), issue).kind is MissingKind.FORBIDDEN


@pytest.mark.parametrize("key", ["", "nonsense", "../projects", "1/../2", "9" * 30])
def test_what_is_no_issue_is_not_asked_for(sentry: Organisation, key: str) -> None:
    found = sentry.connect().fetch([key])[key]
    assert isinstance(found, Missing)
    assert found.kind is MissingKind.NOT_FOUND
    assert sentry.calls() == 0


# --- what a status says ----------------------------------------------------------------------------------------------


def test_substatus_and_resolution_are_told_apart(sentry: Organisation) -> None:
    remote = sentry.connect()
    sentry.act("release", version="backend@1.0")
    shown: list[str] = []
    for act, more in (
        ("resolve", {}),
        ("reopen", {"substatus": "ongoing"}),
        ("resolve", {"inNextRelease": True}),
        ("reopen", {"substatus": "ongoing"}),
        ("resolve", {"inRelease": "backend@1.0"}),
        ("archive", {"substatus": "archived_until_escalating"}),
        ("archive", {"ignoreDuration": 60}),
        ("archive", {}),
    ):
        issue = sentry.event(f"Error: {len(shown)}", fingerprint=str(len(shown)))
        sentry.act(act, issue=issue, **more)
        shown.append(read(remote, issue).fields["status"])
    assert shown == [
        "resolved",
        "new",  # it was open already: nothing changes
        "resolved_in_next_release",
        "new",
        "resolved_in_release",
        "archived_until_escalating",
        "archived_until_condition_met",
        "archived_forever",
    ]


def test_an_older_server_without_substatus_is_understood(sentry: Organisation) -> None:
    sentry.switch(substatuses=False)
    issue = sentry.event()
    remote = sentry.connect()
    assert read(remote, issue).fields["status"] == "ongoing"
    sentry.act("archive", issue=issue)
    assert read(remote, issue).fields["status"] == "archived_forever"


def test_a_fix_is_deployed_when_its_release_is_out_in_the_environment(sentry: Organisation) -> None:
    sentry.act("release", version="backend@2.0+1/x")
    issue = sentry.event()
    sentry.act("resolve", issue=issue, inRelease="backend@2.0+1/x")
    remote = sentry.connect()
    assert read(remote, issue).fields["status"] == "resolved_in_release"
    sentry.act("deploy", version="backend@2.0+1/x", environment="staging")
    sentry.clock.passes(120)
    assert read(remote, issue).fields["status"] == "resolved_in_release"
    sentry.act("deploy", version="backend@2.0+1/x", environment="production")
    sentry.clock.passes(120)
    snap = read(remote, issue)
    assert snap.fields["status"] == "resolved_deployed"
    feedback = shipped().for_connection("errors", "sentry").feedback(snap)
    assert (feedback.status, feedback.facts) == (Status.RESOLVED, frozenset({Fact.DEPLOYED}))


def test_a_later_release_that_is_out_brings_the_fix_too(sentry: Organisation) -> None:
    sentry.act("release", version="backend@1.0")
    issue = sentry.event()
    sentry.act("resolve", issue=issue, inRelease="backend@1.0")
    sentry.clock.passes(60)
    sentry.act("release", version="backend@1.1")
    sentry.act("deploy", version="backend@1.1", environment="production")
    assert read(sentry.connect(), issue).fields["status"] == "resolved_deployed"


def test_what_is_resolved_after_a_release_is_not_deployed_with_that_one() -> None:
    """Semantic versions: the next release reads back as the current one, which is out already."""
    with organisation(reads_semver=True) as sentry:
        sentry.act("release", version="backend@1.0")
        sentry.act("deploy", version="backend@1.0", environment="production")
        issue = sentry.event(release="backend@1.0")
        sentry.act("resolve", issue=issue, inNextRelease=True)
        remote = sentry.connect()
        assert read(remote, issue).fields["status"] == "resolved_in_next_release"
        sentry.clock.passes(3600)
        sentry.act("release", version="backend@1.1")
        sentry.act("deploy", version="backend@1.1", environment="production")
        assert read(remote, issue).fields["status"] == "resolved_deployed"


def test_without_deploys_the_date_of_the_release_counts(sentry: Organisation) -> None:
    sentry.act("release", version="backend@1.0", released=True)
    issue = sentry.event()
    sentry.act("resolve", issue=issue, inRelease="backend@1.0")
    assert read(sentry.connect(), issue).fields["status"] == "resolved_deployed"


def test_an_awaited_deploy_is_noticed_by_the_feed(sentry: Organisation) -> None:
    sentry.act("release", version="backend@1.0")
    issue = sentry.event()
    sentry.act("resolve", issue=issue, inRelease="backend@1.0")
    remote = sentry.connect()
    cursor = round_of(remote, None)[-1].cursor
    read(remote, issue)
    sentry.clock.passes(3600)
    cursor = round_of(remote, cursor)[-1].cursor
    sentry.act("deploy", version="backend@1.0", environment="production")
    sentry.clock.passes(3600)
    assert [number for page in round_of(remote, cursor) for number in page.linked] == [issue]
    assert read(remote, issue).fields["status"] == "resolved_deployed"


@pytest.mark.parametrize("era", ["told", "lazy"])
def test_what_resolved_by_age_resolved_by_itself(era: str) -> None:
    with organisation(resolve_age=24, age_resolution=era) as sentry:
        issue = sentry.event()
        sentry.clock.passes(100 * 3600)
        snap = read(sentry.connect(), issue)
        assert (snap.fields["status"], snap.automatic) == ("resolved", True)


def test_what_a_person_or_a_tracker_resolved_did_not_resolve_by_itself(sentry: Organisation) -> None:
    issue = sentry.event()
    sentry.act("resolve", issue=issue)
    assert not read(sentry.connect(), issue).automatic


# --- history ---------------------------------------------------------------------------------------------------------


def test_the_history_tells_people_us_and_sentry_apart(sentry: Organisation) -> None:
    issue = sentry.event()
    remote = sentry.connect()
    before = read(remote, issue)
    sentry.act("resolve", issue=issue, by="engineer")
    sentry.clock.passes(60)
    sentry.event(issue=issue)
    sentry.act("resolve", issue=issue, by="hypercare")
    sentry.act("comment", issue=issue, by="reviewer", text="Is it?")
    rows = remote.history(before.ref, before.version)
    told = [(row.edits[0].new if row.edits else "", row.ours, row.automatic) for row in rows]
    assert told == [
        ("resolved", False, False),
        ("regressed", False, True),
        ("resolved", True, False),
        ("", False, False),
    ]
    assert rows[0].actor == "2"
    assert [row.edits[0].old for row in rows[:3]] == [None, "resolved", "regressed"]


def test_the_history_of_the_newest_version_is_empty(sentry: Organisation) -> None:
    issue = sentry.event()
    sentry.act("resolve", issue=issue)
    remote = sentry.connect()
    snap = read(remote, issue)
    assert remote.history(snap.ref, snap.version) == ()


def test_the_history_is_read_from_the_issue_where_it_has_no_list(sentry: Organisation) -> None:
    issue = sentry.event()
    sentry.act("resolve", issue=issue)
    sentry.missing("activities")
    remote = sentry.connect()
    rows = remote.history(read(remote, issue).ref, "")
    assert [edit.new for row in rows for edit in row.edits] == ["resolved"]
