"""Every call of the connectors for Zendesk and Jira against spoilt answers of the stand-ins, in process.

What may leave, and what may not.

One case is one call on a connection whose answers are spoilt, drawn from a seed. What leaves must be one of
`connectors.errors`, or a value that the hub can store, read back and put through its mapping.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec

from connectors import jira, zendesk
from connectors.contract import BudgetReading, Capabilities, Page, Ports, Remote
from connectors.errors import RemoteError, WriteRejected
from connectors.jira.sandbox import build as build_jira
from connectors.jira.settings import JiraSettings
from connectors.sandbox.wire import Request
from connectors.zendesk.sandbox import build as build_zendesk
from connectors.zendesk.settings import ZendeskSettings
from sync.engine import columns
from sync.mapping.compiled import Mapping
from sync.mapping.load import load
from sync.model import (
    Changes,
    CreateIntent,
    Draft,
    Expect,
    HistoryRow,
    LinkView,
    RecordRef,
    Snapshot,
    StatusChange,
)
from sync.simulation.virtual import SeededRng, VirtualClock
from tests.hostile.spoiling import Spoiling, Spoils
from tests.sync.mapping.records import shipped_texts

SLOW = 2.0
"""Seconds of the processor that one case may take at the very most; the mean of a run is held much lower."""


@dataclass
class Line:
    """One system: its stand-in, a connection to it, and every call that the hub makes. Made anew now and then.

    writes: how many changes the stand-in has taken from the hub. status_in_body: answers of 200 say in their body
    whether it went well.
    """

    name: str
    clock: VirtualClock
    stand_in: Any
    spoiling: Spoils
    connect: Callable[[Ports], Remote]
    mapping: Mapping
    writes: Callable[[], int]
    calls: dict[str, Callable[[Remote], Any]] = field(default_factory=dict)
    status_in_body: bool = False

    def remote(self) -> Remote:
        ports = Ports(clock=self.clock, rng=SeededRng(5), meter=_metered, transport=self.spoiling)
        return self.connect(ports)


def _metered(reading: BudgetReading) -> None:
    """What the hub's budgets do with a reading: they count with it."""
    for value in (reading.limit, reading.remaining, reading.resets_in):
        if value is not None and not 0 <= value < 10**18:
            raise AssertionError(f"a budget reading nobody can count with: {reading}")


def mapping_of(system: str) -> Mapping:
    names = {"support": "zendesk", "tracker": "jira", "errors": "sentry", "gateway": "gateway"}
    connection = next(name for name, found in names.items() if found == system)
    return load({**shipped_texts(), "routes.yaml": "routes: []\n"}, names).for_connection(connection, system)


LINK = LinkView(
    system="jira",
    connection="tracker",
    kind="issue",
    id="10001",
    key="OPS-1",
    url="https://acme.example/browse/OPS-1",
    title="Checkout fails",
)


def zendesk_line(*, app: bool) -> Line:
    """app: the account links its tickets with the official app."""
    clock = VirtualClock()
    desk = build_zendesk(clock.epoch, SeededRng(1))
    ids = [str(desk.act({"act": "create", "tags": ["launch", "login"], "status": "open"})["ticket"]) for _ in range(3)]
    desk.act({"act": "merge", "from": [int(ids[2])], "ticket": int(ids[0])})
    gone = str(desk.act({"act": "create"})["ticket"])
    desk.act({"act": "delete", "ticket": int(gone)})
    if app:
        desk.act({"act": "link", "ticket": int(ids[0]), "issue_id": "10001", "issue_key": "OPS-1"})
    clock.advance(90)
    settings = ZendeskSettings.model_validate(
        {
            "subdomain": "acme",
            "base_url": "http://127.0.0.1:8101",
            "client_id": "hypercare",
            "client_secret": "sandbox-client-secret",
        }
    )
    line = Line(
        name="zendesk with the app" if app else "zendesk",
        clock=clock,
        stand_in=desk,
        spoiling=Spoiling(desk),
        connect=lambda ports: zendesk.CONNECTOR.connect(settings, ports),
        mapping=mapping_of("zendesk"),
        writes=lambda: int(desk.model.writes.get(desk.model.hub.id, 0)),
    )
    first = sound(line, ids[0])
    ref = first.ref
    turn = iter(range(10**9))
    intent = CreateIntent(marker="hc-1-r", at=clock.now(), probe={}, draft=_ticket_draft())
    line.calls = {
        "check": lambda remote: remote.check(),
        "values": lambda remote: remote.values(),
        "page from the start": lambda remote: remote.page(None, clock.now() - timedelta(days=1)),
        "page on": lambda remote: remote.page("start:1767000000", clock.now()),
        "fetch one": lambda remote: remote.fetch([ids[0]]),
        "fetch one, bare": lambda remote: remote.fetch([ids[0]], whole=False),
        "fetch many": lambda remote: remote.fetch(ids),
        "fetch the merged": lambda remote: remote.fetch([ids[2]]),
        "fetch the deleted": lambda remote: remote.fetch([gone]),
        "history": lambda remote: remote.history(ref, ""),
        "history since": lambda remote: remote.history(ref, first.version),
        "write status": lambda remote: write(line, remote, ref, status=flip(turn, "open", "hold")),
        "write tags": lambda remote: write(line, remote, ref, tag=f"t{next(turn)}"),
        "write a note": lambda remote: write(line, remote, ref, note="Linked with OPS-1."),
        "create": lambda remote: remote.create(_ticket_draft(), f"hc-{next(turn)}-r"),
        "find the created": lambda remote: remote.find_created(intent),
        "steps": lambda remote: remote.steps(first, Changes(add_tags=("a",), note="x")),
    }
    if app:
        line.calls["write a link"] = lambda remote: write(line, remote, ref, link=True)
    return line


def jira_line(deployment: str) -> Line:
    clock = VirtualClock()
    site = build_jira(clock.epoch, SeededRng(2), deployment=deployment, settings={"index_lag": 0.0})
    made = [site.act({"act": "create", "summary": f"Checkout fails {n}", "labels": ["launch"]}) for n in range(3)]
    ids = [str(one["id"]) for one in made]
    lost = site.act({"act": "create", "summary": "gone"})
    site.act({"act": "delete", "issue": lost["key"]})
    clock.advance(90)
    auth = {
        "Cloud": {"kind": "cloud_token", "email": "hub@example.com", "api_token": "hub-token"},
        "Server": {"kind": "personal_token", "token": "hub-pat"},
    }[deployment]
    settings = JiraSettings.model_validate({"url": "http://127.0.0.1:8102", "projects": ["OPS"], "auth": auth})
    line = Line(
        name=f"jira {deployment}",
        clock=clock,
        stand_in=site,
        spoiling=Spoiling(site),
        connect=lambda ports: jira.CONNECTOR.connect(settings, ports),
        mapping=mapping_of("jira"),
        writes=lambda: sum(count for name, count in site.site.writes.items() if name.startswith("hub")),
    )
    first = sound(line, ids[0])
    ref = first.ref
    turn = iter(range(10**9))
    draft = Draft(kind="issue", fields={"project": "OPS", "issuetype": "Bug", "summary": "Broken"}, tags=("launch",))
    probe = {"project": "OPS", "highest": 1}
    intent = CreateIntent(marker="hc-1-r", at=clock.now() - timedelta(hours=1), probe=probe, draft=draft)
    line.calls = {
        "check": lambda remote: remote.check(),
        "values": lambda remote: remote.values(),
        "page from the start": lambda remote: remote.page(None, clock.now() - timedelta(days=1)),
        "page on": lambda remote: remote.page('{"since":"2026-03-01T00:00:00.000Z"}', clock.now()),
        "fetch one": lambda remote: remote.fetch([ids[0]]),
        "fetch one, bare": lambda remote: remote.fetch([ids[0]], whole=False),
        "fetch many": lambda remote: remote.fetch(ids),
        "fetch the deleted": lambda remote: remote.fetch([str(lost["key"])]),
        "history": lambda remote: remote.history(ref, ""),
        "history since": lambda remote: remote.history(ref, first.version),
        "write status": lambda remote: write(line, remote, ref, status=flip(turn, "In Progress", "To Do")),
        "write labels": lambda remote: write(line, remote, ref, tag=f"t{next(turn)}"),
        "write a link": lambda remote: write(line, remote, ref, link=True),
        "probe": lambda remote: remote.probe(draft),
        "create": lambda remote: remote.create(draft, f"hc-{next(turn)}-r"),
        "find the created": lambda remote: remote.find_created(intent),
        "steps": lambda remote: remote.steps(first, Changes(add_tags=("a",), status=StatusChange(raw="Done"))),
    }
    return line


def _ticket_draft() -> Draft:
    return Draft(kind="ticket", fields={"subject": "Broken", "description": "It is."}, tags=("launch",))


def flip(turn: Any, one: str, two: str) -> str:
    return one if next(turn) % 2 else two


def sound(line: Line, key: str) -> Snapshot:
    found = line.remote().fetch([key])[key]
    assert isinstance(found, Snapshot), found
    return found


def write(
    line: Line, remote: Remote, ref: RecordRef, *, status: str = "", tag: str = "", note: str = "", link: bool = False
) -> Any:
    """A write that was decided on the record as it is now; that much is read through a sound connection."""
    armed, line.spoiling.armed = line.spoiling.armed, None
    shown = sound(line, ref.id)
    line.spoiling.armed = armed
    changes = Changes(
        status=StatusChange(raw=status) if status else None,
        add_tags=(tag,) if tag else (),
        note=note,
        add_links=(LINK,) if link else (),
    )
    return remote.write(ref, changes, Expect(version=shown.version, op="d-1", snapshot=shown))


LINES: dict[str, Callable[[], Line]] = {
    "zendesk": lambda: zendesk_line(app=False),
    "zendesk with the app": lambda: zendesk_line(app=True),
    "jira cloud": lambda: jira_line("Cloud"),
    "jira data center": lambda: jira_line("Server"),
}

_FRESH = 150
"""Cases after which a line is made anew, so that what a few hundred calls leave behind does not pile up."""


@dataclass
class Tally:
    """What a run saw. wrong: one line for each case that broke a promise."""

    cases: int = 0
    spoilt: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    taken: int = 0
    slowest: float = 0.0
    wrong: list[str] = field(default_factory=list)


def run(make: Callable[[], Line], seeds: range, tally: Tally, *, only: str = "") -> Tally:
    """Play one case for each seed on a line. only: a call's name, else one is drawn."""
    line = make()
    for place, seed in enumerate(seeds):
        if place % _FRESH == _FRESH - 1:
            line = make()
        play(line, seed, tally, only=only)
    return tally


def play(line: Line, seed: int, tally: Tally, *, only: str = "") -> None:
    """One case."""
    rng = random.Random(seed)
    spoiling = line.spoiling
    spoiling.rng, spoiling.armed, spoiling.spoilt = rng, rng.choice((0, 0, 1, 2, 3)), []
    spoiling.rate = rng.choice((1.0, 1.0, 0.4))
    call = only or rng.choice(sorted(line.calls))
    remote = line.remote()
    before = line.writes()
    began = time.process_time()
    where = f"{line.name}, seed {seed}, {call}"
    tally.cases += 1
    try:
        value = line.calls[call](remote)
    except RemoteError as error:
        tally.refused[type(error).__name__] = tally.refused.get(type(error).__name__, 0) + 1
        _judge_error(line, call, where, error, before, tally)
    except Exception as error:  # noqa: BLE001  whatever it is, it must not have left
        tally.wrong.append(f"{where}: {type(error).__name__}: {str(error)[:200]} {spoiling.spoilt[-1:]}")
    else:
        tally.taken += 1
        spoiling.armed = None
        try:
            usable(value, line.mapping)
        except Exception as error:  # noqa: BLE001  what was given is of no use
            tally.wrong.append(
                f"{where}: not usable: {type(error).__name__}: {str(error)[:200]} {spoiling.spoilt[-1:]}"
            )
    finally:
        spoiling.armed = None
        remote.close()
    tally.spoilt += len(spoiling.spoilt)
    took = time.process_time() - began
    tally.slowest = max(tally.slowest, took)
    if took > SLOW:
        tally.wrong.append(f"{where}: took {took:.2f} s {spoiling.spoilt[-1:]}")


def _judge_error(line: Line, call: str, where: str, error: RemoteError, before: int, tally: Tally) -> None:
    """A write that took effect must not be reported as one that certainly did not; a message is for people."""
    lies = any("status" in kinds for _, kinds in line.spoiling.spoilt)
    lies |= line.status_in_body and isinstance(error, WriteRejected) and bool(line.spoiling.spoilt)
    is_write = call.startswith(("write", "create"))
    if is_write and not lies and not error.applied and line.writes() != before:
        tally.wrong.append(f"{where}: took effect, yet {type(error).__name__}: {error.message[:150]}")
    if len(error.message) > 2000 or any(ord(c) < 32 and c != "\n" for c in error.message):
        tally.wrong.append(f"{where}: a message that nobody can read: {error.message[:150]!r}")


def usable(value: Any, mapping: Mapping) -> None:
    """Raises unless a value is what the contract says, can be stored and read back, and goes through the mapping."""
    if isinstance(value, Page):
        msgspec.json.decode(columns.encode(value), type=Page)
        for snap in value.snapshots:
            usable_snapshot(snap, mapping)
    elif isinstance(value, Snapshot):
        usable_snapshot(value, mapping)
    elif isinstance(value, Capabilities):
        columns.capabilities(columns.encode(value))
    elif isinstance(value, dict):
        for each in value.values():
            usable(each, mapping)
        columns.encode(value)
    elif isinstance(value, list | tuple):
        for each in value:
            if isinstance(each, HistoryRow):
                msgspec.json.decode(columns.encode(each), type=HistoryRow)
            columns.encode(each)
    elif isinstance(value, RecordRef):
        msgspec.json.decode(columns.encode(value), type=RecordRef)
        assert value.id, "a record without an id"
    else:
        columns.encode(value)


def usable_snapshot(snap: Snapshot, mapping: Mapping) -> None:
    again = columns.snapshot(columns.encode(snap))
    assert again.ref.id, "a record without an id"
    assert snap.version.isascii(), "a version that does not compare"
    mapping.shown(again)
    mapping.watched(again)
    mapping.feedback(again)
    mapping.tag_texts(again)
    mapping.unmapped(again)
    list(mapping.references(again))
    mapping.rules_for(again, again.moves or ())


def ask(stand_in: Any, path: str) -> Any:
    """What a stand-in's control face says."""
    answer = stand_in.handle(Request(method="GET", path=path))
    return msgspec.json.decode(answer.body)
