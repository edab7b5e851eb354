"""The acceptance cases of the group rules, through the real connectors: whatever the core promises, people see.

Every case of `tests.sync.core.cases` with one tracker issue and tickets is played by people in the stand-ins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select

from sync.engine import columns
from sync.store.tables import items, journal, links, records
from tests.support.launch import Launch
from tests.sync.core.cases import CASES, Case
from tests.sync.engine.conftest import Make
from tests.sync.engine.views import conflicts_now, members, presence
from tests.sync.mapping.records import shipped_texts

JIRA = {"todo": "To Do", "prog": "In Progress", "blocked": "Blocked", "done": "Done", "wontfix": "Won't Do"}
FLOWS = {"free": "global", "stock": "stock", "locked": "locked"}
SOLE = {
    "rules.yaml": shipped_texts()["rules.yaml"].replace(
        "    detail: tracker            # sole", "    detail: sole  # sole", 1
    )
}


def plays_here(case: Case) -> bool:
    """Cases of signals, mirrors and partial passes need other connectors than these two."""
    names = {word.strip("~").partition(":")[0] for word in case.start.split()}
    return names <= set("TABC") and not any(act[0] == "w" for step in case.steps for act in step.split())


HERE = [case for case in CASES if plays_here(case)]


@dataclass
class Scene:
    """One item's records by the letters of the cases."""

    day: Launch
    named: dict[str, str] = field(default_factory=dict)
    since: int = 0

    def begin(self, start: str) -> None:
        """Create the records, and link those that belong together."""
        linked = []
        for word in start.split():
            name, _, raw = word.strip("~").partition(":")
            raw, _, tags = raw.partition("+")
            if name == "T":
                self.named[name] = self.day.issue(labels=list(tags))
                if raw != "todo":
                    self.day.engineer(self.named[name], JIRA[raw], force=True)
            else:
                self.named[name] = str(self.day.ticket(status=raw, tags=list(tags)))
            if not word.startswith("~"):
                linked.append(name)
        self.day.world.start()
        self.day.world.wait(60)
        first, *others = sorted(linked, key=lambda name: name != "T")
        for name in others:
            self.link(name, first)
            self.day.world.wait(30)

    def text(self, name: str) -> str:
        """A record as a person names it to the hub."""
        return self.named[name] if name == "T" else f"support:{self.named[name]}"

    def link(self, name: str, other: str) -> None:
        answer = self.day.world.command("link", one=self.text(name), two=self.text(other))
        assert answer.ok, answer.message

    def play(self, step: str) -> None:
        """Everything in one step happens before the hub looks again."""
        self.since = len(self._journal())
        for act in step.split():
            self.perform(act)
        self.day.world.wait(60)

    def perform(self, act: str) -> None:
        day, name = self.day, act[0]
        if "=" in act:
            name, _, raw = act.partition("=")
            if name == "T":
                day.engineer(self.named[name], JIRA[raw], force=True)
            elif raw == "closed":
                day.zendesk.act({"act": "close", "ticket": int(self.named[name])})
            else:
                day.agent(int(self.named[name]), raw)
        elif ">" in act:
            name, _, into = act.partition(">")
            day.zendesk.act({"act": "merge", "ticket": int(self.named[into]), "from": [int(self.named[name])]})
        elif act[1] in "+-":
            if name == "T":
                day.label(self.named[name], **{"add" if act[1] == "+" else "remove": act[2:]})
            else:
                day.tag(int(self.named[name]), **{"add" if act[1] == "+" else "remove": (act[2:],)})
        elif act[0] == "j":
            other = "T" if act[1:] != "T" and "T" in self.named else "A"
            self.link(act[1:], other)
        elif act[0] == "l":
            day.world.command("unlink", record=self.text(act[1:]))
        else:
            assert act[0] == "d"
            day.zendesk.act({"act": "delete", "ticket": int(self.named[act[1:]])})

    # --- what came of it -------------------------------------------------------------------------------------

    def describe(self) -> str:
        """The records in the notation of the cases."""
        words = []
        for name, key in self.named.items():
            base = self._base(name)
            status = base.status if base is not None else None
            if name == "T":
                found: dict[str, Any] = self.day.issue_now(key)
                raw, tags = next(word for word, shown in JIRA.items() if shown == found["status"]), found["labels"]
            else:
                found = self.day.ticket_now(int(key))
                raw, tags = found["status"], [tag for tag in found["tags"] if tag != "closed_by_merge"]
            words.append(
                ("" if base is not None else "~")
                + f"{name}:{raw}"
                + ("+" + "".join(sorted(tags)) if tags else "")
                + ("!" if status is not None and status.aside else "")
                + ("?" if status is not None and status.parked else "")
            )
        return " ".join(word for word in words if ":deleted" not in word)

    def _base(self, name: str) -> columns.Base | None:
        statement = (
            select(links.c.base)
            .select_from(links.join(records, links.c.record_id == records.c.id))
            .where(
                links.c.ended_at.is_(None), (records.c.key if name == "T" else records.c.remote_id) == self.named[name]
            )
            .where(records.c.kind == ("issue" if name == "T" else "ticket"))
        )
        with self.day.world.store.read() as conn:
            found = conn.execute(statement).scalar()
        return None if found is None else columns.base(found)

    def item_status(self) -> str:
        with self.day.world.store.read() as conn:
            state = columns.item_state(conn.execute(select(items.c.state).order_by(items.c.id).limit(1)).scalar_one())
        return state.status.value if state.status is not None else ""

    def _journal(self) -> list[Any]:
        with self.day.world.store.read() as conn:
            return list(conn.execute(select(journal).order_by(journal.c.id)).all())

    def written(self) -> str:
        """The records whose status or tags the hub wrote in the last step."""
        with self.day.world.store.read() as conn:
            ids = {row.id: (row.kind, row.key, row.remote_id) for row in conn.execute(select(records))}
        names = {("issue", key) if name == "T" else ("ticket", key): name for name, key in self.named.items()}
        found = set()
        for row in self._journal()[self.since :]:
            if row.actor == "hypercare" and row.field in ("status", "tags"):
                kind, key, remote_id = ids[row.record_id]
                found.add(names[(kind, key if kind == "issue" else remote_id)])
        return " ".join(sorted(found))


def expected(case: Case) -> str:
    """What a case shows at rest; a deleted ticket shows nothing any more."""
    gone = {act[1:] for step in case.steps for act in step.split() if act[0] == "d"}
    return " ".join(word for word in case.shows.split() if word.strip("~").partition(":")[0] not in gone)


def test_most_cases_of_tickets_are_played_here() -> None:
    assert len(HERE) >= 40


@pytest.mark.parametrize("case", HERE, ids=[f"{case.number}" for case in HERE])
def test_a_case_ends_as_the_rules_say(make: Make, case: Case) -> None:
    day = make(jira_settings={"workflow": FLOWS[case.flow]}, texts=SOLE if case.detail == "sole" else None)
    scene = Scene(day)
    scene.begin(case.start)
    for step in case.steps:
        scene.play(step)
    assert (scene.item_status(), scene.describe(), scene.written()) == (
        case.status,
        expected(case),
        " ".join(sorted(set(case.written.split()))),
    ), case.because
    day.world.wait(120, step=60)  # a deletion is confirmed first; then its link is taken from the issue
    before = day.writes()
    day.world.wait(120, step=60)
    assert day.writes() == before


def test_a_ticket_that_two_issues_link_belongs_to_one_and_both_links_stay(day: Launch) -> None:
    ticket, issue = day.linked_pair()
    other = day.issue(summary="Another matter")
    day.world.wait(60)
    url = f"http://127.0.0.1:8101/agent/tickets/{ticket}"
    day.jira.act({"act": "remote_link", "issue": other, "url": url, "title": "See also"})
    day.world.wait(1000, step=250)
    day.label(other, add="seen")  # the next edit has its links read
    day.world.wait(60)
    day.world.sweep()
    assert day.links_on(issue) == day.links_on(other) == [url]
    assert day.item(f"support:{ticket}") == day.item(issue) != day.item(other)
    assert [each.kind for each in conflicts_now(day)] == ["two_trackers"]


def test_a_ticket_that_may_no_longer_be_read_keeps_its_place_and_its_link(day: Launch) -> None:
    ticket, issue = day.linked_pair()
    day.world.wait(60)
    day.zendesk.act({"act": "forbid", "ticket": ticket})
    day.world.sweep()
    day.label(issue, add="regression")
    day.world.wait(120)
    assert presence(day, "support", str(ticket)) == "unreachable"
    assert day.links_on(issue) == [f"http://127.0.0.1:8101/agent/tickets/{ticket}"]
    assert members(day, day.item(issue)) == 2
