"""What `hypercare sandbox` prints beside the settings fits a daemon with the settings as shipped."""

from __future__ import annotations

from config.settings import WebSection
from sync.cli.sandboxes import HINTS


def test_the_gateways_hint_names_the_port_that_a_daemon_listens_on() -> None:
    port = WebSection().port
    assert any(f"http://127.0.0.1:{port}/feeds/gateway" in line for line in HINTS["gateway"])
