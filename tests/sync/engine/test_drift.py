"""A live system that moves on while the daemon runs: told once, shown until it is over, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from connectors.sandbox.faults import FaultKind, FaultRule
from sync.engine import drift
from sync.engine.hub import EngineSettings
from sync.views.status import ConnectionView, status
from tests.support.launch import Launch

Make = Callable[..., Launch]
DAY = 86_400.0
ROUTES = """
routes:
  - name: outage
    when: {tags: {any: [outage]}}
    create: {connection: tracker, fields: {project: OPS, issuetype: Bug}}
"""


def watch(day: Launch, name: str = "tracker") -> drift.Watch:
    """A watch on one connection, after first contact."""
    if not day.world.hub.named(name).account_checked:
        day.world.start()
    return drift.Watch(day.world.hub, day.world.hub.named(name))


def looks(day: Launch, side: str = "tracker") -> int:
    """How often the system was asked for all its fields."""
    calls = day.calls(side)
    return calls.get("field" if side == "tracker" else "fields.list", 0)


def shown(day: Launch, name: str = "tracker") -> ConnectionView:
    """What `status` shows of a connection."""
    with day.world.store.read() as conn:
        page = status(conn, day.world.clock.now())
    return next(one for one in page.connections if one.name == name)


def test_a_mapping_that_fits_its_system_has_no_drift(make: Make) -> None:
    day = make(routes=ROUTES)
    for name in ("support", "tracker"):
        watch(day, name).run()
        assert shown(day, name).drift == ()
        assert shown(day, name).drift_at == day.world.clock.now()
    assert day.world.told("drift") == day.world.told("system_changed") == []


def test_it_is_looked_for_at_the_start_and_then_daily(make: Make) -> None:
    day = make()
    one = watch(day)
    one.run()
    assert looks(day) == 1
    day.world.clock.advance(DAY / 2)
    one.run()
    assert looks(day) == 1
    day.world.clock.advance(DAY / 2)
    one.run()
    assert looks(day) == 2
    watch(day).run()  # another start
    assert looks(day) == 3


def test_an_edit_of_the_mappings_is_a_reason_to_look(make: Make) -> None:
    day = make()
    one = watch(day)
    one.run()
    day.world.hub.fingerprint = "another"
    one.run()
    assert looks(day) == 2
    one.run()
    assert looks(day) == 2


def test_a_field_that_is_gone_is_told_once_shown_until_it_is_back_and_nothing_is_written(make: Make) -> None:
    day = make(routes=ROUTES)
    day.linked_pair()
    one = watch(day)
    one.run()
    before = day.writes()
    day.jira.change_settings({"removed_fields": ["priority"]})
    for _ in range(3):
        day.world.clock.advance(DAY)
        one.run()
    told = day.world.told("drift")
    assert [each["what"] for each in told] == [
        "there is no field `priority`",
        "the route `outage`: `priority` is not on the create screen of OPS/Bug: a create would be refused",
    ]
    assert {each["level"] for each in told} == {"error"}
    found = shown(day).drift
    assert [each.what for each in found] == [each["what"] for each in told]
    assert {(day.world.clock.now() - each.since).days for each in found} == {2}
    day.jira.change_settings({"removed_fields": []})
    day.world.clock.advance(DAY)
    one.run()
    assert len(day.world.told("drift_over")) == 2
    assert shown(day).drift == ()
    day.world.quiet()
    assert day.writes() == before


def test_a_status_that_was_added_is_told_whether_the_mapping_minds_or_not(make: Make) -> None:
    day = make()
    one = watch(day)
    one.run()
    day.jira.change_settings({"renamed_statuses": {"In Review": "Im Test"}})
    day.world.clock.advance(DAY)
    one.run()
    assert [(each["added"], each["removed"]) for each in day.world.told("system_changed")] == [
        ("`Im Test`", "`In Review`")
    ]
    assert day.world.told("drift") == []  # its category is known
    day.jira.change_settings({"unknown_categories": {"In Review": "odd"}})
    day.world.clock.advance(DAY)
    one.run()
    assert [each["what"] for each in day.world.told("drift")] == ["means nothing here: `Im Test`"]
    assert [each.level for each in shown(day).drift] == ["warning"]


def test_a_custom_status_made_in_zendesk_is_noticed(make: Make) -> None:
    text = (
        "system: zendesk\nkind: ticket\nfields:\n  status:\n    field: custom_status\n    collapses: true\n"
        "    values: {new: new, open: in_progress, pending: waiting, on-hold: waiting, solved: resolved,\n"
        '      waiting for engineering: waiting, "fixed, not yet released": resolved}\n'
        "    write: {in_progress: open, waiting: on-hold, resolved: solved}\n  title: {field: subject}\n"
    )
    day = make(texts={"zendesk.yaml": text})
    one = watch(day, "support")
    one.run()
    assert shown(day, "support").drift == ()
    day.zendesk.act({"act": "custom_status", "label": "With the vendor", "category": "hold"})
    day.world.clock.advance(DAY)
    one.run()
    (found,) = shown(day, "support").drift
    assert found.what == "means nothing here: `with the vendor`"
    assert "fields.status.values" in found.do


def test_a_system_that_does_not_answer_is_asked_again_later(make: Make) -> None:
    day = make()
    one = watch(day)
    day.jira.control.faults.add(FaultRule(kind=FaultKind.HTML, operation="field"))
    one.run()
    assert shown(day).drift_at is None
    day.jira.control.faults.clear()
    one.run()
    assert shown(day).drift_at is None
    day.world.clock.advance(drift.AGAIN.total_seconds() + 1)
    one.run()
    assert shown(day).drift_at is not None


def test_a_paused_connection_is_not_asked_and_neither_is_one_before_first_contact(make: Make) -> None:
    day = make()
    drift.Watch(day.world.hub, day.world.hub.named("tracker")).run()
    assert looks(day) == 0
    one = watch(day)
    assert day.world.command("pause", connection="tracker").ok
    one.run()
    assert looks(day) == 0


def test_how_often_is_a_setting(make: Make) -> None:
    day = make(settings=replace(EngineSettings(), drift_every=EngineSettings().sweep_every * 7))
    one = watch(day)
    one.run()
    day.world.clock.advance(6 * DAY)
    one.run()
    assert looks(day) == 1
    day.world.clock.advance(DAY)
    one.run()
    assert looks(day) == 2
