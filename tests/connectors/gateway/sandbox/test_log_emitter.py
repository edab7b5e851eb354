"""The access log: what an entry says, and how it reaches a receiver or a file."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.connectors.gateway.sandbox.site import START, Site
from tests.connectors.sandbox.receiver import Receiver, until

Make = Callable[..., Site]
TARGET = "http://127.0.0.1:1/feeds/gateway"


def test_times_are_milliseconds_in_all_and_nanoseconds_upstream(site: Site) -> None:
    entry = site.entry(route="pay", set={"millis": 25, "response_nanos": 25_190_416})
    assert (entry["request_time"], entry["response_time"]) == (25, 25_190_416)
    assert entry["msec"] == int(START * 1000)


def test_the_recommended_set_names_what_the_hub_needs(site: Site) -> None:
    entry = site.entry(route="pay", kind="error", code="card_declined")
    assert (entry["provider"], entry["service"], entry["api"]) == ("checkout", "checkout-upstream", "pay")
    assert (entry["request_method"], entry["uri"], entry["status"], entry["proxy_status"]) == (
        "POST",
        "/checkout/pay",
        500,
        500,
    )
    assert json.loads(entry["response_body"])["error"]["code"] == "card_declined"
    assert [set(one) for one in entry["proxies"]] == [{"proxy_status", "proxy_time", "proxy_addr"}]
    assert "header" not in entry
    assert "request_body" not in entry


def test_apiparks_own_set_has_other_names_and_everybodys_credentials(site: Site) -> None:
    entry = site.entry("apipark", route="pay", kind="limited", code="per-minute")
    assert {"request_scheme", "request_uri", "request_host", "request_header", "strategy"} <= set(entry)
    assert entry["strategy"] == "per-minute"
    assert entry["request_uri"].startswith("http://api.shop.example/checkout/pay?")
    assert "authorization=Bearer" in entry["request_header"]
    assert "4111" in entry["request_body"]
    assert "ai_provider" not in entry


@pytest.mark.parametrize(
    ("kind", "status", "handler", "auth"),
    [
        ("timeout", 504, "proxy", "success"),
        ("unreachable", 501, "proxy", "success"),
        ("unauthorised", 401, "proxy", "fail"),
        ("unsubscribed", 403, "proxy", "success"),
        ("limited", 429, "limiting", "success"),
        ("fuse", 503, "fuse", "success"),
        ("client", 409, "proxy", "success"),
    ],
)
def test_what_the_gateway_answers_by_itself_is_told_by_status_and_handler(
    site: Site, kind: str, status: int, handler: str, auth: str
) -> None:
    entry = site.entry(route="pay", kind=kind)
    assert (entry["status"], entry["handler"], entry["auth_status"]) == (status, handler, auth)


def test_what_was_never_proxied_has_empty_proxy_fields(site: Site) -> None:
    entry = site.entry(route="pay", kind="unreachable")
    assert (entry["proxy_status"], entry["proxies"], entry["response_body"]) == ("", [], "no available node")


def test_a_slow_call_succeeds(site: Site) -> None:
    usual = site.entry(route="pay", set={"id": "a"})
    slow = site.entry(route="pay", kind="slow")
    assert slow["status"] == 200
    assert slow["request_time"] > usual["request_time"]


def test_a_failed_llm_call_is_a_400_with_a_plain_reason_and_its_attempts(site: Site) -> None:
    entry = site.entry(route="chat", kind="llm", status="quota exhausted")
    assert (entry["status"], entry["response_body"]) == (400, "ai provider error: quota exhausted")
    assert [(one["provider"], one["status"]) for one in entry["ai_provider_statuses"]] == [
        ("openai", "quota exhausted"),
        ("anthropic", "quota exhausted"),
    ]
    assert site.entry(route="chat", kind="llm", status="timeout")["status"] == 504


def test_a_fallback_answers_well_and_shows_the_first_failure(site: Site) -> None:
    entry = site.entry(route="chat", kind="llm_fallback", status="exceeded")
    assert (entry["status"], entry["ai_provider"], entry["ai_model_status"]) == (200, "anthropic", "normal")
    assert [one["status"] for one in entry["ai_provider_statuses"]] == ["exceeded", "normal"]
    assert [one["proxy_status"] for one in entry["proxies"]] == [429, 200]


def test_a_refused_prompt_is_the_providers_400(site: Site) -> None:
    entry = site.entry(route="chat", kind="prompt")
    assert (entry["status"], entry["ai_model_status"]) == (400, "invalid request")
    assert json.loads(entry["response_body"])["error"]["code"] == "context_length_exceeded"


def test_a_good_llm_call_counts_tokens(site: Site) -> None:
    entry = site.entry(route="chat")
    tokens = [entry[f"ai_model_{which}_token"] for which in ("input", "output", "total")]
    assert (tokens, entry["ai_provider"], entry["api_kind"]) == ([120, 240, 360], "openai", "ai")


def test_a_formatter_may_alias_nest_leave_out_empties_and_hold_constants(site: Site) -> None:
    formatter = {
        "fields": ["$status as code", "$block_name;omitempty", "shop", "@call", "$no_such_thing"],
        "call": ["$api"],
    }
    entry = site.entry(formatter, route="pay")
    assert entry == {"code": 200, "shop": "shop", "call": {"api": "pay"}, "no_such_thing": ""}


def test_lines_are_separated_by_tabs_with_encoded_bodies(site: Site) -> None:
    formatter = {"fields": ["$status", "$block_name", "$response_body"]}
    site.act("output", url=TARGET, formatter=formatter, type="line")
    site.called("pay", "error")
    (hook,) = site.posts()
    status, block, body = hook.body.decode().split("\t")
    assert (status, block) == ("500", "-")
    assert json.loads(base64.b64decode(body))["error"]["code"] == "internal_error"
    assert hook.headers["content-type"] == "application/json"


def test_kong_says_minus_one_where_nothing_was_proxied(site: Site) -> None:
    site.call("POST", "/plugins", {"name": "http-log", "config": {"http_endpoint": TARGET}})
    site.called("pay", "unreachable")
    site.called("chat")
    refused, good = (json.loads(hook.body) for hook in site.posts())
    assert (refused["latencies"]["proxy"], refused["source"]) == (-1, "kong")
    assert "upstream_status" not in refused
    assert (good["upstream_status"], good["source"]) == ("200", "upstream")
    assert good["service"]["name"] == "assistant"
    assert good["ai"]["proxy"]["usage"]["total_tokens"] == 360
    assert good["request"]["headers"]["authorization"] == "REDACTED"


# --- posting ----------------------------------------------------------------------------------------------------------


def test_each_entry_is_one_post_with_the_outputs_headers(site: Site) -> None:
    site.act("output", url=TARGET, headers={"X-Token": "feed-token"})
    ids = site.called("pay", times=2)
    hooks = site.posts()
    assert [json.loads(hook.body)["request_id"] for hook in hooks] == ids
    assert hooks[0].headers["x-token"] == "feed-token"
    assert (hooks[0].url, hooks[0].method, hooks[0].timeout) == (TARGET, "POST", 30.0)


@pytest.mark.parametrize("status", [None, 201, 204, 401, 500, 503])
def test_whatever_is_not_a_200_drops_the_entry_for_good(site: Site, status: int | None) -> None:
    site.act("output", url=TARGET)
    site.called("pay")
    site.answers(site.posts(), status)
    site.now += 3600
    assert site.posts() == []
    assert site.state()["log"]["hypercare"] == {"posted": 1, "dropped": 1}


def test_five_are_sent_at_a_time_and_twenty_five_wait(make: Make) -> None:
    site = make(output_timeout=10)
    site.act("output", url=TARGET)
    site.called("pay", times=40)
    first = site.posts()
    assert len(first) == 5
    assert site.posts() == []
    assert site.state()["log"]["hypercare"]["held"] == 15
    sent = len(first)
    while first:
        site.answers(first)
        first = site.posts()
        sent += len(first)
    assert sent == 40
    assert site.state()["waiting"] == 0


def test_a_full_queue_may_drop_instead_of_holding_requests_up(make: Make) -> None:
    site = make(queue_blocks=False, queue_depth=3, senders=1)
    site.act("output", url=TARGET)
    site.called("pay", times=10)
    assert site.state()["log"]["hypercare"] == {"dropped": 7}


def test_entries_reach_a_receiver_over_http(make: Make) -> None:
    receiver = Receiver([200, 503])
    site = make(sends=True)
    try:
        site.act("output", url=receiver.url)
        ids = site.called("pay", times=12)
        until(lambda: site.state()["waiting"] == 0)
        assert {json.loads(body)["request_id"] for body in receiver.bodies} == set(ids)
        assert site.state()["log"]["hypercare"]["accepted"] == 11
        assert site.state()["log"]["hypercare"]["dropped"] == 1
    finally:
        receiver.close()


# --- traffic ----------------------------------------------------------------------------------------------------------


def test_traffic_flows_at_its_rate(site: Site) -> None:
    site.act("traffic", route="pay", rate=20)
    site.now += 5
    assert site.state()["totals"] == {"checkout pay 200": 100}
    site.act("traffic", rate=1)
    site.now += 10
    assert sum(site.state()["totals"].values()) == 140


def test_a_look_after_a_long_time_makes_up_for_so_many_calls(make: Make) -> None:
    site = make(most_at_once=50)
    site.act("traffic", route="pay", rate=1000)
    site.now += 100
    assert site.state()["totals"] == {"checkout pay 200": 50}


def test_a_bad_release_fails_its_share_until_it_is_mended(site: Site) -> None:
    site.act("traffic", route="pay", rate=100)
    site.act("release", route="pay", share=0.4, version="2.0.0", code="null_total")
    site.now += 10
    totals = site.state()["totals"]
    assert 300 < totals["checkout pay 500"] < 500
    assert site.entry({"fields": ["$version"]}, route="pay") == {"version": "2.0.0"}
    site.act("recover", route="pay", version="2.0.1")
    site.now += 10
    after = site.state()["totals"]
    assert after["checkout pay 500"] == totals["checkout pay 500"]


def test_troubles_of_several_kinds_run_side_by_side(site: Site) -> None:
    site.act("traffic", rate=50)
    site.act("block", route="login", share=0.2, code="per-minute")
    site.act("llm_fault", route="chat", share=0.2, status="exceeded")
    site.act("trouble", route="cart", kind="timeout", share=0.2)
    site.now += 10
    totals = site.state()["totals"]
    assert {"accounts login 429", "assistant chat 400", "checkout cart 504"} <= set(totals)
    site.act("recover")
    assert [one["troubles"] for one in site.state()["streams"]] == [[], [], [], []]


def test_services_and_apis_can_be_added(site: Site) -> None:
    site.act("service", service="search", tags=["t"], kind="rest")
    site.act("router", router="find", service="search", method="GET")
    entry = site.entry(route="find")
    assert (entry["provider"], entry["api"]) == ("search", "find")
    assert "name the router" in site.mistake("router", router="x", service="none")
    assert "name the service" in site.mistake("service")


# --- files ------------------------------------------------------------------------------------------------------------


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_a_file_output_appends_a_line_for_each_call(site: Site, tmp_path: Path) -> None:
    site.act("output", dir=str(tmp_path))
    ids = site.called("pay", times=3)
    assert [line["request_id"] for line in lines(tmp_path / "access.log")] == ids


def test_a_file_is_renamed_when_its_period_is_over(site: Site, tmp_path: Path) -> None:
    site.act("output", dir=str(tmp_path), file="calls")
    (old,) = site.called("pay")
    site.now += 3600
    (new,) = site.called("pay")
    assert [line["request_id"] for line in lines(tmp_path / "calls.log")] == [new]
    assert [line["request_id"] for line in lines(tmp_path / "calls-2026092114.log")] == [old]


def test_a_file_can_be_rotated_by_rename_or_by_copy_and_truncate(site: Site, tmp_path: Path) -> None:
    site.act("output", dir=str(tmp_path))
    assert site.act("rotate") == {"older": ""}
    ids = [site.called("pay")[0]]
    inode = (tmp_path / "access.log").stat().st_ino
    assert site.act("rotate")["older"].endswith("access.log.1")
    ids += site.called("pay")
    assert site.act("rotate", how="copytruncate")["older"].endswith("access.log.2")
    kept = (tmp_path / "access.log").stat()
    assert kept.st_size == 0
    assert (tmp_path / "access.log.1").stat().st_ino == inode
    found = [lines(tmp_path / f"access.log.{number}")[0]["request_id"] for number in (1, 2)]
    assert found == ids


def test_kongs_file_log_names_its_file(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "kong.json"
    site.call("POST", "/plugins", {"name": "file-log", "config": {"path": str(path)}})
    site.called("pay")
    assert lines(path)[0]["route"]["name"] == "pay"  # type: ignore[index]


def test_entries_may_come_twice_or_late_in_files(make: Make, tmp_path: Path) -> None:
    site = make(duplicates=1.0)
    site.act("output", dir=str(tmp_path))
    (once,) = site.called("pay")
    assert [line["request_id"] for line in lines(tmp_path / "access.log")] == [once, once]
    site.switch(duplicates=0, late=1.0, late_within=100)
    site.called("pay")
    assert len(lines(tmp_path / "access.log")) == 3
    site.now += 100
    site.state()
    found = lines(tmp_path / "access.log")
    assert len(found) == 4
    assert found[3]["msec"] == int(START * 1000)


def test_posted_entries_are_repeated_only_where_switched(make: Make) -> None:
    site = make(duplicates=1.0)
    site.act("output", url=TARGET)
    site.called("pay")
    assert len(site.posts()) == 1
    site.switch(http_repeats=True)
    site.called("pay")
    assert len(site.posts()) == 2


def test_an_entry_can_be_logged_again_and_a_line_poisoned(site: Site, tmp_path: Path) -> None:
    site.act("output", dir=str(tmp_path))
    first, second = site.called("pay", times=2)
    assert site.act("repeat", id=first) == {"repeated": 1}
    assert site.act("repeat", times=2) == {"repeated": 2}
    site.act("poison", line='{"half": ')
    raw = (tmp_path / "access.log").read_bytes().splitlines()
    assert [json.loads(line)["request_id"] for line in raw[:-1]] == [first, second, first, first, second]
    assert raw[-1] == b'{"half": '
