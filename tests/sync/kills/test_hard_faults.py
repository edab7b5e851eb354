"""What a machine does to a daemon: it is told to stop, its disk is full, its database is locked, a system is away."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import random
import resource
import sqlite3
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.proof.kills import Workload, verdict_of
from tests.proof.people import People
from tests.proof.place import JIRA_SECRET, Stage, stage, until

SEED = 7


@contextmanager
def running(folder: Path) -> Generator[tuple[Stage, People]]:
    """Both systems, a daemon that is live, and people with a few cases at rest."""
    with stage(folder, poll_seconds=1.0) as place:
        place.daemon.start()
        place.make_live()
        people = People(place, SEED, most_cases=8)
        for _ in range(40):
            people.step()
        place.rest(60, still=1.0)
        yield place, people


def settled(place: Stage, people: People) -> None:
    """Come to rest and be found right in every respect."""
    place.rest(90)
    people.last_edits()
    place.rest(60)
    people.settle_down()
    verdict = verdict_of(place, people)
    assert verdict.is_good, verdict.told()
    assert place.flaws() == []
    assert place.daemon.alarms() == []


def call(place: Stage, timeout: float = 15.0) -> tuple[int, float]:
    """One webhook call as Jira signs it: the status it gets, and after how many seconds."""
    body = json.dumps({"webhookEvent": "jira:issue_updated", "timestamp": time.time(), "issue": {"id": "1"}}).encode()
    signature = hmac.new(JIRA_SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"x-hub-signature": f"sha256={signature}", "x-atlassian-webhook-identifier": str(random.random())}
    began = time.monotonic()
    with closing(http.client.HTTPConnection("127.0.0.1", place.daemon.port, timeout=timeout)) as connection:
        connection.request("POST", "/hooks/tracker", body, headers)
        return connection.getresponse().status, time.monotonic() - began


@pytest.mark.timeout(240)
def test_a_daemon_told_to_stop_under_load_is_gone_in_ten_seconds_and_goes_on_after_its_start(tmp_path: Path) -> None:
    with running(tmp_path) as (place, people):
        work = Workload(people, random.Random(SEED), 40)
        time.sleep(2.0)
        for _ in range(2):
            until(place.busy, 20, "something to do")
            began = time.monotonic()
            assert place.daemon.stop() == 0
            assert time.monotonic() - began < 10.0
            place.daemon.start()
        work.stop()
        settled(place, people)


@pytest.mark.timeout(240)
def test_a_full_disk_is_answered_503_corrupts_nothing_and_is_over_when_there_is_room(tmp_path: Path) -> None:
    with running(tmp_path) as (place, people):
        log = place.database.with_name("hypercare.db-wal")
        with closing(sqlite3.connect(place.database)) as reader:
            reader.execute("begin")
            reader.execute("select count(*) from items").fetchone()
            # While somebody reads, the write-ahead log cannot begin anew: whatever is written makes it longer.
            while log.stat().st_size < 300_000:
                people.step()
                time.sleep(0.02)
            place.rest(60, still=1.0)
            _, hard = resource.prlimit(place.daemon.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(place.daemon.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, hard))
            status, seconds = call(place)
            assert status == 503
            assert seconds < 3.0
            for _ in range(60):
                people.step()
            until(lambda: place.desk.answered[503] + place.site.answered[503] >= 5, 20, "webhooks that get a 503")
            until(lambda: place.daemon.get("/health")[0] == 503, 30, "a health that tells of it")
            resource.prlimit(place.daemon.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))
            until(lambda: call(place)[0] == 202, 20, "a webhook that is stored")
            reader.rollback()
        settled(place, people)
        events = {line["event"] for line in place.daemon.log_lines()}
        assert {"store_unavailable", "store_back"} <= events


@pytest.mark.timeout(240)
def test_a_database_locked_by_another_process_is_answered_503_and_waited_out(tmp_path: Path) -> None:
    with running(tmp_path) as (place, people):
        with closing(sqlite3.connect(place.database, isolation_level=None)) as other:
            other.execute("begin exclusive")
            for _ in range(40):
                people.step()
            status, seconds = call(place)
            assert status == 503
            assert seconds < 10.0  # Zendesk waits 12 s for an answer
            other.execute("rollback")
        until(lambda: call(place)[0] == 202, 20, "a webhook that is stored")
        settled(place, people)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("side", ["support", "tracker"])
def test_a_thousand_changes_during_an_outage_of_one_system_are_caught_up_with_after_a_restart(
    tmp_path: Path, side: str
) -> None:
    with running(tmp_path) as (place, people):
        place.outage(side, is_down=True)
        place.lose_hooks(1.0, 0.0)
        for _ in range(500):
            people.step()
        time.sleep(2.0)
        place.daemon.stop()
        for _ in range(500):
            people.step()
        place.daemon.start()
        time.sleep(2.0)
        place.daemon.kill()
        place.daemon.wait()
        place.outage(side, is_down=False)
        place.lose_hooks(0.0, 0.0)
        place.daemon.start()
        settled(place, people)
