"""Spoilt mapping and settings files: used, or refused with places and reasons; nothing else leaves."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from config.mappings import load_mappings
from config.problems import SettingsErrors
from config.sources import Fault
from sync.mapping.load import MappingErrors, load
from sync.mapping.yaml import Problem
from tests.config.files import Place
from tests.hostile.files import FileTally, run

CASES = 250


def test_a_spoilt_file_is_used_or_refused_and_tells_no_secret(tmp_path: Path) -> None:
    tally = run(tmp_path, range(CASES), FileTally())
    assert tally.wrong == []
    assert tally.loaded > CASES // 30
    assert tally.refused > CASES // 2


_ENDLESS = "A" * 5000


@pytest.mark.parametrize(
    "problem",
    [Problem("f.yaml", 1, 2, "a\x00b", f"is `\x1b[2J\u202e`{_ENDLESS}"), Fault("f", "a\x00b", f"\x07{_ENDLESS}")],
    ids=["in a file", "elsewhere"],
)
def test_a_message_shows_control_characters_as_escapes_and_is_not_endless(problem: Problem | Fault) -> None:
    said = str(problem)
    assert said.isprintable()
    assert "a\\x00b" in said
    assert len(said) < 700


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [*{last}, *{last}, *{last}, *{last}, *{last}, *{last}, *{last}, *{last}, *{last}]\n"
    for last, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize("text", [BOMB, "[" * 200_000, "{a: " * 50_000, "a: " + "x" * 300_000, "- " * 100_000])
def test_a_file_that_is_meant_to_hurt_is_refused_without_being_unfolded(text: str) -> None:
    tracemalloc.start()
    with pytest.raises(MappingErrors):
        load({"zendesk.yaml": text})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * 2**20


def test_settings_in_another_encoding_are_refused_by_name(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.file.write_bytes("connections: {}".encode("utf-16"))
    assert place.refusal() == ["config/hypercare.yaml: is not text in UTF-8 (byte 0); save it as UTF-8"]


def test_a_mapping_file_of_another_encoding_is_refused_by_name(tmp_path: Path) -> None:
    place = Place(tmp_path)
    folder = tmp_path / "mappings"
    folder.mkdir()
    (folder / "zendesk.yaml").write_bytes(b"system: zendesk\n# \xff\n")
    place.file.write_text(place.file.read_text("utf-8") + "mappings_dir: ../mappings\n", encoding="utf-8")
    with pytest.raises(SettingsErrors, match=r"zendesk.yaml: is not text in UTF-8 \(byte 18\)"):
        load_mappings(place.load())
