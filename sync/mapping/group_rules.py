"""`rules.yaml`: how the records of one item speak together, checked and compiled."""

from __future__ import annotations

from sync.core.state import FieldRule, OnConflict, RoleRules, Rules
from sync.core.traces import Answer, TraceKind
from sync.core.values import MERGED
from sync.mapping import schema
from sync.mapping.findings import Problems
from sync.model import Role, Side, Status


def rules(file: schema.RulesFile, problems: Problems) -> Rules:
    """Compile the group rules."""
    if file.reopen_as.side is Side.DONE:
        problems.add(
            ("reopen_as",),
            f"`{file.reopen_as}` is a done status",
            "an item that is opened again is new, in_progress or waiting",
        )
    return Rules(
        roles={
            role: RoleRules(
                resolve=group.resolve,
                reopen=group.reopen,
                reopen_reaches=frozenset(group.reopen_reaches),
                detail=group.detail,
                siblings=group.siblings,
                automatic_resolve=group.automatic_resolve,
            )
            for role, group in ((Role.HELPDESK, file.groups.helpdesk), (Role.SIGNAL, file.groups.signal))
        },
        fields=_fields(file, problems),
        reopen_as=file.reopen_as if file.reopen_as.side is Side.ACTIVE else Status.NEW,
        proposals={
            kind: answer
            for kind, answer in (
                (TraceKind.REQUEST, file.proposals.request_id),
                (TraceKind.TRACE, file.proposals.trace_id),
            )
            if answer is not Answer.PROPOSE
        },
    )


def _fields(file: schema.RulesFile, problems: Problems) -> dict[str, FieldRule]:
    """The fields with one value that are kept in step, each with its rule for conflicts."""
    found = {}
    for name in MERGED:
        field = getattr(file.fields, name)
        if field is None:
            continue
        at = ("fields", name)
        if field.conflict is OnConflict.OWNER and field.owner is None:
            problems.add((*at, "owner"), "is missing", "say whose value holds: tracker, helpdesk or signal")
        if field.owner is not None and field.conflict is not OnConflict.OWNER:
            problems.add((*at, "owner"), f"means nothing with `conflict: {field.conflict}`", "take it out", key=True)
        for n, role in enumerate(field.order):
            if role in field.order[:n]:
                problems.add((*at, "order", n), f"`{role}` stands here a second time", "take it out")
        order = tuple(dict.fromkeys((*field.order, *Role)))
        found[name] = FieldRule(conflict=field.conflict, order=order, owner=field.owner)
    return found
