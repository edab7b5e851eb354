"""The same edits in one order after the other end alike, and a hub for which the order decides is found out."""

from __future__ import annotations

from sync.simulation import main, orders
from sync.simulation.orders import play


def test_the_same_edits_told_in_several_orders_end_alike() -> None:
    compared = 0
    for seed in range(600, 604):
        outcome = play(seed, rounds=3, orders=3)
        assert outcome.violations == []
        assert outcome.edits
        compared += outcome.premises["H14"]
    assert compared >= 8


def test_the_same_seed_tells_the_same_orders() -> None:
    one, other = play(7, rounds=2, orders=3, trace=True), play(7, rounds=2, orders=3)
    assert one.digest == other.digest
    assert one.digest != play(8, rounds=2, orders=3).digest
    assert [line for line in one.trace or () if line.startswith("told as")] == ["told as 0", "told as 1", "told as 2"]


def test_what_differs_between_two_orders_is_named() -> None:
    said = list(orders.differences({"Z1": ["vip"], "Z2": "open"}, {"Z1": [], "Z2": "open"}))
    assert said == ["Z1: ['vip'], and now []"]


def test_a_run_counts_what_it_told_in_several_orders() -> None:
    report = main.run(0, 600, orders=1)
    assert report.levels["orders"].histories == 1
    assert "H14" in report.judged
    assert "premises: H14" not in report.unreached
    assert "H14" in main.run(0, 600).unchecked
