"""The one retry policy, on a clock that moves only when it is slept on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from connectors.errors import RateLimited, Unavailable, UnexpectedAnswer
from connectors.retry import IN_ALL, longest_wait, retry_read


class StillClock:
    """Time that passes by sleeping, and by what a call is said to take."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds


class Fixed:
    def __init__(self, value: float) -> None:
        self.value = value

    def random(self) -> float:
        return self.value

    def token(self) -> str:
        return "00"


def failing(times: int, error: Exception, taking: float = 0.0, clock: StillClock | None = None) -> Callable[[], str]:
    """A call that raises `times` times, then answers."""
    left = [times]

    def call() -> str:
        if clock is not None:
            clock.passed += taking
        if left[0] > 0:
            left[0] -= 1
            raise error
        return "answer"

    return call


def test_a_read_is_tried_again_when_the_remote_was_unavailable() -> None:
    clock = StillClock()
    assert retry_read(failing(2, Unavailable("down")), clock=clock, rng=Fixed(0.5)) == "answer"
    assert clock.slept == [longest_wait(1) * 0.5, longest_wait(2) * 0.5]


@pytest.mark.parametrize("error", [RateLimited("slow down", retry_after=1.0), UnexpectedAnswer("html"), KeyError("x")])
def test_nothing_but_unavailable_is_tried_again(error: Exception) -> None:
    clock = StillClock()
    with pytest.raises(type(error)):
        retry_read(failing(1, error), clock=clock, rng=Fixed(0.5))
    assert clock.slept == []


def test_the_last_error_leaves_as_it_is() -> None:
    error = Unavailable("down for long")
    with pytest.raises(Unavailable) as raised:
        retry_read(failing(99, error), clock=StillClock(), rng=Fixed(0.999))
    assert raised.value is error


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_waits_and_attempts_take_at_most_five_seconds(chance: float) -> None:
    clock = StillClock()
    with pytest.raises(Unavailable):
        retry_read(failing(99, Unavailable("down"), taking=1.4, clock=clock), clock=clock, rng=Fixed(chance))
    assert clock.passed - 1.4 <= IN_ALL


def test_a_slow_failure_leaves_no_room_for_another_attempt() -> None:
    clock = StillClock()
    with pytest.raises(Unavailable):
        retry_read(failing(1, Unavailable("timeout"), taking=20.0, clock=clock), clock=clock, rng=Fixed(0.0))
    assert clock.slept == []


def test_a_wait_the_remote_asks_for_is_kept_or_the_error_leaves_at_once() -> None:
    clock = StillClock()
    assert retry_read(failing(1, Unavailable("busy", retry_after=2.0)), clock=clock, rng=Fixed(0.0)) == "answer"
    assert clock.slept == [2.0]
    with pytest.raises(Unavailable):
        retry_read(failing(1, Unavailable("maintenance", retry_after=600.0)), clock=clock, rng=Fixed(0.0))
    assert clock.slept == [2.0]
