"""From lines to the ledger: poisoned lines, a database that fails, aggregates of another version."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import select, update

from connectors.contract import Home
from connectors.gateway.feed import GatewayFeed
from connectors.gateway.judging import LOOK_SECONDS
from connectors.gateway.settings import GatewaySettings
from sync.store.errors import StoreUnavailable
from sync.store.tables import gateway_feeds, gateway_folds
from tests.connectors.gateway.apinto_log import call
from tests.connectors.gateway.test_client import Gateway


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = Gateway(tmp_path)
    yield made
    made.feed.close()
    made.store.close()


def reopened(gateway: Gateway) -> None:
    gateway.feed.close()
    gateway.feed = GatewayFeed(gateway.settings, gateway.ports())


def test_a_poisoned_line_is_counted_and_shown_once_a_minute_and_stops_nothing(gateway: Gateway) -> None:
    events: list[Any] = []
    for _ in range(10):
        with gateway.log.open("a") as file:
            file.write('{"status": "oops", "token": "sk-verysecretkey1234"}\nnonsense\n')
            for _ in range(3):
                gateway.numbers += 1
                file.write(json.dumps(call(gateway.clock.now(), gateway.numbers, 500)) + "\n")
        events += gateway.feed.turn().events
        gateway.clock.advance(1)
    assert gateway.feed.figures()["poisoned"] == 20
    assert gateway.feed.figures()["folded"] == 30
    assert gateway.only().fields["count"] >= 10
    told = [facts for event, facts in events if event == "feed_poisoned"]
    assert len(told) == 1
    assert "verysecret" not in str(told)
    gateway.clock.advance(60)
    with gateway.log.open("a") as file:
        file.write("nonsense\n")
    (last,) = [facts for event, facts in gateway.feed.turn().events if event == "feed_poisoned"]
    assert last["lines"] == 19  # all that was not told meanwhile


def test_an_overlong_line_is_counted_as_poisoned(tmp_path: Path) -> None:
    made = Gateway(tmp_path, longest_line_kb=4)
    with made.log.open("a") as file:
        file.write("{" + "x" * 10_000 + "\n")
    made.calls(3)
    assert made.feed.figures()["overlong"] == 1
    assert made.feed.figures()["folded"] == 3
    made.feed.close()
    made.store.close()


class Failing:
    """A store whose steps fail while it is told so."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.fails = False

    def step(self, fn: Any) -> Any:
        if self.fails:
            raise StoreUnavailable("the disk is full")
        return self._store.step(fn)

    def read(self) -> AbstractContextManager[Any]:
        read: AbstractContextManager[Any] = self._store.read()
        return read


def test_while_the_database_takes_nothing_nothing_is_lost_and_nothing_read_ahead(gateway: Gateway) -> None:
    failing = Failing(gateway.store)
    home = Home(connection_id=1, store=failing)
    gateway.feed.close()
    gateway.feed = GatewayFeed(gateway.settings, structs.replace(gateway.ports(), home=home))
    gateway.calls(5)
    failing.fails = True
    with pytest.raises(StoreUnavailable):
        gateway.calls(20)
    read = gateway.feed.figures()["lines"]
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            gateway.calls(20)
    assert gateway.feed.figures()["lines"] == read
    failing.fails = False
    gateway.calls(1)
    with gateway.store.read() as conn:
        assert conn.execute(select(gateway_feeds.c.lines)).scalar_one() == 86
    assert gateway.feed.figures()["lines"] == 86


def test_lines_that_waited_while_no_turn_was_taken_are_none_of_the_future(gateway: Gateway) -> None:
    gateway.calls(5)
    gateway.clock.advance(3_600)  # a database that takes nothing, a machine that sleeps, a connection that is paused
    gateway.calls(7)
    figures = gateway.feed.figures()
    assert (figures["folded"], figures["poisoned"]) == (12, 0)


def test_a_restart_goes_on_with_all_counts(gateway: Gateway) -> None:
    for _ in range(6):
        gateway.calls(5)
        reopened(gateway)
    gateway.clock.advance(LOOK_SECONDS)
    gateway.calls(5, seconds=301)
    assert gateway.only().fields["count"] == 35


def test_aggregates_of_another_version_begin_anew_and_the_ledger_stays(gateway: Gateway) -> None:
    gateway.calls(20)
    before = gateway.only()
    gateway.store.step(lambda conn: conn.execute(update(gateway_folds).values(kind="from-the-future")))
    reopened(gateway)
    assert [event for event, _ in gateway.feed.turn().events] == ["feed_restarted"]
    assert gateway.only() == before
    gateway.calls(5)
    assert gateway.feed.figures()["lines"] == 5


def test_a_line_that_is_sent_twice_counts_once(gateway: Gateway) -> None:
    line = json.dumps(call(gateway.clock.now(), 1, 500)) + "\n"
    with gateway.log.open("a") as file:
        file.write(line * 50)
    gateway.feed.turn()
    assert gateway.feed.figures()["repeated"] == 49
    assert gateway.remote.page(None, gateway.clock.now()).snapshots == ()


def test_what_was_received_is_folded_after_the_receiver_was_switched_off(gateway: Gateway, tmp_path: Path) -> None:
    home = Home(connection_id=1, store=gateway.store, folder=tmp_path / "feeds")
    ports = structs.replace(gateway.ports(), home=home)
    token = "a-long-random-token-of-ours"
    given = {"console_url": gateway.settings.console_url, "receiver_token": token}
    receiving = GatewayFeed(GatewaySettings.model_validate(given), ports)
    assert receiving.intake is not None
    receiving.intake.keep(json.dumps([call(gateway.clock.now(), number, 500) for number in range(12)]).encode())
    receiving.close()
    gateway.feed.close()
    gateway.feed = GatewayFeed(gateway.settings, ports)
    gateway.feed.turn()
    assert gateway.only().fields["count"] == 12
    assert gateway.feed.intake is None


def test_idle_turns_write_nothing(gateway: Gateway) -> None:
    gateway.calls(20)
    gateway.feed.turn()
    with gateway.store.read() as conn:
        before = conn.execute(select(gateway_feeds.c.moved_at)).scalar_one()
    for _ in range(5):
        gateway.clock.advance(1)
        assert not gateway.feed.turn().changed
    with gateway.store.read() as conn:
        assert conn.execute(select(gateway_feeds.c.moved_at)).scalar_one() == before
