"""One system down for good, operators at work, and steps left out: the histories, and what they would find."""

from __future__ import annotations

from sync.simulation import main
from sync.simulation.history import History, Mode, play


def test_a_history_with_one_system_down_goes_on_and_heals() -> None:
    outcome = main.replay(104, profile="calm", steps=25, mode=Mode.LIVENESS)
    assert outcome.violations == []
    assert outcome.faults["outage"] > 0


class _Waiting(History):
    """A hub with a planted defect: it does nothing at all while one of its systems is down."""

    def _quiet(self) -> None:
        if not self.stage.down:
            super()._quiet()


def test_a_hub_that_waits_for_the_system_that_is_down_is_found_out() -> None:
    outcome = _Waiting(104, "calm", steps=25, mode=Mode.LIVENESS).run()
    assert {each.split(":")[0] for each in outcome.violations} == {"live-not-followed"}


def test_operators_restore_and_remap_within_a_history() -> None:
    outcome = play(1000, "operators", steps=30)
    assert outcome.violations == []
    assert {"restore", "restart"} <= set(outcome.faults)


def did(trace: list[str] | None) -> list[str]:
    assert trace is not None
    return [line.partition(" did ")[2] for line in trace if " did " in line]


def test_a_step_that_is_left_out_leaves_the_others_their_chances() -> None:
    whole = play(1, "calm", steps=14, trace=True)
    some = play(1, "calm", only=range(7, 14), trace=True)
    assert (whole.steps, some.steps) == (14, 7)
    assert did(some.trace)
    assert did(some.trace) == did(whole.trace)[-len(did(some.trace)) :]
    assert len(did(some.trace)) < len(did(whole.trace))
