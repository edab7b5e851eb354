"""The whole engine under rubbish: no worker breaks, nothing is lost, nothing is doubled."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.day import play
from tests.hostile.signed import SignedTally, run

FOUND = (500003,)
"""Days that went wrong once: a number in the place of an issue's remote links was taken for none: a ticket left."""


@pytest.mark.parametrize("seed", [*range(3), *FOUND])
def test_a_day_of_rubbish_ends_with_all_sides_agreeing(tmp_path: Path, seed: int) -> None:
    assert play(tmp_path, seed) == []


def test_signed_calls_with_spoilt_bodies_are_refused_or_read_without_harm() -> None:
    tally = run(range(5000), SignedTally())
    assert tally.wrong == []
    assert min(tally.refused, tally.stored, tally.named) > 200
