"""When to try again. Clock and chance come in as values."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["read", "write"]

FIRST_SECONDS: dict[Kind, float] = {"read": 1.0, "write": 2.0}
"""The longest wait after the first failure; it doubles with each further one."""

LONGEST_SECONDS: dict[Kind, float] = {"read": 300.0, "write": 900.0}
"""No wait of our own choosing is longer."""

SHORTEST_RETRY_AFTER = 1.0
LONGEST_RETRY_AFTER = 24 * 3600.0
"""A remote's own `Retry-After` is honoured between these, in seconds."""


def next_attempt(attempt: int, kind: Kind, retry_after: float | None, now: datetime, jitter: float) -> datetime:
    """When the next attempt is due, after `attempt` failed ones (from 1).

    retry_after: seconds the remote asked for; honoured whole, never shortened by chance. Else full jitter: `jitter` in
    [0, 1) of a wait that doubles up to a limit, so that many that failed together do not come back together.
    """
    if retry_after is not None:
        # In this order "not a number" ends at the shortest wait.
        asked = max(SHORTEST_RETRY_AFTER, retry_after)
        return now + timedelta(seconds=min(asked, LONGEST_RETRY_AFTER))
    doublings = min(max(attempt, 1) - 1, 32)
    longest = min(FIRST_SECONDS[kind] * 2.0**doublings, LONGEST_SECONDS[kind])
    return now + timedelta(seconds=longest * jitter)
