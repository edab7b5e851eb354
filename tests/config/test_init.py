"""A new configuration."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from config.init import make, next_steps
from config.load import load
from config.mappings import load_mappings
from config.problems import SettingsErrors


def test_it_makes_settings_mappings_and_a_private_data_folder(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "hub"
    made = make(folder)
    assert made.kept == ()
    assert [str(path.relative_to(folder)) for path in made.made] == [
        "config/hypercare.yaml",
        "mappings/gateway.yaml",
        "mappings/jira.yaml",
        "mappings/mapping.schema.json",
        "mappings/people.schema.json",
        "mappings/routes.schema.json",
        "mappings/routes.yaml",
        "mappings/rules.schema.json",
        "mappings/rules.yaml",
        "mappings/sentry.yaml",
        "mappings/zendesk.yaml",
        "var",
        "var/secrets",
    ]
    for private in ("var", "var/secrets"):
        assert stat.S_IMODE((folder / private).stat().st_mode) == 0o700


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    make(tmp_path)
    mine = tmp_path / "mappings" / "routes.yaml"
    mine.write_text("routes: []\n")
    (tmp_path / "mappings" / "rules.yaml").unlink()
    again = make(tmp_path)
    assert again.made == (tmp_path / "mappings" / "rules.yaml",)
    assert mine.read_text() == "routes: []\n"


def test_what_it_wrote_is_complete_but_for_the_accounts_and_the_secrets(tmp_path: Path) -> None:
    make(tmp_path)
    file = tmp_path / "config" / "hypercare.yaml"
    for name in ("zendesk-client-secret", "jira-api-token"):
        path = tmp_path / "var" / "secrets" / name
        path.touch(0o600)
        path.write_text("secret")
    with pytest.raises(SettingsErrors) as caught:
        load(file, {}, {})
    assert len(caught.value.problems) == 3
    text = file.read_text().replace("CHANGE-ME", "acme").replace("CHANGEME", "SHOP")
    file.write_text(text)
    loaded = load(file, {}, {})
    assert loaded.systems == {"support": "zendesk", "engineering": "jira"}
    assert load_mappings(loaded).for_connection("support", "zendesk").system == "zendesk"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(SettingsErrors) as caught:
        make(blocked)
    assert str(caught.value) == (
        f"{blocked}/config/hypercare.yaml: cannot be made (Not a directory); choose a folder that you may write to"
    )


def test_the_next_steps_are_three() -> None:
    assert len(next_steps(Path("hub"))) == 3
