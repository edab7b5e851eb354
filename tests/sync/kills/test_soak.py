"""A small soak, and what the long one measures. The long run is `python -m tests.proof.soak`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proof import soak
from tests.proof.soak import Figures


@pytest.mark.timeout(300)
def test_two_thousand_changes_over_a_bad_network_are_applied_once_each(tmp_path: Path) -> None:
    outcome = soak.run(tmp_path, changes=2000, seed=20, cases=40)
    assert outcome.is_good, outcome.told()
    assert sum(outcome.faults.values()) > 10
    assert outcome.verdict.writes["tags"] > 200


def figures(**growing: float) -> list[Figures]:
    """A run of an hour; growing: by how much a figure grows each minute."""
    return [
        Figures(
            changes=minute * 2000,
            seconds=minute * 60.0,
            memory_mb=100.0 + minute * growing.get("memory_mb", 0.0),
            descriptors=int(50 + minute * growing.get("descriptors", 0.0)),
            threads=int(26 + minute * growing.get("threads", 0.0)),
            database_mb=20.0 + minute * growing.get("database_mb", 0.0),
            left=0,
        )
        for minute in range(1, 61)
    ]


def test_flat_figures_are_good() -> None:
    assert soak.growth(figures(), 60.0) == []


@pytest.mark.parametrize(
    ("name", "by"), [("memory_mb", 0.2), ("descriptors", 0.2), ("threads", 0.05), ("database_mb", 0.3)]
)
def test_a_figure_that_grows_is_named(name: str, by: float) -> None:
    assert [each.split()[0] for each in soak.growth(figures(**{name: by}), 60.0)] == [name]


def test_growth_while_caches_fill_is_no_growth() -> None:
    early = [each for each in figures(memory_mb=3.0) if each.changes <= soak.WARM_CHANGES]
    assert soak.growth(early, 60.0) == []


def test_growth_soon_after_that_is_found() -> None:
    soon = figures(memory_mb=3.0)[: soak.WARM_CHANGES // 2000 + int(soak.SHORTEST / 60) + 2]
    assert [each.split()[0] for each in soak.growth(soon, 60.0)] == ["memory_mb"]
