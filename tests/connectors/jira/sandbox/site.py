"""A Jira stand-in in process and over a real socket, with a clock that a test moves by hand."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.jira.sandbox import JiraSandbox, build
from connectors.sandbox.wire import OutgoingHook, Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

START = 1_790_000_000.0
"""2026-09-21T14:13:20Z: an instant no test depends on unless it says so."""


class HandClock:
    """Seconds since the epoch, moved by the test; every look moves it on by a millisecond when `ticks`."""

    def __init__(self, at: float = START) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += seconds


class CountingRng:
    """Chance without chance: the draws it is given, then 0.5; tokens are counted."""

    def __init__(self, *draws: float) -> None:
        self._draws = list(draws)
        self._tokens = 0

    def random(self) -> float:
        return self._draws.pop(0) if self._draws else 0.5

    def token(self) -> str:
        self._tokens += 1
        return f"{self._tokens:032x}"


def basic(name: str, secret: str) -> str:
    return "Basic " + b64encode(f"{name}:{secret}".encode()).decode()


HUB = basic("hub@example.com", "hub-token")
ENGINEER = basic("engineer@example.com", "engineer-token")
PAT = "Bearer hub-pat"


class Answer:
    """A response with its JSON read."""

    def __init__(self, response: Response) -> None:
        self.response = response
        self.status = response.status
        self.headers = response.headers

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.response.body)


class Site:
    """A stand-in spoken to in process, as one user."""

    def __init__(self, *, deployment: str = "Cloud", rng: CountingRng | None = None, **switches: Any) -> None:
        self.clock = HandClock()
        self.sandbox: JiraSandbox = build(
            self.clock, rng or CountingRng(), deployment=deployment, settings={"index_lag": 0.0, **switches}
        )
        self.version = "3" if deployment == "Cloud" else "2"
        self.auth = HUB if deployment == "Cloud" else PAT

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        auth: str | None = "",
        version: str = "",
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **query: Any,
    ) -> Answer:
        told = {name: [str(one) for one in (v if isinstance(v, list) else [v])] for name, v in query.items()}
        sent = {"content-type": "application/json", **(headers or {})}
        if auth is not None:
            sent["authorization"] = auth or self.auth
        if not path.startswith("/"):
            path = f"/rest/api/{version or self.version}/{path}"
        payload = raw if raw is not None else (b"" if body is None else msgspec.json.encode(body))
        request = Request(method=method, path=path, query=told, headers=sent, body=payload)
        return Answer(self.sandbox.handle(request))

    def get(self, path: str, **more: Any) -> Answer:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.call("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.call("PUT", path, body, **more)

    def delete(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.call("DELETE", path, body, **more)

    def create(self, summary: str = "Checkout fails", **fields: Any) -> str:
        """A new issue's key."""
        told = {"project": {"key": "OPS"}, "issuetype": {"name": "Bug"}, "summary": summary, **fields}
        answer = self.post("issue", {"fields": told})
        assert answer.status == 201, answer.response
        return str(answer.json["key"])

    def act(self, act: str, **told: Any) -> Any:
        return self.sandbox.act({"act": act, **told})

    def issue(self, key: str) -> Any:
        """The issue as it really is."""
        found = [issue for issue in self.sandbox.state()["issues"] if key in (issue["key"], issue["id"])]
        return found[0]

    def switch(self, **changes: Any) -> None:
        self.sandbox.change_settings(changes)

    def hooks(self) -> list[OutgoingHook]:
        """The webhook calls that are due now."""
        return self.sandbox.due_hooks(self.clock())
