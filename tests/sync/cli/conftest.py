"""What the tests of the commands share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sync.cli.command import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)
