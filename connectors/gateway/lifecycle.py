"""What happens to a signature by rule, and what people's acts make of its state. Pure: the time comes in."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from msgspec import Struct, structs

from connectors.gateway.classify import opens_by_count
from connectors.gateway.rules import FoldRules, Group, named
from connectors.gateway.signature import RECENT, Figures, Signature

QUIET = "quiet"
"""Who resolved a signature that went quiet: the rule."""

CALM = timedelta(hours=24)
"""A signature escalates at most once in this time."""


class State(StrEnum):
    """The state of a signature that has become a record."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    REGRESSED = "regressed"
    MUTED = "muted"


class Mute(Struct, frozen=True, kw_only=True):
    """How long a signature stays muted: until a time, until `count` more calls of which as many lie within an hour (or
    a day), or until it escalates. With none of them: for ever. The first that comes true ends it.

    since_count: the signature's count when it was muted.
    """

    until: datetime | None = None
    count: int | None = None
    per: Literal["hour", "day"] = "hour"
    since_count: int = 0
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
    if state is None:
        return _opened(signature, figures, rules, now)
    match state.state:
        case State.RESOLVED:
            return _regressed(state, figures, rules, now)
        case State.MUTED:
            return _unmuted(state, figures, rules, now)
        case _:
            return _escalated(state, figures, rules, now) or _gone_quiet(state, figures, rules, now)


def _opened(signature: Signature, figures: Figures, rules: FoldRules, now: datetime) -> Transition | None:
    found = f"{figures.window_count} of {figures.window_total} calls within {rules.window_minutes} min"
    open_now = SignatureState(state=State.OPEN, since=now)
    if figures.window_count and named(rules.single_hit_routes, signature.service, signature.route):
        return Transition(change=Change.OPENED, state=open_now, why=f"{found}; one is enough on this route")
    if figures.window_count < rules.min_count or not _is_enough(signature, figures, rules):
        return None
    return Transition(change=Change.OPENED, state=open_now, why=f"{found} ({figures.window_rate:.1%})")


def _is_enough(signature: Signature, figures: Figures, rules: FoldRules) -> bool:
    """Whether the share of the route's calls is large enough for the class."""
    if opens_by_count(signature.cause):
        return True
    if signature.cause == Group.LATENCY:
        # More than one call in twenty over the objective: the 95th percentile of the window is over it.
        return figures.window_rate > rules.slow_share
    return figures.window_rate >= (rules.client_min_rate if signature.cause == Group.CLIENT_4XX else rules.min_rate)


def _gone_quiet(state: SignatureState, figures: Figures, rules: FoldRules, now: datetime) -> Transition | None:
    quiet = timedelta(minutes=rules.quiet_minutes)
    if figures.at - figures.last_seen_at < quiet or figures.at - state.since < quiet:
        return None
    # Reopened by a person after its last call: only what went through since then says anything.
    others = figures.route_since_last if state.since <= figures.last_seen_at + quiet else figures.route_1h
    if others < max(1, rules.quiet_requests):
        return None
    why = f"no call since {figures.last_seen_at:%Y-%m-%d %H:%M} UTC while the route had {others} others"
    return Transition(change=Change.RESOLVED, state=resolve(state, now, QUIET), why=why)


def _regressed(state: SignatureState, figures: Figures, rules: FoldRules, now: datetime) -> Transition | None:
    assert state.resolved_at is not None
    after = state.resolved_at + timedelta(seconds=rules.grace_seconds)
    old = {version for at, version in figures.recent if at <= state.resolved_at}
    hits = [at for at, version in figures.recent if at > after and not _is_before(version, state.fixed_in, old)]
    if len(hits) < min(max(1, rules.regress_hits), RECENT):
        return None
    why = f"{len(hits)} calls since {min(hits):%Y-%m-%d %H:%M:%S} UTC, resolved at {state.resolved_at:%H:%M:%S}"
    return Transition(change=Change.REGRESSED, state=_replaced(state, State.REGRESSED, now), why=why)


def _is_before(version: str, fixed_in: str, old: set[str]) -> bool:
    """Whether a call was answered by a version without the fix. Of versions that cannot be compared: by a known one."""
    if not fixed_in or not version or version == fixed_in:
        return False
    ours, fixed = _numbers(version), _numbers(fixed_in)
    return ours < fixed if ours and fixed else version in old


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.removeprefix("v").split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() and len(part) < 10 for part in parts) else ()


def _escalates(figures: Figures, rules: FoldRules) -> bool:
    usual = figures.hour_median
    return (
        usual is not None
        and figures.hour_count >= rules.escalate_min_count
        and figures.hour_count > rules.escalate_factor * usual
    )


def _escalation(figures: Figures) -> str:
    return f"{figures.hour_count} calls this hour, usually {figures.hour_median or 0:g}"


def _escalated(state: SignatureState, figures: Figures, rules: FoldRules, now: datetime) -> Transition | None:
    if not _escalates(figures, rules) or (state.escalated_at is not None and now - state.escalated_at < CALM):
        return None
    return Transition(change=Change.ESCALATED, state=structs.replace(state, escalated_at=now), why=_escalation(figures))


def _unmuted(state: SignatureState, figures: Figures, rules: FoldRules, now: datetime) -> Transition | None:
    form = state.mute or Mute()
    escalated_at = state.escalated_at
    if form.until is not None and now >= form.until:
        why = "the time of the mute is over"
    elif form.count is not None and _has_come_often(form, figures):
        why = f"{figures.count - form.since_count} calls since it was muted, {form.count} within one {form.per}"
    elif form.until_escalating and _escalates(figures, rules):
        why, escalated_at = _escalation(figures), now
    else:
        return None
    opened = structs.replace(_replaced(state, State.OPEN, now), escalated_at=escalated_at)
    return Transition(change=Change.UNMUTED, state=opened, why=why)


def _has_come_often(form: Mute, figures: Figures) -> bool:
    assert form.count is not None
    lately = figures.count_1h if form.per == "hour" else figures.count_24h
    return min(lately, figures.count - form.since_count) >= form.count


def _replaced(state: SignatureState, into: State, at: datetime) -> SignatureState:
    return SignatureState(state=into, since=at, escalated_at=state.escalated_at)


def acknowledge(state: SignatureState, at: datetime) -> SignatureState:
    """Somebody works on it."""
    return state if state.state is State.ACKNOWLEDGED else _replaced(state, State.ACKNOWLEDGED, at)


def resolve(state: SignatureState, at: datetime, by: str, fixed_in: str = "") -> SignatureState:
    """Somebody says it is done. A second time changes nothing: a later time would hide what came in between."""
    if state.state is State.RESOLVED:
        return state
    resolved = _replaced(state, State.RESOLVED, at)
    return structs.replace(resolved, resolved_at=at, resolved_by=by, fixed_in=fixed_in)


def reopen(state: SignatureState, at: datetime) -> SignatureState:
    """Somebody says it is not done, or ends a mute."""
    return _replaced(state, State.OPEN, at) if state.state in (State.RESOLVED, State.MUTED) else state


def mute(state: SignatureState, at: datetime, form: Mute) -> SignatureState:
    """Somebody does not want to hear of it for a while."""
    return structs.replace(_replaced(state, State.MUTED, at), mute=form)
