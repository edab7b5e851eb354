"""A journal that does not give its item's values is found out."""

from __future__ import annotations

from sync.simulation.ledger import Sight
from sync.simulation.replay import Told, faults_of


def item(status: str, *tags: str) -> Sight:
    return Sight(item="hc-1", status=status, tags={tag: frozenset() for tag in tags}, members=())


def wrong(sight: Sight, *told: Told) -> list[str]:
    return [line.split(":")[0] for line in faults_of({"hc-1": told}, [sight])]


JOINED = Told("status", None, "new")
RESOLVED = Told("status", "new", "resolved")
ADDED = Told("tags", None, "vip")
REMOVED = Told("tags", "vip", None)


def test_a_journal_that_gives_every_value_is_right() -> None:
    assert wrong(item("resolved", "vip"), JOINED, ADDED, REMOVED, RESOLVED, ADDED) == []
    assert wrong(item("")) == []


def test_a_change_that_is_not_in_the_journal_is_seen() -> None:
    assert wrong(item("resolved"), JOINED) == ["H29 journal-status"]
    assert wrong(item("resolved"), RESOLVED) == ["H29 journal-gap"]
    assert wrong(item("new", "vip"), JOINED) == ["H29 journal-tags"]
    assert wrong(item("new"), JOINED, ADDED) == ["H29 journal-tags"]
