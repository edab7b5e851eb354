"""Which class a call falls into. Pure; the first that fits, in the order of the rules."""

from __future__ import annotations

from connectors.gateway import llm
from connectors.gateway.calls import Call
from connectors.gateway.rules import FoldRules, Group

QUIET_HANDLERS = frozenset({"", "proxy", "cache", "grey", "data_mask"})
"""Apinto's handlers that answer as asked; `limiting`, `fuse` and `visit` are policies that stop a call."""

_NO_FLAGS: frozenset[str] = frozenset()
_POLICIES = frozenset({"limiting", "fuse", "visit"})
_TIMEOUT_FLAGS = frozenset({"UT", "SI", "DT"})
_UNREACHABLE_FLAGS = frozenset({"UF", "UH", "UO", "NC", "NR", "URX", "UC", "LH"})


def classify(call: Call, rules: FoldRules) -> tuple[str, Group] | None:
    """The class of a failed call and the family it belongs to; None for a call that is no failure, or switched off.

    `latency` is not decided here: that takes the route's objective.
    """
    found = _class_of(call)
    if found is None or found[1] in rules.off:
        return None
    if found[1] is Group.CLIENT_4XX and rules.client_codes is not None and call.status not in rules.client_codes:
        return None
    return found


def _class_of(call: Call) -> tuple[str, Group] | None:
    flags: frozenset[str] = frozenset(call.flags.split(",")) if call.flags else _NO_FLAGS
    status = call.status
    if llm.failed(call):
        return llm.cause(call), Group.LLM
    if call.blocked or call.handler in _POLICIES:
        return "policy_block", Group.POLICY_BLOCK
    if status in (401, 403) and (call.by_gateway or call.attempted is False):
        return "auth", Group.AUTH
    if status == 504 or flags & _TIMEOUT_FLAGS:
        return "upstream_timeout", Group.UPSTREAM_TIMEOUT
    if status >= 500 and (
        call.by_gateway or flags & _UNREACHABLE_FLAGS or (status in (501, 502, 503) and call.upstream_status is None)
    ):
        return "upstream_unreachable", Group.UPSTREAM_UNREACHABLE
    if status >= 500:
        return "upstream_5xx", Group.UPSTREAM_5XX
    if status >= 400:
        return "client_4xx", Group.CLIENT_4XX
    return None


def opens_by_count(cause: str) -> bool:
    """Whether the count alone opens a signature of this class, whatever share of the route's calls it is."""
    return cause.startswith(("upstream_", "llm_"))
