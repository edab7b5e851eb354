"""What may come between two steps of the engine: another worker's edit, or the end of the process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.faults import FaultKind, FaultRule
from connectors.sandbox.wire import Request, Response
from sync.engine import load, poll, rows, settle
from sync.simulation.between import Crashed
from tests.support.launch import ROUTES, Launch, launch
from tests.sync.simulation.regressions.between import stand_between


class Dying:
    """Ends the process at one commit, counted from when it is armed."""

    def __init__(self) -> None:
        self.left: int | None = None

    def __call__(self, where: str) -> None:
        if self.left is None or where != "before commit":
            return
        self.left -= 1
        if self.left < 0:
            self.left = None
            raise Crashed(where)


def calm(day: Launch) -> None:
    day.world.wait(400)


@pytest.mark.parametrize("commit", range(4))
def test_a_process_that_dies_at_a_commit_of_a_poll_loses_no_change(tmp_path: Path, commit: int) -> None:
    day = launch(tmp_path, hooks=False)
    ticket, issue = day.linked_pair(status="open")
    dying = Dying()
    day.world.crash = dying
    day.world.restart()
    day.agent(ticket, "solved")
    day.world.clock.advance(90)
    dying.left = commit
    hub = day.world.hub
    try:
        poll.poll(hub, hub.named("support"))
    except Crashed:
        day.world.store.close()
        day.world.open()
    dying.left = None
    calm(day)
    day.world.close()
    assert day.statuses(ticket, issue) == ("solved", "Done")


class Interrupted:
    """A store on which something else is stored just before the next step that was submitted."""

    def __init__(self, inner: Any, first: Callable[[Any], None]) -> None:
        self._inner = inner
        self._first: Callable[[Any], None] | None = first

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def submit(self, fn: Callable[[Any], Any]) -> Any:
        first, self._first = self._first, None
        if first is not None:
            self._inner.step(first)
        return self._inner.submit(fn)


def test_a_decision_on_an_item_that_has_moved_meanwhile_is_not_stored(tmp_path: Path) -> None:
    day = launch(tmp_path)
    ticket, _ = day.linked_pair(status="open")
    hub, item = day.world.hub, day.item(f"support:{ticket}")
    now = hub.clock.now()
    hub.store.step(lambda conn: rows.mark(conn, [item], now))
    store: Any = Interrupted(hub.store, lambda conn: rows.mark(conn, [item], now))
    hub.store = store
    settle.settle_one(hub, item)
    with hub.store.read() as conn:
        still_waiting = item in load.due(conn, now, 10)
    day.world.close()
    assert not still_waiting  # decided twice: once in vain, and once more on what it had become
    assert store._first is None


def test_while_a_write_is_in_doubt_what_its_record_showed_before_concludes_nothing(tmp_path: Path) -> None:
    day = launch(tmp_path, hooks=False, jira_settings={"workflow": "global", "index_lag": 0.0})
    ticket, issue = day.linked_pair(status="open")
    faults = day.zendesk.control.faults
    faults.add(FaultRule(kind=FaultKind.DROP_AFTER, operation="tickets.update", count=1))
    faults.add(FaultRule(kind=FaultKind.SERVER_ERROR, operation="tickets.show"))
    day.engineer(issue, "Done")
    day.world.wait(10, step=5)
    assert day.statuses(ticket, issue) == ("solved", "Done")
    day.engineer(issue, "To Do")  # before anybody can tell that the ticket was solved
    day.world.wait(10, step=5)
    faults.clear()
    calm(day)
    day.world.close()
    assert day.statuses(ticket, issue) == ("open", "To Do")


def test_a_process_that_dies_between_a_create_and_its_answer_creates_nothing_twice(tmp_path: Path) -> None:
    day = launch(tmp_path, routes=ROUTES)
    day.world.start()
    deaths: list[str] = []

    def after(request: Request, response: Response) -> None:
        if request.method == "POST" and request.path.endswith("/issue") and not deaths:
            deaths.append(request.path)
            raise Crashed("after call")

    stand_between(day, "tracker", after=after)
    ticket = day.ticket(tags=["outage"], status="open")
    with pytest.raises(Crashed):
        calm(day)
    day.world.store.close()
    day.world.open()
    calm(day)
    day.world.close()
    assert len(deaths) == 1
    assert len(day.issues()) == 1
    assert len(day.links_on(day.issues()[0]["key"])) == 1
    assert len(day.notes_on(ticket)) == 1
