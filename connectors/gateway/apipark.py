"""APIPark's management interface: services and their tags, logs for drill-down, totals to compare with.

Every answer is a 200 with an envelope whose `code` says what happened; a session ends after three days, or when
somebody says so, and is renewed once; times are local to the server and do not say where. Sources: APIPark's own code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

import httpx
from msgspec import Struct

from connectors.contract import Ports
from connectors.errors import (
    AuthRejected,
    RecordMissing,
    RemoteError,
    Unavailable,
    UnexpectedAnswer,
    WriteRejected,
)
from connectors.gateway.interfaces import ApiParkAccess
from connectors.http import Limits, decode, excerpt, rows_of, status_error
from connectors.retry import retry_read
from connectors.web import Web
from sync.model import Json

T = TypeVar("T")
Params = Sequence[tuple[str, str]]

LOGIN = "/account/login/username"
KINDS = ("rest", "ai")


class Service(Struct, frozen=True, kw_only=True):
    """A service. What a change of its tags must say again, or lose: how it is approved, its provider, its catalogue."""

    id: str
    name: str
    kind: str
    tags: tuple[str, ...] = ()
    approval_type: str = ""
    service_type: str = ""
    catalogue: str = ""
    provider: str = ""


class Api(Struct, frozen=True, kw_only=True):
    """An API of a service: what a log line calls `api`, or the route."""

    id: str
    name: str
    path: str
    methods: tuple[str, ...] = ()


class LogRow(Struct, frozen=True, kw_only=True):
    """A row of APIPark's log table, which is lossy: what is not in it may have happened all the same."""

    id: str
    api: str
    status: int
    at: datetime
    consumer: str = ""
    provider: str = ""
    model: str = ""


class LogDetail(Struct, frozen=True, kw_only=True):
    """One call with what was asked and answered, as it stands there: not scrubbed, never to be stored."""

    row: LogRow
    request: str
    response: str


class Totals(Struct, frozen=True, kw_only=True):
    """How many calls came in, and how they ended, as APIPark counts."""

    total: int
    success: int
    fail: int
    status_4xx: int
    status_5xx: int


class ApiPark:
    """One account's view of one APIPark, for one thread."""

    def __init__(self, access: ApiParkAccess, ports: Ports, limits: Limits | None = None) -> None:
        self._access = access
        self._ports = ports
        self._zone = ZoneInfo(access.time_zone)
        self._in = False
        self._web = Web(f"{access.url}/api/v1", clock=ports.clock, limits=limits, transport=ports.transport)

    def close(self) -> None:
        """Close the connections. The session ends by itself."""
        self._web.close()

    def version(self) -> str:
        """The version of the server."""
        return _text(self._get("/common/version").get("version"))

    # --- services ------------------------------------------------------------------------------------------------

    def services(self) -> tuple[tuple[str, str], ...]:
        """Id and name of every service that the account sees."""
        return tuple(
            (_text(row.get("id")), _text(row.get("name"))) for row in self._rows("/simple/services", "services")
        )

    def service(self, service: str) -> Service:
        """One service, with its tags. Raises RecordMissing where there is none."""
        found = self._get("/service/info", [("service", service)]).get("service")
        if not isinstance(found, dict) or not isinstance(found.get("tags", []), list):
            raise UnexpectedAnswer(f"GET /service/info of {service} answered without a service.")
        return Service(
            id=_text(found.get("id")) or service,
            name=_text(found.get("name")),
            kind=_text(found.get("service_kind")),
            tags=tuple(name for tag in found.get("tags") or () if (name := _name_of(tag))),
            approval_type=_text(found.get("approval_type")),
            service_type=_text(found.get("service_type")),
            catalogue=_id_of(found.get("catalogue")),
            provider=_id_of(found.get("provider")),
        )

    def apis(self, service: str, kind: str) -> tuple[Api, ...]:
        """The APIs of a service. kind: `rest` or `ai`."""
        path, name = ("/service/ai-routers", "apis") if kind == "ai" else ("/service/routers", "routers")
        return tuple(
            Api(
                id=_text(row.get("id")),
                name=_text(row.get("name")),
                path=_text(row.get("request_path")),
                methods=_texts(row.get("methods")),
            )
            for row in self._rows(path, name, [("service", service)])
        )

    def consumers(self) -> tuple[tuple[str, str], ...]:
        """Id and name of every consumer."""
        return tuple((_text(row.get("id")), _text(row.get("name"))) for row in self._rows("/simple/apps", "apps"))

    def put_tags(self, service: Service, tags: Sequence[str]) -> None:
        """Replace a service's tags, whole; one changing request. service: as it was just read.

        What the request leaves out is lost or refused: without `approval_type` the service falls back to `manual`,
        without `provider` an AI service is refused, without `catalogue` a public one; so all are said again.
        """
        body: dict[str, Json] = {"tags": list(tags)}
        for name in ("approval_type", "service_type", "catalogue", "provider"):
            if value := getattr(service, name):
                body[name] = value
        self._call("PUT", "/service/info", [("service", service.id)], json=body, writing=True)

    # --- logs and totals -----------------------------------------------------------------------------------------

    def logs(
        self, service: str, kind: str, start: datetime, end: datetime, *, page: int = 1, size: int = 100
    ) -> tuple[tuple[LogRow, ...], int]:
        """A page of the log table, newest first, and how many rows it has in all. Times are sent in seconds."""
        params = [
            ("service", service),
            ("start", str(int(start.timestamp()))),
            ("end", str(int(end.timestamp()))),
            ("page", str(page)),
            ("page_size", str(size)),
        ]
        where = f"/service/logs/{kind}"
        data = self._get(where, params)
        rows = rows_of(data, "logs", where=f"GET {where}")
        return tuple(self._row(row) for row in rows), _number(data.get("total"))

    def log(self, service: str, kind: str, call: str) -> LogDetail:
        """One call by its request id. Raises RecordMissing where the table or the store of bodies has it no more."""
        found = self._get(f"/service/log/{kind}", [("service", service), ("log", call)]).get("log")
        if not isinstance(found, dict):
            raise UnexpectedAnswer(f"GET /service/log/{kind} answered without a log.")
        return LogDetail(row=self._row(found), request=_body_of(found, "request"), response=_body_of(found, "response"))

    def find(self, service: str, call: str) -> LogDetail:
        """One call by its request id, of whichever kind. Raises RecordMissing."""
        try:
            return self.log(service, KINDS[0], call)
        except RecordMissing:
            return self.log(service, KINDS[1], call)

    def totals(
        self, start: datetime, end: datetime, *, services: Sequence[str] = (), apis: Sequence[str] = ()
    ) -> Totals:
        """How many calls came in between two times. A POST, but it changes nothing."""
        body: dict[str, Json] = {"start": int(start.timestamp()), "end": int(end.timestamp())}
        if services:
            body["services"] = list(services)
        if apis:
            body["apis"] = list(apis)
        where = "/monitor/overview/summary"
        found = self._reading(lambda: self._call("POST", where, json=body)).get("request_summary")
        if not isinstance(found, dict):
            raise UnexpectedAnswer(f"POST {where} answered without a request_summary.")
        return Totals(**{name: _number(found.get(name)) for name in Totals.__struct_fields__})

    def _row(self, row: Mapping[str, Json]) -> LogRow:
        return LogRow(
            id=_text(row.get("id")),
            api=_id_of(row.get("api")),
            status=_number(row.get("status")),
            at=self._time(row.get("log_time")),
            consumer=_id_of(row.get("consumer")),
            provider=_id_of(row.get("provider")),
            model=_text(row.get("model")),
        )

    def _time(self, value: Json) -> datetime:
        try:
            return datetime.strptime(_text(value), "%Y-%m-%d %H:%M:%S").replace(tzinfo=self._zone).astimezone(UTC)
        except (ValueError, OverflowError):
            raise UnexpectedAnswer(f"APIPark wrote a time as {excerpt(_text(value), 40)!r}.") from None

    # --- calls ---------------------------------------------------------------------------------------------------

    def _get(self, path: str, params: Params = ()) -> dict[str, Json]:
        return self._reading(lambda: self._call("GET", path, params))

    def _rows(self, path: str, name: str, params: Params = ()) -> list[dict[str, Json]]:
        return rows_of(self._get(path, params), name, where=f"GET {path}")

    def _reading(self, once: Callable[[], T]) -> T:
        return retry_read(once, clock=self._ports.clock, rng=self._ports.rng)

    def _call(
        self, method: str, path: str, params: Params = (), *, json: Json = None, writing: bool = False
    ) -> dict[str, Json]:
        """One request in a session; the session is renewed once. A request that was refused for it had no effect."""
        if not self._in:
            self._log_in()
        response = self._web.call(method, path, params=params, json=json)
        if response.status_code == 401:
            self._in = False
            self._log_in()
            response = self._web.call(method, path, params=params, json=json)
            if response.status_code == 401:
                self._in = False
                raise AuthRejected(
                    f"{method} {path}: APIPark at {self._access.url} gives {self._access.name} a session and refuses "
                    "it at once. Is another program signing in with the same account, or is a proxy dropping cookies?",
                    status=401,
                )
        return self._opened(response, f"{method} {path}", writing=writing)

    def _log_in(self) -> None:
        credentials = {"name": self._access.name, "password": self._access.password.get_secret_value()}
        try:
            response = self._web.call("POST", LOGIN, json=credentials)
        except RemoteError as error:
            error.applied = False  # whatever is to be written in the session was not sent yet
            raise
        where = f"POST {LOGIN}"
        if response.status_code >= 500 or response.status_code == 429:
            raise status_error(response, where=where, words="", writing=False, now=self._ports.clock.now())
        refused = response.status_code != 200
        if not refused:
            body = decode(response, where=where)
            refused = body.get("code") != 0
        if refused:
            raise AuthRejected(
                f"APIPark at {self._access.url} refuses the account {self._access.name}: "
                f"{excerpt(response.content, 200)}. Correct `name` and `password`, then release the connection.",
                status=401,
            )
        self._in = True

    def _opened(self, response: httpx.Response, where: str, *, writing: bool) -> dict[str, Json]:
        """What is in an envelope. Raises `connectors.errors` for a status, or a `code` other than 0."""
        if response.status_code >= 400:
            words = excerpt(response.content, 200)
            raise status_error(
                response, where=where, words=words, writing=writing, now=self._ports.clock.now().astimezone(UTC)
            )
        try:
            body = decode(response, where=where)
        except UnexpectedAnswer as error:
            error.applied = writing
            raise
        if body.get("code") != 0:
            raise _refused(where, body, writing=writing)
        data = body.get("data")
        return data if isinstance(data, dict) else {}


def _refused(where: str, body: Mapping[str, Json], *, writing: bool) -> RemoteError:
    """What a failure means that comes as a 200. The words are APIPark's own."""
    said = excerpt(_text(body.get("msg")), 200)
    told = f"{where} failed with code {body.get('code')}: {said}"
    if not isinstance(body.get("code"), int):
        return UnexpectedAnswer(
            f"{where} answered without APIPark's envelope. Is this the address of an APIPark?", applied=writing
        )
    if "not found" in said.lower() and not writing:
        return RecordMissing(told, status=404)
    if "dial tcp" in said or "connection refused" in said or "timeout" in said.lower():
        return Unavailable(f"{told}. APIPark cannot reach its data plane.", applied=writing)
    if writing:
        return WriteRejected(told)
    return UnexpectedAnswer(told)


def _body_of(found: Mapping[str, Json], name: str) -> str:
    part = found.get(name)
    return _text(part.get("body")) if isinstance(part, dict) else ""


def _id_of(label: Json) -> str:
    return _text(label.get("id")) if isinstance(label, dict) else ""


def _name_of(label: Json) -> str:
    return _text(label.get("name")) if isinstance(label, dict) else ""


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(_text(one) for one in value) if isinstance(value, list) else ()


def _number(value: Json) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
