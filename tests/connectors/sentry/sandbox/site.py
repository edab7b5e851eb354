"""A served Sentry stand-in with a clock in the test's hand, spoken to with httpx as a foreign client would."""

from __future__ import annotations

import random
import re
from typing import Any

import httpx
import msgspec

from connectors.sandbox.server import RunningSandbox, serve
from connectors.sandbox.wire import OutgoingHook
from connectors.sentry.sandbox import SentrySandbox, build

START = 1_790_000_000.0
HUB = "Bearer hub-token"
ENGINEER = "Bearer sntryu_engineer"
ORGANISATION_TOKEN = "Bearer sntrys_sandbox"
ORG = "/api/0/organizations/acme"
LINK = re.compile(r'<([^>]*)>; rel="(\w+)"; results="(\w+)"(?:; cursor="([^"]*)")?')


class Chance:
    """A seeded Rng; draws it is given come first."""

    def __init__(self) -> None:
        self._random = random.Random(1)
        self.draws: list[float] = []

    def random(self) -> float:
        return self.draws.pop(0) if self.draws else self._random.random()

    def token(self) -> str:
        return f"{self._random.getrandbits(128):032x}"


class WithoutSender:
    """A stand-in whose webhook calls are left to the test: the server makes none."""

    def __init__(self, sandbox: SentrySandbox) -> None:
        self.handle = sandbox.handle
        self.hook_answered = sandbox.hook_answered

    def due_hooks(self, now: float) -> list[OutgoingHook]:
        return []


class Site:
    """A stand-in on loopback. `now` is its time; nothing moves it but the test. sends: it makes webhook calls itself.

    Rates are not limited unless a test says so: a hand-held clock never opens a new window.
    """

    def __init__(self, *, sends: bool = False, **switches: Any) -> None:
        self.now = START
        self.chance = Chance()
        switches.setdefault("rate_limits", False)
        self.sandbox = build(lambda: self.now, self.chance, settings=switches)
        served = self.sandbox if sends else WithoutSender(self.sandbox)
        self.running: RunningSandbox = serve(served, time_source=lambda: self.now)
        self.url = self.running.url
        self.client = httpx.Client(base_url=self.url, trust_env=False, verify=False, timeout=10)

    def close(self) -> None:
        self.client.close()
        self.running.close()

    def call(self, method: str, path: str, body: Any = None, *, auth: str | None = HUB, **more: Any) -> httpx.Response:
        """One request; a path without a leading slash is below the organisation."""
        headers = {"authorization": auth} if auth is not None else {}
        return self.client.request(
            method, path if path.startswith("/") else f"{ORG}/{path}", json=body, headers=headers, **more
        )

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of a read that must succeed."""
        response = self.call("GET", path, params=query)
        assert response.status_code == 200, response.text
        return response.json()

    def put(self, issue: str, **body: Any) -> httpx.Response:
        return self.call("PUT", f"issues/{issue}/", body)

    def act(self, act: str, **told: Any) -> Any:
        response = self.call("POST", "/_sandbox/act", {"act": act, **told}, auth=None)
        assert response.status_code == 200, response.text
        return response.json()["result"]

    def switch(self, **settings: Any) -> None:
        response = self.call("POST", "/_sandbox/settings", settings, auth=None)
        assert response.status_code == 200, response.text

    def fault(self, **rule: Any) -> None:
        assert self.call("POST", "/_sandbox/faults", rule, auth=None).status_code == 200

    def issue(self, title: str = "KeyError: cart", **told: Any) -> str:
        """An error comes in: its issue's id."""
        return str(self.act("event", title=title, **told)["issue"])

    def state(self) -> Any:
        return self.call("GET", "/_sandbox/state", auth=None).json()

    def record(self, issue: str) -> Any:
        """The issue as it really is."""
        return next(one for one in self.state()["issues"] if one["id"] == issue)

    def kinds(self, issue: str) -> list[str]:
        """The kinds of an issue's activity, oldest first."""
        return [row["kind"] for row in self.record(issue)["activity"]]

    def ids(self, query: str | None = None, **more: Any) -> list[str]:
        """The ids that a list shows."""
        asked = more if query is None else {"query": query, **more}
        return [one["id"] for one in self.get("issues/", **asked)]

    def hooked(self, **told: Any) -> Site:
        """The app's webhook is set."""
        self.act("webhook", url="https://hub.example/hooks/sentry", secret="s3cret", **told)
        return self

    def hooks(self) -> list[OutgoingHook]:
        """The webhook calls that are due now."""
        with self.running.lock:
            return self.sandbox.due_hooks(self.now)

    def told(self) -> list[Any]:
        """(resource, body) of the calls that are due now."""
        return [(call.headers["sentry-hook-resource"], msgspec.json.decode(call.body)) for call in self.hooks()]

    def names(self) -> list[str]:
        """`resource.action` of the calls that are due now."""
        return [f"{resource}.{body['action']}" for resource, body in self.told()]


def links(response: httpx.Response) -> dict[str, tuple[str, bool, str]]:
    """relation -> (url, has results, cursor) of a Link header."""
    found = LINK.findall(response.headers["link"])
    return {relation: (url, results == "true", cursor) for url, relation, results, cursor in found}
