"""What happens to a signature by rule: opening, quiet, regression, escalation, mutes; and by people."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from msgspec import structs

from connectors.gateway.fold import Fold
from connectors.gateway.lifecycle import (
    QUIET,
    Change,
    Mute,
    SignatureState,
    State,
    Transition,
    acknowledge,
    judge,
    mute,
    reopen,
    resolve,
)
from connectors.gateway.presets import preset
from connectors.gateway.rules import FoldRules, Group
from tests.connectors.gateway.written import NOON, apinto, block, failed, fold_of, judged, only

RULES = FoldRules()
OPEN = SignatureState(state=State.OPEN, since=NOON)
LATER = NOON + timedelta(hours=3)


def after(
    fold: Fold, state: SignatureState | None, rules: FoldRules = RULES, now: datetime = LATER
) -> Transition | None:
    signature, figures = only(fold)
    return judge(state, signature, figures, rules, now)


# --- opening ----------------------------------------------------------------------------------------------------------


def test_ten_upstream_failures_within_five_minutes_open_whatever_their_share() -> None:
    good = [apinto(1_000 + at, seconds=at % 60) for at in range(5_000)]
    opened = judged(fold_of(*good, *(failed(at, seconds=at * 20) for at in range(10))))
    assert opened is not None
    assert (opened.change, opened.state.state) == (Change.OPENED, State.OPEN)
    assert opened.why.startswith("10 of 5010 calls within 5 min")


def test_nine_do_not() -> None:
    assert judged(fold_of(*(failed(at) for at in range(9)))) is None


def test_ten_within_six_minutes_do_not() -> None:
    assert judged(fold_of(*(failed(at, seconds=at * 40) for at in range(10)))) is None


def test_a_block_by_policy_opens_only_with_its_share_of_the_routes_calls() -> None:
    blocks = [apinto(at, status=429, handler="limiting") for at in range(10)]
    assert judged(fold_of(*blocks, *(apinto(100 + at) for at in range(2_000)))) is None
    opened = judged(fold_of(*blocks, *(apinto(100 + at) for at in range(900))))
    assert opened is not None


def test_client_errors_open_only_as_a_spike() -> None:
    gone = [apinto(at, status=404, proxy_status="404") for at in range(20)]
    assert judged(fold_of(*gone, *(apinto(100 + at) for at in range(180)))) is None
    assert judged(fold_of(*gone, *(apinto(100 + at) for at in range(20)))) is not None


def test_latency_opens_when_the_windows_95th_percentile_is_over_the_objective() -> None:
    rules = FoldRules(slo_ms=1_000.0)
    slow = [apinto(at, request_time=1_500) for at in range(10)]
    assert judged(fold_of(*slow, *(apinto(100 + at) for at in range(190)), rules=rules), rules) is None
    assert judged(fold_of(*slow, *(apinto(100 + at) for at in range(189)), rules=rules), rules) is not None


@pytest.mark.parametrize("name", ["orders", "shop/orders"])
def test_one_call_is_enough_on_a_route_that_says_so(name: str) -> None:
    rules = FoldRules(single_hit_routes=frozenset({name}))
    opened = judged(fold_of(failed(1), rules=rules), rules)
    assert opened is not None
    assert "one is enough" in opened.why
    assert judged(fold_of(failed(1, api="other"), rules=rules), rules) is None


def test_lines_that_came_too_late_open_nothing() -> None:
    fold = fold_of(apinto(999))
    fold.take(block(*(failed(at, seconds=-900) for at in range(50))))
    assert judged(fold) is None


def test_a_burst_a_few_minutes_ago_still_opens_when_its_lines_come_late() -> None:
    fold = fold_of(apinto(999, seconds=240))
    fold.take(block(*(failed(at, seconds=0) for at in range(10))))
    assert judged(fold) is not None


# --- quiet ------------------------------------------------------------------------------------------------------------


def quiet_fold(others: int) -> Fold:
    fold = fold_of(*(failed(at) for at in range(10)))
    fold.take(block(*(apinto(1_000 + at, seconds=120 + at) for at in range(others)), apinto(9_999, seconds=3_700)))
    return fold


def test_it_is_resolved_after_a_quiet_hour_in_which_its_route_had_traffic() -> None:
    resolved = after(quiet_fold(99), OPEN)
    assert resolved is not None
    assert (resolved.change, resolved.state.state, resolved.state.resolved_by) == (
        Change.RESOLVED,
        State.RESOLVED,
        QUIET,
    )
    assert resolved.state.resolved_at == LATER
    assert "100 others" in resolved.why


def test_silence_without_traffic_proves_nothing() -> None:
    assert after(quiet_fold(98), OPEN) is None
    fold = fold_of(*(failed(at) for at in range(10)))
    fold.tick(NOON + timedelta(days=2), caught_up=True)
    assert after(fold, OPEN, now=NOON + timedelta(days=2)) is None


def test_traffic_of_another_route_or_method_proves_nothing() -> None:
    fold = fold_of(*(failed(at) for at in range(10)))
    fold.take(block(*(apinto(1_000 + at, seconds=120 + at, api="other") for at in range(500))))
    fold.take(block(*(apinto(2_000 + at, seconds=120 + at, request_method="PUT") for at in range(500))))
    fold.take(block(apinto(9_999, seconds=3_700)))
    assert after(fold, OPEN) is None


def test_a_call_within_the_hour_keeps_it_open() -> None:
    fold = quiet_fold(500)
    fold.take(block(failed(50, seconds=3_000)))
    assert after(fold, OPEN) is None


def test_what_a_person_reopened_is_not_closed_again_at_once() -> None:
    reopened = SignatureState(state=State.OPEN, since=NOON + timedelta(minutes=50))
    assert after(quiet_fold(500), reopened) is None


def test_an_acknowledged_one_goes_quiet_too() -> None:
    assert after(quiet_fold(200), acknowledge(OPEN, NOON)) is not None


# --- regression -------------------------------------------------------------------------------------------------------

RESOLVED = resolve(OPEN, NOON, "jira")


def regressed(*seconds: float, state: SignatureState = RESOLVED, **fields: str) -> Transition | None:
    fold = fold_of(*(failed(at, seconds=-300) for at in range(10)))
    fold.take(block(*(failed(100 + at, seconds=second, **fields) for at, second in enumerate(seconds))))
    return after(fold, state)


def test_three_calls_after_the_grace_regress_it() -> None:
    found = regressed(61, 62, 63)
    assert found is not None
    assert (found.change, found.state.state) == (Change.REGRESSED, State.REGRESSED)
    assert found.state.resolved_at is None


def test_two_do_not_and_none_within_the_grace_counts() -> None:
    assert regressed(61, 62) is None
    assert regressed(10, 20, 30, 59, 60, 61, 62) is None


def test_calls_from_before_the_resolve_that_come_late_do_not() -> None:
    assert regressed(-200, -100, -50, -1) is None


def test_answers_of_a_version_without_the_fix_do_not() -> None:
    state = resolve(OPEN, NOON, "jira", fixed_in="2.10.0")
    assert regressed(61, 62, 63, state=state, version="2.9.3") is None
    assert regressed(61, 62, 63, state=state, version="2.10.0") is not None
    assert regressed(61, 62, 63, state=state, version="v2.11") is not None
    assert regressed(61, 62, 63, state=state) is not None


def test_versions_that_cannot_be_compared_are_old_if_they_were_seen_before() -> None:
    state = resolve(OPEN, NOON, "jira", fixed_in="build-c")
    fold = fold_of(*(failed(at, seconds=-300, version="build-a") for at in range(10)))
    fold.take(block(*(failed(100 + at, seconds=100 + at, version="build-a") for at in range(5))))
    assert after(fold, state) is None
    fold.take(block(*(failed(200 + at, seconds=200 + at, version="build-d") for at in range(3))))
    assert after(fold, state) is not None


def test_no_setting_asks_for_more_calls_than_are_remembered() -> None:
    fold = fold_of(*(failed(at, seconds=100 + at) for at in range(40)))
    assert after(fold, RESOLVED, FoldRules(regress_hits=1_000)) is not None


def test_a_resolve_by_quiet_regresses_like_any_other() -> None:
    assert regressed(61, 62, 63, state=resolve(OPEN, NOON, QUIET)) is not None


# --- escalation -------------------------------------------------------------------------------------------------------


def week(each_day: int, today: int, days: int = 7) -> Fold:
    fold = Fold(RULES, preset("apinto"))
    for back in range(days, 0, -1):
        fold.take(block(*(failed(back * 1_000 + at, seconds=-86_400 * back + at) for at in range(each_day))))
    fold.take(block(*(failed(at, seconds=at) for at in range(today))))
    return fold


def test_more_than_three_times_the_usual_of_this_hour_escalates() -> None:
    found = after(week(50, 151), OPEN, now=NOON)
    assert found is not None
    assert (found.change, found.state.state, found.state.escalated_at) == (Change.ESCALATED, State.OPEN, NOON)
    assert found.why == "151 calls this hour, usually 50"
    assert after(week(50, 150), OPEN, now=NOON) is None


def test_a_few_calls_escalate_nothing_however_rare_they_are() -> None:
    assert after(week(1, 99), OPEN, now=NOON) is None
    assert after(week(1, 100), OPEN, now=NOON) is not None


def test_without_a_day_of_history_nothing_escalates() -> None:
    assert after(week(0, 500), OPEN, now=NOON) is None


def test_it_escalates_once_a_day() -> None:
    fold, once = week(10, 200), structs.replace(OPEN, escalated_at=NOON - timedelta(hours=23))
    assert after(fold, once, now=NOON) is None
    assert after(fold, once, now=NOON + timedelta(hours=1)) is not None


# --- mutes ------------------------------------------------------------------------------------------------------------


def test_a_mute_without_an_end_never_ends() -> None:
    assert after(week(10, 500), mute(OPEN, NOON, Mute()), now=LATER + timedelta(days=400)) is None


def test_a_mute_ends_with_its_time() -> None:
    state = mute(OPEN, NOON, Mute(until=LATER))
    assert after(fold_of(failed(1)), state, now=LATER - timedelta(seconds=1)) is None
    found = after(fold_of(failed(1)), state, now=LATER)
    assert found is not None
    assert (found.change, found.state) == (Change.UNMUTED, SignatureState(state=State.OPEN, since=LATER))


def test_a_mute_ends_with_so_many_more_calls_within_an_hour() -> None:
    fold = fold_of(*(failed(at) for at in range(20)))
    state = mute(OPEN, NOON, Mute(count=5, since_count=20))
    assert after(fold, state) is None
    fold.take(block(*(failed(100 + at, seconds=at * 3_000) for at in range(5))))
    assert after(fold, state) is None  # five more, but not within one hour
    fold.take(block(*(failed(200 + at, seconds=12_001 + at) for at in range(5))))
    assert after(fold, state) is not None


def test_a_mute_until_it_escalates_ends_then() -> None:
    state = mute(OPEN, NOON, Mute(until_escalating=True))
    assert after(week(100, 300), state, now=NOON) is None
    found = after(week(100, 301), state, now=NOON)
    assert found is not None
    assert (found.change, found.state.escalated_at) == (Change.UNMUTED, NOON)


# --- people -----------------------------------------------------------------------------------------------------------


def test_a_second_resolve_keeps_the_first_ones_time() -> None:
    assert resolve(RESOLVED, LATER, "zendesk") is RESOLVED


def test_reopening_ends_a_resolve_and_a_mute_and_leaves_an_open_one_alone() -> None:
    assert reopen(RESOLVED, LATER) == SignatureState(state=State.OPEN, since=LATER)
    assert reopen(mute(OPEN, NOON, Mute()), LATER).mute is None
    assert reopen(OPEN, LATER) is OPEN
    regressed_state = SignatureState(state=State.REGRESSED, since=NOON)
    assert reopen(regressed_state, LATER) is regressed_state


def test_an_acknowledgement_is_made_once() -> None:
    once = acknowledge(OPEN, LATER)
    assert once == SignatureState(state=State.ACKNOWLEDGED, since=LATER)
    assert acknowledge(once, LATER + timedelta(hours=1)) is once


def test_groups_have_the_names_of_their_classes() -> None:
    assert {group.value for group in Group} >= {"llm", "policy_block", "auth", "client_4xx", "latency"}
