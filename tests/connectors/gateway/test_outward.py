"""Write-back beside the hub: a service shows what is open of it, and its issue, as long as it is so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Level, Ports
from connectors.gateway import ledger
from connectors.gateway.interfaces import WriteBack
from connectors.gateway.outward import LOOK_AGAIN, clear
from connectors.gateway.settings import GatewaySettings
from connectors.sandbox.faults import FaultKind, FaultRule
from sync.simulation.virtual import InProcessWeb
from tests.sync.engine.four import Four, launch

URL = "http://127.0.0.1:8104"
ACCESS = {"url": URL, "name": "hub", "password": "hub-password", "time_zone": "Asia/Shanghai"}
Make = Callable[..., Four]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes a day whose gateway is written to, and closes it after the test."""
    made: list[Four] = []

    def build(mode: str = "apipark", **more: Any) -> Four:
        reached = {"apipark": ACCESS, "apinto": {"url": URL}, "kong": {"url": URL}}
        made.append(launch(tmp_path, of_gateway={"write_back": mode, **reached, **more}))
        made[-1].quiet()
        return made[-1]

    yield build
    for day in made:
        day.close()


@pytest.fixture
def day(make: Make) -> Four:
    return make()


def tags(day: Four, service: str = "checkout") -> list[str]:
    return list(next(one["tags"] for one in day.gateway.state()["services"] if one["id"] == service))


def told(day: Four, event: str) -> list[dict[str, Any]]:
    return [facts for name, facts in day.world.events if name == event]


def linked(day: Four) -> str:
    """A signature that has an issue: the issue's key."""
    day.failing()
    issue = day.known_issue()
    (key,) = day.signatures()
    assert day.ask("link", one=f"gateway:{key}", two=f"tracker:{issue}")[0]
    return issue


def test_a_service_shows_how_many_signatures_are_open(day: Four) -> None:
    assert tags(day) == ["shop"]
    day.failing()
    assert tags(day) == ["shop", "fb:open-1"]
    day.failing(route="cart")
    assert tags(day) == ["shop", "fb:open-2"]
    assert tags(day, "accounts") == []
    assert [facts["tags"] for facts in told(day, "annotated")] == ["fb:open-1", "fb:open-2"]


def test_it_names_the_issue_and_shows_nothing_once_that_is_done(day: Four) -> None:
    issue = linked(day)
    assert tags(day) == ["shop", f"fb:jira-{issue}", "fb:open-1"]
    for to in ("In Progress", "Done"):
        day.sides["tracker"].act({"act": "transition", "issue": issue, "to": to})
        day.quiet()
    assert tags(day) == ["shop"]


@pytest.mark.parametrize("mode", [WriteBack.APINTO_HASH, WriteBack.APINTO_LABELS, WriteBack.KONG])
def test_the_other_places_show_it_too(make: Make, mode: WriteBack) -> None:
    day = make(mode.value)
    day.failing()
    state = day.gateway.state()
    if mode is WriteBack.KONG:
        assert state["kong"] == {"services/checkout": ["fb:open-1", "shop"]}
    else:
        assert state["hashes"] == {"feedback:pay": {"tags": "fb:open-1"}}
        labels = {one["id"]: one["labels"] for one in state["routers"]}
        assert labels["pay"].get("feedback") == ("fb:open-1" if mode is WriteBack.APINTO_LABELS else None)


def test_off_asks_nothing(make: Make) -> None:
    day = make("off")
    day.failing()
    assert tags(day) == ["shop"]
    assert day.world.hub.named("gateway").annotator is None
    assert day.gateway.state()["writes"] == {}


def test_one_turn_writes_at_most_once_and_nothing_when_all_is_shown(day: Four) -> None:
    day.failing()
    assert day.gateway.state()["writes"] == {"service.update": 1}
    day.quiet()
    assert day.gateway.state()["writes"] == {"service.update": 1}


def test_what_somebody_takes_away_is_shown_again_after_a_while(day: Four) -> None:
    day.failing()
    day.gateway.act({"act": "service", "service": "checkout", "tags": ["shop", "mine"]})
    day.quiet()
    assert tags(day) == ["shop", "mine"]
    day.quiet(LOOK_AGAIN)
    assert tags(day) == ["shop", "mine", "fb:open-1"]


def test_what_a_former_process_showed_is_known_after_a_restart(day: Four) -> None:
    issue = linked(day)
    day.restart()
    writes = day.gateway.state()["writes"]
    day.quiet()
    assert day.gateway.state()["writes"] == writes
    for to in ("In Progress", "Done"):
        day.sides["tracker"].act({"act": "transition", "issue": issue, "to": to})
        day.quiet()
    assert tags(day) == ["shop"]


def test_a_connection_that_only_observes_writes_nothing(make: Make) -> None:
    day = make()
    assert day.world.command("pause", connection="gateway").ok
    day.failing()
    assert tags(day) == ["shop"]


def test_refused_credentials_hold_the_connection_until_its_check_passes(day: Four) -> None:
    day.gateway.act({"act": "password", "password": "other"})
    day.gateway.act({"act": "expire"})
    day.failing()
    assert tags(day) == ["shop"]
    (held,) = told(day, "connection_held")
    assert held["reason"] == "auth_rejected"
    assert "refuses the account hub" in held["why"]
    assert "hub-password" not in str(held)
    day.gateway.act({"act": "password", "password": "hub-password"})
    day.quiet(1000)
    day.quiet()
    assert tags(day) == ["shop", "fb:open-1"]


def test_refused_credentials_that_only_look_up_calls_hold_nothing(make: Make) -> None:
    day = make("off", apipark={**ACCESS, "password": "wrong"})
    assert told(day, "connection_held") == []
    day.failing()
    issue = day.known_issue()
    (key,) = day.signatures()
    assert day.ask("link", one=f"gateway:{key}", two=f"tracker:{issue}")[0]
    of = day.world.hub.named("gateway")
    with day.world.store.read() as conn:
        (row,) = ledger.every(conn, of.id)
    assert [link.id for link in row.entry.links] != []  # the ledger was written
    remote = of.remote()
    (said,) = [one for one in remote.check().findings if "refuses the account" in one.what]
    assert (said.level, said.do) == (Level.WARNING, "correct `apipark`: until then it cannot look up calls")


def test_an_outage_is_told_once_waited_out_and_told_again_when_over(day: Four) -> None:
    day.gateway.change_settings({"data_plane_up": False})
    day.failing()
    for _each in range(3):
        day.quiet()
    assert tags(day) == ["shop"]
    (failed,) = told(day, "annotations_failed")
    assert "cannot reach its data plane" in failed["why"]
    assert told(day, "connection_down") == []
    day.gateway.change_settings({"data_plane_up": True})
    day.quiet(600)
    assert tags(day) == ["shop", "fb:open-1"]
    assert len(told(day, "annotations_back")) == 1


def test_a_service_that_the_gateway_does_not_know_stops_nobody_else(day: Four) -> None:
    day.gateway.act({"act": "call", "route": "login", "kind": "error", "times": 12, "set": {"service": "abroad"}})
    day.failing()
    assert tags(day) == ["shop", "fb:open-1"]
    assert told(day, "annotations_failed") == []


def test_clearing_takes_ours_away_and_nothing_else(day: Four) -> None:
    day.failing()
    connected = day.world.hub.named("gateway")
    with day.world.store.read() as conn:
        rows = ledger.after(conn, connected.id, 0, 10)
    settings = GatewaySettings.model_validate(
        {"console_url": URL, "log_files": ["/var/log/x"], "write_back": "apipark", "apipark": ACCESS}
    )
    ports = Ports(
        clock=day.world.clock, rng=day.world.rng, meter=lambda _reading: None, transport=InProcessWeb(day.gateway)
    )
    assert clear(settings, ports, rows) == 1
    assert tags(day) == ["shop"]
    assert clear(settings, ports, rows) == 0


def test_check_signs_in_to_apipark_and_says_so(day: Four) -> None:
    remote = day.world.hub.named("gateway").remote()
    assert "APIPark knows the account hub: 3 services" in [finding.what for finding in remote.check().findings]


def test_an_apipark_that_is_away_is_a_warning_of_check(day: Four) -> None:
    day.gateway.control.faults.add(FaultRule(kind=FaultKind.SERVER_ERROR, operation="services"))
    found = day.world.hub.named("gateway").remote().check().findings
    (away,) = [finding for finding in found if finding.what.startswith("APIPark does not answer")]
    assert away.do == "until then it cannot show open signatures"
