"""A fresh stand-in organisation for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.sentry.organisation import Organisation, organisation


@pytest.fixture
def sentry() -> Iterator[Organisation]:
    with organisation() as made:
        yield made


@pytest.fixture
def glitchtip() -> Iterator[Organisation]:
    with organisation(edition="glitchtip") as made:
        yield made
