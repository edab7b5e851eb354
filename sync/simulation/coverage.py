"""What a run has to reach before its silence means anything: every fault, park, conflict and premise, by name."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.sandbox.faults import FaultKind
from sync.core.reasons import ConflictKind, HoldReason, ParkReason
from sync.simulation.circumstances import Circumstance
from sync.simulation.faults import APPLIED, READS, WRITES
from sync.simulation.premises import PREMISES

ENOUGH = 200
"""Mixed histories from which on a run fails for what it did not reach; a smaller one lists it."""

EXPECTED: Mapping[str, frozenset[str]] = {
    "faults": frozenset(
        {
            *(str(each) for each in (*READS, *WRITES)),
            *(f"{each}_applied" for each in APPLIED),
            str(FaultKind.STALE_READ),
            str(FaultKind.IGNORE_WRITE),
            *(f"crash {where}" for where in ("before call", "after call", "before commit", "after commit")),
            *("race", "restart", "hook_drops", "hook_duplicates", "hook_shuffle", "pause", "remap", "restore"),
            "clock jump",
        }
    ),
    "circumstances": frozenset(str(each) for each in Circumstance),
    "parks": frozenset(str(each) for each in ParkReason),
    "conflicts": frozenset(str(each) for each in ConflictKind),
    "holds": frozenset(str(each) for each in HoldReason),
    "premises": frozenset(PREMISES),
}
"""All there is, by the field of `Figures` that counts it."""

BEYOND: Mapping[str, Mapping[str, str]] = {
    "parks": {
        "create_duplicated": "needs a remote system that made one create twice, which no actor may do without breaking "
        "H7; see tests/sync/engine/test_parks.py",
        "proposed": "needs a route that asks a person first; see tests/sync/engine/test_routes_that_ask.py",
    },
    "conflicts": {
        "field_rule": "the shipped mappings merge no further field both ways; see tests/sync/engine/test_fields.py",
        "field_held": "the shipped mappings merge no further field both ways; see tests/sync/engine/test_fields.py",
    },
    "holds": {
        "account_mismatch": "needs settings that lead to another account; see tests/sync/engine/test_first_contact.py",
        "mass_missing": "needs more than twenty linked records; see tests/sync/engine/test_brakes.py",
        "mass_writes": "needs more than fifty linked records; see tests/sync/engine/test_brakes.py",
    },
}
"""What no actor here can reach, and why. It is listed and fails no run."""


def unreached(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """What was expected and never seen, as `parks: no_path`. counts: by the fields of `EXPECTED`."""
    return [
        f"{field}: {name}"
        for field, names in EXPECTED.items()
        for name in sorted(names - set(BEYOND.get(field, ())))
        if not counts.get(field, {}).get(name)
    ]
