"""`hypercare plan`, `apply`, `undo` and `shadow` with no daemon: what they show, and what they say to a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sync.cli.command import Place


@pytest.fixture
def known(place: Place) -> Place:
    """A configuration whose database is there, with nothing in it."""
    assert place.run("start", "support").code == 0
    assert place.run("start", "tracker").code == 0
    return place


def test_before_anything_is_known_a_plan_says_so(place: Place) -> None:
    found = place.run("plan")
    assert found.code == 1
    assert found.err.startswith("nothing is known yet: there is no database at ")


def test_a_plan_of_nothing_says_that_nothing_would_be_written(known: Place) -> None:
    found = known.run("plan")
    assert found.code == 0
    assert found.out.splitlines()[0].startswith("plan 1, digest ")
    assert found.out.splitlines()[1:] == ["0 records, 0 items", "nothing would be written"]


def test_a_plan_for_programs_keeps_its_names(known: Place) -> None:
    found = known.run("plan", "--json").json
    assert sorted(found) == [
        "digest", "fingerprint", "kind", "made_at", "mappings", "plan", "rows", "summary", "undoes",
    ]  # fmt: skip
    assert (found["plan"], found["kind"], found["rows"]) == (1, "apply", [])
    again = known.run("plan", "--json").json
    assert (again["plan"], again["digest"]) == (2, found["digest"])
    assert known.run("plan", "--show", "1", "--json").json == found
    assert known.run("plan", "--show", found["digest"][:8], "--json").json["plan"] == 2
    assert [one["id"] for one in known.run("plan", "--list", "--json").json] == [2, 1]


def test_wrong_files_are_told_with_their_place_and_no_plan_is_made(known: Place) -> None:
    path = known.folder / "mappings" / "jira.yaml"
    path.write_text(path.read_text("utf-8").replace("In Review: in_progress", "In Review: in_progres"), "utf-8")
    found = known.run("plan")
    assert found.code == 2
    assert "jira.yaml:21:18: fields.status.values.In Review: `in_progres` is not one of" in found.err
    assert known.run("plan", "--list").out == "no plan was made yet: `hypercare plan` makes one\n"


def test_another_folder_is_planned_and_cannot_be_applied_before_it_is_in_place(known: Place, tmp_path: Path) -> None:
    other = tmp_path / "next"
    other.mkdir()
    for path in sorted((known.folder / "mappings").glob("*.yaml")):
        text = path.read_text("utf-8").replace("In Review: in_progress", "In Review: waiting")
        (other / path.name).write_text(text, "utf-8")
    assert known.run("plan", "--mappings", str(other)).code == 0
    found = known.run("apply", "1")
    assert found.code == 1
    assert found.err == (
        f"plan 1 was made with other mappings ({other}) than those in force: save the files that it was made with into "
        "`mappings_dir`, or make a new plan with `hypercare plan`\n"
    )


def test_a_folder_that_is_not_there_is_told(known: Place, tmp_path: Path) -> None:
    found = known.run("plan", "--mappings", str(tmp_path / "nowhere"))
    assert found.code == 2
    assert "cannot be read (No such file or directory)" in found.err


def test_a_page_that_cannot_be_written_is_told(known: Place, tmp_path: Path) -> None:
    found = known.run("plan", "--html", str(tmp_path / "no" / "plan.html"))
    assert found.code == 1
    assert found.err.endswith("cannot be written (No such file or directory): name another file\n")


@pytest.mark.parametrize("name", ["7", "abcd", "plan-7", "-"])
def test_a_plan_that_nobody_made_is_told(known: Place, name: str) -> None:
    said = f"there is no plan {name!r}; `hypercare plan --list` lists them, `hypercare plan` makes one\n"
    assert (known.run("apply", "--", name).code, known.run("apply", "--", name).err) == (1, said)
    assert known.run("plan", f"--show={name}").err == said.replace(f"{name!r}", f"`{name}`")


def test_without_a_daemon_apply_says_who_goes_on(known: Place) -> None:
    known.run("plan")
    found = known.run("apply", "1")
    assert (found.code, found.out) == (
        0,
        "plan 1 is applied from now on (no daemon is running: `hypercare run` goes on)\n",
    )
    assert known.run("apply", "1").out.startswith("plan 1 is being applied already")
    assert "plan 1 is applying: 0 of 0 rows are over\n" in known.run("status").out
    known.run("plan")
    assert known.run("apply", "2").err == (
        "plan 1 is being applied: wait for its end, or stop it with `hypercare apply 1 --stop`\n"
    )
    assert known.run("apply", "1", "--stop").out.startswith("plan 1 is stopped; `hypercare apply 1` goes on")
    assert known.run("apply", "2", "--stop").err == (
        "that plan is not being applied; `hypercare plan --list` lists the plans\n"
    )


def test_a_limit_below_one_is_a_mistake_of_the_command_line(known: Place) -> None:
    assert known.run("apply", "1", "--max-writes", "0").code == 2


def test_with_nothing_applied_there_is_nothing_to_undo(known: Place) -> None:
    found = known.run("undo", "--yes")
    assert (found.code, found.err) == (
        1,
        "no plan was applied that is not taken back already; `hypercare plan --list` lists them\n",
    )


def test_of_plans_that_nobody_applied_the_newest_stay(known: Place) -> None:
    for _ in range(22):
        assert known.run("plan").code == 0
    assert [one["id"] for one in known.run("plan", "--list", "--json").json] == list(range(22, 2, -1))


# --- shadow ----------------------------------------------------------------------------------------------------------


def test_a_connection_is_put_into_shadow_and_taken_out_again(known: Place) -> None:
    assert known.run("shadow", "start", "support").out.startswith(
        "support is in shadow mode: nothing is written to it any more; what would be written is noted"
    )
    assert known.run("status", "--json").json["connections"][0]["mode"] == "shadow"
    assert "support: in shadow mode: what would be written is noted, see" in known.run("status").out
    found = known.run("shadow", "report")
    assert found.code == 0
    assert found.out.splitlines()[0].startswith("support is in shadow mode since ")
    assert found.out.splitlines()[1] == "nothing would have been written yet"
    report = known.run("shadow", "report", "support", "--within", "12", "--json").json
    assert (report["within_hours"], list(report["since"]), report["fields"]) == (12.0, ["support"], [])
    assert known.run("pause", "support").err.startswith("support only observes: nothing is written to it anyway")
    assert known.run("shadow", "stop", "support").code == 0
    assert known.run("shadow", "stop", "support").err.startswith("support is not in shadow mode; it is observe")
    assert known.run("shadow", "report").out == (
        "no connection is in shadow mode, and none was: `hypercare shadow start CONNECTION`\n"
    )


def test_a_connection_that_is_not_there_is_told(known: Place) -> None:
    for words in (("shadow", "start"), ("shadow", "stop"), ("shadow", "report")):
        found = known.run(*words, "suport")
        assert (found.code, found.err) == (1, "there is no connection `suport`; did you mean `support`?\n")
