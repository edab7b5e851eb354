"""Found by the history race 108: a read-back older than our own write was taken for a user's edit."""

from __future__ import annotations

from pathlib import Path

from connectors.sandbox.faults import FaultKind, FaultRule
from connectors.sandbox.wire import Request
from tests.support.launch import launch
from tests.sync.simulation.regressions.between import stand_between


def test_a_read_back_older_than_our_own_write_moves_nobody(tmp_path: Path) -> None:
    day = launch(tmp_path, jira_settings={"workflow": "global"})
    ticket, issue = day.linked_pair(status="open")
    late: list[str] = []

    def before(request: Request) -> None:
        if request.path.endswith("/transitions") and request.method == "POST" and not late:
            late.append("Blocked")
            day.engineer(issue, "Blocked")
            day.jira.control.faults.add(FaultRule(kind=FaultKind.STALE_READ, operation="issue.get", count=1))

    stand_between(day, "tracker", before)
    day.agent(ticket, "solved")
    day.world.wait(400)
    shown = [
        edit["new"] for row in day.ticket_now(ticket)["history"] for edit in row["edits"] if edit["field"] == "status"
    ]
    day.world.close()
    assert late == ["Blocked"]
    assert shown == ["open", "solved"]
    assert day.statuses(ticket, issue) == ("solved", "Done")
