"""One daemon per database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import structs

from sync.store.contract import Store
from sync.store.errors import AlreadyRunning, StoreError
from sync.store.lock import end_lease, holder_of, lease, lock, renew_lease, take_lease, this_process
from tests.sync.store.rows import START

OWNER = this_process("first")
ELSEWHERE = structs.replace(OWNER, host="other-host", pid=4711, boot="second")


def test_the_second_daemon_is_refused_and_told_who_holds_the_database(path: Path) -> None:
    with lock(path, OWNER):
        with pytest.raises(AlreadyRunning) as refused:
            lock(path, this_process("second"))
        assert f"process {os.getpid()} on {os.uname().nodename}" in refused.value.message
        assert str(path) in refused.value.message
        assert refused.value.holder == str(OWNER)


def test_a_released_lock_can_be_taken_again(path: Path) -> None:
    held = lock(path, OWNER)
    assert holder_of(path) == str(OWNER)
    held.release()
    held.release()
    assert holder_of(path) == ""
    lock(path, OWNER).release()


_CHILD = """
import sys
from pathlib import Path
from sync.store.lock import lock, this_process

held = lock(Path(sys.argv[1]), this_process("child"))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_lock_ends_with_its_killed_process(path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    with pytest.raises(AlreadyRunning, match=f"process {child.pid} "):
        lock(path, OWNER)
    child.send_signal(signal.SIGKILL)
    child.wait(timeout=30)
    child.stdin.close()
    child.stdout.close()
    lock(path, OWNER).release()


def test_a_lock_in_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        lock(tmp_path / "nowhere" / "hypercare.db", OWNER)


def test_a_lease_of_another_machine_is_respected_until_it_ends(threaded: Store) -> None:
    threaded.step(lambda conn: take_lease(conn, ELSEWHERE, START, seconds=15))
    with pytest.raises(AlreadyRunning, match="process 4711 on other-host") as refused:
        threaded.step(lambda conn: take_lease(conn, OWNER, START + timedelta(seconds=14)))
    assert refused.value.until == START + timedelta(seconds=15)
    threaded.step(lambda conn: take_lease(conn, OWNER, START + timedelta(seconds=15)))
    with threaded.read() as conn:
        held = lease(conn)
    assert held is not None
    assert held.owner == OWNER


def test_a_lease_of_a_dead_start_on_this_machine_is_taken_over_at_once(threaded: Store) -> None:
    threaded.step(lambda conn: take_lease(conn, OWNER, START))
    successor = this_process("successor")
    threaded.step(lambda conn: take_lease(conn, successor, START))
    with threaded.read() as conn:
        held = lease(conn)
    assert held is not None
    assert held.owner == successor


def test_a_renewed_lease_lasts_longer(threaded: Store) -> None:
    threaded.step(lambda conn: take_lease(conn, OWNER, START, seconds=15))
    threaded.step(lambda conn: renew_lease(conn, OWNER, START + timedelta(seconds=5), seconds=15))
    with threaded.read() as conn:
        held = lease(conn)
    assert held is not None
    assert held.until == START + timedelta(seconds=20)


def test_a_daemon_whose_lease_was_taken_over_learns_it_when_it_renews(threaded: Store) -> None:
    threaded.step(lambda conn: take_lease(conn, OWNER, START, seconds=15))
    threaded.step(lambda conn: take_lease(conn, ELSEWHERE, START + timedelta(seconds=60)))
    with pytest.raises(AlreadyRunning, match="taken over by process 4711 on other-host"):
        threaded.step(lambda conn: renew_lease(conn, OWNER, START + timedelta(seconds=61)))


def test_a_lease_given_back_is_free_for_anybody(threaded: Store) -> None:
    threaded.step(lambda conn: take_lease(conn, OWNER, START))
    threaded.step(lambda conn: end_lease(conn, ELSEWHERE))
    with threaded.read() as conn:
        assert lease(conn) is not None
    threaded.step(lambda conn: end_lease(conn, OWNER))
    threaded.step(lambda conn: take_lease(conn, ELSEWHERE, START))
