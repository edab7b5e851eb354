"""Settings that work: which place wins, what is read from where, and what is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.load import load, value_of
from config.problems import SettingsErrors
from config.sources import Kind
from connectors.jira.settings import JiraSettings
from connectors.zendesk.settings import ZendeskSettings
from sync.model import Role
from tests.config.files import GOOD, Place

TOKEN = "HYPERCARE_CONNECTIONS__ENGINEERING__AUTH__API_TOKEN"


def token_of(place: Place, environ: dict[str, str] | None = None) -> str:
    settings = place.load(environ).connections["engineering"]
    assert isinstance(settings, JiraSettings)
    return str(settings.auth.api_token.get_secret_value())  # type: ignore[union-attr]


def test_a_connection_is_an_instance_of_its_connectors_settings(place: Place) -> None:
    loaded = place.load()
    assert isinstance(loaded.connections["support"], ZendeskSettings)
    assert loaded.connections["support"].role is Role.HELPDESK
    assert loaded.connections["engineering"].role is Role.TRACKER
    assert loaded.connector("engineering").name == "jira"
    assert loaded.systems == {"support": "zendesk", "engineering": "jira"}


def test_paths_are_relative_to_the_folder_of_the_file(place: Place) -> None:
    loaded = place.load()
    assert loaded.database == place.folder / "var" / "hypercare.db"
    assert loaded.mappings_dir == place.folder / "mappings"
    place.write(GOOD + "database: ../elsewhere/hub.db\n")
    assert place.load().database == place.folder / "elsewhere" / "hub.db"


def test_a_flag_beats_the_environment_which_beats_the_file(place: Place) -> None:
    place.write(GOOD + "web: {port: 1}\n")
    environ = {"HYPERCARE_WEB__PORT": "2"}
    assert place.load().settings.web.port == 1
    assert place.load(environ).settings.web.port == 2
    assert place.load(environ, web__port="3").settings.web.port == 3


def test_a_secret_file_beats_the_file_and_is_beaten_by_the_environment(place: Place) -> None:
    place.secret("token", "from the secret file\n")
    place.write(GOOD.replace("api_token: CANARY-jira", "api_token: in the file\n      api_token_file: ../token"))
    assert token_of(place) == "from the secret file"
    assert token_of(place, {TOKEN: "from the environment"}) == "from the environment"


def test_the_environment_may_name_a_secret_file(place: Place) -> None:
    path = place.secret("token", "from the secret file")
    assert token_of(place, {f"{TOKEN}_FILE": str(path)}) == "from the secret file"


@pytest.mark.parametrize(
    ("content", "secret"), [("abc\n", "abc"), ("abc\r\n", "abc"), (" a c ", " a c "), ("a\n\n", "a\n")]
)
def test_one_line_end_of_a_secret_file_is_no_part_of_the_secret(place: Place, content: str, secret: str) -> None:
    place.secret("token", "")
    (place.folder / "token").write_bytes(content.encode())
    place.write(GOOD.replace("api_token: CANARY-jira", "api_token_file: ../token"))
    assert token_of(place) == secret


def test_a_connections_name_is_found_in_a_variable_whatever_its_capitals_and_hyphens(place: Place) -> None:
    place.write(GOOD.replace("engineering:", "dev-team:"))
    loaded = place.load({"HYPERCARE_CONNECTIONS__DEV_TEAM__POLL_SECONDS": "7"})
    assert loaded.connections["dev-team"].poll_seconds == 7


def test_lists_are_written_with_commas_in_a_variable(place: Place) -> None:
    settings = place.load({"HYPERCARE_CONNECTIONS__ENGINEERING__PROJECTS": "SHOP, APP"}).connections["engineering"]
    assert isinstance(settings, JiraSettings)
    assert settings.projects == ("SHOP", "APP")


def test_a_connection_may_come_from_the_environment_alone(place: Place) -> None:
    place.write("connections: {}\n")
    start = "HYPERCARE_CONNECTIONS__HELP__"
    values = {"SYSTEM": "zendesk", "SUBDOMAIN": "acme", "CLIENT_ID": "hub", "CLIENT_SECRET": "secret"}
    loaded = place.load({start + name: value for name, value in values.items()})
    assert loaded.systems == {"help": "zendesk"}


def test_sources_name_the_flag_the_variable_the_secret_file_and_the_line(place: Place) -> None:
    path = place.secret("token", "x")
    place.write(GOOD.replace("api_token: CANARY-jira", "api_token_file: ../token"))
    found = place.load({"HYPERCARE_LOG__LEVEL": "debug"}, web__port="0").sources
    assert str(found["web.port"]) == "flag --port"
    assert str(found["log.level"]) == "environment HYPERCARE_LOG__LEVEL"
    assert str(found["connections.engineering.auth.api_token"]) == f"secret file {path}"
    assert str(found["connections.support.subdomain"]) == f"file {place.file}:4:16"
    assert found["connections.support.poll_seconds"].kind is Kind.DEFAULT
    assert "connections.engineering.auth.username" not in found


def test_secrets_are_shown_by_nothing(place: Place) -> None:
    loaded = place.load({"HYPERCARE_CONNECTIONS__SUPPORT__WEBHOOK_SECRET": "CANARY-hook"})
    shown = [repr(loaded), str(loaded), repr(loaded.settings), loaded.settings.model_dump_json()]
    shown += [value_of(loaded.settings, name) for name in loaded.sources]
    assert not [text for text in shown if "CANARY" in text]
    assert value_of(loaded.settings, "connections.support.client_secret") == "(set)"
    assert sorted(loaded.secrets) == ["CANARY-hook", "CANARY-jira", "CANARY-zendesk"]


def test_the_variable_names_the_file_where_no_flag_does(place: Place) -> None:
    assert load(None, {"HYPERCARE_CONFIG": str(place.file)}, {}).path == place.file


def test_without_a_name_the_default_place_is_looked_at(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    assert load(None, {}, {}).path == Path("config/hypercare.yaml")
    place.file.unlink()
    with pytest.raises(SettingsErrors) as caught:
        load(None, {}, {})
    assert str(caught.value) == (
        "config/hypercare.yaml: there is no such file; make one with `hypercare init DIR`, go into its folder, or name "
        "it with --config FILE or HYPERCARE_CONFIG"
    )
