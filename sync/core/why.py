"""Why a record was written or left as it is, and why an item changed: the words of the journal and of `explain`."""

from __future__ import annotations

from enum import StrEnum


class Why(StrEnum):
    """The rule behind one decision. Identifiers are stored: they never change."""

    # a record's status
    TOLD_CROSSING = "told_crossing"
    TOLD_DETAIL = "told_detail"
    ENFORCED = "enforced"
    HEARD = "heard"
    NOT_TOLD = "not_told"
    ASIDE = "aside"
    LINE = "line"
    CLOSED = "closed"
    ARCHIVED = "archived"
    DIRECTION_IN = "direction_in"
    DIRECTION_OFF = "direction_off"
    HELD = "held"
    IN_DOUBT = "in_doubt"
    UNREAD = "unread"
    UNMAPPED = "unmapped"
    PARKED = "parked"
    STEPS_UNKNOWN = "steps_unknown"
    ASKED = "asked"
    JOINED = "joined"
    NO_STATUS = "no_status"
    # a record's tags
    TAGS_TOLD = "tags_told"
    TAGS_AGREE = "tags_agree"
    TAGS_ONLY_READ = "tags_only_read"
    # an item's change
    JOIN_TRACKER = "join_tracker"
    FIRST_MEMBER = "first_member"
    OPEN_WINS = "open_wins"
    TRACKER_CROSSED = "tracker_crossed"
    GROUP_RESOLVED = "group_resolved"
    GROUP_REOPENED = "group_reopened"
    TRACKER_DETAIL = "tracker_detail"
    SOLE_DETAIL = "sole_detail"
    TRACKER_LANDED = "tracker_landed"
    VALUE_SET = "value_set"
    TAG_ADDED = "tag_added"
    TAG_BROUGHT = "tag_brought"
    TAG_REMOVED = "tag_removed"


EXPLAIN: dict[Why, str] = {
    Why.TOLD_CROSSING: "The item was resolved or reopened, and this record was told.",
    Why.TOLD_DETAIL: "The item changed its status within the same side, and this record was told.",
    Why.ENFORCED: "The direction is `enforce`: the record is made to show the item's value whenever it differs.",
    Why.HEARD: "The record shows what it was told, or a value that may rest under it.",
    Why.NOT_TOLD: "The item has said nothing to records of this role since this one last heard it.",
    Why.ASIDE: "Its own user moved it against the item, or it joined the item so; it stays until the item is resolved.",
    Why.LINE: "Only a detail was said, and a detail never carries a record over the line between open and done.",
    Why.CLOSED: "The remote system refuses every further edit of this record.",
    Why.ARCHIVED: "The record is archived; archived records are never written.",
    Why.DIRECTION_IN: "The direction is `in`: the field is read from this record and never written to it.",
    Why.DIRECTION_OFF: "The direction is `off`: the field is neither read nor written here.",
    Why.HELD: "The field is held on this record until a person releases it.",
    Why.IN_DOUBT: "A write to this record was sent and its outcome is not known yet; nothing is concluded until it is.",
    Why.UNREAD: "The record could not be read in this pass.",
    Why.UNMAPPED: "The record shows a value that its mapping does not name.",
    Why.PARKED: "The field is parked on this record; the park's reason says what to do.",
    Why.STEPS_UNKNOWN: "The workflow steps from the record's present status are not known; it is read first.",
    Why.ASKED: "Its group would resolve; the change history must first tell whether a person resolved this record.",
    Why.JOINED: "The record has just joined the item; joining changes nobody's status.",
    Why.NO_STATUS: "The item has no status yet: no record that may give it one was read.",
    Why.TAGS_TOLD: "The item's tags changed, and this record is to show it.",
    Why.TAGS_AGREE: "The record shows the item's tags, or was left without one by its own user.",
    Why.TAGS_ONLY_READ: "Tags are read from this record and not written to it.",
    Why.JOIN_TRACKER: "A tracker record joined; the item took its value silently.",
    Why.FIRST_MEMBER: "The item had no value and took that of its tracker, else of its oldest record.",
    Why.OPEN_WINS: "One side finished while another reopened; open wins.",
    Why.TRACKER_CROSSED: "The tracker's people resolved or reopened the issue.",
    Why.GROUP_RESOLVED: "All records of one role are done, and its users made it so.",
    Why.GROUP_REOPENED: "The user of a record reopened it.",
    Why.TRACKER_DETAIL: "The tracker's people moved the issue within the same side.",
    Why.SOLE_DETAIL: "The rules let a lone ticket's detail travel, and its user changed it.",
    Why.VALUE_SET: "A user set the field on a record.",
    Why.TRACKER_LANDED: "The tracker could not show the wanted value; where it landed is the item's value.",
    Why.TAG_ADDED: "The tag was added there.",
    Why.TAG_BROUGHT: "A user of another role added a tag that the item already had; it now reaches more records.",
    Why.TAG_REMOVED: "The tag was removed and no record of that role keeps it.",
}
"""Each rule as a sentence for people."""
