"""The class of a call: the first rule that fits."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.gateway.calls import Attempt
from connectors.gateway.classify import classify
from connectors.gateway.rules import FoldRules, Group
from tests.connectors.gateway.written import call

RULES = FoldRules()


def class_of(rules: FoldRules = RULES, **fields: Any) -> str | None:
    found = classify(call(**fields), rules)
    return found[0] if found else None


@pytest.mark.parametrize("status", [100, 200, 204, 302, 399])
def test_a_success_is_no_failure(status: int) -> None:
    assert class_of(status=status, upstream_status=status) is None


def test_an_llm_failure_goes_before_the_status_that_the_client_saw() -> None:
    assert class_of(status=400, ai_status="quota exhausted") == "llm_quota_exhausted"


def test_the_last_attempt_decides_and_not_the_first() -> None:
    chain = (Attempt("openai", "gpt", "timeout"), Attempt("anthropic", "sonnet", "normal"))
    assert class_of(status=200, attempts=chain) is None
    assert class_of(status=504, attempts=chain[::-1]) == "llm_timeout"


@pytest.mark.parametrize("handler", ["limiting", "fuse", "visit"])
def test_a_policy_that_stops_a_call_is_a_block_whatever_it_answers(handler: str) -> None:
    assert class_of(status=200, handler=handler) == "policy_block"
    assert class_of(status=503, handler=handler) == "policy_block"


def test_what_the_log_calls_blocked_is_a_block() -> None:
    assert class_of(status=429, blocked=True) == "policy_block"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_of_auth_only_when_the_gateway_made_it(status: int) -> None:
    assert class_of(status=status, attempted=False) == "auth"
    assert class_of(status=status, by_gateway=True) == "auth"
    assert class_of(status=status, attempted=True, upstream_status=status) is None


def test_504_is_a_timeout() -> None:
    assert class_of(status=504) == "upstream_timeout"


def test_envoys_flags_tell_timeouts_and_unreachable_upstreams() -> None:
    assert class_of(status=503, flags="UT") == "upstream_timeout"
    assert class_of(status=503, flags="UF,URX") == "upstream_unreachable"
    assert class_of(status=500, flags="UH") == "upstream_unreachable"


@pytest.mark.parametrize("status", [501, 502, 503])
def test_a_gateway_error_without_an_upstreams_answer_is_unreachable(status: int) -> None:
    assert class_of(status=status) == "upstream_unreachable"
    assert class_of(status=status, upstream_status=status) == "upstream_5xx"


def test_what_kong_answers_itself_is_unreachable() -> None:
    assert class_of(status=500, by_gateway=True) == "upstream_unreachable"


def test_a_500_of_the_upstream_is_its_own() -> None:
    assert class_of(status=500, upstream_status=500) == "upstream_5xx"


@pytest.mark.parametrize("status", [404, 409, 422, 429])
def test_these_client_errors_count(status: int) -> None:
    assert class_of(status=status, upstream_status=status) == "client_4xx"


@pytest.mark.parametrize("status", [400, 401, 410, 451, 499])
def test_other_client_errors_are_off_by_default(status: int) -> None:
    assert class_of(status=status, upstream_status=status) is None
    assert class_of(FoldRules(client_codes=None), status=status, upstream_status=status) == "client_4xx"


@pytest.mark.parametrize(
    ("group", "fields"),
    [
        (Group.LLM, {"status": 400, "ai_status": "timeout"}),
        (Group.POLICY_BLOCK, {"status": 429, "blocked": True}),
        (Group.AUTH, {"status": 401, "attempted": False}),
        (Group.UPSTREAM_TIMEOUT, {"status": 504}),
        (Group.UPSTREAM_UNREACHABLE, {"status": 502}),
        (Group.UPSTREAM_5XX, {"status": 500, "upstream_status": 500}),
        (Group.CLIENT_4XX, {"status": 404, "upstream_status": 404}),
    ],
)
def test_a_family_that_is_off_makes_nothing_else_of_a_call(group: Group, fields: dict[str, Any]) -> None:
    assert class_of(**fields) is not None
    assert class_of(FoldRules(off=frozenset({group})), **fields) is None
