"""The folder of a demo is a configuration like any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.load import load
from config.mappings import load_mappings
from connectors.jira.settings import JiraSettings
from sync.demo import place
from sync.demo.daemon import Daemon, DaemonError
from sync.demo.place import MARKER, Secrets

SECRETS = Secrets(
    zendesk_client="client-secret",
    zendesk_webhook="hook-one",
    jira_token="token",
    jira_webhook="two",
    sentry_token="three",
    sentry_webhook="four",
    apipark_password="five",
)


def made(folder: Path) -> place.Place:
    urls = {"support": 8101, "tracker": 8102, "errors": 8103, "gateway": 8104}
    return place.make(
        folder,
        urls={name: f"http://127.0.0.1:{port}" for name, port in urls.items()},
        port=20001,
        secrets=SECRETS,
    )


def test_its_settings_and_mappings_are_without_fault(tmp_path: Path) -> None:
    loaded = load(made(tmp_path / "a demo").settings, environ={})
    assert list(loaded.connections) == ["support", "tracker", "errors", "gateway"]
    assert loaded.connections["support"].webhook_secrets == ("hook-one",)
    assert loaded.settings.web.port == 20001
    assert loaded.database == made(tmp_path / "a demo").database
    assert [route.name for route in load_mappings(loaded).routes] == ["launch bugs"]


def test_the_mark_it_looks_for_is_the_one_that_the_hub_leaves(tmp_path: Path) -> None:
    tracker = load(made(tmp_path / "demo").settings, environ={}).connections["tracker"]
    assert isinstance(tracker, JiraSettings)
    assert tracker.marker_property == MARKER


def test_a_command_that_takes_too_long_is_named_and_is_no_defect_of_ours(tmp_path: Path) -> None:
    daemon = Daemon(made(tmp_path / "demo"), patience=0.001)
    with pytest.raises(DaemonError, match=r"`hypercare proposals` took more than 0\.001 s: it said nothing"):
        daemon.command("proposals")


def test_its_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    made(tmp_path / "demo")
    files = list((tmp_path / "demo" / "var" / "secrets").iterdir())
    assert len(files) == 7
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
