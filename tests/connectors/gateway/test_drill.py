"""One call in full, and totals beside ours, as APIPark knows them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.errors import RecordMissing
from connectors.gateway import drill, hours, ledger
from connectors.gateway.entries import Row
from connectors.gateway.fold import Fold
from connectors.gateway.presets import preset
from connectors.gateway.rules import FoldRules
from tests.connectors.gateway.stand_in import Gateway, gateway
from tests.sync.engine.four import launch


@pytest.fixture
def site() -> Iterator[Gateway]:
    with gateway() as made:
        yield made


@pytest.fixture(scope="module")
def row(tmp_path_factory: pytest.TempPathFactory) -> Row:
    """A signature of the ledger: twelve calls of `pay` that failed."""
    folder: Path = tmp_path_factory.mktemp("day")
    day = launch(folder)
    day.failing()
    with day.world.store.read() as conn:
        (found,) = ledger.after(conn, day.world.hub.named("gateway").id, 0, 10)
    day.close()
    return found


def routes(of: str = "pay", calls: int = 12, *, until: datetime) -> list[hours.RouteHour]:
    return [hours.RouteHour(service="checkout", route=of, until=until, calls=calls)]


def begun(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def test_a_call_is_shown_in_full_and_without_what_looks_like_a_secret(site: Gateway) -> None:
    (call,) = site.called("pay", "error", code="card_declined")
    site.clock.passes(20)
    found = drill.call(site.access(), site.ports, "checkout", call)
    assert (found.route, found.status, found.service) == ("pay", 500, "checkout")
    assert "card_declined" in found.response
    assert "4111" not in found.request
    assert "someone@example.com" not in found.request


def test_an_llm_call_names_its_model(site: Gateway) -> None:
    (call,) = site.called("chat")
    site.clock.passes(20)
    found = drill.call(site.access(), site.ports, "assistant", call)
    assert (found.provider, found.model) == ("openai", "gpt-4o-mini")


def test_a_call_that_the_log_lost_says_why(site: Gateway) -> None:
    with pytest.raises(RecordMissing, match="at most 100 lines of ten seconds"):
        drill.call(site.access(), site.ports, "checkout", "none")


def test_the_service_of_a_sample_is_known(row: Row) -> None:
    sample = row.entry.figures.samples[0]
    assert drill.service_of([row], sample.request_id.upper()) == "checkout"
    assert drill.service_of([row], "another") is None


def test_what_the_log_did_not_bring_is_counted(site: Gateway) -> None:
    site.called("pay", "error", times=12)
    site.called("pay", times=3)
    site.called("cart", times=7)
    until = begun(site.clock.now() + timedelta(minutes=1))
    (found,) = drill.compare(site.access(), site.ports, routes(until=until))
    assert (found.service, found.route, found.folded, found.counted) == ("checkout", "pay", 12, 15)
    assert (found.missing, found.failed) == (3, 12)


def test_only_that_hour_is_compared(site: Gateway) -> None:
    until = begun(site.clock.now())
    elapsed = (site.clock.now() - until).total_seconds()
    site.called("pay", times=5, ago=elapsed + 3601)
    site.called("pay", times=2, ago=elapsed + 3599)
    site.called("pay", times=2, ago=elapsed + 1)
    site.called("pay", times=4)
    (found,) = drill.compare(site.access(), site.ports, routes(until=until))
    assert found.counted == 4


def line(second: float, **more: object) -> bytes:
    call = {"msec": round(second * 1000), "status": 200, "request_method": "GET", "provider": "shop", "api": "pay"}
    return json.dumps(call | {"handler": "proxy"} | more).encode()


def test_the_minute_that_is_still_being_counted_is_not_compared() -> None:
    begin = 1_772_409_600.0  # a whole minute
    fold = Fold(FoldRules(), preset("apinto"))
    times = (begin - 3_601, begin - 3_599, begin - 1, begin, begin + 5)
    fold.take(b"\n".join(line(each) for each in times))
    fold.take(line(begin - 30, request_method="POST"))
    (found,) = hours.of(fold.changed())
    assert (found.service, found.route, found.calls) == ("shop", "pay", 3)
    assert found.until.timestamp() == begin


def test_a_gateway_that_has_caught_up_has_counted_its_last_minute() -> None:
    begin = 1_772_409_600.0
    fold = Fold(FoldRules(lateness_minutes=1), preset("apinto"))
    fold.take(line(begin))
    fold.tick(datetime.fromtimestamp(begin + 180, UTC), caught_up=True)
    assert [one.calls for one in hours.of(fold.changed())] == [1]


def test_the_busiest_routes_come_first_and_what_has_no_id_is_left_out() -> None:
    begin = 1_772_409_600.0
    fold = Fold(FoldRules(), preset("apinto"))
    fold.take(b"\n".join([line(begin), *(line(begin, api="cart") for _ in range(2)), line(begin, api="", uri="/x/1")]))
    fold.take(line(begin + 60))
    assert [one.route for one in hours.of(fold.changed())] == ["cart", "pay"]
    assert hours.of(()) == ()
