"""What APIPark and Loki show of the calls."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.connectors.gateway.sandbox.site import START, Site

Make = Callable[..., Site]


def logs(site: Site, kind: str = "rest", **query: object) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = site.well(
        "GET", f"service/logs/{kind}", **({"service": "checkout", "page_size": 1000} | query)
    )["logs"]
    return rows


def test_the_log_table_catches_up_every_ten_seconds(site: Site) -> None:
    (call,) = site.called("pay", "error")
    assert logs(site) == []
    site.now += 10
    (row,) = logs(site)
    assert (row["id"], row["status"], row["log_time"]) == (call, 500, "2026-09-21 22:13:20")
    assert row["api"] == {"id": "pay", "name": "Pay"}
    assert set(row) == {"id", "api", "status", "log_time", "ip", "consumer", "response_time", "traffic"}


def test_the_log_table_loses_all_but_a_hundred_lines_of_ten_seconds(make: Make) -> None:
    lossy, whole = make(), make(lossy_logs=False)
    for site in (lossy, whole):
        site.called("pay", times=250)
        site.now += 10
    assert len(logs(lossy)) == 100
    assert len(logs(whole)) == 250


def test_the_cap_and_the_pace_of_the_log_table_are_switches(make: Make) -> None:
    site = make(log_cap=3, log_seconds=5, time_factor=5)
    site.called("pay", times=10)
    site.now += 1
    assert len(logs(site)) == 3


def test_a_call_with_a_long_address_is_missing(site: Site) -> None:
    site.called("pay", set={"url": "/checkout/pay?x=" + "a" * 300})
    site.now += 10
    assert logs(site) == []


def test_start_and_end_are_in_seconds_and_pages_are_newest_first(site: Site) -> None:
    (old,) = site.called("pay", ago=3600)
    (new,) = site.called("pay")
    site.switch(lossy_logs=False, time_factor=0.001)
    site.now += 10
    assert [row["id"] for row in logs(site)] == [new, old]
    assert [row["id"] for row in logs(site, start=int(START) - 60, end=int(START))] == [new]
    assert [row["id"] for row in logs(site, start=int(START * 1000))] == []
    assert [row["id"] for row in logs(site, page=2, page_size=1)] == [old]


def test_an_ai_call_has_a_log_of_its_own_kind(site: Site) -> None:
    site.called("chat")
    site.now += 10
    assert logs(site) == []
    (row,) = logs(site, "ai", service="assistant")
    assert (row["token"], row["provider"], row["model"]) == (360, {"id": "openai", "name": "OpenAI"}, "gpt-4o-mini")


def test_a_detail_shows_headers_and_bodies_for_thirty_days(site: Site) -> None:
    (call,) = site.called("pay", "error", code="card_declined")
    site.now += 10
    found = site.well("GET", "service/log/rest", service="checkout", log=call)["log"]
    assert "card_declined" in found["response"]["body"]
    assert "authorization=" in found["request"]["header"]
    assert found["is_system_consumer"] is False
    site.now += 31 * 86_400
    site.log_in()
    assert site.fails("GET", "service/log/rest", service="checkout", log=call) == "log not found"
    assert site.fails("GET", "service/log/rest", service="checkout", log="none") == "record not found"


def test_a_detail_of_an_ai_call_counts_tokens(site: Site) -> None:
    (call,) = site.called("chat")
    site.now += 10
    found = site.well("GET", "service/log/ai", service="assistant", log=call)["log"]
    assert (found["request"]["token"], found["response"]["token"]) == (120, 240)


def test_totals_count_every_call_whatever_the_log_lost(site: Site) -> None:
    site.called("pay", times=300)
    site.called("pay", "error", times=5)
    site.called("pay", "limited", times=2)
    span = {"start": int(START) - 60, "end": int(START) + 60}
    told = site.well("POST", "monitor/overview/summary", span)
    assert told["request_summary"] == {"total": 307, "success": 300, "fail": 7, "status_4xx": 2, "status_5xx": 5}
    assert told["proxy_summary"]["total"] == 305
    narrow = site.well("POST", "monitor/overview/summary", {**span, "services": ["accounts"]})
    assert narrow["request_summary"]["total"] == 0
    assert site.fails("POST", "monitor/overview/summary", {"start": "x"}) == "invalid time range"


def test_statistics_have_averages_and_no_percentiles(site: Site) -> None:
    site.called("pay", times=3)
    site.called("cart", "error")
    span = {"start": int(START) - 60, "end": int(START) + 60}
    rows = site.well("POST", "monitor/api", span)["statistics"]
    assert [(row["id"], row["request_total"], row["is_red"]) for row in rows] == [("cart", 1, True), ("pay", 3, False)]
    assert rows[1]["path"] == "/checkout/pay"
    assert not [name for row in rows for name in row if name.startswith("p9")]
    assert site.well("POST", "monitor/provider", span)["statistics"][0]["id"] == "checkout"
    assert len(site.well("POST", "monitor/subscriber", span)["statistics"]) <= 2


def test_loki_gives_a_hundred_lines_unless_told_and_shows_texts(make: Make) -> None:
    site = make(calls_kept=200)
    site.called("pay", times=150)
    query = {"query": '{cluster="default"} | json', "start": int((START - 60) * 1e9), "end": int((START + 60) * 1e9)}
    told = site.call("GET", "/loki/api/v1/query_range", params=query).json()
    assert told["status"] == "success"
    assert len(told["data"]["result"]) == 100
    first = told["data"]["result"][0]
    assert first["stream"]["request_time"] == str(json.loads(first["values"][0][1])["request_time"])
    assert first["values"][0][0] == str(int(START * 1000) * 1_000_000)
    more = site.call("GET", "/loki/api/v1/query_range", params={**query, "limit": 140}).json()
    assert len(more["data"]["result"]) == 140
    other = site.call("GET", "/loki/api/v1/query_range", params={**query, "query": '{cluster="x"}'}).json()
    assert other["data"]["result"] == []
    site.switch(loki_cap=5)
    assert len(site.call("GET", "/loki/api/v1/query_range", params=query).json()["data"]["result"]) == 5


def test_only_so_many_calls_are_remembered(make: Make) -> None:
    site = make(calls_kept=10)
    site.called("pay", times=25)
    assert site.state()["calls"] == 10
    assert site.state()["totals"] == {"checkout pay 200": 25}
