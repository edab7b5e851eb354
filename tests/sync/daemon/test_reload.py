"""Saved mapping files are taken up whole and valid, or the old ones stay and that is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.mappings import read_texts
from config.problems import SettingsErrors
from sync.daemon.reload import Reload, Source, look_at
from sync.daemon.turns import Turns
from sync.engine import in_force
from sync.mapping.load import Loaded, load
from sync.mapping.yaml import Malformed
from sync.ports import RealClock
from tests.support.launch import Launch, launch
from tests.sync.mapping.records import shipped_texts
from tests.sync.planning.place import CONNECTIONS


class Folder:
    """A folder of mappings that somebody edits, beside a hub that looks at it."""

    def __init__(self, day: Launch, folder: Path) -> None:
        self.day, self.folder = day, folder
        folder.mkdir()
        for name, text in {**shipped_texts(), "routes.yaml": "routes: []\n"}.items():
            (folder / name).write_text(text, encoding="utf-8")
        self.hub = day.world.hub
        source = Source(look=look_at(folder), read=self.read)
        self.turns = Turns(day.world.clock)
        self.reload = Reload(hub=self.hub, turns=self.turns, source=source)
        self.reload.begin()

    def read(self) -> Loaded:
        try:
            return load(read_texts(self.folder), CONNECTIONS)
        except Malformed as error:
            raise SettingsErrors(error.problems) from None

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def looks(self, times: int = 2) -> None:
        for _ in range(times):
            assert self.reload.run() is False


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Folder]:
    day = launch(tmp_path / "data")
    yield Folder(day, tmp_path / "mappings")
    day.world.close()


@pytest.fixture(autouse=True)
def _data(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()


def wrong_files(place: Folder) -> in_force.WrongFiles | None:
    with place.day.world.store.read() as conn:
        return in_force.refused(conn)


def test_a_saved_file_is_in_force_at_the_second_look(place: Folder) -> None:
    place.looks()
    before = place.hub.fingerprint
    place.edit("jira.yaml", "In Review: in_progress", "In Review: waiting")
    place.looks(1)
    assert place.hub.fingerprint == before
    place.looks(1)
    assert place.hub.fingerprint != before
    assert place.hub.named("tracker").mapping.status.values["In Review"] == "waiting"
    (told,) = place.day.world.told("mappings_loaded")
    assert told["fingerprint"] == place.hub.fingerprint
    with place.day.world.store.read() as conn:
        known = in_force.in_force(conn)
    assert known is not None
    assert known.fingerprint == place.hub.fingerprint


def test_a_file_that_is_still_being_written_is_not_read(place: Folder) -> None:
    place.looks()
    before = place.hub.fingerprint
    for old, new in (("In Review: in_progress", "In Review: waiting"), ("Open: new", "Open: in_progress")):
        place.edit("jira.yaml", old, new)
        place.looks(1)
    assert place.hub.fingerprint == before


def test_routes_and_rules_are_taken_up_too(place: Folder) -> None:
    place.looks()
    (place.folder / "rules.yaml").write_text("groups:\n  helpdesk:\n    resolve: never\n", encoding="utf-8")
    (place.folder / "routes.yaml").write_text(
        "routes:\n  - name: outage\n    when: {tags: {any: [outage]}, connection: [support]}\n"
        "    create: {connection: tracker, fields: {project: OPS}}\n",
        encoding="utf-8",
    )
    place.looks()
    assert [route.name for route in place.hub.routes] == ["outage"]
    assert {role.value: rules.resolve.value for role, rules in place.hub.rules.roles.items()}["helpdesk"] == "never"


def test_wrong_files_leave_the_old_ones_in_force_and_are_told(place: Folder) -> None:
    place.looks()
    before = place.hub.fingerprint
    place.edit("jira.yaml", "In Review: in_progress", "In Review: in_progres")
    place.looks(5)
    assert place.hub.fingerprint == before
    assert place.hub.named("tracker").mapping.status.values["In Review"] == "in_progress"
    (told,) = place.day.world.told("mappings_refused")
    assert told["problems"] == 1
    wrong = wrong_files(place)
    assert wrong is not None
    assert wrong.count == 1
    assert wrong.problems[0] == told["first"]
    assert "jira.yaml:21:18: " in wrong.problems[0]
    assert "in_progres" in wrong.problems[0]


def test_a_mapping_that_breaks_a_law_is_refused(place: Folder) -> None:
    place.looks()
    before = place.hub.fingerprint
    place.edit("zendesk.yaml", "waiting: hold  ", "waiting: solved")
    place.looks()
    assert place.hub.fingerprint == before
    assert wrong_files(place) is not None


def test_files_that_are_put_right_are_told_wrong_no_more(place: Folder) -> None:
    place.looks()
    place.edit("jira.yaml", "In Review: in_progress", "In Review: in_progres")
    place.looks()
    assert wrong_files(place) is not None
    place.edit("jira.yaml", "In Review: in_progres", "In Review: in_progress")
    place.looks()
    assert wrong_files(place) is None
    assert place.day.world.told("mappings_loaded") == []


def test_a_folder_that_is_gone_changes_nothing(place: Folder) -> None:
    place.looks()
    before = place.hub.fingerprint
    place.folder.rename(place.folder.with_name("elsewhere"))
    place.looks()
    assert place.hub.fingerprint == before


def test_an_edit_that_is_taken_up_writes_nothing(place: Folder) -> None:
    day = place.day
    ticket, issue = day.linked_pair(status="open")
    day.engineer(issue, "In Progress")
    day.engineer(issue, "In Review")
    day.world.wait(120)
    writes = day.writes()
    place.looks()
    place.edit("jira.yaml", "In Review: in_progress", "In Review: waiting")
    place.looks()
    day.agent(ticket, "pending")
    day.agent(ticket, "open")
    day.world.wait(300)
    assert day.writes() == writes
    day.engineer(issue, "In Progress")
    day.world.wait(60)
    day.engineer(issue, "In Review")
    day.world.wait(300)
    assert day.statuses(ticket, issue) == ("hold", "In Review")


def test_calls_in_their_turns_end_before_anything_changes() -> None:
    turns = Turns(RealClock())
    began, go = threading.Event(), threading.Event()
    seen: list[str] = []

    def call() -> bool:
        began.set()
        assert go.wait(10)
        seen.append("call")
        return False

    worker = threading.Thread(target=turns.taking(call))
    worker.start()
    assert began.wait(10)
    with turns.alone(0.01) as free:
        assert free is False
    go.set()
    with turns.alone(10) as free:
        assert free is True
        seen.append("alone")
    worker.join(10)
    assert seen == ["call", "alone"]


def test_no_call_begins_while_one_is_alone() -> None:
    turns = Turns(RealClock())
    seen: list[str] = []

    def call() -> bool:
        seen.append("call")
        return False

    with turns.alone(1) as free:
        assert free
        worker = threading.Thread(target=turns.taking(call))
        worker.start()
        worker.join(0.05)
        assert seen == []
        seen.append("alone")
    worker.join(10)
    assert seen == ["alone", "call"]


def test_a_busy_daemon_takes_the_files_up_later(place: Folder) -> None:
    place.looks()
    before = place.hub.fingerprint
    place.edit("jira.yaml", "In Review: in_progress", "In Review: waiting")
    turns = place.reload.turns = Turns(AlwaysLate())
    began, go = threading.Event(), threading.Event()

    def call() -> bool:
        began.set()
        return go.wait(10)

    worker = threading.Thread(target=turns.taking(call))
    worker.start()
    assert began.wait(10)
    place.looks()
    assert place.hub.fingerprint == before
    assert place.day.world.told("mappings_wait")
    go.set()
    worker.join(10)
    place.looks()
    assert place.hub.fingerprint != before


class AlwaysLate(RealClock):
    """A clock on which every patience is over at once."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        self._now += 1000.0
        return self._now


def test_the_first_change_after_a_field_is_kept_in_step_is_heard(place: Folder) -> None:
    day = place.day
    ticket, issue = day.linked_pair(status="open", priority="normal")
    day.world.wait(120)
    path = place.folder / "rules.yaml"
    path.write_text(path.read_text("utf-8") + "fields:\n  severity: {}\n", encoding="utf-8")
    writes = day.writes()
    place.looks()
    day.world.quiet()
    day.jira.act({"act": "edit", "issue": issue, "priority": "Highest"})
    day.world.wait(300)
    assert (day.ticket_now(ticket)["priority"], day.writes()) == ("urgent", writes + 1)
