"""Two workers at one write in doubt: the slower one's conclusion is of yesterday, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from connectors.sandbox.faults import FaultKind, FaultRule
from sync.engine import deliver, doubt
from sync.store.tables import deliveries
from tests.sync.engine.conftest import Make


class Slow:
    """A remote whose answer about a record's history arrives after something else has happened."""

    def __init__(self, remote: Any, meanwhile: Callable[[], None]) -> None:
        self._remote = remote
        self._meanwhile = meanwhile

    def history(self, key: Any, since: str) -> Any:
        found = self._remote.history(key, since)
        self._meanwhile()
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._remote, name)


def test_a_slow_look_at_a_write_in_doubt_does_not_send_again_what_a_quicker_one_has_sent(make: Make) -> None:
    """Found by the soak: two workers took up one doubt, and the settled delivery was opened once more."""
    day = make()
    number, key = day.linked_pair()
    hub = day.world.hub
    support = hub.named("support")
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.DROP_BEFORE, operation="tickets.update", count=1))
    before = day.calls("support")["tickets.update"]
    day.label(key, add="regression")

    def states() -> list[tuple[str, str]]:
        with day.world.store.read() as conn:
            found = conn.execute(select(deliveries.c.id, deliveries.c.state).where(deliveries.c.state != "superseded"))
            return [(row.id, row.state) for row in found]

    while "in_doubt" not in dict(states()).values():
        day.world.clock.advance(1)
        day.world.turn(polls=True)
    real = support.remote

    def others() -> None:
        support.remote = real
        while deliver.deliver(hub, support):
            pass

    slow: Any = Slow(real(), others)
    support.remote = lambda: slow
    assert doubt.settle(hub, support)
    assert {state for _, state in states()} == {"settled"}
    day.world.wait(300)
    assert day.ticket_now(number)["tags"] == ["regression"]
    assert day.calls("support")["tickets.update"] == before + 2  # the lost one, and one more
