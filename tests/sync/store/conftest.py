"""Real stores on real files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.store.contract import Store
from sync.store.migrate import open_store
from tests.sync.store.clocks import RunningClock
from tests.sync.store.rows import START


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hypercare.db"


@pytest.fixture
def clock() -> RunningClock:
    return RunningClock(START)


@pytest.fixture
def threaded(path: Path, clock: RunningClock) -> Iterator[Store]:
    """The embedded store as the daemon has it."""
    opened = open_store(path, clock=clock)
    yield opened
    opened.close()
