from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from connectors.contract import Capabilities, Level
from connectors.errors import (
    AuthRejected,
    CursorExpired,
    RateLimited,
    Unavailable,
    UnexpectedAnswer,
)
from connectors.jira.client import JiraRemote
from connectors.sandbox.faults import FaultKind
from sync.model import Missing, MissingKind, Origin, Snapshot
from tests.connectors.jira.made import NOW
from tests.connectors.jira.site import Site, read, ref, site, write

SINCE = NOW - timedelta(days=1)


def feed(remote: JiraRemote, cursor: str | None = None) -> tuple[list[Snapshot], str]:
    found: list[Snapshot] = []
    while True:
        page = remote.page(cursor, SINCE)
        found += page.snapshots
        cursor = page.cursor
        if not page.more:
            return found, cursor


def labels(found: list[Snapshot]) -> list[tuple[str, list[str]]]:
    return [(snap.ref.key, snap.fields["labels"]) for snap in found]


# --- check -----------------------------------------------------------------------------------------------------------


def test_connecting_makes_no_call(either: Site) -> None:
    either.connect()
    assert either.calls() == {}


def test_check_says_who_we_are_and_what_we_can(either: Site) -> None:
    found = either.connect().check()
    assert isinstance(found, Capabilities)
    assert found.account == either.url
    assert found.me
    assert found.findings == ()
    assert (found.workflows, found.history, found.conditional_write) == (True, True, False)
    assert found.links_via == "remote_link"
    assert "/hooks/" in found.webhooks
    assert found.time_zone == "UTC"


def test_check_names_each_missing_permission_and_what_to_do(cloud: Site) -> None:
    cloud.act("permission", by="hub", project="OPS", permission="TRANSITION_ISSUES")
    (finding,) = cloud.connect().check().findings
    assert finding.level is Level.WARNING
    assert "OPS" in finding.what
    assert "change the status" in finding.what
    assert "Grant TRANSITION_ISSUES" in finding.do


def test_check_says_that_a_project_is_not_there_or_not_ours(cloud: Site) -> None:
    cloud.act("permission", by="hub", project="WEB", permission="BROWSE_PROJECTS")
    findings = cloud.connect(projects=["OPS", "WEB", "NOPE"]).check().findings
    assert [(finding.level, finding.what.split()[1]) for finding in findings] == [
        (Level.ERROR, "WEB"),
        (Level.ERROR, "NOPE"),
    ]


def test_check_says_that_the_deployment_is_another_one(cloud: Site) -> None:
    password = {"kind": "password", "username": "hub@example.com", "password": "hub-token"}
    (finding,) = cloud.connect(deployment="data_center", auth=password).check().findings
    assert finding.level is Level.ERROR
    assert finding.do == "Set deployment: cloud, or auto."


def _hub() -> dict[str, str]:
    return {"cloud_id": "11111111-2222-3333-4444-555555555555", "token": "hub-token"}


def test_a_scoped_token_goes_through_the_gateway_and_is_known_by_its_cloud_id(cloud: Site) -> None:
    remote = cloud.connect(auth={"kind": "cloud_bearer", **_hub(), "api_url": cloud.url})
    number, key = cloud.create()
    assert remote.check().account == "11111111-2222-3333-4444-555555555555"
    assert read(remote, number).ref.url == f"{cloud.url}/browse/{key}"


def test_data_center_takes_user_name_and_password(data_center: Site) -> None:
    remote = data_center.connect(auth={"kind": "password", "username": "hub", "password": "hub-token"})
    assert remote.check().version.startswith("Server")


def test_a_context_path_is_part_of_every_call() -> None:
    with site("Server", context="/jira") as served:
        number, key = served.create()
        snap = read(served.connect(), number)
        assert snap.ref.url == f"{served.url}/jira/browse/{key}"


@pytest.mark.parametrize("form", ["json", "text", "html"])
def test_refused_credentials_are_told_in_every_form(either: Site, form: str) -> None:
    either.switch(auth_body=form)
    either.act("token", by="hub", tokens=[], bearers=[])
    with pytest.raises(AuthRejected) as caught:
        either.connect().check()
    assert "hub-token" not in caught.value.message
    assert "hub-pat" not in caught.value.message


def test_a_captcha_is_told_with_what_to_do() -> None:
    with site("Server", captcha_after=1) as served:
        remote = served.connect(auth={"kind": "password", "username": "hub", "password": "wrong"})
        with pytest.raises(AuthRejected):
            remote.check()
        with pytest.raises(AuthRejected, match="signed in with it in a browser"):
            remote.check()


def test_forbidden_on_check_means_the_credentials(cloud: Site) -> None:
    cloud.fault(FaultKind.FORBIDDEN, operation="myself")
    with pytest.raises(AuthRejected, match="scoped token needs"):
        cloud.connect().check()


def test_values_are_the_names_the_site_has(either: Site) -> None:
    values = either.connect().values()
    assert {"To Do", "Done"} <= set(values["status"])
    assert "Medium" in values["priority"]
    assert "customfield_10050" in values["fields"]


# --- the change feed -------------------------------------------------------------------------------------------------


def test_the_feed_shows_every_issue_of_the_projects_once(either: Site) -> None:
    for number in range(25):
        either.create(f"issue {number}", project="OPS" if number % 2 else "WEB")
    remote = either.connect(page_size=10)
    found, cursor = feed(remote)
    assert len(found) == 25
    assert len({snap.ref.id for snap in found}) == 25
    assert {snap.origin for snap in found} == {Origin.LIST}
    assert feed(remote, cursor)[0] == []


def test_other_projects_are_left_alone(either: Site) -> None:
    either.create(project="WEB")
    assert feed(either.connect(projects=["OPS"]))[0] == []


def test_a_change_is_shown_once_more_and_alone(either: Site) -> None:
    for number in range(3):
        either.create(f"issue {number}")
    remote = either.connect()
    _, cursor = feed(remote)
    either.act("add_label", issue="OPS-2", label="late")
    found, cursor = feed(remote, cursor)
    assert labels(found) == [("OPS-2", ["late"])]
    assert feed(remote, cursor)[0] == []


def test_an_idle_poll_is_one_call(either: Site) -> None:
    either.create()
    remote = either.connect()
    _, cursor = feed(remote)
    either.forget_calls()
    remote.page(cursor, SINCE)
    assert sum(either.calls().values()) == 1


def test_a_change_that_the_index_shows_late_is_found(cloud: Site) -> None:
    cloud.switch(index_lag=60.0)
    cloud.create("early")
    cloud.hands.seconds += 120
    remote = cloud.connect()
    _, cursor = feed(remote)
    cloud.act("add_label", issue="OPS-1", label="late")
    assert feed(remote, cursor)[0] == []
    cloud.hands.seconds += 59
    _, cursor = feed(remote, cursor)
    cloud.hands.seconds += 2
    assert labels(feed(remote, cursor)[0]) == [("OPS-1", ["late"])]


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland"])
def test_the_feed_is_the_same_in_every_profile_zone(zone: str) -> None:
    with site("Cloud", hub_zone=zone) as served:
        served.create("one")
        remote = served.connect()
        first, cursor = feed(remote)
        served.hands.seconds += 3600
        served.create("two")
        second, _ = feed(remote, cursor)
        assert [snap.ref.key for snap in first + second] == ["OPS-1", "OPS-2"]
        assert first[0].version.endswith("Z")


def test_a_profile_zone_that_changes_while_we_run_loses_nothing(cloud: Site) -> None:
    cloud.create("one")
    remote = cloud.connect()
    _, cursor = feed(remote)
    # In the new zone the old text names a moment 8 hours later: nothing matches, and nothing shows it.
    cloud.switch(hub_zone="America/Los_Angeles")
    cloud.act("add_label", issue="OPS-1", label="x")
    _, cursor = feed(remote, cursor)
    cloud.hands.seconds += 601
    assert labels(feed(remote, cursor)[0]) == [("OPS-1", ["x"])]
    # East of it more matches than was asked for, and the times in the answer show why.
    cloud.switch(hub_zone="Asia/Tokyo")
    cloud.act("add_label", issue="OPS-1", label="y")
    assert labels(feed(remote, cursor)[0]) == [("OPS-1", ["x", "y"])]
    assert remote._me().zone_name == "Asia/Tokyo"


def test_a_page_token_that_has_ended_is_an_expired_cursor(cloud: Site) -> None:
    for number in range(4):
        cloud.create(f"issue {number}")
    remote = cloud.connect(page_size=2)
    cursor = remote.page(None, SINCE).cursor
    cloud.hands.seconds += 8 * 86_400
    with pytest.raises(CursorExpired, match="seven days"):
        remote.page(cursor, SINCE)


def test_a_query_that_jira_refuses_is_no_expired_cursor(cloud: Site) -> None:
    with pytest.raises(UnexpectedAnswer, match="Do all projects in the settings exist"):
        cloud.connect(projects=["NOPE"]).page(None, SINCE)


def test_data_center_addressed_as_cloud_and_back_are_told(cloud: Site, data_center: Site) -> None:
    with pytest.raises(UnexpectedAnswer, match="Set deployment: cloud"):
        cloud.connect(
            deployment="data_center", auth={"kind": "password", "username": "hub@example.com", "password": "hub-token"}
        ).page(None, SINCE)
    assert data_center.connect(deployment="auto").page(None, SINCE).snapshots == ()


def test_the_first_page_of_data_center_tells_how_many_will_come(data_center: Site) -> None:
    for number in range(5):
        data_center.create(f"issue {number}")
    remote = data_center.connect(page_size=2)
    first = remote.page(None, SINCE)
    assert first.total == 5
    assert remote.page(first.cursor, SINCE).total is None


@pytest.mark.parametrize("kind", [FaultKind.HTML, FaultKind.EMPTY, FaultKind.NULL, FaultKind.TRUNCATED])
def test_a_page_that_is_not_understood_moves_nothing(either: Site, kind: FaultKind) -> None:
    either.create()
    remote = either.connect()
    _, cursor = feed(remote)
    either.act("add_label", issue="OPS-1", label="x")
    either.fault(kind, operation="search*")
    with pytest.raises(UnexpectedAnswer):
        remote.page(cursor, SINCE)
    either.mend()
    assert labels(feed(remote, cursor)[0]) == [("OPS-1", ["x"])]


def test_a_page_that_is_cut_is_read_again(either: Site) -> None:
    either.create()
    remote = either.connect()
    either.fault(FaultKind.CUT_BODY, operation="search*", count=1)
    assert len(feed(remote)[0]) == 1
    assert len(either.hands.slept) == 1


def test_a_read_is_tried_for_at_most_five_seconds(cloud: Site) -> None:
    remote = cloud.connect()
    cloud.fault(FaultKind.SERVER_ERROR, operation="search*")
    with pytest.raises(Unavailable) as caught:
        remote.page(None, SINCE)
    assert not caught.value.applied
    assert sum(cloud.hands.slept) <= 5


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [
        (FaultKind.RATE_LIMITED, 1800.0),
        (FaultKind.RATE_LIMITED_BARE, None),
        (FaultKind.RATE_LIMITED_GARBAGE, None),
    ],
)
def test_a_rate_limit_is_told_and_never_slept_on(cloud: Site, kind: FaultKind, seconds: float | None) -> None:
    remote = cloud.connect()
    cloud.fault(kind, operation="search*", seconds=1800.0)
    with pytest.raises(RateLimited) as caught:
        remote.page(None, SINCE)
    assert caught.value.retry_after == seconds
    assert caught.value.scope == "account"
    assert cloud.hands.slept == []


def test_a_used_up_quota_waits_as_long_as_jira_says(cloud: Site) -> None:
    remote = cloud.connect()
    cloud.switch(quota_retry_after=1700.0)
    with pytest.raises(RateLimited) as caught:
        remote.page(None, SINCE)
    assert (caught.value.retry_after, caught.value.scope) == (1700.0, "account")


def test_data_center_tells_its_rate_in_its_headers(data_center: Site) -> None:
    remote = data_center.connect()
    remote.page(None, SINCE)
    last = data_center.readings[-1]
    assert (last.budget, last.limit) == ("account", 10)
    assert last.remaining is not None


# --- reading records -------------------------------------------------------------------------------------------------


def test_one_issue_is_read_with_its_steps_and_links(either: Site) -> None:
    number, key = either.create()
    either.act("remote_link", issue=key, url="https://acme.zendesk.com/agent/tickets/5")
    snap = read(either.connect(), number)
    assert snap.origin is Origin.DIRECT
    assert snap.moves is not None
    assert {move.to for move in snap.moves} == {"In Progress", "Blocked", "Won't Do"}
    assert snap.links is not None
    assert [link.target for link in snap.links] == ["https://acme.zendesk.com/agent/tickets/5"]


def test_a_step_shows_the_fields_its_screen_demands(either: Site) -> None:
    either.switch(resolution_required=True)
    number, _ = either.create(status="In Progress")
    moves = read(either.connect(), number).moves or ()
    assert {move.to: move.required for move in moves}["Done"] == ("resolution",)
    assert {move.to: move.required for move in moves}["In Review"] == ()


def test_reading_one_issue_costs_two_calls(cloud: Site) -> None:
    number, _ = cloud.create()
    remote = cloud.connect(deployment="cloud")
    remote.fetch([number])
    assert cloud.calls() == {"issue.get": 1, "remotelinks.list": 1}
    cloud.forget_calls()
    remote.fetch([number], whole=False)
    assert cloud.calls() == {"issue.get": 1}


def test_many_issues_are_one_call_on_cloud(cloud: Site) -> None:
    numbers = [cloud.create(f"issue {number}")[0] for number in range(50)]
    remote = cloud.connect(deployment="cloud")
    found = remote.fetch(numbers)
    assert set(found) == set(numbers)
    assert all(isinstance(snap, Snapshot) and snap.links is None and snap.moves is None for snap in found.values())
    assert sum(cloud.calls().values()) == 1


def test_bulk_and_single_reads_agree(either: Site) -> None:
    numbers = [
        either.create(f"issue {number}", labels=["a"], description="It *fails*\n\nagain")[0] for number in range(2)
    ]
    remote = either.connect()
    for number, snap in remote.fetch(numbers).items():
        assert isinstance(snap, Snapshot)
        alone = read(remote, number)
        assert snap.version == alone.version
        assert {**snap.fields, "description": ""} == {**alone.fields, "description": ""}


def test_an_issue_is_found_under_its_id_its_key_and_its_old_key(either: Site) -> None:
    number, old = either.create()
    new = either.act("move", issue=old, project="WEB")["key"]
    remote = either.connect()
    assert read(remote, number).ref.key == new
    moved = read(remote, old)
    assert (moved.ref.id, moved.ref.key, moved.aliases) == (number, new, (old,))
    other, _ = either.create("other")
    together = remote.fetch([old, other, new])
    assert {key: snap.ref.id for key, snap in together.items() if isinstance(snap, Snapshot)} == {
        old: number,
        other: other,
        new: number,
    }


def missing(remote: JiraRemote, *keys: str) -> dict[str, MissingKind]:
    found = remote.fetch(keys)
    return {key: value.kind for key, value in found.items() if isinstance(value, Missing)}


def test_a_deleted_issue_is_deleted_only_after_a_second_look(either: Site) -> None:
    number, key = either.create()
    other, _ = either.create("other")
    either.act("delete", issue=key)
    remote = either.connect()
    assert missing(remote, number) == {number: MissingKind.DELETED}
    assert missing(remote, key) == {key: MissingKind.DELETED}
    assert missing(remote, number, other) == {number: MissingKind.DELETED}
    assert missing(either.connect(hides_issues=True), number) == {number: MissingKind.NOT_FOUND}


def test_an_issue_we_may_no_longer_see_is_forbidden_and_not_deleted(either: Site) -> None:
    number, key = either.create()
    either.act("permission", by="hub", project="OPS", permission="BROWSE_PROJECTS")
    remote = either.connect()
    assert missing(remote, number) == {number: MissingKind.FORBIDDEN}
    assert missing(remote, key) == {key: MissingKind.FORBIDDEN}


def test_an_outage_is_no_absence(either: Site) -> None:
    number, _ = either.create()
    remote = either.connect()
    either.fault(FaultKind.SERVER_ERROR, status=502)
    with pytest.raises(Unavailable):
        remote.fetch([number])


def test_answers_to_a_stranger_are_refused_credentials_and_no_absence(cloud: Site) -> None:
    number, _ = cloud.create()
    remote = cloud.connect()
    remote.fetch([number])
    cloud.act("token", by="hub", tokens=[])
    with pytest.raises(AuthRejected):
        remote.fetch([number])


# --- history ---------------------------------------------------------------------------------------------------------


def test_history_tells_who_did_what_since_a_version(either: Site) -> None:
    number, key = either.create(labels=["a"])
    remote = either.connect()
    before = read(remote, number)
    either.act("add_label", issue=key, label="b")
    either.act("transition", issue=key, to="In Progress")
    rows = remote.history(ref(number), before.version)
    assert [next((edit.field, edit.old, edit.new) for edit in row.edits) for row in rows] == [
        ("labels", ["a"], ["a", "b"]),
        ("status", "To Do", "In Progress"),
    ]
    assert not any(row.ours or row.automatic for row in rows)
    assert len({row.actor for row in rows}) == 1


def test_our_own_writes_are_known_in_history_by_their_delivery(either: Site) -> None:
    number, _ = either.create()
    remote = either.connect()
    before = read(remote, number)
    after = write(remote, before, "d-7", add_tags=("x",))
    assert after is not None
    (row,) = remote.history(ref(number), before.version)
    assert (row.ours, row.op) == (True, "d-7")
    assert remote.history(ref(number), after.version) == []


def test_an_automation_of_the_site_is_automatic(cloud: Site) -> None:
    number, key = cloud.create()
    remote = cloud.connect()
    before = read(remote, number)
    cloud.act("add_label", issue=key, label="auto", by="automation")
    (row,) = remote.history(ref(number), before.version)
    assert row.automatic


def test_a_long_history_is_read_from_its_end(cloud: Site) -> None:
    number, key = cloud.create()
    remote = cloud.connect(deployment="cloud")
    for at in range(350):
        cloud.act("add_label", issue=key, label=f"l{at}")
    before = read(remote, number)
    cloud.act("add_label", issue=key, label="last")
    cloud.forget_calls()
    rows = remote.history(ref(number), before.version)
    assert len(rows) == 1
    assert cloud.calls()["issue.changelog"] == 2
    assert len(remote.history(ref(number), "")) >= 351


def test_a_cursor_is_plain_text(cloud: Site) -> None:
    cloud.create()
    cursor: Any = json.loads(cloud.connect().page(None, SINCE).cursor)
    assert cursor["since"].endswith("Z")
