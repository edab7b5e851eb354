"""Each gateway's lines under canonical names, in one unit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.gateway.calls import Attempt, Call, Poisoned
from connectors.gateway.fold import Fold
from connectors.gateway.picking import Picker
from connectors.gateway.presets import PRESETS, GenericMapping, preset
from connectors.gateway.rules import FoldRules
from tests.connectors.gateway.written import NOON_MS, apinto, refused

KONG: dict[str, Any] = {
    "request": {"id": "8f3a", "method": "GET", "uri": "/v1/orders/4711?x=1", "headers": {"host": "h"}},
    "response": {"status": 502, "size": 3},
    "upstream_status": "500, 502",
    "service": {"id": "svc-id", "name": "shop"},
    "route": {"id": "route-id", "name": "orders"},
    "latencies": {"request": 31, "proxy": 25, "kong": 6},
    "tries": [{"ip": "10.0.0.3", "port": 80}],
    "consumer": {"id": "c-1", "username": "jane"},
    "started_at": NOON_MS,
    "source": "upstream",
    "workspace": "default",
}
NGINX: dict[str, Any] = {
    "msec": f"{NOON_MS / 1000:.3f}",
    "request_id": "r1",
    "proxy_host": "shop",
    "request_method": "GET",
    "status": "504",
    "uri": "/v1/orders/4711",
    "upstream_status": "502, 504",
    "request_time": "0.031",
    "upstream_response_time": "0.010, 0.020",
    "remote_user": "-",
    "hostname": "edge-1",
}
ENVOY: dict[str, Any] = {
    "start_time": "2026-11-25T12:00:00.000Z",
    "method": "GET",
    "path": "/v1/orders/4711",
    "response_code": 503,
    "response_flags": "UF",
    "duration": 31,
    "upstream_service_time": None,
    "request_id": "r1",
    "upstream_cluster": "shop",
    "route_name": "orders",
    "upstream_host": "10.0.0.3:80",
    "response_code_details": "upstream_reset_before_response_started",
}
TRAEFIK: dict[str, Any] = {
    "StartUTC": "2026-11-25T12:00:00.000000000Z",
    "ServiceName": "shop@docker",
    "RouterName": "orders@docker",
    "RequestMethod": "GET",
    "RequestPath": "/v1/orders/4711",
    "DownstreamStatus": 502,
    "Duration": 31_000_000,
    "ClientUsername": "-",
    "request_X-Request-Id": "r1",
}
AWS: dict[str, Any] = {
    "requestTimeEpoch": str(NOON_MS),
    "requestId": "r1",
    "apiId": "shop",
    "routeKey": "GET /v1/orders/{id}",
    "httpMethod": "GET",
    "path": "/v1/orders/4711",
    "status": "500",
    "integrationStatus": "-",
    "responseLatency": "31",
    "integrationLatency": "-",
}
COMBINED = (
    b"10.0.0.7 - jane [25/Nov/2026:13:00:00 +0100] "
    b'"GET /v1/orders/4711?a=1 HTTP/1.1" 502 157 "-" "curl/8 \\"x\\"" 0.031'
)


def call_of(which: str | GenericMapping, line: dict[str, Any] | bytes) -> Call:
    return Picker(preset(which)).call(line if isinstance(line, bytes) else json.dumps(line).encode())


def test_apintos_request_time_is_in_milliseconds_and_its_response_time_is_left_alone() -> None:
    call = call_of("apinto", apinto(1))
    assert (call.at_ms, call.latency_ms, call.status, call.upstream_status) == (NOON_MS, 25.0, 200, 200)
    assert (call.service, call.route, call.method, call.path) == ("shop", "orders", "GET", "/v1/orders/4711")
    assert (call.consumer, call.node, call.attempted) == ("app-1", "node-1", True)


def test_apinto_writes_empty_fields_where_nothing_was_proxied() -> None:
    call = call_of("apinto", refused(1, status=401))
    assert (call.upstream_status, call.attempted) == (None, False)


def test_apiparks_own_formatter_with_its_aliases_is_read() -> None:
    line = {
        "msec": NOON_MS,
        "service": "upstream@service",
        "provider": "shop",
        "request_scheme": "http",
        "request_uri": "http://h/v1/orders/1",
        "request_host": "h",
        "request_header": "authorization=Bearer+x",
        "api": "orders",
        "status": 403,
        "proxy_status": "",
        "request_time": 3,
        "node": "n",
        "application": "a",
        "strategy": "limit-1",
        "request_id": "r",
        "request_method": "GET",
        "response_body": "Forbidden",
        "proxy_addr": "",
    }
    call = call_of("apipark", line)
    assert (call.blocked, call.attempted, call.body, call.path) == (True, False, "Forbidden", "http://h/v1/orders/1")


def test_values_that_a_log_store_made_texts_of_are_numbers_again() -> None:
    call = call_of(
        "apinto", apinto(msec=str(NOON_MS), status="502", request_time="25", ai_model_cost="0.5", ai_provider="p")
    )
    assert (call.at_ms, call.status, call.latency_ms, call.cost) == (NOON_MS, 502, 25.0, 0.5)


def test_an_llm_calls_attempts_are_read_in_order() -> None:
    rows = [
        {"provider": "a", "model": "m", "key": "k", "status": "timeout"},
        {"provider": "b", "model": "n", "status": "normal"},
    ]
    call = call_of("apinto", apinto(ai_provider_statuses=rows, ai_provider="b", ai_model_input_token=7))
    assert call.attempts == (Attempt("a", "m", "timeout"), Attempt("b", "n", "normal"))
    assert call.input_tokens == 7


def test_kongs_objects_are_gone_into_and_the_last_attempts_status_is_taken() -> None:
    call = call_of("kong", KONG)
    assert (call.service, call.route, call.consumer, call.request_id) == ("svc-id", "route-id", "c-1", "8f3a")
    assert (call.upstream_status, call.latency_ms, call.upstream_ms, call.at_ms) == (502, 31.0, 25.0, NOON_MS)


def test_kongs_minus_one_is_no_latency_and_its_own_answers_are_known() -> None:
    call = call_of(
        "kong", {**KONG, "source": "kong", "tries": [], "upstream_status": "", "latencies": {"request": 2, "proxy": -1}}
    )
    assert (call.upstream_ms, call.by_gateway, call.attempted) == (None, True, False)


def test_kongs_llm_plugin_is_found_under_any_name() -> None:
    ai = {
        "ai-proxy": {
            "meta": {"provider_name": "openai", "response_model": "gpt"},
            "usage": {"prompt_tokens": 5, "cost": 0.1},
        }
    }
    call = call_of("kong", {**KONG, "ai": ai})
    assert (call.provider, call.model, call.input_tokens, call.cost) == ("openai", "gpt", 5, 0.1)


def test_nginx_counts_in_seconds_and_lists_its_attempts() -> None:
    call = call_of("nginx", NGINX)
    assert (call.at_ms, call.latency_ms, call.upstream_status, call.consumer) == (NOON_MS, 31.0, 504, "")
    assert call.upstream_ms == pytest.approx(30.0)


def test_the_worst_of_a_list_is_taken_where_the_mapping_says_so() -> None:
    assert (
        call_of(GenericMapping(base="nginx", lists="max"), {**NGINX, "upstream_status": "504, 200"}).upstream_status
        == 504
    )


def test_nginxs_combined_log_is_read_by_its_pattern() -> None:
    call = call_of("nginx_combined", COMBINED)
    assert (call.at_ms, call.status, call.consumer, call.method, call.latency_ms) == (NOON_MS, 502, "jane", "GET", 31.0)
    assert call.path == "/v1/orders/4711?a=1"


def test_envoys_flags_are_read_and_a_rate_limit_is_a_block() -> None:
    call = call_of("envoy", ENVOY)
    assert (call.at_ms, call.flags, call.latency_ms, call.blocked) == (NOON_MS, "UF", 31.0, False)
    assert call_of("envoy", {**ENVOY, "response_flags": "RL"}).blocked


def test_traefik_counts_in_nanoseconds_and_leaves_an_absent_upstream_out() -> None:
    call = call_of("traefik", TRAEFIK)
    assert (call.at_ms, call.latency_ms, call.attempted, call.consumer) == (NOON_MS, 31.0, False, "")
    assert call_of("traefik", {**TRAEFIK, "OriginStatus": 502}).attempted


def test_aws_writes_texts_and_dashes() -> None:
    call = call_of("aws", AWS)
    assert (call.status, call.upstream_status, call.attempted, call.latency_ms) == (500, None, False, 31.0)


def test_a_mapping_of_ones_own_reads_any_object() -> None:
    mapping = GenericMapping(
        fields={"time": ("t",), "status": ("http.code",), "route": ("http.name", "fallback"), "latency": ("took",)},
        time_unit="us",
        units={"latency": "us"},
    )
    call = call_of(mapping, {"t": NOON_MS * 1_000, "http": {"code": "503"}, "fallback": "r", "took": 31_000})
    assert (call.at_ms, call.status, call.route, call.latency_ms) == (NOON_MS, 503, "r", 31.0)


def test_a_mapping_adds_to_a_preset() -> None:
    mapping = GenericMapping(base="apinto", fields={"version": ("http_x_release",)})
    assert call_of(mapping, apinto(http_x_release="2.1")).version == "2.1"
    assert preset(mapping).name == "apinto"


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        (GenericMapping(fields={"time": ("t",), "status": ("s",)}), "one of route and path has to be given"),
        (GenericMapping(fields={"time": ("t",), "route": ("r",)}), "fields.status: has to be given"),
        (GenericMapping(fields={"time": ("t",), "status": ("s",), "rute": ("r",)}), "did you mean 'route'?"),
        (GenericMapping(format="regex", pattern="(?P<time>"), "pattern: "),
        (
            GenericMapping(format="regex", pattern="(?P<time>a)(?P<status>b)(?P<path>c)", fields={"node": ("n",)}),
            "no group 'n'",
        ),
        (GenericMapping(base="apinto", units={"status": "ms"}), "only latency and upstream_latency have a unit"),
        (GenericMapping(base="apinta"), "did you mean 'apinto'?"),
    ],
)
def test_a_wrong_mapping_is_told_what_is_wrong(mapping: GenericMapping, says: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as told:
        preset(mapping)
    assert says in str(told.value)


def test_a_preset_that_is_unknown_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'kong'"):
        preset("kongo")
    assert all(preset(name).name == name for name in PRESETS)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"null",
        b"\xff\xfe",
        b"{}",
        b'{"msec":1}',
        b'{"msec":1764072000000,"status":200}',
        b'{"msec":"soon","status":200,"api":"a"}',
        b'{"msec":-1,"status":200,"api":"a"}',
        b'{"msec":1e300,"status":200,"api":"a"}',
        b'{"msec":1764072000000,"status":7,"api":"a"}',
        b'{"msec":1764072000000,"status":{"a":1},"api":"a"}',
        b'{"a":' * 3_000 + b"1" + b"}" * 3_000,
    ],
)
def test_a_line_without_time_status_or_route_is_poisoned_and_says_why(line: bytes) -> None:
    with pytest.raises(Poisoned, match=r"\w"):
        Picker(preset("apinto")).call(line)


GOOD: list[tuple[str, dict[str, Any]]] = [
    ("apinto", apinto(1)),
    ("kong", {**KONG, "response": {"status": 200}}),
    ("nginx", {**NGINX, "status": "200"}),
    ("envoy", {**ENVOY, "response_code": 200, "response_flags": "-"}),
    ("traefik", {**TRAEFIK, "DownstreamStatus": 200}),
    ("aws", {**AWS, "status": "200"}),
]


@pytest.mark.parametrize(("which", "line"), GOOD)
def test_reading_quickly_counts_what_reading_carefully_counts(which: str, line: dict[str, Any]) -> None:
    raw = json.dumps(line).encode()
    quick, careful = Fold(FoldRules(dedup_ids=0), preset(which)), Fold(FoldRules(dedup_ids=0), preset(which))
    careful._read = None
    for fold in (quick, careful):
        assert fold.take(b"\n".join([raw] * 5)).folded == 5
    assert quick.changed() == careful.changed()


class CountingPicker(Picker):
    """How many lines were read with care."""

    picked = 0

    def call(self, raw: bytes) -> Call:
        self.picked += 1
        return super().call(raw)


@pytest.mark.parametrize(("which", "line"), GOOD)
def test_of_a_thousand_good_lines_only_the_first_is_read_with_care(which: str, line: dict[str, Any]) -> None:
    fold = Fold(FoldRules(dedup_ids=0), preset(which))
    fold._picker = picker = CountingPicker(preset(which))
    assert fold.take(b"\n".join([json.dumps(line).encode()] * 1_000)).folded == 1_000
    assert picker.picked == 1
