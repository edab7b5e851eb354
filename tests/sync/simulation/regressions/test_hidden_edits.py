"""Found by the history lost 9: an edit that our write hid went unnamed when the answer of that write was lost."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from connectors.sandbox.faults import FaultKind, FaultRule
from connectors.sandbox.wire import Request
from sync.store.tables import conflicts
from tests.support.launch import launch
from tests.sync.simulation.regressions.between import stand_between


def test_an_edit_hidden_by_a_write_whose_answer_was_lost_is_named(tmp_path: Path) -> None:
    day = launch(tmp_path, jira_settings={"workflow": "global"})
    ticket, issue = day.linked_pair(status="open")
    late: list[str] = []

    def before(request: Request) -> None:
        if request.method == "PUT" and b"solved" in request.body and not late:
            late.append("pending")
            day.agent(ticket, "pending")

    stand_between(day, "support", before)
    day.world.wait(120)
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.DROP_AFTER, operation="tickets.update", count=1))
    day.tag(ticket, add=("vip",))
    day.engineer(issue, "Done")
    day.world.quiet()  # in the very second of the tag: the version cannot tell the two edits apart
    day.world.wait(300)
    with day.world.store.read() as conn:
        named = conn.execute(select(conflicts.c.kind, conflicts.c.lost)).all()
    day.world.close()
    assert late == ["pending"]
    assert [tuple(row) for row in named] == [("overwritten_edit", "pending")]
    assert day.statuses(ticket, issue) == ("solved", "Done")
