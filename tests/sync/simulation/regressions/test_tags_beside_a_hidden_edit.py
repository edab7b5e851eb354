"""Found by the history mixed 40175: a tag of our own write was heard as its ticket's, beside an edit which that hid."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.sandbox.faults import FaultKind, FaultRule
from connectors.sandbox.wire import Request
from sync.simulation.history import play
from sync.simulation.stage import Depth
from tests.support.launch import launch
from tests.sync.simulation.regressions.between import stand_between


def test_the_history_that_showed_it_ends_well() -> None:
    outcome = play(40175, "mixed", depth=Depth.CONTRACT, only=(26, 31, 32, 33, 34, 35), at_rest=())
    assert outcome.violations == []


@pytest.mark.parametrize("is_lost", [False, True], ids=["answered", "in doubt"])
def test_a_tag_that_the_issues_people_took_off_meanwhile_is_not_heard_as_the_tickets(
    tmp_path: Path, *, is_lost: bool
) -> None:
    day = launch(tmp_path, jira_settings={"workflow": "global"})
    ticket, issue = day.linked_pair(status="open")
    day.world.wait(120)
    late: list[str] = []

    def before(request: Request) -> None:
        # In the second of the tag below: the version cannot refuse the write that hides this edit.
        if request.method == "PUT" and b"solved" in request.body and not late:
            late.append("pending")
            day.agent(ticket, "pending")
            day.label(issue, remove="theirs")

    stand_between(day, "support", before)
    day.world.wait(120)
    if is_lost:
        rule = FaultRule(kind=FaultKind.DROP_AFTER, operation="tickets.update", count=1)
        day.zendesk.control.faults.add(rule)
    day.tag(ticket, add=("vip",))
    day.label(issue, add="theirs")
    day.engineer(issue, "Done")
    day.world.quiet()
    day.world.wait(300)
    found = day.ticket_now(ticket)["tags"], day.issue_now(issue)["labels"]
    day.world.close()
    assert late == ["pending"]
    assert found == (["vip"], ["vip"])
