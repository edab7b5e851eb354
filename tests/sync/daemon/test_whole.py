"""The whole daemon over real sockets: a ticket and an issue that stay in step, by webhook, while it is a process."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert, select

from connectors.jira.sandbox import JiraSandbox
from connectors.jira.sandbox import build as build_jira
from connectors.sandbox.server import RunningSandbox, serve
from connectors.zendesk.sandbox import ZendeskSandbox
from connectors.zendesk.sandbox import build as build_zendesk
from sync.ports import RealClock, RealRng
from sync.store.contract import Store
from sync.store.migrate import open_store
from sync.store.tables import commands, records
from tests.sync.daemon.child import Daemon

ZENDESK_SECRET, JIRA_SECRET = "zendesk-signing-secret", "jira-webhook-secret"
EVENTS = ("created", "status_changed", "tags_changed")

MAKE = """
from connectors import jira, zendesk
from connectors.jira.settings import JiraSettings
from connectors.zendesk.settings import ZendeskSettings
from sync.daemon import build
from sync.engine.hub import EngineSettings
from sync.mapping.load import load
from importlib.resources import files

def make_hub(store, signals):
    texts = {each.name: each.read_text() for each in files("mappings").iterdir() if each.name.endswith(".yaml")}
    texts["routes.yaml"] = "routes: []"
    mappings = load(texts, {"support": "zendesk", "dev": "jira"})
    configured = [
        build.Configured(name="support", connector=zendesk.CONNECTOR, webhook_secrets=("zendesk-signing-secret",),
            settings=ZendeskSettings.model_validate({"subdomain": "acme", "base_url": sys.argv[2],
                "client_id": "hypercare", "client_secret": "sandbox-client-secret"})),
        build.Configured(name="dev", connector=jira.CONNECTOR, webhook_secrets=("jira-webhook-secret",),
            settings=JiraSettings.model_validate({"url": sys.argv[3], "projects": ["OPS"],
                "auth": {"kind": "cloud_token", "email": "hub@example.com", "api_token": "hub-token"}})),
    ]
    world = build.World(clock=clock, rng=rng, signals=signals, tell=log.tell)
    return build.hub(store, configured, mappings, EngineSettings(), world)
"""


@dataclass
class Day:
    """Both systems, the daemon, and its database."""

    daemon: Daemon
    desk: RunningSandbox
    site: RunningSandbox
    store: Store

    def zendesk(self, act: dict[str, Any]) -> Any:
        """What a person does in Zendesk."""
        assert isinstance(self.desk.stand_in, ZendeskSandbox)
        with self.desk.lock:
            return self.desk.stand_in.act(act)

    def jira(self, act: dict[str, Any]) -> Any:
        """What a person does in Jira."""
        assert isinstance(self.site.stand_in, JiraSandbox)
        with self.site.lock:
            return self.site.stand_in.act(act)

    def ticket(self, number: int) -> dict[str, Any]:
        """A ticket as it is."""
        assert isinstance(self.desk.stand_in, ZendeskSandbox)
        with self.desk.lock:
            records = self.desk.stand_in.state()["records"]
        return next(each for each in records if int(each["id"]) == number)

    def issue(self, key: str) -> dict[str, Any]:
        """An issue as it is."""
        assert isinstance(self.site.stand_in, JiraSandbox)
        with self.site.lock:
            issues = self.site.stand_in.state()["issues"]
        return next(each for each in issues if each["key"] == key)

    def known(self) -> set[str]:
        """Ids and keys of the records that the daemon has read."""
        with self.store.read() as conn:
            return {text for row in conn.execute(select(records.c.remote_id, records.c.key)) for text in row}

    def command(self, verb: str, **args: Any) -> str:
        """Ask the running daemon, and wait for its answer."""
        row = {"at": RealClock().now(), "verb": verb, "args": msgspec.json.encode(args)}
        number = self.store.step(lambda conn: conn.execute(insert(commands).values(**row)).inserted_primary_key)
        assert number is not None

        def answer() -> bytes | None:
            with self.store.read() as conn:
                found: bytes | None = conn.execute(select(commands.c.answer).where(commands.c.id == number[0])).scalar()
            return found

        given = msgspec.json.decode(until(answer))
        assert given["ok"], given["message"]
        return str(given["message"])


def until(look: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What `look` gives, as soon as it gives something."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.005)
    return found


@pytest.fixture
def day(tmp_path: Path) -> Generator[Day]:
    """Everything running, a connection each, nothing linked."""
    clock, rng = RealClock(), RealRng()
    with ExitStack() as stack:
        desk = stack.enter_context(serve(build_zendesk(time.time, rng), time_source=time.time))
        site = stack.enter_context(serve(build_jira(time.time, rng), time_source=time.time))
        database = tmp_path / "hypercare.db"
        daemon = Daemon(database, desk.url, site.url, make=MAKE)
        stack.callback(daemon.end)
        store = open_store(database, clock=clock)
        stack.callback(store.close)
        made = Day(daemon, desk, site, store)
        hook = f"http://{daemon.address}/hooks"
        subscriptions = [f"zen:event-type:ticket.{name}" for name in EVENTS]
        made.zendesk(
            {"act": "webhook", "endpoint": f"{hook}/support", "secret": ZENDESK_SECRET, "subscriptions": subscriptions}
        )
        made.jira({"act": "webhook", "url": f"{hook}/dev", "secret": JIRA_SECRET})
        yield made


def test_a_ticket_and_an_issue_stay_in_step(day: Day) -> None:
    number = int(day.zendesk({"act": "create", "subject": "Checkout fails"})["ticket"])
    key = str(day.jira({"act": "create", "summary": "Checkout fails"})["key"])
    day.command("start", connection="support")
    day.command("start", connection="dev")
    until(lambda: {key, str(number)} <= day.known())
    day.command("link", one=f"support:{number}", two=key)

    day.jira({"act": "add_label", "issue": key, "label": "payment"})
    until(lambda: "payment" in day.ticket(number)["tags"])
    day.jira({"act": "transition", "issue": key, "to": "Done", "resolution": "Done", "force": True})
    until(lambda: day.ticket(number)["status"] == "solved")
    # Zendesk counts versions in seconds: the agent's turn is in a second of its own, after the hub's last write.
    until(lambda: datetime.now(UTC) > datetime.fromisoformat(day.ticket(number)["updated_at"]) + timedelta(seconds=1))
    day.zendesk({"act": "status", "ticket": number, "status": "open"})
    until(lambda: day.issue(key)["status"] != "Done")
    assert day.daemon.end() == 0
    assert [line for line in day.daemon.lines if line["level"] in ("error", "critical")] == []
