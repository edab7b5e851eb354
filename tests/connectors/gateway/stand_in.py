"""A gateway stand-in over real sockets, in its own time, and clients of its interfaces."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import httpx

from connectors.contract import Ports
from connectors.gateway.apinto import Apinto
from connectors.gateway.apipark import ApiPark
from connectors.gateway.interfaces import ApintoAccess, ApiParkAccess, KongAccess
from connectors.gateway.kong import Kong
from connectors.gateway.sandbox import build
from connectors.sandbox.server import serve
from tests.connectors.sentry.organisation import Chance, OrganisationTime


class Gateway:
    """The gateway, its control face over HTTP, and our clients."""

    def __init__(self, url: str, clock: OrganisationTime) -> None:
        self.url = url
        self.clock = clock
        self.ports = Ports(clock=clock, rng=Chance(1), meter=lambda _reading: None)
        self._open: list[ApiPark | Apinto | Kong] = []
        self._control_face = httpx.Client(trust_env=False, timeout=10, verify=False)

    def access(self, **more: Any) -> ApiParkAccess:
        stock = {"url": self.url, "name": "hub", "password": "hub-password", "time_zone": "Asia/Shanghai"}
        return ApiParkAccess.model_validate(stock | more)

    def apipark(self, **more: Any) -> ApiPark:
        self._open.append(made := ApiPark(self.access(**more), self.ports))
        return made

    def apinto(self) -> Apinto:
        self._open.append(made := Apinto(ApintoAccess(url=self.url), self.ports))
        return made

    def kong(self, **more: Any) -> Kong:
        self._open.append(made := Kong(KongAccess.model_validate({"url": self.url} | more), self.ports))
        return made

    def close(self) -> None:
        for client in self._open:
            client.close()
        self._control_face.close()

    def act(self, name: str, /, **told: Any) -> Any:
        return self._control("POST", "act", {"act": name, **told})["result"]

    def called(self, route: str, kind: str = "ok", **told: Any) -> list[str]:
        ids: list[str] = self.act("call", route=route, kind=kind, **told)["ids"]
        return ids

    def fault(self, **rule: Any) -> None:
        self._control("POST", "faults", rule)

    def switch(self, **settings: Any) -> None:
        self._control("POST", "settings", settings)

    def state(self) -> Any:
        return self._control("GET", "state", None)

    def requests(self) -> dict[str, int]:
        counts: dict[str, int] = self._control("GET", "requests", None)["counts"]
        return counts

    def service(self, name: str) -> Any:
        return next(one for one in self.state()["services"] if one["id"] == name)

    def _control(self, method: str, path: str, body: Any) -> Any:
        response = self._control_face.request(method, f"{self.url}/_sandbox/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()


@contextmanager
def gateway(**switches: Any) -> Generator[Gateway]:
    """A gateway that is served until the block ends."""
    clock = OrganisationTime()
    with serve(build(clock.epoch, Chance(2), settings=switches), time_source=clock.epoch) as running:
        made = Gateway(running.url, clock)
        try:
            yield made
        finally:
            made.close()
