"""Histories with a Sentry and a gateway: none ends wrong, the same seed is the same history, the checkers can fail."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from sync.simulation.main import replay, run
from sync.simulation.signals.expected import Expected, Signal
from sync.simulation.signals.history import SIGNATURE, History, play

SEEDS = range(4)


def test_no_history_with_machines_ends_wrong_and_they_meet_what_machines_do() -> None:
    met: Counter[str] = Counter()
    for seed in SEEDS:
        outcome = play(seed)
        assert outcome.violations == [], seed
        met += outcome.met
    assert met["calls fail"]
    assert met["error regressed"] or met["error resolved"]
    assert sum(count for name, count in met.items() if name.startswith("fault ")) > 5


def test_the_same_seed_is_the_same_history() -> None:
    assert play(3, steps=3).digest == play(3, steps=3).digest != play(4, steps=3).digest


def test_a_run_reports_them_as_a_level_of_their_own() -> None:
    report = run(0, 5, signals=1)
    assert report.is_good, report.as_text()
    assert report.levels["signals"].histories == 1
    assert "with a Sentry and a gateway: " in report.as_text()
    assert replay(5, level="signals").trace


def test_what_differs_from_the_expected_is_told(tmp_path: Path) -> None:
    history = History(1, tmp_path)
    history._set_up()
    assert history._differences() == []
    history.expected.tracker = history.expected.ticket = True
    for signal in history.expected.signals.values():
        signal.done = True
    told = history._differences()
    history.place.close()
    assert len(told) == 2 + len(history.errors)


def item(**signals: Signal) -> Expected:
    return Expected(signals=signals)


def test_the_last_error_that_a_person_resolves_finishes_the_item_and_one_by_age_does_not() -> None:
    expected = item(a=Signal(), b=Signal())
    expected.by_itself("a")
    expected.resolved("b")
    before = expected.tracker
    expected.regressed("a")
    expected.resolved("a")
    assert (before, expected.tracker, expected.ticket) == (False, True, True)


def test_what_is_archived_counts_as_before_until_its_item_crosses() -> None:
    def after(*acts: str) -> bool:
        expected = item(a=Signal(), b=Signal())
        expected.archived("a")
        for act in acts:
            if act in ("resolved", "regressed"):
                getattr(expected, act)("b")
            else:
                getattr(expected, act)()
        return expected.tracker

    assert not after("resolved")
    assert after("tracker_done", "regressed", "resolved"), "the archived one went along with the resolve"
    assert not after("tracker_done", "tracker_reopened", "resolved"), "and with the reopen"


def test_a_regression_is_heard_by_the_tracker_once_and_by_nobody_else() -> None:
    expected = item(a=Signal(), **{SIGNATURE: Signal()})
    expected.tracker_done()
    expected.regressed("a")
    expected.regressed(SIGNATURE)
    assert (expected.tracker, expected.ticket, expected.reopens) == (False, True, 1)


@pytest.mark.parametrize("gone", ["a", "b"])
def test_what_goes_moves_nobody(gone: str) -> None:
    expected = item(a=Signal(done=True, counts=True, aside=True), b=Signal())
    expected.gone(gone)
    assert not expected.tracker


def test_what_was_finished_on_its_own_stays_when_the_tracker_opens_again() -> None:
    expected = item(a=Signal(), b=Signal())
    expected.resolved("a")
    expected.tracker_done()
    expected.tracker_reopened()
    assert (expected.signals["a"].done, expected.signals["b"].done) == (True, False)
