"""What the stand-in logs, under each formatter, is what the fold understands. The two share no code."""

from __future__ import annotations

import random
from typing import Any

import pytest

from connectors.gateway.fold import Fold
from connectors.gateway.presets import preset
from connectors.gateway.rules import FoldRules
from connectors.gateway.sandbox import GatewaySandbox, build
from connectors.gateway.signature import Signature

NOW = 1_790_000_000.0
EVERYTHING = FoldRules(client_codes=None)


class Chance:
    def __init__(self) -> None:
        self._random = random.Random(1)

    def random(self) -> float:
        return self._random.random()

    def token(self) -> str:
        return f"{self._random.getrandbits(128):032x}"


class Logged:
    """A gateway that posts its log to nobody, under one formatter."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.now = NOW
        self.gateway: GatewaySandbox = build(lambda: self.now, Chance())
        if source == "kong":
            plugins = self.gateway.gateway.workers.setdefault("kong-plugins", {})
            plugins["one"] = {"name": "http-log", "config": {"http_endpoint": "http://127.0.0.1:1"}}
        else:
            formatter = "hub" if source == "apinto" else source
            self.gateway.act({"act": "output", "url": "http://127.0.0.1:1", "formatter": formatter})

    def call(self, kind: str, route: str = "pay", **told: Any) -> list[str]:
        ids: list[str] = self.gateway.act({"act": "call", "route": route, "kind": kind, **told})["ids"]
        return ids

    def bodies(self) -> list[bytes]:
        found: list[bytes] = []
        while due := self.gateway.due_hooks(self.now):
            found += [hook.body for hook in due]
            for hook in due:
                self.gateway.hook_answered(hook, 200, self.now)
        return found

    def folded(self) -> Fold:
        fold = Fold(EVERYTHING, preset(self.source))
        for body in self.bodies():
            taken = fold.take_document(body)
            assert (taken.folded, taken.poisoned) == (1, 0), body
        return fold


def the_one(fold: Fold) -> Signature:
    (found,) = fold.signatures()
    return fold.signatures()[found]


SOURCES = ["apinto", "apipark", "kong"]


@pytest.mark.parametrize("source", SOURCES)
def test_good_calls_make_no_signature(source: str) -> None:
    log = Logged(source)
    log.call("ok", times=20)
    log.call("slow", times=5)
    log.call("ok", route="chat", times=5)
    assert list(log.folded().signatures()) == []


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("kind", "code", "cause"),
    [("error", 500, "upstream_5xx"), ("timeout", 504, "upstream_timeout"), ("client", 409, "client_4xx")],
)
def test_a_failure_upstream_is_told_apart(source: str, kind: str, code: int, cause: str) -> None:
    log = Logged(source)
    log.call(kind, times=3)
    found = the_one(log.folded())
    assert (found.code, found.cause, found.method) == (code, cause, "POST")
    assert (found.service, found.route) == (("checkout-id", "pay-id") if source == "kong" else ("checkout", "pay"))


@pytest.mark.parametrize("source", SOURCES)
def test_what_never_reached_an_upstream_is_unreachable(source: str) -> None:
    log = Logged(source)
    log.call("unreachable", times=3)
    assert the_one(log.folded()).cause == "upstream_unreachable"


@pytest.mark.parametrize("source", SOURCES)
def test_a_refused_login_is_the_gateways_own(source: str) -> None:
    log = Logged(source)
    log.call("unauthorised", times=3)
    assert the_one(log.folded()).cause == "auth"


@pytest.mark.parametrize("source", ["apinto", "apipark"])
@pytest.mark.parametrize("kind", ["limited", "fuse"])
def test_a_strategy_of_the_gateway_is_a_policy(source: str, kind: str) -> None:
    log = Logged(source)
    log.call(kind, times=3, code="per-minute")
    assert the_one(log.folded()).cause == "policy_block"


@pytest.mark.parametrize(
    ("kind", "status", "cause", "fault"),
    [
        ("llm", "quota exhausted", "llm_quota_exhausted", "gateway"),
        ("llm", "timeout", "llm_timeout", "model"),
        ("prompt", "", "llm_invalid_request", "prompt"),
    ],
)
def test_an_llm_failure_is_told_from_a_clients_mistake(kind: str, status: str, cause: str, fault: str) -> None:
    log = Logged("apinto")
    log.call(kind, route="chat", times=3, status=status)
    found = the_one(log.folded())
    assert (found.cause, found.fault.value if found.fault else "") == (cause, fault)


def test_a_fallback_that_answered_is_no_failure() -> None:
    log = Logged("apinto")
    log.call("llm_fallback", route="chat", times=3)
    assert list(log.folded().signatures()) == []


@pytest.mark.parametrize("source", SOURCES)
def test_milliseconds_stay_milliseconds(source: str) -> None:
    log = Logged(source)
    log.call("error", times=20, set={"millis": 250, "response_nanos": 250_000_000})
    fold = log.folded()
    figures = fold.figures(the_one(fold).id)
    assert figures.p50_ms == pytest.approx(250, rel=0.02)
    assert figures.count == 20


@pytest.mark.parametrize("source", SOURCES)
def test_samples_carry_request_ids_and_no_secret(source: str) -> None:
    log = Logged(source)
    ids = {one.replace("-", "") for one in log.call("error", times=5)}
    fold = log.folded()
    figures = fold.figures(the_one(fold).id)
    assert {sample.request_id.replace("-", "") for sample in figures.samples} <= ids
    assert figures.samples
    assert "4111" not in str(figures)
    assert "Bearer" not in str(figures)


def test_a_repeated_entry_counts_once() -> None:
    log = Logged("apinto")
    log.call("error", times=3)
    log.gateway.act({"act": "repeat", "times": 3})
    fold = Fold(EVERYTHING, preset("apinto"))
    taken = [fold.take_document(body) for body in log.bodies()]
    assert (sum(one.folded for one in taken), sum(one.repeated for one in taken)) == (3, 3)


def test_a_poisoned_line_stops_nothing() -> None:
    log = Logged("apinto")
    log.call("error")
    log.gateway.act({"act": "poison", "line": '{"half": '})
    log.call("error")
    fold = Fold(EVERYTHING, preset("apinto"))
    taken = [fold.take_document(body) for body in log.bodies()]
    assert (sum(one.folded for one in taken), sum(one.poisoned for one in taken)) == (2, 1)


@pytest.mark.parametrize("source", SOURCES)
def test_a_bad_release_in_ordinary_traffic_is_one_signature(source: str) -> None:
    log = Logged(source)
    log.gateway.act({"act": "traffic", "rate": 4})
    log.gateway.act({"act": "release", "route": "pay", "share": 0.5, "version": "2.0.0"})
    log.now += 60
    fold = log.folded()
    found = the_one(fold)
    figures = fold.figures(found.id)
    assert 0.3 < figures.rate_1h < 0.7
    assert (found.cause, figures.consumers) == ("upstream_5xx", 2)
