"""The data planes' own admin interfaces: Apinto's (no authentication, plain-text errors) and Kong's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec

from connectors.gateway.sandbox import answers
from connectors.gateway.sandbox.answers import kong_error, local, plain_json, text
from connectors.gateway.sandbox.model import Gateway, Router
from connectors.sandbox.wire import Request, Response

Json: TypeAlias = Any

PROFESSIONS: Final = frozenset(
    {
        "router",
        "service",
        "template",
        "discovery",
        "app",
        "strategy",
        "output",
        "certificate",
        "transcode",
        "ai-resource",
    }
)


# --- Apinto ---------------------------------------------------------------------------------------------------------


def workers(gateway: Gateway, _request: Request, profession: str) -> Response:
    """GET /api/{profession}."""
    _known(profession)
    return plain_json([_worker(gateway, profession, name) for name in _names(gateway, profession)])


def worker_create(gateway: Gateway, request: Request, profession: str) -> Response:
    """POST /api/{profession}: the config with its `name`."""
    _known(profession)
    told = _object(request)
    name = str(told.pop("name", ""))
    if not name:
        raise text("require name", 500)
    return _keep(gateway, profession, name, told)


def worker(gateway: Gateway, request: Request, profession: str, name: str) -> Response:
    """GET|PUT|POST|PATCH|DELETE /api/{profession}/{name}. A PATCH merges top-level keys; null deletes one [V]."""
    _known(profession)
    name = name.removesuffix(f"@{profession}")
    if profession == "router" and name in gateway.routers:
        return _router(gateway, request, gateway.routers[name])
    held = gateway.workers.setdefault(profession, {})
    if request.method in {"PUT", "POST"}:
        told = _object(request)
        told.pop("name", None)
        return _keep(gateway, profession, name, told)
    if name not in held:
        raise text(f"{name}@{profession}: not found", 404)
    if request.method == "PATCH":
        merged = {**held[name], **_object(request)}
        return _keep(gateway, profession, name, {key: value for key, value in merged.items() if value is not None})
    if request.method == "DELETE":
        shown = _worker(gateway, profession, name)
        del held[name]
        gateway.writes["apinto"] += 1
        return plain_json(shown)
    return plain_json(_worker(gateway, profession, name))


def _router(gateway: Gateway, request: Request, router: Router) -> Response:
    if request.method == "PATCH":
        told = _object(request)
        if "labels" in told:
            given = told["labels"] or {}
            if not isinstance(given, dict):
                raise text("labels: not a map", 500)
            router.labels = {str(key): str(value) for key, value in given.items()}
        if "description" in told:
            router.description = str(told["description"] or "")
        if "matches" in told:
            router.matches = str(told["matches"] or "")
        gateway.writes["apinto"] += 1
    elif request.method != "GET":
        raise text("the router belongs to a release", 500)
    return plain_json(_worker(gateway, "router", router.id))


def _names(gateway: Gateway, profession: str) -> list[str]:
    own = list(gateway.workers.get(profession, {}))
    return [*gateway.routers, *own] if profession == "router" else own


def _worker(gateway: Gateway, profession: str, name: str) -> Json:
    zone = gateway.settings.zone_hours
    config: dict[str, Json]
    router = gateway.routers.get(name) if profession == "router" else None
    if router is not None:
        service = gateway.services[router.service]
        config = {
            "driver": "http",
            "listen": 0,
            "method": router.methods,
            "location": router.path,
            "service": f"{router.service}@service",
            "disable": router.is_disabled,
            "labels": {"provider": router.service, "api_kind": service.kind, **router.labels},
            "description": router.description,
            "matches": router.matches,
        }
        made = service.created
    else:
        config = dict(gateway.workers[profession][name])
        made = gateway.now()
    return {
        **config,
        "id": f"{name}@{profession}",
        "name": name,
        "profession": profession,
        "version": "20261125080000",
        "create": local(made, zone),
        "update": local(made, zone),
    }


def _keep(gateway: Gateway, profession: str, name: str, config: dict[str, Json]) -> Response:
    if profession == "output":
        if not config.get("driver"):
            raise text("driver not found", 500)
        if config["driver"] == "http_output" and not config.get("url"):
            raise text("url is null", 500)
        if config["driver"] == "file" and not config.get("dir"):
            raise text("dir is null", 500)
    gateway.workers.setdefault(profession, {})[name] = config
    gateway.writes["apinto"] += 1
    return plain_json(_worker(gateway, profession, name))


def hashes(gateway: Gateway, request: Request, key: str, field: str | None) -> Response:
    """GET|PUT|POST|DELETE /hash/{key} and /hash/{key}/{field}: a replicated map of texts [V eosc]."""
    held = gateway.hashes.get(key)
    if request.method in {"PUT", "POST"}:
        given: Mapping[str, Json] = _object(request) if not field else {field: _text(request)}
        gateway.hashes[key] = {**(held or {}), **{name: str(value) for name, value in given.items()}}
        gateway.writes["hash"] += 1
        return plain_json(gateway.hashes[key])
    if held is None or (field and field not in held):
        raise text(f"{key}{'/' + field if field else ''}: not found", 404)
    if request.method == "DELETE":
        if field:
            del held[field]
        else:
            del gateway.hashes[key]
        gateway.writes["hash"] += 1
        return plain_json(gateway.hashes.get(key, {}))
    return plain_json(held[field] if field else held)


def _text(request: Request) -> str:
    """The value of one field: a JSON text, or the bare body [G]."""
    try:
        value = msgspec.json.decode(request.body or b'""')
    except msgspec.DecodeError:
        return request.body.decode("utf-8", "replace")
    return value if isinstance(value, str) else request.body.decode("utf-8", "replace")


def _known(profession: str) -> None:
    if profession not in PROFESSIONS:
        raise text(f"profession {profession} not exist", 404)


def _object(request: Request) -> dict[str, Json]:
    told = answers.body(request)
    if told is None:
        raise text("invalid character in body", 500)
    return told


# --- Kong -----------------------------------------------------------------------------------------------------------

ENTITIES: Final = ("services", "routes", "consumers")


def kong_list(gateway: Gateway, request: Request, kind: str) -> Response:
    """GET /{services|routes|consumers}?tags=a,b&size=&offset=: pages by `offset` and `next` [G]."""
    wanted = [one for one in request.arg("tags").split(",") if one]
    found = [one for one in _entities(gateway, kind) if set(wanted) <= set(one["tags"])]
    size = min(int(request.arg("size") or gateway.settings.kong_page), gateway.settings.kong_page)
    start = int(request.arg("offset") or 0) if (request.arg("offset") or "0").isdecimal() else 0
    more = start + size < len(found)
    shown: dict[str, Json] = {"data": found[start : start + size], "next": None}
    if more:
        shown |= {"offset": str(start + size), "next": f"/{kind}?offset={start + size}"}
    return plain_json(shown)


def kong_entity(gateway: Gateway, request: Request, kind: str, name: str) -> Response:
    """GET and PATCH /{services|routes|consumers}/{id or name}: tags are a set, replaced whole [G]."""
    found = next(
        (one for one in _entities(gateway, kind) if name in {one["id"], one.get("name"), one.get("username")}), None
    )
    if found is None:
        raise kong_error(404, "Not found")
    if request.method == "GET":
        return plain_json(found)
    if gateway.settings.kong_read_only:
        raise kong_error(405, "cannot create or update entities when not using a database", "operation unsupported")
    told = answers.body(request)
    if told is None:
        raise kong_error(400, "Cannot parse JSON body")
    tags = told.get("tags", found["tags"])
    if tags is not None and (
        not isinstance(tags, list)
        or any(not isinstance(one, str) or not one or "," in one or "/" in one for one in tags)
    ):
        raise kong_error(400, "schema violation (tags: invalid tag)", "schema violation")
    key = f"{kind}/{found['id'].removesuffix('-id')}"
    gateway.workers.setdefault("kong-tags", {})[key] = {"tags": sorted(set(tags or []))}
    gateway.writes["kong"] += 1
    return kong_entity_now(gateway, kind, found["id"])


def kong_entity_now(gateway: Gateway, kind: str, identity: str) -> Response:
    """One entity as it stands."""
    return plain_json(next(one for one in _entities(gateway, kind) if one["id"] == identity))


def _entities(gateway: Gateway, kind: str) -> list[dict[str, Json]]:
    made: list[dict[str, Json]] = []
    names: list[tuple[str, dict[str, Json]]]
    if kind == "services":
        names = [(one.id, {"name": one.id, "host": f"{one.id}.internal"}) for one in gateway.services.values()]
    elif kind == "routes":
        names = [
            (one.id, {"name": one.id, "paths": [one.path], "service": {"id": f"{one.service}-id"}})
            for one in gateway.routers.values()
        ]
    else:
        names = [(one.id, {"username": one.id}) for one in gateway.consumers.values()]
    for name, shown in names:
        made.append({"id": f"{name}-id", **shown, "tags": gateway.kong_tags(kind, name), "enabled": True})
    return made


def kong_plugins(gateway: Gateway, request: Request) -> Response:
    """GET and POST /plugins: `http-log` and `file-log` [G]."""
    held = gateway.workers.setdefault("kong-plugins", {})
    if request.method == "GET":
        return plain_json({"data": [{"id": key, **one} for key, one in held.items()], "next": None})
    told = answers.body(request)
    if told is None or told.get("name") not in {"http-log", "file-log"} or not isinstance(told.get("config"), dict):
        raise kong_error(400, "schema violation (name: plugin not enabled)", "schema violation")
    key = f"plugin-{len(held) + 1}"
    held[key] = {"name": told["name"], "config": told["config"], "enabled": True}
    gateway.writes["kong"] += 1
    return plain_json({"id": key, **held[key]}, 201)


def kong_status(gateway: Gateway, _request: Request) -> Response:
    """GET /status."""
    return plain_json({"database": {"reachable": not gateway.settings.kong_read_only}, "configuration_hash": "0" * 32})
