"""How each gateway writes a call: formats, field names, units. Values only.

The names and units are those that the gateways' sources emit, which their documentation sometimes contradicts: Apinto's
`request_time` is in milliseconds and its `response_time` in nanoseconds, whatever the manual says.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Literal

from msgspec import Struct

Unit = Literal["s", "ms", "us", "ns"]
TimeUnit = Literal["s", "ms", "us", "ns", "iso", "clf"]

UNITS: dict[str, float] = {"s": 1_000.0, "ms": 1.0, "us": 0.001, "ns": 0.000_001}
"""Milliseconds in a unit."""

FIELDS = frozenset({
    "time", "request_id", "trace_id", "node", "service", "route", "method", "path", "status", "upstream_status",
    "latency", "upstream_latency", "consumer", "handler", "blocked", "by_gateway", "flags", "attempted", "body",
    "error", "version", "provider", "model", "ai_status", "input_tokens", "output_tokens", "total_tokens", "cost",
    "attempts",
})  # fmt: skip
"""The canonical names that a mapping may fill. `time`, `status` and one of `route` and `path` are required."""

_REQUIRED = ("time", "status")


class GenericMapping(Struct, frozen=True, kw_only=True):
    """The lines of any gateway. fields: canonical name -> paths, the first that has a value is taken.

    format: `json` (a document may hold an object, an array, or an object a line), or `regex` with named groups.
    Paths go through objects by dots, `*` stands for the first key; a name that itself has dots is tried first. The
    canonical names are `FIELDS`; for `regex` the groups may have those names themselves.
    time_unit: of numbers; texts of digits are numbers, other texts are read as ISO 8601 or as a common log's time.
    units: of `latency` and `upstream_latency` (milliseconds where nothing is said).
    lists: which element of a list or of a comma list is a status; times in such lists are summed.
    base: the preset that this one changes; its own fields are added to the preset's and go before them.
    routed: every good line names its route, so that paths need not be read of them.
    """

    fields: dict[str, tuple[str, ...]] = {}
    format: Literal["json", "regex"] = "json"
    pattern: str = ""
    time_unit: TimeUnit = "iso"
    units: dict[str, Unit] = {}
    lists: Literal["last", "max"] = "last"
    base: str = ""
    routed: bool = False


class Preset(Struct, frozen=True, kw_only=True):
    """One gateway's way of writing calls: a name (the `source` in signature ids) and its mapping."""

    name: str
    mapping: GenericMapping


_APINTO = GenericMapping(
    routed=True,
    fields={
        "time": ("msec", "time_iso8601", "timestamp", "time_local"),
        "request_id": ("request_id",),
        "trace_id": ("trace_id", "http_traceparent", "http_x_trace_id", "headers.traceparent"),
        "node": ("node",),
        "service": ("provider",),
        "route": ("api",),
        "method": ("request_method",),
        "path": ("uri", "request_uri", "url"),
        "status": ("status",),
        "upstream_status": ("proxy_status",),
        "latency": ("request_time",),
        "upstream_latency": ("proxy_time",),
        "consumer": ("application", "application_id"),
        "handler": ("handler",),
        "blocked": ("is_block", "block_name", "strategy"),
        "attempted": ("proxies", "proxy_status", "proxy_addr"),
        "body": ("response_body", "proxy_response_body"),
        "version": ("version", "upstream_version"),
        "provider": ("ai_provider",),
        "model": ("ai_model",),
        "ai_status": ("ai_model_status",),
        "input_tokens": ("ai_model_input_token",),
        "output_tokens": ("ai_model_output_token",),
        "total_tokens": ("ai_model_total_token",),
        "cost": ("ai_model_cost",),
        "attempts": ("ai_provider_statuses",),
    },
    time_unit="ms",
)
"""Apinto's access log under the formatter that the hub recommends, and under the one that APIPark installs.

`service` in these lines is the upstream; the owner is the label `provider`, which is what APIPark calls a service.
"""

_KONG = GenericMapping(
    routed=True,
    fields={
        "time": ("started_at",),
        "request_id": ("request.id", "request.headers.kong-request-id", "request.headers.x-request-id"),
        "trace_id": ("trace_id.w3c", "trace_id.*", "request.headers.traceparent"),
        "node": ("hostname", "workspace"),
        "service": ("service.id", "service.name"),
        "route": ("route.id", "route.name"),
        "method": ("request.method",),
        "path": ("request.uri",),
        "status": ("response.status",),
        "upstream_status": ("upstream_status",),
        "latency": ("latencies.request",),
        "upstream_latency": ("latencies.proxy",),
        "consumer": ("consumer.id", "consumer.username", "authenticated_entity.id"),
        "by_gateway": ("source",),
        "attempted": ("tries",),
        "body": ("response.body",),
        "error": ("error", "err"),
        "version": ("response.headers.x-version",),
        "provider": ("ai.*.meta.provider_name",),
        "model": ("ai.*.meta.response_model", "ai.*.meta.request_model"),
        "input_tokens": ("ai.*.usage.prompt_tokens",),
        "output_tokens": ("ai.*.usage.completion_tokens",),
        "total_tokens": ("ai.*.usage.total_tokens",),
        "cost": ("ai.*.usage.cost",),
    },
    time_unit="ms",
)

_NGINX = GenericMapping(
    fields={
        "time": ("msec", "time_iso8601", "time", "time_local"),
        "request_id": ("request_id",),
        "trace_id": ("http_traceparent", "trace_id"),
        "node": ("hostname",),
        "service": ("proxy_host", "upstream_name", "server_name"),
        "route": ("location", "route"),
        "method": ("request_method", "method"),
        "path": ("uri", "request_uri", "request"),
        "status": ("status",),
        "upstream_status": ("upstream_status",),
        "latency": ("request_time",),
        "upstream_latency": ("upstream_response_time",),
        "consumer": ("remote_user",),
        "attempted": ("upstream_status", "upstream_addr"),
        "error": ("error",),
    },
    time_unit="s",
    units={"latency": "s", "upstream_latency": "s"},
)
"""nginx with `log_format … escape=json`, each variable under its own name."""

_NGINX_COMBINED = GenericMapping(
    format="regex",
    pattern=(
        r"(?P<remote>\S{1,128}) \S{1,128} (?P<consumer>\S{1,256}) \[(?P<time>[^\]]{10,40})\] "
        r'"(?P<method>[A-Z]{1,20}) (?P<path>\S{1,8192})[^"]{0,64}" (?P<status>\d{3}) \S{1,20}'
        r'(?: "(?:[^"\\]|\\.){0,8192}" "(?:[^"\\]|\\.){0,8192}")?(?: (?P<latency>\d{1,9}(?:\.\d{1,9})?))?.{0,4096}'
    ),
    time_unit="clf",
    units={"latency": "s"},
)
"""The common and the combined log format, with `$request_time` behind it or not."""

_ENVOY = GenericMapping(
    fields={
        "time": ("start_time",),
        "request_id": ("request_id", "x_request_id"),
        "trace_id": ("traceparent", "trace_id"),
        "node": ("hostname", "node"),
        "service": ("upstream_cluster",),
        "route": ("route_name",),
        "method": ("method",),
        "path": ("path", "x_envoy_original_path"),
        "status": ("response_code",),
        "latency": ("duration",),
        "upstream_latency": ("upstream_service_time", "x_envoy_upstream_service_time"),
        "consumer": ("consumer", "jwt_sub", "requested_client"),
        "flags": ("response_flags",),
        "attempted": ("upstream_host",),
        "error": ("response_code_details", "upstream_transport_failure_reason"),
    },
)
"""Envoy's JSON log with the names that its documentation and Istio use."""

_TRAEFIK = GenericMapping(
    routed=True,
    fields={
        "time": ("StartUTC", "StartLocal", "time"),
        "request_id": ("request_X-Request-Id", "downstream_X-Request-Id"),
        "trace_id": ("TraceId", "trace_id"),
        "service": ("ServiceName",),
        "route": ("RouterName",),
        "method": ("RequestMethod",),
        "path": ("RequestPath",),
        "status": ("DownstreamStatus",),
        "upstream_status": ("OriginStatus",),
        "latency": ("Duration",),
        "upstream_latency": ("OriginDuration",),
        "consumer": ("ClientUsername",),
        "attempted": ("OriginStatus", "ServiceAddr"),
    },
    units={"latency": "ns", "upstream_latency": "ns"},
)

_AWS = GenericMapping(
    routed=True,
    fields={
        "time": ("requestTimeEpoch", "requestTime"),
        "request_id": ("requestId", "extendedRequestId"),
        "trace_id": ("xrayTraceId",),
        "node": ("stage",),
        "service": ("apiId",),
        "route": ("routeKey", "resourcePath"),
        "method": ("httpMethod",),
        "path": ("path",),
        "status": ("status",),
        "upstream_status": ("integrationStatus", "integration.status"),
        "latency": ("responseLatency",),
        "upstream_latency": ("integrationLatency", "integration.latency"),
        "consumer": ("authorizer.principalId", "principalId", "user", "caller", "apiKeyId", "identity.apiKeyId"),
        "attempted": ("integrationStatus", "integration.status", "integrationLatency", "integration.latency"),
        "flags": ("error.responseType", "responseType"),
        "error": ("error.message", "errorMessage", "integrationErrorMessage"),
    },
    time_unit="ms",
)

_NAMED: dict[str, GenericMapping] = {
    "apinto": _APINTO,
    "apipark": _APINTO,
    "kong": _KONG,
    "nginx": _NGINX,
    "nginx_combined": _NGINX_COMBINED,
    "envoy": _ENVOY,
    "traefik": _TRAEFIK,
    "aws": _AWS,
}

PRESETS: tuple[str, ...] = tuple(_NAMED)
"""The names `preset` knows, besides a mapping of one's own."""


def preset(which: str | GenericMapping) -> Preset:
    """The preset of that name, or one made of a mapping. Raises ValueError: every wrong word, and the nearest right."""
    if isinstance(which, str):
        return Preset(name=which, mapping=_named(which))
    mapping = which
    if which.base:
        under = _named(which.base)
        fields = {
            name: (*which.fields.get(name, ()), *under.fields.get(name, ()))
            for name in {**under.fields, **which.fields}
        }
        mapping = GenericMapping(
            fields=fields,
            format=under.format,
            pattern=which.pattern or under.pattern,
            time_unit=under.time_unit,
            units={**under.units, **which.units},
            lists=which.lists,
            routed=under.routed,
        )
    _check(mapping)
    return Preset(name=which.base or "generic", mapping=mapping)


def _named(name: str) -> GenericMapping:
    try:
        return _NAMED[name]
    except KeyError:
        near = get_close_matches(name, PRESETS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(PRESETS)}"
        raise ValueError(f"no preset is called {name!r}{hint}") from None


def _check(mapping: GenericMapping) -> None:
    wrong = []
    given = set(mapping.fields)
    if mapping.format == "regex":
        try:
            groups = set(re.compile(mapping.pattern).groupindex)
        except re.error as bad:
            raise ValueError(f"pattern: {bad} at position {bad.pos}") from None
        given |= groups & FIELDS
        for name, paths in mapping.fields.items():
            wrong += [f"fields.{name}: the pattern has no group {path!r}" for path in paths if path not in groups]
    for name in mapping.fields:
        if name not in FIELDS:
            near = get_close_matches(name, FIELDS, 1)
            wrong.append(f"fields.{name}: there is no such field" + (f"; did you mean {near[0]!r}?" if near else ""))
    wrong += [f"fields.{name}: has to be given" for name in _REQUIRED if name not in given]
    if not given & {"route", "path"}:
        wrong.append("fields: one of route and path has to be given")
    wrong += [
        f"units.{name}: only latency and upstream_latency have a unit"
        for name in mapping.units
        if name not in {"latency", "upstream_latency"}
    ]
    if wrong:
        raise ValueError("; ".join(wrong))
