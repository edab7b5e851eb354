"""Commands beside the running daemon, between stand-ins on real sockets."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from connectors.jira.sandbox import JiraSandbox
from connectors.jira.sandbox import build as build_jira
from connectors.sandbox.server import serve
from connectors.zendesk.sandbox import ZendeskSandbox
from connectors.zendesk.sandbox import build as build_zendesk
from sync.ports import RealRng
from tests.sync.cli.command import COMMAND, Place, environment

PATIENCE = 30.0


class Between(Place):
    """A configuration that leads to two stand-ins."""

    zendesk: ZendeskSandbox
    jira: JiraSandbox
    ahead = 0.0
    """Seconds of Zendesk's clock before ours."""

    def zendesk_time(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def between(tmp_path: Path) -> Generator[Between]:
    place = Between(tmp_path)
    place.zendesk = build_zendesk(place.zendesk_time, RealRng(), settings={"export_hides": 0.0, "subdomain": "acme"})
    place.jira = build_jira(time.time, RealRng())
    with ExitStack() as stack:
        desk = stack.enter_context(serve(place.zendesk, time_source=place.zendesk_time))
        site = stack.enter_context(serve(place.jira))
        place.point_at(zendesk=desk.url, jira=site.url)
        yield place


@contextmanager
def daemon(place: Place) -> Generator[subprocess.Popen[bytes]]:
    """The daemon as a process; it is asked to stop at the end."""
    log = place.folder / "log.txt"
    with log.open("wb") as file:
        process = subprocess.Popen([COMMAND, "run"], cwd=place.folder, env=environment(), stderr=file)
    try:
        until(lambda: '"event":"started"' in log.read_text(), process)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0, log.read_text()


def until(is_so: Callable[[], bool], process: subprocess.Popen[bytes] | None = None) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert process is None or process.poll() is None, "the daemon has ended"
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


def test_the_daemon_carries_out_what_the_command_line_asks_and_answers(between: Between) -> None:
    between.zendesk.act({"act": "create", "subject": "Checkout fails"})
    between.jira.act({"act": "create", "summary": "Checkout fails"})
    with daemon(between):
        assert between.run("start", "support").out == "support is live: it is written to from now on\n"
        assert between.run("start", "support").out.startswith("support is live already, since ")
        found = between.run("start", "tracker", "--json")
        assert found.json["ok"] is True
        until(lambda: [one["records"] for one in between.run("status", "--json").json["connections"]] == [1, 1])
        assert between.run("status").out.startswith("daemon: process ")
        assert between.run("link", "support:1", "OPS-1").out == "both belong to hc-1\n"
        between.jira.act({"act": "add_label", "issue": "OPS-1", "label": "launch"})
        until(lambda: "launch" in between.zendesk.state()["records"][0]["tags"])
        until(lambda: between.run("explain", "OPS-1", "--json").json["settled"])
        refused = between.run("link", "support:1", "support:1")
        assert (refused.code, refused.err) == (1, "support:1 and support:1 are the same record\n")
        assert between.run("import", "tracker", "--since", "2026-01-01").out.endswith("tracker: 1 records were read\n")
        assert between.run("connections", "rename", "support", "desk").code == 75
        assert between.run("backup", "copy.db").code == 0
    assert between.run("status").out.startswith("daemon: not running\n")


def test_check_online_proves_the_credentials_and_says_how_to_make_webhooks(between: Between) -> None:
    found = between.run("check", "--online", HYPERCARE_WEB__PUBLIC_URL="https://hub.example.com")
    assert found.code == 0, found.out
    assert "info: support: signed in to acme as " in found.out
    assert "https://hub.example.com/hooks/tracker, with a long random secret" in found.out
    wrong = between.run("check", "--online", HYPERCARE_CONNECTIONS__TRACKER__AUTH__API_TOKEN="wrong-token")
    assert wrong.code == 1
    assert "error: tracker: " in wrong.out
    assert "wrong-token" not in wrong.out + wrong.err


def test_check_online_says_what_is_unreachable(between: Between) -> None:
    found = between.run("check", "--online", HYPERCARE_CONNECTIONS__SUPPORT__BASE_URL="http://127.0.0.1:9")
    assert found.code == 1
    (line,) = [line for line in found.out.splitlines() if line.startswith("error: support: ")]
    assert "127.0.0.1:9" in line


def test_import_without_a_daemon_reads_everything_and_ends(between: Between) -> None:
    between.ahead = -100.0  # what was written in this very second is not in Zendesk's export yet
    for number in range(3):
        between.zendesk.act({"act": "create", "subject": f"Ticket {number}"})
    between.ahead = 0.0
    found = between.run("import", "support")
    assert (found.code, found.err) == (0, "")
    assert found.out == "support: 3 records were read\n"
    (desk, _) = between.run("status", "--json").json["connections"]
    assert (desk["mode"], desk["records"], desk["import_"]["finished_at"] is not None) == ("observe", 3, True)
    again = between.run("import", "support")
    assert again.out == "support: 3 records were read\n"
    between.run("start", "support")
    between.run("pause", "support")
    assert between.run("import", "support").err == "support is paused: `hypercare start support` first\n"


def test_import_of_a_system_that_refuses_the_credentials_says_why(between: Between) -> None:
    found = between.run("import", "tracker", HYPERCARE_CONNECTIONS__TRACKER__AUTH__API_TOKEN="wrong-token")
    assert found.code == 1
    assert found.err.startswith("tracker cannot be read: ")
    assert "does not answer" not in found.err


@pytest.mark.parametrize("system", ["jira", "zendesk", "sentry", "gateway"])
def test_a_stand_in_prints_settings_that_work(place: Place, system: str) -> None:
    process = subprocess.Popen(
        [COMMAND, "sandbox", system], stdout=subprocess.PIPE, text=True, env=environment(), cwd=place.folder
    )
    assert process.stdout is not None
    lines: list[str] = []
    try:
        while not (lines and lines[-1].startswith("What happens in it:")):
            lines.append(process.stdout.readline())
            assert lines[-1], lines
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        process.stdout.close()
    start = lines.index("connections:\n")
    place.file.write_text("".join(lines[start:-2]))
    found = place.run("check")
    assert found.code == 0, found.err
