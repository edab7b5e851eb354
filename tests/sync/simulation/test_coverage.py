"""A run says what it has met: silence about what never arose proves nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sync.core.reasons import ConflictKind, HoldReason, ParkReason
from sync.simulation import coverage, premises
from sync.simulation.circumstances import MAPPED, REMAPPED, mappings
from sync.simulation.laws import JUDGED, UNCHECKED
from sync.simulation.ledger import HUB, USER, Hidden, Ledger, Membership, Shape, Sight, What
from sync.simulation.report import COUNTED, Failure, Figures, Report


def met(*, without: str = "") -> dict[str, Figures]:
    """Figures of a run that has met everything, but for one thing."""
    counts: dict[str, Any] = {
        field: {name: 1 for name in names if name != without} for field, names in coverage.EXPECTED.items()
    }
    return {"swarm": Figures(**counts)}


def report(histories: int, profiles: dict[str, Figures], **more: Any) -> Report:
    return Report(seed=0, histories=histories, digest="", levels={}, profiles=profiles, **more)


def test_a_large_run_that_met_everything_is_good() -> None:
    assert report(coverage.ENOUGH, met()).is_good


def test_a_large_run_that_never_met_a_park_reason_fails_and_names_it() -> None:
    run = report(coverage.ENOUGH, met(without="no_path"))
    assert not run.is_good
    assert run.unreached == ["parks: no_path"]
    assert "WRONG: never met: parks: no_path" in run.as_text()
    assert run.as_json()["unreached"] == ["parks: no_path"]
    assert run.as_json()["good"] is False


def test_a_small_run_only_lists_what_it_never_met() -> None:
    run = report(coverage.ENOUGH - 1, met(without="race"))
    assert run.is_good
    assert "faults: race" in run.as_text()
    assert "WRONG" not in run.as_text()


def test_a_run_of_one_profile_need_not_meet_everything() -> None:
    assert report(coverage.ENOUGH, {}, asked="calm").is_good
    assert report(coverage.ENOUGH, {}, mode="liveness").is_good


def test_a_history_that_ended_wrong_fails_a_run_that_met_everything() -> None:
    wrong = Failure(seed=1, profile="calm", violations=("H1 x: y",))
    assert not report(coverage.ENOUGH, met(), failures=[wrong]).is_good


def test_every_reason_is_expected_or_said_to_be_beyond_these_actors() -> None:
    assert coverage.EXPECTED["parks"] == {str(each) for each in ParkReason}
    assert coverage.EXPECTED["conflicts"] == {str(each) for each in ConflictKind}
    assert coverage.EXPECTED["holds"] == {str(each) for each in HoldReason}
    for field, names in coverage.BEYOND.items():
        assert set(names) <= coverage.EXPECTED[field]
    assert set(coverage.EXPECTED) <= set(COUNTED)


def test_every_law_of_histories_is_judged_or_listed_with_the_reason() -> None:
    all_laws = {f"H{number}" for number in range(1, 31)}
    assert JUDGED.keys() | {law for law in UNCHECKED if " " not in law} == all_laws
    assert not JUDGED.keys() & UNCHECKED.keys()
    told = report(1, {}).as_json()
    assert told["judged"].keys() | {law for law in told["unchecked"] if " " not in law} == all_laws
    assert all(told["judged"].values())
    assert all(told["unchecked"].values())


def test_the_page_lists_every_law_that_is_not_checked() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reliability.md").read_text("utf-8")
    listed = page[page.index("Not checked, with the reason:") :]
    assert [law for law in UNCHECKED if not re.search(rf"^- {law.split()[0]}\b", listed, re.MULTILINE)] == []


def test_every_edit_of_the_mappings_has_a_fingerprint_of_its_own() -> None:
    variants = ("", REMAPPED, *MAPPED)
    assert len({mappings(each, routes=False).fingerprint for each in variants}) == len(variants)


def test_a_premise_is_counted_from_what_really_happened() -> None:
    ledger = Ledger()
    ledger.see("T1", Shape(status="In Progress", tags=frozenset()), USER)
    ledger.see("Z1", Shape(status="open", tags=frozenset()), USER)
    ledger.note("T1", What.JOINED, HUB)
    ledger.note("Z1", What.JOINED, HUB)
    members = tuple(Membership(record=name, aside=False, parked=frozenset(), held=frozenset()) for name in ("T1", "Z1"))
    sight = Sight(item="hc-1", status="in_progress", tags={}, members=members)
    assert premises.arisen(ledger, [sight]) == {"H1": 1}
    ledger.see("Z1", Shape(status="open", tags=frozenset({"vip"})), USER)
    ledger.see("T1", Shape(status="In Progress", tags=frozenset({"vip"})), HUB)
    ledger.see("T1", Shape(status="Done", tags=frozenset({"vip"})), USER)
    ledger.see("Z1", Shape(status="solved", tags=frozenset({"vip"})), HUB)
    ledger.hidden.append(Hidden(record="Z1", lost="pending", by="solved"))
    found = premises.arisen(ledger, [sight])
    assert found == {"H1": 1, "H2": 2, "H4": 1, "H6": 1, "H10": 1, "resolved": 1}
    ledger.see("Z1", Shape(status="solved", tags=frozenset()), USER)
    assert premises.arisen(ledger, [sight])["H5"] == 1
    assert premises.arisen(ledger, [sight])["H6"] == 0
    assert set(found) <= set(premises.PREMISES)
