"""Hostile lines in access logs and pushed bodies: counted and sampled, never a stop, never a secret."""

from __future__ import annotations

import json
import random
import tracemalloc
from pathlib import Path

import pytest

from connectors.gateway.fold import Fold
from connectors.gateway.intake import GatewayIntake
from connectors.gateway.presets import PRESETS, preset
from tests.connectors.gateway.written import failed
from tests.hostile.lines import RULES, SENDERS, SETTINGS, TOKEN, LineTally, believed, forged, line_of, run

CASES = 300


def test_spoilt_lines_are_counted_and_sampled_and_the_good_ones_beside_them_are_folded(tmp_path: Path) -> None:
    tally = run(range(CASES), LineTally(), tmp_path)
    assert tally.wrong == []
    assert tally.poisoned > CASES
    assert tally.folded > 4 * CASES
    assert tally.refused > 0
    assert tally.signatures >= CASES


@pytest.mark.parametrize("which", PRESETS)
def test_the_good_line_of_each_preset_is_a_failed_call(which: str) -> None:
    fold = Fold(RULES, preset(which))
    assert fold.take(line_of(which, 1)).failed == 1


@pytest.mark.parametrize("between", [b"\n", b"\n\n"])
def test_two_objects_in_one_line_are_poisoned_and_no_other_line_counts_twice(between: bytes) -> None:
    rows = [json.dumps(failed(number)).encode() for number in range(5)]
    fold = Fold(RULES, preset("apinto"))
    taken = fold.take(rows[0] + rows[1] + between + b"\n".join(rows[2:]))
    assert (taken.folded, taken.failed) == (3, 3)
    assert taken.poisoned >= 1


def test_objects_over_several_lines_beside_two_in_one_line_break_nothing() -> None:
    rows = [json.dumps(failed(number)).encode() for number in range(5)]
    several = json.dumps(failed(9), indent=1).encode()
    fold = Fold(RULES, preset("apinto"))
    taken = fold.take(b"\n".join([several, rows[0] + rows[1] + rows[2], *rows[3:]]))
    assert taken.lines == taken.folded + taken.poisoned + taken.repeated


@pytest.mark.parametrize(
    "hostile",
    [
        b"[" * 900_000,
        b'{"a":' * 150_000,
        json.dumps(failed(1, response_body="A" * 900_000)).encode(),
        json.dumps(failed(1, api="\u202e" * 200_000)).encode(),
        json.dumps({**failed(1), **{f"k{n}": n for n in range(50_000)}}).encode(),
        json.dumps(failed(1, proxies=[{"proxy_status": "500"}] * 20_000)).encode(),
        json.dumps(failed(1, uri="/" + "a/" * 300_000)).encode(),
        b"\xff" * 900_000,
    ],
    ids=["lists", "objects", "body", "unseen", "keys", "attempts", "path", "bytes"],
)
def test_a_huge_line_takes_memory_in_proportion_and_leaves_little(hostile: bytes) -> None:
    fold = Fold(RULES, preset("apinto"))
    tracemalloc.start()
    taken = fold.take(hostile + b"\n" + json.dumps(failed(2)).encode())
    rows = fold.changed()
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (taken.lines, taken.folded + taken.poisoned) == (2, 2)
    assert taken.folded >= 1
    assert sum(len(row.body) for row in rows) < 50_000
    assert kept < 2 * 2**20
    assert peak < 60 * 2**20


def test_names_without_end_make_no_signatures_without_end() -> None:
    rng = random.Random(1)
    fold = Fold(RULES, preset("apinto"))
    for _ in range(20):
        lines = (
            failed(rng.getrandbits(60), api=rng.randbytes(6).hex(), status=rng.choice((500, 502))) for _ in range(900)
        )
        fold.take(b"\n".join(json.dumps(line).encode() for line in lines))
        fold.changed()
    assert len(fold.signatures()) <= RULES.max_signatures + 1000


def test_no_pushed_call_with_another_token_or_from_elsewhere_is_believed(tmp_path: Path) -> None:
    rng = random.Random(2)
    intake = GatewayIntake(SETTINGS, tmp_path)
    for sender in SENDERS:
        assert believed(intake, TOKEN, sender)
        assert believed(intake, f"Bearer {TOKEN}", sender)
    for _ in range(3_000):
        token, sender = forged(rng)
        assert not believed(intake, token, sender), (token, sender)
    assert list(tmp_path.iterdir()) == []
