"""How one call is written to a log: Apinto's variables under a formatter, and Kong's own object.

Units and types as the source emits them, not as its documentation says: `request_time` int milliseconds,
`response_time` int nanoseconds, `response_status` a text [V].
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urlencode

import msgspec

from connectors.gateway.sandbox.traffic import CLUSTER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.gateway.sandbox.model import Gateway, Passed, Proxied

Json: TypeAlias = Any

HUB_FORMATTER: Final[dict[str, Json]] = {
    "fields": [
        *("$request_id", "$msec", "$node", "$cluster", "$provider", "$service", "$api", "$api_kind", "$application"),
        *("$authorization", "$request_method", "$uri", "$host", "$status", "$proxy_status", "$request_time"),
        *("$response_time", "$src_ip", "$handler", "$block_name", "$auth_status", "$response_body", "$content_type"),
        *("$ai_provider", "$ai_model", "$ai_model_status", "$ai_model_input_token", "$ai_model_output_token"),
        *("$ai_model_total_token", "$ai_provider_statuses", "@proxies#"),
    ],
    "proxies": ["$proxy_status", "$proxy_time", "$proxy_addr"],
}
"""What the hub recommends to ask for."""

APIPARK_FORMATTER: Final[dict[str, Json]] = {
    "fields": [
        *("$msec", "$service", "$provider", "$scheme as request_scheme", "$url as request_uri"),
        *("$host as request_host", "$header as request_header", "$remote_addr", "$request_body", "$proxy_body"),
        *("$proxy_method", "$proxy_scheme", "$proxy_uri", "$api", "$proxy_host", "$proxy_header", "$proxy_addr"),
        *("$response_headers", "$status", "$content_type", "$proxy_status", "$request_time", "$response_time"),
        *("$node", "$cluster", "$application", "$src_ip", "$block_name as strategy", "$request_id"),
        *("$request_method", "$authorization", "$response_body", "$proxy_response_body"),
    ],
}
"""APIPark's own set, of its log module [V]: credentials and bodies included, nothing about LLM calls."""

FORMATTERS: Final = {"hub": HUB_FORMATTER, "apipark": APIPARK_FORMATTER}

HOST: Final = "api.shop.example"


def apinto(gateway: Gateway, call: Passed, formatter: Mapping[str, Json], kind: str = "json") -> bytes:
    """One entry under a formatter, as one line without its end. kind: `json`, or `line`: separated by tabs."""
    fields = [str(one) for one in formatter.get("fields", ())]
    if kind == "line":
        return "\t".join(_flat(gateway, call, one, formatter) for one in fields).encode()
    return msgspec.json.encode(_object(gateway, call, fields, formatter, None))


def _object(
    gateway: Gateway, call: Passed, fields: list[str], formatter: Mapping[str, Json], proxy: Proxied | None
) -> dict[str, Json]:
    made: dict[str, Json] = {}
    for one in fields:
        bare, omits = one.removesuffix(";omitempty"), one.endswith(";omitempty")
        source, _, alias = bare.partition(" as ")
        name = alias.strip() or source.lstrip("$@").rstrip("#")
        value = _value(gateway, call, source, formatter, proxy)
        if not omits or value not in ("", None, [], {}):
            made[name] = value
    return made


def _value(gateway: Gateway, call: Passed, source: str, formatter: Mapping[str, Json], proxy: Proxied | None) -> Json:
    if source.startswith("@"):
        inner = [str(one) for one in formatter.get(source[1:].rstrip("#"), ())]
        if source.endswith("#"):
            return [_object(gateway, call, inner, formatter, each) for each in call.proxies]
        return _object(gateway, call, inner, formatter, proxy)
    if not source.startswith("$"):
        return source
    return variable(gateway, call, source[1:], proxy)


def _flat(gateway: Gateway, call: Passed, field: str, formatter: Mapping[str, Json]) -> str:
    source = field.partition(" as ")[0].removesuffix(";omitempty")
    value = _value(gateway, call, source, formatter, None)
    if source.endswith("_body") and value:
        return base64.b64encode(str(value).encode()).decode()
    if isinstance(value, list):
        return "[" + ",".join(" ".join(str(part) for part in each.values()) for each in value) + "]"
    return str(value).replace("\t", " ").replace("\n", " ") if value not in ("", None) else "-"


def variable(gateway: Gateway, call: Passed, name: str, proxy: Proxied | None = None) -> Json:
    """The value of one of Apinto's variables; "" for one that does not exist. proxy: the attempt; else the last."""
    tried = proxy or (call.proxies[-1] if call.proxies else None)
    last = call.attempts[-1] if call.attempts else None
    router = gateway.routers.get(call.router)
    at = datetime.fromtimestamp(call.at, UTC).astimezone(timezone(timedelta(hours=gateway.settings.zone_hours)))
    match name:
        case "request_id":
            return call.id
        case "msec":
            return int(call.at * 1000)
        case "timestamp":
            return int(call.at)
        case "time_iso8601":
            return at.isoformat(timespec="milliseconds")
        case "time_local":
            return at.strftime("%Y-%m-%d %H:%M:%S")
        case "node":
            return call.node
        case "cluster":
            return CLUSTER
        case "request_method" | "method" | "proxy_method":
            return call.method if name != "proxy_method" or tried else ""
        case "scheme" | "proxy_scheme":
            return "http" if name != "proxy_scheme" or tried else ""
        case "host":
            return HOST
        case "request_uri":
            return call.url
        case "uri" | "path":
            return call.path
        case "url":
            return f"http://{HOST}{call.url}"
        case "header":
            return urlencode(call.headers)
        case "headers":
            return call.headers
        case "src_ip" | "ip" | "remote_addr":
            return call.ip
        case "content_type":
            return call.content_type
        case "request_body":
            return call.request_body
        case "status":
            return call.status
        case "request_time":
            return call.millis
        case "response_time":
            return call.response_nanos
        case "response_body":
            return call.answer
        case "response_headers":
            return {"content-type": call.content_type}
        case "response_status":
            return str(tried.status) if tried else ""
        case "response_length":
            return str(len(call.answer.encode()))
        case "proxy_status":
            return tried.status if tried else ""
        case "proxy_time":
            return tried.millis if tried else ""
        case "proxy_addr":
            return tried.address if tried else ""
        case "proxy_uri" | "proxy_path":
            return (call.url if name == "proxy_uri" else call.path) if tried else ""
        case "proxy_host":
            return tried.address if tried else ""
        case "proxy_header":
            return urlencode(call.headers) if tried else ""
        case "proxy_body":
            return call.request_body if tried else ""
        case "proxy_response_body":
            return call.answer if tried else ""
        case "api" | "api_id":
            return call.router
        case "service":
            return call.upstream
        case "provider":
            return call.service
        case "api_kind":
            return call.kind
        case "application":
            return call.consumer
        case "authorization":
            return f"{call.consumer}-key" if call.consumer else ""
        case "auth_status":
            return call.auth
        case "handler":
            return call.handler
        case "block_name":
            return call.block
        case "is_block":
            return call.is_blocked
        case "version":
            return call.version
        case "ai_provider":
            return last.provider if last else ""
        case "ai_model":
            return last.model if last else ""
        case "ai_key":
            return last.key if last else ""
        case "ai_model_status":
            return last.status if last else ""
        case "ai_model_input_token":
            return call.input_tokens if last else ""
        case "ai_model_output_token":
            return call.output_tokens if last else ""
        case "ai_model_total_token":
            return call.input_tokens + call.output_tokens if last else ""
        case "ai_model_cost":
            return call.cost if last else ""
        case "ai_provider_statuses":
            return [msgspec.to_builtins(one) for one in call.attempts] if call.attempts else ""
        case _:
            return router.labels.get(name, "") if router else ""


def kong(gateway: Gateway, call: Passed) -> bytes:
    """One entry as Kong's http-log and file-log write it: milliseconds, -1 where nothing was proxied [V KO]."""
    tried = call.proxies[-1] if call.proxies else None
    service, router = gateway.services[call.service], gateway.routers[call.router]
    made: dict[str, Json] = {
        "request": {
            "id": call.id.replace("-", ""),
            "method": call.method,
            "uri": call.url,
            "url": f"http://{HOST}{call.url}",
            "headers": {"host": HOST, **call.headers, "authorization": "REDACTED"},
            "size": len(call.request_body),
            "querystring": {},
        },
        "response": {"status": call.status, "headers": {"content-type": call.content_type}, "size": len(call.answer)},
        "service": {"id": f"{service.id}-id", "name": service.id, "tags": gateway.kong_tags("services", service.id)},
        "route": {
            "id": f"{router.id}-id",
            "name": router.id,
            "paths": [router.path],
            "tags": gateway.kong_tags("routes", router.id),
        },
        "latencies": {
            "request": call.millis,
            "proxy": tried.millis if tried else -1,
            "kong": max(1, call.millis - (tried.millis if tried else 0)),
        },
        "tries": [{"ip": one.address.partition(":")[0], "port": 8080, "balancer_latency": 0} for one in call.proxies],
        "client_ip": call.ip,
        "started_at": int(call.at * 1000),
        "source": "upstream" if tried else "kong",
        "workspace": "default",
    }
    if tried:
        made["upstream_status"] = str(tried.status)
    if call.consumer:
        made["consumer"] = {"id": f"{call.consumer}-id", "username": call.consumer}
    if call.attempts:
        last = call.attempts[-1]
        made["ai"] = {
            "proxy": {
                "meta": {
                    "provider_name": last.provider,
                    "request_model": last.model,
                    "response_model": last.model,
                    "llm_latency": call.millis,
                },
                "usage": {
                    "prompt_tokens": call.input_tokens,
                    "completion_tokens": call.output_tokens,
                    "total_tokens": call.input_tokens + call.output_tokens,
                    "cost": call.cost,
                },
            }
        }
    return msgspec.json.encode(made)
