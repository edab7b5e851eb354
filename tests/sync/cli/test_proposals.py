"""`hypercare proposals` beside a running daemon that follows a gateway's log and a helpdesk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from connectors.gateway.sandbox import build as build_gateway
from connectors.sandbox.server import serve
from connectors.zendesk.sandbox import ZendeskSandbox
from connectors.zendesk.sandbox import build as build_zendesk
from sync.ports import RealRng
from tests.sync.cli.command import Place
from tests.sync.cli.test_with_daemon import daemon, until

SETTINGS = """\
connections:
  support:
    system: zendesk
    subdomain: acme
    base_url: {zendesk}
    client_id: hypercare
    client_secret: sandbox-client-secret
    poll_seconds: 0.5
  gateway:
    system: gateway
    console_url: https://apipark.example.com
    log_files: [{log}]
    poll_seconds: 0.5
web: {{port: 0}}
"""


class Shop(Place):
    """A configuration that leads to a helpdesk and a gateway's log."""

    zendesk: ZendeskSandbox
    calls: list[str]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    place = Shop(tmp_path)
    park = build_gateway(time.time, RealRng())
    park.act({"act": "output", "dir": str(tmp_path / "logs")})
    place.calls = park.act({"act": "call", "route": "pay", "kind": "error", "times": 12, "set": {"millis": 50}})["ids"]
    place.zendesk = build_zendesk(time.time, RealRng(), settings={"export_hides": 0.0, "subdomain": "acme"})
    with ExitStack() as stack:
        desk = stack.enter_context(serve(place.zendesk))
        place.file.write_text(SETTINGS.format(zendesk=desk.url, log=tmp_path / "logs" / "access.log"), encoding="utf-8")
        yield place


def test_a_proposal_is_listed_and_answered(shop: Shop) -> None:
    with daemon(shop) as process:
        for call in shop.calls:  # some of them are samples
            shop.zendesk.act({"act": "create", "subject": "Checkout broken", "body": f"request id {call}"})
        until(lambda: len(shop.run("proposals", "--json").json) > 0, process)
        until(lambda: "support" in shop.run("status").out, process)
        found = shop.run("proposals", "--json").json
        listed = shop.run("proposals").out
        assert "both name the request" in listed
        assert "`hypercare proposals accept ID`" in listed
        assert "`hypercare proposals` lists them" in shop.run("status").out
        refused = shop.run("proposals", "accept", "99")
        assert (refused.code, refused.err) == (1, "there is no proposal 99; `hypercare proposals` lists them\n")
        accepted = shop.run("proposals", "accept", str(found[0]["id"]))
        assert accepted.out == "both belong to hc-1\n", accepted.err
        explained = shop.run("explain", "hc-1")
        assert explained.out.count("a member by: proposal") == 2
        again = shop.run("proposals", "refuse", str(found[0]["id"]))
        assert again.err.startswith(f"proposal {found[0]['id']} was accepted already")
        assert "accepted by" in shop.run("proposals", "list", "--all").out


def test_without_proposals_it_says_so(place: Place) -> None:
    with daemon(place):
        pass
    assert place.run("proposals", "list").out == "nothing is proposed\n"
