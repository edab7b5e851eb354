"""A served gateway stand-in with a clock in the test's hand, spoken to with httpx as a foreign client would."""

from __future__ import annotations

import random
from typing import Any

import httpx
import msgspec

from connectors.gateway.sandbox import GatewaySandbox, build
from connectors.sandbox.server import RunningSandbox, serve
from connectors.sandbox.wire import OutgoingHook

START = 1_790_000_000.0


class Chance:
    """A seeded Rng."""

    def __init__(self) -> None:
        self._random = random.Random(1)

    def random(self) -> float:
        return self._random.random()

    def token(self) -> str:
        return f"{self._random.getrandbits(128):032x}"


class WithoutSender:
    """A stand-in whose log entries are left to the test: the server posts none."""

    def __init__(self, sandbox: GatewaySandbox) -> None:
        self.handle = sandbox.handle
        self.hook_answered = sandbox.hook_answered

    def due_hooks(self, now: float) -> list[OutgoingHook]:
        return []


class Site:
    """A stand-in on loopback. `now` is its time; nothing moves it but the test. sends: it posts log entries itself."""

    def __init__(self, *, sends: bool = False, **switches: Any) -> None:
        self.now = START
        self.sandbox = build(lambda: self.now, Chance(), settings=switches)
        served = self.sandbox if sends else WithoutSender(self.sandbox)
        self.running: RunningSandbox = serve(served, time_source=lambda: self.now)
        self.url = self.running.url
        self.client = httpx.Client(base_url=self.url, trust_env=False, verify=False, timeout=10)

    def close(self) -> None:
        self.client.close()
        self.running.close()

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """One request; a path without a leading slash is of APIPark."""
        return self.client.request(method, path if path.startswith("/") else f"/api/v1/{path}", json=body, **more)

    def log_in(self, name: str = "hub", password: str = "hub-password") -> httpx.Response:
        return self.call("POST", "account/login/username", {"name": name, "password": password})

    def well(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The data of a call of APIPark that must succeed; signs in first where nobody has."""
        if not self.client.cookies:
            self.log_in()
        response = self.call(method, path, body, params=query)
        assert response.status_code == 200, response.text
        told = response.json()
        assert (told["code"], told["success"]) == (0, "success"), told
        return told["data"]

    def fails(self, method: str, path: str, body: Any = None, **query: Any) -> str:
        """The words of a failure, which is a 200 all the same."""
        if not self.client.cookies:
            self.log_in()
        response = self.call(method, path, body, params=query)
        assert response.status_code == 200, response.text
        told = response.json()
        assert told["code"] != 0
        assert told["success"] == "fail"
        return str(told["msg"])

    def act(self, act: str, **told: Any) -> Any:
        response = self.call("POST", "/_sandbox/act", {"act": act, **told})
        assert response.status_code == 200, response.text
        return response.json()["result"]

    def mistake(self, act: str, **told: Any) -> str:
        response = self.call("POST", "/_sandbox/act", {"act": act, **told})
        assert response.status_code == 400, response.text
        return str(response.json()["error"])

    def switch(self, **settings: Any) -> None:
        response = self.call("POST", "/_sandbox/settings", settings)
        assert response.status_code == 200, response.text

    def fault(self, **rule: Any) -> None:
        assert self.call("POST", "/_sandbox/faults", rule).status_code == 200

    def state(self) -> Any:
        return self.call("GET", "/_sandbox/state").json()

    def service(self, service: str) -> Any:
        """A service as it really is."""
        return next(one for one in self.state()["services"] if one["id"] == service)

    def called(self, route: str, kind: str = "ok", **told: Any) -> list[str]:
        """Calls that were made: their request ids."""
        ids: list[str] = self.act("call", route=route, kind=kind, **told)["ids"]
        return ids

    def posts(self) -> list[OutgoingHook]:
        """The log entries that are posted now."""
        with self.running.lock:
            return self.sandbox.due_hooks(self.now)

    def answers(self, hooks: list[OutgoingHook], status: int | None = 200) -> None:
        """The receiver's answers."""
        with self.running.lock:
            for hook in hooks:
                self.sandbox.hook_answered(hook, status, self.now)

    def entry(self, formatter: Any = "hub", **told: Any) -> Any:
        """The entry of one call under a formatter, as it is posted."""
        self.act("output", url="http://127.0.0.1:1/feeds/x", formatter=formatter, name="one")
        self.called(**told)
        (hook,) = self.posts()
        self.answers([hook])
        return msgspec.json.decode(hook.body)
