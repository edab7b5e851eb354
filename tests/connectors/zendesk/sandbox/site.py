"""A served stand-in with a clock in the test's hand, and a caller that speaks plain HTTP."""

from __future__ import annotations

import random
from typing import Any

import requests

from connectors.sandbox.server import RunningSandbox, serve
from connectors.sandbox.wire import OutgoingHook
from connectors.zendesk.sandbox import ZendeskSandbox, build

START = 1_767_323_045.0  # 2026-01-02T03:04:05Z
HUB = ("hub@example.com/token", "sandbox-api-token")
AGENT = ("agent@example.com/token", "sandbox-api-token")
CUSTOMER = ("customer@example.com/token", "sandbox-api-token")


class Chance:
    """A seeded Rng."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)

    def random(self) -> float:
        return self._random.random()

    def token(self) -> str:
        return f"{self._random.getrandbits(128):032x}"


class WithoutSender:
    """A stand-in whose webhook calls are left to the test: the server sees none of them."""

    def __init__(self, sandbox: ZendeskSandbox) -> None:
        self.handle = sandbox.handle
        self.hook_answered = sandbox.hook_answered

    def due_hooks(self, now: float) -> list[OutgoingHook]:
        return []


class Site:
    """A Zendesk stand-in on loopback. `now` is its time; nothing moves it but the test.

    sends: whether the server makes the webhook calls itself.
    """

    def __init__(self, *, sends: bool = True, **settings: Any) -> None:
        self.now = START
        self.sandbox = build(lambda: self.now, Chance(), settings=settings)
        served = self.sandbox if sends else WithoutSender(self.sandbox)
        self.running: RunningSandbox = serve(served, time_source=lambda: self.now)
        self.url = self.running.url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["user-agent"] = "hypercare-test/1"

    def close(self) -> None:
        self.session.close()
        self.running.close()

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        """One request, as the hub's user unless `auth` says otherwise."""
        more.setdefault("auth", HUB)
        return self.session.request(method, self.url + path, json=body, timeout=10, allow_redirects=False, **more)

    def get(self, path: str, **more: Any) -> Any:
        """The JSON of a read that must succeed."""
        response = self.call("GET", path, **more)
        assert response.status_code == 200, response.text
        return response.json()

    def put(self, ticket: int, **change: Any) -> requests.Response:
        return self.call("PUT", f"/api/v2/tickets/{ticket}.json", {"ticket": change})

    def ticket(self, **wanted: Any) -> int:
        """Create a ticket through the API: its id."""
        wanted.setdefault("subject", "It fails")
        wanted.setdefault("comment", {"body": "Please help."})
        response = self.call("POST", "/api/v2/tickets.json", {"ticket": wanted})
        assert response.status_code == 201, response.text
        return int(response.json()["ticket"]["id"])

    def act(self, act: str, **command: Any) -> Any:
        """An edit behind the API's back."""
        response = self.call("POST", "/_sandbox/act", {"act": act, **command})
        assert response.status_code == 200, response.text
        return response.json()["result"]

    def switch(self, **settings: Any) -> None:
        response = self.call("POST", "/_sandbox/settings", settings)
        assert response.status_code == 200, response.text

    def fault(self, **rule: Any) -> None:
        response = self.call("POST", "/_sandbox/faults", rule)
        assert response.status_code == 200, response.text

    def state(self) -> Any:
        return self.get("/_sandbox/state")

    def record(self, ticket: int) -> Any:
        return next(record for record in self.state()["records"] if record["id"] == str(ticket))

    def export(self, query: str) -> Any:
        return self.get(f"/api/v2/incremental/tickets/cursor.json?{query}")

    def hooks(self) -> list[OutgoingHook]:
        """The webhook calls due now; of a site that does not send."""
        with self.running.lock:
            return self.sandbox.due_hooks(self.now)
