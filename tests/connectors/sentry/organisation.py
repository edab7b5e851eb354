"""A stand-in Sentry organisation over real sockets, in its own time, and connections to it."""

from __future__ import annotations

import random
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from connectors.contract import BudgetReading, Page, Ports
from connectors.sandbox.server import serve
from connectors.sentry import CONNECTOR
from connectors.sentry.client import SentryRemote
from connectors.sentry.sandbox import build
from connectors.sentry.settings import SentrySettings
from sync.model import Changes, Expect, Missing, Snapshot, StatusChange

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class OrganisationTime:
    """One wall time for the organisation and for us, which moves when it is told to. Intervals are its."""

    def __init__(self) -> None:
        self.at = START
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - START).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passes(seconds)

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


class Organisation:
    """The organisation, and its control face over HTTP."""

    def __init__(self, url: str, clock: OrganisationTime, flavour: str) -> None:
        self.url = url
        self.clock = clock
        self.flavour = flavour
        self.readings: list[BudgetReading] = []
        self._open: list[SentryRemote] = []
        self._control_face = httpx.Client(trust_env=False, timeout=10, verify=False)

    def settings(self, **more: Any) -> SentrySettings:
        stock = {"base_url": self.url, "organization": "acme", "token": "hub-token", "flavour": self.flavour}
        return SentrySettings.model_validate(stock | more)

    def connect(self, *, shared: dict[str, Any] | None = None, **more: Any) -> SentryRemote:
        known = {} if shared is None else shared
        ports = Ports(clock=self.clock, rng=Chance(1), meter=self.readings.append, shared=known)
        remote = CONNECTOR.connect(self.settings(**more), ports)
        assert isinstance(remote, SentryRemote)
        self._open.append(remote)
        return remote

    def close(self) -> None:
        for remote in self._open:
            remote.close()
        self._control_face.close()

    # --- behind the API's back ---------------------------------------------------------------------------------

    def act(self, name: str, /, **more: Any) -> Any:
        return self._control("POST", "act", {"act": name, **more})["result"]

    def event(self, title: str = "TypeError: none", **more: Any) -> str:
        """The issue that an event makes, or joins."""
        made = str(self.act("event", title=title, **more)["issue"])
        self.clock.passes(5)
        return made

    def fault(self, kind: str, **more: Any) -> None:
        self._control("POST", "faults", {"kind": kind, **more})

    def missing(self, operation: str, **more: Any) -> None:
        """Let calls answer 404."""
        body = '{"detail": "The requested resource does not exist"}'
        self.fault("given", status=404, body=body, operation=operation, **more)

    def switch(self, **switches: Any) -> None:
        self._control("POST", "settings", switches)

    def issue(self, number: str) -> Any:
        return next(one for one in self._control("GET", "state")["issues"] if one["id"] == number)

    def calls(self, operation: str = "") -> int:
        """How many calls the organisation has received, all or of one operation."""
        counts = self._control("GET", "requests")["counts"]
        return int(counts.get(operation, 0)) if operation else sum(counts.values())

    def forget_calls(self) -> None:
        self._control("DELETE", "requests")

    def requests(self) -> list[Any]:
        found: list[Any] = self._control("GET", "requests")["requests"]
        return found

    def _control(self, method: str, name: str, body: Any = None) -> Any:
        answer = self._control_face.request(method, f"{self.url}/_sandbox/{name}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def organisation(**switches: Any) -> Generator[Organisation]:
    clock = OrganisationTime()
    stand_in = build(clock.epoch, Chance(2), settings=switches)
    flavour = "glitchtip" if switches.get("edition") == "glitchtip" else "sentry"
    with serve(stand_in, time_source=clock.epoch) as running:
        made = Organisation(running.url, clock, flavour)
        yield made
        made.close()


def read(remote: SentryRemote, number: str, *, whole: bool | None = None) -> Snapshot:
    found = remote.fetch([number], whole=whole)[number]
    assert isinstance(found, Snapshot), found
    return found


def absent(remote: SentryRemote, number: str) -> Missing:
    found = remote.fetch([number])[number]
    assert isinstance(found, Missing), found
    return found


def round_of(remote: SentryRemote, cursor: str | None, since: datetime = START - timedelta(days=1)) -> list[Page]:
    """All pages of one round."""
    pages = [remote.page(cursor, since)]
    while pages[-1].more:
        assert len(pages) < 50
        pages.append(remote.page(pages[-1].cursor, since))
    return pages


def write(remote: SentryRemote, snapshot: Snapshot, changes: Changes, op: str = "d-1") -> Snapshot | None:
    return remote.write(snapshot.ref, changes, Expect(version=snapshot.version, op=op, snapshot=snapshot))


def status(raw: str) -> Changes:
    return Changes(status=StatusChange(raw=raw))
