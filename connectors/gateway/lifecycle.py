"""What happens to a signature by rule, and what people's acts make of its state. Pure: the time comes in."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from connectors.gateway.rules import FoldRules
from connectors.gateway.signature import Figures, Signature


class State(StrEnum):
    """The state of a signature that has become a record."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    REGRESSED = "regressed"
    MUTED = "muted"


class Mute(Struct, frozen=True, kw_only=True):
    """How long a signature stays muted: until a time, until `count` calls within `minutes`, or until it escalates.

    With none of them: for ever. The first that comes true ends it.
    """

    until: datetime | None = None
    count: int | None = None
    minutes: int = 60
    until_escalating: bool = False


class SignatureState(Struct, frozen=True, kw_only=True):
    """The state of one signature, which the hub owns. Times are wall times of the hub.

    resolved_by: `quiet` for the rule, else who resolved it. fixed_in: the upstream's version that has the fix; calls
    of other versions do not regress it. escalated_at: the last time it escalated.
    """

    state: State
    since: datetime
    resolved_at: datetime | None = None
    resolved_by: str = ""
    fixed_in: str = ""
    mute: Mute | None = None
    escalated_at: datetime | None = None


class Change(StrEnum):
    """What a rule did."""

    OPENED = "opened"
    RESOLVED = "resolved"
    REGRESSED = "regressed"
    ESCALATED = "escalated"
    UNMUTED = "unmuted"


class Transition(Struct, frozen=True, kw_only=True):
    """One change by rule. state: what the signature's state becomes. why: the figures behind it, for people."""

    change: Change
    state: SignatureState
    why: str


def judge(
    state: SignatureState | None, signature: Signature, figures: Figures, rules: FoldRules, now: datetime
) -> Transition | None:
    """The change that the rules ask for now; None: nothing. state: None while it has never crossed its threshold."""
    raise NotImplementedError


def acknowledge(state: SignatureState, at: datetime) -> SignatureState:
    """Somebody works on it."""
    raise NotImplementedError


def resolve(state: SignatureState, at: datetime, by: str, fixed_in: str = "") -> SignatureState:
    """Somebody says it is done."""
    raise NotImplementedError


def reopen(state: SignatureState, at: datetime) -> SignatureState:
    """Somebody says it is not done, or ends a mute."""
    raise NotImplementedError


def mute(state: SignatureState, at: datetime, form: Mute) -> SignatureState:
    """Somebody does not want to hear of it for a while."""
    raise NotImplementedError
