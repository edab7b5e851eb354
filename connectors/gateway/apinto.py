"""Apinto's admin interface: a replicated map of texts, labels of routers, and the outputs of the access log.

It knows no authentication, and says errors as plain texts under the content type of JSON. Sources: Apinto's framework.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import httpx
import msgspec
from msgspec import Struct

from connectors.contract import Ports
from connectors.errors import RecordMissing, UnexpectedAnswer
from connectors.gateway.interfaces import ApintoAccess
from connectors.http import Limits, decode, decode_any, excerpt, status_error
from connectors.retry import retry_read
from connectors.web import Web
from sync.model import Json


class Router(Struct, frozen=True, kw_only=True):
    """A route of the data plane. labels: all it has, APIPark's own (`provider`, `api_kind`) among them."""

    name: str
    labels: Mapping[str, str]
    description: str = ""


class Apinto:
    """One Apinto, for one thread."""

    def __init__(self, access: ApintoAccess, ports: Ports, limits: Limits | None = None) -> None:
        self._ports = ports
        self._web = Web(access.url, clock=ports.clock, limits=limits, transport=ports.transport)

    def close(self) -> None:
        """Close the connections."""
        self._web.close()

    def hash(self, key: str) -> dict[str, str]:
        """The fields of one map; none where it does not exist."""
        try:
            found = self._read(f"/hash/{_part(key)}")
        except RecordMissing:
            return {}
        return {
            name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
            for name, value in found.items()
        }

    def put_field(self, key: str, field: str, value: str) -> None:
        """Set one field of a map. One changing request."""
        self._send("PUT", f"/hash/{_part(key)}/{_part(field)}", json=value)

    def drop_field(self, key: str, field: str) -> None:
        """Remove one field; nothing happens where it does not exist. One changing request."""
        try:
            self._send("DELETE", f"/hash/{_part(key)}/{_part(field)}")
        except RecordMissing:
            return

    def router(self, name: str) -> Router:
        """A route with its labels. Raises RecordMissing where there is none."""
        found = self._read(f"/api/router/{_part(name)}")
        labels = found.get("labels") or {}
        if not isinstance(labels, dict):
            raise UnexpectedAnswer(f"GET /api/router/{name} answered labels that are no map.")
        description = found.get("description")
        return Router(
            name=name,
            labels={str(key): str(value) for key, value in labels.items()},
            description=description if isinstance(description, str) else "",
        )

    def put_labels(self, name: str, labels: Mapping[str, str]) -> None:
        """Replace a route's labels, whole: say all of them. One changing request. The next release overwrites them."""
        self._send("PATCH", f"/api/router/{_part(name)}", json={"labels": dict(labels)})

    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs."""
        rows = self._value("/api/output")
        if not isinstance(rows, list):
            raise UnexpectedAnswer("GET /api/output answered without a list.")
        return tuple(str(row.get("name", "")) for row in rows if isinstance(row, dict))

    def output(self, name: str) -> dict[str, Json]:
        """One output's settings. Raises RecordMissing where there is none."""
        return self._read(f"/api/output/{_part(name)}")

    def put_output(self, name: str, config: Mapping[str, Json]) -> None:
        """Make or replace an output of the access log. One changing request."""
        self._send("PUT", f"/api/output/{_part(name)}", json=dict(config))

    # --- calls ---------------------------------------------------------------------------------------------------

    def _read(self, path: str) -> dict[str, Json]:
        return retry_read(
            lambda: decode(self._send("GET", path), where=f"GET {path}"), clock=self._ports.clock, rng=self._ports.rng
        )

    def _value(self, path: str) -> Json:
        return retry_read(
            lambda: decode_any(self._send("GET", path), where=f"GET {path}"),
            clock=self._ports.clock,
            rng=self._ports.rng,
        )

    def _send(self, method: str, path: str, *, json: Json = None) -> httpx.Response:
        response = self._web.call(method, path, json=json)
        if response.status_code < 400:
            return response
        raise status_error(
            response,
            where=f"{method} {path}",
            words=excerpt(response.content, 200),
            writing=method != "GET",
            now=self._ports.clock.now(),
        )


def _part(name: str) -> str:
    return quote(name, safe="")
