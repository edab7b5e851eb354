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
    PROPOSED = "proposed"
    RECORD_UNREACHABLE = "record_unreachable"
    NOT_UNDERSTOOD = "not_understood"


class HoldReason(StrEnum):
    """Why a connection, or one field of one record, is held."""

    AUTH_REJECTED = "auth_rejected"
    ACCOUNT_MISMATCH = "account_mismatch"
    MASS_MISSING = "mass_missing"
    MASS_WRITES = "mass_writes"
    FIGHT = "fight"
    RESTORED = "restored"


class ConflictKind(StrEnum):
    """How two disagreeing sides were settled."""

    OPEN_WINS = "open_wins"
    CROSSING_WINS = "crossing_wins"
    TRACKER_WINS = "tracker_wins"
    ADD_WINS = "add_wins"
    MIRROR_REPLACED = "mirror_replaced"
    OVERWRITTEN_EDIT = "overwritten_edit"
    TWO_TRACKERS = "two_trackers"
    FIELD_RULE = "field_rule"
    FIELD_HELD = "field_held"


class Reason(Struct, frozen=True):
    """One reason: what it means, what to do, the sandbox's switch that brings it about, the test that reaches it.

    switch: the system, `setting`, `fault` or `act`, and its name there. test: file and function.
    """

    means: str
    do: str
    switch: str
    test: str


PARK: dict[ParkReason, Reason] = {
    ParkReason.NO_PATH: Reason(
        means="The workflow has no legal way from the status that the issue shows to the wanted one, nor to another "
        "status of that side.",
        do="Move the issue by hand, or add the missing transition to the workflow and `hypercare parked retry`. To "
        "leave it as it is: `hypercare parked skip`.",
        switch="jira setting workflow",
        test="tests/sync/engine/test_parks.py::test_a_workflow_without_a_way_is_parked_and_names_both_ends",
    ),
    ParkReason.REQUIRED_FIELD: Reason(
        means="The screen of the workflow step demands a field for which the mapping has no value; or a record that a "
        "route asks for lacks one that the mapping or the route requires.",
        do="Give the field a value under `transitions` (or `create`, or in the route) and restart the daemon, or make "
        "it optional, then `hypercare parked retry`.",
        switch="jira setting resolution_required",
        test="tests/sync/engine/test_parks.py::test_a_screen_field_that_nobody_fills_in_is_parked_and_named",
    ),
    ParkReason.UNMAPPED_VALUE: Reason(
        means="The record shows a status that its mapping does not name. It is neither heard nor written until then, "
        "and its group cannot be all done; its tags go on.",
        do="Add the value shown to `values` in the mapping of that system and restart the daemon. The record's change "
        "is then taken up.",
        switch="jira setting unknown_categories",
        test="tests/sync/engine/test_parks.py::test_a_status_that_no_mapping_names_is_parked_and_moves_nobody",
    ),
    ParkReason.WRITE_REJECTED: Reason(
        means="The remote system refuses what was to be written, in the words shown.",
        do="Correct what the remote complains about (a rule, a permission, a value in the mapping), then "
        "`hypercare parked retry`.",
        switch="zendesk setting required_to_solve",
        test="tests/sync/engine/test_parks.py"
        "::test_a_refused_write_is_parked_with_the_remotes_words_and_the_rest_goes_out",
    ),
    ParkReason.WRITE_IGNORED: Reason(
        means="The remote system answered that all is well, several times, and the record never showed what was "
        "written. Both values are shown.",
        do="Look for a rule, trigger or permission on that system that undoes or drops the change; then "
        "`hypercare parked retry`.",
        switch="zendesk fault ignore_write",
        test="tests/sync/engine/test_parks.py"
        "::test_a_write_that_is_answered_well_and_not_kept_is_parked_with_both_values",
    ),
    ParkReason.CREATE_REJECTED: Reason(
        means="The remote system refuses to create the record that a route asks for, in the words shown.",
        do="Correct the route or the mapping (project, issue type, a required field), then `hypercare parked retry`.",
        switch="jira act permission",
        test="tests/sync/engine/test_parks.py"
        "::test_a_refused_create_is_parked_with_the_remotes_words_and_made_once_when_tried_again",
    ),
    ParkReason.CREATE_DUPLICATED: Reason(
        means="Two or more records carry the mark of one create: it took place more than once.",
        do="Decide which one stays, link it with `hypercare link`, and close or delete the others by hand.",
        switch="jira act create",
        test="tests/sync/engine/test_parks.py::test_a_create_that_took_place_twice_is_reported_and_not_hidden",
    ),
    ParkReason.PROPOSED: Reason(
        means="A route with `propose` fits the record: a counterpart could be created, and a person decides.",
        do="`hypercare parked retry` creates it; `hypercare parked skip` leaves it, for good.",
        switch="zendesk act create",
        test="tests/sync/engine/test_routes_that_ask.py::test_a_proposed_issue_is_created_when_a_person_says_yes",
    ),
    ParkReason.RECORD_UNREACHABLE: Reason(
        means="The record can no longer be read or written with the hub's credentials; whether it still exists is not "
        "known. Nothing is removed anywhere because of it.",
        do="Give the hub's account access to it again: it goes on by itself when it is read next, at once after "
        "`hypercare parked retry`. Or unlink it with `hypercare unlink`.",
        switch="zendesk act forbid",
        test="tests/sync/engine/test_parks.py::test_a_ticket_that_may_not_be_seen_is_parked_and_ends_by_itself",
    ),
    ParkReason.NOT_UNDERSTOOD: Reason(
        means="Several times in a row the remote system answered a read of this record with something that its "
        "contract does not promise (a page instead of data, a cut body, a missing field).",
        do="Look at the address and at any proxy between; `hypercare check --online` shows the answer. It is asked "
        "for again all the time, and goes on by itself. If it stays, it is a defect of the hub: report it.",
        switch="zendesk fault null",
        test="tests/sync/engine/test_parks.py"
        "::test_a_record_whose_answer_is_not_understood_is_parked_and_ends_by_itself",
    ),
}
"""Why something is parked, in words."""

HOLD: dict[HoldReason, Reason] = {
    HoldReason.AUTH_REJECTED: Reason(
        means="The remote system refuses the hub's credentials. Nothing is read or written on this connection; only "
        "the check is tried again, ever more seldom, and releases the hold when it passes.",
        do="Renew the credentials in the settings or the secret file and restart the daemon. If they are good again "
        "without that, `hypercare holds resume` has the check made at once.",
        switch="jira act token",
        test="tests/sync/engine/test_holds.py"
        "::test_refused_credentials_hold_the_connection_and_stop_every_call_but_the_check",
    ),
    HoldReason.ACCOUNT_MISMATCH: Reason(
        means="The credentials lead to another account than the one this connection was started with. What is known of "
        "the records would be wrong there.",
        do="Point the connection back at its account and restart the daemon, or give the new account a connection of "
        "its own. The hold is released by the check.",
        switch="zendesk setting subdomain",
        test="tests/sync/engine/test_first_contact.py"
        "::test_another_account_is_held_and_nothing_of_it_is_read_or_written",
    ),
    HoldReason.MASS_MISSING: Reason(
        means="More linked records have become unreadable within an hour than chance explains: more often a permission "
        "or a wrong address than as many deletions.",
        do="Look at the samples. If the records are really gone, `hypercare holds resume`; else restore the access "
        "first.",
        switch="zendesk act delete",
        test="tests/sync/engine/test_brakes.py"
        "::test_more_than_twenty_linked_records_gone_in_an_hour_hold_the_connection",
    ),
    HoldReason.MASS_WRITES: Reason(
        means="One cause (one kind of change on one connection, such as a bulk edit) would write to more records "
        "within an hour than the brake allows.",
        do="Look at the count and the samples. If they are meant, `hypercare holds resume`; else undo the cause.",
        switch="zendesk act status",
        test="tests/sync/engine/test_brakes.py::test_a_bulk_edit_of_many_items_brakes_the_other_side",
    ),
    HoldReason.FIGHT: Reason(
        means="The same value was written to the same field of one record several times within an hour: something "
        "there changes it back each time. Only that field is held; both writers are named.",
        do="Change the automation or the mapping, so that one of them gives way, then `hypercare holds resume`.",
        switch="jira act transition",
        test="tests/sync/engine/test_fights.py::test_an_automation_that_keeps_setting_a_status_back_is_named",
    ),
    HoldReason.RESTORED: Reason(
        means="The database was restored from a backup. What was written since then is not known to it, so every "
        "linked record, and all that was changed since, is read again before anything is written.",
        do="Wait: it is released by itself when all is read. `hypercare holds resume` lets it go before that, at the "
        "risk of writing on old knowledge.",
        switch="jira act create",
        test="tests/sync/engine/test_restore.py"
        "::test_a_restored_database_holds_every_connection_until_all_is_read_anew",
    ),
}
"""Why something is held, in words."""

CONFLICT: dict[ConflictKind, Reason] = {
    ConflictKind.OPEN_WINS: Reason(
        means="One side finished the work while another reopened it, between two looks. The item is open: a complaint "
        "is never lost.",
        do="If it is done all the same, resolve it again in the tracker.",
        switch="jira act transition",
        test="tests/sync/engine/test_conflicts.py"
        "::test_open_wins_when_the_issue_is_finished_while_a_ticket_is_opened_again",
    ),
    ConflictKind.CROSSING_WINS: Reason(
        means="One side resolved or reopened the item while another changed a detail (waiting, in progress), between "
        "two looks. The detail was overwritten; it is named here.",
        do="Nothing, unless the detail still matters: set it again.",
        switch="zendesk act status",
        test="tests/sync/engine/test_conflicts.py::test_a_crossing_beats_a_detail_and_the_detail_is_named",
    ),
    ConflictKind.TRACKER_WINS: Reason(
        means="The tracker's people and the users of a ticket or signal moved the item differently, between two looks. "
        "The tracker's value holds.",
        do="Nothing, unless the other value was meant: set it again.",
        switch="zendesk act status",
        test="tests/sync/engine/test_conflicts.py::test_the_tracker_beats_a_lone_ticket_that_says_something_else",
    ),
    ConflictKind.ADD_WINS: Reason(
        means="A tag was added on one record and removed on another, between two looks. It stays, and is put back "
        "where it was removed.",
        do="If it is to go, remove it again.",
        switch="zendesk act tag",
        test="tests/sync/engine/test_conflicts.py::test_a_tag_added_here_and_removed_there_stays",
    ),
    ConflictKind.MIRROR_REPLACED: Reason(
        means="A user changed a field of a record whose mapping only follows the item (direction `out` or `enforce`). "
        "The change was overwritten; it is named here.",
        do="Make the change in a system that is listened to, or set the direction of that field to `both`.",
        switch="jira act transition",
        test="tests/sync/engine/test_conflicts.py"
        "::test_what_a_user_sets_where_the_hub_only_writes_is_replaced_and_named",
    ),
    ConflictKind.OVERWRITTEN_EDIT: Reason(
        means="A user changed a record in the moment between the hub's read and its write. The change history shows "
        "the value that was overwritten; the item was decided again with it.",
        do="Look at both values, and set the right one where the hub chose the other.",
        switch="zendesk act status",
        test="tests/sync/engine/test_overwritten.py"
        "::test_a_detail_set_in_the_second_of_our_resolve_is_named_and_the_resolve_stands",
    ),
    ConflictKind.FIELD_RULE: Reason(
        means="Two records were set to different values of one field between two looks. The rule of that field in "
        "`rules.yaml` says which one holds; the other is named here.",
        do="If the other was right, set it again.",
        switch="jira act edit",
        test="tests/sync/engine/test_fields.py::test_of_two_priorities_the_rule_s_holds_and_the_other_is_named",
    ),
    ConflictKind.FIELD_HELD: Reason(
        means="Two records were set to different values of one field between two looks, and the rule of that field is "
        "`hold`: neither is taken, and each record stays as it is.",
        do="Set the right value on one of them: it then reaches the other.",
        switch="jira act edit",
        test="tests/sync/engine/test_fields.py::test_where_the_rule_is_hold_neither_is_taken_until_one_is_set_again",
    ),
    ConflictKind.TWO_TRACKERS: Reason(
        means="A record links two items that each have an issue of their own in the tracker. They are shown as related "
        "and were not joined.",
        do="Decide which issue is to stay: unlink the other one, then link the record again.",
        switch="jira act remote_link",
        test="tests/sync/engine/test_conflicts.py"
        "::test_two_issues_that_one_ticket_names_are_shown_to_a_person_and_not_joined",
    ),
}
"""How a conflict was settled, in words."""
