"""`rules.yaml`: how the records of one item speak together, checked and compiled."""

from __future__ import annotations

from sync.core.state import RoleRules, Rules
from sync.core.traces import Answer, TraceKind
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
