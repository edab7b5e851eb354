"""Found by the history race 82: a label that an engineer took off a new issue was put back by its ticket's joining."""

from __future__ import annotations

from sync.simulation.history import play


def test_the_history_that_showed_it_ends_well() -> None:
    # H5 tag-resurrected: tag2 was removed on the tracker and is on T10001
    # H5 tag-forced-back: tag2 was removed on T10001 and is there again
    outcome = play(82, "race", only=(0, 3, 4, 6, 18, 23, 24, 27, 30, 31, 33, 36), at_rest=("stale",))
    assert outcome.violations == []
