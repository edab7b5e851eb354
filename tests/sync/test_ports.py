"""The real ports."""

from __future__ import annotations

import threading
from datetime import UTC

import pytest

from sync.ports import Bells, RealClock, RealRng, spawn_thread


def test_time_is_aware_and_utc() -> None:
    assert RealClock().now().tzinfo is UTC


def test_a_long_sleep_is_refused() -> None:
    with pytest.raises(ValueError, match="put the time into the row"):
        RealClock().sleep(5.1)


def test_a_sleep_of_no_time_or_less_returns_at_once() -> None:
    clock = RealClock()
    before = clock.monotonic()
    clock.sleep(0)
    clock.sleep(-1)
    assert clock.monotonic() - before < 0.5


def test_tokens_have_128_bits_and_differ() -> None:
    tokens = {RealRng().token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(bytes.fromhex(token)) == 16 for token in tokens)


def test_chance_is_below_one() -> None:
    rng = RealRng()
    assert all(0 <= rng.random() < 1 for _ in range(1000))


def test_a_ring_before_the_wait_is_not_lost() -> None:
    bells = Bells()
    heard = bells.count("settle")
    bells.ring("settle")
    assert bells.wait("settle", heard, 60)


def test_a_wait_without_a_ring_ends_by_itself() -> None:
    bells = Bells()
    assert not bells.wait("settle", bells.count("settle"), 0.01)


def test_a_ring_wakes_all_that_wait() -> None:
    bells, woken = Bells(), []
    ready = threading.Barrier(4)

    def wait() -> None:
        heard = bells.count("settle")
        ready.wait(10)
        woken.append(bells.wait("settle", heard, 10))

    threads = [spawn_thread(f"waiter {number}", wait) for number in range(3)]
    ready.wait(10)
    bells.ring("settle")
    assert all(thread.join(10) for thread in threads)
    assert woken == [True] * 3


def test_a_thread_tells_whether_it_lives() -> None:
    go_on = threading.Event()
    thread = spawn_thread("worker", lambda: (go_on.wait(10), None)[1])
    assert (thread.name, thread.alive(), thread.join(0)) == ("worker", True, False)
    go_on.set()
    assert thread.join(10)
    assert not thread.alive()
