"""The one retry policy: a read that found its remote unavailable is tried again, for seconds, with jitter.

Writes are never repeated here, rate limits are never slept on, and whatever takes longer than this policy allows is the
engine's business (the item's `not_before`). Time and chance come in through the ports.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type

from connectors.contract import Clock, Rng
from connectors.errors import Unavailable

T = TypeVar("T")

IN_ALL = 5.0
"""Seconds that one call may take for all its attempts and waits; an attempt that is under way is not cut short."""

FIRST_WAIT = 0.25
LONGEST_WAIT = 2.0
ATTEMPTS = 4


def longest_wait(attempt: int) -> float:
    """The upper end of the wait after attempt number `attempt` (from 1), in seconds; the wait is drawn below it."""
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (attempt - 1))


def retry_read(call: Callable[[], T], *, clock: Clock, rng: Rng, seconds: float = IN_ALL) -> T:
    """Call `call`, a read, until it answers, fails for good, or `seconds` would be over before the next attempt.

    Repeats on `Unavailable` and on nothing else. A `retry_after` of the error is a lower bound for the wait: if there
    is no room for it, the error leaves at once. Raises what the last attempt raised.
    """
    started = clock.monotonic()

    def wait(state: RetryCallState) -> float:
        jittered = rng.random() * longest_wait(state.attempt_number)
        error = state.outcome.exception() if state.outcome is not None else None
        asked = error.retry_after if isinstance(error, Unavailable) else None
        return jittered if asked is None else asked + jittered

    def stop(state: RetryCallState) -> bool:
        # tenacity measures with a clock of its own; the simulation decides ours.
        over = clock.monotonic() - started + state.upcoming_sleep > seconds
        return over or state.attempt_number >= ATTEMPTS

    retrying = Retrying(
        retry=retry_if_exception_type(Unavailable), wait=wait, stop=stop, sleep=clock.sleep, reraise=True
    )
    return retrying(call)
