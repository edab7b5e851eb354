"""The reasons people are shown: why a field is parked, a connection or field is held, a conflict was settled.

Each is one enumeration, with what it means and what to do. `docs/reasons.md` is generated from here, and a test fails
for a reason without text, without a test that reaches it, or without the sandbox switch that brings it about.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class ParkReason(StrEnum):
    """Why a delivery or one field of a record waits for a person."""

    NO_PATH = "no_path"
    REQUIRED_FIELD = "required_field"
    UNMAPPED_VALUE = "unmapped_value"
    WRITE_REJECTED = "write_rejected"
    WRITE_IGNORED = "write_ignored"
    CREATE_REJECTED = "create_rejected"
    CREATE_DUPLICATED = "create_duplicated"
    RECORD_UNREACHABLE = "record_unreachable"
    NOT_UNDERSTOOD = "not_understood"
    SKIPPED = "skipped"


class HoldReason(StrEnum):
    """Why a connection, or one field of one record, is held."""

    AUTH_REJECTED = "auth_rejected"
    ACCOUNT_MISMATCH = "account_mismatch"
    MASS_MISSING = "mass_missing"
    MASS_WRITES = "mass_writes"
    FIGHT = "fight"
    RESTORED = "restored"
    PAUSED = "paused"


class ConflictKind(StrEnum):
    """How two disagreeing sides were settled."""

    OPEN_WINS = "open_wins"
    CROSSING_WINS = "crossing_wins"
    TRACKER_WINS = "tracker_wins"
    ADD_WINS = "add_wins"
    MIRROR_REPLACED = "mirror_replaced"
    OVERWRITTEN_EDIT = "overwritten_edit"
    TWO_TRACKERS = "two_trackers"
    LINKED_ELSEWHERE = "linked_elsewhere"


class Reason(Struct, frozen=True):
    """The text of one reason: what it means, what to do, the sandbox switch that brings it about, the test."""

    means: str
    do: str
    switch: str
    test: str
