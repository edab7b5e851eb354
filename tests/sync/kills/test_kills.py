"""SIGKILL at any moment loses nothing and doubles nothing. The long run is `python -m tests.proof.kills`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proof import kills
from tests.proof.aim import Moment


@pytest.mark.timeout(600)
def test_twenty_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    outcome = kills.run(tmp_path, cycles=20, seed=20)
    assert outcome.is_good, outcome.told()
    assert outcome.kills[Moment.LOST] + outcome.kills[Moment.APPLIED] > 0, "no kill met a write"
    assert outcome.verdict.writes["tags"] > 50
