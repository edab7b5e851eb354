"""A fresh stand-in account for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.zendesk.account import Account, account


@pytest.fixture
def zendesk() -> Iterator[Account]:
    with account() as made:
        yield made
