"""LLM calls: prompt, model and gateway faults come apart; what was used is counted."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.gateway import llm
from connectors.gateway.calls import Attempt
from connectors.gateway.signature import Fault, Kind
from tests.connectors.gateway.written import apinto, call, fold_of, only


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        ("invalid request", Fault.PROMPT),
        ("timeout", Fault.MODEL),
        ("exceeded", Fault.MODEL),
        ("some new word", Fault.MODEL),
        ("quota exhausted", Fault.GATEWAY),
        ("expired", Fault.GATEWAY),
        ("invalid", Fault.GATEWAY),
    ],
)
def test_the_last_attempt_tells_whose_fault_it_is(status: str, fault: Fault) -> None:
    assert llm.fault(call(status=400, attempts=(Attempt("openai", "gpt", status),))) is fault


def test_a_call_that_reached_no_provider_is_the_gateways_fault() -> None:
    assert llm.fault(call(status=400, ai_status="no provider")) is Fault.GATEWAY


@pytest.mark.parametrize("value", [None, "", "[", "[1,2]", {"provider": "x"}, 7, ["x", None]])
def test_attempts_that_are_none_are_left_out(value: Any) -> None:
    assert llm.attempts_of(value) == ()


def test_attempts_written_as_a_text_are_read() -> None:
    text = '[{"provider":"openai","model":"gpt","key":"sk-1","status":"timeout"}]'
    assert llm.attempts_of(text) == (Attempt("openai", "gpt", "timeout"),)


def failed_chain(number: int, *statuses: str) -> dict[str, Any]:
    attempts = [{"provider": f"p{at}", "model": "m", "key": "k", "status": one} for at, one in enumerate(statuses)]
    return apinto(
        number,
        status=400,
        ai_provider="p0",
        ai_model="m",
        ai_model_status=statuses[-1],
        ai_model_input_token=100,
        ai_model_output_token=10,
        ai_model_total_token=110,
        ai_model_cost=0.25,
        ai_provider_statuses=attempts,
    )


def test_tokens_cost_and_each_attempts_status_are_counted() -> None:
    signature, figures = only(fold_of(failed_chain(1, "timeout", "exceeded"), failed_chain(2, "timeout", "exceeded")))
    assert (signature.kind, signature.cause, signature.fault) == (Kind.LLM, "llm_exceeded", Fault.MODEL)
    assert (signature.provider, signature.model) == ("p0", "m")
    assert figures.llm is not None
    assert (figures.llm.input_tokens, figures.llm.output_tokens, figures.llm.total_tokens) == (200, 20, 220)
    assert figures.llm.cost == 0.5
    assert figures.llm.attempts == {"p0/m: timeout": 2, "p1/m: exceeded": 2}
    assert figures.samples[0].attempts == ("p0/m: timeout", "p1/m: exceeded")


def test_a_fallback_that_worked_is_no_failure() -> None:
    line = apinto(
        ai_provider="p1",
        ai_model_status="normal",
        ai_provider_statuses=[
            {"provider": "p0", "model": "m", "status": "timeout"},
            {"provider": "p1", "model": "m", "status": "normal"},
        ],
    )
    assert not fold_of(line).signatures()


def test_the_tags_of_an_llm_signature_name_provider_model_and_fault() -> None:
    signature, _ = only(fold_of(failed_chain(1, "invalid request")))
    assert signature.tags == (
        "class:llm_invalid_request",
        "fault:prompt",
        "model:m",
        "provider:p0",
        "route:orders",
        "service:shop",
    )
