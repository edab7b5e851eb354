"""Served stand-ins, closed after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.connectors.gateway.sandbox.site import Site


@pytest.fixture
def make() -> Iterator[Callable[..., Site]]:
    """Makes stand-ins with switches."""
    made: list[Site] = []

    def build(**switches: Any) -> Site:
        made.append(Site(**switches))
        return made[-1]

    yield build
    for site in made:
        site.close()


@pytest.fixture
def site(make: Callable[..., Site]) -> Site:
    return make()
