"""Sentry beside a Zendesk and a Jira in one hub: what each side shows in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connectors.sandbox.faults import FaultKind, FaultRule
from sync.engine import columns
from sync.store.tables import records
from sync.views.explain import explain
from tests.connectors.sentry.launch import Day, launch

Make = Callable[..., Day]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Day] = []

    def build(**given: Any) -> Day:
        made.append(launch(tmp_path, **given))
        return made[-1]

    yield build
    for each in made:
        each.world.close()


def linked(day: Day, **event: Any) -> tuple[int, str, str]:
    """A ticket, an issue and an error that a person has linked, at rest."""
    ticket, issue, error = day.ticket(), day.issue(), day.event(**event)
    day.world.start()
    day.world.wait(120, step=60)
    day.linked(issue, f"support:{ticket}", f"errors:{error}")
    return ticket, issue, error


def shown(day: Day, error: str) -> str:
    """The status that the hub knows of an error."""
    with day.world.store.read() as conn:
        body = conn.execute(select(records.c.body).where(records.c.remote_id == error)).scalar_one()
    return str(columns.snapshot(body).fields["status"])


def updates(day: Day) -> int:
    return int(day.sides["errors"].state()["writes"].get("hypercare update", 0))


@pytest.mark.parametrize("hooks", [True, False])
def test_a_finished_issue_resolves_its_error_and_a_regression_opens_the_issue_again(make: Make, hooks: bool) -> None:
    day = make(hooks=hooks)
    ticket, issue, error = linked(day)
    assert [link["name"] for link in day.errors(error)["links"]] == ["OPS#OPS-1"]
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(180, step=60)
    assert day.shows(ticket, issue, error) == ("solved", "Done", "resolved")
    day.event(issue=error)
    day.world.wait(180, step=60)
    assert day.shows(ticket, issue, error) == ("solved", "To Do", "unresolved")
    assert updates(day) == 1


def test_an_item_is_deployed_while_it_is_done_and_its_fix_is_out(make: Make) -> None:
    day = make()
    day.error("release", version="backend@1.0", project="backend")
    _, issue, error = linked(day)

    def facts() -> tuple[str, ...]:
        with day.world.store.read() as conn:
            return explain(conn, day.world.hub, issue, day.world.clock.now()).facts

    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(120, step=60)
    day.error("resolve", issue=error, inRelease="backend@1.0")
    day.world.wait(120, step=60)
    assert (shown(day, error), facts()) == ("resolved_in_release", ())
    day.error("deploy", version="backend@1.0", environment="production")
    day.world.wait(180, step=60)
    assert (shown(day, error), facts()) == ("resolved_deployed", ("deployed",))
    day.event(issue=error, release="backend@1.0")
    day.world.wait(180, step=60)
    assert (day.errors(error)["status"], facts()) == ("unresolved", ("reopened",))


def test_an_error_that_a_person_resolved_finishes_its_issue_without_any_webhook(make: Make) -> None:
    day = make(hooks=False)
    _, issue, error = linked(day)
    day.world.wait(3600, step=1200)
    day.error("resolve", issue=error)
    day.world.wait(240, step=60)
    assert day.issues(issue)["status"] == "Done"
    assert updates(day) == 0


@pytest.mark.parametrize("era", ["silent", "lazy"])
def test_an_error_that_resolved_itself_resolves_nobody_else(make: Make, era: str) -> None:
    day = make(age_resolution=era)
    day.error("project", slug="backend", resolve_age=1)
    ticket, issue, error = linked(day)
    day.world.wait(2 * 3600, step=1200)
    assert shown(day, error) == "resolved"
    assert (day.tickets(ticket), day.issues(issue)["status"]) == ("new", "To Do")


def test_an_archived_error_closes_nobody_and_is_never_written(make: Make) -> None:
    day = make()
    ticket, issue, error = linked(day)
    day.error("archive", issue=error)
    day.world.wait(240, step=60)
    assert day.shows(ticket, issue, error) == ("new", "To Do", "ignored")
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(240, step=60)
    assert day.shows(ticket, issue, error) == ("solved", "Done", "ignored")
    assert updates(day) == 0


def test_many_errors_wait_for_the_last_one(make: Make) -> None:
    day = make()
    _, issue, error = linked(day)
    other = day.event("ValueError: other", fingerprint="other")
    day.world.wait(120, step=60)
    day.linked(issue, f"errors:{other}")
    day.error("resolve", issue=error)
    day.world.wait(180, step=60)
    assert day.issues(issue)["status"] == "To Do"
    day.error("resolve", issue=other)
    day.world.wait(180, step=60)
    assert day.issues(issue)["status"] == "Done"


def test_an_environment_of_an_error_becomes_a_tag_and_its_release_does_not(make: Make) -> None:
    day = make()
    _, issue, _ = linked(day, environment="production", release="backend@1.0")
    assert day.issues(issue)["labels"] == ["environment-production"]


def test_a_merged_error_lives_on_in_its_survivor(make: Make) -> None:
    day = make(hooks=False)
    _, issue, error = linked(day)
    survivor = day.event("ValueError: other", fingerprint="other", times=5)
    day.error("merge", issues=[survivor, error])
    day.world.wait(240, step=60)
    day.error("resolve", issue=survivor)
    day.world.wait(240, step=60)
    assert day.issues(issue)["status"] == "Done"


@pytest.mark.parametrize("kind", [FaultKind.DROP_AFTER, FaultKind.DROP_BEFORE])
def test_a_write_whose_answer_is_lost_takes_effect_once(make: Make, kind: FaultKind) -> None:
    day = make()
    ticket, issue, error = linked(day)
    day.sides["errors"].control.faults.add(FaultRule(kind=kind, operation="issue.update", count=1))
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(240, step=60)
    assert day.shows(ticket, issue, error) == ("solved", "Done", "resolved")
    assert updates(day) == 1


def test_a_process_that_dies_forgets_nothing_that_matters(make: Make) -> None:
    day = make(hooks=False)
    ticket, issue, error = linked(day)
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.restart()
    day.world.wait(240, step=60)
    assert day.shows(ticket, issue, error) == ("solved", "Done", "resolved")
    day.world.restart()
    day.event(issue=error)
    day.world.wait(240, step=60)
    assert day.issues(issue)["status"] == "To Do"


def test_a_day_at_rest_writes_nothing(make: Make) -> None:
    day = make()
    ticket, issue, error = linked(day)
    day.engineer(issue, "In Progress")
    day.world.wait(120, step=60)
    before = (day.sides["errors"].state()["writes"], day.sides["tracker"].state()["writes"])
    day.world.wait(9 * 86_400, step=86_400)  # the error grows from `new` to `ongoing` meanwhile
    assert day.errors(error)["substatus"] == "ongoing"
    assert (day.sides["errors"].state()["writes"], day.sides["tracker"].state()["writes"]) == before
    assert day.shows(ticket, issue, error) == ("open", "In Progress", "unresolved")


def test_glitchtip_is_kept_in_step_by_polling(make: Make) -> None:
    day = make(edition="glitchtip")
    ticket, issue, error = linked(day)
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(240, step=60)
    assert day.shows(ticket, issue, error) == ("solved", "Done", "resolved")
    day.event(issue=error)
    day.world.wait(240, step=60)
    assert day.shows(ticket, issue, error) == ("solved", "To Do", "unresolved")
