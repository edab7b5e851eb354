"""The laws between two systems: each way to break one is told as a story, and what is declared is allowed."""

from __future__ import annotations

from msgspec import structs

from sync.core.pairs import PairLaw, Party, losses, ping_pong, written
from sync.core.state import StatusRules
from sync.model import Direction, Status

N, P, W, R = Status.NEW, Status.IN_PROGRESS, Status.WAITING, Status.RESOLVED


def party(name: str, values: dict[str, Status], write: dict[Status, str], **more: object) -> Party:
    rules = StatusRules(values=values, write=write)
    return structs.replace(
        Party(name=name, rules=rules, says={f"`{raw}`": meaning for raw, meaning in values.items()}), **more
    )


JIRA = party(
    "Jira",
    {"To Do": N, "In Progress": P, "In Review": P, "Done": R},
    {N: "To Do", P: "In Progress", R: "Done"},
)
ZENDESK = party("Zendesk", {"new": N, "open": N, "solved": R}, {N: "open", R: "solved"})


def test_a_meaning_that_the_other_cannot_show_is_told_as_a_story() -> None:
    [found] = losses(JIRA, ZENDESK)
    assert (found.law, found.status) == (PairLaw.NO_SILENT_LOSS, P)
    assert found.story == (
        "Jira `In Progress` reads as in_progress; writing in_progress to Zendesk gives `open`; `open` reads as new: "
        "the two cannot be told apart there, and new written back to Jira would make it `To Do`"
    )
    assert losses(ZENDESK, JIRA) == ()


def test_a_loss_that_is_declared_is_allowed() -> None:
    assert losses(JIRA, structs.replace(ZENDESK, collapses=True)) == ()
    assert len(losses(structs.replace(JIRA, collapses=True), ZENDESK)) == 1


def test_a_system_that_is_not_written_or_does_not_speak_loses_nothing() -> None:
    assert losses(JIRA, structs.replace(ZENDESK, direction=Direction.IN)) == ()
    assert losses(JIRA, structs.replace(ZENDESK, direction=Direction.OFF)) == ()
    assert losses(structs.replace(JIRA, direction=Direction.OUT), ZENDESK) == ()
    assert (
        len(
            losses(structs.replace(JIRA, direction=Direction.IN), structs.replace(ZENDESK, direction=Direction.ENFORCE))
        )
        == 1
    )


def test_a_category_speaks_too() -> None:
    named = structs.replace(JIRA, says={"(a status of the category `indeterminate`)": P})
    assert losses(named, ZENDESK)[0].story.startswith(
        "Jira (a status of the category `indeterminate`) reads as in_progress;"
    )


def test_what_is_written_is_the_nearest_of_its_side() -> None:
    assert [written(ZENDESK.rules, status) for status in Status] == ["open", "open", "open", "solved", "solved"]
    assert written(StatusRules(values={}, write={R: "x"}), N) is None


SHIFTED = {N: "b", P: "c", W: "a", R: "d"}
"""Each open meaning is written as the value that reads as the next one."""


def test_two_that_would_write_at_each_other_for_ever_are_found_whatever_they_declare() -> None:
    values = {"a": N, "b": P, "c": W, "d": R}
    one = party("Jira", values, SHIFTED, collapses=True)
    other = party("Zendesk", values, SHIFTED, collapses=True)
    found = ping_pong(one, other)
    assert found is not None
    assert found.law is PairLaw.NO_PING_PONG
    assert found.story == (
        "Jira `c` reads as waiting, so Zendesk is made `a`; that reads as new, so Jira is made `b`; "
        "Jira `b` reads as in_progress, so Zendesk is made `c`; that reads as waiting, so Jira is made `a`; "
        "and so on, round to `c` again, for ever"
    )


def test_two_that_come_to_rest_are_none() -> None:
    assert ping_pong(JIRA, ZENDESK) is None
    values = {"a": N, "b": P, "c": W, "d": R}
    honest = party("Zendesk", values, {N: "a", P: "b", W: "c", R: "d"})
    assert ping_pong(party("Jira", values, SHIFTED), honest) is None
    assert (
        ping_pong(party("Jira", values, SHIFTED), structs.replace(honest, rules=JIRA.rules, direction=Direction.IN))
        is None
    )


def test_an_archived_value_says_nothing_and_starts_no_circle() -> None:
    values = {"a": N, "b": P, "c": W, "d": R}
    put_away = {raw: frozenset({raw}) for raw in "abc"}
    other = party("Zendesk", values, SHIFTED)
    for raw, archived in put_away.items():
        one = party("Jira", values, SHIFTED)
        one = structs.replace(one, rules=structs.replace(one.rules, archived=archived))
        found = ping_pong(one, other)
        assert found is None or f"Jira `{raw}` reads as" not in found.story
