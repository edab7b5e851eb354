"""`rules.yaml`: how the records of one item speak together."""

from __future__ import annotations

from pydantic import Field

from sync.core.state import Detail, OnConflict, Reopen, Resolve
from sync.core.traces import Answer
from sync.mapping.schema.ground import Strict, YesNo
from sync.model import Role, Status


class GroupRules(Strict):
    """How the tickets (or the signals) of one item speak together."""

    resolve: Resolve = Field(
        default=Resolve.ALL,
        description="They resolve the item when `all` of them are done, when `any` is, or `never`.",
        examples=["all"],
    )
    reopen: Reopen = Field(
        default=Reopen.ANY,
        description="They reopen the item when `any` of them is opened again, or `never`.",
        examples=["any"],
    )
    reopen_reaches: list[Role] = Field(
        default_factory=lambda: [Role.TRACKER], description="Who hears of that.", examples=[["tracker"]]
    )
    detail: Detail = Field(
        default=Detail.TRACKER,
        description="Whose details (new, in progress, waiting) travel: the `tracker`'s, or also a lone record's "
        "(`sole`).",
        examples=["tracker"],
    )
    siblings: YesNo = Field(
        default=False, description="A tag added on one of them reaches the others too.", examples=[False]
    )
    automatic_resolve: YesNo = Field(
        default=False,
        description="A resolve that the remote system made by itself counts like a person's.",
        examples=[False],
    )


class Groups(Strict):
    """The rules by role. The tracker needs none: there is one of it."""

    helpdesk: GroupRules = Field(default_factory=GroupRules, description="Tickets.", examples=[{"resolve": "all"}])
    signal: GroupRules = Field(
        default_factory=GroupRules,
        description="What machines saw: errors, failing routes.",
        examples=[{"resolve": "never"}],
    )


class ProposedLinks(Strict):
    """What becomes of two records that name the same call: `propose` asks a person, `accept` joins them, `off`."""

    request_id: Answer = Field(
        default=Answer.PROPOSE,
        description="A record names the request id of a call that a gateway's sample or an error's tag has.",
        examples=["accept"],
    )
    trace_id: Answer = Field(
        default=Answer.PROPOSE,
        description="The same for a trace id, which may go through several services.",
        examples=["off"],
    )


class FieldRules(Strict):
    """How a field with one value is kept in step."""

    conflict: OnConflict = Field(
        default=OnConflict.PRECEDENCE,
        description="Which value holds when two records were set to different ones between two looks. `precedence`: by "
        "`order`. `owner`: that of the role named under `owner`. `latest`: the one the hub saw last. `hold`: neither; "
        "each record stays as it is until one is set again. The other value is named as a conflict.",
        examples=["precedence"],
    )
    order: list[Role] = Field(
        default_factory=lambda: [Role.TRACKER, Role.HELPDESK, Role.SIGNAL],
        description="Whose value holds first, by role.",
        examples=[["helpdesk", "tracker"]],
    )
    owner: Role | None = Field(default=None, description="Whose value holds with `owner`.", examples=["helpdesk"])


class MergedFields(Strict):
    """Fields with one value that are kept in step. One that is not named is a view, and written at most once."""

    severity: FieldRules | None = Field(
        default=None, description="How bad it is.", examples=[{"conflict": "precedence"}]
    )
    urgency: FieldRules | None = Field(
        default=None, description="How soon it is due.", examples=[{"conflict": "owner", "owner": "helpdesk"}]
    )
    owner: FieldRules | None = Field(
        default=None,
        description="Who works on it: people whom `people.yaml` names in both systems. Nobody is ever unassigned.",
        examples=[{"conflict": "precedence"}],
    )


class RulesFile(Strict):
    """`rules.yaml`: how the records of one item speak together."""

    groups: Groups = Field(
        default_factory=Groups, description="The rules by role.", examples=[{"helpdesk": {"resolve": "never"}}]
    )
    fields: MergedFields = Field(
        default_factory=MergedFields,
        description="Which fields are kept in step beside status, tags and links, and whose value holds.",
        examples=[{"severity": {"conflict": "precedence"}}],
    )
    reopen_as: Status = Field(
        default=Status.NEW,
        description="The status of an item that was opened again: `new`, `in_progress` or `waiting`.",
        examples=["new"],
    )
    proposals: ProposedLinks = Field(
        default_factory=ProposedLinks,
        description="What becomes of two records that name the same call.",
        examples=[{"request_id": "accept"}],
    )
