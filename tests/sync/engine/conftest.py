"""A launch on a folder of its own, closed after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.launch import Launch, launch

Make = Callable[..., Launch]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes launches with settings of the test's own."""
    made: list[Launch] = []

    def build(**given: Any) -> Launch:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(launch(folder, **given))
        return made[-1]

    yield build
    for each in made:
        each.world.close()


@pytest.fixture
def day(make: Make) -> Launch:
    """A launch day with the shipped mappings and no routes."""
    return make()
