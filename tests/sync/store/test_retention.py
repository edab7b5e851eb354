"""What is deleted with time, and what never is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, Table, insert, select, update

from sync.model import RecordRef, Snapshot
from sync.store.contract import Store
from sync.store.migrate import open_store
from sync.store.retention import Retention, tidy, tidy_all
from sync.store.tables import (
    aliases,
    commands,
    conflicts,
    deliveries,
    gateway_changes,
    holds,
    inbox,
    items,
    journal,
    links,
    parked,
    people,
    plan_rows,
    plans,
    records,
    refreshes,
    shadows,
    writes,
)
from tests.sync.store.clocks import RunningClock
from tests.sync.store.rows import add_connection, call

NOW = datetime.fromisoformat("2026-06-01T00:00:00Z")
SNAPSHOT = Snapshot(
    ref=RecordRef(kind="ticket", id="7", key="7"),
    version="5",
    created_at=NOW,
    updated_at=NOW,
    fields={"subject": "private"},
    aliases=("old-7",),
)


@pytest.fixture
def store(path: Path, clock: RunningClock) -> Iterator[Store]:
    opened = open_store(path, clock=clock, inline=True)
    opened.step(add_connection)
    opened.step(lambda conn: put(conn, items, state=b"{}", tag_texts=b"{}", created_at=NOW, updated_at=NOW))
    yield opened
    opened.close()


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def put(conn: Connection, table: Table, **values: Any) -> int:
    key = conn.execute(insert(table).values(**values)).inserted_primary_key
    return int(key[0]) if key is not None and isinstance(key[0], int) else 0


def add_record(conn: Connection, remote_id: str, seen_days_ago: float) -> int:
    return put(
        conn,
        records,
        connection_id=1,
        kind="ticket",
        remote_id=remote_id,
        version="5",
        read_no=1,
        origin="direct",
        digest="d",
        body=msgspec.json.encode(SNAPSHOT),
        created_at=NOW,
        updated_at=NOW,
        seen_at=ago(seen_days_ago),
    )


def add_link(conn: Connection, record_id: int, *, ended: bool) -> None:
    put(
        conn,
        links,
        item_id=1,
        record_id=record_id,
        made_by="route",
        made_at=NOW,
        base=b"{}",
        ended_at=NOW if ended else None,
    )


def add_delivery(
    conn: Connection, name: str, state: str, days: float, kind: str = "write", connection: int = 1
) -> None:
    put(
        conn,
        deliveries,
        id=name,
        item_id=1,
        connection_id=connection,
        kind=kind,
        state=state,
        want=b"{}",
        settled_at=ago(days) if state == "settled" else None,
        made_at=ago(days),
    )


def left(store: Store, table: Table, column: str) -> list[Any]:
    with store.read() as conn:
        return list(conn.execute(select(table.c[column]).order_by(table.c[column])).scalars())


def test_calls_go_a_week_after_they_came_unless_they_wait(store: Store) -> None:
    def fill(conn: Connection) -> None:
        for name, days, done in (("old", 7.1, NOW), ("young", 6.9, NOW), ("waiting", 100, None)):
            put(conn, inbox, **{**call(1), "call_id": name, "received_at": ago(days), "done_at": done})

    store.step(fill)
    assert store.step(lambda conn: tidy(conn, NOW))["inbox"] == 1
    assert left(store, inbox, "call_id") == ["waiting", "young"]


def test_settled_and_superseded_writes_go_and_open_ones_and_creates_stay(store: Store) -> None:
    def fill(conn: Connection) -> None:
        add_connection(conn, 2)
        add_delivery(conn, "settled-old", "settled", 90.1)
        add_delivery(conn, "settled-young", "settled", 89.9)
        add_delivery(conn, "superseded-old", "superseded", 90.1)
        add_delivery(conn, "superseded-create", "superseded", 90.1, "create")
        add_delivery(conn, "parked-old", "parked", 900)
        add_delivery(conn, "waiting-old", "waiting", 900)
        add_delivery(conn, "create-old", "settled", 900, "create", connection=2)

    store.step(fill)
    assert store.step(lambda conn: tidy(conn, NOW))["deliveries"] == 3
    assert left(store, deliveries, "id") == ["create-old", "parked-old", "settled-young", "waiting-old"]


def test_the_journal_the_conflicts_and_the_writes_go_when_their_time_is_over(store: Store) -> None:
    def fill(conn: Connection) -> None:
        for days in (400.1, 399.9):
            put(conn, journal, at=ago(days), item_id=1, field="status")
            put(conn, conflicts, at=ago(days), item_id=1, kind="open_wins", field="status", kept="a", lost="b")
            change = {"signature": "a" * 64, "version": 1, "by": "rule", "field": "status"}
            put(conn, gateway_changes, at=ago(days), connection_id=1, **change)
        for days in (90.1, 89.9):
            put(conn, writes, at=ago(days), connection_id=1, link_id=1, field="status", value="x", delivery_id="d")

    store.step(fill)
    counts = store.step(lambda conn: tidy(conn, NOW))
    assert (counts["journal"], counts["conflicts"], counts["writes"]) == (1, 1, 1)
    assert left(store, journal, "at") == [ago(399.9)]
    assert left(store, conflicts, "at") == [ago(399.9)]
    assert left(store, writes, "at") == [ago(89.9)]
    assert left(store, gateway_changes, "at") == [ago(399.9)]


def test_plans_and_shadows_go_with_the_deliveries_unless_a_plan_is_under_way(store: Store) -> None:
    def fill(conn: Connection) -> None:
        for number, days, state in ((1, 90.1, "made"), (2, 90.1, "applying"), (3, 89.9, "done")):
            plan = {
                "id": number,
                "made_at": ago(days),
                "kind": "apply",
                "fingerprint": "",
                "digest": "",
                "summary": b"{}",
            }
            put(conn, plans, **plan, state=state)
            put(conn, plan_rows, plan_id=number, no=1, kind="write", body=b"{}", state="planned", at=ago(days))
            noted = {"connection_id": 1, "item_id": 1, "link_id": 1, "record_id": 1, "field": "status"}
            put(conn, shadows, **noted, at=ago(days), before="a", wanted="b")

    store.step(fill)
    counts = store.step(lambda conn: tidy(conn, NOW))
    assert (counts["plans"], counts["shadows"]) == (1, 2)
    assert left(store, plans, "id") == [2, 3]
    assert left(store, plan_rows, "plan_id") == [2, 3]


def test_a_record_that_never_had_an_item_goes_with_its_aliases(store: Store) -> None:
    def fill(conn: Connection) -> None:
        old = add_record(conn, "old", 30.1)
        add_record(conn, "young", 29.9)
        add_link(conn, add_record(conn, "linked", 900), ended=False)
        put(conn, aliases, connection_id=1, alias="former", record_id=old)

    store.step(fill)
    assert store.step(lambda conn: tidy(conn, NOW))["records"] == 1
    assert left(store, records, "remote_id") == ["linked", "young"]
    assert left(store, aliases, "alias") == []


def test_a_record_that_left_its_item_keeps_its_identity_and_loses_its_values(store: Store) -> None:
    store.step(lambda conn: add_link(conn, add_record(conn, "detached", 30.1), ended=True))
    assert store.step(lambda conn: tidy(conn, NOW))["bodies"] == 1
    with store.read() as conn:
        row = conn.execute(select(records)).one()
    kept = msgspec.json.decode(row.body, type=Snapshot)
    assert kept.fields == {}
    assert (kept.ref, kept.version, kept.aliases) == (SNAPSHOT.ref, SNAPSHOT.version, SNAPSHOT.aliases)
    assert b"private" not in row.body
    assert row.digest != "d"  # the next read of it counts as news
    assert store.step(lambda conn: tidy(conn, NOW))["bodies"] == 0


def test_a_record_that_waits_for_an_answer_is_kept(store: Store) -> None:
    def fill(conn: Connection) -> None:
        asker = add_record(conn, "asker", 100)
        put(
            conn,
            refreshes,
            connection_id=1,
            kind="issue",
            remote_id="9",
            asked_at=NOW,
            why="member",
            askers=f",{asker},",
        )

    store.step(fill)
    store.step(lambda conn: tidy(conn, NOW))
    assert left(store, records, "remote_id") == ["asker"]


def test_a_portion_bounds_what_one_step_deletes_and_all_of_it_goes_in_the_end(store: Store) -> None:
    def fill(conn: Connection) -> None:
        for number in range(25):
            put(conn, inbox, **{**call(number), "received_at": ago(8), "done_at": NOW})
            put(conn, journal, at=ago(500), item_id=1, field="status")

    store.step(fill)
    assert store.step(lambda conn: tidy(conn, NOW, portion=10))["inbox"] == 10
    counts = tidy_all(store, NOW, portion=10)
    assert (counts["inbox"], counts["journal"]) == (15, 15)
    assert left(store, inbox, "id") == []
    assert tidy_all(store, NOW) == {}


def test_the_periods_are_settings(store: Store) -> None:
    store.step(lambda conn: put(conn, journal, at=ago(2), item_id=1, field="status"))
    assert store.step(lambda conn: tidy(conn, NOW, Retention(journal=3)))["journal"] == 0
    assert store.step(lambda conn: tidy(conn, NOW, Retention(journal=1)))["journal"] == 1


def test_a_record_seen_again_between_looking_and_deleting_is_kept(path: Path, clock: RunningClock) -> None:
    from sync.store.retention import overdue, remove

    store = open_store(path, clock=clock, inline=True)
    store.step(add_connection)
    store.step(lambda conn: add_record(conn, "back", 100))
    keep = Retention()
    with store.read() as conn:
        found = overdue(conn, NOW, keep)
    assert len(found.records) == 1
    store.step(lambda conn: conn.execute(update(records).values(seen_at=NOW)).close())
    assert store.step(lambda conn: remove(conn, found, NOW, keep))["records"] == 0
    assert left(store, records, "remote_id") == ["back"]
    store.close()


def test_answered_commands_released_holds_ended_parks_and_people_not_seen_for_long_go(store: Store) -> None:
    def fill(conn: Connection) -> None:
        for name, done in (("old", ago(7.1)), ("young", ago(6.9)), ("waiting", None)):
            put(conn, commands, at=ago(300), verb=name, args=b"{}", done_at=done)
        park = {"item_id": 1, "connection_id": 1, "reason": "refused", "wanted": "a", "shown": "b", "since": ago(900)}
        for name, ended in (("old", ago(400.1)), ("young", ago(399.9)), ("open", None)):
            put(conn, holds, connection_id=1, reason=name, since=ago(900), released_at=ended)
            put(conn, parked, **park, field=name, ended_at=ended)
        for name, days in (("old", 400.1), ("young", 399.9)):
            put(conn, people, connection_id=1, remote_id=name, name="Ada", seen_at=ago(days))

    store.step(fill)
    counts = tidy_all(store, NOW, portion=1)
    assert {name: counts[name] for name in ("commands", "holds", "parked", "people")} == {
        "commands": 1,
        "holds": 1,
        "parked": 1,
        "people": 1,
    }
    assert left(store, commands, "verb") == ["waiting", "young"]
    assert left(store, holds, "reason") == ["open", "young"]
    assert left(store, parked, "field") == ["open", "young"]
    assert left(store, people, "remote_id") == ["young"]
