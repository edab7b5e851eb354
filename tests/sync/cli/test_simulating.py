"""`hypercare simulate`: how many histories of each level, and one history again."""

from __future__ import annotations

import json
from pathlib import Path

from tests.sync.cli.command import Place


def test_all_three_levels_are_played_and_reported(tmp_path: Path) -> None:
    done = Place(tmp_path, make=False).run("simulate", "--histories", "1", "--seed", "5", "--profile", "calm", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert {name: level["histories"] for name, level in told["levels"].items()} == {
        "wire": 1,
        "contract": 3,
        "pure": 30,
    }
    assert all(level["per_core"] > 0 for level in told["levels"].values())
    assert told["violations"] == 0
    assert told["histories"] == 4


def test_a_history_of_the_contract_level_is_played_again_with_its_trace(tmp_path: Path) -> None:
    done = Place(tmp_path, make=False).run("simulate", "--replay", "7", "--level", "contract", "--profile", "calm")
    assert done.code == 0, done.err
    assert "GET /search/jql" in done.out
    assert done.out.endswith("Seed 7 (calm) ends as it should.\n")


def test_a_level_a_mode_and_a_profile_that_are_not_there_are_named_with_those_that_are(tmp_path: Path) -> None:
    place = Place(tmp_path, make=False)
    for name, known in (("level", "wire, contract"), ("mode", "safety, liveness"), ("profile", "mixed, calm")):
        done = place.run("simulate", f"--{name}", "nope")
        assert done.code == 2
        assert f"--{name} nope: there is no such {name}; choose one of {known}" in done.err
