"""What APIPark and Loki show of the calls: log tables, one call's detail, totals. No percentiles anywhere [V]."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

import msgspec

from connectors.gateway.sandbox import answers, entries
from connectors.gateway.sandbox.answers import failed, local, plain_json, traffic, well
from connectors.gateway.sandbox.apipark_calls import PROVIDERS, label
from connectors.gateway.sandbox.model import SYSTEM_CONSUMER, Gateway, Passed
from connectors.gateway.sandbox.traffic import CLUSTER
from connectors.sandbox.wire import Request, Response

Json: TypeAlias = Any

PAGE_SIZE: Final = 20
DETAIL_SECONDS: Final = 30 * 86_400.0
"""Bodies are kept by Loki alone, for thirty days [V]."""


def logs(gateway: Gateway, request: Request) -> Response:
    """GET /service/logs/rest and /ai: what the log table took, newest first; `start` and `end` in seconds [V]."""
    kind = request.path.rsplit("/", 1)[-1]
    gateway.copy_logs()
    start, end = _seconds(request, "start"), _seconds(request, "end")
    found = [
        call
        for call in reversed(gateway.between(start if start is not None else 0.0, end or gateway.now()))
        if call.id in gateway.rows and call.kind == kind and call.service == request.arg("service", call.service)
    ]
    size, page = _number(request, "page_size", PAGE_SIZE), _number(request, "page", 1)
    rows = found[(page - 1) * size : page * size]
    return well(logs=[_row(gateway, call) for call in rows], total=len(found))


def _row(gateway: Gateway, call: Passed) -> Json:
    router = gateway.routers.get(call.router)
    consumer = gateway.consumers.get(call.consumer)
    shown: dict[str, Json] = {
        "id": call.id,
        "api": label(call.router, router.name if router else ""),
        "status": call.status,
        "log_time": local(call.at, gateway.settings.zone_hours),
        "ip": call.ip,
        "consumer": label(call.consumer, consumer.name if consumer else ""),
    }
    if call.kind == "ai":
        total = call.input_tokens + call.output_tokens
        last = call.attempts[-1] if call.attempts else None
        shown["token"] = total
        shown["token_per_second"] = round(total * 1000 / call.millis)
        shown["provider"] = label(last.provider if last else "", PROVIDERS.get(last.provider, "") if last else "")
        shown["model"] = last.model if last else ""
    else:
        shown["response_time"] = answers.took(call.millis)  # really the whole request's time [V]
        shown["traffic"] = traffic(len(call.answer) + len(call.request_body))
    return shown


def log_detail(gateway: Gateway, request: Request) -> Response:
    """GET /service/log/rest and /ai?service=&log=: with headers and bodies, from Loki [V]."""
    gateway.copy_logs()
    call = gateway.find(request.arg("log"))
    if call is None or call.id not in gateway.rows:
        raise failed("record not found")
    if gateway.now() - call.at > DETAIL_SECONDS:
        raise failed("log not found")
    asked: dict[str, Json] = {"header": urlencode(call.headers), "origin": call.request_body, "body": call.request_body}
    answered: dict[str, Json] = {
        "header": urlencode({"content-type": call.content_type}),
        "origin": call.answer,
        "body": call.answer,
    }
    if call.kind == "ai":
        asked["token"], answered["token"] = call.input_tokens, call.output_tokens
    system = call.consumer == SYSTEM_CONSUMER
    return well(log={**_row(gateway, call), "request": asked, "response": answered, "is_system_consumer": system})


def summary(gateway: Gateway, request: Request) -> Response:
    """POST /monitor/overview/summary {start, end, apis, services}."""
    calls = _asked(gateway, request)
    return well(request_summary=_counts(one.status for one in calls), proxy_summary=_counts(_upstreams(calls)))


def _upstreams(calls: Iterable[Passed]) -> Iterable[int]:
    return [proxied.status for call in calls for proxied in call.proxies]


def _counts(statuses: Iterable[int]) -> Json:
    found = list(statuses)
    good = sum(1 for one in found if one < 400)
    return {
        "total": len(found),
        "success": good,
        "fail": len(found) - good,
        "status_4xx": sum(1 for one in found if 400 <= one < 500),
        "status_5xx": sum(1 for one in found if one >= 500),
    }


def statistics(gateway: Gateway, request: Request) -> Response:
    """POST /monitor/api, /provider, /subscriber: totals of each; average, longest, shortest."""
    kind = request.path.rsplit("/", 1)[-1]
    groups: dict[str, list[Passed]] = {}
    for call in _asked(gateway, request):
        key = {"api": call.router, "provider": call.service, "subscriber": call.consumer}[kind]
        groups.setdefault(key, []).append(call)
    return well(statistics=[_statistic(gateway, kind, key, calls) for key, calls in sorted(groups.items())])


def _statistic(gateway: Gateway, kind: str, key: str, calls: list[Passed]) -> Json:
    named: Json = {
        "api": gateway.routers,
        "provider": gateway.services,
        "subscriber": gateway.consumers,
    }[kind]
    found = named.get(key)
    times = [call.millis for call in calls]
    good = sum(1 for call in calls if call.status < 400)
    tried = list(_upstreams(calls))
    reached = sum(1 for status in tried if status < 400)
    shown: dict[str, Json] = {
        "id": key,
        "name": found.name if found else "unknown",
        "request_total": len(calls),
        "request_success": good,
        "request_rate": good / len(calls),
        "proxy_total": len(tried),
        "proxy_success": reached,
        "proxy_rate": reached / len(tried) if tried else 0,
        "status_fail": len(calls) - good,
        "avg_resp": sum(times) / len(times),
        "max_resp": max(times),
        "min_resp": min(times),
        "avg_traffic": 0,
        "max_traffic": 0,
        "min_traffic": 0,
        "is_red": good / len(calls) < 0.9,
    }
    if kind == "api" and key in gateway.routers:
        router = gateway.routers[key]
        shown["path"] = router.path
        shown["service"] = label(router.service, gateway.services[router.service].name)
    return shown


def _asked(gateway: Gateway, request: Request) -> list[Passed]:
    told = answers.body(request) or {}
    start, end = told.get("start"), told.get("end")
    if not isinstance(start, int) or not isinstance(end, int) or start > end:
        raise failed("invalid time range")
    apis, providers = told.get("apis") or [], told.get("services") or []
    return [
        call
        for call in gateway.between(start, end)
        if (not apis or call.router in apis) and (not providers or call.service in providers)
    ]


def loki(gateway: Gateway, request: Request) -> Response:
    """GET /loki/api/v1/query_range: nanoseconds; a hundred lines without a limit; `| json` shows texts [V, G]."""
    query = request.arg("query")
    if f'cluster="{CLUSTER}"' not in query:
        return plain_json({"status": "success", "data": {"resultType": "streams", "result": []}})
    end = int(request.arg("end") or int(gateway.now() * 1e9))
    start = int(request.arg("start") or end - 3_600_000_000_000)
    found = gateway.between(start / 1e9, end / 1e9)
    if request.arg("direction", "backward") != "forward":
        found = found[::-1]
    limit = _number(request, "limit", gateway.settings.loki_cap)
    streams = []
    for call in found[:limit]:
        line = entries.apinto(gateway, call, entries.APIPARK_FORMATTER)
        labels: dict[str, Json] = {"cluster": CLUSTER, "node": call.node}
        if "| json" in query:
            fields = msgspec.json.decode(line)
            labels |= {key: value if isinstance(value, str) else _text(value) for key, value in fields.items()}
        streams.append({"stream": labels, "values": [[str(int(call.at * 1000) * 1_000_000), line.decode()]]})
    return plain_json({"status": "success", "data": {"resultType": "streams", "result": streams}})


def _text(value: Json) -> str:
    return msgspec.json.encode(value).decode()


def _seconds(request: Request, name: str) -> float | None:
    """A time in epoch seconds; what is no number is taken for none [G]."""
    value = request.arg(name)
    return float(value) if value.isdecimal() else None


def _number(request: Request, name: str, default: int) -> int:
    value = request.arg(name)
    return max(1, int(value)) if value.isdecimal() else default
