"""The way through a workflow."""

from __future__ import annotations

from sync.core.paths import Course, Path, StepsUnknown, find
from sync.core.state import StatusRules
from sync.model import Status
from tests.sync.core.world import FLOWS, TRACKER

RULES = StatusRules(
    values={
        "todo": Status.NEW,
        "prog": Status.IN_PROGRESS,
        "review": Status.IN_PROGRESS,
        "blocked": Status.WAITING,
        "done": Status.RESOLVED,
        "verified": Status.RESOLVED,
        "wontfix": Status.CLOSED,
        "frozen": Status.RESOLVED,
    },
    write={Status.NEW: "todo", Status.IN_PROGRESS: "prog", Status.WAITING: "blocked", Status.RESOLVED: "done"},
    accept={Status.WAITING: frozenset({"review"})},
    frozen=frozenset({"frozen"}),
    archived=frozenset({"archive"}),
)


def way(graph: dict[str, tuple[str, ...]], raw: str, wanted: str, status: Status) -> Path | StepsUnknown | None:
    return find(RULES, graph, raw, wanted, status)


def test_without_a_workflow_any_value_is_one_step_away() -> None:
    assert find(RULES, None, "todo", "done", Status.RESOLVED) == Path(
        hop="done", final=True, target="done", course=Course.WANTED
    )


def test_the_shortest_way_is_taken() -> None:
    assert find(TRACKER, FLOWS["stock"], "blocked", "done", Status.RESOLVED) == Path(
        hop="prog", final=False, target="done", course=Course.WANTED
    )
    assert find(TRACKER, FLOWS["stock"], "prog", "done", Status.RESOLVED) == Path(
        hop="done", final=True, target="done", course=Course.WANTED
    )


def test_of_two_shortest_ways_the_first_by_name_is_taken_however_they_are_listed() -> None:
    graph = {"todo": ("review", "prog"), "prog": ("done",), "review": ("done",), "done": ()}
    turned = dict(reversed([(raw, tuple(reversed(steps))) for raw, steps in graph.items()]))
    for each in (graph, turned):
        found = way(each, "todo", "done", Status.RESOLVED)
        assert isinstance(found, Path)
        assert found.hop == "prog"


def test_another_value_that_means_the_same_stands_in() -> None:
    graph: dict[str, tuple[str, ...]] = {"todo": ("wontfix", "verified"), "verified": (), "wontfix": ()}
    assert way(graph, "todo", "done", Status.RESOLVED) == Path(
        hop="verified", final=True, target="verified", course=Course.INSTEAD
    )


def test_an_accepted_value_stands_in() -> None:
    graph: dict[str, tuple[str, ...]] = {"todo": ("review",), "review": ()}
    assert way(graph, "todo", "blocked", Status.WAITING) == Path(
        hop="review", final=True, target="review", course=Course.INSTEAD
    )


def test_a_crossing_falls_back_to_the_nearest_value_of_its_side() -> None:
    graph: dict[str, tuple[str, ...]] = {
        "done": ("wontfix",),
        "wontfix": ("blocked", "prog"),
        "blocked": (),
        "prog": (),
    }
    assert way(graph, "done", "todo", Status.NEW) == Path(
        hop="wontfix", final=False, target="blocked", course=Course.INSTEAD
    )


def test_a_detail_has_no_fallback() -> None:
    graph: dict[str, tuple[str, ...]] = {"todo": ("prog",), "prog": ("todo",)}
    assert way(graph, "todo", "blocked", Status.WAITING) is None


def test_a_detail_never_leads_over_the_other_side() -> None:
    graph: dict[str, tuple[str, ...]] = {"todo": ("done",), "done": ("blocked",), "blocked": ()}
    assert way(graph, "todo", "blocked", Status.WAITING) is None


def test_a_way_does_not_leave_the_wanted_side_again() -> None:
    graph: dict[str, tuple[str, ...]] = {"done": ("prog",), "prog": ("wontfix",), "wontfix": ("todo",), "todo": ()}
    assert way(graph, "done", "todo", Status.NEW) == Path(hop="prog", final=True, target="prog", course=Course.INSTEAD)


def test_a_way_does_not_leave_the_wanted_side_by_a_detour() -> None:
    graph = {"done": ("prog",), "prog": ("odd",), "odd": ("wontfix",), "wontfix": ("todo",), "todo": ()}
    found = way(graph, "done", "todo", Status.NEW)
    assert isinstance(found, Path)
    assert found.target == "prog"


def test_values_that_nobody_named_may_be_passed_through() -> None:
    graph: dict[str, tuple[str, ...]] = {"todo": ("odd",), "odd": ("blocked",), "blocked": ()}
    assert way(graph, "todo", "blocked", Status.WAITING) == Path(
        hop="odd", final=False, target="blocked", course=Course.WANTED
    )


def test_no_way_leads_through_frozen_or_archived_values() -> None:
    graph: dict[str, tuple[str, ...]] = {"todo": ("frozen", "archive"), "frozen": ("done",), "archive": ("done",)}
    assert way(graph, "todo", "done", Status.RESOLVED) is None


def test_unknown_steps_are_learned_before_another_value_is_taken() -> None:
    graph: dict[str, tuple[str, ...]] = {"todo": ("prog", "wontfix"), "wontfix": ()}
    assert way(graph, "todo", "done", Status.RESOLVED) == Path(
        hop="prog", final=False, target="done", course=Course.LEARN
    )


def test_an_issue_is_not_finished_in_another_way_only_to_learn_steps() -> None:
    steps = {"todo": ("odd", "wontfix", "blocked"), "blocked": ("prog",)}
    assert way(steps, "todo", "done", Status.RESOLVED) == Path(
        hop="blocked", final=False, target="done", course=Course.LEARN
    )
    assert way({**steps, "prog": ()}, "todo", "done", Status.RESOLVED) == Path(
        hop="odd", final=False, target="done", course=Course.LEARN
    )
    assert way({**steps, "prog": (), "odd": ()}, "todo", "done", Status.RESOLVED) == Path(
        hop="wontfix", final=False, target="done", course=Course.LEARN
    )


def test_a_reopened_issue_is_learned_from_on_the_open_side() -> None:
    graph: dict[str, tuple[str, ...]] = {"done": ("closing", "prog")}
    assert way(graph, "done", "todo", Status.NEW) == Path(hop="prog", final=False, target="todo", course=Course.LEARN)


def test_learning_goes_to_the_nearest_unknown_value() -> None:
    graph: dict[str, tuple[str, ...]] = {"todo": ("blocked", "prog"), "blocked": ("review",)}
    assert way(graph, "todo", "done", Status.RESOLVED) == Path(
        hop="prog", final=False, target="done", course=Course.LEARN
    )


def test_the_steps_from_the_present_value_must_be_known() -> None:
    assert way({}, "todo", "done", Status.RESOLVED) == StepsUnknown()


def test_a_dead_end_is_no_way() -> None:
    assert way({"done": ()}, "done", "todo", Status.NEW) is None
