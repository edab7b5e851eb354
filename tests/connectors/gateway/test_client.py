"""The ledger of signatures as a remote system: versions, history, writes and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import insert

from connectors.contract import Home, Ports
from connectors.errors import CursorExpired, RecordMissing, VersionConflict, WriteRejected
from connectors.gateway.client import GatewayRemote
from connectors.gateway.feed import GatewayFeed
from connectors.gateway.records import key_of, parse_reference
from connectors.gateway.settings import GatewaySettings
from sync.model import (
    Changes,
    Draft,
    Expect,
    LinkView,
    Missing,
    MissingKind,
    Origin,
    RecordRef,
    Snapshot,
    StateOwner,
    StatusChange,
)
from sync.simulation.virtual import SeededRng, VirtualClock
from sync.store.contract import Store
from sync.store.migrate import open_store
from sync.store.tables import connections
from tests.connectors.gateway.apinto_log import call

JIRA = LinkView(
    system="jira",
    connection="tracker",
    kind="issue",
    id="10007",
    key="OPS-7",
    url="https://acme.atlassian.net/browse/OPS-7",
)


class Gateway:
    """One gateway's log, feed and ledger."""

    def __init__(self, folder: Path, **given: Any) -> None:
        self.clock = VirtualClock()
        self.log = folder / "access.log"
        self.log.touch()
        self.store: Store = open_store(folder / "hub.db", clock=self.clock, inline=True)
        rows = [
            {"id": 1, "name": "gateway", "system": "gateway", "role": "signal", "created_at": self.clock.now()},
            {"id": 2, "name": "other", "system": "gateway", "role": "signal", "created_at": self.clock.now()},
        ]
        self.store.step(lambda conn: conn.execute(insert(connections), rows).close())
        self.settings = GatewaySettings.model_validate(
            {"console_url": "https://apipark.example.com/console", "log_files": [self.log], **given}
        )
        self.feed = GatewayFeed(self.settings, self.ports())
        self.remote = GatewayRemote(self.settings, self.ports())
        self.numbers = 0

    def ports(self, connection_id: int = 1) -> Ports:
        home = Home(connection_id=connection_id, store=self.store)
        return Ports(clock=self.clock, rng=SeededRng(1), meter=lambda reading: None, home=home)

    def calls(self, count: int, status: int = 500, *, seconds: float = 10.0, **given: Any) -> None:
        self.clock.advance(seconds)
        with self.log.open("a") as file:
            for each in range(count):
                self.numbers += 1
                at = self.clock.now() - timedelta(seconds=seconds * (count - each) / count)
                file.write(json.dumps(call(at, self.numbers, status, **given)) + "\n")
        self.feed.turn()

    def only(self) -> Snapshot:
        (found,) = self.remote.page(None, self.clock.now()).snapshots
        return found

    def write(self, snap: Snapshot, op: str = "d-1", **changes: Any) -> Snapshot:
        answer = self.remote.write(snap.ref, Changes(**changes), Expect(version=snap.version, op=op, snapshot=snap))
        assert answer is not None
        return answer


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = Gateway(tmp_path)
    yield made
    made.feed.close()
    made.store.close()


def status(raw: str) -> StatusChange:
    return StatusChange(raw=raw)


def test_a_signature_below_its_threshold_is_no_record(gateway: Gateway) -> None:
    gateway.calls(9)
    assert gateway.remote.page(None, gateway.clock.now()).snapshots == ()
    gateway.calls(1)
    snap = gateway.only()
    assert snap.state_owner is StateOwner.HUB
    assert snap.origin is Origin.DIRECT
    assert snap.ref.url == f"https://apipark.example.com/console#signature={snap.ref.id}"


def test_the_feed_goes_on_where_it_stopped_and_shows_each_signature_as_it_is_now(gateway: Gateway) -> None:
    gateway.calls(20)
    first = gateway.remote.page(None, gateway.clock.now())
    assert (len(first.snapshots), first.more) == (1, False)
    assert gateway.remote.page(first.cursor, gateway.clock.now()).snapshots == ()
    gateway.write(first.snapshots[0], status=status("resolved"))
    gateway.calls(20, provider="billing")
    second = gateway.remote.page(first.cursor, gateway.clock.now())
    assert [snap.fields["service"] for snap in second.snapshots] == ["shop", "billing"]
    assert [snap.fields["status"] for snap in second.snapshots] == ["resolved", "open"]
    assert sorted(snap.version for snap in second.snapshots) == [snap.version for snap in second.snapshots]


def test_a_place_that_is_none_is_refused(gateway: Gateway) -> None:
    with pytest.raises(CursorExpired):
        gateway.remote.page("yesterday", gateway.clock.now())


def test_a_signature_is_read_by_id_by_key_and_by_address(gateway: Gateway) -> None:
    gateway.calls(20)
    snap = gateway.only()
    names = [snap.ref.id, snap.ref.key, snap.ref.url]
    named = [parse_reference(gateway.settings, name) for name in names]
    assert all(named)
    found = gateway.remote.fetch([name for name in named if name])
    assert len(found) == 2  # its address holds its id
    assert all(each == snap for each in found.values())


@pytest.mark.parametrize(
    "text",
    [
        "GW-12",
        "PROJ-1",
        "https://elsewhere.example.com/console#signature=" + "a" * 64,
        "https://apipark.example.com/console#signature=../../etc",
        "https://[half#signature=" + "a" * 64,
        "a" * 63,
    ],
)
def test_other_texts_name_no_signature(gateway: Gateway, text: str) -> None:
    assert parse_reference(gateway.settings, text) is None


def test_what_is_not_there_is_not_found_and_no_fact(gateway: Gateway) -> None:
    found = gateway.remote.fetch(["f" * 64, key_of("f" * 64)])
    assert {each.kind for each in found.values() if isinstance(each, Missing)} == {MissingKind.NOT_FOUND}
    assert len(found) == 2


def test_two_gateways_keep_their_ledgers_apart(gateway: Gateway) -> None:
    gateway.calls(20)
    other = GatewayRemote(gateway.settings, gateway.ports(2))
    assert other.page(None, gateway.clock.now()).snapshots == ()
    assert isinstance(other.fetch([gateway.only().ref.id])[gateway.only().ref.id], Missing)


def test_a_write_changes_state_links_and_tags_in_one_step_and_shows_the_record(gateway: Gateway) -> None:
    gateway.calls(20)
    before = gateway.only()
    after = gateway.write(before, status=status("acknowledged"), add_links=(JIRA,), add_tags=("launch",))
    assert after.fields["status"] == "acknowledged"
    assert set(after.fields["tags"]) == {*before.fields["tags"], "launch"}
    assert [link.target for link in after.links or ()] == [JIRA.url]
    assert after.version > before.version
    again = gateway.write(after, add_links=(JIRA,))
    assert again.links == after.links  # shown once, however often it is told
    gone = gateway.write(again, remove_links=again.links or (), remove_tags=("launch",))
    assert gone.links == ()
    assert gone.fields["tags"] == before.fields["tags"]


def test_a_write_decided_on_an_older_version_is_refused_with_the_newer_state(gateway: Gateway) -> None:
    gateway.calls(20)
    before = gateway.only()
    newer = gateway.write(before, status=status("acknowledged"))
    with pytest.raises(VersionConflict) as refused:
        gateway.write(before, status=status("resolved"))
    assert refused.value.snapshot == newer
    assert gateway.only() == newer


@pytest.mark.parametrize("changes", [{"set": {"title": "x"}}, {"note": "hello"}, {"status": status("muted")}])
def test_what_cannot_be_written_is_refused_and_nothing_else_of_it_is_done(
    gateway: Gateway, changes: dict[str, Any]
) -> None:
    gateway.calls(20)
    before = gateway.only()
    with pytest.raises(WriteRejected):
        gateway.write(before, add_tags=("launch",), **changes)
    assert gateway.only() == before


def test_nothing_is_created(gateway: Gateway) -> None:
    with pytest.raises(WriteRejected, match="comes from calls"):
        gateway.remote.create(Draft(kind="signature", fields={}), "m-1")
    assert not gateway.remote.check().creates


def test_a_signature_that_is_gone_takes_no_write(gateway: Gateway) -> None:
    gateway.calls(20)
    snap = gateway.only()
    nobody = structs.replace(snap, ref=RecordRef(kind="signature", id="e" * 64))
    with pytest.raises(RecordMissing):
        gateway.write(nobody, status=status("resolved"))


def test_the_history_tells_rules_from_the_hub_and_names_the_delivery(gateway: Gateway) -> None:
    gateway.calls(20)
    snap = gateway.only()
    after = gateway.write(snap, "d-42", status=status("resolved"))
    gateway.clock.advance(120)
    gateway.calls(20)
    rows = gateway.remote.history(snap.ref, "")
    assert [(row.edits[0].old, row.edits[0].new) for row in rows] == [
        (None, "open"),
        ("open", "resolved"),
        ("resolved", "regressed"),
    ]
    assert [row.automatic for row in rows] == [True, False, True]
    assert [row.ours for row in rows] == [False, True, False]
    assert rows[1].op == "d-42"
    assert [row.edits[0].new for row in gateway.remote.history(snap.ref, after.version)] == ["regressed"]


def test_a_resolve_by_rule_is_automatic_and_one_by_the_hub_is_not(gateway: Gateway) -> None:
    gateway.calls(20)
    assert not gateway.write(gateway.only(), status=status("resolved")).automatic
    gateway.calls(20, provider="billing")
    for _ in range(20):
        gateway.calls(50, 200, seconds=300, provider="billing")
    (_, billing) = sorted(gateway.remote.page(None, gateway.clock.now()).snapshots, key=lambda snap: snap.automatic)
    assert (billing.fields["service"], billing.fields["status"]) == ("billing", "resolved")
    assert (billing.automatic, billing.fields["resolved_by"]) == (True, "quiet")


def test_the_evidence_names_route_code_rate_latency_and_request_ids(gateway: Gateway) -> None:
    gateway.calls(20)
    text = str(gateway.only().fields["description"])
    for said in ("POST checkout of shop: 500 upstream_5xx", "Error: db_timeout", "Rate: 100.0%", "p95", "request req-"):
        assert said in text


def test_an_llm_failure_says_whose_fault_it_is_and_what_was_tried(gateway: Gateway) -> None:
    statuses = [
        {"provider": "openai", "model": "gpt-x", "key": "k", "status": "timeout"},
        {"provider": "mistral", "model": "large", "key": "k", "status": "exceeded"},
    ]
    gateway.calls(
        20,
        400,
        ai_provider="mistral",
        ai_model="large",
        ai_model_status="exceeded",
        ai_model_total_token=100,
        ai_provider_statuses=statuses,
    )
    snap = gateway.only()
    assert snap.fields["kind"] == "llm_error"
    assert {"provider:mistral", "model:large"} <= set(snap.fields["tags"])
    assert "fault" in str(snap.fields["description"])
    assert "mistral" in str(snap.fields["description"])


def test_check_says_what_is_read_and_what_cannot_be_written(gateway: Gateway) -> None:
    found = gateway.remote.check()
    assert found.account == "https://apipark.example.com/console"
    said = " ".join(finding.what for finding in found.findings)
    assert "is followed" in said
    assert "nothing is written into the gateway" in said
    gateway.log.unlink()
    assert "is not there yet" in " ".join(finding.what for finding in gateway.remote.check().findings)
