"""`mappings diff`: exit codes as of diff, a page, and JSON."""

from __future__ import annotations

import shutil

import pytest

from tests.sync.cli.command import Place


@pytest.fixture
def two(place: Place) -> Place:
    """The mappings folder, and a copy of it called `new`."""
    shutil.copytree(place.folder / "mappings", place.folder / "new")
    return place


def edit(place: Place, old: str, new: str) -> None:
    path = place.folder / "new" / "jira.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_the_same_files_end_with_0(two: Place) -> None:
    edit(two, "# Jira: what", "# Ours: what")
    shown = two.run("mappings", "diff", "mappings", "new")
    assert (shown.code, shown.out) == (0, "nothing that the hub does changes\n")
    assert two.run("mappings", "diff", "mappings", "new", "--json").json == {"same": True, "differences": []}


def test_differing_files_end_with_1_and_say_what_differs(two: Place) -> None:
    edit(two, "In Review: in_progress", "In Review: waiting")
    for ways in (("mappings", "new"), ("mappings/jira.yaml", "new/jira.yaml"), ("mappings", "new/jira.yaml")):
        shown = two.run("mappings", "diff", *ways)
        assert shown.code == 1
        assert "    ~ status `In Review` means waiting instead of in_progress\n" in shown.out
        assert "1 difference;" in shown.out
        assert shown.err == ""
    (one,) = two.run("mappings", "diff", "mappings", "new", "--json").json["differences"]
    assert (one["about"], one["group"], one["path"]) == ("jira", "status", "fields.status.values.In Review")
    assert (one["old"], one["new"]) == ("in_progress", "waiting")
    backwards = two.run("mappings", "diff", "new/jira.yaml", "mappings")
    assert "means in_progress instead of waiting" in backwards.out


def test_a_wrong_file_ends_with_2(two: Place) -> None:
    edit(two, "In Review: in_progress", "In Review: in_progres")
    shown = two.run("mappings", "diff", "mappings", "new")
    assert shown.code == 2
    assert "did you mean `in_progress`?" in shown.err
    missing = two.run("mappings", "diff", "mappings", "newer")
    assert missing.code == 2
    assert "newer: cannot be read" in missing.err
