"""Kong's admin interface: the tags of services and routes, which its log lines show again.

Source: Kong's documentation. Tags are a set that is replaced whole; a Kong without a database refuses every change.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import httpx
import msgspec
from msgspec import Struct

from connectors.contract import Ports
from connectors.errors import RemoteError, UnexpectedAnswer, WriteRejected
from connectors.gateway.interfaces import KongAccess
from connectors.http import Limits, decode, excerpt, status_error
from connectors.retry import retry_read
from connectors.web import Web
from sync.model import Json


class Entity(Struct, frozen=True, kw_only=True):
    """A service or a route. tags: sorted."""

    id: str
    name: str
    tags: tuple[str, ...]


class Kong:
    """One Kong, for one thread."""

    def __init__(self, access: KongAccess, ports: Ports, limits: Limits | None = None) -> None:
        self._ports = ports
        headers = {access.header: access.token.get_secret_value()} if access.token else {}
        self._web = Web(access.url, clock=ports.clock, headers=headers, limits=limits, transport=ports.transport)

    def close(self) -> None:
        """Close the connections."""
        self._web.close()

    def service(self, name: str) -> Entity:
        """A service by name or id. Raises RecordMissing where there is none."""
        return self._entity("services", name)

    def put_tags(self, name: str, tags: Sequence[str]) -> None:
        """Replace a service's tags, whole. One changing request. Raises WriteRejected where Kong has no database."""
        self._send("PATCH", f"/services/{quote(name, safe='')}", json={"tags": sorted(set(tags))})

    def is_read_only(self) -> bool:
        """Whether this Kong runs without a database, and so changes nothing."""
        status = self._read("/status").get("database")
        return isinstance(status, dict) and status.get("reachable") is False

    def _entity(self, kind: str, name: str) -> Entity:
        found = self._read(f"/{kind}/{quote(name, safe='')}")
        tags = found.get("tags") or []
        if not isinstance(tags, list) or not all(isinstance(one, str) for one in tags):
            raise UnexpectedAnswer(f"GET /{kind}/{name} answered tags that are no list of texts.")
        return Entity(id=str(found.get("id") or name), name=str(found.get("name") or ""), tags=tuple(sorted(tags)))

    def _read(self, path: str) -> dict[str, Json]:
        return retry_read(
            lambda: decode(self._send("GET", path), where=f"GET {path}"), clock=self._ports.clock, rng=self._ports.rng
        )

    def _send(self, method: str, path: str, *, json: Json = None) -> httpx.Response:
        response = self._web.call(method, path, json=json)
        if response.status_code < 400:
            return response
        raise self._meaning(response, f"{method} {path}", writing=method != "GET")

    def _meaning(self, response: httpx.Response, where: str, *, writing: bool) -> RemoteError:
        if response.status_code == 405 and writing:
            return WriteRejected(f"{where}: this Kong runs without a database and changes nothing.", status=405)
        words = excerpt(_words(response.content), 200)
        return status_error(response, where=where, words=words, writing=writing, now=self._ports.clock.now())


def _words(body: bytes) -> str:
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError):
        return body[:800].decode("utf-8", "replace")
    return str(told.get("message", "")) if isinstance(told, dict) else ""
