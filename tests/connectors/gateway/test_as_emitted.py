"""Lines as the stand-in of the gateway emits them, under both formatter sets and as Kong: folded as what they were."""

from __future__ import annotations

import random

import pytest

from connectors.gateway.fold import Fold
from connectors.gateway.presets import preset
from connectors.gateway.rules import FoldRules
from connectors.gateway.sandbox import GatewaySandbox, build, entries
from connectors.gateway.sandbox.model import Passed
from connectors.gateway.sandbox.traffic import Trouble
from connectors.gateway.signature import Fault
from tests.connectors.gateway.sandbox.site import START, Chance

KINDS = {
    "error": "upstream_5xx",
    "timeout": "upstream_timeout",
    "unreachable": "upstream_unreachable",
    "unauthorised": "auth",
    "unsubscribed": "auth",
    "limited": "policy_block",
    "fuse": "policy_block",
    "client": "client_4xx",
}


@pytest.fixture
def gateway() -> GatewaySandbox:
    return build(lambda: START, Chance())


def called(gateway: GatewaySandbox, kind: str, *, llm: bool = False, times: int = 1, status: str = "") -> list[Passed]:
    router = next(one.id for one in gateway.gateway.routers.values() if bool(one.model) is llm)
    stream = gateway.traffic.stream(router)
    trouble = Trouble(kind=kind, share=1.0, status=status, code="", message="")
    return [gateway.traffic.call(stream, trouble, at=START + at) for at in range(times)]


def folded(gateway: GatewaySandbox, which: str, calls: list[Passed]) -> Fold:
    fold = Fold(FoldRules(), preset(which))
    rows = [
        entries.kong(gateway.gateway, call)
        if which == "kong"
        else entries.apinto(gateway.gateway, call, entries.FORMATTERS["hub" if which == "apinto" else which])
        for call in calls
    ]
    taken = fold.take(b"\n".join(rows))
    assert (taken.lines, taken.poisoned, taken.repeated) == (len(calls), 0, 0)
    return fold


@pytest.mark.parametrize("kind", KINDS)
def test_under_the_hubs_formatter_each_kind_of_trouble_is_its_class(gateway: GatewaySandbox, kind: str) -> None:
    [signature] = folded(gateway, "apinto", called(gateway, kind)).signatures().values()
    assert signature.cause == KINDS[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_under_apiparks_own_formatter_too(gateway: GatewaySandbox, kind: str) -> None:
    [signature] = folded(gateway, "apipark", called(gateway, kind)).signatures().values()
    assert signature.cause == KINDS[kind]


@pytest.mark.parametrize("kind", ["error", "timeout", "unreachable", "unauthorised", "client"])
def test_kong_tells_the_same_where_it_tells_anything(gateway: GatewaySandbox, kind: str) -> None:
    [signature] = folded(gateway, "kong", called(gateway, kind)).signatures().values()
    assert signature.cause == KINDS[kind]


@pytest.mark.parametrize("which", ["apinto", "apipark", "kong"])
def test_good_calls_and_fallbacks_that_worked_are_none(gateway: GatewaySandbox, which: str) -> None:
    calls = called(gateway, "ok", times=50) + called(gateway, "ok", llm=True, times=50)
    calls += called(gateway, "llm_fallback", llm=True, times=50)
    random.Random(1).shuffle(calls)
    fold = folded(gateway, which, calls)
    assert not fold.signatures()


@pytest.mark.parametrize(
    ("kind", "status", "cause", "fault"),
    [
        ("llm", "quota exhausted", "llm_quota_exhausted", Fault.GATEWAY),
        ("llm", "exceeded", "llm_exceeded", Fault.MODEL),
        ("llm", "timeout", "llm_timeout", Fault.MODEL),
        ("prompt", "", "llm_invalid_request", Fault.PROMPT),
    ],
)
def test_the_three_faults_of_an_llm_call_come_apart(
    gateway: GatewaySandbox, kind: str, status: str, cause: str, fault: Fault
) -> None:
    fold = folded(gateway, "apinto", called(gateway, kind, llm=True, status=status))
    [signature] = fold.signatures().values()
    assert (signature.cause, signature.fault) == (cause, fault)
    assert signature.provider
    assert signature.model


@pytest.mark.parametrize("which", ["apinto", "apipark", "kong"])
def test_what_calls_carried_of_people_and_secrets_is_stored_nowhere(gateway: GatewaySandbox, which: str) -> None:
    calls = called(gateway, "error", times=20) + called(gateway, "unauthorised", times=5)
    stored = b"".join(row.body for row in folded(gateway, which, calls).changed())
    for call in calls:
        assert call.headers["authorization"].removeprefix("Bearer ").encode() not in stored
        assert call.ip.encode() not in stored
    assert b"4111" not in stored
    assert b"someone@example.com" not in stored
