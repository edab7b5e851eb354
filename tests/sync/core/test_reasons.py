"""Every reason that people are shown has its text."""

from __future__ import annotations

import pytest

from sync.core.reasons import CONFLICT, HOLD, PARK, ConflictKind, HoldReason, ParkReason, Reason
from sync.core.why import EXPLAIN, Why


def test_no_reason_lacks_its_text() -> None:
    assert set(PARK) == set(ParkReason)
    assert set(HOLD) == set(HoldReason)
    assert set(CONFLICT) == set(ConflictKind)
    assert set(EXPLAIN) == set(Why)


@pytest.mark.parametrize("reason", [*PARK.values(), *HOLD.values(), *CONFLICT.values()], ids=lambda r: r.means[:40])
def test_a_reason_says_what_it_means_and_what_to_do(reason: Reason) -> None:
    assert reason.means.endswith(".")
    assert reason.do.rstrip("`").endswith(".")


def test_every_rule_is_one_sentence_for_people() -> None:
    assert all(text.endswith(".") and text[0].isupper() for text in EXPLAIN.values())
