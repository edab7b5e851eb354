"""Every reason that people are shown has its text, a switch of a stand-in that brings it about, and a test."""

from __future__ import annotations

import ast
from pathlib import Path

import msgspec
import pytest

from connectors.jira.sandbox import acts as jira_acts
from connectors.jira.sandbox.settings import Settings
from connectors.sandbox.faults import FaultKind
from connectors.zendesk.sandbox import build as build_zendesk
from connectors.zendesk.sandbox.switches import Switches
from sync.core.reasons import CONFLICT, HOLD, PARK, ConflictKind, HoldReason, ParkReason
from sync.core.reasons_page import page
from sync.core.why import EXPLAIN, Why
from sync.simulation.virtual import SeededRng
from tests.sync.core.refresh import PAGE

ROOT = Path(__file__).parents[3]
REASONS = {f"{type(name).__name__} {name}": reason for part in (PARK, HOLD, CONFLICT) for name, reason in part.items()}


def test_no_reason_lacks_its_text() -> None:
    assert set(PARK) == set(ParkReason)
    assert set(HOLD) == set(HoldReason)
    assert set(CONFLICT) == set(ConflictKind)
    assert set(EXPLAIN) == set(Why)


@pytest.mark.parametrize("name", REASONS)
def test_a_reason_says_what_it_means_and_what_to_do(name: str) -> None:
    reason = REASONS[name]
    assert reason.means.endswith(".")
    assert reason.do.rstrip("`").endswith(".")


@pytest.mark.parametrize("name", REASONS)
def test_the_test_that_a_reason_names_is_there_and_speaks_of_it(name: str) -> None:
    path, _, function = REASONS[name].test.partition("::")
    text = (ROOT / path).read_text("utf-8")
    found = [each for each in ast.parse(text).body if isinstance(each, ast.FunctionDef) and each.name == function]
    assert found, f"{path} has no {function}"
    value = name.split(" ")[1]
    assert value in text, f"{path} never asserts {value}"


def switches() -> dict[str, set[str]]:
    """What each stand-in can be told to do, by system and kind."""
    faults = {kind.value for kind in FaultKind}
    desk = build_zendesk(lambda: 0.0, SeededRng(1))
    return {
        "zendesk setting": {field.name for field in msgspec.structs.fields(Switches)},
        "zendesk act": set(desk._acts),
        "zendesk fault": faults,
        "jira setting": {field.name for field in msgspec.structs.fields(Settings)},
        "jira act": set(jira_acts.ACTS),
        "jira fault": faults,
    }


@pytest.mark.parametrize("name", REASONS)
def test_the_switch_that_a_reason_names_is_one_of_a_stand_in(name: str) -> None:
    kind, _, switch = REASONS[name].switch.rpartition(" ")
    assert switch in switches()[kind]


def test_the_page_of_reasons_is_fresh() -> None:
    assert PAGE.read_text("utf-8") == page(), "python -m tests.sync.core.refresh"


def test_every_rule_is_one_sentence_for_people() -> None:
    assert all(text.endswith(".") and text[0].isupper() for text in EXPLAIN.values())
