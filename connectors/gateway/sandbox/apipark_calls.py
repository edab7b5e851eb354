"""APIPark's management calls: accounts, services, APIs, consumers, tags, outputs. Parameters are in the query [V]."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from connectors.gateway.sandbox import answers
from connectors.gateway.sandbox.answers import failed, local, well
from connectors.gateway.sandbox.model import Gateway, Router, Service, User
from connectors.sandbox.wire import Request, Response

Json: TypeAlias = Any

VERSION: Final = "v1.9.6"
PROVIDERS: Final = {"openai": "OpenAI", "anthropic": "Anthropic"}


def label(identity: str, name: str) -> Json:
    """How APIPark names something else: `unknown` where it cannot resolve it [V form, G word]."""
    return {"id": identity, "name": name or ("unknown" if identity else "")}


def login(gateway: Gateway, request: Request) -> Response:
    """POST /account/login/username: the session goes into a cookie that is neither HttpOnly nor Secure [V AC]."""
    told = answers.body(request) or {}
    token = gateway.login(str(told.get("name", "")), str(told.get("password", "")))
    if token is None:
        raise failed("invalid username or password")
    age = int(gateway.settings.scaled(gateway.settings.session_hours * 3600))
    response = well()
    cookie = f"session={token}; Path=/; Max-Age={max(age, 1)}"
    return Response(status=200, body=response.body, headers={**response.headers, "set-cookie": cookie})


def logout(gateway: Gateway, request: Request) -> Response:
    """GET /account/logout."""
    gateway.sessions.pop(session_of(request), None)
    return well()


def logged_in(gateway: Gateway, request: Request) -> Response:
    """GET /account/login: whether the session is one [V AC]."""
    return well(status="authorized" if gateway.session(session_of(request)) else "anonymous")


def session_of(request: Request) -> str:
    """The session in the Cookie header."""
    for part in request.headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == "session":
            return value
    return ""


def user_of(gateway: Gateway, request: Request) -> User:
    """Who asks. Raises the 401 that APIPark gives [V AC]."""
    user = gateway.session(session_of(request))
    if user is None:
        raise failed("not login", code=401, status=401)
    return user


def version(_gateway: Gateway, _request: Request) -> Response:
    """GET /common/version."""
    return well(version=VERSION, build_time="2025-10-26 08:00:00")


def services(gateway: Gateway, request: Request) -> Response:
    """GET /services, /my_services, /simple/services."""
    team, keyword = request.arg("team"), request.arg("keyword").lower()
    found = [
        one
        for one in gateway.services.values()
        if (not team or one.team == team) and keyword in f"{one.id} {one.name}".lower()
    ]
    if request.path.endswith("/simple/services"):
        return well(services=[label(one.id, one.name) for one in found])
    return well(services=[_row(gateway, one) for one in found])


def _row(gateway: Gateway, service: Service) -> Json:
    zone = gateway.settings.zone_hours
    shown: dict[str, Json] = {
        "id": service.id,
        "name": service.name,
        "team": label(service.team, service.team.title()),
        "service_kind": service.kind,
        "api_num": len(gateway.routers_of(service.id)),
        "description": service.description,
        "create_time": local(service.created, zone),
        "update_time": local(service.updated, zone),
        "state": "normal",
        "can_delete": False,
        "enable_mcp": False,
    }
    if service.provider:
        shown["provider"] = label(service.provider, PROVIDERS.get(service.provider, ""))
    return shown


def _service(gateway: Gateway, request: Request) -> Service:
    service = gateway.services.get(request.arg("service"))
    if service is None:
        raise failed("record not found")
    return service


def service_info(gateway: Gateway, request: Request) -> Response:
    """GET /service/info?service=."""
    return well(service=_whole(gateway, _service(gateway, request)))


def _whole(gateway: Gateway, service: Service) -> Json:
    return {
        **_row(gateway, service),
        "prefix": f"/{service.id}",
        "service_type": service.service_type,
        "catalogue": label(service.catalogue, gateway.catalogues.get(service.catalogue, "")),
        "tags": [label(gateway.tag_id(name), name) for name in service.tags],
        "logo": "",
        "model": "",
        "provider_type": "",
        "approval_type": service.approval_type,
        "model_mapping": "",
        "as_server": True,
        "as_app": False,
    }


def edit_service(gateway: Gateway, request: Request) -> Response:
    """PUT /service/info?service=: tags are replaced whole, `approval_type` falls back to manual where it is left out,
    an AI service needs its provider, a public one its catalogue, and the data plane must be there [V].
    """
    service, told = _service(gateway, request), answers.body(request)
    if told is None:
        raise failed("invalid character in request body")
    kind = told.get("service_type") or service.service_type
    if service.kind == "ai" and not told.get("provider"):
        raise failed("provider not found")
    if kind == "public" and not told.get("catalogue"):
        raise failed("catalogue must be set for public service")
    if told.get("catalogue") and told["catalogue"] not in gateway.catalogues:
        raise failed("catalogue not found")
    if not gateway.settings.data_plane_up:
        raise failed("dial tcp: connect: connection refused")  # the system subscription is published anew
    for name in ("name", "description", "service_type", "catalogue", "provider"):
        if told.get(name) is not None:
            setattr(service, name, str(told[name]))
    if told.get("tags") is not None:
        service.tags = list(dict.fromkeys(str(name) for name in told["tags"] if str(name)))
        for name in service.tags:
            gateway.tag_id(name)
    if "approval_type" in told or gateway.settings.approval_reset:
        service.approval_type = "auto" if told.get("approval_type") == "auto" else "manual"
    service.updated = gateway.now()
    gateway.writes["service.update"] += 1
    return well(service=_whole(gateway, service))


def routers(gateway: Gateway, request: Request) -> Response:
    """GET /service/routers?service= and /service/ai-routers?service=."""
    service, keyword = _service(gateway, request), request.arg("keyword").lower()
    found = [one for one in gateway.routers_of(service.id) if keyword in f"{one.id} {one.name} {one.path}".lower()]
    if request.path.endswith("/ai-routers"):
        return well(apis=[_ai_router(one) for one in found])
    return well(routers=[_router(gateway, one) for one in found])


def _router(gateway: Gateway, router: Router) -> Json:
    service, zone = gateway.services[router.service], gateway.settings.zone_hours
    return {
        "id": router.id,
        "name": router.name,
        "methods": router.methods,
        "protocols": ["http", "https"],
        "request_path": router.path,
        "description": router.description,
        "disabled": router.is_disabled,
        "creator": label("admin", "admin"),
        "updater": label("admin", "admin"),
        "create_time": local(service.created, zone),
        "update_time": local(service.updated, zone),
    }


def _ai_router(router: Router) -> Json:
    return {
        "id": router.id,
        "name": router.name,
        "request_path": router.path,
        "description": router.description,
        "disabled": router.is_disabled,
        "model_type": "online",
        "provider": label(router.provider, PROVIDERS.get(router.provider, "")),
        "model": label(router.model, router.model),
    }


def router_detail(gateway: Gateway, request: Request) -> Response:
    """GET /service/router/detail?service=&router=."""
    router = gateway.routers.get(request.arg("router"))
    if router is None or router.service != _service(gateway, request).id:
        raise failed("record not found")
    return well(router={**_router(gateway, router), "proxy": {"path": router.path}})


def apps(gateway: Gateway, request: Request) -> Response:
    """GET /apps, /simple/apps: the consumers."""
    found = [one for one in gateway.consumers.values() if request.arg("keyword").lower() in one.name.lower()]
    if request.path.endswith("/simple/apps"):
        return well(apps=[label(one.id, one.name) for one in found])
    team = label("shop", "Shop")
    return well(apps=[{**label(one.id, one.name), "team": team, "description": ""} for one in found])


def teams(gateway: Gateway, _request: Request) -> Response:
    """GET /manager/teams."""
    return well(teams=[{**label("shop", "Shop"), "description": "", "service_num": len(gateway.services)}])


def catalogues(gateway: Gateway, _request: Request) -> Response:
    """GET /catalogues."""
    return well(
        catalogues=[label(key, name) for key, name in gateway.catalogues.items()],
        tags=[label(number, name) for name, number in gateway.tags.items()],
    )


def nodes(gateway: Gateway, _request: Request) -> Response:
    """GET /cluster/nodes."""
    status = 1 if gateway.settings.data_plane_up else 0
    row = {"id": "apinto-1", "name": "apinto-1", "status": status, "admin_addr": ["127.0.0.1:9400"]}
    return well(nodes=[row])


def providers(gateway: Gateway, _request: Request) -> Response:
    """GET /ai/providers/configured."""
    return well(
        providers=[
            {
                **label(key, name),
                "status": "enabled",
                "default_llm": "gpt-4o-mini",
                "api_count": sum(1 for one in gateway.routers.values() if one.provider == key),
                "key_count": 1,
                "model_count": 3,
            }
            for key, name in PROVIDERS.items()
        ]
    )


def dynamic_create(gateway: Gateway, request: Request) -> Response:
    """POST /dynamic/http-access-log: an output of APIPark's, not yet in the data plane [V]."""
    told = answers.body(request) or {}
    driver, name = _dynamic(request), str(told.get("id", ""))
    if not name or not isinstance(told.get("config"), dict):
        raise failed("id and config are required")
    gateway.workers.setdefault(driver, {})[name] = {**told["config"], "title": told.get("title", ""), "online": False}
    gateway.writes["dynamic"] += 1
    return well()


def dynamic_online(gateway: Gateway, request: Request) -> Response:
    """PUT /dynamic/http-access-log/online?id= and /offline?id=."""
    driver, name = _dynamic(request), request.arg("id")
    config = gateway.workers.get(driver, {}).get(name)
    if config is None:
        raise failed("record not found")
    if not gateway.settings.data_plane_up:
        raise failed("dial tcp: connect: connection refused")
    config["online"] = request.path.endswith("/online")
    outputs = gateway.workers.setdefault("output", {})
    if config["online"]:
        kind = {"http-access-log": "http_output", "file-access-log": "file"}[driver]
        outputs[name] = {"driver": kind, "scopes": ["access_log"], **config}
    else:
        outputs.pop(name, None)
    return well()


def _dynamic(request: Request) -> str:
    return request.path.split("/dynamic/")[1].split("/")[0]
