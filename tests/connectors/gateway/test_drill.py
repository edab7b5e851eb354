"""One call in full, and totals beside ours, as APIPark knows them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from connectors.errors import RecordMissing
from connectors.gateway import drill, ledger
from connectors.gateway.entries import Row
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


def at(row: Row, moment: datetime) -> Row:
    figures = structs.replace(row.entry.figures, at=moment.replace(second=0, microsecond=0))
    return structs.replace(row, entry=structs.replace(row.entry, figures=figures))


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


def test_what_the_log_did_not_bring_is_counted(site: Gateway, row: Row) -> None:
    site.called("pay", "error", times=12)
    site.called("pay", times=3)
    site.called("cart", times=7)
    (found,) = drill.compare(site.access(), site.ports, [at(row, site.clock.now())])
    assert (found.service, found.route, found.folded, found.counted) == ("checkout", "pay", 12, 15)
    assert (found.missing, found.failed) == (3, 12)


def test_only_the_hour_of_the_figures_is_compared(site: Gateway, row: Row) -> None:
    site.called("pay", times=5, ago=3700)
    site.called("pay", times=2, ago=3000)
    now = site.clock.now()
    site.clock.passes(120)
    site.called("pay", times=4)
    (found,) = drill.compare(site.access(), site.ports, [at(row, now)])
    assert found.counted == 2
    assert found.until - now < timedelta(minutes=1)
