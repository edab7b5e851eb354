"""Reading ahead: the import asks for the next page while the present one is stored, and its cursor never runs ahead."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.contract import Page
from sync.engine import contact, poll
from sync.engine.budgets import Budgets
from sync.engine.hub import Connected, Hub
from sync.store.errors import StoreUnavailable
from tests.support.launch import Launch
from tests.sync.engine.views import calls, feed, known

DAY = 86400.0
PAGES = 6


@pytest.fixture
def importing(day: Launch) -> tuple[Hub, Connected]:
    """Six pages to import, and no limits but the pages'."""
    day.zendesk.act({"act": "seed", "count": 100 * PAGES, "spread": 30 * DAY})
    day.zendesk.change_settings({"export_page_limit": 100, "limits": False})
    hub, support = day.world.hub, day.world.hub.named("support")
    contact.greet(hub, support)
    hub.budgets = Budgets(day.world.clock)
    return hub, support


def test_one_call_reads_every_page_once(day: Launch, importing: tuple[Hub, Connected]) -> None:
    before = len(calls(day, "support", "export.cursor"))
    assert not poll.read_ahead(*importing)
    assert len(known(day, "support")) == 100 * PAGES
    assert feed(day, "support", poll.IMPORT).finished_at is not None
    assert len(calls(day, "support", "export.cursor")) - before == feed(day, "support", poll.IMPORT).pages


def test_a_feed_that_is_begun_anew_meanwhile_keeps_its_own_beginning(
    day: Launch, importing: tuple[Hub, Connected]
) -> None:
    hub, support = importing
    inner: Any = support.remote()
    since = feed(day, "support", poll.IMPORT).since

    class AskedAnew:
        """While the second page is on its way, a person asks for the import once more."""

        asked = 0

        def page(self, cursor: str | None, of: Any) -> Page:
            self.asked += 1
            if self.asked == 2:
                day.world.clock.advance(1)
                hub.store.step(lambda conn: poll.restart(conn, support, poll.IMPORT, since, hub.clock.now()))
            return inner.page(cursor, of)  # type: ignore[no-any-return]

    remote: Any = AskedAnew()
    support.remote = lambda: remote
    assert poll.read_ahead(hub, support), "there is more to read: all of it"
    again = feed(day, "support", poll.IMPORT)
    assert (again.cursor, again.pages) == (None, 0)
    while poll.read_ahead(hub, support):
        pass
    assert len(known(day, "support")) == 100 * PAGES


def test_nothing_is_stored_behind_a_page_that_could_not_be(day: Launch, importing: tuple[Hub, Connected]) -> None:
    hub, support = importing
    real: Any = hub.store

    class Full:
        """A store that has no room for the third page."""

        submitted = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def submit(self, fn: Any) -> Any:
            self.submitted += 1
            if self.submitted == 3:
                raise StoreUnavailable("the disk is full")
            return real.submit(fn)

    full: Any = Full()
    hub.store = full
    with pytest.raises(StoreUnavailable):
        poll.read_ahead(hub, support)
    assert (feed(day, "support", poll.IMPORT).pages, len(known(day, "support"))) == (2, 200)
    hub.store = real
    while poll.read_ahead(hub, support):
        pass
    assert len(known(day, "support")) == 100 * PAGES
