"""The merged fields of a mapping file: status, tags and links."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from sync.mapping.schema.ground import RawMap, Strict, Text, YesNo
from sync.model import Dimension, Direction, Fact, Status


class Show(StrEnum):
    """How a record shows the records it belongs with."""

    REMOTE_LINK = "remote_link"
    FIELD = "field"
    NOTE = "note"
    APP = "app"
    NONE = "none"


class ByCategory(Strict):
    """What a status means when its name is not in `values`: looked up in a second, coarser field."""

    field: Text = Field(description="The coarser field.", examples=["status_category"])
    values: dict[Text, Status] = Field(
        description="What each of its values means.",
        examples=[{"new": "new", "indeterminate": "in_progress", "done": "resolved"}],
    )


class StatusField(Strict):
    """Status: the field that decides whether an item is open or done."""

    field: Text = Field(description="The remote field that holds the status.", examples=["status"])
    direction: Direction = Field(
        default=Direction.BOTH,
        description="`both`: two-way. `in`: read, never written. `out`: written when the item speaks, has no say "
        "itself. "
        "`enforce`: like `out`, and put back when somebody changes it. `off`: ignored.",
        examples=["both"],
    )
    values: dict[Text, Status] = Field(
        default_factory=dict,
        description="What each remote status means.",
        examples=[{"open": "in_progress", "solved": "resolved"}],
    )
    write: dict[Status, Text] = Field(
        default_factory=dict,
        description="The remote status to write for each meaning. A meaning without an entry takes the nearest one "
        "on its side.",
        examples=[{"in_progress": "open", "resolved": "solved"}],
    )
    accept: dict[Status, list[Text]] = Field(
        default_factory=dict,
        description="Remote statuses that may stay as they are under this meaning, although they are read as "
        "another one.",
        examples=[{"new": ["open"]}],
    )
    collapses: YesNo = Field(
        default=False,
        description="Some meanings cannot be told apart here, and that is meant: without this, a mapping is refused "
        "that writes a status which reads as another meaning than the one it is written for.",
        examples=[True],
    )
    keep: list[Text] = Field(
        default_factory=list,
        description="Open statuses that are never overwritten by another open one.",
        examples=[["pending"]],
    )
    archived: list[Text] = Field(
        default_factory=list,
        description="Statuses that are neither open nor done: the record counts as it did before.",
        examples=[["ignored"]],
    )
    frozen: list[Text] = Field(
        default_factory=list,
        description="Statuses after which the remote refuses every edit: never written to again.",
        examples=[["closed"]],
    )
    facts: dict[Fact, list[Text]] = Field(
        default_factory=dict,
        description="Statuses that say something beside their meaning.",
        examples=[{"reopened": ["Reopened"]}],
    )
    by_category: ByCategory | None = Field(
        default=None,
        description="What a status means that `values` does not name, by a coarser field of the record.",
        examples=[
            {"field": "status_category", "values": {"new": "new", "indeterminate": "in_progress", "done": "resolved"}}
        ],
    )
    default: Status | None = Field(
        default=None,
        description="What a status means that is named nowhere. Without it such a status is reported on the item "
        "and its status is left alone.",
        examples=["in_progress"],
    )


class TagsField(Strict):
    """Tags: one set under one folding key (case, spaces and Unicode form do not tell two tags apart)."""

    field: Text = Field(description="The remote field that holds the tags.", examples=["tags", "labels"])
    direction: Direction = Field(default=Direction.BOTH, description="As for status.", examples=["both"])
    include: list[Text] = Field(
        default_factory=lambda: ["*"],
        description="Which tags travel to and from here: names or globs.",
        examples=[["launch-*", "area-*"]],
    )
    exclude: list[Text] = Field(
        default_factory=list,
        description="Which of these stay out of it nevertheless: names or globs.",
        examples=[["hub*", "closed_by_merge"]],
    )
    exclude_field_values: YesNo = Field(
        default=False,
        description="A tag that is also the value of one of the record's custom fields belongs to that field (a "
        "drop-down) and does not travel.",
        examples=[True],
    )
    prefix: str = Field(
        default="",
        description="Only tags that begin with this travel; elsewhere they stand without it.",
        examples=["hc-"],
    )
    rename: RawMap = Field(
        default_factory=dict,
        description="Tags that have another name everywhere else: name here, name there.",
        examples=[{"pay": "payments"}],
    )
    dimensions: dict[Dimension, list[Text]] = Field(
        default_factory=dict,
        description="Which tags say where: names or globs by dimension.",
        examples=[{"area": ["area-*", "login"]}],
    )
    lower_case: YesNo = Field(default=False, description="Tags are lower case here.", examples=[True])
    refuse_characters: str = Field(
        default="",
        description="Characters that a tag cannot have here; a tag with one of them stays elsewhere.",
        examples=[","],
    )


class LinksField(Strict):
    """Links: how a record shows the records it belongs with, and where it names them."""

    show: Show = Field(
        default=Show.NONE,
        description="How the others are shown on this record: as a remote link, in a field, in one internal note, "
        "by the official app, or not.",
        examples=["note", "remote_link"],
    )
    direction: Direction = Field(
        default=Direction.BOTH,
        description="`both`, `in` (followed, never shown), `out` (shown, never followed), `off`.",
        examples=["both"],
    )
    field: str = Field(
        default="",
        description="The field written to when `show` is `field`; it is read as well.",
        examples=["custom_fields.360001"],
    )
    read: list[Text] = Field(
        default_factory=list,
        description="More fields in which people name records of other systems.",
        examples=[["external_id"]],
    )
    patterns: list[Text] = Field(
        default_factory=list,
        description="What a reference looks like in these fields: a text with {key}, {id}, {ticket} or {url}, or "
        "/a regular expression/. "
        "Without any, each word of the field is tried as a key, an id and an address.",
        examples=[["https://example.atlassian.net/browse/{key}", "{key}"]],
    )
    note: Text = Field(
        default="This is being worked on in $key: $title\n$url",
        description="The internal note, when `show` is `note`. Names: $key, $id, $url, $title, $system, $connection.",
        examples=["Linked with $key: $url"],
    )
