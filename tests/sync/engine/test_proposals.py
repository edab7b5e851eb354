"""Records that name the same call are proposed as belonging together: never merged silently, asked once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import func, select

from sync.engine import proposals as engine
from sync.store.retention import Retention, tidy_all
from sync.store.tables import proposals, records, traces
from sync.views.explain import explain
from tests.sync.engine.four import Four, launch

TRACE = "0af7651916cd43dd8448eb211c80319c"
ACCEPT = "proposals: {request_id: accept, trace_id: propose}\n"
OFF = "proposals: {request_id: off, trace_id: off}\n"


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Four]]:
    """Makes a day, and closes it after the test."""
    made: list[Four] = []

    def build(**given: Any) -> Four:
        made.append(launch(tmp_path, **given))
        return made[-1]

    yield build
    for day in made:
        day.close()


@pytest.fixture
def day(make: Callable[..., Four]) -> Four:
    return make()


def test_a_ticket_that_names_a_failed_call_is_proposed_to_its_signature(day: Four) -> None:
    (call, *_) = day.failing()
    day.ticket(subject="Checkout broken", body=f"It says: request id {call}")
    day.quiet()
    (found,) = day.proposed()
    assert {found.one.system, found.other.system} == {"gateway", "zendesk"}
    assert found.says == f"both name the request {call}"
    assert day.members() == 0


def test_the_order_in_which_they_come_does_not_matter(day: Four) -> None:
    call = "7f3c1a52-9b0e-4d6f-8a21-5c9e0b7d4412"
    day.ticket(subject=f"Failed: {call}")
    day.quiet()
    assert day.proposed() == []
    day.gateway.act({"act": "call", "route": "pay", "kind": "error", "times": 11})
    day.failing(times=1, set={"id": call, "millis": 99_999})  # the slowest is a sample
    assert day.pairs() == {frozenset({"gateway", "zendesk"})}


def test_an_issue_and_an_error_are_proposed_by_request_or_trace(day: Four) -> None:
    (call, *_) = day.failing()
    day.issue(description=f"seen in trace id: {TRACE}")
    day.error(request_id=call.upper(), trace=TRACE)
    day.quiet()
    assert day.pairs() == {frozenset({"gateway", "sentry"}), frozenset({"jira", "sentry"})}
    assert {one.kind for one in day.proposed()} == {"request_id", "trace_id"}


def test_two_tickets_that_quote_the_same_id_say_nothing(day: Four) -> None:
    day.failing()
    for _each in range(2):
        day.ticket(subject="Broken", body="request id: 7f3c1a52-9b0e-4d6f-8a21-5c9e0b7d4412")
    day.quiet()
    assert day.proposed() == []


def test_an_id_that_many_records_name_proposes_nothing(day: Four) -> None:
    (call, *_) = day.failing()
    for _each in range(engine.COMMON):
        day.ticket(subject="Broken", body=f"request id: {call}")
    day.quiet()
    assert day.proposed() == []


def test_of_a_common_id_only_so_many_rows_are_kept(day: Four) -> None:
    call = "7f3c1a52-9b0e-4d6f-8a21-5c9e0b7d4412"
    for _each in range(3):
        for _ticket in range(engine.COMMON - 2):
            day.ticket(subject="Broken", body=f"request id: {call}")
        day.quiet()
    with day.world.store.read() as conn:
        assert conn.execute(select(func.count()).select_from(traces)).scalar() == 2 * (engine.COMMON - 2)


def test_accepting_brings_both_into_one_item_and_says_so_in_the_journal(day: Four) -> None:
    (call, *_) = day.failing()
    ticket = day.ticket(subject="Broken", body=call)
    day.quiet()
    (found,) = day.proposed()
    assert day.ask("accept", proposal=found.id, by="ada") == (True, "both belong to hc-1")
    assert (day.members(), day.proposed()) == (2, [])
    (answered,) = day.answered()
    assert (answered.state, answered.ended_by) == ("accepted", "ada")
    with day.world.store.read() as conn:
        page = explain(conn, day.world.hub, ticket, day.world.clock.now())
    assert {member.made_by for member in page.members} == {"proposal"}
    assert {one.rule for one in page.journal if one.field == "links"} == {"joined: proposal"}


def test_what_was_refused_is_not_proposed_again(day: Four) -> None:
    (call, *_) = day.failing()
    ticket = day.ticket(subject="Broken", body=call)
    day.quiet()
    (found,) = day.proposed()
    ok, said = day.ask("refuse", proposal=found.id, by="ada")
    assert (ok, said) == (True, f"proposal {found.id} is refused: these two are not proposed again")
    day.agent_edits(ticket, f"again: {call}")
    day.quiet()
    assert (day.proposed(), day.members()) == ([], 0)
    assert [one.state for one in day.answered()] == ["refused"]


def test_an_answer_is_given_once_and_to_what_exists(day: Four) -> None:
    (call, *_) = day.failing()
    day.ticket(subject="Broken", body=call)
    day.quiet()
    (found,) = day.proposed()
    day.ask("refuse", proposal=found.id)
    ok, said = day.ask("accept", proposal=found.id)
    assert not ok
    assert said.startswith(f"proposal {found.id} was refused already, at 2026-")
    assert day.ask("accept", proposal=99) == (False, "there is no proposal 99; `hypercare proposals` lists them")
    assert not day.ask("refuse", proposal="x")[0]


def test_what_became_one_item_by_another_way_is_listed_no_more(day: Four) -> None:
    (call, *_) = day.failing()
    ticket = day.ticket(subject="Broken", body=call)
    day.quiet()
    (found,) = day.proposed()
    signature = found.one.name if found.one.system == "gateway" else found.other.name
    assert day.ask("link", one=ticket, two=signature)[0]
    assert day.proposed() == []


def test_two_items_are_named_once_and_refused_together(day: Four) -> None:
    (call, *_) = day.failing()
    day.error("KeyError", request_id=call)
    issue = day.issue(description=f"request id {call}")
    day.quiet()
    (of_issue,) = [one for one in day.proposed() if {one.one.system, one.other.system} == {"gateway", "jira"}]
    assert day.ask("accept", proposal=of_issue.id)[0]
    (left,) = day.proposed()
    assert day.ask("refuse", proposal=left.id)[0]
    assert day.proposed() == []
    assert issue in {one.key for answered in day.answered() for one in (answered.one, answered.other)}


def test_two_items_that_each_have_an_issue_become_related(day: Four) -> None:
    (call, *_) = day.failing()
    ticket = day.ticket(subject="Broken", body=call)
    day.quiet()
    (found,) = day.proposed()
    signature = found.one.name if found.one.system == "gateway" else found.other.name
    for one in (ticket, signature):
        assert day.ask("link", one=one, two=f"tracker:{day.known_issue()}")[0]
    (found,) = day.proposed()
    ok, said = day.ask("accept", proposal=found.id)
    assert ok
    assert "noted as related and not joined" in said
    assert len({one.item for answered in day.answered() for one in (answered.one, answered.other)}) == 2


def test_explain_shows_what_is_proposed_for_an_item(day: Four) -> None:
    (call, *_) = day.failing()
    ticket = day.ticket(subject="Broken", body=call)
    day.quiet()
    assert day.ask("link", one=ticket, two=f"tracker:{day.known_issue()}")[0]
    with day.world.store.read() as conn:
        page = explain(conn, day.world.hub, ticket, day.world.clock.now())
    (found,) = page.proposals
    assert found.evidence.casefold() == call


def test_a_rule_joins_what_it_names_and_asks_about_the_rest(make: Callable[..., Four]) -> None:
    day = make(rules=ACCEPT)
    (call, *_) = day.failing()
    day.ticket(subject="Broken", body=call)
    day.error(trace=TRACE)
    day.issue(description=f"trace id {TRACE}")
    day.quiet()
    assert day.members() == 2
    assert day.pairs() == {frozenset({"jira", "sentry"})}
    assert {(one.state, one.ended_by) for one in day.answered()} == {("accepted", "rule"), ("open", "")}


def test_switched_off_nobody_looks(make: Callable[..., Four]) -> None:
    day = make(rules=OFF)
    (call, *_) = day.failing()
    day.ticket(subject="Broken", body=call)
    day.quiet()
    assert day.proposed() == []
    with day.world.store.read() as conn:
        assert conn.execute(select(func.count()).select_from(traces)).scalar() == 0


def test_a_record_that_is_gone_is_not_joined(day: Four) -> None:
    (call, *_) = day.failing()
    day.ticket(subject="Broken", body=call)
    day.quiet()
    (found,) = day.proposed()
    day.world.store.step(
        lambda conn: conn.execute(records.update().where(records.c.kind == "ticket").values(presence="gone"))
    )
    ok, said = day.ask("accept", proposal=found.id)
    assert not ok
    assert said.endswith("is gone on its system: it cannot be linked")
    assert [one.state for one in day.answered()] == ["open"]


def test_ids_of_one_record_are_bounded(day: Four) -> None:
    ticket = day.ticket(subject="x")
    day.quiet()
    for edit in range(4):
        day.agent_edits(ticket, " ".join(f"{n:08d}-{edit:04d}-4d6f-8a21-5c9e0b7d4412" for n in range(30)))
        day.quiet()
    with day.world.store.read() as conn:
        count = conn.execute(select(func.count()).select_from(traces)).scalar()
    assert count == engine.KEPT_PER_RECORD


def test_a_record_has_only_so_many_open_proposals(make: Callable[..., Four]) -> None:
    day = make(tag_values=5)
    day.quiet()  # of what was there before the first look, Sentry shows no tags
    calls = [f"{number:08d}-9b0e-4d6f-8a21-5c9e0b7d4412" for number in range(4)]
    for call in calls:
        day.error("KeyError", request_id=call)
    for call in calls:
        for _each in range(engine.COMMON - 1):
            day.ticket(subject="Broken", body=f"request id: {call}")
    day.quiet()
    assert len(day.proposed()) == engine.OPEN_PER_RECORD


def test_forgotten_records_take_their_ids_and_proposals_with_them(day: Four) -> None:
    (call, *_) = day.failing()
    day.ticket(subject="Broken", body=call)
    day.quiet()
    assert len(day.proposed()) == 1
    day.world.clock.advance(100 * 86_400)
    tidy_all(day.world.store, day.world.clock.now(), structs.replace(Retention(), records=1))
    with day.world.store.read() as conn:
        left = [
            conn.execute(select(func.count()).select_from(table)).scalar() for table in (records, traces, proposals)
        ]
    assert left == [0, 0, 0]
