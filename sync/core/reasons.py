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


PARK: dict[ParkReason, Reason] = {
    ParkReason.NO_PATH: Reason(
        means="The workflow has no legal way from the status that the issue shows to the wanted one, nor to another "
        "status of that side.",
        do="Move the issue by hand, or add the missing transition to the workflow; the hub goes on by itself after "
        "either. To leave it as it is: `hypercare parked skip`.",
        switch="",
        test="tests/sync/core/test_status.py",
    ),
    ParkReason.REQUIRED_FIELD: Reason(
        means="The screen of the workflow step demands a field for which the mapping has no value.",
        do="Give the field a value under `transitions` in the mapping of that system, or make it optional on the "
        "screen, then `hypercare parked retry`.",
        switch="",
        test="",
    ),
    ParkReason.UNMAPPED_VALUE: Reason(
        means="The record shows a status that its mapping does not name. It is neither heard nor written until then, "
        "and its group cannot be all done; its tags go on.",
        do="Add the value shown to `values` in the mapping of that system. The record's change is then taken up.",
        switch="",
        test="tests/sync/core/test_status.py",
    ),
    ParkReason.WRITE_REJECTED: Reason(
        means="The remote system refuses what was to be written, in the words shown.",
        do="Correct what the remote complains about (a rule, a permission, a value in the mapping), then "
        "`hypercare parked retry`.",
        switch="",
        test="",
    ),
    ParkReason.WRITE_IGNORED: Reason(
        means="The remote system answered that all is well, several times, and the record never showed what was "
        "written. Both values are shown.",
        do="Look for a rule, trigger or permission on that system that undoes or drops the change; then "
        "`hypercare parked retry`.",
        switch="",
        test="",
    ),
    ParkReason.CREATE_REJECTED: Reason(
        means="The remote system refuses to create the record that a route asks for, in the words shown.",
        do="Correct the route or the mapping (project, issue type, a required field), then `hypercare parked retry`.",
        switch="",
        test="",
    ),
    ParkReason.CREATE_DUPLICATED: Reason(
        means="Two or more records carry the mark of one create: it took place more than once.",
        do="Decide which one stays, link it with `hypercare link`, and close or delete the others by hand.",
        switch="",
        test="",
    ),
    ParkReason.RECORD_UNREACHABLE: Reason(
        means="The record can no longer be read or written with the hub's credentials; whether it still exists is not "
        "known. Nothing is removed anywhere because of it.",
        do="Give the hub's account access to it again, or unlink it with `hypercare unlink`.",
        switch="",
        test="",
    ),
    ParkReason.NOT_UNDERSTOOD: Reason(
        means="The remote system answered with something that its contract does not promise (a page instead of data, "
        "a cut body, a missing field).",
        do="Look at the address and at any proxy between; `hypercare check --online` shows the answer. Then "
        "`hypercare parked retry`. If it stays, it is a defect of the hub: report it.",
        switch="",
        test="",
    ),
    ParkReason.SKIPPED: Reason(
        means="A person decided that this is not to be written, for the reason shown.",
        do="Nothing. `hypercare parked retry` takes the decision back.",
        switch="",
        test="",
    ),
}
"""Why something is parked, in words."""

HOLD: dict[HoldReason, Reason] = {
    HoldReason.AUTH_REJECTED: Reason(
        means="The remote system refuses the hub's credentials. Nothing is read or written on this connection.",
        do="Renew the credentials in the settings or the secret file, see that `hypercare check --online` is content, "
        "then `hypercare holds resume`.",
        switch="",
        test="",
    ),
    HoldReason.ACCOUNT_MISMATCH: Reason(
        means="The credentials lead to another account than the one this connection was started with. What is known of "
        "the records would be wrong there.",
        do="Point the connection back at its account, or give the new account a connection of its own.",
        switch="",
        test="",
    ),
    HoldReason.MASS_MISSING: Reason(
        means="More linked records have become unreadable within an hour than chance explains: more often a permission "
        "or a wrong address than as many deletions.",
        do="Look at the samples. If the records are really gone, `hypercare holds resume`; else restore the access "
        "first.",
        switch="",
        test="tests/sync/core/test_thresholds.py",
    ),
    HoldReason.MASS_WRITES: Reason(
        means="One cause (a mapping, a restore, a bulk edit) would write more records within an hour than the brake "
        "allows.",
        do="Look at the count and the samples. If they are meant, `hypercare holds resume`; else undo the cause.",
        switch="",
        test="tests/sync/core/test_thresholds.py",
    ),
    HoldReason.FIGHT: Reason(
        means="The same value was written to the same field of one record several times within an hour: something "
        "there changes it back each time. Only that field is held; both writers are named.",
        do="Change the automation or the mapping, so that one of them gives way, then `hypercare holds resume`.",
        switch="",
        test="tests/sync/core/test_thresholds.py",
    ),
    HoldReason.RESTORED: Reason(
        means="The database was restored from a backup. What was written since then is not known to it, so every "
        "record is read again before anything is written.",
        do="Wait until the reading has ended, look at what would be written, then `hypercare holds resume`.",
        switch="",
        test="",
    ),
    HoldReason.PAUSED: Reason(
        means="A person paused the connection.",
        do="`hypercare start` when it is to go on.",
        switch="",
        test="",
    ),
}
"""Why something is held, in words."""

CONFLICT: dict[ConflictKind, Reason] = {
    ConflictKind.OPEN_WINS: Reason(
        means="One side finished the work while another reopened it, between two looks. The item is open: a complaint "
        "is never lost.",
        do="If it is done all the same, resolve it again in the tracker.",
        switch="",
        test="tests/sync/core/test_status.py",
    ),
    ConflictKind.CROSSING_WINS: Reason(
        means="One side resolved or reopened the item while another changed a detail (waiting, in progress), between "
        "two looks. The detail was overwritten; it is named here.",
        do="Nothing, unless the detail still matters: set it again.",
        switch="",
        test="tests/sync/core/test_status.py",
    ),
    ConflictKind.TRACKER_WINS: Reason(
        means="The tracker's people and the users of a ticket or signal moved the item differently, between two looks. "
        "The tracker's value holds.",
        do="Nothing, unless the other value was meant: set it again.",
        switch="",
        test="tests/sync/core/test_status.py",
    ),
    ConflictKind.ADD_WINS: Reason(
        means="A tag was added on one record and removed on another, between two looks. It stays, and is put back "
        "where it was removed.",
        do="If it is to go, remove it again.",
        switch="",
        test="tests/sync/core/test_tags.py",
    ),
    ConflictKind.MIRROR_REPLACED: Reason(
        means="A user changed a field of a record whose mapping only follows the item (direction `out` or `enforce`). "
        "The change was overwritten; it is named here.",
        do="Make the change in a system that is listened to, or set the direction of that field to `both`.",
        switch="",
        test="tests/sync/core/test_status.py",
    ),
    ConflictKind.OVERWRITTEN_EDIT: Reason(
        means="A user changed a record in the moment between the hub's read and its write. The change history shows "
        "the value that was overwritten; the item was decided again with it.",
        do="Look at both values, and set the right one where the hub chose the other.",
        switch="",
        test="",
    ),
    ConflictKind.TWO_TRACKERS: Reason(
        means="A record links two items that each have an issue of their own in the tracker. They are shown as related "
        "and were not joined.",
        do="Decide which issue is to stay: unlink the other one, then link the record again.",
        switch="",
        test="",
    ),
    ConflictKind.LINKED_ELSEWHERE: Reason(
        means="A record that is to be linked belongs to another item already.",
        do="Unlink it there first if it belongs here.",
        switch="",
        test="",
    ),
}
"""How a conflict was settled, in words."""
