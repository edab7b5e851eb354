"""Reading the mapping files of a configuration."""

from __future__ import annotations

import pytest

from config.init import make
from config.mappings import load_mappings
from config.problems import SettingsErrors
from tests.config.files import Place


def test_a_mistake_in_a_mapping_is_told_with_file_line_and_column(place: Place) -> None:
    make(place.folder)
    routes = place.folder / "mappings" / "routes.yaml"
    routes.write_text("routes:\n  - nmae: x\n    create: {connection: enginering}\n")
    with pytest.raises(SettingsErrors) as caught:
        load_mappings(place.load())
    said = str(caught.value).splitlines()
    assert f"{routes}:2:5: routes[0].nmae: is not a key that is known here; did you mean `name`?" in said


def test_a_connection_without_a_mapping_is_named(place: Place) -> None:
    make(place.folder)
    (place.folder / "mappings" / "jira.yaml").unlink()
    with pytest.raises(SettingsErrors) as caught:
        load_mappings(place.load())
    assert str(caught.value) == (
        f"{place.folder}/mappings: no file has a mapping for the connection `engineering`; add one with `system: jira` "
        "(`hypercare init` copies the shipped ones)"
    )


def test_a_folder_that_is_not_there_is_named(place: Place) -> None:
    with pytest.raises(SettingsErrors) as caught:
        load_mappings(place.load())
    assert str(caught.value) == (
        f"{place.folder}/mappings: cannot be read (No such file or directory); correct `mappings_dir`, or make the "
        "folder with `hypercare init`"
    )
