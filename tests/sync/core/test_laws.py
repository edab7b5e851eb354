"""The laws of mappings: the maps of these tests keep them, and each way to break one is found with a counterexample."""

from __future__ import annotations

import pytest
from msgspec import structs

from sync.core.laws import Law, Violation, violations
from sync.core.state import StatusRules
from sync.model import Status
from tests.sync.core.world import HELPDESK, MAPS


@pytest.mark.parametrize("rules", MAPS.values(), ids=[role.value for role in MAPS])
def test_sensible_maps_keep_the_laws(rules: StatusRules) -> None:
    assert violations(rules) == ()


def test_a_map_that_writes_nothing_keeps_them() -> None:
    assert violations(structs.replace(HELPDESK, write={})) == ()


def test_a_value_written_for_the_other_side_is_refused() -> None:
    found = violations(structs.replace(HELPDESK, write={**HELPDESK.write, Status.WAITING: "solved"}))
    assert Violation(law=Law.G3, raw="open", status=Status.WAITING, written="solved", reads=Status.RESOLVED) in found
    assert {v.law for v in found} == {Law.G3}
    assert found[0].message == (
        "a record shows `new`, the item is `waiting`; the record would be left at or set to `solved`, which reads "
        "`resolved`: not on the side of `waiting`"
    )


def test_a_value_that_reads_as_nothing_is_refused() -> None:
    found = violations(StatusRules(values={"on": Status.NEW}, write={Status.NEW: "on", Status.RESOLVED: "gone"}))
    assert {(v.law, v.written, v.reads) for v in found} == {(Law.G3, "gone", None)}
    assert "which reads nothing the mapping names" in found[0].message


def test_a_map_that_can_write_one_side_only_is_refused() -> None:
    found = violations(StatusRules(values={"on": Status.NEW, "off": Status.RESOLVED}, write={Status.NEW: "on"}))
    assert {(v.law, v.raw, v.status) for v in found} == {
        (Law.G3, "on", Status.RESOLVED),
        (Law.G3, "on", Status.CLOSED),
    }


def test_a_done_value_that_is_kept_or_accepted_while_open_is_refused() -> None:
    kept = structs.replace(HELPDESK, keep=frozenset({"solved"}))
    accepted = structs.replace(HELPDESK, accept={Status.NEW: frozenset({"solved"})})
    assert {v.status for v in violations(kept)} == {Status.NEW, Status.IN_PROGRESS, Status.WAITING}
    assert {v.status for v in violations(accepted)} == {Status.NEW}


@pytest.mark.parametrize("raw", ["closed", "shelved"])
def test_a_write_that_cannot_be_undone_is_refused(raw: str) -> None:
    rules = structs.replace(HELPDESK, write={**HELPDESK.write, Status.CLOSED: raw}, archived=frozenset({"shelved"}))
    found = violations(rules)
    assert [(v.law, v.status, v.written) for v in found] == [(Law.FINAL, Status.CLOSED, raw)]
    assert found[0].message == (
        f"the value written for `closed` is `{raw}`, which is frozen or archived: such a write cannot be undone"
    )


def test_a_lens_that_rewrites_agreeing_values_is_found() -> None:
    found = violations(HELPDESK, lambda rules, status, raw: rules.write.get(status, "solved"))
    assert Law.G1 in {v.law for v in found}
    first = next(v for v in found if v.law is Law.G1)
    assert first.message == (
        "a record shows `closed`, the item is `resolved`, which is how `closed` reads; "
        "yet `solved` would be written over it"
    )


def test_a_lens_that_never_rests_is_found() -> None:
    turn = {"new": "open", "open": "hold", "hold": "open"}
    found = violations(HELPDESK, lambda rules, status, raw: turn.get(raw, raw))
    rests = [v for v in found if v.law is Law.G2]
    assert rests
    assert rests[0].message.endswith("and then something else again: it would never rest")
