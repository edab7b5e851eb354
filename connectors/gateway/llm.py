"""LLM calls: their attempts, and whose fault a failure is. Pure.

The statuses are those that Apinto's AI drivers write: `normal`, `invalid request`, `quota exhausted`, `expired`,
`exceeded`, `invalid`, `timeout`; one element of `ai_provider_statuses` for each attempt of the fallback chain.
"""

from __future__ import annotations

import re

import msgspec

from connectors.gateway.calls import Attempt, Call
from connectors.gateway.signature import Fault
from sync.model import Json

NORMAL = frozenset({"", "normal", "ok", "success"})

_FAULTS = {
    "invalid request": Fault.PROMPT,
    "timeout": Fault.MODEL,
    "exceeded": Fault.MODEL,
    "quota exhausted": Fault.GATEWAY,
    "expired": Fault.GATEWAY,
    "invalid": Fault.GATEWAY,
}
_MOST_ATTEMPTS = 20
_OTHER_THAN_WORDS = re.compile(r"[^a-z0-9]+")


def attempts_of(value: Json) -> tuple[Attempt, ...]:
    """The attempts of a call, at most 20, in order. value: a list of objects, or the same as a text."""
    if isinstance(value, str) and value.strip().startswith("["):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return ()
    if not isinstance(value, list):
        return ()
    rows = [one for one in value[-_MOST_ATTEMPTS:] if isinstance(one, dict)]
    return tuple(Attempt(_text(row, "provider"), _text(row, "model"), _text(row, "status")) for row in rows)


def _text(row: dict[str, Json], name: str) -> str:
    value = row.get(name)
    return value[:80] if isinstance(value, str) else ""


def last_status(call: Call) -> str:
    """How the LLM side of a call ended: the last attempt's status, else the gateway's own word; "" for no LLM call."""
    return (call.attempts[-1].status if call.attempts else "") or call.ai_status


def failed(call: Call) -> bool:
    """Whether it is an LLM call that ended in anything but `normal`. A fallback that worked is no failure."""
    return last_status(call).strip().lower() not in NORMAL


def cause(call: Call) -> str:
    """`llm_<status>` of a failed LLM call."""
    return "llm_" + (_OTHER_THAN_WORDS.sub("_", last_status(call).lower()).strip("_")[:40] or "unknown")


def fault(call: Call) -> Fault:
    """Whose fault a failed LLM call is.

    `invalid request`: the prompt's. A key that is invalid, expired or without quota, and a call that never reached a
    provider: the gateway's, where the keys are kept. Everything else (time-outs, limits, unknown words): the model's.
    """
    known = _FAULTS.get(last_status(call).strip().lower())
    if known is not None:
        return known
    return Fault.MODEL if call.attempts or call.provider else Fault.GATEWAY
