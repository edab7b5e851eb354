"""`hypercare signatures`: listed beside a daemon that follows the log, and acted on through it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.gateway.sandbox import build as build_gateway
from connectors.sandbox.server import serve
from sync.ports import RealRng
from tests.sync.cli.command import Place
from tests.sync.cli.test_gateway import SETTINGS, Shop
from tests.sync.cli.test_with_daemon import daemon, until


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    place = Shop(tmp_path)
    place.park = build_gateway(time.time, RealRng(), time_factor=100.0)
    place.park.act({"act": "output", "dir": str(tmp_path / "logs")})
    with serve(place.park) as running:
        log = tmp_path / "logs" / "access.log"
        place.file.write_text(SETTINGS.format(url=running.url, log=log), encoding="utf-8")
        yield place


def states(place: Place) -> list[str]:
    return [one["state"]["state"] for one in place.run("signatures", "--all", "--json").json]


def test_a_signature_is_listed_muted_reopened_and_resolved(shop: Shop) -> None:
    shop.park.act({"act": "call", "route": "pay", "kind": "error", "times": 12, "code": "card_declined"})
    with daemon(shop) as process:
        until(lambda: states(shop) == ["open"], process)
        listed = shop.run("signatures").out
        key = next(word for word in listed.split() if word.startswith("GW-"))
        assert "upstream_5xx: card_declined" in listed
        assert shop.run("signatures", "mute", key, "--count", "500").out == (
            f"{key} is muted until 500 more calls within one hour\n"
        )
        assert states(shop) == ["muted"]
        assert shop.run("signatures", "reopen", key).out == f"{key} is open\n"
        assert shop.run("signatures", "resolve", key, "--fixed-in", "2.1").out == f"{key} is resolved\n"
        assert shop.run("signatures").out == "no signature is open\n"
        assert "resolved" in shop.run("signatures", "--all").out
    refused = shop.run("signatures", "resolve", "GW-ffffffffff")
    assert (refused.code, refused.err) == (1, "no signature begins with ffffffffff\n")
