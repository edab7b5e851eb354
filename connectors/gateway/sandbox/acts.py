"""What the control face shows of the gateway, and what it can let happen: traffic, bad releases, outages, edits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from connectors.gateway.sandbox import entries
from connectors.gateway.sandbox.model import Router, Service
from connectors.gateway.sandbox.traffic import KINDS, LLM_STATUSES, Trouble
from connectors.sandbox.control import Mistaken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connectors.gateway.sandbox.wire import GatewaySandbox

Json: TypeAlias = Any
Told: TypeAlias = "Mapping[str, Json]"


def state(sandbox: GatewaySandbox) -> Json:
    """Everything as it really is."""
    gateway = sandbox.gateway
    return {
        "system": "gateway",
        "now": gateway.now(),
        "services": [msgspec.to_builtins(one) for one in gateway.services.values()],
        "routers": [msgspec.to_builtins(one) for one in gateway.routers.values()],
        "consumers": list(gateway.consumers),
        "streams": [msgspec.to_builtins(one) for one in sandbox.traffic.streams.values()],
        "calls": len(gateway.calls),
        "rows": len(gateway.rows),
        "totals": dict(gateway.totals),
        "hashes": gateway.hashes,
        "outputs": gateway.workers.get("output", {}),
        "kong": {key: one["tags"] for key, one in gateway.workers.get("kong-tags", {}).items()},
        "log": sandbox.emitter.told,
        "waiting": sandbox.emitter.waiting,
        "sessions": len(gateway.sessions),
        "writes": dict(gateway.writes),
        "requests": dict(sandbox.requests),
    }


def act(sandbox: GatewaySandbox, command: Told) -> Json:
    """Carry out one act. Raises Mistaken."""
    name = str(command.get("act", ""))
    done = ACTS.get(name)
    if done is None:
        raise Mistaken(f"no such act: {name!r}; there are: {', '.join(sorted(ACTS))}")
    return done(sandbox, command)


def _route(sandbox: GatewaySandbox, told: Told) -> str:
    route = str(told.get("route", ""))
    if route not in sandbox.gateway.routers:
        raise Mistaken(f"no such route: {route!r}; there are: {', '.join(sandbox.gateway.routers)}")
    return route


def _trouble(told: Told, kind: str) -> Trouble:
    kind = str(told.get("kind", kind))
    if kind not in KINDS:
        raise Mistaken(f"no such kind: {kind!r}; there are: {', '.join(KINDS)}")
    share = float(told.get("share", 1.0))
    if not 0 <= share <= 1:
        raise Mistaken("share is from 0 to 1")
    status = str(told.get("status", ""))
    if kind.startswith("llm") and status and status not in LLM_STATUSES:
        raise Mistaken(f"no such LLM status: {status!r}; there are: {', '.join(sorted(LLM_STATUSES))}")
    return Trouble(
        kind=kind, share=share, status=status, code=str(told.get("code", "")), message=str(told.get("message", ""))
    )


def _traffic(sandbox: GatewaySandbox, told: Told) -> Json:
    """So many calls a second on a route; on every route where none is named."""
    routes = [_route(sandbox, told)] if told.get("route") else list(sandbox.gateway.routers)
    for route in routes:
        stream = sandbox.traffic.stream(route)
        stream.rate, stream.owed = float(told.get("rate", 1.0)), 0.0
    return {"routes": routes}


def _call(sandbox: GatewaySandbox, told: Told) -> Json:
    """Calls at once: `kind`, `times`, `ago` seconds, `set` fields; their request ids."""
    stream = sandbox.traffic.stream(_route(sandbox, told))
    at = sandbox.gateway.now() - float(told.get("ago", 0.0))
    given = dict(told.get("set") or {})
    made = []
    for _time in range(int(told.get("times", 1))):
        try:
            call = sandbox.traffic.call(stream, _trouble(told, "ok"), at=at, told=given)
        except TypeError as error:
            raise Mistaken(f"set: {error}") from error
        sandbox.gateway.passed(call)
        sandbox.emitter.emit(call)
        made.append(call.id)
    return {"ids": made}


def _break(kind: str) -> Callable[[GatewaySandbox, Told], Json]:
    def broken(sandbox: GatewaySandbox, told: Told) -> Json:
        stream = sandbox.traffic.stream(_route(sandbox, told))
        trouble = _trouble(told, kind)
        stream.troubles = [one for one in stream.troubles if (one.kind, one.code) != (trouble.kind, trouble.code)]
        stream.troubles.append(trouble)
        if told.get("version"):
            stream.version = str(told["version"])
        return {"route": stream.router, "troubles": [msgspec.to_builtins(one) for one in stream.troubles]}

    return broken


def _recover(sandbox: GatewaySandbox, told: Told) -> Json:
    """Nothing is wrong any more, on a route or on all."""
    routes = [_route(sandbox, told)] if told.get("route") else list(sandbox.traffic.streams)
    for route in routes:
        stream = sandbox.traffic.stream(route)
        stream.troubles = []
        stream.version = str(told.get("version", stream.version))
    return {"routes": routes}


def _repeat(sandbox: GatewaySandbox, told: Told) -> Json:
    """Log a call once more: its request id, or the latest `times`."""
    known = sandbox.gateway.calls
    wanted = str(told.get("id", ""))
    calls = [one for one in known if one.id == wanted] if wanted else known[-int(told.get("times", 1)) :]
    for call in calls:
        sandbox.emitter.repeat(call)
    return {"repeated": len(calls)}


def _poison(sandbox: GatewaySandbox, told: Told) -> Json:
    """Log a line that is no entry."""
    sandbox.emitter.raw(str(told.get("line", "{not json")).encode())
    return {}


def _output(sandbox: GatewaySandbox, told: Told) -> Json:
    """Install an output as an administrator does: `url` and `headers`, or `dir` and `file`; `formatter` by name."""
    formatter = told.get("formatter", "hub")
    if isinstance(formatter, str):
        if formatter not in entries.FORMATTERS:
            raise Mistaken(f"no such formatter: {formatter!r}; there are: {', '.join(entries.FORMATTERS)}")
        formatter = entries.FORMATTERS[formatter]
    if not told.get("url") and not told.get("dir"):
        raise Mistaken("an output needs a url, or a dir")
    config: dict[str, Json] = {
        "scopes": ["access_log"],
        "type": told.get("type", "json"),
        "formatter": formatter,
        "driver": "http_output" if told.get("url") else "file",
    }
    for name in ("url", "headers", "dir", "file", "period", "method"):
        if told.get(name):
            config[name] = told[name]
    name = str(told.get("name", "hypercare"))
    sandbox.gateway.workers.setdefault("output", {})[name] = config
    return {"name": name}


def _rotate(sandbox: GatewaySandbox, told: Told) -> Json:
    """Rotate an output's file now: `how` is rename or copytruncate."""
    try:
        return {"older": sandbox.emitter.rotate(str(told.get("name", "hypercare")), str(told.get("how", "rename")))}
    except KeyError:
        raise Mistaken("no such output") from None


def _service(sandbox: GatewaySandbox, told: Told) -> Json:
    """Make a service, or change one: its fields by name, and `tags`."""
    name = str(told.get("service", ""))
    if not name:
        raise Mistaken("name the service")
    service = sandbox.gateway.services.setdefault(
        name, Service(id=name, name=name.title(), created=sandbox.gateway.now(), updated=sandbox.gateway.now())
    )
    for field in ("name", "kind", "description", "approval_type", "service_type", "catalogue", "provider"):
        if field in told:
            setattr(service, field, str(told[field]))
    if "tags" in told:
        service.tags = [str(one) for one in told["tags"]]
    return {"service": service.id}


def _router(sandbox: GatewaySandbox, told: Told) -> Json:
    """Make an API of a service: `router`, `service`, `path`, `method`."""
    name, service = str(told.get("router", "")), str(told.get("service", ""))
    if not name or service not in sandbox.gateway.services:
        raise Mistaken("name the router, and a service that exists")
    sandbox.gateway.routers[name] = Router(
        id=name,
        name=str(told.get("name", name.title())),
        service=service,
        methods=[str(told.get("method", "GET"))],
        path=str(told.get("path", f"/{service}/{name}")),
        latency=float(told.get("latency", 40.0)),
    )
    return {"router": name}


def _publish(sandbox: GatewaySandbox, told: Told) -> Json:
    """Publish a service anew: what was put beside its routers is overwritten."""
    name = str(told.get("service", ""))
    if name not in sandbox.gateway.services:
        raise Mistaken(f"no such service: {name!r}")
    sandbox.gateway.release(name)
    return {}


def _expire(sandbox: GatewaySandbox, _told: Told) -> Json:
    """End every session at once."""
    count = len(sandbox.gateway.sessions)
    sandbox.gateway.sessions.clear()
    return {"ended": count}


def _password(sandbox: GatewaySandbox, told: Told) -> Json:
    """Give an account another password; its sessions go on."""
    name = str(told.get("name", "hub"))
    if name not in sandbox.gateway.users:
        raise Mistaken(f"no such account: {name!r}")
    user = sandbox.gateway.users[name]
    sandbox.gateway.users[name] = msgspec.structs.replace(user, password=str(told.get("password", "")))
    return {}


ACTS: Final[dict[str, Callable[[GatewaySandbox, Told], Json]]] = {
    "traffic": _traffic,
    "call": _call,
    "release": _break("error"),
    "trouble": _break("error"),
    "llm_fault": _break("llm"),
    "block": _break("limited"),
    "recover": _recover,
    "repeat": _repeat,
    "poison": _poison,
    "output": _output,
    "rotate": _rotate,
    "service": _service,
    "router": _router,
    "publish": _publish,
    "expire": _expire,
    "password": _password,
}
