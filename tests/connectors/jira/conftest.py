from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.jira.site import Site, site


@pytest.fixture
def cloud() -> Iterator[Site]:
    with site("Cloud") as served:
        yield served


@pytest.fixture
def data_center() -> Iterator[Site]:
    with site("Server") as served:
        yield served


@pytest.fixture(params=["Cloud", "Server"])
def either(request: pytest.FixtureRequest) -> Iterator[Site]:
    with site(request.param) as served:
        yield served
