"""What hardly ever happens, in histories: two deciders, bases lost one at a time, automations that fight."""

from __future__ import annotations

import random
from collections import Counter

from sync.simulation import feuds, losses, main, sight
from sync.simulation.circumstances import MAPPED, Circumstance
from sync.simulation.faults import CHOSEN, LEVELS, PROFILES, RARE, Profile
from sync.simulation.history import play
from sync.simulation.ledger import HUB, USER, Ledger, Shape, What
from sync.simulation.report import Failure
from sync.simulation.stage import Depth, Stage


def test_rare_histories_end_as_they_should_and_meet_what_they_are_for() -> None:
    met: Counter[str] = Counter()
    for seed in range(300, 312):
        outcome = play(seed, RARE, depth=Depth.CONTRACT)
        assert outcome.violations == [], seed
        met.update(outcome.premises)
    assert met["H11"] > 50
    assert met["H15"] > 0
    assert met["H26"] > 0


def test_a_feud_ends_with_the_field_held_and_both_writers_named() -> None:
    outcome = play(321, RARE, depth=Depth.CONTRACT)
    assert outcome.violations == []
    assert outcome.premises["H24"] > 0


def test_rare_histories_at_wire_level_are_interleaved_and_repeat() -> None:
    one = play(3, RARE, steps=20)
    assert one.violations == []
    assert one.premises["H9"] > 20
    assert play(3, RARE, steps=20).digest == one.digest


def test_mixed_histories_never_draw_the_rare_profile() -> None:
    assert RARE not in LEVELS


def test_a_run_tells_at_which_level_its_rare_histories_were_played() -> None:
    report = main.run(0, 0, rare=6, steps=4)
    assert {name: level.histories for name, level in report.levels.items()} == {"wire": 0, "rare": 4, "rare_wire": 2}
    assert {"H15", "H24", "H26"} <= set(report.judged)
    assert {"H15", "H24", "H26"} <= set(main.run(0, 0).unchecked)


def test_chosen_histories_take_one_circumstance_or_fault_after_the_other() -> None:
    report = main.run(0, 0, chosen=len(CHOSEN), steps=3)
    assert report.failures == [], report.as_text()
    assert report.levels["chosen"].histories == len(CHOSEN)
    met = report.profiles["odd"].circumstances
    assert set(met) == {str(each) for each in Circumstance}
    assert min(met[each] for each in MAPPED) >= 3
    assert set(CHOSEN) < set(PROFILES)


def test_a_chosen_history_that_ends_wrong_names_the_profile_that_plays_it_again() -> None:
    assert main.chosen_profile(500 + 1, 500) == CHOSEN[1]
    assert main.chosen_profile(500 + len(CHOSEN), 500) == CHOSEN[0]
    failure = Failure(seed=501, profile="odd", violations=("H1 x: y",), asked=CHOSEN[1], level="contract")
    assert failure.replay == f"hypercare simulate --replay 501 --profile {CHOSEN[1]} --level contract"


def stage_with_a_pair() -> tuple[Stage, str]:
    stage = Stage(1, Profile(name="calm"), lambda _record: None, "stock", Depth.CONTRACT)
    issue = stage.site.act({"act": "create", "summary": "Checkout fails"})
    ticket = stage.desk.act({"act": "create", "status": "open", "tags": ["vip"]})["ticket"]
    stage.watch(USER)
    stage.world.start()
    stage.world.command("link", one=f"support:{ticket}", two=str(issue["key"]))
    for _ in range(3):
        stage.clock.advance(70)
        stage.world.quiet()
    return stage, f"Z{ticket}"


def test_changes_that_are_invented_for_a_lost_base_are_named() -> None:
    stage, ticket = stage_with_a_pair()
    hub, ledger = stage.world.hub, stage.ledger
    assert losses.is_settled(hub, ledger)
    lost = losses.lose(hub, ledger, random.Random(1))
    assert lost is not None
    [item] = sight.sights(hub)
    assert list(losses.judged(lost, ledger, item)) == []
    shape = ledger.shapes[ticket]
    ledger.see(ticket, Shape(status="solved", tags=shape.tags), HUB)
    ledger.see(ticket, Shape(status="solved", tags=frozenset()), HUB)
    laws = [each.split(":")[0] for each in losses.judged(lost, ledger, None)]
    assert laws == ["H26 change-invented", "H26 change-invented", "H26 item-lost"]
    stage.world.close()


def test_a_value_that_is_written_a_fourth_time_within_an_hour_is_seen() -> None:
    ledger = Ledger()
    at = iter(range(0, 9000, 600))
    ledger.now = lambda: float(next(at))
    for _ in range(3):
        ledger.note("Z1", What.STATUS, HUB, "open", "solved")
    assert list(feuds.fought_on(ledger.events)) == []
    ledger.note("Z1", What.STATUS, HUB, "open", "solved")
    assert [each.split(":")[0] for each in feuds.fought_on(ledger.events)] == ["H24 fought-on"]


def test_a_fight_of_which_only_one_writer_is_named_is_seen() -> None:
    ledger = Ledger()
    ledger.note("Z1", What.STATUS, USER, "solved", "open")
    named = "#1: set by hypercare; the other writer is 1 (an automation)"
    assert list(feuds.faults_of(ledger, 0, "Z1", [named], 1)) == []
    said = ["#1: set by hypercare", "#1: set by hypercare; the other writer is 7 (a person or an app)"]
    assert len(list(feuds.faults_of(ledger, 0, "Z1", said, 1))) == 2
    assert len(list(feuds.faults_of(ledger, 0, "Z1", said, 0))) == 1


def test_nobody_is_to_be_named_where_only_the_hub_set_a_ticket_to_and_fro() -> None:
    ledger = Ledger()
    ledger.note("Z1", What.STATUS, USER, "solved", "open")
    said = ["#2: status was set to solved 3 times by hypercare"]
    assert list(feuds.faults_of(ledger, 0, "Z2", said, 0)) == []
    ledger.note("Z2", What.STATUS, USER, "solved", "open")
    assert [each.split(":")[0] for each in feuds.faults_of(ledger, 0, "Z2", said, 1)] == ["H24 writers-not-named"]
