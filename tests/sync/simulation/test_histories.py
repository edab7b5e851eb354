"""Seeded histories over the real engine, store and clients: a short range of seeds on every run."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sync.simulation import main
from sync.simulation.faults import LEVELS
from sync.simulation.pure.history import play
from sync.simulation.pure.hub import Hub
from sync.simulation.report import Failure


@pytest.mark.parametrize("profile", LEVELS)
def test_histories_end_as_they_should(profile: str) -> None:
    report = main.run(2, 1000, profile=profile, steps=30)
    assert report.failures == [], report.as_text()
    assert report.profiles[profile].histories == 2


@pytest.mark.parametrize("profile", LEVELS)
def test_histories_without_the_clients_end_as_they_should(profile: str) -> None:
    report = main.run(0, 2000, contract=6, profile=profile, steps=30)
    assert report.failures == [], report.as_text()
    assert report.levels["contract"].histories == 6


def test_the_same_seed_gives_the_same_trace_whatever_the_hash_seed_locale_and_time_zone() -> None:
    code = (
        "from sync.simulation.main import run; print(run(2, 7, contract=2, pure=40, profile='swarm', steps=15).digest)"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": zone, "LC_ALL": locale, "PYTHONUTF8": "0"},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed, zone, locale in (
            ("1", "UTC", "C"),
            ("2", "Asia/Kolkata", "C.UTF-8"),
            ("3", "Pacific/Apia", "tr_TR"),
        )
    }
    assert len(found) == 1


def test_histories_of_groups_are_part_of_the_digest_however_many_processes_play_them() -> None:
    one, two = main.run(0, 7, pure=2).digest, main.run(0, 7, pure=3).digest
    assert one == main.run(0, 7, pure=2, processes=2).digest != two
    assert play(7).digest == play(7).digest != play(8).digest


def test_a_history_of_a_group_is_replayed_with_its_trace() -> None:
    failure = Failure(seed=9, profile="pure", violations=("H6 tag-lost",), level="pure")
    assert failure.replay == "hypercare simulate --replay 9 --level pure"
    outcome = main.replay(9, level="pure")
    assert (outcome.violations, outcome.trace) == ([], list(play(9).trace))


def test_in_a_history_of_a_group_people_and_the_hub_both_have_their_say() -> None:
    played = [play(seed) for seed in range(100)]
    assert sum(each.edits for each in played) > 1800
    assert sum(each.writes for each in played) > 900
    assert sum(each.conflicts for each in played) > 10
    assert all(each.trace for each in played)


def test_a_failure_is_reported_with_the_command_that_replays_it() -> None:
    report = main.run(1, 3, profile="calm", steps=5)
    report.failures.append(Failure(seed=3, profile="calm", violations=("H6 tag-lost: x",)))
    assert "hypercare simulate --replay 3" in report.as_text()
    told = report.as_json()
    assert told["violations"] == 1
    assert told["failures"][0]["replay"] == "hypercare simulate --replay 3"
    assert told["levels"]["wire"]["histories"] == 1
    assert "H19" in told["unchecked"]


def test_a_replay_has_the_whole_trace() -> None:
    outcome = main.replay(3, profile="calm", steps=5)
    assert outcome.trace
    assert outcome.digest == main.replay(3, profile="calm", steps=5).digest


def test_histories_of_groups_over_the_core_alone_end_as_they_should() -> None:
    report = main.run(0, 500_000, pure=1500)
    assert report.failures == [], report.as_text()
    assert report.levels["pure"].histories == 1500


class _Forgetful(Hub):
    """A hub with a planted defect: it forgets what it had sent when an answer is lost."""

    def settle_doubts(self) -> None:
        for link in self.world.links:
            link.intent, link.errand = None, None


def test_a_hub_that_forgets_its_intents_is_found_out() -> None:
    assert [seed for seed in range(200) if play(seed, hub=_Forgetful).violations]
