"""A stand-in Zendesk account over real sockets, in its own time, and connections to it."""

from __future__ import annotations

import random
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from connectors.contract import BudgetReading, Ports
from connectors.sandbox.server import serve
from connectors.zendesk import CONNECTOR
from connectors.zendesk.client import ZendeskRemote
from connectors.zendesk.sandbox import ZendeskSandbox
from connectors.zendesk.settings import ZendeskSettings
from sync.model import Changes, Expect, Snapshot

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class AccountTime:
    """One wall time for the account and for us, which moves when it is told to. Intervals are real."""

    def __init__(self) -> None:
        self.at = START
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return time.monotonic() + sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)

    def passes(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def epoch(self) -> float:
        return self.at.timestamp()


class Chance:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def random(self) -> float:
        return self._random.random()

    def token(self) -> str:
        return f"{self._random.getrandbits(128):032x}"


class Account:
    """The account, and its control face over HTTP."""

    def __init__(self, url: str, clock: AccountTime) -> None:
        self.url = url
        self.clock = clock
        self.readings: list[BudgetReading] = []
        self._open: list[ZendeskRemote] = []

    def settings(self, **more: Any) -> ZendeskSettings:
        stock = {"auth": "api_token", "email": "hub@example.com", "token": "sandbox-api-token"}
        if more.get("auth", "api_token") != "api_token":
            stock = {"client_id": "hypercare", "client_secret": "sandbox-client-secret"}
        return ZendeskSettings.model_validate({"subdomain": "sandbox", "base_url": self.url} | stock | more)

    def connect(self, *, tokens: Any = None, shared: Any = None, **more: Any) -> ZendeskRemote:
        known = {} if shared is None else shared
        ports = Ports(clock=self.clock, rng=Chance(1), meter=self.readings.append, tokens=tokens, shared=known)
        remote = CONNECTOR.connect(self.settings(**more), ports)
        assert isinstance(remote, ZendeskRemote)
        self._open.append(remote)
        return remote

    def close(self) -> None:
        for remote in self._open:
            remote.close()

    # --- behind the API's back ---------------------------------------------------------------------------------

    def act(self, name: str, **more: Any) -> Any:
        return self._control("POST", "act", {"act": name, **more})["result"]

    def create(self, **more: Any) -> str:
        """A customer's ticket, a minute and a half old, so that the export shows it."""
        ticket = str(self.act("create", **more)["ticket"])
        self.clock.passes(90)
        return ticket

    def fault(self, kind: str, **more: Any) -> None:
        self._control("POST", "faults", {"kind": kind, **more})

    def heal(self) -> None:
        self._control("DELETE", "faults")

    def switch(self, **switches: Any) -> None:
        self._control("POST", "settings", switches)

    def record(self, ticket: str) -> Any:
        return next(one for one in self._control("GET", "state")["records"] if one["id"] == ticket)

    def calls(self, operation: str = "") -> int:
        """How many calls the account has received, all or of one operation."""
        counts = self._control("GET", "requests")["counts"]
        return int(counts.get(operation, 0)) if operation else sum(counts.values())

    def forget_calls(self) -> None:
        self._control("DELETE", "requests")

    def requests(self) -> list[Any]:
        found: list[Any] = self._control("GET", "requests")["requests"]
        return found

    def _control(self, method: str, name: str, body: Any = None) -> Any:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(method, f"{self.url}/_sandbox/{name}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def account(**switches: Any) -> Generator[Account]:
    clock = AccountTime()
    stand_in = ZendeskSandbox(clock.epoch, Chance(2), settings=switches)
    with serve(stand_in, time_source=clock.epoch) as running:
        made = Account(running.url, clock)
        yield made
        made.close()


def read(remote: ZendeskRemote, ticket: str) -> Snapshot:
    found = remote.fetch([ticket])[ticket]
    assert isinstance(found, Snapshot), found
    return found


def expecting(snapshot: Snapshot, op: str = "d-1") -> Expect:
    return Expect(version=snapshot.version, op=op, snapshot=snapshot)


def write(remote: ZendeskRemote, snapshot: Snapshot, changes: Changes, op: str = "d-1") -> Snapshot | None:
    return remote.write(snapshot.ref, changes, expecting(snapshot, op))
