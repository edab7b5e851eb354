"""The stand-in on a real socket, and a connection to it, both on a clock that tests move."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from connectors.contract import BudgetReading, Ports
from connectors.jira import CONNECTOR
from connectors.jira.client import JiraRemote
from connectors.jira.sandbox import JiraSandbox, build
from connectors.jira.settings import JiraSettings
from connectors.sandbox.faults import FaultKind, FaultRule
from connectors.sandbox.server import serve
from sync.model import Changes, Expect, RecordRef, Snapshot
from tests.connectors.jira.made import NOW

CLOUD_AUTH = {"kind": "cloud_token", "email": "hub@example.com", "api_token": "hub-token"}
PAT_AUTH = {"kind": "personal_token", "token": "hub-pat"}


@dataclass
class Hands:
    """A clock and its chance. Each look at the time takes a millisecond, so that no two edits share a version."""

    seconds: float = NOW.timestamp()
    slept: list[float] = field(default_factory=list)
    chance: Random = field(default_factory=lambda: Random(7))

    def time(self) -> float:
        self.seconds += 0.001
        return self.seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def random(self) -> float:
        return self.chance.random()

    def token(self) -> str:
        return f"{self.chance.getrandbits(128):032x}"


@dataclass
class Site:
    """A served stand-in."""

    sandbox: JiraSandbox
    url: str
    hands: Hands
    is_cloud: bool
    readings: list[BudgetReading] = field(default_factory=list)
    opened: list[JiraRemote] = field(default_factory=list)

    def connect(self, **changes: Any) -> JiraRemote:
        written = {
            "url": self.url + self.sandbox.site.settings.context,
            "auth": CLOUD_AUTH if self.is_cloud else PAT_AUTH,
            "projects": ["OPS", "WEB"],
            **changes,
        }
        ports = Ports(clock=self.hands, rng=self.hands, meter=self.readings.append)
        remote = CONNECTOR.connect(JiraSettings.model_validate(written), ports)
        assert isinstance(remote, JiraRemote)
        self.opened.append(remote)
        return remote

    def act(self, act: str, **more: Any) -> Any:
        return self.sandbox.act({"act": act, **more})

    def create(self, summary: str = "Checkout fails", **more: Any) -> tuple[str, str]:
        made = self.act("create", summary=summary, **more)
        return made["id"], made["key"]

    def switch(self, **switches: Any) -> None:
        self.sandbox.change_settings(switches)

    def fault(self, kind: FaultKind, **more: Any) -> None:
        self.sandbox.control.faults.add(FaultRule(kind=kind, **more))

    def mend(self) -> None:
        self.sandbox.control.faults.clear()

    def issue(self, named: str) -> Any:
        return next(found for found in self.sandbox.state()["issues"] if named in (found["id"], found["key"]))

    def forget_calls(self) -> None:
        self.sandbox.requests.clear()

    def calls(self) -> dict[str, int]:
        return dict(self.sandbox.requests)


@contextmanager
def site(deployment: str = "Cloud", **switches: Any) -> Generator[Site]:
    hands = Hands()
    sandbox = build(hands.time, hands, deployment=deployment, settings={"index_lag": 0.0, **switches})
    with serve(sandbox, time_source=hands.time) as running:
        served = Site(sandbox, running.url, hands, deployment == "Cloud")
        try:
            yield served
        finally:
            for remote in served.opened:
                remote.close()


def expect(snap: Snapshot, op: str = "d1") -> Expect:
    return Expect(version=snap.version, op=op, snapshot=snap)


def read(remote: JiraRemote, key: str) -> Snapshot:
    found = remote.fetch([key])[key]
    assert isinstance(found, Snapshot), found
    return found


def write(remote: JiraRemote, snap: Snapshot, op: str = "d1", **changes: Any) -> Snapshot | None:
    return remote.write(snap.ref, Changes(**changes), expect(snap, op))


def ref(number: str) -> RecordRef:
    return RecordRef(kind="issue", id=number)
