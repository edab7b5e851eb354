"""`hypercare gateway`: what APIPark knows of the calls behind a signature, beside a daemon that follows the log."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from connectors.gateway.sandbox import GatewaySandbox
from connectors.gateway.sandbox import build as build_gateway
from connectors.sandbox.server import serve
from sync.ports import RealRng
from tests.sync.cli.command import Place
from tests.sync.cli.test_with_daemon import daemon, until

SETTINGS = """\
connections:
  gateway:
    system: gateway
    console_url: {url}
    log_files: [{log}]
    apipark: {{url: {url}, name: hub, password: hub-password, time_zone: Asia/Shanghai}}
    poll_seconds: 0.5
web: {{port: 0}}
"""


class Shop(Place):
    """A configuration that leads to an APIPark and its log."""

    park: GatewaySandbox
    calls: list[str]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    place = Shop(tmp_path)
    place.park = build_gateway(time.time, RealRng(), time_factor=100.0)
    place.park.act({"act": "output", "dir": str(tmp_path / "logs")})
    with serve(place.park) as running:
        log = tmp_path / "logs" / "access.log"
        place.file.write_text(SETTINGS.format(url=running.url, log=log), encoding="utf-8")
        yield place


def test_a_sample_is_looked_up_and_totals_are_compared(shop: Shop) -> None:
    failing = {"act": "call", "route": "pay", "kind": "error", "code": "card_declined"}
    shop.park.act({**failing, "times": 12, "ago": 61})
    calls = shop.park.act({**failing, "times": 5})["ids"]  # in the minute that is still being counted
    with daemon(shop) as process:
        until(lambda: _compared(shop) == 1, process)
        until(lambda: bool(_samples(shop, calls)), process)
        (sample, *_) = _samples(shop, calls)
        until(lambda: shop.run("gateway", "call", "gateway", sample).code == 0, process)
    shown = shop.run("gateway", "call", "gateway", sample).out
    assert shown.startswith(f"{sample}: checkout, pay, 500 at 20")
    assert "card_declined" in shown
    assert "4111" not in shown
    assert shop.run("gateway", "call", "gateway", sample, "--json").json["route"] == "pay"
    (compared,) = shop.run("gateway", "compare", "gateway", "--json").json
    assert (compared["folded"], compared["counted"], compared["failed"]) == (12, 12, 12)
    unknown = shop.run("gateway", "call", "gateway", "none")
    assert unknown.err == "no signature of gateway has none as a sample; say --service SERVICE\n"
    lost = shop.run("gateway", "call", "gateway", "none", "--service", "checkout")
    assert (lost.code, lost.err[:32]) == (1, "APIPark's log has no call none o")


def _compared(shop: Shop) -> int:
    found = shop.run("gateway", "compare", "gateway", "--json")
    return len(found.json) if found.code == 0 else 0


def _samples(shop: Shop, calls: list[str]) -> list[str]:
    found = shop.run("signatures", "--json")
    known = (
        [sample["request_id"] for one in found.json for sample in one["figures"]["samples"]] if not found.code else []
    )
    return [one for one in calls if one in known]


def test_what_cannot_be_asked_says_what_to_do(place: Place) -> None:
    assert place.run("gateway", "call", "support", "x").err == "support is no gateway\n"
    assert "there is no connection `gate`" in place.run("gateway", "compare", "gate").err
    place.file.write_text(
        "connections:\n  gateway:\n    system: gateway\n    console_url: https://apipark.example.com\n"
        "    log_files: [/var/log/apinto/access.log]\n"
    )
    assert "set `apipark`" in place.run("gateway", "compare", "gateway").err
    assert "`write_back` is off" in place.run("gateway", "clear", "gateway").err


RECEIVING = """\
connections:
  gateway:
    system: gateway
    console_url: {url}
    preset: {preset}
    receiver_token: sandbox-receiver-token
    apipark: {{url: {url}, name: hub, password: hub-password, time_zone: Asia/Shanghai}}
    poll_seconds: 0.5
web: {{port: 0}}
"""


@pytest.mark.parametrize("preset", ["apinto", "apipark"])
def test_every_posted_entry_is_taken_and_folded(tmp_path: Path, preset: str) -> None:
    place = Place(tmp_path)
    park = build_gateway(time.time, RealRng())
    with serve(park) as running:
        place.file.write_text(RECEIVING.format(url=running.url, preset=preset), encoding="utf-8")
        with daemon(place) as process:
            listening = next(line for line in (tmp_path / "log.txt").read_text().splitlines() if "listening" in line)
            url = json.loads(listening)["url"]
            with running.lock:
                park.act(
                    {
                        "act": "output",
                        "url": f"{url}/feeds/gateway",
                        "headers": {"Authorization": "Bearer sandbox-receiver-token"},
                        "formatter": "hub" if preset == "apinto" else preset,
                    }
                )
                park.act({"act": "call", "route": "pay", "kind": "error", "times": 60})
            until(lambda: park.emitter.told["hypercare"].get("accepted") == 60, process)
            until(lambda: 'hypercare_feed{connection="gateway",what="folded"} 60.0' in _metrics(url), process)
        assert park.emitter.told["hypercare"].get("dropped", 0) == 0


def _metrics(url: str) -> str:
    return httpx.get(f"{url}/metrics", trust_env=False).text
